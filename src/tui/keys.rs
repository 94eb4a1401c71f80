//! The key table: each key, what it does and where, and its help, in one row. Dispatch, footer and help read it.

use super::app::App;
use super::list::Move;
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

const fn row(
    keys: &'static [Key],
    label: &'static str,
    short: &'static str,
    help: &'static str,
    on: &'static [Place],
    action: Action,
) -> Binding {
    Binding { keys, label, short, help, on, action, needs: Needs::Nothing }
}

const fn needing(needs: Needs, binding: Binding) -> Binding {
    Binding { needs, ..binding }
}

use Place::{
    Azure, Cluster, Connect, Controls, Filter, Finding, Form, Help, HostKey, Node, Overview, Passphrase, Password,
    Ports, Reuse, Small, Trouble,
};

const SCREENS: &[Place] = &[Connect, Overview, Controls, Finding, Node, Cluster, Ports, Help];
const LISTS: &[Place] = &[Connect, Overview, Controls];
const TEXTS: &[Place] = &[Finding, Node, Cluster, Ports, Help];
const TARGETS: &[Place] = &[Node, Cluster, Ports];
const TYPING: &[Place] = &[Form, Filter, HostKey, Passphrase, Password, Reuse, Azure];
const EVERYWHERE: &[Place] = &[
    Connect, Form, Overview, Controls, Filter, Finding, Node, Cluster, Ports, Help, HostKey, Passphrase, Password,
    Reuse, Azure, Trouble, Small,
];

