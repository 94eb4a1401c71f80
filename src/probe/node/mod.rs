//! The node probe: runs the collector over a channel and reads its answer.

pub mod frames;

use crate::channel::{Channel, Limits};
use crate::evidence::{NodeEvidence, Reason};

/// Collects one node. Never fails: what could not be read stands in the evidence with its reason.
///
/// `name` and `address` are the target's, for the document.
pub fn collect(channel: &mut dyn Channel, name: &str, address: Option<&str>, _limits: &Limits) -> NodeEvidence {
    NodeEvidence::unread(name, address, channel.kind(), Reason::NotVisible, "not collected")
}
