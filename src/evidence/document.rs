//! The evidence document, and reading one back.

use super::{ClusterEvidence, EndpointEvidence, NodeEvidence};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Schema name of the documents that this program writes and reads.
pub const SCHEMA: &str = "sitewarden.evidence/v1";

/// The program that wrote a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `sitewarden`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where the program ran, and who sat there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Seat {
    /// Host name.
    pub host: String,
    /// User.
    pub user: String,
}

/// What is known of the site as such.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SiteFacts {
    /// The name that a person gave it, in the site file or by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address ranges (CIDR) from which the site expects its nodes to be managed. None where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_networks: Option<Vec<String>>,
}

/// Everything that one collection saw. Assessing needs nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// When collecting began, by the seat's clock.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Where from.
    pub seat: Seat,
    /// The site.
    #[serde(default)]
    pub site: SiteFacts,
    /// The cluster, where its API was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEvidence>,
    /// The nodes, in the order in which they were named.
    #[serde(default)]
    pub nodes: Vec<NodeEvidence>,
    /// Ports as they look from this seat. None where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<EndpointEvidence>>,
}

/// Why a text is not an evidence document that this program can use.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Not JSON, or not of the shape; with line and column.
    #[error("not an evidence document: {0}. Collect it again with `sitewarden collect -o FILE`")]
    Malformed(#[from] serde_json::Error),
    /// Another schema.
    #[error(
        "the evidence has schema {found:?}, this program reads {SCHEMA:?}. Assess it with the version that wrote it, or collect again"
    )]
    OtherSchema {
        /// The schema named in the document.
        found: String,
    },
}

impl Evidence {
    /// Reads a document from JSON text.
    pub fn from_json(text: &str) -> Result<Self, EvidenceError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema != SCHEMA {
            return Err(EvidenceError::OtherSchema { found: head.schema });
        }
        Ok(serde_json::from_str(text)?)
    }
}
