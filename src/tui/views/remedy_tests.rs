//! What a person reads of a plan, a change, and the journal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::tests::{screen, text};
use super::*;
use crate::remedy::{Done, Drain, Prepared, Ran, Risk, Told};
use crate::store::Outcome;
use crate::tui::msg::Msg;
use crate::tui::sample::{self, planned, press};
use crate::tui::update::update;
use jiff::Timestamp;
use ratatui::style::Modifier;

fn lock_out() -> Prepared {
    Prepared::sample("edge1", Risk::CanLockOut, 90)
}

fn tell(app: &mut App, told: Told) {
    let (serial, at) = (app.works, Timestamp::from_second(1_700_000_000).unwrap());
    update(app, Msg::Told { serial, at, told });
}

#[test]
fn the_header_says_whether_changes_are_allowed_and_not_by_colour_alone() {
    let mut app = sample::live(80, 24);
    assert!(screen(&app)[0].ends_with("read-only"));
    app.armed = true;
    for size in [(80, 24), (40, 12)] {
        app.size = size;
        assert!(screen(&app)[0].ends_with("CHANGES ALLOWED"), "{}", screen(&app)[0]);
        let buffer = super::tests::buffer(&app);
        let last = buffer[(size.0 - 1, 0)].style().add_modifier;
        assert!(last.contains(Modifier::BOLD) && !last.contains(Modifier::REVERSED), "it stands out of the bar");
        assert!(buffer[(0, 0)].style().add_modifier.contains(Modifier::REVERSED));
    }
}

#[test]
fn a_plan_shows_all_that_is_confirmed_and_whether_it_can_be_run() {
    let app = planned(80, 60, lock_out(), false);
    let shown = text(&app);
    for words in [
        "Target: node/edge1",
        "Controls: sshd-root-login",
        "Risk: can lock out",
        "read-only. Press A",
        "Arm a switch on the node",
        "$ systemctl reload ssh.service",
        "-a\n",
        "+PermitRootLogin no",
        "Who logs in as root",
        "sitewarden undo",
        "w save",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("x do it"), "the key is not offered where it does nothing");
    let app = planned(80, 60, lock_out(), true);
    assert!(text(&app).contains("It can be run: x") && text(&app).contains("x do it"));
    let app = planned(80, 24, Prepared::sample_manual("edge1"), true);
    let shown = text(&app);
    assert!(shown.contains("steps for a person") && !shown.contains("x do it"), "{shown}");
}

#[test]
fn a_plan_says_what_emptying_the_node_costs_and_that_there_is_no_way_back() {
    let plain = Prepared::sample_updates("edge1");
    let shown = text(&planned(80, 60, plain.clone(), true));
    assert!(shown.contains("d empty first") && shown.contains("There is no way back"), "{shown}");
    assert!(!shown.contains("sitewarden undo"), "{shown}");
    let mut app = planned(80, 60, plain.with_drain(Drain::sample("edge1")), true);
    let shown = text(&app);
    for words in ["cordon edge1", "drain edge1", "uncordon edge1", "shop/till", "emptyDir"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("d empty first"), "{shown}");
    press(&mut app, "xedge1\u{18}");
    let (serial, result) = (app.works, Ok(Box::new(Ran::sample(Outcome::Done, "It is done"))));
    update(&mut app, Msg::Ran { serial, result, trouble: None });
    let shown = text(&app);
    assert!(shown.contains("no way back") && !shown.contains("sitewarden undo"), "{shown}");
}

#[test]
fn added_and_removed_lines_differ_by_sign_and_attribute() {
    let app = planned(80, 60, lock_out(), false);
    let shown = screen(&app);
    let buffer = super::tests::buffer(&app);
    let of = |words: &str| {
        let y = shown.iter().position(|line| line.trim() == words).unwrap();
        buffer[(4, u16::try_from(y).unwrap())].style().add_modifier
    };
    assert!(of("+PermitRootLogin no").contains(Modifier::BOLD) && of("-a").contains(Modifier::DIM));
}

#[test]
fn the_question_says_how_to_cancel_and_how_to_confirm() {
    for size in [(80, 24), (40, 12)] {
        let mut app = planned(size.0, size.1, lock_out(), true);
        press(&mut app, "x");
        let shown = text(&app);
        for words in ["Change it?", "[ Cancel ] has the focus", "type edge1", "Ctrl-X", "Type it: _"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
    let mut app = planned(30, 8, lock_out(), true);
    press(&mut app, "x");
    assert!(text(&app).contains("at least"), "{}", text(&app));
}

#[test]
fn while_it_runs_steps_output_and_the_switch_are_seen_at_eighty_by_twenty_four() {
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "xedge1\u{18}");
    tell(&mut app, Told::Begun("20261126T074501-3fa9c2".to_owned()));
    tell(&mut app, Told::Done(Done::Armed { seconds: 90 }));
    tell(&mut app, Told::Done(Done::Changed { file: 0 }));
    let said = "one\nof \u{1b}[2Jthem".to_owned();
    tell(&mut app, Told::Done(Done::Ran { line: "systemctl reload ssh.service".to_owned(), status: 0, said }));
    let shown = text(&app);
    for words in [
        "changing CHANGES ALLOWED",
        "90 seconds until",
        "[x] Change /etc",
        "[>] Wait until",
        "[ ] Log in a second",
        "  one",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'));
    press(&mut app, "qqq");
    press(&mut app, "q");
    let shown = text(&app);
    assert!(shown.contains("Quit now?") && shown.contains("puts the old state back by"), "{shown}");
}

#[test]
fn the_end_is_a_sentence_with_verdicts_entry_and_the_way_back() {
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "xedge1\u{18}");
    let serial = app.works;
    let ran = Box::new(Ran::sample(Outcome::Done, "It is done: a second login worked"));
    update(&mut app, Msg::Ran { serial, result: Ok(ran), trouble: None });
    assert!(text(&app).contains("being looked at again"));
    let after = vec![("sshd-root-login".to_owned(), Verdict::Pass)];
    update(&mut app, Msg::Looked { serial, after, trouble: None });
    let shown = text(&app);
    for words in ["Done. It is done", "sshd-root-login: fail -> pass", "sitewarden undo 20261126T074501-3fa9c2"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "xedge1\u{18}");
    let (serial, ran) = (app.works, Box::new(Ran::sample(Outcome::Unknown, "It does not answer")));
    update(&mut app, Msg::Ran { serial, result: Ok(ran), trouble: Some("The disk is full".to_owned()) });
    let shown = text(&app);
    assert!(
        shown.contains("Not known") && shown.contains("J, then u") && shown.contains("The disk is full"),
        "{shown}"
    );
}

#[test]
fn what_is_marked_is_seen_by_a_character() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0↓ ↓");
    let shown = screen(&app);
    let row = |words: &str| shown.iter().find(|line| line.contains(words)).unwrap().clone();
    assert!(row("Root cannot log in").starts_with(" *fail"), "{}", row("Root cannot log in"));
    assert!(row("The kubelet refuses").starts_with("  fail"));
}

