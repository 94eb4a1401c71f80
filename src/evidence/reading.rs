//! Evidence as a tree that conditions walk: every leaf is read, read as absent, or unread with the reason.

use super::{NodeEvidence, Reason, Unread};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fields whose keys are the node's own words: a key that is missing in them was read as not being there.
const FREE_FORM: [&str; 3] = ["document", "connection", "settings"];

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The kind of reason.
    pub reason: Reason,
    /// More, in our own words; may be empty.
    pub detail: Arc<str>,
}

impl Gap {
    /// A gap with a reason and a detail in our own words.
    pub fn new(reason: Reason, detail: impl Into<Arc<str>>) -> Self {
        Gap { reason, detail: detail.into() }
    }

    fn not_in_evidence() -> Self {
        Gap::new(Reason::NotVisible, "the evidence does not hold it")
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// Where it came from, for the person: `flag of the running kubelet`. None where the channel itself says enough.
    pub origin: Option<Arc<str>>,
}

/// What a reading holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not read.
    Unread(Gap),
    /// Read as not existing.
    Absent,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A list; `gap` says why it may be incomplete.
    List {
        /// The items that were seen.
        items: Arc<Vec<Reading>>,
        /// Why there may be more. None: complete.
        gap: Option<Gap>,
    },
    /// A map; `missing` says what a key that is not in it means.
    Map {
        /// The entries.
        entries: Arc<BTreeMap<String, Reading>>,
        /// What any other key means.
        missing: Missing,
    },
}

/// What it means that a map lacks a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// The whole was read: it does not exist.
    Absent,
    /// It was not read.
    Unread(Gap),
}

impl Reading {
    /// A reading without an origin of its own.
    pub fn new(value: Value) -> Self {
        Reading { value, origin: None }
    }

    /// A reading with its origin.
    pub fn with_origin(value: Value, origin: impl Into<Arc<str>>) -> Self {
        Reading { value, origin: Some(origin.into()) }
    }

    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Reading::new(Value::Text(text.into()))
    }

    /// Something that was not read.
    pub fn unread(reason: Reason, detail: impl Into<Arc<str>>) -> Self {
        Reading::new(Value::Unread(Gap::new(reason, detail)))
    }

    /// A list. `gap`: why it may be incomplete.
    pub fn list(items: Vec<Reading>, gap: Option<Gap>) -> Self {
        Reading::new(Value::List { items: Arc::new(items), gap })
    }

    /// A map that was read whole: any other key does not exist.
    pub fn map(entries: BTreeMap<String, Reading>) -> Self {
        Reading::new(Value::Map { entries: Arc::new(entries), missing: Missing::Absent })
    }

    /// Any JSON, read whole. Integers become [`Value::Int`].
    pub fn from_json(json: &Json) -> Self {
        convert(json, true)
    }

    /// The reading below this one: by key of a map, or by number of a list. Where it is missing, what that means.
    pub fn child(&self, key: &str) -> Reading {
        match &self.value {
            Value::Map { entries, missing } => match entries.get(key) {
                Some(found) => found.clone(),
                None => match missing {
                    Missing::Absent => Reading::new(Value::Absent),
                    Missing::Unread(gap) => Reading::new(Value::Unread(gap.clone())),
                },
            },
            Value::List { items, gap } => match key.parse::<usize>().ok().and_then(|i| items.get(i)) {
                Some(found) => found.clone(),
                None => match gap {
                    Some(gap) => Reading::new(Value::Unread(gap.clone())),
                    None => Reading::new(Value::Absent),
                },
            },
            Value::Unread(gap) => Reading::new(Value::Unread(gap.clone())),
            _ => Reading::new(Value::Absent),
        }
    }

    /// The reading at a path with dots between its names; an empty path is this reading itself.
    pub fn at(&self, path: &str) -> Reading {
        path.split('.').filter(|part| !part.is_empty()).fold(self.clone(), |reading, part| reading.child(part))
    }

    /// Puts `reading` under `key` of this map. Does nothing where this is no map.
    pub fn insert(&mut self, key: &str, reading: Reading) {
        if let Value::Map { entries, .. } = &mut self.value {
            Arc::make_mut(entries).insert(key.to_owned(), reading);
        }
    }

    /// Lets `change` work on the entry `key` of this map, where there is one.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&mut Reading)) {
        if let Value::Map { entries, .. } = &mut self.value
            && let Some(entry) = Arc::make_mut(entries).get_mut(key)
        {
            change(entry);
        }
    }

    /// The node's evidence as a tree, with what is derived from it: `KUBELET.effective`, `sshd.contexts`.
    pub fn of_node(node: &NodeEvidence) -> Self {
        let json = serde_json::to_value(node).unwrap_or(Json::Null);
        let mut root = convert(&json, false);
        let mut gaps: Vec<&Unread> = node.unread.iter().collect();
        gaps.sort_by_key(|gap| gap.path.len());
        for gap in gaps {
            let why = Gap::new(gap.reason, gap.detail.as_str());
            let path: Vec<&str> = gap.path.split('.').filter(|part| !part.is_empty()).collect();
            mark(&mut root, &path, &why);
        }
        super::effective::attach(node, &mut root);
        root
    }
}

