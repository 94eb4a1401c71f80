//! Nothing runs that was not confirmed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::channel::Question;
use crate::remedy::{Done, Found, Open, Prepared, Ran, Refusal, Risk, Told};
use crate::store::Outcome;
use crate::tui::app::Screen;
use crate::tui::msg::Reply;
use crate::tui::sample::{self, planned, press};
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::mpsc::sync_channel;

fn lock_out() -> Prepared {
    Prepared::sample("edge1", Risk::CanLockOut, 90)
}

fn runs(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Run { .. })).count()
}

#[test]
fn the_exact_name_and_ctrl_x_run_a_plan_that_can_lock_out_and_nothing_less_does() {
    for keys in [
        "x\n",
        "x\u{18}",
        "xedge1\n",
        "xedge\u{18}",
        "xyes\u{18}",
        "xEDGE1\u{18}",
        "xedge1 \u{18}",
        "xedge1\u{1b}\u{18}",
    ] {
        let mut app = planned(80, 24, lock_out(), true);
        assert_eq!(runs(&press(&mut app, keys)), 0, "{keys:?}");
    }
    let mut app = planned(80, 24, lock_out(), true);
    assert!(press(&mut app, "x").is_empty());
    assert_eq!(app.place(), Place::Confirm);
    let effects = press(&mut app, "edge1\u{18}");
    let [Effect::Run { confirmed, before, visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(confirmed.get().digest(), lock_out().digest());
    assert_eq!((before.as_deref(), visit.targets.len()), (Some("fail"), 3));
    assert!(app.running().is_some());
    assert_eq!(runs(&press(&mut app, "\u{18}x\u{18}edge1\u{18}\n")), 0, "not twice");
}

#[test]
fn a_safe_plan_wants_the_word_yes() {
    let safe = || Prepared::sample("edge1", Risk::Safe, 0);
    let mut app = planned(80, 24, safe(), true);
    assert_eq!(runs(&press(&mut app, "xedge1\u{18}")), 0);
    let mut app = planned(80, 24, safe(), true);
    assert_eq!(runs(&press(&mut app, "xyes\u{18}")), 1);
}

#[test]
fn cancel_has_the_focus_and_enter_never_changes_anything() {
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "x\n");
    assert_eq!(app.place(), Place::Plan, "Enter cancels");
    assert!(app.notice.as_deref().unwrap().contains("nothing was changed"));
    let effects = press(&mut app, "xedge1\n\n\n");
    assert!(effects.is_empty());
    assert_eq!(app.place(), Place::Confirm, "what was typed is not thrown away");
    assert!(app.confirm.as_ref().unwrap().typing.hint.unwrap().contains("Ctrl-X"));
    press(&mut app, "\u{1b}");
    assert_eq!((app.place(), app.confirm.is_none()), (Place::Plan, true));
}

#[test]
fn what_is_not_armed_says_why_and_is_not_even_asked_about() {
    let mut app = planned(80, 24, lock_out(), false);
    assert!(press(&mut app, "x").is_empty());
    assert_eq!(app.place(), Place::Plan);
    assert!(app.notice.as_deref().unwrap().contains("Press A"));
    let mut app = planned(80, 24, Prepared::sample_manual("edge1"), true);
    press(&mut app, "x");
    assert_eq!(app.place(), Place::Plan);
    assert!(app.notice.as_deref().unwrap().contains("steps for a person"));
}

#[test]
fn keys_that_come_together_open_no_question_and_answer_none() {
    let ctrl_x = Key { code: KeyCode::Char('x'), ctrl: true };
    let mut app = planned(80, 24, lock_out(), true);
    update(&mut app, Msg::Burst(keys::key(KeyCode::Char('x'))));
    assert_eq!(app.place(), Place::Plan);
    press(&mut app, "x");
    for c in "edge1".chars() {
        update(&mut app, Msg::Burst(keys::key(KeyCode::Char(c))));
    }
    assert_eq!(runs(&update(&mut app, Msg::Burst(ctrl_x))), 0, "pasted as a whole");
    assert!(app.confirm.as_ref().unwrap().typing.hint.unwrap().contains("again"));
    assert_eq!(runs(&update(&mut app, Msg::Key(ctrl_x))), 1);
}

#[test]
fn a_question_that_cannot_be_read_whole_cannot_be_answered() {
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "xedge1");
    update(&mut app, Msg::Resize(30, 8));
    assert_eq!(runs(&press(&mut app, "\u{18}")), 0);
    update(&mut app, Msg::Resize(80, 24));
    assert_eq!(runs(&press(&mut app, "\u{18}")), 1);
}

