//! What somebody without this program gets: it reads, it runs, and the way back works.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::remedy::{Plan, Risk, Work};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn plan(change: NodeChange) -> Prepared {
    let plan = Plan {
        controls: vec!["kubelet-config-mode".to_owned()],
        target: "node/edge1".to_owned(),
        title: "Only root \u{1b}[31mreads\nit".to_owned(),
        work: Work::Node(Vec::new()),
        notes: vec!["A note".to_owned()],
    };
    Prepared::of_change(plan, change)
}

/// A change of two files in a folder, and lines that leave a trace.
fn change(folder: &Path) -> NodeChange {
    use std::os::unix::fs::MetadataExt as _;
    let text = folder.join("it's.conf");
    std::fs::write(&text, "old\n").unwrap();
    let meta = std::fs::metadata(&text).unwrap();
    let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
    let before = State::File { sha256: sha256(b"old\n"), mode, uid, gid };
    let contents = b"END\n$(touch /tmp/never)\n".to_vec();
    let binary = folder.join("new.bin");
    let reloaded = quoted(folder.join("reloaded").to_str().unwrap());
    NodeChange {
        files: vec![
            FileChange::contents(text.to_str().unwrap(), before, Some(b"old\n".to_vec()), contents, None),
            FileChange::contents(binary.to_str().unwrap(), State::Absent, None, vec![0, 255, 10], Some(0o640)),
        ],
        activate: vec![format!("touch {reloaded}")],
        holds: vec![format!("[ -f {reloaded} ]")],
        deactivate: vec![format!("rm -f {reloaded}")],
        within: 2,
        risk: Risk::Disruptive,
        delay: 60,
        ..NodeChange::default()
    }
}

fn run(script: &str) -> (bool, String) {
    let mut child =
        Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The script as anybody may run it here: copies go into the folder instead of root's home.
fn here(script: &str, folder: &Path) -> String {
    script
        .replace("mktemp -d /root/", &format!("mktemp -d {}/", folder.display()))
        .replace("[ \"$(id -u)\" = 0 ]", "true")
}

#[test]
fn the_script_changes_what_the_plan_says_and_its_last_lines_take_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = plan(change(folder.path()));
    let script = here(&script(&prepared).unwrap(), folder.path());
    let (fine, said) = run(&script);
    assert!(fine && said.contains("Done."), "{said}");
    let text = || std::fs::read_to_string(folder.path().join("it's.conf")).unwrap();
    assert_eq!(text(), "END\n$(touch /tmp/never)\n");
    assert_eq!(std::fs::read(folder.path().join("new.bin")).unwrap(), [0, 255, 10]);
    let keep = said.trim().rsplit(' ').next().unwrap().to_owned();
    let back = script.lines().filter_map(|line| line.strip_prefix("#   ")).collect::<Vec<_>>().join("\n");
    let (fine, said) = run(&format!("KEEP={keep}\n{back}\n"));
    assert!(fine, "{said}");
    assert_eq!(text(), "old\n");
    assert!(!folder.path().join("new.bin").exists() && !folder.path().join("reloaded").exists());
}

#[test]
fn a_file_that_has_changed_stops_the_script_before_anything_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = plan(change(folder.path()));
    std::fs::write(folder.path().join("it's.conf"), "somebody else's\n").unwrap();
    let (fine, said) = run(&here(&script(&prepared).unwrap(), folder.path()));
    assert!(!fine && said.contains("is not as it was") && said.contains("Nothing was changed"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("it's.conf")).unwrap(), "somebody else's\n");
}

#[test]
fn what_is_not_accepted_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let refused = vec![Validate::Line { line: "false".to_owned() }];
    let prepared = plan(NodeChange { validate: refused, ..change(folder.path()) });
    let (fine, said) = run(&here(&script(&prepared).unwrap(), folder.path()));
    assert!(!fine && said.contains("would not be accepted"), "{said}");
    let left = |name: &str| folder.path().join(name).exists();
    assert!(!left(".sitewarden-new.it's.conf") && !left(".sitewarden-new.new.bin") && !left("new.bin"));
}

