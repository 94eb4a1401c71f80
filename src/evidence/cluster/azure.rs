//! What Azure itself says of the cluster: the JSON of `az`, run where a person agreed, or pasted.

use super::super::{Fact, Listing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `az connectedk8s show`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConnectedCluster {
    /// ARM id.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub resource_id: Fact<String>,
    /// `connectivityStatus`: `Connected`, `Offline`, `Expired`, `Connecting`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub connectivity: Fact<String>,
    /// `kind`: `ProvisionedCluster` for AKS on Azure Local. Absent for others.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<String>,
    /// `agentVersion`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub agent_version: Fact<String>,
    /// `distribution`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub distribution: Fact<String>,
    /// `managedIdentityCertificateExpirationTime`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub certificate_expires: Fact<Timestamp>,
    /// `arcAgentProfile.agentAutoUpgrade`: `Enabled`, `Disabled`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub auto_upgrade: Fact<String>,
    /// `lastConnectivityTime`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub last_connectivity: Fact<Timestamp>,
}

/// `az aksarc show`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ProvisionedCluster {
    /// `properties.kubernetesVersion`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kubernetes_version: Fact<String>,
    /// `properties.clusterVmAccessProfile.authorizedIpRanges`. Absent where SSH to the nodes is not restricted.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub ssh_authorized_ranges: Fact<Vec<String>>,
    /// `properties.provisioningState`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub state: Fact<String>,
}

/// One version of `az aksarc get-upgrades`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureUpgrade {
    /// `1.33.7`.
    pub name: String,
    /// Whether it is a preview.
    #[serde(default)]
    pub preview: bool,
}

/// One of `az k8s-extension list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AzureExtension {
    /// Name.
    pub name: String,
    /// `extensionType`, lower case.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<String>,
    /// `autoUpgradeMinorVersion`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub auto_upgrade: Fact<bool>,
    /// `currentVersion`, else `version`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
    /// `provisioningState`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub state: Fact<String>,
}

/// What Azure says. Everything is unread (`not-visible`, with the command to run) where nobody asked it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Azure {
    /// The Arc resource.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub connected_cluster: Fact<ConnectedCluster>,
    /// The AKS cluster on Azure Local. Absent where the cluster is no such.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub provisioned_cluster: Fact<ProvisionedCluster>,
    /// Versions it can be upgraded to.
    #[serde(default)]
    pub upgrades: Listing<AzureUpgrade>,
    /// Extensions.
    #[serde(default)]
    pub extensions: Listing<AzureExtension>,
}
