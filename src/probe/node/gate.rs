//! The gate before a script that runs as root: only when sudo's own prompt was seen is the password sent, once; only
//! when the shell that sudo started has announced itself is the script sent, once. Pure: bytes in, words out.

use crate::channel::{Heard, Say, Secret, Talk};
use zeroize::Zeroizing;

/// Two random words. What the node must say is made of both, in a form that stands nowhere in the command line, so that
/// neither an echo of the command nor another program's output opens the gate.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// One word. As a line, it ends what the shell of root discards.
    pub(super) one: String,
    /// The other.
    pub(super) other: String,
}

impl Marks {
    /// What sudo is told to ask with.
    fn prompt(&self) -> String {
        format!("[{}.{}]", self.one, self.other)
    }

    /// What the shell of root announces itself with.
    fn ready(&self) -> String {
        format!("@{}.{}@", self.other, self.one)
    }
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Neither prompt nor shell was seen.
    Waiting,
    /// The password was sent.
    Sent,
    /// sudo asked again, or more often than it was answered: the input was ended.
    Refused,
    /// The shell of root is there and was sent the script.
    Open,
}

/// One conversation with `sudo -S`.
pub(super) struct Gate {
    stand: Stand,
    prompt: Watch,
    ready: Watch,
    /// The password as a line, until it is sent.
    password: Option<Zeroizing<Vec<u8>>>,
    /// What the shell of root reads, until it is sent.
    script: Option<Zeroizing<Vec<u8>>>,
}

impl Gate {
    /// A closed gate. None where the password cannot be one line, which is what sudo reads.
    pub(super) fn new(marks: &Marks, password: &Secret, script: &[u8]) -> Option<Self> {
        if password.contains(['\n', '\r', '\0']) {
            return None;
        }
        let mut line = Zeroizing::new(Vec::with_capacity(password.len() + 1));
        line.extend_from_slice(password.as_bytes());
        line.push(b'\n');
        let script = [marks.one.as_bytes(), b"\n", script].concat();
        Some(Gate {
            stand: Stand::Waiting,
            prompt: Watch::new(marks.prompt()),
            ready: Watch::new(marks.ready()),
            password: Some(line),
            script: Some(Zeroizing::new(script)),
        })
    }

    /// How far it came.
    pub(super) fn stand(&self) -> Stand {
        self.stand
    }

    fn prompted(&mut self, times: usize) -> Say {
        match (self.stand, times) {
            (Stand::Waiting, 1) => {
                self.stand = Stand::Sent;
                self.password.take().map_or(Say::Nothing, Say::Send)
            }
            (Stand::Waiting | Stand::Sent, 1..) => {
                self.stand = Stand::Refused;
                self.password = None;
                self.script = None;
                Say::Last(Zeroizing::default())
            }
            _ => Say::Nothing,
        }
    }

    fn announced(&mut self) -> Say {
        if !matches!(self.stand, Stand::Waiting | Stand::Sent) {
            return Say::Nothing;
        }
        self.stand = Stand::Open;
        self.password = None;
        self.script.take().map_or(Say::Nothing, Say::Last)
    }
}

impl Talk for Gate {
    fn begin(&mut self) -> Say {
        Say::Nothing
    }

    fn hear(&mut self, heard: Heard<'_>) -> Say {
        match heard {
            Heard::Err(bytes) => {
                let times = self.prompt.count(bytes);
                self.prompted(times)
            }
            Heard::Out(bytes) if self.ready.count(bytes) > 0 => self.announced(),
            Heard::Out(_) => Say::Nothing,
        }
    }
}

/// Looks for a text in a stream that comes in pieces.
struct Watch {
    text: Vec<u8>,
    /// The end of what came, shorter than the text.
    tail: Vec<u8>,
}

impl Watch {
    fn new(text: String) -> Self {
        Watch { text: text.into_bytes(), tail: Vec::new() }
    }

