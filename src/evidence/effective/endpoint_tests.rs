#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use serde_json::json;

fn endpoint(more: &serde_json::Value) -> EndpointEvidence {
    let mut json = json!({
        "name": "10.0.0.4:10250", "host": "10.0.0.4", "port": 10250, "address": "10.0.0.4", "node": "edge1",
        "kubernetes_node": "node1", "service": "kubelet", "state": "open", "seat_address": "192.168.1.9"
    });
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn node(name: &str, channel: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut json = json!({"name": name, "channel": channel, "reached": true, "complete": true});
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json
}

fn evidence(nodes: &[serde_json::Value], listed: &[serde_json::Value]) -> Evidence {
    let now = "2026-11-25T00:00:00Z";
    let text = json!({
        "schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "started": now, "finished": now,
        "seat": {"host": "seat", "user": "ana"}, "nodes": nodes,
        "cluster": {"context": "c", "reached": true, "complete": true, "nodes": {"complete": true, "items": listed}}
    });
    Evidence::from_json(&text.to_string()).unwrap()
}

fn derived(endpoint: &EndpointEvidence, evidence: &Evidence, key: &str) -> Value {
    Reading::of_endpoint(endpoint, evidence).child(key).value
}

fn api(role: Option<bool>) -> serde_json::Value {
    let mut json = json!({"name": "node1", "addresses": [{"kind": "InternalIP", "address": "10.0.0.4"}]});
    if let Some(role) = role {
        json["control_plane"] = json!(role);
    }
    json
}

fn of(runs: &[(&str, bool)]) -> serde_json::Value {
    let mut json = json!({});
    for (component, exists) in runs {
        json[*component] = json!({"exists": exists});
    }
    json
}

#[test]
fn the_role_is_what_runs_there_else_the_label_else_unknown() {
    let nothing =
        [("kube_apiserver", false), ("kube_controller_manager", false), ("kube_scheduler", false), ("etcd", false)];
    let with = |more: (&'static str, bool)| [&nothing[..], &[more]].concat();
    let role = |runs: &[(&str, bool)], label: Option<bool>| {
        let evidence = evidence(&[node("edge1", "ssh", &of(runs))], &[api(label)]);
        derived(&endpoint(&json!({})), &evidence, "on_control_plane")
    };
    assert_eq!(role(&[("etcd", true)], Some(false)), Value::Bool(true));
    assert_eq!(role(&[], Some(true)), Value::Bool(true));
    assert_eq!(role(&[], Some(false)), Value::Bool(false));
    assert_eq!(role(&with(("kubelet", true)), None), Value::Bool(false));
    // k3s: one process that is none of them, and may hold them all.
    assert!(matches!(role(&with(("kubelet", false)), None), Value::Unread(_)));
    assert!(matches!(role(&[], None), Value::Unread(_)));
}

#[test]
fn a_service_is_expected_where_such_a_node_runs_it() {
    let evidence = evidence(&[], &[api(Some(false))]);
    let expected = |service: &str| derived(&endpoint(&json!({"service": service})), &evidence, "expected");
    assert_eq!(expected("kubelet"), Value::Bool(true));
    assert_eq!(expected("etcd"), Value::Bool(false));
    assert_eq!(expected("kubelet-read-only"), Value::Bool(false));
    let own = endpoint(&json!({"service": "kube-apiserver", "node": null, "kubernetes_node": null}));
    assert_eq!(derived(&own, &evidence, "expected"), Value::Bool(true));
}

#[test]
fn a_seat_on_a_node_of_the_cluster_is_told_from_one_elsewhere() {
    let seat = |nodes: &[serde_json::Value]| match derived(&endpoint(&json!({})), &evidence(nodes, &[]), "seat") {
        Value::Text(word) => word.to_string(),
        Value::Unread(_) => "?".to_owned(),
        other => panic!("{other:?}"),
    };
    let local = |name: &str, runs: &[(&str, bool)]| node(name, "local", &of(runs));
    assert_eq!(seat(&[]), "elsewhere");
    assert_eq!(seat(&[node("edge1", "ssh", &json!({}))]), "elsewhere");
    assert_eq!(seat(&[local("edge1", &[])]), "same-node");
    assert_eq!(seat(&[local("edge2", &[("kube_apiserver", true)])]), "control-plane-node");
    assert_eq!(seat(&[local("edge2", &[])]), "?");
}

#[test]
fn the_seat_is_where_the_node_sees_it() {
    let login = json!({"login": {"user": "root", "privilege": "root", "from": "10.0.8.1"}});
    let seen = |nodes: &[serde_json::Value]| derived(&endpoint(&json!({})), &evidence(nodes, &[]), "seen_from");
    assert_eq!(seen(&[node("edge1", "ssh", &login)]), Value::Text("10.0.8.1".into()));
    assert_eq!(seen(&[node("edge2", "ssh", &login)]), Value::Text("192.168.1.9".into()));
}

#[test]
fn a_certificates_name_fits_whole() {
    assert!(fits("10.0.0.4", "10.0.0.4") && fits("fd00::1", "fd00:0:0::1") && fits("Edge1.Site.", "edge1.site"));
    assert!(fits("*.site", "edge1.site") && !fits("*.site", "a.edge1.site") && !fits("*.site", "site"));
    assert!(
        !fits("*", "edge1") && !fits("10.0.0.40", "10.0.0.4") && !fits("edge1.site", "edge1") && !fits("", "edge1")
    );
}

#[test]
fn a_certificate_is_for_any_name_by_which_the_node_is_known() {
    let evidence = evidence(&[node("edge1", "ssh", &json!({"identity": {"hostname": "host1"}}))], &[api(None)]);
    let matches = |names: &[&str], complete: bool| {
        let names = json!({"items": names, "complete": complete});
        let seen = endpoint(&json!({"host": "edge1.site", "also": ["gate"], "tls": {"names": names}}));
        derived(&seen, &evidence, "names_match")
    };
    for name in ["edge1.site", "gate", "node1", "10.0.0.4", "host1"] {
        assert_eq!(matches(&["x", name], false), Value::Bool(true), "{name}");
    }
    assert_eq!(matches(&["x"], true), Value::Bool(false));
    assert!(matches!(matches(&["x"], false), Value::Unread(_)));
}

#[test]
fn a_kubelet_that_signs_for_itself_is_told_from_a_distribution_that_names_its_authority_so() {
    let evidence = evidence(&[], &[]);
    let made = |subject: &str, issuer: &str| {
        let chain = json!({"complete": true, "items": [
            {"name": "x", "path": "", "role": "kubelet", "subject": subject, "issuer": issuer}]});
        derived(&endpoint(&json!({"tls": {"chain": chain}})), &evidence, "self_made")
    };
    assert_eq!(made("CN=node1@1795642378", "CN=node1-ca@1795642378"), Value::Bool(true));
    assert_eq!(made("CN=x", "CN=x"), Value::Bool(true));
    assert_eq!(made("CN=node1", "CN=k3s-server-ca@1795642378"), Value::Bool(false));
    assert_eq!(made("CN=node1@1795642379", "CN=node1-ca@1795642378"), Value::Bool(true), "a second apart");
    assert_eq!(made("CN=node1@1795642378", "CN=node2-ca@1795642378"), Value::Bool(false), "another's authority");
    assert_eq!(made("CN=node1@", "CN=node1-ca@"), Value::Bool(false));
    assert_eq!(made("O=system:nodes, CN=system:node:node1", "CN=kubernetes"), Value::Bool(false));
}
