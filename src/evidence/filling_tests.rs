#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::cluster::{ConfigMapText, Configz, Container, NodeCondition, Pod};
use super::super::{ConfigFile, Fact, Listing, Process, StaticPod, Unread};
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
    node.kubelet.process = Fact::Known(process(&["kubelet", "--anonymous-auth=false", "--read-only-port=10255"]));
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

fn proxy(node: &str) -> Pod {
    let mut pod = mirror("kube-proxy", node, &["kube-proxy", "--config=/var/lib/kube-proxy/config.conf"]);
    (pod.mirror, pod.owner_kind) = (false, Fact::Known("DaemonSet".to_owned()));
    pod.created = Fact::Known("2026-11-25T10:00:00Z".parse().unwrap());
    pod.containers[0].started = Fact::Known("2026-11-25T10:00:02Z".parse().unwrap());
    pod
}

/// A cluster whose kube-proxy is told by its ConfigMap, changed at this time, to show its metrics to itself alone.
fn with_proxy(changed: Fact<&str>, change: impl FnOnce(&mut Pod)) -> Evidence {
    let mut pod = proxy("node2");
    change(&mut pod);
    let mut evidence = control_plane(vec![pod]);
    evidence.cluster.as_mut().unwrap().kube_proxy_config = Fact::Known(ConfigMapText {
        name: "ConfigMap kube-system/kube-proxy, key config.conf".to_owned(),
        document: Fact::Known(json!({"metricsBindAddress": "127.0.0.1:10249"})),
        changed: match changed {
            Fact::Known(time) => Fact::Known(time.parse().unwrap()),
            _ => Fact::Absent,
        },
        unread: None,
    });
    evidence
}

#[test]
fn a_pod_that_is_older_than_its_config_map_may_run_with_what_that_said_before() {
    let told = |changed, change: fn(&mut Pod)| {
        tree(&with_proxy(changed, change), 1).at("kube_proxy.effective.metricsLoopback").value
    };
    let same: fn(&mut Pod) = |_| ();
    assert_eq!(told(Fact::Known("2026-11-25T09:59:59Z"), same), Value::Bool(true), "the pod is younger");
    let open = |value: Value, why: &str| {
        let Value::Unread(gap) = value else { panic!("{value:?}") };
        assert_eq!(gap.reason, Reason::NotVisible);
        assert!(gap.detail.contains(why), "{}", gap.detail);
    };
    open(told(Fact::Known("2026-11-25T10:00:00Z"), same), "after its pod started");
    open(told(Fact::Known("2026-11-25T11:00:00Z"), same), "after its pod started");
    open(told(Fact::Absent, same), "is not known");
    let unknown: fn(&mut Pod) = |pod| (pod.created, pod.containers[0].started) = (Fact::Unread, Fact::Absent);
    open(told(Fact::Known("2026-11-25T09:00:00Z"), unknown), "started is not known");
    // The pod is old, and its program was started anew: at once it may find the file of before, later it does not.
    let soon: fn(&mut Pod) = |pod| pod.containers[0].started = Fact::Known("2026-11-25T11:01:00Z".parse().unwrap());
    open(told(Fact::Known("2026-11-25T11:00:00Z"), soon), "after its pod started");
    let late: fn(&mut Pod) = |pod| pod.containers[0].started = Fact::Known("2026-11-25T11:06:00Z".parse().unwrap());
    assert_eq!(told(Fact::Known("2026-11-25T11:00:00Z"), late), Value::Bool(true));
}

#[test]
fn what_was_read_on_the_node_needs_no_config_map() {
    let mut evidence = with_proxy(Fact::Known("2026-11-25T11:00:00Z"), |_| ());
    let mut node = seen("n", "10.0.0.3", B, "node2");
    node.kube_proxy.exists = Fact::Known(true);
    node.kube_proxy.version = Fact::Known("1.36.2".to_owned());
    node.kube_proxy.process = Fact::Known(process(&["kube-proxy", "--config=/var/lib/kube-proxy/config.conf"]));
    node.kube_proxy.config_file = Fact::Known(ConfigFile {
        path: "/var/lib/kube-proxy/config.conf".to_owned(),
        sha256: Fact::Unread,
        document: Fact::Known(json!({"metricsBindAddress": "0.0.0.0:10249"})),
        modified: Fact::Unread,
        unread: None,
    });
    evidence.nodes.push(node);
    assert_eq!(tree(&evidence, 0).at("kube_proxy.effective.metricsLoopback").value, Value::Bool(false));
}

/// The node says nothing any more, since this time.
fn hush(evidence: &mut Evidence, number: usize) {
    evidence.cluster.as_mut().unwrap().nodes.items[number].conditions = vec![NodeCondition {
        kind: "Ready".to_owned(),
        status: "Unknown".to_owned(),
        heartbeat: Fact::Known("2026-11-24T08:27:00Z".parse().unwrap()),
        since: Fact::Known("2026-11-24T08:30:00Z".parse().unwrap()),
    }];
}

