//! The collector's answer, cut into records. Everything here came from a node and is hostile until parsed.
//!
//! A line `@ NONCE BEGIN 1 ENC`, then for each record `@ NONCE KEY RC FLAGS LEN` and LEN characters of encoded payload,
//! then `@ NONCE END COUNT`. What stands before the first mark is noise (a banner, a `.bashrc` that prints); the nonce
//! is fresh for every run, so that nothing on the node can forge a mark.

mod reader;

use crate::evidence::{Privilege, Reason};
use reader::Reader;
use std::collections::BTreeMap;

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    /// With what rights and as whom the collector ran. None where it never began.
    pub begin: Option<Begin>,
    /// The records in the order in which they came; of two with one key, the first.
    pub records: Vec<Record>,
    /// Whether the answer came to its end mark and every record of it could be read.
    pub complete: bool,
    /// The first thing that was wrong, where the answer is not complete.
    pub problem: Option<Problem>,
}

/// As whom the collector ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// With what rights.
    pub privilege: Privilege,
    /// Name of the user who logged in.
    pub user: String,
    /// User id that the collector ran with.
    pub uid: Option<i64>,
    /// Address that the node sees this seat at.
    pub from: Option<String>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is no begin mark: the collector did not run.
    NoBegin,
    /// It says another version of the protocol or an encoding that is not known.
    OtherProtocol,
    /// It ends before its end mark.
    Cut,
    /// A record does not hold what its mark says.
    Malformed,
    /// Two records with one key.
    Duplicate,
    /// The number of records is not the one in the end mark.
    Count,
    /// More records than anybody needs.
    TooMany,
}

/// What became of a record or of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was read.
    Here,
    /// It does not exist.
    Absent,
    /// This login may not read it.
    Forbidden,
    /// Our own rule refused to read it: no regular file of root's that only root may write.
    Refused,
    /// It was cut at its bound.
    TooLarge,
    /// It did not come in time.
    Timeout,
    /// The node lacks the tool or the facility.
    Unsupported,
    /// It cannot be seen this way.
    NotVisible,
    /// A word that the collector does not write.
    Malformed,
}

impl State {
    /// Reads a state word of the protocol.
    pub fn from_word(word: &str) -> State {
        match word {
            "here" => State::Here,
            "absent" => State::Absent,
            "forbidden" => State::Forbidden,
            "refused" => State::Refused,
            "too-large" => State::TooLarge,
            "timeout" => State::Timeout,
            "unsupported" => State::Unsupported,
            "not-visible" => State::NotVisible,
            _ => State::Malformed,
        }
    }

    /// Why there is no value. None for [`State::Here`] and [`State::Absent`], which are answers.
    pub fn reason(self) -> Option<Reason> {
        match self {
            State::Here | State::Absent => None,
            State::Forbidden | State::Refused => Some(Reason::Forbidden),
            State::TooLarge => Some(Reason::TooLarge),
            State::Timeout => Some(Reason::Timeout),
            State::Unsupported => Some(Reason::Unsupported),
            State::NotVisible => Some(Reason::NotVisible),
            State::Malformed => Some(Reason::Malformed),
        }
    }
}

/// Flags of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Cut at its bound; the payload is the beginning.
    pub cut: bool,
    /// The command was ended at its deadline.
    pub timed_out: bool,
    /// This login may not read it.
    pub forbidden: bool,
    /// It does not exist.
    pub absent: bool,
    /// The node lacks the tool or the facility.
    pub unsupported: bool,
    /// Our own rule refused to read it.
    pub refused: bool,
    /// It cannot be seen this way.
    pub not_visible: bool,
    /// The command ran without a bound in time, since the node has no `timeout`.
    pub unbounded: bool,
}

impl Flags {
    fn parse(word: &str) -> Option<Flags> {
        let mut flags = Flags::default();
        if word == "-" {
            return Some(flags);
        }
        for letter in word.chars() {
            match letter {
                'c' => flags.cut = true,
                't' => flags.timed_out = true,
                'f' => flags.forbidden = true,
                'a' => flags.absent = true,
                'u' => flags.unsupported = true,
                'r' => flags.refused = true,
                'n' => flags.not_visible = true,
                'b' => flags.unbounded = true,
                _ => return None,
            }
        }
        Some(flags)
    }
}

