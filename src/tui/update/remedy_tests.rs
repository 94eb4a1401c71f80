//! From a finding to its plan, through the change, to what came of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::Verdict;
use crate::remedy::{Done, Drain, Prepared, Ran, Refusal, Risk, Told};
use crate::store::Outcome;
use crate::tui::app::Screen;
use crate::tui::msg::Wanted;
use crate::tui::sample::{self, planned, press};
use crate::tui::target::State;
use crate::tui::work::Phase;
use crate::visit::Progress;
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A change that runs.
fn running() -> App {
    let mut app = planned(80, 24, Prepared::sample("edge1", Risk::CanLockOut, 90), true);
    press(&mut app, "xedge1\u{18}");
    app
}

fn tell(app: &mut App, second: i64, told: Told) -> Vec<Effect> {
    let serial = app.works;
    update(app, Msg::Told { serial, at: at(second), told })
}

fn ran(app: &mut App, outcome: Outcome) -> Vec<Effect> {
    let serial = app.works;
    update(app, Msg::Ran { serial, result: Ok(Box::new(Ran::sample(outcome, "Over"))), trouble: None })
}

fn phase(app: &App) -> &Phase {
    &app.work.as_ref().unwrap().phase
}

#[test]
fn a_finding_that_fails_has_its_plan_made_by_a_fresh_login() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0↓\n");
    let effects = press(&mut app, "f");
    let [Effect::Prepare { serial: 1, what: Wanted::Plan(plan), visit, memory: None, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((plan.target.as_str(), plan.controls.as_slice()), ("node/edge1", &["sshd-root-login".to_owned()][..]));
    assert_eq!(visit.targets.len(), 3);
    assert!(matches!(app.screen(), Some(Screen::Plan(0))) && matches!(phase(&app), Phase::Preparing));
    let serial = app.works;
    update(&mut app, sample::prepared(serial + 1, Prepared::sample("edge1", Risk::Safe, 0)));
    assert!(matches!(phase(&app), Phase::Preparing), "of another work");
    update(&mut app, sample::prepared(serial, Prepared::sample("edge1", Risk::Safe, 0)));
    assert!(matches!(phase(&app), Phase::Shown(_)));
    press(&mut app, "\u{1b}");
    assert!(app.work.is_none() && app.place() == Place::Finding, "left, and nothing of it stays");
}

#[test]
fn what_does_not_fail_is_not_put_right() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0G");
    for key in ["f", " "] {
        assert!(press(&mut app, key).is_empty());
        assert!(app.notice.as_deref().unwrap().contains("Only what fails"), "{key}");
    }
    assert!(app.marks.is_empty() && app.work.is_none());
}

#[test]
fn what_is_marked_becomes_one_plan_a_node_one_after_the_other() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0 ↓ ");
    assert!(app.notice.as_deref().unwrap().contains("3 findings"), "{:?}", app.notice);
    let effects = press(&mut app, "f");
    let [Effect::Prepare { what: Wanted::Plan(plan), .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((plan.target.as_str(), plan.controls.len()), ("node/edge1", 2));
    assert_eq!(app.work.as_ref().unwrap().plans.len(), 1, "edge3 waits");
    assert!(press(&mut app, "n").is_empty(), "not while the first is being made");
    app.armed = true;
    let serial = app.works;
    update(&mut app, sample::prepared(serial, Prepared::sample("edge1", Risk::CanLockOut, 90)));
    press(&mut app, "xedge1\u{18}");
    ran(&mut app, Outcome::Reverted);
    assert!(press(&mut app, "n").is_empty(), "it stops at the first that is not done");
    assert!(app.notice.as_deref().unwrap().contains("stops here"));
}

#[test]
fn after_one_that_is_done_the_next_node_is_asked_about_by_itself() {
    let mut app = sample::live(80, 24);
    app.armed = true;
    press(&mut app, "0 f");
    let serial = app.works;
    update(&mut app, sample::prepared(serial, Prepared::sample("edge1", Risk::CanLockOut, 90)));
    press(&mut app, "xedge1\u{18}");
    ran(&mut app, Outcome::Done);
    let effects = press(&mut app, "n");
    let [Effect::Prepare { serial: again, what: Wanted::Plan(plan), memory: Some(_), .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*again, plan.target.as_str()), (serial, "node/edge3"));
    assert!(app.confirm.is_none());
}

#[test]
fn a_mark_goes_when_its_finding_passes() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0 ↓ ");
    let mut better = sample::assessment();
    better.findings.iter_mut().filter(|of| of.control == "sshd-root-login").for_each(|of| of.verdict = Verdict::Pass);
    let serial = app.serial;
    update(&mut app, Msg::Assessed { serial, assessment: Box::new(better) });
    assert_eq!(
        app.marks.iter().map(|(control, _)| control.as_str()).collect::<Vec<_>>(),
        ["kubelet-anonymous-auth"; 2]
    );
    press(&mut app, "0 ");
    assert!(app.marks.is_empty(), "and by the same key");
}

