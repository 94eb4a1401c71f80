//! What a person was asked while a change is made: remembered in memory until it has ended, so that the second login can
//! be made without asking, by the same means.

use crate::channel::{Answer, Ask, Question, Secret};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Asks, and remembers the answers that were taken, in memory alone and until it is dropped.
pub struct Memory {
    inner: Arc<dyn Ask>,
    known: Mutex<Vec<(String, Secret)>>,
    /// Nobody is asked any more: what is not known is not answered.
    closed: AtomicBool,
}

impl Memory {
    /// Remembers what `inner` answers.
    pub fn new(inner: Arc<dyn Ask>) -> Self {
        Memory { inner, known: Mutex::new(Vec::new()), closed: AtomicBool::new(false) }
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
        // Mostly a password. A code that is good for one login alone does not serve for the second, which then fails, and the
        // change is put back.
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
        if let Some((about, again)) = &about {
            if *again {
                known.retain(|(name, _)| name != about);
            } else if let Some((_, secret)) = known.iter().find(|(name, _)| name == about) {
                return Answer::Secret(secret.clone());
            }
        }
        drop(known);
        // The code is asked for while the change waits for it, and by nobody but the run itself.
        if self.closed.load(Ordering::SeqCst) && !matches!(question, Question::Code { .. }) {
            return Answer::Nobody;
        }
        let answer = self.inner.ask(question);
        if let (Some((about, _)), Answer::Secret(secret)) = (about, &answer) {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).push((about, secret.clone()));
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
}
