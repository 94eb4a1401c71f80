#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::cluster::NodeAddress;
use super::super::{Fact, Listing, Process, SCHEMA, Tool, Unread};
use super::*;
use proptest::prelude::*;

pub(super) const A: &str = "c2fb47d21ec74f1d8ad8537a4308a6cc";
pub(super) const B: &str = "b904ad88b95a4d75a17f505714025625";

/// A node that a channel reached at this address, which says this machine id and name of itself.
pub(super) fn seen(name: &str, address: &str, machine: &str, hostname: &str) -> NodeEvidence {
    let mut node = NodeEvidence::unread(name, Some(address), ChannelKind::Ssh, Reason::Unreachable, "");
    (node.reached, node.complete) = (true, true);
    node.errors.clear();
    node.unread.clear();
    node.identity.machine_id = Fact::Known(machine.to_owned());
    node.identity.hostname = Fact::Known(hostname.to_owned());
    node
}

/// A node as the API lists it.
pub(super) fn object(name: &str, address: &str, machine: &str) -> KubeNode {
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

pub(super) fn document(nodes: Vec<NodeEvidence>, listed: Vec<KubeNode>) -> Evidence {
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

pub(super) fn text(reading: &Reading) -> String {
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
fn an_address_that_the_api_lists_for_two_nodes_is_told_at_both() {
    let mut evidence = document(
        vec![seen("n", "10.0.0.2", A, "node1")],
        vec![object("node1", "10.0.0.2", A), object("thief", "10.0.0.2", B)],
    );
    let others = |evidence: &Evidence, number: usize| {
        let same = joined_nodes(evidence)[number].reading(evidence).at("join.same_address").value;
        let Value::List { items, gap } = same else { panic!("{same:?}") };
        (items.iter().map(text).collect::<Vec<_>>(), gap.map(|gap| gap.reason))
    };
    assert_eq!(targets(&evidence).len(), 2, "they stay two");
    assert_eq!(others(&evidence, 0), (vec!["thief".to_owned()], None));
    assert_eq!(others(&evidence, 1), (vec!["n".to_owned()], None));
    // Behind one router many nodes have the same address outside.
    let listed = &mut evidence.cluster.as_mut().unwrap().nodes;
    listed.items[1].addresses[0].kind = "ExternalIP".to_owned();
    assert_eq!(others(&evidence, 0), (Vec::new(), None));
    listed_in_part(&mut evidence);
    assert_eq!(others(&evidence, 0), (Vec::new(), Some(Reason::Timeout)), "there may be more nodes");
}

fn listed_in_part(evidence: &mut Evidence) {
    let cluster = evidence.cluster.as_mut().unwrap();
    cluster.nodes.complete = false;
    cluster.unread.push(Unread { path: "nodes".to_owned(), reason: Reason::Timeout, detail: String::new() });
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
    assert!(
        matches!(tree.at("join.state").value, Value::Unread(gap) if gap.reason == Reason::Timeout),
        "an address alone"
    );
    assert_eq!(text(&tree.at("join.name")), "node1");
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
    assert_eq!(first(&evidence).0, "conflict", "two of them are no one's");
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
