//! What both the command line and the screens do: connect to the cluster and the nodes, collect, assess.

mod aside;
mod clock;
mod cluster;
mod pool;
mod ports;
mod progress;
mod read;
mod remedy;

pub use cluster::{AzureSaid, CLUSTER_TIME, ClusterVisit, azure_commands};
pub use progress::Progress;
pub use remedy::{NodeReach, emptied_for, failing, offer, typed, who};

use crate::assess::{Assessment, assess};
use crate::catalog::Catalog;
use crate::channel::ssh::{self, SshOptions};
use crate::channel::{Ask, Limits, Passwords};
use crate::evidence::{Evidence, Lifecycle, NodeEvidence, Policy, Seat, SiteFacts};
use crate::site::NodeTarget;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What to look at, and how.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The site, as the person knows it.
    pub site: SiteFacts,
    /// The cluster. None: no API is asked.
    pub cluster: Option<ClusterVisit>,
    /// The nodes.
    pub targets: Vec<NodeTarget>,
    /// Nodes of the site that are known and not looked at now: some may be reached through one of those that are.
    pub others: Vec<NodeTarget>,
    /// Whether the ports of the control plane and of kubelets are looked at from this seat.
    pub endpoints: bool,
    /// What is known of the site from earlier readings: of what is not read now, its addresses still count.
    pub before: Option<Before>,
    /// SSH.
    pub ssh: SshOptions,
    /// Bounds of every node.
    pub limits: Limits,
    /// Whether pending updates and Defender's health are asked for too, which takes seconds.
    pub packages: bool,
    /// How many nodes at once.
    pub jobs: usize,
    /// The options, beside the nodes themselves, by which a person said how all this is reached: for the commands that they
    /// are told to type.
    pub given: Vec<String>,
    /// From where and as whom.
    pub seat: Seat,
}

/// What is known of a site before it is read once more.
#[derive(Debug, Clone)]
pub struct Before {
    /// What was seen.
    pub evidence: Arc<Evidence>,
    /// Its nodes, and how they are reached.
    pub targets: Vec<NodeTarget>,
}

/// What a node may take beyond the bounds of its channel: starting the thread, parsing the answer.
const SLACK: Duration = Duration::from_secs(15);

impl Visit {
    /// Reads the cluster on a thread of its own and all nodes, [`Visit::jobs`] at once, each on a thread of its own; then
    /// looks at the ports. Tells `progress` (one call at a time, and none for a target after its end). Returns when
    /// everything is done or its deadline has passed; what hangs is reported as such and its thread is left alone. The
    /// time that a person takes to answer a question does not count against a node. A node whose name repeats an earlier
    /// one is told apart by `#2`, `#3`.
    pub fn collect(&self, ask: &Arc<dyn Ask>, progress: &Arc<dyn Fn(Progress) + Send + Sync>) -> Evidence {
        let started = Timestamp::now();
        let turn = Mutex::new(());
        let tell = |step: Progress| {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            progress(step);
        };
        let (cluster, nodes) = std::thread::scope(|scope| {
            let aside = self.cluster.as_ref().map(|cluster| {
                let read = || cluster::read(cluster, self.limits.connect, &tell);
                // Where there is no thread for it, it is read before the nodes.
                std::thread::Builder::new()
                    .name("cluster's clock".to_owned())
                    .spawn_scoped(scope, read)
                    .map_err(|_| Box::new(read()))
            });
            let nodes = self.read_nodes(ask, &tell);
            let cluster = aside.map(|aside| match aside {
                Ok(thread) => thread.join().unwrap_or_else(|_| cluster::broke(self.cluster.as_ref())),
                Err(read) => *read,
            });
            (cluster, nodes)
        });
        let mut evidence = Evidence {
            schema: crate::evidence::SCHEMA.to_owned(),
            tool: tool(),
            started,
            finished: Timestamp::now(),
            seat: self.seat.clone(),
            site: self.site.clone(),
            cluster,
            nodes,
            endpoints: None,
        };
        if self.endpoints {
            let (known, nodes) = self.known(&evidence);
            evidence.endpoints = ports::look(&known, &nodes, &self.ssh, &tell);
            evidence.finished = Timestamp::now();
        }
        evidence
    }

