#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::super::{ChannelKind, ConfigText, Listing, Process, Unread};
use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const MAIN: &str = "/var/lib/kubelet/config.yaml";
const STARTED: &str = "2026-03-01T10:00:00Z";

/// A node whose kubelet runs with these arguments; version 1.31, no files.
fn node(args: &[&str]) -> NodeEvidence {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    let args = std::iter::once("/usr/bin/kubelet").chain(args.iter().copied()).map(str::to_owned).collect();
    node.kubelet.exists = Fact::Known(true);
    node.kubelet.version = Fact::Known("1.31.4".to_owned());
    node.kubelet.config_file = Fact::Absent;
    node.kubelet.drop_ins = Listing::whole(Vec::new());
    node.kubelet.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Known(0),
        exe: Fact::Known("/usr/bin/kubelet".to_owned()),
        args: Fact::Known(args),
        unit: Fact::Unread,
        started: Fact::Known(STARTED.parse().unwrap()),
        container: Fact::Known(false),
        rejected: String::new(),
    });
    node
}

fn file(path: &str, document: Json) -> ConfigFile {
    ConfigFile {
        path: path.to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Known("2026-03-01T09:00:00Z".parse().unwrap()),
        document: Fact::Known(document),
        unread: None,
    }
}

fn with_file(args: &[&str], document: Json) -> NodeEvidence {
    let mut all = vec!["--config", MAIN];
    all.extend(args);
    let mut node = node(&all);
    node.kubelet.config_file = Fact::Known(file(MAIN, document));
    node
}

fn effective(node: &NodeEvidence, path: &str) -> Reading {
    Reading::of_node(node).at(&format!("kubelet.effective.{path}"))
}

fn told(node: &NodeEvidence, path: &str) -> (Value, String) {
    let reading = effective(node, path);
    (reading.value, reading.origin.as_deref().unwrap_or_default().to_owned())
}

