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
mod cluster_cases;
#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod truth_tests;
#[cfg(test)]
mod unseen_tests;

pub use finding::{
    Assessment, ClusterSummary, Finding, ItemVerdict, SCHEMA, Shown, Summary, Target, TargetKind, Verdict,
};
pub use shown::value_in_words;

use crate::catalog::{Catalog, Control, Scope as ControlScope, Severity};
use crate::evidence::{
    ChannelKind, ClusterEvidence, EndpointEvidence, Evidence, JoinedNode, Lifecycle, Policy, ProbeError, Reading,
    Reason, SiteIdentity, Unread, Value, answering, joined_nodes,
};
use evaluate::Scope;
use jiff::Timestamp;
use judge::{Asked, Subject, judge};
use shown::Origin;
use std::collections::BTreeSet;

/// Judges evidence. Pure: the same five arguments give the same assessment, to the byte.
///
/// Every control that the policy leaves is asked of every target in its scope: site controls once, cluster controls of
/// the cluster where its API was asked, node controls of every node, endpoint controls of every port that was looked at.
pub fn assess(
    evidence: &Evidence,
    catalog: &Catalog,
    lifecycle: &Lifecycle,
    policy: &Policy,
    now: Timestamp,
) -> Assessment {
    let site = Reading::whole(&evidence.site);
    let numbers = Reading::whole(&policy.thresholds);
    let mut cluster = Reading::of_cluster(evidence);
    lifecycle.add_to_cluster(&mut cluster, now);
    let pairs = catalog.controls.iter().zip(catalog.conditions());
    let asked: Vec<Asked<'_>> = pairs
        .filter(|(control, _)| policy.asks(&control.id, control.section.as_str(), control.profile))
        .map(|(control, conditions)| Asked::of(control, conditions))
        .collect();
    let common = [("cluster", &cluster), ("site", &site), ("policy", &numbers)];

    let roots = vec![("site", &site), ("policy", &numbers)];
    let subject = Subject { target: "site", roots, origin: Origin { channel: None }, lost: None };
    let mut of_site = ask_all(&asked, ControlScope::Site, &subject, now).into_iter();

    let mut of_cluster = evidence
        .cluster
        .as_ref()
        .map(|seen| {
            let origin = Origin { channel: Some(ChannelKind::Api) };
            let lost = lost(seen.reached, &seen.errors, "The cluster's API was not reached: look at the way to it.");
            let subject = Subject { target: "cluster", roots: common.to_vec(), origin, lost };
            ask_all(&asked, ControlScope::Cluster, &subject, now)
        })
        .unwrap_or_default()
        .into_iter();

    let nodes = joined_nodes(evidence);
    let of_node = |joined: &JoinedNode<'_>| {
        let mut tree = joined.reading(evidence);
        let support = lifecycle.support(&tree.child("os"), now);
        tree.change("os", |os| os.insert("lifecycle", support));
        let mut roots = vec![("node", &tree)];
        roots.extend(common);
        let node = &joined.node;
        let origin = Origin { channel: Some(node.channel) };
        let why = "The node was not reached: look whether it is on, and whether this seat can reach it.";
        // What the API shows of a node is known even where the node itself was not reached.
        let lost = if joined.api.is_some() { None } else { lost(node.reached, &node.errors, why) };
        let subject = Subject { target: &format!("node/{}", joined.name), roots, origin, lost };
        ask_all(&asked, ControlScope::Node, &subject, now).into_iter()
    };
    let mut of_nodes = workers::of_each(&nodes, of_node);

    let endpoints = evidence.endpoints.as_deref().unwrap_or_default();
    let of_endpoint = |endpoint: &EndpointEvidence| {
        let tree = Reading::of_endpoint(endpoint, evidence);
        let mut roots = vec![("endpoint", &tree)];
        roots.extend(common);
        let target = format!("endpoint/{}", endpoint.name);
        let subject = Subject { target: &target, roots, origin: Origin { channel: None }, lost: None };
        ask_all(&asked, ControlScope::Endpoint, &subject, now).into_iter()
    };
    let mut of_endpoints = workers::of_each(endpoints, of_endpoint);

    // Controls are in the order of their sections; targets in that of the evidence.
    let mut findings = Vec::new();
    for Asked { control, .. } in &asked {
        match control.scope {
            ControlScope::Site => findings.extend(of_site.next()),
            ControlScope::Cluster => findings.extend(of_cluster.next()),
            ControlScope::Node => findings.extend(of_nodes.iter_mut().filter_map(Iterator::next)),
            ControlScope::Endpoint => findings.extend(of_endpoints.iter_mut().filter_map(Iterator::next)),
        }
    }
    let answering = answering(endpoints);
    let targets: Vec<Target> = std::iter::once(site_target())
        .chain(evidence.cluster.iter().map(cluster_target))
        .chain(nodes.iter().map(node_target))
        .chain(endpoints.iter().map(|endpoint| endpoint_target(endpoint, &answering)))
        .collect();
    let summary = summary(&findings, incomplete(evidence, &nodes));
    Assessment {
        schema: SCHEMA,
        tool: evidence.tool.clone(),
        site: evidence.site.clone(),
        identity: SiteIdentity::of(evidence),
        cluster: evidence.cluster.as_ref().map(|seen| ClusterSummary::of(seen, &cluster)),
        seat: evidence.seat.clone(),
        operator: evidence.seat.user.clone(),
        profile: policy.profile,
        catalog_digest: catalog.digest.clone(),
        lifecycle_date: lifecycle.snapshot_date.clone(),
        platform: platform(&cluster),
        as_of: now,
        started: evidence.started,
        finished: evidence.finished,
        targets,
        findings,
        summary,
    }
}

