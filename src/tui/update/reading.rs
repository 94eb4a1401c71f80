//! Reading cluster, nodes and ports, and assessing what was seen.

use super::super::app::{App, Source};
use super::super::msg::Effect;
use super::super::rows;
use super::super::target::{self, AtHand, Ports, State};
use super::{remedy, walk};
use crate::assess::Assessment;
use crate::evidence::{Evidence, NodeEvidence, SCHEMA};
use crate::visit::{Before, Progress, Visit, tool};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// Most warnings that are kept of a node.
const WARNINGS: usize = 50;

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// Names of nodes.
    pub(super) nodes: Vec<String>,
    /// The cluster.
    pub(super) cluster: bool,
    /// The ports, once the others are read.
    pub(super) ports: bool,
}

impl Wanted {
    /// Everything there is.
    pub(super) fn all(app: &App) -> Self {
        let nodes = app.nodes.iter().map(|node| node.name.clone()).collect();
        Wanted { nodes, cluster: true, ports: true }
    }

    /// What a key on the visible screen means.
    pub(super) fn at_hand(app: &App) -> Self {
        match app.at_hand() {
            Some(AtHand::Node(name)) if app.node(name).is_some() => {
                Wanted { nodes: vec![name.to_owned()], ..Wanted::default() }
            }
            // A node that the API alone shows is read with the cluster.
            Some(AtHand::Cluster | AtHand::Node(_)) => Wanted { cluster: true, ports: true, ..Wanted::default() },
            Some(AtHand::Ports) => Wanted { ports: true, ..Wanted::default() },
            None => Wanted::all(app),
        }
    }
}

/// Begins to read what is wanted, as far as it can be read and is not being read.
pub(super) fn read(app: &mut App, wanted: &Wanted) -> Vec<Effect> {
    if !app.live() {
        let how = "This is saved evidence. To read a site, start with --context, --node or --local.";
        app.notice = Some(how.to_owned());
        return Vec::new();
    }
    let run = app.run + 1;
    let mut targets = Vec::new();
    for node in app.nodes.iter_mut().filter(|node| wanted.nodes.contains(&node.name) && !node.state.pending()) {
        if let Some(target) = &node.target {
            targets.push(target.clone());
            node.state = State::Waiting;
            node.run = run;
            node.warnings.clear();
        }
    }
    let mut cluster = None;
    if let Some(known) = app.cluster.as_mut().filter(|known| wanted.cluster && !known.state.pending()) {
        cluster.clone_from(&known.visit);
        if cluster.is_some() {
            (known.state, known.run) = (State::Waiting, run);
            known.step.clear();
        }
    }
    let looked_at = app.ports.as_ref().is_some_and(|ports| ports.state.pending());
    let endpoints = wanted.ports && app.visit.endpoints && !looked_at;
    if endpoints {
        let asked = app.ports.as_ref().map_or(0, |ports| ports.asked);
        app.ports = Some(Ports { state: State::Waiting, asked, run });
    }
    if targets.is_empty() && cluster.is_none() && !endpoints {
        let nothing = app.nodes.is_empty() && app.cluster.is_none();
        app.notice = Some(if nothing { "There is nothing to read." } else { "It is being read already." }.into());
        return Vec::new();
    }
    app.run = run;
    let all = app.nodes.iter().filter_map(|node| node.target.clone()).collect();
    let before = app.evidence.clone().map(|evidence| Before { evidence, targets: all });
    vec![Effect::Read { run, visit: Box::new(Visit { targets, cluster, endpoints, before, ..app.visit.clone() }) }]
}

/// A target came a step further.
pub(super) fn progress(app: &mut App, run: u64, at: Timestamp, progress: Progress) -> Vec<Effect> {
    let (name, state) = match &progress {
        Progress::Connecting { node } | Progress::Asking { node } => (node, State::Connecting),
        Progress::Collecting { node } => (node, State::Reading),
        Progress::Warning { node, message } => return warned(app, run, node, message),
        Progress::Done(node) => (&node.name, self::state(node)),
        Progress::Cluster { .. } | Progress::ClusterDone(_) => return cluster(app, run, at, progress),
        Progress::Endpoints { .. } | Progress::EndpointsDone(_) => return ports(app, run, at, progress),
    };
    // What an earlier reading of this node, or of another site, still says comes too late.
    let Some(node) = app.nodes.iter_mut().find(|node| node.name == *name && node.run == run && node.state.pending())
    else {
        app.changed = false;
        return Vec::new();
    };
    node.state = state;
    match progress {
        Progress::Done(node) => {
            keep(app, *node, at);
            assess(app)
        }
        _ => Vec::new(),
    }
}

/// The cluster came a step further.
fn cluster(app: &mut App, run: u64, at: Timestamp, progress: Progress) -> Vec<Effect> {
    let Some(known) = app.cluster.as_mut().filter(|known| known.run == run && known.state.pending()) else {
        app.changed = false;
        return Vec::new();
    };
    match progress {
        Progress::Cluster { step } => {
            known.state = if step == "connecting" { State::Connecting } else { State::Reading };
            known.step = step;
            Vec::new()
        }
        Progress::ClusterDone(seen) => {
            known.state = target::of_cluster(&seen);
            known.step.clear();
            document(app, at).cluster = Some(*seen);
            assess(app)
        }
        _ => Vec::new(),
    }
}

