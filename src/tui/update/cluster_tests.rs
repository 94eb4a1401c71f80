//! The cluster and the ports among what is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::evidence::Evidence;
use crate::kubeapi::ContextInfo;
use crate::site::ClusterTarget;
use crate::tui::app::{Screen, Source};
use crate::tui::sample::{self, press};
use crate::tui::target::State;
use crate::tui::theme::Theme;
use crate::visit::{ClusterVisit, Progress};
use jiff::Timestamp;

/// Screens with these contexts offered.
fn offered(names: &[&str]) -> App {
    let mut start = sample::start(&[], None);
    start.contexts = Ok(names.iter().map(|name| sample::context(name)).collect());
    open(start, (80, 24), Theme::PLAIN).0
}

/// A cluster that the command line named, and nodes.
fn live(targets: &[&str]) -> (App, Vec<Effect>) {
    let mut start = sample::start(targets, None);
    let target = ClusterTarget { context: Some("edge".to_owned()), ..ClusterTarget::default() };
    start.visit.cluster = Some(ClusterVisit::new(target));
    start.named = true;
    open(start, (80, 24), Theme::PLAIN)
}

fn tell(app: &mut App, run: u64, progress: Progress) -> Vec<Effect> {
    update(app, Msg::Progress { run, at: Timestamp::UNIX_EPOCH, progress })
}

fn cluster_done(app: &mut App, run: u64) -> Vec<Effect> {
    tell(app, run, Progress::ClusterDone(Box::new(sample::cluster("edge"))))
}

fn state(app: &App) -> State {
    app.cluster.as_ref().unwrap().state.clone()
}

#[test]
fn a_context_of_the_first_screen_is_read_at_once() {
    let mut app = offered(&["edge", "other"]);
    assert_eq!(app.place(), Place::Connect);
    let effects = press(&mut app, "2");
    let [Effect::Read { run: 1, visit }] = effects.as_slice() else { panic!("{effects:?}") };
    let target = &visit.cluster.as_ref().unwrap().target;
    assert_eq!((target.context.as_deref(), visit.targets.len(), visit.endpoints), (Some("other"), 0, true));
    assert!(matches!(app.screen(), Some(Screen::Overview(_))));
    assert_eq!(state(&app), State::Waiting);
}

