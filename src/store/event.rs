//! What the journal keeps: events, and the rows that hold them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most bytes of a command's output, and of a note, that are kept.
pub const OUTPUT_LIMIT: usize = 16 * 1024;

/// Something that happened to an entry. Its texts hold no secrets: who makes it has removed them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    // The first field, so that the text of a row begins with it (`Store::append` looks for it there).
    /// The entry that it belongs to.
    pub entry: String,
    /// When.
    pub at: Timestamp,
    /// Who sat in front of the program.
    pub operator: String,
    /// Where the program ran: `user@host`.
    pub seat: String,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// A person confirmed a plan, and nothing of it has run yet.
    Begun {
        /// Identity of the site, where it is known.
        site: Option<String>,
        /// What is changed: `node/NAME`, `cluster`.
        target: String,
        /// The controls that it puts right.
        controls: Vec<String>,
        /// The plan in one line.
        title: String,
        /// `safe`, `disruptive`, `can-lock-out`.
        risk: String,
        /// Digest of what was shown and confirmed.
        plan_digest: String,
        /// The exact commands, in their order.
        commands: Vec<String>,
        /// The files that may change.
        paths: Vec<String>,
        /// The entry that this one takes back, where it is an undo.
        undo: Option<String>,
    },
    /// A step of the plan ended.
    Step {
        /// Its number, from 1.
        number: u32,
        /// What it did, in plain words.
        what: String,
        /// Exit status; none where there was none (a signal, a request to the API, lost contact).
        status: Option<i32>,
        /// What it printed. Of more than [`OUTPUT_LIMIT`] bytes, the journal keeps the beginning and the end.
        output: String,
    },
    /// It is over. A later end of the same entry counts instead of this one.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// Verdict before the change.
        before: Option<String>,
        /// Verdict after the change.
        after: Option<String>,
        /// The files that changed.
        files: Vec<FileChange>,
        /// In words, what else is to be known. Kept like `output`.
        note: String,
    },
}

/// How a file was before and after, each as `sha256:HEX MODE UID:GID` (`sha256:9f86... 0600 0:0`); none where there
/// was no such file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path on the target.
    pub path: String,
    /// How it was before.
    pub before: Option<String>,
    /// How it was after.
    pub after: Option<String>,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Changed, and the check proved it.
    Done,
    /// Changed, and put back as it was.
    Reverted,
    /// Nothing was changed.
    Refused,
    /// It failed, and may be half changed.
    Failed,
    /// Contact was lost; how the target is now is not known.
    Unknown,
}

impl Outcome {
    /// In plain words, by itself; [`Entry::end_in_words`](super::Entry::end_in_words) knows more.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Done => "changed, and its own checks held",
            Outcome::Reverted => "put back as it was",
            Outcome::Refused => "refused, nothing was changed",
            Outcome::Failed => "failed, may be half changed",
            Outcome::Unknown => "not known, contact was lost",
        }
    }
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// What it holds.
    pub event: Event,
    /// Hash of the row before; 64 zeros in the first.
    pub previous: String,
    /// Its own hash: 64 lower-case hexadecimal digits.
    pub hash: String,
}

impl Event {
    /// The event with its long texts cut to what the journal keeps.
    pub(super) fn bounded(&self) -> Event {
        let mut event = self.clone();
        match &mut event.kind {
            EventKind::Step { output, .. } => cut(output),
            EventKind::Ended { note, .. } => cut(note),
            EventKind::Begun { .. } => {}
        }
        event
    }
}

/// Cuts the middle out of a text that is too long, and says so in its place. What a command did stands at the
/// beginning, why it failed at the end.
fn cut(text: &mut String) {
    if text.len() <= OUTPUT_LIMIT {
        return;
    }
    // The mark is far shorter than 64 bytes.
    let room = (OUTPUT_LIMIT - 64) / 2;
    let mut head = room;
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = text.len() - room;
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    text.replace_range(head..tail, &format!("\n[{} bytes left out here]\n", tail - head));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_long_output_keeps_both_ends_and_says_what_is_gone() {
        let mut text = format!("first{}last", "\u{fc}".repeat(OUTPUT_LIMIT));
        let whole = text.len();
        cut(&mut text);
        assert!(text.len() <= OUTPUT_LIMIT);
        assert!(text.starts_with("first\u{fc}") && text.ends_with("\u{fc}last"));
        let (head, rest) = text.split_once("\n[").unwrap();
        let (gone, tail) = rest.split_once(" bytes left out here]\n").unwrap();
        assert_eq!(head.len() + gone.parse::<usize>().unwrap() + tail.len(), whole);
    }

    #[test]
    fn an_output_of_just_the_limit_stays() {
        let mut text = "x".repeat(OUTPUT_LIMIT);
        cut(&mut text);
        assert_eq!(text, "x".repeat(OUTPUT_LIMIT));
    }
}
