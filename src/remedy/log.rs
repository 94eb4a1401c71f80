//! What is written down while something is changed, and how it ended.

use super::change::NodeChange;
use super::node::Done;
use super::plan::Refusal;
use super::prepare::{Part, Prepared};
use super::run::Who;
use crate::store::{Event, EventKind, FileChange, Outcome, Store, new_entry_id};
use jiff::Timestamp;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Name of the journal's entry.
    pub entry: String,
    /// How it ended.
    pub outcome: Outcome,
    /// A sentence for the person.
    pub note: String,
    pub(super) files: Vec<FileChange>,
    pub(super) who: Who,
}

/// The journal, and what could not be written to it.
pub(super) struct Log<'a> {
    store: &'a mut Store,
    pub(super) entry: String,
    who: Who,
    number: u32,
    pub(super) trouble: Option<String>,
}

impl<'a> Log<'a> {
    /// Begins an entry. `paths`: what may change. `Err`: it could not be written down.
    pub(super) fn begin(
        store: &'a mut Store,
        who: &Who,
        prepared: &Prepared,
        paths: Vec<String>,
    ) -> Result<Self, Refusal> {
        let entry = new_entry_id(Timestamp::now()).map_err(|error| Refusal::new(error.to_string()))?;
        let mut log = Log { store, entry, who: who.clone(), number: 0, trouble: None };
        log.write(EventKind::Begun {
            site: who.site.clone(),
            target: prepared.plan().target.clone(),
            controls: prepared.plan().controls.clone(),
            title: prepared.plan().title.clone(),
            risk: prepared.risk().as_str().to_owned(),
            plan_digest: prepared.digest().to_owned(),
            // Those of the switch are for when it does not go well.
            commands: prepared
                .steps()
                .iter()
                .filter(|step| step.part != Part::Arm)
                .flat_map(|step| step.commands.clone())
                .collect(),
            paths,
            undo: prepared.undoes().map(str::to_owned),
        });
        match log.trouble.take() {
            Some(trouble) => {
                Err(Refusal::new(format!("{trouble}. Nothing was changed, since it could not be written down")))
            }
            None => Ok(log),
        }
    }

    /// How it ended, with what could not be written down.
    pub(super) fn end(self, outcome: Outcome, note: String, files: Vec<FileChange>) -> Ran {
        let note = match self.trouble {
            Some(trouble) => format!("{note}. The journal is not whole: {trouble}"),
            None => note,
        };
        Ran { entry: self.entry, outcome, note, files, who: self.who }
    }

    fn write(&mut self, kind: EventKind) {
        let event = Event {
            entry: self.entry.clone(),
            at: Timestamp::now(),
            operator: self.who.operator.clone(),
            seat: self.who.seat.clone(),
            kind,
        };
        if let Err(error) = self.store.append(&event) {
            self.trouble.get_or_insert(error.to_string());
        }
    }

    pub(super) fn step(&mut self, what: impl Into<String>, status: Option<i32>, output: impl Into<String>) {
        self.number += 1;
        self.write(EventKind::Step { number: self.number, what: what.into(), status, output: output.into() });
    }
}

impl Log<'_> {
    /// Writes a step of the node.
    pub(super) fn done(&mut self, done: &Done, change: &NodeChange) {
        match done {
            Done::Ran { line, status, said } => self.step(line.clone(), Some(*status), said.clone()),
            Done::Armed { seconds } => self.step(format!("armed the switch: {seconds} seconds"), None, ""),
            Done::Changed { file } => {
                if let Some(file) = change.files.get(*file) {
                    self.step(file.in_words(), None, "");
                }
            }
        }
    }
}

/// Writes how it ended. `before` and `after`: the verdicts, where they are known.
pub fn finish(store: &mut Store, ran: &Ran, before: Option<&str>, after: Option<&str>) -> Result<(), Refusal> {
    let event = Event {
        entry: ran.entry.clone(),
        at: Timestamp::now(),
        operator: ran.who.operator.clone(),
        seat: ran.who.seat.clone(),
        kind: EventKind::Ended {
            outcome: ran.outcome,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            files: ran.files.clone(),
            note: ran.note.clone(),
        },
    };
    store.append(&event).map(|_| ()).map_err(|error| {
        Refusal::new(format!("{error}. What was done is done, and its end is not in the journal: entry {}", ran.entry))
    })
}

/// Writes the end of an entry that was found later. The states of its files are not known any more.
pub fn close(store: &mut Store, entry: &str, outcome: Outcome, note: &str, who: &Who) -> Result<(), Refusal> {
    let ran = Ran { entry: entry.to_owned(), outcome, note: note.to_owned(), files: Vec::new(), who: who.clone() };
    finish(store, &ran, None, None)
}

#[cfg(test)]
impl Ran {
    /// How something ended, for tests of what shows it.
    pub(crate) fn sample(outcome: Outcome, note: &str) -> Self {
        let entry = "20261126T074501-3fa9c2".to_owned();
        Ran { entry, outcome, note: note.to_owned(), files: Vec::new(), who: Who::default() }
    }
}
