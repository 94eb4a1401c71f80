//! Which pods count as components of the control plane, seen together with the nodes that they run on.

use crate::evidence::{ClusterEvidence, Fact};
use std::collections::BTreeMap;

/// Takes the component from pods that run where no such component belongs. A kubelet may create mirror pods for its own
/// node: a worker that was taken over could show a control plane to its own liking. It cannot make its node one of the
/// control plane, since NodeRestriction keeps kubelets from setting labels of `node-role.kubernetes.io/`.
///
/// Where the nodes could not be read whole, the pods are believed: two of them then show, and both are judged.
pub(super) fn settle(evidence: &mut ClusterEvidence, nodes_complete: bool) {
    if !nodes_complete {
        return;
    }
    let nodes: BTreeMap<&str, (bool, bool)> = evidence
        .nodes
        .items
        .iter()
        .map(|node| {
            let labels = node.labels.known();
            // RKE2 has nodes for etcd alone.
            let etcd = labels.is_some_and(|labels| labels.contains_key("node-role.kubernetes.io/etcd"));
            (node.name.as_str(), (node.control_plane == Fact::Known(true), etcd))
        })
        .collect();
    for pod in evidence.pods.items.iter_mut().filter(|pod| !pod.component.is_empty()) {
        let place = pod.node.known().and_then(|node| nodes.get(node.as_str()).copied());
        let belongs = match (place, pod.component.as_str()) {
            (None, _) => false,
            (Some(_), "kube-proxy") => true,
            (Some((control_plane, etcd)), "etcd") => control_plane || etcd,
            (Some((control_plane, _)), _) => control_plane,
        };
        if !belongs {
            pod.component.clear();
            pod.mirror = pod.mirror && place.is_some();
            for container in &mut pod.containers {
                (container.command, container.environment_names) = (Fact::Unread, Fact::Unread);
            }
        }
    }
}
