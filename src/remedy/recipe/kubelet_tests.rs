//! Which file is changed, and when none is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{MAIN, config, evidence, fresh, node, process};
use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;
use crate::evidence::{ConfigText, Fact, Listing, NodeEvidence};
use serde_json::json;

fn planned(node: &NodeEvidence, path: &str, value: Json) -> Result<(KubeletOp, Vec<String>), Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let finding = Finding::of(&catalog.controls[0], "node/n1", Verdict::Fail, "");
    plan(path, &value, &About { finding: &finding, evidence: &evidence(node), node: Some(node) })
}

fn contents(change: &NodeChange) -> Vec<(&str, &str)> {
    let text =
        |file: &FileChange| std::str::from_utf8(file.contents.as_deref().unwrap()).unwrap().to_owned().leak() as &str;
    change.files.iter().map(|file| (file.path.as_str(), text(file))).collect()
}

#[test]
fn settings_go_where_they_are_decided_and_are_one_restart() {
    let mut node = node(&["--config-dir=/etc/kubelet.d/"]);
    let path = "/etc/kubelet.d/10-a.conf";
    node.kubelet.drop_ins = Listing::whole(vec![config(path, json!({"podPidsLimit": -1}))]);
    let (mut op, _) = planned(&node, "podPidsLimit", 4096.into()).unwrap();
    op.add(planned(&node, "seccompDefault", true.into()).unwrap().0);
    op.add(planned(&node, "authentication.anonymous.enabled", false.into()).unwrap().0);
    let files = [
        (
            MAIN,
            "# ours\nkind: KubeletConfiguration\npodPidsLimit: 5\nauthentication:\n  anonymous:\n    enabled: true\n",
        ),
        (path, "podPidsLimit: -1\n"),
        ("/etc/kubelet.d/05-a.conf", "podPidsLimit: 7\n"),
        ("/etc/kubelet.d/20-b.conf", "maxPods: 20\n"),
    ];
    let change = op.change(&fresh(&op.wants(), &files)).unwrap();
    assert_eq!(
        contents(&change),
        [
            (path, "podPidsLimit: 4096\n"),
            (
                MAIN,
                "# ours\nkind: KubeletConfiguration\npodPidsLimit: 5\nauthentication:\n  anonymous:\n    enabled: false\n\
                 seccompDefault: true\n"
            )
        ]
    );
    assert_eq!(change.activate, ["systemctl restart kubelet.service"]);
    assert_eq!(change.holds, ["unit_up kubelet.service 15", "listens 10248", "answers http://127.0.0.1:10248/healthz"]);
    assert_eq!(change.risk, Risk::Disruptive);
    assert!(change.why.iter().any(|why| why.contains("10-a.conf sets podPidsLimit over")), "{:?}", change.why);
}

#[test]
fn json_stays_json_and_what_is_there_already_is_no_change() {
    let node = node(&[]);
    let (op, _) = planned(&node, "readOnlyPort", 0.into()).unwrap();
    let change = op.change(&fresh(&op.wants(), &[(MAIN, "{\"readOnlyPort\": 10255}")])).unwrap();
    assert_eq!(contents(&change), [(MAIN, "{\"readOnlyPort\": 0}")]);
    assert_eq!(op.change(&fresh(&op.wants(), &[(MAIN, "readOnlyPort: 0\n")])).unwrap(), NodeChange::default());
    assert!(op.change(&fresh(&op.wants(), &[])).unwrap_err().0.contains("not there any more"));
    assert!(op.change(&fresh(&op.wants(), &[(MAIN, "a: [")])).unwrap_err().0.starts_with(MAIN));
}

#[test]
fn a_null_over_it_is_left_to_a_person() {
    let node = node(&["--config-dir=/etc/kubelet.d"]);
    let (op, _) = planned(&node, "authentication.anonymous.enabled", false.into()).unwrap();
    let files = [
        (MAIN, "authentication:\n  anonymous:\n    enabled: true\n"),
        ("/etc/kubelet.d/1.conf", "authentication: null\n"),
    ];
    let refused = op.change(&fresh(&op.wants(), &files)).unwrap_err();
    assert!(refused.0.contains("/etc/kubelet.d/1.conf"), "{refused}");
}

