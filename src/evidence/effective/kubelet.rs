//! What the kubelet really runs with: defaults of its version, the file that `--config` names, the drop-ins of
//! `--config-dir`, the command line; each over the one before it.
//!
//! What lies below a layer that was not read is unread, never a default.

use super::super::{Component, ConfigFile, Fact, Gap, Key, Missing, NodeEvidence, Reading, Reason, Value};
use super::flags::{self, Flags};
use super::kubelet_fields::{self, FIELDS, Kind};
use super::kubelet_resolve::Resolver;
use super::layers::Layer;
use super::{changed_after, gap_at};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Adds `effective`, `flags` and `config_stale` to the tree's `kubelet`.
pub(super) fn attach(node: &NodeEvidence, root: &mut Reading) {
    let (effective, flags, stale) = match node.kubelet.exists {
        Fact::Known(true) => derive(&node.kubelet, root),
        Fact::Known(false) | Fact::Absent => same(Value::Absent),
        Fact::Unread => same(Value::Unread(gap_at(root, "kubelet.exists"))),
    };
    root.change("kubelet", |kubelet| {
        kubelet.insert("effective", effective);
        kubelet.insert("flags", flags);
        kubelet.insert("config_stale", stale);
    });
}

fn same(value: Value) -> (Reading, Reading, Reading) {
    let reading = Reading::new(value);
    (reading.clone(), reading.clone(), reading)
}

fn derive(kubelet: &Component, root: &Reading) -> (Reading, Reading, Reading) {
    let Some(args) = kubelet.process.known().and_then(|process| process.args.known()) else {
        return same(Value::Unread(gap_at(root, "kubelet.process.args")));
    };
    let given = Flags::parse(args, kubelet_fields::takes);
    let sources = Sources::of(kubelet, &given);
    let stale = config_stale(kubelet, root, &sources);
    let started = kubelet.process.known().and_then(|process| process.started.known()).copied();
    let resolver = Resolver {
        flags: &given,
        environment: &kubelet.environment.items,
        layers: sources.layers(root, started),
        config_file: sources.main.is_some(),
        version: kubelet.version.known().map(String::as_str),
        version_gap: gap_at(root, "kubelet.version"),
    };
    let mut effective = Branch::default();
    for field in &FIELDS {
        let path: Vec<&str> = field.path.split('.').collect();
        let reading = resolver.resolve(field);
        if field.kind == Kind::Duration {
            effective.put_seconds(&path, &reading);
        }
        effective.put(&path, reading);
    }
    effective.put(&["featureGates"], resolver.feature_gates());
    (effective.reading(), flag_map(&resolver), stale)
}

/// The files that the command line names, as far as they were read.
struct Sources<'a> {
    main: Option<&'a Fact<ConfigFile>>,
    /// In the order in which they apply, each with its place in the evidence. None: no `--config-dir`.
    drop_ins: Option<(Vec<(usize, &'a ConfigFile)>, bool)>,
}

impl<'a> Sources<'a> {
    fn of(kubelet: &'a Component, given: &Flags) -> Self {
        let named = |flag: &str| given.last(flag).is_some_and(|value| !value.is_empty());
        let drop_ins = named("config-dir").then(|| {
            let mut files: Vec<(usize, &ConfigFile)> = kubelet
                .drop_ins
                .items
                .iter()
                .enumerate()
                .filter(|(_, file)| file.path.rsplit('/').next().is_some_and(|name| name.ends_with(".conf")))
                .collect();
            // The kubelet walks the directory, each level by name.
            files.sort_by(|(_, a), (_, b)| a.path.split('/').cmp(b.path.split('/')));
            (files, kubelet.drop_ins.complete)
        });
        Sources { main: named("config").then_some(&kubelet.config_file), drop_ins }
    }

    /// The layers, the one that wins first.
    fn layers(&self, root: &Reading, started: Option<Timestamp>) -> Vec<Layer<'a>> {
        let mut layers = Vec::new();
        if let Some((files, complete)) = &self.drop_ins {
            if !complete {
                layers.push(Layer::Hole(gap_at(root, "kubelet.drop_ins")));
            }
            for (number, file) in files.iter().rev() {
                layers
                    .push(layer(file, true, started, || gap_at(root, &format!("kubelet.drop_ins.{number}.document"))));
            }
        }
        match self.main {
            None => {}
            Some(Fact::Known(file)) => {
                layers.push(layer(file, false, started, || gap_at(root, "kubelet.config_file.document")));
            }
            Some(Fact::Absent) => layers.push(Layer::Hole(Gap::new(
                Reason::NotVisible,
                "the command line names a configuration file, and there is none in the evidence",
            ))),
            Some(Fact::Unread) => layers.push(Layer::Hole(gap_at(root, "kubelet.config_file"))),
        }
        layers
    }
}

