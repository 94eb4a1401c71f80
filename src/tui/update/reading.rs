//! Reading nodes and assessing what was seen.

use super::super::app::{App, NodeState, Source};
use super::super::msg::Effect;
use super::super::rows;
use super::walk;
use crate::assess::Assessment;
use crate::evidence::{Evidence, NodeEvidence, SCHEMA};
use crate::visit::{Progress, Visit, tool};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// Most warnings that are kept of a node.
const WARNINGS: usize = 50;

/// Begins to read nodes, those of them that can be read and are not being read.
pub(super) fn read(app: &mut App, names: &[String]) -> Vec<Effect> {
    if !app.live() {
        let how = "This is saved evidence. To read nodes, start with --node or --local.";
        app.notice = Some(how.to_owned());
        return Vec::new();
    }
    let run = app.run + 1;
    let mut targets = Vec::new();
    for node in app.nodes.iter_mut().filter(|node| names.contains(&node.name) && !node.state.pending()) {
        if let Some(target) = &node.target {
            targets.push(target.clone());
            node.state = NodeState::Waiting;
            node.run = run;
            node.warnings.clear();
        }
    }
    if targets.is_empty() {
        app.notice =
            Some(if names.is_empty() { "There is no node to read." } else { "It is being read already." }.into());
        return Vec::new();
    }
    app.run = run;
    vec![Effect::Read { run, visit: Box::new(Visit { targets, ..app.visit.clone() }) }]
}

/// A node came a step further.
pub(super) fn progress(app: &mut App, run: u64, at: Timestamp, progress: Progress) -> Vec<Effect> {
    let (name, state) = match &progress {
        Progress::Connecting { node } | Progress::Asking { node } => (node, NodeState::Connecting),
        Progress::Collecting { node } => (node, NodeState::Reading),
        Progress::Warning { node, message } => return warned(app, run, node, message),
        Progress::Done(node) => (&node.name, self::state(node)),
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

/// All nodes of a reading are done: what no progress told is taken from the document.
pub(super) fn finished(app: &mut App, run: u64, evidence: &Evidence) -> Vec<Effect> {
    app.changed = false;
    let left: Vec<String> = pending(app, run);
    let mut effects = Vec::new();
    for node in evidence.nodes.iter().filter(|node| left.contains(&node.name)) {
        let done = Progress::Done(Box::new(node.clone()));
        effects = progress(app, run, evidence.finished, done).into_iter().chain(effects).collect();
        app.changed = true;
    }
    abandon(app, run, "Nothing came back from this node. Read it again with r.");
    effects
}

/// Gives up the nodes of a reading that are not done.
pub(super) fn abandon(app: &mut App, run: u64, why: &str) {
    for node in app.nodes.iter_mut().filter(|node| node.run == run && node.state.pending()) {
        node.state = NodeState::Failed(why.to_owned());
        app.changed = true;
    }
}

fn pending(app: &App, run: u64) -> Vec<String> {
    let nodes = app.nodes.iter().filter(|node| node.run == run && node.state.pending());
    nodes.map(|node| node.name.clone()).collect()
}

/// How a node stands by its evidence.
pub(super) fn state(node: &NodeEvidence) -> NodeState {
    let why = |otherwise: &str| node.errors.first().map_or(otherwise.to_owned(), |error| error.message.clone());
    if !node.reached {
        NodeState::Failed(why("It was not reached."))
    } else if !node.complete || !node.errors.is_empty() {
        NodeState::Partly(why("Its answer did not come to its end. Read it again with r."))
    } else {
        NodeState::Read
    }
}

/// Puts what was seen of a node into the document, in the order of the nodes.
fn keep(app: &mut App, node: NodeEvidence, at: Timestamp) {
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
    match document.nodes.iter_mut().find(|known| known.name == node.name) {
        Some(known) => *known = node,
        None => {
            let named: HashMap<&str, usize> = app.nodes.iter().map(|node| node.name.as_str()).zip(0..).collect();
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
    app.assessment = Some(Arc::new(assessment));
    walk::refresh(app);
    if std::mem::take(&mut app.stale) { assess(app) } else { Vec::new() }
}
