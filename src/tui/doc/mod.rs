//! Pages of text: one control, one target, help. Built line by line for a width, so that both the screen and the
//! scrolling know how long they are.

mod cluster;
mod ending;
mod entry;
mod finding;
mod help;
mod node;
mod plan;
mod ports;

pub(super) use cluster::cluster;
pub(super) use entry::entry;
pub(super) use finding::finding;
pub(super) use help::help;
pub(super) use node::{node, way};
pub(super) use plan::plan;
pub(super) use ports::ports;

use super::text::wrap;
use crate::assess::Verdict;
use crate::evidence::{ProbeError, Unread};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Heading,
    Verdict(Verdict),
    Trouble,
    /// A line that a change adds.
    Added,
    /// A line that a change removes.
    Removed,
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

/// Verdicts in a few words, for the journal: each word once where they follow each other. None where there are none.
pub(super) fn verdicts(of: &[(String, Verdict)]) -> Option<String> {
    let mut words: Vec<&str> = of.iter().map(|(_, verdict)| verdict.as_str()).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What went wrong beyond what a target's state says, and what could not be read.
fn gaps(page: &mut Page, errors: &[ProbeError], unread: &[Unread]) {
    if errors.len() > 1 {
        page.heading("What else went wrong");
        for error in errors.iter().skip(1) {
            page.indented(Tone::Plain, &format!("{}: {}", error.reason, error.message));
        }
    }
    let unread: Vec<_> = unread.iter().filter(|gap| !gap.path.is_empty()).collect();
    if !unread.is_empty() {
        page.heading(&format!("What could not be read ({})", unread.len()));
        for gap in unread.iter().take(500) {
            let detail = if gap.detail.is_empty() { String::new() } else { format!(": {}", gap.detail) };
            page.indented(Tone::Plain, &format!("{} ({}){detail}", gap.path, gap.reason));
        }
    }
}
