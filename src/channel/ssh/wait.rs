//! Waiting for a socket up to a deadline, and a watchdog for calls that do not come back to wait.

use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How long after a deadline the watchdog closes the socket. The clean way (see [`ready`]) comes first.
const GRACE: Duration = Duration::from_millis(250);

/// Waits until the socket can be read or, with `sending`, until it can be written. False: the deadline passed.
#[cfg(unix)]
pub(super) fn ready(stream: &TcpStream, sending: bool, deadline: Instant) -> bool {
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
pub(super) fn ready(_stream: &TcpStream, _sending: bool, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    std::thread::sleep(left.min(Duration::from_millis(5)));
    !left.is_zero()
}

/// Ends a connection so that nothing can be read from it any more. On Linux a shutdown alone goes on to deliver what the
/// peer sends.
pub(super) fn cut(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::connect_unspec(stream);
}

/// Cuts a connection when its deadline has passed. libssh2 reads for as long as there is something to read, so a peer
/// that floods could hold a call for ever; with the socket closed every call ends.
pub(super) struct Watchdog {
    deadlines: Sender<Option<Instant>>,
}

impl Watchdog {
    /// Starts one, without a deadline. Its thread ends with this value.
    pub(super) fn start(stream: TcpStream) -> std::io::Result<Self> {
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
                        cut(&stream);
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
