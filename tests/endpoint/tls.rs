//! TLS servers that are set up in many ways: what they accept, present, ask for and answer.

use super::servers::{DEMANDS, Setup, issue, says, serve};
use super::{accepted, limits, look, look_all, reason, target};
use openssl::ssl::{SslVerifyMode, SslVersion};
use sitewarden::evidence::{Fact, PortState, Reason};
use std::io::{Read, Write};

#[test]
fn every_range_of_versions_is_found_as_it_is() {
    const ALL: [(SslVersion, &str); 4] = [
        (SslVersion::TLS1, "TLSv1.0"),
        (SslVersion::TLS1_1, "TLSv1.1"),
        (SslVersion::TLS1_2, "TLSv1.2"),
        (SslVersion::TLS1_3, "TLSv1.3"),
    ];
    for first in 0..ALL.len() {
        for last in first..ALL.len() {
            let port = Setup { versions: (ALL[first].0, ALL[last].0), ..Setup::default() }.serve();
            let seen = look(port, "kubelet");
            let names: Vec<&str> = ALL[first..=last].iter().map(|(_, name)| *name).collect();
            assert_eq!(accepted(&seen.tls.versions.items), names);
            assert_eq!(seen.tls.versions.items.len(), 4);
            assert!(seen.tls.versions.complete && seen.tls.suites.complete, "{names:?}: {:?}", seen.unread);
            assert_eq!(seen.tls.spoken, Fact::Known(true));
            assert_eq!(seen.speaks, Fact::Known("tls".to_owned()));
            assert_eq!(seen.anonymous.known().unwrap().status, Fact::Known(401), "{names:?}: {:?}", seen.unread);
            let suites = seen.tls.suites.items.iter().map(|suite| suite.version.as_str());
            assert!(names.iter().all(|name| suites.clone().any(|version| version == *name)), "{names:?}");
        }
    }
}

#[test]
fn suites_are_found_one_and_all() {
    let of = |ciphers, versions| {
        let seen = look(Setup { ciphers, versions, ..Setup::default() }.serve(), "kubelet");
        assert!(seen.tls.suites.complete, "{:?}", seen.unread);
        let mut found: Vec<String> = accepted(&seen.tls.suites.items).into_iter().map(str::to_owned).collect();
        found.sort();
        found
    };
    let v12 = (SslVersion::TLS1_2, SslVersion::TLS1_2);
    assert_eq!(
        of(
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA:AECDH-AES128-SHA:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0",
            v12
        ),
        [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_ECDSA_WITH_NULL_SHA",
            "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
        ]
    );
    let v13 = (SslVersion::TLS1_3, SslVersion::TLS1_3);
    let all_of_13 = of("ALL:@SECLEVEL=0", v13);
    assert_eq!(all_of_13, ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]);
}

/// The first turn of a server of TLS 1.2 that picks a suite, without a certificate that anybody would take.
fn picks(suite: u16) -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend([9; 32]);
    hello.push(0);
    hello.extend(suite.to_be_bytes());
    hello.push(0);
    let mut message = vec![2, 0, 0, hello.len() as u8];
    message.extend(hello);
    message.extend([14, 0, 0, 0]);
    let mut record = vec![22, 3, 3, 0, message.len() as u8];
    record.extend(message);
    record
}

/// Version and suites of a hello.
fn offered(hello: &[u8]) -> (u8, Vec<u16>) {
    // Record 5, message 4, version 2, random 32, then a session with its length before it.
    let at = 44 + usize::from(hello[43]);
    let length = usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    let suites = hello[at + 2..at + 2 + length].chunks(2);
    (hello[10], suites.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

/// A server that knows these suites alone, by TLS 1.2, and never comes further than its first turn.
fn old_server(known: &'static [u16]) -> u16 {
    serve(move |mut stream| {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).unwrap_or_default();
        if count < 100 {
            return;
        }
        let (version, suites) = offered(&buffer);
        // In TLS 1.3 the version that stands here is 1.2 too; its suites tell.
        let picked = known.iter().find(|suite| version == 3 && suites.contains(suite));
        let answer = picked.map_or_else(|| vec![21, 3, 3, 0, 2, 2, 40], |suite| picks(*suite));
        let _ = stream.write_all(&answer);
        let _ = stream.read(&mut buffer);
    })
}

#[test]
fn suites_that_no_library_speaks_any_more_are_found() {
    let seen = look(old_server(&[0x000a, 0x0005, 0x0003]), "etcd");
    let names = ["TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_EXPORT_WITH_RC4_40_MD5"];
    assert_eq!(accepted(&seen.tls.suites.items), names);
    assert!(seen.tls.suites.complete);
    assert_eq!(accepted(&seen.tls.versions.items), ["TLSv1.2"]);
    // A whole handshake cannot be made, so that everything behind it is unread, with that reason.
    for path in ["tls.chain", "tls.names", "tls.asks_client_certificate", "anonymous"] {
        assert_eq!(reason(&seen, path), Some(Reason::Unsupported), "{path}: {:?}", seen.unread);
    }
    assert!(seen.anonymous.is_unread() && !seen.tls.chain.complete);
}

#[test]
fn a_server_that_picks_what_was_not_offered_is_not_believed() {
    let port = serve(|mut stream| {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer);
        let _ = stream.write_all(&picks(0xc02f));
        let _ = stream.read(&mut buffer);
    });
    let seen = look(port, "kubelet");
    assert!(!seen.tls.suites.complete);
    assert_eq!(reason(&seen, "tls.suites"), Some(Reason::Malformed));
}

