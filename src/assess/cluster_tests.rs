//! The controls of the cluster: for each, evidence that makes it pass, evidence that makes it fail, and evidence that was
//! withheld, which never lets it pass or go away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::cluster_cases::{CASES, azure_local};
use super::*;
use crate::evidence::cluster::sample::*;
use crate::evidence::cluster::*;
use crate::evidence::{Fact, Listing, Profile};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::LazyLock;

const FILES: [(&str, &str); 3] = [
    ("patches-cluster.yaml", include_str!("../../assets/catalog/patches-cluster.yaml")),
    ("node-protection-workloads.yaml", include_str!("../../assets/catalog/node-protection-workloads.yaml")),
    ("node-access-rbac.yaml", include_str!("../../assets/catalog/node-access-rbac.yaml")),
];

pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let files: Vec<_> = FILES.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect();
    Catalog::of_files(&files).unwrap_or_else(|errors| panic!("{errors:?}"))
});

pub(super) static LIFECYCLE: LazyLock<Lifecycle> = LazyLock::new(|| Lifecycle::embedded().unwrap());

fn run_of(cluster: ClusterEvidence, controls: Vec<String>) -> Assessment {
    let policy = Policy { profile: Profile::Cis, controls, ..Policy::default() };
    let now = NOW.parse().unwrap();
    assess(&document(cluster), &CATALOG, &LIFECYCLE, &policy, now)
}

pub(super) fn run(cluster: ClusterEvidence) -> Assessment {
    run_of(cluster, Vec::new())
}

/// What one control says of a cluster.
pub(super) fn finding(id: &str, cluster: ClusterEvidence) -> Finding {
    let findings = run_of(cluster, vec![id.to_owned()]).findings;
    findings.into_iter().next().unwrap_or_else(|| panic!("no finding of {id}"))
}

/// Controls whose failing has a test of its own, and those that can only pass or be unknown.
const OTHERS: [&str; 3] = ["caller-not-masters", "control-plane-visible", "windows-nodes-updated"];

/// The evidence with one part withheld, as from somebody who may not read it.
fn forbidden(cluster: ClusterEvidence, path: &str) -> ClusterEvidence {
    let mut json = serde_json::to_value(&cluster).unwrap();
    let (last, above) =
        path.split('.').collect::<Vec<_>>().split_last().map(|(l, a)| ((*l).to_owned(), a.to_vec())).unwrap();
    let above = above.iter().fold(&mut json, |json, key| &mut json[*key]);
    above.as_object_mut().unwrap().remove(&last);
    let mut cluster: ClusterEvidence = serde_json::from_value(json).unwrap();
    let detail = "this account may not read it".to_owned();
    cluster.unread.push(Unread { path: path.to_owned(), reason: Reason::Forbidden, detail });
    cluster
}

#[test]
fn every_control_of_these_files_is_tried() {
    for control in CATALOG.controls.iter() {
        let manual = control.expect.is_none();
        let tried = CASES.iter().any(|case| case.id == control.id) || OTHERS.contains(&control.id.as_str());
        assert!(manual || tried, "{} has no case", control.id);
        assert!(control.title.chars().count() <= 60, "the title of {} is long", control.id);
        assert_eq!(control.scope, ControlScope::Cluster, "{}", control.id);
    }
}

#[test]
fn a_good_cluster_fails_nothing() {
    for base in [good, azure_local] {
        for finding in run(base()).findings {
            assert_ne!(finding.verdict, Verdict::Fail, "{}: {}", finding.control, finding.message);
        }
    }
}

#[test]
fn each_control_passes_fails_and_names_what_it_fails_for() {
    for case in &CASES {
        let before = finding(case.id, (case.base)());
        assert_eq!(before.verdict, Verdict::Pass, "{}: {}", case.id, before.message);
        let mut cluster = (case.base)();
        (case.fails)(&mut cluster);
        let after = finding(case.id, cluster);
        assert_eq!(after.verdict, Verdict::Fail, "{}: {}", case.id, after.message);
        let told = format!("{} {:?}", after.message, after.evidence);
        assert!(told.contains(case.names), "{}: {told}", case.id);
    }
}

#[test]
fn what_is_forbidden_leaves_a_control_open_with_that_reason() {
    for case in &CASES {
        let found = finding(case.id, forbidden((case.base)(), case.forbid));
        assert_eq!(found.verdict, Verdict::Unknown, "{}: {}", case.id, found.message);
        assert_eq!(found.reason, Some(Reason::Forbidden), "{}: {}", case.id, found.message);
        assert!(found.message.contains("this account may not read it"), "{}: {}", case.id, found.message);
    }
}