/// The platform's id, where it was recognised or said.
fn platform(cluster: &Reading) -> Option<String> {
    match cluster.at("platform.id").value {
        Value::Text(id) => Some(id.to_string()),
        _ => None,
    }
}

/// What went wrong with a target that was not reached; `otherwise` where nobody says.
fn lost(reached: bool, errors: &[ProbeError], otherwise: &str) -> Option<ProbeError> {
    let unknown = || ProbeError { reason: Reason::Unreachable, message: otherwise.to_owned() };
    (!reached).then(|| errors.first().cloned().unwrap_or_else(unknown))
}

/// Asks all controls of a scope of one target: a finding for each, in their order.
fn ask_all(asked: &[Asked<'_>], kind: ControlScope, subject: &Subject<'_>, now: Timestamp) -> Vec<Finding> {
    let mine = || asked.iter().filter(|asked| asked.control.scope == kind);
    // Lists are taken out of the evidence before anything is bound: what is bound borrows from them.
    let lists: Vec<Option<Reading>> = mine().map(|asked| list(asked.control, subject)).collect();
    let log = binding::Log::default();
    let scope = Scope::new(&subject.roots, &log, now);
    let mut whens = judge::Whens::default();
    let with_lists = mine().zip(&lists);
    with_lists.map(|(asked, list)| judge(asked, subject, &scope, list.as_ref(), &mut whens)).collect()
}

/// The list that a control's `each` names.
fn list(control: &Control, subject: &Subject<'_>) -> Option<Reading> {
    let (root, below) = control.each.as_deref()?.split_once('.')?;
    subject.roots.iter().find(|(name, _)| *name == root).map(|(_, reading)| reading.at(below))
}

fn site_target() -> Target {
    let (id, kind) = ("site".to_owned(), TargetKind::Site);
    Target { id, kind, channel: None, kubernetes: None, reached: true, complete: true, errors: Vec::new() }
}

fn cluster_target(cluster: &ClusterEvidence) -> Target {
    Target {
        id: "cluster".to_owned(),
        kind: TargetKind::Cluster,
        channel: Some(ChannelKind::Api),
        kubernetes: None,
        reached: cluster.reached,
        complete: cluster.complete,
        errors: cluster.errors.clone(),
    }
}

fn node_target(joined: &JoinedNode<'_>) -> Target {
    let node = &joined.node;
    Target {
        id: format!("node/{}", joined.name),
        kind: TargetKind::Node,
        channel: Some(node.channel),
        kubernetes: joined.api.map(|api| api.name.clone()),
        reached: node.reached,
        complete: node.complete,
        errors: node.errors.clone(),
    }
}

fn endpoint_target(endpoint: &EndpointEvidence, answering: &BTreeSet<&str>) -> Target {
    let (id, kind) = (format!("endpoint/{}", endpoint.name), TargetKind::Endpoint);
    Target {
        id,
        kind,
        channel: None,
        kubernetes: None,
        reached: is_reached(endpoint, answering),
        complete: was_looked_at(endpoint),
        errors: Vec::new(),
    }
}

fn summary(findings: &[Finding], incomplete: bool) -> Summary {
    let count = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    Summary {
        pass: count(Verdict::Pass),
        fail: count(Verdict::Fail),
        unknown: count(Verdict::Unknown),
        manual: count(Verdict::Manual),
        not_applicable: count(Verdict::NotApplicable),
        incomplete,
    }
}

/// Whether a port's turn came; what it answered is another matter.
fn was_looked_at(endpoint: &EndpointEvidence) -> bool {
    !endpoint.unread.iter().any(|gap| gap.path.is_empty())
}

/// Whether this seat came as far as a port: it answered, or another port of its address did, so that the silence is the
/// port's own. Where all are silent nobody knows whether anything is there at all. A port without an address was not tried.
fn is_reached(endpoint: &EndpointEvidence, answering: &BTreeSet<&str>) -> bool {
    endpoint.answered() || endpoint.address.known().is_none_or(|address| answering.contains(address.as_str()))
}

/// Whether a target that was asked for was not reached, or its answer as a whole was cut or refused; or the cluster lists a
/// node and hears nothing from it; or nothing answered at the address of a node that nobody else saw either.
pub fn is_incomplete(evidence: &Evidence) -> bool {
    incomplete(evidence, &joined_nodes(evidence))
}

fn incomplete(evidence: &Evidence, joined: &[JoinedNode<'_>]) -> bool {
    // A gap at the empty path covers the whole target: its probe failed or was refused as such.
    let whole = |unread: &[Unread]| !unread.iter().any(|gap| gap.path.is_empty());
    let nodes = evidence.nodes.iter().all(|node| whole(&node.unread))
        && joined.iter().all(|joined| joined.node.reached && joined.node.complete);
    let cluster = evidence.cluster.as_ref();
    let cluster = cluster.is_none_or(|cluster| cluster.reached && cluster.complete && whole(&cluster.unread));
    let endpoints = evidence.endpoints.as_deref().unwrap_or_default();
    let answering = answering(endpoints);
    // A node that was read is there, whatever this seat cannot reach of it: behind a jump host that is as it should be.
    let is_read = |name: &String| evidence.nodes.iter().any(|node| node.name == *name && node.reached);
    let there = |port: &EndpointEvidence| port.node.known().is_some_and(is_read) || is_reached(port, &answering);
    let endpoints = endpoints.iter().all(|port| was_looked_at(port) && there(port));
    !nodes || !cluster || !endpoints
}

impl Assessment {
    /// How a control stands at a target. `cluster` means its nodes too, where a control is judged at each of them: the worst
    /// of them counts. None where nothing was judged there.
    pub fn verdict(&self, control: &str, target: &str) -> Option<Verdict> {
        let there = |at: &str| at == target || (target == "cluster" && at.starts_with("node/"));
        let own = self.findings.iter().filter(|finding| finding.control == control && there(&finding.target));
        own.map(|finding| finding.verdict).min()
    }

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