/// One value of a `PAIRS` record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pair {
    /// `NAME=VALUE`.
    Value(String),
    /// `NAME!WORD`.
    Missing(State),
}

/// A `PAIRS` record: name -> its values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(BTreeMap<String, Vec<Pair>>);

impl Pairs {
    /// The first value of a name. None where the collector said nothing about it.
    pub fn get(&self, name: &str) -> Option<&Pair> {
        self.0.get(name).and_then(|values| values.first())
    }

    /// The first value of a name, where it was read.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Pair::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// All values of a name that were read.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let all = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter_map(|pair| match pair {
                Pair::Value(value) => Some(value.as_str()),
                Pair::Missing(_) => None,
            })
            .collect()
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its key: letters, digits, `.`, `-`, `_`.
    pub key: String,
    /// Exit status of the command behind it; 0 for files and tables.
    pub rc: i64,
    /// Its flags.
    pub flags: Flags,
    /// What it holds, decoded.
    pub payload: Vec<u8>,
}

impl Record {
    /// What became of it. A record that was cut is [`State::TooLarge`] although its beginning is there.
    pub fn state(&self) -> State {
        let flags = self.flags;
        if flags.forbidden {
            State::Forbidden
        } else if flags.refused {
            State::Refused
        } else if flags.absent {
            State::Absent
        } else if flags.timed_out {
            State::Timeout
        } else if flags.unsupported {
            State::Unsupported
        } else if flags.not_visible {
            State::NotVisible
        } else if flags.cut {
            State::TooLarge
        } else {
            State::Here
        }
    }

    /// Why it holds no (whole) value.
    pub fn reason(&self) -> Option<Reason> {
        self.state().reason()
    }

    /// Its text; bytes that are no UTF-8 become the replacement character.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// Its lines, without the empty ones.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Its lines, each split by tab.
    pub fn table(&self) -> Vec<Vec<String>> {
        self.lines().iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Its `NAME=VALUE` and `NAME!WORD` lines. Lines of another shape are left out.
    pub fn pairs(&self) -> Pairs {
        let mut pairs = Pairs::default();
        for line in self.lines() {
            let Some(at) = line.find(['=', '!']) else { continue };
            let (name, rest) = line.split_at(at);
            let pair = match (rest.strip_prefix('='), rest.strip_prefix('!')) {
                (Some(value), _) => Pair::Value(value.to_owned()),
                (None, Some(word)) => Pair::Missing(State::from_word(word)),
                (None, None) => continue,
            };
            pairs.0.entry(name.to_owned()).or_default().push(pair);
        }
        pairs
    }
}

impl Frames {
    /// Reads what the collector wrote to its standard output in the run with this nonce. Never fails: what is wrong
    /// stands in [`Frames::problem`].
    pub fn parse(stdout: &[u8], nonce: &str) -> Frames {
        let mut frames = Reader::read(stdout, nonce);
        frames.complete = frames.problem.is_none();
        frames.begin = frames.get("login").and_then(begin);
        frames
    }

    /// The record with this key.
    pub fn get(&self, key: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.key == key)
    }

    /// The records whose keys are `prefix` and a number, in the order of that number.
    pub fn under(&self, prefix: &str) -> Vec<(usize, &Record)> {
        let number = |record: &Record| record.key.strip_prefix(prefix).and_then(|rest| rest.parse::<usize>().ok());
        let mut found: Vec<(usize, &Record)> = self.records.iter().filter_map(|r| Some((number(r)?, r))).collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }
}

fn begin(login: &Record) -> Option<Begin> {
    let pairs = login.pairs();
    let privilege = match pairs.value("privilege")? {
        "root" => Privilege::Root,
        "sudo" => Privilege::Sudo,
        "none" => Privilege::None,
        _ => return None,
    };
    let from = pairs.value("ssh_connection").and_then(|words| words.split_whitespace().next()).map(str::to_owned);
    Some(Begin {
        privilege,
        user: pairs.value("user")?.to_owned(),
        uid: pairs.value("uid").and_then(|uid| uid.parse().ok()),
        from,
    })
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
