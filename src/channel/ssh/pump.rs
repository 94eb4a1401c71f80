//! Carries the bytes of a connection through a jump host: one thread for each, which ends with either side.

use super::Login;
use super::errors;
use super::link::{self, Link};
use super::wait::{self, Sides};
use super::wire::Wire;
use crate::channel::ChannelError;
use std::io::{Error, ErrorKind};
use std::net::Shutdown;
use std::time::Duration;

/// Bytes carried at once; the largest packet of a channel is 32 kB.
const CHUNK: usize = 32 << 10;

/// Longest time for the work between two waits: a jump host that floods could else hold it for ever.
const BUSY: Duration = Duration::from_secs(30);

/// A stream to the next host by way of a jump host that was logged in to. Opening it has `limit`.
pub(super) fn through(wire: Wire, jump: &Login<'_>, next: &Login<'_>, limit: Duration) -> Result<Link, ChannelError> {
    wire.allow(limit);
    let channel = wire
        .drive(|session| session.channel_direct_tcpip(next.host, next.port, None))
        .map_err(|stop| errors::forward(jump, next, &stop, limit))?;
    let no_pair = |error| errors::connect(next, &error, limit);
    let (here, there) = link::pair().map_err(no_pair)?;
    wire.allow_ever();
    std::thread::Builder::new()
        .name("ssh jump".into())
        .spawn(move || {
            // The channel goes before its session, and both without waiting.
            let mut pump = Pump { channel, wire, there, to_next: Pending::default(), to_us: Pending::default() };
            pump.run();
            link::shut(&pump.there, Shutdown::Both);
            pump.wire.goodbye();
        })
        .map_err(|_| errors::no_thread(next))?;
    Ok(here)
}

struct Pump {
    channel: ssh2::Channel,
    wire: Wire,
    there: Link,
    to_next: Pending,
    to_us: Pending,
}

/// Bytes taken on one side and not yet given to the other.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    given: usize,
    /// Whether no more will come.
    ended: bool,
}

impl Pending {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.given..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.given >= self.bytes.len()
    }

    fn refill(&mut self, bytes: &[u8]) {
        self.given = 0;
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }
}

/// What came of one call that moves bytes.
enum Moved {
    Bytes(usize),
    NotNow,
    End,
}

fn moved(result: Result<usize, Error>) -> Moved {
    match result {
        Ok(0) => Moved::End,
        Ok(length) => Moved::Bytes(length),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Moved::NotNow,
        Err(_) => Moved::End,
    }
}

impl Pump {
    /// Carries until one side is gone.
    fn run(&mut self) {
        let mut buffer = vec![0; CHUNK];
        loop {
            self.wire.allow(BUSY);
            let mut any = false;
            match (self.out(&mut buffer), self.back(&mut buffer)) {
                (Some(out), Some(back)) => any |= out | back,
                _ => return,
            }
            self.wire.allow_ever();
            if !any && !self.wait() {
                return;
            }
        }
    }

    /// From us to the next host. Whether anything moved; None where that is over.
    fn out(&mut self, buffer: &mut [u8]) -> Option<bool> {
        use std::io::Write;
        let mut any = false;
        if self.to_next.is_empty() {
            match moved(link::read(&self.there, buffer)) {
                Moved::Bytes(length) => {
                    self.to_next.refill(buffer.get(..length).unwrap_or_default());
                    any = true;
                }
                Moved::NotNow => {}
                // The connection that is carried was closed; nobody waits for what may still come.
                Moved::End => return None,
            }
        }
        if !self.to_next.is_empty() {
            match self.channel.write(self.to_next.rest()) {
                // Nothing taken: the window is full, and what opens it comes with reading.
                Ok(0) => {}
                Ok(length) => {
                    self.to_next.given += length;
                    any = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        Some(any)
    }

    /// From the next host to us. Whether anything moved; None where that is over.
    fn back(&mut self, buffer: &mut [u8]) -> Option<bool> {
        use std::io::Read;
        let mut any = false;
        if self.to_us.is_empty() && !self.to_us.ended {
            match self.channel.read(buffer) {
                Ok(0) if self.channel.eof() => self.to_us.ended = true,
                Ok(0) => {}
                Ok(length) => {
                    self.to_us.refill(buffer.get(..length).unwrap_or_default());
                    any = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        if !self.to_us.is_empty() {
            match moved(link::write(&self.there, self.to_us.rest())) {
                Moved::Bytes(length) => {
                    self.to_us.given += length;
                    any = true;
                }
                Moved::NotNow => {}
                Moved::End => return None,
            }
        }
        // All that came before the end was given.
        if self.to_us.ended && self.to_us.is_empty() { None } else { Some(any) }
    }

    /// Waits until one of the sides can go on. False: there is nothing to wait for any more.
    fn wait(&self) -> bool {
        let waiting = !self.to_next.is_empty();
        // What opens the window for writing comes with reading; else nothing is read that cannot be given on.
        let jump = Sides { read: self.to_us.is_empty() || waiting, write: self.wire.blocked_on_send() };
        let ours = Sides { read: !waiting, write: !self.to_us.is_empty() };
        match wait::either((self.wire.stream(), jump), (&self.there, ours)) {
            Some(gone) => !(gone && waiting),
            None => false,
        }
    }
}
