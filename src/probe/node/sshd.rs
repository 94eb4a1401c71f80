//! sshd: the daemons that count, the files they read, what `sshd -T` says, their host keys.

use super::answer::{self, Answer, Got, why};
use super::frames::{Pair, Pairs, State};
use super::process::{Procs, Verdict, rejected};
use super::sshd_dump;
use super::{redact, text};
use crate::evidence::{ConfigText, Fact, HostKey, Listing, Process, Reason, Sshd, SshdDaemon};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Reads everything about sshd.
pub(super) fn read(answer: &mut Answer<'_>, procs: &Procs) -> Sshd {
    let pairs = answer.pairs("sshd", "sshd", "the SSH server");
    let pairs = pairs.as_ref();
    let binary = answer.fact(pairs, "binary", "sshd.binary", "the sshd executable", answer::word);
    let version = match binary {
        Fact::Absent => Fact::Absent,
        _ => answer.fact(pairs, "version", "sshd.version", "the version of sshd", answer::word),
    };
    let daemons = daemons(answer, pairs, procs);
    let rejected = procs
        .named(&["sshd"])
        .filter_map(|found| match found.verdict {
            Verdict::Rejected(why) => Some(rejected(found, why)),
            Verdict::Container => Some(rejected(found, "it runs in a pod")),
            _ => None,
        })
        .collect();
    Sshd { binary, version, daemons, rejected }
}

fn daemons(answer: &mut Answer<'_>, pairs: Option<&Pairs>, procs: &Procs) -> Listing<SshdDaemon> {
    const PATH: &str = "sshd.daemons";
    let mut complete = pairs.is_some() && procs.complete;
    if let Some(word) = pairs.and_then(|pairs| pairs.value("incomplete")) {
        complete = false;
        answer.missing(State::from_word(word), PATH, "the list of SSH servers");
    }
    if pairs.is_some() && !procs.complete && answer.complete() {
        answer.gap(PATH, Reason::NotVisible, "not every process of the node could be seen");
    }
    if procs.named(&["sshd"]).any(|found| found.verdict == Verdict::Unknown) {
        complete = false;
        answer.gap(PATH, Reason::Forbidden, "of a process named sshd this login cannot tell what started it");
    }
    let mut items = Vec::new();
    for number in answer.numbers("sshd.") {
        match daemon(answer, number, items.len(), procs) {
            Some(found) => items.push(found),
            None => complete = false,
        }
    }
    let told = pairs.and_then(|pairs| pairs.value("daemons")).and_then(|count| count.parse::<usize>().ok());
    if pairs.is_some() && told != Some(items.len()) {
        complete = false;
        answer.gap(PATH, Reason::Malformed, "the number of SSH servers is not the one that was announced");
    }
    name(&mut items);
    Listing { items, complete }
}

/// Names by configuration file, with the pid where two share one.
fn name(items: &mut [SshdDaemon]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for item in items.iter() {
        *count.entry(item.config_path.clone()).or_default() += 1;
    }
    for item in items {
        let shared = count.get(&item.config_path).is_some_and(|count| *count > 1);
        item.name = match item.process.known() {
            Some(process) if shared => format!("sshd, {}, pid {}", item.config_path, process.pid),
            None if shared => format!("sshd, {}, started by a socket", item.config_path),
            _ => format!("sshd, {}", item.config_path),
        };
    }
}

