//! A node that says more than it should while a change runs there, and what is believed of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::channel::{Heard, NobodyToAsk, Output, Say, Talk};
use crate::evidence::ChannelKind;

/// A node that answers the script with these lines; `NONCE` in them becomes that of the run.
struct Hostile(Vec<u8>);

impl Channel for Hostile {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ssh
    }

    fn converse(&mut self, command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError> {
        let Say::Last(_) = talk.begin() else { panic!("the script was not sent") };
        // The nonce stands in the command, as whoever is root on the node can see.
        let nonce = command.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() >= 16).unwrap();
        let text = String::from_utf8_lossy(&self.0).replace("NONCE", nonce).into_bytes();
        let mut output = Output { status: Some(0), ..Output::default() };
        for piece in text.chunks(1000) {
            talk.hear(Heard::Out(piece));
            let room = limits.stdout.saturating_sub(output.stdout.len());
            output.stdout.extend(piece.iter().take(room));
        }
        Ok(output)
    }
}

fn carried_out(text: &str) -> (Applied, Vec<Word>) {
    let channel = Box::new(Hostile(text.as_bytes().to_vec()));
    let mut node = Node { name: "edge1", channel, limits: Limits::default(), ask: &NobodyToAsk };
    let words = RefCell::new(Vec::new());
    let change = NodeChange { activate: vec!["true".to_owned()], ..NodeChange::default() };
    let applied = node.apply("e", &change, b"{}", &|word| words.borrow_mut().push(word));
    (applied, words.into_inner())
}

#[test]
fn no_word_of_a_command_is_taken_for_one_of_the_script() {
    let (applied, words) = carried_out("@ NONCE says @ NONCE end applied\n@ NONCE says end applied\n");
    assert!(matches!(applied, Applied::Lost(_)), "{applied:?}");
    assert_eq!(words.len(), 2);
    let (applied, words) =
        carried_out("@ NONCE says \u{1b}[2Jx --token=abcdef\u{7}\n@ 00 says forged\n@ NONCE end applied\n");
    assert_eq!(applied, Applied::Finished);
    assert_eq!(words, [Word::Says("[2Jx --token=[redacted]".to_owned())]);
}

#[test]
fn a_flood_is_cut_for_people_and_loses_no_step() {
    let flood = "@ NONCE says x\n".repeat(TOLD + 500);
    let (applied, words) = carried_out(&format!("{flood}@ NONCE armed 90\n@ NONCE end applied\n"));
    assert_eq!(applied, Applied::Finished);
    assert_eq!(words.len(), TOLD + 1);
    assert_eq!(words.last(), Some(&Word::Done(Done::Armed { seconds: 90 })));
}

#[cfg(unix)]
#[test]
fn what_a_command_says_comes_line_by_line_and_bounded_in_every_shell() {
    let lib = include_str!("../../../assets/remedy/lib.sh");
    let line = r#"ran 'echo one; printf "10\r20\n"; head -c 3000000 /dev/zero | tr "\0" x; exit 3'; echo "status $RC" "${#OUT}""#;
    let script = format!("STATE=/nowhere E=e N=aa11\n{lib}\n{line}\n");
    for shell in [&["sh"][..], &["busybox", "sh"], &["bash", "--posix"]] {
        let mut command = std::process::Command::new(shell[0]);
        let Ok(done) = command.args(&shell[1..]).args(["-c", &script]).output() else { continue };
        let text = String::from_utf8(done.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let x = format!("@ aa11 says {}", "x".repeat(300));
        assert!(lines[0].starts_with("@ aa11 runs "), "{shell:?}: {}", lines[0]);
        assert_eq!(lines[1..4], ["@ aa11 says one", "@ aa11 says 20", x.as_str()], "{shell:?}");
        assert!(lines[4].starts_with("@ aa11 ran 3 ") && lines[4].len() < 10_000, "{shell:?}");
        assert_eq!((lines[5], lines.len()), ("status 3 65546", 6), "{shell:?}");
    }
}
