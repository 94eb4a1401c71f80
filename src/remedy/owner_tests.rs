//! The table against the recorded platforms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::evidence::cluster::{ArcIdentity, ClusterEvidence};
use crate::evidence::{ChannelKind, Component, Process, Reason, Seat, SiteFacts, StaticPod, Tool};
use jiff::Timestamp;
use std::path::Path;

fn evidence(cluster: Option<ClusterEvidence>) -> Evidence {
    Evidence {
        schema: crate::evidence::SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: Timestamp::UNIX_EPOCH,
        finished: Timestamp::UNIX_EPOCH,
        seat: Seat::default(),
        site: SiteFacts::default(),
        cluster,
        nodes: Vec::new(),
        endpoints: None,
    }
}

fn sample(id: &str) -> Evidence {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/samples/platforms/{id}.json"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    evidence(Some(serde_json::from_value(json["cluster"].clone()).unwrap()))
}

#[test]
fn nodes_that_are_replaced_are_not_changed_and_the_command_is_named() {
    for (id, kind, command) in [
        ("aks-arc", Kind::Files, "az aksarc upgrade"),
        ("aks-arc", Kind::Sshd, "az aksarc create --help | grep ssh"),
        ("aks-arc", Kind::Kubelet, "az aksarc upgrade"),
        ("aks-edge-essentials", Kind::Sshd, "AksEdge"),
        ("aks", Kind::Sshd, "--ssh-access disabled"),
        ("aks", Kind::Kubelet, "az aks nodepool add --kubelet-config"),
        ("eks", Kind::Files, "aws eks update-nodegroup-version"),
        ("gke", Kind::Kubelet, "gcloud container node-pools update"),
        ("openshift", Kind::Kubelet, "KubeletConfig"),
        ("openshift", Kind::Files, "MachineConfig"),
        ("talos", Kind::Kubelet, "talosctl"),
        ("k0s", Kind::Kubelet, "/etc/k0s/k0s.yaml"),
        ("microk8s", Kind::StaticPod, "/var/snap/microk8s/current/args"),
        ("rke1", Kind::Kubelet, "cluster.yml"),
        ("minikube", Kind::StaticPod, "--extra-config"),
        ("aks-arc", Kind::KubeProxy, "port 10249"),
        ("eks", Kind::KubeProxy, "describe-addon-configuration"),
        ("k3s", Kind::KubeProxy, "kube-proxy-arg"),
        ("rke2", Kind::KubeProxy, "kube-proxy-arg"),
        ("talos", Kind::KubeProxy, "cluster.proxy.extraArgs"),
    ] {
        let sentence = refused_at(&sample(id), None, kind).unwrap_or_else(|| panic!("{id} {kind:?} is offered"));
        assert!(sentence.contains(command), "{id} {kind:?}: {sentence}");
    }
}

#[test]
fn what_lasts_is_offered() {
    for id in ["kubeadm", "generic", "kind"] {
        for kind in NODE.iter().chain(COMPONENTS) {
            assert_eq!(refused_at(&sample(id), None, *kind), None, "{id}");
        }
    }
    for id in ["k3s", "rke2"] {
        for kind in NODE {
            assert_eq!(refused_at(&sample(id), None, *kind), None, "{id}");
        }
    }
    for id in ["k0s", "microk8s"] {
        for kind in [Kind::Files, Kind::Sshd] {
            assert_eq!(refused_at(&sample(id), None, kind), None, "{id}");
        }
    }
    assert_eq!(refused_at(&evidence(None), None, Kind::Files), None, "a node without a cluster");
    for platform in crate::evidence::platform_ids() {
        assert_eq!(refused(platform, Kind::Objects), None, "{platform}");
    }
}

#[test]
fn every_row_is_of_a_platform_that_is_recognised() {
    for row in &ROWS {
        assert!(crate::evidence::platform_ids().contains(&row.platform), "{}", row.platform);
        assert!(!row.instead.ends_with('.') && !row.why.ends_with('.'), "{}", row.platform);
    }
}

#[test]
fn the_names_of_the_cluster_in_azure_are_filled_in_unless_they_are_no_names() {
    let mut seen = sample("aks-arc");
    let named = |group: &str| ArcIdentity {
        resource_group: Fact::Known(group.to_owned()),
        name: Fact::Known("press-hall-7".to_owned()),
        ..ArcIdentity::default()
    };
    seen.cluster.as_mut().unwrap().arc.identity = named("plant_north");
    let sentence = refused_at(&seen, None, Kind::Files).unwrap();
    assert!(sentence.contains("az aksarc upgrade --resource-group plant_north --name press-hall-7 "), "{sentence}");
    seen.cluster.as_mut().unwrap().arc.identity = named("x; rm -rf /");
    let sentence = refused_at(&seen, None, Kind::Files).unwrap();
    assert!(sentence.contains("--resource-group GROUP --name press-hall-7 "), "{sentence}");
}

fn nothing() -> NodeEvidence {
    NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "")
}

#[test]
fn a_node_shows_its_distribution_without_the_api() {
    let process = |unit: &str| Process {
        pid: 1,
        uid: Fact::Known(0),
        exe: Fact::Unread,
        args: Fact::Unread,
        unit: Fact::Known(unit.to_owned()),
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    };
    for (unit, id) in [("k3s-agent.service", "k3s"), ("rke2-server.service", "rke2"), ("k0sworker.service", "k0s")] {
        let kubelet = Component { process: Fact::Known(process(unit)), ..Component::default() };
        let mut node = NodeEvidence { kubelet, ..nothing() };
        assert_eq!(distribution(&node), Some(id));
        let refused = refused_at(&evidence(None), Some(&node), Kind::Kubelet);
        assert_eq!(refused.is_some_and(|sentence| sentence.contains("k0s.yaml")), id == "k0s");
        assert_eq!(refused_at(&evidence(None), Some(&node), Kind::Sshd), None);
        node.os.id = Fact::Known("mariner".to_owned());
        let refused = refused_at(&evidence(None), Some(&node), Kind::Kubelet);
        assert_eq!(refused.is_some_and(|sentence| sentence.contains("AksEdge")), id == "k3s");
    }
    let pod = StaticPod {
        path: "/var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml".to_owned(),
        image: Fact::Unread,
        command: Fact::Unread,
        environment_names: Fact::Unread,
        host_network: Fact::Unread,
        unread: None,
    };
    let etcd = Component { static_pod: Fact::Known(pod), ..Component::default() };
    let node = NodeEvidence { etcd, ..nothing() };
    assert_eq!(distribution(&node), Some("rke2"));
    let mut node = nothing();
    node.identity.hostname = Fact::Known("moc-ld8m2h02ctd".to_owned());
    assert!(refused_at(&evidence(None), Some(&node), Kind::Sshd).unwrap().contains("az aksarc create --help"));
    let mut node = nothing();
    node.os.id = Fact::Known("rhcos".to_owned());
    assert!(refused_at(&evidence(None), Some(&node), Kind::Files).unwrap().contains("MachineConfig"));
}
