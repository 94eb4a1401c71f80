//! Percent encoding of RFC 3986, both ways.

use std::fmt::Write as _;

/// Encodes everything but letters, digits and `-._~`, so that the text fits into a query or a header's name.
pub(in crate::kubeapi) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Decodes what stands in a URL before its `@`. A `%` without two digits behind it stands for itself.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(encode("a/b=c d\u{fc}~"), "a%2Fb%3Dc%20d%C3%BC~");
        assert_eq!(decode("p%40ss%3aword%"), b"p@ss:word%");
        assert_eq!(decode("%+A%zz"), b"%+A%zz");
    }
}
