//! What the kubelet really runs with: defaults of its version, the file that `--config` names, the drop-ins of
//! `--config-dir`, the command line; each over the one before it.
//!
//! What lies below a layer that was not read is unread, never a default.

use super::super::listed::Listed;
use super::super::{ChannelKind, Component, ConfigFile, Fact, Gap, Key, NodeEvidence, Reading, Reason, Value};
use super::branch::Branch;
use super::differences::{Differences, same};
use super::flags::{self, Flags};
use super::kubelet_configz::Configz;
use super::kubelet_fields::{self, FIELDS, Field};
use super::kubelet_resolve::Resolver;
use super::layers::{self, Layer};
use super::settings::{Kind, camel_case};
use super::{changed_after, gap_at};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What was derived from what a channel saw.
struct Derived {
    /// In the order of [`FIELDS`].
    fields: Vec<Reading>,
    gates: Reading,
    flags: Reading,
    stale: Reading,
}

/// Adds `effective`, `flags` and `config_stale` to the tree's `kubelet`. What the kubelet says of itself at `/configz` lies
/// nearer to what runs than what its files say; where they differ, `differences` hears of it.
pub(super) fn attach(
    node: &NodeEvidence,
    listed: Option<&Listed<'_>>,
    root: &mut Reading,
    differences: &mut Differences,
) {
    if matches!(node.kubelet.exists, Fact::Known(false) | Fact::Absent) {
        let absent = Reading::new(Value::Absent);
        return put(root, absent.clone(), absent.clone(), absent);
    }
    let derived = match node.kubelet.exists {
        Fact::Known(_) => derive(&node.kubelet, root),
        _ => Err(gap_at(root, "kubelet.process.args")),
    };
    let said = listed.map(|listed| Configz::of(listed, node.kubelet.version.known().map(String::as_str)));
    let unread = |gap: &Gap| Reading::new(Value::Unread(gap.clone()));
    let (derived, said) = match (derived, said) {
        (Err(_), Some(Err(gap))) if node.channel == ChannelKind::Api => {
            return put(root, unread(&gap), unread(&gap), unread(&gap));
        }
        (Err(gap), None | Some(Err(_))) => return put(root, unread(&gap), unread(&gap), unread(&gap)),
        (derived, said) => (derived, said.and_then(Result::ok)),
    };
    let mut effective = Branch::default();
    for (number, field) in FIELDS.iter().enumerate() {
        let by_node = derived.as_ref().ok().and_then(|derived| derived.fields.get(number));
        let by_api = said.as_ref().map(|said| said.field(field));
        let Some(reading) = nearest(field, by_node, by_api, differences) else { continue };
        let path: Vec<&'static str> = field.path.split('.').collect();
        if field.kind == Kind::Duration {
            effective.put_seconds(&path, &reading);
        }
        effective.put(&path, reading);
    }
    let gates = match (&derived, &said) {
        (Ok(derived), Some(said)) if same(&derived.gates.value, &said.feature_gates().value) => derived.gates.clone(),
        (_, Some(said)) => said.feature_gates(),
        (Ok(derived), None) => derived.gates.clone(),
        (Err(gap), None) => unread(gap),
    };
    effective.put(&["featureGates"], gates);
    let (flags, stale) = match derived {
        Ok(derived) => (derived.flags, derived.stale),
        Err(gap) => (unread(&gap), unread(&gap)),
    };
    put(root, effective.reading(), flags, stale);
}

fn put(root: &mut Reading, effective: Reading, flags: Reading, stale: Reading) {
    root.change("kubelet", |kubelet| {
        kubelet.insert("effective", effective);
        kubelet.insert("flags", flags);
        kubelet.insert("config_stale", stale);
    });
}

/// What counts of what the node's files and flags say and what the kubelet says itself. Where both say the same, the files
/// and flags also say where it is set.
fn nearest(
    field: &Field,
    by_node: Option<&Reading>,
    by_api: Option<Reading>,
    differences: &mut Differences,
) -> Option<Reading> {
    let is_read = |reading: &Reading| !matches!(reading.value, Value::Unread(_));
    match (by_node, by_api) {
        (Some(by_node), Some(by_api)) if is_read(by_node) && is_read(&by_api) => {
            if same(&by_node.value, &by_api.value) {
                return Some(by_node.clone());
            }
            differences.compare(&format!("kubelet {}", field.path), by_node, &by_api);
            Some(by_api)
        }
        (Some(by_node), Some(by_api)) => Some(if is_read(&by_api) { by_api } else { by_node.clone() }),
        (Some(by_node), None) => Some(by_node.clone()),
        (None, by_api) => by_api,
    }
}

fn derive(kubelet: &Component, root: &Reading) -> Result<Derived, Gap> {
    let Some(args) = kubelet.process.known().and_then(|process| process.args.known()) else {
        return Err(gap_at(root, "kubelet.process.args"));
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
    let fields = FIELDS.iter().map(|field| resolver.resolve(field)).collect();
    Ok(Derived { fields, gates: resolver.feature_gates(), flags: flag_map(&resolver), stale })
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
                let gap = || gap_at(root, &format!("kubelet.drop_ins.{number}.document"));
                layers.push(layers::of_file(file, "the kubelet", true, started, gap));
            }
        }
        match self.main {
            None => {}
            Some(Fact::Known(file)) => {
                let gap = || gap_at(root, "kubelet.config_file.document");
                layers.push(layers::of_file(file, "the kubelet", false, started, gap));
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

#[cfg(test)]
#[path = "kubelet_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "kubelet_recorded_tests.rs"]
mod recorded_tests;
