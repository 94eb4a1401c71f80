//! What is changed on k3s and RKE2, and when nothing is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{evidence, fresh, node, process};
use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::{Catalog, Control, RemedySpec};
use crate::evidence::StaticPod;
use crate::remedy::Prepared;
use crate::remedy::plan::{Plan, Work};
use crate::remedy::recipe::NodeOp;
use serde_json::json;

pub(super) const MANIFEST: &str = "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml";

pub(super) fn k3s(unit: &str) -> NodeEvidence {
    let mut node = node(&[]);
    node.kubelet.process = process("/usr/local/bin/k3s", unit, &["server"]);
    node.kube_apiserver.exists = Fact::Known(unit == "k3s.service");
    node
}

pub(super) fn rke2() -> NodeEvidence {
    let mut node = node(&[]);
    node.kubelet.process = process("/var/lib/rancher/rke2/data/v1.36/bin/kubelet", "rke2-server.service", &[]);
    node.kube_apiserver.exists = Fact::Known(true);
    node.kube_apiserver.static_pod = Fact::Known(StaticPod {
        path: MANIFEST.to_owned(),
        image: Fact::Unread,
        command: Fact::Unread,
        environment_names: Fact::Unread,
        host_network: Fact::Unread,
        unread: None,
    });
    node
}

pub(super) fn plan_of(node: &NodeEvidence, spec: RemedySpec) -> Result<Plan, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let control = Control { remedy: Some(spec), ..catalog.controls[0].clone() };
    let finding = Finding::of(&control, "node/n1", Verdict::Fail, "");
    super::super::plan(&control, &finding, &evidence(node))
}

