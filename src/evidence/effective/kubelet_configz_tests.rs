#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::kubelet_fields::FIELDS;
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn said<'a>(document: &'a Json, version: &str) -> Configz<'a> {
    let known = VERSIONS.of(Some(version)) != Minor::Other;
    Configz { document, known, version: Some(version.to_owned()) }
}

fn field(document: &Json, path: &str, version: &str) -> Value {
    said(document, version).field(FIELDS.iter().find(|field| field.path == path).unwrap()).value
}

#[test]
fn what_is_missing_is_zero_where_the_version_is_known() {
    for (path, value) in [
        ("readOnlyPort", Value::Int(0)),
        ("serverTLSBootstrap", Value::Bool(false)),
        ("tlsMinVersion", Value::Text("VersionTLS12".into())),
        ("tlsCipherSuites", Value::Absent),
        ("authentication.x509.clientCAFile", Value::Absent),
        ("streamingConnectionIdleTimeout", Value::Text("0s".into())),
    ] {
        assert_eq!(field(&json!({}), path, "1.36.2"), value, "{path}");
        assert!(matches!(field(&json!({}), path, "1.99.0"), Value::Unread(gap) if gap.reason == Reason::Unsupported));
    }
}

#[test]
fn a_value_of_a_wrong_type_is_malformed() {
    let document = json!({"readOnlyPort": "0", "authentication": 5, "tlsCipherSuites": [1]});
    for path in ["readOnlyPort", "tlsCipherSuites"] {
        assert!(matches!(field(&document, path, "1.36.2"), Value::Unread(gap) if gap.reason == Reason::Malformed));
    }
}

#[test]
fn a_gate_that_nobody_set_has_its_default() {
    let gates = |document: &Json| said(document, "1.36.2").feature_gates().child(ROTATE).value;
    assert_eq!(gates(&json!({})), Value::Bool(true));
    assert_eq!(gates(&json!({"featureGates": {"AllBeta": false}})), Value::Bool(false));
    assert_eq!(gates(&json!({"featureGates": {ROTATE: false}})), Value::Bool(false));
}

proptest! {
    #[test]
    fn any_answer_is_read(text in "\\PC{0,20}", number in any::<i64>()) {
        for document in [json!({"authentication": {"anonymous": text}}), json!({"featureGates": number}), json!([text])] {
            let said = said(&document, "1.36.2");
            let _ = (said.feature_gates(), FIELDS.iter().map(|field| said.field(field)).collect::<Vec<_>>());
        }
    }
}
