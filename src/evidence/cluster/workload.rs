//! Workloads, services, checks and configuration that the API shows.

use super::super::{Fact, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A Deployment, DaemonSet or StatefulSet: how many of it there should be, and are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// For screens: `Deployment NAMESPACE/NAME`.
    pub name: String,
    /// `Deployment`, `DaemonSet`, `StatefulSet`.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name of the object.
    pub workload: String,
    /// How many pods there should be.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub desired: Fact<i64>,
    /// How many are ready.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub ready: Fact<i64>,
    /// Whether what the status says is about the spec of now (`observedGeneration`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub observed: Fact<bool>,
    /// Images of its containers.
    #[serde(default)]
    pub images: Vec<String>,
}

/// A port of a service that every node opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePort {
    /// Port of the service.
    pub port: i64,
    /// Port on the pods: a number or a name.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub target: Fact<String>,
    /// Port on every node. Absent where it has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub node_port: Fact<i64>,
    /// `TCP`, `UDP`.
    pub protocol: String,
}

/// A Service that nodes open to the outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// For screens: `NAMESPACE/NAME`.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// `NodePort`, `LoadBalancer`.
    pub kind: String,
    /// Ports.
    #[serde(default)]
    pub ports: Vec<ServicePort>,
    /// Its selector has a label by which control-plane components are found (`component`, `k8s-app`, `tier`), or it has no
    /// selector and stands for `kubernetes`: a way to the control plane. Where its EndpointSlices lead stands in those.
    #[serde(default)]
    pub control_plane: bool,
}

/// An EndpointSlice: where a service leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EndpointSlice {
    /// For screens: `NAMESPACE/NAME`.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// The service that it belongs to (label `kubernetes.io/service-name`); empty: none.
    #[serde(default)]
    pub service: String,
    /// Its ports.
    #[serde(default)]
    pub ports: Vec<i64>,
    /// Its addresses.
    #[serde(default)]
    pub targets: Vec<SliceTarget>,
}

/// One address of an EndpointSlice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SliceTarget {
    /// The address.
    pub address: String,
    /// Whether the slice says that it is a pod's.
    #[serde(default)]
    pub pod: bool,
}

/// Ports of etcd, the API server, kubelets, the controller-manager and the scheduler (kubernetes.io, "Ports and
/// Protocols"), and of the supervisor of k3s and RKE2, which hands out certificates (docs.rke2.io, "Requirements").
const CONTROL_PLANE: [i64; 7] = [2379, 2380, 6443, 9345, 10250, 10257, 10259];

impl EndpointSlice {
    /// Whether a port is usually one of the control plane's or a kubelet's.
    pub fn is_of_control_plane(port: i64) -> bool {
        CONTROL_PLANE.contains(&port)
    }
}

/// One line of `/readyz?verbose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadyCheck {
    /// Name: `etcd`, `kms-providers`.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
}

/// A structured text of a ConfigMap.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConfigText {
    /// For screens: `ConfigMap NAMESPACE/NAME, key KEY`.
    pub name: String,
    /// What it says. A missing key in here is a key that it does not set.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub document: Fact<Json>,
    /// When that key of the ConfigMap changed last, as the API server keeps account of it. Absent where it does not tell.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub changed: Fact<Timestamp>,
    /// Why `document` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}
