//! What is kept stays kept: opening, adding, folding, two at once, a writer that is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use jiff::Timestamp;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn event(entry: &str, second: i64, kind: EventKind) -> Event {
    Event { entry: entry.to_owned(), at: time(second), operator: "ana".to_owned(), seat: "ana@laptop".to_owned(), kind }
}

pub(super) fn begun(entry: &str, second: i64) -> Event {
    undoing(entry, second, None)
}

fn undoing(entry: &str, second: i64, undo: Option<&str>) -> Event {
    event(
        entry,
        second,
        EventKind::Begun {
            site: Some("uid-1".to_owned()),
            target: "node/edge-1".to_owned(),
            controls: vec!["sshd-root-login".to_owned()],
            title: "Nobody logs in as root".to_owned(),
            risk: "can-lock-out".to_owned(),
            plan_digest: "d1".to_owned(),
            commands: vec!["systemctl reload ssh".to_owned()],
            paths: vec!["/etc/ssh/sshd_config.d/00-sitewarden.conf".to_owned()],
            undo: undo.map(str::to_owned),
        },
    )
}

pub(super) fn step(entry: &str, second: i64, output: &str) -> Event {
    let what = "reload sshd".to_owned();
    event(entry, second, EventKind::Step { number: 1, what, status: Some(0), output: output.to_owned() })
}

pub(super) fn ended(entry: &str, second: i64, outcome: Outcome) -> Event {
    let change = FileChange { path: "/etc/x".to_owned(), before: None, after: Some("sha256:00 0600 0:0".to_owned()) };
    let (before, after) = (Some("fail".to_owned()), Some("pass".to_owned()));
    event(entry, second, EventKind::Ended { outcome, before, after, files: vec![change], note: String::new() })
}

#[test]
fn what_was_added_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("state/sitewarden");
    assert!(Store::open_existing(&dir).unwrap().is_none());
    assert!(!dir.exists(), "to look makes nothing");
    let events = [begun("a-1", 0), step("a-1", 1, "line\n\u{1b}[31m\u{0}\u{fc}"), ended("a-1", 2, Outcome::Done)];
    let mut store = Store::open(&dir).unwrap();
    let kept: Vec<Row> = events.iter().map(|event| store.append(event).unwrap()).collect();
    drop(store);
    let store = Store::open_existing(&dir).unwrap().unwrap();
    assert_eq!(store.rows().unwrap(), kept);
    assert_eq!(kept.iter().map(|row| row.event.clone()).collect::<Vec<_>>(), events);
    assert_eq!(kept.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(kept[0].previous, ZEROS);
    assert_eq!(store.head().unwrap(), Head { rows: 3, hash: kept[2].hash.clone() });
    assert_eq!(store.verify(Some(&kept[1].hash)).unwrap().problems, []);
}

#[cfg(unix)]
#[test]
fn the_journal_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("sitewarden");
    let file = Store::open(&dir).unwrap().file().to_owned();
    assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&dir).unwrap();
    assert_eq!(mode(&file), 0o600);
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    std::os::unix::fs::symlink(&file, other.join("journal.sqlite")).unwrap();
    assert!(Store::open(&other).unwrap_err().to_string().contains("no regular file"));
    assert!(Store::open_existing(&other).is_err());
}

#[test]
fn a_file_that_is_no_journal_of_this_version_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.sqlite");
    let refused = |words: &[&str]| {
        let before = fs::read(&file).unwrap();
        for error in [Store::open(folder.path()).unwrap_err(), Store::open_existing(folder.path()).unwrap_err()] {
            let text = error.to_string();
            for word in [file.to_str().unwrap()].iter().chain(words) {
                assert!(text.contains(word), "{word:?} is not in {text:?}");
            }
        }
        assert_eq!(fs::read(&file).unwrap(), before);
        fs::remove_file(&file).unwrap();
    };
    let changed = |sql: &str| {
        Store::open(folder.path()).unwrap().append(&begun("a", 0)).unwrap();
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    };
    fs::write(&file, "not a database, but long enough to be taken for one".repeat(100)).unwrap();
    refused(&["damaged", "keep the file"]);
    changed("PRAGMA user_version = 2");
    refused(&["newer", "use that one"]);
    changed("CREATE TRIGGER t AFTER INSERT ON journal BEGIN DELETE FROM journal; END");
    refused(&["form was changed", "move it away"]);
    changed("DROP TABLE journal; CREATE VIEW journal AS SELECT 1 AS number, 'x' AS body, '' AS previous, '' AS hash");
    refused(&["form was changed"]);
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE notes (a)").unwrap();
    refused(&["another program"]);
    // The end of the file is gone: it may open, but nothing is made of it.
    changed("");
    fs::write(&file, &fs::read(&file).unwrap()[..5000]).unwrap();
    match Store::open_existing(folder.path()) {
        Err(error) => assert!(error.to_string().contains("damaged"), "{error}"),
        Ok(store) => assert_ne!(store.unwrap().verify(None).unwrap().problems, []),
    }
}

