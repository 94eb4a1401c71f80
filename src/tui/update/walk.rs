//! Walking through what was found: overview, lists of controls, one control, one target, help.

use super::super::app::{App, Controls, Detail, Screen};
use super::super::keys::{Action, Key, Place};
use super::super::list::{Cursor, Move, scroll};
use super::super::msg::Effect;
use super::super::target::AtHand;
use super::super::{rows, views};
use super::reading::{self, Wanted};
use super::{azure, journal, remedy};
use crate::catalog::Section;
use crossterm::event::KeyCode;

/// A key on one of these screens.
pub(super) fn act(app: &mut App, place: Place, action: Action, pressed: Key) -> Vec<Effect> {
    match action {
        Action::Back | Action::Quit if place == Place::Filter => edit_filter(app, |list| {
            list.query.clear();
            list.typing = false;
        }),
        Action::Open if place == Place::Filter => edit_filter(app, |list| list.typing = false),
        Action::Back | Action::Quit => back(app),
        Action::Open if place == Place::Journal => journal::act(app, action),
        Action::Move(step) => moved(app, step),
        Action::Open => enter(app),
        Action::Number => number(app, pressed),
        Action::Next => next(app, 1),
        Action::Previous => next(app, -1),
        Action::NextControl => neighbour(app, Move::Down),
        Action::PreviousControl => neighbour(app, Move::Up),
        Action::Filter => edit_filter(app, |list| list.typing = true),
        Action::OnlyFailing => edit_filter(app, |list| list.only_failing = !list.only_failing),
        Action::Sort => edit_filter(app, |list| list.guide_order = !list.guide_order),
        Action::ReadOne => reading::read(app, &Wanted::at_hand(app)),
        Action::Azure => azure::propose(app),
        Action::ReadAll => reading::read(app, &Wanted::all(app)),
        Action::Undo => journal::act(app, action),
        Action::Mark
        | Action::Remedy
        | Action::Run
        | Action::Save
        | Action::Drain
        | Action::NextPlan
        | Action::OtherWay => remedy::act(app, action),
        _ => {
            app.changed = false;
            Vec::new()
        }
    }
}

fn back(app: &mut App) -> Vec<Effect> {
    if app.screens.len() > 1 {
        if matches!(app.screens.pop(), Some(Screen::Plan(_))) {
            remedy::left(app);
        }
    } else {
        app.notice = Some("This is the first screen. Press q to quit.".to_owned());
    }
    Vec::new()
}

fn moved(app: &mut App, step: Move) -> Vec<Effect> {
    let rows = views::rows(app);
    let seen = views::seen(app);
    let before = app.screens.last().map(position);
    match app.screens.last_mut() {
        Some(Screen::Overview(cursor)) => step_overview(cursor, step, rows, seen),
        Some(Screen::Controls(list)) => list.cursor.step(step, rows, seen),
        Some(Screen::Journal(cursor)) => cursor.step(step, rows, seen),
        Some(screen) => {
            if let Some(top) = screen.top() {
                *top = scroll(*top, step, rows, seen);
            }
        }
        None => {}
    }
    app.changed = app.changed && before != app.screens.last().map(position);
    Vec::new()
}

/// Where a screen stands: its cursor, its first visible row.
fn position(screen: &Screen) -> (usize, usize) {
    match screen {
        Screen::Connect(cursor) | Screen::Overview(cursor) | Screen::Journal(cursor) => (cursor.at, cursor.top),
        Screen::Controls(list) => (list.cursor.at, list.cursor.top),
        Screen::Finding(detail) => (0, detail.top),
        Screen::Node(_, top)
        | Screen::Cluster(top)
        | Screen::Ports(top)
        | Screen::Plan(top)
        | Screen::Entry(_, top)
        | Screen::Help(_, top) => (0, *top),
        Screen::Form(form) => (form.at, 0),
    }
}

/// The sections always show; only the targets below them scroll.
fn step_overview(cursor: &mut Cursor, step: Move, rows: usize, seen: usize) {
    let sections = Section::ALL.len();
    let mut whole = Cursor { at: cursor.at, top: 0 };
    whole.step(step, rows, seen.max(1));
    let mut targets = Cursor { at: whole.at.saturating_sub(sections), top: cursor.top };
    targets.settle(rows.saturating_sub(sections), seen);
    *cursor = Cursor { at: whole.at, top: targets.top };
}

fn enter(app: &mut App) -> Vec<Effect> {
    let mut list = Controls::default();
    let screen = match app.screen() {
        Some(Screen::Overview(cursor)) => match Section::ALL.get(cursor.at) {
            Some(section) => {
                list.section = Some(*section);
                Some(Screen::Controls(Box::new(list)))
            }
            None => app.at_hand().map(|target| match target {
                AtHand::Cluster => Screen::Cluster(0),
                AtHand::Node(name) => Screen::Node(name.to_owned(), 0),
                AtHand::Ports => Screen::Ports(0),
            }),
        },
        Some(Screen::Controls(list)) => list
            .rows
            .get(list.cursor.at)
            .map(|row| Screen::Finding(Detail { control: row.control.clone(), target: row.target.clone(), top: 0 })),
        Some(Screen::Node(name, _)) => controls_of(list, &format!("node:{name}")),
        Some(Screen::Cluster(_)) => controls_of(list, "at:cluster"),
        Some(Screen::Ports(_)) => controls_of(list, "at:endpoint"),
        _ => None,
    };
    match screen {
        Some(screen) => {
            app.screens.push(screen);
            refresh(app);
        }
        None => app.changed = false,
    }
    Vec::new()
}

