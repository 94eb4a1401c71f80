//! Versions that lie apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::tree;
use super::*;
use crate::evidence::Listing;
use crate::evidence::cluster::ClusterVersion;
use crate::evidence::cluster::sample::{good, node, static_pod};

/// (behind, ahead, allowed) of a kubelet with an API server of a version.
fn kubelet(server: &str, kubelet: &str) -> Option<(i64, i64, i64)> {
    let mut cluster = good();
    cluster.version = Fact::Known(ClusterVersion { git: server.into(), platform: Fact::Absent });
    cluster.pods = Listing::whole(Vec::new());
    cluster.nodes = Listing::whole(vec![node("n", kubelet)]);
    let item = tree(&cluster).at("skew.kubelets.0");
    match (item.child("behind").value, item.child("ahead").value, item.child("allowed").value) {
        (Value::Int(behind), Value::Int(ahead), Value::Int(allowed)) => Some((behind, ahead, allowed)),
        _ => None,
    }
}

#[test]
fn kubelets_by_the_policy_of_their_own_version() {
    assert_eq!(kubelet("v1.36.2", "v1.36.4"), Some((0, 0, 3)), "patches do not count");
    assert_eq!(kubelet("v1.36.2", "v1.33.4+k3s1"), Some((3, -3, 3)));
    assert_eq!(kubelet("v1.36.2", "v1.37.0-rc.0"), Some((-1, 1, 3)));
    assert_eq!(kubelet("v1.27.3-gke.100", "v1.24.9"), Some((3, -3, 2)), "before 1.25 two");
    assert_eq!(kubelet("v1.36.2", "v2.36.2"), None);
    assert_eq!(kubelet("v1.36.2", "weird"), None);
    assert_eq!(kubelet("weird", "v1.36.2"), None);
}

#[test]
fn api_servers_that_lie_apart_narrow_what_is_allowed() {
    let mut cluster = good();
    cluster.pods.items[0].containers[0].image = Fact::Known("registry.k8s.io/kube-apiserver:v1.35.8".into());
    let tree = tree(&cluster);
    // The one that answered is 1.36, the other still 1.35: a kubelet of 1.36 is newer than that.
    assert_eq!(tree.at("skew.kubelets.0.ahead").value, Value::Int(1));
    assert_eq!(tree.at("skew.control_plane.0.behind").value, Value::Int(1));
    assert_eq!(tree.at("skew.control_plane.0.name").value, Value::Text("kube-system/kube-apiserver-node1".into()));
}

#[test]
fn kube_proxy_comes_by_daemon_set_or_static_pod_and_needs_a_tag() {
    let mut cluster = good();
    assert_eq!(tree(&cluster).at("skew.proxies.0.version").value, Value::Text("1.36.4".into()));
    cluster.workloads.items[1].images = vec!["registry.k8s.io/kube-proxy@sha256:00".into()];
    assert!(matches!(tree(&cluster).at("skew.proxies.0.behind").value, Value::Unread(_)));
    cluster.workloads.items.remove(1);
    let mut proxy = static_pod("kube-proxy", "rancher/hardened-kubernetes:v1.36.4-rke2r1-build20260901", &[]);
    proxy.component = String::new();
    cluster.pods.items.push(proxy);
    assert_eq!(tree(&cluster).at("skew.proxies.0.version").value, Value::Text("1.36.4".into()));
    cluster.pods.items.pop();
    assert_eq!(tree(&cluster).at("skew.proxies").value, Reading::list(Vec::new(), None).value);
}

#[test]
fn a_node_that_tells_no_version_is_an_open_item() {
    for version in [Fact::Unread, Fact::Absent] {
        let mut cluster = good();
        cluster.nodes.items[1].kubelet_version = version;
        let item = tree(&cluster).at("skew.kubelets.1");
        assert!(matches!(item.child("behind").value, Value::Unread(_)));
        assert_eq!(item.child("name").value, Value::Text("kubelet of node2".into()));
    }
}
