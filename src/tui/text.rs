//! Text on its way to the screen: cleaned, measured in columns, cut and wrapped.

pub(super) use crate::report::{columns, fit};

use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Makes text that came from anywhere safe to draw: control, bidirectional and private characters and pictographs
/// become `?`, tabs and line ends a space; what takes no column is dropped.
///
/// What a node sends must not move the cursor, reorder a line or make two names look the same.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| matches!(c, ' '..='~')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(clean_char).collect())
}

fn clean_char(c: char) -> Option<char> {
    match c {
        ' '..='~' => Some(c),
        '\t' | '\n' | '\r' => Some(' '),
        _ if c.is_control() => Some('?'),
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => Some('?'),
        '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' | '\u{1f000}'.. => Some('?'),
        _ => match c.width() {
            None | Some(0) => None,
            Some(_) => Some(c),
        },
    }
}

/// For terminals that know ASCII only: everything else becomes `?`.
pub(super) fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect())
}

/// The longest beginning of a text that takes at most so many columns.
fn head(text: &str, room: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or(0);
        if taken > room {
            return text.get(..at).unwrap_or("");
        }
    }
    text
}

/// Breaks a text into lines of at most so many columns, at spaces where there are any. Line ends in the text stay;
/// a line that begins with spaces keeps them on its continuation lines.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    for raw in text.trim_end().lines() {
        let line = clean(raw);
        let rest = line.trim_start_matches(' ');
        let indent = line.len() - rest.len();
        // What follows a sign (`- one of several`, `$ a command`) stands under the first word.
        let hang = if rest.starts_with("- ") || rest.starts_with("$ ") { 2 } else { 0 };
        let (indent, hang) = if indent + hang < room / 2 { (indent, indent + hang) } else { (0, 0) };
        let mut current = " ".repeat(indent);
        let indent = " ".repeat(hang);
        let mut empty = true;
        for word in line.split_whitespace() {
            let mut word = word;
            if !empty && current.width() + 1 + word.width() <= room {
                current.push(' ');
                current.push_str(word);
                continue;
            }
            if !empty {
                lines.push(std::mem::replace(&mut current, indent.clone()));
            }
            while current.width() + word.width() > room {
                let mut part = head(word, room.saturating_sub(current.width()));
                if part.is_empty() {
                    // A character wider than the line: take it whole, the screen cuts it.
                    part = word.chars().next().and_then(|c| word.get(..c.len_utf8())).unwrap_or(word);
                }
                lines.push(format!("{current}{part}"));
                word = word.get(part.len()..).unwrap_or("");
                current = indent.clone();
            }
            current.push_str(word);
            empty = false;
        }
        lines.push(current.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn escape_sequences_and_reordering_never_reach_the_screen() {
        assert_eq!(clean("a\u{1b}[31mb\u{9b}2Jc"), "a?[31mb?2Jc");
        assert_eq!(clean("x\u{202e}y\u{2066}z"), "x?y?z");
        assert_eq!(clean("one\ttwo\r\n"), "one two  ");
        assert_eq!(clean("e\u{301}\u{200b}\u{fe0f}"), "e");
        assert_eq!(clean("\u{1f600}"), "?");
        assert_eq!(clean("Bücher 日本"), "Bücher 日本");
        assert_eq!(ascii("Bü"), "B?");
    }

    #[test]
    fn fit_counts_columns_not_characters() {
        assert_eq!(fit("日本語日本語", 8), "日本...");
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 3), "abc");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn wrap_keeps_lines_indents_and_breaks_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("  sudo systemctl restart kubelet", 20), ["  sudo systemctl", "  restart kubelet"]);
        assert_eq!(wrap("  - one of several things", 14), ["  - one of", "    several", "    things"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        for room in 0..5 {
            assert!(!wrap("日本 x", room).is_empty());
        }
    }
}
