//! `sitewarden undo` for entries of the cluster: what they need lies beside the journal.

use super::error::CliError;
use super::fix::Over;
use super::plan;
use super::undo::{Run, Undo};
use super::{FAILED, GOOD, cluster};
use crate::remedy::{self, ClusterReach};
use crate::report::clean;
use crate::store::{Entry, Outcome, Store};
use std::io::Write;

/// The entry of the cluster that is meant: the one that was named, or with `cluster_alone` the newest that can be taken
/// back. None where another target is meant.
pub(super) fn which(undo: &Undo, store: &Store, cluster_alone: bool) -> Result<Option<Entry>, CliError> {
    if undo.list || undo.resume {
        return Ok(None);
    }
    let failed = |error: crate::store::StoreError| CliError::Nothing(error.to_string());
    if let Some(given) = &undo.entry {
        let entry = store.entry(given).map_err(failed)?;
        return Ok(entry.filter(|entry| entry.target() == "cluster"));
    }
    if !cluster_alone {
        return Ok(None);
    }
    let all = store.entries().map_err(failed)?;
    let undo_of = |id: &str| all.iter().find(|entry| entry.id == id).and_then(Entry::undo_of);
    let open = |entry: &&Entry| {
        entry.target() == "cluster"
            && entry.undone_by.is_none()
            && remedy::is_change(&entry.id, undo_of)
            && matches!(entry.outcome(), Some(Outcome::Done | Outcome::Failed | Outcome::Unknown))
    };
    match all.iter().rev().find(open) {
        Some(entry) => Ok(Some(entry.clone())),
        None => Err(CliError::Nothing("the journal has no entry of the cluster that could be taken back".to_owned())),
    }
}

impl Run<'_> {
    pub(super) fn cluster_reach(&self) -> ClusterReach {
        self.cluster.reach(self.visit.limits.connect)
    }

    /// Takes one entry of the cluster back.
    pub(super) fn one_of_cluster(
        &mut self,
        entry: &Entry,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<u8, CliError> {
        cluster::check(&self.cluster.target)?;
        cluster::log_in(&self.cluster.target, err);
        let reach = self.cluster_reach();
        let prepared = match remedy::prepare_undo_cluster(entry, &reach, &self.store) {
            Ok(prepared) => prepared,
            Err(refusal) => {
                for line in refusal.0.lines() {
                    writeln!(out, "{}", clean(line))?;
                }
                return Ok(FAILED);
            }
        };
        plan::show(&prepared, out)?;
        if !prepared.can_run() {
            return Ok(FAILED);
        }
        if self.undo.plan {
            return Ok(GOOD);
        }
        self.carry_out(prepared, Over::Cluster(&reach), "cluster", out, err)
    }
}
