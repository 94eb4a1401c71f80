//! What the screens are told, and what they want done.

use super::keys::Key;
use crate::assess::Assessment;
use crate::channel::{Answer, Question};
use crate::evidence::Evidence;
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
}

/// The way back to who asked. Dropped unanswered, it answers that there is nobody.
#[derive(Debug)]
pub struct Reply(pub(super) SyncSender<Answer>);

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
