//! Evidence as a tree that conditions walk: every leaf is read, read as absent, or unread with the reason.

use super::planting::plant;
use super::{EndpointEvidence, Evidence, NodeEvidence, Reason, Unread};
use serde::Serialize;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// The key of an entry: most are names of fields, which need no memory of their own.
pub type Key = Cow<'static, str>;

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

    /// Why the value at `path` of a record is missing, by the nearest entry of the record's list.
    pub(super) fn nearest(unread: &[Unread], path: &str) -> Self {
        let covers = |gap: &&Unread| match path.strip_prefix(gap.path.as_str()) {
            Some(rest) => gap.path.is_empty() || rest.is_empty() || rest.starts_with('.'),
            None => false,
        };
        let nearest = unread.iter().filter(covers).max_by_key(|gap| gap.path.len());
        nearest.map_or_else(Gap::not_in_evidence, |gap| Gap::new(gap.reason, gap.detail.as_str()))
    }

    /// The gap of what no record holds and no `unread` list explains.
    pub(super) fn not_in_evidence() -> Self {
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
        entries: Arc<BTreeMap<Key, Reading>>,
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
    pub fn map<K: Into<Key>>(entries: impl IntoIterator<Item = (K, Reading)>) -> Self {
        let entries = entries.into_iter().map(|(key, reading)| (key.into(), reading)).collect();
        Reading::new(Value::Map { entries: Arc::new(entries), missing: Missing::Absent })
    }

    /// Any JSON, read whole. Integers become [`Value::Int`].
    pub fn from_json(json: &Json) -> Self {
        Reading::whole(json)
    }

    /// Anything that can be written as JSON, read whole. Absent where it cannot be.
    pub fn whole(value: &impl Serialize) -> Self {
        plant(value, true)
    }

    /// The reading below this one: by key of a map, or by number of a list. Where it is missing, what that means.
    pub fn child(&self, key: &str) -> Reading {
        self.below(key).into_owned()
    }

    /// The reading at a path with dots between its names; an empty path is this reading itself.
    pub fn at(&self, path: &str) -> Reading {
        let names = path.split('.').filter(|part| !part.is_empty());
        let found = names.fold(Cow::Borrowed(self), |reading, name| match reading {
            Cow::Borrowed(reading) => reading.below(name),
            Cow::Owned(missing) => Cow::Owned(missing.child(name)),
        });
        found.into_owned()
    }

    /// What stands at `key`; owned where nothing does.
    fn below(&self, key: &str) -> Cow<'_, Reading> {
        let (found, missing) = match &self.value {
            Value::Map { entries, missing } => {
                let gap = match missing {
                    Missing::Absent => None,
                    Missing::Unread(gap) => Some(gap),
                };
                (entries.get(key), gap)
            }
            Value::List { items, gap } => (key.parse::<usize>().ok().and_then(|place| items.get(place)), gap.as_ref()),
            Value::Unread(gap) => (None, Some(gap)),
            Value::Absent => (None, None),
            // A file that sets a single value where a map belongs says nothing about what the map would hold.
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => {
                let why = "a single value stands where a map or list belongs";
                return Cow::Owned(Reading::unread(Reason::Malformed, why));
            }
        };
        match (found, missing) {
            (Some(found), _) => Cow::Borrowed(found),
            (None, Some(gap)) => Cow::Owned(Reading::new(Value::Unread(gap.clone()))),
            (None, None) => Cow::Owned(Reading::new(Value::Absent)),
        }
    }

    /// Puts `reading` under `key` of this map. Does nothing where this is no map.
    pub fn insert(&mut self, key: impl Into<Key>, reading: Reading) {
        if let Value::Map { entries, .. } = &mut self.value {
            Arc::make_mut(entries).insert(key.into(), reading);
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

    /// Lets `change` work on an item of the list `key` of this map, where there is one.
    pub(super) fn change_item(&mut self, key: &str, place: usize, change: impl FnOnce(&mut Reading)) {
        self.change(key, |list| {
            if let Value::List { items, .. } = &mut list.value
                && let Some(item) = Arc::make_mut(items).get_mut(place)
            {
                change(item);
            }
        });
    }

    /// Puts a reading at a path below this map where nothing was read until now. Does nothing where something was, and where
    /// there is no map on the way.
    pub(super) fn supply(&mut self, path: &[&'static str], reading: Reading) {
        let Value::Map { entries, missing } = &mut self.value else { return };
        let [first, rest @ ..] = path else { return };
        match (Arc::make_mut(entries).entry(Key::Borrowed(first)), rest) {
            (Entry::Occupied(mut entry), []) => {
                if matches!(entry.get().value, Value::Unread(_)) {
                    entry.insert(reading);
                }
            }
            (Entry::Vacant(entry), []) => {
                if matches!(missing, Missing::Unread(_)) {
                    entry.insert(reading);
                }
            }
            (Entry::Occupied(mut entry), rest) => entry.get_mut().supply(rest, reading),
            (Entry::Vacant(_), _) => {}
        }
    }

    /// The node's evidence as a tree, with what is derived from it: `kubelet.effective`, `sshd.contexts`.
    pub fn of_node(node: &NodeEvidence) -> Self {
        let mut root = recorded(node, &node.unread);
        super::effective::attach(node, None, &mut root);
        root
    }

    /// The cluster's evidence as a tree, with what is derived from the whole document: `platform`, `grants`.
    /// Where no cluster was asked, everything in it is unread.
    pub fn of_cluster(evidence: &Evidence) -> Self {
        let Some(cluster) = &evidence.cluster else {
            return Reading::unread(Reason::NotVisible, "the cluster's API was not asked: name its context");
        };
        let mut root = recorded(cluster, &cluster.unread);
        super::effective::attach_cluster(cluster, evidence, &mut root);
        root
    }

    /// An endpoint's evidence as a tree, with what is derived from all endpoints: `reachable`.
    pub fn of_endpoint(endpoint: &EndpointEvidence, evidence: &Evidence) -> Self {
        let mut root = recorded(endpoint, &endpoint.unread);
        super::effective::attach_endpoint(endpoint, evidence, &mut root);
        root
    }
}

/// The tree of a record with its list of what was not read.
pub(super) fn recorded(record: &impl Serialize, unread: &[Unread]) -> Reading {
    let mut root = plant(record, false);
    let mut gaps: Vec<&Unread> = unread.iter().collect();
    gaps.sort_by_key(|gap| gap.path.split('.').filter(|part| !part.is_empty()).count());
    for gap in gaps {
        let why = Gap::new(gap.reason, gap.detail.as_str());
        let path: Vec<&str> = gap.path.split('.').filter(|part| !part.is_empty()).collect();
        mark(&mut root, &path, &why);
    }
    root
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
                .entry((*first).to_owned().into())
                .or_insert_with(|| Reading::new(Value::Unread(gap.clone())));
            mark(entry, rest, gap);
        }
        Value::List { items, gap: own } => {
            match first.parse().ok().and_then(|number: usize| Arc::make_mut(items).get_mut(number)) {
                Some(item) => mark(item, rest, gap),
                // Something beneath an item that is not there: all that can be said is why the list lacks it.
                None if own.is_some() => *own = Some(gap.clone()),
                None => {}
            }
        }
        _ => {}
    }
}

/// Gives everything unread in a value this reason. Called from the widest path to the narrowest, so that the nearest
/// reason stands in the end; what carries a reason of its own (an `unread` field) keeps that.
fn cover(reading: &mut Reading, gap: &Gap) {
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
            let has_own = matches!(entries.get("unread"), Some(Reading { value: Value::Text(_), .. }));
            if matches!(missing, Missing::Unread(_)) && !has_own {
                *missing = Missing::Unread(gap.clone());
            }
            for entry in Arc::make_mut(entries).values_mut() {
                cover(entry, gap);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
