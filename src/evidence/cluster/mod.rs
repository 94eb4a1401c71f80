//! The cluster, as its API shows it: plain data, without the fields that no control asks for.

mod access;
mod arc;
mod azure;
mod node;
mod pod;
mod workload;

#[cfg(test)]
pub(crate) mod sample;

pub use access::{
    Admission, Binding, Caller, Denied, Namespace, NetworkPolicy, PolicyRule, Role, ServiceAccount, SigningRequest,
    Subject,
};
pub use arc::{ArcIdentity, AzureArc, ExtensionConfig};
pub use azure::{Azure, AzureExtension, AzureUpgrade, ConnectedCluster, ProvisionedCluster};
pub use node::{Configz, KubeNode, NodeAddress, NodeCondition};
pub use pod::{Container, Pod};
pub use workload::{
    ConfigText as ConfigMapText, EndpointSlice, ReadyCheck, Service, ServicePort, SliceTarget, Workload,
};

use super::{Fact, Listing, ProbeError, Reason, Unread};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API server's version (`/version`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterVersion {
    /// `v1.36.2`, `v1.33.4+k3s1`.
    pub git: String,
    /// `linux/amd64`. Absent where the server does not say.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub platform: Fact<String>,
}

/// Everything that was seen of the cluster through its API.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClusterEvidence {
    /// Name of the kubeconfig context, or `in-cluster`.
    pub context: String,
    /// URL of the API server as the kubeconfig has it, never with credentials.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub server: Fact<String>,
    /// Whether the API server answered us as somebody it knows.
    pub reached: bool,
    /// Whether the probe came to its end, and no list was refused or lost on the way.
    pub complete: bool,
    /// What went wrong with the cluster as a whole.
    #[serde(default)]
    pub errors: Vec<ProbeError>,
    /// The API server's clock when it first answered (its `Date` header, in whole seconds).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub clock: Fact<Timestamp>,
    /// What stands between this seat and the API server and ends its TLS: `az connectedk8s proxy`, `kubectl proxy`.
    /// Absent where nothing does, as far as the kubeconfig tells.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub proxy: Fact<String>,
    /// Whether the API server proved by its certificate who it is. False where the kubeconfig says `insecure-skip-tls-verify`, or
    /// plain HTTP: then whoever answered was believed.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub verified: Fact<bool>,
    /// uid of the namespace `kube-system`: the cluster's identity where it is not connected to Azure.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub uid: Fact<String>,
    /// The API server's version.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<ClusterVersion>,
    /// As whom the API server knows us.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub caller: Fact<Caller>,
    /// What this probe wanted to read and the caller may not, by SelfSubjectRulesReview and by what was refused.
    #[serde(default)]
    pub denied: Listing<Denied>,
    /// Checks of `/readyz?verbose`.
    #[serde(default)]
    pub ready_checks: Listing<ReadyCheck>,
    /// Nodes.
    #[serde(default)]
    pub nodes: Listing<KubeNode>,
    /// Namespaces.
    #[serde(default)]
    pub namespaces: Listing<Namespace>,
    /// Pods.
    #[serde(default)]
    pub pods: Listing<Pod>,
    /// Deployments, DaemonSets and StatefulSets.
    #[serde(default)]
    pub workloads: Listing<Workload>,
    /// Services of type NodePort and LoadBalancer.
    #[serde(default)]
    pub services: Listing<Service>,
    /// EndpointSlices that lead to a port of the control plane, or to something that is no pod.
    #[serde(default)]
    pub endpoint_slices: Listing<EndpointSlice>,
    /// Service accounts.
    #[serde(default)]
    pub service_accounts: Listing<ServiceAccount>,
    /// Roles and ClusterRoles.
    #[serde(default)]
    pub roles: Listing<Role>,
    /// RoleBindings and ClusterRoleBindings.
    #[serde(default)]
    pub bindings: Listing<Binding>,
    /// NetworkPolicies.
    #[serde(default)]
    pub network_policies: Listing<NetworkPolicy>,
    /// CertificateSigningRequests.
    #[serde(default)]
    pub signing_requests: Listing<SigningRequest>,
    /// Webhook configurations and ValidatingAdmissionPolicies.
    #[serde(default)]
    pub admission: Listing<Admission>,
    /// Names of CustomResourceDefinitions.
    #[serde(default)]
    pub custom_resources: Listing<String>,
    /// Names of CSIDrivers.
    #[serde(default)]
    pub csi_drivers: Listing<String>,
    /// kube-proxy's configuration, from the ConfigMap `kube-system/kube-proxy`. Absent where there is none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kube_proxy_config: Fact<ConfigMapText>,
    /// Whether the ConfigMap `kube-system/kubeadm-config` exists.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kubeadm_config: Fact<bool>,
    /// Whether the ConfigMap `aksedge/aksedge` exists.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub aksedge_config: Fact<bool>,
    /// Azure Arc.
    #[serde(default)]
    pub arc: AzureArc,
    /// What Azure itself says, where somebody asked it.
    #[serde(default)]
    pub azure: Azure,
    /// The platform that the person named in the site file; it wins over what is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_said: Option<String>,
    /// What could not be read, and why.
    #[serde(default)]
    pub unread: Vec<Unread>,
}

impl ClusterEvidence {
    /// A cluster of which nothing has been read: not reached, every fact unread. `reason` and `message` say why.
    pub fn unread(context: &str, reason: Reason, message: &str) -> Self {
        ClusterEvidence {
            context: context.to_owned(),
            errors: vec![ProbeError { reason, message: message.to_owned() }],
            unread: vec![Unread { path: String::new(), reason, detail: message.to_owned() }],
            ..ClusterEvidence::default()
        }
    }
}
