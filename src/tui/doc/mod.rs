//! Pages of text: one control, one node, help. Built line by line for a width, so that both the screen and the
//! scrolling know how long they are.

mod finding;
mod help;
mod node;

pub(super) use finding::finding;
pub(super) use help::help;
pub(super) use node::{node, way};

use super::text::wrap;
use crate::assess::Verdict;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Heading,
    Verdict(Verdict),
    Trouble,
}

/// One line of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// A page that is being written.
pub(super) struct Page {
    width: usize,
    pub(super) lines: Vec<Line>,
}

impl Page {
    pub(super) fn new(width: u16) -> Self {
        Page { width: usize::from(width).max(1), lines: Vec::new() }
    }

    /// A paragraph, broken to the width.
    fn say(&mut self, tone: Tone, text: &str) {
        self.lines.extend(wrap(text, self.width).into_iter().map(|text| Line { text, tone }));
    }

    /// A paragraph moved in by two columns.
    fn indented(&mut self, tone: Tone, text: &str) {
        for line in wrap(text, self.width.saturating_sub(2)) {
            self.lines.push(Line { text: format!("  {line}"), tone });
        }
    }

    /// A heading with an empty line before it.
    fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line { text: String::new(), tone: Tone::Plain });
        }
        self.say(Tone::Heading, text);
    }
}

/// A time, for people.
pub(super) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
