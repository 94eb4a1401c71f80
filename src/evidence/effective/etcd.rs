//! The settings of etcd.
//!
//! Flags, their environment variables, the configuration file and defaults as in `server/embed/config.go` and
//! `server/etcdmain/config.go` of etcd 3.6.13; those named here have been the same since 3.4. With a configuration file
//! every flag and variable is ignored; else a flag wins over its variable.

use super::super::{Reading, Value};
use super::branch::Branch;
use super::flags::Dialect;
use super::program::{File, Program, Setting, filed};
use super::settings::{Default, Kind, Versions};

/// etcd.
pub(super) static ETCD: Program = Program {
    key: "etcd",
    versions: Versions { program: "etcd", major: 3, minors: 4..=6 },
    dialect: Dialect::Go,
    settings: &SETTINGS,
    booleans: &[
        "debug",
        "enable-grpc-gateway",
        "enable-log-rotation",
        "enable-v2",
        "experimental-compact-hash-check-enabled",
        "experimental-initial-corrupt-check",
        "experimental-memory-mlock",
        "force-new-cluster",
        "initial-election-tick-advance",
        "memory-mlock",
        "pre-vote",
        "socket-reuse-address",
        "socket-reuse-port",
        "strict-reconfig-check",
        "unsafe-no-fsync",
    ],
    file: File::ForAll("config-file"),
    environment: "ETCD_",
    elsewhere: "",
    derived: &[],
};

#[rustfmt::skip]
static SETTINGS: [Setting; 20] = [
    filed("autoTls", Kind::Bool, "auto-tls", "client-transport-security.auto-tls", Default::Bool(false)),
    filed("certFile", Kind::Path, "cert-file", "client-transport-security.cert-file", Default::Unset),
    filed("cipherSuites", Kind::List, "cipher-suites", "cipher-suites", Default::Unset),
    filed("clientCertAuth", Kind::Bool, "client-cert-auth", "client-transport-security.client-cert-auth", Default::Bool(false)),
    filed("clientCrlFile", Kind::Path, "client-crl-file", "client-transport-security.client-crl-file", Default::Unset),
    filed("dataDir", Kind::Path, "data-dir", "data-dir", Default::Unset),
    filed("enablePprof", Kind::Bool, "enable-pprof", "enable-pprof", Default::Bool(false)),
    filed("keyFile", Kind::Path, "key-file", "client-transport-security.key-file", Default::Unset),
    filed("listenClientHttpUrls", Kind::List, "listen-client-http-urls", "listen-client-http-urls", Default::Unset),
    filed("listenClientUrls", Kind::List, "listen-client-urls", "listen-client-urls", Default::One("http://localhost:2379")),
    filed("listenMetricsUrls", Kind::List, "listen-metrics-urls", "listen-metrics-urls", Default::Unset),
    filed("listenPeerUrls", Kind::List, "listen-peer-urls", "listen-peer-urls", Default::One("http://localhost:2380")),
    filed("peerAutoTls", Kind::Bool, "peer-auto-tls", "peer-transport-security.auto-tls", Default::Bool(false)),
    filed("peerCertAllowedCn", Kind::List, "peer-cert-allowed-cn", "peer-transport-security.allowed-cn", Default::Unset),
    filed("peerCertFile", Kind::Path, "peer-cert-file", "peer-transport-security.cert-file", Default::Unset),
    filed("peerClientCertAuth", Kind::Bool, "peer-client-cert-auth", "peer-transport-security.client-cert-auth", Default::Bool(false)),
    filed("peerKeyFile", Kind::Path, "peer-key-file", "peer-transport-security.key-file", Default::Unset),
    filed("peerTrustedCaFile", Kind::Path, "peer-trusted-ca-file", "peer-transport-security.trusted-ca-file", Default::Unset),
    // Before 3.5.8 there was no such flag, and TLS 1.2 was the least all the same.
    filed("tlsMinVersion", Kind::Text, "tls-min-version", "tls-min-version", Default::Text("TLS1.2")),
    filed("trustedCaFile", Kind::Path, "trusted-ca-file", "client-transport-security.trusted-ca-file", Default::Unset),
];

/// Settings that name addresses, with their flags.
const LISTEN: [(&str, &str); 4] = [
    ("listenClientUrls", "--listen-client-urls"),
    ("listenPeerUrls", "--listen-peer-urls"),
    ("listenClientHttpUrls", "--listen-client-http-urls"),
    ("listenMetricsUrls", "--listen-metrics-urls"),
];

/// The addresses that etcd listens on. With what could not be read the list is not complete.
pub(super) fn listen_urls(effective: &Branch) -> Reading {
    let (mut items, mut gap) = (Vec::new(), None);
    for (name, flag) in LISTEN {
        match effective.get(name).map(|reading| &reading.value) {
            Some(Value::List { items: urls, .. }) => {
                let url = |url: &Reading| match &url.value {
                    Value::Text(text) => Some(listen_url(flag, text)),
                    _ => None,
                };
                items.extend(urls.iter().filter_map(url));
            }
            Some(Value::Unread(why)) => {
                gap.get_or_insert_with(|| why.clone());
            }
            _ => {}
        }
    }
    Reading::list(items, gap)
}

fn listen_url(flag: &str, url: &str) -> Reading {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.get(..rest.find(['/', '?']).unwrap_or(rest.len())).unwrap_or(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    };
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    let local = loopback || url.starts_with("unix://") || url.starts_with("unixs://");
    Reading::map([
        ("name", Reading::text(format!("{flag} {url}"))),
        ("flag", Reading::text(flag)),
        ("url", Reading::text(url)),
        ("loopback", Reading::new(Value::Bool(local))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_the_loopback() {
        for (url, local) in [
            ("https://127.0.0.1:2379", true),
            ("http://localhost:2379", true),
            ("http://[::1]:2379", true),
            ("http://127.0.0.1", true),
            ("unix://m0.sock", true),
            ("https://10.0.0.4:2379", false),
            ("http://0.0.0.0:2379", false),
            ("http://[::]:2379", false),
            ("http://localhost.evil:2379", false),
            ("http://127.0.0.1.evil:2379", false),
            ("10.0.0.4:2379", false),
        ] {
            assert_eq!(listen_url("--x", url).child("loopback").value, Value::Bool(local), "{url}");
        }
    }
}
