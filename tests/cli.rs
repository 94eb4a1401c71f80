//! The program as a person or a script meets it: what it prints, where, and with which status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut child =
        program(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
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

/// Evidence of one node, of which nothing is known but this.
fn evidence(node: &str) -> String {
    format!(
        r#"{{"schema": "sitewarden.evidence/v1", "tool": {{"name": "sitewarden", "version": "0"}},
            "started": "2026-08-22T10:00:00Z", "finished": "2026-08-22T10:00:05Z",
            "seat": {{"host": "laptop", "user": "ana"}}, "nodes": [{node}]}}"#
    )
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["scan", "collect", "controls", "explain", "schema", "--node", "--local", "--as-of", "Exit status"] {
        assert!(out(&help).contains(word), "{word}");
    }
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(out(&version), format!("sitewarden {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_mistyped_subcommand_or_option_names_its_neighbour() {
    refused(&run(&["scann"]), &["scan"]);
    refused(&run(&["scan", "--lcoal"]), &["--local"]);
    refused(&run(&["scan", "--fail-on", "hihg"]), &["high"]);
    refused(&run(&["--kubeconfg", "x"]), &["--kubeconfig"]);
}

#[test]
fn a_mistyped_section_or_control_names_its_neighbour() {
    refused(&run(&["scan", "--demo", "--section", "node-acess"]), &["node-acess", "did you mean node-access"]);
    refused(&run(&["scan", "--demo", "--control", "no-such-control"]), &["no-such-control", "sitewarden controls"]);
    refused(&run(&["explain", "no-such-control"]), &["no-such-control", "sitewarden controls"]);
    let controls: Value = serde_json::from_str(&out(&run(&["controls", "--format", "json"]))).unwrap();
    if let Some(id) = controls["controls"][0]["id"].as_str() {
        let mistyped = format!("{id}x");
        refused(&run(&["explain", &mistyped]), &[&format!("did you mean {id}")]);
    }
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    refused(&run(&["--node", "a", "controls"]), &["--node", "controls"]);
    refused(&run(&["scan", "--demo", "--node", "a"]), &["--demo", "--node"]);
    refused(&run(&["--demo", "scan", "--evidence", "x"]), &["--demo", "--evidence"]);
    refused(&run(&["scan", "--node", "ana@a", "--node", "bea@a"]), &["two targets"]);
}

#[test]
fn a_target_that_is_none_is_refused_with_how_to_write_it() {
    refused(&run(&["scan", "--node", "ana@:22"]), &["[USER@]HOST[:PORT]"]);
    refused(&run(&["scan", "--node", "a:0"]), &["port"]);
    refused(&run(&["scan", "--node", "a", "--identity", "/no/such/key"]), &["/no/such/key"]);
    refused(&run(&["scan", "--node", "a", "--accept-host-key", "SHA256:x"]), &["fingerprint"]);
}

#[test]
fn the_demo_gives_findings_with_every_key_and_the_same_every_time() {
    let first = run(&["scan", "--demo", "--format", "json"]);
    assert!(matches!(first.status.code(), Some(0 | 1 | 3)), "{}", err(&first));
    let findings: Value = serde_json::from_str(&out(&first)).unwrap();
    for key in [
        "schema",
        "tool",
        "site",
        "seat",
        "operator",
        "profile",
        "catalog_digest",
        "lifecycle_date",
        "platform",
        "started",
        "finished",
        "targets",
        "findings",
        "summary",
    ] {
        assert!(findings.get(key).is_some(), "{key}");
    }
    assert_eq!(findings["schema"], "sitewarden.findings/v1");
    assert_eq!(findings["as_of"], findings["finished"], "the demo is assessed for its own time");
    assert!(findings["summary"]["incomplete"].is_boolean());
    assert!(out(&first).ends_with("}\n"));
    assert_eq!(first.stdout, run(&["--demo", "scan", "--format", "json"]).stdout);
}

#[test]
fn the_demo_as_text_fits_the_console_and_is_plain_where_no_terminal_is() {
    let output = run(&["scan", "--demo"]);
    let text = out(&output);
    assert!(text.contains("Summary"), "{text}");
    assert!(text.is_ascii() && !text.contains('\x1b'), "{text}");
    for line in text.lines() {
        assert!(line.len() <= 80, "{line}");
    }
    assert_eq!(err(&output), "", "no progress where standard error is no terminal");
}

#[test]
fn evidence_can_come_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let text = evidence(r#"{"name": "n1", "channel": "ssh", "reached": true, "complete": true}"#);
    let file = written(folder.path(), "evidence.json", &text);
    let options = ["--as-of", "2026-09-01", "--format", "json"];
    let by_file = run(&[&["scan", "--evidence", &file][..], &options].concat());
    let by_input = run_with_input(&[&["scan", "--evidence", "-"][..], &options].concat(), &text);
    assert!(matches!(by_file.status.code(), Some(0 | 1)), "{}", err(&by_file));
    assert_eq!(by_file.stdout, by_input.stdout);
    let findings: Value = serde_json::from_str(&out(&by_file)).unwrap();
    assert_eq!(findings["as_of"], "2026-09-01T00:00:00Z");
    assert_eq!(findings["seat"]["user"], "ana", "the seat is where the evidence was collected");
}

#[test]
fn evidence_without_a_node_is_no_success() {
    let output = run_with_input(&["scan", "--evidence", "-"], &evidence(""));
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("no node and no cluster"));
}

