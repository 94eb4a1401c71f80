//! A text cut at some places, everything between them kept to the byte.

use super::error::Trouble;

/// Replacements of byte ranges of one text.
#[derive(Debug, Default)]
pub(super) struct Splices(Vec<(usize, usize, String)>);

impl Splices {
    /// Puts `text` in the place of the bytes from `start` to before `end`.
    pub(super) fn replace(&mut self, start: usize, end: usize, text: impl Into<String>) {
        self.0.push((start, end, text.into()));
    }

    /// Puts `text` at `at`; several at the same place stand in the order in which they were given.
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at, at, text);
    }

    /// The text with all of them done.
    pub(super) fn apply(mut self, text: &str) -> Result<String, Trouble> {
        self.0.sort_by_key(|(start, end, _)| (*start, *end));
        let mut out = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for (start, end, new) in &self.0 {
            let kept = text.get(at..*start).ok_or_else(|| Trouble::whole("two changes meet at one place"))?;
            out.push_str(kept);
            out.push_str(new);
            at = *end;
        }
        out.push_str(text.get(at..).ok_or_else(|| Trouble::whole("a change reaches beyond the end"))?);
        // A text that ends without a line feed goes on doing so, also where its last line is gone.
        if !text.is_empty() && !text.ends_with('\n') && out.ends_with('\n') {
            out.truncate(out.trim_end_matches('\n').trim_end_matches('\r').len());
        }
        Ok(out)
    }
}

/// The line end that the text uses: that of its first line.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// The lines of a text as byte ranges without their line ends.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    ranges: Vec<(usize, usize)>,
    length: usize,
}

impl Lines {
    /// Cuts a text at line feeds; a carriage return before one belongs to it.
    pub(super) fn of(text: &str) -> Self {
        let mut ranges = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let body = line.strip_suffix('\n').map_or(line, |body| body.strip_suffix('\r').unwrap_or(body));
            ranges.push((start, start + body.len()));
            start += line.len();
        }
        Lines { ranges, length: text.len() }
    }

    /// Start and end of a line, numbered from 0.
    pub(super) fn get(&self, index: usize) -> Option<(usize, usize)> {
        self.ranges.get(index).copied()
    }

    /// The number, from 0, of the line that holds a byte.
    pub(super) fn index(&self, offset: usize) -> usize {
        self.ranges.partition_point(|(start, _)| *start <= offset).saturating_sub(1)
    }

    /// Where the line that holds a byte begins.
    pub(super) fn start(&self, offset: usize) -> usize {
        self.get(self.index(offset)).map_or(0, |(start, _)| start)
    }

    /// Where the line that holds a byte ends, before its line end.
    pub(super) fn end(&self, offset: usize) -> usize {
        self.get(self.index(offset)).map_or(self.length, |(_, end)| end)
    }

    /// The lines from that of `first` to that of `last`, with their line ends.
    pub(super) fn whole(&self, first: usize, last: usize) -> (usize, usize) {
        let next = self.get(self.index(last) + 1).map_or(self.length, |(start, _)| start);
        (self.start(first), next)
    }
}
