#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::cluster::{Configz, Container, NodeAddress, Pod};
use super::super::{Fact, Listing, Process, SCHEMA, Tool, Unread};
use super::*;
use proptest::prelude::*;
use serde_json::json;

const A: &str = "c2fb47d21ec74f1d8ad8537a4308a6cc";
const B: &str = "b904ad88b95a4d75a17f505714025625";

/// A node that a channel reached at this address, which says this machine id and name of itself.
fn seen(name: &str, address: &str, machine: &str, hostname: &str) -> NodeEvidence {
    let mut node = NodeEvidence::unread(name, Some(address), ChannelKind::Ssh, Reason::Unreachable, "");
    (node.reached, node.complete) = (true, true);
    node.errors.clear();
    node.unread.clear();
    node.identity.machine_id = Fact::Known(machine.to_owned());
    node.identity.hostname = Fact::Known(hostname.to_owned());
    node
}

/// A node as the API lists it.
fn object(name: &str, address: &str, machine: &str) -> KubeNode {
    let addresses = vec![
        NodeAddress { kind: "InternalIP".to_owned(), address: address.to_owned() },
        NodeAddress { kind: "Hostname".to_owned(), address: name.to_owned() },
    ];
    KubeNode {
        name: name.to_owned(),
        addresses,
        machine_id: Fact::Known(machine.to_owned()),
        labels: Fact::Known(BTreeMap::new()),
        control_plane: Fact::Known(false),
        operating_system: Fact::Known("linux".to_owned()),
        os_image: Fact::Known("Debian GNU/Linux 12 (bookworm)".to_owned()),
        kernel: Fact::Known("6.1.0-30-amd64".to_owned()),
        architecture: Fact::Known("amd64".to_owned()),
        kubelet_version: Fact::Known("v1.36.2".to_owned()),
        ..KubeNode::default()
    }
}

fn document(nodes: Vec<NodeEvidence>, listed: Vec<KubeNode>) -> Evidence {
    let cluster = ClusterEvidence {
        reached: true,
        complete: true,
        nodes: Listing::whole(listed),
        pods: Listing::whole(Vec::new()),
        ..ClusterEvidence::default()
    };
    let now = "2026-11-25T00:00:00Z".parse().unwrap();
    Evidence {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: now,
        finished: now,
        seat: Default::default(),
        site: Default::default(),
        cluster: Some(cluster),
        nodes,
        endpoints: None,
    }
}

