//! What a person was asked while a change is made: remembered in memory until it has ended, so that the second login can
//! be made without asking, by the same means.

use crate::channel::{Answer, Ask, Question, Secret};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Asks, and remembers the answers that were taken, in memory alone and until it is dropped.
pub struct Memory {
    inner: Arc<dyn Ask>,
    known: Mutex<Known>,
    /// Nobody is asked any more: what is not known is not answered.
    closed: AtomicBool,
}

/// What is remembered of the answers.
#[derive(Default)]
struct Known {
    answers: Vec<(String, Secret)>,
    /// The question that was answered last from memory.
    from_memory: Option<String>,
    /// Questions of a node whose answer served for one login and not for the next: codes.
    codes: BTreeSet<String>,
}

impl Memory {
    /// Remembers what `inner` answers.
    pub fn new(inner: Arc<dyn Ask>) -> Self {
        Memory { inner, known: Mutex::new(Known::default()), closed: AtomicBool::new(false) }
    }

    /// Whether only what is remembered is answered, and nobody is asked.
    pub(super) fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::SeqCst);
    }
}

/// What a question is about, and whether its answer before was wrong. None for what is not remembered.
fn about(question: &Question) -> Option<(String, bool)> {
    match question {
        Question::Passphrase { file, again, .. } => Some((format!("passphrase {file}"), *again)),
        Question::Password { node, user, again } => Some((format!("password {user} {node}"), *again)),
        Question::SudoPassword { node, user, again } => Some((format!("sudo {user} {node}"), *again)),
        // Mostly a password; else a code, which is found out at the second login.
        Question::Prompt { node, user, text, echo: false, again } => {
            Some((format!("prompt {user} {node} {text}"), *again))
        }
        Question::Prompt { .. } | Question::HostKey { .. } | Question::Reuse { .. } | Question::Code { .. } => None,
    }
}

impl Ask for Memory {
    fn ask(&self, question: &Question) -> Answer {
        let about = about(question);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut code = false;
        if let Some((about, again)) = &about {
            if *again {
                known.answers.retain(|(name, _)| name != about);
                if known.from_memory.take().as_ref() == Some(about) && matches!(question, Question::Prompt { .. }) {
                    known.codes.insert(about.clone());
                }
            } else if let Some(secret) =
                known.answers.iter().find(|(name, _)| name == about).map(|(_, known)| known.clone())
            {
                known.from_memory = Some(about.clone());
                return Answer::Secret(secret);
            }
            code = known.codes.contains(about);
        }
        drop(known);
        // Two things are asked for while a change waits for them: the code of the node's console, and one without which nobody
        // logs in there. Meanwhile the switch counts.
        let waited_for = code || matches!(question, Question::Code { .. });
        if self.closed.load(Ordering::SeqCst) && !waited_for {
            return Answer::Nobody;
        }
        let answer = self.inner.ask(question);
        if let (Some((about, _)), Answer::Secret(secret), false) = (about, &answer, code) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.from_memory = None;
            known.answers.push((about, secret.clone()));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::sync::atomic::AtomicUsize;

    struct Person(AtomicUsize);

    impl Ask for Person {
        fn ask(&self, _question: &Question) -> Answer {
            let times = self.0.fetch_add(1, Ordering::SeqCst);
            Answer::Secret(Secret::new(format!("secret {times}")))
        }
    }

    fn sudo(again: bool) -> Question {
        Question::SudoPassword { node: "n1".to_owned(), user: "ana".to_owned(), again }
    }

    fn secret(answer: Answer) -> Option<String> {
        match answer {
            Answer::Secret(secret) => Some(secret.to_string()),
            _ => None,
        }
    }

    #[test]
    fn a_person_is_asked_once_and_never_after_the_change_began() {
        let person = Arc::new(Person(AtomicUsize::new(0)));
        let memory = Memory::new(Arc::<Person>::clone(&person));
        assert_eq!(secret(memory.ask(&sudo(false))).unwrap(), "secret 0");
        assert_eq!(secret(memory.ask(&sudo(false))).unwrap(), "secret 0");
        assert_eq!(secret(memory.ask(&sudo(true))).unwrap(), "secret 1", "the first was wrong");
        memory.close(true);
        assert_eq!(secret(memory.ask(&sudo(false))).unwrap(), "secret 1");
        assert_eq!(secret(memory.ask(&sudo(true))), None, "what turns out wrong later is not asked for");
        let other = Question::Password { node: "n1".to_owned(), user: "ana".to_owned(), again: false };
        assert_eq!(secret(memory.ask(&other)), None);
        assert_eq!(person.0.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_code_that_serves_once_is_asked_for_at_every_login() {
        let person = Arc::new(Person(AtomicUsize::new(0)));
        let memory = Memory::new(Arc::<Person>::clone(&person));
        let prompt = |again| Question::Prompt {
            node: "n1".to_owned(),
            user: "ana".to_owned(),
            text: "Verification code:".to_owned(),
            echo: false,
            again,
        };
        assert_eq!(secret(memory.ask(&prompt(false))).unwrap(), "secret 0");
        assert_eq!(secret(memory.ask(&prompt(true))).unwrap(), "secret 1", "mistyped, which makes it no code");
        assert_eq!(secret(memory.ask(&prompt(false))).unwrap(), "secret 1", "it may be a password");
        assert_eq!(secret(memory.ask(&prompt(true))).unwrap(), "secret 2", "it was not");
        memory.close(true);
        assert_eq!(secret(memory.ask(&prompt(false))).unwrap(), "secret 3", "the second login has a code of its own");
        assert_eq!(secret(memory.ask(&sudo(false))), None);
    }
}
