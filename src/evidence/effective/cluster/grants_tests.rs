//! Who holds what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::listed::MOST;
use super::super::tests::tree;
use super::*;
use crate::evidence::cluster::sample::{cluster_binding, cluster_role, good, in_namespace};
use crate::evidence::{Listing, Reason, Unread};

fn grants(cluster: &ClusterEvidence, list: &str) -> Reading {
    tree(cluster).at(&format!("grants.{list}"))
}

/// Names of those that are not the platform's, whether more may be missing.
fn own(reading: &Reading) -> (Vec<String>, bool) {
    let Value::List { items, gap } = &reading.value else { panic!("{reading:?}") };
    let own = items.iter().filter(|item| item.child("system").value != Value::Bool(true));
    let name = |item: &Reading| match item.child("name").value {
        Value::Text(name) => name.to_string(),
        other => panic!("{other:?}"),
    };
    (own.map(name).collect(), gap.is_some())
}

fn with(role: (&str, &str, &str), bindings: Vec<Binding>) -> ClusterEvidence {
    let mut cluster = good();
    cluster.roles.items.push(cluster_role("own", role.0, role.1, role.2));
    cluster.bindings.items.extend(bindings);
    cluster
}

#[test]
fn a_holder_is_named_with_role_and_binding() {
    let cluster = with(("list", "core", "secrets"), vec![cluster_binding("b", "own", "Group", "ops")]);
    let found = grants(&cluster, "secret_readers");
    assert_eq!(own(&found), (vec!["Group ops (ClusterRoleBinding b)".to_owned()], false));
    let item = found.child("0");
    for (key, value) in [("subject", "ops"), ("subject_kind", "Group"), ("role", "ClusterRole own"), ("namespace", "")]
    {
        assert_eq!(item.child(key).value, Value::Text(value.into()), "{key}");
    }
    assert_eq!(item.child("wide").value, Value::Bool(true));
    // One grant is not told as another.
    assert!(own(&grants(&cluster, "token_makers")).0.is_empty());
}

#[test]
fn who_may_do_everything_holds_each_power() {
    let cluster = with(("*", "*", "*"), vec![cluster_binding("b", "own", "User", "mallory")]);
    for power in &POWERS {
        assert_eq!(own(&grants(&cluster, power.name)).0, ["User mallory (ClusterRoleBinding b)"], "{}", power.name);
    }
    // Of one namespace: what is in namespaces.
    let in_shop = in_namespace("shop", cluster_binding("b", "own", "User", "erin"));
    let cluster = with(("*", "*", "*"), vec![in_shop]);
    for power in POWERS.iter().skip(1) {
        let expected: &[&str] = if power.cluster_only { &[] } else { &["User erin (RoleBinding shop/b)"] };
        assert_eq!(own(&grants(&cluster, power.name)).0, expected, "{}", power.name);
    }
    assert!(own(&grants(&cluster, "cluster_admins")).0.is_empty(), "all of one namespace is not the cluster");
}

#[test]
fn a_power_over_single_names_is_told_with_them() {
    let mut cluster = with(("impersonate", "core", "groups"), vec![cluster_binding("b", "own", "User", "frank")]);
    if let Some(role) = cluster.roles.items.last_mut() {
        role.rules[0].resource_names = vec!["system:masters".to_owned()];
    }
    let named = "User frank (ClusterRoleBinding b) for groups system:masters";
    assert_eq!(own(&grants(&cluster, "escalators")).0, [named]);
}

#[test]
fn a_binding_in_a_namespace_reaches_no_further() {
    let everything = in_namespace("shop", cluster_binding("b", "cluster-admin", "User", "eve"));
    let nodes = in_namespace("kube-system", cluster_binding("c", "own", "User", "eve"));
    let cluster = with(("get", "core", "nodes/proxy"), vec![everything, nodes]);
    assert!(own(&grants(&cluster, "cluster_admins")).0.is_empty(), "all of one namespace is not the cluster");
    assert!(own(&grants(&cluster, "node_proxy_users")).0.is_empty(), "nodes are in no namespace");
    let system = in_namespace("kube-system", cluster_binding("b", "cluster-admin", "User", "eve"));
    let cluster = with(("get", "core", "pods"), vec![system]);
    assert_eq!(own(&grants(&cluster, "cluster_admins")).0.len(), 1, "all of kube-system is the cluster");
    let one = in_namespace("shop", cluster_binding("b", "own", "User", "eve"));
    let cluster = with(("get", "core", "secrets"), vec![one]);
    assert_eq!(grants(&cluster, "secret_readers").at("0.wide").value, Value::Bool(false));
}

