//! sshd as it really answers: one item for each daemon and each connection that `sshd -T` was asked about.
//!
//! The value is always what `sshd -T` printed. The files tell only where it came from. Keywords are today's, in lower
//! case; times are seconds; `maxstartups` stays a text and has `maxstartups_parts` beside it.

use super::super::{Fact, Gap, Key, NodeEvidence, Reading, Reason, SshdDaemon, Value};
use super::sshd_config::SshdConfig;
use super::sshd_keywords::{self, Keyword, Kind};
use super::sshd_match::Applies;
use super::sshd_origin::{self, Origins};
use super::{changed_after, gap_at};
use std::collections::BTreeMap;

/// Lists that `sshd -T` leaves out where they are empty.
const LEFT_OUT_WHERE_EMPTY: [&str; 4] = ["allowusers", "allowgroups", "denyusers", "denygroups"];

/// Adds `contexts` to the tree's `sshd`.
pub(super) fn attach(node: &NodeEvidence, root: &mut Reading) {
    let mut items = Vec::new();
    let mut gap = list_gap(&root.at("sshd.daemons"));
    for (number, daemon) in node.sshd.daemons.items.iter().enumerate() {
        let tree = root.at(&format!("sshd.daemons.{number}"));
        gap = gap.or(list_gap(&tree.child("dumps")));
        items.extend(contexts(node, daemon, &tree));
    }
    let contexts = Reading::list(items, gap);
    root.change("sshd", |sshd| sshd.insert("contexts", contexts));
}

fn list_gap(list: &Reading) -> Option<Gap> {
    match &list.value {
        Value::List { gap, .. } => gap.clone(),
        Value::Unread(gap) => Some(gap.clone()),
        _ => None,
    }
}

fn contexts(node: &NodeEvidence, daemon: &SshdDaemon, tree: &Reading) -> Vec<Reading> {
    let config = SshdConfig::parse(&daemon.config_path, &daemon.files.items);
    let version = match node.sshd.version.known().and_then(|text| text.split([' ', ',']).next()) {
        Some(version) if !version.is_empty() => version.to_owned(),
        _ => "the installed sshd".to_owned(),
    };
    let default = format!("default of {version}").into();
    let origins = Origins { config: &config, complete: daemon.files.complete, default };
    let item = |context: &str, connection: Reading, settings: Reading| {
        Reading::map([
            ("name", Reading::text(format!("{}: {context}", daemon.name))),
            ("daemon", Reading::text(daemon.name.as_str())),
            ("context", Reading::text(context)),
            ("config_path", Reading::text(daemon.config_path.as_str())),
            ("serves_login", tree.child("serves_login")),
            ("connection", connection),
            ("settings", settings),
        ])
    };
    if daemon.dumps.items.is_empty() {
        let why = list_gap(&tree.child("dumps"))
            .unwrap_or_else(|| Gap::new(Reason::NotVisible, "sshd -T was not asked of this daemon"));
        return vec![item("not read", Reading::new(Value::Unread(why.clone())), Reading::new(Value::Unread(why)))];
    }
    let by_option = options_of(daemon);
    let stale = stale(daemon);
    let dumps = tree.child("dumps");
    let mut seen = Seen::new();
    let mut items = Vec::new();
    for (number, dump) in daemon.dumps.items.iter().enumerate() {
        let connection = dump.connection.iter().map(|(key, value)| (key.clone(), Reading::text(value.as_str())));
        let settings = match (&dump.settings, &stale) {
            (Fact::Known(_), Some(gap)) => Reading::new(Value::Unread(gap.clone())),
            (Fact::Known(printed), None) if !printed.is_empty() => {
                let answers = config.answers(&dump.connection);
                settings(printed, &answers, &origins, &by_option, &mut seen)
            }
            (Fact::Known(_) | Fact::Absent, _) => Reading::unread(Reason::Malformed, "sshd -T printed no settings"),
            (Fact::Unread, _) => Reading::new(Value::Unread(gap_at(&dumps, &format!("{number}.settings")))),
        };
        items.push(item(&dump.name, Reading::map(connection), settings));
    }
    items
}

/// Why `sshd -T`, which reads the files as they lie on the disk, does not speak for the daemon that runs.
fn stale(daemon: &SshdDaemon) -> Option<Gap> {
    let started = daemon.process.known().and_then(|process| process.started.known());
    let loaded = daemon.loaded.known().or(started)?;
    let changed =
        daemon.files.items.iter().find(|file| file.modified.known().is_some_and(|at| changed_after(*at, *loaded)))?;
    Some(Gap::new(
        Reason::NotVisible,
        format!("{} changed after the running sshd last read it: reload sshd, then look again", changed.path),
    ))
}

