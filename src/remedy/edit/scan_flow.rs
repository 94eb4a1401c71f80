//! Maps and lists in braces and brackets, on one line or several; JSON is nothing else.

use super::error::Trouble;
use super::scan::Scan;
use super::tree::{Entry, Item, Kind, Node, Style, unquote};

/// Most nesting.
const DEPTH: usize = 40;

impl Scan<'_> {
    /// The map or list that begins here.
    pub(super) fn flow(&mut self, start: usize) -> Result<Node, Trouble> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.trouble(start, "the nesting is too deep");
        }
        let is_map = self.byte(start) == Some(b'{');
        let close = if is_map { b'}' } else { b']' };
        let (mut entries, mut items): (Vec<Entry>, Vec<Item>) = (Vec::new(), Vec::new());
        let mut at = self.gap(start + 1)?;
        while self.byte(at) != Some(close) {
            let end = if is_map {
                let entry = self.flow_entry(at)?;
                if entries.iter().any(|one| one.key == entry.key) {
                    return self.trouble(at, format!("the key `{}` stands there twice", entry.key));
                }
                let end = entry.value.end;
                entries.push(entry);
                end
            } else {
                let value = self.flow_value(at)?;
                let end = value.end;
                items.push(Item { dash: at, value });
                end
            };
            at = self.gap(end)?;
            match self.byte(at) {
                Some(b',') => at = self.gap(at + 1)?,
                Some(byte) if byte == close => {}
                _ => return self.trouble(end.saturating_sub(1), "braces or brackets are not understood from here on"),
            }
        }
        self.depth -= 1;
        let kind = if is_map { Kind::Map(Style::Flow, entries) } else { Kind::Seq(Style::Flow, items) };
        Ok(Node { start, end: at + 1, kind })
    }

    fn flow_entry(&mut self, at: usize) -> Result<Entry, Trouble> {
        let (key, key_end) = match self.byte(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let end = self.quoted(at)?;
                match unquote(self.text.get(at..end).unwrap_or_default(), Some(char::from(quote))) {
                    Some(key) => (key, end),
                    None => return self.trouble(at, "the escapes of a quoted key are not understood"),
                }
            }
            _ => {
                let end = self.flow_plain(at)?;
                (self.text.get(at..end).unwrap_or_default().to_owned(), end)
            }
        };
        if key == "<<" {
            return self.trouble(at, "a merge key (`<<`) stands here");
        }
        let colon = self.gap(key_end)?;
        if self.byte(colon) != Some(b':') {
            return self.trouble(at, format!("the key `{key}` has no value"));
        }
        let value_at = self.gap(colon + 1)?;
        let value = self.flow_value(value_at)?;
        Ok(Entry { key, key_start: at, colon_end: colon + 1, value })
    }

    fn flow_value(&mut self, at: usize) -> Result<Node, Trouble> {
        match self.byte(at) {
            Some(b'{' | b'[') => self.flow(at),
            Some(quote @ (b'"' | b'\'')) => {
                Ok(Node { start: at, end: self.quoted(at)?, kind: Kind::Scalar(Some(char::from(quote))) })
            }
            _ => Ok(Node { start: at, end: self.flow_plain(at)?, kind: Kind::Scalar(None) }),
        }
    }

    /// The end of a plain scalar in braces.
    fn flow_plain(&self, start: usize) -> Result<usize, Trouble> {
        let line_end = self.lines.end(start);
        let mut at = start;
        while at < line_end {
            match (self.byte(at), self.byte(at + 1)) {
                (Some(b',' | b'{' | b'}' | b'[' | b']'), _) => break,
                (Some(b':'), None | Some(b' ' | b',' | b'{' | b'}' | b'[' | b']' | b'\t' | b'\r' | b'\n')) => break,
                (Some(b' ' | b'\t'), Some(b'#')) => break,
                _ => at += 1,
            }
        }
        let text = self.text.get(start..at).unwrap_or_default().trim_end_matches([' ', '\t']);
        self.plain(start, text)?;
        Ok(start + text.len())
    }

    /// Blanks and line ends.
    fn gap(&self, mut at: usize) -> Result<usize, Trouble> {
        loop {
            match self.byte(at) {
                Some(b' ' | b'\n' | b'\r') => at += 1,
                Some(b'\t') if self.tabs => at += 1,
                Some(b'\t') => return self.trouble(at, "a tab stands in braces"),
                Some(b'#') => return self.trouble(at, "a comment stands in braces"),
                None => return self.trouble(at.saturating_sub(1), "braces or brackets are not closed"),
                Some(_) => return Ok(at),
            }
        }
    }
}
