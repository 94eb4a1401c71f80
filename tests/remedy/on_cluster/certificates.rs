//! The certificates of a real kubeadm control plane.

use super::support::{Cluster, Node, change};
use sitewarden::assess::Verdict::{Fail, Pass};
use sitewarden::catalog::RemedySpec;
use sitewarden::store::Outcome;

const READY: &str = "KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /readyz";

const SOON: [&str; 1] = ["certificates-not-expiring-soon"];

/// Bytes, mode and owner of everything that is renewed.
const CERTIFICATES: &str = "find /etc/kubernetes -type f -not -path '*/manifests/*' -exec sh -c 'stat -c \"%n %a %u %g\" \"$1\"; sha256sum <\"$1\"' - {} \\; | sort";

/// Certificates that end in ten days, as kubeadm makes them when it is told so.
fn ending_soon(node: &Node<'_>) {
    node.sh(
        "sed 's/^kind: ClusterConfiguration$/&\\ncertificateValidityPeriod: 240h/' /root/kubeadm.yaml >/root/short.yaml
kubeadm certs renew all --config /root/short.yaml; rm /root/short.yaml",
    );
}

/// The ports show what lies in the files: the components have read it.
fn serves_what_lies_there(node: &Node<'_>) {
    for (port, file) in [(6443, "apiserver.crt"), (2379, "etcd/server.crt")] {
        assert_eq!(node.shown_at(port), node.sh(&format!("cat /etc/kubernetes/pki/{file}")), "{file}");
    }
}

#[test]
fn certificates_that_end_soon_are_renewed_and_the_old_ones_are_kept() {
    let Some(cluster) = Cluster::up("certificates_that_end_soon_are_renewed") else { return };
    let node = cluster.node("node1");
    ending_soon(&node);
    assert_eq!(node.verdicts(&SOON), [Fail]);
    let before = node.sh(CERTIFICATES);
    let prepared = node.prepare(node.offered(&SOON).unwrap(), None).unwrap();
    assert_eq!(prepared.to_be_typed(), Some("node1"), "a restart is confirmed by the node's name");
    assert!(change(&prepared).activate.iter().any(|line| line.contains("kubeadm certs renew all")));
    let copies = prepared.steps().iter().find_map(|step| {
        let (_, rest) = step.what.split_once("(/var/lib/sitewarden/certificates-")?;
        Some(format!("/var/lib/sitewarden/certificates-{}", rest.split(')').next()?))
    });
    let copies = copies.unwrap();
    let ran = node.run(prepared, &|_| ());
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdicts(&SOON), [Pass]);
    assert_eq!(node.sh(&format!("stat -c '%a %u %g' {copies}")), "700 0 0\n");
    assert_eq!(node.snapshot(&format!("/var/lib/sitewarden/{}/etcd-snapshot.db", ran.entry)), "600 0 0");
    node.wait_for(READY);
    serves_what_lies_there(&node);
    let back = node.prepare_undo(&ran.entry);
    assert!(change(&back).activate.iter().any(|line| line.contains(&copies)), "{:?}", change(&back).activate);
    let back = node.run(back, &|_| ());
    assert_eq!(back.outcome, Outcome::Done, "{}", back.note);
    assert_eq!(node.verdicts(&SOON), [Fail]);
    assert_eq!(node.sh(CERTIFICATES), before);
    node.wait_for(READY);
    serves_what_lies_there(&node);
    cluster.journal_is_whole();
}

#[test]
fn what_kubeadm_cannot_renew_is_refused() {
    let Some(cluster) = Cluster::up("what_kubeadm_cannot_renew_is_refused") else { return };
    let node = cluster.node("node1");
    let plan = || node.plan(RemedySpec::CertificateRenew {}).unwrap();
    let without = |path: &str| {
        node.sh(&format!("mv {path} /root/away"));
        let refused = node.prepare(plan(), None);
        node.sh(&format!("mv /root/away {path}"));
        refused.unwrap_err().0
    };
    let refused = without("/etc/kubernetes/pki/front-proxy-ca.key");
    assert!(refused.contains("front-proxy-ca.key is not there, so the certificates are signed elsewhere"), "{refused}");
    let refused = without("/usr/bin/kubeadm");
    assert!(refused.contains("kubeadm is not there"), "{refused}");
    let worker = cluster.node("node2").plan(RemedySpec::CertificateRenew {}).unwrap_err();
    assert!(worker.0.contains("no API server of kubeadm runs there"), "{worker}");
}
