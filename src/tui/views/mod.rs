//! What is drawn: each panel a file, a plain function of the state. The sizes that `update` needs are computed here
//! too, so that scrolling and drawing agree.

mod chrome;
mod confirm;
mod connect;
mod controls;
mod dialog;
mod journal;
mod overview;
mod page;
mod pen;

use super::app::{App, Screen};
use super::doc::{self, Line};
use super::keys::Place;
use super::work::Phase;
use crate::assess::Verdict;
use crate::catalog::Section;
use pen::Pen;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Smallest terminal that more than one sentence is drawn on.
const SMALLEST: (u16, u16) = (20, 6);

/// Smallest terminal on which a question is drawn so that all of it can be read.
const QUESTION: (u16, u16) = (40, 12);

/// Draws everything. Nothing is drawn outside the frame, whatever its size.
pub fn draw(frame: &mut Frame<'_>, app: &App) {
    let area = frame.area();
    let mut pen = Pen::new(frame.buffer_mut(), app.theme);
    if too_small((area.width, area.height)) {
        chrome::too_small(&mut pen, app, area);
        return;
    }
    let body = body((area.width, area.height));
    chrome::header(&mut pen, app, Rect { height: 1, ..area });
    match app.screen() {
        Some(Screen::Connect(cursor)) => connect::choices(&mut pen, app, *cursor, body),
        Some(Screen::Form(form)) => connect::form(&mut pen, form, body),
        Some(Screen::Overview(cursor)) => overview::draw(&mut pen, app, *cursor, body),
        Some(Screen::Controls(list)) => controls::draw(&mut pen, app, list, body),
        Some(Screen::Finding(detail)) => {
            let heading = app.group(&detail.control).map_or("Control", |group| group.section.title());
            page::draw(&mut pen, heading, &lines(app), detail.top, body);
        }
        Some(Screen::Node(_, top)) => page::draw(&mut pen, "Node", &lines(app), *top, body),
        Some(Screen::Cluster(top)) => page::draw(&mut pen, "Cluster", &lines(app), *top, body),
        Some(Screen::Ports(top)) => page::draw(&mut pen, "Endpoints", &lines(app), *top, body),
        Some(Screen::Plan(top)) => page::draw(&mut pen, plan_heading(app), &lines(app), *top, body),
        Some(Screen::Journal(cursor)) => journal::draw(&mut pen, app, *cursor, body),
        Some(Screen::Entry(_, top)) => page::draw(&mut pen, "Journal", &lines(app), *top, body),
        Some(Screen::Help(_, top)) => page::draw(&mut pen, "Help", &lines(app), *top, body),
        None => {}
    }
    let place = app.place();
    chrome::status(&mut pen, app, Rect { y: area.height.saturating_sub(2), height: 1, ..area });
    chrome::footer(&mut pen, app, place, Rect { y: area.height.saturating_sub(1), height: 1, ..area });
    match place {
        Place::Trouble => dialog::trouble(&mut pen, app, body),
        Place::Azure => dialog::azure(&mut pen, app, body),
        Place::Confirm => confirm::confirm(&mut pen, app, body),
        Place::Arming => confirm::arming(&mut pen, app, body),
        Place::Leaving => confirm::leaving(&mut pen, app, body),
        Place::HostKey | Place::Passphrase | Place::Password | Place::Reuse => dialog::question(&mut pen, app, body),
        _ => {}
    }
}

fn plan_heading(app: &App) -> &'static str {
    match app.work.as_ref().map(|work| &work.phase) {
        Some(Phase::Running(_)) => "Change",
        Some(Phase::Over(_)) => "What came of it",
        _ => "Plan",
    }
}

/// Whether a terminal is too small for the screens.
pub(super) fn too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// Whether all of a question can be read on a terminal of this size.
pub(super) fn question_fits(size: (u16, u16)) -> bool {
    size.0 >= QUESTION.0 && size.1 >= QUESTION.1
}

/// Between header and status line.
fn body(size: (u16, u16)) -> Rect {
    Rect { x: 0, y: 1, width: size.0, height: size.1.saturating_sub(3) }
}

/// Rows of a list or a page that are seen below its heading.
pub(super) fn list_rows(size: (u16, u16)) -> usize {
    usize::from(body(size).height.saturating_sub(1))
}

/// Choices of the first screen that are seen.
pub(super) fn connect_rows(app: &App) -> usize {
    (list_rows(app.size) / 2).max(1)
}

/// How many rows the visible screen has.
pub(super) fn rows(app: &App) -> usize {
    match app.screen() {
        Some(Screen::Connect(_)) => app.choices.len(),
        Some(Screen::Form(form)) => form.fields.len(),
        Some(Screen::Overview(_)) => Section::ALL.len() + app.entries(),
        Some(Screen::Controls(list)) => list.rows.len(),
        Some(Screen::Journal(_)) => match &app.journal {
            Some(Ok(entries)) => entries.len(),
            _ => 0,
        },
        Some(_) => lines(app).len(),
        None => 0,
    }
}

/// How many of them are seen at once; of the overview, targets.
pub(super) fn seen(app: &App) -> usize {
    match app.screen() {
        Some(Screen::Connect(_)) => connect_rows(app),
        Some(Screen::Overview(_)) => overview::targets_seen(app, body(app.size)),
        _ => list_rows(app.size),
    }
}

/// The lines of the visible page.
fn lines(app: &App) -> Vec<Line> {
    match app.screen() {
        Some(Screen::Finding(detail)) => doc::finding(app, detail, app.size.0),
        Some(Screen::Node(name, _)) => doc::node(app, name, app.size.0),
        Some(Screen::Cluster(_)) => doc::cluster(app, app.size.0),
        Some(Screen::Ports(_)) => doc::ports(app, app.size.0),
        Some(Screen::Plan(_)) => doc::plan(app, app.size.0),
        Some(Screen::Entry(id, _)) => doc::entry(app, id, app.size.0),
        Some(Screen::Help(place, _)) => doc::help(app, *place, app.size.0),
        _ => Vec::new(),
    }
}

/// A verdict in at most seven columns.
pub(super) fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "n/a",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod remedy_tests;
#[cfg(test)]
mod tests;
