//! What somebody did to the file is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::journal_tests::{begun, ended, step};
use super::*;
use rusqlite::types::Value;
use std::io::{Seek as _, SeekFrom, Write as _};

/// A journal of two entries in five rows, and the file once more, for whoever tampers with it.
fn journal(dir: &Path) -> (Store, Connection, Vec<Row>) {
    let mut store = Store::open(dir).unwrap();
    let events = [
        begun("a", 0),
        step("a", 1, "out \u{fc}"),
        ended("a", 2, Outcome::Done),
        begun("b", 3),
        ended("b", 4, Outcome::Refused),
    ];
    let rows = events.iter().map(|event| store.append(event).unwrap()).collect();
    let tamper = Connection::open(store.file()).unwrap();
    // Nothing here has to survive a power cut.
    tamper.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").unwrap();
    (store, tamper, rows)
}

fn problems(store: &Store, head: Option<&str>) -> Vec<Problem> {
    store.verify(head).unwrap().problems
}

#[test]
fn every_changed_byte_of_every_row_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (store, tamper, rows) = journal(folder.path());
    let mut changes = 0;
    for row in &rows {
        for column in ["body", "previous", "hash"] {
            let number = i64::try_from(row.number).unwrap();
            let of = format!("SELECT CAST({column} AS BLOB) FROM journal WHERE number = ?1");
            let whole: Vec<u8> = tamper.query_row(&of, [number], |row| row.get(0)).unwrap();
            let set = format!("UPDATE journal SET {column} = CAST(?2 AS TEXT) WHERE number = ?1");
            for at in 0..whole.len() {
                // One bit, the case of a letter, and a byte that is no text.
                for flip in [0x01, 0x20, 0xff] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= flip;
                    tamper.execute(&set, (number, bytes)).unwrap();
                    let found = problems(&store, None);
                    assert!(!found.is_empty(), "{column} of row {number}, byte {at} ^ {flip:#x}");
                    changes += 1;
                }
            }
            tamper.execute(&set, (number, whole)).unwrap();
        }
    }
    assert!(changes > 3000, "{changes}");
    assert_eq!(problems(&store, None), []);
}

#[test]
fn a_row_that_is_missing_doubled_or_moved_is_found() {
    let removed = |number: i64| {
        let folder = tempfile::tempdir().unwrap();
        let (store, tamper, rows) = journal(folder.path());
        tamper.execute("DELETE FROM journal WHERE number = ?1", [number]).unwrap();
        // Also where those behind it move up.
        let gap = problems(&store, Some(&rows[4].hash));
        tamper.execute("UPDATE journal SET number = -number WHERE number > ?1", [number]).unwrap();
        tamper.execute_batch("UPDATE journal SET number = -number - 1 WHERE number < 0").unwrap();
        (gap, problems(&store, Some(&rows[4].hash)))
    };
    for number in 1..=4 {
        let (gap, moved) = removed(number);
        assert!(gap.contains(&Problem::Missing { first: number, last: number }), "{gap:?}");
        assert!(moved.contains(&Problem::Unlinked { row: number }), "{moved:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, tamper, _) = journal(folder.path());
    tamper.execute_batch("UPDATE journal SET number = 100 WHERE number = 2").unwrap();
    tamper.execute_batch("UPDATE journal SET number = 2 WHERE number = 3").unwrap();
    tamper.execute_batch("UPDATE journal SET number = 3 WHERE number = 100").unwrap();
    let found = problems(&store, None);
    for row in [2, 3] {
        assert!(found.contains(&Problem::Unlinked { row }) && found.contains(&Problem::Changed { row }), "{found:?}");
    }
    tamper.execute_batch("INSERT INTO journal SELECT 6, body, previous, hash FROM journal WHERE number = 5").unwrap();
    assert!(problems(&store, None).contains(&Problem::Changed { row: 6 }));
}

#[test]
fn what_was_cut_off_shows_against_a_head_and_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, tamper, rows) = journal(folder.path());
    let head = store.head().unwrap();
    assert_eq!(head, Head { rows: 5, hash: rows[4].hash.clone() });
    assert_eq!(problems(&store, Some(&head.hash.to_uppercase())), []);
    assert_eq!(problems(&store, Some(ZEROS)), []);
    tamper.execute_batch("DELETE FROM journal WHERE number >= 4").unwrap();
    assert_eq!(problems(&store, None), []);
    assert_eq!(problems(&store, Some(&rows[2].hash)), []);
    let cut = |rows: u64| vec![Problem::CutOff { head: head.hash.clone(), rows }];
    assert_eq!(problems(&store, Some(&head.hash)), cut(3));
    // Also where others grew in their place.
    store.append(&begun("c", 9)).unwrap();
    store.append(&ended("c", 9, Outcome::Done)).unwrap();
    assert_eq!(problems(&store, Some(&head.hash)), cut(5));
    assert!(matches!(store.verify(Some("abc")), Err(StoreError::Head(_))));
}