#[test]
fn withholding_anything_turns_no_failure_into_a_pass() {
    let parts = [
        "version",
        "server",
        "clock",
        "caller",
        "nodes",
        "namespaces",
        "pods",
        "workloads",
        "services",
        "endpoint_slices",
        "roles",
        "service_accounts",
        "bindings",
        "network_policies",
        "signing_requests",
        "admission",
        "custom_resources",
        "csi_drivers",
        "kubeadm_config",
        "aksedge_config",
        "ready_checks",
        "arc",
        "arc.extensions",
        "azure",
    ];
    for case in &CASES {
        let mut cluster = (case.base)();
        (case.fails)(&mut cluster);
        for part in parts {
            let found = finding(case.id, forbidden(cluster.clone(), part));
            let open = matches!(found.verdict, Verdict::Fail | Verdict::Unknown);
            assert!(open, "{} without {part}: {:?}, {}", case.id, found.verdict, found.message);
        }
    }
}

#[test]
fn a_list_that_was_cut_is_no_pass() {
    for case in &CASES {
        let mut json = serde_json::to_value((case.base)()).unwrap();
        let list = case.forbid.split('.').fold(&mut json, |json, key| &mut json[key]);
        if list.get("complete").is_none() {
            continue;
        }
        list["complete"] = false.into();
        let mut cluster: ClusterEvidence = serde_json::from_value(json).unwrap();
        let gap = Unread { path: case.forbid.to_owned(), reason: Reason::TooLarge, detail: "it was cut".to_owned() };
        cluster.unread.push(gap);
        let found = finding(case.id, cluster);
        // What was seen may decide alone: the plugin, the vault, the sensor, the policy, the account that is there.
        let seen = [
            "network-plugin-enforces",
            "secrets-from-vault",
            "defender-for-containers",
            "namespaces-network-policies",
            "default-accounts-no-token",
        ]
        .contains(&case.id);
        let expected = if seen { Verdict::Pass } else { Verdict::Unknown };
        assert_eq!(found.verdict, expected, "{}: {}", case.id, found.message);
    }
}

#[test]
fn where_nothing_was_read_every_control_is_unknown_or_asks_a_person() {
    let mut reached = ClusterEvidence::unread("c", Reason::Timeout, "it took too long");
    (reached.reached, reached.complete) = (true, false);
    let bare = ClusterEvidence { reached: true, ..ClusterEvidence::default() };
    for cluster in [ClusterEvidence::unread("c", Reason::Unreachable, "nothing answers"), reached, bare] {
        for found in run(cluster).findings {
            let open = matches!(found.verdict, Verdict::Unknown | Verdict::Manual);
            assert!(open, "{} says {:?}: {}", found.control, found.verdict, found.message);
        }
    }
}

