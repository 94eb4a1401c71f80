//! What is wrong before a cluster could answer, and servers that misbehave. Needs no bed.

use crate::bed::{file, program, run, said};
use crate::support::Findings;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use tempfile::TempDir;

const CONTEXTS: &str = "contexts: [{name: here, context: {cluster: c, user: u}}]\ncurrent-context: here\n";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A run that must end as one of usage does, with a sentence; that sentence.
fn wrong(args: &[&str]) -> String {
    let done = run(args);
    let told = said(&done);
    assert_eq!(done.status.code(), Some(2), "{args:?}: {told}");
    assert!(!told.contains("panicked"), "{told}");
    told
}

#[test]
fn a_kubeconfig_that_is_not_there_or_broken_is_named() {
    let folder = folder();
    let missing = folder.path().join("missing").display().to_string();
    assert!(wrong(&["scan", "--kubeconfig", &missing]).contains(&missing));
    let tries = [
        ("no YAML", "{{{"),
        ("another thing", "[1, 2, 3]"),
        ("binary", "\u{0}\u{1}\u{2}"),
        ("aliases", "a: &a [x]\nclusters: [*a, *a, *b]\n"),
    ];
    for (what, text) in tries {
        let broken = file(folder.path(), "broken", text);
        let told = wrong(&["scan", "--kubeconfig", &broken]);
        assert!(told.contains("broken"), "{what}: the file is named: {told}");
        assert!(!told.contains("thread '"), "{what}: {told}");
    }
}

#[test]
fn a_broken_kubeconfig_does_not_give_its_secrets_away() {
    let folder = folder();
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n{CONTEXTS}\
         users: [{{name: u, user: {{token: canary-token-6e31, password: [canary-password-7f42}}}}]\n"
    );
    let broken = file(folder.path(), "broken", &text);
    let told = wrong(&["scan", "-v", "--kubeconfig", &broken]);
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn a_context_that_is_not_there_names_those_that_are() {
    let folder = folder();
    let text = "apiVersion: v1\nkind: Config
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
contexts:
  - {name: site-northern, context: {cluster: c, user: u}}
  - {name: \"site-\\u00f6stlich\", context: {cluster: c, user: u}}
current-context: site-northern
";
    let file = file(folder.path(), "config", text);
    let told = wrong(&["scan", "--kubeconfig", &file, "--context", "site-northen"]);
    assert!(told.contains("site-northern") && told.contains("site-\u{f6}stlich"), "{told}");
}

/// A scan with a kubeconfig whose user is `user` and whose server is `server`.
fn scan(folder: &TempDir, server: &str, user: &str, more: &[&str]) -> Findings {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {user}}}]\n{CONTEXTS}"
    );
    let kubeconfig = file(folder.path(), "config", &text);
    let mut args = vec!["scan", "--format", "json", "--profile", "cis", "--no-endpoints", "--kubeconfig", &kubeconfig];
    args.extend(more);
    let done = run(&args);
    assert!(!said(&done).contains("panicked"), "{}", said(&done));
    Findings::read(&done)
}

/// What is said of a cluster that was not reached.
fn told(findings: &Findings) -> String {
    let cluster = findings.json["targets"].as_array().unwrap().iter().find(|target| target["id"] == "cluster").unwrap();
    assert_eq!(cluster["reached"], false, "{cluster}");
    assert_eq!(findings.json["summary"]["pass"], 0);
    assert_eq!(findings.json["summary"]["incomplete"], true);
    assert_eq!(findings.status, 3);
    cluster["errors"][0]["message"].as_str().expect("a sentence").to_owned()
}

#[test]
fn a_plugin_that_is_missing_or_fails_is_named() {
    let folder = folder();
    let exec = |command: &str| {
        format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, interactiveMode: Never}}}}")
    };
    let missing = scan(&folder, "https://127.0.0.1:1", &exec("kubelogin-that-is-not-there"), &[]);
    assert!(told(&missing).contains("kubelogin-that-is-not-there"), "{}", told(&missing));
    let failing = program(folder.path(), "failing", "#!/bin/sh\necho canary-plugin-8a53 >&2\nexit 3\n");
    let findings = scan(&folder, "https://127.0.0.1:1", &exec(&failing), &[]);
    assert!(told(&findings).contains("failing"), "{}", told(&findings));
    let silent = program(folder.path(), "silent", "#!/bin/sh\nexec sleep 1000\n");
    let findings = scan(&folder, "https://127.0.0.1:1", &exec(&silent), &["--timeout", "3"]);
    assert!(told(&findings).contains("silent"), "{}", told(&findings));
}

/// A server on loopback that answers every connection with these bytes and holds it open.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|count| count > 0) {
                    if stream.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn servers_that_misbehave_are_given_up_with_a_word() {
    let folder = folder();
    let tries: [(&str, &'static [u8]); 5] = [
        ("never answers", b""),
        ("always fails", b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"),
        ("is no API server", b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>"),
        ("speaks no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n"),
        (
            "promises 2 GB",
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2147483648\r\n\r\n{\"items\":[",
        ),
    ];
    for (what, answer) in tries {
        let findings = scan(&folder, &server(answer), "{token: t}", &["--timeout", "5"]);
        let message = told(&findings);
        assert!(message.contains("127.0.0.1"), "one that {what} is named: {message}");
    }
}