#[test]
fn a_flag_is_named_with_the_file_that_brings_it() {
    let mut node = node(&["--read-only-port=10255", "--feature-gates=X=true"]);
    let refused = planned(&node, "readOnlyPort", 0.into()).unwrap_err();
    assert!(refused.0.contains("--read-only-port") && refused.0.contains("systemctl cat kubelet.service"), "{refused}");
    let file = "/var/lib/kubelet/kubeadm-flags.env".to_owned();
    let text = Fact::Known("KUBELET_KUBEADM_ARGS=\"--read-only-port=10255\"".to_owned());
    node.kubelet.environment =
        Listing::whole(vec![ConfigText { path: file.clone(), modified: Fact::Unread, text, unread: None }]);
    let refused = planned(&node, "readOnlyPort", 0.into()).unwrap_err();
    assert!(refused.0.contains(&format!("It stands in {file}")) && refused.0.contains("kubeletExtraArgs"), "{refused}");
    assert!(planned(&node, "featureGates.RotateKubeletServerCertificate", true.into()).is_err());
    let (_, notes) = planned(&node, "podPidsLimit", 1.into()).unwrap();
    assert!(notes.iter().any(|note| note.contains("configmap kubelet-config")), "{notes:?}");
}

#[test]
fn a_kubelet_that_is_no_unit_of_its_own_is_left_alone() {
    let mut node = node(&[]);
    node.kubelet.process = process("/snap/microk8s/1/kubelite", "snap.microk8s.daemon-kubelite.service", &[]);
    assert!(planned(&node, "readOnlyPort", 0.into()).unwrap_err().0.contains("a part of another program"));
    node.kubelet.process = process("/usr/bin/kubelet", "user.slice", &[]);
    assert!(planned(&node, "readOnlyPort", 0.into()).unwrap_err().0.contains("which unit"));
    node.kubelet.process = process("/usr/bin/kubelet", "kubelet.service", &[]);
    assert!(planned(&node, "readOnlyPort", 0.into()).unwrap_err().0.contains("without a configuration file"));
    node.kubelet.process = Fact::Unread;
    assert!(planned(&node, "readOnlyPort", 0.into()).is_err());
}

#[test]
fn a_kubelet_that_knows_no_login_keeps_its_anonymous_one() {
    let mut node = node(&[]);
    let text = "authentication:\n  webhook:\n    enabled: false\n";
    node.kubelet.config_file = Fact::Known(config(MAIN, json!({"authentication": {"webhook": {"enabled": false}}})));
    let (op, _) = planned(&node, "authentication.anonymous.enabled", false.into()).unwrap();
    let refused = op.change(&fresh(&op.wants(), &[(MAIN, text)])).unwrap_err();
    assert!(refused.0.contains("clientCAFile"), "{refused}");
    let (mut op, _) = planned(&node, "authorization.mode", "Webhook".into()).unwrap();
    assert!(op.change(&fresh(&op.wants(), &[(MAIN, text)])).is_err());
    // Where the same plan brings one.
    op.add(planned(&node, "authentication.x509.clientCAFile", "/etc/kubernetes/pki/ca.crt".into()).unwrap().0);
    assert!(op.change(&fresh(&op.wants(), &[(MAIN, text)])).is_ok());
    node.kubelet.config_file = Fact::Known(config(
        MAIN,
        json!({"authentication": {"webhook": {"enabled": false}, "x509": {"clientCAFile": "/ca"}}}),
    ));
    let (op, _) = planned(&node, "authentication.anonymous.enabled", false.into()).unwrap();
    assert!(op.change(&fresh(&op.wants(), &[(MAIN, text)])).is_ok());
}
