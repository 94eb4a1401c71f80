//! Values as a finding shows them: bounded in size, each with its origin.

use super::Shown;
use super::binding::Touch;
use crate::evidence::{ChannelKind, Reading, Value};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::sync::Arc;

/// Most items of a list, or entries of a map, that are shown.
const ITEMS: usize = 32;
/// Longest text that is shown, in characters.
const TEXT: usize = 300;
/// Deepest nesting that is shown.
const DEPTH: usize = 4;
/// Most values of one finding or item.
const VALUES: usize = 40;

/// A text of a node as it may stand in a sentence: without control characters, and not longer than `most` characters.
pub(super) fn plain(text: &str, most: usize) -> String {
    if is_plain(text, most) {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most).map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.len() > most && text.chars().nth(most).is_some() {
        out.push_str("...");
    }
    out
}

/// A text in one line: every run of white space is one space.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if is_printable(text) && text.trim() == text && !text.contains("  ") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a text may stand in a sentence as it is.
fn is_plain(text: &str, most: usize) -> bool {
    text.len() <= most && is_printable(text)
}

/// Whether a text is ASCII without control characters, as nearly all are.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Characters that a terminal obeys or that turn the direction of a line.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Where values come from that say nothing of it themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// The way by which the node was read. None for the site.
    pub(super) channel: Option<ChannelKind>,
}

impl Origin {
    fn of(self, path: &str) -> &'static str {
        match (path.split('.').next(), self.channel) {
            (Some("site"), _) => "what is known of the site",
            (Some("policy"), _) => "policy of this assessment",
            (Some("cluster"), _) => "read through the Kubernetes API",
            (Some("endpoint"), _) => "seen from this seat",
            (_, Some(ChannelKind::Local)) => "read on this machine",
            (_, Some(ChannelKind::Ssh)) => "read on the node by ssh",
            (_, Some(ChannelKind::Pod)) => "read on the node by a pod",
            (_, Some(ChannelKind::Api)) => "read through the Kubernetes API",
            (_, None) => "the evidence",
        }
    }

    /// A value as it is shown.
    pub(super) fn shown(self, path: &Arc<str>, reading: &Reading) -> Shown {
        let mut cut = false;
        let value = json(reading, DEPTH, &mut cut);
        let (mut origin, unread) = match &reading.value {
            Value::Unread(gap) if gap.detail.is_empty() => (Cow::Borrowed("not read"), Some(gap.reason)),
            Value::Unread(gap) => (format!("not read: {}", gap.detail).into(), Some(gap.reason)),
            value => {
                let own = reading.origin.as_deref().map(|own| Cow::Owned(own.to_owned()));
                let mut origin = own.unwrap_or_else(|| Cow::Borrowed(self.of(path)));
                if *value == Value::Absent {
                    origin += "; it does not exist";
                }
                if let Value::List { gap: Some(gap), .. } = value {
                    origin += Cow::Owned(format!("; the list may be incomplete ({})", gap.reason));
                }
                if cut {
                    origin += "; shortened";
                }
                (origin, None)
            }
        };
        if !is_plain(&origin, TEXT) {
            origin = plain(&origin, TEXT).into();
        }
        let path = if is_plain(path, TEXT) { Arc::clone(path) } else { plain(path, TEXT).into() };
        Shown { path, value, origin, unread }
    }

    /// What a condition looked at, as it is shown.
    pub(super) fn decisive(self, touches: &[Touch]) -> Vec<Shown> {
        // No path is among them twice.
        touches.iter().take(VALUES).map(|touch| self.shown(&touch.path, &touch.reading)).collect()
    }

    /// The values that a control shows, then those that decided, which are shown already, then the others that its
    /// conditions looked at; each once.
    pub(super) fn all<'t>(
        self,
        shows: impl Iterator<Item = (&'t Arc<str>, Reading)>,
        decided: Vec<(&'t Touch, Shown)>,
        touches: &'t [Touch],
    ) -> Vec<Shown> {
        let mut out: Vec<Shown> = Vec::new();
        let mut seen: Vec<&'t Arc<str>> = Vec::new();
        let mut add = |path: &'t Arc<str>, shown: &mut dyn FnMut() -> Shown| {
            if !seen.contains(&path) && out.len() < VALUES {
                out.push(shown());
                seen.push(path);
            }
        };
        for (path, reading) in shows {
            add(path, &mut || self.shown(path, &reading));
        }
        for (touch, shown) in decided {
            let mut shown = Some(shown);
            add(&touch.path, &mut || shown.take().unwrap_or_else(|| self.shown(&touch.path, &touch.reading)));
        }
        for touch in touches {
            add(&touch.path, &mut || self.shown(&touch.path, &touch.reading));
        }
        out
    }
}

fn json(reading: &Reading, depth: usize, cut: &mut bool) -> Json {
    match &reading.value {
        Value::Unread(_) | Value::Absent => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(int) => Json::from(*int),
        Value::Float(float) => Json::from(*float),
        Value::Text(text) => {
            *cut |= text.len() > TEXT && text.chars().nth(TEXT).is_some();
            Json::from(plain(text, TEXT))
        }
        Value::List { .. } | Value::Map { .. } if depth == 0 => {
            *cut = true;
            Json::from("...")
        }
        Value::List { items, .. } => {
            *cut |= items.len() > ITEMS;
            items.iter().take(ITEMS).map(|item| json(item, depth - 1, cut)).collect()
        }
        Value::Map { entries, .. } => {
            *cut |= entries.len() > ITEMS;
            let shown = entries.iter().filter(|(_, entry)| !matches!(entry.value, Value::Unread(_)));
            shown.take(ITEMS).map(|(key, entry)| (plain(key, TEXT), json(entry, depth - 1, cut))).collect()
        }
    }
}

/// A value in a sentence.
pub(super) fn in_words(shown: &Shown) -> String {
    let value = match &shown.value {
        Json::Null => "absent".to_owned(),
        Json::String(text) => format!("\"{}\"", plain(text, 60)),
        other => plain(&value_in_words(other), 100),
    };
    let path = shown.path.strip_prefix("node.").unwrap_or(&shown.path);
    format!("{path} is {value}")
}

/// A value as a person reads it: of things that have names the names, everything else as JSON.
pub fn value_in_words(value: &Json) -> String {
    let name = |item: &Json| item.get("name").or_else(|| item.get("path")).and_then(Json::as_str).map(str::to_owned);
    let names = value.as_array().and_then(|items| items.iter().map(name).collect::<Option<Vec<_>>>());
    match names {
        Some(names) if !names.is_empty() => format!("[{}]", names.join("; ")),
        _ => value.to_string(),
    }
}
