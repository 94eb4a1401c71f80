//! What is told while a site is read.

use crate::evidence::{ClusterEvidence, EndpointEvidence, NodeEvidence};

/// What happens while a site is read.
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
    /// The login stands; sudo there wants a password, and a person is asked, or waited for, before the collector runs.
    Asking {
        /// Target name.
        node: String,
    },
    /// Something the person should know about the way to the node; reading goes on.
    Warning {
        /// Target name.
        node: String,
        /// One sentence.
        message: String,
    },
    /// The node is done, well or badly: its evidence says which.
    Done(Box<NodeEvidence>),
    /// The cluster's API is being asked: `connecting`, `reading pods`.
    Cluster {
        /// What is being done.
        step: String,
    },
    /// The cluster is done, well or badly: its evidence says which.
    ClusterDone(Box<ClusterEvidence>),
    /// Ports are being looked at.
    Endpoints {
        /// How many.
        ports: usize,
    },
    /// The ports are done.
    EndpointsDone(Vec<EndpointEvidence>),
}
