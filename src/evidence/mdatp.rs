//! Microsoft Defender for Endpoint on a node, as `mdatp health` tells of it.

use super::Fact;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Its health. Everything but `present` is absent where it is not installed, and a fact that this version of it does not
/// tell is not read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Mdatp {
    /// Whether it is installed.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub present: Fact<bool>,
    /// Version of the product.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
    /// Its own summary.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub healthy: Fact<bool>,
    /// What it says is wrong. Empty where nothing is.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub health_issues: Fact<Vec<String>>,
    /// Whether it belongs to a tenant.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub licensed: Fact<bool>,
    /// Whether it names an organisation (which one is not kept).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub org_present: Fact<bool>,
    /// Whether it looks at files as they are used.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub real_time_protection_enabled: Fact<bool>,
    /// Whether it can.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub real_time_protection_available: Fact<bool>,
    /// Whether it only watches and stops nothing.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub passive_mode_enabled: Fact<bool>,
    /// Whether it asks the cloud about what it does not know.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub cloud_enabled: Fact<bool>,
    /// Whether it fetches definitions by itself.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub automatic_definition_update_enabled: Fact<bool>,
    /// `up_to_date`, or what it says instead.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub definitions_status: Fact<String>,
    /// Age of its definitions in minutes.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub definitions_updated_minutes_ago: Fact<i64>,
    /// `Engine load succeeded`, or what it says instead.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub engine_load_status: Fact<String>,
    /// `enabled`, `disabled`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub behavior_monitoring: Fact<String>,
    /// When this version of the product stops.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub product_expiration: Fact<Timestamp>,
    /// Other programs that stand in its way.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub conflicting_applications: Fact<Vec<String>>,
}
