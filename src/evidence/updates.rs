//! Updates that wait to be installed, and how old that knowledge is.

use super::{Fact, Listing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the package manager knows without asking anybody: nothing is refreshed for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Updates {
    /// `apt`, `dnf`, `tdnf`, `zypper`, `transactional-update`, `update-engine`. Absent where no known one was found.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub manager: Fact<String>,
    /// Packages that would be upgraded or newly installed, those on hold too. For an image-based system: 1 or 0.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub pending: Fact<i64>,
    /// Those of them that close security holes.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub security_pending: Fact<i64>,
    /// The security ones, the first 100 of them.
    #[serde(default)]
    pub security_packages: Listing<PendingPackage>,
    /// When the package lists were last fetched, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub refreshed: Fact<Timestamp>,
    /// Seconds from then to when the node was read.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub knowledge_age_seconds: Fact<i64>,
}

/// One package with an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingPackage {
    /// Its name.
    pub name: String,
    /// The version that waits.
    pub version: String,
    /// The version that is installed. Absent for a package that comes new.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub installed: Fact<String>,
}
