//! One session on one socket, driven without blocking: every libssh2 call ends at the deadline, whatever the peer does.

use super::wait::{self, Watchdog};
use ssh2::{BlockDirections, ErrorCode, Session};
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// libssh2's `LIBSSH2_ERROR_EAGAIN`.
const WOULD_BLOCK: i32 = -37;

/// Longest time that is waited for anything; keeps the arithmetic of times in range.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Why a call on a session did not end well.
#[derive(Debug)]
pub(super) enum Stop {
    /// The deadline passed.
    Deadline,
    /// libssh2 gave up, with its code and its words (its own, or about what the peer did: never shown).
    Failed(i32, String),
}

impl Stop {
    fn from_ssh2(error: &ssh2::Error) -> Self {
        let (ErrorCode::Session(code) | ErrorCode::SFTP(code)) = error.code();
        Stop::Failed(code, error.message().to_owned())
    }

    /// Whether the connection as such is gone.
    pub(super) fn is_link_lost(&self) -> bool {
        // Socket send, disconnect, receive, bad socket; and what the public key calls make of them.
        match self {
            Stop::Deadline => false,
            Stop::Failed(-7 | -13 | -43 | -45, _) => true,
            Stop::Failed(-19, words) => words.starts_with("Waiting for"),
            Stop::Failed(..) => false,
        }
    }
}

/// A session and its socket.
pub(super) struct Wire {
    session: Session,
    stream: TcpStream,
    watchdog: Watchdog,
    deadline: Cell<Instant>,
}

impl Wire {
    /// A session on a connected socket, not yet greeted. Calls have `limit` from now.
    pub(super) fn new(stream: TcpStream, limit: Duration) -> std::io::Result<Self> {
        // Without it Nagle's algorithm and delayed acknowledgements cost 40 ms in the handshake and per command.
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut session = Session::new().map_err(std::io::Error::other)?;
        session.set_tcp_stream(stream.try_clone()?);
        session.set_blocking(false);
        let watchdog = Watchdog::start(stream.try_clone()?)?;
        let wire = Wire { session, stream, watchdog, deadline: Cell::new(Instant::now()) };
        wire.allow(limit);
        Ok(wire)
    }

    /// The session, for calls that do not touch the network.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Gives the calls that follow this long, from now.
    pub(super) fn allow(&self, limit: Duration) {
        let deadline = Instant::now() + limit.min(LONGEST);
        self.deadline.set(deadline);
        self.watchdog.set(Some(deadline));
    }

    /// Does something that takes a person's time, while the clock of this connection stands still.
    pub(super) fn paused<T>(&self, ask: impl FnOnce() -> T) -> T {
        let left = self.deadline.get().saturating_duration_since(Instant::now());
        self.watchdog.set(None);
        let answer = ask();
        self.allow(left);
        answer
    }

    /// Calls libssh2 until it is done, waiting for the socket in between.
    pub(super) fn drive<T>(&self, mut call: impl FnMut(&mut Session) -> Result<T, ssh2::Error>) -> Result<T, Stop> {
        let mut session = self.session.clone();
        loop {
            match call(&mut session) {
                Ok(value) => return Ok(value),
                Err(error) if error.code() == ErrorCode::Session(WOULD_BLOCK) => self.wait(self.blocked_on_send())?,
                // The watchdog closes the socket at the deadline; the error that follows is the deadline's.
                Err(_) if self.is_late() => return Err(Stop::Deadline),
                Err(error) => return Err(Stop::from_ssh2(&error)),
            }
        }
    }

    /// Calls libssh2's stream functions once. `None` where nothing is there yet, or nothing may be sent yet.
    pub(super) fn transfer(&self, mut call: impl FnMut() -> std::io::Result<usize>) -> Result<Option<usize>, Stop> {
        loop {
            match call() {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    // A packet that is half sent must be finished by the same call before any other one.
                    if !self.blocked_on_send() {
                        return Ok(None);
                    }
                    self.wait(true)?;
                }
                Err(_) if self.is_late() => return Err(Stop::Deadline),
                Err(error) => return Err(Stop::Failed(-13, error.to_string())),
            }
        }
    }

    /// Waits until the peer has sent something or, with `sending`, until the socket takes more.
    pub(super) fn wait(&self, sending: bool) -> Result<(), Stop> {
        if wait::ready(&self.stream, sending, self.deadline.get()) { Ok(()) } else { Err(Stop::Deadline) }
    }

    /// Whether the deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline.get()
    }

    fn blocked_on_send(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Whether the peer has hung up and everything that it sent before was read.
    pub(super) fn is_closed_by_peer(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    /// Ends the connection at once; nothing on this session blocks afterwards.
    pub(super) fn close(&self) {
        wait::cut(&self.stream);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // One attempt to say goodbye, without waiting; then the socket goes first, so that freeing the session cannot
        // wait for the peer either.
        let _ = self.session.disconnect(None, "done", None);
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