#[test]
fn a_check_that_fails_brings_the_old_state_back() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = plan(NodeChange { holds: vec!["false".to_owned()], within: 1, ..change(folder.path()) });
    let (fine, said) = run(&here(&script(&prepared).unwrap(), folder.path()));
    assert!(!fine && said.contains("put back"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("it's.conf")).unwrap(), "old\n");
}

#[test]
fn it_says_what_it_does_not_do() {
    let prepared = Prepared::sample("edge1", Risk::CanLockOut, 90);
    let script = script(&prepared).unwrap().replace("\n# ", " ");
    assert!(script.contains("arms no switch on the node") && script.contains("no second login"), "{script}");
    assert!(super::script(&Prepared::sample_manual("edge1")).is_none());
}

#[test]
fn shellcheck_has_nothing_to_say() {
    // Left out where it is not installed.
    if Command::new("shellcheck").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sshd = Validate::Sshd {
        sshd: "/usr/sbin/sshd".to_owned(),
        main: "/etc/ssh/sshd_config".to_owned(),
        wants: vec!["permitrootlogin no".to_owned()],
        connections: vec![String::new(), "user=root,addr=10.0.0.9".to_owned()],
    };
    let by_mode = FileChange::attributes(
        "/etc/kubernetes/a b.conf",
        State::File { sha256: String::new(), mode: 0o644, uid: 1, gid: 0 },
        0o600,
        0,
        0,
    );
    let mut all = NodeChange { validate: vec![sshd], ..change(folder.path()) };
    all.files.push(by_mode);
    let checked = NodeChange { holds: vec!["listens 22".to_owned(), "unit_up kubelet 5".to_owned()], ..all.clone() };
    let keep = |at: &str| Validate::Keep {
        what: "it's all".to_owned(),
        at: at.to_owned(),
        line: "cp /a \"$KEPT\"".to_owned(),
    };
    let renewed = NodeChange {
        validate: vec![keep("a.db"), keep("/var/lib/sitewarden/copies")],
        activate: vec!["pod_again etcd /m/etcd.yaml 9 'listens 2379'".to_owned()],
        deactivate: vec![
            "manifests_in /m/etcd.yaml".to_owned(),
            "certificates_from /var/lib/sitewarden/copies/old".to_owned(),
        ],
        ..checked.clone()
    };
    let sealed = NodeChange {
        folders: vec!["/etc/a b".to_owned()],
        before_change: vec!["key_there /k.yaml".to_owned()],
        before_back: vec!["secrets_plain /k.yaml /m/api.yaml 9 '' /registry 'listens 6443'".to_owned()],
        ..checked.clone()
    };
    for change in [all, checked, renewed, sealed] {
        let text = script(&plan(change)).unwrap();
        let mut child = Command::new("shellcheck")
            .args(["-s", "sh", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let found = child.wait_with_output().unwrap();
        assert!(found.status.success(), "{}\n{text}", String::from_utf8_lossy(&found.stdout));
    }
}

#[test]
fn markdown_stays_a_document_whatever_stands_in_the_files() {
    let mut change = NodeChange {
        files: vec![FileChange::contents("/a", State::Absent, None, b"````\n# not a heading\n".to_vec(), None)],
        ..NodeChange::default()
    };
    change.why.push("One\n# heading".to_owned());
    let text = markdown(&plan(change));
    assert!(text.starts_with("# Only root [31mreads it\n"), "{text}");
    assert!(text.contains("`````diff\n") && text.contains("- One # heading\n"), "{text}");
    assert!(!text.contains('\u{1b}'));
    let manual = markdown(&Prepared::sample_manual("edge1"));
    assert!(manual.contains("Install the next release") && manual.contains("runs none of them"), "{manual}");
}

#[test]
fn a_plan_with_its_node_emptied_is_no_script_of_the_node() {
    let plain = Prepared::sample_updates("edge1");
    assert!(script(&plain).is_some());
    let text = markdown(&plain);
    assert!(text.contains("no way back by this program") && !text.contains("sitewarden undo"), "{text}");
    let emptied = plain.with_drain(crate::remedy::Drain::sample("edge1"));
    assert!(script(&emptied).is_none(), "the API is not on the node");
    assert!(markdown(&emptied).contains("emptyDir"));
}
