#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::cluster::{Configz, Container, Pod};
use super::super::{Fact, Listing, Process, Unread};
use super::tests::{A, B, document, object, seen, text};
use super::*;
use serde_json::json;

fn mirror(component: &str, node: &str, command: &[&str]) -> Pod {
    Pod {
        name: format!("kube-system/{component}-{node}"),
        namespace: "kube-system".to_owned(),
        node: Fact::Known(node.to_owned()),
        phase: Fact::Known("Running".to_owned()),
        mirror: true,
        component: component.to_owned(),
        containers: vec![Container {
            name: component.to_owned(),
            kind: "container".to_owned(),
            image: Fact::Known(format!("registry.k8s.io/{component}:v1.36.2")),
            command: Fact::Known(command.iter().map(|arg| (*arg).to_owned()).collect()),
            environment_names: Fact::Known(Vec::new()),
            ..Container::default()
        }],
        ..Pod::default()
    }
}

/// A control-plane node that the API alone shows.
fn control_plane(pods: Vec<Pod>) -> Evidence {
    let mut node = object("node1", "10.0.0.2", A);
    node.control_plane = Fact::Known(true);
    let mut evidence = document(Vec::new(), vec![node, object("node2", "10.0.0.3", B)]);
    evidence.cluster.as_mut().unwrap().pods = Listing::whole(pods);
    evidence
}

fn tree(evidence: &Evidence, number: usize) -> Reading {
    joined_nodes(evidence)[number].reading(evidence)
}

#[test]
fn static_pods_tell_what_the_control_plane_runs_with() {
    let apiserver = mirror("kube-apiserver", "node1", &["kube-apiserver", "--profiling=false", "--bind-address=$(IP)"]);
    let mut pending = mirror("etcd", "node1", &["etcd", "--auto-tls"]);
    pending.phase = Fact::Known("Pending".to_owned());
    let evidence = control_plane(vec![apiserver, pending]);
    let node1 = tree(&evidence, 0);
    let exists = node1.at("kube_apiserver.exists");
    assert_eq!(exists.value, Value::Bool(true));
    assert_eq!(exists.origin.as_deref(), Some("static pod kube-system/kube-apiserver-node1 through the API"));
    let profiling = node1.at("kube_apiserver.effective.profiling");
    assert_eq!(profiling.value, Value::Bool(false));
    let origin = profiling.origin.unwrap();
    assert_eq!(&*origin, "flag, static pod kube-system/kube-apiserver-node1 through the API");
    let default = node1.at("kube_apiserver.effective.anonymousAuth").origin.unwrap();
    assert!(default.contains("AlwaysAllow"), "{default}");
    assert!(matches!(node1.at("kube_apiserver.effective.bindAddress").value, Value::Unread(_)));
    let etcd = node1.at("etcd.exists").origin.unwrap();
    assert!(etcd.contains("which the kubelet reports as Pending"), "{etcd}");
    assert_eq!(node1.at("etcd.effective.autoTls").value, Value::Bool(true));
    // It has the role, and no pod is seen: it may run within another program.
    assert!(matches!(node1.at("kube_scheduler.exists").value, Value::Unread(gap) if gap.reason == Reason::NotVisible));
    let node2 = tree(&evidence, 1);
    assert_eq!(node2.at("kube_apiserver.exists").value, Value::Bool(false));
    assert_eq!(node2.at("kube_apiserver.effective").value, Value::Absent);
    assert!(matches!(node2.at("rejected_processes").value, Value::List { gap: Some(_), .. }), "nobody looked");
}

#[test]
fn a_pod_that_only_calls_itself_so_is_no_component() {
    let plain = |change: fn(&mut Pod)| {
        let mut pod = mirror("kube-apiserver", "node2", &["kube-apiserver"]);
        change(&mut pod);
        tree(&control_plane(vec![pod]), 1).at("kube_apiserver.exists").value
    };
    assert_eq!(plain(|_| ()), Value::Bool(true));
    assert_eq!(plain(|pod| pod.mirror = false), Value::Bool(false));
    assert_eq!(plain(|pod| pod.namespace = "tenant".to_owned()), Value::Bool(false));
    let other = |pod: &mut Pod| pod.component.clear();
    assert!(matches!(plain(other), Value::Unread(_)), "the probe did not take it for one, and it is there");
    let twice = mirror("kube-apiserver", "node2", &["kube-apiserver"]);
    let evidence = control_plane(vec![twice.clone(), twice]);
    assert!(matches!(tree(&evidence, 1).at("kube_apiserver.exists").value, Value::Unread(_)));
    let mut shell = mirror("kube-apiserver", "node1", &["/bin/sh", "-c", "exec kube-apiserver --profiling=false"]);
    shell.containers[0].name = "kube-apiserver".to_owned();
    let effective = tree(&control_plane(vec![shell]), 0).at("kube_apiserver.effective.profiling");
    assert!(matches!(effective.value, Value::Unread(_)), "{effective:?}");
}

