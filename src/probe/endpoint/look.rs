//! Everything that is asked of one port, in its order.

use super::connect::{self, Heard};
use super::handshake::{self, Shaken};
use super::hello::Version;
use super::lines::{self, Said};
use super::{EndpointLimits, EndpointTarget, Peer, named_unread};
use super::{offers, services};
use crate::evidence::{Anonymous, EndpointEvidence, Fact, PortState, Reason, Unread};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Looks at one port at the addresses that its host has.
pub(super) async fn look(
    target: &EndpointTarget,
    addresses: &[SocketAddr],
    limits: &EndpointLimits,
    until: Instant,
) -> EndpointEvidence {
    let mut seen = named_unread(target);
    let Some(met) = connect::connect(addresses, target.port, limits.connect, until).await else {
        return gone(seen, Reason::Unreachable, "the name has no address");
    };
    seen.address = Fact::Known(met.address.ip().to_string());
    match met.state {
        Ok(state) => {
            seen.state = Fact::Known(state);
            seen.met = Fact::Known(met.words.to_owned());
        }
        Err(reason) => return gone(seen, reason, met.words),
    }
    let Some(stream) = met.stream else {
        let (reason, why) = match met.state {
            Ok(PortState::Closed) => (Reason::Unreachable, "the port is closed, seen from this seat"),
            _ => (Reason::Timeout, "the port did not answer this seat"),
        };
        for path in ["speaks", "tls", "anonymous", "seat_address"] {
            unread(&mut seen, path, reason, why);
        }
        return seen;
    };
    match stream.local_addr() {
        Ok(own) => seen.seat_address = Fact::Known(own.ip().to_canonical().to_string()),
        Err(_) => unread(&mut seen, "seat_address", Reason::NotVisible, "the system does not tell"),
    }
    if target.proxy.is_some() {
        for path in ["speaks", "tls", "anonymous"] {
            let why = "a proxy on the way ends the TLS: what could be seen is the proxy's, not the API server's";
            unread(&mut seen, path, Reason::NotVisible, why);
        }
        return seen;
    }
    let peer =
        Peer { host: &target.host, address: met.address, port: target.port, service: services::named(target.service) };
    if target.service == "ssh" {
        greeting(stream, &mut seen, limits, until).await;
    } else {
        ask(&peer, stream, &mut seen, limits, until).await;
    }
    seen
}

/// A port of which nothing is known, and why.
pub(super) fn gone(mut seen: EndpointEvidence, reason: Reason, why: &str) -> EndpointEvidence {
    for path in ["state", "met", "address", "seat_address", "speaks", "tls", "anonymous"] {
        if path != "address" || seen.address.is_unread() {
            unread(&mut seen, path, reason, why);
        }
    }
    seen
}

fn unread(seen: &mut EndpointEvidence, path: &str, reason: Reason, detail: &str) {
    seen.unread.push(Unread { path: path.to_owned(), reason, detail: detail.to_owned() });
}

/// Reads the greeting of an SSH server and says nothing to it.
async fn greeting(stream: TcpStream, seen: &mut EndpointEvidence, limits: &EndpointLimits, until: Instant) {
    for path in ["tls", "anonymous"] {
        unread(seen, path, Reason::NotVisible, "not asked of an SSH server");
    }
    match first_words(&stream, lines::greeting, (Instant::now() + limits.answer).min(until)).await {
        Ok(()) => seen.speaks = Fact::Known("ssh".to_owned()),
        Err(reason) => unread(seen, "speaks", reason, "no greeting of an SSH server came"),
    }
}

/// Reads until what came is understood.
async fn first_words<T>(stream: &TcpStream, understand: fn(&[u8]) -> Said<T>, until: Instant) -> Result<T, Reason> {
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match connect::read(stream, &mut buffer, until).await {
            Heard::Bytes(count) => heard.extend(buffer.get(..count).unwrap_or_default()),
            Heard::End => return Err(Reason::Malformed),
            Heard::Late => return Err(Reason::Timeout),
        }
        match understand(&heard) {
            Said::This(this) => return Ok(this),
            Said::Other if heard.len() >= lines::MOST => return Err(Reason::TooLarge),
            Said::Other => return Err(Reason::Malformed),
            Said::More => {}
        }
    }
}

/// Finds out what the port speaks, and asks accordingly.
async fn ask(peer: &Peer<'_>, stream: TcpStream, seen: &mut EndpointEvidence, limits: &EndpointLimits, until: Instant) {
    let offers = offers::ask(peer, stream, limits, until).await;
    match offers.speaks {
        Some(Ok("tls")) => {}
        Some(Ok(words)) => {
            seen.speaks = Fact::Known(words.to_owned());
            seen.tls.spoken = Fact::Known(false);
            unread(seen, "tls", Reason::NotVisible, "the port does not speak TLS");
            if words == "http" {
                plain(peer, seen, limits, until).await;
            } else {
                unread(seen, "anonymous", Reason::NotVisible, "nothing that answers requests listens there");
            }
            return;
        }
        Some(Err(reason)) => return silent(seen, reason),
        None => return silent(seen, Reason::NotVisible),
    }
    seen.speaks = Fact::Known("tls".to_owned());
    seen.tls.spoken = Fact::Known(true);
    seen.tls.versions = offers.versions;
    seen.tls.suites = offers.suites;
    seen.unread.extend(offers.unread);
    let request = peer.service.request;
    let newest = if offers.accepted.contains(&Version::V12) { Version::V12 } else { Version::V13 };
    let mut shaken = handshake::shake(peer, newest, request, limits, until).await;
    if matches!(shaken.chain, Some(Err(_))) && newest == Version::V12 && offers.accepted.contains(&Version::V13) {
        shaken = handshake::shake(peer, Version::V13, request, limits, until).await;
    }
    note(peer, shaken, seen);
}