#[test]
fn another_context_is_another_site_and_the_same_one_is_read_again() {
    let mut app = offered(&["edge", "other"]);
    press(&mut app, "1");
    cluster_done(&mut app, 1);
    press(&mut app, "q4root@edge1\n\n");
    assert_eq!((app.nodes.len(), app.cluster.is_some()), (1, true), "a node of the same site");
    press(&mut app, "q2");
    assert_eq!((app.nodes.len(), app.evidence.is_none()), (0, true));
    assert_eq!(app.cluster_name(), Some("other"));
    assert!(cluster_done(&mut app, 1).is_empty(), "what the first site's cluster still says comes too late");
    assert_eq!(state(&app), State::Waiting);
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_a_line_that_says_so() {
    let mut start = sample::start(&[], None);
    start.contexts = Err("kubeconfig /home/t/.kube/config line 3: it is no YAML. Correct it".to_owned());
    let (mut app, _) = open(start, (80, 24), Theme::PLAIN);
    assert!(press(&mut app, "1").is_empty());
    assert!(app.trouble.as_deref().unwrap().contains("line 3"));
    press(&mut app, "\n2");
    assert!(matches!(app.screen(), Some(Screen::Overview(_))), "the rest works");
}

#[test]
fn a_slow_api_holds_up_no_node_and_its_steps_are_told() {
    let (mut app, effects) = live(&["edge1"]);
    let [Effect::Read { visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(visit.cluster.is_some() && visit.targets.len() == 1);
    tell(&mut app, 1, Progress::Cluster { step: "connecting".to_owned() });
    assert_eq!(state(&app), State::Connecting);
    assert!(!tell(&mut app, 1, Progress::Done(Box::new(sample::node("edge1")))).is_empty(), "assessed at once");
    tell(&mut app, 1, Progress::Cluster { step: "reading pods".to_owned() });
    assert_eq!((state(&app), app.cluster.as_ref().unwrap().step.as_str()), (State::Reading, "reading pods"));
    cluster_done(&mut app, 1);
    assert_eq!(state(&app), State::Read);
    tell(&mut app, 1, Progress::Endpoints { ports: 20 });
    assert_eq!(app.ports.as_ref().unwrap().state, State::Reading);
    tell(&mut app, 1, Progress::EndpointsDone(sample::ports()));
    let evidence = app.evidence.as_ref().unwrap();
    assert!(evidence.cluster.is_some() && evidence.nodes.len() == 1 && evidence.endpoints.is_some());
}

#[test]
fn a_dead_api_is_failed_with_its_sentence() {
    let (mut app, _) = live(&[]);
    tell(&mut app, 1, Progress::ClusterDone(Box::new(sample::dead_cluster("edge"))));
    assert!(matches!(state(&app), State::Failed(why) if why.contains("does not answer")));
}

#[test]
fn reading_the_cluster_again_keeps_the_nodes_and_a_node_the_cluster() {
    let (mut app, _) = live(&["edge1"]);
    tell(&mut app, 1, Progress::Done(Box::new(sample::node("edge1"))));
    cluster_done(&mut app, 1);
    tell(&mut app, 1, Progress::EndpointsDone(sample::ports()));
    press(&mut app, "\t");
    let effects = press(&mut app, "r");
    let [Effect::Read { run: 2, visit }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(visit.cluster.is_some() && visit.targets.is_empty() && visit.endpoints);
    assert_eq!(visit.before.as_ref().unwrap().evidence.nodes.len(), 1, "its addresses still count");
    assert!(press(&mut app, "r").is_empty(), "it is being read already");
    cluster_done(&mut app, 2);
    tell(&mut app, 2, Progress::EndpointsDone(Vec::new()));
    press(&mut app, "↓");
    let effects = press(&mut app, "r");
    let [Effect::Read { run: 3, visit }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(visit.cluster.is_none() && visit.targets.len() == 1 && !visit.endpoints);
    tell(&mut app, 3, Progress::Done(Box::new(sample::node("edge1"))));
    let evidence = app.evidence.as_ref().unwrap();
    assert!(evidence.cluster.is_some() && evidence.endpoints.is_some());
    let effects = press(&mut app, "R");
    let [Effect::Read { visit, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(visit.cluster.is_some() && visit.targets.len() == 1 && visit.endpoints);
}

#[test]
fn what_no_progress_told_is_taken_from_the_document() {
    let (mut app, _) = live(&[]);
    let evidence = Evidence { nodes: Vec::new(), cluster: Some(sample::cluster("edge")), ..sample::evidence() };
    update(&mut app, Msg::Finished { run: 1, evidence: Box::new(evidence) });
    assert_eq!(state(&app), State::Read);
    assert!(app.ports.is_none(), "there was nothing to look at");
    let (mut app, _) = live(&[]);
    let evidence = Evidence { nodes: Vec::new(), ..sample::evidence() };
    update(&mut app, Msg::Finished { run: 1, evidence: Box::new(evidence) });
    assert!(matches!(state(&app), State::Failed(_)));
}

#[test]
fn every_target_has_its_page_and_the_page_its_controls() {
    let mut app = sample::site(80, 24);
    assert_eq!(app.source, Source::Saved(None));
    assert_eq!(app.entries(), 6, "the cluster, three nodes, one more of the API, the ports");
    press(&mut app, "\t\n");
    assert_eq!(app.place(), Place::Cluster);
    press(&mut app, "\n");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    let rows: Vec<&str> = list.rows.iter().map(|row| row.control.as_str()).collect();
    assert_eq!((list.query.as_str(), rows), ("at:cluster", vec!["few-cluster-admins"]));
    press(&mut app, "\u{1b}\u{1b}G\n");
    assert_eq!(app.place(), Place::Ports);
    press(&mut app, "\n");
    let Some(Screen::Controls(list)) = app.screen() else { panic!() };
    assert_eq!(list.rows[0].target, "endpoint/10.0.0.4:10250");
    press(&mut app, "\n\t");
    let Some(Screen::Finding(detail)) = app.screen() else { panic!() };
    assert_eq!(detail.target, "endpoint/10.0.0.4:6443");
}

#[test]
fn nodes_that_both_ways_show_are_one_line() {
    let app = sample::site(80, 24);
    assert_eq!(app.node("edge1").unwrap().listed.as_deref(), Some("cp-1"));
    assert_eq!(app.node("edge2").unwrap().listed, None);
    assert_eq!(app.listed.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["worker-9"]);
}

#[test]
fn a_context_without_a_server_is_offered_all_the_same() {
    let mut start = sample::start(&[], None);
    start.contexts = Ok(vec![ContextInfo { server: None, ..sample::context("broken") }]);
    let (mut app, _) = open(start, (80, 24), Theme::PLAIN);
    assert!(matches!(press(&mut app, "\n").as_slice(), [Effect::Read { .. }]), "connecting says why not");
}
