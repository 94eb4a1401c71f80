//! Looking at ports, once nodes and cluster have said which addresses there are.

use super::Progress;
use super::aside::aside;
use crate::evidence::{EndpointEvidence, Evidence, Fact, Reason, Unread};
use crate::probe::endpoint::{self, EndpointLimits, EndpointTarget};
use std::time::Duration;

/// Everything that is asked of one port.
const PORT: Duration = Duration::from_secs(20);

/// To connect: a port that a firewall drops costs all of it.
const CONNECT: Duration = Duration::from_secs(3);

/// Connections at once.
const JOBS: usize = 16;

/// What looking at all ports may take beyond the bounds of each.
const SLACK: Duration = Duration::from_secs(15);

/// Looks at the ports of everything that the document knows. None where there is nothing to look at.
pub(super) fn read(known: &Evidence, progress: &dyn Fn(Progress)) -> Option<Vec<EndpointEvidence>> {
    let targets = targets(known);
    if targets.is_empty() {
        return None;
    }
    progress(Progress::Endpoints { ports: targets.len() });
    let limits = EndpointLimits { connect: CONNECT, port: PORT, jobs: JOBS };
    let rounds = u32::try_from(targets.len().div_ceil(JOBS)).unwrap_or(u32::MAX);
    let budget = PORT.saturating_mul(rounds).saturating_add(SLACK);
    let asked = targets.clone();
    let read = aside("endpoints", budget, &|_| (), move |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let seen = runtime.block_on(endpoint::collect(&asked, limits));
        runtime.shutdown_background();
        Some(seen)
    });
    let seen = match read {
        Ok(Some(seen)) => seen,
        Ok(None) | Err(_) => targets.iter().map(unread).collect(),
    };
    progress(Progress::EndpointsDone(seen.clone()));
    Some(seen)
}

/// Which ports.
fn targets(_known: &Evidence) -> Vec<EndpointTarget> {
    Vec::new()
}

/// A port that was not looked at, although it should have been.
fn unread(target: &EndpointTarget) -> EndpointEvidence {
    let detail = "looking at the ports did not come to its end; read again";
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    EndpointEvidence {
        name: format!("{host}:{}", target.port),
        host: target.host.clone(),
        port: target.port.into(),
        node: target.node.clone().map_or(Fact::Absent, Fact::Known),
        service: target.service.to_owned(),
        state: Fact::Unread,
        tls: Default::default(),
        anonymous: Fact::Unread,
        unread: vec![Unread { path: String::new(), reason: Reason::Timeout, detail: detail.to_owned() }],
    }
}
