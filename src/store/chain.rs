//! The chain: how a row is hashed, and what is wrong with rows that do not hold together.

use super::error::StoreError;
use super::event::Event;
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What every hash begins with: names the form, so that a hash of another form never fits.
const TAG: &str = "sitewarden.journal/v1";

/// The hash before the first row.
pub(super) const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where the journal ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many rows there are.
    pub rows: u64,
    /// Hash of the last row; 64 zeros where there is none.
    pub hash: String,
}

/// What `Store::verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Where the journal ends; to be believed only where there are no problems.
    pub head: Head,
    /// Everything that is wrong, in the order of the rows. Empty: the chain holds.
    pub problems: Vec<Problem>,
}

impl Verified {
    /// What is found where nothing was ever kept: a `head` that was given has no row there either. Fails where it is
    /// no hash.
    pub fn of_nothing(head: Option<&str>) -> Result<Verified, StoreError> {
        Ok(Follow::new(wanted(head)?.as_deref()).end())
    }

    /// Whether the chain holds.
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

/// The head that a person gave, as hashes are written.
pub(super) fn wanted(head: Option<&str>) -> Result<Option<String>, StoreError> {
    let Some(given) = head else { return Ok(None) };
    let hash = given.trim().to_ascii_lowercase();
    if is_hash(&hash) { Ok(Some(hash)) } else { Err(StoreError::Head(given.to_owned())) }
}

/// One thing that is wrong with the journal. Numbers of rows are as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum Problem {
    /// The file itself is damaged.
    #[error("the file is damaged: {what}")]
    Damaged {
        /// What SQLite says.
        what: String,
    },
    /// A row that cannot be understood.
    #[error("row {row} {why}")]
    Unreadable {
        /// Which.
        row: i64,
        /// What is wrong; a verb first.
        why: String,
    },
    /// What the row holds is not what was written.
    #[error("row {row} was changed: its content does not give its hash")]
    Changed {
        /// Which.
        row: i64,
    },
    /// Rows that are not there.
    #[error("{}", missing(*first, *last))]
    Missing {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// A row that does not follow the one before it.
    #[error("row {row} does not follow the row before it: rows were changed, removed or put in another order")]
    Unlinked {
        /// Which.
        row: i64,
    },
    /// The head that was given belongs to no row.
    #[error(
        "no row has the given head {head}: the journal ends after {rows} rows, and what followed was cut off, or the head is of another journal"
    )]
    CutOff {
        /// The head.
        head: String,
        /// How many rows there are.
        rows: u64,
    },
}

fn missing(first: i64, last: i64) -> String {
    if first == last { format!("row {first} is missing") } else { format!("rows {first} to {last} are missing") }
}

/// A row as it stands in the file. A text that is none is given by what is wrong with it (a verb first).
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) number: i64,
    pub(super) body: Result<String, String>,
    pub(super) previous: Result<String, String>,
    pub(super) hash: Result<String, String>,
}

impl Stored {
    /// The event and both hashes; else what is wrong (a verb first).
    pub(super) fn parse(self) -> Result<(Event, String, String), String> {
        let event = serde_json::from_str(&self.body?)
            // The place alone: serde's message quotes the row.
            .map_err(|error| format!("does not hold an event (line {}, column {})", error.line(), error.column()))?;
        let (previous, hash) = (self.previous?, self.hash?);
        if is_hash(&previous) && is_hash(&hash) {
            Ok((event, previous, hash))
        } else {
            Err("has a hash that is none".to_owned())
        }
    }
}

/// Follows the chain row by row.
#[derive(Debug)]
pub(super) struct Follow<'a> {
    wanted: Option<&'a str>,
    seen: bool,
    count: u64,
    last: i64,
    hash: String,
    problems: Vec<Problem>,
}

impl<'a> Follow<'a> {
    /// Begins before the first row. `wanted` is the head that must be among the hashes.
    pub(super) fn new(wanted: Option<&'a str>) -> Self {
        let seen = wanted.is_none_or(|wanted| wanted == ZEROS);
        Follow { wanted, seen, count: 0, last: 0, hash: ZEROS.to_owned(), problems: Vec::new() }
    }

    /// The file is damaged.
    pub(super) fn damaged(&mut self, what: String) {
        self.problems.push(Problem::Damaged { what });
    }

    /// The next row, by number.
    pub(super) fn row(&mut self, stored: Stored) {
        let row = stored.number;
        self.count += 1;
        let expected = self.last.saturating_add(1);
        if row < expected {
            self.problems.push(Problem::Unreadable { row, why: "has a number that no row has".to_owned() });
        } else if row > expected {
            self.problems.push(Problem::Missing { first: expected, last: row - 1 });
        }
        self.last = self.last.max(row);
        let kept = stored.hash.clone().unwrap_or_default();
        let before = std::mem::replace(&mut self.hash, kept);
        let fits = match (&stored.body, &stored.previous, &stored.hash) {
            (Ok(body), Ok(previous), Ok(hash)) => {
                if *previous != before {
                    self.problems.push(Problem::Unlinked { row });
                }
                // Only a hash that fits its row can be the head that was given.
                let fits = hash_of(row, previous, body) == *hash;
                self.seen |= fits && self.wanted == Some(hash.as_str());
                fits
            }
            _ => true,
        };
        if !fits {
            self.problems.push(Problem::Changed { row });
        }
        if let Err(why) = stored.parse() {
            self.problems.push(Problem::Unreadable { row, why });
        }
    }

    /// After the last row.
    pub(super) fn end(mut self) -> Verified {
        if let Some(head) = self.wanted.filter(|_| !self.seen) {
            self.problems.push(Problem::CutOff { head: head.to_owned(), rows: self.count });
        }
        Verified { head: Head { rows: self.count, hash: self.hash }, problems: self.problems }
    }
}

/// Hash of a row: SHA-256 of the tag, the number in decimal, the hash before, and the text of the event byte for byte,
/// with a line feed between them.
pub(super) fn hash_of(number: i64, previous: &str, body: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{TAG}\n{number}\n{previous}\n").as_bytes());
    digest.update(body.as_bytes());
    hex(&digest.finish())
}

/// Whether this is a hash as the journal writes them.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == ZEROS.len() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