/// The table.
pub const TABLE: &[Binding] = &[
    row(&[key(KeyCode::Enter)], "Enter", "open", "open what the cursor is on", LISTS, Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "controls", "the controls asked of it", TARGETS, Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "next/start", "next field; on the last one, start", &[Form], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "keep", "keep the filter and go back to the list", &[Filter], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "", "only after the word yes: accept the key", &[HostKey], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "", "only after the word yes: use it for the others", &[Reuse], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "", "only after the word yes: run the commands", &[Azure], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "use it", "try this passphrase", &[Passphrase], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "send it", "answer the node with this", &[Password], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "close", "close", &[Trouble], Action::Open),
    row(&[key(KeyCode::Up), letter('k')], "Up k", "", "cursor up", LISTS, Action::Move(Move::Up)),
    row(&[key(KeyCode::Down), letter('j')], "Down j", "", "cursor down", LISTS, Action::Move(Move::Down)),
    row(&[key(KeyCode::Up), letter('k')], "Up k", "", "half a screen up", TEXTS, Action::Move(Move::Up)),
    row(&[key(KeyCode::Down), letter('j')], "Down j", "scroll", "half a screen down", TEXTS, Action::Move(Move::Down)),
    row(
        &[key(KeyCode::PageUp), ctrl('u'), ctrl('b')],
        "PgUp Ctrl-U",
        "",
        "a screen up",
        SCREENS,
        Action::Move(Move::PageUp),
    ),
    row(
        &[key(KeyCode::PageDown), ctrl('d'), ctrl('f')],
        "PgDn Ctrl-D",
        "",
        "a screen down",
        SCREENS,
        Action::Move(Move::PageDown),
    ),
    row(&[key(KeyCode::Home), letter('g')], "Home g", "", "to the first row", SCREENS, Action::Move(Move::First)),
    row(&[key(KeyCode::End), letter('G')], "End G", "", "to the last row", SCREENS, Action::Move(Move::Last)),
    row(
        &[
            letter('1'),
            letter('2'),
            letter('3'),
            letter('4'),
            letter('5'),
            letter('6'),
            letter('7'),
            letter('8'),
            letter('9'),
        ],
        "1-9",
        "",
        "open a choice by its number",
        &[Connect],
        Action::Number,
    ),
    row(
        &[letter('0'), letter('1'), letter('2'), letter('3'), letter('4')],
        "1-4 0",
        "",
        "a section by its number; 0 for all of them in one list",
        &[Overview, Controls],
        Action::Number,
    ),
    row(
        &[key(KeyCode::Tab), key(KeyCode::BackTab)],
        "Tab",
        "targets",
        "between sections and targets",
        &[Overview],
        Action::Next,
    ),
    needing(
        Needs::Targets,
        row(
            &[key(KeyCode::Tab), key(KeyCode::Right), letter('l')],
            "Tab Right",
            "next target",
            "the same control at the next target",
            &[Finding],
            Action::Next,
        ),
    ),
    needing(
        Needs::Targets,
        row(
            &[key(KeyCode::BackTab), key(KeyCode::Left), letter('h')],
            "Left h",
            "",
            "the same control at the target before",
            &[Finding],
            Action::Previous,
        ),
    ),
    row(&[letter('n')], "n", "next control", "the next control of the list", &[Finding], Action::NextControl),
    row(&[letter('N')], "N", "", "the control before it in the list", &[Finding], Action::PreviousControl),
    row(&[key(KeyCode::Tab), key(KeyCode::Down)], "Tab Down", "next field", "next field", &[Form], Action::Next),
    row(&[key(KeyCode::BackTab), key(KeyCode::Up)], "Up", "", "field before", &[Form], Action::Previous),
    row(
        &[letter('/')],
        "/",
        "filter",
        "show only rows with these words; !word: without it; state:fail, sev:high, node:NAME, at:cluster, at:endpoint",
        &[Controls],
        Action::Filter,
    ),
    row(&[letter('o')], "o", "only failing", "only what fails, or everything again", &[Controls], Action::OnlyFailing),
    row(
        &[letter('s')],
        "s",
        "sort",
        "sort by verdict and severity, or in the guide's order",
        &[Controls],
        Action::Sort,
    ),
    needing(
        Needs::LiveTarget,
        row(
            &[letter('r')],
            "r",
            "read again",
            "read this target again; on a section: everything",
            &[Overview, Finding, Node, Cluster, Ports],
            Action::ReadOne,
        ),
    ),
    needing(
        Needs::Live,
        row(
            &[letter('R')],
            "R",
            "read all",
            "read everything again",
            &[Overview, Controls, Node, Cluster, Ports],
            Action::ReadAll,
        ),
    ),
    needing(Needs::Live, row(&[letter('R')], "R", "", "read everything again", &[Finding], Action::ReadAll)),
    needing(
        Needs::Arc,
        row(
            &[letter('a')],
            "a",
            "ask Azure",
            "ask Azure by az, after showing what would run",
            &[Cluster],
            Action::Azure,
        ),
    ),
    row(&[key(KeyCode::Backspace), ctrl('h')], "Backspace", "", "take the last character away", TYPING, Action::Erase),
    row(&[ctrl('u')], "Ctrl-U", "", "empty what was typed", TYPING, Action::EraseAll),
    row(&[ctrl('l')], "Ctrl-L", "", "draw the screen anew (after noise on the line)", EVERYWHERE, Action::Redraw),
    row(
        &[letter('?')],
        "?",
        "help",
        "this help",
        &[Connect, Overview, Controls, Finding, Node, Cluster, Ports],
        Action::Help,
    ),
    row(&[key(KeyCode::Esc)], "Esc", "back", "back", &[Form], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "", "back; never ends the program", SCREENS, Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "drop", "drop the filter", &[Filter], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: do not connect", &[HostKey], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: each node asks by itself", &[Reuse], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: run nothing", &[Azure], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "skip", "go on without this key", &[Passphrase], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "skip", "go on without it, as far as that goes", &[Password], Action::Back),
    row(&[key(KeyCode::Esc), letter('q')], "Esc q", "", "close", &[Trouble], Action::Back),
    row(&[letter('q')], "q", "back/quit", "back; on the first screen, quit", SCREENS, Action::Quit),
    row(&[letter('q')], "q", "quit", "quit", &[Small], Action::Leave),
    row(
        &[ctrl('c')],
        "Ctrl-C",
        "",
        "quit at once, from anywhere; everything is left as it was",
        EVERYWHERE,
        Action::Leave,
    ),
];

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
#[path = "keys_tests.rs"]
mod tests;
