//! What the screens are told, and what they want done.

use super::keys::Key;
use super::work::Remembered;
use crate::assess::{Assessment, Verdict};
use crate::channel::{Answer, Question};
use crate::evidence::Evidence;
use crate::remedy::{Choices, Confirmed, Found, Plan, Prepared, Ran, Refusal, Told, Who};
use crate::store::Entry;
use crate::visit::{Progress, Visit};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// A key that came in one read with the key before it: pasted, or repeated by the terminal. Nothing is changed by it.
    Burst(Key),
    /// The terminal has another size: columns, rows.
    Resize(u16, u16),
    /// A node came a step further.
    Progress {
        /// Which reading of nodes it belongs to.
        run: u64,
        /// When.
        at: Timestamp,
        /// What.
        progress: Progress,
    },
    /// All nodes of a reading are done.
    Finished {
        /// Which.
        run: u64,
        /// All that was seen.
        evidence: Box<Evidence>,
    },
    /// An evidence file was read, or not: then a sentence.
    Loaded {
        /// The file.
        path: PathBuf,
        /// The document, or why there is none.
        result: Result<Box<Evidence>, String>,
    },
    /// Findings.
    Assessed {
        /// Which assessment: the number that was asked with.
        serial: u64,
        /// They.
        assessment: Box<Assessment>,
    },
    /// A worker wants to know something.
    Question(Question, Reply),
    /// A plan is ready to be shown, or not.
    Prepared {
        /// Of which work.
        serial: u64,
        /// The plan.
        result: Result<Box<Prepared>, Refusal>,
        /// What was asked for it.
        memory: Remembered,
    },
    /// An entry without an end was looked at.
    Found {
        /// Of which work.
        serial: u64,
        /// When.
        at: Timestamp,
        /// How it stands; `Err`: why that is not known.
        result: Result<Box<Found>, Refusal>,
        /// What could not be written into the journal: a sentence.
        trouble: Option<String>,
        /// What was asked for it.
        memory: Remembered,
    },
    /// The plan that was to have its node emptied for it: with that, or as it was.
    Emptied {
        /// Of which work.
        serial: u64,
        /// The plan.
        prepared: Box<Prepared>,
        /// Why it is as it was: a sentence.
        refused: Option<String>,
    },
    /// A change came a step further.
    Told {
        /// Of which work.
        serial: u64,
        /// When.
        at: Timestamp,
        /// What.
        told: Told,
    },
    /// A change has ended.
    Ran {
        /// Of which work.
        serial: u64,
        /// How; `Err`: nothing was begun.
        result: Result<Box<Ran>, Refusal>,
        /// What could not be written into the journal: a sentence.
        trouble: Option<String>,
    },
    /// What was changed was looked at again.
    Looked {
        /// Of which work.
        serial: u64,
        /// The verdicts of its controls now.
        after: Vec<(String, Verdict)>,
        /// What could not be written into the journal: a sentence.
        trouble: Option<String>,
    },
    /// A second has gone while a switch is armed.
    Tick {
        /// Of which work.
        serial: u64,
        /// When.
        at: Timestamp,
    },
    /// A plan was saved to these files, or not: then a sentence.
    Saved(Result<Vec<String>, String>),
    /// The journal was read, or not: then a sentence.
    Journal(Result<Vec<Entry>, String>),
    /// A job of this program failed by a defect.
    Defect(Job),
    /// The system wants the program to end: the signal's number.
    Signal(i32),
}

/// Which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Reading nodes, by its number.
    Read(u64),
    /// Assessing, by its number.
    Assess(u64),
    /// Loading a file.
    Load,
    /// Preparing a plan, by the work's number.
    Prepare(u64),
    /// Changing something, by the work's number.
    Run(u64),
    /// Looking at what was changed, by the work's number and that of the reading.
    Look(u64, u64),
    /// Something whose failing loses nothing: a tick, saving a plan, reading the journal.
    Aside,
}

/// The way back to who asked. Dropped unanswered, it answers that there is nobody.
#[derive(Debug)]
pub struct Reply(pub(super) SyncSender<Answer>);

/// What a plan is made of.
#[derive(Debug)]
pub enum Wanted {
    /// What a recipe gave.
    Plan(Box<Plan>),
    /// The way back of a journal's entry.
    Undo {
        /// The entry.
        entry: String,
        /// Its target.
        target: String,
    },
}

/// Something to do outside the screens.
#[derive(Debug)]
pub enum Effect {
    /// Read the targets of a visit.
    Read {
        /// Number of this reading.
        run: u64,
        /// The nodes and how.
        visit: Box<Visit>,
    },
    /// Read an evidence file.
    Load(PathBuf),
    /// Assess.
    Assess {
        /// Number of this assessment.
        serial: u64,
        /// What was seen.
        evidence: Arc<Evidence>,
        /// For when, where the person named no time. None: now.
        as_of: Option<Timestamp>,
    },
    /// Make a plan exact.
    Prepare {
        /// Of which work.
        serial: u64,
        /// What.
        what: Wanted,
        /// The nodes and how they are reached.
        visit: Box<Visit>,
        /// What was chosen for the change.
        choices: Choices,
        /// What was asked before.
        memory: Option<Remembered>,
    },
    /// Look how an entry stands that has no end in the journal. Where it has ended there, the journal gets its end.
    LookAt {
        /// Of which work.
        serial: u64,
        /// The entry.
        entry: String,
        /// The nodes and the cluster, and how they are reached.
        visit: Box<Visit>,
        /// Who looks.
        who: Who,
    },
    /// Look how a plan's node would be emptied for it.
    Drain {
        /// Of which work.
        serial: u64,
        /// The plan.
        prepared: Box<Prepared>,
        /// The nodes and the cluster, and how they are reached.
        visit: Box<Visit>,
        /// What was seen: which of the cluster's nodes it is.
        evidence: Arc<Evidence>,
    },
    /// Carry out what was confirmed.
    Run {
        /// Of which work.
        serial: u64,
        /// It.
        confirmed: Box<Confirmed<Prepared>>,
        /// The nodes and how they are reached.
        visit: Box<Visit>,
        /// Who does it.
        who: Who,
        /// The verdicts before, in words.
        before: Option<String>,
        /// What was asked before.
        memory: Remembered,
    },
    /// Look at a node again after a change, and write into the journal how it is.
    Look {
        /// Of which work.
        serial: u64,
        /// Number of the reading.
        run: u64,
        /// The node, and how it is reached.
        visit: Box<Visit>,
        /// What was seen before of everything.
        evidence: Option<Arc<Evidence>>,
        /// The node's target and the controls that are asked.
        target: String,
        /// They, with their verdicts before.
        before: Vec<(String, Verdict)>,
        /// How the change ended.
        ran: Box<Ran>,
        /// What was asked before.
        memory: Remembered,
    },
    /// Tell the time in a second.
    Tick(u64),
    /// Save a plan to files in the working directory.
    Save(Box<Prepared>),
    /// Read the journal.
    Journal,
    /// Answer a worker's question.
    Answer(Reply, AnswerGiven),
    /// Paint the whole screen again.
    Redraw,
    /// End with this exit status.
    Quit(u8),
}

/// An answer that debugging output cannot show.
pub struct AnswerGiven(pub(super) Answer);

impl std::fmt::Debug for AnswerGiven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Answer::Yes => "Yes",
            Answer::No => "No",
            Answer::Nobody => "Nobody",
            Answer::Secret(_) => "Secret(..)",
        })
    }
}
