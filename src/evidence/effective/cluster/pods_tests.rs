//! What pods may do to their nodes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::tree;
use super::*;
use crate::evidence::cluster::sample::{good, pod, windows_node};
use crate::evidence::{Listing, Reason};

/// Names on a list: of pods of one's own, and of the platform's.
fn named(cluster: &ClusterEvidence, list: &str) -> (Vec<String>, Vec<String>) {
    let reading = tree(cluster).at(&format!("pod_risks.{list}"));
    let Value::List { items, .. } = &reading.value else { panic!("{reading:?}") };
    let name = |item: &&Reading| match item.child("name").value {
        Value::Text(name) => name.to_string(),
        other => panic!("{other:?}"),
    };
    let (platform, own): (Vec<&Reading>, Vec<&Reading>) =
        items.iter().partition(|item| item.child("platform").value == Value::Bool(true));
    (own.iter().map(name).collect(), platform.iter().map(name).collect())
}

fn own(cluster: &ClusterEvidence, list: &str) -> Vec<String> {
    named(cluster, list).0
}

/// The sample with one more pod.
fn with(pod: Pod) -> ClusterEvidence {
    let mut cluster = good();
    cluster.pods.items.push(pod);
    cluster
}

fn privileged(namespace: &str, name: &str) -> Pod {
    let mut pod = pod(namespace, name);
    pod.containers[0].privileged = Fact::Known(true);
    pod
}

#[test]
fn unset_means_what_kubernetes_takes_it_for() {
    let mut bare = pod("shop", "bare");
    bare.containers[0] = Container {
        name: "main".into(),
        kind: "container".into(),
        privileged: Fact::Absent,
        allow_privilege_escalation: Fact::Absent,
        run_as_non_root: Fact::Absent,
        run_as_user: Fact::Absent,
        seccomp: Fact::Absent,
        host_process: Fact::Absent,
        ..Container::default()
    };
    let cluster = with(bare);
    for list in ["privileged", "host_process", "host_paths", "host_ports"] {
        assert!(own(&cluster, list).is_empty(), "{list}");
    }
    for list in ["escalation", "root", "net_raw", "capabilities", "no_seccomp", "no_security_context"] {
        assert_eq!(own(&cluster, list), ["shop/bare main"], "{list}");
    }
}

#[test]
fn what_was_not_read_of_a_container_is_an_open_item() {
    let mut pod = pod("shop", "web2");
    pod.containers[0].privileged = Fact::Unread;
    let item = tree(&with(pod)).at("pod_risks.privileged.0");
    assert_eq!(item.child("name").value, Value::Text("shop/web2 main".into()));
    assert!(matches!(item.child("risk").value, Value::Unread(_)));
}

#[test]
fn init_and_ephemeral_containers_count_and_what_has_ended_does_not() {
    let mut one = privileged("shop", "a");
    one.containers[0].kind = "ephemeral".into();
    assert_eq!(own(&with(one.clone()), "privileged"), ["shop/a main"]);
    one.phase = Fact::Known("Succeeded".into());
    assert!(own(&with(one.clone()), "privileged").is_empty());
    one.phase = Fact::Unread;
    assert_eq!(own(&with(one), "privileged"), ["shop/a main"], "whether it has ended is not known");
}

#[test]
fn the_platform_is_told_apart_and_no_borrowed_name_is() {
    let by = |namespace: &str, account: &str| {
        let mut pod = privileged(namespace, "p");
        pod.service_account = Fact::Known(account.into());
        named(&with(pod), "privileged")
    };
    assert_eq!(by("kube-system", "kube-proxy").1, ["kube-system/p main"]);
    assert_eq!(by("kube-system", "own").0, ["kube-system/p main"], "an administrator's own, put there");
    assert_eq!(by("calico-system", "calico-node").1, ["calico-system/p main"]);
    assert_eq!(by("openshift-dns", "dns").0, ["openshift-dns/p main"], "this is no OpenShift");
    let mut vendor = with(privileged("kube-system", "p"));
    vendor.platform_said = Some("aks-arc".to_owned());
    assert_eq!(named(&vendor, "privileged").1, ["kube-system/p main"], "the vendor alone fills it");
}

