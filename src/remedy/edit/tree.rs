//! A document of YAML or JSON as a tree whose every node knows where it stands in the text.

use super::error::Trouble;
use super::splice::Lines;

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// First byte; of an empty value, the byte after its colon or dash.
    pub(super) start: usize,
    /// The byte after its last one; comments behind it do not count.
    pub(super) end: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Nothing is written.
    Empty,
    /// A scalar on one line, with its quote.
    Scalar(Option<char>),
    /// A text of several lines, after `|` or `>`.
    Text,
    /// A map.
    Map(Style, Vec<Entry>),
    /// A list.
    Seq(Style, Vec<Item>),
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// One entry a line, so many spaces in.
    Block(usize),
    /// In braces or brackets.
    Flow,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_start: usize,
    /// The byte after the colon.
    pub(super) colon_end: usize,
    pub(super) value: Node,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The dash; in brackets, where the value starts.
    pub(super) dash: usize,
    pub(super) value: Node,
}

/// A document with its text.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) lines: Lines,
    pub(super) root: Node,
}

impl Node {
    /// The entry of a map.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(_, entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value under a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What it is, for a person.
    pub(super) fn called(&self) -> &'static str {
        match self.kind {
            Kind::Empty => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Text => "a text of several lines",
            Kind::Map(..) => "a map",
            Kind::Seq(..) => "a list",
        }
    }
}

impl Document<'_> {
    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.index(offset) + 1
    }

    /// The bytes of a node.
    pub(super) fn raw(&self, node: &Node) -> &str {
        self.text.get(node.start..node.end).unwrap_or_default()
    }

    /// What a scalar says.
    pub(super) fn scalar(&self, node: &Node) -> Result<String, Trouble> {
        match node.kind {
            Kind::Scalar(quote) => unquote(self.raw(node), quote)
                .ok_or_else(|| Trouble::at(self.line(node.start), "the escapes of a quoted text are not understood")),
            _ => Err(Trouble::at(self.line(node.start), format!("{} stands where a text should", node.called()))),
        }
    }

    /// Whether a document is JSON, or written like it: new keys and texts get quotes then.
    pub(super) fn is_json(&self) -> bool {
        matches!(self.root.kind, Kind::Map(Style::Flow, _))
    }

    /// By how many spaces a map stands deeper than the map around it.
    pub(super) fn step(&self) -> usize {
        first_step(&self.root, false).unwrap_or(2)
    }

    /// By how many spaces the dashes of a list stand deeper than the key before them.
    pub(super) fn dash_step(&self) -> usize {
        first_step(&self.root, true).unwrap_or(0)
    }
}

fn first_step(node: &Node, of_lists: bool) -> Option<usize> {
    match &node.kind {
        Kind::Map(Style::Block(outer), entries) => entries.iter().find_map(|entry| {
            let own = match &entry.value.kind {
                Kind::Map(Style::Block(inner), _) if !of_lists => inner.checked_sub(*outer),
                Kind::Seq(Style::Block(inner), _) if of_lists => inner.checked_sub(*outer),
                _ => None,
            };
            own.or_else(|| first_step(&entry.value, of_lists))
        }),
        Kind::Seq(Style::Block(_), items) => items.iter().find_map(|item| first_step(&item.value, of_lists)),
        _ => None,
    }
}

/// The text of a scalar. None: escapes that JSON does not have.
pub(super) fn unquote(raw: &str, quote: Option<char>) -> Option<String> {
    match quote {
        None => Some(raw.to_owned()),
        Some('\'') => Some(raw.get(1..raw.len().saturating_sub(1))?.replace("''", "'")),
        Some(_) => serde_json::from_str(raw).ok(),
    }
}
