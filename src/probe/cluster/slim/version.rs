//! `/version`.

use super::parts::{Text, text_fact};
use crate::evidence::Fact;
use crate::evidence::cluster::ClusterVersion;
use serde::Deserialize;

/// The answer of `/version`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct Version {
    git_version: Option<Text>,
    platform: Option<Text>,
}

impl Version {
    /// The version. None where the answer names none.
    pub(in crate::probe::cluster) fn evidence(&self) -> Option<ClusterVersion> {
        let Fact::Known(git) = text_fact(self.git_version.clone()) else { return None };
        Some(ClusterVersion { git, platform: text_fact(self.platform.clone()) })
    }
}
