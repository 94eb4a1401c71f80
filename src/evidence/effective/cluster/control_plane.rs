//! The control plane as far as it shows itself: where it runs, with which flags, whether Secrets are encrypted, its clock.

use super::super::super::{
    ClusterEvidence, Component, Evidence, Fact, Gap, NodeEvidence, Reading, Reason, Value, joined_nodes,
};
use super::super::apiserver::{K3S_ENCRYPTION, is_k3s_own};
use super::super::flags::{Flags, Takes};
use super::super::{Shape, gap_at};
use super::listed::{gap_of, text, truth};
use super::platform_table::platform;
use crate::evidence::cluster::Pod;
use std::collections::BTreeMap;

/// Components that make a node one of the control plane.
const COMPONENTS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];

/// What is known of the control plane.
pub(super) struct ControlPlane {
    /// Nodes on which it was seen, and how.
    nodes: BTreeMap<String, &'static str>,
    /// Why no node shows it.
    hidden: Gap,
    /// The flags of each API server that was seen.
    api_servers: Vec<Flags>,
    /// Why there may be API servers whose flags were not seen.
    gap: Option<Gap>,
}

impl ControlPlane {
    /// Reads it from the pods, and from the nodes that a channel looked at.
    pub(super) fn of(
        cluster: &ClusterEvidence,
        evidence: &Evidence,
        root: &Reading,
        platform_id: Option<&str>,
    ) -> Self {
        let mut nodes = BTreeMap::new();
        let (mut api_servers, mut gap) = (Vec::new(), gap_of(&cluster.pods, root, "pods"));
        for pod in
            cluster.pods.items.iter().filter(|pod| is_static(pod) && COMPONENTS.contains(&pod.component.as_str()))
        {
            let node = pod.node.known().map_or(pod.name.as_str(), String::as_str);
            nodes.insert(node.to_owned(), "by its static pods");
            if pod.component == "kube-apiserver" {
                match pod.containers.iter().find_map(|container| container.command.known()) {
                    Some(command) => api_servers.push(Flags::parse(command, |_| Takes::Unknown)),
                    None => gap = Some(Gap::new(Reason::NotVisible, "the command of an API server was not kept")),
                }
            }
        }
        for node in &evidence.nodes {
            let parts = [&node.kube_apiserver, &node.kube_controller_manager, &node.kube_scheduler, &node.etcd];
            if parts.iter().any(|part| shows_settings(part)) {
                nodes.entry(node.name.clone()).or_insert("by its processes");
            }
        }
        if api_servers.is_empty() {
            let seen = evidence.nodes.iter().filter_map(arguments);
            api_servers.extend(seen.map(|args| Flags::parse(args, |_| Takes::Unknown)));
            // Of other API servers nothing is known where neither pods nor the nodes of the control plane tell of them.
            if !api_servers.is_empty() {
                gap = gap
                    .or_else(|| (!cluster.pods.complete).then(|| gap_at(root, "pods")))
                    .or_else(|| gap_of(&cluster.nodes, root, "nodes"))
                    .or_else(|| unseen(evidence));
            }
        }
        let hidden = match gap_of(&cluster.pods, root, "pods") {
            Some(gap) => gap,
            None => Gap::new(Reason::NotVisible, why_hidden(platform_id)),
        };
        ControlPlane { nodes, hidden, api_servers, gap }
    }

    /// Why it does not show itself, where it does not.
    pub(super) fn why_hidden(&self) -> Gap {
        self.hidden.clone()
    }

    /// Whether any API server has a flag; an error where that cannot be told.
    pub(super) fn any_api_server_has(&self, flag: &str) -> Result<bool, Gap> {
        if self.api_servers.iter().any(|flags| flags.last(flag).is_some()) {
            return Ok(true);
        }
        self.all_seen().map(|()| false)
    }

    /// Whether all API servers have a flag; an error where that cannot be told.
    fn every_api_server_has(&self, flag: &str) -> Result<bool, Gap> {
        if self.api_servers.iter().any(|flags| flags.last(flag).is_none()) {
            return Ok(false);
        }
        self.all_seen().map(|()| true)
    }

    /// Whether the encryption configuration of any API server is that of k3s.
    fn any_encrypts_as_k3s(&self) -> bool {
        self.api_servers.iter().any(|flags| flags.last("encryption-provider-config").is_some_and(is_k3s_own))
    }

    /// An error where there may be an API server whose flags were not seen.
    fn all_seen(&self) -> Result<(), Gap> {
        match &self.gap {
            Some(gap) => Err(gap.clone()),
            None if self.api_servers.is_empty() => Err(self.hidden.clone()),
            None => Ok(()),
        }
    }

