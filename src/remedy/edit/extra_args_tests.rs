//! `extraArgs` as kubeadm writes them, and as a person might have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const PATH: [&str; 2] = ["apiServer", "extraArgs"];
const EMPTY: &str =
    "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\netcd:\n  local:\n    dataDir: /var/lib/etcd\nscheduler: {}\n";
const LISTED: &str = "apiServer:\n  # ours\n  extraArgs:\n  - name: profiling # why\n    value: \"true\"\n  - name: authorization-mode\n    value: Node,RBAC\n  timeoutForControlPlane: 4m0s\netcd: {}\n";

fn set(text: &str, name: &str, value: Option<&str>) -> String {
    let new = set_extra_arg(text, &PATH, name, value).unwrap();
    assert_eq!(extra_arg(&new, &PATH, name).unwrap().as_deref(), value);
    assert_eq!(set_extra_arg(&new, &PATH, name, value).unwrap(), new, "twice");
    new
}

#[test]
fn a_list_is_made_in_the_form_of_the_text_and_goes_again() {
    let with = set(EMPTY, "profiling", Some("false"));
    assert_eq!(
        with,
        EMPTY.replace("apiServer: {}", "apiServer:\n  extraArgs:\n  - name: profiling\n    value: \"false\"")
    );
    assert_eq!(set(&with, "profiling", None), EMPTY);
    let made = set_extra_arg(EMPTY, &["etcd", "local", "extraArgs"], "client-cert-auth", Some("true")).unwrap();
    assert_eq!(
        made,
        EMPTY.replace("lib/etcd\n", "lib/etcd\n    extraArgs:\n    - name: client-cert-auth\n      value: \"true\"\n")
    );
    for text in [
        "x: 1\n",
        "apiServer:\n",
        "apiServer: null\n",
        "apiServer: {extraArgs: []}\n",
        "apiServer:\n  extraArgs:\n",
        "{\"apiServer\": {}}",
    ] {
        set(text, "profiling", Some("false"));
    }
}

#[test]
fn one_flag_changes_and_nothing_else() {
    assert_eq!(set(LISTED, "profiling", Some("false")), LISTED.replace("\"true\"", "\"false\""));
    assert_eq!(
        set(LISTED, "anonymous-auth", Some("false")),
        LISTED.replace("Node,RBAC\n", "Node,RBAC\n  - name: anonymous-auth\n    value: \"false\"\n")
    );
    assert_eq!(
        set(LISTED, "authorization-mode", None),
        LISTED.replace("  - name: authorization-mode\n    value: Node,RBAC\n", "")
    );
    assert_eq!(set(LISTED, "audit-log-maxage", None), LISTED);
    let flow = "apiServer: {extraArgs: [{name: a, value: x}, {name: b, value: z}]}\n";
    assert_eq!(set(flow, "a", None), "apiServer: {extraArgs: [{name: b, value: z}]}\n");
    assert_eq!(set(flow, "b", None), "apiServer: {extraArgs: [{name: a, value: x}]}\n");
    assert!(set(flow, "c", Some("1")).contains(", {name: b, value: z}, {name: c, value: \"1\"}]"));
}

#[test]
fn what_is_not_surely_understood_is_left_alone() {
    for text in [
        "apiServer: x\n",
        "apiServer:\n  extraArgs:\n    profiling: \"false\"\n",
        "apiServer:\n  extraArgs:\n  - profiling\n",
        "apiServer:\n  extraArgs:\n  - name: profiling\n",
        "apiServer:\n  extraArgs:\n  - name: profiling\n    value: true\n",
        "apiServer:\n  extraArgs:\n  - {name: profiling, value: a}\n  - {name: profiling, value: b}\n",
        "apiServer:\n  extraArgs: &a []\n",
    ] {
        assert!(set_extra_arg(text, &PATH, "profiling", Some("false")).is_err(), "{text}");
    }
}