#[test]
fn what_is_asked_of_a_client_is_told_in_every_version() {
    for newest in [SslVersion::TLS1, SslVersion::TLS1_2, SslVersion::TLS1_3] {
        for oldest in [SslVersion::TLS1, SslVersion::TLS1_3] {
            if oldest == SslVersion::TLS1_3 && newest != SslVersion::TLS1_3 {
                continue;
            }
            for (client, asks, demands) in
                [(SslVerifyMode::NONE, false, false), (SslVerifyMode::PEER, true, false), (DEMANDS, true, true)]
            {
                let answer = "HTTP/1.1 200 OK\r\n\r\n{}";
                let port = Setup { versions: (oldest, newest), client, answer, ..Setup::default() }.serve();
                let seen = look(port, "etcd");
                let at = format!("{oldest:?} {newest:?} {client:?} {:?}", seen.unread);
                assert_eq!(seen.tls.asks_client_certificate, Fact::Known(asks), "{at}");
                assert_eq!(seen.tls.demands_client_certificate, Fact::Known(demands), "{at}");
                let anonymous = seen.anonymous.known().unwrap();
                assert_eq!(anonymous.served, Fact::Known(!demands), "{at}");
                assert_eq!(anonymous.status, if demands { Fact::Absent } else { Fact::Known(200) }, "{at}");
                assert_eq!(seen.tls.chain.items.len(), 2, "{at}");
            }
        }
    }
}

#[test]
fn a_peer_port_is_asked_nothing_and_still_tells_what_it_demands() {
    for (client, demands) in [(SslVerifyMode::PEER, false), (DEMANDS, true)] {
        let seen = look(Setup { client, ..Setup::default() }.serve(), "etcd-peer");
        assert_eq!(seen.tls.demands_client_certificate, Fact::Known(demands));
        assert_eq!(reason(&seen, "anonymous"), Some(Reason::NotVisible));
    }
    // By TLS 1.3 alone a server that is content says nothing: that is no proof.
    let only = (SslVersion::TLS1_3, SslVersion::TLS1_3);
    let seen = look(Setup { client: DEMANDS, versions: only, ..Setup::default() }.serve(), "etcd-peer");
    assert_eq!(seen.tls.demands_client_certificate, Fact::Known(true));
    let port = Setup { client: SslVerifyMode::PEER, versions: only, ..Setup::default() }.serve();
    let mut soon = limits();
    soon.answer = std::time::Duration::from_millis(300);
    let seen = look_all(&[target("127.0.0.1", port, "etcd-peer")], soon).remove(0);
    assert!(seen.tls.demands_client_certificate.is_unread());
    assert_eq!(reason(&seen, "tls.demands_client_certificate"), Some(Reason::Timeout));
}

#[test]
fn chain_and_names_are_as_presented() {
    let seen = look(Setup::default().serve(), "kube-apiserver");
    let chain = &seen.tls.chain;
    assert!(chain.complete);
    let subjects: Vec<_> = chain.items.iter().map(|one| one.subject.known().unwrap().as_str()).collect();
    assert_eq!(subjects, ["CN=server", "CN=test-ca"]);
    assert_eq!(chain.items[0].issuer, Fact::Known("CN=test-ca".to_owned()));
    assert_eq!(chain.items[0].key, Fact::Known("ec-256".to_owned()));
    assert_eq!(chain.items[0].role, "kube-apiserver");
    assert_eq!(chain.items[0].not_after.known().unwrap().to_string(), "2036-01-01T00:00:00Z");
    assert_eq!(seen.tls.names.items, ["edge1.site", "10.0.0.4", "fd00::4"]);
    assert!(seen.tls.names.complete);
    let nameless = look(Setup::default().serve_as(&issue("old", &[], None, 0)), "kubelet");
    assert!(nameless.tls.names.complete && nameless.tls.names.items.is_empty());
}