#[test]
fn a_role_of_a_namespace_is_not_the_cluster_role_of_that_name() {
    let mut role = cluster_role("own", "get", "core", "secrets");
    role.namespace = "shop".to_owned();
    let mut cluster = good();
    cluster.roles.items.push(role);
    let mut binding = in_namespace("shop", cluster_binding("b", "own", "User", "eve"));
    cluster.bindings.items.push(binding.clone());
    assert!(own(&grants(&cluster, "secret_readers")).0.is_empty(), "there is no ClusterRole of that name");
    binding.role_kind = "Role".to_owned();
    cluster.bindings.items.push(binding);
    assert_eq!(own(&grants(&cluster, "secret_readers")).0.len(), 1);
}

#[test]
fn a_role_that_was_not_read_grants_nobody_knows_what() {
    let mut cluster = with(("get", "core", "pods"), vec![cluster_binding("b", "gone", "User", "eve")]);
    assert!(own(&grants(&cluster, "secret_readers")).0.is_empty(), "it does not exist, and grants nothing");
    cluster.roles.complete = false;
    cluster.unread.push(Unread { path: "roles".into(), reason: Reason::TooLarge, detail: String::new() });
    let found = grants(&cluster, "secret_readers");
    assert_eq!(own(&found), (vec!["User eve (ClusterRoleBinding b)".to_owned()], true));
    match found.at("0.system").value {
        Value::Unread(gap) => assert_eq!(gap.reason, Reason::TooLarge),
        other => panic!("{other:?}"),
    }
    // cluster-admin is what it is, read or not.
    cluster.roles = Listing::default();
    cluster.bindings.items.push(cluster_binding("c", "cluster-admin", "User", "eve"));
    assert_eq!(own(&grants(&cluster, "cluster_admins")), (vec!["User eve (ClusterRoleBinding c)".to_owned()], true));
    assert_eq!(own(&grants(&cluster, "secret_readers")), (vec!["User eve (ClusterRoleBinding c)".to_owned()], true));
}

#[test]
fn what_everybody_gets_is_told_apart_from_what_kubernetes_gives() {
    assert!(own(&grants(&good(), "grants_to_many")).0.is_empty());
    // A right that was added to a role of Kubernetes stays there, since only missing ones are put back.
    let mut cluster = good();
    cluster.roles.items[1].rules[0].resources = vec!["secrets".to_owned()];
    assert_eq!(own(&grants(&cluster, "grants_to_many")).0.len(), 1);
    for (kind, name) in
        [("Group", "system:unauthenticated"), ("User", "system:anonymous"), ("Group", "system:serviceaccounts")]
    {
        let cluster = with(("get", "core", "pods"), vec![cluster_binding("b", "own", kind, name)]);
        assert_eq!(own(&grants(&cluster, "grants_to_many")).0.len(), 1, "{name}");
    }
}

#[test]
fn a_subject_that_was_added_to_a_binding_of_kubernetes_is_found() {
    let mut cluster = good();
    let subject = Subject { kind: "User".into(), name: "mallory".into(), namespace: String::new() };
    cluster.bindings.items[0].subjects.push(subject);
    assert_eq!(own(&grants(&cluster, "cluster_admins")).0, ["User mallory (ClusterRoleBinding cluster-admin)"]);
}

#[test]
fn a_hundred_thousand_bindings_stay_within_bounds_and_hide_nobody() {
    let mut cluster = with(("get", "core", "secrets"), Vec::new());
    let binding = |number: usize| {
        let subject =
            if number.is_multiple_of(2) { format!("user-{number}") } else { "kube-system/kube-proxy".to_owned() };
        let kind = if number.is_multiple_of(2) { "User" } else { "ServiceAccount" };
        cluster_binding(&format!("b{number}"), "own", kind, &subject)
    };
    cluster.bindings.items.extend((0..100_000).map(binding));
    let tree = tree(&cluster);
    let (names, cut) = own(&tree.at("grants.secret_readers"));
    assert_eq!((names.len(), cut), (MOST, true));
    assert!(own(&tree.at("grants.cluster_admins")).0.is_empty());
}
