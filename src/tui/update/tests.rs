//! Key flows: what a person presses and what then stands in the state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::channel::{Answer, Purpose, Question};
use crate::evidence::Evidence;
use crate::tui::app::{Screen, Source};
use crate::tui::msg::Reply;
use crate::tui::sample::{self, press};
use crate::tui::target::State;
use crate::tui::theme::Theme;
use crate::visit::Progress;
use jiff::Timestamp;
use std::sync::mpsc::{Receiver, sync_channel};

fn live(targets: &[&str]) -> (App, Vec<Effect>) {
    open(sample::start(targets, None), (80, 24), Theme::PLAIN)
}

fn tell(app: &mut App, run: u64, progress: Progress) -> Vec<Effect> {
    update(app, Msg::Progress { run, at: Timestamp::UNIX_EPOCH, progress })
}

fn done(app: &mut App, run: u64, name: &str) -> Vec<Effect> {
    tell(app, run, Progress::Done(Box::new(sample::node(name))))
}

fn ask(app: &mut App, question: Question) -> Receiver<Answer> {
    let (send, receive) = sync_channel(1);
    update(app, Msg::Question(question, Reply(send)));
    receive
}

fn answers(effects: Vec<Effect>) -> Vec<Answer> {
    effects
        .into_iter()
        .filter_map(|effect| if let Effect::Answer(_, given) = effect { Some(given.0) } else { None })
        .collect()
}

fn host_key() -> Question {
    Question::HostKey {
        node: "edge1".to_owned(),
        host: "10.0.0.4".to_owned(),
        kind: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:Ue3y1F8lXr7fdA2nQm4pZc6Tq9KkW0sVbJhRgYtLxEo".to_owned(),
        others: Vec::new(),
    }
}

