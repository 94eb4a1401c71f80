//! Finding the marks in what came, and the records between them.

use super::{Flags, Frames, Problem, Record};

/// Records that are kept; more make the answer partial.
const MAX_RECORDS: usize = 4096;
/// Decoded bytes of one record; the collector's own bounds lie well below.
const MAX_PAYLOAD: usize = 4 << 20;
/// Bytes of a mark line; a longer one is none.
const MAX_MARK: usize = 512;

/// What a mark line says.
enum Mark<'a> {
    Begin { version: &'a str, encoding: &'a str },
    Record { key: &'a str, rc: &'a str, flags: &'a str, len: &'a str },
    End { count: &'a str },
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    nonce: &'a str,
    frames: Frames,
    hex: bool,
    /// The last line came without its end.
    is_cut: bool,
}

impl<'a> Reader<'a> {
    /// The records of an answer, and the first thing that is wrong with it.
    pub(super) fn read(stdout: &'a [u8], nonce: &'a str) -> Frames {
        let mut reader = Reader { rest: stdout, nonce, frames: Frames::default(), hex: false, is_cut: false };
        reader.run();
        reader.frames
    }

    fn wrong(&mut self, problem: Problem) {
        self.frames.problem.get_or_insert(problem);
    }

    /// The next line without its end; None at the end of the answer.
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match self.rest.iter().position(|byte| *byte == b'\n') {
            Some(at) => (self.rest.get(..at)?, self.rest.get(at + 1..)?),
            None => {
                self.is_cut = true;
                (self.rest, &[][..])
            }
        };
        self.rest = rest;
        Some(line)
    }

    fn mark(&self, line: &'a [u8]) -> Option<Mark<'a>> {
        if line.len() > MAX_MARK {
            return None;
        }
        let words: Vec<&str> = std::str::from_utf8(line).ok()?.trim_end_matches('\r').split(' ').collect();
        match words.as_slice() {
            ["@", nonce, rest @ ..] if *nonce == self.nonce => match rest {
                ["BEGIN", version, encoding] => Some(Mark::Begin { version, encoding }),
                ["END", count] => Some(Mark::End { count }),
                [key, rc, flags, len] => Some(Mark::Record { key, rc, flags, len }),
                _ => None,
            },
            _ => None,
        }
    }

    fn run(&mut self) {
        let mut begun = false;
        while let Some(line) = self.line() {
            match self.mark(line) {
                Some(Mark::Begin { version, encoding }) if !begun => {
                    begun = true;
                    if version != "1" || !matches!(encoding, "b64" | "hex") {
                        return self.wrong(Problem::OtherProtocol);
                    }
                    self.hex = encoding == "hex";
                }
                Some(Mark::Record { key, rc, flags, len }) if begun && !self.is_cut => {
                    if self.frames.records.len() >= MAX_RECORDS {
                        return self.wrong(Problem::TooMany);
                    }
                    if !self.record(key, rc, flags, len) {
                        return;
                    }
                }
                Some(Mark::End { count }) if begun => {
                    if count.parse::<usize>().ok() != Some(self.frames.records.len()) {
                        self.wrong(if self.is_cut { Problem::Cut } else { Problem::Count });
                    }
                    return;
                }
                // Whatever it was to become.
                _ if begun && self.is_cut => {}
                _ if begun => {
                    // Something on the node wrote into our stream; the records around it still stand.
                    self.wrong(Problem::Malformed);
                }
                _ => {}
            }
        }
        self.wrong(if begun { Problem::Cut } else { Problem::NoBegin });
    }

    /// Reads one record; false where the answer ends inside it.
    fn record(&mut self, key: &str, rc: &str, flags: &str, len: &str) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let (Some(len), Ok(rc), Some(flags), true) =
            (len.parse::<usize>().ok(), rc.parse::<i64>(), Flags::parse(flags), key.chars().all(plain))
        else {
            self.wrong(Problem::Malformed);
            return true;
        };
        let Some((encoded, after)) = self.rest.split_at_checked(len) else {
            self.wrong(Problem::Cut);
            self.rest = &[];
            return false;
        };
        let after = match after.split_first() {
            Some((b'\n', after)) => after,
            Some(_) => {
                // The length lies: the mark's line is used up, and reading goes on at the next mark.
                self.wrong(Problem::Malformed);
                return true;
            }
            None => {
                self.wrong(Problem::Cut);
                return false;
            }
        };
        self.rest = after;
        let Some(payload) = decode(encoded, self.hex) else {
            self.wrong(Problem::Malformed);
            return true;
        };
        if self.frames.get(key).is_some() {
            self.wrong(Problem::Duplicate);
            return true;
        }
        self.frames.records.push(Record { key: key.to_owned(), rc, flags, payload });
        true
    }
}

fn decode(encoded: &[u8], hex: bool) -> Option<Vec<u8>> {
    if encoded.len() > MAX_PAYLOAD.saturating_mul(2) {
        return None;
    }
    let text: String =
        encoded.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| char::from(*byte)).collect();
    if !text.is_ascii() {
        return None;
    }
    let bytes = if hex {
        if !text.len().is_multiple_of(2) {
            return None;
        }
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        digits?.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect()
    } else if text.is_empty() {
        Vec::new()
    } else {
        openssl::base64::decode_block(&text).ok()?
    };
    (bytes.len() <= MAX_PAYLOAD).then_some(bytes)
}
