//! Servers that stall, flood and talk nonsense: each costs its own port alone, within its bounds.

use super::servers::{Setup, says, serve};
use super::{limits, look, look_all, reason, target};
use sitewarden::evidence::{EndpointEvidence, Fact, PortState, Reason};
use sitewarden::probe::endpoint::EndpointLimits;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Bounds for servers that never answer.
fn short() -> EndpointLimits {
    EndpointLimits { answer: Duration::from_millis(300), port: Duration::from_secs(2), ..limits() }
}

fn look_short(port: u16, service: &'static str) -> EndpointEvidence {
    look_all(&[target("127.0.0.1", port, service)], short()).remove(0)
}

/// Holds every connection without a word, until the other side ends it.
fn stalls() -> u16 {
    serve(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {})
}

/// Says something over and over, after some first words.
fn floods(first: &'static [u8], then: &'static [u8]) -> u16 {
    serve(move |mut stream: TcpStream| {
        let _ = stream.write_all(first);
        let chunk: Vec<u8> = then.iter().copied().cycle().take(then.len() * (8192 / then.len()).max(1)).collect();
        while stream.write_all(&chunk).is_ok() {}
    })
}

/// Nothing but the state was found, and everything else has this reason.
fn lost(seen: &EndpointEvidence, expected: Reason) {
    assert_eq!(seen.state, Fact::Known(PortState::Open), "{seen:?}");
    for path in ["speaks", "tls.spoken", "tls.chain", "anonymous.served"] {
        let path = if seen.service == "ssh" { "speaks" } else { path };
        assert_eq!(reason(seen, path), Some(expected), "{path}: {:?}", seen.unread);
    }
    assert!(seen.speaks.is_unread() && seen.anonymous.is_unread() && seen.tls.spoken.is_unread());
}

#[test]
fn a_server_that_says_nothing_is_a_timeout() {
    for service in ["ssh", "kubelet", "kube-proxy-health"] {
        lost(&look_short(stalls(), service), Reason::Timeout);
    }
}

#[test]
fn nonsense_is_malformed() {
    for words in
        [&b"\0\0\0\0\0\0\0\0"[..], b"220 mail.example\r\n", b"\x16\x03\x03\xff\xffxxxx", b"\x16\x09\x09\0\x01x"]
    {
        lost(&look(says(words), "kubelet"), Reason::Malformed);
    }
    let mail = serve(|mut stream| {
        let _ = stream.write_all(b"220 mail.example\r\nbye\r\n");
    });
    lost(&look(mail, "ssh"), Reason::Malformed);
    // Closed at once, without a word.
    lost(&look(serve(drop), "kubelet"), Reason::Malformed);
    lost(&look(serve(drop), "ssh"), Reason::Malformed);
}

