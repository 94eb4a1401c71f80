//! Flags of the real static pods of kubeadm.

use super::support::{Cluster, Node, change};
use sitewarden::assess::Verdict::{Fail, Pass};
use sitewarden::catalog::RemedySpec;
use sitewarden::remedy::{Done, Told};
use sitewarden::store::Outcome;
use std::cell::RefCell;

const FOLDERS: &str = "/etc/kubernetes/manifests";

const READY: &str = "KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /readyz";

fn flag(component: &str, flag: &str, value: &str) -> RemedySpec {
    RemedySpec::StaticPodFlag {
        component: component.to_owned(),
        flag: flag.to_owned(),
        value: Some(value.to_owned()),
        add: Vec::new(),
        without: Vec::new(),
    }
}

/// What the kubelet sees in its folder: everything without a leading dot.
fn visible(node: &Node<'_>) -> String {
    node.sh("ls /etc/kubernetes/manifests")
}

#[test]
fn flags_of_three_components_are_one_plan_and_come_back_by_undo() {
    let Some(cluster) = Cluster::up("flags_of_three_components_are_one_plan") else { return };
    let node = cluster.node("node1");
    let controls = [
        "apiserver-profiling-off",
        "apiserver-no-external-ips",
        "controller-manager-profiling-off",
        "scheduler-profiling-off",
    ];
    let before = node.picture(FOLDERS);
    let usual = visible(&node);
    assert_eq!(node.verdicts(&controls), [Fail; 4]);
    let prepared = node.prepare(node.offered(&controls).unwrap(), None).unwrap();
    assert_eq!(change(&prepared).files.len(), 3, "two flags of the API server are one edit");
    assert!(change(&prepared).interrupts.iter().any(|line| line.contains("the whole cluster has no API meanwhile")));
    let seen = RefCell::new(Vec::new());
    let ran = node.run(prepared, &|told| {
        if matches!(told, Told::Done(Done::Changed { .. })) {
            seen.borrow_mut().push(visible(&node));
        }
    });
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(*seen.borrow(), [usual.clone(), usual.clone(), usual], "no copy lies where the kubelet would read it");
    assert_eq!(node.verdicts(&controls), [Pass; 4]);
    let api = node.arguments("kube-apiserver");
    assert!(api.contains("--profiling=false\n"), "{api}");
    assert!(
        api.contains("--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs\n"),
        "what was on stays: {api}"
    );
    assert!(node.arguments("kube-scheduler").contains("--profiling=false\n"));
    assert!(node.arguments("kube-controller-manager").contains("--profiling=false\n"));
    node.sh(READY);
    let undone = node.undo(&ran.entry);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.verdicts(&controls), [Fail; 4]);
    assert_eq!(node.picture(FOLDERS), before);
    assert!(!node.arguments("kube-apiserver").contains("profiling"));
    node.sh(READY);
    cluster.journal_is_whole();
}

#[test]
fn a_flag_of_etcd_is_set_where_its_members_are_well() {
    let Some(cluster) = Cluster::up("a_flag_of_etcd_is_set_where_its_members_are_well") else { return };
    let node = cluster.node("node1");
    let before = node.picture(FOLDERS);
    let prepared = node.prepare(node.plan(flag("etcd", "snapshot-count", "9000")).unwrap(), None).unwrap();
    assert!(change(&prepared).interrupts.iter().any(|line| line.contains("this one member")));
    let told = prepared.steps().iter().any(|step| step.what.contains("/var/lib/sitewarden/ENTRY/etcd-snapshot.db"));
    assert!(told, "{:?}", prepared.steps());
    let said = RefCell::new(String::new());
    let kept = |told: Told| {
        if let Told::Done(Done::Ran { said: line, .. }) = told {
            said.borrow_mut().push_str(&line);
        }
    };
    let ran = node.run(prepared, &kept);
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    let path = format!("/var/lib/sitewarden/{}/etcd-snapshot.db", ran.entry);
    assert!(said.borrow().contains(&path), "{}", said.borrow());
    assert_eq!(node.snapshot(&path), "600 0 0", "whole, and of {path}");
    assert!(node.arguments("etcd").contains("--snapshot-count=9000\n"));
    let undone = node.undo(&ran.entry);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert!(node.arguments("etcd").contains("--snapshot-count=10000\n"));
    assert_eq!(node.picture(FOLDERS), before);
    let path = format!("/var/lib/sitewarden/{}/etcd-snapshot.db", undone.entry);
    assert_eq!(node.snapshot(&path), "600 0 0", "the way back touches etcd too");
    node.wait_for(READY);
}

#[test]
fn etcd_is_not_touched_where_no_snapshot_can_be_taken() {
    let Some(cluster) = Cluster::up("etcd_is_not_touched_where_no_snapshot_can_be_taken") else { return };
    let node = cluster.node("node1");
    let before = node.picture(FOLDERS);
    let plan = || node.plan(flag("etcd", "snapshot-count", "9000")).unwrap();
    // Nothing that could take it.
    node.sh("mv /usr/bin/crictl /usr/bin/crictl.away");
    let refused = node.prepare(plan(), None);
    node.sh("mv /usr/bin/crictl.away /usr/bin/crictl");
    assert!(refused.as_ref().unwrap_err().0.contains("no snapshot of etcd can be taken"), "{refused:?}");
    // The node's own etcdctl comes first, and it fails.
    node.sh(
        "printf '#!/bin/sh\necho no such luck\nexit 1\n' >/usr/local/bin/etcdctl; chmod 755 /usr/local/bin/etcdctl",
    );
    let prepared = node.prepare(plan(), None);
    let ran = prepared.map(|prepared| node.run(prepared, &|_| ()));
    node.sh("rm /usr/local/bin/etcdctl");
    let ran = ran.unwrap();
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    assert!(ran.note.contains("a snapshot of etcd could not be kept: no such luck"), "{}", ran.note);
    assert_eq!(node.picture(FOLDERS), before);
    node.wait_for(READY);
}

#[test]
fn a_flag_that_breaks_the_api_server_comes_back_by_itself() {
    let Some(cluster) = Cluster::up("a_flag_that_breaks_the_api_server_comes_back_by_itself") else { return };
    let node = cluster.node("node1");
    let before = node.picture(FOLDERS);
    let plan = node.plan(flag("kube-apiserver", "profiling", "perhaps")).unwrap();
    // By the switch, whose time is over before the check is: there is no API all the while.
    let ran = node.run(node.prepare(plan, Some(30)).unwrap(), &|_| ());
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(node.picture(FOLDERS), before);
    node.wait_for(READY);
    cluster.journal_is_whole();
}

#[test]
fn a_second_manifest_of_the_component_is_refused() {
    let Some(cluster) = Cluster::up("a_second_manifest_of_the_component_is_refused") else { return };
    let node = cluster.node("node1");
    // Of a node's own scheduler, which a kubelet without the API starts a second time: taken away at once.
    node.sh("sed 's/^  name: kube-scheduler$/  name: other/' /etc/kubernetes/manifests/kube-scheduler.yaml >/etc/kubernetes/manifests/old.bak");
    let refused = node.prepare(node.plan(flag("kube-scheduler", "profiling", "false")).unwrap(), None);
    node.sh("rm /etc/kubernetes/manifests/old.bak");
    let refused = refused.unwrap_err();
    assert!(refused.0.contains("/etc/kubernetes/manifests/old.bak is a manifest of kube-scheduler too"), "{refused}");
}
