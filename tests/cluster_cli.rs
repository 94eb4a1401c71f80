//! The cluster as a person or a script names it: kubeconfigs, contexts, exit status. No network but closed ports of this
//! machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A home folder without anything, and files of the test in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program as somebody whose home this is.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
        command.args(arguments).stdin(Stdio::null()).env("HOME", self.path());
        for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }
}

/// A kubeconfig with these contexts, all of a server at a port of this machine.
fn kubeconfig(port: u16, contexts: &[&str], current: &str) -> String {
    let contexts: String =
        contexts.iter().map(|name| format!("- name: {name}\n  context: {{cluster: site, user: ana}}\n")).collect();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: \"{current}\"\n\
         clusters:\n- name: site\n  cluster: {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}\n\
         users:\n- name: ana\n  user: {{token: not-a-real-token}}\ncontexts:\n{contexts}"
    )
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A usage or configuration error: status 2, nothing on standard output, one sentence that holds these words.
fn refused(output: &Output, words: &[&str]) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty(), "{}", out(output));
    assert!(text.starts_with("sitewarden: "), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|_| panic!("{}", err(output)))
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_named_with_what_to_do() {
    let home = Home::new();
    refused(&home.run(&["scan", "--kubeconfig", "/no/such/config"]), &["/no/such/config"]);
    let broken = home.file("broken", "apiVersion: v1\nclusters: [\n");
    refused(&home.run(&["scan", "--kubeconfig", broken.to_str().unwrap()]), &["broken"]);
    refused(&home.run(&["collect", "-o", "-", "--kubeconfig", broken.to_str().unwrap()]), &["broken"]);
    let empty = home.file("empty", &kubeconfig(1, &[], ""));
    refused(&home.run(&["scan", "--kubeconfig", empty.to_str().unwrap()]), &["empty", "context"]);
    // The walk-through says so before it takes the terminal.
    refused(&home.run(&["--kubeconfig", broken.to_str().unwrap()]), &["broken"]);
}

#[test]
fn a_wrong_context_names_those_there_are() {
    let home = Home::new();
    home.file(".kube/config", &kubeconfig(1, &["edge-042", "edge-043"], "edge-042"));
    refused(&home.run(&["scan", "--context", "edge-42"]), &["edge-42", "edge-042", "edge-043"]);
    let other = home.file("other", &kubeconfig(1, &["lab"], ""));
    refused(&home.run(&["scan", "--kubeconfig", other.to_str().unwrap()]), &["--context", "lab"]);
    let site = home.file("site.toml", "[cluster]\ncontext = \"edge-44\"\n");
    refused(&home.run(&["scan", "--site", site.to_str().unwrap()]), &["edge-44", "edge-042"]);
}

#[test]
fn a_broken_default_is_told_and_never_passed_over_in_silence() {
    let home = Home::new();
    home.file(".kube/config", "{{{{");
    refused(&home.run(&["scan"]), &[".kube/config", "--no-cluster", "--local"]);
    refused(&home.run(&["collect", "-o", "-"]), &[".kube/config", "--no-cluster"]);
}

#[test]
fn options_about_clusters_that_contradict_each_other_are_refused() {
    let home = Home::new();
    home.file(".kube/config", &kubeconfig(1, &["edge"], "edge"));
    refused(&home.run(&["scan", "--no-cluster", "--context", "edge"]), &["--no-cluster", "--context"]);
    refused(&home.run(&["scan", "--demo", "--context", "edge"]), &["--demo", "--context"]);
    refused(&home.run(&["scan", "--evidence", "x", "--kubeconfig", "y"]), &["--evidence", "--kubeconfig"]);
    refused(&home.run(&["scan", "--local", "--azure"]), &["--azure", "--local", "--context"]);
    refused(&home.run(&["--context", "edge", "controls"]), &["--context", "controls"]);
    refused(&home.run(&["scan", "--context", "edge", "--azure-json", "/no/such"]), &["/no/such"]);
}

