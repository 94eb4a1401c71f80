//! The key table: each key, what it does and where, and its help, in one row. Dispatch, footer and help read it.

mod table;

pub use table::TABLE;
use table::TYPING;

use super::app::App;
use super::list::Move;
use super::work::Work;
use crate::remedy::Prepared;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key as this program tells keys apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Which key; a capital letter is a key of its own.
    pub code: KeyCode,
    /// With Ctrl held.
    pub ctrl: bool,
}

/// A key by itself.
pub const fn key(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn letter(letter: char) -> Key {
    key(KeyCode::Char(letter))
}

const fn ctrl(letter: char) -> Key {
    Key { code: KeyCode::Char(letter), ctrl: true }
}

/// What an event of the terminal means in keys: nothing for a release. Alt with a key is Escape and that key, since a
/// slow line cannot tell them apart.
pub(super) fn from_event(event: KeyEvent) -> Vec<Key> {
    if event.kind != KeyEventKind::Press {
        return Vec::new();
    }
    let pressed = Key { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) };
    if event.modifiers.contains(KeyModifiers::ALT) { vec![key(KeyCode::Esc), pressed] } else { vec![pressed] }
}

/// Where a key is pressed: a screen, or what lies over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first screen, without a target.
    Connect,
    /// A form to fill in.
    Form,
    /// Sections and targets.
    Overview,
    /// A list of controls.
    Controls,
    /// Typing a filter.
    Filter,
    /// One control at its targets.
    Finding,
    /// One node.
    Node,
    /// The cluster.
    Cluster,
    /// The ports.
    Ports,
    /// A plan, and what came of it.
    Plan,
    /// The journal's entries.
    Journal,
    /// One entry of the journal.
    Entry,
    /// Help.
    Help,
    /// May this host key be accepted?
    HostKey,
    /// The passphrase of a key file.
    Passphrase,
    /// A question for a password, or one that the node asks.
    Password,
    /// A question whether a password may be used for other nodes.
    Reuse,
    /// A question whether `az` may be run.
    Azure,
    /// The question before something is changed.
    Confirm,
    /// The question before changes are allowed.
    Arming,
    /// The question before the program is left while it changes something.
    Leaving,
    /// Something went wrong.
    Trouble,
    /// The terminal is too small for anything else.
    Small,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves the cursor, or the text.
    Move(Move),
    /// Opens what is under the cursor; sends a form; ends typing.
    Open,
    /// Leaves; never quits.
    Back,
    /// Leaves; quits on the first screen.
    Quit,
    /// Quits at once.
    Leave,
    /// By number: a choice, a section.
    Number,
    /// To the next field, part or target.
    Next,
    /// To the one before.
    Previous,
    /// Starts typing a filter.
    Filter,
    /// Shows only what fails, or everything again.
    OnlyFailing,
    /// Sorts the other way.
    Sort,
    /// The next control of the list.
    NextControl,
    /// The control before.
    PreviousControl,
    /// Reads one target again.
    ReadOne,
    /// Reads everything again.
    ReadAll,
    /// Asks Azure.
    Azure,
    /// Marks what fails, to gather it.
    Mark,
    /// Shows the plan that puts it right.
    Remedy,
    /// Asks whether the plan may be run.
    Run,
    /// Runs the plan, where all that is asked for was typed.
    Confirm,
    /// Saves the plan to files.
    Save,
    /// The plan with its node emptied first.
    Drain,
    /// The plan of the next node.
    NextPlan,
    /// The other way to end an entry without an end.
    OtherWay,
    /// Allows changes, or no more.
    Arm,
    /// Shows the journal.
    Journal,
    /// Shows the plan that takes an entry back.
    Undo,
    /// Shows help.
    Help,
    /// Draws everything anew.
    Redraw,
    /// Takes the last character away.
    Erase,
    /// Empties what was typed.
    EraseAll,
}

/// What must be so for a row to be shown; pressed all the same, the key says why it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Targets that can be read, not a saved file.
    Live,
    /// The cursor on a target, live.
    LiveTarget,
    /// A control with several targets.
    Targets,
    /// A cluster that Azure Arc knows, live.
    Arc,
    /// A finding that fails.
    Failing,
    /// A plan or a change that was left.
    Work,
    /// A plan that is shown.
    Plan,
    /// A plan that could be run as things stand.
    Runnable,
    /// A plan whose node can be emptied for it.
    Emptied,
    /// Another plan behind the one that is shown.
    MorePlans,
    /// An entry without an end that may be ended in two ways.
    TwoWays,
}

/// One row of the table.
#[derive(Debug)]
pub struct Binding {
    /// The keys, any of them.
    pub keys: &'static [Key],
    /// How they are written, the one that the footer names first.
    pub label: &'static str,
    /// What the footer says; empty: nothing.
    pub short: &'static str,
    /// What help says.
    pub help: &'static str,
    /// Where.
    pub on: &'static [Place],
    /// What is done.
    pub action: Action,
    needs: Needs,
}

impl Place {
    /// Whether letters are typed here.
    pub(super) fn typing(self) -> bool {
        TYPING.contains(&self)
    }
}

/// What a key does in a place.
pub(super) fn action(place: Place, pressed: Key) -> Option<Action> {
    rows(place).find(|binding| binding.keys.contains(&pressed)).map(|binding| binding.action)
}

/// All rows of a place.
fn rows(place: Place) -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().filter(move |binding| binding.on.contains(&place))
}

/// The rows that do something in a place as things stand.
pub(super) fn usable(app: &App, place: Place) -> impl Iterator<Item = &'static Binding> {
    rows(place).filter(move |binding| match binding.needs {
        Needs::Nothing => true,
        Needs::Live => app.live(),
        Needs::LiveTarget => app.live() && app.at_hand().is_some(),
        Needs::Targets => app.targets_at_hand() > 1,
        Needs::Arc => app.live() && app.on_arc(),
        Needs::Failing => app.failing_at_hand(),
        Needs::Work => app.work.is_some(),
        Needs::Plan => app.shown_plan().is_some_and(|plan| plan.ends().is_none()),
        Needs::Runnable => app.armed && app.shown_plan().is_some_and(Prepared::can_run),
        Needs::Emptied => app.live() && app.shown_plan().is_some_and(Prepared::may_be_emptied),
        Needs::MorePlans => app.work.as_ref().is_some_and(Work::may_go_on),
        Needs::TwoWays => app.shown_plan().is_some() && app.other_way().is_some(),
    })
}

/// The footer of a place in so many columns: whole hints only, and the way out and to help before all others.
pub(super) fn footer(app: &App, place: Place, room: usize) -> String {
    let hints: Vec<(&Binding, String)> = usable(app, place)
        .filter(|binding| !binding.short.is_empty())
        .map(|binding| (binding, format!("{} {}", binding.label.split(' ').next().unwrap_or_default(), binding.short)))
        .collect();
    let first =
        |binding: &Binding| matches!(binding.action, Action::Quit | Action::Back | Action::Leave | Action::Help);
    let mut taken = 0;
    let mut kept = vec![false; hints.len()];
    for important in [true, false] {
        for (index, (binding, hint)) in hints.iter().enumerate() {
            let cost = hint.len() + if taken == 0 { 0 } else { 2 };
            if first(binding) == important && taken + cost <= room {
                taken += cost;
                if let Some(keep) = kept.get_mut(index) {
                    *keep = true;
                }
            }
        }
    }
    let shown: Vec<String> = hints.into_iter().zip(kept).filter(|(_, keep)| *keep).map(|((_, hint), _)| hint).collect();
    shown.join("  ")
}

#[cfg(test)]
mod tests;
