//! Answers that are late, endless, damaged or no Kubernetes at all.

use super::peers::*;
use serde_json::Value;
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{ApiError, ApiLimits};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const POD: &str = "/api/v1/namespaces/a/pods/b";

/// Connects to a healthy server whose answer to everything else is this, and asks for a pod.
fn asked(
    limits: ApiLimits,
    answer: impl Fn(&Request, &mut dyn Wire) -> bool + Send + Sync + 'static,
) -> Result<Value, ApiError> {
    let port = healthy(move |request, stream| Some(answer(request, stream)));
    Config::plain(port, "").with(limits, async |api| api.get::<Value>(POD).await)
}

fn with_status(status: &'static str) -> ApiError {
    asked(PATIENT, move |_, stream| send(stream, status, "", br#"{"kind":"Status","message":"geheim"}"#)).unwrap_err()
}

#[test]
fn nobody_there() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = Config::plain(port, "").fails(PATIENT);
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("connection refused") && error.message.contains("/config"), "{}", error.message);
    let error = Config::new("server: 'https://no-such-name.invalid:6443'", "").fails(PATIENT);
    assert!(error.message.contains("no-such-name.invalid"), "{}", error.message);
}

#[test]
fn an_object_is_read_and_the_clock_is_the_servers() {
    let port = healthy(|request, stream| {
        assert_eq!(request.header("accept"), Some("application/json"));
        Some(send(stream, "200 OK", "", br#"{"kind":"Pod"}"#))
    });
    Config::plain(port, "").with(PATIENT, async |api| {
        assert_eq!(api.get::<Value>(POD).await.unwrap()["kind"], "Pod");
        assert_eq!(api.clock().unwrap().to_string(), "2025-11-25T21:34:07Z");
        assert_eq!((api.proxy(), api.context(), api.login()), (Some("kubectl proxy"), "here", "no credentials"));
    });
}

#[test]
fn a_server_that_accepts_and_never_answers() {
    let port = healthy(|_, stream| {
        let _ = stream.read(&mut [0; 64]);
        Some(false)
    });
    let error = Config::plain(port, "").with(HASTY, async |api| api.get::<Value>(POD).await).unwrap_err();
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("no whole answer within 0.4 s"), "{}", error.message);
    let silent = listen(|mut stream| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    assert_eq!(Config::plain(silent, "").fails(HASTY).reason, Reason::Timeout);
}

#[test]
fn an_answer_that_drips_ends_by_the_deadline() {
    let error = asked(HASTY, |_, stream| {
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b" ").and_then(|()| stream.flush()).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    assert_eq!(error.unwrap_err().reason, Reason::Timeout);
}

#[test]
fn a_connection_that_breaks_half_way() {
    for cut in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"kind\""] {
        let error = asked(PATIENT, move |_, stream| stream.write_all(cut.as_bytes()).is_err()).unwrap_err();
        assert_eq!(error.reason, Reason::Unreachable, "{cut}: {}", error.message);
        assert!(error.message.contains("cut before the answer was whole"), "{}", error.message);
    }
    let error = asked(PATIENT, |_, stream| stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46").is_err()).unwrap_err();
    assert!(error.message.contains("does not speak HTTP"), "{}", error.message);
}

#[test]
fn statuses_in_words_and_never_in_the_servers() {
    let of = |status: &'static str| {
        let error = with_status(status);
        assert!(!error.message.contains("geheim"), "{}", error.message);
        (error.reason, error.status, error.message)
    };
    let (reason, status, message) = of("403 Forbidden");
    assert_eq!((reason, status), (Reason::Forbidden, Some(403)));
    assert!(message.contains("get pods b in the namespace a") && message.contains("\"here\""), "{message}");
    let (reason, status, _) = of("404 Not Found");
    assert_eq!((reason, status), (Reason::NotVisible, Some(404)));
    let (reason, status, message) = of("500 Internal Server Error");
    assert_eq!((reason, status), (Reason::Unreachable, Some(500)));
    assert!(message.contains("trouble of its own"), "{message}");
    assert_eq!(of("503 Service Unavailable").0, Reason::Unreachable);
    assert_eq!(of("429 Too Many Requests").0, Reason::Timeout);
    assert_eq!(of("302 Found").0, Reason::Malformed);
    assert_eq!(of("418 Teapot").0, Reason::Malformed);
    assert_eq!(of("599 Odd").0, Reason::Unreachable);
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let found = asked(PATIENT, move |_, stream| match seen.fetch_add(1, Ordering::SeqCst) {
        0 => send(stream, "429 Too Many Requests", "Retry-After: 0\r\n", b"{}"),
        1 => send(stream, "503 Service Unavailable", "Retry-After: 0\r\n", b"{}"),
        _ => send(stream, "200 OK", "", b"{}"),
    });
    assert!(found.is_ok());
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    // Not for ever, and not beyond the deadline.
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let error = asked(PATIENT, move |_, stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        send(stream, "429 Too Many Requests", "Retry-After: 0\r\n", b"{}")
    });
    assert_eq!(error.unwrap_err().reason, Reason::Timeout);
    assert!(tries.load(Ordering::SeqCst) < 10);
    for wait in ["3600", "99999999999999999999", "-1", "soon"] {
        let more = format!("Retry-After: {wait}\r\n");
        let error = asked(PATIENT, move |_, stream| send(stream, "429 Too Many Requests", &more, b"{}"));
        assert_eq!(error.unwrap_err().status, Some(429));
    }
}

#[test]
fn what_is_no_kubernetes_is_told() {
    let portal: &[u8] = b"<html>Please log in to the guest network</html>";
    for (status, kind) in [
        ("200 OK", "text/html"),
        ("302 Found", "text/html"),
        ("200 OK", "application/json"),
        ("404 Not Found", "text/plain"),
        ("403 Forbidden", "text/html"),
    ] {
        let port = serve(None, move |_, stream| {
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nLocation: http://portal/\r\n\r\n",
                portal.len()
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(portal)).is_ok()
        });
        let error = Config::plain(port, "").fails(PATIENT);
        let told = error.message.contains("no Kubernetes API") || error.message.contains("before the API server");
        assert!(told, "{status} {kind}: {}", error.message);
    }
    let error = asked(PATIENT, |_, stream| send(stream, "200 OK", "", b"{\"a\": tru")).unwrap_err();
    assert_eq!(error.reason, Reason::Malformed);
}

