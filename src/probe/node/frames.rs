//! The collector's answer, cut into records. Everything here came from a node and is hostile until parsed.
//!
//! A line `@ NONCE BEGIN 1 ENC`, then for each record `@ NONCE KEY RC FLAGS LEN` and LEN characters of encoded payload,
//! then `@ NONCE END COUNT`. What stands before the first mark is noise (a banner, a `.bashrc` that prints); the nonce
//! is fresh for every run, so that nothing on the node can forge a mark.

use crate::evidence::{Privilege, Reason};
use std::collections::BTreeMap;

/// Records that are kept; more make the answer partial.
const MAX_RECORDS: usize = 4096;
/// Decoded bytes of one record; the collector's own bounds lie well below.
const MAX_PAYLOAD: usize = 4 << 20;
/// Bytes of a mark line; a longer one is none.
const MAX_MARK: usize = 512;

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    /// With what rights and as whom the collector ran. None where it never began.
    pub begin: Option<Begin>,
    /// The records in the order in which they came; of two with one key, the first.
    pub records: Vec<Record>,
    /// Whether the answer came to its end mark and every record of it could be read.
    pub complete: bool,
    /// The first thing that was wrong, where the answer is not complete.
    pub problem: Option<Problem>,
}

/// As whom the collector ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// With what rights.
    pub privilege: Privilege,
    /// Name of the user who logged in.
    pub user: String,
    /// User id that the collector ran with.
    pub uid: Option<i64>,
    /// Address that the node sees this seat at.
    pub from: Option<String>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is no begin mark: the collector did not run.
    NoBegin,
    /// It says another version of the protocol or an encoding that is not known.
    OtherProtocol,
    /// It ends before its end mark.
    Cut,
    /// A record does not hold what its mark says.
    Malformed,
    /// Two records with one key.
    Duplicate,
    /// The number of records is not the one in the end mark.
    Count,
    /// More records than anybody needs.
    TooMany,
}

/// What became of a record or of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was read.
    Here,
    /// It does not exist.
    Absent,
    /// This login may not read it.
    Forbidden,
    /// Our own rule refused to read it: no regular file of root's that only root may write.
    Refused,
    /// It was cut at its bound.
    TooLarge,
    /// It did not come in time.
    Timeout,
    /// The node lacks the tool or the facility.
    Unsupported,
    /// It cannot be seen this way.
    NotVisible,
    /// A word that the collector does not write.
    Malformed,
}

impl State {
    /// Reads a state word of the protocol.
    pub fn from_word(word: &str) -> State {
        match word {
            "here" => State::Here,
            "absent" => State::Absent,
            "forbidden" => State::Forbidden,
            "refused" => State::Refused,
            "too-large" => State::TooLarge,
            "timeout" => State::Timeout,
            "unsupported" => State::Unsupported,
            "not-visible" => State::NotVisible,
            _ => State::Malformed,
        }
    }

    /// Why there is no value. None for [`State::Here`] and [`State::Absent`], which are answers.
    pub fn reason(self) -> Option<Reason> {
        match self {
            State::Here | State::Absent => None,
            State::Forbidden | State::Refused => Some(Reason::Forbidden),
            State::TooLarge => Some(Reason::TooLarge),
            State::Timeout => Some(Reason::Timeout),
            State::Unsupported => Some(Reason::Unsupported),
            State::NotVisible => Some(Reason::NotVisible),
            State::Malformed => Some(Reason::Malformed),
        }
    }
}

/// Flags of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Cut at its bound; the payload is the beginning.
    pub cut: bool,
    /// The command was ended at its deadline.
    pub timed_out: bool,
    /// This login may not read it.
    pub forbidden: bool,
    /// It does not exist.
    pub absent: bool,
    /// The node lacks the tool or the facility.
    pub unsupported: bool,
    /// Our own rule refused to read it.
    pub refused: bool,
    /// It cannot be seen this way.
    pub not_visible: bool,
    /// The command ran without a bound in time, since the node has no `timeout`.
    pub unbounded: bool,
}

impl Flags {
    fn parse(word: &str) -> Option<Flags> {
        let mut flags = Flags::default();
        if word == "-" {
            return Some(flags);
        }
        for letter in word.chars() {
            match letter {
                'c' => flags.cut = true,
                't' => flags.timed_out = true,
                'f' => flags.forbidden = true,
                'a' => flags.absent = true,
                'u' => flags.unsupported = true,
                'r' => flags.refused = true,
                'n' => flags.not_visible = true,
                'b' => flags.unbounded = true,
                _ => return None,
            }
        }
        Some(flags)
    }
}

/// One value of a `PAIRS` record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pair {
    /// `NAME=VALUE`.
    Value(String),
    /// `NAME!WORD`.
    Missing(State),
}

/// A `PAIRS` record: name -> its values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(BTreeMap<String, Vec<Pair>>);

impl Pairs {
    /// The first value of a name. None where the collector said nothing about it.
    pub fn get(&self, name: &str) -> Option<&Pair> {
        self.0.get(name).and_then(|values| values.first())
    }

