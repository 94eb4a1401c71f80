//! Lists in pages: whole, cut, changed under way, with items that cannot be understood.

use super::peers::*;
use serde::Deserialize;
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{ApiError, ApiLimits, Listed};
use std::sync::{Arc, Mutex};

#[derive(Deserialize)]
struct Item {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

const PODS: &str = "/api/v1/pods";

fn page(names: impl IntoIterator<Item = String>, next: &str) -> Vec<u8> {
    let items: Vec<String> = names.into_iter().map(|name| format!(r#"{{"metadata":{{"name":"{name}"}}}}"#)).collect();
    format!(r#"{{"kind":"PodList","metadata":{{"continue":"{next}"}},"items":[{}]}}"#, items.join(",")).into_bytes()
}

fn gone(next: &str) -> Vec<u8> {
    format!(r#"{{"kind":"Status","reason":"Expired","metadata":{{"continue":"{next}"}}}}"#).into_bytes()
}

/// Lists from a healthy server whose pages are these: status and body for a path's `limit` and `continue`.
fn listed(
    limits: ApiLimits,
    answer: impl Fn(&str, &str) -> (&'static str, Vec<u8>) + Send + Sync + 'static,
) -> (Vec<String>, Result<Listed, ApiError>) {
    let port = healthy(move |request, stream| {
        let query = request.path().split_once('?').map(|(_, query)| query).unwrap_or_default();
        let of = |key: &str| query.split('&').find_map(|part| part.strip_prefix(key)).unwrap_or_default();
        let (status, body) = answer(of("limit="), of("continue="));
        Some(send(stream, status, "", &body))
    });
    let mut names = Vec::new();
    let done = Config::plain(port, "")
        .with(limits, async |api| api.list(PODS, &mut |item: Item| names.push(item.metadata.name)).await);
    (names, done)
}

fn named(from: usize, to: usize) -> impl Iterator<Item = String> {
    (from..to).map(|number| format!("p{number}"))
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let (names, done) = listed(PATIENT, |limit, next| {
        assert_eq!(limit, "500");
        (
            "200 OK",
            match next {
                "" => page(named(0, 500), "t/1=="),
                "t%2F1%3D%3D" => page(named(500, 1000), "t2"),
                "t2" => page(named(1000, 1003), ""),
                other => panic!("{other}"),
            },
        )
    });
    assert_eq!((names.len(), names.last().map(String::as_str)), (1003, Some("p1002")));
    assert_eq!(done.unwrap(), Listed { items: 1003, gap: None });
}

#[test]
fn a_list_that_expired_goes_on_where_the_server_says() {
    let (names, done) = listed(PATIENT, |_, next| match next {
        "" => ("200 OK", page(named(0, 500), "old")),
        "old" => ("410 Gone", gone("fresh")),
        "fresh" => ("200 OK", page(named(500, 502), "")),
        other => panic!("{other}"),
    });
    assert_eq!((names.len(), done.unwrap()), (502, Listed { items: 502, gap: None }));
    for second in ["fresh", ""] {
        let (names, done) = listed(PATIENT, move |_, next| match next {
            "" => ("200 OK", page(named(0, 500), "old")),
            _ => ("410 Gone", gone(second)),
        });
        let gap = done.unwrap().gap.unwrap();
        assert_eq!((names.len(), gap.reason, gap.status), (500, Reason::Timeout, Some(410)));
        assert!(gap.message.contains("list pods of the whole cluster"), "{}", gap.message);
    }
}

#[test]
fn a_failure_in_the_middle_keeps_what_came_and_says_why() {
    let (names, done) = listed(PATIENT, |_, next| match next {
        "" => ("200 OK", page(named(0, 500), "t")),
        _ => ("403 Forbidden", b"{}".to_vec()),
    });
    let gap = done.unwrap().gap.unwrap();
    assert_eq!((names.len(), gap.reason), (500, Reason::Forbidden));
    let (names, done) = listed(PATIENT, |_, _| ("403 Forbidden", b"{}".to_vec()));
    assert_eq!((names.len(), done.unwrap_err().status), (0, Some(403)));
}

#[test]
fn an_item_that_cannot_be_understood_makes_the_list_incomplete() {
    let (names, done) = listed(PATIENT, |_, _| {
        let items = r#"{"metadata":{"name":"a"}},{"metadata":7},{},"x",{"metadata":{"name":"b"}}"#;
        ("200 OK", format!(r#"{{"items":[{items}],"metadata":{{}}}}"#).into_bytes())
    });
    let done = done.unwrap();
    let gap = done.gap.unwrap();
    assert_eq!((names, done.items, gap.reason), (vec!["a".to_owned(), "b".to_owned()], 2, Reason::Malformed));
    assert!(gap.message.contains("3 of the objects"), "{}", gap.message);
}

#[test]
fn long_names_and_all_of_unicode_come_through() {
    let odd = ["x".repeat(253), "\u{1f980}\u{202e}\u{0}".to_owned()];
    let body = serde_json::json!({"metadata": null, "items": odd.iter().map(|name| serde_json::json!({"metadata": {"name": name}})).collect::<Vec<_>>()});
    let (names, done) = listed(PATIENT, move |_, _| ("200 OK", body.to_string().into_bytes()));
    assert_eq!((names, done.unwrap().gap), (odd.to_vec(), None));
}

#[test]
fn no_more_items_than_the_bound() {
    let limits = ApiLimits { items: 700, ..PATIENT };
    let (names, done) = listed(limits, |_, next| ("200 OK", page(named(0, 500), &format!("{next}x"))));
    let gap = done.unwrap().gap.unwrap();
    assert_eq!((names.len(), gap.reason), (700, Reason::TooLarge));
    assert!(gap.message.contains("more than 700"), "{}", gap.message);
}

#[test]
fn a_list_that_leads_nowhere_ends() {
    // The same token for ever; nothing on every page; a token without end.
    let (_, done) = listed(PATIENT, |_, _| ("200 OK", page(named(0, 1), "same")));
    assert_eq!(done.unwrap().gap.unwrap().reason, Reason::Malformed);
    let (_, done) = listed(PATIENT, |_, next| ("200 OK", page([], &format!("{next}x"))));
    assert_eq!(done.unwrap().gap.unwrap().reason, Reason::Malformed);
    let (_, done) = listed(PATIENT, |_, _| ("200 OK", page(named(0, 1), &"x".repeat(100_000))));
    assert_eq!(done.unwrap().gap.unwrap().reason, Reason::Malformed);
}

#[test]
fn large_objects_are_asked_for_in_smaller_pages() {
    let limits = ApiLimits { answer: 1 << 20, ..PATIENT };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let (names, done) = listed(limits, move |limit, next| {
        seen.lock().unwrap().push(limit.to_owned());
        let (from, count) = (next.parse::<usize>().unwrap_or(0), limit.parse::<usize>().unwrap());
        let to = (from + count).min(60);
        let fat = "y".repeat(20_000);
        let items: Vec<String> =
            named(from, to).map(|name| format!(r#"{{"metadata":{{"name":"{name}"}},"spec":"{fat}"}}"#)).collect();
        let next = if to < 60 { to.to_string() } else { String::new() };
        ("200 OK", format!(r#"{{"metadata":{{"continue":"{next}"}},"items":[{}]}}"#, items.join(",")).into_bytes())
    });
    assert_eq!((names.len(), done.unwrap().gap), (60, None));
    assert_eq!(*asked.lock().unwrap(), ["500", "20", "20", "20"]);
    // Where even those are too large, that is the reason.
    let (_, done) = listed(ApiLimits { answer: 1000, ..PATIENT }, |_, _| ("200 OK", page(named(0, 500), "")));
    assert_eq!(done.unwrap_err().reason, Reason::TooLarge);
}

#[test]
fn what_is_no_list_is_an_error() {
    for body in ["{}", "[]", "null", "{\"items\":{}}", "{\"items\":[", ""] {
        let (_, done) = listed(PATIENT, move |_, _| ("200 OK", body.as_bytes().to_vec()));
        assert_eq!(done.unwrap_err().reason, Reason::Malformed, "{body}");
    }
}

#[test]
fn a_query_of_ones_own_and_metadata_alone() {
    let port = healthy(|request, stream| {
        assert_eq!(request.path(), "/api/v1/pods?fieldSelector=a&limit=500");
        assert!(request.header("accept").unwrap().starts_with("application/json;as=PartialObjectMetadataList;"));
        Some(send(stream, "200 OK", "", &page(named(0, 2), "")))
    });
    let mut count = 0;
    let done = Config::plain(port, "")
        .with(PATIENT, async |api| api.list_metadata("/api/v1/pods?fieldSelector=a", &mut |_: Item| count += 1).await);
    assert_eq!((count, done.unwrap().items), (2, 2));
}
