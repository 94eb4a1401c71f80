#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::super::{ChannelKind, ConfigFile, ConfigText, Fact, Listing, Process, Reason, StaticPod};
use super::super::settings::camel_case;
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn node() -> NodeEvidence {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    node
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn component(line: &str, version: &str, container: bool) -> Component {
    Component {
        exists: Fact::Known(true),
        version: Fact::Known(version.to_owned()),
        config_file: Fact::Absent,
        environment: Listing::whole(Vec::new()),
        static_pod: Fact::Absent,
        process: Fact::Known(Process {
            pid: 7,
            uid: Fact::Known(0),
            exe: Fact::Unread,
            args: Fact::Known(words(line)),
            unit: Fact::Unread,
            started: Fact::Known("2026-03-01T10:00:00Z".parse().unwrap()),
            container: Fact::Known(container),
            rejected: String::new(),
        }),
        ..Component::default()
    }
}

fn pod(line: &str, environment: Fact<Vec<String>>) -> Fact<StaticPod> {
    Fact::Known(StaticPod {
        path: "/etc/kubernetes/manifests/x.yaml".to_owned(),
        image: Fact::Unread,
        command: Fact::Known(words(line)),
        environment_names: environment,
        host_network: Fact::Unread,
        unread: None,
    })
}

fn told(reading: &Reading) -> (Value, String) {
    (reading.value.clone(), reading.origin.as_deref().unwrap_or_default().to_owned())
}

fn apiserver(line: &str, version: &str) -> Reading {
    let mut node = node();
    node.kube_apiserver = component(&format!("kube-apiserver {line}"), version, true);
    Reading::of_node(&node).at("kube_apiserver.effective")
}

fn etcd(component: Component) -> Reading {
    Reading::of_node(&NodeEvidence { etcd: component, ..node() }).at("etcd")
}

fn reason(reading: &Reading) -> Reason {
    match &reading.value {
        Value::Unread(gap) => gap.reason,
        other => panic!("{other:?}"),
    }
}

fn texts(reading: &Reading) -> Vec<String> {
    let Value::List { items, .. } = &reading.value else { panic!("{reading:?}") };
    let text = |item: &Reading| match &item.value {
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    items.iter().map(text).collect()
}

#[test]
fn every_flag_of_a_setting_is_its_name() {
    let node = node();
    for (program, _) in programs(&node) {
        for setting in program.settings {
            if program.name() != "kube-proxy" {
                assert_eq!(camel_case(setting.flag), setting.path);
            }
        }
    }
}

#[test]
fn a_flag_says_where_it_stands_and_a_default_of_which_version_it_is() {
    let mut node = node();
    node.kube_apiserver = component("kube-apiserver --profiling=false --anonymous_auth=false", "1.36.2", true);
    let read =
        |node: &NodeEvidence, path: &str| told(&Reading::of_node(node).at(&format!("kube_apiserver.effective.{path}")));
    assert_eq!(read(&node, "profiling"), (Value::Bool(false), "flag of the running kube-apiserver".to_owned()));
    assert_eq!(read(&node, "serviceAccountLookup"), (Value::Bool(true), "default of kube-apiserver 1.36".to_owned()));
    assert_eq!(read(&node, "anonymousAuth").0, Value::Bool(false), "`_` is read as `-`");
    node.kube_apiserver.static_pod = pod("kube-apiserver --profiling=false", Fact::Known(Vec::new()));
    assert_eq!(read(&node, "profiling").1, "flag, /etc/kubernetes/manifests/x.yaml");
    node.kube_apiserver.process = Fact::Unread;
    assert_eq!(read(&node, "profiling"), (Value::Bool(false), "flag, /etc/kubernetes/manifests/x.yaml".to_owned()));
}

#[test]
fn defaults_are_those_of_the_very_version() {
    assert_eq!(apiserver("", "1.35.9").at("auditLogMaxage").value, Value::Int(0));
    assert_eq!(apiserver("", "1.36.0").at("auditLogMaxage").value, Value::Int(366));
    let other = apiserver("--profiling=false", "1.99.0");
    assert_eq!(other.at("profiling").value, Value::Bool(false), "a flag is a flag in any version");
    let Value::Unread(gap) = other.at("serviceAccountLookup").value else { panic!() };
    assert_eq!(gap.reason, Reason::Unsupported);
    assert!(gap.detail.contains("1.99"), "{}", gap.detail);
}

#[test]
fn admission_plugins_are_those_of_the_version_and_the_flags_together() {
    let plugins = |line: &str, version: &str| apiserver(line, version).at("admissionPlugins");
    let list =
        texts(&plugins("--enable-admission-plugins=NodeRestriction --disable-admission-plugins=Priority", "1.31.0"));
    assert_eq!(list[0], "NodeRestriction");
    assert!(list.contains(&"ServiceAccount".to_owned()) && list.contains(&"PodSecurity".to_owned()));
    assert!(!list.contains(&"Priority".to_owned()) && !list.contains(&"MutatingAdmissionPolicy".to_owned()));
    // What is enabled wins over what is disabled.
    let both = "--enable-admission-plugins=Priority --disable-admission-plugins=Priority";
    assert!(texts(&plugins(both, "1.31.0")).contains(&"Priority".to_owned()));
    let unknown = plugins("--enable-admission-plugins=NodeRestriction", "1.99.0");
    assert!(matches!(&unknown.value, Value::List { items, gap: Some(_) } if items.len() == 1), "{unknown:?}");
}

#[test]
fn anonymous_requests_follow_the_authorization_and_the_authentication_file() {
    assert_eq!(apiserver("--authorization-mode=RBAC", "1.36.2").at("anonymousAuth").value, Value::Bool(true));
    assert_eq!(apiserver("", "1.36.2").at("anonymousAuth").value, Value::Bool(false), "AlwaysAllow switches it off");
    let file = "--authorization-mode=RBAC --authentication-config=/a.yaml";
    assert_eq!(reason(&apiserver(file, "1.36.2").at("anonymousAuth")), Reason::NotVisible);
    assert_eq!(apiserver(file, "1.30.9").at("anonymousAuth").value, Value::Bool(true), "not in the file before 1.31");
    let both = format!("{file} --anonymous-auth=true");
    assert_eq!(apiserver(&both, "1.36.2").at("anonymousAuth").value, Value::Bool(true), "the file may not set it too");
}

#[test]
fn an_api_server_of_openshift_has_its_settings_elsewhere() {
    let effective = apiserver("--openshift-config=/etc/config.yaml --v=2", "1.31.0");
    assert_eq!(reason(&effective.at("profiling")), Reason::NotVisible);
}

#[test]
fn flags_of_the_scheduler_that_its_file_replaces_are_ignored() {
    let mut node = node();
    node.kube_scheduler =
        component("kube-scheduler --config=/s.yaml --profiling=false --bind-address=1.2.3.4", "1.36.2", true);
    let read = |node: &NodeEvidence, path: &str| Reading::of_node(node).at(&format!("kube_scheduler.effective.{path}"));
    assert_eq!(reason(&read(&node, "profiling")), Reason::NotVisible, "the file is not in the evidence");
    let file = |document: serde_json::Value, modified: &str| {
        Fact::Known(ConfigFile {
            path: "/s.yaml".to_owned(),
            sha256: Fact::Unread,
            modified: Fact::Known(modified.parse().unwrap()),
            document: Fact::Known(document),
            unread: None,
        })
    };
    node.kube_scheduler.config_file = file(json!({"kind": "KubeSchedulerConfiguration"}), "2026-03-01T09:00:00Z");
    assert_eq!(told(&read(&node, "profiling")), (Value::Bool(true), "default of kube-scheduler 1.36".to_owned()));
    assert_eq!(read(&node, "bindAddress").value, Value::Text("1.2.3.4".into()));
    node.kube_scheduler.config_file = file(json!({"enableProfiling": false}), "2026-03-01T09:00:00Z");
    assert_eq!(told(&read(&node, "profiling")), (Value::Bool(false), "/s.yaml".to_owned()));
    node.kube_scheduler.config_file = file(json!({"enableProfiling": false}), "2026-03-01T11:00:00Z");
    assert_eq!(reason(&read(&node, "profiling")), Reason::NotVisible, "changed since the start");
}

#[test]
fn flags_of_etcd_win_over_variables_whose_values_are_not_known() {
    let mut one = component("etcd -auto-tls --cert-file /a.crt", "3.5.15", true);
    one.static_pod = pod("etcd", Fact::Known(vec!["ETCD_KEY_FILE".to_owned(), "ETCD_CERT_FILE".to_owned()]));
    let tree = etcd(one.clone());
    assert_eq!(tree.at("effective.autoTls").value, Value::Bool(true));
    assert_eq!(tree.at("effective.certFile").value, Value::Text("/a.crt".into()));
    assert_eq!(reason(&tree.at("effective.keyFile")), Reason::NotVisible);
    assert_eq!(told(&tree.at("effective.peerAutoTls")), (Value::Bool(false), "default of etcd 3.5".to_owned()));
    one.static_pod = pod("etcd", Fact::Unread);
    assert!(matches!(etcd(one.clone()).at("effective.peerAutoTls").value, Value::Unread(_)));
    assert!(matches!(etcd(one).at("listen_urls").value, Value::List { gap: Some(_), .. }));
}

#[test]
fn the_environment_file_of_a_unit_is_read() {
    let mut one = component("/usr/bin/etcd", "3.5.15", false);
    let text =
        "# TLS\nETCD_CERT_FILE=\"/e.crt\"\nETCD_LISTEN_CLIENT_URLS=https://10.0.0.4:2379\nETCD_KEY_FILE=[redacted]";
    one.environment.items.push(ConfigText {
        path: "/etc/default/etcd".to_owned(),
        text: Fact::Known(text.to_owned()),
        modified: Fact::Unread,
        unread: None,
    });
    let tree = etcd(one.clone());
    let certificate = told(&tree.at("effective.certFile"));
    assert_eq!(certificate, (Value::Text("/e.crt".into()), "ETCD_CERT_FILE, from /etc/default/etcd".to_owned()));
    assert!(matches!(tree.at("effective.keyFile").value, Value::Unread(_)));
    assert_eq!(tree.at("effective.trustedCaFile").value, Value::Absent);
    one.environment.complete = false;
    assert!(matches!(etcd(one).at("effective.trustedCaFile").value, Value::Unread(_)));
}

#[test]
fn a_file_of_etcd_replaces_flags_and_variables() {
    let mut one = component("etcd --config-file=/e.yaml --client-cert-auth=false --auto-tls", "3.5.15", true);
    one.static_pod = pod("etcd", Fact::Known(vec!["ETCD_CERT_FILE".to_owned()]));
    one.config_file = Fact::Known(ConfigFile {
        path: "/e.yaml".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(
            serde_saphyr::from_str(include_str!("../../../tests/samples/components/k3s-1.21-etcd-config.yaml"))
                .unwrap(),
        ),
        unread: None,
    });
    let tree = etcd(one);
    assert_eq!(told(&tree.at("effective.clientCertAuth")), (Value::Bool(true), "/e.yaml".to_owned()));
    assert_eq!(tree.at("effective.autoTls").value, Value::Bool(false));
    assert_eq!(tree.at("effective.peerCertFile").value, Value::Absent);
    let Value::List { items, gap: None } = tree.at("listen_urls").value else { panic!() };
    assert_eq!(items.len(), 2, "the defaults, on the loopback");
}

#[test]
fn addresses_of_a_kubeadm_etcd() {
    let mut one = component(
        &include_str!("../../../tests/samples/components/kubeadm-1.36-etcd.txt").replace('\n', " "),
        "3.6.13",
        true,
    );
    one.static_pod = pod("etcd", Fact::Known(Vec::new()));
    let Value::List { items, gap: None } = etcd(one).at("listen_urls").value else { panic!() };
    let name = |item: &Reading| (item.child("url").value, item.child("loopback").value);
    assert_eq!(items.len(), 4);
    assert!(items.iter().any(|item| name(item) == (Value::Text("http://127.0.0.1:2381".into()), Value::Bool(true))));
    assert!(items.iter().any(|item| name(item) == (Value::Text("https://10.88.0.2:2379".into()), Value::Bool(false))));
}

#[test]
fn what_k3s_logs_is_read_as_a_command_line_of_its_own_defaults() {
    let line = include_str!("../../../tests/samples/components/k3s-1.14-kube-apiserver.txt").replace('\n', " ");
    let mut node = node();
    node.kube_apiserver = component(&line, "1.30.1", true);
    let effective = Reading::of_node(&node).at("kube_apiserver.effective");
    assert_eq!(texts(&effective.at("authorizationMode")), ["AlwaysAllow"]);
    assert_eq!(texts(&effective.at("serviceAccountKeyFile")), ["/var/lib/rancher/k3s/server/tls/service.key"]);
}

proptest! {
    #[test]
    fn any_command_line_is_resolved(args in proptest::collection::vec("(--?(config(-file)?|anonymous-auth|feature-gates|audit-log-maxage|listen-client-urls)=?)?.{0,8}", 0..8)) {
        let mut node = node();
        for which in 0..5 {
            let mut one = component("x", "1.36.2", true);
            if let Fact::Known(process) = &mut one.process {
                process.args = Fact::Known(args.clone());
            }
            *[&mut node.kube_proxy, &mut node.kube_apiserver, &mut node.kube_controller_manager, &mut node.kube_scheduler, &mut node.etcd][which] = one;
        }
        let _ = Reading::of_node(&node);
    }
}
