//! Kubernetes components that run on a node: the process, the files that it names, the static pod it comes from.

use super::{Fact, Listing, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A process as `/proc` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Process id on the node.
    pub pid: i64,
    /// Effective user id.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub uid: Fact<i64>,
    /// Path of the executable, as the kernel names it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub exe: Fact<String>,
    /// Command line, secrets redacted.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub args: Fact<Vec<String>>,
    /// systemd unit or container scope that it belongs to, from its cgroup.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub unit: Fact<String>,
    /// When it was started, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub started: Fact<Timestamp>,
    /// Whether it runs in a container (its own pid or mount namespace).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub container: Fact<bool>,
    /// For a process that only calls itself like the component: why it does not count. Empty for one that counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rejected: String,
}

/// A structured configuration file (YAML or JSON) that a component names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigFile {
    /// Absolute path on the node.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hex.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub sha256: Fact<String>,
    /// When it last changed, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub modified: Fact<Timestamp>,
    /// What it says. A missing key in here is a key that the file does not set.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub document: Fact<Json>,
    /// Why `document` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// A static pod manifest, its security-relevant part; environment values are never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaticPod {
    /// Absolute path on the node.
    pub path: String,
    /// Image of the component's container.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub image: Fact<String>,
    /// Command and arguments, secrets redacted.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub command: Fact<Vec<String>>,
    /// Names (not values) of the environment variables it sets.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub environment_names: Fact<Vec<String>>,
    /// Whether the pod shares the host's network.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub host_network: Fact<bool>,
    /// Why the facts above are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// One component on one node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// Whether a process of it, one that counts, runs on the node.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub exists: Fact<bool>,
    /// That process.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub process: Fact<Process>,
    /// Processes that call themselves like the component and do not count.
    #[serde(default)]
    pub rejected: Vec<Process>,
    /// Version as the executable or the image tells it, without `v`: `1.36.2`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
    /// The configuration file that the command line names. Absent where it names none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub config_file: Fact<ConfigFile>,
    /// Files of the configuration drop-in directory that the command line names, in the order in which they apply.
    #[serde(default)]
    pub drop_ins: Listing<ConfigFile>,
    /// The systemd unit's own environment files and assignments: path -> `NAME=VALUE` lines, secrets redacted.
    /// What they set already stands in the process's arguments; kept to name the origin of a flag.
    #[serde(default)]
    pub environment: Listing<super::ConfigText>,
    /// The static pod manifest that starts it. Absent where there is none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub static_pod: Fact<StaticPod>,
}