fn silent(seen: &mut EndpointEvidence, reason: Reason) {
    let why = match reason {
        Reason::Timeout => "the port is open, and what listens there did not answer in time",
        Reason::TooLarge => "what listens there answered without end",
        _ => "what listens there answered in no way that is understood",
    };
    for path in ["speaks", "tls", "anonymous"] {
        unread(seen, path, reason, why);
    }
}

/// Writes down what a handshake showed.
fn note(peer: &Peer<'_>, shaken: Shaken, seen: &mut EndpointEvidence) {
    const REFUSED: &str = "the handshake did not come to its end";
    let demands = shaken.demands == Fact::Known(true);
    match shaken.chain {
        Some(Ok(chain)) => {
            if !chain.complete {
                unread(seen, "tls.chain", Reason::TooLarge, "the chain is longer than any that is kept");
            }
            seen.tls.chain = chain;
        }
        Some(Err(Reason::Unsupported)) => {
            let why = "this program speaks none of the suites that the server accepts";
            unread(seen, "tls.chain", Reason::Unsupported, why);
        }
        Some(Err(reason)) => unread(seen, "tls.chain", reason, REFUSED),
        None => unread(seen, "tls.chain", Reason::NotVisible, REFUSED),
    }
    match shaken.names {
        Some(Err(reason)) => {
            unread(seen, "tls.names", reason, "the names in the certificate could not be understood");
        }
        Some(Ok(names)) => {
            if !names.complete {
                unread(seen, "tls.names", Reason::TooLarge, "the certificate has more names than are kept");
            }
            seen.tls.names = names;
        }
        None => {
            let gap = seen.unread.iter().find(|gap| gap.path == "tls.chain").cloned();
            let (reason, why) = gap.map_or((Reason::Malformed, REFUSED.to_owned()), |gap| (gap.reason, gap.detail));
            unread(seen, "tls.names", reason, &why);
        }
    }
    let trouble = match shaken.answer {
        Some(Err(reason)) => reason,
        _ => Reason::Malformed,
    };
    if shaken.asks.is_unread() {
        unread(seen, "tls.asks_client_certificate", trouble, REFUSED);
    }
    if shaken.demands.is_unread() {
        let why = "the server said neither yes nor no to a client without a certificate";
        unread(seen, "tls.demands_client_certificate", trouble, why);
    }
    seen.tls.asks_client_certificate = shaken.asks;
    seen.tls.demands_client_certificate = shaken.demands;
    let Some(path) = peer.service.request else {
        return unread(seen, "anonymous", Reason::NotVisible, "no request is made to such a port");
    };
    match shaken.answer {
        _ if demands => {
            let served = Fact::Known(false);
            seen.anonymous = Fact::Known(Anonymous { request: format!("GET {path}"), status: Fact::Absent, served });
        }
        Some(Ok(status)) => answered(peer, path, status, seen),
        Some(Err(reason)) => unread(seen, "anonymous", reason, "the request without credentials was not answered"),
        None => unread(seen, "anonymous", Reason::NotVisible, "the request without credentials was not answered"),
    }
}

/// Writes down a status.
fn answered(peer: &Peer<'_>, path: &str, status: u16, seen: &mut EndpointEvidence) {
    let served = peer.service.served(status);
    if served.is_none() {
        let why = "the answer is neither a success nor a refusal";
        unread(seen, "anonymous.served", Reason::Malformed, why);
    }
    seen.anonymous = Fact::Known(Anonymous {
        request: format!("GET {path}"),
        status: Fact::Known(status.into()),
        served: served.map_or(Fact::Unread, Fact::Known),
    });
}

/// The request without credentials, where HTTP is spoken in the plain.
async fn plain(peer: &Peer<'_>, seen: &mut EndpointEvidence, limits: &EndpointLimits, until: Instant) {
    let Some(path) = peer.service.request else {
        return unread(seen, "anonymous", Reason::NotVisible, "no request is made to such a port");
    };
    let status = async {
        let stream = peer.connect(limits, until).await?;
        let until = (Instant::now() + limits.answer).min(until);
        if !connect::write(&stream, lines::request(path, peer.host, peer.port).as_bytes(), until).await {
            return Err(Reason::Malformed);
        }
        first_words(&stream, lines::status, until).await
    };
    match status.await {
        Ok(status) => answered(peer, path, status, seen),
        Err(reason) => unread(seen, "anonymous", reason, "the request without credentials was not answered"),
    }
}
