//! The bed's two nodes: real API server, kubelets, etcd and sshd, compared with what the OpenSSL program says of them.

use super::{accepted, look_all, reason};
use serde_json::json;
use sitewarden::evidence::{EndpointEvidence, Evidence, Fact, PortState, Reading, Reason, Value};
use sitewarden::probe::endpoint::{EndpointLimits, targets};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

/// Addresses of the bed's nodes by their names, where it has a cluster; else a loud word, and in CI a failure.
fn nodes(test: &str) -> Option<BTreeMap<String, String>> {
    let set = |name: &str| std::env::var(name).ok();
    let (Some(nodes), Some(_)) = (set("BED_NODES"), set("BED_KUBECONFIG")) else {
        assert!(std::env::var_os("CI").is_none(), "{test}: no cluster in CI; run tests/run");
        let _ = writeln!(std::io::stderr(), "#### LEFT OUT: {test} needs the bed's cluster. Run tests/bed/up cluster");
        return None;
    };
    Some(nodes.split_whitespace().filter_map(|one| one.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect())
}

/// What is known of the bed before its ports are looked at.
fn evidence(nodes: &BTreeMap<String, String>) -> Evidence {
    let now = "2026-11-25T00:00:00Z";
    let listed: Vec<_> = nodes
        .iter()
        .map(|(name, address)| {
            let addresses = json!([{"kind": "InternalIP", "address": address}]);
            json!({"name": name, "addresses": addresses, "control_plane": name == "node1"})
        })
        .collect();
    let server = format!("https://{}:6443", nodes["node1"]);
    let text = json!({
        "schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "started": now, "finished": now,
        "seat": {"host": "seat", "user": "root"}, "nodes": [],
        "cluster": {"context": "bed", "reached": true, "complete": true, "server": server, "proxy": null,
                    "nodes": {"complete": true, "items": listed}}
    });
    Evidence::from_json(&text.to_string()).unwrap()
}

/// The document with its ports looked at.
fn scanned(nodes: &BTreeMap<String, String>) -> Evidence {
    let mut evidence = evidence(nodes);
    let targets = targets(&evidence, &[]);
    let start = std::time::Instant::now();
    evidence.endpoints = Some(look_all(&targets, EndpointLimits::default()));
    let _ = writeln!(std::io::stderr(), "{} ports of the bed: {:?}", targets.len(), start.elapsed());
    evidence
}

fn at<'e>(evidence: &'e Evidence, node: &str, service: &str) -> &'e EndpointEvidence {
    let all = evidence.endpoints.iter().flatten();
    let mut found = all.filter(|one| one.node == Fact::Known(node.to_owned()) && one.service == service);
    found.next().unwrap_or_else(|| panic!("{node} {service}"))
}

#[test]
fn the_ports_of_a_fresh_cluster_are_as_kubeadm_leaves_them() {
    let Some(nodes) = nodes("the_ports_of_a_fresh_cluster_are_as_kubeadm_leaves_them") else { return };
    let evidence = scanned(&nodes);
    for (node, service, open) in [
        ("node1", "ssh", true),
        ("node1", "etcd", true),
        ("node1", "etcd-peer", true),
        ("node1", "kube-apiserver", true),
        ("node1", "kubelet", true),
        ("node1", "kubelet-read-only", false),
        ("node1", "kube-proxy-health", true),
        ("node1", "kube-controller-manager", false),
        ("node1", "kube-scheduler", false),
        ("node2", "ssh", true),
        ("node2", "etcd", false),
        ("node2", "kube-apiserver", false),
        ("node2", "kubelet", true),
    ] {
        let seen = at(&evidence, node, service);
        let state = if open { PortState::Open } else { PortState::Closed };
        assert_eq!(seen.state, Fact::Known(state), "{node} {service}: {:?}", seen.unread);
        let derived = |key: &str| Reading::of_endpoint(seen, &evidence).child(key).value;
        assert_eq!(derived("reachable"), Value::Bool(open), "{node} {service}");
        assert_eq!(derived("on_control_plane"), Value::Bool(node == "node1"), "{node} {service}");
    }
    let status = |service: &str| at(&evidence, "node1", service).anonymous.known().unwrap().clone();
    assert_eq!(status("kubelet").status, Fact::Known(401));
    assert_eq!(status("kube-apiserver").status, Fact::Known(403));
    assert_eq!(status("kube-proxy-health").status, Fact::Known(404));
    let etcd = status("etcd");
    assert_eq!((etcd.status, etcd.served), (Fact::Absent, Fact::Known(false)), "it ends the connection");
    let wants = |service: &str| {
        let tls = &at(&evidence, "node1", service).tls;
        (tls.asks_client_certificate.clone(), tls.demands_client_certificate.clone())
    };
    let (yes, no) = (Fact::Known(true), Fact::Known(false));
    assert_eq!(wants("etcd"), (yes.clone(), yes.clone()));
    assert_eq!(wants("etcd-peer"), (yes.clone(), yes.clone()));
    assert_eq!(wants("kube-apiserver"), (yes.clone(), no.clone()));
    assert_eq!(wants("kubelet"), (yes, no));
    assert_eq!(at(&evidence, "node1", "ssh").speaks, Fact::Known("ssh".to_owned()));
    assert_eq!(at(&evidence, "node1", "kube-proxy-health").speaks, Fact::Known("http".to_owned()));
    let kubelet = Reading::of_endpoint(at(&evidence, "node2", "kubelet"), &evidence);
    assert_eq!(kubelet.child("self_made").value, Value::Bool(true));
    assert_eq!(kubelet.child("names_match").value, Value::Bool(true));
    let server = Reading::of_endpoint(at(&evidence, "node1", "kube-apiserver"), &evidence);
    assert_eq!(server.child("self_made").value, Value::Bool(false));
    assert_eq!(server.child("names_match").value, Value::Bool(true));
    let silent = at(&evidence, "node2", "kubelet-read-only");
    assert_eq!(reason(silent, "tls.chain"), Some(Reason::Unreachable));
}