#[test]
fn a_place_that_takes_no_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("file");
    fs::write(&taken, "").unwrap();
    let error = Store::open(&taken.join("state")).unwrap_err().to_string();
    assert!(error.contains(taken.to_str().unwrap()) && error.contains("another folder"), "{error}");
}

#[test]
fn an_empty_file_is_a_journal_that_was_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("journal.sqlite"), "").unwrap();
    assert!(Store::open_existing(folder.path()).unwrap().is_none());
    Store::open(folder.path()).unwrap().append(&begun("a", 0)).unwrap();
    assert_eq!(Store::open_existing(folder.path()).unwrap().unwrap().head().unwrap().rows, 1);
}

#[test]
fn rows_fold_into_entries_and_an_undo_that_was_done_shows_on_what_it_took_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for event in [
        begun("20261126T074501-aaaaaa", 0),
        begun("20261126T074501-abbbbb", 0),
        step("20261126T074501-aaaaaa", 1, "one"),
        ended("20261126T074501-aaaaaa", 2, Outcome::Unknown),
        ended("20261126T074501-aaaaaa", 3, Outcome::Done),
        undoing("20261126T074502-cccccc", 4, Some("20261126T074501-aaaaaa")),
        undoing("20261126T074503-dddddd", 4, Some("20261126T074501-abbbbb")),
        ended("20261126T074502-cccccc", 5, Outcome::Done),
        ended("20261126T074503-dddddd", 5, Outcome::Failed),
    ] {
        store.append(&event).unwrap();
    }
    let entries = store.entries().unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.outcome(), e.is_unfinished(), e.undone_by.as_deref())).collect();
    assert_eq!(
        told,
        [
            (Some(Outcome::Done), false, Some("20261126T074502-cccccc")),
            (None, true, None),
            (Some(Outcome::Done), false, None),
            (Some(Outcome::Failed), false, None),
        ]
    );
    assert_eq!(entries[0].steps.len(), 2, "the step, and the end that counts no more");
    assert_eq!((entries[0].target(), entries[0].controls().len()), ("node/edge-1", 1));
    let id = |given: &str| store.entry(given).unwrap().map(|entry| entry.id);
    assert_eq!(id("20261126T074501-aa").as_deref(), Some("20261126T074501-aaaaaa"));
    assert_eq!(id("20261126T074509"), None);
    let error = store.entry("20261126T074501-a").unwrap_err().to_string();
    assert!(error.contains("20261126T074501-aaaaaa, 20261126T074501-abbbbb"), "{error}");
    assert!(matches!(store.entry("a%\u{1b}"), Err(StoreError::EntryName(_))));
}

#[test]
fn a_name_that_is_the_beginning_of_another_is_still_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.append(&begun("a-1", 0)).unwrap();
    store.append(&begun("a-12", 0)).unwrap();
    assert_eq!(store.entry("a-1").unwrap().unwrap().id, "a-1");
}

#[test]
fn what_belongs_to_no_entry_is_refused_and_leaves_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    assert!(matches!(store.append(&step("a", 0, "")), Err(StoreError::NotBegun { .. })));
    store.append(&begun("a", 0)).unwrap();
    assert!(matches!(store.append(&begun("a", 1)), Err(StoreError::BegunTwice { .. })));
    // An output that looks like the beginning of a row begins nothing.
    store.append(&step("a", 1, "{\"entry\":\"b\",")).unwrap();
    assert!(matches!(store.append(&step("b", 2, "")), Err(StoreError::NotBegun { .. })));
    assert!(matches!(store.append(&begun("", 2)), Err(StoreError::EntryName(_))));
    let mut long = begun("c", 2);
    if let EventKind::Begun { commands, .. } = &mut long.kind {
        commands.push("x".repeat(ROW_LIMIT));
    }
    assert!(matches!(store.append(&long), Err(StoreError::TooLong { .. })));
    assert_eq!(store.verify(None).unwrap().head.rows, 2);
}