    /// The first value of a name, where it was read.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Pair::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// All values of a name that were read.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let all = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter_map(|pair| match pair {
                Pair::Value(value) => Some(value.as_str()),
                Pair::Missing(_) => None,
            })
            .collect()
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its key: letters, digits, `.`, `-`, `_`.
    pub key: String,
    /// Exit status of the command behind it; 0 for files and tables.
    pub rc: i64,
    /// Its flags.
    pub flags: Flags,
    /// What it holds, decoded.
    pub payload: Vec<u8>,
}

impl Record {
    /// What became of it. A record that was cut is [`State::TooLarge`] although its beginning is there.
    pub fn state(&self) -> State {
        let flags = self.flags;
        if flags.forbidden {
            State::Forbidden
        } else if flags.refused {
            State::Refused
        } else if flags.absent {
            State::Absent
        } else if flags.timed_out {
            State::Timeout
        } else if flags.unsupported {
            State::Unsupported
        } else if flags.not_visible {
            State::NotVisible
        } else if flags.cut {
            State::TooLarge
        } else {
            State::Here
        }
    }

    /// Why it holds no (whole) value.
    pub fn reason(&self) -> Option<Reason> {
        self.state().reason()
    }

    /// Its text; bytes that are no UTF-8 become the replacement character.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// Its lines, without the empty ones.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Its lines, each split by tab.
    pub fn table(&self) -> Vec<Vec<String>> {
        self.lines().iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Its `NAME=VALUE` and `NAME!WORD` lines. Lines of another shape are left out.
    pub fn pairs(&self) -> Pairs {
        let mut pairs = Pairs::default();
        for line in self.lines() {
            let Some(at) = line.find(['=', '!']) else { continue };
            let (name, rest) = line.split_at(at);
            let pair = match (rest.strip_prefix('='), rest.strip_prefix('!')) {
                (Some(value), _) => Pair::Value(value.to_owned()),
                (None, Some(word)) => Pair::Missing(State::from_word(word)),
                (None, None) => continue,
            };
            pairs.0.entry(name.to_owned()).or_default().push(pair);
        }
        pairs
    }
}

impl Frames {
    /// Reads what the collector wrote to its standard output in the run with this nonce. Never fails: what is wrong
    /// stands in [`Frames::problem`].
    pub fn parse(stdout: &[u8], nonce: &str) -> Frames {
        let mut reader = Reader { rest: stdout, nonce, frames: Frames::default(), hex: false };
        reader.run();
        let mut frames = reader.frames;
        frames.complete = frames.problem.is_none();
        frames.begin = frames.get("login").and_then(begin);
        frames
    }

    /// The record with this key.
    pub fn get(&self, key: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.key == key)
    }

    /// The records whose keys are `prefix` and a number, in the order of that number.
    pub fn under(&self, prefix: &str) -> Vec<(usize, &Record)> {
        let number = |record: &Record| record.key.strip_prefix(prefix).and_then(|rest| rest.parse::<usize>().ok());
        let mut found: Vec<(usize, &Record)> = self.records.iter().filter_map(|r| Some((number(r)?, r))).collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }
}

fn begin(login: &Record) -> Option<Begin> {
    let pairs = login.pairs();
    let privilege = match pairs.value("privilege")? {
        "root" => Privilege::Root,
        "sudo" => Privilege::Sudo,
        "none" => Privilege::None,
        _ => return None,
    };
    let from = pairs.value("ssh_connection").and_then(|words| words.split_whitespace().next()).map(str::to_owned);
    Some(Begin {
        privilege,
        user: pairs.value("user")?.to_owned(),
        uid: pairs.value("uid").and_then(|uid| uid.parse().ok()),
        from,
    })
}

/// What a mark line says.
enum Mark<'a> {
    Begin { version: &'a str, encoding: &'a str },
    Record { key: &'a str, rc: &'a str, flags: &'a str, len: &'a str },
    End { count: &'a str },
}

struct Reader<'a> {
    rest: &'a [u8],
    nonce: &'a str,
    frames: Frames,
    hex: bool,
}

impl<'a> Reader<'a> {
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
            None => (self.rest, &[][..]),
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
                Some(Mark::Record { key, rc, flags, len }) if begun => {
                    if self.frames.records.len() >= MAX_RECORDS {
                        return self.wrong(Problem::TooMany);
                    }
                    if !self.record(key, rc, flags, len) {
                        return;
                    }
                }
                Some(Mark::End { count }) if begun => {
                    if count.parse::<usize>().ok() != Some(self.frames.records.len()) {
                        self.wrong(Problem::Count);
                    }
                    return;
                }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const NONCE: &str = "00112233445566778899aabbccddeeff";

    fn record(key: &str, payload: &[u8]) -> String {
        let encoded = openssl::base64::encode_block(payload);
        format!("@ {NONCE} {key} 0 - {}\n{encoded}\n", encoded.len())
    }

    fn whole(records: &[(&str, &[u8])]) -> String {
        let body: String = records.iter().map(|(key, payload)| record(key, payload)).collect();
        format!("@ {NONCE} BEGIN 1 b64\n{body}@ {NONCE} END {}\n", records.len())
    }