#[test]
fn the_node_is_emptied_first_only_where_that_is_asked_for_and_the_plan_is_shown_anew() {
    let mut app = planned(80, 24, Prepared::sample("edge1", Risk::Safe, 0), true);
    assert!(press(&mut app, "d").is_empty() && app.notice.is_some(), "not for a change of sshd");
    let plain = Prepared::sample_updates("edge1");
    let mut app = planned(80, 24, plain.clone(), true);
    let effects = press(&mut app, "d");
    let [Effect::Drain { serial, prepared, visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(prepared.digest() == plain.digest() && visit.targets.len() == 3);
    assert!(matches!(phase(&app), Phase::Preparing));
    assert!(press(&mut app, "xedge1\u{18}").is_empty(), "nothing runs meanwhile");
    let (serial, prepared) = (*serial, Box::new(plain.clone()));
    let refused = Some("a pod belongs to no controller".to_owned());
    update(&mut app, Msg::Emptied { serial, prepared, refused });
    assert!(app.trouble.as_deref().unwrap().contains("no controller"));
    press(&mut app, "\n");
    assert_eq!(app.shown_plan().unwrap().digest(), plain.digest(), "the plan is as it was");
    press(&mut app, "d");
    let emptied = Box::new(plain.clone().with_drain(Drain::sample("edge1")));
    let digest = emptied.digest().to_owned();
    assert_ne!(digest, plain.digest(), "another plan, to be confirmed by itself");
    update(&mut app, Msg::Emptied { serial, prepared: emptied, refused: None });
    assert_eq!(app.shown_plan().unwrap().digest(), digest);
    assert!(press(&mut app, "d").is_empty() && app.shown_plan().is_some(), "once");
    assert!(matches!(press(&mut app, "xedge1\u{18}").as_slice(), [Effect::Run { .. }]));
}

#[test]
fn a_node_that_is_emptied_is_told_pod_by_pod() {
    let mut app = planned(80, 24, Prepared::sample_updates("edge1").with_drain(Drain::sample("edge1")), true);
    press(&mut app, "xedge1\u{18}");
    tell(&mut app, 0, Told::Begun("e".to_owned()));
    tell(&mut app, 1, Told::Emptying(2));
    assert!(app.running().unwrap().now.contains("2 pods"));
    let words = |app: &App| app.running().map(|change| change.steps()[change.done].what.clone()).unwrap();
    let commands: Vec<String> = app.running().unwrap().steps().iter().flat_map(|step| step.commands.clone()).collect();
    let mut ran = |line: &String| {
        let done = Done::Ran { line: line.clone(), status: 0, said: String::new() };
        tell(&mut app, 2, Told::Done(done));
        words(&app)
    };
    assert!(ran(&commands[0]).contains("Evict"));
    assert!(ran(&commands[1]).contains("effective"));
    assert!(ran(&commands[2]).contains("take pods again"));
    assert!(ran(&commands[3]).contains("Look at the node again"));
}

#[test]
fn a_switch_that_is_armed_counts_down_until_it_is_disarmed_and_no_longer() {
    let mut app = running();
    let serial = app.works;
    assert!(tell(&mut app, 0, Told::Begun("e".to_owned())).is_empty(), "no clock before");
    assert!(matches!(tell(&mut app, 1, Told::Done(Done::Armed { seconds: 90 })).as_slice(), [Effect::Tick(_)]));
    assert!(tell(&mut app, 1, Told::Done(Done::Changed { file: 0 })).is_empty(), "one clock alone");
    assert!(matches!(update(&mut app, Msg::Tick { serial, at: at(11) }).as_slice(), [Effect::Tick(_)]));
    assert_eq!(app.running().unwrap().left, 80);
    tell(&mut app, 12, Told::Proved);
    assert!(update(&mut app, Msg::Tick { serial, at: at(13) }).is_empty());
    ran(&mut app, Outcome::Done);
    app.changed = false;
    assert!(update(&mut app, Msg::Tick { serial, at: at(14) }).is_empty());
    assert!(!app.changed, "an idle screen sends nothing");
}

#[test]
fn after_the_change_the_node_is_read_and_the_verdicts_are_told() {
    let mut app = running();
    let effects = ran(&mut app, Outcome::Done);
    let [Effect::Look { run, visit, target, before, evidence: Some(_), .. }, Effect::Journal] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!((target.as_str(), visit.targets.len(), visit.targets[0].name.as_str()), ("node/edge1", 1, "edge1"));
    assert_eq!(before.as_slice(), [("sshd-root-login".to_owned(), Verdict::Fail)]);
    assert_eq!(app.node("edge1").unwrap().state, State::Waiting);
    let (run, node) = (*run, Box::new(sample::node("edge1")));
    let progress = Progress::Done(node);
    assert!(matches!(update(&mut app, Msg::Progress { run, at: at(9), progress }).as_slice(), [Effect::Assess { .. }]));
    assert_eq!(app.node("edge1").unwrap().state, State::Read);
    let after = vec![("sshd-root-login".to_owned(), Verdict::Pass)];
    let serial = app.works;
    update(&mut app, Msg::Looked { serial, after: after.clone(), trouble: None });
    let Phase::Over(change) = phase(&app) else { panic!() };
    assert_eq!(change.end.as_ref().unwrap().after.as_ref(), Some(&after));
}

#[test]
fn what_was_never_begun_is_not_looked_at_again() {
    let mut app = running();
    let serial = app.works;
    let effects = update(&mut app, Msg::Ran { serial, result: Err(Refusal::new("no journal")), trouble: None });
    assert!(effects.is_empty());
    let Phase::Over(change) = phase(&app) else { panic!() };
    assert_eq!(change.end.as_ref().unwrap().outcome, None);
}

#[test]
fn leaving_the_page_stops_nothing_and_the_end_is_told_elsewhere() {
    let mut app = running();
    press(&mut app, "\u{1b}\u{1b}\u{1b}");
    assert!(app.running().is_some() && app.place() == Place::Overview);
    press(&mut app, "f");
    assert_eq!(app.place(), Place::Plan);
    press(&mut app, "q0\n");
    assert_eq!(app.place(), Place::Finding);
    press(&mut app, "f");
    assert_eq!(app.place(), Place::Plan, "no second work beside it");
    press(&mut app, "q");
    ran(&mut app, Outcome::Done);
    assert!(app.notice.as_deref().unwrap().contains("Done"));
    press(&mut app, "qqf");
    assert_eq!(app.place(), Place::Plan);
}

#[test]
fn a_defect_while_something_is_changed_claims_nothing() {
    let mut app = running();
    let serial = app.works;
    update(&mut app, Msg::Defect(Job::Run(serial)));
    let told = app.trouble.clone().unwrap();
    assert!(told.contains("is not known") && told.contains("J, then u"), "{told}");
    let Phase::Over(change) = phase(&app) else { panic!() };
    assert_eq!(change.end.as_ref().unwrap().outcome, Some(Outcome::Unknown));
}

#[test]
fn the_journal_shows_the_newest_first_and_takes_an_entry_back_by_a_plan() {
    let mut app = sample::live(80, 24);
    assert!(matches!(press(&mut app, "J").as_slice(), [Effect::Journal]));
    let entries = vec![
        sample::entry("20261101T000000-aaaaaa", "edge2", true),
        sample::entry("20261102T000000-bbbbbb", "edge1", true),
    ];
    update(&mut app, Msg::Journal(Ok(entries)));
    press(&mut app, "\n");
    assert!(matches!(app.screen(), Some(Screen::Entry(id, 0)) if id.ends_with("bbbbbb")));
    let effects = press(&mut app, "u");
    let [Effect::Prepare { what: Wanted::Undo { entry, target }, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((entry.as_str(), target.as_str()), ("20261102T000000-bbbbbb", "node/edge1"));
    assert_eq!(app.place(), Place::Plan);
    let gone = sample::entry("20261103T000000-cccccc", "elsewhere", true);
    update(&mut app, Msg::Journal(Ok(vec![gone, sample::entry("20261104T000000-dddddd", "edge1", false)])));
    press(&mut app, "\u{1b}\u{1b}");
    assert!(press(&mut app, "↓u").is_empty() && app.notice.as_deref().unwrap().contains("not looked at"));
}

#[test]
fn a_plan_is_saved_and_its_files_are_named() {
    let mut app = planned(80, 24, Prepared::sample("edge1", Risk::Safe, 0), false);
    assert!(matches!(press(&mut app, "w").as_slice(), [Effect::Save(_)]));
    update(&mut app, Msg::Saved(Ok(vec!["a.md".to_owned(), "a.sh".to_owned()])));
    assert_eq!(app.notice.as_deref(), Some("Saved: a.md and .sh"));
}

#[test]
fn another_site_begins_read_only_and_without_marks() {
    let mut app = sample::live(80, 24);
    press(&mut app, "0 ");
    app.armed = true;
    connect::show(&mut app, sample::evidence(), crate::tui::app::Source::Demo);
    assert!(!app.armed && app.marks.is_empty() && app.work.is_none());
}
