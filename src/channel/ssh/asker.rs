//! What a person was asked while nodes were connected to, and what of it is remembered until the program ends.

use crate::channel::{Answer, Ask, Passwords, Purpose, Question, Secret, Turn};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Passphrases that opened a key file, so that a person is asked once and not for every node. In memory only.
#[derive(Clone, Default)]
pub struct Passphrases(Arc<Mutex<HashMap<PathBuf, Secret>>>);

impl std::fmt::Debug for Passphrases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrases(..)")
    }
}

/// The questions of one login.
pub(super) struct Asker<'a> {
    ask: &'a dyn Ask,
    asked: Cell<bool>,
    accepted: RefCell<Vec<String>>,
    /// A password that was given and could not be sent any more, and to whom it belongs.
    unsent: RefCell<Option<(String, Secret)>>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(ask: &'a dyn Ask) -> Self {
        Asker { ask, asked: Cell::new(false), accepted: RefCell::default(), unsent: RefCell::default() }
    }

    /// Puts a question.
    pub(super) fn ask(&self, question: &Question) -> Answer {
        let answer = self.ask.ask(question);
        self.asked.set(self.asked.get() || !matches!(answer, Answer::Nobody));
        answer
    }

    /// Takes hold of the passphrases: while one login asks for one, the others wait for what it learns.
    pub(super) fn hold<'p>(&self, passphrases: &'p Passphrases) -> MutexGuard<'p, HashMap<PathBuf, Secret>> {
        match passphrases.0.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.asked.set(true);
                passphrases.0.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// The turn to ask for the password of a user; waits while another login asks for it.
    pub(super) fn turn<'p>(&self, passwords: &'p Passwords, user: &str) -> Turn<'p> {
        passwords.turn(Purpose::Login, user, || self.asked.set(true))
    }

    /// Keeps a password for the next connection to the same host and user.
    pub(super) fn keep_unsent(&self, to: String, secret: Secret) {
        *self.unsent.borrow_mut() = Some((to, secret));
    }

    /// The password that was kept for this host and user, once. No other host is ever sent it.
    pub(super) fn take_unsent(&self, to: &str) -> Option<Secret> {
        let mut unsent = self.unsent.borrow_mut();
        if unsent.as_ref().is_some_and(|(whose, _)| whose == to) {
            unsent.take().map(|(_, secret)| secret)
        } else {
            None
        }
    }

    /// Whether a person took time for this login, or for one that it waited for, since this was last called.
    pub(super) fn take_asked(&self) -> bool {
        self.asked.take()
    }

    /// Remembers that a host key was accepted in this login.
    pub(super) fn accepted(&self, fingerprint: &str) {
        self.accepted.borrow_mut().push(fingerprint.to_owned());
    }

    /// Whether a host key was accepted in this login.
    pub(super) fn has_accepted(&self, fingerprint: &str) -> bool {
        self.accepted.borrow().iter().any(|accepted| accepted == fingerprint)
    }
}
