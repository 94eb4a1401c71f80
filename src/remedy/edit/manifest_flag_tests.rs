#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

const API_SERVER: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kube-apiserver.yaml");
const ETCD: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-etcd.yaml");

fn values(text: &str, container: &str, flag: &str) -> Vec<Option<String>> {
    flag_values(text, container, flag).unwrap()
}

fn one(value: &str) -> Vec<Option<String>> {
    vec![Some(value.to_owned())]
}

#[test]
fn a_flag_of_kubeadms_api_server_is_added_changed_and_taken_out() {
    let after = set_flag(API_SERVER, "kube-apiserver", "profiling", Some("false")).unwrap();
    let last = "    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key\n";
    assert_eq!(after, API_SERVER.replace(last, &format!("{last}    - --profiling=false\n")));
    assert_eq!(set_flag(&after, "kube-apiserver", "profiling", Some("false")).unwrap(), after);
    assert_eq!(remove_flag(&after, "kube-apiserver", "profiling").unwrap(), API_SERVER);

    let after = set_flag(API_SERVER, "kube-apiserver", "authorization-mode", Some("RBAC")).unwrap();
    assert_eq!(after, API_SERVER.replace("mode=Node,RBAC", "mode=RBAC"));
    let after = set_flag(API_SERVER, "kube-apiserver", "service-account-lookup", None).unwrap();
    assert_eq!(values(&after, "kube-apiserver", "service-account-lookup"), [None]);
    assert_eq!(values(API_SERVER, "kube-apiserver", "secure-port"), one("6443"));
    assert_eq!(values(API_SERVER, "kube-apiserver", "no-such"), []);
    let after = set_flag(ETCD, "etcd", "auto-tls", Some("false")).unwrap();
    assert_eq!(after.lines().count(), ETCD.lines().count() + 1);
    let odd = set_flag(API_SERVER, "kube-apiserver", "x", Some("a: b # {c}")).unwrap();
    assert!(odd.contains("    - \"--x=a: b # {c}\"\n"), "{odd}");
}

fn pod(lists: &str) -> String {
    format!("kind: Pod\nspec:\n  containers:\n  - name: c\n{lists}    image: i\n")
}

#[test]
fn every_form_of_a_flag_is_found_and_becomes_one() {
    let text = pod(
        "    command: # why\n      - /bin/etcd\n      - \"--a=1\"  # quoted\n      - --b\n      - --a\n      - '2'\n      # note\n      - -a=3\n",
    );
    assert_eq!(values(&text, "c", "a"), ["1", "2", "3"].map(|value| Some(value.to_owned())));
    assert_eq!(values(&text, "c", "b"), [None]);
    let after = set_flag(&text, "c", "a", Some("9")).unwrap();
    let want = pod("    command: # why\n      - /bin/etcd\n      - \"--a=9\"  # quoted\n      - --b\n      # note\n");
    assert_eq!(after, want);
    let after = set_flag(&text, "c", "b", Some("false")).unwrap();
    assert_eq!(after, text.replace("- --b\n", "- --b=false\n"));
    let gone = remove_flag(&text, "c", "a").unwrap();
    assert_eq!(values(&gone, "c", "a"), []);
    assert_eq!(values(&pod("    command: [p, --tls_key=1]\n"), "c", "tls-key"), one("1"));
}

#[test]
fn a_new_flag_goes_where_the_others_are() {
    let args = pod("    command:\n    - p\n    args:\n    - --a=1\n");
    assert_eq!(set_flag(&args, "c", "b", Some("2")).unwrap(), args.replace("--a=1\n", "--a=1\n    - --b=2\n"));
    let brackets = pod("    args: [--a=1, \"x,y\"]\n");
    assert!(set_flag(&brackets, "c", "b", Some("2,3")).unwrap().contains("args: [--a=1, \"x,y\", \"--b=2,3\"]\n"));
    let alone = pod("    command:\n    - p\n");
    assert!(set_flag(&alone, "c", "b", Some("2")).unwrap().contains("    - p\n    - --b=2\n"));
    let windows = API_SERVER.replace('\n', "\r\n");
    let after = set_flag(&windows, "kube-apiserver", "profiling", Some("false")).unwrap();
    assert_eq!(after.matches("\r\n").count(), after.matches('\n').count());
}

#[test]
fn what_is_no_plain_command_line_is_left_alone() {
    for (text, word) in [
        (pod("    command: [/bin/sh, -c, \"exec p --a=1\"]\n"), "script"),
        (pod("    command: [p, --, --a=1]\n"), "ends the flags"),
        (pod("    command: [p, --a]\n    args: [x]\n"), "at the end of"),
        (pod(""), "no command"),
        (pod("    command: p --a=1\n"), "a list should"),
        (pod("    command: [p, --x]\n").replace("name: c", "name: d"), "no container"),
        (pod("    command: [p, --x]\n").replace("Pod", "Deployment"), "no manifest"),
        (format!("{API_SERVER}---\n{API_SERVER}"), ""),
    ] {
        let error = set_flag(&text, "c", "a", Some("2")).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("put --a=2 into the command of c by hand"), "{error}");
    }
    // The word behind would become the flag's value.
    assert!(set_flag(&pod("    command: [p, --a=1, word]\n"), "c", "a", None).is_err());
}