#[test]
fn a_certificate_without_end_costs_only_what_is_said_of_it() {
    let seen = look(Setup::default().serve_as(&issue("long", &["a"], None, 40_000)), "kubelet");
    assert_eq!(seen.tls.names.items.len(), 256);
    assert_eq!(reason(&seen, "tls.names"), Some(Reason::TooLarge));
    assert!(!seen.tls.names.complete && seen.tls.chain.complete);
    let seen = look(Setup::default().serve_as(&issue("longer", &["a"], None, 115_000)), "kubelet");
    assert_eq!(reason(&seen, "tls.chain"), Some(Reason::TooLarge), "{:?}", seen.unread);
    assert_eq!(seen.tls.spoken, Fact::Known(true));
}

#[test]
fn http_in_the_plain_is_recognised_and_asked() {
    let of = |words, service| look(says(words), service);
    let open = of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "etcd");
    assert_eq!((open.speaks, open.tls.spoken.clone()), (Fact::Known("http".to_owned()), Fact::Known(false)));
    let anonymous = open.anonymous.known().unwrap();
    assert_eq!((anonymous.request.as_str(), &anonymous.served), ("GET /version", &Fact::Known(true)));
    let health = of(b"HTTP/1.1 404 Not Found\r\n\r\n", "kube-proxy-health");
    assert_eq!(health.anonymous.known().unwrap().served, Fact::Known(false));
    let broken = of(b"HTTP/1.1 500 Oh\r\n\r\n", "kubelet");
    assert_eq!(broken.anonymous.known().unwrap().status, Fact::Known(500));
    assert_eq!(reason(&broken, "anonymous.served"), Some(Reason::Malformed));
}

#[test]
fn ssh_is_known_by_its_greeting() {
    let greets = |words: &'static [u8]| {
        serve(move |mut stream| {
            let _ = stream.write_all(words);
            let _ = stream.read(&mut [0; 16]);
        })
    };
    assert_eq!(look(greets(b"hello\r\nSSH-2.0-x\r\n"), "ssh").speaks, Fact::Known("ssh".to_owned()));
    let other = look(greets(b"220 mail\r\n"), "ssh");
    assert_eq!((other.state, &other.speaks), (Fact::Known(PortState::Open), &Fact::Unread));
    // SSH where TLS is expected.
    let seen = look(greets(b"SSH-2.0-x\r\n"), "kubelet");
    assert_eq!((seen.speaks, seen.tls.spoken), (Fact::Known("ssh".to_owned()), Fact::Known(false)));
}

#[test]
fn a_kubelet_without_a_certificate_speaks_tls_and_nothing_more_is_known() {
    // internal_error, as Go says it where no certificate is to be had.
    let seen = look(says(&[21, 3, 3, 0, 2, 2, 80]), "kubelet");
    assert_eq!(seen.tls.spoken, Fact::Known(true));
    assert!(seen.tls.versions.items.iter().all(|version| version.accepted.is_unread()));
    assert!(!seen.tls.suites.complete && !seen.tls.chain.complete);
}

#[test]
fn behind_a_proxy_only_the_port_is_looked_at() {
    let port = says(b"HTTP/1.1 200 OK\r\n\r\n");
    let mut proxied = target("127.0.0.1", port, "kube-apiserver");
    proxied.proxy = Some("kubectl proxy".to_owned());
    let seen = look_all(&[proxied], limits()).remove(0);
    assert_eq!(seen.state, Fact::Known(PortState::Open));
    assert_eq!(seen.proxy, Fact::Known("kubectl proxy".to_owned()));
    for path in ["speaks", "tls.chain", "tls.spoken", "anonymous"] {
        assert_eq!(reason(&seen, path), Some(Reason::NotVisible), "{path}");
    }
    assert!(seen.anonymous.is_unread() && seen.tls.spoken.is_unread());
}

#[test]
fn a_server_that_refuses_every_hello_is_not_one_that_accepts_only_good_ones() {
    // unrecognized_name: it wants to be called by a name that nobody here knows.
    let seen = look(says(&[21, 3, 3, 0, 2, 2, 112]), "kube-apiserver");
    assert_eq!(seen.tls.spoken, Fact::Known(true));
    assert!(seen.tls.suites.items.is_empty() && !seen.tls.suites.complete);
    assert_eq!(reason(&seen, "tls.suites"), Some(Reason::Unsupported));
}
