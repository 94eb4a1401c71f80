//! What each message does to the state. No input or output and no clock in here: what is to be done outside comes
//! back as effects.

mod azure;
mod confirm;
mod connect;
mod dialog;
mod journal;
mod reading;
mod remedy;
mod resume;
mod walk;

use super::app::App;
use super::keys::{self, Action, Key, Place};
use super::msg::{Effect, Job, Msg};
use crossterm::event::KeyCode;

pub(super) use confirm::left_behind;
pub use connect::open;

/// Longest text that can be typed, in characters.
const TYPED: usize = 256;

/// Takes one message in.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    app.changed = true;
    match msg {
        Msg::Key(pressed) => press(app, pressed),
        Msg::Burst(pressed) => match keys::action(app.place(), pressed) {
            Some(action) if confirm::together(app, action) => Vec::new(),
            _ => press(app, pressed),
        },
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
        Msg::Prepared { serial, result, memory } => remedy::prepared(app, serial, result, memory),
        Msg::Found { serial, at, result, trouble, memory } => resume::found(app, serial, at, result, trouble, memory),
        Msg::Emptied { serial, prepared, refused } => remedy::emptied(app, serial, prepared, refused),
        Msg::Told { serial, at, told } => remedy::told(app, serial, at, told),
        Msg::Ran { serial, result, trouble } => remedy::ran(app, serial, result, trouble),
        Msg::Looked { serial, after, trouble } => remedy::looked(app, serial, after, trouble),
        Msg::Tick { serial, at } => remedy::tick(app, serial, at),
        Msg::Saved(result) => {
            app.notice = Some(match result {
                // Both have one name and two endings: on eighty columns that is said once.
                Ok(files) => match files.as_slice() {
                    [one, two] => format!("Saved: {one} and .{}", two.rsplit('.').next().unwrap_or(two)),
                    files => format!("Saved: {}", files.join(", ")),
                },
                Err(sentence) => sentence,
            });
            Vec::new()
        }
        Msg::Journal(result) => journal::read(app, result),
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

/// Whether a key ends the program.
fn leaves(app: &App, action: Action) -> bool {
    action == Action::Leave || app.screens.len() <= 1
}

fn act(app: &mut App, place: Place, action: Action, pressed: Key) -> Vec<Effect> {
    match action {
        Action::Leave | Action::Quit if leaves(app, action) => {
            if confirm::may_leave(app) {
                vec![Effect::Quit(0)]
            } else {
                Vec::new()
            }
        }
        Action::Redraw => vec![Effect::Redraw],
        Action::Help => {
            app.screens.push(super::app::Screen::Help(place, 0));
            Vec::new()
        }
        Action::Arm => confirm::arm(app),
        Action::Journal => journal::open(app),
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
            Place::Confirm => confirm::act(app, action),
            Place::Arming => confirm::arming(app, action),
            Place::Leaving => confirm::leaving(app, action),
            Place::Trouble => {
                app.trouble = None;
                Vec::new()
            }
            Place::Connect | Place::Form => connect::act(app, place, action, pressed),
            _ => walk::act(app, place, action, pressed),
        },
    }
}

/// The question of the screens that is being answered, the one on top first.
fn question(app: &mut App) -> Option<&mut super::app::Typing> {
    if app.leaving.is_some() {
        return app.leaving.as_mut();
    }
    if !app.asked.is_empty() {
        return None;
    }
    match &mut app.confirm {
        Some(asked) => Some(&mut asked.typing),
        None => app.arming.as_mut(),
    }
}

/// The text that is being typed.
fn typed(app: &mut App) -> Option<&mut String> {
    // Twice, since a borrow that is handed out would hold for the rest.
    if question(app).is_some() {
        return question(app).map(|typing| &mut typing.typed);
    }
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
    if let Some(typing) = question(app) {
        typing.hint = None;
    } else if let Some(asked) = app.asked.front_mut() {
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
    let mut changed = "Nothing was changed on any node.";
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
        Job::Prepare(serial) => {
            remedy::gave_up(app, serial);
            "making a plan"
        }
        Job::Run(serial) => {
            remedy::gave_up(app, serial);
            changed = "What came of the change is not known: where a switch was armed, the node puts the old state back by \
                       itself. When the node answers: J, then u on the entry.";
            "changing a node"
        }
        Job::Look(serial, run) => {
            reading::abandon(app, run, "The program failed while it read this. Read it again with r.");
            remedy::looked(app, serial, Vec::new(), None);
            changed = "The change itself had ended before, as the page of the change says.";
            "looking at a node after a change"
        }
        Job::Aside => "something small",
    };
    app.trouble = Some(format!(
        "sitewarden has a defect: it failed while {what}. {changed} Please report it with the version and what you did."
    ));
    Vec::new()
}

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod confirm_tests;
#[cfg(test)]
mod remedy_tests;
#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod tests;
