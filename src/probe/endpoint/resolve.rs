//! From names to addresses, bounded in time and number.

use crate::evidence::Reason;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Most names that are being looked up at once; each costs a thread, since the system's own way of looking up blocks.
const AT_ONCE: usize = 16;

/// Most addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Addresses of a host, or why there are none.
pub(super) type Found = Result<Vec<SocketAddr>, Reason>;

/// Looks up every host once. What is not known when `within` is over is `timeout`; a thread that hangs is left alone.
/// The ports of the addresses are 0.
pub(super) async fn resolve(hosts: impl Iterator<Item = &str>, within: Duration) -> BTreeMap<String, Found> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut waiting = Vec::new();
    for host in hosts {
        if found.contains_key(host) {
            continue;
        }
        let known = match host.parse::<IpAddr>() {
            Ok(address) => Ok(vec![SocketAddr::new(address.to_canonical(), 0)]),
            Err(_) => {
                waiting.push(host.to_owned());
                Err(Reason::Timeout)
            }
        };
        found.insert(host.to_owned(), known);
    }
    let until = Instant::now() + within;
    let (sender, mut answers) = mpsc::unbounded_channel();
    let mut running = 0;
    let mut waiting = waiting.into_iter();
    loop {
        while running < AT_ONCE
            && let Some(host) = waiting.next()
        {
            let sender = sender.clone();
            let look = move || {
                let answer = look_up(&host);
                // Nobody hears it where the time is over.
                let _ = sender.send((host, answer));
            };
            if std::thread::Builder::new().spawn(look).is_ok() {
                running += 1;
            }
        }
        if running == 0 {
            return found;
        }
        match timeout_at(until, answers.recv()).await {
            Ok(Some((host, answer))) => {
                running -= 1;
                found.insert(host, answer);
            }
            Ok(None) | Err(_) => return found,
        }
    }
}

fn look_up(host: &str) -> Found {
    let answer = (host, 0_u16).to_socket_addrs().map_err(|_| Reason::Unreachable)?;
    let mut all: Vec<SocketAddr> = Vec::new();
    for mut one in answer {
        // An address with a zone keeps it.
        if one.ip() != one.ip().to_canonical() {
            one = SocketAddr::new(one.ip().to_canonical(), 0);
        }
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.truncate(ADDRESSES);
    if all.is_empty() { Err(Reason::Unreachable) } else { Ok(all) }
}

/// Whether an address can be another machine's: a node that says it is at 127.0.0.1 (or that is reached by a tunnel there)
/// would lend it the ports of this seat.
pub(super) fn is_elsewhere(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let special = match address {
        IpAddr::V4(four) => four.is_link_local() || four.is_broadcast(),
        IpAddr::V6(_) => false,
    };
    !special && !address.is_loopback() && !address.is_unspecified() && !address.is_multicast()
}
