//! What a plan for encryption says and does, and when there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{evidence, fresh, node, pod};
use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;
use crate::evidence::Fact;
use crate::remedy::fresh::FreshFile;

const API: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kube-apiserver.yaml");
const API_PATH: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const ETCD: &str = "kind: Pod\nspec:\n  containers:\n  - name: etcd\n    command:\n    - etcd\n    - --data-dir=/var/lib/etcd\n    - \
                    --listen-client-urls=https://127.0.0.1:2379\n    - --cert-file=/etc/kubernetes/pki/etcd/server.crt\n";

fn op(with_etcd: bool) -> Result<EncryptionOp, Refusal> {
    let mut node = node(&[]);
    node.kube_apiserver.static_pod = pod(API_SERVER, &[API_SERVER]);
    if with_etcd {
        node.etcd.static_pod = pod("etcd", &["etcd"]);
    } else {
        node.etcd.static_pod = Fact::Absent;
    }
    let catalog = Catalog::embedded().unwrap();
    let finding = Finding::of(&catalog.controls[0], "node/n1", Verdict::Fail, "");
    plan(&About { finding: &finding, evidence: &evidence(&node), node: Some(&node) }).map(|(op, _)| op)
}

fn changed(api: &str, servers: &str, config: State) -> Result<NodeChange, Refusal> {
    let op = op(true).unwrap();
    let mut fresh = fresh(&op.wants(), &[(API_PATH, api), ("/etc/kubernetes/manifests/etcd.yaml", ETCD)]);
    fresh.said(SERVERS, 0, servers.to_owned());
    fresh.said(etcd::CAN_KEEP, 0, String::new());
    let file = FreshFile { path: CONFIG.to_owned(), state: Some(config), trouble: None, contents: None, owner: None };
    fresh.found(&Want::Stat(CONFIG.to_owned()), file);
    op.change(&fresh)
}

#[test]
fn the_key_is_made_on_the_node_and_secrets_are_plain_before_it_goes() {
    let change = changed(API, "1 1\n", State::Absent).unwrap();
    let paths: Vec<&str> = change.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [API_PATH], "no byte of the key's file comes from here");
    let text = String::from_utf8(change.files[0].contents.clone().unwrap()).unwrap();
    assert!(text.contains(&format!("--{FLAG}={CONFIG}\n")) && text.contains(&format!("- mountPath: {CONFIG}\n")));
    assert_eq!(change.before_change.last().unwrap(), &format!("key_there {CONFIG}"));
    assert!(
        change.before_back[0].starts_with("secrets_plain ") && change.activate[0].starts_with("secrets_by secretbox ")
    );
    assert!(change.needs_tools());
    assert!(matches!(change.validate[..], [crate::remedy::Validate::Keep { .. }]), "a snapshot comes first");
    let line = change.activate[0].replace(['\'', '"'], "");
    assert!(
        line.contains("--endpoints=https://127.0.0.1:2379 --cert=/etc/kubernetes/pki/etcd/server.crt /registry runs ")
    );
}

#[test]
fn where_a_key_could_be_missing_or_lost_nothing_is_done() {
    let refused = |api: &str, servers: &str, config: State| changed(api, servers, config).unwrap_err().0;
    assert!(refused(API, "3 3", State::Absent).contains("the same key"));
    assert!(refused(API, "1 2", State::Absent).contains("the same key"));
    for said in ["", "0 0", "1 0", "x"] {
        assert!(refused(API, said, State::Absent).contains("could not be asked"), "{said}");
    }
    let there = State::File { sha256: String::new(), mode: 0o600, uid: 0, gid: 0 };
    assert!(refused(API, "1 1", there).contains("is there already"));
    let given = API.replace("    - --secure", &format!("    - --{FLAG}=/x.yaml\n    - --secure"));
    assert!(refused(&given, "1 1", State::Absent).contains("given already"));
    assert!(op(false).unwrap_err().0.contains("no static pod of this node"));
}
