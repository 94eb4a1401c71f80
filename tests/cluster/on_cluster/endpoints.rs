//! Ports of the nodes as they look from this seat.

use crate::bed::Bed;
use serde_json::Value;
use std::process::{Command, Stdio};

fn port<'e>(evidence: &'e Value, host: &str, port: u16) -> &'e Value {
    let all = evidence["endpoints"].as_array().expect("endpoints");
    let mut found = all.iter().filter(|endpoint| endpoint["port"] == port && endpoint["host"] == host);
    found.next().unwrap_or_else(|| panic!("{host}:{port} was not looked at"))
}

/// Versions that the server accepts, as `openssl s_client` finds them.
fn by_openssl(host: &str, port: u16) -> Vec<(&'static str, bool)> {
    let tries = [("TLSv1.0", "-tls1"), ("TLSv1.1", "-tls1_1"), ("TLSv1.2", "-tls1_2"), ("TLSv1.3", "-tls1_3")];
    let accepted = |option: &str| {
        let at = format!("{host}:{port}");
        // Level 0: else this openssl would refuse the old ones by itself.
        let args = ["s_client", option, "-cipher", "ALL:@SECLEVEL=0", "-connect", &at];
        let done = Command::new("openssl").args(args).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        text.lines().any(|line| line.starts_with("New, TLS") && !line.contains("(NONE)"))
    };
    tries.iter().map(|(name, option)| (*name, accepted(option))).collect()
}

#[test]
fn ports_are_as_they_are() {
    let Some(bed) = Bed::cluster("ports_are_as_they_are") else { return };
    let evidence = bed.collect(&[bed.as_user("admin"), bed.by_ssh()]);
    for (node, address) in &bed.nodes {
        let kubelet = port(&evidence, address, 10250);
        assert_eq!(kubelet["state"], "open");
        assert_eq!(kubelet["node"], node.as_str());
        assert_eq!(kubelet["anonymous"]["status"], 401, "{kubelet}");
        assert_eq!(kubelet["anonymous"]["served"], false);
        assert_eq!(port(&evidence, address, 10255)["state"], "closed");
        assert_eq!(port(&evidence, address, 22)["state"], "open");
    }
    let etcd = port(&evidence, bed.address("node1"), 2379);
    assert_eq!(etcd["state"], "open");
    assert_eq!(etcd["tls"]["asks_client_certificate"], true, "{etcd}");
    assert_eq!(etcd["tls"]["demands_client_certificate"], true, "{etcd}");
    assert_eq!(port(&evidence, bed.address("node2"), 2379)["state"], "closed", "a worker has none");
    let api = port(&evidence, bed.address("node1"), 6443);
    let names: Vec<_> = api["tls"]["names"]["items"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&"kubernetes.default.svc") && names.contains(&bed.address("node1")), "{names:?}");
}

#[test]
fn tls_versions_are_those_that_openssl_finds() {
    let Some(bed) = Bed::cluster("tls_versions_are_those_that_openssl_finds") else { return };
    let evidence = bed.collect(&[bed.as_user("admin"), bed.by_ssh()]);
    let address = bed.address("node1");
    for number in [2379, 6443, 10250] {
        let endpoint = port(&evidence, address, number);
        let versions = endpoint["tls"]["versions"]["items"].as_array().unwrap();
        let ours: Vec<(&str, bool)> = versions
            .iter()
            .map(|offer| {
                (offer["name"].as_str().unwrap(), offer["accepted"].as_bool().expect("every version was tried"))
            })
            .collect();
        assert_eq!(ours, by_openssl(address, number), "port {number}");
    }
}

#[test]
fn ports_are_left_alone_where_asked() {
    let Some(bed) = Bed::cluster("ports_are_left_alone_where_asked") else { return };
    let evidence = bed.collect(&[bed.as_user("admin"), bed.by_ssh(), vec!["--no-endpoints".into()]]);
    assert!(evidence["endpoints"].as_array().is_none_or(Vec::is_empty), "{}", evidence["endpoints"]);
}
