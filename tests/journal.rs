//! `sitewarden journal` as a person meets it, over a journal that the library kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sitewarden::store::{Event, EventKind, FileChange, Outcome, Store};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FIRST: &str = "20261126T074501-3fa9c2";
const UNDO: &str = "20261126T080000-77aa01";
const OPEN: &str = "20261126T081500-0c0c0c";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// `sitewarden journal`, told where it is.
fn journal(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let place = ["journal", "--journal", dir.to_str().unwrap()];
    let output = run(&[&place, arguments].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn event(entry: &str, at: &str, kind: EventKind) -> Event {
    let (operator, seat) = ("ana".to_owned(), "ana@laptop".to_owned());
    Event { entry: entry.to_owned(), at: at.parse().unwrap(), operator, seat, kind }
}

fn begun(entry: &str, at: &str, title: &str, undo: Option<&str>) -> Event {
    event(
        entry,
        at,
        EventKind::Begun {
            site: Some("3f0c".to_owned()),
            target: "node/edge-1".to_owned(),
            controls: vec!["sshd-root-login".to_owned()],
            title: title.to_owned(),
            risk: "can-lock-out".to_owned(),
            plan_digest: "sha256:d1d1".to_owned(),
            commands: vec!["sshd -t\nsystemctl reload ssh".to_owned()],
            paths: vec!["/etc/ssh/sshd_config.d/00-sitewarden.conf".to_owned()],
            undo: undo.map(str::to_owned),
        },
    )
}

fn ended(entry: &str, at: &str, outcome: Outcome) -> Event {
    let after = Some("sha256:9f86d0 0600 0:0".to_owned());
    let files = vec![FileChange { path: "/etc/ssh/sshd_config.d/00-sitewarden.conf".to_owned(), before: None, after }];
    let (before, after) = (Some("fail".to_owned()), Some("pass".to_owned()));
    event(entry, at, EventKind::Ended { outcome, before, after, files, note: String::new() })
}

/// A change with what a hostile node printed, its undo, and a change that was cut off.
fn kept(dir: &Path) -> Store {
    let mut store = Store::open(dir).unwrap();
    let output = "ok\n```\n# Not a heading\n<script>\u{1b}[2J\u{202e}\n".to_owned();
    let step = EventKind::Step { number: 1, what: "reload sshd".to_owned(), status: Some(0), output };
    for event in [
        begun(FIRST, "2026-11-26T07:45:01Z", "Nobody logs in as *root*", None),
        event(FIRST, "2026-11-26T07:45:02Z", step),
        ended(FIRST, "2026-11-26T07:45:03Z", Outcome::Done),
        begun(UNDO, "2026-11-26T08:00:00Z", "Take it back", Some(FIRST)),
        ended(UNDO, "2026-11-26T08:00:01Z", Outcome::Done),
        begun(OPEN, "2026-11-26T08:15:00Z", "Half a change", None),
    ] {
        store.append(&event).unwrap();
    }
    store
}

/// Somebody works on the file with another program.
fn tamper(store: &Store, sql: &str) {
    rusqlite::Connection::open(store.file()).unwrap().execute_batch(sql).unwrap();
}

/// Nothing of what a node sent moves a cursor or turns the writing.
fn harmless(text: &str) {
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
}

#[test]
fn the_list_has_who_changed_what_when_and_how_it_ended_newest_last() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let (status, text, err) = journal(folder.path(), &[]);
    assert_eq!((status, err.as_str()), (0, ""));
    let places: Vec<usize> = [FIRST, UNDO, OPEN].map(|id| text.find(&format!("{id}\n  2026-")).unwrap()).into();
    assert!(places.is_sorted(), "{text}");
    let first = &text[..places[1]];
    for word in
        ["2026-11-26T07:45:01Z", "by ana, from ana@laptop", "node/edge-1", "sshd-root-login", "changed and verified"]
    {
        assert!(first.contains(word), "{word:?} is not in {first}");
    }
    assert!(first.contains(&format!("taken back by {UNDO}")), "{first}");
    assert!(text[places[2]..].contains("not finished"), "{text}");
    assert!(text.contains(&format!("Head {}", store.head().unwrap().hash)), "{text}");
    assert!(text.contains(store.file().to_str().unwrap()), "{text}");
    assert!(text.lines().all(|line| line.len() <= 80 || line.contains("Head") || line.contains("Kept in")), "{text}");
}

#[test]
fn one_entry_is_shown_whole_by_the_beginning_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path());
    let (status, text, _) = journal(folder.path(), &["show", "20261126T07"]);
    assert_eq!(status, 0);
    for word in [
        FIRST,
        "    sshd -t\n    systemctl reload ssh\n",
        "sha256:d1d1",
        "can-lock-out",
        "Step 1: reload sshd",
        "<script>\\x1b[2J\\u{202e}",
        "fail before, pass after",
        "before  no such file",
        "after   sha256:9f86d0 0600 0:0",
        "2026-11-26T07:45:03Z",
    ] {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    harmless(&text);
    let (status, _, err) = journal(folder.path(), &["show", "20261126T08"]);
    assert!(status == 2 && err.contains(UNDO) && err.contains(OPEN), "{err}");
    let (status, _, err) = journal(folder.path(), &["show", "20261126T074501-3fa9c3"]);
    assert!(status == 2 && err.contains(&format!("did you mean {FIRST}")), "{err}");
}