fn daemon(answer: &mut Answer<'_>, number: usize, index: usize, procs: &Procs) -> Option<SshdDaemon> {
    let key = format!("sshd.{number}");
    let at = format!("sshd.daemons.{index}");
    let pairs = answer.pairs(&key, "sshd.daemons", "an SSH server")?;
    let config_path = pairs.value("config").map(text::line).filter(|path| path.starts_with('/'));
    let Some(config_path) = config_path else {
        answer.gap("sshd.daemons", Reason::Malformed, "an SSH server came without the path of its configuration");
        return None;
    };
    let process = match pairs.get("pid") {
        Some(Pair::Missing(State::Absent)) => Fact::Absent,
        Some(Pair::Value(pid)) => match pid.parse().ok().and_then(|pid| procs.pid(pid)) {
            Some(found) => {
                if found.process.args.is_unread() {
                    answer.missing(
                        found.args_gap.unwrap_or(State::NotVisible),
                        &format!("{at}.process.args"),
                        "its command line",
                    );
                }
                Fact::Known(found.process.clone())
            }
            None => {
                answer.gap(
                    &format!("{at}.process"),
                    Reason::NotVisible,
                    "the process is not in the table of processes",
                );
                Fact::Unread
            }
        },
        _ => Fact::Unread,
    };
    let serves_login =
        answer.fact(Some(&pairs), "serves_login", &format!("{at}.serves_login"), "whether it serves this login", |v| {
            match v {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            }
        });
    let state = pairs.value("config_state").map_or(State::Malformed, State::from_word);
    if state != State::Here {
        let refused = if state == State::Absent { State::NotVisible } else { state };
        let detail = format!("the configuration of an SSH server: {}", why(state));
        for field in ["files", "dumps", "host_keys", "config_valid"] {
            answer.gap(&format!("{at}.{field}"), refused.reason().unwrap_or(Reason::Malformed), &detail);
        }
    }
    let readable = state == State::Here;
    let mut dumps = sshd_dump::read(answer, &key, &at, readable);
    let mut host_keys = host_keys(answer, &key, &at, readable);
    if pairs.value("unparsed").is_some_and(|word| word != "no") {
        (dumps.complete, host_keys.complete) = (false, false);
        for field in ["dumps", "host_keys"] {
            let detail = "the server runs with options on its command line that `sshd -T` was not asked with";
            answer.gap(&format!("{at}.{field}"), Reason::NotVisible, detail);
        }
    }
    Some(SshdDaemon {
        name: String::new(),
        loaded: loaded(&pairs, &process),
        process,
        config_path,
        serves_login,
        files: files(answer, &key, &at, &pairs, readable),
        dumps,
        host_keys,
        config_valid: if readable { valid(answer, &key, &at) } else { Fact::Unread },
    })
}

/// When a daemon last read its configuration: a reload keeps the process and its start, and changes its unit's state.
fn loaded(pairs: &Pairs, process: &Fact<Process>) -> Fact<Timestamp> {
    let process = match process {
        Fact::Known(process) => process,
        Fact::Absent => return Fact::Absent,
        Fact::Unread => return Fact::Unread,
    };
    let reloaded = pairs.value("loaded").map_or(Fact::Unread, answer::time);
    match (process.started.known(), reloaded.known()) {
        (Some(started), Some(reloaded)) => Fact::Known(*started.max(reloaded)),
        (Some(one), None) | (None, Some(one)) => Fact::Known(*one),
        (None, None) => Fact::Unread,
    }
}

fn files(answer: &mut Answer<'_>, key: &str, at: &str, pairs: &Pairs, readable: bool) -> Listing<ConfigText> {
    if !readable {
        return Listing::default();
    }
    let at = format!("{at}.files");
    let listed = answer.table(&format!("{key}.files"), 6, &at, "the configuration files of an SSH server");
    let mut complete = listed.complete;
    if ["depth", "incomplete_files"].iter().any(|name| pairs.value(name).is_some_and(|value| value != "no")) {
        complete = false;
        answer.gap(&at, Reason::TooLarge, "more configuration files, or deeper ones, than are read");
    }
    let mut items = Vec::new();
    for row in &listed.items {
        let [number, state, mtime, _uid, _mode, path] = row.as_slice() else { continue };
        let state = State::from_word(state);
        let text = match state {
            State::Here => answer.got(&format!("{key}.file.{number}")),
            state => Got::Missing(state),
        };
        items.push(config_text(path, mtime, &text, |body| redact_sshd(&body)));
    }
    Listing { items, complete }
}

