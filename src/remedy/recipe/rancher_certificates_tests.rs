//! When k3s and RKE2 renew by a restart, when by their own command, and when nothing is done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{evidence, fresh, node, process};
use super::*;
use crate::assess::{Finding, ItemVerdict};
use crate::catalog::Catalog;
use crate::evidence::{Listing, Reason};
use crate::remedy::change::State;
use crate::remedy::fresh::FreshFile;

const TLS: &str = "/var/lib/rancher/k3s/server/tls";

/// A certificate that ends so many days after the epoch, when the documents of these tests are from.
fn certificate(name: &str, days: i64, is_ca: bool) -> Certificate {
    let end = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days);
    Certificate {
        name: name.to_owned(),
        path: name.split('#').next().unwrap().to_owned(),
        role: "pki".to_owned(),
        subject: Fact::Unread,
        issuer: Fact::Unread,
        not_before: Fact::Known(Timestamp::UNIX_EPOCH - SignedDuration::from_hours(24 * 300)),
        not_after: Fact::Known(end),
        is_ca: Fact::Known(is_ca),
        key: Fact::Unread,
        signature: Fact::Unread,
        sha256: Fact::Unread,
        unread: None::<Reason>,
    }
}

fn k3s(unit: &str, certificates: Vec<Certificate>) -> NodeEvidence {
    let mut node = node(&[]);
    node.kubelet.process = process("/usr/local/bin/k3s", unit, &["server"]);
    node.kube_apiserver.exists = Fact::Known(unit == "k3s.service");
    node.certificates = Listing::whole(certificates);
    node
}

/// The plan where all of these certificates fail.
fn planned(node: &NodeEvidence) -> Result<(RancherCertificatesOp, Vec<String>), Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let mut finding = Finding::of(&catalog.controls[0], "node/n1", Verdict::Fail, "");
    finding.items = node
        .certificates
        .items
        .iter()
        .map(|one| ItemVerdict { name: one.name.clone(), verdict: Verdict::Fail, reason: None, evidence: Vec::new() })
        .collect();
    let evidence = evidence(node);
    let about = About { finding: &finding, evidence: &evidence, node: Some(node) };
    plan(Which::of(node).or_else(|| by_folder(&about, node)).unwrap(), &about)
}

/// What is read where all is well, and the version says this.
fn read(op: &RancherCertificatesOp, version: &str) -> Fresh {
    let mut read = fresh(&op.wants(), &[]);
    read.said(TIME, 0, "19700101T000000Z\n".to_owned());
    read.said(&op.version(), 0, version.to_owned());
    read.said(&op.loaded(), 0, "LoadState=loaded\nActiveState=active\n".to_owned());
    read.said(&op.can_rotate(), 0, String::new());
    read.said(&op.elsewhere(), 0, "end\n".to_owned());
    read.said(op.which.ready(), 0, "ok".to_owned());
    let path = op.which.kubeconfig();
    let state = State::File { sha256: String::new(), mode: 0o600, uid: 0, gid: 0 };
    let file = FreshFile { path: path.clone(), state: Some(state), trouble: None, contents: None, owner: None };
    read.found(&Want::Stat(path), file);
    read
}

const NEW: &str = "k3s version v1.33.1+k3s1 (99d91538)\ngo version go1.24.2\n";
const OLD: &str = "k3s version v1.33.0+k3s1 (63ab8e53)\n";

#[test]
fn what_ends_soon_is_renewed_by_a_restart_and_nothing_comes_back_later() {
    let admin = format!("{TLS}/client-admin.crt");
    let kubelet = "/var/lib/rancher/k3s/agent/client-kubelet.crt";
    let node = k3s("k3s.service", vec![certificate(&admin, 20, false), certificate(kubelet, 300, false)]);
    let (op, notes) = planned(&node).unwrap();
    assert!(notes.iter().any(|note| note.contains("servers first")), "{notes:?}");
    let change = op.change(&read(&op, OLD)).unwrap();
    assert_eq!(change.activate, ["systemctl restart k3s.service"]);
    let copies = "/var/lib/sitewarden/certificates-19700101T000000Z/old";
    let later = format!("ends_later {copies}{admin} {admin}");
    assert!(change.holds.contains(&later) && change.holds[0] == "unit_up k3s.service 10", "{:?}", change.holds);
    assert!(change.holds[1].contains("readyz"), "{:?}", change.holds);
    assert_eq!(
        change.deactivate,
        [
            "systemctl stop k3s.service".to_owned(),
            format!("rancher_from {copies}"),
            "systemctl reset-failed k3s.service 2>/dev/null; systemctl start k3s.service".to_owned(),
        ]
    );
    assert!(change.needs_tools() && change.no_undo);
    assert!(change.why.iter().any(|why| why.contains("within 90 days")), "{:?}", change.why);
    assert!(matches!(&change.validate[0], Validate::Line { line } if line.starts_with("rancher_signers ")));
}