    /// The tree `control_plane`: `visible` (true, or unread with the reason), `nodes`, and `why` in words.
    pub(super) fn reading(&self) -> Reading {
        let visible =
            if self.nodes.is_empty() { Reading::new(Value::Unread(self.hidden.clone())) } else { truth(true) };
        let told: Vec<String> = self.nodes.iter().take(5).map(|(name, how)| format!("{name} {how}")).collect();
        let why = if told.is_empty() { self.hidden.detail.to_string() } else { told.join(", ") };
        let node =
            |(name, how): (&String, &&'static str)| Reading::map([("name", text(name.as_str())), ("how", text(*how))]);
        Reading::map([
            ("visible", visible),
            ("nodes", Reading::list(self.nodes.iter().map(node).collect(), None)),
            ("why", text(why)),
        ])
    }

    /// The tree `encryption`: whether Secrets are `at_rest` encrypted, as far as that shows, and `by` what.
    pub(super) fn encryption(&self, cluster: &ClusterEvidence, root: &Reading) -> Reading {
        let kms = cluster.ready_checks.items.iter().find(|check| check.name.starts_with("kms-provider"));
        let (at_rest, by) = match kms {
            Some(check) if check.ok => (Ok(true), "the check kms-providers of the API server is well"),
            Some(_) => (Ok(false), "the check kms-providers of the API server fails: its key service does not answer"),
            None => match self.every_api_server_has("encryption-provider-config") {
                Ok(true) if self.any_encrypts_as_k3s() => {
                    let gap = Gap::new(Reason::NotVisible, K3S_ENCRYPTION);
                    return Reading::map(
                        ["at_rest", "by"].map(|name| (name, Reading::new(Value::Unread(gap.clone())))),
                    );
                }
                Ok(true) => (Ok(true), "every API server has --encryption-provider-config"),
                Ok(false) => (Ok(false), "an API server has no --encryption-provider-config"),
                Err(gap) => (Err(gap), ""),
            },
        };
        let unread = |gap: Gap| Reading::new(Value::Unread(gap));
        match at_rest {
            Ok(at_rest) => {
                Reading::map([("at_rest", Reading::with_origin(Value::Bool(at_rest), by)), ("by", text(by))])
            }
            Err(gap) => {
                // That no check of a key service is listed proves nothing: other providers have none.
                let why = match gap_of(&cluster.ready_checks, root, "ready_checks") {
                    Some(_) => "neither its checks nor its flags could be seen",
                    None => "its flags cannot be seen, and that no key service is among its checks proves nothing",
                };
                let gap = Gap::new(gap.reason, format!("{why}: {}", gap.detail).trim_end_matches(": ").to_owned());
                Reading::map([("at_rest", unread(gap.clone())), ("by", unread(gap))])
            }
        }
    }
}

/// Whether a pod mirrors a static pod. Only in `kube-system`: elsewhere a tenant may call a pod of its own so.
pub(super) fn is_static(pod: &Pod) -> bool {
    pod.mirror && pod.namespace == "kube-system"
}

/// With which arguments the API server of a node runs.
fn arguments(node: &NodeEvidence) -> Option<&Vec<String>> {
    node.kube_apiserver.process.known().and_then(|process| process.args.known())
}

/// Which node of the control plane may run an API server that no channel saw.
fn unseen(evidence: &Evidence) -> Option<Gap> {
    joined_nodes(evidence).iter().find_map(|joined| {
        let may = joined.api?.control_plane != Fact::Known(false);
        let seen = arguments(&joined.node).is_some() || joined.node.kube_apiserver.exists == Fact::Known(false);
        (may && !seen).then(|| {
            let why = format!("the API server of {} was not seen: name that node with --node", joined.name);
            Gap::new(Reason::NotVisible, why)
        })
    })
}

/// Whether a node shows the settings of a component: its command line, or the manifest that starts it.
fn shows_settings(component: &Component) -> bool {
    let runs = component.exists == Fact::Known(true);
    let args = component.process.known().is_some_and(|process| process.args.known().is_some());
    let manifest = component.static_pod.known().is_some_and(|pod| pod.command.known().is_some());
    runs && (args || manifest)
}

/// Why a control plane does not show itself though all pods were read.
fn why_hidden(platform_id: Option<&str>) -> String {
    match platform_id.and_then(platform) {
        Some(platform) if platform.hosted => {
            format!("{}: the provider runs the control plane out of sight, and answers for it", platform.title)
        }
        Some(platform) if platform.podless => format!(
            "{} runs its control plane as processes and not in pods: name its server nodes with --node to see it",
            platform.title
        ),
        _ => "no pod of the control plane is among the pods: name its nodes with --node to see it".to_owned(),
    }
}

/// The API server's clock against this seat's, in seconds; positive where it is ahead. The scan lasted from `started` to
/// `finished`, and the clock was read in between: what lies between them is no difference.
pub(super) fn clock_skew(cluster: &ClusterEvidence, evidence: &Evidence, root: &Reading) -> Reading {
    let Fact::Known(clock) = &cluster.clock else {
        return Reading::new(Value::Unread(gap_at(root, "clock")));
    };
    // It tells whole seconds, cut.
    let (earliest, latest) = (evidence.started.as_second() - 1, evidence.finished.as_second() + 1);
    let clock = clock.as_second();
    let skew = if clock < earliest { clock - earliest } else { (clock - latest).max(0) };
    Reading::with_origin(Value::Int(skew), "the time that the API server answered with, against this seat's clock")
}

/// The shape of `control_plane`.
pub(super) fn shape() -> Shape {
    let nodes = Shape::List(Box::new(Shape::map([("name", Shape::Leaf), ("how", Shape::Leaf)])));
    Shape::map([("visible", Shape::Leaf), ("nodes", nodes), ("why", Shape::Leaf)])
}

/// The shape of `encryption`.
pub(super) fn encryption_shape() -> Shape {
    Shape::map([("at_rest", Shape::Leaf), ("by", Shape::Leaf)])
}

#[cfg(test)]
#[path = "control_plane_tests.rs"]
mod tests;
