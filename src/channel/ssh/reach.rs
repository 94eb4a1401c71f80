//! From a host's name to a connected socket.

use super::Login;
use super::errors;
use crate::channel::ChannelError;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Connects to the first address of the host that answers; all of them together have `limit`.
pub(super) fn connect(login: &Login<'_>, limit: Duration) -> Result<TcpStream, ChannelError> {
    let start = Instant::now();
    let addresses = resolve(login, limit)?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        // A dead address must not use up the time of those after it.
        let left = limit.saturating_sub(start.elapsed());
        let others = u32::try_from(addresses.len() - index).unwrap_or(1);
        let share = left / others.max(1);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => errors::connect(login, &error, limit),
        None => errors::connect(login, &ErrorKind::TimedOut.into(), limit),
    })
}

/// The host's addresses. The system's resolver knows no deadline, so it runs on a thread that is left alone when late.
fn resolve(login: &Login<'_>, limit: Duration) -> Result<Vec<SocketAddr>, ChannelError> {
    if let Ok(address) = login.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, login.port)]);
    }
    let (answer, answers) = mpsc::sync_channel(1);
    let asked = (login.host.to_owned(), login.port);
    let started = std::thread::Builder::new().name("resolver".into()).spawn(move || {
        let _ = answer.send(asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    });
    if started.is_err() {
        return Err(errors::no_thread(login));
    }
    match answers.recv_timeout(limit) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(errors::no_such_name(login)),
        Err(_) => Err(errors::resolver_late(login, limit)),
    }
}