#[test]
fn changes_are_allowed_by_the_sites_name_and_by_the_same_key_no_more() {
    let mut app = sample::live(80, 24);
    assert!(!app.armed);
    press(&mut app, "A");
    assert_eq!(app.place(), Place::Arming);
    press(&mut app, "\nyes\n");
    assert!(!app.armed && app.arming.is_some());
    press(&mut app, "\u{1b}AHarbour 7\n");
    assert!(app.armed && app.arming.is_none());
    press(&mut app, "A");
    assert!(!app.armed);
    press(&mut app, "A\u{1b}");
    assert!(!app.armed);
}

#[test]
fn where_the_site_has_no_name_that_of_a_node_is_asked_for() {
    let mut app = sample::live(80, 24);
    app.visit.site.name = None;
    app.evidence = None;
    press(&mut app, "Aedge1\n");
    assert!(app.armed);
}

#[test]
fn saved_evidence_and_the_demo_cannot_be_armed_and_say_why() {
    let mut app = sample::app(80, 24);
    press(&mut app, "A");
    assert!(app.arming.is_none() && app.notice.as_deref().unwrap().contains("saved evidence"));
    let start = crate::tui::Start { allow_changes: true, demo: true, ..sample::start(&[], Some(sample::evidence())) };
    let (mut app, _) = open(start, (80, 24), crate::tui::theme::Theme::PLAIN);
    assert!(!app.armed, "whatever the command line says");
    press(&mut app, "A");
    assert!(app.arming.is_none() && app.notice.as_deref().unwrap().contains("made up"));
    let (app, _) = open(
        crate::tui::Start { allow_changes: true, ..sample::start(&["edge1"], None) },
        (80, 24),
        crate::tui::theme::Theme::PLAIN,
    );
    assert!(app.armed);
}

#[test]
fn in_the_middle_of_a_change_leaving_asks_first_and_asked_twice_leaves() {
    let ctrl_c = || Msg::Key(Key { code: KeyCode::Char('c'), ctrl: true });
    let mut app = planned(80, 24, lock_out(), true);
    press(&mut app, "xedge1\u{18}");
    assert!(update(&mut app, ctrl_c()).is_empty());
    assert_eq!(app.place(), Place::Leaving);
    assert!(press(&mut app, "\nno\n").is_empty());
    press(&mut app, "\u{1b}");
    assert_eq!(app.place(), Place::Plan);
    assert!(press(&mut app, "qqqq").is_empty(), "to the overview, and there it asks");
    assert_eq!(app.place(), Place::Leaving);
    assert!(matches!(press(&mut app, "yes\n").as_slice(), [Effect::Quit(0)]));
    assert!(matches!(update(&mut app, ctrl_c()).as_slice(), [Effect::Quit(0)]));
    let serial = app.works;
    update(&mut app, Msg::Ran { serial, result: Err(Refusal::new("no")), trouble: None });
    assert!(app.leaving.is_none(), "there is nothing to wait for any more");
}

/// What may happen: keys, and what workers say, of this work or of another, true or not.
#[derive(Debug, Clone)]
enum Happens {
    Keys(String, bool),
    Prepared(u8, Risk, bool),
    Found(u8, Risk, u8),
    Ran(u8, Option<Outcome>),
    Told(u8, u8),
    Looked(u8),
    Tick(u8),
    Resize(bool),
    Assessed,
    Question,
    Journal(bool),
    Defect(u8),
}