fn convert(json: &Json, free: bool) -> Reading {
    Reading::new(match json {
        Json::Null => Value::Absent,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(items) => {
            Value::List { items: Arc::new(items.iter().map(|item| convert(item, free)).collect()), gap: None }
        }
        Json::Object(map) => match (free, map.get("items"), map.get("complete")) {
            (false, Some(Json::Array(items)), Some(Json::Bool(complete))) => Value::List {
                items: Arc::new(items.iter().map(|item| convert(item, false)).collect()),
                gap: (!complete).then(Gap::not_in_evidence),
            },
            _ => {
                let own = map.get("unread").and_then(|why| serde_json::from_value::<Reason>(why.clone()).ok());
                let missing = match (free, own) {
                    (true, _) => Missing::Absent,
                    (false, Some(reason)) => Missing::Unread(Gap::new(reason, "")),
                    (false, None) => Missing::Unread(Gap::not_in_evidence()),
                };
                let entries = map
                    .iter()
                    .map(|(key, value)| (key.clone(), convert(value, free || FREE_FORM.contains(&key.as_str()))))
                    .collect();
                Value::Map { entries: Arc::new(entries), missing }
            }
        },
    })
}

/// Writes the reason of a gap at its path: into the value that is missing, and into everything unread beneath.
fn mark(reading: &mut Reading, path: &[&str], gap: &Gap) {
    let Some((first, rest)) = path.split_first() else {
        cover(reading, gap);
        return;
    };
    match &mut reading.value {
        Value::Map { entries, .. } => {
            let entry = Arc::make_mut(entries)
                .entry((*first).to_owned())
                .or_insert_with(|| Reading::new(Value::Unread(gap.clone())));
            mark(entry, rest, gap);
        }
        Value::List { items, .. } => {
            let number = first.parse::<usize>().ok();
            if let Some(item) = number.and_then(|number| Arc::make_mut(items).get_mut(number)) {
                mark(item, rest, gap);
            }
        }
        _ => {}
    }
}

/// Gives everything unread in a value this reason, where it has none of its own yet.
fn cover(reading: &mut Reading, gap: &Gap) {
    let stock = Gap::not_in_evidence();
    match &mut reading.value {
        Value::Unread(own) => *own = gap.clone(),
        Value::List { items, gap: own } => {
            if own.is_some() {
                *own = Some(gap.clone());
            }
            for item in Arc::make_mut(items) {
                cover(item, gap);
            }
        }
        Value::Map { entries, missing } => {
            if matches!(missing, Missing::Unread(own) if *own == stock) {
                *missing = Missing::Unread(gap.clone());
            }
            for entry in Arc::make_mut(entries).values_mut() {
                cover(entry, gap);
            }
        }
        _ => {}
    }
}