/// Writes zeros for ever.
fn flood(stream: &mut dyn Wire, head: &str) -> bool {
    let zeros = [b'0'; 1 << 16];
    if stream.write_all(head.as_bytes()).is_ok() {
        while stream.write_all(&zeros).is_ok() {}
    }
    false
}

#[test]
fn two_gigabytes_end_at_the_bound() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let announced = format!("{head}Content-Length: 2147483648\r\n\r\n");
    let error = asked(PATIENT, move |_, stream| flood(stream, &announced)).unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge);
    assert!(error.message.contains("longer than 4 MiB"), "{}", error.message);
    let unannounced = format!("{head}Connection: close\r\n\r\n");
    let error = asked(PATIENT, move |_, stream| flood(stream, &unannounced)).unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge);
    // An endless head, and an endless answer that is an error: the error counts.
    let error = asked(PATIENT, |_, stream| flood(stream, "HTTP/1.1 200 OK\r\nX: ")).unwrap_err();
    assert_eq!(error.reason, Reason::Malformed, "{}", error.message);
    let error =
        asked(PATIENT, |_, stream| flood(stream, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n"));
    assert_eq!(error.unwrap_err().status, Some(403));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_bomb_of_gzip_ends_at_the_bound_of_what_comes_out() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let error =
        asked(PATIENT, move |_, stream| send(stream, "200 OK", "Content-Encoding: gzip\r\n", &bomb)).unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge);
    let fine = gzip(br#"{"kind":"Pod"}"#);
    let cut = fine[..fine.len() - 4].to_vec();
    let found = asked(PATIENT, move |_, stream| send(stream, "200 OK", "Content-Encoding: gzip\r\n", &fine));
    assert_eq!(found.unwrap()["kind"], "Pod");
    let error =
        asked(PATIENT, move |_, stream| send(stream, "200 OK", "Content-Encoding: gzip\r\n", &cut)).unwrap_err();
    assert!(error.message.contains("damaged on its way"), "{}", error.message);
}

#[test]
fn a_text_comes_with_its_status() {
    let port = healthy(|request, stream| {
        assert_eq!(request.path(), "/readyz?verbose");
        Some(send(stream, "500 Internal Server Error", "", b"[+]ping ok\n[-]etcd failed\n\xff"))
    });
    let (status, text) = Config::plain(port, "").with(PATIENT, async |api| api.text("/readyz?verbose").await).unwrap();
    assert_eq!((status, text.lines().count()), (500, 3));
}

#[test]
fn a_review_is_posted() {
    let port = healthy(|request, stream| {
        assert!(request.line.starts_with("POST "), "{}", request.line);
        assert_eq!(request.header("content-type"), Some("application/json"));
        Some(send(stream, "201 Created", "", &request.body))
    });
    let body = serde_json::json!({"kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let got: Value = Config::plain(port, "").with(PATIENT, async |api| api.review(path, &body).await).unwrap();
    assert_eq!(got, body);
}

#[test]
fn a_kept_connection_that_the_server_closed_is_no_failure() {
    let port = serve(None, |request, stream| {
        send(stream, "200 OK", "", VERSION);
        request.path() != "/version" && request.path() != "/api/v1/namespaces/first"
    });
    Config::plain(port, "").with(PATIENT, async |api| {
        api.get::<Value>("/api/v1/namespaces/first").await.unwrap();
        api.get::<Value>("/api/v1/namespaces/second").await.unwrap();
    });
}
