//! What shows of the control plane.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::{document, tree};
use super::*;
use crate::evidence::cluster::ReadyCheck;
use crate::evidence::cluster::sample::{good, pod, static_pod};
use crate::evidence::{ChannelKind, NodeEvidence, Process};

fn at_rest(cluster: &ClusterEvidence) -> Value {
    tree(cluster).at("encryption.at_rest").value
}

/// The sample whose API server has these flags.
fn with_flags(flags: &[&str]) -> ClusterEvidence {
    let mut cluster = good();
    cluster.pods.items[0] = static_pod("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.36.4", flags);
    cluster
}

/// A node on which a channel saw an API server with these flags; none: inside another program.
fn seen_node(name: &str, flags: Option<&[&str]>) -> NodeEvidence {
    let mut node = NodeEvidence::unread(name, None, ChannelKind::Ssh, Reason::NotVisible, "");
    node.kubernetes_name = Some(name.to_owned());
    let args = flags.map_or(Fact::Unread, |flags| Fact::Known(flags.iter().map(|flag| (*flag).to_owned()).collect()));
    node.kube_apiserver.exists = Fact::Known(true);
    node.kube_apiserver.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Unread,
        exe: Fact::Unread,
        args,
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    });
    node
}

#[test]
fn encryption_shows_by_the_check_or_by_every_api_servers_flag() {
    let flag = "--encryption-provider-config=/etc/k.yaml";
    assert_eq!(at_rest(&with_flags(&["kube-apiserver", flag])), Value::Bool(true));
    assert_eq!(at_rest(&with_flags(&["kube-apiserver"])), Value::Bool(false));
    let mut two = with_flags(&["kube-apiserver", flag]);
    two.pods.items.push(static_pod("kube-apiserver", "i", &["kube-apiserver"]));
    assert_eq!(at_rest(&two), Value::Bool(false), "one of them writes in the clear");
    let own = "--encryption-provider-config=/var/lib/rancher/k3s/server/cred/encryption-config.json";
    match at_rest(&with_flags(&["kube-apiserver", own])) {
        Value::Unread(gap) => assert!(gap.detail.contains("k3s secrets-encrypt status"), "{}", gap.detail),
        other => panic!("{other:?}"),
    }
    let mut kms = with_flags(&["kube-apiserver"]);
    kms.ready_checks.items.push(ReadyCheck { name: "kms-providers".into(), ok: true });
    assert_eq!(at_rest(&kms), Value::Bool(true));
    kms.ready_checks.items[1].ok = false;
    assert_eq!(at_rest(&kms), Value::Bool(false), "the key service does not answer");
}

#[test]
fn that_no_check_is_listed_proves_nothing() {
    let mut hidden = good();
    hidden.pods.items.retain(|pod| !pod.mirror);
    match at_rest(&hidden) {
        Value::Unread(gap) => {
            assert_eq!(gap.reason, Reason::NotVisible);
            assert!(gap.detail.contains("proves nothing"), "{}", gap.detail);
        }
        other => panic!("{other:?}"),
    }
    let mut untold = with_flags(&["kube-apiserver"]);
    untold.pods.items[0].containers[0].command = Fact::Unread;
    assert!(matches!(at_rest(&untold), Value::Unread(_)));
}

#[test]
fn a_pod_that_only_says_so_is_no_api_server() {
    let mut cluster = good();
    cluster.pods.items.retain(|pod| !pod.mirror);
    let mut fake = static_pod("kube-apiserver", "i", &["kube-apiserver", "--encryption-provider-config=x"]);
    (fake.namespace, fake.name) = ("shop".to_owned(), "shop/kube-apiserver-node1".to_owned());
    let mut unmirrored = pod("kube-system", "kube-apiserver-node1");
    unmirrored.component = "kube-apiserver".to_owned();
    cluster.pods.items.extend([fake, unmirrored]);
    assert!(matches!(at_rest(&cluster), Value::Unread(_)));
    assert!(matches!(tree(&cluster).at("control_plane.visible").value, Value::Unread(_)));
}

#[test]
fn a_node_that_a_channel_saw_shows_what_the_api_hides() {
    let mut cluster = good();
    cluster.pods.items.retain(|pod| !pod.mirror);
    let mut evidence = document(&cluster);
    let encrypts = Some(&["kube-apiserver", "--encryption-provider-config=/x"][..]);
    evidence.nodes = vec![seen_node("node1", encrypts)];
    let tree = Reading::of_cluster(&evidence);
    assert_eq!(tree.at("control_plane.visible").value, Value::Bool(true));
    assert_eq!(tree.at("control_plane.nodes.0.name").value, Value::Text("node1".into()));
    assert_eq!(tree.at("encryption.at_rest").value, Value::Bool(true));
    evidence.nodes = vec![seen_node("node1", None)];
    let tree = Reading::of_cluster(&evidence);
    assert!(matches!(tree.at("control_plane.visible").value, Value::Unread(_)), "inside k3s nothing shows");

    // Of two servers, as of k3s, both must be seen.
    let mut second = cluster.nodes.items.iter().find(|node| node.name == "node1").unwrap().clone();
    (second.name, second.machine_id, second.addresses) = ("node9".to_owned(), Fact::Unread, Vec::new());
    cluster.nodes.items.push(second);
    let mut evidence = document(&cluster);
    let of = |evidence: &Evidence| Reading::of_cluster(evidence).at("encryption.at_rest").value;
    evidence.nodes = vec![seen_node("node1", encrypts)];
    match of(&evidence) {
        Value::Unread(gap) => assert!(gap.detail.contains("node9 was not seen"), "{}", gap.detail),
        other => panic!("{other:?}"),
    }
    evidence.nodes.push(seen_node("node9", Some(&["kube-apiserver"])));
    assert_eq!(of(&evidence), Value::Bool(false), "the second does not");
    evidence.nodes[1] = seen_node("node9", encrypts);
    assert_eq!(of(&evidence), Value::Bool(true));
}

#[test]
fn clocks_differ_by_what_the_scan_does_not_explain() {
    let skew = |clock: &str| {
        let mut cluster = good();
        cluster.clock = Fact::Known(clock.parse().unwrap());
        tree(&cluster).child("clock_skew").value
    };
    // The document began at 12:00:00 and ended at 12:01:00.
    for (clock, seconds) in [
        ("2026-11-25T12:00:30Z", 0),
        ("2026-11-25T11:59:59Z", 0),
        ("2026-11-25T12:01:01Z", 0),
        ("2026-11-25T11:59:49Z", -10),
        ("2026-11-25T12:11:01Z", 600),
    ] {
        assert_eq!(skew(clock), Value::Int(seconds), "{clock}");
    }
    let unread = ClusterEvidence { clock: Fact::Unread, ..good() };
    assert!(matches!(tree(&unread).child("clock_skew").value, Value::Unread(_)));
}
