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

/// The version in an image's tag: `1.31.2` of `registry.k8s.io/kube-apiserver:v1.31.2@sha256:...`.
pub(crate) fn image_version(image: &str) -> Option<String> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit_once('/').unwrap_or(("", name)).1.split_once(':')?;
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let version = version.split('-').next()?;
    let numbers: Vec<&str> = version.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    (numbers.len() == 3 && numbers.iter().all(digits)).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_tags_that_are_versions() {
        for (image, version) in [
            ("registry.k8s.io/kube-apiserver:v1.31.2", Some("1.31.2")),
            ("registry.k8s.io/etcd:3.5.15-0", Some("3.5.15")),
            ("10.0.0.1:5000/kube-apiserver:v1.31.2@sha256:abc", Some("1.31.2")),
            ("10.0.0.1:5000/kube-apiserver", None),
            ("kube-apiserver:latest", None),
            ("kube-apiserver@sha256:abc", None),
        ] {
            assert_eq!(image_version(image).as_deref(), version, "{image}");
        }
    }
}
