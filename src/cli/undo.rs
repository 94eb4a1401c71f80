//! `sitewarden undo`: the way back of an entry, and the end of one that was left unfinished.

use super::args::{Talk, Under as _, Walk, nothing_left};
use super::console::Console;
use super::error::CliError;
use super::fix::{self, Change, Over};
use super::look::Look;
use super::{FAILED, GOOD, plan, resume, site_file, targets, undo_cluster};
use crate::channel::Ask;
use crate::remedy::{self, Memory, OnNode, Who};
use crate::report::clean;
use crate::store::{Entry, Outcome, Store};
use crate::visit::{ClusterVisit, NodeReach, Visit};
use clap::Args;
use std::io::{self, Write};
use std::sync::Arc;

/// `undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) talk: Talk,
    #[command(flatten)]
    pub(super) change: Change,
    /// The journal's entry, or the beginning of its name [default: the newest of the node that can be taken back]
    #[arg(value_name = "ENTRY")]
    pub(super) entry: Option<String>,
    /// List what the node itself keeps, and change nothing
    #[arg(long, help_heading = "Changes", conflicts_with_all = ["plan", "resume"])]
    pub(super) list: bool,
    /// Show the way back and end
    #[arg(long, help_heading = "Changes", conflicts_with = "resume")]
    pub(super) plan: bool,
    /// Look at the entries whose end is not in the journal, and bring them to their end
    #[arg(long, help_heading = "Changes")]
    pub(super) resume: bool,
}

impl Undo {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let look = self.look.under(std::mem::take(&mut before.look));
        let talk = self.talk.under(std::mem::take(&mut before.talk));
        let change = self.change.under(std::mem::take(&mut before.change));
        nothing_left(&before, "undo")?;
        Ok(Undo { look, talk, change, ..self })
    }
}

/// Everything that one run needs.
pub(super) struct Run<'a> {
    pub(super) undo: &'a Undo,
    pub(super) visit: Visit,
    pub(super) memory: Arc<Memory>,
    pub(super) store: Store,
    /// The cluster that an entry of the cluster is taken back in: the one that was named, else the usual one.
    pub(super) cluster: ClusterVisit,
}

/// Runs it and gives the exit status: 0 where the old state is back.
pub(super) fn run(undo: &Undo, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
    let site = site_file::read(undo.look.site.as_deref())?;
    let (mut visit, usual) = targets::visit(&undo.look, &site)?;
    visit.given.extend(undo.change.ways());
    let named = visit.cluster.take();
    let store = undo.change.store()?;
    if undo.resume && visit.targets.is_empty() && named.is_none() {
        return resume::list(&store, &visit, out);
    }
    let of_cluster = undo_cluster::which(undo, &store, visit.targets.is_empty() && named.is_some())?;
    if visit.targets.is_empty() && of_cluster.is_none() && !(undo.resume && named.is_some()) {
        return Err(CliError::Nothing(
            "it is not said where; name the node with --node, with --local for this machine, or the cluster with --context"
                .to_owned(),
        ));
    }
    let cluster = named.unwrap_or(usual);
    let console = Arc::new(Console::new(Box::new(io::stderr())));
    let memory = Arc::new(Memory::new(targets::asker(&console, false)));
    let mut run = Run { undo, visit, memory, store, cluster };
    if undo.list {
        return run.list(out);
    }
    if undo.resume {
        return run.resume(out);
    }
    match of_cluster {
        Some(entry) => run.one_of_cluster(&entry, out, err),
        None => run.one(out, err),
    }
}