#[test]
fn nothing_that_a_kubelet_said_counts_once_the_cluster_no_longer_hears_from_it() {
    let mut evidence = with_proxy(Fact::Known("2026-11-25T09:00:00Z"), |_| ());
    hush(&mut evidence, 1);
    let told = tree(&evidence, 1);
    for path in [
        "join.state",
        "os.pretty_name",
        "kernel.running",
        "kubelet.exists",
        "kubelet.version",
        "kube_proxy.exists",
        "kube_proxy.effective.metricsLoopback",
        "kube_apiserver.exists",
    ] {
        let Value::Unread(gap) = told.at(path).value else { panic!("{path}: {:?}", told.at(path)) };
        let why = "the cluster has not heard from it since 2026-11-24T08:30:00Z";
        assert_eq!((gap.reason, &*gap.detail), (Reason::Unreachable, why), "{path}");
    }
    assert_eq!(text(&told.at("identity.machine_id")), B, "that does not change");
    let joined = joined_nodes(&evidence);
    let (node1, node2) = (&joined[0].node, &joined[1].node);
    assert!(node1.reached && node1.complete && node1.errors.is_empty());
    assert!(!node2.reached && !node2.complete);
    assert_eq!(node2.errors[0].reason, Reason::Unreachable);
    assert!(node2.errors[0].message.starts_with("The cluster has not heard from it since 2026-11-24T08:30:00Z: look"));
}

#[test]
fn a_node_that_answers_itself_is_known_though_the_cluster_does_not_hear_from_it() {
    let mut evidence = control_plane(vec![mirror("kube-scheduler", "node1", &["kube-scheduler", "--profiling=true"])]);
    hush(&mut evidence, 0);
    let mut node = seen("n", "10.0.0.2", A, "node1");
    node.kernel.running = Fact::Known("6.1.0-31-amd64".to_owned());
    node.kube_scheduler.exists = Fact::Known(true);
    node.kube_scheduler.version = Fact::Known("1.36.2".to_owned());
    node.kube_scheduler.static_pod = Fact::Known(manifest(&["kube-scheduler", "--profiling=false"]));
    evidence.nodes.push(node);
    let told = tree(&evidence, 0);
    assert_eq!(text(&told.at("join.state")), "joined");
    assert_eq!(text(&told.at("kernel.running")), "6.1.0-31-amd64");
    let profiling = told.at("kube_scheduler.effective.profiling");
    assert_eq!(profiling.value, Value::Bool(false), "the API's pod is old");
    assert!(joined_nodes(&evidence)[0].node.reached);
}

fn manifest(command: &[&str]) -> StaticPod {
    StaticPod {
        path: "/etc/kubernetes/manifests/kube-scheduler.yaml".to_owned(),
        image: Fact::Unread,
        command: Fact::Known(command.iter().map(|word| (*word).to_owned()).collect()),
        environment_names: Fact::Known(Vec::new()),
        host_network: Fact::Unread,
        unread: None,
    }
}

#[test]
fn a_manifest_on_the_node_and_its_pod_in_the_api_that_differ_decide_nothing() {
    let with = |on_disk: &[&str], running: Option<&[&str]>| {
        let pod = mirror("kube-scheduler", "node1", &["kube-scheduler", "--bind-address=127.0.0.1"]);
        let mut evidence = control_plane(vec![pod]);
        let mut node = seen("n", "10.0.0.2", A, "node1");
        node.kube_scheduler.exists = Fact::Known(true);
        node.kube_scheduler.version = Fact::Known("1.36.2".to_owned());
        node.kube_scheduler.static_pod = Fact::Known(manifest(on_disk));
        if let Some(words) = running {
            node.kube_scheduler.process = Fact::Known(process(words));
        }
        evidence.nodes.push(node);
        tree(&evidence, 0).at("kube_scheduler.effective.bindAddress")
    };
    let edited = ["kube-scheduler", "--bind-address=0.0.0.0"];
    let Value::Unread(gap) = with(&edited, None).value else { panic!("{:?}", with(&edited, None)) };
    assert_eq!(gap.reason, Reason::NotVisible);
    assert!(gap.detail.contains("kube-scheduler.yaml") && gap.detail.contains("differ"), "{}", gap.detail);
    assert_eq!(text(&with(&["kube-scheduler", "--bind-address=127.0.0.1"], None)), "127.0.0.1", "they agree");
    assert_eq!(text(&with(&edited, Some(&edited))), "0.0.0.0", "what runs decides");
}

fn process(words: &[&str]) -> Process {
    Process {
        pid: 1,
        uid: Fact::Unread,
        exe: Fact::Unread,
        args: Fact::Known(words.iter().map(|word| (*word).to_owned()).collect()),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    }
}
