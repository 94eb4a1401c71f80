//! A node of which the cluster no longer hears, an address of two nodes, ports behind silence: what was not seen looks unseen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::cluster_tests::{CATALOG, LIFECYCLE, finding, run};
use super::*;
use crate::evidence::cluster::sample::*;
use crate::evidence::cluster::*;
use crate::evidence::{Fact, NodeEvidence};

/// The cluster no longer hears from a node.
fn silent(mut cluster: ClusterEvidence, name: &str) -> ClusterEvidence {
    let node = cluster.nodes.items.iter_mut().find(|node| node.name == name).unwrap();
    let since = Fact::Known("2026-09-01T08:00:00Z".parse().unwrap());
    let (kind, status) = ("Ready".into(), "Unknown".into());
    node.conditions = vec![NodeCondition { kind, status, heartbeat: Fact::Absent, since }];
    cluster
}

const SILENT: &str = "the cluster has not heard from it since 2026-09-01T08:00:00Z";

#[test]
fn a_node_that_the_cluster_does_not_hear_from_makes_the_scan_incomplete_and_says_why() {
    assert!(!is_incomplete(&document(good())));
    let cluster = silent(good(), "node2");
    assert!(is_incomplete(&document(cluster.clone())));
    let assessment = run(cluster);
    assert!(assessment.summary.incomplete);
    let of = |id: &str| assessment.targets.iter().find(|target| target.id == id).unwrap();
    let node2 = of("node/node2");
    assert!(!node2.reached && !node2.complete && node2.errors[0].reason == Reason::Unreachable);
    assert!(node2.errors[0].message.contains(SILENT.trim_start_matches('t')), "{}", node2.errors[0].message);
    assert!(of("node/node1").reached && of("node/node1").errors.is_empty());
}

#[test]
fn what_a_silent_node_ran_once_passes_nothing_and_the_others_are_judged() {
    let catalog = Catalog::embedded().unwrap();
    let control = |id: &str| {
        let policy = Policy { controls: vec![id.to_owned()], ..Policy::default() };
        let evidence = document(silent(good(), "node2"));
        assess(&evidence, &catalog, &LIFECYCLE, &policy, NOW.parse().unwrap()).findings
    };
    let at = |id: &str, node: &str| control(id).into_iter().find(|one| one.target == format!("node/{node}")).unwrap();
    for id in ["node-cluster-member", "kube-proxy-metrics-loopback", "kubelet-anonymous-auth"] {
        let found = at(id, "node2");
        assert_eq!(
            (found.verdict, found.reason),
            (Verdict::Unknown, Some(Reason::Unreachable)),
            "{id}: {}",
            found.message
        );
        assert!(found.message.contains(SILENT), "{id}: {}", found.message);
    }
    assert_eq!(at("node-cluster-member", "node1").verdict, Verdict::Pass);
    for id in ["kubelets-within-skew", "container-runtimes-in-support"] {
        for found in control(id) {
            assert_eq!(
                (found.verdict, found.reason),
                (Verdict::Unknown, Some(Reason::Unreachable)),
                "{id}: {}",
                found.message
            );
            assert_eq!(found.items.len(), 1, "{id}: {}", found.message);
        }
    }
    // It is asked by the profile of the guide, and shows how each node stands.
    let ready = &control("nodes-ready")[0];
    assert_eq!(ready.verdict, Verdict::Fail, "{}", ready.message);
    let shown: Vec<_> = ready.items[0].evidence.iter().map(|one| (&*one.path, one.value.as_str().unwrap())).collect();
    assert_eq!(shown, [("item.ready", "Unknown"), ("item.since", "2026-09-01T08:00:00Z")]);
}

#[test]
fn an_address_of_two_nodes_fails_at_both() {
    let mut cluster = good();
    for node in cluster.nodes.items.iter_mut().take(2) {
        node.addresses = vec![NodeAddress { kind: "InternalIP".into(), address: "10.0.0.2".into() }];
    }
    let catalog = Catalog::embedded().unwrap();
    let policy = Policy { controls: vec!["node-cluster-member".to_owned()], ..Policy::default() };
    let found = assess(&document(cluster), &catalog, &LIFECYCLE, &policy, NOW.parse().unwrap()).findings;
    let verdicts: Vec<_> = found.iter().map(|one| (one.target.as_str(), one.verdict)).collect();
    let expected = [("node/node1", Verdict::Fail), ("node/node2", Verdict::Fail), ("node/win1", Verdict::Pass)];
    assert_eq!(verdicts, expected);
    assert!(found[0].message.contains("node2") && found[1].message.contains("node1"), "{}", found[0].message);
}

#[test]
fn ports_are_reached_where_any_port_of_their_address_answered() {
    let port = |number: i64, address: &str, state: &str| {
        let text = format!(
            r#"{{"name": "{address}:{number}", "host": "{address}", "port": {number}, "address": "{address}",
                "service": "kubelet", "state": "{state}"}}"#
        );
        serde_json::from_str::<EndpointEvidence>(&text).unwrap()
    };
    let with = |ports: Vec<EndpointEvidence>| {
        let evidence = Evidence { endpoints: Some(ports), ..document(good()) };
        assess(&evidence, &CATALOG, &LIFECYCLE, &Policy::default(), NOW.parse().unwrap())
    };
    let reached = |assessment: &Assessment| -> Vec<bool> {
        let ports = assessment.targets.iter().filter(|target| target.kind == TargetKind::Endpoint);
        ports.map(|target| target.reached).collect()
    };
    let one = with(vec![port(22, "10.0.0.2", "closed"), port(10250, "10.0.0.2", "filtered")]);
    assert_eq!((reached(&one), one.summary.incomplete), (vec![true, true], false));
    let none =
        with(vec![port(22, "10.0.0.2", "open"), port(22, "10.0.0.3", "filtered"), port(10250, "10.0.0.3", "filtered")]);
    assert_eq!((reached(&none), none.summary.incomplete), (vec![true, false, false], true));
    // A node behind a jump host was read, and this seat reaches nothing of it.
    let mut node = NodeEvidence::unread("behind", None, ChannelKind::Ssh, Reason::NotVisible, "");
    (node.reached, node.complete) = (true, true);
    node.unread.clear();
    let silent = EndpointEvidence { node: Fact::Known("behind".into()), ..port(22, "10.0.0.3", "filtered") };
    let nodes = vec![node];
    let evidence = Evidence { endpoints: Some(vec![silent]), nodes, ..document(good()) };
    let behind = assess(&evidence, &CATALOG, &LIFECYCLE, &Policy::default(), NOW.parse().unwrap());
    assert_eq!((reached(&behind), behind.summary.incomplete), (vec![false], false));
    let untried = EndpointEvidence { address: Fact::Unread, state: Fact::Unread, ..port(22, "", "filtered") };
    assert_eq!(reached(&with(vec![untried])), [true]);
}

#[test]
fn each_kind_of_reason_is_told_with_those_that_it_is_true_of() {
    let mut cluster = good();
    cluster.nodes.items.push(KubeNode { operating_system: Fact::Unread, ..node("new", "v1.36.2") });
    let path = format!("nodes.{}.operating_system", cluster.nodes.items.len() - 1);
    cluster.unread.push(Unread { path, reason: Reason::Timeout, detail: "it came to no end".to_owned() });
    let found = finding("windows-nodes-updated", cluster);
    let (first, second) = found.message.split_once("; ").unwrap();
    assert!(first.starts_with("2 of 2 windows nodes could not be told: win1: item.patched"), "{}", found.message);
    assert!(second.starts_with("new: ") && second.contains("it came to no end"), "{}", found.message);
}
