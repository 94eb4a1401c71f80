//! The pure function from evidence, catalog, lifecycle data, policy and a time to findings. A verdict is never guessed:
//! what was not read is `unknown` with its reason.

mod binding;
mod each;
mod evaluate;
mod finding;
mod judge;
mod shown;
mod workers;

#[cfg(test)]
mod assess_tests;
#[cfg(test)]
mod truth_tests;

pub use finding::{Assessment, Finding, ItemVerdict, SCHEMA, Shown, Summary, Target, TargetKind, Verdict};
pub use shown::value_in_words;

use crate::catalog::{Catalog, Conditions, Control, Scope as ControlScope, Severity};
use crate::evidence::{Evidence, Lifecycle, NodeEvidence, Policy, ProbeError, Reading, Reason};
use evaluate::Scope;
use jiff::Timestamp;
use judge::{Subject, judge};
use shown::Origin;

/// Judges evidence. Pure: the same five arguments give the same assessment, to the byte.
///
/// Every control that the policy leaves is asked of every target in its scope: site controls once, node controls of
/// every node. This version's evidence has no cluster and no endpoints, so controls of these scopes have no target yet.
pub fn assess(
    evidence: &Evidence,
    catalog: &Catalog,
    lifecycle: &Lifecycle,
    policy: &Policy,
    now: Timestamp,
) -> Assessment {
    let site = Reading::whole(&evidence.site);
    let numbers = Reading::whole(&policy.thresholds);
    let pairs = catalog.controls.iter().zip(catalog.conditions());
    let asked: Vec<(&Control, &Conditions)> =
        pairs.filter(|(control, _)| policy.asks(&control.id, control.section.as_str(), control.profile)).collect();

    let roots = vec![("site", &site), ("policy", &numbers)];
    let subject = Subject { target: "site", roots, origin: Origin { channel: None }, lost: None };
    let mut of_site = ask_all(&asked, ControlScope::Site, &subject, now).into_iter();
    let of_node = |node: &NodeEvidence| {
        let mut tree = Reading::of_node(node);
        let support = lifecycle.support(&tree.child("os"), now);
        tree.change("os", |os| os.insert("lifecycle", support));
        let roots = vec![("node", &tree), ("site", &site), ("policy", &numbers)];
        let origin = Origin { channel: Some(node.channel) };
        let subject = Subject { target: &format!("node/{}", node.name), roots, origin, lost: lost(node) };
        ask_all(&asked, ControlScope::Node, &subject, now).into_iter()
    };
    let mut of_nodes = workers::of_each(&evidence.nodes, of_node);

    // Controls are in the order of their sections; targets in that of the evidence.
    let mut findings = Vec::with_capacity(of_site.len() + of_nodes.iter().map(|of_node| of_node.len()).sum::<usize>());
    for (control, _) in &asked {
        match control.scope {
            ControlScope::Site => findings.extend(of_site.next()),
            ControlScope::Node => findings.extend(of_nodes.iter_mut().filter_map(Iterator::next)),
            ControlScope::Cluster | ControlScope::Endpoint => {}
        }
    }
    let targets = std::iter::once(site_target()).chain(evidence.nodes.iter().map(node_target)).collect();
    let summary = summary(&findings, &evidence.nodes);
    Assessment {
        schema: SCHEMA,
        tool: evidence.tool.clone(),
        site: evidence.site.clone(),
        seat: evidence.seat.clone(),
        operator: evidence.seat.user.clone(),
        profile: policy.profile,
        catalog_digest: catalog.digest.clone(),
        lifecycle_date: lifecycle.snapshot_date.clone(),
        platform: None,
        as_of: now,
        started: evidence.started,
        finished: evidence.finished,
        targets,
        findings,
        summary,
    }
}

/// What went wrong with a node that was not reached.
fn lost(node: &NodeEvidence) -> Option<ProbeError> {
    let unknown = || ProbeError {
        reason: Reason::Unreachable,
        message: "The node was not reached: look whether it is on, and whether this seat can reach it.".to_owned(),
    };
    (!node.reached).then(|| node.errors.first().cloned().unwrap_or_else(unknown))
}

/// Asks all controls of a scope of one target: a finding for each, in their order.
fn ask_all(
    asked: &[(&Control, &Conditions)],
    kind: ControlScope,
    subject: &Subject<'_>,
    now: Timestamp,
) -> Vec<Finding> {
    let mine = || asked.iter().filter(|(control, _)| control.scope == kind);
    // Lists are taken out of the evidence before anything is bound: what is bound borrows from them.
    let lists: Vec<Option<Reading>> = mine().map(|(control, _)| list(control, subject)).collect();
    let log = binding::Log::default();
    let scope = Scope::new(&subject.roots, &log, now);
    let with_lists = mine().zip(&lists);
    with_lists.map(|((control, conditions), list)| judge(control, conditions, subject, &scope, list.as_ref())).collect()
}

/// The list that a control's `each` names.
fn list(control: &Control, subject: &Subject<'_>) -> Option<Reading> {
    let (root, below) = control.each.as_deref()?.split_once('.')?;
    subject.roots.iter().find(|(name, _)| *name == root).map(|(_, reading)| reading.at(below))
}

fn site_target() -> Target {
    let (id, kind) = ("site".to_owned(), TargetKind::Site);
    Target { id, kind, channel: None, reached: true, complete: true, errors: Vec::new() }
}

fn node_target(node: &NodeEvidence) -> Target {
    Target {
        id: format!("node/{}", node.name),
        kind: TargetKind::Node,
        channel: Some(node.channel),
        reached: node.reached,
        complete: node.complete,
        errors: node.errors.clone(),
    }
}

fn summary(findings: &[Finding], nodes: &[NodeEvidence]) -> Summary {
    let count = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    // A gap at the empty path covers the whole node: its probe failed or was refused as such.
    let whole = |node: &NodeEvidence| !node.unread.iter().any(|gap| gap.path.is_empty());
    Summary {
        pass: count(Verdict::Pass),
        fail: count(Verdict::Fail),
        unknown: count(Verdict::Unknown),
        manual: count(Verdict::Manual),
        not_applicable: count(Verdict::NotApplicable),
        incomplete: !nodes.iter().all(|node| node.reached && node.complete && whole(node)),
    }
}

impl Assessment {
    /// Exit status: 1 where something failed at or above `fail_on`, else 3 where the scan is incomplete, else 0.
    pub fn exit_code(&self, fail_on: Severity) -> u8 {
        let failed = |finding: &Finding| finding.verdict == Verdict::Fail && finding.severity >= fail_on;
        match (self.findings.iter().any(failed), self.summary.incomplete) {
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        }
    }
}
