//! What becomes of a manifest, and when it is left alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{evidence, fresh, node, pod, process};
use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;
use crate::evidence::{Fact, NodeEvidence};

const API: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kube-apiserver.yaml");
const PATH: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";

fn control_plane() -> NodeEvidence {
    let mut node = node(&[]);
    node.kube_apiserver.exists = Fact::Known(true);
    node.kube_apiserver.process =
        process("kube-apiserver", "cri-containerd-1.scope", &["--audit-log-path=/var/log/kubernetes/audit.log"]);
    node.kube_apiserver.static_pod = pod("kube-apiserver", &["kube-apiserver"]);
    node.kube_scheduler.static_pod = pod("kube-scheduler", &["kube-scheduler"]);
    node
}

fn planned(node: &NodeEvidence, component: &str, flag: &str, setting: Flag) -> Result<StaticPodOp, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let finding = Finding::of(&catalog.controls[0], "node/n1", Verdict::Fail, "");
    let about = About { finding: &finding, evidence: &evidence(node), node: Some(node) };
    plan(component, flag, setting, &about).map(|(op, _)| op)
}

fn of_api(flag: &str, setting: Flag) -> StaticPodOp {
    planned(&control_plane(), "kube-apiserver", flag, setting).unwrap()
}

fn list(add: &[&str], without: &[&str]) -> Flag {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Flag::of(None, &words(add), &words(without))
}

fn changed(op: &StaticPodOp, text: &str) -> Result<(String, NodeChange), Refusal> {
    let change = op.change(&fresh(&op.wants(), &[(PATH, text)]))?;
    let text = change.files.first().and_then(|file| file.contents.clone()).unwrap_or_default();
    Ok((String::from_utf8(text).unwrap(), change))
}

/// Conditions without the shell's quotes.
fn plain(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.replace('\'', "")).collect()
}

#[test]
fn several_flags_are_one_edit_and_the_process_must_show_them_all() {
    let mut op = of_api("profiling", Flag::Value("false".to_owned()));
    op.add(of_api("enable-admission-plugins", list(&["DenyServiceExternalIPs"], &["AlwaysAdmit"])));
    op.add(of_api("secure-port", Flag::Value("7443".to_owned())));
    let (text, change) = changed(&op, API).unwrap();
    assert!(
        text.contains("--profiling=false")
            && text.contains("--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs\n")
    );
    assert_eq!(change.files.len(), 1);
    assert!(change.activate.is_empty(), "the kubelet sees it by itself");
    assert_eq!(
        plain(&change.holds),
        [
            "runs kube-apiserver 12 --profiling=false --enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs \
             --secure-port=7443",
            "listens 7443",
            "answers https://127.0.0.1:7443/readyz"
        ]
    );
    assert_eq!(
        plain(&change.restored),
        [
            "runs kube-apiserver 12 !--profiling= ^--profiling --enable-admission-plugins=NodeRestriction --secure-port=6443",
            "listens 6443",
            "answers https://127.0.0.1:6443/readyz"
        ]
    );
}

#[test]
fn bounds_of_a_log_that_is_not_written_yet_bring_the_log_with_them() {
    let mut node = control_plane();
    node.kube_apiserver.process = process("kube-apiserver", "cri-containerd-1.scope", &[]);
    let mut op = planned(&node, "kube-apiserver", "audit-log-maxage", Flag::Value("90".to_owned())).unwrap();
    op.add(planned(&node, "kube-apiserver", "profiling", Flag::Value("false".to_owned())).unwrap());
    let policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n";
    let change = op.change(&fresh(&op.wants(), &[(PATH, API), ("/etc/kubernetes/audit/policy.yaml", policy)])).unwrap();
    assert_eq!(change.files.len(), 1, "one edit");
    let text = String::from_utf8(change.files[0].contents.clone().unwrap()).unwrap();
    for line in ["--audit-log-maxage=90", "--audit-log-path=/var/log/kubernetes/audit/audit.log", "--profiling=false"] {
        assert!(text.contains(line) && change.holds[0].contains(line), "{line}: {}", change.holds[0]);
    }
    assert!(!text.contains("maxage=30") && text.contains("mountPath: /var/log/kubernetes/audit\n"), "{text}");
    assert!(change.restored[0].contains("^--audit-policy-file"), "{}", change.restored[0]);
}

