//! Secrets of a real cluster, encrypted in etcd and not.

use super::support::{Cluster, Node, change};
use sitewarden::assess::Verdict::{Fail, Pass};
use sitewarden::remedy::{Done, Told};
use sitewarden::store::Outcome;
use std::cell::RefCell;

const FOLDERS: &str = "/etc/kubernetes/manifests";
const CONFIG: &str = "/etc/kubernetes/enc/encryption.yaml";
const CONTROL: [&str; 1] = ["apiserver-encryption-at-rest"];
const KUBECTL: &str = "kubectl --kubeconfig /etc/kubernetes/admin.conf";

/// What etcd itself has of a Secret, as far as it is text.
fn in_etcd(node: &Node<'_>, name: &str) -> String {
    node.sh(&format!(
        "P=/etc/kubernetes/pki/etcd
crictl exec $(crictl ps -q --name '^etcd$') etcdctl --endpoints=https://127.0.0.1:2379 --cacert=$P/ca.crt --cert=$P/server.crt \
--key=$P/server.key get /registry/secrets/default/{name} --print-value-only | tr -cd '[:print:]'"
    ))
}

#[test]
fn secrets_are_encrypted_in_etcd_and_in_plain_text_again_by_undo() {
    let Some(cluster) = Cluster::up("secrets_are_encrypted_in_etcd") else { return };
    let node = cluster.node("node1");
    node.sh(&format!("{KUBECTL} create secret generic old --from-literal=word=hidden-word"));
    assert!(in_etcd(&node, "old").contains("hidden-word"));
    let before = node.picture(FOLDERS);
    assert_eq!(node.verdicts(&CONTROL), [Fail]);
    let prepared = node.prepare(node.offered(&CONTROL).unwrap(), None).unwrap();
    assert_eq!(prepared.to_be_typed(), Some("node1"), "a restart is confirmed by the node's name");
    assert_eq!(change(&prepared).files.len(), 1, "the key's file is none of those that are known here");
    let shown = format!("{:?}", prepared.steps());
    let said = RefCell::new(String::new());
    let ran = node.run(prepared, &|told| {
        if let Told::Done(Done::Ran { line, said: output, .. }) = told {
            said.borrow_mut().push_str(&format!("{line}\n{output}\n"));
        }
    });
    assert_eq!(ran.outcome, Outcome::Done, "{}\n{}", ran.note, said.borrow());
    assert_eq!(node.verdicts(&CONTROL), [Pass]);
    assert_eq!(node.sh(&format!("stat -c '%a %u %g' {CONFIG}")), "600 0 0\n");
    assert_eq!(node.snapshot(&format!("/var/lib/sitewarden/{}/etcd-snapshot.db", ran.entry)), "600 0 0");
    let key = node.sh(&format!("sed -n 's/.*secret: //p' {CONFIG}")).trim().to_owned();
    assert_eq!(key.len(), 44);
    let everything = format!("{shown}{}{}", said.borrow(), cluster.journal());
    assert!(everything.contains("key_there") && !everything.contains(&key), "the key stays on the node");
    assert!(!everything.contains("hidden-word") && !everything.contains("aGlkZGVuLXdvcmQ"));
    let kept = node.sh(&format!("grep -rlF '{key}' /var/lib/sitewarden /var/log --exclude=etcd-snapshot.db || true"));
    assert_eq!(kept, "", "nothing on the node but its own file has it");
    let sealed = in_etcd(&node, "old");
    assert!(sealed.starts_with("k8s:enc:secretbox:v1:key1:") && !sealed.contains("hidden-word"), "{sealed}");
    let word = format!("{KUBECTL} get secret old -o jsonpath='{{.data.word}}'");
    assert_eq!(node.sh(&word), "aGlkZGVuLXdvcmQ=");
    node.sh(&format!("{KUBECTL} create secret generic new --from-literal=word=hidden-word"));
    assert!(in_etcd(&node, "new").starts_with("k8s:enc:secretbox:"));
    let undone = node.undo(&ran.entry);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.verdicts(&CONTROL), [Fail]);
    assert_eq!(node.picture(FOLDERS), before);
    for name in ["old", "new"] {
        assert!(in_etcd(&node, name).contains("hidden-word"), "{name}");
    }
    assert_eq!(node.sh(&word), "aGlkZGVuLXdvcmQ=");
    assert_eq!(node.sh(&format!("stat -c '%a %u %g' {CONFIG}.away; ls {CONFIG} 2>/dev/null || true")), "600 0 0\n");
    node.sh(&format!("{KUBECTL} delete secret old new"));
    cluster.journal_is_whole();
}
