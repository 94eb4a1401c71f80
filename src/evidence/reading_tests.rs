#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{ChannelKind, ConfigFile, ConfigText, Fact, Listing, SshdDaemon, SshdDump};
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn node() -> NodeEvidence {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    node
}

fn because(path: &str, reason: Reason) -> Unread {
    Unread { path: path.to_owned(), reason, detail: String::new() }
}

fn reason_at(tree: &Reading, path: &str) -> Reason {
    match tree.at(path).value {
        Value::Unread(gap) | Value::List { gap: Some(gap), .. } => gap.reason,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn read_absent_and_unread_are_three_things() {
    let mut node = node();
    node.os.id = Fact::Known("debian".to_owned());
    node.os.version_id = Fact::Absent;
    let tree = Reading::of_node(&node);
    assert_eq!(tree.at("os.id").value, Value::Text("debian".into()));
    assert_eq!(tree.at("os.version_id").value, Value::Absent);
    assert_eq!(reason_at(&tree, "os.pretty_name"), Reason::NotVisible);
    assert_eq!(reason_at(&tree, "no.such.path"), Reason::NotVisible);
}

#[test]
fn the_nearest_reason_stands_in_whatever_order_they_are_told() {
    for turned in [false, true] {
        let mut node = node();
        node.unread = vec![
            because("", Reason::Unreachable),
            because("os", Reason::Timeout),
            because("os.pretty_name", Reason::Malformed),
            because("kubelet.process", Reason::Forbidden),
        ];
        if turned {
            node.unread.reverse();
        }
        let tree = Reading::of_node(&node);
        assert_eq!(reason_at(&tree, "clock"), Reason::Unreachable);
        assert_eq!(reason_at(&tree, "os.id"), Reason::Timeout);
        assert_eq!(reason_at(&tree, "os.pretty_name"), Reason::Malformed);
        assert_eq!(reason_at(&tree, "kubelet.process.args"), Reason::Forbidden);
        assert_eq!(reason_at(&tree, "kubelet.version"), Reason::Unreachable);
        assert_eq!(reason_at(&tree, "files"), Reason::Unreachable);
    }
}

#[test]
fn a_reason_never_covers_what_was_read() {
    let mut node = node();
    node.os.id = Fact::Known("debian".to_owned());
    node.os.version_id = Fact::Absent;
    node.files = Listing::whole(Vec::new());
    node.unread =
        vec![because("", Reason::Timeout), because("os.id", Reason::Timeout), because("files", Reason::Timeout)];
    let tree = Reading::of_node(&node);
    assert_eq!(tree.at("os.id").value, Value::Text("debian".into()));
    assert_eq!(tree.at("os.version_id").value, Value::Absent);
    assert!(matches!(tree.at("files").value, Value::List { gap: None, .. }));
}

#[test]
fn what_carries_its_own_reason_keeps_it() {
    let mut node = node();
    node.kubelet.config_file = Fact::Known(ConfigFile {
        path: "/etc/k.yaml".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Unread,
        unread: Some(Reason::TooLarge),
    });
    node.unread = vec![because("", Reason::Timeout), because("kubelet", Reason::Forbidden)];
    let tree = Reading::of_node(&node);
    assert_eq!(reason_at(&tree, "kubelet.config_file.document"), Reason::TooLarge);
    assert_eq!(reason_at(&tree, "kubelet.config_file.document.readOnlyPort"), Reason::TooLarge);
    assert_eq!(reason_at(&tree, "kubelet.version"), Reason::Forbidden);
}

#[test]
fn a_partial_list_says_why_and_its_items_are_read() {
    let mut node = node();
    node.kernel.installed = Listing::partial(vec!["6.1.0".to_owned()]);
    node.unread = vec![because("kernel.installed", Reason::Timeout)];
    let tree = Reading::of_node(&node);
    assert_eq!(reason_at(&tree, "kernel.installed"), Reason::Timeout);
    assert_eq!(tree.at("kernel.installed.0").value, Value::Text("6.1.0".into()));
    assert_eq!(reason_at(&tree, "kernel.installed.1"), Reason::Timeout);
    node.kernel.installed.complete = true;
    assert_eq!(Reading::of_node(&node).at("kernel.installed.1").value, Value::Absent);
}

#[test]
fn a_reason_reaches_an_item_by_its_number() {
    let daemon = |dumps| SshdDaemon {
        loaded: Fact::Unread,
        name: "sshd".to_owned(),
        process: Fact::Absent,
        config_path: "/etc/ssh/sshd_config".to_owned(),
        serves_login: Fact::Unread,
        files: Listing::<ConfigText>::default(),
        dumps,
        host_keys: Listing::default(),
        config_valid: Fact::Unread,
    };
    let mut node = node();
    node.sshd.daemons = Listing::whole(vec![daemon(Listing::default()), daemon(Listing::default())]);
    node.unread = vec![because("sshd.daemons.1.dumps", Reason::Forbidden), because("sshd.daemons.0", Reason::Timeout)];
    let tree = Reading::of_node(&node);
    assert_eq!(reason_at(&tree, "sshd.daemons.1.dumps"), Reason::Forbidden);
    assert_eq!(reason_at(&tree, "sshd.daemons.0.dumps"), Reason::Timeout);
    assert_eq!(reason_at(&tree, "sshd.daemons.0.serves_login"), Reason::Timeout);
    assert_eq!(reason_at(&tree, "sshd.daemons.1.serves_login"), Reason::NotVisible);

    let settings = Fact::Known([("port".to_owned(), vec!["22".to_owned()])].into());
    let dump = SshdDump { name: "global".to_owned(), connection: BTreeMap::new(), settings, unread: None };
    node.sshd.daemons = Listing::whole(vec![daemon(Listing::whole(vec![dump]))]);
    let tree = Reading::of_node(&node);
    assert_eq!(tree.at("sshd.daemons.0.dumps.0.settings.permitrootlogin").value, Value::Absent, "free: read whole");
}

#[test]
fn a_key_that_a_file_does_not_set_is_absent_even_beside_words_of_ours() {
    let mut node = node();
    let document = json!({"items": [1, null], "complete": true, "unread": "forbidden", "deep": {"unread": "timeout"}});
    node.kubelet.config_file = Fact::Known(ConfigFile {
        path: "/etc/k.yaml".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(document),
        unread: None,
    });
    node.unread = vec![because("kubelet.config_file", Reason::Forbidden)];
    let tree = Reading::of_node(&node).at("kubelet.config_file.document");
    assert!(matches!(tree.value, Value::Map { .. }), "never taken for one of our lists");
    for path in ["other", "deep.other", "items.1", "items.2"] {
        assert_eq!(tree.at(path).value, Value::Absent, "{path}");
    }
    assert_eq!(reason_at(&tree, "complete.x"), Reason::Malformed);
}

#[test]
fn integers_stay_integers() {
    let tree = Reading::from_json(&json!({"a": 0, "b": -1, "c": 1.5, "d": u64::MAX}));
    assert_eq!(tree.at("a").value, Value::Int(0));
    assert_eq!(tree.at("b").value, Value::Int(-1));
    assert_eq!(tree.at("c").value, Value::Float(1.5));
    assert!(matches!(tree.at("d").value, Value::Float(_)));
}

#[test]
fn insert_and_change_work_on_maps_alone() {
    let mut tree = Reading::from_json(&json!({"a": {"b": 1}, "c": 2}));
    tree.change("a", |a| a.insert("x", Reading::text("y")));
    tree.change("c", |c| c.insert("x", Reading::text("y")));
    tree.change("none", |none| none.insert("x", Reading::text("y")));
    assert_eq!(tree.at("a.x").value, Value::Text("y".into()));
    assert_eq!(tree, {
        let mut same = Reading::from_json(&json!({"a": {"b": 1}, "c": 2}));
        same.change("a", |a| a.insert("x", Reading::text("y")));
        same
    });
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ];
    let name = "(items|complete|unread|settings|document|[0-3]|.{0,3})";
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(name, inner, 0..5).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn a_tree_is_that_of_the_record_as_json() {
    let demo = crate::evidence::Evidence::from_json(include_str!("../../assets/demo/evidence.json")).unwrap();
    for node in &demo.nodes {
        assert_eq!(plant(node, false), plant(&serde_json::to_value(node).unwrap(), false), "{}", node.name);
    }
}

proptest! {
    #[test]
    fn any_json_and_any_path_are_read(json in any_json(), path in "((items|complete|unread|[0-9]{1,20}|\\PC{0,2})\\.?){0,6}", free in any::<bool>()) {
        let mut tree = plant(&json, free);
        let gap = Gap::new(Reason::Timeout, "");
        let parts: Vec<&str> = path.split('.').collect();
        mark(&mut tree, &parts, &gap);
        cover(&mut tree, &gap);
        let _ = tree.at(&path);
    }
}
