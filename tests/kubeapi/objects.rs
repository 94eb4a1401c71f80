//! Objects that are read and changed, against servers that misbehave.

use super::peers::*;
use serde_json::{Value, json};
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{ApiError, ApiLimits, ObjectPlace, Seen};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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

/// A healthy server that answers to a change with this, and how often it was asked for one.
fn answering(status: &'static str, more: &'static str, body: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let port = healthy(move |_, stream| {
        count.fetch_add(1, Ordering::SeqCst);
        Some(send(stream, status, more, body))
    });
    (port, asked)
}

fn applied(port: u16, limits: ApiLimits) -> Result<Value, ApiError> {
    let fields = json!({"data": {"k": "v"}});
    Config::plain(port, "").with(limits, async |api| api.apply(&place(), &fields, false, false).await)
}

#[test]
fn what_goes_over_the_wire() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let port = healthy(move |request, stream| {
        let kind = request.header("content-type").unwrap_or_default().to_owned();
        kept.lock().unwrap().push((request.line.clone(), kind, String::from_utf8(request.body.clone()).unwrap()));
        Some(send(
            stream,
            "200 OK",
            "",
            br#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"b"},"data":{"k":"v"}}"#,
        ))
    });
    Config::plain(port, "").with(PATIENT, async |api| {
        let state = Seen { uid: "u".to_owned(), resource_version: "7".to_owned() };
        assert_eq!(api.object(&place()).await.unwrap()["data"]["k"], "v");
        api.apply(&place(), &json!({"data": {"k": "v"}}), true, false).await.unwrap();
        api.delete(&place(), &state, true).await.unwrap();
        assert!(api.replace(&place(), &json!({"data": {}}), false).await.is_err(), "replaced without a state");
    });
    let seen = seen.lock().unwrap();
    let lines: Vec<String> = seen.iter().map(|(line, ..)| line.replace("?&", "?")).collect();
    let at = "/api/v1/namespaces/a/configmaps/b";
    assert_eq!(
        lines,
        [
            format!("GET {at} HTTP/1.1"),
            format!("PATCH {at}?dryRun=All&fieldManager=sitewarden HTTP/1.1"),
            format!("DELETE {at} HTTP/1.1"),
        ]
    );
    assert_eq!(seen[1].1, "application/apply-patch+yaml");
    let delete: Value = serde_json::from_str(&seen[2].2).unwrap();
    assert_eq!(delete, json!({"dryRun": ["All"], "preconditions": {"uid": "u", "resourceVersion": "7"}}));
}

#[test]
fn a_change_is_sent_once() {
    let (port, asked) = answering("503 Service Unavailable", "Retry-After: 0\r\n", b"{}");
    let error = applied(port, PATIENT).unwrap_err();
    assert_eq!((error.status, asked.load(Ordering::SeqCst)), (Some(503), 1));
    // To see how it would be may be asked again, as everything that changes nothing.
    let (port, asked) = answering("503 Service Unavailable", "Retry-After: 0\r\n", b"{}");
    let dry = Config::plain(port, "").with(PATIENT, async |api| api.apply(&place(), &json!({}), true, false).await);
    assert!(dry.is_err() && asked.load(Ordering::SeqCst) > 1);
    // 429 says that nothing was done.
    let (port, asked) = answering("429 Too Many Requests", "Retry-After: 0\r\n", b"{}");
    let error = applied(port, PATIENT).unwrap_err();
    assert_eq!(error.status, Some(429));
    assert!(asked.load(Ordering::SeqCst) > 1);
    // A connection that ends without an answer: by then it may have been done.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let port = healthy(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Some(false)
    });
    let error = applied(port, PATIENT).unwrap_err();
    assert_eq!((error.reason, asked.load(Ordering::SeqCst)), (Reason::Unreachable, 1));
    assert!(error.message.contains("Whether the change was made is not known"), "{}", error.message);
}

#[test]
fn a_change_that_is_not_answered_ends_by_the_deadline() {
    let port = healthy(|_, stream| {
        let _ = stream.read(&mut [0; 64]);
        Some(false)
    });
    let error = applied(port, HASTY).unwrap_err();
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("Whether the change was made is not known"), "{}", error.message);
}

#[test]
fn an_object_is_bounded_like_everything() {
    let large = format!(r#"{{"data":{{"k":"{}"}}}}"#, "x".repeat(100_000));
    let port = healthy(move |_, stream| Some(send(stream, "200 OK", "", large.as_bytes())));
    let limits = ApiLimits { answer: 50_000, ..PATIENT };
    let error = Config::plain(port, "").with(limits, async |api| api.object(&place()).await).unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge, "{}", error.message);
}

#[test]
fn what_is_no_object_is_told_and_never_quoted() {
    for (status, body, reason) in [
        ("200 OK", &b"geheim"[..], Reason::Malformed),
        ("200 OK", b"[\"geheim\"]", Reason::Malformed),
        ("200 OK", b"\"geheim\xff\"", Reason::Malformed),
        ("302 Found", b"geheim", Reason::Malformed),
        ("404 Not Found", b"{\"message\":\"geheim\"}", Reason::NotVisible),
        ("409 Conflict", b"geheim", Reason::Unsupported),
        ("500 Internal Server Error", b"{\"message\":\"geheim\"}", Reason::Unreachable),
    ] {
        let (port, _) = answering(status, "", body);
        let error = applied(port, PATIENT).unwrap_err();
        assert_eq!(error.reason, reason, "{status}: {}", error.message);
        assert!(!error.message.contains("geheim"), "{status}: {}", error.message);
        assert!(error.message.contains("patch configmaps b") || status.starts_with('3'), "{}", error.message);
    }
}