#[test]
fn programs_get_the_same_by_keys_that_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let parsed = |arguments: &[&str]| {
        let (status, text, err) = journal(folder.path(), arguments);
        assert_eq!((status, err.as_str()), (0, ""), "{text}");
        harmless(&text);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let list = parsed(&["--format", "json"]);
    assert_eq!(list["schema"], "sitewarden.journal-entries/v1");
    assert_eq!(list["head"], store.head().unwrap().hash);
    assert_eq!((&list["rows"], &list["problems"]), (&6.into(), &serde_json::json!([])));
    let entries = list["entries"].as_array().unwrap();
    assert_eq!(entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect::<Vec<_>>(), [FIRST, UNDO, OPEN]);
    assert_eq!((&entries[0]["outcome"], &entries[0]["undone_by"]), (&"done".into(), &UNDO.into()));
    assert_eq!((&entries[1]["undo_of"], &entries[1]["ended_by"]), (&FIRST.into(), &"ana".into()));
    assert_eq!((&entries[2]["outcome"], &entries[2]["ended"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert!(entries.iter().all(|entry| entry.get("details").is_none()), "{list}");

    let one = &parsed(&["show", "20261126T07", "--format", "json"])["entries"];
    assert_eq!(one.as_array().unwrap().len(), 1);
    let details = &one[0]["details"];
    assert_eq!(details["commands"], serde_json::json!(["sshd -t\nsystemctl reload ssh"]));
    assert_eq!(details["steps"][0]["output"], "ok\n```\n# Not a heading\n<script>\u{1b}[2J\u{202e}\n");
    assert_eq!(details["files"][0]["after"], "sha256:9f86d0 0600 0:0");

    let schema: serde_json::Value = serde_json::from_slice(&run(&["schema", "journal"]).stdout).unwrap();
    let told = &schema["$defs"]["Told"]["properties"];
    let keys = one[0].as_object().unwrap().keys();
    assert!(keys.clone().count() > 10 && keys.clone().all(|key| told[key]["description"].is_string()), "{told}");

    let (status, _, err) = journal(folder.path(), &["verify", "--format", "json"]);
    assert!(status == 2 && err.contains("only the list and `show`"), "{err}");
    let nowhere = folder.path().join("none");
    let (status, text, _) = journal(&nowhere, &["--format", "json"]);
    let empty: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &empty["entries"], &empty["file"]), (0, &serde_json::json!([]), &serde_json::Value::Null));
    tamper(&store, "UPDATE journal SET body = replace(body, 'ana', 'bea') WHERE number = 2");
    let (status, text, _) = journal(folder.path(), &["--format", "json"]);
    let changed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(status == 1 && changed["problems"][0].as_str().unwrap().contains("row 2 was changed"), "{text}");
}

#[test]
fn verify_gives_the_head_or_everything_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let head = store.head().unwrap().hash;
    let (status, text, _) = journal(folder.path(), &["verify"]);
    assert!(status == 0 && text.contains(&head) && text.contains("6 rows") && text.contains("--head"), "{text}");
    let (status, text, _) = journal(folder.path(), &["verify", "--head", &head]);
    assert!(status == 0 && text.contains(&head), "{text}");
    let (status, _, err) = journal(folder.path(), &["verify", "--head", "12"]);
    assert!(status == 2 && err.contains("64 hexadecimal digits"), "{err}");

    tamper(&store, "DELETE FROM journal WHERE number = 6");
    assert_eq!(journal(folder.path(), &["verify"]).0, 0);
    let (status, text, _) = journal(folder.path(), &["verify", "--head", &head]);
    assert!(status == 1 && text.contains("cut off") && text.contains(&head), "{text}");

    tamper(&store, "UPDATE journal SET body = replace(body, 'ana', 'bea') WHERE number = 2");
    tamper(&store, "DELETE FROM journal WHERE number = 4");
    let (status, text, _) = journal(folder.path(), &["verify"]);
    assert_eq!(status, 1);
    for word in ["row 2 was changed", "row 4 is missing", "row 5 does not follow"] {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    assert!(!text.contains("holds:"), "{text}");
}

#[test]
fn a_journal_that_was_changed_is_never_shown_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    tamper(&store, "UPDATE journal SET body = replace(body, 'ana', 'bea') WHERE number = 2");
    for arguments in [&[][..], &["show", FIRST], &["export"]] {
        let (status, text, _) = journal(folder.path(), arguments);
        assert!(status == 1 && text.contains("Do not rely on this"), "{text}");
    }
    tamper(&store, "UPDATE journal SET body = 'x' WHERE number = 2");
    for arguments in [&[][..], &["show", FIRST], &["export"]] {
        let (status, text, err) = journal(folder.path(), arguments);
        assert!(status == 2 && text.is_empty() && err.contains("row 2") && err.contains("journal verify"), "{err}");
    }
}

