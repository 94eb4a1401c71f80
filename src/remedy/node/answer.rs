//! What a node says while a remedy runs there, line by line. Only lines with this run's nonce count; everything in them is
//! the node's word and is bounded, decoded and never believed further than it must be.

use openssl::base64::decode_block;

/// Most bytes of one line that are taken: a file of 1 MiB in base64, and some more.
const LONGEST: usize = 3 << 20;

/// Most letters of a line that a command says.
const SPOKEN: usize = 300;

/// One line: its word and what follows, parted at blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    words: Vec<String>,
}

impl Line {
    /// A line of this run. None for anything else.
    pub(crate) fn of(line: &[u8], nonce: &str) -> Option<Self> {
        if line.len() > LONGEST {
            return None;
        }
        let rest = line.strip_prefix(b"@ ")?.strip_prefix(nonce.as_bytes())?.strip_prefix(b" ")?;
        // The one line that is not made of words of ours: what a command says just now, as it is.
        if let Some(said) = rest.strip_prefix(b"says ") {
            return Some(Line { words: vec!["says".to_owned(), spoken(said)] });
        }
        let rest = std::str::from_utf8(rest).ok()?;
        let words = rest.trim_end_matches('\r').split(' ').map(str::to_owned).collect();
        Some(Line { words })
    }

    /// The word at a place; empty where there is none.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// What the line is about.
    pub(crate) fn about(&self) -> &str {
        self.word(0)
    }

    /// A number.
    pub(crate) fn number<T: std::str::FromStr>(&self, at: usize) -> Option<T> {
        self.word(at).parse().ok()
    }

    /// Permission bits, written in octal.
    pub(crate) fn octal(&self, at: usize) -> Option<u32> {
        u32::from_str_radix(self.word(at), 8).ok().filter(|mode| *mode <= 0o7777)
    }

    /// Bytes in base64. None where they are none.
    pub(crate) fn bytes(&self, at: usize) -> Option<Vec<u8>> {
        match self.word(at) {
            "" => Some(Vec::new()),
            encoded => decode_block(encoded).ok(),
        }
    }

    /// Text in base64, for people: what is not UTF-8 is replaced, control characters but line feed are removed.
    pub(crate) fn text(&self, at: usize) -> String {
        let bytes = self.bytes(at).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| *c == '\n' || !c.is_control()).collect()
    }

    /// A path in base64: absolute, UTF-8, without control characters.
    pub(crate) fn path(&self, at: usize) -> Option<String> {
        let path = String::from_utf8(self.bytes(at)?).ok()?;
        (path.starts_with('/') && !path.contains(char::is_control)).then_some(path)
    }
}

/// A line of a command's, for people: what a carriage return has written over is gone, as are control characters.
fn spoken(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let shown = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let plain = shown.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control());
    plain.take(SPOKEN).collect::<String>().trim_end().to_owned()
}

/// Cuts a stream into lines as it comes, and hands on those of this run.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    /// The line that comes is too long and is thrown away.
    skipping: bool,
}

impl Lines {
    /// Takes bytes and gives the lines that they complete.
    pub(crate) fn take(&mut self, bytes: &[u8], nonce: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => {
                    if !std::mem::take(&mut self.skipping) {
                        lines.extend(Line::of(&self.rest, nonce));
                    }
                    self.rest.clear();
                }
                _ if self.skipping => {}
                byte => {
                    self.rest.push(*byte);
                    if self.rest.len() > LONGEST {
                        self.skipping = true;
                        self.rest.clear();
                    }
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_lines_of_this_run_count_however_they_come() {
        let mut lines = Lines::default();
        let text = b"motd\n@ 00ff end waiting\n@ 00fe end applied\n@ 00ff ran 1 aGk= \n@ 00ff cut";
        let found: Vec<Line> = text.iter().flat_map(|byte| lines.take(&[*byte], "00ff")).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].about(), found[0].word(1)), ("end", "waiting"));
        assert_eq!((found[1].number(1), found[1].text(2).as_str(), found[1].text(3).as_str()), (Some(1), "hi", ""));
    }

    #[test]
    fn what_a_node_says_cannot_reach_the_screen_as_it_is() {
        let encode = |text: &str| openssl::base64::encode_block(text.as_bytes());
        let line = format!("@ 00ff told {} {}", encode("a\u{1b}[2J\tb\nc"), encode("/etc/a\nb"));
        let line = Line::of(line.as_bytes(), "00ff").unwrap();
        assert_eq!(line.text(1), "a[2J b\nc");
        assert_eq!(line.path(2), None);
        assert_eq!(Line::of(b"@ 00ff x", "00ff").unwrap().octal(1), None);
    }

    #[test]
    fn what_a_command_says_is_a_line_whatever_is_in_it() {
        let said = |text: &[u8]| Line::of(&[b"@ 00ff says ", text].concat(), "00ff").unwrap();
        let line = said(b"@ 00ff end applied");
        assert_eq!((line.about(), line.word(1)), ("says", "@ 00ff end applied"), "it is no word of the script's");
        assert_eq!(said(b" 10%\r 20%\r100% \x1b[2Jdone\t\xff\r").word(1), "100% [2Jdone \u{fffd}");
        assert_eq!(said(&[b'x'; 4000]).word(1).len(), SPOKEN);
    }

    #[test]
    fn a_line_without_end_is_thrown_away() {
        let mut lines = Lines::default();
        assert!(lines.take(&vec![b'x'; LONGEST + 2], "00ff").is_empty());
        let found = lines.take(b"yyy\n@ 00ff end told\n", "00ff");
        assert_eq!(found.len(), 1);
        assert!(lines.rest.is_empty());
    }
}