#[test]
fn an_api_that_cannot_be_reached_makes_the_scan_incomplete() {
    let home = Home::new();
    // Port 1 of this machine: nothing listens there.
    home.file(".kube/config", &kubeconfig(1, &["edge", "other"], "edge"));
    for arguments in [&["scan"][..], &["scan", "--context", "edge"], &["--context", "edge", "scan"]] {
        let output = home.run(&[arguments, &["--format", "json", "--no-endpoints"]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        let findings = document(&output);
        assert_eq!(findings["summary"]["incomplete"], true);
        assert_eq!(findings["cluster"]["context"], "edge");
        let targets = findings["targets"].as_array().unwrap();
        let cluster = targets.iter().find(|target| target["id"] == "cluster").unwrap();
        assert_eq!(cluster["reached"], false);
        assert!(cluster["errors"][0]["message"].as_str().unwrap().contains("127.0.0.1"), "{cluster}");
        assert!(!targets.iter().any(|target| target["kind"] == "node"), "nothing else was named: {targets:?}");
        let of_cluster = |finding: &&Value| finding["target"] == "cluster";
        let all = findings["findings"].as_array().unwrap();
        assert!(all.iter().filter(of_cluster).all(|finding| finding["verdict"] != "pass"), "never a pass");
    }
    let collected = home.run(&["collect", "-o", "-", "--no-endpoints"]);
    assert_eq!(collected.status.code(), Some(3));
    assert!(err(&collected).contains("sitewarden: cluster: "), "{}", err(&collected));
    let evidence = document(&collected);
    assert_eq!((&evidence["cluster"]["reached"], &evidence["nodes"]), (&Value::Bool(false), &serde_json::json!([])));
    assert!(!out(&collected).contains("not-a-real-token"));
}

#[test]
fn with_only_a_node_no_cluster_is_asked() {
    let home = Home::new();
    home.file(".kube/config", &kubeconfig(1, &["edge"], "edge"));
    let output = home.run(&["scan", "--node", "127.0.0.1:1", "--no-endpoints", "--format", "json"]);
    let findings = document(&output);
    assert_eq!(findings["cluster"], Value::Null);
    assert!(!findings["targets"].as_array().unwrap().iter().any(|target| target["id"] == "cluster"));
    let both = home.run(&["scan", "--context", "edge", "--node", "127.0.0.1:1", "--no-endpoints", "--format", "json"]);
    let targets = document(&both)["targets"].as_array().unwrap().clone();
    let ids: Vec<&str> = targets.iter().map(|target| target["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"cluster") && ids.contains(&"node/127.0.0.1:1"), "{ids:?}");
}

#[test]
fn a_site_file_names_the_cluster_and_what_it_is() {
    let home = Home::new();
    home.file("kube", &kubeconfig(1, &["edge"], "edge"));
    let site = home.file("site.toml", "[cluster]\nkubeconfig = \"kube\"\nplatform = \"rke2\"\nno_endpoints = true\n");
    let output = home.run(&["scan", "--site", site.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    assert_eq!(document(&output)["cluster"]["context"], "edge");
    let wrong = home.file("wrong.toml", "[cluster]\nplatform = \"rk2\"\n");
    refused(&home.run(&["scan", "--site", wrong.to_str().unwrap()]), &["wrong.toml:2", "did you mean \"rke2\""]);
}

#[test]
fn evidence_of_nothing_but_a_cluster_is_something() {
    let home = Home::new();
    let evidence = home.file(
        "evidence.json",
        r#"{"schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"},
            "started": "2026-08-22T10:00:00Z", "finished": "2026-08-22T10:00:05Z",
            "seat": {"host": "laptop", "user": "ana"}, "nodes": [],
            "cluster": {"context": "edge", "uid": "1b4e28ba", "reached": true, "complete": true}}"#,
    );
    let output = home.run(&["scan", "--evidence", evidence.to_str().unwrap()]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", err(&output));
    assert_eq!(err(&output), "");
    assert!(out(&output).contains("identity  kube-system 1b4e28ba"), "{}", out(&output));
}

#[test]
fn without_a_kubeconfig_this_machine_is_looked_at() {
    let home = Home::new();
    let output = home.run(&["collect", "-o", "-", "--no-endpoints", "--no-packages"]);
    let evidence = document(&output);
    assert!(evidence.get("cluster").is_none(), "{evidence}");
    assert_eq!(evidence["nodes"][0]["channel"], "local");
}
