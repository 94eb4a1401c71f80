//! When certificates are renewed, and when somebody else has to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{evidence, fresh, node, pod};
use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;

fn planned(node: &NodeEvidence) -> Result<Renewal, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let finding = Finding::of(&catalog.controls[0], "node/n1", Verdict::Fail, "");
    plan(&About { finding: &finding, evidence: &evidence(node), node: Some(node) })
}

fn control_plane() -> NodeEvidence {
    let mut node = node(&[]);
    node.kube_apiserver.static_pod =
        pod("kube-apiserver", &["kube-apiserver", "--tls-cert-file=/etc/kubernetes/pki/apiserver.crt"]);
    node
}

#[test]
fn a_worker_and_certificates_elsewhere_are_refused() {
    assert!(planned(&node(&[])).unwrap_err().0.contains("no API server of kubeadm"));
    let mut elsewhere = control_plane();
    elsewhere.kube_apiserver.static_pod =
        pod("kube-apiserver", &["kube-apiserver", "--tls-cert-file=/etc/own/api.crt"]);
    assert!(planned(&elsewhere).unwrap_err().0.contains("not in /etc/kubernetes/pki/"));
}

#[test]
fn without_kubeadm_or_the_key_of_the_ca_nothing_is_done() {
    let Ok(Renewal::Kubeadm(op, _)) = planned(&control_plane()) else { panic!() };
    let mut read = fresh(&op.wants(), &[]);
    assert!(op.change(&read).unwrap_err().0.contains("kubeadm is not there"));
    read.said(KUBEADM, 0, "/usr/bin/kubeadm\n".to_owned());
    assert!(op.change(&read).unwrap_err().0.contains("/etc/kubernetes/pki/ca.key is not there"));
}
