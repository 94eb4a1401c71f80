//! One session on one socket, driven without blocking: every libssh2 call ends at the deadline, whatever the peer does.

use super::link::{self, Link};
use super::wait::{self, Watchdog};
use ssh2::{BlockDirections, ErrorCode, Session};
use std::cell::Cell;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};
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

/// The descriptor that a session reads and writes. The session holds it for as long as it lives itself.
#[derive(Clone)]
struct Seat(Arc<Mutex<Link>>);

#[cfg(unix)]
impl std::os::fd::AsRawFd for Seat {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_raw_fd()
    }
}

#[cfg(not(unix))]
impl std::os::windows::io::AsRawSocket for Seat {
    fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_raw_socket()
    }
}

/// A session and its stream.
pub(super) struct Wire {
    session: Session,
    stream: Link,
    #[cfg_attr(not(unix), expect(dead_code, reason = "the stream is put there from the beginning"))]
    seat: Seat,
    watchdog: Watchdog,
    deadline: Cell<Instant>,
}

impl Wire {
    /// A session on a connected stream, not yet greeted. Calls have `limit` from now. On Unix the session is not put on
    /// the stream at once (see [`Wire::take_seat`]).
    pub(super) fn new(stream: Link, seat: Link, limit: Duration) -> std::io::Result<Self> {
        let mut session = Session::new().map_err(std::io::Error::other)?;
        let seat = Seat(Arc::new(Mutex::new(seat)));
        session.set_tcp_stream(seat.clone());
        session.set_blocking(false);
        let watchdog = Watchdog::start(stream.try_clone()?)?;
        let wire = Wire { session, stream, seat, watchdog, deadline: Cell::new(Instant::now()) };
        wire.allow(limit);
        Ok(wire)
    }

    /// Puts the session on the stream itself, in place of the one that it was made with.
    #[cfg(unix)]
    pub(super) fn take_seat(&self) -> std::io::Result<()> {
        let mut seat = self.seat.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(target_os = "linux")]
        rustix::io::dup3(&self.stream, &mut seat, rustix::io::DupFlags::CLOEXEC)?;
        #[cfg(not(target_os = "linux"))]
        {
            rustix::io::dup2(&self.stream, &mut seat)?;
            rustix::io::fcntl_setfd(&*seat, rustix::io::FdFlags::CLOEXEC)?;
        }
        Ok(())
    }

    /// The stream to the peer.
    pub(super) fn stream(&self) -> &Link {
        &self.stream
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

    /// Lifts the deadline: until the next [`Wire::allow`] calls may wait for ever.
    pub(super) fn allow_ever(&self) {
        self.deadline.set(Instant::now() + LONGEST);
        self.watchdog.set(None);
    }

    /// Calls libssh2 once. `None` where it would have to wait.
    pub(super) fn once<T>(&self, call: impl FnOnce(&mut Session) -> Result<T, ssh2::Error>) -> Result<Option<T>, Stop> {
        match call(&mut self.session.clone()) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == ErrorCode::Session(WOULD_BLOCK) => Ok(None),
            // The watchdog closes the socket at the deadline; the error that follows is the deadline's.
            Err(_) if self.is_late() => Err(Stop::Deadline),
            Err(error) => Err(Stop::from_ssh2(&error)),
        }
    }

    /// Calls libssh2 until it is done, waiting for the socket in between.
    pub(super) fn drive<T>(&self, mut call: impl FnMut(&mut Session) -> Result<T, ssh2::Error>) -> Result<T, Stop> {
        loop {
            match self.once(&mut call)? {
                Some(value) => return Ok(value),
                None => self.wait(self.blocked_on_send())?,
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

    /// Whether libssh2 has something left to send.
    pub(super) fn blocked_on_send(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Whether the peer has hung up and everything that it sent before was read.
    pub(super) fn is_closed_by_peer(&self) -> bool {
        match link::peek(&self.stream) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    /// Ends the connection at once; nothing on this session blocks afterwards.
    pub(super) fn close(&self) {
        link::cut(&self.stream);
    }

    /// Says goodbye and closes, without waiting.
    pub(super) fn goodbye(&self) {
        // One attempt; then the socket goes first, so that freeing the session cannot wait for the peer either.
        let _ = self.session.disconnect(None, "done", None);
        link::shut(&self.stream, Shutdown::Both);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.goodbye();
    }
}
