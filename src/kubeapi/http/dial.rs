//! TCP: the first of a name's addresses that answers.

use super::super::error::{ApiError, seconds};
use super::deadline::{Deadline, Late};
use crate::evidence::Reason;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long an address has before the next one is tried beside it. RFC 8305 8.
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of a name that are tried at most.
const ADDRESSES: usize = 16;

/// Connects. `whom` names the peer in sentences, `fix` what the person may correct: `the server in FILE`.
pub(super) async fn dial(
    host: &str,
    port: u16,
    whom: &str,
    fix: &str,
    deadline: Deadline,
) -> Result<TcpStream, ApiError> {
    let unreachable = |text: String| ApiError::new(Reason::Unreachable, format!("{whom}: {text}"));
    let found = deadline.hold(lookup_host((host, port))).await.map_err(|Late| {
        let text = format!("{whom}: the name service did not answer within {}", seconds(deadline.limit));
        ApiError::new(Reason::Timeout, format!("{text}. Write the address instead of the name for {fix}"))
    })?;
    let addresses: Vec<SocketAddr> = found.map(|all| all.take(ADDRESSES).collect()).unwrap_or_default();
    if addresses.is_empty() {
        let text = format!("no address is known for the name {:?}", super::super::error::shown(host));
        return Err(unreachable(format!("{text}. Check how it is written for {fix}, and this machine's name service")));
    }
    let stream = deadline.hold(first(addresses)).await.map_err(|Late| {
        let text = format!(
            "{whom}: no answer within {}: it is off, the address is wrong, or a firewall drops the connection",
            seconds(deadline.limit)
        );
        ApiError::new(Reason::Timeout, format!("{text}. Check {fix} and the network, or give more time with --timeout"))
    })?;
    let stream = stream.map_err(|error| {
        unreachable(match error.kind() {
            ErrorKind::ConnectionRefused => format!(
                "connection refused: nothing listens there, or a firewall rejects it. Check that it runs, and {fix}"
            ),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                format!("there is no way to that address from here. Check the cable, the VPN and {fix}")
            }
            ErrorKind::TimedOut => {
                format!("no answer: it is off, or a firewall drops the connection. Check it, and {fix}")
            }
            kind => format!("the connection could not be made ({kind}). Check the network and {fix}"),
        })
    })?;
    // Requests are small and wait for their answers; holding them back helps nobody.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The first address that answers; the error of the first one where none does.
async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut tries = JoinSet::new();
    for (delay, address) in (0..).map(|place| HEAD_START * place).zip(addresses) {
        tries.spawn(async move {
            sleep(delay).await;
            (delay, TcpStream::connect(address).await)
        });
    }
    let mut failed: Option<(Duration, io::Error)> = None;
    while let Some(done) = tries.join_next().await {
        match done {
            Ok((_, Ok(stream))) => return Ok(stream),
            Ok((delay, Err(error))) if failed.as_ref().is_none_or(|(earlier, _)| delay < *earlier) => {
                failed = Some((delay, error));
            }
            _ => {}
        }
    }
    Err(failed.map_or_else(|| ErrorKind::NotConnected.into(), |(_, error)| error))
}
