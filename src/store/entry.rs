//! Entries: the rows of one change, folded; and their names.

use super::error::StoreError;
use super::event::{Event, EventKind, Outcome, Row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Longest name of an entry.
const NAME: usize = 64;

/// One change from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub id: String,
    /// Its beginning.
    pub begun: Event,
    /// What happened since, oldest first: steps, and ends that a later end replaced.
    pub steps: Vec<Event>,
    /// Its end; none where the program was stopped half-way, or still runs.
    pub ended: Option<Event>,
    /// The later entry that took this one back, and was done.
    pub undone_by: Option<String>,
}

impl Entry {
    /// Whether it began and has no end.
    pub fn is_unfinished(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether somebody has still to bring it to its end: it has none, or contact with its node was lost.
    pub fn is_open(&self) -> bool {
        self.is_unfinished() || (self.outcome() == Some(Outcome::Unknown) && self.target().starts_with("node/"))
    }

    /// How it ended; none where it did not.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.ended.as_ref()?.kind {
            EventKind::Ended { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    /// How it ended, in plain words: what was judged since counts, not only that the change was made. None where it has no end.
    pub fn end_in_words(&self) -> Option<&'static str> {
        let EventKind::Ended { outcome, after, .. } = &self.ended.as_ref()?.kind else { return None };
        if *outcome != Outcome::Done {
            return Some(outcome.words());
        }
        if self.undo_of().is_some() {
            return Some("the state before is back, and its own checks held");
        }
        let Some(after) = after else { return Some("changed, and its own checks held; not judged since") };
        let verdicts: Vec<&str> = after.split(", ").collect();
        Some(if verdicts.iter().all(|verdict| *verdict == "pass") {
            "changed and verified"
        } else if verdicts.contains(&"fail") {
            "changed, but what it was about still fails"
        } else {
            "changed; whether that put right what it was about is not known"
        })
    }

    /// What was changed: `node/NAME`, `cluster`.
    pub fn target(&self) -> &str {
        match &self.begun.kind {
            EventKind::Begun { target, .. } => target,
            _ => "",
        }
    }

    /// The plan in one line.
    pub fn title(&self) -> &str {
        match &self.begun.kind {
            EventKind::Begun { title, .. } => title,
            _ => "",
        }
    }

    /// The controls that it was to put right.
    pub fn controls(&self) -> &[String] {
        match &self.begun.kind {
            EventKind::Begun { controls, .. } => controls,
            _ => &[],
        }
    }

    /// Identity of the site, where it was known.
    pub fn site(&self) -> Option<&str> {
        match &self.begun.kind {
            EventKind::Begun { site, .. } => site.as_deref(),
            _ => None,
        }
    }

    /// The entry that this one takes back, where it is an undo.
    pub fn undo_of(&self) -> Option<&str> {
        match &self.begun.kind {
            EventKind::Begun { undo, .. } => undo.as_deref(),
            _ => None,
        }
    }
}

/// Why rows do not make entries: the row, and what is wrong with it (a verb first).
pub(super) type Misplaced = (u64, String);

/// The entries of these rows, oldest first.
pub(super) fn fold(rows: Vec<Row>) -> Result<Vec<Entry>, Misplaced> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for Row { number, event, .. } in rows {
        let place = places.get(&event.entry).copied();
        let known = place.and_then(|place| entries.get_mut(place));
        match (&event.kind, known) {
            (EventKind::Begun { .. }, None) => {
                places.insert(event.entry.clone(), entries.len());
                let id = event.entry.clone();
                entries.push(Entry { id, begun: event, steps: Vec::new(), ended: None, undone_by: None });
            }
            (EventKind::Begun { .. }, Some(_)) => return Err((number, "begins an entry a second time".to_owned())),
            (_, None) => return Err((number, "belongs to an entry that never began".to_owned())),
            (EventKind::Step { .. }, Some(entry)) => entry.steps.push(event),
            (EventKind::Ended { .. }, Some(entry)) => entry.steps.extend(entry.ended.replace(event)),
        }
    }
    for later in 0..entries.len() {
        let Some(entry) = entries.get(later).filter(|entry| entry.outcome() == Some(Outcome::Done)) else { continue };
        let Some(place) = entry.undo_of().and_then(|of| places.get(of).copied()).filter(|place| *place < later) else {
            continue;
        };
        let id = entry.id.clone();
        if let Some(undone) = entries.get_mut(place) {
            undone.undone_by = Some(id);
        }
    }
    Ok(entries)
}

/// A new name for an entry that begins at this time: `20261126T074501-3fa9c2`. Names sort by time (UTC, to the
/// second); the random part keeps those of one second apart. Fails where the system has no random numbers.
pub fn new_entry_id(at: Timestamp) -> Result<String, StoreError> {
    let mut random = [0_u8; 3];
    openssl::rand::rand_bytes(&mut random).map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(format!("{}-{}", at.strftime("%Y%m%dT%H%M%S"), super::chain::hex(&random)))
}

/// Whether an entry may be called so.
pub(super) fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
