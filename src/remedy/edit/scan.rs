//! Reads YAML in the plain forms that configuration files have. Everything else is an error, with its line.

use super::error::Trouble;
use super::splice::Lines;
use super::tree::{Document, Entry, Item, Kind, Node, Style, unquote};

/// Most nesting.
const DEPTH: usize = 40;

/// Reads one document.
pub(super) fn scan(text: &str) -> Result<Document<'_>, Trouble> {
    let lines = Lines::of(text);
    let mut scan = Scan { text, lines, at: 0, depth: 0, tabs: false };
    scan.characters()?;
    let root = scan.document()?;
    Ok(Document { text, lines: scan.lines, root })
}

/// The reader.
pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) lines: Lines,
    /// The line that is read next, from 0.
    at: usize,
    pub(super) depth: usize,
    /// Whether tabs are blanks: in JSON.
    pub(super) tabs: bool,
}

impl Scan<'_> {
    pub(super) fn trouble<T>(&self, offset: usize, what: impl Into<String>) -> Result<T, Trouble> {
        Err(Trouble::at(self.lines.index(offset) + 1, what))
    }

    pub(super) fn byte(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(offset).copied()
    }

    fn characters(&self) -> Result<(), Trouble> {
        for (offset, c) in self.text.char_indices() {
            let what = match c {
                '\r' if self.byte(offset + 1) != Some(b'\n') => "a carriage return inside a line",
                '\u{feff}' => "a byte order mark",
                '\n' | '\r' | '\t' => continue,
                '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break that not every reader takes for one",
                c if c.is_control() => "a control character",
                _ => continue,
            };
            return self.trouble(offset, format!("{what} stands here"));
        }
        Ok(())
    }

    fn document(&mut self) -> Result<Node, Trouble> {
        let mut head = self.peek()?;
        if let Some((0, offset)) = head
            && self.is_mark(offset, "---")
        {
            self.trailing(offset + 3)?;
            self.at += 1;
            head = self.peek()?;
        }
        let Some((indent, offset)) = head else {
            return Ok(Node { start: self.text.len(), end: self.text.len(), kind: Kind::Empty });
        };
        let root = if self.byte(offset) == Some(b'{') {
            self.tabs = true;
            let root = self.flow(offset)?;
            self.trailing(root.end)?;
            self.at = self.lines.index(root.end - 1) + 1;
            root
        } else {
            self.block(offset, indent)?
        };
        match self.peek()? {
            Some((_, offset)) => self.trouble(offset, "this line does not belong to what stands above it"),
            None if matches!(root.kind, Kind::Map(..)) => Ok(root),
            None => self.trouble(root.start, format!("the file holds {} and no map of settings", root.called())),
        }
    }

    fn is_mark(&self, offset: usize, mark: &str) -> bool {
        let line = self.text.get(offset..self.lines.end(offset)).unwrap_or_default();
        line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    }

    /// Goes to the next line with content: its indentation and where the content starts.
    fn peek(&mut self) -> Result<Option<(usize, usize)>, Trouble> {
        while let Some((start, end)) = self.lines.get(self.at) {
            let line = self.text.get(start..end).unwrap_or_default();
            let body = line.trim_start_matches([' ', '\t']);
            if body.is_empty() || body.starts_with('#') {
                self.at += 1;
                continue;
            }
            let indent = line.len() - line.trim_start_matches(' ').len();
            if line.as_bytes().get(indent) == Some(&b'\t') && !body.starts_with('{') {
                return self.trouble(start, "a tab stands in the indentation");
            }
            let offset = end - body.len();
            if indent == 0 && self.at > 0 && self.is_mark(offset, "---") && self.content_before(start) {
                return self.trouble(start, "the file holds several documents");
            }
            if self.is_mark(offset, "...") || body.starts_with('%') {
                return self.trouble(start, "a directive or a document's end mark stands here");
            }
            return Ok(Some((indent, offset)));
        }
        Ok(None)
    }

    fn content_before(&self, offset: usize) -> bool {
        let before = self.text.get(..offset).unwrap_or_default();
        before.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    }

    fn is_dash(&self, offset: usize) -> bool {
        self.byte(offset) == Some(b'-') && matches!(self.byte(offset + 1), None | Some(b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// Blanks on this line; a tab is an error.
    fn blanks(&self, mut offset: usize) -> Result<usize, Trouble> {
        while self.byte(offset) == Some(b' ') {
            offset += 1;
        }
        if self.byte(offset) == Some(b'\t') {
            return self.trouble(offset, "a tab stands between the words");
        }
        Ok(offset)
    }

    fn is_rest(&self, offset: usize) -> bool {
        offset >= self.lines.end(offset)
            || (self.byte(offset) == Some(b'#') && offset > 0 && self.byte(offset - 1) == Some(b' '))
    }

    /// Nothing but a comment may follow.
    fn trailing(&self, end: usize) -> Result<(), Trouble> {
        // The end of a value at the end of a line belongs to that line, not to the next.
        let last = self.lines.end(end.saturating_sub(1));
        let rest = self.text.get(end..last).unwrap_or_default();
        let body = rest.trim_start_matches([' ', '\t']);
        if body.is_empty() || (body.starts_with('#') && body.len() < rest.len()) {
            return Ok(());
        }
        self.trouble(end.saturating_sub(1), "something stands behind the value")
    }

    fn deeper(&mut self, offset: usize) -> Result<(), Trouble> {
        self.depth += 1;
        if self.depth > DEPTH { self.trouble(offset, "the nesting is too deep") } else { Ok(()) }
    }

    fn block(&mut self, offset: usize, indent: usize) -> Result<Node, Trouble> {
        self.deeper(offset)?;
        let node = if self.is_dash(offset) {
            self.seq(offset, indent)?
        } else if self.key(offset)?.is_some() {
            self.map(offset, indent)?
        } else {
            self.inline(offset, indent)?
        };
        self.depth -= 1;
        Ok(node)
    }

    /// The value after a colon or a dash that stands in a line of this indentation.
    fn after_mark(&mut self, mark_end: usize, indent: usize, in_map: bool) -> Result<Node, Trouble> {
        let start = self.blanks(mark_end)?;
        if !self.is_rest(start) {
            return self.inline(start, indent);
        }
        self.at += 1;
        match self.peek()? {
            Some((inner, offset)) if inner > indent || (in_map && inner == indent && self.is_dash(offset)) => {
                self.block(offset, inner)
            }
            _ => Ok(Node { start: mark_end, end: mark_end, kind: Kind::Empty }),
        }
    }

    fn map(&mut self, first: usize, indent: usize) -> Result<Node, Trouble> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut offset = first;
        loop {
            let Some((key, colon_end)) = self.key(offset)? else {
                return self.trouble(offset, "this line is no `key: value`");
            };
            if entries.iter().any(|entry| entry.key == key) {
                return self.trouble(offset, format!("the key `{key}` stands there twice"));
            }
            let value = self.after_mark(colon_end, indent, true)?;
            entries.push(Entry { key, key_start: offset, colon_end, value });
            match self.peek()? {
                Some((inner, next)) if inner > indent => return self.trouble(next, UNEXPECTED),
                Some((inner, next)) if inner == indent => offset = next,
                _ => break,
            }
        }
        let end = entries.last().map_or(first, |entry| entry.value.end);
        Ok(Node { start: first, end, kind: Kind::Map(Style::Block(indent), entries) })
    }

    fn seq(&mut self, first: usize, indent: usize) -> Result<Node, Trouble> {
        let mut items: Vec<Item> = Vec::new();
        let mut dash = first;
        loop {
            let start = self.blanks(dash + 1)?;
            let inner = start - self.lines.start(dash);
            self.deeper(start)?;
            let value = if self.is_rest(start) {
                self.after_mark(dash + 1, indent, false)?
            } else if self.is_dash(start) {
                self.seq(start, inner)?
            } else if self.key(start)?.is_some() {
                self.map(start, inner)?
            } else {
                self.inline(start, indent)?
            };
            self.depth -= 1;
            items.push(Item { dash, value });
            match self.peek()? {
                Some((inner, next)) if inner > indent => return self.trouble(next, UNEXPECTED),
                Some((inner, next)) if inner == indent && self.is_dash(next) => dash = next,
                _ => break,
            }
        }
        let end = items.last().map_or(first, |item| item.value.end);
        Ok(Node { start: first, end, kind: Kind::Seq(Style::Block(indent), items) })
    }

    /// The key at the start of a line, and the byte after its colon. None: no key.
    fn key(&self, offset: usize) -> Result<Option<(String, usize)>, Trouble> {
        let end = self.lines.end(offset);
        let colon = |at: usize| {
            self.byte(at) == Some(b':') && matches!(self.byte(at + 1), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
        };
        let key = match self.byte(offset) {
            Some(b'{' | b'[' | b'|' | b'>') | None => return Ok(None),
            Some(quote @ (b'"' | b'\'')) => {
                let stop = self.quoted(offset)?;
                let at = self.blanks(stop)?;
                if !colon(at) {
                    return Ok(None);
                }
                match unquote(self.text.get(offset..stop).unwrap_or_default(), Some(char::from(quote))) {
                    Some(key) => (key, at + 1),
                    None => return self.trouble(offset, "the escapes of a quoted key are not understood"),
                }
            }
            Some(_) => {
                let mut at = offset;
                while at < end && !colon(at) {
                    if self.byte(at) == Some(b'#') && at > offset && self.byte(at - 1) == Some(b' ') {
                        return Ok(None);
                    }
                    at += 1;
                }
                if at >= end {
                    return Ok(None);
                }
                let key = self.text.get(offset..at).unwrap_or_default().trim_end_matches(' ');
                (self.plain(offset, key)?.to_owned(), at + 1)
            }
        };
        if key.0 == "<<" {
            return self.trouble(offset, "a merge key (`<<`) stands here");
        }
        Ok(Some(key))
    }

    /// Refuses what a plain scalar may not begin with or hold.
    pub(super) fn plain<'t>(&self, offset: usize, text: &'t str) -> Result<&'t str, Trouble> {
        let what = match text.as_bytes() {
            [b'&' | b'*', ..] => "an anchor or alias (`&`, `*`)",
            [b'!', ..] => "a tag (`!`)",
            [b'?'] | [b'?', b' ', ..] => "a key written with `?`",
            [b'%' | b'@' | b'`' | b'|' | b'>' | b'#' | b',' | b'{' | b'}' | b'[' | b']' | b'"' | b'\'' | b':', ..]
            | [] => "a sign that no plain value begins with",
            [b'-'] | [b'-', b' ', ..] => "a list's dash behind something else",
            _ if text.contains('\t') => "a tab",
            _ => return Ok(text),
        };
        self.trouble(offset, format!("{what} stands here"))
    }

    /// The end of a quoted scalar that begins here.
    pub(super) fn quoted(&self, offset: usize) -> Result<usize, Trouble> {
        let (quote, end) = (self.byte(offset), self.lines.end(offset));
        let mut at = offset + 1;
        while at < end {
            match self.byte(at) {
                Some(b'\\') if quote == Some(b'"') => at += 1,
                Some(b'\'') if quote == Some(b'\'') && self.byte(at + 1) == Some(b'\'') => at += 1,
                byte if byte == quote => return Ok(at + 1),
                _ => {}
            }
            at += 1;
        }
        self.trouble(offset, "a quote is not closed on its line")
    }

    fn inline(&mut self, start: usize, indent: usize) -> Result<Node, Trouble> {
        let line = self.lines.index(start);
        let line_end = self.lines.end(start);
        let node = match self.byte(start) {
            Some(b'{' | b'[') => self.flow(start)?,
            Some(quote @ (b'"' | b'\'')) => {
                Node { start, end: self.quoted(start)?, kind: Kind::Scalar(Some(char::from(quote))) }
            }
            Some(b'|' | b'>') => return self.text_block(start, indent),
            _ => {
                let rest = self.text.get(start..line_end).unwrap_or_default();
                let rest = rest.split(" #").next().unwrap_or_default().trim_end_matches(' ');
                self.plain(start, rest)?;
                if rest.contains(": ") || rest.ends_with(':') {
                    return self.trouble(start, "a colon stands inside a value without quotes");
                }
                Node { start, end: start + rest.len(), kind: Kind::Scalar(None) }
            }
        };
        self.trailing(node.end)?;
        self.at = self.lines.index(node.end - 1).max(line) + 1;
        Ok(node)
    }

    /// A text after `|` or `>`: all lines that are deeper than its key or dash.
    fn text_block(&mut self, start: usize, indent: usize) -> Result<Node, Trouble> {
        let head = self.text.get(start..self.lines.end(start)).unwrap_or_default();
        let sign = head.get(1..).unwrap_or_default();
        let sign = sign.strip_prefix(['-', '+']).unwrap_or(sign);
        if !(sign.trim().is_empty() || sign.starts_with(" #")) {
            return self.trouble(start, "the head of a text of several lines is not understood");
        }
        let mut end = self.lines.end(start);
        self.at = self.lines.index(start) + 1;
        while let Some((from, to)) = self.lines.get(self.at) {
            let line = self.text.get(from..to).unwrap_or_default();
            let body = line.trim_start_matches(' ');
            if !body.is_empty() && line.len() - body.len() <= indent {
                break;
            }
            if !body.is_empty() {
                end = to;
            }
            self.at += 1;
        }
        Ok(Node { start, end, kind: Kind::Text })
    }
}

const UNEXPECTED: &str = "this line is deeper than what stands above it, or goes on with it";

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
