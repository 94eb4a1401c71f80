//! A list of controls, one row each.

use super::pen::Pen;
use super::short;
use crate::tui::app::{App, Controls};
use crate::tui::rows::Row;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// From this width on, the severity has a column.
const WIDE: u16 = 60;

pub(super) fn draw(pen: &mut Pen<'_>, app: &App, list: &Controls, body: Rect) {
    let title = list.section.map_or("All sections", |section| section.title());
    let all = app.groups.iter().filter(|group| list.section.is_none_or(|section| group.section == section)).count();
    let shown = match (list.rows.len() == all, list.only_failing) {
        (true, _) => format!(" {all} controls"),
        (false, true) => format!(" {} of {all}, only failing", list.rows.len()),
        (false, false) => format!(" {} of {all}", list.rows.len()),
    };
    let order = if list.guide_order { ", guide's order" } else { "" };
    let head = Rect { height: 1, ..body };
    pen.heading(head, title);
    pen.right(head, &format!("{shown}{order}"), Style::new());
    if list.rows.is_empty() {
        empty(pen, app, list, body);
    }
    let rows = list.rows.iter().enumerate().skip(list.cursor.top);
    for ((index, row), y) in rows.zip(body.y + 1..body.bottom()) {
        let marked = app.marks.iter().any(|(control, _)| *control == row.control);
        draw_row(pen, row, (index == list.cursor.at, marked), app.nodes.len() > 1, Rect { y, height: 1, ..body });
    }
}

fn empty(pen: &mut Pen<'_>, app: &App, list: &Controls, body: Rect) {
    let sentence = match (&app.assessment, list.only_failing || !list.query.trim().is_empty()) {
        (None, _) => "Nothing has been assessed yet.",
        (Some(_), true) => "No control matches. Press / to change the filter, o for only failing.",
        (Some(_), false) => "There are no controls here.",
    };
    for (y, line) in (body.y + 1..body.bottom()).zip(crate::tui::text::wrap(sentence, usize::from(body.width))) {
        pen.text(body.x, y, body.width, &line, Style::new());
    }
}

fn draw_row(pen: &mut Pen<'_>, row: &Row, (selected, marked): (bool, bool), several: bool, area: Rect) {
    let base = if selected { pen.theme.selected() } else { Style::new() };
    let mark = if selected { ">" } else { " " };
    pen.text(area.x, area.y, 1, mark, base);
    pen.text(area.x + 1, area.y, 1, if marked { "*" } else { " " }, base);
    pen.text(area.x + 2, area.y, 7, short(row.worst), pen.theme.verdict(row.worst));
    let mut x = area.x + 10;
    if area.width >= WIDE {
        pen.text(x, area.y, 8, row.severity.as_str(), pen.theme.severity(row.severity));
        x += 9;
    }
    let targets = if several && row.asked > 0 { format!(" {}/{}", row.having, row.asked) } else { String::new() };
    let taken = u16::try_from(targets.len()).unwrap_or(0);
    pen.text(x, area.y, area.right().saturating_sub(x + taken), &row.title, Style::new());
    pen.right(area, &targets, Style::new());
    pen.style(area, base);
}
