//! What `sshd -T` printed: one set of settings for each kind of connection.

use super::answer::Answer;
use super::frames::{Record, State};
use super::text;
use crate::evidence::{Fact, Listing, Reason, SshdDump};
use std::collections::{BTreeMap, BTreeSet};

/// Reads the dumps of one daemon, whose evidence is at `at`.
pub(super) fn read(answer: &mut Answer<'_>, key: &str, at: &str, readable: bool) -> Listing<SshdDump> {
    if !readable {
        return Listing::default();
    }
    let at = format!("{at}.dumps");
    let pairs = answer.pairs(&format!("{key}.dumps"), &at, "what sshd says of its settings");
    let count =
        |name: &str| pairs.as_ref().and_then(|pairs| pairs.value(name)).and_then(|value| value.parse::<usize>().ok());
    let prefix = format!("{key}.dump.");
    let numbers = answer.numbers(&prefix);
    let mut complete = true;
    match (count("wanted"), count("sent")) {
        (Some(wanted), Some(sent)) if wanted == sent && sent == numbers.len() => {}
        (Some(wanted), Some(sent)) if sent < wanted => {
            complete = false;
            answer.gap(&at, Reason::TooLarge, "more Match criteria than sshd was asked about");
        }
        _ => {
            complete = false;
            if pairs.is_some() {
                answer.gap(&at, Reason::Malformed, "not as many answers of sshd as were announced");
            }
        }
    }
    let mut items = Vec::new();
    for number in numbers {
        match answer.any(&format!("{prefix}{number}")).and_then(dump) {
            Some(found) => items.push(found),
            None => {
                complete = false;
                answer.gap(&at, Reason::Malformed, "an answer of sshd without the connection that it stands for");
            }
        }
    }
    tell_apart(&mut items);
    Listing { items: items.into_iter().map(|(dump, _)| dump).collect(), complete }
}

/// Adds the user to names that come twice, and a number where that is not enough.
fn tell_apart(items: &mut [(SshdDump, String)]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for (item, _) in items.iter() {
        *count.entry(item.name.clone()).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    for (item, user) in items.iter_mut() {
        if count.get(&item.name).is_some_and(|count| *count > 1) && !user.is_empty() {
            item.name = format!("{} ({user})", item.name);
        }
        let plain = item.name.clone();
        let mut number = 2;
        while !taken.insert(item.name.clone()) {
            item.name = format!("{plain} #{number}");
            number += 1;
        }
    }
}

fn dump(record: &Record) -> Option<(SshdDump, String)> {
    let body = record.text();
    let mut lines = body.lines();
    let head: Vec<String> = lines.next()?.split('\t').map(text::line).collect();
    let [kind, connection, criterion] = head.as_slice() else { return None };
    let connection: BTreeMap<String, String> = connection
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let user = connection.get("user").cloned().unwrap_or_default();
    let from = connection.get("addr").cloned().unwrap_or_else(|| "this node".to_owned());
    let name = match kind.as_str() {
        "global" => "global".to_owned(),
        "root" => format!("root from {from}"),
        "user" => format!("{user} from {from}"),
        "match" => format!("Match {criterion}"),
        _ => return None,
    };
    let (settings, unread) = settings(record, lines);
    Some((SshdDump { name, connection, settings, unread }, user))
}

type Settings = Fact<BTreeMap<String, Vec<String>>>;

fn settings<'a>(record: &Record, lines: impl Iterator<Item = &'a str>) -> (Settings, Option<Reason>) {
    match record.state() {
        State::Here => {}
        State::Absent => return (Fact::Unread, Some(Reason::NotVisible)),
        state => return (Fact::Unread, Some(state.reason().unwrap_or(Reason::Malformed))),
    }
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    if record.rc != 0 {
        let reason = match lines.first().map(|word| word.trim()) {
            Some("forbidden" | "nohostkeys") => Reason::Forbidden,
            _ => Reason::Malformed,
        };
        return (Fact::Unread, Some(reason));
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let line = text::whole(line);
        let (keyword, value) = line.split_once([' ', '\t']).unwrap_or((line.as_str(), ""));
        let keyword = keyword.to_ascii_lowercase();
        if keyword.is_empty() || !keyword.chars().all(|c| c.is_ascii_alphanumeric()) {
            return (Fact::Unread, Some(Reason::Malformed));
        }
        let value = value.trim();
        let value = super::sshd::redact_setting(&keyword, value);
        found.entry(keyword).or_default().push(value);
    }
    // A dump always holds its port; without it this is something else.
    if found.contains_key("port") { (Fact::Known(found), None) } else { (Fact::Unread, Some(Reason::Malformed)) }
}
