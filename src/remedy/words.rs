//! Small things that every part of a remedy needs.

use openssl::sha::Sha256;
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
