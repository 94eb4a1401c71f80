//! Passwords that a person let be used for more than one node. In memory, for one run; overwritten when it ends.

use super::Secret;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What a password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Logging in to the node.
    Login,
    /// `sudo` on the node.
    Sudo,
}

/// What the person decided about one user's password.
enum Decision {
    /// The same for all nodes.
    Same(Secret),
    /// Every node asks.
    Each,
}

/// By user, and the jump host where it is one's.
type Whose = (String, Option<String>);

type Decisions = Mutex<HashMap<Whose, Decision>>;

/// The passwords of one run. Clones share them.
#[derive(Clone, Default)]
pub struct Passwords {
    others: usize,
    /// The jump host that these are for; None: the nodes.
    at: Option<String>,
    login: Arc<Decisions>,
    sudo: Arc<Decisions>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("others", &self.others).finish_non_exhaustive()
    }
}

impl Passwords {
    /// For a run on so many nodes. With one alone, nothing is ever kept.
    pub fn for_nodes(nodes: usize) -> Self {
        Passwords { others: nodes.saturating_sub(1), ..Passwords::default() }
    }

    /// The same for a jump host: what is decided there counts nowhere else, and nothing from elsewhere counts there.
    pub fn at(&self, jump_host: &str) -> Self {
        Passwords { at: Some(jump_host.to_owned()), ..self.clone() }
    }

    /// The jump host that these are for.
    pub fn only_at(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// The turn to ask for a user's password. Until it was decided whether other nodes may use what one learns, one
    /// login asks and the others wait: their turns come when this one is decided or dropped. `waiting` is called before a
    /// wait.
    pub fn turn<'a>(&'a self, purpose: Purpose, user: &str, waiting: impl FnOnce()) -> Turn<'a> {
        let decisions: &Decisions = match purpose {
            Purpose::Login => &self.login,
            Purpose::Sudo => &self.sudo,
        };
        let whose = (user.to_owned(), self.at.clone());
        let mut turn = Turn { whose, others: self.others, known: None, held: None };
        if self.others == 0 {
            return turn;
        }
        let held = match decisions.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                waiting();
                decisions.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        match held.get(&turn.whose) {
            Some(Decision::Same(secret)) => turn.known = Some(secret.clone()),
            Some(Decision::Each) => {}
            None => turn.held = Some(held),
        }
        turn
    }
}

/// One login's turn.
pub struct Turn<'a> {
    whose: Whose,
    others: usize,
    known: Option<Secret>,
    held: Option<MutexGuard<'a, HashMap<Whose, Decision>>>,
}

impl Turn<'_> {
    /// What the person let be used for all nodes. Given once.
    pub fn take_known(&mut self) -> Option<Secret> {
        self.known.take()
    }

    /// How many other nodes there are, where the person was not yet asked whether they may use the same.
    pub fn undecided(&self) -> Option<usize> {
        self.held.is_some().then_some(self.others)
    }

    /// Notes the person's decision, and lets the others go on. None: every node asks.
    pub fn decide(mut self, same: Option<&Secret>) {
        if let Some(mut held) = self.held.take() {
            held.insert(self.whose, same.map_or(Decision::Each, |secret| Decision::Same(secret.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn turn<'a>(passwords: &'a Passwords, purpose: Purpose, user: &str) -> Turn<'a> {
        passwords.turn(purpose, user, || ())
    }

    #[test]
    fn without_consent_no_other_node_gets_it() {
        let passwords = Passwords::for_nodes(3);
        assert_eq!(turn(&passwords, Purpose::Login, "ana").undecided(), Some(2));
        turn(&passwords, Purpose::Login, "ana").decide(None);
        let mut next = turn(&passwords, Purpose::Login, "ana");
        assert!(next.take_known().is_none() && next.undecided().is_none(), "asked for each, and not about reuse again");
    }

    #[test]
    fn consent_is_for_one_user_and_one_purpose() {
        let passwords = Passwords::for_nodes(3);
        turn(&passwords, Purpose::Sudo, "ana").decide(Some(&Secret::new("secret".to_owned())));
        assert_eq!(*turn(&passwords, Purpose::Sudo, "ana").take_known().unwrap(), "secret");
        assert!(turn(&passwords, Purpose::Sudo, "bob").take_known().is_none());
        assert!(turn(&passwords, Purpose::Login, "ana").take_known().is_none());
        assert!(!format!("{passwords:?}").contains("secret"));
    }

    #[test]
    fn a_jump_hosts_password_is_for_that_jump_host_alone() {
        let passwords = Passwords::for_nodes(3);
        let secret = Secret::new("secret".to_owned());
        turn(&passwords.at("bastion:22"), Purpose::Login, "ana").decide(Some(&secret));
        assert!(turn(&passwords, Purpose::Login, "ana").take_known().is_none());
        assert!(turn(&passwords.at("other:22"), Purpose::Login, "ana").take_known().is_none());
        assert_eq!(*turn(&passwords.at("bastion:22"), Purpose::Login, "ana").take_known().unwrap(), "secret");
    }

    #[test]
    fn with_one_node_nothing_is_kept() {
        let passwords = Passwords::for_nodes(1);
        turn(&passwords, Purpose::Sudo, "ana").decide(Some(&Secret::new("secret".to_owned())));
        let mut next = turn(&passwords, Purpose::Sudo, "ana");
        assert!(next.take_known().is_none() && next.undecided().is_none());
    }

    #[test]
    fn while_one_is_asked_the_others_wait() {
        let passwords = Passwords::for_nodes(2);
        let first = turn(&passwords, Purpose::Login, "ana");
        let (waits, waiting) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                passwords.turn(Purpose::Login, "ana", || waits.send(()).unwrap()).take_known().unwrap().to_string()
            });
            waiting.recv().unwrap();
            first.decide(Some(&Secret::new("secret".to_owned())));
            assert_eq!(other.join().unwrap(), "secret");
        });
    }
}
