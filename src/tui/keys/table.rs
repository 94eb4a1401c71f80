//! The rows of the table.

use super::{Action, Binding, Key, Needs, Place, ctrl, key, letter};
use crate::tui::list::Move;
use crossterm::event::KeyCode;

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
    Arming, Azure, Cluster, Confirm, Connect, Controls, Entry, Filter, Finding, Form, Help, HostKey, Journal, Leaving,
    Node, Overview, Passphrase, Password, Plan, Ports, Reuse, Small, Trouble,
};

pub(super) const SCREENS: &[Place] =
    &[Connect, Overview, Controls, Finding, Node, Cluster, Ports, Plan, Journal, Entry, Help];
const LISTS: &[Place] = &[Connect, Overview, Controls, Journal];
const TEXTS: &[Place] = &[Finding, Node, Cluster, Ports, Plan, Entry, Help];
const TARGETS: &[Place] = &[Node, Cluster, Ports];
pub(super) const TYPING: &[Place] =
    &[Form, Filter, HostKey, Passphrase, Password, Reuse, Azure, Confirm, Arming, Leaving];
pub(super) const EVERYWHERE: &[Place] = &[
    Connect, Form, Overview, Controls, Filter, Finding, Node, Cluster, Ports, Plan, Journal, Entry, Help, HostKey,
    Passphrase, Password, Reuse, Azure, Confirm, Arming, Leaving, Trouble, Small,
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
    row(&[key(KeyCode::Enter)], "Enter", "allow", "only after the name: allow changes", &[Arming], Action::Open),
    row(&[key(KeyCode::Enter)], "Enter", "", "only after the word yes: quit all the same", &[Leaving], Action::Open),
    row(
        &[key(KeyCode::Enter)],
        "Enter",
        "",
        "never changes anything; with nothing typed, cancel",
        &[Confirm],
        Action::Open,
    ),
    row(
        &[ctrl('x')],
        "Ctrl-X",
        "change it",
        "only after the word that is asked for: change it",
        &[Confirm],
        Action::Confirm,
    ),
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
            "target",
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
    row(&[letter('n')], "n", "next", "the next control of the list", &[Finding], Action::NextControl),
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
    row(&[letter('o')], "o", "failing", "only what fails, or everything again", &[Controls], Action::OnlyFailing),
    row(&[letter('s')], "s", "", "sort by verdict and severity, or in the guide's order", &[Controls], Action::Sort),
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
        row(&[letter('R')], "R", "read all", "read everything again", &[Node, Cluster, Ports], Action::ReadAll),
    ),
    needing(Needs::Live, row(&[letter('R')], "R", "all", "read everything again", &[Overview], Action::ReadAll)),
    needing(Needs::Live, row(&[letter('R')], "R", "", "read everything again", &[Controls, Finding], Action::ReadAll)),
    row(
        &[letter(' ')],
        "Space",
        "mark",
        "gather: mark what fails here for one plan, or not any more",
        &[Controls],
        Action::Mark,
    ),
    row(&[letter(' ')], "Space", "", "gather: mark this for one plan, or not any more", &[Finding], Action::Mark),
    row(
        &[letter('f')],
        "f",
        "put right",
        "the plan that puts right what is marked, or what the cursor is on",
        &[Controls],
        Action::Remedy,
    ),
    needing(
        Needs::Failing,
        row(
            &[letter('f')],
            "f",
            "put right",
            "the plan that puts this right, and what is marked",
            &[Finding],
            Action::Remedy,
        ),
    ),
    needing(
        Needs::Work,
        row(
            &[letter('f')],
            "f",
            "plan",
            "back to the plan or the change",
            &[Connect, Overview, Node, Cluster, Ports, Journal, Entry],
            Action::Remedy,
        ),
    ),
    needing(
        Needs::Runnable,
        row(&[letter('x')], "x", "do it", "change it, after one more question", &[Plan], Action::Run),
    ),
    needing(
        Needs::Plan,
        row(
            &[letter('w')],
            "w",
            "save",
            "save the plan as Markdown and as a shell script, in the folder that you are in",
            &[Plan],
            Action::Save,
        ),
    ),
    needing(
        Needs::Emptied,
        row(
            &[letter('d')],
            "d",
            "empty first",
            "let the node's pods go elsewhere before it, and let it take pods again after it",
            &[Plan],
            Action::Drain,
        ),
    ),
    needing(
        Needs::MorePlans,
        row(&[letter('n')], "n", "next plan", "the plan of the next node", &[Plan], Action::NextPlan),
    ),
    needing(
        Needs::TwoWays,
        row(
            &[letter('o')],
            "o",
            "other way",
            "finish it, or put the old state back: the other of both",
            &[Plan],
            Action::OtherWay,
        ),
    ),
    needing(
        Needs::Live,
        row(
            &[letter('A')],
            "A",
            "",
            "allow changes, after a question; only read again",
            &[Overview, Controls, Finding, Node, Cluster, Ports, Plan, Journal, Entry],
            Action::Arm,
        ),
    ),
    row(&[letter('J')], "J", "journal", "what was changed so far, and the way back", &[Overview], Action::Journal),
    row(
        &[letter('J')],
        "J",
        "",
        "what was changed so far, and the way back",
        &[Connect, Controls, Finding, Node, Cluster, Ports],
        Action::Journal,
    ),
    needing(
        Needs::Live,
        row(
            &[letter('u')],
            "u",
            "take back/end",
            "the plan that takes this entry back; one without an end: look how it stands, then finish it or put it back",
            &[Journal, Entry],
            Action::Undo,
        ),
    ),
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
        &[Connect, Overview, Controls, Finding, Node, Cluster, Ports, Plan, Journal, Entry],
        Action::Help,
    ),
    row(&[key(KeyCode::Esc)], "Esc", "back", "back", &[Form], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "", "back; never ends the program", SCREENS, Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "drop", "drop the filter", &[Filter], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: do not connect", &[HostKey], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: each node asks by itself", &[Reuse], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: run nothing", &[Azure], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "cancel", "cancel: change nothing", &[Confirm], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "no", "no: go on reading only", &[Arming], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "stay", "stay until it has ended", &[Leaving], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "skip", "go on without this key", &[Passphrase], Action::Back),
    row(&[key(KeyCode::Esc)], "Esc", "skip", "go on without it, as far as that goes", &[Password], Action::Back),
    row(&[key(KeyCode::Esc), letter('q')], "Esc q", "", "close", &[Trouble], Action::Back),
    row(&[letter('q')], "q", "back/quit", "back; on the first screen, quit", SCREENS, Action::Quit),
    row(&[letter('q')], "q", "quit", "quit", &[Small], Action::Leave),
    row(
        &[ctrl('c')],
        "Ctrl-C",
        "",
        "quit at once, from anywhere; while something is changed it asks first",
        EVERYWHERE,
        Action::Leave,
    ),
];
