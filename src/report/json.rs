//! Documents as JSON: pretty, the same bytes for the same value, harmless on a terminal.

use super::clean::is_hidden;
use serde::Serialize;
use std::fmt::Write as _;

/// A value as indented JSON that ends in a line feed. Characters that could act on a terminal and that JSON leaves as
/// they are (the second set of controls, marks of direction) are written as `\u....`: the same document to every
/// parser. Fails only where the value itself cannot be written, such as a map without text keys.
pub fn json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let plain = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        // Outside of strings JSON holds nothing hidden but line feeds, which indent it.
        if c != '\n' && is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_mean_the_same() {
        let value = serde_json::json!({"text": "a\u{9b}31m\u{202e}\u{e0041}\x1b\n\x7f", "n": [1, 2]});
        let text = json(&value).unwrap();
        assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(text.ends_with("}\n"));
    }
}
