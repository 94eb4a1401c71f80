//! The node probe: runs the collector over a channel and reads its answer.

mod answer;
mod assemble;
mod certs;
mod component;
mod der;
mod document;
mod environment;
mod files;
pub mod frames;
mod host;
mod keys;
mod listeners;
mod manifest;
mod matching;
mod process;
mod reboot;
mod redact;
mod sshd;
mod sshd_dump;
#[cfg(test)]
mod testing;
mod text;
mod units;

use crate::channel::{Channel, Limits};
use crate::evidence::{NodeEvidence, Reason};

/// Collects one node. Never fails: what could not be read stands in the evidence with its reason.
///
/// `name` and `address` are the target's, for the document.
pub fn collect(channel: &mut dyn Channel, name: &str, address: Option<&str>, _limits: &Limits) -> NodeEvidence {
    NodeEvidence::unread(name, address, channel.kind(), Reason::NotVisible, "not collected")
}
