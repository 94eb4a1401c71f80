//! One line of sshd_config: keyword and arguments, quoting and comments as sshd reads them.

use std::ops::Range;

/// A line that sets something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// In lower case.
    pub(crate) keyword: String,
    /// None where the quoting is broken.
    pub(crate) args: Option<Vec<String>>,
    /// The bytes of the line from the first argument's start to the last one's end.
    pub(crate) value: Range<usize>,
}

/// Reads a line. None: empty or a comment.
pub(crate) fn written(line: &str) -> Option<Written> {
    let blank = |c: char| c.is_ascii_whitespace();
    let body = line.trim_matches(|c: char| blank(c) || c == '\x0c');
    if body.is_empty() || body.starts_with('#') {
        return None;
    }
    let end = body.find(|c: char| blank(c) || c == '=').unwrap_or(body.len());
    let (keyword, rest) = body.split_at(end);
    let rest = rest.trim_start_matches(blank);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(blank);
    let before = line.len() - line.trim_start_matches(|c: char| blank(c) || c == '\x0c').len();
    let start = before + body.len() - rest.len();
    let (args, length) = words_to(rest).map_or((None, rest.len()), |(args, length)| (Some(args), length));
    Some(Written { keyword: keyword.trim_matches('"').to_ascii_lowercase(), args, value: start..start + length })
}

/// Splits a line. None: empty or a comment. The second half is None where its quoting is broken.
pub(super) fn split(line: &str) -> Option<(String, Option<Vec<String>>)> {
    written(line).map(|line| (line.keyword, line.args))
}

/// Arguments, split at blanks outside quotes; `#` at the start of a word ends the line. None: a quote stays open.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    words_to(text).map(|(words, _)| words)
}

/// The same, and the byte after the last of them.
fn words_to(text: &str) -> Option<(Vec<String>, usize)> {
    let mut words = Vec::new();
    let mut last = 0;
    let mut chars = text.char_indices().peekable();
    loop {
        while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        match chars.peek() {
            None | Some((_, '#')) => return Some((words, last)),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(&(at, c)) = chars.peek() {
            if quote.is_none() && c.is_ascii_whitespace() {
                break;
            }
            chars.next();
            last = at + c.len_utf8();
            match (c, quote) {
                ('\\', _) => match chars.peek() {
                    Some(&(at, next)) if matches!(next, '\'' | '"' | '\\') || (quote.is_none() && next == ' ') => {
                        word.push(next);
                        last = at + next.len_utf8();
                        chars.next();
                    }
                    _ => word.push('\\'),
                },
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

/// Matches a text against `*` and `?`, as sshd's `match_pattern` does.
pub(super) fn pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    wild(&pattern, &text, |_, _| None)
}

/// Matches one path component against a glob: `*`, `?`, `[a-z]`, `[!x]`; a leading dot only by a leading dot.
pub(crate) fn glob(glob: &str, name: &str) -> bool {
    if name.starts_with('.') && !glob.starts_with('.') {
        return false;
    }
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    wild(&glob, &name, bracket)
}

/// Matches whole paths, component by component.
pub(crate) fn glob_path(glob_text: &str, path: &str) -> bool {
    let parts = |text: &'_ str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (globs, names) = (parts(glob_text), parts(path));
    globs.len() == names.len() && globs.iter().zip(&names).all(|(one, name)| glob(one, name))
}

/// Two places to come back to are enough: where the last `*` stood, and how much it has taken.
fn wild(pattern: &[char], text: &[char], class: impl Fn(&[char], char) -> Option<(bool, usize)>) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            (Some('?'), Some(_)) => Some(1),
            (Some('['), Some(&c)) => match class(pattern.get(p..).unwrap_or_default(), c) {
                Some((true, length)) => Some(length),
                Some((false, _)) => None,
                None => (c == '[').then_some(1),
            },
            (Some(a), Some(b)) if a == b => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((at, taken))) if taken < text.len() => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            _ => return false,
        }
    }
}

/// A bracket expression at the start of `pattern`: whether it takes `c`, and its length. None: not one.
fn bracket(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let first = if negated { 2 } else { 1 };
    let mut at = first;
    let mut taken = false;
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((taken != negated, at + 1));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some('-'), Some(&high)) if high != ']' => {
                taken |= (low..=high).contains(&c);
                at += 3;
            }
            _ => {
                taken |= low == c;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> (String, Vec<String>) {
        let (keyword, words) = split(text).unwrap();
        (keyword, words.unwrap())
    }

    #[test]
    fn keyword_and_arguments_come_apart_in_every_form() {
        for text in
            ["PermitRootLogin no", "permitrootlogin=no", "\tPERMITROOTLOGIN = no  # why", "PermitRootLogin \"no\""]
        {
            assert_eq!(line(text), ("permitrootlogin".to_owned(), vec!["no".to_owned()]), "{text}");
        }
        assert_eq!(line("ForceCommand \"a b\" c#d").1, ["a b", "c#d"]);
        assert_eq!(line(r#"Banner "a\"b""#).1, ["a\"b"]);
        assert!(split("   # a comment").is_none());
        assert!(split("").is_none());
        assert_eq!(split("Banner \"open"), Some(("banner".to_owned(), None)));
    }

    #[test]
    fn the_arguments_are_found_in_the_line() {
        for (text, value) in [
            ("\tPermitRootLogin = no  # why", "no"),
            ("Ciphers \"a b\" c#d \r", "\"a b\" c#d"),
            ("Banner", ""),
            ("x=y", "y"),
            (r#"Match User "a\" b" Group c"#, r#"User "a\" b" Group c"#),
        ] {
            assert_eq!(&text[written(text).unwrap().value], value, "{text}");
        }
    }

    #[test]
    fn patterns_match_as_in_sshd() {
        for (text, subject, matches) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("10.0.?.*", "10.0.5.77", true),
            ("[ab]", "a", false),
        ] {
            assert_eq!(pattern(text, subject), matches, "{text} {subject}");
        }
    }

    #[test]
    fn globs_match_file_names() {
        for (text, subject, matches) in [
            ("/etc/ssh/d/*.conf", "/etc/ssh/d/50-x.conf", true),
            ("/etc/ssh/d/*.conf", "/etc/ssh/d/.x.conf", false),
            ("/etc/ssh/d/*.conf", "/etc/ssh/d/e/x.conf", false),
            ("/etc/ssh/d/[0-4]*", "/etc/ssh/d/50-x.conf", false),
            ("/etc/ssh/d/[!0-4]*", "/etc/ssh/d/50-x.conf", true),
            ("/etc/ssh/d/x[", "/etc/ssh/d/x[", true),
        ] {
            assert_eq!(glob_path(text, subject), matches, "{text} {subject}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        assert!(!pattern(&"*a".repeat(200), &"a".repeat(150)));
    }

    proptest! {
        #[test]
        fn any_line_and_any_pattern_are_read(text in "\\PC*", subject in "\\PC*") {
            let _ = split(&text);
            let _ = pattern(&text, &subject);
            let _ = glob_path(&text, &subject);
        }
    }
}
