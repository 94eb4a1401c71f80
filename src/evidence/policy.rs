//! What a person decided: by which profile to judge, and the numbers where judgement is theirs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which controls are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What the guide asks.
    #[default]
    Guide,
    /// The guide and the rest of its references.
    Cis,
}

/// Numbers that controls compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thresholds {
    /// Days before a certificate ends at which it counts as a failure.
    pub certificate_days: i64,
    /// Days before the end of support at which it counts as a failure.
    pub support_days: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds { certificate_days: 30, support_days: 0 }
    }
}

/// Everything besides evidence, catalog and lifecycle data that a verdict depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Which controls are asked.
    pub profile: Profile,
    /// Only these sections; all where empty.
    pub sections: Vec<String>,
    /// Only these controls; all where empty.
    pub controls: Vec<String>,
    /// The numbers.
    pub thresholds: Thresholds,
}

impl Policy {
    /// Whether a control is asked: by its id, its section and the profile from which on it is asked. A control that is
    /// named is asked whatever its profile.
    pub fn asks(&self, id: &str, section: &str, profile: Profile) -> bool {
        let named = self.controls.iter().any(|wanted| wanted == id);
        let section = self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section);
        section && if self.controls.is_empty() { profile <= self.profile } else { named }
    }
}