#[test]
fn a_flag_is_taken_away_with_the_last_of_its_words() {
    let text = API.replace("--enable-admission-plugins=NodeRestriction", "--disable-admission-plugins=ServiceAccount");
    let (after, change) = changed(&of_api("disable-admission-plugins", list(&[], &["ServiceAccount"])), &text).unwrap();
    assert!(!after.contains("admission-plugins"));
    assert!(
        plain(&change.holds)[0].ends_with(" !--disable-admission-plugins= ^--disable-admission-plugins"),
        "{:?}",
        change.holds
    );
    assert!(
        plain(&change.restored)[0].ends_with(" --disable-admission-plugins=ServiceAccount"),
        "{:?}",
        change.restored
    );
    let (_, change) = changed(&of_api("profiling", Flag::Gone), API).unwrap();
    assert_eq!(change, NodeChange::default(), "what is not there needs no change");
}

#[test]
fn what_would_not_count_or_would_break_it_is_refused() {
    let refused = |flag: &str, setting: Flag, text: &str| changed(&of_api(flag, setting), text).unwrap_err().0;
    let node = || list(&["Node"], &[]);
    let without = API.replace("    - --authorization-mode=Node,RBAC\n", "");
    assert!(refused("authorization-mode", node(), &without).contains("everything is allowed now"));
    let by_file = API.replace("--authorization-mode=Node,RBAC", "--authorization-config=/etc/a.yaml");
    assert!(
        refused(
            "authorization-mode",
            node(),
            &by_file.replace("    - --secure", "    - --authorization-mode=RBAC\n    - --secure")
        )
        .contains("--authorization-config")
    );
    let thirty = || Flag::Value("30".to_owned());
    assert!(refused("audit-log-maxage", thirty(), API).contains("apiserver-audit-log right first"));
    let logs = API.replace("    - --secure", "    - --audit-log-path=/var/log/audit.log\n    - --secure");
    assert!(changed(&of_api("audit-log-maxage", thirty()), &logs).is_ok());
    let twice = API.replace("    - --secure", "    - --profiling=true\n    - --profiling\n    - --secure");
    assert!(refused("profiling", Flag::Value("false".to_owned()), &twice).contains("2 times"));
    // The kubelet's probes ask at the node's address.
    let loopback = || Flag::Value("127.0.0.1".to_owned());
    assert!(refused("bind-address", loopback(), API).contains("probes ask"));
    let local = API.lines().map(|line| match line.trim_start().strip_prefix("host: ") {
        Some(_) => format!("{}host: 127.0.0.1\n", " ".repeat(line.len() - line.trim_start().len())),
        None => format!("{line}\n"),
    });
    assert!(changed(&of_api("bind-address", loopback()), &local.collect::<String>()).is_ok());
}

#[test]
fn what_no_static_pod_of_the_kubelet_starts_is_left_alone() {
    let mut node = control_plane();
    let value = || Flag::Value("false".to_owned());
    assert!(planned(&node, "kube-controller-manager", "profiling", value()).unwrap_err().0.contains("no static pod"));
    node.kube_apiserver.process = process("kube-apiserver", "cri-containerd-1.scope", &["--audit-log-path=-"]);
    let refused = planned(&node, "kube-apiserver", "audit-log-maxage", value()).unwrap_err();
    assert!(refused.0.contains("apiserver-audit-log right first"), "{refused}");
    if let Fact::Known(pod) = &mut node.kube_scheduler.static_pod {
        pod.path = "/root/kube-scheduler.yaml".to_owned();
    }
    let refused = planned(&node, "kube-scheduler", "profiling", value()).unwrap_err();
    assert!(refused.0.contains("/etc/kubernetes/manifests, from where the kubelet reads"), "{refused}");
    let op = of_api("profiling", value());
    let files = [(PATH, API), ("/etc/kubernetes/manifests/old", API)];
    let refused = op.change(&fresh(&op.wants(), &files)).unwrap_err();
    assert!(refused.0.contains("/etc/kubernetes/manifests/old is a manifest of kube-apiserver too"), "{refused}");
}