#[test]
fn evidence_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = written(folder.path(), "other.json", &evidence("").replace("evidence/v1", "evidence/v9"));
    refused(&run(&["scan", "--evidence", &other]), &["other.json", "sitewarden.evidence/v9", "collect again"]);
    let cut = written(folder.path(), "cut.json", &evidence("")[..60]);
    refused(&run(&["scan", "--evidence", &cut]), &["cut.json", "sitewarden collect"]);
    let text = written(folder.path(), "text.json", "not \u{1b}[31m json");
    refused(&run(&["scan", "--evidence", &text]), &["text.json"]);
    fs::write(folder.path().join("bytes.json"), b"{\"schema\": \"\xff\xfe\"}").unwrap();
    let bytes = folder.path().join("bytes.json");
    refused(&run(&["scan", "--evidence", bytes.to_str().unwrap()]), &["UTF-8"]);
    refused(&run(&["scan", "--evidence", "/no/such/file"]), &["/no/such/file"]);
    refused(&run(&["scan", "--evidence", folder.path().to_str().unwrap()]), &["directory"]);
}

#[test]
fn nothing_that_evidence_says_acts_on_the_terminal() {
    let nasty = r#"{"name": "\u001b]0;x\u0007\u009b2J\u202e", "channel": "ssh", "reached": false, "complete": false,
        "errors": [{"reason": "timeout", "message": "\u001b[2J"}]}"#;
    for format in ["text", "json"] {
        let output = run_with_input(&["scan", "--evidence", "-", "--format", format, "-v"], &evidence(nasty));
        let acts = |text: String| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!acts(out(&output)) && !acts(err(&output)), "{format}");
    }
    let schema = evidence("").replace("sitewarden.evidence/v1", "\\u001b[2J");
    let output = run_with_input(&["scan", "--evidence", "-"], &schema);
    assert!(!err(&output).contains('\x1b'));
}

#[test]
fn a_time_that_is_none_is_refused() {
    refused(&run(&["scan", "--demo", "--as-of", "yesterday"]), &["yesterday", "2026-08-22"]);
}

#[test]
fn a_result_goes_to_a_file_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("findings.json");
    let name = file.to_str().unwrap();
    let output = run(&["scan", "--demo", "--format", "json", "-o", name]);
    assert!(output.stdout.is_empty(), "{}", out(&output));
    assert_eq!(fs::read(&file).unwrap(), run(&["scan", "--demo", "--format", "json", "-o", "-"]).stdout);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    refused(&run(&["scan", "--demo", "-o", "/no/such/folder/x"]), &["/no/such/folder/x", "-o"]);
    refused(&run(&["collect", "--local", "-o", "/no/such/folder/x"]), &["/no/such/folder/x", "-o"]);
    refused(&run(&["collect", "--local"]), &["--output"]);
}