fn happens() -> impl Strategy<Value = Happens> {
    let keys = prop_oneof![
        4 => prop::sample::select(vec![
            "x", "\u{18}", "\n", "\u{1b}", "edge1", "yes", "A", "Harbour 7\n", "AHarbour 7\n", "f", "q", "n", "w", " ",
            "J", "u", "0↓\nf", "\u{8}", "e", "xedge1\u{18}", "xyes\u{18}", "4\nf", "R", "?", "\t", "o", "edge", "1", "qqqJu", "ox",
        ]).prop_map(str::to_owned),
        1 => "[ -~\n\u{18}\u{1b}]{1,6}",
    ];
    let risk = prop::sample::select(vec![Risk::Safe, Risk::Disruptive, Risk::CanLockOut]);
    let outcome = prop::option::of(prop::sample::select(vec![Outcome::Done, Outcome::Reverted, Outcome::Unknown]));
    prop_oneof![
        12 => (keys, prop::bool::weighted(0.1)).prop_map(|(keys, burst)| Happens::Keys(keys, burst)),
        4 => (0u8..3, risk, prop::bool::weighted(0.2)).prop_map(|(off, risk, manual)| Happens::Prepared(off, risk, manual)),
        3 => (0u8..3, prop::sample::select(vec![Risk::Safe, Risk::Disruptive, Risk::CanLockOut]), 0u8..6)
            .prop_map(|(off, risk, how)| Happens::Found(off, risk, how)),
        2 => (0u8..3, outcome).prop_map(|(off, outcome)| Happens::Ran(off, outcome)),
        1 => (0u8..3, 0u8..5).prop_map(|(off, told)| Happens::Told(off, told)),
        1 => (0u8..3).prop_map(Happens::Looked),
        1 => (0u8..3).prop_map(Happens::Tick),
        1 => any::<bool>().prop_map(Happens::Resize),
        1 => Just(Happens::Assessed),
        1 => Just(Happens::Question),
        2 => any::<bool>().prop_map(Happens::Journal),
        1 => (0u8..3).prop_map(Happens::Defect),
    ]
}

fn worker(app: &App, happens: &Happens) -> Msg {
    let serial = |off: u8| app.works.wrapping_add(u64::from(off) % 2);
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    match happens {
        Happens::Prepared(off, _, true) => sample::prepared(serial(*off), Prepared::sample_manual("edge1")),
        Happens::Prepared(off, risk, false) => {
            // The delay makes digests of plans that look alike differ.
            sample::prepared(serial(*off), Prepared::sample("edge1", *risk, 90 + u32::from(*off)))
        }
        Happens::Found(off, risk, how) => {
            let entry = sample::entry("20261126T074501-3fa9c2", "edge1", false);
            let found = match how {
                0 => Err(Refusal::new("no")),
                1 => Ok(Found::UnderWay),
                2 => Ok(Found::Ended(Outcome::Reverted, "Over".to_owned())),
                // What is left differs, and so do the plans that look alike.
                how => Ok(Found::Open(Open::sample(&entry, *risk, (*how > 3).then_some(9)))),
            };
            sample::found(serial(*off), found)
        }
        Happens::Ran(off, outcome) => {
            let result = outcome.map(|outcome| Box::new(Ran::sample(outcome, "Over"))).ok_or(Refusal::new("no"));
            Msg::Ran { serial: serial(*off), result, trouble: None }
        }
        Happens::Told(off, told) => {
            let told = match told {
                0 => Told::Begun("e".to_owned()),
                1 => Told::Done(Done::Armed { seconds: 9 }),
                2 => Told::Done(Done::Changed { file: 7 }),
                3 => Told::Proving,
                _ => Told::TakingBack("why".to_owned()),
            };
            Msg::Told { serial: serial(*off), at, told }
        }
        Happens::Looked(off) => Msg::Looked { serial: serial(*off), after: Vec::new(), trouble: None },
        Happens::Tick(off) => Msg::Tick { serial: serial(*off), at },
        Happens::Resize(small) => Msg::Resize(if *small { 30 } else { 80 }, 24),
        Happens::Assessed => Msg::Assessed { serial: app.serial, assessment: Box::new(sample::assessment()) },
        Happens::Question => {
            let (send, _) = sync_channel(1);
            let (node, user) = ("edge1".to_owned(), "ana".to_owned());
            Msg::Question(Question::SudoPassword { node, user, again: false }, Reply(send))
        }
        Happens::Journal(done) => Msg::Journal(Ok(vec![sample::entry("20261126T074501-3fa9c2", "edge1", *done)])),
        Happens::Defect(off) => Msg::Defect(Job::Run(serial(*off))),
        Happens::Keys(..) => unreachable!("keys are pressed, not sent"),
    }
}

/// What a person did at the question, kept apart from the state of the screens.
#[derive(Debug, Default)]
struct Witness {
    /// The plan that was on the screen when the question came, and what was typed since.
    asked: Option<(String, String)>,
    runs: usize,
}

