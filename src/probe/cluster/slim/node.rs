//! Nodes.

use super::Item;
use super::parts::{All, Keep, Labels, Many, Meta, Text, Time, fact, text_fact};
use crate::evidence::Fact;
use crate::evidence::cluster::{Configz, KubeNode, NodeAddress, NodeCondition};
use serde::Deserialize;

/// Annotations by which a platform is recognised; others are not kept.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct Recognising;

impl Keep for Recognising {
    fn keeps(key: &str) -> bool {
        matches!(
            key,
            "node.aksedge.io/distro"
                | "rke.cattle.io/external-ip"
                | "rke.cattle.io/internal-ip"
                | "kubeadm.alpha.kubernetes.io/cri-socket"
        )
    }
}

/// A Node.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Node {
    metadata: Meta<Labels<All>, Labels<Recognising>>,
    #[serde(default)]
    spec: Option<Spec>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(rename = "providerID")]
    provider_id: Option<Text>,
    unschedulable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    addresses: Many<Address, 256>,
    #[serde(default)]
    conditions: Many<Condition, 256>,
    node_info: Option<Info>,
}

#[derive(Debug, Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: Text,
    address: Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    #[serde(default)]
    last_heartbeat_time: Time,
    #[serde(default)]
    last_transition_time: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(rename = "machineID")]
    machine_id: Option<Text>,
    os_image: Option<Text>,
    operating_system: Option<Text>,
    architecture: Option<Text>,
    kernel_version: Option<Text>,
    container_runtime_version: Option<Text>,
    kubelet_version: Option<Text>,
}

impl Item for Node {
    type Evidence = KubeNode;

    fn evidence(self) -> Option<KubeNode> {
        let (_, name) = self.metadata.split()?;
        let labels = self.metadata.labels.0;
        // The admission plugin NodeRestriction keeps kubelets from giving themselves labels of this prefix.
        let control_plane = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
            .iter()
            .any(|label| labels.contains_key(*label));
        let spec = self.spec.unwrap_or_default();
        // A kubelet fills the status in when it first speaks: before, nothing of it is known.
        let Status { addresses, conditions, node_info } = self.status.unwrap_or_default();
        let known = node_info.is_some();
        let info = node_info.unwrap_or_default();
        let of_info = |value: Option<Text>| if known { text_fact(value) } else { Fact::Unread };
        Some(KubeNode {
            name,
            labels: Fact::Known(labels),
            annotations: Fact::Known(self.metadata.annotations.0),
            addresses: addresses
                .0
                .into_iter()
                .map(|Address { kind, address }| NodeAddress { kind: kind.0, address: address.0 })
                .collect(),
            provider_id: text_fact(spec.provider_id),
            unschedulable: fact(Some(spec.unschedulable.unwrap_or(false))),
            conditions: conditions
                .0
                .into_iter()
                .map(|Condition { kind, status, last_heartbeat_time, last_transition_time }| NodeCondition {
                    kind: kind.0,
                    status: status.0,
                    heartbeat: last_heartbeat_time.0,
                    since: last_transition_time.0,
                })
                .collect(),
            control_plane: Fact::Known(control_plane),
            machine_id: of_info(info.machine_id),
            os_image: of_info(info.os_image),
            operating_system: of_info(info.operating_system),
            architecture: of_info(info.architecture),
            kernel: of_info(info.kernel_version),
            container_runtime: of_info(info.container_runtime_version),
            kubelet_version: of_info(info.kubelet_version),
            configz: Configz::default(),
        })
    }
}
