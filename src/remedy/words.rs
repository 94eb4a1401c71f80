//! Small things that every part of a remedy needs.

use openssl::sha::Sha256;
use similar::TextDiff;
use std::fmt::Write as _;

/// SHA-256, lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(bytes);
    sha.finish().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Permission bits as `chmod` takes them: `0600`.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// A word as a POSIX shell takes it. What a shell cannot take (a zero byte) is cut there.
pub(super) fn quoted(word: &str) -> String {
    let word = word.split('\0').next().unwrap_or_default();
    shlex::try_quote(word).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// The unified diff of two texts, fit for a screen. What changes is shown as it is; what only stands around it may hold a
/// secret that nobody asked for.
pub(super) fn unified(was: &str, new: &str, from: &str, to: &str) -> String {
    let diff = TextDiff::from_lines(was, new).unified_diff().context_radius(3).header(from, to).to_string();
    let clean = |c: char| if c == '\t' { ' ' } else { c };
    let diff: String = diff.chars().map(clean).filter(|c| *c == '\n' || !c.is_control()).collect();
    let around = |line: &str| match line.strip_prefix(' ') {
        // Of a list of variables; its name, on the line before, would tell what it is.
        Some(words) if words.trim_start().trim_start_matches("- ").starts_with("value:") => {
            let (before, _) = words.split_once("value:").unwrap_or_default();
            format!(" {before}value: (not shown)\n")
        }
        Some(words) => format!(" {}\n", crate::probe::without_secrets(words)),
        None => format!("{line}\n"),
    };
    diff.lines().map(around).collect()
}