fn text(reading: &Reading) -> String {
    match &reading.value {
        Value::Text(text) => text.to_string(),
        Value::Absent => "-".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Of each target: its name, how it came about, and the node of the API that it is.
fn targets(evidence: &Evidence) -> Vec<(String, String, String)> {
    let joined = joined_nodes(evidence);
    joined
        .iter()
        .map(|one| {
            let tree = one.reading(evidence);
            (one.name.to_string(), text(&tree.at("join.state")), text(&tree.at("join.name")))
        })
        .collect()
}

fn first(evidence: &Evidence) -> (String, String) {
    let (_, state, name) = targets(evidence).swap_remove(0);
    (state, name)
}

fn strings(state: &str, name: &str) -> (String, String) {
    (state.to_owned(), name.to_owned())
}

#[test]
fn address_and_machine_id_or_name_make_one_target_that_keeps_its_name() {
    for (address, machine, hostname) in [
        ("10.0.0.2", A, "node1"),
        ("10.0.0.2", A, "localhost"),
        ("10.0.0.2", B, "NODE1"),
        ("::ffff:10.0.0.2", A, "x"),
        ("node1", A, "x"),
        ("NODE1.", A, "x"),
    ] {
        let evidence = document(vec![seen("mine", address, machine, hostname)], vec![object("node1", "10.0.0.2", A)]);
        let all = targets(&evidence);
        assert_eq!(
            all,
            [("mine".to_owned(), "joined".to_owned(), "node1".to_owned())],
            "{address} {machine} {hostname}"
        );
    }
    let mut named = seen("mine", "edge-7.example", A, "x");
    let listed = vec![object("node1", "10.0.0.2", A)];
    assert_eq!(first(&document(vec![named.clone()], listed.clone())), strings("channel-only", "-"));
    named.peer = Fact::Known("10.0.0.2".to_owned());
    assert_eq!(first(&document(vec![named], listed)), strings("joined", "node1"), "the name stood for that address");
}

#[test]
fn an_address_alone_or_what_a_node_says_alone_joins_nothing() {
    let listed = || vec![object("node1", "10.0.0.2", A), object("node2", "10.0.0.3", B)];
    for (what, node, state) in [
        ("another machine at its address", seen("n", "10.0.0.2", "d".repeat(32).as_str(), "other"), "conflict"),
        ("a copy at another address", seen("n", "10.0.0.9", A, "node1"), "conflict"),
        ("a node that claims to be another", seen("n", "10.0.0.2", B, "node2"), "conflict"),
        ("the same name elsewhere", seen("n", "10.0.0.9", "d".repeat(32).as_str(), "node1"), "channel-only"),
        ("nothing in common", seen("n", "10.0.0.9", "d".repeat(32).as_str(), "other"), "channel-only"),
        ("behind a tunnel", seen("n", "127.0.0.1", A, "node1"), "channel-only"),
    ] {
        let evidence = document(vec![node], listed());
        let all = targets(&evidence);
        assert_eq!((all.len(), all[0].1.as_str()), (3, state), "{what}: {all:?}");
        assert_eq!((&all[1].1, &all[2].1), (&"api-only".to_owned(), &"api-only".to_owned()), "{what}");
        let tree = joined_nodes(&evidence)[0].reading(&evidence);
        let object = tree.at("api").value;
        assert!(matches!((state, object), ("conflict", Value::Unread(_)) | ("channel-only", Value::Absent)), "{what}");
    }
}

#[test]
fn two_channels_that_answer_as_one_node_stay_two() {
    let evidence = document(
        vec![seen("a", "10.0.0.2", A, "node1"), seen("b", "node1", A, "node1")],
        vec![object("node1", "10.0.0.2", A)],
    );
    let all = targets(&evidence);
    assert_eq!(all.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), ["conflict", "conflict", "api-only"]);
    let why = text(&joined_nodes(&evidence)[0].reading(&evidence).at("join.why"));
    assert!(why.contains("a, b"), "{why}");
    let same = joined_nodes(&evidence)[0].reading(&evidence).at("join.same_machine_id");
    assert!(matches!(&same.value, Value::List { items, gap: None } if items.len() == 2), "{same:?}");
}

#[test]
fn the_person_may_say_which_node_it_is() {
    let said = |name: &str, machine: &str| {
        let mut node = seen("n", "203.0.113.7", machine, "x");
        node.kubernetes_name = Some(name.to_owned());
        document(vec![node], vec![object("node1", "10.0.0.2", A)])
    };
    assert_eq!(first(&said("node1", A)), strings("joined", "node1"));
    assert_eq!(first(&said("node1", B)), strings("conflict", "-"), "it is another machine");
    assert_eq!(first(&said("node9", A)), strings("conflict", "-"), "there is no such node");
    let mut partial = said("node9", A);
    let cluster = partial.cluster.as_mut().unwrap();
    cluster.nodes.complete = false;
    cluster.unread.push(Unread { path: "nodes".to_owned(), reason: Reason::TooLarge, detail: String::new() });
    let state = joined_nodes(&partial)[0].reading(&partial).at("join.state");
    assert!(matches!(state.value, Value::Unread(gap) if gap.reason == Reason::TooLarge));
}

#[test]
fn this_machine_is_a_node_where_machine_id_and_name_agree() {
    let local = |machine: &str, hostname: &str| {
        let mut node = seen("local", "", machine, hostname);
        (node.address, node.channel) = (None, ChannelKind::Local);
        document(vec![node], vec![object("node1", "10.0.0.2", A)])
    };
    assert_eq!(first(&local(A, "node1")), strings("joined", "node1"));
    assert_eq!(first(&local(A, "x")), strings("conflict", "-"));
    assert_eq!(first(&local(B, "node1")), strings("channel-only", "-"));
    let mut overridden = local(A, "x");
    let args = ["kubelet", "--hostname-override=node1"].map(str::to_owned).to_vec();
    overridden.nodes[0].kubelet.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Unread,
        exe: Fact::Unread,
        args: Fact::Known(args),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    });
    assert_eq!(first(&overridden), strings("joined", "node1"));
}

