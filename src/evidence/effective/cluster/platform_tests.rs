//! Platforms as they show themselves, and clusters that lie or hide.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::evidence::{Fact, Listing, Unread};
use serde::Deserialize;
use std::path::Path;

/// One file of `tests/samples/platforms`.
#[derive(Deserialize)]
struct Sample {
    source: String,
    platform: String,
    reasons: Vec<String>,
    cluster: ClusterEvidence,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/platforms");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

fn sample(id: &str) -> ClusterEvidence {
    samples().into_iter().find(|sample| sample.platform == id).unwrap().cluster
}

fn seen(cluster: &ClusterEvidence) -> Reading {
    let mut root = crate::evidence::Reading::new(Value::Absent);
    let _ = &mut root;
    super::super::tests::tree(cluster).child("platform")
}

fn texts(reading: Reading) -> Vec<String> {
    match reading.value {
        Value::List { items, .. } => items
            .iter()
            .map(|item| match &item.value {
                Value::Text(text) => text.to_string(),
                other => panic!("{other:?}"),
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn id_of(cluster: &ClusterEvidence) -> Result<String, Gap> {
    match seen(cluster).child("id").value {
        Value::Text(id) => Ok(id.to_string()),
        Value::Unread(gap) => Err(gap),
        other => panic!("{other:?}"),
    }
}

/// Everything of the nodes is withheld, as from somebody who may not list them.
fn without_nodes(mut cluster: ClusterEvidence) -> ClusterEvidence {
    cluster.nodes = Listing::default();
    cluster.unread.push(Unread {
        path: "nodes".to_owned(),
        reason: Reason::Forbidden,
        detail: "this account may not list nodes".to_owned(),
    });
    cluster
}

#[test]
fn every_platform_is_recognised_with_its_reasons() {
    let samples = samples();
    for one in PLATFORMS.iter().map(|one| one.id).chain([GENERIC.0]) {
        assert!(samples.iter().any(|sample| sample.platform == one), "no sample of {one}");
    }
    for sample in samples {
        assert!(!sample.source.is_empty());
        let platform = seen(&sample.cluster);
        assert_eq!(id_of(&sample.cluster).as_deref(), Ok(sample.platform.as_str()));
        assert_eq!(texts(platform.child("reasons")), sample.reasons, "{}", sample.platform);
        assert_eq!(platform.child("said").value, Value::Bool(false));
        assert!(matches!(platform.child("title").value, Value::Text(_)));
    }
}

#[test]
fn what_a_platform_is_built_on_stands_among_the_candidates() {
    let candidates = |id: &str| match seen(&sample(id)).child("candidates").value {
        Value::List { items, .. } => items.iter().map(|item| item.child("id").value).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(candidates("aks-arc"), [Value::Text("kubeadm".into())]);
    assert_eq!(candidates("aks-edge-essentials"), [Value::Text("aks-arc".into()), Value::Text("k3s".into())]);
    assert_eq!(candidates("kubeadm"), []);
}

#[test]
fn a_person_is_believed_and_what_was_recognised_is_still_told() {
    let mut cluster = sample("kubeadm");
    cluster.platform_said = Some("k3s".to_owned());
    let platform = seen(&cluster);
    assert_eq!(platform.child("id").value, Value::Text("k3s".into()));
    assert_eq!(platform.child("title").value, Value::Text("k3s".into()));
    assert_eq!(platform.child("said").value, Value::Bool(true));
    assert_eq!(platform.child("recognised").value, Value::Text("kubeadm".into()));
    assert_eq!(texts(platform.child("reasons")), ["a person said so"]);
    cluster.platform_said = Some("our-own".to_owned());
    assert_eq!(seen(&cluster).child("title").value, Value::Text("our-own".into()));
    let hidden = ClusterEvidence { platform_said: Some("aks-arc".to_owned()), ..ClusterEvidence::default() };
    assert_eq!(id_of(&hidden).as_deref(), Ok("aks-arc"), "even where nothing could be read");
}

#[test]
fn one_node_that_lies_turns_nothing() {
    for liar in ["aks-arc", "openshift", "aks", "talos", "microk8s", "minikube", "kind"] {
        let mut cluster = sample("kubeadm");
        let mut node = sample(liar).nodes.items.last().unwrap().clone();
        node.name = "moc-l0123456789".to_owned();
        cluster.nodes.items.push(node);
        assert_eq!(id_of(&cluster).as_deref(), Ok("kubeadm"), "{liar}");
        let candidates = seen(&cluster).child("candidates");
        let Value::List { items, .. } = candidates.value else { panic!() };
        let told = items.iter().any(|item| item.child("id").value == Value::Text(liar.into()));
        assert!(told, "that a node shows signs of {liar} is told");
    }
}

#[test]
fn of_two_nodes_that_disagree_none_decides() {
    let mut cluster = sample("kubeadm");
    cluster.nodes.items[1].labels = sample("openshift").nodes.items[0].labels.clone();
    assert_eq!(id_of(&cluster).as_deref(), Ok("kubeadm"));
}

#[test]
fn what_was_not_read_is_never_taken_for_missing() {
    for (id, expected) in [
        // The API server's version says it, and nothing is built on these.
        ("eks", Ok("eks")),
        ("gke", Ok("gke")),
        ("rke2", Ok("rke2")),
        ("k0s", Ok("k0s")),
        ("openshift", Ok("openshift")),
        // Might be another that is built on it.
        ("k3s", Err("k3s or AKS Edge Essentials")),
        ("kubeadm", Err("kubeadm or AKS enabled by Azure Arc on Azure Local")),
        ("generic", Err("too little could be read")),
        ("talos", Err("too little could be read")),
        ("microk8s", Err("too little could be read")),
        // Its storage driver and its ConfigMap say it without any node.
        ("aks-arc", Ok("aks-arc")),
        ("aks-edge-essentials", Ok("aks-edge-essentials")),
    ] {
        let found = id_of(&without_nodes(sample(id)));
        match expected {
            Ok(id) => assert_eq!(found.as_deref(), Ok(id)),
            Err(text) => {
                let gap = found.expect_err(id);
                assert_eq!(gap.reason, Reason::Forbidden, "{id}");
                assert!(gap.detail.contains(text), "{id}: {}", gap.detail);
            }
        }
    }
    let nothing = ClusterEvidence::unread("c", Reason::Unreachable, "nothing answers");
    assert_eq!(id_of(&nothing).unwrap_err().reason, Reason::Unreachable);
    let no_nodes = ClusterEvidence { nodes: Listing::whole(Vec::new()), ..sample("generic") };
    assert_eq!(id_of(&no_nodes).unwrap_err().reason, Reason::NotVisible);
}

#[test]
fn a_withheld_config_map_leaves_kubeadm_open() {
    let mut cluster = sample("kubeadm");
    cluster.kubeadm_config = Fact::Unread;
    cluster.unread.push(Unread { path: "kubeadm_config".into(), reason: Reason::Forbidden, detail: String::new() });
    assert_eq!(id_of(&cluster).unwrap_err().reason, Reason::Forbidden);
}

#[test]
fn hosts_of_urls_and_names_of_nodes() {
    for (url, name) in [
        ("https://c.hcp.westeurope.azmk8s.io:443/k8s", "c.hcp.westeurope.azmk8s.io"),
        ("https://u:p@h:1", "h"),
        ("https://[2001:db8::1]:6443", "[2001:db8::1]"),
        ("https://[2001:db8::1]", "[2001:db8::1]"),
        ("h", "h"),
        ("", ""),
    ] {
        assert_eq!(host(url), name, "{url}");
    }
    assert!(is_moc_name("moc-ld8m2h02ctd") && is_moc_name("moc-w0123456789"));
    for name in ["moc-ld8m2h02ct", "moc-xd8m2h02ctd", "moc-LD8M2H02CTD", "moc-ld8m2h02ctd1", "moc-", ""] {
        assert!(!is_moc_name(name), "{name}");
    }
}