#[test]
fn the_hand_over_has_every_entry_and_ends_in_the_head() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let head = store.head().unwrap().hash;
    let file: PathBuf = folder.path().join("hand-over.md");
    let (status, text, _) = journal(folder.path(), &["export", "-o", file.to_str().unwrap()]);
    assert_eq!((status, text.as_str()), (0, ""));
    let text = fs::read_to_string(&file).unwrap();
    for word in [
        "Nobody logs in as \\*root\\*",
        "```text\nsshd -t\nsystemctl reload ssh\n```",
        // What a node printed stays in its block.
        "````text\nok\n```\n# Not a heading\n<script>\\x1b[2J\\u{202e}\n````",
        "  - before: no such file\n  - after: `sha256:9f86d0 0600 0:0`",
        "Verdict after: pass",
        &format!("Takes back: {FIRST}"),
        &format!("taken back by {UNDO}"),
        "not finished",
    ] {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    harmless(&text);
    let end = &text[text.find("## How to check this").unwrap()..];
    let command = end.lines().find(|line| line.starts_with("sitewarden journal verify")).unwrap();
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    assert!(words.contains(&head.as_str()), "{command}");
    assert_eq!(run(&words).status.code(), Some(0), "the command that it names works as it stands: {command}");
    assert_eq!(journal(folder.path(), &["export"]).1, text, "the same journal gives the same document");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn where_nothing_was_kept_nothing_is_made_and_a_head_finds_that_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("none");
    for arguments in [&[][..], &["verify"], &["export"]] {
        let (status, text, _) = journal(&dir, arguments);
        assert!(status == 0 && text.contains("Nothing was"), "{text}");
    }
    let (status, _, err) = journal(&dir, &["show", FIRST]);
    assert!(status == 2 && err.contains(FIRST), "{err}");
    let (status, text, _) = journal(&dir, &["verify", "--head", &"a".repeat(64)]);
    assert!(status == 1 && text.contains("after 0 rows"), "{text}");
    assert!(!dir.exists());
}

#[test]
fn the_usual_place_is_the_state_folder_and_a_foreign_file_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("sitewarden");
    let store = kept(&dir);
    let listed = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
        command.arg("journal").env("XDG_STATE_HOME", folder.path()).stdin(Stdio::null()).output().unwrap()
    };
    // Where the system has no such variable, the place is another one.
    if cfg!(target_os = "linux") {
        assert!(String::from_utf8(listed().stdout).unwrap().contains(FIRST));
    }
    tamper(&store, "PRAGMA user_version = 9");
    let (status, _, err) = journal(&dir, &[]);
    assert!(status == 2 && err.contains("newer sitewarden") && err.contains("journal.sqlite"), "{err}");
    let after = run(&["journal", "verify", "--journal", dir.to_str().unwrap()]);
    assert_eq!(after.status.code(), Some(2), "the option may stand behind the subcommand too");
    assert_eq!(run(&["--local", "journal"]).status.code(), Some(2));
}

#[test]
fn entries_without_an_end_are_listed_with_what_to_name() {
    let dir = tempfile::tempdir().unwrap();
    let resume = || run(&["undo", "--resume", "--journal", dir.path().to_str().unwrap()]);
    let told = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let none = resume();
    assert_eq!((none.status.code(), told(&none).trim()), (Some(0), "Every entry of the journal has its end."));
    let mut store = kept(dir.path());
    let output = resume();
    assert_eq!(output.status.code(), Some(1));
    let listed = told(&output);
    let command = format!("sitewarden undo --resume --node edge-1 --journal {}", dir.path().display());
    assert!(listed.contains(&format!("{OPEN} of node/edge-1: Half a change")) && listed.contains(&command), "{listed}");
    assert!(!listed.contains(FIRST), "{listed}");
    // Contact that was lost is no end of what was done at a node.
    store.append(&ended(OPEN, "2026-11-26T08:16:00Z", Outcome::Unknown)).unwrap();
    assert!(told(&resume()).contains(OPEN));
    store.append(&ended(OPEN, "2026-11-26T08:17:00Z", Outcome::Reverted)).unwrap();
    assert_eq!(resume().status.code(), Some(0));
}
