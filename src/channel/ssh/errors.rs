//! What went wrong on the way in, as a reason and a sentence that ends in what to do. What a peer sent is classified,
//! never quoted.

use super::Login;
use super::kexinit::{self, Gap, Hello, Ours};
use super::wire::Stop;
use crate::channel::ChannelError;
use crate::evidence::Reason;
use std::io::{Error, ErrorKind};
use std::time::Duration;

/// Algorithms of a kind that are named at most.
const SHOWN: usize = 6;

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

/// Whether a handshake ended because the server turns this address away for a while: too many logins at once, or a
/// penalty. `greeting` is the last line that the peer sent before the key exchange.
pub(super) fn is_turned_away(stop: &Stop, greeting: Option<&[u8]>) -> bool {
    let said = |text: &[u8]| greeting.is_some_and(|line| line.starts_with(text));
    match stop {
        Stop::Deadline => false,
        Stop::Failed(..) if said(b"Exceeded MaxStartups") || said(b"Not allowed at this time") => true,
        Stop::Failed(..) => stop.is_link_lost() && greeting.is_none(),
    }
}

/// The same error, once it was tried again.
pub(super) fn turned_away(mut error: ChannelError, tries: usize, time: Duration) -> ChannelError {
    if tries > 1 {
        error.message.push_str(&format!(" (this was tried {tries} times in {}, with growing waits)", seconds(time)));
    }
    error
}

/// A connection that a jump host did not make.
pub(super) fn forward(jump: &Login<'_>, next: &Login<'_>, stop: &Stop, limit: Duration) -> ChannelError {
    let says = |text: &str| matches!(stop, Stop::Failed(-21, words) if words.contains(text));
    let (reason, text) = if says("administratively prohibited") || says("unknown channel type") {
        (
            Reason::Forbidden,
            format!(
                "{next}: the jump host {jump} forbids forwarding to it. In the sshd_config there, allow it by AllowTcpForwarding (yes or local) and PermitOpen; and take `restrict` or `no-port-forwarding` from the key that logs in there"
            ),
        )
    } else if says("connect failed") {
        (
            Reason::Unreachable,
            format!(
                "{next}: the jump host {jump} cannot connect to it: nothing listens there, a firewall rejects it, or its name is not known there. Check the address and port as seen from the jump host"
            ),
        )
    } else if matches!(stop, Stop::Deadline) {
        (
            Reason::Unreachable,
            format!(
                "{next}: the jump host {jump} did not connect to it within {}: the node is off, or a firewall between the two drops the connection. Check from the jump host",
                seconds(limit)
            ),
        )
    } else if stop.is_link_lost() {
        (Reason::Unreachable, format!("{next}: the connection to the jump host {jump} was lost. Try again"))
    } else {
        (
            Reason::Unreachable,
            format!("{next}: the jump host {jump} opens no connection to it. Look into the sshd log of the jump host"),
        )
    };
    ChannelError::new(reason, text)
}

/// A handshake that did not end well, after what the server said.
pub(super) fn handshake(login: &Login<'_>, stop: &Stop, said: &Hello, ours: &Ours, limit: Duration) -> ChannelError {
    let greeting = said.greeting.as_deref();
    let gaps = said.lists.as_ref().map(|theirs| kexinit::gaps(ours, theirs)).unwrap_or_default();
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
        Stop::Failed(..) if !gaps.is_empty() => (Reason::Unsupported, format!("{login}: {}", no_common(&gaps))),
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

/// In which kinds of algorithms nothing is common, what the server offers of each, and what would have to be allowed.
fn no_common(gaps: &[Gap]) -> String {
    let each = |tell: &dyn Fn(&Gap) -> String, between: &str| gaps.iter().map(tell).collect::<Vec<_>>().join(between);
    let offers = |gap: &Gap| {
        let more = if gap.offered.len() > SHOWN { ", ..." } else { "" };
        let some = gap.offered.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{}: only {}{more}", gap.what, if some.is_empty() { "nothing" } else { &some })
    };
    format!(
        "its SSH server and this program have no {} algorithm in common. The server offers {}. In its sshd_config, add: {}",
        each(&|gap| gap.what.to_owned(), " and no "),
        each(&offers, "; "),
        each(&|gap| gap.remedy.clone(), "; ")
    )
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

    fn said(greeting: Option<&[u8]>) -> Hello {
        Hello { greeting: greeting.map(<[u8]>::to_vec), lists: None }
    }

    #[test]
    fn being_turned_away_is_told_from_being_refused() {
        let lost = Stop::Failed(-13, String::new());
        assert!(is_turned_away(&lost, None));
        assert!(is_turned_away(&lost, Some(b"Not allowed at this time")));
        assert!(!is_turned_away(&lost, Some(b"SSH-2.0-x")));
        assert!(!is_turned_away(&lost, Some(b"HTTP/1.0 400 Bad Request")));
        assert!(!is_turned_away(&Stop::Deadline, None));
    }

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
            let error = handshake(&LOGIN, stop, &said(greeting), &Ours::default(), LIMIT);
            assert_eq!(error.reason, reason, "{stop:?} {greeting:?}");
            assert!(error.message.contains(words), "{}", error.message);
            assert!(error.message.starts_with("edge1 (10.0.0.4 port 22): "), "{}", error.message);
        }
    }

    #[test]
    fn what_a_peer_sends_is_not_quoted() {
        let stop = Stop::Failed(-13, "\x1b[2J".into());
        let error = handshake(&LOGIN, &stop, &said(Some(b"\x1b[2Jhello")), &Ours::default(), LIMIT);
        assert!(!error.message.contains('\x1b') && !error.message.contains("hello"));
    }
}
