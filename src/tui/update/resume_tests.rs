//! An entry without an end, from the journal's page to its end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::remedy::{Found, Open, Ran, Refusal, Risk, Told};
use crate::store::{Event, EventKind, Outcome};
use crate::tui::sample::{self, press};
use crate::tui::target::State;
use crate::tui::work::Phase;
use jiff::{SignedDuration, Timestamp};

const ENTRY: &str = "20261126T074501-3fa9c2";

fn at(second: i64) -> Timestamp {
    sample::evidence().finished.checked_add(SignedDuration::from_secs(second)).unwrap()
}

/// The journal with an entry of edge1 that has no end, on its page.
fn journal() -> App {
    let mut app = sample::live(80, 24);
    let newer = sample::entry("20261127T000000-aaaaaa", "edge2", true);
    update(&mut app, Msg::Journal(Ok(vec![sample::entry(ENTRY, "edge1", false), newer])));
    assert!(matches!(press(&mut app, "J").as_slice(), [Effect::Journal]));
    app
}

fn told(app: &App) -> &str {
    match &app.work.as_ref().unwrap().phase {
        Phase::Told(words) => words,
        other => panic!("{other:?}"),
    }
}

#[test]
fn u_looks_at_the_node_without_allowing_anything_and_blocks_nothing() {
    let mut app = journal();
    assert!(!app.armed);
    let effects = press(&mut app, "u");
    let [Effect::LookAt { serial, entry, visit, who }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((entry.as_str(), visit.targets.len(), who.operator.as_str()), (ENTRY, 3, "tech"));
    assert_eq!((app.works, app.place()), (*serial, Place::Plan));
    press(&mut app, "qq");
    assert_eq!(app.place(), Place::Overview, "while it is looked at");
    let serial = app.works;
    let effects = update(&mut app, sample::found(serial, Ok(Found::UnderWay)));
    assert!(matches!(effects.as_slice(), [Effect::Journal]) && app.work.is_none());
}

#[test]
fn what_has_ended_meanwhile_is_said_and_the_journal_is_read_again() {
    let mut app = journal();
    press(&mut app, "u");
    let serial = app.works;
    let late = update(&mut app, sample::found(serial + 1, Ok(Found::UnderWay)));
    assert!(matches!(late.as_slice(), [Effect::Journal]), "of another look");
    let note = "edge1: the old state was put back, but for /etc/ssh/x";
    let effects = update(&mut app, sample::found(serial, Ok(Found::Ended(Outcome::Failed, note.to_owned()))));
    assert!(matches!(effects.as_slice(), [Effect::Journal]));
    assert!(told(&app).contains("half changed") && told(&app).contains("/etc/ssh/x"), "{}", told(&app));
    assert!(app.shown_plan().is_none());
    press(&mut app, "x");
    assert!(app.confirm.is_none(), "there is nothing to confirm");
}

#[test]
fn what_is_not_known_and_what_is_under_way_is_said_and_nothing_is_offered() {
    for (found, words) in [
        (Ok(Found::UnderWay), "under way"),
        (Err(Refusal::new("edge1 does not answer")), "does not answer"),
        (
            Ok(Found::Open(Open {
                words: "Half".to_owned(),
                left: None,
                ways: Vec::new(),
                no_way_back: Some("No way".to_owned()),
            })),
            "No way",
        ),
    ] {
        let mut app = journal();
        press(&mut app, "u");
        let serial = app.works;
        update(&mut app, sample::found(serial, found));
        assert!(told(&app).contains(words), "{}", told(&app));
    }
    let mut app = journal();
    press(&mut app, "u");
    let serial = app.works;
    update(&mut app, Msg::Defect(Job::Prepare(serial)));
    assert!(matches!(app.work.as_ref().unwrap().phase, Phase::Refused(_)));
}

#[test]
fn it_is_finished_or_put_back_by_a_plan_that_is_confirmed_like_any_other() {
    for (keys, ends) in [("x", Outcome::Done), ("ox", Outcome::Reverted), ("oox", Outcome::Done)] {
        let mut app = sample::waiting(80, 24, Risk::CanLockOut, true);
        assert!(press(&mut app, keys).is_empty());
        assert_eq!(app.place(), Place::Confirm);
        assert!(press(&mut app, "yes\u{18}").is_empty(), "what may lock out wants the name");
        let effects = press(&mut app, "\u{8}\u{8}\u{8}edge1\u{18}");
        let [Effect::Run { confirmed, visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((confirmed.get().ends(), visit.targets.len()), (Some(ends), 3));
        let serial = app.works;
        let line = "systemctl reload ssh.service".to_owned();
        update(&mut app, Msg::Told { serial, at: at(1), told: Told::Runs(line) });
        let effects = update(
            &mut app,
            Msg::Ran { serial, result: Ok(Box::new(Ran::sample(ends, "It has its end"))), trouble: None },
        );
        let [Effect::Look { target, before, .. }, Effect::Journal] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((target.as_str(), before[0].0.as_str()), ("node/edge1", "sshd-root-login"));
        assert_eq!(app.nodes[0].state, State::Waiting, "it is looked at again");
        update(&mut app, Msg::Looked { serial, after: Vec::new(), trouble: None });
        let Phase::Over(change) = &app.work.as_ref().unwrap().phase else { panic!() };
        assert!(change.succeeded() && change.done == change.steps().len());
    }
}

#[test]
fn the_switch_waits_for_no_site_to_be_read_first() {
    let (mut app, _) = open(sample::start(&["edge1"], None), (80, 24), crate::tui::theme::Theme::PLAIN);
    app.armed = true;
    let entry = sample::entry(ENTRY, "edge1", false);
    update(&mut app, Msg::Journal(Ok(vec![entry.clone()])));
    press(&mut app, "Ju");
    let serial = app.works;
    update(&mut app, sample::found(serial, Ok(Found::Open(Open::sample(&entry, Risk::CanLockOut, Some(9))))));
    assert!(app.evidence.is_none());
    assert!(matches!(press(&mut app, "xedge1\u{18}").as_slice(), [Effect::Run { .. }]));
}

#[test]
fn the_seconds_that_are_left_are_counted_while_the_page_is_there() {
    let mut app = sample::waiting(80, 24, Risk::CanLockOut, true);
    let serial = app.works;
    let left = |app: &App| app.work.as_ref().unwrap().standing.as_ref().unwrap().left;
    assert_eq!(left(&app), 75);
    assert!(matches!(update(&mut app, Msg::Tick { serial, at: at(5) }).as_slice(), [Effect::Tick(_)]));
    assert_eq!(left(&app), 70);
    press(&mut app, "o");
    assert!(update(&mut app, Msg::Tick { serial, at: at(80) }).is_empty());
    assert_eq!(left(&app), 0);
    press(&mut app, "q");
    assert!(update(&mut app, Msg::Tick { serial, at: at(81) }).is_empty());
}

#[test]
fn a_plan_of_an_end_is_neither_saved_nor_has_a_third_way() {
    let mut app = sample::waiting(80, 24, Risk::Safe, true);
    assert!(press(&mut app, "w").is_empty());
    assert!(app.notice.as_deref().unwrap().contains("no plan"));
    app.work.as_mut().unwrap().standing.as_mut().unwrap().other = None;
    assert!(press(&mut app, "o").is_empty());
    assert!(app.notice.as_deref().unwrap().contains("no other way"));
}

#[test]
fn contact_that_was_lost_is_no_end_for_a_node() {
    let mut app = sample::live(80, 24);
    let mut entry = sample::entry(ENTRY, "edge1", true);
    if let Some(Event { kind: EventKind::Ended { outcome, .. }, .. }) = &mut entry.ended {
        *outcome = Outcome::Unknown;
    }
    update(&mut app, Msg::Journal(Ok(vec![entry])));
    assert_eq!(app.unfinished().len(), 1);
    assert!(matches!(press(&mut app, "Ju").as_slice(), [Effect::Journal, Effect::LookAt { .. }]));
}

#[test]
fn only_what_is_looked_at_now_is_told_of_and_opened() {
    let mut app = sample::live(80, 24);
    let mut cluster = sample::entry("20261126T080000-aaaaaa", "x", false);
    if let EventKind::Begun { target, .. } = &mut cluster.begun.kind {
        "cluster".clone_into(target);
    }
    update(&mut app, Msg::Journal(Ok(vec![sample::entry(ENTRY, "elsewhere", false), cluster])));
    assert!(app.unfinished().is_empty());
    for keys in ["Ju", "ju"] {
        let effects = press(&mut app, keys);
        assert!(effects.iter().all(|effect| matches!(effect, Effect::Journal)), "{effects:?}");
        assert!(app.work.is_none() && app.notice.as_deref().unwrap().contains("not looked at"), "{:?}", app.notice);
    }
}