#[test]
fn a_head_that_was_only_written_into_a_row_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, tamper, rows) = journal(folder.path());
    tamper.execute_batch("DELETE FROM journal WHERE number = 5").unwrap();
    tamper.execute("UPDATE journal SET hash = ?1 WHERE number = 4", [&rows[4].hash]).unwrap();
    let found = problems(&store, Some(&rows[4].hash));
    assert!(found.contains(&Problem::Changed { row: 4 }), "{found:?}");
    assert!(found.iter().any(|problem| matches!(problem, Problem::CutOff { .. })), "{found:?}");
}

#[test]
fn a_hostile_row_is_told_and_nothing_is_made_of_it() {
    let hostile = [
        (6, Value::Text(String::new())),
        (6, Value::Text("[".repeat(200_000))),
        (6, Value::Text("{\"entry\":\"a\",\"at\":\"x\"}".to_owned())),
        (6, Value::Text("x".repeat(ROW_LIMIT + 1))),
        (0, Value::Text("x".to_owned())),
        (i64::MIN, Value::Text("x".to_owned())),
        (i64::MAX, Value::Text("x".to_owned())),
    ];
    for (number, body) in hostile {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, tamper, rows) = journal(folder.path());
        let last = &rows[4].hash;
        tamper.execute("INSERT INTO journal VALUES (?1, ?2, ?3, ?3)", (number, body, last)).unwrap();
        let found = problems(&store, None);
        assert!(found.iter().any(|problem| matches!(problem, Problem::Unreadable { .. })), "{found:?}");
        assert!(store.rows().is_err() && store.entries().is_err());
        let error = store.entry("a").unwrap_err().to_string();
        assert!(error.contains(&format!("row {number} ")) && error.contains("journal verify"), "{error}");
        if number == i64::MAX {
            assert!(matches!(store.append(&begun("c", 9)), Err(StoreError::Row { .. })));
        }
    }
}

#[test]
fn rows_that_make_no_entry_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, tamper, _) = journal(folder.path());
    tamper.execute_batch("DELETE FROM journal WHERE number = 1").unwrap();
    assert_eq!(store.rows().unwrap().len(), 4);
    let error = store.entries().unwrap_err().to_string();
    assert!(error.contains("row 2 ") && error.contains("never began"), "{error}");
}

#[test]
fn every_changed_byte_of_the_file_is_found_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, tamper, rows) = journal(folder.path());
    let file = store.file().to_owned();
    drop((store, tamper));
    let whole = std::fs::read(&file).unwrap();
    // In place: to write the file anew each time would wait for the disk.
    let put = |at: usize, byte: u8| {
        let mut open = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
        open.seek(SeekFrom::Start(at as u64)).unwrap();
        open.write_all(&[byte]).unwrap();
    };
    let mut found = 0;
    for (at, byte) in whole.iter().enumerate() {
        put(at, byte ^ 0xff);
        let verified = Store::open_existing(folder.path()).map(|store| store.map(|store| (store.verify(None), store)));
        match verified {
            Ok(Some((Ok(verified), store))) if verified.problems.is_empty() => {
                assert_eq!(store.rows().unwrap(), rows, "byte {at}");
            }
            _ => found += 1,
        }
        put(at, *byte);
    }
    assert_eq!(std::fs::read(&file).unwrap(), whole, "to read writes nothing");
    assert!(found > 2000, "{found}");
}