#[test]
fn what_ends_later_is_taken_away_first_and_can_come_back() {
    let admin = format!("{TLS}/client-admin.crt");
    let node = k3s("k3s.service", vec![certificate(&admin, 100, false)]);
    let (op, _) = planned(&node).unwrap();
    assert_eq!(
        op.change(&read(&op, NEW)).unwrap().activate,
        ["systemctl restart k3s.service"],
        "120 days since 1.33.1"
    );
    for said in [OLD, "GNU bash, version 5.2.15\n"] {
        let change = op.change(&read(&op, said)).unwrap();
        assert_eq!(change.activate[0], "systemctl stop k3s.service");
        assert!(change.activate[1].ends_with("else k3s certificate rotate; fi"), "{:?}", change.activate);
        assert_eq!(change.activate[2], "systemctl start k3s.service");
        assert!(!change.no_undo);
        assert!(change.restored.iter().any(|line| line.starts_with("cmp -s ")), "{:?}", change.restored);
    }
    let mut without = read(&op, OLD);
    without.said(&op.can_rotate(), 3, String::new());
    assert!(op.change(&without).unwrap_err().0.contains("does not have it"));
}

#[test]
fn an_agent_is_restarted_whatever_the_day_and_has_no_api() {
    let path = "/var/lib/rancher/rke2/agent/client-kube-proxy.crt";
    let mut node = k3s("rke2-agent.service", vec![certificate(path, 200, false)]);
    node.kube_apiserver.exists = Fact::Known(false);
    let (op, _) = planned(&node).unwrap();
    let change = op.change(&read(&op, "rke2 version v1.33.1+rke2r1 (x)\n")).unwrap();
    assert_eq!(change.activate, ["systemctl restart rke2-agent.service"]);
    assert!(!change.holds.iter().any(|line| line.contains("readyz")), "{:?}", change.holds);
    assert!(!change.validate.iter().any(|one| matches!(one, Validate::Line { .. })), "an agent signs nothing");
}

#[test]
fn one_that_does_not_run_is_known_by_its_files_and_started() {
    let path = "/var/lib/rancher/rke2/server/tls/client-admin.crt";
    let mut node = k3s("k3s.service", vec![certificate(path, -3, false)]);
    node.kubelet.process = Fact::Unread;
    node.kube_apiserver.exists = Fact::Known(false);
    let (op, _) = planned(&node).unwrap();
    assert_eq!(op.unit, "rke2-server.service");
    let mut fresh = read(&op, "rke2 version v1.33.1+rke2r1 (x)\n");
    fresh.said(&op.loaded(), 0, "LoadState=loaded\nActiveState=failed\n".to_owned());
    let change = op.change(&fresh).unwrap();
    assert!(change.interrupts.iter().any(|said| said.contains("does not run now")), "{:?}", change.interrupts);
    assert_eq!(change.deactivate.len(), 2, "what did not run is not started on the way back: {:?}", change.deactivate);
    assert_eq!(change.restored, Vec::<String>::new());
    fresh.said(&op.loaded(), 0, "LoadState=not-found\nActiveState=inactive\n".to_owned());
    assert!(op.change(&fresh).unwrap_err().0.contains("no unit rke2-server.service"));
}