    /// How often the text ended in this piece.
    fn count(&mut self, bytes: &[u8]) -> usize {
        self.tail.extend_from_slice(bytes);
        // The tail is shorter than the text, so whatever is found ends in this piece.
        let times = self.tail.windows(self.text.len()).filter(|window| *window == self.text).count();
        let keep = self.text.len().saturating_sub(1);
        let gone = self.tail.len().saturating_sub(keep);
        self.tail.drain(..gone);
        times
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn marks() -> Marks {
        Marks { one: "aa11".to_owned(), other: "bb22".to_owned() }
    }

    fn gate() -> Gate {
        Gate::new(&marks(), &Secret::new("hunter2".to_owned()), b"id\n").unwrap()
    }

    fn words(say: Say) -> String {
        match say {
            Say::Nothing => String::new(),
            Say::Send(bytes) => format!("send {}", String::from_utf8(bytes.to_vec()).unwrap()),
            Say::Last(bytes) => format!("last {}", String::from_utf8(bytes.to_vec()).unwrap()),
        }
    }

    #[test]
    fn the_right_password_and_then_the_script() {
        let mut gate = gate();
        assert_eq!(words(gate.begin()), "");
        assert_eq!(words(gate.hear(Heard::Err(b"We trust you have received the usual lecture\n[aa1"))), "");
        assert_eq!(words(gate.hear(Heard::Err(b"1.bb22] "))), "send hunter2\n");
        assert_eq!(words(gate.hear(Heard::Out(b"@bb22.aa"))), "");
        assert_eq!(words(gate.hear(Heard::Out(b"11@\n"))), "last aa11\nid\n");
        assert_eq!(gate.stand(), Stand::Open);
        assert_eq!(words(gate.hear(Heard::Err(b"[aa11.bb22]"))), "", "nothing is sent any more");
    }

    #[test]
    fn a_second_prompt_ends_it() {
        let mut gate = gate();
        gate.hear(Heard::Err(b"[aa11.bb22] "));
        assert_eq!(words(gate.hear(Heard::Err(b"Sorry, try again.\n[aa11.bb22] "))), "last ");
        assert_eq!(gate.stand(), Stand::Refused);
        assert_eq!(words(gate.hear(Heard::Out(b"@bb22.aa11@"))), "");
    }

    #[test]
    fn where_no_password_is_wanted_none_is_sent() {
        let mut gate = gate();
        assert_eq!(words(gate.hear(Heard::Out(b"@bb22.aa11@"))), "last aa11\nid\n");
        assert_eq!(words(gate.hear(Heard::Err(b"[aa11.bb22] "))), "");
    }

    #[test]
    fn sudo_rs_puts_the_prompt_between_words_of_its_own() {
        let mut gate = gate();
        assert_eq!(words(gate.hear(Heard::Err(b"[sudo: [aa11.bb22] ] Password: "))), "send hunter2\n");
    }

    #[test]
    fn the_wrong_stream_an_echo_of_the_command_or_half_a_mark_open_nothing() {
        let mut gate = gate();
        for piece in [&b"[aa11.bb22]"[..], b"sh aa11 bb22 [$1.$2] @$2.$1@", b"[aa11.bb2", b"aa11\n"] {
            assert_eq!(words(gate.hear(Heard::Out(piece))), "");
        }
        for piece in [&b"@bb22.aa11@"[..], b"+ sh aa11 bb22 [$1.$2] @$2.$1@", b"[sudo] password for ana: "] {
            assert_eq!(words(gate.hear(Heard::Err(piece))), "");
        }
        assert_eq!(gate.stand(), Stand::Waiting);
    }

    #[test]
    fn a_password_that_is_more_than_a_line_is_not_sent() {
        for bad in ["a\nb", "a\rb", "a\0b"] {
            assert!(Gate::new(&marks(), &Secret::new(bad.to_owned()), b"").is_none());
        }
    }

    /// Pieces of what a node may send, on one of its streams.
    fn piece() -> impl Strategy<Value = (bool, Vec<u8>)> {
        let texts = prop_oneof![
            3 => prop::sample::select(vec!["[aa11.bb22]", "@bb22.aa11@", "[aa11.", "bb22]", "@bb22", ".aa11@", "\n", "hunter2"])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..40),
        ];
        (any::<bool>(), texts)
    }

    proptest! {
        #[test]
        fn whatever_a_node_sends_the_password_goes_once_and_the_script_only_to_the_shell(
            pieces in prop::collection::vec(piece(), 0..60)
        ) {
            let mut gate = gate();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let (mut passwords, mut scripts, mut ended) = (0, 0, false);
            for (is_out, bytes) in &pieces {
                let heard = if *is_out { Heard::Out(bytes) } else { Heard::Err(bytes) };
                if *is_out { out.extend_from_slice(bytes) } else { err.extend_from_slice(bytes) }
                let announced = out.windows(11).any(|window| window == b"@bb22.aa11@");
                let said = words(gate.hear(heard));
                prop_assert!(!ended || said.is_empty(), "nothing follows the end");
                match said.as_str() {
                    "" => {}
                    "send hunter2\n" => {
                        passwords += 1;
                        prop_assert!(err.windows(11).any(|window| window == b"[aa11.bb22]"));
                        prop_assert!(!announced, "no password for a shell");
                    }
                    "last aa11\nid\n" => {
                        (scripts, ended) = (scripts + 1, true);
                        prop_assert!(announced, "the script went before the shell was there");
                    }
                    "last " => ended = true,
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert!(passwords <= 1 && scripts <= 1);
        }
    }
}