/// What the program says, with all messages of the handshake.
fn s_client(address: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", address, "-msg", "-security_debug", "-showcerts"]).args(arguments);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Versions that the program gets through with: the server's turn came to its end, or, in TLS 1.3, it began.
fn versions(address: &str) -> Vec<&'static str> {
    let all = [("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")];
    let takes = |flag: &str| {
        let said = s_client(address, &[flag, "-cipher", "ALL:@SECLEVEL=0"]);
        said.contains("<<< TLS") && said.contains(if flag == "-tls1_3" { ", ServerHello" } else { ", ServerHelloDone" })
    };
    all.into_iter().filter(|(flag, _)| takes(flag)).map(|(_, name)| name).collect()
}

/// Whether the program, too, gets through by TLS 1.2 with each of these suites alone, and not with all others together.
fn agrees(address: &str, ours: &BTreeSet<String>) {
    let all = output_of(Command::new("openssl").args([
        "ciphers",
        "-stdname",
        "-s",
        "-tls1_2",
        "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
    ]));
    let named = |line: &String| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.nth(1)?.to_owned()))
    };
    let mut all: BTreeMap<String, String> = all.iter().filter_map(named).collect();
    assert!(all.len() > 60, "{all:?}");
    let takes = |names: &str| {
        s_client(address, &["-tls1_2", "-cipher", &format!("{names}:@SECLEVEL=0")]).contains(", ServerHelloDone")
    };
    for iana in ours {
        let name = all.remove(iana).unwrap_or_else(|| panic!("{iana}"));
        assert!(takes(&name), "{address}: {iana}");
    }
    assert!(!takes(&Vec::from_iter(all.into_values()).join(":")), "{address}: not all were found");
}

fn output_of(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn versions_suites_and_certificates_are_those_that_openssl_finds() {
    let Some(nodes) = nodes("versions_suites_and_certificates_are_those_that_openssl_finds") else { return };
    let evidence = scanned(&nodes);
    for service in ["kube-apiserver", "kubelet", "etcd", "etcd-peer"] {
        let seen = at(&evidence, "node1", service);
        assert_eq!(accepted(&seen.tls.versions.items), versions(&seen.name), "{service}");
        let of_12 = seen.tls.suites.items.iter().filter(|suite| suite.version == "TLSv1.2");
        let of_12: BTreeSet<String> = of_12.map(|suite| suite.name.clone()).collect();
        assert!(!of_12.is_empty(), "{service}");
        agrees(&seen.name, &of_12);
        let said = s_client(&seen.name, &["-tls1_2"]);
        let chain: Vec<String> = said
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .filter_map(|rest| rest.split_once("-----END CERTIFICATE-----"))
            .map(|(body, _)| {
                let pem = format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n");
                let found = openssl::x509::X509::from_pem(pem.as_bytes()).unwrap();
                let digest = found.digest(openssl::hash::MessageDigest::sha256()).unwrap();
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            })
            .collect();
        // The program shows the server's own once more at the end.
        let ours: Vec<&str> = seen.tls.chain.items.iter().map(|one| one.sha256.known().unwrap().as_str()).collect();
        assert!(
            !ours.is_empty() && chain.starts_with(&ours.iter().map(|&one| one.to_owned()).collect::<Vec<_>>()),
            "{service}"
        );
    }
}
