//! Waiting for a socket up to a deadline, and a watchdog for calls that do not come back to wait.

use super::link::{self, Link};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How long after a deadline the watchdog closes the socket. The clean way (see [`ready`]) comes first.
const GRACE: Duration = Duration::from_millis(250);

/// Waits until the socket can be read or, with `sending`, until it can be written. False: the deadline passed.
#[cfg(unix)]
pub(super) fn ready(stream: &Link, sending: bool, deadline: Instant) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    let wanted = if sending { PollFlags::OUT } else { PollFlags::IN };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(stream, wanted)], Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
    }
}

/// Waits a moment. False: the deadline passed.
#[cfg(not(unix))]
pub(super) fn ready(_stream: &Link, _sending: bool, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    std::thread::sleep(left.min(Duration::from_millis(5)));
    !left.is_zero()
}

/// Which side of a stream is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// Waits, for as long as it takes, until one of two streams can go on. Gives whether the second one has hung up; None
/// where that cannot be waited for.
#[cfg(unix)]
pub(super) fn either(one: (&Link, Sides), other: (&Link, Sides)) -> Option<bool> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    let flags = |sides: Sides| {
        let read = if sides.read { PollFlags::IN } else { PollFlags::empty() };
        read | if sides.write { PollFlags::OUT } else { PollFlags::empty() }
    };
    loop {
        let mut both = vec![PollFd::new(other.0, flags(other.1))];
        // A stream that has hung up ends the wait even where nothing is wanted of it.
        if one.1.read || one.1.write {
            both.push(PollFd::new(one.0, flags(one.1)));
        }
        match poll(&mut both, None) {
            Ok(_) => {
                let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                return Some(both.first().is_some_and(|second| second.revents().intersects(gone)));
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
}

/// Waits a moment.
#[cfg(not(unix))]
pub(super) fn either(_one: (&Link, Sides), _other: (&Link, Sides)) -> Option<bool> {
    std::thread::sleep(Duration::from_millis(5));
    Some(false)
}

/// Cuts a connection when its deadline has passed. libssh2 reads for as long as there is something to read, so a peer
/// that floods could hold a call for ever; with the socket closed every call ends.
pub(super) struct Watchdog {
    deadlines: Sender<Option<Instant>>,
}

impl Watchdog {
    /// Starts one, without a deadline. Its thread ends with this value.
    pub(super) fn start(stream: Link) -> std::io::Result<Self> {
        let (deadlines, news) = mpsc::channel::<Option<Instant>>();
        std::thread::Builder::new().name("ssh watchdog".into()).spawn(move || {
            let mut deadline = None;
            loop {
                let message = match deadline {
                    None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    Some(at) => news.recv_timeout(Instant::saturating_duration_since(&at, Instant::now()) + GRACE),
                };
                match message {
                    Ok(next) => deadline = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        link::cut(&stream);
                        deadline = None;
                    }
                }
            }
        })?;
        Ok(Watchdog { deadlines })
    }

    /// Sets or lifts the deadline.
    pub(super) fn set(&self, deadline: Option<Instant>) {
        let _ = self.deadlines.send(deadline);
    }
}
