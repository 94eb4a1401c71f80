//! What guards namespaces, and what divides the network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::tree;
use super::*;
use crate::evidence::cluster::Admission;
use crate::evidence::cluster::sample::{good, static_pod, workload};

/// Whether the namespace `shop` is guarded, with this level on its label.
fn enforced(cluster: &ClusterEvidence, level: Option<&str>) -> Value {
    let mut cluster = cluster.clone();
    let labels = &mut cluster.namespaces.items[2].pod_security;
    labels.clear();
    labels.extend(level.map(|level| ("enforce".to_owned(), level.to_owned())));
    let rules = tree(&cluster).child("namespace_rules");
    let Value::List { items, .. } = &rules.value else { panic!("{rules:?}") };
    let shop = items.iter().find(|item| item.child("name").value == Value::Text("shop".into())).unwrap();
    shop.child("enforced").value
}

#[test]
fn a_label_guards_by_its_level() {
    assert_eq!(enforced(&good(), Some("baseline")), Value::Bool(true));
    assert_eq!(enforced(&good(), Some("restricted")), Value::Bool(true));
    assert_eq!(enforced(&good(), Some("privileged")), Value::Bool(false));
    assert_eq!(enforced(&good(), None), Value::Bool(false));
    assert!(matches!(enforced(&good(), Some("strict")), Value::Unread(gap) if gap.reason == Reason::Malformed));
}

#[test]
fn without_a_label_the_api_servers_default_counts_and_must_be_seen() {
    let mut with_file = good();
    let flags = ["kube-apiserver", "--admission-control-config-file=/etc/a.yaml"];
    with_file.pods.items[0] = static_pod("kube-apiserver", "i:v1.36.4", &flags);
    assert!(matches!(enforced(&with_file, None), Value::Unread(_)));
    assert_eq!(enforced(&with_file, Some("privileged")), Value::Bool(false), "a label wins over the default");
    let mut hidden = good();
    hidden.pods.items.retain(|pod| !pod.mirror);
    assert!(matches!(enforced(&hidden, None), Value::Unread(_)));
}

#[test]
fn an_engine_may_guard_what_its_own_rules_say() {
    let mut gatekeeper = good();
    gatekeeper.custom_resources.items.push("constrainttemplates.templates.gatekeeper.sh".into());
    let mut policy = good();
    policy.admission.items.push(Admission { kind: "ValidatingAdmissionPolicy".into(), ..Admission::default() });
    for cluster in [gatekeeper, policy] {
        for level in [None, Some("privileged")] {
            assert!(matches!(enforced(&cluster, level), Value::Unread(gap) if gap.reason == Reason::NotVisible));
        }
    }
}

#[test]
fn plugins_are_known_by_their_daemon_sets() {
    let plugin = |names: &[&str], platform: &str| {
        let mut cluster = good();
        cluster.platform_said = Some(platform.to_owned());
        cluster.workloads.items = names.iter().map(|name| workload("DaemonSet", "kube-system", name, 1)).collect();
        tree(&cluster).at("network_plugin.enforces").value
    };
    assert_eq!(plugin(&["cilium"], "kubeadm"), Value::Bool(true));
    assert_eq!(plugin(&["kube-flannel-ds"], "kubeadm"), Value::Bool(false));
    assert_eq!(plugin(&["kube-flannel-ds", "calico-node"], "kubeadm"), Value::Bool(true), "one does");
    assert!(matches!(plugin(&["some-cni"], "kubeadm"), Value::Unread(gap) if gap.reason == Reason::NotVisible));
    assert!(matches!(plugin(&[], "k3s"), Value::Unread(gap) if gap.detail.contains("--disable-network-policy")));
}

#[test]
fn the_namespace_default_holds_workloads_and_pods_that_nothing_controls() {
    let mut cluster = good();
    cluster.workloads.items.push(workload("Deployment", "default", "a", 1));
    for (name, owner) in [("a-1", Fact::Known("ReplicaSet".to_owned())), ("bare", Fact::Absent)] {
        let pod = crate::evidence::cluster::sample::pod("default", name);
        cluster.pods.items.push(crate::evidence::cluster::Pod { owner_kind: owner, ..pod });
    }
    let list = tree(&cluster).child("in_default");
    assert_eq!(list.at("0.name").value, Value::Text("Deployment default/a".into()));
    assert_eq!(list.at("1.name").value, Value::Text("Pod default/bare".into()));
    assert_eq!(list.at("2.name").value, Value::Absent);
}
