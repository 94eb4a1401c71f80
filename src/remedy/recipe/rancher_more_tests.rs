//! What k3s and RKE2 take in a way of their own: etcd's flags, the audit log, settings of the kubelet that are no flags.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::kubelet::KERNEL;
use super::super::testing::{fresh, process};
use super::tests::{MANIFEST, contents, flag, k3s, kubelet, plan_of, planned, rke2};
use super::*;
use crate::catalog::RemedySpec;
use crate::remedy::change::Validate;
use serde_json::json;

const POLICY: &str = "/var/lib/rancher/k3s/server/audit.yaml";

/// What was read of a node on which k3s runs its API server with these arguments.
fn read(op: &RancherOp, files: &[(&str, &str)], args: &str) -> Fresh {
    let mut read = fresh(&op.wants(), files);
    read.said(&op.facts(), 0, "end\n".to_owned());
    read.said(op.which.ready(), 0, "ok".to_owned());
    let said = format!(
        "time=\"2026-05-26T20:08:48Z\" level=info msg=\"Running kube-apiserver --allow-privileged=true{args}\"\n"
    );
    read.said(&rancher_told::line("k3s.service", "kube-apiserver"), 0, said);
    for want in op.wants() {
        let Want::File(path) = &want else { continue };
        if !files.iter().any(|(known, _)| known == path) {
            let file = FreshFile {
                path: path.clone(),
                state: Some(State::Absent),
                trouble: None,
                contents: None,
                owner: None,
            };
            read.found(&want, file);
        }
    }
    read
}

#[test]
fn a_flag_of_etcd_goes_to_the_file_that_k3s_makes_for_it() {
    let mut node = k3s("k3s.service");
    node.etcd.exists = Fact::Known(true);
    let op = planned(&node, flag("etcd", "tls-min-version", Some("TLS1.2"), &[])).unwrap();
    let members = op.members.clone().unwrap();
    let mut told = read(&op, &[], "");
    assert!(
        op.change(&told).unwrap_err().0.contains("could not be asked"),
        "members that are not asked after are not well"
    );
    told.said(members.line(), 0, "etcd_server_has_leader 1\n".to_owned());
    let change = op.change(&told).unwrap();
    assert_eq!(
        contents(&change),
        [("/etc/rancher/k3s/config.yaml", "etcd-arg:\n- tls-min-version=TLS1.2\n".to_owned())]
    );
    assert!(
        matches!(&change.validate[0], Validate::Keep { line, .. } if line.contains("k3s etcd-snapshot save --dir"))
    );
    let config = "/var/lib/rancher/k3s/server/db/etcd/config";
    let line = format!("grep -qxF -e 'tls-min-version: TLS1.2' -e 'tls-min-version: \"TLS1.2\"' {config}");
    assert!(change.holds.contains(&line), "{:?}", change.holds);
    assert!(change.restored.contains(&format!("! {line}")), "{:?}", change.restored);

    let nested = plan_of(&node, flag("etcd", "client-cert-auth", Some("true"), &[])).unwrap_err();
    assert!(nested.0.contains("does not read client-cert-auth"), "{nested}");

    let mut node = rke2();
    node.etcd.exists = Fact::Known(true);
    let op = planned(&node, flag("etcd", "tls-min-version", Some("TLS1.2"), &[])).unwrap();
    let mut told = read(&op, &[], "");
    told.said(members.line(), 0, "etcd_server_has_leader 1\n".to_owned());
    let holds = op.change(&told).unwrap().holds;
    assert!(holds.contains(&"began_after etcd /var/lib/rancher/rke2/server/db/etcd/config".to_owned()), "{holds:?}");
}

#[test]
fn k3s_gets_an_audit_log_by_flags() {
    let node = k3s("k3s.service");
    let op = planned(&node, RemedySpec::AuditPolicy {}).unwrap();
    let change = op.change(&read(&op, &[], " --audit-log-maxage=7")).unwrap();
    let files = contents(&change);
    assert_eq!(files[0].0, POLICY);
    assert!(files[0].1.contains("kind: Policy"));
    let log = "/var/lib/rancher/k3s/server/logs/audit.log";
    let args = format!(
        "kube-apiserver-arg:\n- audit-policy-file={POLICY}\n- audit-log-path={log}\n- audit-log-maxbackup=10\n- audit-log-maxsize=100\n"
    );
    assert_eq!(files[1], ("/etc/rancher/k3s/config.yaml", args));
    assert_eq!(change.folders, ["/var/lib/rancher/k3s/server", "/var/lib/rancher/k3s/server/logs"]);
    let grows = format!("[ -n \"$(find {log} -newer /etc/rancher/k3s/config.yaml)\" ]");
    assert!(change.holds.contains(&grows), "{:?}", change.holds);
    assert!(
        change.holds.iter().any(|line| line.contains(&format!("--audit-policy-file={POLICY}"))),
        "{:?}",
        change.holds
    );
    assert_eq!(change.files[0].after.attributes(), Some((0o600, 0, 0)));

    let all = " --audit-log-maxage=1 --audit-log-maxbackup=1 --audit-log-maxsize=1 --audit-log-path=/l --audit-policy-file=/p";
    assert_eq!(op.change(&read(&op, &[], all)).unwrap(), NodeChange::default());
    let webhook = op.change(&read(&op, &[], " --audit-webhook-config-file=/w")).unwrap_err();
    assert!(webhook.0.contains("webhook"), "{webhook}");
    let none = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n";
    assert!(op.change(&read(&op, &[(POLICY, none)], "")).unwrap_err().0.contains("records nothing"));
    let mut hidden = fresh(&op.wants(), &[]);
    hidden.said(&op.facts(), 0, "end\n".to_owned());
    hidden.said(op.which.ready(), 0, "ok".to_owned());
    assert!(op.change(&hidden).unwrap_err().0.contains("cannot be seen"));
}

