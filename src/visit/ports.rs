//! Looking at ports, once nodes and cluster have said which addresses there are.

use super::aside::{Lost, aside};
use super::{Progress, read};
use crate::channel::ssh::{SshOptions, dialled};
use crate::evidence::{EndpointEvidence, Evidence, Reason};
use crate::kubeapi::block_on;
use crate::probe::endpoint::{self, Dialled, EndpointLimits};
use crate::site::{NodeTarget, Way};
use std::time::Duration;

/// What looking at all ports may take beyond its own bound.
const SLACK: Duration = Duration::from_secs(15);

/// Looks at the ports of everything that the document knows; `nodes` says how its nodes are reached. None where there is
/// nothing to look at.
pub(super) fn look(
    known: &Evidence,
    nodes: &[NodeTarget],
    ssh: &SshOptions,
    progress: &dyn Fn(Progress),
) -> Option<Vec<EndpointEvidence>> {
    let ways: Vec<Dialled> = nodes.iter().filter_map(|node| way(node, ssh)).collect();
    let targets = endpoint::targets(known, &ways);
    if targets.is_empty() {
        return None;
    }
    progress(Progress::Endpoints { ports: targets.len() });
    let limits = EndpointLimits::default();
    let asked = targets.clone();
    let work = move |_: &(dyn Fn(&str) + Send + Sync)| block_on(endpoint::collect(&asked, limits));
    let unread = |reason, why: &str| endpoint::not_looked_at(&targets, reason, why);
    let seen = match aside("endpoints", limits.total.saturating_add(SLACK), &|_| (), work) {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => unread(error.reason, &error.message),
        Err(Lost::Late) => unread(Reason::Timeout, "looking at the ports did not come to its end; read them again"),
        Err(Lost::NoThread) => unread(Reason::Unsupported, "this machine could not start another thread"),
        Err(Lost::Broke) => unread(Reason::Malformed, "this program failed while it looked, which is a defect of it"),
    };
    progress(Progress::EndpointsDone(seen.clone()));
    Some(seen)
}

/// How a node is dialled. None for this machine.
fn way(node: &NodeTarget, ssh: &SshOptions) -> Option<Dialled> {
    let Way::Ssh { .. } = &node.way else { return None };
    let (host, port, jump) = dialled(&read::destination(node)?, ssh);
    Some(Dialled { node: node.name.clone(), host, port, jump })
}