#[test]
fn the_journal_and_what_has_no_end_are_shown() {
    let mut app = sample::live(80, 24);
    let entries = vec![
        sample::entry("20261101T000000-aaaaaa", "edge2", true),
        sample::entry("20261102T000000-bbbbbb", "edge1", false),
    ];
    update(&mut app, Msg::Journal(Ok(entries)));
    assert!(
        text(&app).contains("A change of node/edge1 has no end. J, then u: look at it, and end it"),
        "{}",
        text(&app)
    );
    press(&mut app, "J");
    let shown = screen(&app);
    assert!(shown[2].starts_with("> 2026-11-20 08:01 unfinished edge1: Root"), "{}", shown[2]);
    assert!(shown[3].contains("Done") && shown[3].contains("edge2"), "{}", shown[3]);
    press(&mut app, "↓\n");
    let shown = text(&app);
    for words in ["Entry 20261101T000000-aaaaaa", "changed and verified", "verdict: fail -> pass", "by ana at laptop"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    update(&mut app, Msg::Journal(Err("The journal is damaged".to_owned())));
    press(&mut app, "q");
    assert!(text(&app).contains("The journal is damaged"));
}

#[test]
fn what_waits_for_its_end_says_how_it_stands_and_offers_both_ways_on_a_small_console() {
    let mut app = sample::waiting(80, 24, Risk::CanLockOut, false);
    let shown = text(&app);
    for words in [
        "Without an end: Root cannot log in with a password",
        "It works there and waits to be confirmed.",
        "75 seconds until the node puts the old state back by itself.",
        "To finish it: it stays as it is now",
        "Risk: can lock out",
        "1. Log in to edge1 afresh",
        "read-only. Press A",
        "Or put the old state back: o.",
        "o other way",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("x do it") && !shown.contains("w save"), "{shown}");
    app.armed = true;
    press(&mut app, "o");
    let shown = text(&app);
    for words in ["To put the old state back", "$ systemctl reload ssh.service", "x do it", "Or finish it"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    press(&mut app, "x");
    let shown = text(&app);
    assert!(
        shown.contains("Put back: Root cannot log in") && shown.contains("type edge1, then press Ctrl-X"),
        "{shown}"
    );
    assert!(shown.contains("without a switch"), "{shown}");
    press(&mut app, "edge1\u{18}");
    let serial = app.works;
    let ran = Box::new(Ran::sample(Outcome::Reverted, "edge1: the old state is back"));
    update(&mut app, Msg::Ran { serial, result: Ok(ran), trouble: None });
    update(&mut app, Msg::Looked { serial, after: Vec::new(), trouble: None });
    let shown = text(&app);
    assert!(shown.contains("Put back. edge1: the old state is back"), "{shown}");
    assert!(shown.contains("[x] Look at the node again") && !shown.contains("[!]"), "{shown}");
}

#[test]
fn an_entry_without_an_end_says_what_u_does() {
    let mut app = sample::live(80, 24);
    let open = sample::entry("20261102T000000-bbbbbb", "edge1", false);
    update(&mut app, Msg::Journal(Ok(vec![open, sample::entry("20261103T000000-cccccc", "edge2", true)])));
    press(&mut app, "J");
    assert!(text(&app).contains("> 2026-11-20 08:01 unfinished edge1"), "the cursor is on it: {}", text(&app));
    press(&mut app, "\n");
    assert!(text(&app).contains("it has no end yet: u looks at it"), "{}", text(&app));
}

#[test]
fn every_new_screen_is_drawn_at_any_size() {
    for size in [(80, 24), (40, 12), (20, 6), (19, 5), (1, 1), (200, 60)] {
        for keys in ["", "x", "xedge1\u{18}", "?", "G", "J", "A"] {
            let mut app = planned(size.0, size.1, lock_out(), true);
            press(&mut app, keys);
            text(&app);
            let serial = app.works;
            update(&mut app, Msg::Ran { serial, result: Ok(Box::new(Ran::sample(Outcome::Done, "x"))), trouble: None });
            text(&app);
        }
    }
}
