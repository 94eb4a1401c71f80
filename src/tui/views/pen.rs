//! The one way onto the screen: cleans what it draws, cuts it to its room, never leaves the frame.

use crate::tui::text;
use crate::tui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: Theme,
}

impl<'a> Pen<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: Theme) -> Self {
        Pen { buffer, theme }
    }

    /// Writes a text at a place in at most `room` columns; where it does not fit, it ends in `...`.
    pub(super) fn text(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) {
        let area = self.buffer.area;
        if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() {
            return;
        }
        let room = usize::from(room.min(area.right().saturating_sub(x)));
        let clean = text::clean(text);
        let clean = if self.theme.ascii { text::ascii(&clean) } else { clean };
        let fitting = text::fit(&clean, room);
        self.buffer.set_stringn(x, y, &fitting, room, style);
    }

    /// Writes a text so that it ends at the right edge of its room.
    pub(super) fn right(&mut self, area: Rect, text: &str, style: Style) {
        let columns = u16::try_from(text::columns(text)).unwrap_or(u16::MAX).min(area.width);
        self.text(area.right().saturating_sub(columns), area.y, columns, text, style);
    }

    /// Gives a row a style, blanks as well.
    pub(super) fn style(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, style);
    }

    /// Empties an area.
    pub(super) fn blank(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for row in area.rows() {
            for cell in row.positions() {
                if let Some(cell) = self.buffer.cell_mut(cell) {
                    cell.reset();
                }
            }
        }
    }

    /// A heading with a line to the right edge.
    pub(super) fn heading(&mut self, area: Rect, text: &str) {
        let clean = text::clean(text);
        let columns = u16::try_from(text::columns(&clean)).unwrap_or(u16::MAX).saturating_add(1);
        self.text(area.x, area.y, area.width, text, self.theme.heading());
        if columns < area.width {
            self.rule(area.x + columns, area.y, area.width - columns);
        }
    }

    /// A line across.
    pub(super) fn rule(&mut self, x: u16, y: u16, width: u16) {
        let line = self.theme.rule().repeat(usize::from(width));
        self.text(x, y, width, &line, Style::new());
    }

    /// An empty box with a title.
    pub(super) fn frame(&mut self, area: Rect, title: &str) {
        self.blank(area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let [left_top, right_top, left_bottom, right_bottom, side] = self.theme.corners();
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        self.rule(area.x, area.y, area.width);
        self.rule(area.x, bottom, area.width);
        for (x, y, corner) in [
            (area.x, area.y, left_top),
            (right, area.y, right_top),
            (area.x, bottom, left_bottom),
            (right, bottom, right_bottom),
        ] {
            self.text(x, y, 1, corner, Style::new());
        }
        for y in area.y + 1..bottom {
            self.text(area.x, y, 1, side, Style::new());
            self.text(right, y, 1, side, Style::new());
        }
        self.text(area.x + 2, area.y, area.width.saturating_sub(4), &format!(" {title} "), self.theme.heading());
    }
}
