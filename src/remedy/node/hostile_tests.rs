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
