//! The journal for programs. What stands here is printed by `sitewarden schema journal`: keys stay, and new ones may come.

use crate::store::{Entry, Event, EventKind, Outcome, Verified};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// Name of the document.
pub(in crate::cli) const SCHEMA: &str = "sitewarden.journal-entries/v1";

/// Entries of the journal, as `journal --format json` lists them and `journal show --format json` shows one.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Document {
    /// `sitewarden.journal-entries/v1`.
    schema: &'static str,
    /// The file in which the journal is kept. Null where nothing was ever kept.
    file: Option<String>,
    /// Rows that the journal has.
    rows: u64,
    /// Hash of the last row: what `journal verify --head` takes.
    head: String,
    /// Everything by which the journal does not hold together, in words. Where it is not empty, nothing here is to be relied on.
    problems: Vec<String>,
    /// The entries, oldest first; with `show` the one that was asked for.
    entries: Vec<Told>,
}

/// One change from its beginning to its end.
#[derive(Debug, Serialize, JsonSchema)]
struct Told {
    /// Its name.
    id: String,
    /// When it began.
    begun: Timestamp,
    /// Who sat in front of the program.
    operator: String,
    /// Where the program ran.
    seat: String,
    /// Identity of the site; null where it was not known.
    site: Option<String>,
    /// What was changed: `node/NAME`, `cluster`.
    target: String,
    /// The plan in one line.
    title: String,
    /// The controls that it was to put right.
    controls: Vec<String>,
    /// `safe`, `disruptive`, `can-lock-out`.
    risk: String,
    /// How it ended: `done`, `reverted`, `refused`, `failed`, `unknown`; null where it has no end.
    outcome: Option<&'static str>,
    /// When it ended; null where it has no end.
    ended: Option<Timestamp>,
    /// Who brought it to its end; null where it has none.
    ended_by: Option<String>,
    /// From where; null where it has no end.
    ended_from: Option<String>,
    /// Verdict before the change; null where it is not known.
    before: Option<String>,
    /// Verdict after the change; null where it is not known.
    after: Option<String>,
    /// The entry that this one takes back; null where it is no undo.
    undo_of: Option<String>,
    /// The later entry that took this one back; null where none did.
    undone_by: Option<String>,
    /// Everything else. With `show` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

/// Everything else of an entry.
#[derive(Debug, Serialize, JsonSchema)]
struct Details {
    /// Digest of the plan that was shown and confirmed.
    plan_digest: String,
    /// The exact commands, in their order.
    commands: Vec<String>,
    /// The files that might change.
    paths: Vec<String>,
    /// What happened, oldest first.
    steps: Vec<Step>,
    /// The files that changed.
    files: Vec<File>,
    /// In words, what else is to be known. Empty where there is nothing.
    note: String,
}

/// A step that ended.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// Its number, from 1.
    number: u32,
    /// When it ended.
    at: Timestamp,
    /// What it did, in plain words.
    what: String,
    /// Exit status; null where there was none.
    status: Option<i32>,
    /// What it printed; of more than 16 KiB the beginning and the end.
    output: String,
}

/// A file before and after, each as `sha256:HEX MODE UID:GID`; null where there was none.
#[derive(Debug, Serialize, JsonSchema)]
struct File {
    /// Its path on the target.
    path: String,
    /// How it was before.
    before: Option<String>,
    /// How it was after.
    after: Option<String>,
}

/// The document of these entries. `whole`: with everything of each.
pub(super) fn document(entries: &[Entry], found: &Verified, file: Option<&Path>, whole: bool) -> Document {
    Document {
        schema: SCHEMA,
        file: file.map(|file| file.display().to_string()),
        rows: found.head.rows,
        head: found.head.hash.clone(),
        problems: found.problems.iter().map(ToString::to_string).collect(),
        entries: entries.iter().filter_map(|entry| told(entry, whole)).collect(),
    }
}

fn told(entry: &Entry, whole: bool) -> Option<Told> {
    let Event { at, operator, seat, kind, .. } = entry.begun.clone();
    let EventKind::Begun { site, target, controls, title, risk, plan_digest, commands, paths, undo } = kind else {
        return None;
    };
    let (mut before, mut after, mut changed, mut said) = (None, None, Vec::new(), String::new());
    if let Some(EventKind::Ended { before: was, after: is, files, note, .. }) =
        entry.ended.as_ref().map(|event| event.kind.clone())
    {
        (before, after, changed, said) = (was, is, files, note);
    }
    let details = || Details {
        plan_digest,
        commands,
        paths,
        steps: entry.steps.iter().filter_map(step).collect(),
        files: changed
            .into_iter()
            .map(|file| File { path: file.path, before: file.before, after: file.after })
            .collect(),
        note: said,
    };
    Some(Told {
        id: entry.id.clone(),
        begun: at,
        operator,
        seat,
        site,
        target,
        title,
        controls,
        risk,
        outcome: entry.outcome().map(word),
        ended: entry.ended.as_ref().map(|event| event.at),
        ended_by: entry.ended.as_ref().map(|event| event.operator.clone()),
        ended_from: entry.ended.as_ref().map(|event| event.seat.clone()),
        before,
        after,
        undo_of: undo,
        undone_by: entry.undone_by.clone(),
        details: whole.then(details),
    })
}

fn step(event: &Event) -> Option<Step> {
    match event.kind.clone() {
        EventKind::Step { number, what, status, output } => Some(Step { number, at: event.at, what, status, output }),
        EventKind::Begun { .. } | EventKind::Ended { .. } => None,
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Reverted => "reverted",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}
