//! What the dates say of a cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::evidence::cluster::sample::{document, good, node, windows_node};
use crate::evidence::cluster::{ClusterVersion, KubeNode};
use crate::evidence::{ClusterEvidence, Fact, Listing};

const NOW: &str = "2026-09-01T12:00:00Z";

fn at(cluster: ClusterEvidence, now: &str, path: &str) -> Value {
    let mut tree = Reading::of_cluster(&document(cluster));
    Lifecycle::embedded().unwrap().add_to_cluster(&mut tree, now.parse().unwrap());
    tree.at(path).value
}

/// A cluster of a version on a platform.
fn cluster(version: &str, platform: &str) -> ClusterEvidence {
    let version = Fact::Known(ClusterVersion { git: version.into(), platform: Fact::Absent });
    ClusterEvidence { version, platform_said: Some(platform.into()), ..good() }
}

fn ended(version: &str, platform: &str, now: &str) -> Value {
    at(cluster(version, platform), now, "lifecycle.ended")
}

fn why(value: Value) -> String {
    match value {
        Value::Unread(gap) => gap.detail.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_minor_is_in_support_until_its_last_day() {
    assert_eq!(ended("v1.34.2", "kubeadm", "2026-10-27T12:00:00Z"), Value::Bool(false));
    assert_eq!(ended("v1.34.2", "kubeadm", "2026-10-28T00:00:00Z"), Value::Bool(true));
    assert_eq!(ended("v1.33.4+k3s1", "k3s", NOW), Value::Bool(true), "by the Kubernetes minor");
    assert_eq!(ended("v1.36.2+rke2r1", "rke2", NOW), Value::Bool(false));
    assert_eq!(ended("v1.9.0", "kubeadm", NOW), Value::Bool(true), "older than the data");
    assert!(matches!(ended("weird", "kubeadm", NOW), Value::Unread(_)));
}

#[test]
fn clouds_have_dates_of_their_own() {
    // Kubernetes ended 1.33 on 2026-06-28; AKS on 2026-07-31, and then sells longer support; EKS's 1.34 ends in December.
    assert!(why(ended("v1.33.5", "aks", NOW)).contains("takes a contract"));
    assert_eq!(ended("v1.34.9-eks-0", "eks", "2026-11-25T00:00:00Z"), Value::Bool(false));
    assert_eq!(ended("v1.34.9", "kubeadm", "2026-11-25T00:00:00Z"), Value::Bool(true));
    assert_eq!(at(cluster("v1.33.0", "openshift"), NOW, "lifecycle.cycle"), Value::Text("4.20".into()));
}

#[test]
fn azure_local_is_never_failed_for_what_the_table_lacks() {
    assert!(why(ended("v1.33.7", "aks-arc", NOW)).contains("az aksarc get-upgrades"));
    assert_eq!(ended("v1.36.2", "aks-arc", NOW), Value::Bool(false), "Kubernetes itself supports it");
    assert_eq!(ended("v1.28.5", "aks-arc", NOW), Value::Bool(true), "ended by Azure's own calendar too");
    assert!(matches!(at(cluster("v1.33.7", "aks-arc"), NOW, "lifecycle.latest"), Value::Unread(_)));
}

#[test]
fn where_the_platform_is_not_known_only_what_holds_for_all_is_said() {
    let unknown = |version: &str| {
        let mut cluster = cluster(version, "x");
        cluster.platform_said = None;
        cluster.nodes = Listing::default();
        at(cluster, NOW, "lifecycle.ended")
    };
    assert_eq!(unknown("v1.36.4"), Value::Bool(false));
    assert!(why(unknown("v1.31.0")).contains("not recognised"));
}

#[test]
fn the_newest_patch_is_known_for_a_while() {
    let latest = |now: &str| at(cluster("v1.36.1", "kubeadm"), now, "lifecycle.latest");
    assert_eq!(latest(NOW), Value::Text("1.36.4".into()));
    assert!(why(latest("2027-01-15T00:00:00Z")).contains("older than 120 days"));
    assert_eq!(ended("v1.35.1", "kubeadm", "2027-04-01T00:00:00Z"), Value::Bool(true), "dates stay valid");
}

#[test]
fn a_minor_that_is_newer_than_the_data_is_in_support_for_its_first_year() {
    assert_eq!(ended("v1.38.0", "kubeadm", NOW), Value::Bool(false));
    assert!(why(ended("v1.38.0", "kubeadm", "2028-01-01T00:00:00Z")).contains("newer version of this program"));
    assert!(matches!(ended("v1.38.0-beta.1", "kubeadm", NOW), Value::Unread(_)));
}

#[test]
fn runtimes_by_their_projects_and_vendors() {
    let runtime = |text: &str, platform: &str| {
        let mut cluster = cluster("v1.36.4", platform);
        let runtime = Fact::Known(text.to_owned());
        cluster.nodes = Listing::whole(vec![KubeNode { container_runtime: runtime, ..node("n", "v1.36.4") }]);
        at(cluster, NOW, "runtimes.0.ended")
    };
    assert_eq!(runtime("containerd://2.3.1", "kubeadm"), Value::Bool(false));
    assert_eq!(runtime("containerd://2.1.4", "kubeadm"), Value::Bool(true));
    assert_eq!(runtime("containerd://2.3.1-k3s1", "k3s"), Value::Bool(false));
    assert!(why(runtime("containerd://2.1.4-k3s1", "k3s")).contains("whose vendor may"));
    assert_eq!(runtime("cri-o://1.36.0", "kubeadm"), Value::Bool(false));
    assert_eq!(runtime("docker://27.0.3", "kubeadm"), Value::Bool(true));
    for text in ["own://1.0", "docker://19.3.2", "containerd://", "containerd", "", "containerd://99.0"] {
        assert!(matches!(runtime(text, "kubeadm"), Value::Unread(_)), "{text:?}");
    }
}

#[test]
fn windows_by_build_and_name() {
    let of = |kernel: &str, image: &str, path: &str| {
        let mut cluster = good();
        let (kernel, os_image) = (Fact::Known(kernel.to_owned()), Fact::Known(image.to_owned()));
        cluster.nodes = Listing::whole(vec![KubeNode { kernel, os_image, ..windows_node("w", "v1.36.4") }]);
        at(cluster, NOW, &format!("windows.0.{path}"))
    };
    let image = "Windows Server 2022 Datacenter";
    assert_eq!(of("10.0.20348.2700", image, "build"), Value::Int(20348));
    assert_eq!(of("10.0.20348.2700", image, "ubr"), Value::Int(2700));
    assert_eq!(of("10.0.20348.2700", image, "release"), Value::Text("2022".into()));
    assert_eq!(of("10.0.20348.2700", image, "ended"), Value::Bool(false));
    assert!(matches!(of("10.0.20348.2700", image, "patched"), Value::Unread(_)), "there is no table of updates");
    assert!(matches!(of("10.0.20348", image, "ubr"), Value::Unread(_)));
    assert!(matches!(of("10.0.99999.1", image, "ended"), Value::Unread(_)));
    assert!(matches!(of("6.1.0", image, "build"), Value::Unread(gap) if gap.reason == Reason::Malformed));
    assert!(
        matches!(of("10.0.17763.1", "Windows Server Datacenter", "ended"), Value::Unread(_)),
        "two have that build"
    );
    assert_eq!(of("10.0.17763.1", "Windows Server 2019 Datacenter", "release"), Value::Text("2019".into()));
}

#[test]
fn old_agents_are_old_and_young_ones_are_young_for_a_while() {
    let outdated = |version: Fact<String>, now: &str| {
        let mut cluster = good();
        cluster.arc.agent_version = version;
        at(cluster, now, "arc.agent.outdated")
    };
    let known = |version: &str| Fact::Known(version.to_owned());
    assert_eq!(outdated(known("1.33.9"), NOW), Value::Bool(true));
    assert_eq!(outdated(known("1.34.2"), NOW), Value::Bool(false), "two minor versions back");
    assert_eq!(outdated(known("1.39.0"), NOW), Value::Bool(false), "newer than the table");
    assert_eq!(outdated(known("1.33.9"), "2028-01-01T00:00:00Z"), Value::Bool(true));
    assert!(why(outdated(known("1.36.1"), "2028-01-01T00:00:00Z")).contains("older than 120 days"));
    assert!(matches!(outdated(known("x"), NOW), Value::Unread(gap) if gap.reason == Reason::Malformed));
    assert_eq!(outdated(Fact::Unread, NOW), Value::Bool(false), "Azure tells it too");
}

#[test]
fn azure_tells_of_the_automatic_upgrade_where_the_cluster_does_not() {
    let mut cluster = good();
    cluster.arc.auto_upgrade = Fact::Unread;
    assert_eq!(at(cluster.clone(), NOW, "arc.agent.auto_upgrade"), Value::Bool(true));
    if let Fact::Known(azure) = &mut cluster.azure.connected_cluster {
        azure.auto_upgrade = Fact::Known("Disabled".into());
    }
    assert_eq!(at(cluster.clone(), NOW, "arc.agent.auto_upgrade"), Value::Bool(false));
    cluster.azure.connected_cluster = Fact::Unread;
    cluster.arc.auto_upgrade = Fact::Absent;
    assert!(matches!(at(cluster, NOW, "arc.agent.auto_upgrade"), Value::Unread(_)));
}
