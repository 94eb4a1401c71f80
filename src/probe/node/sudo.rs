//! sudo with a password: asked for one node at a time, sent to sudo alone, and given up with a sentence where it does not
//! help. What sudo says is classified, never shown; that it asked, and that it took the password, is known from marks
//! (see `gate`), not from its words, which depend on the node's language.

use super::collector;
use super::gate::{Gate, Stand};
use super::{Aid, Step};
use crate::channel::{Answer, Channel, ChannelError, Limits, Output, Overheard, Purpose, Question, Secret};

/// Times that a person is asked for one node.
const TRIES: usize = 3;

/// What came of it.
pub(super) enum Settled {
    /// The collector ran as root; its output and nonce.
    Ran(Output, String),
    /// sudo is of no use; why, for the person.
    Without(String),
    /// The connection is gone.
    Lost(ChannelError),
}

/// What came of one password.
enum Tried {
    Ran(Output, String),
    Wrong,
    /// sudo will not, whatever the password; a clause that says why and what to do.
    Refused(&'static str),
}

/// One node whose sudo wants a password.
pub(super) struct Sudo<'a> {
    pub(super) channel: &'a mut dyn Channel,
    pub(super) node: &'a str,
    pub(super) user: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) aid: &'a Aid<'a>,
    /// What the shell of root is to read.
    pub(super) script: &'a [u8],
    /// Who hears what it writes, with the nonce of that run.
    pub(super) hear: &'a dyn Fn(&str, &[u8]),
    /// What follows where sudo is of no use, as a sentence.
    pub(super) otherwise: &'static str,
}

impl Sudo<'_> {
    /// Asks for the password and runs the script with it. `said`: what sudo said when it was asked to do without.
    pub(super) fn settle(&mut self, said: &[u8]) -> Settled {
        if let Some(why) = hopeless(said) {
            return self.without(why);
        }
        (self.aid.tell)(Step::Asking);
        let mut turn = Some(self.aid.passwords.turn(Purpose::Sudo, self.user, || ()));
        let mut known = turn.as_mut().and_then(|turn| turn.take_known());
        let (mut wrong, mut reading) = (0, false);
        while wrong < TRIES {
            let secret = match known.take() {
                Some(secret) => secret,
                None => {
                    if std::mem::take(&mut reading) {
                        (self.aid.tell)(Step::Asking);
                    }
                    match self.aid.ask.ask(&self.question(wrong > 0)) {
                        Answer::Secret(secret) => secret,
                        Answer::Nobody => {
                            return self.without(
                                "it wants a password and nobody is there to be asked. Run this from a terminal, log in as root, or allow this user `sh` by sudo without a password",
                            );
                        }
                        Answer::Yes | Answer::No => return self.without("its password was not given"),
                    }
                }
            };
            if !std::mem::replace(&mut reading, true) {
                (self.aid.tell)(Step::Reading);
            }
            // Before other nodes get a password it has to be known that it is right, and soon: they wait for it.
            let others = turn.as_ref().and_then(|turn| turn.undecided());
            let script = if others.is_some() { &[][..] } else { self.script };
            match self.attempt(&secret, script) {
                Ok(Tried::Wrong) => wrong += 1,
                Ok(Tried::Refused(why)) => return self.without(why),
                Err(error) => return Settled::Lost(error),
                Ok(Tried::Ran(output, nonce)) => {
                    let (Some(turn), Some(others)) = (turn.take(), others) else { return Settled::Ran(output, nonce) };
                    (self.aid.tell)(Step::Asking);
                    let question =
                        Question::Reuse { purpose: Purpose::Sudo, user: self.user.to_owned(), at: None, others };
                    let same = matches!(self.aid.ask.ask(&question), Answer::Yes);
                    turn.decide(same.then_some(&secret));
                    reading = false;
                    known = Some(secret);
                }
            }
        }
        self.without("the password was refused 3 times (after several wrong ones an account may be locked for a while)")
    }

    fn question(&self, again: bool) -> Question {
        Question::SudoPassword { node: self.node.to_owned(), user: self.user.to_owned(), again }
    }

    fn without(&self, why: &str) -> Settled {
        Settled::Without(format!("sudo does not help {}: {why}. {}", self.user, self.otherwise))
    }

    fn attempt(&mut self, password: &Secret, script: &[u8]) -> Result<Tried, ChannelError> {
        let (nonce, marks) = (super::random()?, super::marks()?);
        let Some(mut gate) = Gate::new(&marks, password, script) else {
            return Ok(Tried::Refused("a password with a line feed cannot be given to it. Change it on the node"));
        };
        let command = collector::command_with_password(&nonce, &marks);
        let hear = |bytes: &[u8]| (self.hear)(&nonce, bytes);
        let output = self.channel.converse(&command, &mut Overheard { inner: &mut gate, hear: &hear }, self.limits)?;
        if gate.stand() == Stand::Open {
            return Ok(Tried::Ran(output, nonce));
        }
        if let Some(reason) = output.cut {
            return Err(ChannelError::new(
                reason,
                "sudo on the node did not answer to its end. The node may wait for its name or directory service: try again with a longer --timeout",
            ));
        }
        Ok(judge(gate.stand(), &output.stderr))
    }
}

