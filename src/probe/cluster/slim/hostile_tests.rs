//! Objects that no honest API server sends: nothing panics, nothing grows, no type passes for another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::Item;
use super::admission::{Mutating, Policy as AdmissionPolicy, Validating};
use super::arc::{ClusterConfig, ConnectedObject, Extension, Group};
use super::basic::{Account, Exists};
use super::binding::SlimBinding;
use super::configz::{Configz, ProxyConfigMap};
use super::csr::Request;
use super::endpoint_slice::Slice;
use super::names::Named;
use super::namespace::{SlimNamespace, WithUid};
use super::network_policy::Policy;
use super::node::Node;
use super::pod::SlimPod;
use super::role::SlimRole;
use super::service::SlimService;
use super::version::Version;
use super::workload::{DaemonSet, Deployment, StatefulSet};
use crate::evidence::Fact;
use crate::probe::json::Document;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// Understands an item, where it is one.
fn item<T: Item>(json: &Json) -> Option<Json> {
    let item = serde_json::from_value::<T>(json.clone()).ok()?;
    let _ = item.wanted();
    item.evidence().map(|evidence| serde_json::to_value(evidence).unwrap())
}

/// Every kind, each with what becomes of one object.
fn all(json: &Json) -> Vec<Option<Json>> {
    let alone = serde_json::from_value::<Version>(json.clone()).ok().and_then(|version| version.evidence());
    let _ = serde_json::from_value::<Group>(json.clone()).map(Group::version);
    let _ = serde_json::from_value::<WithUid>(json.clone()).map(WithUid::uid);
    let _ = serde_json::from_value::<Configz>(json.clone()).map(Configz::document);
    let _ = serde_json::from_value::<ConnectedObject>(json.clone()).map(ConnectedObject::resource_id);
    let _ = serde_json::from_value::<ProxyConfigMap>(json.clone()).map(super::super::read::proxy_config);
    let _ = (serde_json::from_value::<ClusterConfig>(json.clone()), serde_json::from_value::<Exists>(json.clone()));
    vec![
        alone.map(|version| serde_json::to_value(version).unwrap()),
        item::<Node>(json),
        item::<SlimPod>(json),
        item::<SlimNamespace>(json),
        item::<SlimService>(json),
        item::<Slice>(json),
        item::<Account>(json),
        item::<Named>(json),
        item::<SlimRole>(json),
        item::<SlimBinding>(json),
        item::<Policy>(json),
        item::<Request>(json),
        item::<Validating>(json),
        item::<Mutating>(json),
        item::<AdmissionPolicy>(json),
        item::<Deployment>(json),
        item::<StatefulSet>(json),
        item::<DaemonSet>(json),
        item::<Extension>(json),
    ]
}

/// Keys that the types ask for, so that random objects come far.
const KEYS: [&str; 40] = [
    "metadata",
    "spec",
    "status",
    "name",
    "namespace",
    "labels",
    "annotations",
    "ownerReferences",
    "kind",
    "controller",
    "containers",
    "initContainers",
    "command",
    "args",
    "env",
    "valueFrom",
    "secretKeyRef",
    "securityContext",
    "privileged",
    "capabilities",
    "add",
    "volumes",
    "hostPath",
    "path",
    "nodeName",
    "ports",
    "hostPort",
    "rules",
    "verbs",
    "roleRef",
    "subjects",
    "conditions",
    "type",
    "nodeInfo",
    "webhooks",
    "clientConfig",
    "url",
    "data",
    "template",
    "creationTimestamp",
];