    #[test]
    fn reads_a_whole_answer_behind_noise() {
        let login = b"privilege=sudo\nuser=ops\nuid=0\nssh_connection=10.0.0.5 5000 10.0.0.9 22\n";
        let noise = "Welcome!\n@ 1234 BEGIN 1 b64\n@ 1234 x 0 - 0\n\n";
        let answer = format!("{noise}{}", whole(&[("login", login), ("host", b"a=1\nb!absent\nb=2\n")]));
        let frames = Frames::parse(answer.as_bytes(), NONCE);
        assert!(frames.complete, "{:?}", frames.problem);
        let begin = frames.begin.clone().unwrap();
        assert_eq!((begin.privilege, begin.user.as_str(), begin.uid), (Privilege::Sudo, "ops", Some(0)));
        assert_eq!(begin.from.as_deref(), Some("10.0.0.5"));
        let pairs = frames.get("host").unwrap().pairs();
        assert_eq!(pairs.get("a"), Some(&Pair::Value("1".into())));
        assert_eq!(pairs.get("b"), Some(&Pair::Missing(State::Absent)));
        assert_eq!(pairs.values("b"), ["2"]);
    }

    #[test]
    fn a_cut_answer_keeps_what_came_and_is_partial() {
        let answer = whole(&[("one", b"first"), ("two", b"second and longer")]);
        for length in 0..answer.len() - 1 {
            let frames = Frames::parse(&answer.as_bytes()[..length], NONCE);
            assert!(!frames.complete, "cut at {length}");
        }
        let cut = answer.find(" two ").unwrap();
        let frames = Frames::parse(&answer.as_bytes()[..cut], NONCE);
        assert_eq!(frames.get("one").unwrap().payload, b"first");
    }

    #[test]
    fn wrong_lengths_counts_and_twins_are_told() {
        let problem = |answer: &str| Frames::parse(answer.as_bytes(), NONCE).problem;
        let head = format!("@ {NONCE} BEGIN 1 b64\n");
        assert_eq!(problem("nothing here"), Some(Problem::NoBegin));
        assert_eq!(problem(&format!("@ {NONCE} BEGIN 9 b64\n")), Some(Problem::OtherProtocol));
        assert_eq!(problem(&format!("{head}@ {NONCE} END 3\n")), Some(Problem::Count));
        assert_eq!(problem(&format!("{head}@ {NONCE} k 0 - 3\nQUJD\n@ {NONCE} END 1\n")), Some(Problem::Malformed));
        assert_eq!(problem(&format!("{head}@ {NONCE} k 0 - 4\nQ!JD\n@ {NONCE} END 1\n")), Some(Problem::Malformed));
        let huge = format!("{head}@ {NONCE} k 0 - 99999999999999999999\nQUJD\n@ {NONCE} END 1\n");
        assert_eq!(problem(&huge), Some(Problem::Malformed));
        let twins = format!("{head}{}{}@ {NONCE} END 2\n", record("k", b"a"), record("k", b"b"));
        let frames = Frames::parse(twins.as_bytes(), NONCE);
        assert_eq!(frames.problem, Some(Problem::Duplicate));
        assert_eq!(frames.get("k").unwrap().payload, b"a");
    }

    #[test]
    fn numbered_records_come_in_the_order_of_their_numbers() {
        let answer = whole(&[("f.10", b"c"), ("f.2", b"b"), ("f.x", b"-"), ("f.0", b"a")]);
        let frames = Frames::parse(answer.as_bytes(), NONCE);
        let order: Vec<usize> = frames.under("f.").iter().map(|(number, _)| *number).collect();
        assert_eq!(order, [0, 2, 10]);
    }

    #[test]
    fn hex_payloads_are_read() {
        let answer = format!("@ {NONCE} BEGIN 1 hex\n@ {NONCE} k 1 ct 9\n41 42\n 43\n@ {NONCE} END 1\n");
        let frames = Frames::parse(answer.as_bytes(), NONCE);
        let record = frames.get("k").unwrap();
        assert_eq!((record.payload.as_slice(), record.rc, record.state()), (&b"ABC"[..], 1, State::Timeout));
        assert!(frames.complete);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = Frames::parse(&bytes, NONCE);
        }

        #[test]
        fn no_damage_makes_a_false_whole(at in 0usize..400, byte in any::<u8>(), payload in prop::collection::vec(any::<u8>(), 0..64)) {
            let sound = whole(&[("one", &payload), ("two", b"x")]).into_bytes();
            let mut broken = sound.clone();
            let at = at % broken.len();
            broken[at] = byte;
            let frames = Frames::parse(&broken, NONCE);
            prop_assert!(frames.records.len() <= 2);
            if frames.complete {
                prop_assert_eq!(frames.records.len(), 2);
            }
        }

        #[test]
        fn every_payload_comes_through(payload in prop::collection::vec(any::<u8>(), 0..3000)) {
            let frames = Frames::parse(whole(&[("k", &payload)]).as_bytes(), NONCE);
            prop_assert!(frames.complete);
            prop_assert_eq!(&frames.get("k").unwrap().payload, &payload);
        }
    }
}
