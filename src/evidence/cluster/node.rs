//! Nodes as the API lists them.

use super::super::{Fact, Gap, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One of a node's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeAddress {
    /// `InternalIP`, `ExternalIP`, `Hostname`.
    pub kind: String,
    /// The address or name.
    pub address: String,
}

/// One of a node's conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeCondition {
    /// `Ready`, `MemoryPressure`.
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// The kubelet's last word on it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub heartbeat: Fact<Timestamp>,
    /// Since when the status stands so, by the clock of who set it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub since: Fact<Timestamp>,
}

/// What the kubelet answers at `/configz`, asked through the API server: what it really runs with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Configz {
    /// The KubeletConfiguration with the kubelet's defaults filled in; a key that is missing is one that is unset.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub document: Fact<Json>,
    /// Why `document` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// A Node object, its security-relevant part.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KubeNode {
    /// Name.
    pub name: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub labels: Fact<BTreeMap<String, String>>,
    /// Those annotations by which a platform is recognised.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub annotations: Fact<BTreeMap<String, String>>,
    /// Addresses.
    #[serde(default)]
    pub addresses: Vec<NodeAddress>,
    /// `spec.providerID`. Absent where there is none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub provider_id: Fact<String>,
    /// Whether the node is cordoned.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub unschedulable: Fact<bool>,
    /// Conditions.
    #[serde(default)]
    pub conditions: Vec<NodeCondition>,
    /// Whether it has a label of a control-plane node (`node-role.kubernetes.io/control-plane`, or the older `master`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub control_plane: Fact<bool>,
    /// `nodeInfo.machineID`, as the node's `/etc/machine-id`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub machine_id: Fact<String>,
    /// `nodeInfo.osImage`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub os_image: Fact<String>,
    /// `nodeInfo.operatingSystem`: `linux`, `windows`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub operating_system: Fact<String>,
    /// `nodeInfo.architecture`: `amd64`, `arm64`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub architecture: Fact<String>,
    /// `nodeInfo.kernelVersion`; on Windows build and UBR: `10.0.20348.2700`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kernel: Fact<String>,
    /// `nodeInfo.containerRuntimeVersion`: `containerd://2.1.4`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub container_runtime: Fact<String>,
    /// `nodeInfo.kubeletVersion`: `v1.36.2`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kubelet_version: Fact<String>,
    /// What the kubelet runs with, as it says itself.
    #[serde(default)]
    pub configz: Configz,
}

impl KubeNode {
    /// Its condition `Ready`.
    pub fn ready(&self) -> Option<&NodeCondition> {
        self.conditions.iter().find(|condition| condition.kind == "Ready")
    }

    /// Why nothing that its kubelet said counts as what is now: the cluster no longer hears from it. None where it does,
    /// as far as the API tells.
    ///
    /// Kubernetes' node controller sets the status `Unknown` where neither status nor lease came in time
    /// (`pkg/controller/nodelifecycle/node_lifecycle_controller.go`, `tryUpdateNodeHealth`). The heartbeat is no measure of it:
    /// a kubelet that renews its lease may report its status minutes apart.
    pub fn silence(&self) -> Option<Gap> {
        let ready = self.ready().filter(|ready| ready.status == "Unknown")?;
        let since = ready.since.known().map(|since| format!(" since {}", since.strftime("%Y-%m-%dT%H:%M:%SZ")));
        let why = format!("the cluster has not heard from it{}", since.unwrap_or_default());
        Some(Gap::new(Reason::Unreachable, why))
    }
}
