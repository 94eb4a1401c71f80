//! What went wrong on the way in, as a reason and a sentence that ends in what to do. What a peer sent is classified,
//! never quoted.

use super::Login;
use super::wire::Stop;
use crate::channel::ChannelError;
use crate::evidence::Reason;
use std::io::{Error, ErrorKind};
use std::time::Duration;

pub(super) fn no_such_name(login: &Login<'_>) -> ChannelError {
    ChannelError::new(
        Reason::Unreachable,
        format!(
            "{login}: no address is known for the name {:?}. Check how it is written, or give the node's address instead",
            login.host
        ),
    )
}

pub(super) fn resolver_late(login: &Login<'_>, limit: Duration) -> ChannelError {
    ChannelError::new(
        Reason::Unreachable,
        format!(
            "{login}: the name service did not answer within {}. Give the node's address instead of its name",
            seconds(limit)
        ),
    )
}

pub(super) fn no_thread(login: &Login<'_>) -> ChannelError {
    ChannelError::new(
        Reason::Unreachable,
        format!("{login}: this machine refuses another thread. Close other programs, or use fewer --jobs"),
    )
}

/// A connection that was not made.
pub(super) fn connect(login: &Login<'_>, error: &Error, limit: Duration) -> ChannelError {
    let port = login.port;
    let text = match error.kind() {
        ErrorKind::ConnectionRefused => format!(
            "{login}: connection refused: nothing listens on port {port} there, or a firewall rejects it. Check the port, and at the node's console whether sshd runs"
        ),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!(
            "{login}: no answer within {}: the node is off, the address is wrong, or a firewall drops the connection. Check them, or give more time with --timeout",
            seconds(limit)
        ),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            format!("{login}: there is no way to that address from here. Check the cable, the VPN and the address")
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
            format!("{login}: the connection was cut while it was being made. Check for a firewall in between")
        }
        _ => format!("{login}: the connection could not be made ({error}). Check the address and the network"),
    };
    ChannelError::new(Reason::Unreachable, text)
}

/// A handshake that did not end well. `greeting` is the last line that the peer sent before the key exchange.
pub(super) fn handshake(login: &Login<'_>, stop: &Stop, greeting: Option<&[u8]>, limit: Duration) -> ChannelError {
    let greeted = greeting.is_some_and(|line| line.starts_with(b"SSH-"));
    let says = |text: &[u8]| greeting.is_some_and(|line| line.starts_with(text));
    let (reason, text) = match stop {
        Stop::Deadline if greeted => (
            Reason::Timeout,
            format!(
                "{login}: the key exchange was not done within {}. The node or the link is slow: give more time with --timeout",
                seconds(limit)
            ),
        ),
        Stop::Deadline => (
            Reason::Timeout,
            format!(
                "{login}: it takes the connection but does not greet as an SSH server within {}. Check the port, or whether the node hangs",
                seconds(limit)
            ),
        ),
        Stop::Failed(..) if says(b"Exceeded MaxStartups") || says(b"Not allowed at this time") => (
            Reason::Unreachable,
            format!(
                "{login}: its SSH server turns this address away for now (too many logins at once, or failed ones before). Wait a minute, then try again with fewer --jobs"
            ),
        ),
        Stop::Failed(..) if greeting.is_some() && !greeted => {
            (Reason::Malformed, format!("{login}: what answers there is not an SSH server. Check the port"))
        }
        Stop::Failed(-2, _) if !greeted => {
            (Reason::Malformed, format!("{login}: what answers there is not an SSH server. Check the port"))
        }
        Stop::Failed(..) if stop.is_link_lost() && !greeted => (
            Reason::Unreachable,
            format!(
                "{login}: it closes the connection without a greeting: too many logins at once (MaxStartups), this address is shut out for a while, or a firewall cuts in. Wait a minute, then try again with fewer --jobs"
            ),
        ),
        // libssh2 says the same where the lists have nothing in common and where its peer hangs up on finding that.
        Stop::Failed(-5 | -51, _) => (
            Reason::Unsupported,
            format!(
                "{login}: its SSH server and this program have no key exchange, host key, cipher or MAC algorithm in common. Allow on the node one that this program speaks, for example curve25519-sha256 or mlkem768x25519-sha256; ssh-ed25519 or rsa-sha2-512; aes256-gcm@openssh.com; hmac-sha2-256-etm@openssh.com"
            ),
        ),
        Stop::Failed(..) if stop.is_link_lost() => (
            Reason::Unreachable,
            format!(
                "{login}: the connection was cut during the key exchange. Try again; if it stays so, look into the node's sshd log"
            ),
        ),
        Stop::Failed(-4 | -8 | -10 | -11 | -12, _) => (
            Reason::Malformed,
            format!(
                "{login}: the key exchange failed: the node could not prove its key, or something on the way changed the data. Do not go on over this network until the cause is known"
            ),
        ),
        Stop::Failed(code, _) => (
            Reason::Malformed,
            format!(
                "{login}: its SSH server answered what could not be understood (libssh2 {code}). Look into the node's sshd log"
            ),
        ),
    };
    ChannelError::new(reason, text)
}