/// A file's text with its reason where there is none.
pub(super) fn config_text(path: &str, mtime: &str, got: &Got<'_>, redact: impl FnOnce(String) -> String) -> ConfigText {
    let (text, unread) = match got {
        Got::Here(record) => (Fact::Known(redact(text::lines(&record.text()))), None),
        Got::Absent | Got::Missing(State::Absent) => (Fact::Absent, None),
        Got::Cut(_) => (Fact::Unread, Some(Reason::TooLarge)),
        Got::Missing(state) => (Fact::Unread, Some(state.reason().unwrap_or(Reason::Malformed))),
        Got::Nothing => (Fact::Unread, Some(Reason::NotVisible)),
    };
    ConfigText { path: path.to_owned(), text, modified: answer::time(mtime), unread }
}

/// A configuration of sshd without what may hold secrets: comments, the environment that it sets, arguments of commands.
/// Every line stays a line, since origins count them.
fn redact_sshd(body: &str) -> String {
    let lines = body.split('\n').map(|line| {
        let start = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at_checked(start).unwrap_or(("", line));
        if rest.starts_with('#') {
            return "#".to_owned();
        }
        let end = rest.find([' ', '\t', '=']).unwrap_or(rest.len());
        let (keyword, value) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let begin = value.len() - value.trim_start_matches([' ', '\t', '=']).len();
        let (between, value) = value.split_at_checked(begin).unwrap_or(("", value));
        format!("{indent}{keyword}{between}{}", redact_setting(keyword, value))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The value of a keyword of sshd, without what may hold secrets.
pub(super) fn redact_setting(keyword: &str, value: &str) -> String {
    let programs = match keyword.trim_matches('"').to_ascii_lowercase().as_str() {
        "setenv" => 0,
        "forcecommand" | "authorizedkeyscommand" | "authorizedprincipalscommand" => 1,
        "subsystem" => 2,
        _ => return value.to_owned(),
    };
    let words: Vec<&str> = value.split_whitespace().collect();
    if words.len() <= programs {
        return value.to_owned();
    }
    let kept = words.into_iter().take(programs).chain([redact::REDACTED]);
    kept.collect::<Vec<_>>().join(" ")
}

fn host_keys(answer: &mut Answer<'_>, key: &str, at: &str, readable: bool) -> Listing<HostKey> {
    if !readable {
        return Listing::default();
    }
    let listed =
        answer.table(&format!("{key}.hostkeys"), 5, &format!("{at}.host_keys"), "the host keys of an SSH server");
    let items = listed.items.iter().filter_map(|row| {
        let [state, bits, fingerprint, kind, path] = row.as_slice() else { return None };
        let state = State::from_word(state);
        let fact = |value: &str| match (state, answer::column(value)) {
            (State::Here, Some(value)) => Fact::Known(value.to_owned()),
            _ => Fact::Unread,
        };
        let bits = if state == State::Here { answer::number(bits) } else { Fact::Unread };
        let (kind, fingerprint) = (fact(kind), fact(fingerprint));
        let unread = match state {
            State::Here if bits.is_unread() || kind.is_unread() || fingerprint.is_unread() => Some(Reason::Unsupported),
            // The public half is not there to be read; of the key itself nothing is.
            State::Absent => Some(Reason::NotVisible),
            state => state.reason(),
        };
        Some(HostKey { path: path.clone(), kind, bits, fingerprint, unread })
    });
    Listing { items: items.collect(), complete: listed.complete }
}

fn valid(answer: &mut Answer<'_>, key: &str, at: &str) -> Fact<bool> {
    let at = format!("{at}.config_valid");
    let got = answer.got(&format!("{key}.test"));
    let Got::Here(record) = got else {
        answer.note(&got, &at, "whether sshd accepts its configuration");
        return Fact::Unread;
    };
    match (record.text().trim(), record.rc) {
        ("ok", 0) => Fact::Known(true),
        ("badconfig" | "nohostkeys", rc) if rc != 0 => Fact::Known(false),
        ("forbidden", _) => {
            answer.missing(State::Forbidden, &at, "whether sshd accepts its configuration");
            Fact::Unread
        }
        _ => {
            answer.missing(State::Malformed, &at, "whether sshd accepts its configuration");
            Fact::Unread
        }
    }
}

#[cfg(test)]
#[path = "sshd_tests.rs"]
mod tests;