impl Run<'_> {
    fn ask(&self) -> &dyn Ask {
        self.memory.as_ref()
    }

    pub(super) fn reach(&self, name: &str) -> Option<NodeReach> {
        NodeReach::of(&self.visit, name)
    }

    /// The entries of every node that was named, as the nodes keep them.
    fn list(&self, out: &mut dyn Write) -> Result<u8, CliError> {
        let mut status = GOOD;
        for target in &self.visit.targets {
            let Some(reach) = self.reach(&target.name) else { continue };
            match remedy::entries(&reach, self.ask()) {
                Ok(entries) if entries.is_empty() => {
                    writeln!(out, "{}: nothing was changed there", clean(&target.name))?
                }
                Ok(entries) => {
                    writeln!(out, "{}:", clean(&target.name))?;
                    for OnNode { entry, at, operator, seat, title, stands, undo_of, .. } in entries {
                        let undo = undo_of.map_or(String::new(), |id| format!(", takes back {id}"));
                        let line = format!("  {entry}  {at:.0}  {operator} at {seat}  {title}: {stands}{undo}");
                        writeln!(out, "{}", clean(&line))?;
                    }
                }
                Err(refusal) => {
                    writeln!(out, "{}", clean(&refusal.0))?;
                    status = FAILED;
                }
            }
        }
        Ok(status)
    }

    /// Takes one entry back.
    fn one(&mut self, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
        let Some((entry, node)) = self.which(out)? else { return Ok(FAILED) };
        let Some(reach) = self.reach(&node) else {
            let words = format!("entry {entry} is of node {node}, which was not named; name it with --node");
            return Err(CliError::Nothing(words));
        };
        let target = format!("node/{node}");
        let prepared = match remedy::prepare_undo(&entry, &target, &reach, self.ask(), self.undo.change.choices()) {
            Ok(prepared) => match remedy::kept_beyond(&self.store, &entry) {
                Some(note) => prepared.with_note(note),
                None => prepared,
            },
            Err(refusal) => {
                writeln!(out, "{}", clean(&refusal.0))?;
                // What was left half-way is no change that holds, but it has a way back too.
                return match remedy::look(&entry, &reach, self.ask()) {
                    Ok(remedy::Unfinished::HalfWay) if self.half_way(&entry, &reach, out)? => Ok(GOOD),
                    _ => Ok(FAILED),
                };
            }
        };
        plan::show(&prepared, out)?;
        if self.undo.plan {
            return Ok(GOOD);
        }
        let memory = Arc::clone(&self.memory);
        self.carry_out(prepared, Over::Node(&reach, &memory), "node", out, err)
    }

    /// Asks, and takes it back. `what` is to be scanned afterwards.
    pub(super) fn carry_out(
        &mut self,
        prepared: remedy::Prepared,
        over: Over<'_>,
        what: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<u8, CliError> {
        let armed = self.undo.change.allow_changes;
        let Some(confirmed) = fix::confirmed(prepared, armed, out)? else { return Ok(FAILED) };
        let who = self.who();
        let ran = fix::carry_out(confirmed, over, &mut self.store, &who, out)?;
        let Some(ran) = ran else { return Ok(FAILED) };
        fix::end(&mut self.store, &ran, None, None, out)?;
        if ran.outcome == Outcome::Done {
            writeln!(err, "sitewarden: scan the {what} to see what fails again")?;
            return Ok(GOOD);
        }
        Ok(FAILED)
    }

    pub(super) fn who(&self) -> Who {
        let seat = &self.visit.seat;
        Who { operator: seat.user.clone(), seat: seat.host.clone(), site: self.visit.site.name.clone() }
    }

    /// The entry and its node: the one that was named, in the journal or on a node; else the newest of the one node.
    fn which(&self, out: &mut dyn Write) -> Result<Option<(String, String)>, CliError> {
        if let Some(given) = &self.undo.entry {
            let known = self.store.entry(given).map_err(|error| CliError::Nothing(error.to_string()))?;
            if let Some(entry) = known {
                let node = entry.target().strip_prefix("node/").map(str::to_owned);
                // The same node may be named otherwise today: where it alone was named, it is looked for there.
                return Ok(match (node, self.visit.targets.as_slice()) {
                    (Some(node), _) if self.reach(&node).is_some() => Some((entry.id, node)),
                    (_, [only]) => Some((entry.id, only.name.clone())),
                    (node, _) => Some((entry.id, node.unwrap_or_default())),
                });
            }
        }
        for target in &self.visit.targets {
            let Some(reach) = self.reach(&target.name) else { continue };
            let entries = match remedy::entries(&reach, self.ask()) {
                Ok(entries) => entries,
                Err(refusal) => {
                    writeln!(out, "{}", clean(&refusal.0))?;
                    return Ok(None);
                }
            };
            let fits = |entry: &&OnNode| match &self.undo.entry {
                Some(given) => entry.entry.starts_with(given.as_str()),
                None => entry.can_be_undone && entry.is_change,
            };
            if let Some(entry) = entries.iter().rev().find(fits) {
                return Ok(Some((entry.entry.clone(), target.name.clone())));
            }
        }
        match &self.undo.entry {
            Some(given) => writeln!(
                out,
                "There is no entry {} in the journal or on the nodes that were named; see `sitewarden journal` and --list.",
                clean(given)
            )?,
            None => writeln!(out, "There is nothing to take back on the nodes that were named.")?,
        }
        Ok(None)
    }

    pub(super) fn close(
        &mut self,
        entry: &Entry,
        outcome: Outcome,
        note: &str,
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        let who = self.who();
        if let Err(refusal) = remedy::close(&mut self.store, &entry.id, outcome, note, &who) {
            writeln!(out, "  {}", clean(&refusal.0))?;
        }
        Ok(())
    }
}
