//! What the API shows of one node: its Node object, its kubelet's `/configz`, the static pods of its control plane.

use super::cluster::{Container, KubeNode, Pod};
use super::{ClusterEvidence, Fact, Gap, Reason, Unread};
use std::collections::HashMap;

/// The namespace in which the pods of the control plane are looked for: a tenant may name a pod of its own as it likes.
const NAMESPACE: &str = "kube-system";

/// What the API shows of one node.
#[derive(Debug, Clone)]
pub(super) struct Listed<'e> {
    /// The Node object.
    pub(super) node: &'e KubeNode,
    /// Its place in the list of nodes.
    number: usize,
    cluster: &'e ClusterEvidence,
    /// Pods of components on this node.
    pods: Vec<&'e Pod>,
}

/// What the API says of a component on a node.
#[derive(Debug, Clone)]
pub(super) enum Told<'e> {
    /// This pod is it.
    Pod(Instance<'e>),
    /// No pod of it is here.
    NoPod,
    /// It cannot be told.
    Unread(Gap),
}

/// The pod of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance<'e> {
    /// The pod.
    pub(super) pod: &'e Pod,
    /// The component's container. None where it is not told which one that is.
    pub(super) container: Option<&'e Container>,
}

/// Every node of a cluster as the API shows it, in the API's order.
pub(super) fn all(cluster: &ClusterEvidence) -> Vec<Listed<'_>> {
    let mut pods: HashMap<&str, Vec<&Pod>> = HashMap::new();
    for pod in &cluster.pods.items {
        if let Some(node) = pod.node.known()
            && (component(pod).is_some() || calls_itself(pod))
        {
            pods.entry(node).or_default().push(pod);
        }
    }
    let nodes = cluster.nodes.items.iter().enumerate();
    nodes
        .map(|(number, node)| Listed {
            node,
            number,
            cluster,
            pods: pods.get(node.name.as_str()).cloned().unwrap_or_default(),
        })
        .collect()
}

/// The component whose pod this is: a static pod of the control plane, or kube-proxy's.
fn component(pod: &Pod) -> Option<&str> {
    if pod.namespace != NAMESPACE {
        return None;
    }
    let proxy = || {
        let by_set = pod.owner_kind.known().is_some_and(|kind| kind == "DaemonSet");
        by_set && pod.containers.iter().any(|container| container.name == "kube-proxy")
    };
    match pod.component.as_str() {
        "kube-proxy" => Some("kube-proxy"),
        "" => proxy().then_some("kube-proxy"),
        named if pod.mirror => Some(named),
        _ => None,
    }
}

/// Whether it is a static pod beside the control plane's, that may call itself like one of them.
fn calls_itself(pod: &Pod) -> bool {
    pod.mirror && pod.namespace == NAMESPACE
}

impl<'e> Listed<'e> {
    /// What the API says of a component here.
    pub(super) fn component(&self, name: &str) -> Told<'e> {
        let mut found = self.pods.iter().filter(|pod| component(pod) == Some(name));
        match (found.next(), found.next()) {
            (None, _) if self.pods.iter().any(|pod| pod.containers.iter().any(|one| one.name == name)) => {
                Told::Unread(Gap::new(
                    Reason::NotVisible,
                    "a pod on this node calls itself so, and the node has no role of the control plane: whether it counts is not told",
                ))
            }
            (None, _) if self.cluster.pods.complete => Told::NoPod,
            (None, _) => Told::Unread(self.why("pods")),
            (Some(pod), None) => Told::Pod(Instance::of(pod, name)),
            (Some(_), Some(_)) => Told::Unread(Gap::new(
                Reason::NotVisible,
                "the API lists several pods of it on this node, and which one counts would be guessed",
            )),
        }
    }

    /// Whether the Node object has a label of this role, or of the control plane as such. None where the labels were not
    /// read.
    pub(super) fn has_role(&self, role: &str) -> Option<bool> {
        let label = format!("node-role.kubernetes.io/{role}");
        let labelled = match &self.node.labels {
            Fact::Known(labels) => labels.contains_key(&label),
            Fact::Absent => false,
            Fact::Unread => return None,
        };
        self.node.control_plane.known().map(|control_plane| labelled || *control_plane)
    }

    /// Whether it is a Windows node.
    pub(super) fn is_windows(&self) -> bool {
        self.node.operating_system.known().is_some_and(|system| system == "windows")
    }

    /// kube-proxy's configuration in the cluster, or why it is not known.
    pub(super) fn proxy_config(&self) -> Result<&'e super::cluster::ConfigMapText, Gap> {
        match &self.cluster.kube_proxy_config {
            Fact::Known(text) => Ok(text),
            Fact::Absent => Err(Gap::new(
                Reason::NotVisible,
                "the cluster has no ConfigMap kube-system/kube-proxy that would show it",
            )),
            Fact::Unread => Err(self.why("kube_proxy_config")),
        }
    }

    /// What could not be read of the Node object, with paths below it.
    pub(super) fn unread(&self) -> Vec<Unread> {
        let own = format!("nodes.{}", self.number);
        let below = |gap: &Unread| {
            let path = match gap.path.as_str() {
                "" | "nodes" => String::new(),
                path if path == own => String::new(),
                path => path.strip_prefix(&own)?.strip_prefix('.')?.to_owned(),
            };
            Some(Unread { path, ..gap.clone() })
        };
        self.cluster.unread.iter().filter_map(below).collect()
    }

    /// Why something of the Node object is missing.
    pub(super) fn why_own(&self, path: &str) -> Gap {
        why(self.cluster, &format!("nodes.{}.{path}", self.number))
    }

    /// Why something of the cluster is missing.
    fn why(&self, path: &str) -> Gap {
        why(self.cluster, path)
    }
}

/// Why something of the cluster is missing.
pub(super) fn why(cluster: &ClusterEvidence, path: &str) -> Gap {
    Gap::nearest(&cluster.unread, path)
}

impl<'e> Instance<'e> {
    fn of(pod: &'e Pod, name: &str) -> Self {
        let runs = |container: &&Container| {
            let command = container.command.known().and_then(|command| command.first());
            command.is_some_and(|first| first.rsplit('/').next() == Some(name))
        };
        let mains = || pod.containers.iter().filter(|container| container.kind == "container");
        let mut all = mains();
        let only = all.next().filter(|_| all.next().is_none());
        let container = mains().find(runs).or_else(|| mains().find(|container| container.name == name)).or(only);
        Instance { pod, container }
    }

    /// Its command line, where that begins with the component itself and not with a shell around it.
    pub(super) fn command(&self, name: &str) -> Option<&'e [String]> {
        let command = self.container?.command.known()?;
        let first = command.first()?;
        (first.rsplit('/').next() == Some(name)).then_some(command.as_slice())
    }

    /// Version in its image's tag.
    pub(super) fn version(&self) -> Option<String> {
        super::component::image_version(self.container?.image.known()?)
    }

    /// For the person: `static pod kube-system/etcd-node1`, and what its kubelet says of it where that is not `Running`.
    pub(super) fn named(&self) -> String {
        let kind = if self.pod.mirror { "static pod" } else { "pod" };
        match self.pod.phase.known().map(String::as_str) {
            None | Some("Running") => format!("{kind} {}", self.pod.name),
            Some(phase) => format!("{kind} {}, which the kubelet reports as {phase}", self.pod.name),
        }
    }
}