#[test]
fn floods_end_at_their_bound() {
    lost(&look(floods(b"", b"x"), "ssh"), Reason::TooLarge);
    lost(&look(floods(b"", b"line\n"), "ssh"), Reason::Malformed);
    // A ServerHello of TLS 1.2, then certificates without end.
    let mut hello = vec![22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    hello.extend([9; 32]);
    hello.extend([0, 0xc0, 0x2f, 0]);
    let hello: &'static [u8] = hello.leak();
    let port = floods(hello, &[22, 3, 3, 0, 8, 11, 0, 0, 4, 0, 0, 0, 0]);
    let seen = look(port, "kubelet");
    // TLS 1.3 is answered by another version, which is an answer; TLS 1.2 never comes to its end.
    assert_eq!(seen.tls.spoken, Fact::Known(true));
    let of_12 = seen.tls.versions.items.iter().find(|version| version.name == "TLSv1.2").unwrap();
    assert_eq!((of_12.accepted.clone(), of_12.unread), (Fact::Unread, Some(Reason::TooLarge)));
    assert!(!seen.tls.suites.complete && seen.anonymous.is_unread());
    // A status line without end.
    let seen = look(floods(b"HTTP/1.1 ", b"2"), "etcd");
    assert_eq!(reason(&seen, "anonymous"), Some(Reason::TooLarge), "{:?}", seen.unread);
}

#[test]
fn an_answer_without_end_within_tls_is_not_taken_for_one() {
    const ENDLESS: &str = "HTTP/1.1 2222222222222222222222222222222222222222222222222222222222222222222222222222222222";
    let seen = look_short(Setup { answer: ENDLESS, ..Setup::default() }.serve(), "kubelet");
    assert!(seen.anonymous.is_unread());
    assert!(reason(&seen, "anonymous").is_some());
    let seen = look(Setup { answer: "<html>200 OK</html>\r\n", ..Setup::default() }.serve(), "kubelet");
    assert_eq!(reason(&seen, "anonymous"), Some(Reason::Malformed));
    assert!(seen.anonymous.is_unread() && seen.tls.chain.complete);
}

#[test]
fn a_handshake_that_stalls_in_its_middle_is_a_timeout() {
    let mut hello = vec![22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    hello.extend([9; 32]);
    hello.extend([0, 0xc0, 0x2f, 0]);
    let hello: &'static [u8] = hello.leak();
    let port = serve(move |mut stream| {
        let _ = stream.write_all(hello);
        while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    });
    let seen = look_short(port, "etcd");
    let of_12 = seen.tls.versions.items.iter().find(|version| version.name == "TLSv1.2").unwrap();
    assert_eq!((of_12.accepted.clone(), of_12.unread), (Fact::Unread, Some(Reason::Timeout)));
    assert!(seen.tls.demands_client_certificate.is_unread() && seen.anonymous.is_unread());
}

#[test]
fn one_byte_at_a_time_does_not_outlast_the_bound() {
    // The other side's end of the connection is what ends this server: no clock of its own.
    let port = serve(|mut stream| {
        while stream.write_all(b"\n").is_ok() {
            std::thread::yield_now();
        }
    });
    let seen = look_short(port, "ssh");
    assert!(seen.speaks.is_unread());
}

#[test]
fn one_port_in_trouble_costs_only_itself() {
    let good = Setup::default().serve();
    let mut targets = vec![target("127.0.0.1", good, "kubelet")];
    for port in [stalls(), floods(b"", b"\0"), says(b"x"), stalls()] {
        targets.push(target("127.0.0.1", port, "kubelet"));
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    targets.push(target("127.0.0.1", free, "kubelet"));
    targets.push(target("no-such-name.invalid", 1, "kubelet"));
    let seen = look_all(&targets, short());
    assert_eq!(seen.len(), targets.len());
    assert!(seen[0].tls.suites.complete && seen[0].tls.chain.complete, "{:?}", seen[0].unread);
    assert_eq!(seen[5].state, Fact::Known(PortState::Closed));
    assert_eq!(seen[5].met, Fact::Known("refused".to_owned()));
    assert_eq!(seen[6].state, Fact::Unread);
    assert_eq!(reason(&seen[6], "state"), Some(Reason::Unreachable));
    for (seen, target) in seen.iter().zip(&targets) {
        assert_eq!((seen.host.as_str(), seen.port), (target.host.as_str(), i64::from(target.port)), "in their order");
    }
}

#[test]
fn when_the_time_is_over_what_is_left_is_unread_and_the_scan_says_so() {
    let targets: Vec<_> = (0..6).map(|_| target("127.0.0.1", stalls(), "kubelet")).collect();
    let limits = EndpointLimits { total: Duration::from_millis(400), jobs: 2, ..limits() };
    let seen = look_all(&targets, limits);
    assert_eq!(seen.len(), 6);
    for one in &seen {
        assert_eq!(one.state, Fact::Unread);
        assert_eq!(reason(one, "state"), Some(Reason::Timeout));
        assert!(one.unread.iter().any(|gap| gap.path.is_empty()), "it was not looked at as a whole");
    }
}
