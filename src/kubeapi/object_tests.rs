//! What is sent, and what is shown, without a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn place() -> ObjectPlace {
    ObjectPlace {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        plural: "configmaps".to_owned(),
        namespace: Some("a".to_owned()),
        name: "b".to_owned(),
    }
}

#[test]
fn what_is_shown_has_no_secret_and_no_bookkeeping() {
    let object = json!({"kind": "Secret", "data": {"k": "geheim"}, "stringData": {"k": "geheim"}, "type": "Opaque", "metadata": {
        "name": "s", "managedFields": [{"manager": "m"}], "annotations": {LAST_APPLIED: "geheim"}}});
    let shown = for_display(&object);
    assert_eq!(
        shown,
        json!({"kind": "Secret", "data": NOT_SHOWN, "stringData": NOT_SHOWN, "type": "Opaque", "metadata": {"name": "s"}})
    );
    let map =
        json!({"kind": "ConfigMap", "data": {"k": "v"}, "metadata": {"annotations": {LAST_APPLIED: "x", "own": "y"}}});
    let shown = for_display(&map);
    assert_eq!(shown, json!({"kind": "ConfigMap", "data": {"k": "v"}, "metadata": {"annotations": {"own": "y"}}}));
    for odd in [json!(null), json!([1]), json!({"metadata": 3})] {
        assert_eq!(for_display(&odd), odd);
    }
}

#[test]
fn an_object_is_sent_to_its_own_place_only() {
    let sent = place().filled(&json!({"data": {"k": "v"}, "metadata": {"managedFields": [{}], "labels": {"l": "1"}}}));
    let sent = serde_json::to_value(sent.unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"}, "metadata": {"name": "b", "namespace": "a", "labels": {"l": "1"}}})
    );
    for other in [
        json!({"kind": "Secret"}),
        json!({"apiVersion": "v2"}),
        json!({"metadata": {"name": "c"}}),
        json!({"metadata": {"namespace": "c"}}),
        json!({"metadata": 1}),
        json!("x"),
    ] {
        assert!(place().filled(&other).is_err(), "{other}");
    }
    let secret = ObjectPlace { kind: "Secret".to_owned(), plural: "secrets".to_owned(), ..place() };
    assert!(secret.filled(&json!({"data": NOT_SHOWN})).is_err());
    assert!(secret.filled(&json!({"metadata": {"labels": {"l": "1"}}})).is_ok());
}

#[test]
fn a_name_leads_nowhere_else() {
    for name in ["", ".", "..", "a/b", "a?dryRun=All", "a#b", "a%2fb", "a b", "\u{e4}"] {
        assert!(ObjectPlace { name: name.to_owned(), ..place() }.resource().is_err(), "{name}");
        assert!(ObjectPlace { namespace: Some(name.to_owned()), ..place() }.resource().is_err(), "{name}");
        assert!(ObjectPlace { plural: name.to_owned(), ..place() }.resource().is_err(), "{name}");
    }
    assert!(ObjectPlace { name: "system:controller:x".to_owned(), ..place() }.resource().is_ok());
    assert_eq!(place().path(), "/api/v1/namespaces/a/configmaps/b");
}
