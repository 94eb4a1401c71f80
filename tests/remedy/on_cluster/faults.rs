//! Faults while a kubelet's setting is changed, and while the certificates of a control plane are renewed.

use super::support::Cluster;
use crate::faults::{Subject, Trial};
use crate::node::{Node, plan};
use sitewarden::catalog::RemedySpec;

const KUBELET: Subject = Subject {
    name: "kubelet-setting",
    plan: |node, seen| {
        let spec = RemedySpec::KubeletSetting { path: "podPidsLimit".to_owned(), value: 4096.into() };
        plan(node, spec, &[], seen).unwrap()
    },
    packages: false,
    delay: 25,
    picture: |node| node.picture("/var/lib/kubelet/config.yaml /etc/default/kubelet /etc/kubernetes"),
    made: "grep -qx 'podPidsLimit: 4096' /var/lib/kubelet/config.yaml && systemctl -q is-active kubelet",
    small: &[],
};

#[test]
fn whatever_happens_to_a_worker_its_kubelet_runs_and_nothing_is_half_done() {
    let Some(cluster) = Cluster::up("whatever_happens_to_a_worker") else { return };
    let mut trial = Trial::begin(Node::of_cluster(1), &KUBELET);
    trial.fault_at(1, "systemctl restart kubelet", "kill");
    trial.fault_at(1, "systemctl restart kubelet", "link");
    trial.power_at(1, "systemctl restart kubelet");
    let _node = trial.end(3);
    cluster.settle();
}

/// Everything of the control plane that a renewal could leave otherwise.
const CERTIFICATES: Subject = Subject {
    name: "certificate-renew",
    plan: |node, seen| plan(node, RemedySpec::CertificateRenew {}, &[], seen).unwrap(),
    packages: false,
    delay: 60,
    picture: |node| node.picture("/etc/kubernetes"),
    made: "KUBECONFIG=/etc/kubernetes/admin.conf kubectl get nodes",
    small: &[],
};

fn of_certificates(test: &str, faults: impl FnOnce(&mut Trial)) {
    let Some(cluster) = Cluster::up(test) else { return };
    let mut trial = Trial::begin(Node::of_cluster(0), &CERTIFICATES);
    faults(&mut trial);
    let _node = trial.end(1);
    let node = cluster.node("node1");
    node.sh("KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /readyz; KUBECONFIG=/etc/kubernetes/admin.conf kubectl get nodes");
    cluster.settle();
    for (port, file) in [(6443, "apiserver.crt"), (2379, "etcd/server.crt")] {
        assert_eq!(node.shown_at(port), node.sh(&format!("cat /etc/kubernetes/pki/{file}")), "{file}");
    }
}

#[test]
fn a_renewal_that_is_killed_between_two_pods_comes_back() {
    of_certificates("a_renewal_that_is_killed_between_two_pods", |trial| trial.fault_at(2, "crictl --timeout", "kill"));
}

#[test]
fn a_renewal_that_hangs_between_two_pods_comes_back() {
    of_certificates("a_renewal_that_hangs_between_two_pods", |trial| trial.fault_at(2, "crictl --timeout", "pause"));
}

/// What lies in etcd tells whether Secrets are encrypted there; the key stays, under another name.
const ENCRYPTION: Subject = Subject {
    name: "encryption-at-rest",
    plan: |node, seen| plan(node, RemedySpec::EncryptionAtRest {}, &[], seen).unwrap(),
    packages: false,
    delay: 90,
    picture: |node| format!("{}encrypted: {}", node.picture("/etc/kubernetes/manifests"), node.sh(SEALED)),
    made: "KUBECONFIG=/etc/kubernetes/admin.conf kubectl get secrets -A >/dev/null",
    small: &[],
};

/// How many Secrets are encrypted in etcd.
const SEALED: &str = "P=/etc/kubernetes/pki/etcd
crictl exec $(crictl ps -q --name '^etcd$') etcdctl --endpoints=https://127.0.0.1:2379 --cacert=$P/ca.crt --cert=$P/server.crt \
--key=$P/server.key get /registry/secrets/ --prefix --print-value-only | grep -ac '^k8s:enc:' || true";

#[test]
fn secrets_that_lost_power_while_they_were_encrypted_are_plain_again() {
    let Some(cluster) = Cluster::up("secrets_that_lost_power") else { return };
    let node = cluster.node("node1");
    let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
    node.sh(&format!("for n in 1 2 3; do {kubectl} create secret generic cut-$n --from-literal=word=hidden; done"));
    let mut trial = Trial::begin(Node::of_cluster(0), &ENCRYPTION);
    trial.power_at(1, "kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 60s replace");
    let _node = trial.end(1);
    cluster.settle();
    assert_eq!(node.sh(&format!("{kubectl} get secret cut-1 -o jsonpath='{{.data.word}}'")), "aGlkZGVu");
    node.sh(&format!("{kubectl} delete secret cut-1 cut-2 cut-3"));
}
