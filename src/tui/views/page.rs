//! A page of text, scrolled.

use super::pen::Pen;
use crate::tui::doc::{Line, Tone};
use ratatui::layout::Rect;
use ratatui::style::Style;

pub(super) fn draw(pen: &mut Pen<'_>, heading: &str, lines: &[Line], top: usize, body: Rect) {
    pen.heading(Rect { height: 1, ..body }, heading);
    for (line, y) in lines.iter().skip(top).zip(body.y + 1..body.bottom()) {
        let style = match line.tone {
            Tone::Plain => Style::new(),
            Tone::Heading => pen.theme.heading(),
            Tone::Verdict(verdict) => pen.theme.verdict(verdict),
            Tone::Trouble => pen.theme.trouble(),
            Tone::Added => pen.theme.added(),
            Tone::Removed => pen.theme.removed(),
        };
        pen.text(body.x, y, body.width, &line.text, style);
    }
}