#[test]
fn a_node_that_no_channel_reaches_shows_what_the_api_shows_and_keeps_its_reason() {
    let mut down = NodeEvidence::unread("n", Some("10.0.0.2"), ChannelKind::Ssh, Reason::Timeout, "no answer");
    down.reached = false;
    let mut evidence = document(vec![down], vec![object("node1", "10.0.0.2", A)]);
    let tree = joined_nodes(&evidence)[0].reading(&evidence);
    assert_eq!(text(&tree.at("join.state")), "joined");
    assert_eq!((text(&tree.at("os.id")), text(&tree.at("os.version_id"))), ("debian".to_owned(), "12".to_owned()));
    assert_eq!(tree.at("os.pretty_name").origin.as_deref(), Some("the Node object"));
    assert_eq!((text(&tree.at("architecture")), text(&tree.at("kubelet.version"))), ("x86_64".into(), "1.36.2".into()));
    for path in ["files", "sshd.daemons", "rejected_processes", "kube_apiserver.version", "disagreements"] {
        let gap = match tree.at(path).value {
            Value::Unread(gap) | Value::List { gap: Some(gap), .. } => gap,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(gap.reason, Reason::Timeout, "{path}");
    }
    evidence.nodes.push(evidence.nodes[0].clone());
    evidence.nodes[1].name = "again".to_owned();
    assert_eq!(first(&evidence), strings("conflict", "-"), "two of them are no one's");
}

#[test]
fn names_of_targets_are_unique() {
    let evidence =
        document(vec![seen("node1", "10.0.0.9", &"d".repeat(32), "x")], vec![object("node1", "10.0.0.2", A)]);
    let names: Vec<String> = targets(&evidence).into_iter().map(|one| one.0).collect();
    assert_eq!(names, ["node1", "node1 (API)"]);
}

#[test]
fn without_an_api_or_its_nodes_nothing_is_said_of_joining() {
    let mut evidence = document(vec![seen("n", "10.0.0.2", A, "node1")], Vec::new());
    evidence.cluster = None;
    let reason = |evidence: &Evidence| match joined_nodes(evidence)[0].reading(evidence).at("join.state").value {
        Value::Unread(gap) => gap.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&evidence), Reason::NotVisible);
    let forbidden = Unread { path: "nodes".to_owned(), reason: Reason::Forbidden, detail: String::new() };
    evidence.cluster = Some(ClusterEvidence { reached: true, unread: vec![forbidden], ..ClusterEvidence::default() });
    assert_eq!(reason(&evidence), Reason::Forbidden);
    let tree = joined_nodes(&evidence)[0].reading(&evidence);
    assert!(matches!(tree.at("api.labels").value, Value::Unread(gap) if gap.reason == Reason::Forbidden));
}

#[test]
fn nodes_and_api_are_compared() {
    let mut node = seen("n", "10.0.0.2", A, "node1");
    node.os.pretty_name = Fact::Known("Debian GNU/Linux 12 (bookworm)".to_owned());
    node.kernel.running = Fact::Known("6.1.0-31-amd64".to_owned());
    node.architecture = Fact::Known("x86_64".to_owned());
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    let evidence = document(vec![node], vec![object("node1", "10.0.0.2", A)]);
    let Value::List { items, gap: None } = joined_nodes(&evidence)[0].reading(&evidence).at("disagreements").value
    else {
        panic!()
    };
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(text(&items[0].child("name")), "kernel");
    assert_eq!(text(&items[0].child("by_node")), "6.1.0-31-amd64");
    assert_eq!(text(&items[0].child("by_api")), "6.1.0-30-amd64");
}

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

fn any_node() -> impl Strategy<Value = NodeEvidence> {
    let id = prop::sample::select(vec![A.to_owned(), B.to_owned(), "x".to_owned()]);
    let address = prop::sample::select(vec!["10.0.0.2", "10.0.0.3", "127.0.0.1", "node1", "", "::1"]);
    let name = prop::sample::select(vec!["node1", "node2", "\u{1b}[2J"]);
    (address, id, name, any::<bool>()).prop_map(|(address, id, name, reached)| {
        let mut node = seen(name, address, &id, name);
        node.reached = reached;
        node
    })
}

proptest! {
    /// Whatever nodes and API say: nobody is joined without the address that this seat dialled, names are unique, and every
    /// node of the API is one target.
    #[test]
    fn nothing_merges_that_has_not_the_address(mut nodes in prop::collection::vec(any_node(), 0..5)) {
        for (number, node) in nodes.iter_mut().enumerate() {
            node.name = format!("{}-{number}", node.name);
        }
        let listed = vec![object("node1", "10.0.0.2", A), object("node2", "10.0.0.3", A), object("node3", "10.0.0.2", B)];
        let evidence = document(nodes, listed);
        let joined = joined_nodes(&evidence);
        let names: BTreeSet<_> = joined.iter().map(|one| one.name.to_string()).collect();
        prop_assert_eq!(names.len(), joined.len());
        let objects: BTreeSet<_> = joined.iter().filter_map(|one| one.api.map(|api| api.name.as_str())).collect();
        prop_assert_eq!(objects.len(), 3);
        prop_assert_eq!(joined.iter().filter(|one| one.api.is_some()).count(), 3);
        for one in &joined {
            let _ = one.reading(&evidence);
            if let (Some(api), Some(dialled)) = (one.api, &one.node.address) {
                prop_assert!(api.addresses.iter().any(|address| address.address == *dialled));
            }
        }
    }
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
