//! The entries of the journal, newest first.

use super::pen::Pen;
use crate::tui::app::App;
use crate::tui::list::Cursor;
use crate::tui::text;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// From this width on, an entry's time has a column.
const WIDE: u16 = 60;

pub(super) fn draw(pen: &mut Pen<'_>, app: &App, cursor: Cursor, body: Rect) {
    let head = Rect { height: 1, ..body };
    pen.heading(head, "Journal");
    let say = |pen: &mut Pen<'_>, sentence: &str, style: Style| {
        for (y, line) in (body.y + 1..body.bottom()).zip(text::wrap(sentence, usize::from(body.width))) {
            pen.text(body.x, y, body.width, &line, style);
        }
    };
    let entries = match &app.journal {
        None => return say(pen, "It is being read ...", Style::new()),
        Some(Err(why)) => return say(pen, why, pen.theme.trouble()),
        Some(Ok(entries)) if entries.is_empty() => {
            return say(pen, "Nothing was ever changed from here.", Style::new());
        }
        Some(Ok(entries)) => entries,
    };
    let many =
        if entries.len() == 1 { " 1 entry".to_owned() } else { format!(" {} entries, newest first", entries.len()) };
    pen.right(head, &many, Style::new());
    let rows = entries.iter().rev().enumerate().skip(cursor.top);
    for ((index, entry), y) in rows.zip(body.y + 1..body.bottom()) {
        let area = Rect { y, height: 1, ..body };
        let selected = index == cursor.at;
        let base = if selected { pen.theme.selected() } else { Style::new() };
        pen.text(area.x, y, 1, if selected { ">" } else { " " }, base);
        let mut x = area.x + 2;
        if area.width >= WIDE {
            pen.text(x, y, 16, entry.begun.at.strftime("%Y-%m-%d %H:%M").to_string().as_str(), Style::new());
            x += 17;
        }
        let style = if entry.is_open() { pen.theme.trouble() } else { Style::new() };
        let word = match (entry.outcome(), &entry.undone_by) {
            (None, _) => "unfinished",
            (Some(_), Some(_)) => "taken back",
            (Some(outcome), None) => crate::tui::work::in_words(Some(outcome)),
        };
        pen.text(x, y, 10, if word.len() > 10 { "refused" } else { word }, style);
        let node = entry.target().trim_start_matches("node/");
        let room = area.right().saturating_sub(x + 11);
        pen.text(x + 11, y, room, &format!("{node}: {}", entry.title()), Style::new());
        pen.style(area, base);
    }
}

/// Entries without an end, for the overview.
pub(super) fn unfinished(app: &App) -> Option<String> {
    let unfinished = app.unfinished();
    let first = unfinished.first()?;
    let more = if unfinished.len() > 1 { format!(" and {} more", unfinished.len() - 1) } else { String::new() };
    Some(format!("A change of {}{more} has no end. J, then u: look at it, and end it", first.target()))
}