/// A file as a layer. What lies on the disk since after the start is not what runs: the kubelet reads it only then.
fn layer<'a>(file: &'a ConfigFile, drop_in: bool, started: Option<Timestamp>, gap: impl FnOnce() -> Gap) -> Layer<'a> {
    if let (Fact::Known(modified), Some(started)) = (&file.modified, started)
        && changed_after(*modified, started)
    {
        return Layer::Hole(Gap::new(
            Reason::NotVisible,
            format!("{} changed after the kubelet started, and what it runs with is not seen", file.path),
        ));
    }
    match &file.document {
        Fact::Known(document) if document.is_object() => Layer::File { path: &file.path, document, drop_in },
        Fact::Known(_) => {
            Layer::Hole(Gap::new(Reason::Malformed, format!("{} is not a kubelet configuration", file.path)))
        }
        Fact::Absent => Layer::Hole(Gap::new(Reason::NotVisible, format!("{} no longer exists", file.path))),
        Fact::Unread => Layer::Hole(gap()),
    }
}

/// Whether a configuration file changed after the kubelet started, which reads it only then.
fn config_stale(kubelet: &Component, root: &Reading, sources: &Sources<'_>) -> Reading {
    let Some(started) = kubelet.process.known().and_then(|process| process.started.known()) else {
        return Reading::new(Value::Unread(gap_at(root, "kubelet.process.started")));
    };
    let mut gap = None;
    let mut changed = None;
    let mut look = |modified: &Fact<Timestamp>, path: &str, why: &str| match modified {
        Fact::Known(at) => {
            if changed_after(*at, *started) {
                changed.get_or_insert_with(|| path.to_owned());
            }
        }
        Fact::Absent | Fact::Unread => {
            gap.get_or_insert_with(|| gap_at(root, why));
        }
    };
    match sources.main {
        Some(Fact::Known(file)) => look(&file.modified, &file.path, "kubelet.config_file.modified"),
        Some(_) => look(&Fact::Unread, "", "kubelet.config_file"),
        None => {}
    }
    if let Some((files, complete)) = &sources.drop_ins {
        for (number, file) in files {
            look(&file.modified, &file.path, &format!("kubelet.drop_ins.{number}.modified"));
        }
        if !complete {
            look(&Fact::Unread, "", "kubelet.drop_ins");
        }
    }
    match (changed, gap) {
        (Some(path), _) => Reading::with_origin(Value::Bool(true), format!("{path} changed after the kubelet started")),
        (None, Some(gap)) => Reading::new(Value::Unread(gap)),
        (None, None) => {
            Reading::with_origin(Value::Bool(false), "no configuration file changed after the kubelet started")
        }
    }
}

/// Every flag that was given, typed where its type is known: under its own name, and as `hostnameOverride`, since a
/// condition reads the hyphens of `hostname-override` as minus signs.
fn flag_map(resolver: &Resolver<'_>) -> Reading {
    let mut entries = BTreeMap::new();
    for (name, values) in resolver.flags.iter() {
        let Some(last) = values.last() else { continue };
        let origin = resolver.flag_origin(name, last);
        let malformed = || Value::Unread(Gap::new(Reason::Malformed, format!("the value of the kubelet's --{name}")));
        let value = match kubelet_fields::kind_of_flag(name) {
            Some(Kind::Bool) => flags::truth(last).map_or_else(malformed, Value::Bool),
            Some(Kind::Int) => flags::integer(last).map_or_else(malformed, Value::Int),
            Some(Kind::List) => Reading::list(flags::list(values).into_iter().map(Reading::text).collect(), None).value,
            _ if matches!(name, "feature-gates" | "node-labels") => Value::Text(values.join(",").into()),
            _ => Value::Text(last.as_str().into()),
        };
        let reading = Reading::with_origin(value, origin);
        entries.insert(Key::from(camel_case(name)), reading.clone());
        entries.insert(name.to_owned().into(), reading);
    }
    Reading::map(entries)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut joined = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut chars = word.chars();
        joined.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        joined.push_str(chars.as_str());
    }
    joined
}

/// A map that is being built, in which a key that is missing is one that this program does not resolve.
#[derive(Default)]
struct Branch {
    leaves: BTreeMap<Key, Reading>,
    branches: BTreeMap<Key, Branch>,
}

impl Branch {
    fn put(&mut self, path: &[&str], reading: Reading) {
        match path {
            [] => {}
            [last] => {
                self.leaves.insert((*last).to_owned().into(), reading);
            }
            [first, rest @ ..] => self.branches.entry((*first).to_owned().into()).or_default().put(rest, reading),
        }
    }

    /// Puts the whole seconds of a duration beside it.
    fn put_seconds(&mut self, path: &[&str], duration: &Reading) {
        let Some((last, parents)) = path.split_last() else { return };
        let value = match &duration.value {
            Value::Text(text) => match super::duration::parse(text) {
                Some(nanos) => Value::Int(super::duration::seconds(nanos)),
                None => Value::Unread(Gap::new(Reason::Malformed, "not a duration")),
            },
            other => other.clone(),
        };
        let name = format!("{last}Seconds");
        let mut path = parents.to_vec();
        path.push(&name);
        self.put(&path, Reading { value, origin: duration.origin.clone() });
    }

    fn reading(self) -> Reading {
        let mut entries = self.leaves;
        for (name, branch) in self.branches {
            entries.insert(name, branch.reading());
        }
        let missing = Missing::Unread(Gap::new(Reason::NotVisible, "this program does not resolve this setting"));
        Reading::new(Value::Map { entries: entries.into(), missing })
    }
}

#[cfg(test)]
#[path = "kubelet_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "kubelet_recorded_tests.rs"]
mod recorded_tests;