#[test]
fn of_defender_only_its_collector_may_come_near_the_node() {
    let pod = |name: &str, owner: &str| {
        let mut pod = privileged("mdc", name);
        pod.owner_kind = Fact::Known(owner.into());
        pod
    };
    let real = pod("microsoft-defender-collectors-ds-x7k2p", "DaemonSet");
    assert_eq!(named(&with(real), "privileged").1.len(), 1);
    for (name, owner) in [
        ("microsoft-defender-collectors-ds-x7k2p", "ReplicaSet"),
        ("microsoft-defender-publisher-ds-x7k2p", "DaemonSet"),
        ("other", "DaemonSet"),
    ] {
        assert_eq!(own(&with(pod(name, owner)), "privileged").len(), 1, "{name} of a {owner}");
    }
    let mut borrowed = privileged("shop", "microsoft-defender-collector-ds-x7k2p");
    borrowed.owner_kind = Fact::Known("DaemonSet".into());
    assert_eq!(own(&with(borrowed), "privileged").len(), 1, "in another namespace");
    let mut in_system = privileged("kube-system", "microsoft-defender-collector-ds-x7k2p");
    in_system.owner_kind = Fact::Known("ReplicaSet".into());
    in_system.service_account = Fact::Known("microsoft-defender-collector-sa".into());
    assert_eq!(own(&with(in_system), "privileged").len(), 1, "not of the DaemonSet");
}

#[test]
fn capabilities_are_read_with_and_without_their_prefix() {
    let by = |dropped: &[&str], added: &[&str], list: &str| {
        let mut pod = pod("shop", "c");
        pod.containers[0].capabilities_dropped = dropped.iter().map(|one| (*one).to_owned()).collect();
        pod.containers[0].capabilities_added = added.iter().map(|one| (*one).to_owned()).collect();
        !own(&with(pod), list).is_empty()
    };
    assert!(!by(&["CAP_NET_RAW"], &[], "net_raw") && !by(&["ALL"], &[], "net_raw"));
    assert!(by(&["ALL"], &["NET_RAW"], "net_raw") && by(&["CHOWN"], &[], "net_raw"));
    assert!(!by(&["ALL"], &["NET_BIND_SERVICE"], "capabilities") && by(&["ALL"], &["CAP_SYS_ADMIN"], "capabilities"));
    assert!(by(&["NET_RAW"], &[], "capabilities"));
}

#[test]
fn root_is_kept_away_by_a_number_or_a_promise() {
    let by = |promise: Fact<bool>, user: Fact<i64>| {
        let mut pod = pod("shop", "r");
        pod.containers[0].run_as_non_root = promise;
        pod.containers[0].run_as_user = user;
        !own(&with(pod), "root").is_empty()
    };
    assert!(!by(Fact::Known(true), Fact::Absent) && !by(Fact::Absent, Fact::Known(1000)));
    assert!(by(Fact::Absent, Fact::Known(0)) && by(Fact::Known(false), Fact::Absent));
}

#[test]
fn what_only_linux_knows_is_not_asked_of_windows() {
    let mut pod = privileged("shop", "iis");
    pod.node = Fact::Known("win9".into());
    pod.containers[0].capabilities_dropped.clear();
    pod.containers[0].host_process = Fact::Known(true);
    let mut cluster = with(pod);
    cluster.nodes.items.push(windows_node("win9", "v1.36.4"));
    for list in ["privileged", "net_raw", "capabilities", "escalation"] {
        assert!(own(&cluster, list).is_empty(), "{list}");
    }
    assert_eq!(own(&cluster, "host_process"), ["shop/iis main"]);
}

#[test]
fn the_default_accounts_token_comes_by_pod_or_by_account() {
    let by = |account: &str, pod_says: Fact<bool>, account_says: Fact<bool>| {
        let mut pod = pod("shop", "t");
        pod.service_account = Fact::Known(account.into());
        pod.automount_token = pod_says;
        let mut cluster = with(pod);
        cluster.service_accounts.items[0].automount_token = account_says;
        own(&cluster, "default_token").len()
    };
    assert_eq!(by("own", Fact::Known(true), Fact::Absent), 0, "an account of its own");
    assert_eq!(by("default", Fact::Known(true), Fact::Known(false)), 1);
    assert_eq!(by("default", Fact::Known(false), Fact::Absent), 0);
    assert_eq!(by("default", Fact::Absent, Fact::Absent), 1);
    assert_eq!(by("default", Fact::Absent, Fact::Known(false)), 0);
    let mut pod = pod("shop", "t");
    pod.service_account = Fact::Absent;
    pod.automount_token = Fact::Absent;
    let mut cluster = with(pod);
    cluster.service_accounts = Listing::default();
    let item = tree(&cluster).at("pod_risks.default_token.0");
    assert!(matches!(item.child("risk").value, Value::Unread(gap) if gap.reason == Reason::NotVisible));
}