#[test]
fn rke2_has_a_key_for_the_audit_policy_and_gives_the_rest_itself() {
    let op = planned(&rke2(), RemedySpec::AuditPolicy {}).unwrap();
    let pod = |args: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n{args}"
        )
    };
    let main = "/etc/rancher/rke2/config.yaml";
    let bare = pod("");
    let change = op.change(&read(&op, &[(MANIFEST, &bare), (main, "cni: canal\n")], "")).unwrap();
    let files = contents(&change);
    assert_eq!(files[0].0, "/etc/rancher/rke2/audit-policy.yaml");
    assert_eq!(files[1], (main, "cni: canal\naudit-policy-file: /etc/rancher/rke2/audit-policy.yaml\n".to_owned()));
    let holds = change.holds.join("\n");
    assert!(
        holds.contains("runs kube-apiserver 10 '--audit-policy-file=/etc/rancher/rke2/audit-policy.yaml'"),
        "{holds}"
    );
    assert!(holds.contains("find /var/lib/rancher/rke2/server/logs/audit.log -newer"), "{holds}");
    // Its own flag alone: the log is what is missing.
    let with = pod("    - --audit-policy-file=/etc/rancher/rke2/own.yaml\n");
    let change = op.change(&read(&op, &[(MANIFEST, &with)], "")).unwrap();
    assert!(contents(&change)[0].1.starts_with("kube-apiserver-arg:\n- audit-log-path="), "{:?}", contents(&change));
    let named = [(MANIFEST, bare.as_str()), (main, "audit-policy-file: /p\n")];
    assert!(op.change(&read(&op, &named, "")).unwrap_err().0.contains("names an audit policy already"));
}

#[test]
fn the_kernel_is_looked_at_before_its_settings_are_protected() {
    let op = planned(&k3s("k3s.service"), kubelet("protectKernelDefaults", json!(true))).unwrap();
    let mut told = read(&op, &[], "");
    assert!(op.change(&told).unwrap_err().0.contains("were not read"));
    told.said(KERNEL, 0, "kernel/panic=10\n".to_owned());
    assert!(op.change(&told).unwrap_err().0.contains("kernel.panic=10"));
    told.said(KERNEL, 0, String::new());
    let change = op.change(&told).unwrap();
    assert_eq!(contents(&change), [("/etc/rancher/k3s/config.yaml", "protect-kernel-defaults: true\n".to_owned())]);
    assert!(change.holds[1].contains("--protect-kernel-defaults=true"), "{:?}", change.holds);
    assert!(change.restored[1].starts_with("! {"), "{:?}", change.restored);
}

#[test]
fn what_no_flag_sets_goes_into_the_folder_that_the_kubelet_reads() {
    let folder = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
    let mut node = k3s("k3s.service");
    let spec = || kubelet("featureGates.RotateKubeletServerCertificate", json!(true));
    assert!(plan_of(&node, spec()).is_err(), "it was not started with the folder");
    node.kubelet.process = process("/usr/local/bin/k3s", "k3s.service", &[&format!("--config-dir={folder}")]);
    let op = planned(&node, spec()).unwrap();
    let ours = format!("{folder}/90-sitewarden.conf");
    let change = op.change(&read(&op, &[], "")).unwrap();
    let text = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfeatureGates:\n  RotateKubeletServerCertificate: true\n";
    assert_eq!(contents(&change), [(ours.as_str(), text.to_owned())]);
    assert!(change.holds.contains(&format!("said k3s.service kubelet '--config-dir={folder}'")), "{:?}", change.holds);
    let later = format!("{folder}/95-last.conf");
    let refused = op.change(&read(&op, &[(&later, text)], "")).unwrap_err();
    assert!(refused.0.contains("comes after 90-sitewarden.conf"), "{refused}");
    let before = format!("{folder}/10-first.conf");
    assert!(op.change(&read(&op, &[(&before, text)], "")).is_ok());
    assert_eq!(op.change(&read(&op, &[(&ours, text)], "")).unwrap(), NodeChange::default());
}