    fn read_nodes(&self, ask: &Arc<dyn Ask>, progress: &(dyn Fn(Progress) + Send + Sync)) -> Vec<NodeEvidence> {
        let targets = told_apart(&self.targets);
        let limits = self.limits;
        // Passwords are kept for this reading at most, and no other one shares them.
        let ssh = SshOptions { passwords: Passwords::for_nodes(targets.len()), ..self.ssh.clone() };
        let packages = self.packages;
        let read = move |target: &NodeTarget, ask: &dyn Ask, tell: &dyn Fn(Progress)| {
            read::read(target, &ssh, &limits, packages, ask, tell);
        };
        pool::read_all(&targets, self.jobs, self.budget(), ask, progress, Arc::new(read))
    }

    /// What was just read, with what is known from before of everything else; and how all its nodes are reached.
    fn known<'e>(&self, read: &'e Evidence) -> (Cow<'e, Evidence>, Vec<NodeTarget>) {
        let mut nodes = told_apart(&self.targets);
        let Some(before) = &self.before else { return (Cow::Borrowed(read), nodes) };
        let mut known = read.clone();
        let seen = before.evidence.nodes.iter().filter(|node| !read.nodes.iter().any(|other| other.name == node.name));
        known.nodes.extend(seen.cloned());
        if known.cluster.is_none() {
            known.cluster.clone_from(&before.evidence.cluster);
        }
        let others = before.targets.iter().filter(|target| !self.targets.iter().any(|now| now.name == target.name));
        nodes.extend(others.cloned());
        (Cow::Owned(known), nodes)
    }

    /// How long one node may take in all, with the jump hosts on the way, a person's thinking not counted.
    fn budget(&self) -> Duration {
        let hops = |target| read::destination(target).map_or(1, |destination| ssh::hops(&destination, &self.ssh));
        let most = self.targets.iter().map(hops).max().unwrap_or(1);
        let connecting = self.limits.connect.saturating_mul(3).saturating_mul(u32::try_from(most).unwrap_or(u32::MAX));
        let runs = if self.packages { 2 } else { 1 };
        connecting.saturating_add(self.limits.run.saturating_mul(runs)).saturating_add(SLACK)
    }
}

/// The first target name that another target has as well: two nodes must not share one line of a report.
pub fn repeated_name(targets: &[NodeTarget]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    targets.iter().map(|target| target.name.as_str()).find(|name| !seen.insert(*name))
}

/// Assesses evidence with the lifecycle data of this program. Fails only where that data cannot be read, which is a
/// defect of the program.
pub fn assess_embedded(
    evidence: &Evidence,
    catalog: &Catalog,
    policy: &Policy,
    now: Timestamp,
) -> Result<Assessment, serde_json::Error> {
    Ok(assess(evidence, catalog, &Lifecycle::embedded()?, policy, now))
}

/// This program, for documents.
pub fn tool() -> crate::evidence::Tool {
    crate::evidence::Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The targets with names that do not repeat.
fn told_apart(targets: &[NodeTarget]) -> Vec<NodeTarget> {
    let mut seen = BTreeSet::new();
    targets
        .iter()
        .map(|target| {
            let mut name = target.name.clone();
            let mut number = 2_u32;
            while !seen.insert(name.clone()) {
                name = format!("{}#{number}", target.name);
                number += 1;
            }
            NodeTarget { name, ..target.clone() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Way;

    fn local(name: &str) -> NodeTarget {
        NodeTarget::new(name, Way::Local)
    }

    #[test]
    fn a_repeated_name_is_found_and_told_apart() {
        let targets = [local("a"), local("b"), local("a"), local("a#2"), local("a")];
        assert_eq!(repeated_name(&targets), Some("a"));
        let names: Vec<String> = told_apart(&targets).into_iter().map(|target| target.name).collect();
        assert_eq!(names, ["a", "b", "a#2", "a#2#2", "a#3"]);
        assert_eq!(repeated_name(&targets[..2]), None);
    }
}