/// Looking at the ports came a step further.
fn ports(app: &mut App, run: u64, at: Timestamp, progress: Progress) -> Vec<Effect> {
    let Some(known) = app.ports.as_mut().filter(|known| known.run == run && known.state.pending()) else {
        app.changed = false;
        return Vec::new();
    };
    match progress {
        Progress::Endpoints { ports } => {
            (known.state, known.asked) = (State::Reading, ports);
            Vec::new()
        }
        Progress::EndpointsDone(seen) => {
            (known.state, known.asked) = (State::Read, seen.len());
            document(app, at).endpoints = Some(seen);
            assess(app)
        }
        _ => Vec::new(),
    }
}

/// Something about the way to a node: said once now, and kept for the node's page.
fn warned(app: &mut App, run: u64, name: &str, message: &str) -> Vec<Effect> {
    match app.nodes.iter_mut().find(|node| node.name == name && node.run == run) {
        Some(node) if node.warnings.len() < WARNINGS => {
            node.warnings.push(message.to_owned());
            app.notice = Some(format!("{name}: {message}"));
        }
        _ => app.changed = false,
    }
    Vec::new()
}

/// All of a reading is done: what no progress told is taken from the document.
pub(super) fn finished(app: &mut App, run: u64, evidence: &Evidence) -> Vec<Effect> {
    app.changed = false;
    let left: Vec<String> = pending(app, run);
    let nodes = evidence.nodes.iter().filter(|node| left.contains(&node.name));
    let mut untold: Vec<Progress> = nodes.map(|node| Progress::Done(Box::new(node.clone()))).collect();
    if app.cluster.as_ref().is_some_and(|cluster| cluster.run == run && cluster.state.pending()) {
        untold.extend(evidence.cluster.clone().map(|seen| Progress::ClusterDone(Box::new(seen))));
    }
    if app.ports.as_ref().is_some_and(|ports| ports.run == run && ports.state.pending()) {
        match &evidence.endpoints {
            Some(seen) => untold.push(Progress::EndpointsDone(seen.clone())),
            // There was nothing to look at.
            None => {
                app.ports = None;
                app.changed = true;
            }
        }
    }
    let mut effects = Vec::new();
    for done in untold {
        effects.extend(progress(app, run, evidence.finished, done));
        app.changed = true;
    }
    abandon(app, run, "Nothing came back from it. Read it again with r.");
    effects
}

/// Gives up what a reading has not done.
pub(super) fn abandon(app: &mut App, run: u64, why: &str) {
    let nodes = app.nodes.iter_mut().map(|node| (node.run, &mut node.state));
    let cluster = app.cluster.iter_mut().map(|cluster| (cluster.run, &mut cluster.state));
    let ports = app.ports.iter_mut().map(|ports| (ports.run, &mut ports.state));
    for (_, state) in nodes.chain(cluster).chain(ports).filter(|(of, state)| *of == run && state.pending()) {
        *state = State::Failed(why.to_owned());
        app.changed = true;
    }
}

fn pending(app: &App, run: u64) -> Vec<String> {
    let nodes = app.nodes.iter().filter(|node| node.run == run && node.state.pending());
    nodes.map(|node| node.name.clone()).collect()
}

/// How a node stands by its evidence.
pub(super) fn state(node: &NodeEvidence) -> State {
    let why = |otherwise: &str| node.errors.first().map_or(otherwise.to_owned(), |error| error.message.clone());
    if !node.reached {
        State::Failed(why("It was not reached."))
    } else if !node.complete || !node.errors.is_empty() {
        State::Partly(why("Its answer did not come to its end. Read it again with r."))
    } else {
        State::Read
    }
}

/// The document that what is seen goes into.
fn document(app: &mut App, at: Timestamp) -> &mut Evidence {
    let document = app.evidence.get_or_insert_with(|| {
        Arc::new(Evidence {
            schema: SCHEMA.to_owned(),
            tool: tool(),
            started: at,
            finished: at,
            seat: app.visit.seat.clone(),
            site: app.visit.site.clone(),
            cluster: None,
            endpoints: None,
            nodes: Vec::new(),
        })
    });
    let document = Arc::make_mut(document);
    document.finished = at;
    document
}

/// Puts what was seen of a node into the document, in the order of the nodes.
fn keep(app: &mut App, node: NodeEvidence, at: Timestamp) {
    let named: HashMap<String, usize> = app.nodes.iter().map(|node| node.name.clone()).zip(0..).collect();
    let document = document(app, at);
    match document.nodes.iter_mut().find(|known| known.name == node.name) {
        Some(known) => *known = node,
        None => {
            let place = |node: &NodeEvidence| named.get(node.name.as_str()).copied();
            let at = document.nodes.iter().position(|known| place(known) > place(&node));
            document.nodes.insert(at.unwrap_or(document.nodes.len()), node);
        }
    }
}

/// Asks for an assessment; while one is under way, once more after it.
pub(super) fn assess(app: &mut App) -> Vec<Effect> {
    let Some(evidence) = &app.evidence else { return Vec::new() };
    if app.assessing {
        app.stale = true;
        return Vec::new();
    }
    app.serial += 1;
    app.assessing = true;
    // The made-up site does not grow old.
    let as_of = (app.source == Source::Demo).then_some(evidence.finished);
    vec![Effect::Assess { serial: app.serial, evidence: Arc::clone(evidence), as_of }]
}

/// Findings came.
pub(super) fn assessed(app: &mut App, serial: u64, assessment: Assessment) -> Vec<Effect> {
    if serial != app.serial {
        app.changed = false;
        return Vec::new();
    }
    app.assessing = false;
    app.groups = rows::group(&assessment);
    app.join(&assessment);
    app.assessment = Some(Arc::new(assessment));
    remedy::settle_marks(app);
    walk::refresh(app);
    if std::mem::take(&mut app.stale) { assess(app) } else { Vec::new() }
}
