//! Looking things up in the collector's answer, and noting what it does not tell.

use super::frames::{Frames, Pair, Pairs, Record, State};
use super::text;
use crate::evidence::{Fact, Listing, Reason, Unread};
use jiff::Timestamp;

/// What the answer holds under one key.
pub(super) enum Got<'a> {
    /// The record, whole.
    Here(&'a Record),
    /// Its beginning: it was cut at its bound.
    Cut(&'a Record),
    /// The collector says that there is no such thing on the node.
    Absent,
    /// The collector says why there is nothing.
    Missing(State),
    /// Nothing was said.
    Nothing,
}

impl<'a> Got<'a> {
    /// The record, where at least its beginning came.
    pub(super) fn record(&self) -> Option<&'a Record> {
        match self {
            Got::Here(record) | Got::Cut(record) => Some(record),
            _ => None,
        }
    }
}

/// The answer, and the gaps found in it so far.
pub(super) struct Answer<'a> {
    frames: &'a Frames,
    /// What could not be read.
    pub(super) unread: Vec<Unread>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(frames: &'a Frames) -> Self {
        Answer { frames, unread: Vec::new() }
    }

    /// Whether the answer came to its end mark.
    pub(super) fn complete(&self) -> bool {
        self.frames.complete
    }

    /// Whether the collector ran with all rights.
    pub(super) fn root(&self) -> bool {
        self.frames.begin.as_ref().is_some_and(|begin| begin.uid == Some(0))
    }

    /// The record with this key.
    pub(super) fn got(&self, key: &str) -> Got<'a> {
        let Some(record) = self.frames.get(key) else { return Got::Nothing };
        match record.state() {
            State::Here => Got::Here(record),
            State::TooLarge => Got::Cut(record),
            State::Absent => Got::Absent,
            state => Got::Missing(state),
        }
    }

    /// A record whose flag says that a tool was missing, for what it tells in spite of that.
    pub(super) fn unsupported(&self, key: &str) -> Option<&'a Record> {
        self.any(key).filter(|record| record.state() == State::Unsupported)
    }

    /// The record with this key, whatever became of it: for those whose first line says what they stand for.
    pub(super) fn any(&self, key: &str) -> Option<&'a Record> {
        let frames = self.frames;
        frames.get(key)
    }

    /// The numbers of the records whose keys are `prefix` and a number, in order.
    pub(super) fn numbers(&self, prefix: &str) -> Vec<usize> {
        self.frames.under(prefix).into_iter().map(|(number, _)| number).collect()
    }

    /// The values of a `PAIRS` record; none where it holds no values. What it says of a gap is noted at `path`.
    pub(super) fn pairs(&mut self, key: &str, path: &str, what: &str) -> Option<Pairs> {
        let got = self.got(key);
        self.note(&got, path, what);
        got.record().map(Record::pairs)
    }

    /// The lines of a table with `fields` fields (the last may hold blanks), and whether that is all of them. What is
    /// missing is noted at `path`. A table that does not exist is whole and empty.
    pub(super) fn table(&mut self, key: &str, fields: usize, path: &str, what: &str) -> Listing<Vec<String>> {
        let got = self.got(key);
        if matches!(got, Got::Absent) {
            return Listing::whole(Vec::new());
        }
        self.note(&got, path, what);
        let Some(record) = got.record() else { return Listing::default() };
        let rows = record.table();
        let lines = rows.len();
        let sound: Vec<Vec<String>> = rows
            .into_iter()
            .filter(|row| row.len() == fields)
            .map(|row| row.iter().map(|field| text::line(field)).collect())
            .collect();
        let broken = sound.len() < lines;
        if broken {
            self.gap(path, Reason::Malformed, &format!("{what}: lines that could not be understood were left out"));
        }
        Listing { complete: !broken && matches!(got, Got::Here(_)), items: sound }
    }

    /// Notes why a record holds nothing, or not everything. An answer that was cut says nothing here: the gap at its root
    /// covers all.
    pub(super) fn note(&mut self, got: &Got<'_>, path: &str, what: &str) {
        match got {
            Got::Here(_) | Got::Absent => {}
            Got::Cut(_) => self.gap(path, Reason::TooLarge, &format!("{what}: longer than the bound")),
            Got::Missing(state) => self.missing(*state, path, what),
            Got::Nothing if self.complete() => {
                self.gap(path, Reason::NotVisible, &format!("{what}: the collector found no way to tell"));
            }
            Got::Nothing => {}
        }
    }

    /// Notes a gap.
    pub(super) fn gap(&mut self, path: &str, reason: Reason, detail: &str) {
        let gap = Unread { path: path.to_owned(), reason, detail: detail.to_owned() };
        if !self.unread.contains(&gap) {
            self.unread.push(gap);
        }
    }

    /// Notes a gap by the collector's word for it.
    pub(super) fn missing(&mut self, state: State, path: &str, what: &str) {
        let reason = state.reason().unwrap_or(Reason::Malformed);
        self.gap(path, reason, &format!("{what}: {}", why(state)));
    }

    /// One value of a `PAIRS` record.
    pub(super) fn fact<T>(
        &mut self,
        pairs: Option<&Pairs>,
        name: &str,
        path: &str,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Fact<T> {
        // A record that is missing as a whole was noted where it was looked up.
        let Some(pairs) = pairs else { return Fact::Unread };
        match pairs.get(name) {
            Some(Pair::Value(value)) => match read(&text::line(value)) {
                Some(value) => Fact::Known(value),
                None => {
                    self.missing(State::Malformed, path, what);
                    Fact::Unread
                }
            },
            Some(Pair::Missing(State::Absent)) => Fact::Absent,
            Some(Pair::Missing(state)) => {
                self.missing(*state, path, what);
                Fact::Unread
            }
            None => {
                self.note(&Got::Nothing, path, what);
                Fact::Unread
            }
        }
    }
}

/// What a state means, for the person.
pub(super) fn why(state: State) -> &'static str {
    match state {
        State::Here | State::Malformed => "an answer came that could not be understood",
        State::Absent => "there is none",
        State::Forbidden => "this login may not read it",
        State::Refused => "not read, since it is no regular file of root's that only root may write",
        State::TooLarge => "longer than the bound",
        State::Timeout => "it did not come in time",
        State::Unsupported => "the node lacks the tool or the facility that tells",
        State::NotVisible => "it cannot be seen this way",
    }
}

/// The word of the protocol for a state.
pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::Here => "here",
        State::Absent => "absent",
        State::Forbidden => "forbidden",
        State::Refused => "refused",
        State::TooLarge => "too-large",
        State::Timeout => "timeout",
        State::Unsupported => "unsupported",
        State::NotVisible => "not-visible",
        State::Malformed => "malformed",
    }
}

/// A text that is not empty.
pub(super) fn word(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// A column that may be `-` (empty) or `?` (not seen).
pub(super) fn column(value: &str) -> Option<&str> {
    (!matches!(value, "-" | "?" | "")).then_some(value)
}

/// A column with a whole number.
pub(super) fn number(value: &str) -> Fact<i64> {
    value.parse().map_or(Fact::Unread, Fact::Known)
}

/// A column with seconds since the epoch; a fraction is dropped.
pub(super) fn time(value: &str) -> Fact<Timestamp> {
    let whole = value.split('.').next().unwrap_or_default();
    whole.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).map_or(Fact::Unread, Fact::Known)
}
