//! A tree of settings that is being built.

use super::super::{Gap, Key, Missing, Reading, Reason, Value};
use super::duration;
use std::collections::BTreeMap;

/// A map in which a key that is missing is one that this program does not resolve.
#[derive(Default)]
pub(super) struct Branch {
    leaves: BTreeMap<Key, Reading>,
    branches: BTreeMap<Key, Branch>,
}

impl Branch {
    /// Puts a reading at a path below.
    pub(super) fn put(&mut self, path: &[&'static str], reading: Reading) {
        match path {
            [] => {}
            [last] => {
                self.leaves.insert((*last).into(), reading);
            }
            [first, rest @ ..] => self.branches.entry((*first).into()).or_default().put(rest, reading),
        }
    }

    /// Puts the whole seconds of a duration beside it, under its name with `Seconds` after it.
    pub(super) fn put_seconds(&mut self, path: &[&'static str], duration: &Reading) {
        match path {
            [] => {}
            [last] => {
                let value = match &duration.value {
                    Value::Text(text) => match duration::parse(text) {
                        Some(nanos) => Value::Int(duration::seconds(nanos)),
                        None => Value::Unread(Gap::new(Reason::Malformed, "not a duration")),
                    },
                    other => other.clone(),
                };
                let seconds = Reading { value, origin: duration.origin.clone() };
                self.leaves.insert(format!("{last}Seconds").into(), seconds);
            }
            [first, rest @ ..] => self.branches.entry((*first).into()).or_default().put_seconds(rest, duration),
        }
    }

    /// The reading that was put at a name of this level.
    pub(super) fn get(&self, name: &str) -> Option<&Reading> {
        self.leaves.get(name)
    }

    /// The tree.
    pub(super) fn reading(self) -> Reading {
        let mut entries = self.leaves;
        for (name, branch) in self.branches {
            entries.insert(name, branch.reading());
        }
        let missing = Missing::Unread(Gap::new(Reason::NotVisible, "this program does not resolve this setting"));
        Reading::new(Value::Map { entries: entries.into(), missing })
    }
}