#[test]
fn an_endless_output_is_cut_in_the_row_that_is_given_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.append(&begun("a", 0)).unwrap();
    let row = store.append(&step("a", 1, &"\u{7}".repeat(1 << 20))).unwrap();
    let EventKind::Step { output, .. } = &row.event.kind else { panic!("{row:?}") };
    assert!(output.len() <= OUTPUT_LIMIT && output.contains("bytes left out"));
    assert_eq!(store.rows().unwrap()[1], row);
}

#[test]
fn names_of_entries_sort_by_time_and_differ() {
    let ids: Vec<String> = (0..200).map(|at| new_entry_id(time(at / 100)).unwrap()).collect();
    assert!(ids[0].starts_with("20261118T") && ids[0].len() == 22, "{}", ids[0]);
    assert!(ids.iter().all(|id| entry::is_name(id)));
    assert!(ids[..100].iter().all(|early| ids[100..].iter().all(|late| early < late)));
    assert!(ids.iter().collect::<std::collections::HashSet<_>>().len() > 195);
}

/// A program that others here start, told what to do by the environment.
#[test]
#[ignore = "writes as another program; the other tests start it"]
fn as_another_program() {
    let (Some(dir), Some(name)) = (std::env::var_os("JOURNAL_DIR"), std::env::var_os("JOURNAL_NAME")) else { return };
    let name = name.into_string().unwrap();
    let rows: i64 = std::env::var("JOURNAL_ROWS").unwrap().parse().unwrap();
    let mut store = Store::open(Path::new(&dir)).unwrap();
    store.append(&begun(&name, 0)).unwrap();
    for number in 1..rows {
        let row = store.append(&step(&name, number, &"output ".repeat(500))).unwrap();
        // Past what the test harness captures.
        let line = format!("kept {} {}\n", row.number, row.hash);
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    }
}

fn another_program(dir: &Path, name: &str, rows: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", "--nocapture", "store::journal_tests::as_another_program"])
        .env("JOURNAL_DIR", dir)
        .env("JOURNAL_NAME", name)
        .env("JOURNAL_ROWS", rows.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

#[test]
fn two_programs_and_two_threads_that_write_at_once_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new");
    let children: Vec<_> = ["p-1", "p-2"].map(|name| another_program(&dir, name, 50).spawn().unwrap()).into();
    std::thread::scope(|scope| {
        for name in ["t-1", "t-2"] {
            let dir = &dir;
            scope.spawn(move || {
                let mut store = Store::open(dir).unwrap();
                store.append(&begun(name, 0)).unwrap();
                for number in 1..50 {
                    store.append(&step(name, number, "")).unwrap();
                }
            });
        }
    });
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let store = Store::open_existing(&dir).unwrap().unwrap();
    let found = store.verify(None).unwrap();
    assert_eq!((found.problems.as_slice(), found.head.rows), ([].as_slice(), 200));
    let entries = store.entries().unwrap();
    assert_eq!(entries.iter().map(|entry| entry.steps.len()).collect::<Vec<_>>(), [49; 4]);
}

#[test]
fn a_writer_that_is_killed_loses_nothing_that_it_was_told_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut told: Vec<(u64, String)> = Vec::new();
    for run in 0..12_usize {
        let mut child = another_program(folder.path(), &format!("k-{run}"), 100_000).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut take = |most: usize| {
            let kept = lines.by_ref().filter_map(|line| {
                let (number, hash) = line.split_once("kept ")?.1.split_once(' ')?;
                Some((number.parse::<u64>().unwrap(), hash.to_owned()))
            });
            told.extend(kept.take(most));
        };
        take(run + 1);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it was told and could still say.
        take(usize::MAX);
    }
    let store = Store::open_existing(folder.path()).unwrap().unwrap();
    assert_eq!(store.verify(None).unwrap().problems, []);
    let rows = store.rows().unwrap();
    assert!(told.len() > 12);
    for (number, hash) in told {
        assert_eq!(rows[usize::try_from(number).unwrap() - 1].hash, hash);
    }
}

#[test]
fn a_write_that_was_begun_and_never_ended_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let kept = store.append(&begun("a", 0)).unwrap();
    let other = Connection::open(store.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO journal VALUES (2, 'x', 'x', 'x')").unwrap();
    assert_eq!(store.rows().unwrap(), [kept]);
    drop(other);
    assert_eq!(store.append(&step("a", 1, "")).unwrap().number, 2);
    assert_eq!(store.verify(None).unwrap().problems, []);
}
