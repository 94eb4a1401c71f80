//! The journal for a terminal.

use crate::report::{clean, wrap};
use crate::store::{Entry, Event, EventKind, FileChange, Verified};
use std::fmt::Write as _;
use std::path::Path;

/// Columns of a line.
const WIDTH: usize = 78;

/// Every entry, the newest last, then where the journal ends.
pub(super) fn list(entries: &[Entry], found: &Verified, file: &Path) -> String {
    let mut text = String::new();
    for entry in entries {
        let Event { at, operator, seat, .. } = &entry.begun;
        let _ = writeln!(text, "{}", clean(&entry.id));
        put(&mut text, 2, &format!("{at} by {}, from {}", clean(operator), clean(seat)));
        put(&mut text, 2, &format!("{}: {}", clean(entry.target()), clean(entry.title())));
        if !entry.controls().is_empty() {
            put(&mut text, 2, &format!("controls: {}", listed(entry.controls())));
        }
        put(&mut text, 2, &ended(entry));
        text.push('\n');
    }
    let entries = if entries.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", entries.len()) };
    let _ = writeln!(text, "{entries} in {} rows. Head {}", found.head.rows, clean(&found.head.hash));
    let _ = writeln!(text, "Kept in {}", clean(&file.display().to_string()));
    warn(&mut text, found);
    text
}

/// Everything of one entry.
pub(super) fn one(entry: &Entry, found: &Verified) -> String {
    let mut text = format!("Entry {}\n", clean(&entry.id));
    let Event { at, operator, seat, .. } = &entry.begun;
    field(&mut text, "begun", &format!("{at} by {operator}, from {seat}"));
    if let EventKind::Begun { site, target, controls, title, risk, plan_digest, commands, paths, undo } =
        &entry.begun.kind
    {
        field(&mut text, "site", site.as_deref().unwrap_or("not known"));
        field(&mut text, "target", target);
        field(&mut text, "change", title);
        field(&mut text, "controls", &listed(controls));
        field(&mut text, "risk", risk);
        field(&mut text, "plan", plan_digest);
        if let Some(undo) = undo {
            field(&mut text, "takes back", undo);
        }
        block(&mut text, "Commands", commands);
        block(&mut text, "Files that may change", paths);
    }
    for event in entry.steps.iter().chain(&entry.ended) {
        told(&mut text, event, entry);
    }
    let _ = writeln!(text, "\nOutcome: {}", ended(entry));
    warn(&mut text, found);
    text
}

/// What `verify` found; `against` is whether a head was given.
pub(super) fn verified(found: &Verified, file: &Path, against: bool) -> String {
    let mut text = problems(found);
    if found.holds() {
        let _ = writeln!(text, "The journal holds: {} rows, each as it was written.", found.head.rows);
        let _ = writeln!(text, "Head {}", found.head.hash);
    }
    let _ = writeln!(text, "Kept in {}", clean(&file.display().to_string()));
    if found.holds() && !against {
        for line in wrap(
            "Whether the end was cut off shows only against the head of an earlier hand-over: \
             sitewarden journal verify --head HASH",
            WIDTH,
        ) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// A line for each problem; nothing where there is none.
pub(super) fn problems(found: &Verified) -> String {
    let mut text = String::new();
    for problem in &found.problems {
        let _ = writeln!(text, "problem: {}", clean(&problem.to_string()));
    }
    match found.problems.len() {
        0 => {}
        1 => text.push_str("The journal does not hold together: 1 problem.\n"),
        count => _ = writeln!(text, "The journal does not hold together: {count} problems."),
    }
    text
}

/// How an entry ended, in plain words.
pub(super) fn ended(entry: &Entry) -> String {
    let outcome = entry
        .end_in_words()
        .unwrap_or("not finished: the program was stopped half-way or still runs; look at the target");
    match &entry.undone_by {
        Some(by) => format!("{outcome}; taken back by {}", clean(by)),
        None => outcome.to_owned(),
    }
}

/// Names in a line.
fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { clean(&names.join(", ")).into_owned() }
}

/// One step or end.
fn told(text: &mut String, event: &Event, entry: &Entry) {
    let begun = &entry.begun;
    text.push('\n');
    match &event.kind {
        EventKind::Begun { .. } => {}
        EventKind::Step { number, what, status, output } => {
            let _ = writeln!(text, "Step {number}: {}", clean(what));
            field(text, "ended", &event.at.to_string());
            // A step that is no command (a file put in place, a login) has none.
            if let Some(status) = status {
                field(text, "status", &status.to_string());
            }
            if !output.is_empty() {
                block(text, "Output", std::slice::from_ref(output));
            }
        }
        EventKind::Ended { outcome, before, after, files, note } => {
            let _ = writeln!(text, "End: {}", entry.end_in_words().unwrap_or(outcome.words()));
            field(text, "ended", &event.at.to_string());
            let verdict = |verdict: &Option<String>| verdict.clone().unwrap_or_else(|| "not known".to_owned());
            field(text, "verdict", &format!("{} before, {} after", verdict(before), verdict(after)));
            for FileChange { path, before, after } in files {
                let state = |state: &Option<String>| state.clone().unwrap_or_else(|| "no such file".to_owned());
                let _ = writeln!(text, "  {}", clean(path));
                let _ = writeln!(text, "    before  {}", clean(&state(before)));
                let _ = writeln!(text, "    after   {}", clean(&state(after)));
            }
            if !note.is_empty() {
                block(text, "Note", std::slice::from_ref(note));
            }
        }
    }
    if (&event.operator, &event.seat) != (&begun.operator, &begun.seat) {
        field(text, "by", &format!("{}, from {}", event.operator, event.seat));
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<11} {}", clean(value));
}

/// Texts line by line under a word: not wrapped, so that commands stay what they are.
fn block(text: &mut String, name: &str, lines: &[String]) {
    let _ = writeln!(text, "  {name}:");
    if lines.is_empty() {
        text.push_str("    none\n");
    }
    for line in lines.iter().flat_map(|text| text.lines()) {
        let _ = writeln!(text, "    {}", clean(line));
    }
}

/// Clean text in lines that are indented.
fn put(text: &mut String, indent: usize, line: &str) {
    for line in wrap(line, WIDTH - indent) {
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
}

fn warn(text: &mut String, found: &Verified) {
    if !found.holds() {
        text.push('\n');
        text.push_str("Do not rely on this: the journal was changed or is damaged.\n");
        text.push_str("`sitewarden journal verify` lists everything that is wrong with it.\n");
    }
}
