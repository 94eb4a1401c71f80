//! Azure Arc, as its agents leave it in the cluster.

use super::super::{Fact, Listing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which Azure resource the cluster is: not secret, and what fills the Azure commands that a person is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ArcIdentity {
    /// ARM id of the connected cluster.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub resource_id: Fact<String>,
    /// Subscription.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub subscription: Fact<String>,
    /// Resource group.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub resource_group: Fact<String>,
    /// Name of the resource.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub name: Fact<String>,
    /// Region.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub region: Fact<String>,
}

/// An ExtensionConfig (`extensionconfigs.clusterconfig.azure.com`); its parameters are never kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionConfig {
    /// Name of the extension.
    pub name: String,
    /// `spec.extensionType`, lower case: `microsoft.azuredefender.kubernetes`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<String>,
    /// `spec.version`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
    /// `spec.releaseTrain`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub release_train: Fact<String>,
    /// `spec.autoUpgradeMinorVersion`; where the field is missing it was read as false, as the agent reads it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub auto_upgrade: Fact<bool>,
    /// Whether the agent says that it is installed (`Successfully installed the extension`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub installed: Fact<bool>,
    /// `status.syncStatus.isSyncedWithAzure`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub synced: Fact<bool>,
    /// `status.syncStatus.lastSyncTime`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub last_sync: Fact<Timestamp>,
}

/// Azure Arc in this cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AzureArc {
    /// Whether the cluster is connected: namespace `azure-arc`, or its ConfigMap, or the CRD of connected clusters.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub connected: Fact<bool>,
    /// Which resource it is.
    #[serde(default)]
    pub identity: ArcIdentity,
    /// `AZURE_ARC_AUTOUPDATE`: whether the agents upgrade by themselves. Absent where the key is not there.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub auto_upgrade: Fact<bool>,
    /// `AZURE_ARC_AGENT_VERSION`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub agent_version: Fact<String>,
    /// Extensions.
    #[serde(default)]
    pub extensions: Listing<ExtensionConfig>,
}
