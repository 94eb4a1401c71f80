//! A control about many things: its condition asked of every item of a list, one by one.

use super::evaluate::{Answer, Doubt, Scope};
use super::shown::{Origin, plain};
use super::{ItemVerdict, Verdict};
use crate::catalog::{Conditions, Control, EmptyMeans};
use crate::evidence::{Reading, Reason, Value};
use std::sync::Arc;

/// Most items that a sentence names.
const NAMED: usize = 3;

/// What came of asking all items.
pub(super) struct Asked {
    /// The verdict of the whole.
    pub(super) verdict: Verdict,
    /// Why it is unknown.
    pub(super) reason: Option<Reason>,
    /// One sentence for the person.
    pub(super) message: String,
    /// Items that fail, then items that could not be read.
    pub(super) items: Vec<ItemVerdict>,
    /// How many items the control is about.
    pub(super) asked: usize,
}

/// Asks `expect` of every item of `list` that `where` leaves.
pub(super) fn ask<'r>(
    control: &Control,
    conditions: &Conditions,
    list: &'r Reading,
    scope: &Scope<'r>,
    origin: Origin,
) -> Asked {
    let path = control.each.as_deref().unwrap_or_default();
    let noun = path.rsplit('.').next().unwrap_or("items").replace('_', " ");
    let unknown = |reason: Reason, message: String| Asked {
        verdict: Verdict::Unknown,
        reason: Some(reason),
        message,
        items: Vec::new(),
        asked: 0,
    };
    let (found, gap): (&'r [Reading], _) = match &list.value {
        Value::List { items, gap } => (items.as_slice(), gap.as_ref()),
        Value::Absent => (&[], None),
        Value::Unread(gap) => {
            let why = if gap.detail.is_empty() { String::new() } else { format!(": {}", gap.detail) };
            return unknown(gap.reason, format!("The list {path} could not be read ({}{why}).", gap.reason));
        }
        _ => return unknown(Reason::Malformed, format!("{path} is not a list in this evidence.")),
    };
    let (mut failed, mut unread, mut asked) = (Vec::new(), Vec::new(), 0_usize);
    let (mut before_where, mut before_expect) = (None, None);
    for (number, item) in found.iter().enumerate() {
        let name = || name_of(item, number);
        let narrow = |condition| scope.ask_item(condition, item, &[true, false], &mut before_where);
        let narrowed = conditions.where_.as_ref().map(narrow);
        let answer = match narrowed {
            Some(Answer { holds: Ok(false), .. }) => continue,
            Some(doubt @ Answer { holds: Err(_), .. }) => doubt,
            Some(Answer { holds: Ok(true), .. }) | None => match &conditions.expect {
                Some(expect) => scope.ask_item(expect, item, &[true], &mut before_expect),
                None => continue,
            },
        };
        asked += 1;
        let verdict = |verdict: Verdict, reason: Option<Reason>| {
            let shows = control.shows.iter().filter_map(|path| {
                let below = path.strip_prefix("item")?;
                Some((Arc::from(path.as_str()), item.at(below)))
            });
            let shows: Vec<(Arc<str>, Reading)> = shows.collect();
            let shows = shows.iter().map(|(path, reading)| (path, reading.clone()));
            let own: Vec<_> = answer.touches.iter().filter(|touch| touch.path.starts_with("item")).cloned().collect();
            ItemVerdict { name: name(), verdict, reason, evidence: origin.all(shows, Vec::new(), &own) }
        };
        match &answer.holds {
            Ok(true) => {}
            Ok(false) => failed.push(verdict(Verdict::Fail, None)),
            Err(doubt) => unread.push((verdict(Verdict::Unknown, Some(doubt.reason)), doubt.clone())),
        }
    }
    let incomplete = gap.map(|gap| {
        let why = if gap.detail.is_empty() { String::new() } else { format!(": {}", gap.detail) };
        format!("the list of {noun} may be incomplete ({}{why})", gap.reason)
    });
    // A list of what is wrong: that an item is in it is the fault, and there is nothing about it that would hold or not.
    let faults = control.expect.as_deref().is_some_and(|expect| expect.trim() == "false");
    let kind = if conditions.where_.is_some() { " of this kind" } else { "" };
    let (verdict, reason, message) = if !failed.is_empty() {
        let mut message = match faults {
            true => format!("{} {}{kind}: {}", failed.len(), count_of(&noun, failed.len()), names(&failed)),
            false => {
                format!("{} of {asked} {noun} {} not hold: {}", failed.len(), does(failed.len()), names(&failed))
            }
        };
        if !unread.is_empty() {
            message.push_str(&format!("; {} could not be told", unread.len()));
        }
        if let Some(incomplete) = incomplete {
            message.push_str(&format!("; {incomplete}"));
        }
        (Verdict::Fail, None, message)
    } else if let Some((_, first)) = unread.first() {
        let reason = first.reason;
        let mut message = format!("{} of {asked} {noun} could not be told: {}", unread.len(), reasons(&unread));
        if let Some(incomplete) = incomplete {
            message.push_str(&format!("; {incomplete}"));
        }
        (Verdict::Unknown, Some(reason), message)
    } else if let (Some(gap), Some(incomplete)) = (gap, incomplete) {
        let rest = match asked {
            0 => "none of this kind was seen in it".to_owned(),
            1 => "the one that was seen holds".to_owned(),
            _ => format!("the {asked} that were seen hold"),
        };
        (Verdict::Unknown, Some(gap.reason), format!("{}; {rest}", capital(&incomplete)))
    } else if asked == 0 {
        match control.empty {
            EmptyMeans::Pass if faults => (Verdict::Pass, None, format!("It holds: there are no {noun}{kind}")),
            EmptyMeans::Pass => (Verdict::Pass, None, format!("It holds: there are no {noun} that it could fail for")),
            EmptyMeans::NotApplicable => (
                Verdict::NotApplicable,
                None,
                match &control.otherwise {
                    Some(text) if control.when.is_none() => text.trim().trim_end_matches('.').to_owned(),
                    _ => format!("Does not apply: there are no {noun} of this kind here"),
                },
            ),
        }
    } else if asked == 1 {
        (Verdict::Pass, None, format!("It holds for the one of the {noun} that it is about"))
    } else {
        (Verdict::Pass, None, format!("All {asked} {noun} that it is about hold"))
    };
    failed.extend(unread.into_iter().map(|(item, _)| item));
    Asked { verdict, reason, message: format!("{}.", message.trim_end_matches('.')), items: failed, asked }
}