/// What it means that sudo ended and no shell was there.
fn judge(stand: Stand, said: &[u8]) -> Tried {
    let heard = Heard::of(said);
    match stand {
        _ if heard.expired() => Tried::Refused("the account or its password has expired. Log in to the node and change it"),
        Stand::Refused => Tried::Wrong,
        Stand::Sent if heard.says(&["incorrect password", "incorrect authentication", "authentication failed"]) => Tried::Wrong,
        _ => Tried::Refused(heard.why().unwrap_or(match stand {
            Stand::Sent => {
                "it took the password and then started no shell. Look what its rules allow (sudo -l): the program needs `sh -c` as root"
            }
            _ => {
                "it neither asked for a password nor started a shell. Look what its rules allow (sudo -l), and into the node's journal"
            }
        })),
    }
}

/// Why a password would not help, where sudo's words say so before one was asked for.
fn hopeless(said: &[u8]) -> Option<&'static str> {
    let heard = Heard::of(said);
    heard.why()
}

/// sudo's words, in lower case.
struct Heard(String);

impl Heard {
    fn of(said: &[u8]) -> Self {
        let said = said.get(..said.len().min(16 << 10)).unwrap_or_default();
        Heard(String::from_utf8_lossy(said).to_lowercase())
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.0.contains(word))
    }

    fn expired(&self) -> bool {
        self.says(&["password is expired", "password has expired", "account has expired", "password expired"])
    }

    /// What sudo objects to, as a clause with what to do; in English only, which it is asked to speak.
    fn why(&self) -> Option<&'static str> {
        let told: [(&[&str], &str); 8] = [
            (
                &["must have a tty", "no tty present"],
                "it works only from a terminal there (requiretty). Put `Defaults:USER !requiretty` into its rules, or log in as root",
            ),
            (
                &["not in the sudoers", "may not run sudo", "not allowed to run sudo"],
                "it allows this user nothing. Log in as a user who may, or as root",
            ),
            (
                &["not allowed to execute", "is not allowed to run"],
                "its rules do not allow this user `sh -c` as root. Allow `/bin/sh` without arguments named, or log in as root",
            ),
            // sudo-rs, which says no more.
            (
                &["i'm afraid i can't do that"],
                "its rules do not allow this user `sh -c` as root, or nothing at all. Log in as a user who may, or as root",
            ),
            (
                &["account validation failure", "account is locked", "account locked"],
                "the account is locked. Unlock it on the node (faillock --user USER --reset), or wait",
            ),
            (&["no new privileges"], "this login may not gain rights (no_new_privs). Log in by another way"),
            (
                &["unknown option", "invalid option", "unrecognized option", "unexpected argument", "usage:"],
                "it does not know the options -k, -S and -p. Log in as root, or allow this user `sh` without a password",
            ),
            (
                &["effective uid is not 0", "must be owned by uid 0", "must be setuid"],
                "it is not installed with root's rights. Mend it on the node, or log in as root",
            ),
        ];
        told.into_iter().find(|(words, _)| self.says(words)).map(|(_, why)| why)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn refused(stand: Stand, said: &str) -> &'static str {
        match judge(stand, said.as_bytes()) {
            Tried::Refused(why) => why,
            _ => panic!("{said}"),
        }
    }

    #[test]
    fn a_wrong_password_is_told_from_a_rule() {
        assert!(matches!(judge(Stand::Refused, b"Sorry, try again."), Tried::Wrong));
        assert!(matches!(judge(Stand::Sent, b"sudo: 1 incorrect password attempt"), Tried::Wrong));
        assert!(refused(Stand::Sent, "ana is not in the sudoers file.").contains("allows this user nothing"));
        assert!(
            refused(Stand::Sent, "Sorry, user ana is not allowed to execute '/usr/bin/sh -c ...' as root on n1.")
                .contains("`sh -c`")
        );
        assert!(refused(Stand::Sent, "Leider nein.").contains("sudo -l"), "in a language that is not known");
        assert!(refused(Stand::Waiting, "").contains("neither asked"));
    }

    /// Recorded from sudo-rs 0.2.15 on Debian 12.
    #[test]
    fn sudo_rs_is_understood() {
        let wrong = "[sudo: [aa.bb] ] Password: \nsudo: Authentication failed, try again.\n[sudo: [aa.bb] ] Password: \n\
                     sudo: Authentication required but not attempted\n";
        assert!(matches!(judge(Stand::Refused, wrong.as_bytes()), Tried::Wrong));
        assert!(hopeless(b"sudo: interactive authentication is required\n").is_none());
        assert!(hopeless(b"sudo: I'm sorry guest. I'm afraid I can't do that\n").unwrap().contains("`sh -c`"));
    }

    #[test]
    fn only_what_a_password_cannot_mend_is_hopeless() {
        assert!(hopeless(b"sudo: sorry, you must have a tty to run sudo").unwrap().contains("requiretty"));
        assert!(hopeless(b"sudo: I'm sorry ana. I'm afraid I can't do that").is_some());
        assert!(hopeless(b"sudo: a password is required").is_none());
        assert!(hopeless(b"sudo: interactive authentication is required").is_none());
        assert!(hopeless("sudo: se requiere una contrase\u{f1}a".as_bytes()).is_none());
    }
}
