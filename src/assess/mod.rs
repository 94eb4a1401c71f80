//! The pure function from evidence, catalog, lifecycle data, policy and a time to findings. A verdict is never guessed:
//! what was not read is `unknown` with its reason.

mod binding;
mod each;
mod evaluate;
mod finding;
mod judge;
mod shown;

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
    let site = Reading::from_json(&serde_json::to_value(&evidence.site).unwrap_or_default());
    let numbers = Reading::from_json(&serde_json::to_value(&policy.thresholds).unwrap_or_default());
    let pairs = catalog.controls.iter().zip(catalog.conditions());
    let asked: Vec<(usize, &Control, &Conditions)> = pairs
        .enumerate()
        .map(|(place, (control, conditions))| (place, control, conditions))
        .filter(|(_, control, _)| policy.asks(&control.id, control.section.as_str(), control.profile))
        .collect();

    let mut targets = vec![site_target()];
    let mut found: Vec<(usize, usize, Finding)> = Vec::new();
    let roots = vec![("site", &site), ("policy", &numbers)];
    let origin = Origin { channel: None };
    let subject = Subject { target: "site", roots, origin, lost: None };
    ask_all(&asked, ControlScope::Site, &subject, now, 0, &mut found);

    for (index, node) in evidence.nodes.iter().enumerate() {
        let target = node_target(node);
        let mut tree = Reading::of_node(node);
        let support = lifecycle.support(&tree.child("os"), now);
        tree.change("os", |os| os.insert("lifecycle", support));
        let lost = (!node.reached).then(|| {
            node.errors.first().cloned().unwrap_or(ProbeError {
                reason: Reason::Unreachable,
                message: "The node was not reached: look whether it is on, and whether this seat can reach it."
                    .to_owned(),
            })
        });
        let roots = vec![("node", &tree), ("site", &site), ("policy", &numbers)];
        let origin = Origin { channel: Some(node.channel) };
        let subject = Subject { target: &target.id, roots, origin, lost };
        ask_all(&asked, ControlScope::Node, &subject, now, index + 1, &mut found);
        targets.push(target);
    }

    // Controls are in the order of their sections; targets in that of the evidence.
    found.sort_by_key(|(control, target, _)| (*control, *target));
    let findings: Vec<Finding> = found.into_iter().map(|(_, _, finding)| finding).collect();
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

/// Asks all controls of a scope of one target.
fn ask_all(
    asked: &[(usize, &Control, &Conditions)],
    kind: ControlScope,
    subject: &Subject<'_>,
    now: Timestamp,
    target: usize,
    found: &mut Vec<(usize, usize, Finding)>,
) {
    let mine = || asked.iter().filter(|(_, control, _)| control.scope == kind);
    // Lists are taken out of the evidence before anything is bound: what is bound borrows from them.
    let lists: Vec<Option<Reading>> = mine().map(|(_, control, _)| list(control, subject)).collect();
    let log = binding::Log::default();
    let scope = Scope::new(&subject.roots, &log, now);
    for ((place, control, conditions), list) in mine().zip(&lists) {
        found.push((*place, target, judge(control, conditions, subject, &scope, list.as_ref())));
    }
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
