//! What is kept on the node beside the backups, so that an entry can be taken back there without this seat's journal.

use super::change::NodeChange;
use super::prepare::Prepared;
use super::run::Who;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Number of the format; a greater one is not read.
const FORMAT: u32 = 1;

/// An entry as its node keeps it: no bytes of files, which lie beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The journal's entry.
    pub(crate) entry: String,
    /// When it began, by the seat's clock.
    pub(crate) at: Timestamp,
    /// Who did it.
    pub(crate) operator: String,
    /// From where.
    pub(crate) seat: String,
    /// The controls that it was about.
    pub(crate) controls: Vec<String>,
    /// One line for the person.
    pub(crate) title: String,
    /// The entry that it took back, if it was an undo.
    pub(crate) undo: Option<String>,
    /// What was done.
    pub(crate) change: NodeChange,
}

impl Manifest {
    /// Of a change that is about to begin.
    pub(crate) fn of(entry: &str, at: Timestamp, who: &Who, prepared: &Prepared, change: &NodeChange) -> Self {
        Manifest {
            format: FORMAT,
            entry: entry.to_owned(),
            at,
            operator: who.operator.clone(),
            seat: who.seat.clone(),
            controls: prepared.plan().controls.clone(),
            title: prepared.plan().title.clone(),
            undo: prepared.undoes().map(str::to_owned),
            change: change.clone(),
        }
    }

    /// As bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// From a node's bytes. None where they are no manifest of a format that is known, or one of another entry.
    pub(crate) fn read(bytes: &[u8], entry: &str) -> Option<Self> {
        let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
        (manifest.format == FORMAT && manifest.entry == entry).then_some(manifest)
    }
}