pub(super) fn planned(node: &NodeEvidence, spec: RemedySpec) -> Result<RancherOp, Refusal> {
    match plan_of(node, spec)?.work {
        Work::Node(ops) => match ops.as_slice() {
            [NodeOp::Rancher(op)] => Ok(op.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

pub(super) fn kubelet(path: &str, value: Json) -> RemedySpec {
    RemedySpec::KubeletSetting { path: path.to_owned(), value }
}

pub(super) fn flag(component: &str, flag: &str, value: Option<&str>, add: &[&str]) -> RemedySpec {
    RemedySpec::StaticPodFlag {
        component: component.to_owned(),
        flag: flag.to_owned(),
        value: value.map(str::to_owned),
        add: add.iter().map(|word| (*word).to_owned()).collect(),
        without: Vec::new(),
    }
}

/// The change, where the unit's command line has these facts.
fn change(op: &RancherOp, files: &[(&str, &str)], facts: &str) -> Result<NodeChange, Refusal> {
    let mut fresh = fresh(&op.wants(), files);
    fresh.said(&op.facts(), 0, format!("{facts}end\n"));
    fresh.said(op.which.ready(), 0, "ok".to_owned());
    op.change(&fresh)
}

pub(super) fn contents(change: &NodeChange) -> Vec<(&str, String)> {
    let text = |file: &FileChange| String::from_utf8(file.contents.clone().unwrap()).unwrap();
    change.files.iter().map(|file| (file.path.as_str(), text(file))).collect()
}

#[test]
fn settings_become_flags_in_one_file_and_one_restart() {
    let node = k3s("k3s.service");
    let mut op = planned(&node, kubelet("readOnlyPort", json!(0))).unwrap();
    op.add(planned(&node, kubelet("authentication.anonymous.enabled", json!(false))).unwrap());
    op.add(planned(&node, kubelet("tlsCipherSuites", json!(["A", "B"]))).unwrap());
    op.add(planned(&node, flag("kube-scheduler", "profiling", Some("false"), &[])).unwrap());
    let change = change(&op, &[], "").unwrap();
    let file = "kubelet-arg:\n- read-only-port=0\n- anonymous-auth=false\n- tls-cipher-suites=A,B\n\
                kube-scheduler-arg:\n- profiling=false\n";
    assert_eq!(contents(&change), [("/etc/rancher/k3s/config.yaml", file.to_owned())]);
    assert_eq!(change.files[0].after.attributes(), Some((0o600, 0, 0)), "it may get a token later");
    assert_eq!(change.activate, ["systemctl restart k3s.service"]);
    let ready = "timeout 20 k3s kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml get --raw /readyz >/dev/null";
    assert_eq!(
        change.holds,
        [
            "unit_up k3s.service 10",
            "said k3s.service kubelet '--read-only-port=0'",
            "said k3s.service kubelet '--anonymous-auth=false'",
            "said k3s.service kubelet '--tls-cipher-suites=A,B'",
            "said k3s.service kube-scheduler '--profiling=false'",
            ready,
        ]
    );
    assert!(
        change.restored.contains(&"said k3s.service kubelet '^--read-only-port=0'".to_owned()),
        "{:?}",
        change.restored
    );
    assert_eq!(change.risk, Risk::Disruptive);
    assert!(change.interrupts[0].contains("the API of this node"), "{:?}", change.interrupts);
}

#[test]
fn an_agent_has_no_api_and_a_drop_in_decides() {
    let op = planned(&k3s("k3s-agent.service"), kubelet("podPidsLimit", json!(4096))).unwrap();
    let drop_in = "/etc/rancher/k3s/config.yaml.d/50-ours.yml";
    let files = [
        ("/etc/rancher/k3s/config.yaml", "token: K10secret\nkubelet-arg: [pod-max-pids=-1]\n"),
        (drop_in, "kubelet-arg:\n- pod-max-pids=5 # few\n"),
        ("/etc/rancher/k3s/config.yaml.d/60-no.conf", "kubelet-arg: ["),
    ];
    let change = change(&op, &files, "").unwrap();
    assert_eq!(contents(&change), [(drop_in, "kubelet-arg:\n- pod-max-pids=4096 # few\n".to_owned())]);
    assert!(change.why.iter().any(|why| why.contains("50-ours.yml decides over")), "{:?}", change.why);
    assert!(!change.holds.iter().any(|line| line.contains("readyz")), "{:?}", change.holds);
    assert_eq!(change.restored[1], "said k3s-agent.service kubelet '--pod-max-pids=5'");
}

#[test]
fn rke2_shows_its_components_and_what_they_run_with_is_kept() {
    let node = rke2();
    let mut op =
        planned(&node, flag("kube-apiserver", "enable-admission-plugins", None, &["DenyServiceExternalIPs"])).unwrap();
    op.add(planned(&node, kubelet("eventRecordQPS", json!(50))).unwrap());
    let manifest = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --enable-admission-plugins=NodeRestriction\n";
    let main = "/etc/rancher/rke2/config.yaml";
    let change = change(&op, &[(MANIFEST, manifest), (main, "profile: cis\n")], "").unwrap();
    let file = "profile: cis\nkube-apiserver-arg:\n- enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs\n\
                kubelet-arg:\n- event-qps=50\n";
    assert_eq!(contents(&change), [(main, file.to_owned())]);
    let holds = change.holds.join("\n");
    assert!(holds.contains("runs kube-apiserver 10 ") && holds.contains("runs kubelet 10 "), "{holds}");
    assert!(holds.contains("/var/lib/rancher/rke2/bin/kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml"), "{holds}");
}

#[test]
fn a_join_token_is_neither_shown_nor_exported() {
    let op = planned(&k3s("k3s.service"), kubelet("readOnlyPort", json!(0))).unwrap();
    let main = "/etc/rancher/k3s/config.yaml";
    let with = [(main, "token: K10secret\nkubelet-arg: [max-pods=9]\n")];
    let prepared = Prepared::of_change(
        plan_of(&k3s("k3s.service"), kubelet("readOnlyPort", json!(0))).unwrap(),
        change(&op, &with, "").unwrap(),
    );
    let shown = format!("{:?} {}", prepared.steps(), crate::remedy::markdown(&prepared));
    assert!(
        shown.contains("read-only-port=0") && shown.contains("token: [redacted]") && !shown.contains("K10secret"),
        "{shown}"
    );
    assert_eq!(crate::remedy::script(&prepared), None);
    assert!(!change(&op, &[(main, "write-kubeconfig-mode: '0600'\n")], "").unwrap().private);
    let json = change(&op, &[(main, "{\"token\": \"K10secret\", \"kubelet-arg\": []}")], "").unwrap_err();
    assert!(json.0.contains("is written as JSON"), "{json}");
}

#[test]
fn what_these_two_do_in_their_own_way_is_said_and_not_done() {
    for (node, spec, words) in [
        (k3s("k3s.service"), RemedySpec::EncryptionAtRest {}, "On one server `k3s secrets-encrypt enable`; then put"),
        (rke2(), RemedySpec::EncryptionAtRest {}, "rke2 secrets-encrypt status"),
    ] {
        let refused = plan_of(&node, spec).unwrap_err();
        assert!(refused.0.starts_with("n1: ") && refused.0.contains(words), "{refused}");
    }
}

#[test]
fn what_is_over_the_files_is_named_and_nothing_is_guessed() {
    let op = planned(&k3s("k3s.service"), kubelet("readOnlyPort", json!(0))).unwrap();
    for (facts, word) in [
        ("kubelet-arg read-only-port\n", "over every file"),
        ("kubelet-arg --read_only_port\n", "over every file"),
        ("option --config\n", "another file"),
        ("option K3S_CONFIG_FILE\n", "another file"),
        ("option --log\n", "its log does not tell"),
        ("variable\n", "variables"),
        ("no-folder\n", "mkdir -p"),
    ] {
        let refused = change(&op, &[], facts).unwrap_err();
        assert!(refused.0.starts_with("n1: ") && refused.0.contains(word), "{refused}");
    }
    assert!(change(&op, &[], "kubelet-arg max-pods\nkube-apiserver-arg read-only-port\n").is_ok());
    let log = [("/etc/rancher/k3s/config.yaml", "log: /var/log/k3s.log\n")];
    assert!(change(&op, &log, "").unwrap_err().0.contains("into a file"));
    assert!(op.change(&fresh(&op.wants(), &[])).unwrap_err().0.contains("was not read"));
    let mut unready = fresh(&op.wants(), &[]);
    unready.said(&op.facts(), 0, "end\n".to_owned());
    assert!(op.change(&unready).unwrap_err().0.contains("does not say now that it is ready"));
    assert_eq!(
        change(&op, &[("/etc/rancher/k3s/config.yaml", "kubelet-arg: [read-only-port=0]\n")], "").unwrap(),
        NodeChange::default()
    );
}

#[test]
fn what_no_flag_sets_is_refused_with_what_to_do() {
    let node = k3s("k3s.service");
    for (spec, words) in [
        (kubelet("featureGates.RotateKubeletServerCertificate", json!(true)), "comes after 00-k3s-defaults.conf"),
        (kubelet("enableSystemLogHandler", json!(false)), "agent/etc/kubelet.conf.d"),
        (kubelet("protectKernelDefaults", json!(false)), "protect-kernel-defaults: false"),
        (kubelet("rotateCertificates", json!(true)), "issues the kubelet's certificates itself"),
        (flag("etcd", "tls-min-version", Some("TLS1.2"), &[]), "no etcd runs within k3s"),
    ] {
        let refused = plan_of(&node, spec).unwrap_err();
        assert!(refused.0.contains(words), "{refused}");
    }
    let op = planned(&node, flag("kube-apiserver", "audit-log-maxage", Some("30"), &[])).unwrap();
    assert!(change(&op, &[], "").unwrap_err().0.contains("writes no audit log"));
    let log = [("/etc/rancher/k3s/config.yaml", "kube-apiserver-arg: [audit-log-path=/var/log/a]\n")];
    assert!(change(&op, &log, "").is_ok());
    let add = planned(&node, flag("kube-apiserver", "authorization-mode", None, &["RBAC"])).unwrap();
    assert!(change(&add, &[], "").unwrap_err().0.contains("cannot be seen"));
}

#[test]
fn what_k3s_gives_by_itself_is_kept_in_a_list() {
    let plugins = |add: &str| {
        let op =
            planned(&k3s("k3s.service"), flag("kube-apiserver", "enable-admission-plugins", None, &[add])).unwrap();
        let mut fresh = fresh(&op.wants(), &[]);
        fresh.said(&op.facts(), 0, "end\n".to_owned());
        fresh.said(op.which.ready(), 0, "ok".to_owned());
        let said = "time=\"2026-05-26T20:08:48Z\" level=info msg=\"Running kube-apiserver --allow-privileged=true \
                    --enable-admission-plugins=NodeRestriction\"\n";
        fresh.said(&rancher_told::line("k3s.service", "kube-apiserver"), 0, said.to_owned());
        op.change(&fresh).unwrap()
    };
    let file = "kube-apiserver-arg:\n- enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs\n";
    assert_eq!(contents(&plugins("DenyServiceExternalIPs")), [("/etc/rancher/k3s/config.yaml", file.to_owned())]);
    assert_eq!(plugins("NodeRestriction"), NodeChange::default(), "it has it already");
}