#[test]
fn with_targets_named_it_reads_them_at_once_on_the_overview() {
    let (app, effects) = live(&["root@edge1", "edge2"]);
    assert!(matches!(app.screen(), Some(Screen::Overview(_))));
    let [Effect::Read { run: 1, visit }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(visit.targets.len(), 2);
    assert!(app.nodes.iter().all(|node| node.state == State::Waiting));
}

#[test]
fn without_targets_the_first_screen_asks_and_reads_nothing() {
    let (mut app, effects) = live(&[]);
    assert!(effects.is_empty());
    assert_eq!(app.place(), Place::Connect);
    let effects = press(&mut app, "1");
    assert!(matches!(effects.as_slice(), [Effect::Read { .. }]), "this machine as a node");
    assert_eq!(app.nodes[0].name, "laptop");
    press(&mut app, "q");
    assert_eq!(app.place(), Place::Connect, "back to add another node");
    assert!(matches!(press(&mut app, "q").as_slice(), [Effect::Quit(0)]));
}

#[test]
fn the_ssh_form_refuses_what_is_no_node_and_then_takes_one_with_its_key() {
    let (mut app, _) = live(&[]);
    press(&mut app, "2@host\n\n");
    let Some(Screen::Form(form)) = app.screen() else { panic!() };
    assert!(form.wrong.as_deref().unwrap().contains("[USER@]HOST[:PORT]"));
    for _ in 0..5 {
        press(&mut app, "\u{8}");
    }
    let effects = press(&mut app, "root@10.0.0.4:2222\n~/key\n");
    let [Effect::Read { visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let crate::site::Way::Ssh { port: Some(2222), identity: Some(key), .. } = &visit.targets[0].way else { panic!() };
    assert_eq!(key.to_str(), Some("~/key"));
    assert!(matches!(app.screen(), Some(Screen::Overview(_))));
}

#[test]
fn a_file_is_loaded_in_the_background_and_its_errors_stay_in_the_form() {
    let (mut app, _) = live(&[]);
    assert!(press(&mut app, "3\n").is_empty(), "an empty path is refused");
    let effects = press(&mut app, "/e.json\n");
    let [Effect::Load(path)] = effects.as_slice() else { panic!("{effects:?}") };
    let path = path.clone();
    assert!(press(&mut app, "\n").is_empty(), "not twice");
    update(&mut app, Msg::Loaded { path: path.clone(), result: Err("no such file".to_owned()) });
    let Some(Screen::Form(form)) = app.screen() else { panic!() };
    assert_eq!(form.wrong.as_deref(), Some("no such file"));
    press(&mut app, "\n");
    let loaded = Msg::Loaded { path: path.clone(), result: Ok(Box::new(sample::evidence())) };
    let effects = update(&mut app, loaded);
    assert!(matches!(effects.as_slice(), [Effect::Assess { .. }]));
    assert_eq!((app.nodes.len(), &app.source), (3, &Source::Saved(Some(path.clone()))));
    press(&mut app, "q3");
    update(&mut app, Msg::Loaded { path, result: Ok(Box::new(Evidence { nodes: Vec::new(), ..sample::evidence() })) });
    assert_eq!(app.nodes.len(), 3, "nobody waits for it any more");
}

#[test]
fn each_node_that_is_done_is_assessed_and_bursts_are_assessed_once() {
    let (mut app, _) = live(&["edge1", "edge2", "edge3"]);
    tell(&mut app, 1, Progress::Connecting { node: "edge2".to_owned() });
    assert_eq!(app.nodes[1].state, State::Connecting);
    assert_eq!(app.under_way(), (1, 2));
    assert_eq!(app.done(), 0);
    assert!(matches!(done(&mut app, 1, "edge2").as_slice(), [Effect::Assess { serial: 1, .. }]));
    assert!(done(&mut app, 1, "edge1").is_empty() && done(&mut app, 1, "edge3").is_empty(), "one at a time");
    let names: Vec<_> = app.evidence.as_ref().unwrap().nodes.iter().map(|node| node.name.clone()).collect();
    assert_eq!(names, sample::NODES, "in the order in which they were named");
    let effects = update(&mut app, Msg::Assessed { serial: 1, assessment: Box::new(sample::assessment()) });
    assert!(matches!(effects.as_slice(), [Effect::Assess { serial: 2, .. }]), "what came meanwhile");
    let effects = update(&mut app, Msg::Assessed { serial: 2, assessment: Box::new(sample::assessment()) });
    assert!(effects.is_empty());
    assert!(!app.groups.is_empty());
}

#[test]
fn a_dead_node_is_failed_with_its_sentence_and_can_be_read_again() {
    let (mut app, _) = live(&["edge1", "edge2"]);
    tell(&mut app, 1, Progress::Done(Box::new(sample::dead("edge1"))));
    assert!(matches!(&app.nodes[0].state, State::Failed(why) if why.contains("refused the connection")));
    press(&mut app, "\t");
    let effects = press(&mut app, "r");
    let [Effect::Read { run: 2, visit }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(visit.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["edge1"]);
    assert!(press(&mut app, "r").is_empty(), "it is being read already");
    assert!(app.notice.as_deref().unwrap().contains("already"));
    done(&mut app, 1, "edge1");
    assert_eq!(app.nodes[0].state, State::Waiting, "what the first reading still says comes too late");
    done(&mut app, 2, "edge1");
    assert_eq!(app.nodes[0].state, State::Read);
}

#[test]
fn nodes_that_a_reading_forgets_are_failed_not_left_waiting() {
    let (mut app, _) = live(&["edge1", "edge2"]);
    let evidence = Evidence { nodes: vec![sample::node("edge2")], ..sample::evidence() };
    let effects = update(&mut app, Msg::Finished { run: 1, evidence: Box::new(evidence) });
    assert!(matches!(effects.as_slice(), [Effect::Assess { .. }]));
    assert!(matches!(app.nodes[0].state, State::Failed(_)));
    assert_eq!(app.nodes[1].state, State::Read);
}

#[test]
fn a_saved_document_cannot_be_read_again_and_says_so() {
    let mut app = sample::app(80, 24);
    assert!(press(&mut app, "R").is_empty());
    assert!(app.notice.as_deref().unwrap().contains("saved evidence"));
}

#[test]
fn from_section_to_finding_to_its_other_targets_and_back() {
    let mut app = sample::app(80, 24);
    press(&mut app, "4\n");
    let Some(Screen::Finding(detail)) = app.screen() else { panic!() };
    assert_eq!((detail.control.as_str(), detail.target.as_str()), ("kubelet-anonymous-auth", "node/edge1"));
    press(&mut app, "\t");
    let Some(Screen::Finding(detail)) = app.screen() else { panic!() };
    assert_eq!(detail.target, "node/edge2");
    press(&mut app, "hh");
    let Some(Screen::Finding(detail)) = app.screen() else { panic!() };
    assert_eq!(detail.target, "node/edge3", "round the end");
    press(&mut app, "n");
    let Some(Screen::Finding(detail)) = app.screen() else { panic!() };
    assert_eq!(detail.control, "sshd-root-login");
    press(&mut app, "NN");
    assert!(app.notice.as_deref().unwrap().contains("first control"));
    press(&mut app, "n\u{1b}");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert_eq!(list.cursor.at, 1, "the cursor followed");
    press(&mut app, "\u{1b}\u{1b}");
    assert!(matches!(app.screen(), Some(Screen::Overview(_))), "Escape never quits");
    assert!(matches!(press(&mut app, "q").as_slice(), [Effect::Quit(0)]));
}

#[test]
fn the_filter_works_while_typing_and_letters_are_no_commands_there() {
    let mut app = sample::app(80, 24);
    press(&mut app, "0/state:fail q");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert_eq!((list.query.as_str(), list.rows.len()), ("state:fail q", 1), "kubelet ... re(q)uests");
    press(&mut app, "\u{8}\n");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert!(!list.typing && list.rows.len() == 2);
    press(&mut app, "/\u{1b}");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert!(list.query.is_empty() && list.rows.len() == 8);
    press(&mut app, "o");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert_eq!(list.rows.len(), 2);
}

#[test]
fn new_findings_leave_the_cursor_on_its_control() {
    let mut app = sample::app(80, 24);
    press(&mut app, "0↓↓");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    let control = list.rows[list.cursor.at].control.clone();
    let mut better = sample::assessment();
    for finding in better.findings.iter_mut().filter(|finding| finding.control == "kubelet-anonymous-auth") {
        finding.verdict = crate::assess::Verdict::Pass;
    }
    let serial = app.serial;
    update(&mut app, Msg::Assessed { serial, assessment: Box::new(better) });
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert_eq!((list.rows[list.cursor.at].control.as_str(), list.cursor.at), (control.as_str(), 1));
}

#[test]
fn a_host_key_is_accepted_by_the_word_yes_alone() {
    let mut app = sample::app(80, 24);
    let _wait = ask(&mut app, host_key());
    assert_eq!(app.place(), Place::HostKey);
    assert!(press(&mut app, "\n\n").is_empty(), "Enter accepts nothing");
    assert!(press(&mut app, "y\n").is_empty());
    assert!(matches!(answers(press(&mut app, "es\n")).as_slice(), [Answer::Yes]));
    let _wait = ask(&mut app, host_key());
    assert!(matches!(answers(press(&mut app, "yes\u{1b}")).as_slice(), [Answer::No]));
    assert_eq!(app.place(), Place::Overview);
}

#[test]
fn a_host_key_that_cannot_be_read_whole_cannot_be_accepted() {
    let mut app = sample::app(30, 8);
    let _wait = ask(&mut app, host_key());
    assert!(press(&mut app, "yes\n").is_empty());
    update(&mut app, Msg::Resize(80, 24));
    assert!(matches!(answers(press(&mut app, "\n")).as_slice(), [Answer::Yes]));
}

#[test]
fn a_passphrase_goes_to_who_asked_and_debug_output_hides_it() {
    let mut app = sample::app(80, 24);
    let _first = ask(&mut app, Question::Passphrase { node: "edge1".into(), file: "/k".into(), again: false });
    let _second = ask(&mut app, host_key());
    assert!(press(&mut app, "\n").is_empty(), "an empty one is not tried");
    let effects = press(&mut app, "sq?/\n");
    assert!(!format!("{effects:?}").contains("sq?/"));
    let [Answer::Secret(secret)] = &answers(effects)[..] else { panic!() };
    assert_eq!(secret.as_str(), "sq?/");
    assert_eq!(app.place(), Place::HostKey, "the next question");
}

#[test]
fn a_password_goes_to_who_asked_and_is_used_for_others_by_the_word_yes_alone() {
    let mut app = sample::app(80, 24);
    let (node, user) = ("edge1".to_owned(), "ana".to_owned());
    let _one = ask(&mut app, Question::SudoPassword { node: node.clone(), user: user.clone(), again: false });
    assert_eq!(app.place(), Place::Password);
    assert!(press(&mut app, "\n").is_empty(), "an empty one is not tried");
    assert!(
        matches!(answers(press(&mut app, "hunter2\n")).as_slice(), [Answer::Secret(secret)] if **secret == "hunter2")
    );
    let reuse = || Question::Reuse { purpose: Purpose::Sudo, user: user.clone(), at: None, others: 2 };
    let _two = ask(&mut app, reuse());
    assert_eq!(app.place(), Place::Reuse);
    assert!(press(&mut app, "\ny\n").is_empty(), "no habit says yes");
    assert!(matches!(answers(press(&mut app, "es\n")).as_slice(), [Answer::Yes]));
    let _three = ask(&mut app, reuse());
    assert!(matches!(answers(press(&mut app, "\u{1b}")).as_slice(), [Answer::No]));
    let _four = ask(&mut app, Question::Prompt { node, user, text: "Press Enter".into(), echo: true, again: false });
    assert!(matches!(answers(press(&mut app, "\n")).as_slice(), [Answer::Secret(_)]), "a node may want nothing");
}

#[test]
fn when_the_screens_end_a_question_is_answered_by_nobody() {
    let mut app = sample::app(80, 24);
    let wait = ask(&mut app, host_key());
    drop(app);
    assert!(wait.recv().is_err());
}

#[test]
fn ctrl_c_quits_from_anywhere_and_signals_end_with_their_status() {
    let ctrl_c = Key { code: KeyCode::Char('c'), ctrl: true };
    for keys in ["", "0", "0/", "0\n", "?"] {
        let mut app = sample::app(80, 24);
        press(&mut app, keys);
        assert!(matches!(update(&mut app, Msg::Key(ctrl_c)).as_slice(), [Effect::Quit(0)]), "{keys}");
    }
    let mut app = sample::app(80, 24);
    let _wait = ask(&mut app, host_key());
    assert!(matches!(update(&mut app, Msg::Key(ctrl_c)).as_slice(), [Effect::Quit(0)]));
    assert!(matches!(update(&mut app, Msg::Signal(15)).as_slice(), [Effect::Quit(143)]));
    update(&mut app, Msg::Resize(3, 2));
    assert!(matches!(press(&mut app, "q").as_slice(), [Effect::Quit(0)]));
}

#[test]
fn a_defect_in_a_job_is_told_and_the_screens_go_on() {
    let (mut app, _) = live(&["edge1"]);
    update(&mut app, Msg::Defect(Job::Read(1)));
    assert_eq!(app.place(), Place::Trouble);
    assert!(matches!(app.nodes[0].state, State::Failed(_)));
    press(&mut app, "\n");
    assert_eq!(app.place(), Place::Overview);
}

#[test]
fn help_speaks_of_the_screen_it_was_asked_on() {
    let mut app = sample::app(80, 24);
    press(&mut app, "0?");
    assert!(matches!(app.screen(), Some(Screen::Help(Place::Controls, 0))));
    press(&mut app, "q");
    assert_eq!(app.place(), Place::Controls);
}

#[test]
fn any_keys_at_any_size_do_no_harm() {
    let keys = "?\u{1b}0↓↓G\n\t↓nNhq/x\u{8}\u{1b}osgk4\n\tGq\u{1b}\u{1b}\t\n?q\n\u{1b}qG\n↓?\u{1b}\n\nrR\u{1b}";
    for size in [(80, 24), (40, 12), (20, 6), (19, 5), (1, 1), (0, 0), (300, 100), (20, 200), (500, 6)] {
        let mut app = sample::site(size.0, size.1);
        for key in keys.chars() {
            press(&mut app, &key.to_string());
            let mut other = (size.1, size.0);
            update(&mut app, Msg::Resize(other.0, other.1));
            other = size;
            update(&mut app, Msg::Resize(other.0, other.1));
        }
    }
}