impl Witness {
    /// Takes a key in before the screens do. Gives whether it may run the plan that is asked about.
    fn sees(&mut self, app: &App, pressed: Key, alone: bool) -> bool {
        if app.place() != Place::Confirm {
            return false;
        }
        let Some((_, typed)) = &mut self.asked else { return false };
        match (pressed.code, pressed.ctrl) {
            (KeyCode::Char('x'), true) => return alone,
            (KeyCode::Char(c), false) if typed.chars().count() < TYPED => typed.push(c),
            (KeyCode::Backspace, _) => drop(typed.pop()),
            (KeyCode::Char('u'), true) => typed.clear(),
            _ => {}
        }
        false
    }

    /// After each message: whether a question came or went.
    fn looks(&mut self, app: &App) {
        match (&app.confirm, &self.asked) {
            (None, _) => self.asked = None,
            (Some(_), None) => {
                let digest = app.shown_plan().map(|plan| plan.digest().to_owned());
                self.asked = Some((digest.expect("a question about nothing"), String::new()));
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn judges(&mut self, effects: &[Effect], armed: bool, may: bool) {
        for effect in effects {
            let Effect::Run { confirmed, .. } = effect else { continue };
            let plan = confirmed.get();
            let (digest, typed) = self.asked.as_ref().expect("a plan ran that nobody was asked about");
            assert!(may, "by something else than Ctrl-X alone in the question");
            assert!(armed, "a plan ran unarmed");
            assert_eq!(digest, plan.digest(), "another plan ran than was shown");
            let wanted = if plan.risk() == Risk::Safe { "yes" } else { "edge1" };
            assert_eq!(typed, wanted, "something else was typed");
            self.runs += 1;
        }
    }
}

fn plays(app: &mut App, story: &[Happens]) -> usize {
    let mut witness = Witness::default();
    witness.looks(app);
    for happens in story {
        let messages: Vec<Msg> = match happens {
            Happens::Keys(keys, burst) => {
                let msg = |at: usize| if *burst && at > 0 { Msg::Burst } else { Msg::Key };
                keys.chars().enumerate().map(|(at, c)| msg(at)(sample::pressed(c))).collect()
            }
            other => vec![worker(app, other)],
        };
        for message in messages {
            let armed = app.armed && app.live();
            let may = match &message {
                Msg::Key(pressed) => witness.sees(app, *pressed, true),
                Msg::Burst(pressed) => witness.sees(app, *pressed, false),
                _ => false,
            };
            let effects = update(app, message);
            witness.judges(&effects, armed, may);
            witness.looks(app);
        }
    }
    witness.runs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_runs_that_was_not_confirmed(story in prop::collection::vec(happens(), 1..60)) {
        plays(&mut sample::live(80, 24), &story);
        plays(&mut planned(80, 24, lock_out(), true), &story);
        plays(&mut sample::waiting(80, 24, Risk::CanLockOut, true), &story);
        plays(&mut sample::app(80, 24), &story);
    }

    #[test]
    fn without_arming_nothing_runs_whatever_is_typed(story in prop::collection::vec(happens(), 1..60)) {
        let without = |happens: &Happens| !matches!(happens, Happens::Keys(keys, _) if keys.contains('\n'));
        let story: Vec<Happens> = story.into_iter().filter(without).collect();
        prop_assert_eq!(plays(&mut planned(80, 24, lock_out(), false), &story), 0);
        prop_assert_eq!(plays(&mut sample::waiting(80, 24, Risk::Safe, false), &story), 0);
    }
}

#[test]
fn the_witness_sees_a_run_that_was_confirmed() {
    let story = [Happens::Keys("xedge1\u{18}".to_owned(), false)];
    assert_eq!(plays(&mut planned(80, 24, lock_out(), true), &story), 1);
    let pasted = [Happens::Keys("xedge1\u{18}".to_owned(), true)];
    assert_eq!(plays(&mut planned(80, 24, lock_out(), true), &pasted), 0);
    for way in ["xedge1\u{18}", "oxedge1\u{18}"] {
        let story = [Happens::Keys(way.to_owned(), false)];
        assert_eq!(plays(&mut sample::waiting(80, 24, Risk::CanLockOut, true), &story), 1, "an end too: {way:?}");
    }
    let mut app = planned(80, 24, lock_out(), true);
    assert!(matches!(app.screen(), Some(Screen::Plan(0))));
    press(&mut app, "x");
    assert_eq!(plays(&mut app, &[Happens::Keys("edge1\u{18}".to_owned(), false)]), 1);
}
