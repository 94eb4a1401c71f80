//! What frames every screen: header, status line, footer; and the page for a terminal that is too small.

use super::pen::Pen;
use super::{SMALLEST, seen};
use crate::tui::app::{App, Screen, Source};
use crate::tui::keys::{self, Place};
use crate::tui::text;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Site, what is going on, and whether anything may be changed.
pub(super) fn header(pen: &mut Pen<'_>, app: &App, area: Rect) {
    let narrow = area.width < 60;
    let (reading, waiting) = app.under_way();
    let activity = match (&app.source, reading + waiting, app.assessing) {
        (Source::Demo, ..) => "demo ".to_owned(),
        (Source::Saved(_), ..) => "saved ".to_owned(),
        (_, 0, true) => "assessing ".to_owned(),
        (_, 0, false) => String::new(),
        _ if narrow => format!("reading {reading}+{waiting} "),
        (_, _, _) if waiting > 0 => format!("reading {reading}, waiting {waiting} "),
        _ => format!("reading {reading} "),
    };
    let changing = app.running().map_or("", |_| "changing ");
    let state = if app.armed { "CHANGES ALLOWED" } else { "read-only" };
    let right = format!(" {changing}{activity}{state}");
    let identity = app.identity().map(|identity| identity.in_words());
    let site = match (&app.source, app.site_name(), &identity) {
        (Source::Nothing, None, _) => "no site yet",
        (_, Some(name), _) => name,
        (_, None, Some(identity)) => identity,
        (_, None, None) => "site without a name",
    };
    let left = if narrow { format!("{site} ") } else { format!("sitewarden  {site} ") };
    pen.style(area, pen.theme.bar());
    let room = area.width.saturating_sub(u16::try_from(text::columns(&right)).unwrap_or(area.width));
    pen.text(area.x, area.y, room, &left, pen.theme.bar());
    pen.right(area, &right, pen.theme.bar());
    if app.armed {
        pen.right(area, state, pen.theme.alarm());
    }
}

/// The filter while there is one, else the last notice, else how far a page is scrolled.
pub(super) fn status(pen: &mut Pen<'_>, app: &App, area: Rect) {
    match app.screen() {
        Some(Screen::Controls(list)) if list.typing => {
            let room = usize::from(area.width).saturating_sub(9);
            pen.text(area.x, area.y, area.width, &format!("filter: {}_", tail(&list.query, room)), pen.theme.heading());
        }
        _ if app.notice.is_some() => {
            pen.text(area.x, area.y, area.width, app.notice.as_deref().unwrap_or_default(), pen.theme.heading());
        }
        Some(Screen::Controls(list)) if !list.query.trim().is_empty() => {
            pen.text(area.x, area.y, area.width, &format!("filter: {}  (/ to change)", list.query), Style::new());
        }
        Some(screen) => {
            let top = match screen {
                Screen::Finding(detail) => detail.top,
                Screen::Node(_, top)
                | Screen::Cluster(top)
                | Screen::Ports(top)
                | Screen::Plan(top)
                | Screen::Entry(_, top)
                | Screen::Help(_, top) => *top,
                _ => return,
            };
            let (rows, seen) = (super::rows(app), seen(app));
            if rows > seen {
                let end = (top + seen).min(rows);
                let more = if end < rows { "  more below" } else { "" };
                pen.text(area.x, area.y, area.width, &format!("lines {}-{end} of {rows}{more}", top + 1), Style::new());
            }
        }
        None => {}
    }
}

/// The end of what is being typed, so that the last character is seen.
pub(super) fn tail(typed: &str, room: usize) -> &str {
    let extra = text::columns(typed).saturating_sub(room);
    typed.char_indices().nth(extra).and_then(|(at, _)| typed.get(at..)).unwrap_or(if extra == 0 { typed } else { "" })
}

/// The keys that do something here.
pub(super) fn footer(pen: &mut Pen<'_>, app: &App, place: Place, area: Rect) {
    let hints = keys::footer(app, place, usize::from(area.width));
    pen.text(area.x, area.y, area.width, &hints, pen.theme.heading());
}

/// All that a terminal of a few columns can be told.
pub(super) fn too_small(pen: &mut Pen<'_>, app: &App, area: Rect) {
    let (columns, rows) = SMALLEST;
    let mut sentence = format!("{}x{} is too small: {columns}x{rows}. q quits.", area.width, area.height);
    if app.leaving.is_some() {
        sentence = "A node is being changed. q again quits.".to_owned();
    }
    for (y, line) in (area.y..area.bottom()).zip(text::wrap(&sentence, usize::from(area.width))) {
        pen.text(area.x, y, area.width, &line, Style::new());
    }
}
