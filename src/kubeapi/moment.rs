//! Times as HTTP has them.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Longest header that is looked at.
const LONGEST: usize = 64;

/// Reads a `Date` header (RFC 9110 5.6.7; servers send the form of RFC 1123). None: it is no such date.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    (text.len() <= LONGEST).then(|| DateTimeParser::new().parse_timestamp(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_of_servers() {
        let parsed = http_date(" Tue, 25 Nov 2025 21:34:07 GMT").unwrap();
        assert_eq!(parsed.to_string(), "2025-11-25T21:34:07Z");
        for wrong in ["", "yesterday", "25.11.2025", &"9".repeat(500)] {
            assert_eq!(http_date(wrong), None);
        }
    }
}