fn reason(reading: &Reading) -> Reason {
    match &reading.value {
        Value::Unread(gap) => gap.reason,
        other => panic!("{other:?}"),
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

#[test]
fn without_a_config_file_the_old_open_defaults_hold() {
    let node = node(&[]);
    let origin = "default of kubelet 1.31 without a config file".to_owned();
    for (path, value) in [
        ("authentication.anonymous.enabled", Value::Bool(true)),
        ("authentication.webhook.enabled", Value::Bool(false)),
        ("authorization.mode", text("AlwaysAllow")),
        ("readOnlyPort", Value::Int(10255)),
        ("rotateCertificates", Value::Bool(false)),
        ("seccompDefault", Value::Bool(false)),
    ] {
        assert_eq!(told(&node, path), (value, origin.clone()), "{path}");
    }
}

#[test]
fn with_a_config_file_the_defaults_of_its_api_hold() {
    let node = with_file(&[], json!({"kind": "KubeletConfiguration"}));
    let origin = "default of kubelet 1.31 with a config file".to_owned();
    for (path, value) in [
        ("authentication.anonymous.enabled", Value::Bool(false)),
        ("authentication.webhook.enabled", Value::Bool(true)),
        ("authorization.mode", text("Webhook")),
        ("readOnlyPort", Value::Int(0)),
        ("makeIPTablesUtilChains", Value::Bool(true)),
        ("streamingConnectionIdleTimeout", text("4h0m0s")),
        ("streamingConnectionIdleTimeoutSeconds", Value::Int(14_400)),
        ("podPidsLimit", Value::Int(-1)),
        ("eventRecordQPS", Value::Int(50)),
        ("authentication.x509.clientCAFile", Value::Absent),
        ("tlsMinVersion", text("VersionTLS12")),
        ("featureGates.RotateKubeletServerCertificate", Value::Bool(true)),
    ] {
        assert_eq!(told(&node, path), (value, origin.clone()), "{path}");
    }
}

#[test]
fn defaults_are_those_of_the_very_version() {
    let mut node = with_file(&[], json!({}));
    for (version, qps) in [("1.26.15", Some(5)), ("v1.27.16+k3s1", Some(50)), ("1.99.0", None), ("what", None)] {
        node.kubelet.version = Fact::Known(version.to_owned());
        let reading = effective(&node, "eventRecordQPS");
        match qps {
            Some(qps) => assert_eq!(reading.value, Value::Int(qps), "{version}"),
            None => assert_eq!(reason(&reading), Reason::Unsupported, "{version}"),
        }
    }
    node.kubelet.version = Fact::Unread;
    assert_eq!(reason(&effective(&node, "eventRecordQPS")), Reason::NotVisible);
    assert_eq!(effective(&node, "readOnlyPort").value, Value::Int(0));
}

#[test]
fn flags_win_over_drop_ins_and_drop_ins_over_the_file() {
    let mut node = with_file(
        &["--config-dir=/etc/kubernetes/kubelet.conf.d", "--read-only-port=10255"],
        json!({"readOnlyPort": 0, "podPidsLimit": 100, "eventRecordQPS": 1, "tlsCipherSuites": ["A", "B"],
               "authentication": {"anonymous": {"enabled": true}, "x509": {"clientCAFile": "/ca.crt"}}}),
    );
    node.kubelet.drop_ins = Listing::whole(vec![
        file("/etc/kubernetes/kubelet.conf.d/20-b.conf", json!({"podPidsLimit": 300, "tlsCipherSuites": ["C"]})),
        file(
            "/etc/kubernetes/kubelet.conf.d/10-a.conf",
            json!({"podPidsLimit": 200, "eventRecordQPS": 2, "readOnlyPort": 1,
            "authentication": {"anonymous": {"enabled": false}}}),
        ),
        file("/etc/kubernetes/kubelet.conf.d/99-c.yaml", json!({"podPidsLimit": 400})),
    ]);
    let drop_in = |name: &str| format!("/etc/kubernetes/kubelet.conf.d/{name}");
    assert_eq!(told(&node, "readOnlyPort"), (Value::Int(10255), "flag of the running kubelet".to_owned()));
    assert_eq!(told(&node, "podPidsLimit"), (Value::Int(300), drop_in("20-b.conf")));
    assert_eq!(told(&node, "eventRecordQPS"), (Value::Int(2), drop_in("10-a.conf")));
    assert_eq!(told(&node, "authentication.anonymous.enabled"), (Value::Bool(false), drop_in("10-a.conf")));
    assert_eq!(told(&node, "authentication.x509.clientCAFile"), (text("/ca.crt"), MAIN.to_owned()));
    assert_eq!(effective(&node, "tlsCipherSuites.0").value, text("C"));
    assert_eq!(effective(&node, "tlsCipherSuites.1").value, Value::Absent);
}

#[test]
fn drop_ins_do_not_count_where_no_flag_names_their_directory() {
    let mut node = with_file(&[], json!({}));
    node.kubelet.drop_ins = Listing::partial(vec![file("/d/10-a.conf", json!({"readOnlyPort": 1}))]);
    assert_eq!(effective(&node, "readOnlyPort").value, Value::Int(0));
}

#[test]
fn below_what_was_not_read_nothing_is_known() {
    let mut node =
        with_file(&["--config-dir=/d", "--anonymous-auth=false"], json!({"readOnlyPort": 0, "podPidsLimit": 5}));
    let mut refused = file("/d/10-a.conf", json!({}));
    (refused.document, refused.unread) = (Fact::Unread, Some(Reason::Forbidden));
    node.kubelet.drop_ins = Listing::whole(vec![refused, file("/d/20-b.conf", json!({"podPidsLimit": 9}))]);
    assert_eq!(effective(&node, "authentication.anonymous.enabled").value, Value::Bool(false));
    assert_eq!(effective(&node, "podPidsLimit").value, Value::Int(9));
    assert_eq!(reason(&effective(&node, "readOnlyPort")), Reason::Forbidden);
    assert_eq!(reason(&effective(&node, "featureGates.Anything")), Reason::Forbidden);

    node.kubelet.drop_ins.complete = false;
    assert_eq!(reason(&effective(&node, "podPidsLimit")), Reason::NotVisible);
    assert_eq!(effective(&node, "authentication.anonymous.enabled").value, Value::Bool(false));
}

#[test]
fn a_config_file_that_was_not_read_is_no_default() {
    let mut node = node(&["--config", MAIN]);
    let mut cut = file(MAIN, json!({}));
    (cut.document, cut.unread) = (Fact::Unread, Some(Reason::TooLarge));
    for (config_file, why) in
        [(Fact::Known(cut), Reason::TooLarge), (Fact::Known(file(MAIN, json!("no map"))), Reason::Malformed)]
    {
        node.kubelet.config_file = config_file;
        assert_eq!(reason(&effective(&node, "readOnlyPort")), why);
    }
    node.kubelet.config_file = Fact::Unread;
    node.unread =
        vec![Unread { path: "kubelet.config_file".to_owned(), reason: Reason::Forbidden, detail: String::new() }];
    assert_eq!(reason(&effective(&node, "authorization.mode")), Reason::Forbidden);
    node.kubelet.config_file = Fact::Absent;
    assert_eq!(reason(&effective(&node, "authorization.mode")), Reason::NotVisible);
}

#[test]
fn a_command_line_that_was_not_read_leaves_everything_unread() {
    let mut node = with_file(&[], json!({"readOnlyPort": 0}));
    node.kubelet.process = Fact::Unread;
    node.unread = vec![Unread { path: "kubelet.process".to_owned(), reason: Reason::Forbidden, detail: String::new() }];
    assert_eq!(reason(&effective(&node, "readOnlyPort")), Reason::Forbidden);
    assert_eq!(reason(&Reading::of_node(&node).at("kubelet.flags.hostname-override")), Reason::Forbidden);
}

#[test]
fn where_no_kubelet_runs_there_is_nothing_to_ask() {
    let mut node = node(&[]);
    node.kubelet.exists = Fact::Known(false);
    let tree = Reading::of_node(&node);
    for path in ["kubelet.effective", "kubelet.effective.readOnlyPort", "kubelet.flags", "kubelet.config_stale"] {
        assert_eq!(tree.at(path).value, Value::Absent, "{path}");
    }
    node.kubelet.exists = Fact::Unread;
    assert!(matches!(Reading::of_node(&node).at("kubelet.effective").value, Value::Unread(_)));
}

#[test]
fn a_value_of_a_wrong_type_is_malformed() {
    let node = with_file(
        &["--make-iptables-util-chains=perhaps"],
        json!({"authentication": {"anonymous": {"enabled": "false"}, "x509": []}, "readOnlyPort": "0",
               "streamingConnectionIdleTimeout": 0, "tlsCipherSuites": "A", "featureGates": {"AllAlpha": "no"}}),
    );
    for path in [
        "authentication.anonymous.enabled",
        "authentication.x509.clientCAFile",
        "readOnlyPort",
        "streamingConnectionIdleTimeout",
        "streamingConnectionIdleTimeoutSeconds",
        "tlsCipherSuites",
        "featureGates.AllAlpha",
        "makeIPTablesUtilChains",
    ] {
        assert_eq!(reason(&effective(&node, path)), Reason::Malformed, "{path}");
    }
    assert_eq!(effective(&node, "authentication.webhook.enabled").value, Value::Bool(true));
}

#[test]
fn a_zero_timeout_counts_as_a_flag_and_means_the_default_in_the_file() {
    let zero = json!({"streamingConnectionIdleTimeout": "0s"});
    let node = with_file(&[], zero.clone());
    assert_eq!(effective(&node, "streamingConnectionIdleTimeoutSeconds").value, Value::Int(14_400));
    let node = with_file(&["--streaming-connection-idle-timeout=0"], zero.clone());
    assert_eq!(told(&node, "streamingConnectionIdleTimeout").0, text("0s"));
    assert_eq!(effective(&node, "streamingConnectionIdleTimeoutSeconds").value, Value::Int(0));

    let mut node = with_file(&["--config-dir=/d"], json!({}));
    node.kubelet.drop_ins = Listing::whole(vec![file("/d/1.conf", zero)]);
    for (version, seconds) in [("1.31.0", Value::Int(0)), ("1.36.2", Value::Int(14_400))] {
        node.kubelet.version = Fact::Known(version.to_owned());
        assert_eq!(effective(&node, "streamingConnectionIdleTimeoutSeconds").value, seconds, "{version}");
    }
    node.kubelet.version = Fact::Known("1.33.0".to_owned());
    assert_eq!(reason(&effective(&node, "streamingConnectionIdleTimeout")), Reason::Unsupported);
}

#[test]
fn seccomp_is_on_where_either_the_flag_or_the_file_says_so() {
    let node = with_file(&["--seccomp-default=false"], json!({"seccompDefault": true}));
    assert_eq!(told(&node, "seccompDefault"), (Value::Bool(true), MAIN.to_owned()));
    let node = with_file(&["--seccomp-default"], json!({"seccompDefault": false}));
    assert_eq!(told(&node, "seccompDefault").0, Value::Bool(true));
}

#[test]
fn feature_gates_merge_one_by_one() {
    let node = with_file(
        &["--feature-gates=A=false,B=true", "--feature-gates", "C=true"],
        json!({"featureGates": {"A": true, "D": true}}),
    );
    for (gate, on) in [("A", false), ("B", true), ("C", true), ("D", true), ("RotateKubeletServerCertificate", true)] {
        assert_eq!(effective(&node, &format!("featureGates.{gate}")).value, Value::Bool(on), "{gate}");
    }
    assert_eq!(effective(&node, "featureGates.E").value, Value::Absent);
    let node = with_file(&["--feature-gates=AllBeta=false"], json!({}));
    assert_eq!(effective(&node, "featureGates.RotateKubeletServerCertificate").value, Value::Bool(false));
}

#[test]
fn a_flag_is_traced_to_the_environment_file_that_brings_it() {
    let mut node =
        with_file(&["--pod-max-pids=4096", "--tls-cipher-suites=A,B", "--hostname-override", "edge-1"], json!({}));
    node.kubelet.environment = Listing::whole(vec![ConfigText {
        path: "/var/lib/kubelet/kubeadm-flags.env".to_owned(),
        text: Fact::Known("KUBELET_KUBEADM_ARGS=\"--pod-max-pids=4096 --hostname-override edge-1\"\n".to_owned()),
        modified: Fact::Unread,
        unread: None,
    }]);
    assert_eq!(
        told(&node, "podPidsLimit"),
        (Value::Int(4096), "flag, from /var/lib/kubelet/kubeadm-flags.env".to_owned())
    );
    assert_eq!(told(&node, "tlsCipherSuites").1, "flag of the running kubelet");
    let tree = Reading::of_node(&node);
    assert_eq!(tree.at("kubelet.flags.hostname-override").value, text("edge-1"));
    assert_eq!(tree.at("kubelet.flags.hostnameOverride").value, text("edge-1"));
    assert_eq!(tree.at("kubelet.flags.nodeIp").value, Value::Absent);
    assert_eq!(tree.at("kubelet.flags.pod-max-pids").value, Value::Int(4096));
    assert_eq!(tree.at("kubelet.flags.tls-cipher-suites.1").value, text("B"));
    assert_eq!(tree.at("kubelet.flags.event-qps").value, Value::Absent);
}

#[test]
fn a_relative_path_starts_at_the_file_that_names_it() {
    let node = with_file(&[], json!({"authentication": {"x509": {"clientCAFile": "pki/ca.crt"}}, "staticPodPath": ""}));
    assert_eq!(effective(&node, "authentication.x509.clientCAFile").value, text("/var/lib/kubelet/pki/ca.crt"));
    assert_eq!(effective(&node, "staticPodPath").value, Value::Absent);
}

#[test]
fn a_file_that_changed_after_the_start_is_told() {
    let mut node = with_file(&["--config-dir=/d"], json!({}));
    let stale = |node: &NodeEvidence| Reading::of_node(node).at("kubelet.config_stale");
    assert_eq!(stale(&node).value, Value::Bool(false));
    let mut late = file("/d/1.conf", json!({}));
    late.modified = Fact::Known("2026-03-01T10:00:01Z".parse().unwrap());
    node.kubelet.drop_ins = Listing::whole(vec![late.clone()]);
    assert_eq!(stale(&node).value, Value::Bool(false), "within the exactness of the clocks");
    late.modified = Fact::Known("2026-03-01T10:00:09Z".parse().unwrap());
    node.kubelet.drop_ins = Listing::partial(vec![late]);
    assert_eq!(stale(&node).value, Value::Bool(true));
    node.kubelet.drop_ins = Listing::partial(Vec::new());
    assert!(matches!(stale(&node).value, Value::Unread(_)));
}

#[test]
fn what_a_file_says_since_after_the_start_is_not_what_runs() {
    let anonymous = "authentication.anonymous.enabled";
    let document = json!({"authentication": {"anonymous": {"enabled": false}}});
    let mut node = with_file(&["--read-only-port=0"], document.clone());
    assert_eq!(effective(&node, anonymous).value, Value::Bool(false));
    let mut late = file("/var/lib/kubelet/config.yaml", document);
    late.modified = Fact::Known("2026-03-01T10:00:09Z".parse().unwrap());
    node.kubelet.config_file = Fact::Known(late);
    assert!(matches!(effective(&node, anonymous).value, Value::Unread(_)));
    assert_eq!(effective(&node, "readOnlyPort").value, Value::Int(0), "a flag stands above every file");
}

#[test]
fn a_setting_that_is_not_resolved_is_not_said_to_be_missing() {
    assert_eq!(reason(&effective(&with_file(&[], json!({"evictionHard": {}})), "evictionHard")), Reason::NotVisible);
}

#[test]
fn every_field_has_its_shape() {
    let Shape::Map(shape) = kubelet_fields::shape() else { panic!() };
    assert!(matches!(&shape["authentication"], Shape::Map(inner) if inner.contains_key("anonymous")));
    let Value::Map { entries, .. } = Reading::of_node(&node(&[])).at("kubelet.effective").value else { panic!() };
    assert_eq!(shape.keys().collect::<Vec<_>>(), entries.keys().collect::<Vec<_>>());
}

use super::super::Shape;

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    let name = "(authentication|anonymous|enabled|featureGates|readOnlyPort|tlsCipherSuites|podPidsLimit|.{0,4})";
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(name, inner, 0..5).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_files_and_any_flags_are_read(main in any_json(), drop_in in any_json(), args in proptest::collection::vec("(--)?\\PC{0,10}", 0..6)) {
        let mut all = vec!["--config-dir=/d"];
        all.extend(args.iter().map(String::as_str));
        let mut node = with_file(&all, main);
        node.kubelet.drop_ins = Listing::whole(vec![file("/d/a.conf", drop_in)]);
        let _ = Reading::of_node(&node);
    }
}
