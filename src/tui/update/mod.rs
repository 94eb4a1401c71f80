//! What each message does to the state. No input or output and no clock in here: what is to be done outside comes
//! back as effects.

mod azure;
mod connect;
mod dialog;
mod reading;
mod walk;

use super::app::App;
use super::keys::{self, Action, Key, Place};
use super::msg::{Effect, Job, Msg};
use crossterm::event::KeyCode;

pub use connect::open;

/// Longest text that can be typed, in characters.
const TYPED: usize = 256;

/// Takes one message in.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    app.changed = true;
    match msg {
        Msg::Key(pressed) => press(app, pressed),
        Msg::Resize(columns, rows) => {
            app.size = (columns, rows);
            walk::settle(app);
            Vec::new()
        }
        Msg::Progress { run, at, progress } => reading::progress(app, run, at, progress),
        Msg::Finished { run, evidence } => reading::finished(app, run, &evidence),
        Msg::Loaded { path, result } => connect::loaded(app, path, result),
        Msg::Assessed { serial, assessment } => reading::assessed(app, serial, *assessment),
        Msg::Question(question, reply) => dialog::asked(app, question, reply),
        Msg::Defect(job) => defect(app, job),
        // What a shell reports for a program that a signal ended.
        Msg::Signal(number) => vec![Effect::Quit(u8::try_from(number).map_or(2, |number| number.saturating_add(128)))],
    }
}

fn press(app: &mut App, pressed: Key) -> Vec<Effect> {
    let place = app.place();
    let noticed = app.notice.take().is_some();
    match (keys::action(place, pressed), pressed.code) {
        (Some(action), _) => act(app, place, action, pressed),
        (None, KeyCode::Char(c)) if place.typing() && !pressed.ctrl => {
            if let Some(text) = typed(app) {
                let full = text.chars().count() >= TYPED;
                if !full && !c.is_control() {
                    text.push(c);
                }
            }
            edited(app);
            Vec::new()
        }
        _ => {
            app.changed = noticed;
            Vec::new()
        }
    }
}

fn act(app: &mut App, place: Place, action: Action, pressed: Key) -> Vec<Effect> {
    match action {
        Action::Leave => vec![Effect::Quit(0)],
        Action::Redraw => vec![Effect::Redraw],
        Action::Help => {
            app.screens.push(super::app::Screen::Help(place, 0));
            Vec::new()
        }
        Action::Quit if app.screens.len() <= 1 => vec![Effect::Quit(0)],
        Action::Erase | Action::EraseAll => {
            if let Some(text) = typed(app) {
                match action {
                    Action::Erase => drop(text.pop()),
                    _ => text.clear(),
                }
            }
            edited(app);
            Vec::new()
        }
        _ => match place {
            Place::HostKey | Place::Passphrase | Place::Password | Place::Reuse => dialog::act(app, action),
            Place::Azure => azure::act(app, action),
            Place::Trouble => {
                app.trouble = None;
                Vec::new()
            }
            Place::Connect | Place::Form => connect::act(app, place, action, pressed),
            _ => walk::act(app, place, action, pressed),
        },
    }
}

/// The text that is being typed.
fn typed(app: &mut App) -> Option<&mut String> {
    if let Some(asked) = app.asked.front_mut() {
        return Some(&mut asked.typed);
    }
    if let Some(consent) = &mut app.consent {
        return Some(&mut consent.typed);
    }
    match app.screens.last_mut()? {
        super::app::Screen::Form(form) => form.fields.get_mut(form.at),
        super::app::Screen::Controls(controls) => Some(&mut controls.query),
        _ => None,
    }
}

/// After a text changed: what depends on it.
fn edited(app: &mut App) {
    if let Some(asked) = app.asked.front_mut() {
        asked.hint = None;
    } else if let Some(consent) = &mut app.consent {
        consent.hint = None;
    } else if let Some(super::app::Screen::Form(form)) = app.screens.last_mut() {
        form.wrong = None;
    } else {
        walk::refresh(app);
    }
}

fn defect(app: &mut App, job: Job) -> Vec<Effect> {
    let what = match job {
        Job::Read(run) => {
            reading::abandon(app, run, "The program failed while it read this. Read it again with r.");
            "reading the site"
        }
        Job::Assess(serial) => {
            if serial == app.serial {
                app.assessing = false;
            }
            "assessing what was seen; findings on the screen may be missing or old"
        }
        Job::Load => "reading the evidence file",
    };
    app.trouble = Some(format!(
        "sitewarden has a defect: it failed while {what}. Nothing was changed on any node. Please report it with the \
         version and what you did."
    ));
    Vec::new()
}

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod tests;
