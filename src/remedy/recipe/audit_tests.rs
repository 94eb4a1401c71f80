//! What an API server lacks for an audit log, and when it is left to a person.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::fresh;
use super::*;
use crate::remedy::fresh::FreshFile;

const API: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kube-apiserver.yaml");

/// The manifest with more flags.
fn with(flags: &[&str]) -> String {
    let lines: String = flags.iter().map(|flag| format!("    - {flag}\n")).collect();
    API.replace("    - --secure-port", &format!("{lines}    - --secure-port"))
}

fn lacks(text: &str, policy: Option<&str>) -> Result<Missing, Refusal> {
    let files: Vec<(&str, &str)> = policy.map(|text| (POLICY, text)).into_iter().collect();
    let mut fresh = fresh(&wants(), &files);
    if policy.is_none() {
        let absent = FreshFile {
            path: POLICY.to_owned(),
            state: Some(State::Absent),
            trouble: None,
            contents: None,
            owner: None,
        };
        fresh.found(&Want::File(POLICY.to_owned()), absent);
    }
    missing("/m.yaml", text, &fresh)
}

fn takes(flags: &[&str]) -> Option<String> {
    let mut fresh = Fresh::default();
    fresh.said(FREE, 0, "900\n".to_owned());
    room(&with(flags), &fresh)
}

fn refused(text: &str, policy: Option<&str>) -> String {
    lacks(text, policy).err().unwrap().0
}

#[test]
fn an_api_server_without_a_log_gets_policy_log_and_bounds() {
    let all = lacks(API, None).unwrap();
    let names: Vec<&str> = all.flags.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["audit-policy-file", "audit-log-path", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"]
    );
    assert_eq!(all.change.folders, ["/etc/kubernetes/audit", FOLDER]);
    assert_eq!(all.change.files[0].after.attributes(), Some((0o600, 0, 0)));
    assert!(all.mounts.iter().map(|mount| mount.read_only).eq([true, false]));
}

#[test]
fn what_is_there_stays() {
    let half =
        lacks(&with(&["--audit-policy-file=/etc/kubernetes/pki/p.yaml", "--audit-log-maxbackup=0"]), None).unwrap();
    let names: Vec<&str> = half.flags.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["audit-log-path", "audit-log-maxage", "audit-log-maxsize"]);
    assert!(half.change.files.is_empty());
    let own = lacks(API, Some("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")).unwrap();
    assert!(own.change.files.is_empty() && own.flags.len() == 5);
    let told = lacks(&with(&["--audit-log-path=-"]), None).unwrap();
    assert_eq!(told.flags, [("audit-policy-file", POLICY)], "a log to the output has no bounds");
    let on_node = lacks(&with(&["--audit-log-path=/etc/kubernetes/pki/a.log"]), None).unwrap();
    assert_eq!(on_node.mounts.len(), 1);
}

#[test]
fn how_much_of_the_disk_a_log_takes_is_told() {
    let path = format!("--audit-log-path={LOG}");
    let bounds = ["--audit-log-maxage=0", "--audit-log-maxbackup=10", "--audit-log-maxsize=100"];
    let all = takes(&[&path, bounds[0], bounds[1], bounds[2]]).unwrap();
    assert!(all.contains("takes 1100 MB of the disk at most") && all.contains("more than the 900 MB"), "{all}");
    let endless = takes(&[&path, bounds[0], "--audit-log-maxbackup=0", bounds[2]]).unwrap();
    assert!(endless.contains("all old ones are kept, whatever their age"), "{endless}");
    assert!(takes(&[&path, bounds[0]]).unwrap().contains("not plain"));
    assert_eq!(takes(&["--audit-log-path=-"]), None);
}

#[test]
fn what_is_not_plainly_understood_is_refused() {
    assert!(refused(&with(&["--audit-webhook-config-file=/w.yaml"]), None).contains("go to a webhook"));
    assert!(refused(&with(&["--audit-log-path=/var/log/a.log"]), None).contains("mounted from nowhere"));
    assert!(refused(API, Some("kind: Other\n")).contains("no audit policy"));
    let user = API.replace("    imagePull", "    securityContext:\n      runAsUser: 999\n    imagePull");
    assert!(refused(&user, None).contains("does not run as root"));
}

#[test]
fn nothing_secret_is_recorded_and_nothing_that_matters_is_left_out() {
    let policy: serde_json::Value = serde_json::to_value(get_path(TEXT, &["rules"]).unwrap().unwrap()).unwrap();
    let rules = policy.as_array().unwrap();
    let level = |rule: &serde_json::Value| rule["level"].as_str().unwrap().to_owned();
    assert!(rules.iter().all(|rule| ["Metadata", "None"].contains(&level(rule).as_str())), "bodies hold secrets");
    assert_eq!(rules.last().unwrap(), &json!({"level": "Metadata"}));
    assert!(rules[0].to_string().contains("\"secrets\",\"configmaps\",\"serviceaccounts/token\""));
    for rule in rules.iter().filter(|rule| level(rule) == "None") {
        let verbs = rule["verbs"].to_string();
        assert!(!verbs.contains("delete") && verbs != "null", "{rule}");
        let signs = ["leases", "events"].iter().any(|kind| rule.to_string().contains(kind));
        assert!(signs || !verbs.contains("update"), "{rule}");
    }
}
