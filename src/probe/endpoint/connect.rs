//! One attempt to connect, and what it met.

use crate::evidence::{PortState, Reason};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// What an attempt met.
#[derive(Debug)]
pub(super) struct Met {
    /// Open, closed, filtered; or why this seat could not even try.
    pub state: Result<PortState, Reason>,
    /// The same in words, without a full stop.
    pub words: &'static str,
    /// The address that this is said of.
    pub address: SocketAddr,
    /// The connection, where there is one.
    pub stream: Option<TcpStream>,
}

/// Connects to the addresses in their order until one accepts. Where none does, the one that answered best counts: a
/// refusal is an answer, silence is not. Each address has its share of `within`; nothing goes beyond `until`.
pub(super) async fn connect(addresses: &[SocketAddr], port: u16, within: Duration, until: Instant) -> Option<Met> {
    let share = within / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut best: Option<Met> = None;
    for address in addresses {
        let mut address = *address;
        address.set_port(port);
        let met = attempt(address, (Instant::now() + share).min(until)).await;
        let done = met.stream.is_some();
        if best.as_ref().is_none_or(|before| rank(&met) > rank(before)) {
            best = Some(met);
        }
        if done {
            break;
        }
    }
    best
}

fn rank(met: &Met) -> u8 {
    match met.state {
        Ok(PortState::Open) => 3,
        Ok(PortState::Closed) => 2,
        Ok(PortState::Filtered) => 1,
        Err(_) => 0,
    }
}

async fn attempt(address: SocketAddr, until: Instant) -> Met {
    let met = |state, words, stream| Met { state, words, address, stream };
    match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => met(Ok(PortState::Open), "accepted", Some(stream)),
        Ok(Err(error)) => {
            let (state, words) = refusal(&error);
            met(state, words, None)
        }
        Err(_) => met(Ok(PortState::Filtered), "no answer", None),
    }
}

/// EACCES: what a packet that says "administratively prohibited" becomes. EPERM, which has the same kind, comes from this
/// machine's own rules.
const PROHIBITED: i32 = 13;

/// What an error says of the port.
fn refusal(error: &io::Error) -> (Result<PortState, Reason>, &'static str) {
    match error.kind() {
        ErrorKind::ConnectionRefused => (Ok(PortState::Closed), "refused"),
        ErrorKind::TimedOut => (Ok(PortState::Filtered), "no answer"),
        ErrorKind::HostUnreachable => (Ok(PortState::Filtered), "host unreachable"),
        ErrorKind::PermissionDenied if error.raw_os_error() == Some(PROHIBITED) => {
            (Ok(PortState::Filtered), "prohibited on the way")
        }
        ErrorKind::PermissionDenied => {
            (Err(Reason::Forbidden), "this machine's own rules do not let the connection out")
        }
        ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            (Err(Reason::Unreachable), "this seat has no way to that network")
        }
        _ => (Err(Reason::NotVisible), "this machine could not make the connection"),
    }
}

/// What a read from a connection gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// So many bytes.
    Bytes(usize),
    /// The other side ended the connection, politely or not.
    End,
    /// Nothing came in time.
    Late,
}

/// Reads what there is.
pub(super) async fn read(stream: &TcpStream, buffer: &mut [u8], until: Instant) -> Heard {
    loop {
        match timeout_at(until, stream.readable()).await {
            Err(_) => return Heard::Late,
            Ok(Err(_)) => return Heard::End,
            Ok(Ok(())) => match stream.try_read(buffer) {
                Ok(0) => return Heard::End,
                Ok(count) => return Heard::Bytes(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Heard::End,
            },
        }
    }
}

/// Writes all of it. False where the connection or the time ended before.
pub(super) async fn write(stream: &TcpStream, bytes: &[u8], until: Instant) -> bool {
    let mut left = bytes;
    while !left.is_empty() {
        match timeout_at(until, stream.writable()).await {
            Ok(Ok(())) => match stream.try_write(left) {
                Ok(count) => left = left.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
            },
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_says_that_a_port_is_closed() {
        let of = |number: i32| refusal(&io::Error::from_raw_os_error(number)).0;
        assert_eq!(of(111), Ok(PortState::Closed));
        for filtered in [110, 113, 13] {
            assert_eq!(of(filtered), Ok(PortState::Filtered), "{filtered}");
        }
        // Out of files, no route, own rules: nothing was tried.
        assert_eq!(of(24), Err(Reason::NotVisible));
        assert_eq!(of(101), Err(Reason::Unreachable));
        assert_eq!(of(1), Err(Reason::Forbidden));
    }
}