fn does(count: usize) -> &'static str {
    if count == 1 { "does" } else { "do" }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn names(items: &[ItemVerdict]) -> String {
    listed(items.iter().map(|item| item.name.as_str()), items.len())
}

/// A word for many things, or for one of them.
fn count_of(noun: &str, count: usize) -> &str {
    if count != 1 {
        return noun;
    }
    let process = noun.strip_suffix("es").filter(|one| one.ends_with("ss"));
    process.or_else(|| noun.strip_suffix('s')).unwrap_or(noun)
}

/// What could not be told, each kind of reason with those that it is true of.
fn reasons(items: &[(ItemVerdict, Doubt)]) -> String {
    let mut kinds: Vec<(&Doubt, Vec<&str>)> = Vec::new();
    for (item, doubt) in items {
        match kinds.iter_mut().find(|(known, _)| known.reason == doubt.reason && known.why == doubt.why) {
            Some((_, names)) => names.push(&item.name),
            None => kinds.push((doubt, vec![&item.name])),
        }
    }
    let told = kinds.iter().take(NAMED).map(|(doubt, names)| {
        let why = doubt.why.trim_end_matches('.');
        format!("{}: {why}", listed(names.iter().copied(), names.len()))
    });
    let told: Vec<String> = told.collect();
    match kinds.iter().skip(NAMED).map(|(_, names)| names.len()).sum::<usize>() {
        0 => told.join("; "),
        more => format!("{}; and {more} more for other reasons", told.join("; ")),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    let named: Vec<String> = names.take(NAMED).map(|name| plain(name, 80)).collect();
    // A name may have a comma of its own: `sshd, pid 812`.
    let between = if named.iter().any(|name| name.contains(", ")) { " / " } else { ", " };
    match count.saturating_sub(named.len()) {
        0 => named.join(between),
        more => format!("{} and {more} more", named.join(between)),
    }
}

/// What an item is called: its `name`, its `path`, itself where it is a text, else its number.
fn name_of(item: &Reading, number: usize) -> String {
    let text = |reading: Reading| match reading.value {
        Value::Text(text) if !text.is_empty() => Some(plain(&text, 200)),
        _ => None,
    };
    text(item.child("name"))
        .or_else(|| text(item.child("path")))
        .or_else(|| text(item.clone()))
        .unwrap_or_else(|| format!("item {}", number + 1))
}