/// Puts texts from `words` in place of the evidence's own, in turn; times stay, since a document with others is none.
fn replace(json: &mut serde_json::Value, words: &[String], turn: &mut usize) {
    match json {
        serde_json::Value::String(text) if text.parse::<Timestamp>().is_err() => {
            *turn += 1;
            if let Some(word) = words.get(*turn % (words.len() * 2)) {
                *text = word.clone();
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| replace(item, words, turn)),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(|entry| replace(entry, words, turn)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever a cluster calls its things, it is judged: no panic, every control, no control character in a message.
    #[test]
    fn a_hostile_cluster_is_judged_like_any_other(
        words in prop::collection::vec(prop_oneof![
            any::<String>(),
            Just("v99999999999999999999.1".to_owned()),
            Just("10.0.-1.99999999999999999999".to_owned()),
            Just("containerd://".to_owned()),
            Just("\u{1b}[2J\u{202e}".to_owned()),
            Just("*".to_owned()),
            Just("system:".to_owned()),
            Just("k".repeat(300)),
        ], 1..9),
        turn in 0_usize..16,
    ) {
        let mut json = serde_json::to_value(good()).unwrap();
        let mut turn = turn;
        replace(&mut json, &words, &mut turn);
        let cluster: ClusterEvidence = serde_json::from_value(json).unwrap();
        let asked = CATALOG.controls.len();
        let findings = run(cluster).findings;
        prop_assert_eq!(findings.len(), asked);
        for found in findings {
            prop_assert!(!found.message.chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", found.message);
        }
    }
}

#[test]
fn the_emergency_certificate_is_told() {
    let mut cluster = good();
    if let Fact::Known(caller) = &mut cluster.caller {
        caller.groups.push("system:masters".to_owned());
    }
    assert_eq!(finding("caller-not-masters", cluster).verdict, Verdict::Fail);
    assert_eq!(finding("caller-not-masters", good()).verdict, Verdict::Pass);
    assert_eq!(finding("caller-not-masters", forbidden(good(), "caller")).reason, Some(Reason::Forbidden));
}

#[test]
fn a_control_plane_out_of_sight_is_unknown_with_the_reason() {
    assert_eq!(finding("control-plane-visible", good()).verdict, Verdict::Pass);
    for (platform, word) in [("eks", "provider"), ("k3s", "--node"), ("generic", "--node")] {
        let mut cluster = good();
        cluster.pods.items.retain(|pod| !pod.mirror);
        cluster.platform_said = Some(platform.to_owned());
        let found = finding("control-plane-visible", cluster.clone());
        assert_eq!((found.verdict, found.reason), (Verdict::Unknown, Some(Reason::NotVisible)), "{platform}");
        assert!(found.message.contains(word), "{platform}: {}", found.message);
        let skew = finding("control-plane-within-skew", cluster.clone());
        assert_eq!((skew.verdict, skew.reason), (Verdict::Unknown, Some(Reason::NotVisible)), "{platform}");
        let encrypted = finding("secrets-encrypted-at-rest", cluster);
        assert_eq!((encrypted.verdict, encrypted.reason), (Verdict::Unknown, Some(Reason::NotVisible)), "{platform}");
    }
}

#[test]
fn patches_of_windows_are_unknown_and_without_such_nodes_none_are_asked() {
    let found = finding("windows-nodes-updated", good());
    assert_eq!((found.verdict, found.reason), (Verdict::Unknown, Some(Reason::NotVisible)));
    assert!(found.items.iter().any(|item| item.name == "win1"));
    let mut cluster = good();
    cluster.nodes.items.pop();
    for id in ["windows-nodes-updated", "windows-nodes-in-support"] {
        assert_eq!(finding(id, cluster.clone()).verdict, Verdict::NotApplicable, "{id}");
        let unknown = finding(id, forbidden(cluster.clone(), "nodes"));
        assert_eq!(unknown.verdict, Verdict::Unknown, "{id}");
    }
    cluster.nodes.items[0].operating_system = Fact::Unread;
    assert_eq!(finding("windows-nodes-in-support", cluster).verdict, Verdict::Unknown, "it may be a Windows node");
}

#[test]
fn without_azure_arc_nothing_is_asked_of_it() {
    let mut cluster = good();
    cluster.arc.connected = Fact::Known(false);
    for found in run(cluster).findings {
        if found.control.starts_with("arc-") || found.control.starts_with("extensions-") {
            assert_eq!(found.verdict, Verdict::NotApplicable, "{}", found.control);
        }
    }
}

#[test]
fn a_fresh_kubeadm_cluster_is_not_drowned() {
    // As kubeadm leaves it: no workloads, no policies, no Arc, the administrator's own group bound.
    let mut cluster = good();
    cluster.arc = AzureArc {
        connected: Fact::Known(false),
        auto_upgrade: Fact::Absent,
        agent_version: Fact::Absent,
        extensions: Listing::whole(Vec::new()),
        ..AzureArc::default()
    };
    cluster.workloads.items.retain(|one| one.namespace == "kube-system" && one.workload == "kube-proxy");
    cluster.pods.items.retain(|pod| pod.mirror);
    cluster.namespaces.items = vec![
        Namespace { name: "default".into(), ..Namespace::default() },
        Namespace { name: "kube-system".into(), ..Namespace::default() },
    ];
    cluster.network_policies.items.clear();
    cluster.admission.items.clear();
    cluster.csi_drivers.items.clear();
    cluster.service_accounts.items[0].namespace = "default".into();
    cluster.service_accounts.items[0].automount_token = Fact::Absent;
    cluster.pods.items[0].containers[0].command = Fact::Known(vec!["kube-apiserver".into()]);
    let failing: Vec<(String, Severity)> = run(cluster)
        .findings
        .into_iter()
        .filter(|found| found.verdict == Verdict::Fail)
        .map(|found| (found.control, found.severity))
        .collect();
    assert_eq!(
        failing,
        [
            ("secrets-encrypted-at-rest".to_owned(), Severity::Medium),
            ("default-accounts-no-token".to_owned(), Severity::Low),
            ("secrets-from-vault".to_owned(), Severity::Low),
        ]
    );
}

/// The cluster with a role of a rule for one name, bound to somebody.
fn named(verbs: &str, group: &str, resource: &str, name: &str) -> ClusterEvidence {
    let mut cluster = good();
    let mut role = cluster_role("own", verbs, group, resource);
    role.rules[0].resource_names = vec![name.to_owned()];
    cluster.roles.items.push(role);
    cluster.bindings.items.push(cluster_binding("own", "own", "User", "frank"));
    cluster
}

#[test]
fn a_right_over_one_powerful_name_is_found_and_the_name_told() {
    let rbac = "rbac.authorization.k8s.io";
    for (control, cluster, told) in [
        ("rights-not-escalated", named("impersonate", "core", "groups", "system:masters"), "groups system:masters"),
        ("rights-not-escalated", named("bind", rbac, "clusterroles", "cluster-admin"), "clusterroles cluster-admin"),
        (
            "webhook-changers",
            named("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "guard"),
            "mutatingwebhookconfigurations",
        ),
    ] {
        let found = finding(control, cluster);
        assert_eq!(found.verdict, Verdict::Fail, "{control}: {}", found.message);
        assert!(found.message.contains("User frank") && found.message.contains(told), "{}", found.message);
    }
}

#[test]
fn who_may_do_everything_is_found_wherever_one_of_those_rights_is_asked_for() {
    let everything = |binding: Binding| {
        let mut cluster = good();
        cluster.roles.items.push(cluster_role("all", "*", "*", "*"));
        cluster.bindings.items.push(binding);
        cluster
    };
    let wide = everything(cluster_binding("x", "all", "User", "erin"));
    let one = everything(in_namespace("audit", cluster_binding("x", "all", "User", "erin")));
    let both = ["no-wildcard-rights", "rights-not-escalated"];
    let of_all = [
        "cluster-admin-holders",
        "secrets-readers",
        "pod-creators",
        "token-makers",
        "volume-creators",
        "node-proxy-users",
        "certificate-approvers",
        "webhook-changers",
    ];
    for control in both.into_iter().chain(of_all) {
        let found = finding(control, wide.clone());
        assert_eq!(found.verdict, Verdict::Fail, "{control}: {}", found.message);
        assert!(found.message.contains("User erin"), "{control}: {}", found.message);
    }
    for control in both {
        let found = finding(control, one.clone());
        assert_eq!(found.verdict, Verdict::Fail, "{control}: {}", found.message);
        assert!(found.message.contains("User erin (RoleBinding audit/x)"), "{control}: {}", found.message);
    }
    for control in of_all {
        let found = finding(control, one.clone());
        assert_eq!(found.verdict, Verdict::Pass, "{control} is about the whole cluster: {}", found.message);
    }
}

#[test]
fn an_account_that_borrows_a_name_of_another_platform_is_told() {
    let mut cluster = good();
    cluster.bindings.items.push(cluster_binding("x", "cluster-admin", "ServiceAccount", "kube-system/helm-evil"));
    cluster.bindings.items.push(cluster_binding("y", "cluster-admin", "ServiceAccount", "kube-system/rke2-evil"));
    let found = finding("cluster-admin-holders", cluster.clone());
    assert_eq!(found.verdict, Verdict::Fail, "{}", found.message);
    let told: Vec<&str> = found.items.iter().map(|item| item.name.as_str()).collect();
    let account =
        |name: &str, binding: &str| format!("ServiceAccount kube-system/{name} (ClusterRoleBinding {binding})");
    assert_eq!(told, [account("helm-evil", "x"), account("rke2-evil", "y")]);
    // Of a platform that was not recognised it is not known whose they are, and nobody else holds it.
    cluster.bindings.items.retain(|binding| binding.binding != "x" && binding.binding != "kubeadm:cluster-admins");
    cluster.kubeadm_config = Fact::Unread;
    cluster.pods = Listing::default();
    cluster.unread.push(Unread { path: "kubeadm_config".into(), reason: Reason::Forbidden, detail: "no".into() });
    let found = finding("cluster-admin-holders", cluster);
    assert_eq!((found.verdict, found.reason), (Verdict::Unknown, Some(Reason::Forbidden)), "{}", found.message);
}