/// A login that ended without an answer. `tries`: how many keys, and how many passwords or answers, were sent.
pub(super) fn login(
    login: &Login<'_>,
    user: &str,
    stop: &Stop,
    tries: (usize, usize),
    limit: Duration,
) -> ChannelError {
    let (offered, sent) = tries;
    match stop {
        stop if stop.is_link_lost() && sent > 0 => ChannelError::new(
            Reason::Forbidden,
            format!(
                "{login}: it ended the connection after {}{sent} {} of {user} (MaxAuthTries, or the account is locked). Check the password; where a key would do, name it with --identity FILE",
                match offered {
                    0 => String::new(),
                    1 => "1 key and ".to_owned(),
                    many => format!("{many} keys and "),
                },
                if sent == 1 { "password" } else { "passwords" },
            ),
        ),
        Stop::Deadline => ChannelError::new(
            Reason::Timeout,
            format!(
                "{login}: the login as {user} was not answered within {}. The node may wait for its name or directory service: give more time with --timeout",
                seconds(limit)
            ),
        ),
        stop if stop.is_link_lost() && offered > 0 => ChannelError::new(
            Reason::Forbidden,
            format!(
                "{login}: it ended the connection after {offered} {} for {user} (MaxAuthTries, or the account is locked). Name the right key with --identity FILE",
                if offered == 1 { "key" } else { "keys" }
            ),
        ),
        stop if stop.is_link_lost() => ChannelError::new(
            Reason::Unreachable,
            format!(
                "{login}: it ended the connection before the login as {user}. Try again; if it stays so, look into the node's sshd log"
            ),
        ),
        Stop::Failed(code, _) => ChannelError::new(
            Reason::Malformed,
            format!(
                "{login}: the login as {user} failed in a way that is not known (libssh2 {code}). Look into the node's sshd log"
            ),
        ),
    }
}

/// A command that could not be started.
pub(super) fn start(peer: &str, stop: &Stop, limit: Duration) -> ChannelError {
    match stop {
        Stop::Deadline => ChannelError::new(
            Reason::Timeout,
            format!("{peer}: the command was not started within {}. Give more time with --timeout", seconds(limit)),
        ),
        Stop::Failed(-21, _) => ChannelError::new(
            Reason::Forbidden,
            format!("{peer}: its SSH server opens no session for this login (MaxSessions?). Log in as another user"),
        ),
        Stop::Failed(-22 | -32, _) => ChannelError::new(
            Reason::Forbidden,
            format!("{peer}: its SSH server lets this login run no command. Log in as another user"),
        ),
        Stop::Failed(..) => ChannelError::new(
            Reason::Unreachable,
            format!("{peer}: the connection was lost before the command started. Try again"),
        ),
    }
}

/// `10 s`, `0.5 s`.
fn seconds(limit: Duration) -> String {
    format!("{} s", (limit.as_secs_f64() * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: Login<'_> = Login { node: "edge1", host: "10.0.0.4", port: 22, user: None, identity: None };
    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn every_end_of_a_handshake_is_told_apart() {
        let lost = Stop::Failed(-13, String::new());
        let cases: [(&Stop, Option<&[u8]>, Reason, &str); 7] = [
            (&Stop::Deadline, None, Reason::Timeout, "does not greet"),
            (&Stop::Deadline, Some(b"SSH-2.0-x"), Reason::Timeout, "key exchange was not done within 10 s"),
            (&lost, None, Reason::Unreachable, "without a greeting"),
            (&lost, Some(b"Exceeded MaxStartups"), Reason::Unreachable, "turns this address away"),
            (&lost, Some(b"HTTP/1.0 400 Bad Request"), Reason::Malformed, "not an SSH server"),
            (&lost, Some(b"SSH-2.0-x"), Reason::Unreachable, "cut during the key exchange"),
            (&Stop::Failed(-5, String::new()), Some(b"SSH-2.0-x"), Reason::Unsupported, "in common"),
        ];
        for (stop, greeting, reason, words) in cases {
            let error = handshake(&LOGIN, stop, greeting, LIMIT);
            assert_eq!(error.reason, reason, "{stop:?} {greeting:?}");
            assert!(error.message.contains(words), "{}", error.message);
            assert!(error.message.starts_with("edge1 (10.0.0.4 port 22): "), "{}", error.message);
        }
    }

    #[test]
    fn what_a_peer_sends_is_not_quoted() {
        let error = handshake(&LOGIN, &Stop::Failed(-13, "\x1b[2J".into()), Some(b"\x1b[2Jhello"), LIMIT);
        assert!(!error.message.contains('\x1b') && !error.message.contains("hello"));
    }
}