/// What the last dump printed of a keyword, and what that was read as: most of it is the same in the next dump.
type Seen<'a> = BTreeMap<&'static str, (&'a [String], Value)>;

/// What the running daemon was given by `-o` and the options that stand for a keyword, by the keyword's canonical name.
pub(crate) fn options_of(daemon: &SshdDaemon) -> BTreeMap<String, Vec<String>> {
    let mut options: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(args) = daemon.process.known().and_then(|process| process.args.known()) else { return options };
    // A listening sshd may call itself `sshd: /usr/sbin/sshd -D [listener] ...` in one single argument.
    let mut words = args.iter().flat_map(|arg| {
        if arg.starts_with("sshd:") { arg.split_whitespace().map(str::to_owned).collect() } else { vec![arg.clone()] }
    });
    while let Some(word) = words.next() {
        let Some(letter @ ("-o" | "-p" | "-g")) = word.get(..2) else { continue };
        let value = match word.get(2..) {
            Some(value) if !value.is_empty() => value.to_owned(),
            _ => match words.next() {
                Some(value) => value,
                None => break,
            },
        };
        let (keyword, value) = match letter {
            "-p" => ("port".to_owned(), value),
            "-g" => ("logingracetime".to_owned(), value),
            _ => match super::sshd_lines::split(&value) {
                Some((keyword, Some(args))) => (sshd_keywords::canonical(&keyword).to_owned(), args.join(" ")),
                _ => continue,
            },
        };
        options.entry(keyword).or_default().push(value);
    }
    options
}

fn settings<'a>(
    printed: &'a BTreeMap<String, Vec<String>>,
    answers: &[Applies],
    origins: &Origins<'_>,
    by_option: &BTreeMap<String, Vec<String>>,
    seen: &mut Seen<'a>,
) -> Reading {
    let mut entries: Vec<(Key, Reading)> = Vec::with_capacity(printed.len() + LEFT_OUT_WHERE_EMPTY.len() + 1);
    for (name, lines) in printed {
        let lower = sshd_keywords::lower_case(name);
        let today = sshd_keywords::canonical(&lower);
        // A dump that holds both the old and the new name says the same twice; the new one counts.
        if today != lower && printed.keys().any(|other| other.eq_ignore_ascii_case(today)) {
            continue;
        }
        let known = sshd_keywords::find(today);
        let value = match known {
            Some(keyword) => match seen.get(keyword.name) {
                Some((same, value)) if *same == lines.as_slice() => value.clone(),
                _ => {
                    let value = typed(keyword, lines);
                    seen.insert(keyword.name, (lines, value.clone()));
                    value
                }
            },
            None if lines.len() == 1 => Value::Text(lines.concat().trim().into()),
            None => texts(lines.iter().map(|line| line.trim())),
        };
        let reading = match (known, by_option.get(today)) {
            (Some(keyword), Some(given)) if !keyword.accumulates || keyword.kind == Kind::Ports => {
                let first =
                    if keyword.kind == Kind::Ports { given.clone() } else { given.iter().take(1).cloned().collect() };
                if typed(keyword, &first) == value {
                    Reading::with_origin(value, "option of the running sshd")
                } else {
                    Reading::unread(
                        Reason::NotVisible,
                        "the running sshd was started with an option that sets this, and sshd -T was asked without it",
                    )
                }
            }
            (Some(keyword), _) => Reading::with_origin(value, origins.of(keyword, lines, answers)),
            (None, _) => Reading::with_origin(value, "sshd -T"),
        };
        if today == "maxstartups" {
            entries.push(("maxstartups_parts".into(), startups(&reading)));
        }
        let key = known.map_or_else(|| Key::from(today.to_owned()), |keyword| Key::from(keyword.name));
        entries.push((key, reading));
    }
    for name in LEFT_OUT_WHERE_EMPTY {
        if !entries.iter().any(|(key, _)| key == name) {
            entries.push((name.into(), Reading::with_origin(Value::Absent, "sshd -T prints none: it is not set")));
        }
    }
    Reading::map(entries)
}

/// A keyword's printed lines, by its kind.
fn typed(keyword: Keyword, lines: &[String]) -> Value {
    let malformed = || {
        Value::Unread(Gap::new(
            Reason::Malformed,
            format!("sshd -T printed {} in a form that is not known", keyword.name),
        ))
    };
    let single = match lines {
        [one] => Some(one.trim()),
        _ => None,
    };
    match (keyword.kind, single) {
        (Kind::Words, _) => texts(lines.iter().flat_map(|line| line.split_whitespace())),
        (Kind::Lines, _) => texts(lines.iter().map(|line| line.trim())),
        (Kind::Ports, _) => match lines.iter().map(|line| line.trim().parse().ok()).collect::<Option<Vec<i64>>>() {
            Some(ports) => {
                Reading::list(ports.into_iter().map(|port| Reading::new(Value::Int(port))).collect(), None).value
            }
            None => malformed(),
        },
        (_, None) => malformed(),
        (Kind::Word, Some(text)) => Value::Text(sshd_origin::word(text).into()),
        (Kind::Text, Some(text)) => Value::Text(text.into()),
        (Kind::Int | Kind::Seconds, Some("none")) => Value::Text("none".into()),
        (Kind::Int, Some(text)) => text.parse().map_or_else(|_| malformed(), Value::Int),
        (Kind::Seconds, Some(text)) => sshd_keywords::seconds(text).map_or_else(malformed, Value::Int),
        (Kind::Startups, Some(text)) => match sshd_origin::startups(text) {
            Some(_) => Value::Text(text.into()),
            None => malformed(),
        },
        (Kind::Algorithms, Some(text)) => texts(text.split(',').map(str::trim).filter(|name| !name.is_empty())),
    }
}

fn texts<'a>(items: impl Iterator<Item = &'a str>) -> Value {
    Reading::list(items.map(Reading::text).collect(), None).value
}

/// `start`, `rate` and `full` of MaxStartups.
fn startups(reading: &Reading) -> Reading {
    let parts = match &reading.value {
        Value::Text(text) => sshd_origin::startups(text),
        _ => None,
    };
    let Some((start, rate, full)) = parts else { return reading.clone() };
    let part = |name: &'static str, int| (name, Reading { value: Value::Int(int), origin: reading.origin.clone() });
    Reading::map([part("start", start), part("rate", rate), part("full", full)])
}

#[cfg(test)]
#[path = "sshd_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "sshd_real_tests.rs"]
mod real_tests;
