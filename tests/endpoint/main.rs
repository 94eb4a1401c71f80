//! The endpoint probe against real servers, against servers that misbehave, and against the bed's control plane.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod controls;
mod filtered;
mod hostile;
mod load;
mod on_cluster;
mod servers;
mod tls;

use sitewarden::evidence::{EndpointEvidence, Fact, Reason, TlsOffer};
use sitewarden::probe::endpoint::{EndpointLimits, EndpointTarget, collect};
use std::time::Duration;

/// Bounds that a server on this machine keeps easily, and that end a test soon where one stalls on purpose.
fn limits() -> EndpointLimits {
    EndpointLimits {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        port: Duration::from_secs(30),
        total: Duration::from_secs(60),
        jobs: 32,
    }
}

fn target(host: &str, port: u16, service: &'static str) -> EndpointTarget {
    EndpointTarget { host: host.to_owned(), port, service, ..EndpointTarget::default() }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn look_all(targets: &[EndpointTarget], limits: EndpointLimits) -> Vec<EndpointEvidence> {
    run(collect(targets, limits))
}

fn look(port: u16, service: &'static str) -> EndpointEvidence {
    look_all(&[target("127.0.0.1", port, service)], limits()).remove(0)
}

/// Names of what was accepted, and whether everything was tried.
fn accepted(offers: &[TlsOffer]) -> Vec<&str> {
    offers.iter().filter(|offer| offer.accepted == Fact::Known(true)).map(|offer| offer.name.as_str()).collect()
}

/// Why what stands at a path was not read.
fn reason(seen: &EndpointEvidence, path: &str) -> Option<Reason> {
    let covers = |gap: &str| path == gap || path.strip_prefix(gap).is_some_and(|rest| rest.starts_with('.'));
    seen.unread.iter().filter(|gap| covers(&gap.path)).max_by_key(|gap| gap.path.len()).map(|gap| gap.reason)
}
