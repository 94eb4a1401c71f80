//! Pods: what they may do, never what their environment holds.

use super::super::Fact;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Name.
    pub name: String,
    /// `container`, `init`, `ephemeral`.
    pub kind: String,
    /// Image.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub image: Fact<String>,
    /// `securityContext.privileged`. Absent where unset, as with all below.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub privileged: Fact<bool>,
    /// `allowPrivilegeEscalation`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub allow_privilege_escalation: Fact<bool>,
    /// `runAsNonRoot`, the pod's where the container has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub run_as_non_root: Fact<bool>,
    /// `runAsUser`, the pod's where the container has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub run_as_user: Fact<i64>,
    /// `capabilities.add`, upper case.
    #[serde(default)]
    pub capabilities_added: Vec<String>,
    /// `capabilities.drop`, upper case.
    #[serde(default)]
    pub capabilities_dropped: Vec<String>,
    /// `seccompProfile.type`, the pod's where the container has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub seccomp: Fact<String>,
    /// `windowsOptions.hostProcess`, the pod's where the container has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub host_process: Fact<bool>,
    /// `hostPort` of its ports.
    #[serde(default)]
    pub host_ports: Vec<i64>,
    /// Whether its environment takes values from Secrets.
    #[serde(default)]
    pub secrets_in_environment: bool,
    /// Command and arguments, secrets redacted. Kept of control-plane components alone; unread of all others.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub command: Fact<Vec<String>>,
    /// Names (not values) of environment variables. Kept of control-plane components alone.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub environment_names: Fact<Vec<String>>,
    /// Since when it runs, by its node's clock. Absent where it does not. Kept of control-plane components alone.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub started: Fact<Timestamp>,
}

/// A Pod object, its security-relevant part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Pod {
    /// For screens: `NAMESPACE/NAME`.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Node it runs on. Absent where it has none yet.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub node: Fact<String>,
    /// `status.phase`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub phase: Fact<String>,
    /// Kind of its controller: `ReplicaSet`, `DaemonSet`, `Node` (a static pod). Absent where nothing controls it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub owner_kind: Fact<String>,
    /// Whether it mirrors a static pod (annotation `kubernetes.io/config.mirror`, controlled by its Node).
    #[serde(default)]
    pub mirror: bool,
    /// Which control-plane component it is, by its image, container and mirror: `kube-apiserver`, `etcd`. Empty: none.
    #[serde(default)]
    pub component: String,
    /// When the API server made it. Kept of components alone; unread of all others.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub created: Fact<Timestamp>,
    /// Service account it runs as.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub service_account: Fact<String>,
    /// `automountServiceAccountToken`. Absent where unset.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub automount_token: Fact<bool>,
    /// `hostNetwork`.
    #[serde(default)]
    pub host_network: bool,
    /// `hostPID`.
    #[serde(default)]
    pub host_pid: bool,
    /// `hostIPC`.
    #[serde(default)]
    pub host_ipc: bool,
    /// Paths of its hostPath volumes.
    #[serde(default)]
    pub host_paths: Vec<String>,
    /// Containers, init containers and ephemeral containers.
    #[serde(default)]
    pub containers: Vec<Container>,
}