#[test]
fn pods_that_were_not_read_leave_it_open() {
    let mut evidence = control_plane(Vec::new());
    let cluster = evidence.cluster.as_mut().unwrap();
    cluster.pods.complete = false;
    cluster.unread.push(Unread { path: "pods".to_owned(), reason: Reason::Forbidden, detail: String::new() });
    for number in [0, 1] {
        let exists = tree(&evidence, number).at("kube_apiserver.exists").value;
        assert!(matches!(exists, Value::Unread(gap) if gap.reason == Reason::Forbidden));
    }
}

#[test]
fn a_windows_node_is_what_the_api_shows_and_nothing_else() {
    let mut evidence = control_plane(Vec::new());
    let windows = &mut evidence.cluster.as_mut().unwrap().nodes.items[1];
    windows.operating_system = Fact::Known("windows".to_owned());
    windows.os_image = Fact::Known("Windows Server 2022 Datacenter".to_owned());
    windows.kernel = Fact::Known("10.0.20348.2700".to_owned());
    let tree = tree(&evidence, 1);
    assert_eq!(text(&tree.at("kernel.running")), "10.0.20348.2700");
    assert_eq!(text(&tree.at("os.pretty_name")), "Windows Server 2022 Datacenter");
    assert_eq!(tree.at("kube_apiserver.exists").value, Value::Bool(false));
    for path in ["firmware.secure_boot", "os.id", "sshd.daemons", "files"] {
        let (Value::Unread(gap) | Value::List { gap: Some(gap), .. }) = tree.at(path).value else { panic!("{path}") };
        assert_eq!(gap.reason, Reason::Unsupported, "{path}");
    }
}

#[test]
fn the_kubelet_says_itself_what_it_runs_with() {
    let mut evidence = control_plane(Vec::new());
    let configz: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/samples/components/kubeadm-1.36-configz.json")).unwrap();
    evidence.cluster.as_mut().unwrap().nodes.items[0].configz =
        Configz { document: Fact::Known(configz), unread: None };
    evidence.cluster.as_mut().unwrap().nodes.items[1].configz =
        Configz { document: Fact::Unread, unread: Some(Reason::Forbidden) };
    let told = tree(&evidence, 0).at("kubelet.effective");
    assert_eq!(told.at("authentication.anonymous.enabled").value, Value::Bool(false));
    assert_eq!(told.at("authentication.anonymous.enabled").origin.as_deref(), Some("the kubelet's /configz"));
    assert_eq!(told.at("readOnlyPort").value, Value::Int(0), "Go leaves zeros out");
    assert_eq!(told.at("protectKernelDefaults").value, Value::Bool(false));
    assert_eq!(told.at("tlsCertFile").value, Value::Absent, "the pair that it makes for itself");
    assert_eq!(told.at("streamingConnectionIdleTimeoutSeconds").value, Value::Int(14_400));
    let forbidden = tree(&evidence, 1).at("kubelet.effective.readOnlyPort").value;
    assert!(matches!(forbidden, Value::Unread(gap) if gap.reason == Reason::Forbidden));
}

#[test]
fn a_setting_that_the_process_has_not_loaded_is_a_disagreement() {
    let mut evidence = control_plane(Vec::new());
    let configz = json!({"authentication": {"anonymous": {"enabled": true}}, "readOnlyPort": 10255});
    evidence.cluster.as_mut().unwrap().nodes.items[0].configz =
        Configz { document: Fact::Known(configz), unread: None };
    let mut node = seen("n", "10.0.0.2", A, "node1");
    node.kubelet.exists = Fact::Known(true);
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    let args = ["kubelet", "--anonymous-auth=false", "--read-only-port=10255"].map(str::to_owned).to_vec();
    node.kubelet.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Unread,
        exe: Fact::Unread,
        args: Fact::Known(args),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    });
    evidence.nodes.push(node);
    let tree = tree(&evidence, 0);
    assert_eq!(tree.at("kubelet.effective.authentication.anonymous.enabled").value, Value::Bool(true));
    let port = tree.at("kubelet.effective.readOnlyPort");
    assert_eq!((port.value, port.origin.as_deref()), (Value::Int(10255), Some("flag of the running kubelet")));
    let Value::List { items, .. } = tree.at("disagreements").value else { panic!() };
    let names: Vec<String> = items.iter().map(|item| text(&item.child("name"))).collect();
    assert!(names.contains(&"kubelet authentication.anonymous.enabled".to_owned()), "{names:?}");
    assert!(!names.contains(&"kubelet readOnlyPort".to_owned()), "{names:?}");
}
