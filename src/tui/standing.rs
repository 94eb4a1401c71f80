//! How an entry without an end stands at its target, while a person decides how it ends.

use crate::remedy::Prepared;
use jiff::Timestamp;

/// How an entry without an end stands at its target.
#[derive(Debug)]
pub struct Standing {
    /// The entry.
    pub entry: String,
    /// A sentence.
    pub words: String,
    /// When it was looked at, and for how many seconds the switch waited then. None: nothing takes it back by itself, or
    /// that is not known.
    pub switch: Option<(Timestamp, u32)>,
    /// Seconds that are left of it.
    pub left: u32,
    /// The other way to end it than the one that is shown.
    pub other: Option<Box<Prepared>>,
    /// Why the old state cannot be put back from here.
    pub no_way_back: Option<String>,
}

impl Standing {
    /// Of an entry that is being looked at.
    pub fn of(entry: &str) -> Self {
        let (entry, words) = (entry.to_owned(), String::new());
        Standing { entry, words, switch: None, left: 0, other: None, no_way_back: None }
    }

    /// Takes a time in. Whether the switch still waits.
    pub fn tick(&mut self, at: Timestamp) -> bool {
        let Some((since, seconds)) = self.switch else { return false };
        self.left = left(at, since, seconds);
        self.left > 0
    }
}

/// What is left of so many seconds.
pub(super) fn left(at: Timestamp, since: Timestamp, seconds: u32) -> u32 {
    let gone = u32::try_from(at.as_second().saturating_sub(since.as_second()).max(0)).unwrap_or(u32::MAX);
    seconds.saturating_sub(gone)
}