fn arbitrary() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "(?s).{0,12}".prop_map(Json::String),
        proptest::sample::select(&["Node", "True", "kube-apiserver", "2026-11-25T21:33:04Z", "NodePort", "Fail"][..])
            .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::vec((proptest::sample::select(&KEYS[..]), inner), 0..6).prop_map(|entries| {
                Json::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(json in arbitrary()) {
        all(&json);
    }

    #[test]
    fn whole_objects_with_odd_parts(metadata in arbitrary(), spec in arbitrary(), status in arbitrary()) {
        all(&json!({"metadata": metadata, "spec": spec, "status": status}));
        all(&json!({"metadata": {"name": "x"}, "spec": spec, "status": status}));
        all(&json!({"metadata": {"name": "x"}, "spec": {"containers": [spec]}, "status": {"conditions": [status]}}));
    }
}

#[test]
fn objects_without_their_fields_are_none() {
    for (place, evidence) in all(&json!({})).into_iter().enumerate() {
        assert_eq!(evidence, None, "kind {place}");
    }
    // A pod of which nothing is said would be one with nothing wrong.
    for spec in [json!(null), json!({}), json!({"containers": null}), json!({"containers": []})] {
        assert_eq!(item::<SlimPod>(&json!({"metadata": {"name": "x"}, "spec": spec})), None);
    }
    assert_eq!(item::<SlimBinding>(&json!({"metadata": {"name": "x"}})), None);
    assert_eq!(item::<Named>(&json!({"metadata": {"name": ""}})), None);
}

#[test]
fn a_wrong_type_costs_the_item() {
    let pod = |container: Json| json!({"metadata": {"name": "x"}, "spec": {"containers": [container]}});
    assert!(item::<SlimPod>(&pod(json!({"name": "c"}))).is_some());
    for wrong in [
        json!({"name": "c", "securityContext": {"privileged": "yes"}}),
        json!({"name": "c", "securityContext": {"capabilities": {"add": "SYS_ADMIN"}}}),
        json!({"name": "c", "ports": [{"hostPort": "80"}]}),
        json!({"name": 7}),
        json!({"name": "c", "env": {"a": "b"}}),
        json!(null),
    ] {
        assert_eq!(item::<SlimPod>(&pod(wrong.clone())), None, "{wrong}");
    }
}

#[test]
fn lists_texts_and_maps_have_bounds() {
    let named = |name: &str| item::<Named>(&json!({"metadata": {"name": name}}));
    assert!(named(&"n".repeat(253)).is_some());
    assert_eq!(named(&"n".repeat(5000)), None);
    let labels: Map<String, Json> = (0..1000).map(|number| (format!("k{number}"), json!("v"))).collect();
    assert_eq!(item::<Node>(&json!({"metadata": {"name": "n", "labels": labels}})), None);
    assert!(
        item::<SlimNamespace>(&json!({"metadata": {"name": "n", "labels": labels}})).is_some(),
        "none of them is kept"
    );
    let containers: Vec<Json> = (0..600).map(|number| json!({"name": format!("c{number}")})).collect();
    assert_eq!(item::<SlimPod>(&json!({"metadata": {"name": "p"}, "spec": {"containers": containers}})), None);
    let many = json!({"kubeletconfig": {"a": vec![0; 10_000]}});
    assert!(serde_json::from_value::<Configz>(many).is_err());
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!([deep]);
    }
    assert!(serde_json::from_value::<Document>(deep).is_err());
    assert_eq!(serde_json::from_value::<Configz>(json!({"kubeletconfig": [1]})).unwrap().document(), None);
}

#[test]
fn hidden_characters_neither_stay_nor_vanish() {
    let name = item::<Named>(&json!({"metadata": {"name": "a\u{1b}[2Jb\u{202e}c"}})).unwrap();
    assert_eq!(name, json!("a\u{fffd}[2Jb\u{fffd}c"));
    let binding = json!({
        "metadata": {"name": "b", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "sys\u{200b}tem:masters"}],
    });
    assert_eq!(item::<SlimBinding>(&binding).unwrap()["bootstrap"], json!(false));
}

#[test]
fn hosts_of_webhooks_hold_no_credentials() {
    let hook = |url: &str| json!({"clientConfig": {"url": url}, "failurePolicy": "Ignore"});
    let hooks = json!({"metadata": {"name": "w"}, "webhooks": [hook("https://u:p@[2001:db8::1]:8443/x?token=t"), hook("https://a.example/y"), hook("nonsense")]});
    let seen = item::<Validating>(&hooks).unwrap();
    assert_eq!(seen["url_hosts"], json!(["2001:db8::1", "a.example"]));
    assert_eq!(seen["fails_closed"], json!(false));
    let closed =
        json!({"metadata": {"name": "w"}, "webhooks": [{"clientConfig": {"service": {"namespace": "kube-system"}}}]});
    let seen = item::<Mutating>(&closed).unwrap();
    assert_eq!((&seen["fails_closed"], &seen["service_namespaces"]), (&json!(true), &json!(["kube-system"])));
    assert_eq!(item::<Mutating>(&json!({"metadata": {"name": "w"}})).unwrap()["fails_closed"], json!(false));
}

#[test]
fn network_policies_without_types_are_as_the_api_defines_them() {
    let policy =
        |spec: Json| item::<Policy>(&json!({"metadata": {"name": "p", "namespace": "n"}, "spec": spec})).unwrap();
    let all = policy(json!({"podSelector": {}, "egress": []}));
    assert_eq!((&all["every_pod"], &all["kinds"]), (&json!(true), &json!(["Ingress", "Egress"])));
    let some = policy(
        json!({"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "policyTypes": ["Egress"]}),
    );
    assert_eq!((&some["every_pod"], &some["kinds"]), (&json!(false), &json!(["Egress"])));
}

#[test]
fn times_that_are_none_are_not_read() {
    let request = json!({"metadata": {"name": "r", "creationTimestamp": "yesterday"}, "spec": {"signerName": "s"}});
    let seen = serde_json::from_value::<Request>(request).unwrap().evidence().unwrap();
    assert_eq!((seen.created, seen.state.as_str()), (Fact::Unread, "pending"));
}