#[test]
fn a_supervisor_whose_certificate_ends_is_asked_for_a_new_one() {
    let admin = format!("{TLS}/client-admin.crt");
    let node = k3s("k3s.service", vec![certificate(&admin, 20, false)]);
    let (op, _) = planned(&node).unwrap();
    let key = openssl::pkey::PKey::from_ec_key(
        openssl::ec::EcKey::generate(
            &openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap(),
        )
        .unwrap(),
    )
    .unwrap();
    let told = |days: i64| {
        let mut cert = X509::builder().unwrap();
        cert.set_pubkey(&key).unwrap();
        cert.set_not_before(&Asn1Time::from_unix(-1000).unwrap()).unwrap();
        cert.set_not_after(&Asn1Time::from_unix(days * 86400).unwrap()).unwrap();
        cert.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        let pem = cert.build().to_pem().unwrap();
        let mut read = read(&op, OLD);
        read.said(&op.supervisor(), 0, openssl::base64::encode_block(&pem).replace('\n', ""));
        op.change(&read).unwrap().activate
    };
    for days in [-1, 20] {
        assert_eq!(told(days)[1], "k3s certificate rotate --service k3s-server", "{days}");
    }
    assert_eq!(told(200), ["systemctl restart k3s.service"]);
}

#[test]
fn what_they_do_not_renew_is_named_and_a_wrong_clock_or_folder_stops_it() {
    let ca = format!("{TLS}/server-ca.crt");
    let admin = format!("{TLS}/client-admin.crt");
    let refused = |certificates: Vec<Certificate>| planned(&k3s("k3s.service", certificates)).unwrap_err().0;
    assert!(refused(vec![certificate(&ca, 20, true)]).contains("k3s certificate rotate-ca"));
    let chained = format!("{admin}#2");
    assert!(refused(vec![certificate(&admin, 20, false), certificate(&chained, -1, true)]).contains("has ended"));
    assert!(refused(vec![certificate("/var/lib/rancher/k3s/server/tls/own.crt", 20, false)]).contains("renews none"));
    let mut early = certificate(&admin, 20, false);
    early.not_before = Fact::Known(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
    assert!(refused(vec![early]).contains("clock is wrong"));

    let node = k3s("k3s.service", vec![certificate(&admin, 20, false), certificate(&ca, 20, true)]);
    let (op, notes) = planned(&node).unwrap();
    assert!(notes.iter().any(|note| note.contains("are not renewed by it: ") && note.contains(&ca)), "{notes:?}");
    let mut elsewhere = read(&op, NEW);
    elsewhere.said(&op.elsewhere(), 0, "data-dir: /srv/k3s\nend\n".to_owned());
    assert!(op.change(&elsewhere).unwrap_err().0.contains("data-dir"));
    assert!(op.change(&fresh(&op.wants(), &[])).unwrap_err().0.contains("clock could not be read"));
    let mut hostile = read(&op, "k3s version v1.33.1\u{1b}[2J (x)\n");
    assert!(op.change(&hostile).unwrap().why.iter().all(|why| !why.contains('\u{1b}')));
    hostile.said(TIME, 0, "19700101T000000Z[$(reboot)]".to_owned());
    assert!(op.change(&hostile).unwrap_err().0.contains("clock could not be read"));

    let own = format!("{TLS}/kube-scheduler/kube-scheduler.crt");
    let (op, _) = planned(&k3s("k3s.service", vec![certificate(&own, 20, false)])).unwrap();
    assert!(op.change(&read(&op, OLD)).unwrap_err().0.contains("made by the component itself"));
    assert!(op.change(&read(&op, NEW)).is_ok());
}

#[test]
fn a_member_of_etcd_that_is_away_stops_it_and_a_snapshot_is_kept() {
    let admin = format!("{TLS}/client-admin.crt");
    let mut node = k3s("k3s.service", vec![certificate(&admin, 20, false)]);
    node.etcd.exists = Fact::Known(true);
    let (op, _) = planned(&node).unwrap();
    let mut fresh = read(&op, NEW);
    assert!(op.change(&fresh).unwrap_err().0.contains("could not be asked"));
    let line = op.members.as_ref().unwrap().line().to_owned();
    assert!(line.contains("http://127.0.0.1:2381/metrics"), "{line}");
    fresh.said(&line, 0, "etcd_server_has_leader 1\n".to_owned());
    let change = op.change(&fresh).unwrap();
    let what: Vec<_> = change.validate.iter().map(Validate::in_words).collect();
    assert!(what[0].contains("k3s etcd-snapshot save --dir"), "{what:?}");
    // Where etcd cannot be spoken to any more, nothing of the kind is asked for.
    node.certificates.items.push(certificate(&format!("{TLS}/etcd/server-client.crt"), -2, false));
    assert_eq!(planned(&node).unwrap().0.members, None);
}