/// The controls asked of one target.
fn controls_of(mut list: Controls, query: &str) -> Option<Screen> {
    query.clone_into(&mut list.query);
    Some(Screen::Controls(Box::new(list)))
}

fn number(app: &mut App, pressed: Key) -> Vec<Effect> {
    let KeyCode::Char(digit) = pressed.code else { return Vec::new() };
    let section = digit.to_digit(10).and_then(|digit| (digit as usize).checked_sub(1));
    let section = section.and_then(|index| Section::ALL.get(index)).copied();
    match app.screens.last_mut() {
        Some(Screen::Controls(list)) => {
            list.section = section;
            list.cursor = Cursor::default();
            // The rows of another section: nothing of the old ones is under the cursor.
            list.rows.clear();
        }
        _ => app.screens.push(Screen::Controls(Box::new(Controls { section, ..Controls::default() }))),
    }
    refresh(app);
    Vec::new()
}

/// The next part of the overview, or the same control at the next target.
fn next(app: &mut App, by: isize) -> Vec<Effect> {
    let targets: Vec<String> = match (app.screen(), &app.assessment) {
        (Some(Screen::Finding(detail)), Some(assessment)) => {
            let findings = app.group(&detail.control).map_or(&[][..], |group| &group.findings);
            findings.iter().filter_map(|index| Some(assessment.findings.get(*index)?.target.clone())).collect()
        }
        _ => Vec::new(),
    };
    let entries = app.entries();
    match app.screens.last_mut() {
        Some(Screen::Overview(cursor)) => {
            let sections = Section::ALL.len();
            cursor.at = if cursor.at < sections && entries > 0 { sections } else { 0 };
            cursor.top = 0;
        }
        Some(Screen::Finding(detail)) if !targets.is_empty() => {
            let at = targets.iter().position(|target| *target == detail.target).unwrap_or(0);
            let to = (at + targets.len()).saturating_add_signed(by) % targets.len();
            if let Some(target) = targets.get(to) {
                detail.target.clone_from(target);
                detail.top = 0;
            }
        }
        _ => {}
    }
    Vec::new()
}

/// From one control to the next of the list that it was opened from.
fn neighbour(app: &mut App, step: Move) -> Vec<Effect> {
    let seen = views::list_rows(app.size);
    let [.., Screen::Controls(list), Screen::Finding(detail)] = app.screens.as_mut_slice() else {
        return Vec::new();
    };
    let Some(at) = list.rows.iter().position(|row| row.control == detail.control) else {
        app.notice = Some("This control is not in the list any more: go back with Esc.".to_owned());
        return Vec::new();
    };
    list.cursor.at = at;
    list.cursor.step(step, list.rows.len(), seen);
    match list.rows.get(list.cursor.at) {
        Some(row) if list.cursor.at != at => {
            *detail = Detail { control: row.control.clone(), target: row.target.clone(), top: 0 };
        }
        _ => {
            let end = if step == Move::Up {
                "This is the first control of the list."
            } else {
                "This is the last control of the list."
            };
            app.notice = Some(end.to_owned());
        }
    }
    Vec::new()
}

fn edit_filter(app: &mut App, edit: impl FnOnce(&mut Controls)) -> Vec<Effect> {
    if let Some(Screen::Controls(list)) = app.screens.last_mut() {
        edit(list);
    }
    refresh(app);
    Vec::new()
}

/// Brings all lists up to date with the findings; a cursor stays on its control where that is still there.
pub(super) fn refresh(app: &mut App) {
    let seen = views::list_rows(app.size);
    for screen in &mut app.screens {
        if let (Screen::Controls(list), Some(assessment)) = (screen, &app.assessment) {
            let control = list.rows.get(list.cursor.at).map(|row| row.control.clone());
            list.rows = rows::rows(assessment, &app.groups, list);
            if let Some(at) = control.and_then(|control| list.rows.iter().position(|row| row.control == control)) {
                list.cursor.at = at;
            }
            list.cursor.settle(list.rows.len(), seen);
        }
    }
    settle(app);
}

/// Brings cursors and scrolled texts back into what there is, after it or the terminal changed.
pub(super) fn settle(app: &mut App) {
    let lists = views::list_rows(app.size);
    for screen in &mut app.screens {
        if let Screen::Controls(list) = screen {
            list.cursor.settle(list.rows.len(), lists);
        }
    }
    let (rows, seen) = (views::rows(app), views::seen(app));
    match app.screens.last_mut() {
        Some(Screen::Connect(cursor)) => cursor.settle(rows, seen),
        Some(Screen::Overview(cursor)) => {
            let sections = Section::ALL.len();
            cursor.at = cursor.at.min(rows.saturating_sub(1));
            let mut targets = Cursor { at: cursor.at.saturating_sub(sections), top: cursor.top };
            targets.settle(rows.saturating_sub(sections), seen);
            cursor.top = targets.top;
        }
        Some(Screen::Journal(cursor)) => cursor.settle(rows, seen),
        Some(screen) => {
            if let Some(top) = screen.top() {
                *top = (*top).min(rows.saturating_sub(seen));
            }
        }
        None => {}
    }
}
