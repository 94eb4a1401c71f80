//! Objects of the Azure Arc agents. Their shapes come from public copies of the agents' types and may differ in an agent
//! of today: a field of another type is one that was not read, never an error.

use super::Item;
use super::parts::{Meta, Text, text_fact};
use crate::evidence::Fact;
use crate::evidence::cluster::ExtensionConfig;
use crate::probe::text::{marked, time};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A field of any type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::probe) enum Loose {
    /// Not there, or null.
    #[default]
    Missing,
    /// A truth value.
    Bool(bool),
    /// A text within its bound.
    Text(String),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E: Error>(self) -> Result<Loose, E> {
                Ok(Loose::Missing)
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Loose, E> {
                Ok(Loose::Bool(truth))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Loose, E> {
                Ok(Loose::Other)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Loose, E> {
                Ok(Loose::Other)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Loose, E> {
                Ok(Loose::Other)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Loose, E> {
                Ok(if text.len() > 1024 { Loose::Other } else { Loose::Text(marked(text)) })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl Loose {
    /// As a text.
    pub(in crate::probe) fn text(self) -> Fact<String> {
        match self {
            Loose::Missing => Fact::Absent,
            Loose::Text(text) if text.is_empty() => Fact::Absent,
            Loose::Text(text) => Fact::Known(text),
            Loose::Bool(_) | Loose::Other => Fact::Unread,
        }
    }

    /// As a truth value, also one that is written as a text.
    pub(in crate::probe) fn truth(self) -> Fact<bool> {
        match self {
            Loose::Missing => Fact::Absent,
            Loose::Bool(truth) => Fact::Known(truth),
            Loose::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" => Fact::Known(true),
                "false" => Fact::Known(false),
                _ => Fact::Unread,
            },
            Loose::Other => Fact::Unread,
        }
    }

    /// As a time.
    pub(in crate::probe) fn time(self) -> Fact<jiff::Timestamp> {
        match self.text() {
            Fact::Known(text) => time(&text),
            Fact::Absent => Fact::Absent,
            Fact::Unread => Fact::Unread,
        }
    }
}

/// An ExtensionConfig. Its parameters are not read.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Extension {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    extension_type: Loose,
    #[serde(default)]
    version: Loose,
    #[serde(default)]
    release_train: Loose,
    #[serde(default)]
    auto_upgrade_minor_version: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    status: Loose,
    sync_status: Option<Sync>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sync {
    #[serde(default)]
    is_synced_with_azure: Loose,
    #[serde(default)]
    last_sync_time: Loose,
}

impl Item for Extension {
    type Evidence = ExtensionConfig;

    fn evidence(self) -> Option<ExtensionConfig> {
        let (_, name) = self.metadata.split()?;
        let mut extension = ExtensionConfig { name, ..ExtensionConfig::default() };
        if let Some(spec) = self.spec {
            extension.kind = match spec.extension_type.text() {
                Fact::Known(kind) => Fact::Known(kind.to_ascii_lowercase()),
                other => other,
            };
            extension.version = spec.version.text();
            extension.release_train = spec.release_train.text();
            // The agent leaves out what is false.
            extension.auto_upgrade = match spec.auto_upgrade_minor_version.truth() {
                Fact::Absent => Fact::Known(false),
                other => other,
            };
        }
        let status = self.status.unwrap_or_default();
        extension.installed = match status.status.text() {
            Fact::Known(said) => installed(&said),
            other => match other {
                Fact::Absent => Fact::Absent,
                _ => Fact::Unread,
            },
        };
        let sync = status.sync_status.unwrap_or_default();
        extension.synced = sync.is_synced_with_azure.truth();
        extension.last_sync = sync.last_sync_time.time();
        Some(extension)
    }
}

/// What the agent's words mean. Words that are not known say nothing.
fn installed(said: &str) -> Fact<bool> {
    let said = said.trim().to_ascii_lowercase();
    if said.starts_with("successfully installed") {
        return Fact::Known(true);
    }
    let not = ["failed", "installing", "deleting", "pending", "uninstall"];
    if not.iter().any(|word| said.starts_with(word)) { Fact::Known(false) } else { Fact::Unread }
}

/// The agents' ConfigMap `azure-clusterconfig`: the keys that are kept.
#[derive(Debug, Default, Deserialize)]
pub(in crate::probe::cluster) struct ClusterConfig {
    /// The keys. None where the ConfigMap holds nothing.
    pub(in crate::probe::cluster) data: Option<ClusterConfigData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::probe::cluster) struct ClusterConfigData {
    #[serde(default)]
    pub(in crate::probe::cluster) azure_arc_autoupdate: Loose,
    #[serde(default)]
    pub(in crate::probe::cluster) azure_arc_agent_version: Loose,
    #[serde(default)]
    pub(in crate::probe::cluster) azure_subscription_id: Loose,
    #[serde(default)]
    pub(in crate::probe::cluster) azure_resource_group: Loose,
    #[serde(default)]
    pub(in crate::probe::cluster) azure_resource_name: Loose,
    #[serde(default)]
    pub(in crate::probe::cluster) azure_region: Loose,
}

/// The ConnectedCluster object `clustermetadata`.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct ConnectedObject {
    spec: Option<ConnectedSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectedSpec {
    #[serde(default)]
    azure_resource_id: Loose,
}

impl ConnectedObject {
    /// The ARM id that it names.
    pub(in crate::probe::cluster) fn resource_id(self) -> Fact<String> {
        self.spec.map_or(Fact::Absent, |spec| spec.azure_resource_id.text())
    }
}

/// An API group, as the API server lists its versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct Group {
    preferred_version: Option<Preferred>,
}

#[derive(Debug, Deserialize)]
struct Preferred {
    version: Option<Text>,
}

impl Group {
    /// The version to ask for; None where it is no such word as Kubernetes has for versions.
    pub(in crate::probe::cluster) fn version(self) -> Option<String> {
        let version = match text_fact(self.preferred_version?.version) {
            Fact::Known(version) => version,
            Fact::Absent | Fact::Unread => return None,
        };
        let plain = version.len() <= 32 && version.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        (plain && version.starts_with('v')).then_some(version)
    }
}