#[test]
fn a_node_that_cannot_be_reached_is_incomplete_and_named_in_the_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.json");
    // Port 1 of this machine: nothing listens there.
    let node = ["--node", "127.0.0.1:1", "--timeout", "5"];
    let output = run(&[&node[..], &["collect", "-o", file.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    assert!(err(&output).contains("sitewarden: node 127.0.0.1:1: "), "{}", err(&output));
    let document: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(document["nodes"][0]["reached"], false);
    assert_eq!(document["nodes"][0]["name"], "127.0.0.1:1");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let verbose = run(&[&node[..], &["-v", "collect", "-o", "/dev/null"]].concat());
    assert!(err(&verbose).contains("127.0.0.1:1: connecting"), "{}", err(&verbose));
    assert!(err(&verbose).contains("127.0.0.1:1: not reached"), "{}", err(&verbose));
}

#[test]
fn a_site_file_names_the_nodes_and_its_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name = \"plant\"\n[[node]]\nname = \"n1\"\naddress = \"127.0.0.1\"\nport = 1\n";
    let file = written(folder.path(), "site.toml", text);
    let output = run(&["scan", "--site", &file, "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let findings: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(findings["site"]["name"], "plant");
    let targets = findings["targets"].as_array().unwrap();
    assert!(targets.iter().any(|target| target["id"] == "node/n1"), "{targets:?}");
    let wrong = written(folder.path(), "wrong.toml", &text.replace("address", "adress"));
    refused(&run(&["scan", "--site", &wrong]), &["wrong.toml", "adress", "address"]);
    refused(&run(&["scan", "--site", "/no/such/site"]), &["/no/such/site"]);
}

#[test]
fn the_schemas_describe_the_documents() {
    let evidence: Value = serde_json::from_str(&out(&run(&["schema", "evidence"]))).unwrap();
    assert_eq!(evidence["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(evidence["properties"]["nodes"]["type"], "array");
    assert!(evidence["$defs"]["NodeEvidence"]["properties"]["kubelet"].is_object());
    let findings: Value = serde_json::from_str(&out(&run(&["schema", "findings"]))).unwrap();
    assert_eq!(findings["properties"]["findings"]["type"], "array");
    refused(&run(&["schema", "finding"]), &["findings"]);
}

#[test]
fn the_catalog_is_listed_and_every_control_explained() {
    let listed = run(&["controls"]);
    assert_eq!(listed.status.code(), Some(0), "{}", err(&listed));
    assert!(out(&listed).contains("sitewarden explain"));
    assert_eq!(run(&["controls", "--functions"]).status.code(), Some(0));
    let controls: Value = serde_json::from_str(&out(&run(&["controls", "--format", "json"]))).unwrap();
    for control in controls["controls"].as_array().unwrap() {
        let id = control["id"].as_str().unwrap();
        assert!(out(&listed).contains(id), "{id}");
    }
    if let Some(control) = controls["controls"].as_array().unwrap().first() {
        let page = run(&["explain", control["id"].as_str().unwrap()]);
        assert_eq!(page.status.code(), Some(0));
        assert!(out(&page).lines().all(|line| line.chars().count() <= 80), "{}", out(&page));
        for word in ["Why it matters", "What is asked", "What to do", control["severity"].as_str().unwrap()] {
            assert!(out(&page).contains(word), "{word}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program(&["schema", "evidence"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(err(&output), "");
}

#[test]
fn without_a_terminal_the_walk_through_says_what_to_use_instead() {
    let output = run(&["--demo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).starts_with("sitewarden: ") && err(&output).contains("sitewarden scan"), "{}", err(&output));
    refused(&run(&["--size", "80by24"]), &["80x24"]);
}

#[test]
fn accepted_host_keys_are_listed_and_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".local/share/sitewarden");
    let run = |arguments: &[&str]| {
        let mut command = program(arguments);
        command.env("HOME", home.path()).env_remove("XDG_DATA_HOME").output().unwrap()
    };
    let none = run(&["known-hosts"]);
    assert_eq!(none.status.code(), Some(0), "{}", err(&none));
    assert!(out(&none).contains("No host key has been accepted yet"));

    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("known_hosts");
    fs::write(&file, format!("10.0.0.4 {key} accepted 2026-11-23T07:00:00Z\n[edge2]:2222 {key}\n")).unwrap();
    let listed: Value = serde_json::from_slice(&run(&["known-hosts", "--format", "json"]).stdout).unwrap();
    assert_eq!(listed["schema"], "sitewarden.known-hosts/v1");
    assert_eq!(listed["keys"][0]["host"], "10.0.0.4");
    assert_eq!(listed["keys"][0]["accepted"], "2026-11-23T07:00:00Z");
    assert_eq!(listed["keys"][1]["accepted"], Value::Null);

    refused(&run(&["known-hosts", "forget", "edge2"]), &["no accepted key of host", "[edge2]:2222", "known-hosts"]);
    refused(&run(&["--local", "known-hosts"]), &["--local", "known-hosts"]);
    let gone = run(&["known-hosts", "forget", "edge2:2222"]);
    assert_eq!(gone.status.code(), Some(0), "{}", err(&gone));
    let text = out(&gone);
    assert!(text.contains("[edge2]:2222") && text.contains("SHA256:") && text.contains("1 of 2 are left"), "{text}");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("10.0.0.4 {key} accepted 2026-11-23T07:00:00Z\n"));
    let gone = run(&["known-hosts", "forget", "10.0.0.4", "--format", "json"]);
    let gone: Value = serde_json::from_slice(&gone.stdout).unwrap();
    assert_eq!((gone["forgotten"][0]["host"].as_str(), gone["keys"].as_array().unwrap().len()), (Some("10.0.0.4"), 0));
}
