//! The proof where nobody gets in by the way that this program came: a code that the node shows at its console alone.

use super::node::Node;
use super::run::{Ending, TRIES, Told};
use crate::channel::{Answer, Ask as _, Question};
use crate::remedy::node::Stands;
use crate::store::Outcome;

/// Six digits. None where the system has no random numbers.
fn code() -> Option<String> {
    let mut random = [0_u8; 4];
    openssl::rand::rand_bytes(&mut random).ok()?;
    Some(format!("{:06}", u32::from_be_bytes(random) % 1_000_000))
}

impl Ending<'_, '_> {
    /// Shows a code at the node's console, waits until a person types it here, and only then disarms the switch, over the
    /// login that still stands.
    pub(super) fn prove_at_console(&self, first: &mut Node<'_>) -> (Outcome, String) {
        let node = self.reach.node();
        let Some(code) = code() else { return self.take_back(Some(first), "no random code could be made") };
        let shown = match first.show_code(self.entry, &code) {
            Ok(Ok(shown)) => shown,
            Ok(Err(_)) => return (Outcome::Reverted, overtaken(node)),
            Err(refusal) => return self.take_back(Some(first), &refusal.0),
        };
        if shown.is_empty() {
            return self.take_back(Some(first), "the node has no console that a code could be shown at");
        }
        self.log.borrow_mut().step(format!("showed a code at {}", shown.join(", ")), None, "");
        (self.tell)(Told::AtConsole);
        for tried in 0..TRIES {
            let seconds = self.left().as_secs();
            let question = Question::Code { node: node.to_owned(), at: shown.clone(), seconds, again: tried > 0 };
            match self.memory.ask(&question) {
                Answer::Secret(typed) if typed.trim() == code => {
                    return match first.confirm(self.entry) {
                        Ok(Stands::Confirmed) => {
                            self.log.borrow_mut().step("the code was typed; disarmed the switch", None, "");
                            (self.tell)(Told::Proved);
                            (Outcome::Done, "It is done: the code of the node's console was typed".to_owned())
                        }
                        Ok(_) => (Outcome::Reverted, overtaken(node)),
                        Err(refusal) => (Outcome::Unknown, self.left_to_the_switch(&refusal.0)),
                    };
                }
                Answer::Secret(_) => {}
                _ => break,
            }
        }
        self.take_back(Some(first), "the code that the node shows at its console was not typed")
    }
}

fn overtaken(node: &str) -> String {
    format!("{node}: the time was over, and the node put the old state back by itself")
}
