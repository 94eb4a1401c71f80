//! Nodes that are reached through the one whose way in is changed: they would be lost with it, and so they are part of the proof.

use super::change::{NodeChange, Proof};
use super::node::Reach;
use super::plan::{Refusal, Risk};
use super::run::TRIES;
use crate::channel::Ask;
use std::time::Duration;

/// Pause between two tries to log in.
const PAUSE: Duration = Duration::from_secs(1);

/// The nodes behind another one.
pub(super) struct Behind {
    /// They answered before the change, so they must after it.
    nodes: Vec<Box<dyn Reach>>,
    /// They did not.
    silent: Vec<String>,
}

impl Behind {
    /// Logs in to every node that is reached through this one, where the change may close its way in.
    pub(super) fn before(reach: &dyn Reach, change: &NodeChange, ask: &dyn Ask) -> Self {
        let mut behind = Behind { nodes: Vec::new(), silent: Vec::new() };
        if change.risk < Risk::CanLockOut || change.delay == 0 {
            return behind;
        }
        for node in reach.behind() {
            match node.login(ask) {
                Ok(_) => behind.nodes.push(node),
                Err(_) => behind.silent.push(node.node().to_owned()),
            }
        }
        behind
    }

    /// Logs in to them again, and tells `done` of each that answers. `Err`: why one of them cannot be reached any more.
    pub(super) fn prove(&self, through: &str, ask: &dyn Ask, done: &dyn Fn(&str)) -> Result<(), String> {
        for node in &self.nodes {
            let mut tried = 1;
            while let Err(error) = node.login(ask) {
                if tried == TRIES {
                    return Err(format!(
                        "a node is reached through {through} and could not be any more: {}",
                        error.message
                    ));
                }
                tried += 1;
                std::thread::sleep(PAUSE);
            }
            done(node.node());
        }
        Ok(())
    }

    /// What is not known in the end: a sentence.
    pub(super) fn unproved(&self) -> Option<String> {
        (!self.silent.is_empty()).then(|| {
            format!(
                "{} did not answer before the change either: whether this is still the way there is not known",
                self.silent.join(", ")
            )
        })
    }
}

/// What the nodes behind this one mean for a change, a sentence each. Refused where they would surely be lost.
pub(super) fn remarks(reach: &dyn Reach, change: &NodeChange) -> Result<Vec<String>, Refusal> {
    if change.risk < Risk::CanLockOut {
        return Ok(Vec::new());
    }
    let names: Vec<String> = reach.behind().iter().map(|node| node.node().to_owned()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (names, through) = (names.join(", "), reach.node());
    match change.proof {
        Proof::Console => Err(Refusal::new(format!(
            "{names}: reached through {through}, and without SSH there nobody would get to them. Give them another way first (--jump, or \
             `jump` in the site file)"
        ))),
        Proof::Login => Ok(vec![format!(
            "Reached through {through}: {names}. A login there is tried before and after; only when it works still, the change stays"
        )]),
    }
}
