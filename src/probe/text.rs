//! Texts that a node or an API sent, made fit for evidence: no control characters, bounded, in version order.

use crate::evidence::Fact;
use jiff::Timestamp;
use std::cmp::Ordering;

/// Characters of one line of text that are kept; what is longer ends in an ellipsis.
const LINE: usize = 4096;

/// One line: every control and direction-changing character is removed, an overlong one is cut.
pub(in crate::probe) fn line(text: &str) -> String {
    let mut clean: String = text.chars().filter(|c| printable(*c)).take(LINE + 1).collect();
    if clean.chars().count() > LINE {
        clean = clean.chars().take(LINE).chain(['\u{2026}']).collect();
    }
    clean
}

/// One line of any length, for values that must come through whole.
pub(super) fn whole(text: &str) -> String {
    text.chars().filter(|c| printable(*c)).collect()
}

/// One line of any length in which every hidden character stands as U+FFFD: for names, which must not become others.
pub(super) fn marked(text: &str) -> String {
    // Nearly all names are plain, and there are very many of them.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(|c| if printable(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Many lines: line feed and tab stay.
pub(super) fn lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || printable(*c)).collect()
}

/// The time that a text names (RFC 3339). Not read where it names none.
pub(super) fn time(text: &str) -> Fact<Timestamp> {
    text.parse().map_or(Fact::Unread, Fact::Known)
}

/// Whether a character may reach a screen: no control character, and none that turns the direction of writing.
fn printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The last component of a path.
pub(super) fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Orders versions as people do: runs of digits by value, the rest by its letters.
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (chunks(a).into_iter(), chunks(b).into_iter());
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => {
                let value = |text: &str| -> Option<String> {
                    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.trim_start_matches('0').to_owned())
                };
                match (value(a), value(b)) {
                    (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(&b)),
                    (Some(_), None) => Ordering::Greater,
                    (None, Some(_)) => Ordering::Less,
                    (None, None) => a.cmp(b),
                }
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Runs of digits and runs of letters; marks between them only separate.
fn chunks(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (chunk, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            found.push(chunk);
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_stays() {
        assert_eq!(line("a\u{1b}[31mb\r\n\tc\u{9b}2J\u{202e}d"), "a[31mbc2Jd");
        assert_eq!(lines("a\n\tb\u{1b}\r\u{0}c"), "a\n\tbc");
        assert_eq!(line(&"x".repeat(9000)).chars().count(), LINE + 1);
    }

    #[test]
    fn versions_are_ordered_by_value() {
        let mut kernels = ["6.1.0-18-amd64", "5.10.0-30-amd64", "6.1.0-9-amd64", "6.12.9+deb13-amd64"];
        kernels.sort_by(|a, b| by_version(a, b));
        assert_eq!(kernels, ["5.10.0-30-amd64", "6.1.0-9-amd64", "6.1.0-18-amd64", "6.12.9+deb13-amd64"]);
        assert_eq!(by_version("5.14.0-427.el9.x86_64", "5.14.0-427.13.1.el9.x86_64"), Ordering::Less);
        assert_eq!(by_version("6.6.051", "6.6.51"), Ordering::Equal);
    }
}
