//! Ports of the control plane and of kubelets, from this seat: open or not, TLS, and what they serve without credentials.
//! `select` says which, `look` what is asked of each, `hello` and `reply` how TLS is heard without a library.

mod connect;
mod handshake;
mod hello;
mod lines;
mod look;
mod offers;
mod reply;
mod resolve;
mod select;
mod services;
mod suites;
mod wire;

pub use select::{Dialled, targets};

use crate::evidence::{EndpointEvidence, Fact, Listing, Reason, TlsFacts, Unread};
use services::Service;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// One port to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointTarget {
    /// Address or name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name of the node's target, where the address is a node's.
    pub node: Option<String>,
    /// Name of that node's Node object.
    pub kubernetes_node: Option<String>,
    /// What usually answers there, as in [`EndpointEvidence::service`].
    pub service: &'static str,
    /// What stands there instead of the API server and ends its TLS: of such a port nothing but its state is asked.
    pub proxy: Option<String>,
    /// Why the port is not looked at: it then stands in the evidence, unread.
    pub left_out: Option<(Reason, String)>,
}

/// Bounds.
#[derive(Debug, Clone, Copy)]
pub struct EndpointLimits {
    /// To connect; also to look up all names.
    pub connect: Duration,
    /// For one answer: to a hello, to a handshake, to a request.
    pub answer: Duration,
    /// For everything that is asked of one port.
    pub port: Duration,
    /// For all ports together.
    pub total: Duration,
    /// How many ports at once; each has one connection at a time.
    pub jobs: usize,
}

impl Default for EndpointLimits {
    /// For a link over a satellite: a port that is open costs about forty turns there and back.
    fn default() -> Self {
        EndpointLimits {
            connect: Duration::from_secs(4),
            answer: Duration::from_secs(6),
            port: Duration::from_secs(60),
            total: Duration::from_secs(180),
            jobs: 64,
        }
    }
}

/// The other side of the connections to one port.
struct Peer<'t> {
    /// Name or address as it was asked for.
    host: &'t str,
    address: SocketAddr,
    port: u16,
    service: Service,
}

impl Peer<'_> {
    /// One more connection to a port that was open before.
    async fn connect(&self, limits: &EndpointLimits, until: Instant) -> Result<TcpStream, Reason> {
        let until = (Instant::now() + limits.connect).min(until);
        match timeout_at(until, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err(Reason::Unreachable),
            Err(_) => Err(Reason::Timeout),
        }
    }
}

/// Looks at ports. One evidence each, in the order of the targets; targets that are one port of one address become one,
/// under the name that came first. Never fails, and never takes longer than the limits allow: a port whose turn did not
/// come is unread. Runs on the runtime of the caller, which needs time and network.
pub async fn collect(targets: &[EndpointTarget], limits: EndpointLimits) -> Vec<EndpointEvidence> {
    let until = Instant::now() + limits.total;
    let asked = targets.iter().filter(|target| target.left_out.is_none());
    let within = limits.connect.saturating_mul(2).min(limits.total);
    let addresses = resolve::resolve(asked.map(|target| target.host.as_str()), within).await;
    let plans = one_each(targets, &addresses);
    let mut seen: Vec<EndpointEvidence> = plans.iter().map(|plan| late(&plan.target)).collect();
    let mut waiting = plans.into_iter().enumerate();
    let mut running: JoinSet<(usize, EndpointEvidence)> = JoinSet::new();
    loop {
        while running.len() < limits.jobs.max(1)
            && let Some((number, plan)) = waiting.next()
        {
            running.spawn(async move { (number, plan.run(&limits, until).await) });
        }
        match timeout_at(until, running.join_next()).await {
            Ok(Some(Ok((number, evidence)))) => {
                if let Some(place) = seen.get_mut(number) {
                    *place = evidence;
                }
            }
            // A task that panicked leaves its port as it was: unread.
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => return seen,
        }
    }
}

/// What becomes of one target.
struct Plan {
    target: EndpointTarget,
    also: Vec<String>,
    addresses: resolve::Found,
}

