//! Makes text that a node or a file sent harmless for a screen, and measures it in columns.

use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with everything visible: control characters of both sets, escape sequences, marks that turn the direction
/// of writing and characters without a width stand as `\x1b`, `\n` or `\u{202e}`. Text without such is lent back.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) && (c as u32) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a character moves the cursor, changes the screen's state or takes no column of its own.
pub(super) fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // Controls have no width (None); combining and formatting characters have width 0. The soft hyphen, the separators
    // of lines and the tags are listed since tables of widths differ on them.
    c.width().unwrap_or(0) == 0
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// How many columns a clean text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A clean text cut to at most `width` columns; a cut one ends in `...` where there is room for it.
pub fn fit(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let (room, dots) = if width > 3 { (width - 3, "...") } else { (width, "") };
    let mut out = String::with_capacity(width + 3);
    let mut used = 0;
    for c in text.chars() {
        let next = used + c.width().unwrap_or(0);
        if next > room {
            break;
        }
        used = next;
        out.push(c);
    }
    out.push_str(dots);
    Cow::Owned(out)
}

/// A clean text in lines of at most `width` columns, broken at spaces, or inside of a word that is longer than a line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let needed = columns(word) + usize::from(used > 0);
        if used + needed <= width {
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
            used += needed;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used + wide > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_stand_as_text() {
        assert_eq!(clean("\x1b[2J\x07\x7f"), "\\x1b[2J\\x07\\x7f");
        assert_eq!(clean("a\u{9b}31m"), "a\\x9b31m");
        assert_eq!(clean("line\r\nnext\tcell"), "line\\r\\nnext\\tcell");
    }

    #[test]
    fn marks_that_turn_or_hide_text_stand_as_text() {
        assert_eq!(clean("abc\u{202e}cba"), "abc\\u{202e}cba");
        assert_eq!(clean("\u{2066}\u{200b}\u{feff}"), "\\u{2066}\\u{200b}\\u{feff}");
        assert_eq!(clean("\u{e0041}"), "\\u{e0041}");
        assert_eq!(clean("e\u{301}"), "e\\u{301}");
    }

    #[test]
    fn plain_text_is_lent_back() {
        assert!(matches!(clean("Gr\u{fc}n \u{4e2d}\u{6587}"), Cow::Borrowed(_)));
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(fit("\u{4e2d}\u{6587}\u{4e2d}\u{6587}", 7), "\u{4e2d}\u{6587}...");
        assert_eq!(wrap("\u{4e2d}\u{6587} ab", 4), ["\u{4e2d}\u{6587}", "ab"]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken() {
        assert_eq!(wrap("a abcdefgh b", 4), ["a", "abcd", "efgh", "b"]);
        assert!(wrap("   ", 4).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_nothing_is_too_wide(text in "\\PC{0,40}|(?s).{0,40}", width in 2_usize..30) {
            let shown = clean(&text);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(columns(&fit(&shown, width)) <= width);
            for line in wrap(&shown, width) {
                prop_assert!(columns(&line) <= width);
            }
        }
    }
}
