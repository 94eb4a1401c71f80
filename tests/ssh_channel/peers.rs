//! Peers that are not there, are no SSH servers, or mean no good.

use super::bed_support::{Sshd, free_port};
use super::{connect, connect_as, limits, options, pattern, refused};
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{ChannelError, Limits, NobodyToAsk};
use sitewarden::evidence::Reason;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_port_where_nothing_listens_and_a_name_that_is_none() {
    let error = refused(connect_as(free_port(), &SshOptions::default(), &limits(), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("connection refused"), "{error}");
    let login = Login { node: "edge9", host: "edge9.invalid", port: 22, user: Some("root"), identity: None };
    let error = refused(Ssh::connect(&login, &SshOptions::default(), &limits(), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("edge9.invalid"), "{error}");
}

/// Time for peers that do not end by themselves.
const SHORT: Duration = Duration::from_millis(600);
/// Time for peers that answer.
const LONG: Duration = Duration::from_secs(60);

/// What comes of a connection to a peer that does this with the socket.
fn against(connect: Duration, peer: impl FnOnce(TcpStream) + Send + 'static) -> ChannelError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || peer(listener.accept().unwrap().0));
    let limits = Limits { connect, ..limits() };
    let error = refused(connect_as(port, &SshOptions::default(), &limits, &NobodyToAsk));
    thread.join().unwrap();
    error
}

/// Reads until the other side is gone.
fn until_gone(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_peer_that_accepts_and_never_speaks() {
    let error = against(SHORT, until_gone);
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("does not greet"), "{error}");
}

#[test]
fn a_peer_that_trickles() {
    let error = against(SHORT, |mut stream| {
        // A byte each time that 20 ms pass without the other side going.
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut buffer = [0; 64];
        let mut greeting = b"SSH-2.0-".iter().chain(std::iter::repeat(&b'x'));
        while !matches!(stream.read(&mut buffer), Ok(0)) && stream.write_all(&[*greeting.next().unwrap()]).is_ok() {}
    });
    assert_eq!(error.reason, Reason::Timeout);
}

#[test]
fn a_peer_that_floods_lines_before_its_greeting() {
    let error = against(SHORT, |mut stream| while stream.write_all(&b"hello there\r\n".repeat(5000)).is_ok() {});
    assert_eq!(error.reason, Reason::Timeout, "{error}");
}

#[test]
fn a_peer_that_is_no_ssh_server() {
    let error = against(LONG, |mut stream| {
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\x1b[2Jgo away\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        until_gone(stream);
    });
    assert_eq!(error.reason, Reason::Malformed);
    assert!(error.message.contains("not an SSH server") && !error.message.contains('\x1b'), "{error}");
}

#[test]
fn a_peer_that_hangs_up_and_one_that_greets_and_then_says_nothing() {
    // It hangs up on whoever comes, for as long as it is tried again.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let limits = Limits { connect: Duration::from_millis(400), ..limits() };
    let error = refused(connect_as(port, &SshOptions::default(), &limits, &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("without a greeting"), "{error}");
    let error = against(Duration::from_secs(3), |mut stream| {
        stream.write_all(b"SSH-2.0-x\r\n").unwrap();
        until_gone(stream);
    });
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("key exchange"), "{error}");
}

#[test]
fn a_peer_that_sends_rubbish_for_packets() {
    for rubbish in [vec![0xff; 64 << 10], pattern(64 << 10), vec![0; 64 << 10]] {
        let error = against(SHORT, move |mut stream| {
            let _ = stream.write_all(b"SSH-2.0-x\r\n").and_then(|()| stream.write_all(&rubbish));
            until_gone(stream);
        });
        assert_ne!(error.reason, Reason::Forbidden, "{error}");
    }
}

#[test]
fn a_server_without_a_common_algorithm() {
    let Some(sshd) = Sshd::start("KexAlgorithms sntrup761x25519-sha512@openssh.com") else { return };
    let error = refused(connect(&sshd, &options(&sshd), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unsupported);
    assert!(error.message.contains("algorithm in common"), "{error}");
}

#[test]
fn a_server_with_too_many_logins_at_once() {
    let Some(sshd) = Sshd::start("MaxStartups 1:100:1") else { return };
    let options = options(&sshd);
    let mut first = TcpStream::connect(("127.0.0.1", sshd.port)).unwrap();
    first.read_exact(&mut [0; 4]).unwrap();
    let limits = Limits { connect: Duration::from_secs(1), ..limits() };
    let error = refused(connect_as(sshd.port, &options, &limits, &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("--jobs") && error.message.contains("tried"), "{error}");
}