impl Plan {
    async fn run(self, limits: &EndpointLimits, until: Instant) -> EndpointEvidence {
        let mut seen = match (&self.target.left_out, &self.addresses) {
            (Some((reason, why)), _) if self.target.port == 0 => {
                untold(look::gone(named_unread(&self.target), *reason, why))
            }
            (Some((reason, why)), _) => look::gone(named_unread(&self.target), *reason, why),
            (None, Err(Reason::Timeout)) => {
                look::gone(named_unread(&self.target), Reason::Timeout, "the name was not looked up in time")
            }
            (None, Err(reason)) => look::gone(named_unread(&self.target), *reason, "this seat knows no such name"),
            (None, Ok(addresses)) => {
                let until = (Instant::now() + limits.port).min(until);
                look::look(&self.target, addresses, limits, until).await
            }
        };
        seen.also = self.also;
        seen
    }
}

/// Joins the targets that are one port of one address. Of two the first keeps its name, and takes what only the other
/// knows: that the address is a node's.
fn one_each(targets: &[EndpointTarget], addresses: &BTreeMap<String, resolve::Found>) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut places: BTreeMap<(String, u16), usize> = BTreeMap::new();
    for target in targets {
        let mut found = addresses.get(&target.host).cloned().unwrap_or(Err(Reason::NotVisible));
        let own: Option<IpAddr> = target.host.parse().ok();
        let address = own.or_else(|| found.as_ref().ok()?.first().map(SocketAddr::ip));
        let key = address.map_or_else(|| target.host.clone(), |address: IpAddr| address.to_canonical().to_string());
        match places.get(&(key.clone(), target.port)).and_then(|place| plans.get_mut(*place)) {
            Some(plan) => {
                if plan.target.host != target.host && !plan.also.contains(&target.host) {
                    plan.also.push(target.host.clone());
                }
                if plan.target.node.is_none() {
                    plan.target.node.clone_from(&target.node);
                    plan.target.kubernetes_node.clone_from(&target.kubernetes_node);
                }
            }
            None => {
                places.insert((key, target.port), plans.len());
                let mut target = target.clone();
                if target.node.is_some()
                    && let Ok(all) = &mut found
                {
                    all.retain(|one| resolve::is_elsewhere(one.ip()));
                    if all.is_empty() {
                        let why = "the address leads to this seat itself or to nobody in particular, not to the node";
                        target.left_out.get_or_insert((Reason::NotVisible, why.to_owned()));
                    }
                }
                plans.push(Plan { target, also: Vec::new(), addresses: found });
            }
        }
    }
    plans
}

/// Evidence of ports that were not looked at, although they should have been: one each, with the reason.
pub fn not_looked_at(targets: &[EndpointTarget], reason: Reason, why: &str) -> Vec<EndpointEvidence> {
    targets.iter().map(|target| untold(look::gone(named_unread(target), reason, why))).collect()
}

/// A port whose turn did not come.
fn late(target: &EndpointTarget) -> EndpointEvidence {
    let why = "the time for looking at ports was over before this one had answered";
    untold(look::gone(named_unread(target), Reason::Timeout, why))
}

/// Marks that the scan as a whole lacks something: a gap at the empty path.
fn untold(mut seen: EndpointEvidence) -> EndpointEvidence {
    if let Some(gap) = seen.unread.first().cloned() {
        seen.unread.insert(0, Unread { path: String::new(), ..gap });
    }
    seen
}

/// A port of which nothing is known but its name.
fn named_unread(target: &EndpointTarget) -> EndpointEvidence {
    let fact = |name: &Option<String>| name.clone().map_or(Fact::Absent, Fact::Known);
    EndpointEvidence {
        name: named(&target.host, target.port),
        host: target.host.clone(),
        port: target.port.into(),
        also: Vec::new(),
        address: Fact::Unread,
        seat_address: Fact::Unread,
        node: fact(&target.node),
        kubernetes_node: fact(&target.kubernetes_node),
        proxy: fact(&target.proxy),
        service: target.service.to_owned(),
        state: Fact::Unread,
        met: Fact::Unread,
        speaks: Fact::Unread,
        tls: TlsFacts { versions: Listing::default(), ..TlsFacts::default() },
        anonymous: Fact::Unread,
        unread: Vec::<Unread>::new(),
    }
}

/// `HOST:PORT`, an IPv6 address in brackets. What is no single port (0) has its words alone.
fn named(host: &str, port: u16) -> String {
    if port == 0 {
        return host.to_owned();
    }
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
