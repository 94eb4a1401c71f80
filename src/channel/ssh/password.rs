//! Logging in with what a person types: a password, or answers to what the node asks (keyboard-interactive).

use super::asker::Asker;
use super::wire::{Stop, Wire};
use super::{Login, SshOptions};
use crate::channel::{Answer, Purpose, Question, Secret, Turn};
use ssh2::{KeyboardInteractivePrompt, Prompt};
use std::cell::Cell;

/// Times that a person is asked in one login.
const TRIES: usize = 3;

/// Prompts of a node that are shown in one attempt; a node that asks more is not answered.
const PROMPTS: usize = 8;

/// Characters of a node's prompt that are shown.
const LONGEST_PROMPT: usize = 160;

/// libssh2's `LIBSSH2_ERROR_PASSWORD_EXPIRED`.
const EXPIRED: i32 = -15;

/// What came of asking.
pub(super) enum Taken {
    /// The login stands.
    LoggedIn,
    /// The node took the password and wants something else besides: these methods.
    WantsMore(Vec<String>),
    /// Nothing came of it; a clause that says why.
    No(String),
    /// There is nobody to ask.
    Nobody,
}

/// One login by what a person types.
pub(super) struct Typed<'a> {
    pub(super) wire: &'a Wire,
    pub(super) login: &'a Login<'a>,
    pub(super) user: &'a str,
    pub(super) options: &'a SshOptions,
    pub(super) asker: &'a Asker<'a>,
    /// How many passwords or answers were sent.
    pub(super) sent: Cell<usize>,
}

/// What the node says to one password.
enum Said {
    In,
    No,
    MustChange,
}

impl Typed<'_> {
    /// By password. `left`: which methods the node offers now; asked once, since asking counts as an attempt.
    pub(super) fn password(&self, left: impl Fn() -> Result<Vec<String>, Stop>) -> Result<Taken, Stop> {
        let mut turn = self.wire.paused(|| self.asker.turn(&self.options.passwords, self.user));
        let to = format!("{}@{}:{}", self.user, self.login.host, self.login.port);
        let mut refused = 0;
        let mut known = turn.take_known();
        while refused < TRIES {
            let secret = match known.take().or_else(|| self.asker.take_unsent(&to)) {
                Some(secret) => secret,
                None => match self.ask(&self.question(refused > 0)) {
                    Answer::Secret(secret) => secret,
                    Answer::Nobody => return Ok(Taken::Nobody),
                    Answer::Yes | Answer::No => return Ok(Taken::No("no password was given".to_owned())),
                },
            };
            if self.wire.is_closed_by_peer() {
                // Thinking took longer than the node waits; the next connection has the answer ready.
                self.asker.keep_unsent(to, secret);
                return Err(Stop::Failed(-13, String::new()));
            }
            // If the node hangs up from here on, that is its answer.
            self.asker.take_asked();
            match self.send(&secret)? {
                Said::In => {
                    self.share(turn, &secret);
                    return Ok(Taken::LoggedIn);
                }
                Said::MustChange => {
                    return Ok(Taken::No(format!(
                        "the password of {} has expired: change it at the node's console, or by logging in there with ssh, then try again",
                        self.user
                    )));
                }
                Said::No => refused += 1,
            }
            if refused == 1 {
                let left = left()?;
                if !left.is_empty() && !left.iter().any(|method| method == "password") {
                    return Ok(Taken::WantsMore(left));
                }
            }
        }
        Ok(Taken::No(format!(
            "the password was refused {TRIES} times (after several wrong ones an account may be locked for a while)"
        )))
    }

    fn question(&self, again: bool) -> Question {
        Question::Password { node: self.login.node.to_owned(), user: self.user.to_owned(), again }
    }

    fn ask(&self, question: &Question) -> Answer {
        self.wire.paused(|| self.asker.ask(question))
    }

    fn send(&self, secret: &Secret) -> Result<Said, Stop> {
        self.sent.set(self.sent.get() + 1);
        match self.wire.drive(|session| session.userauth_password(self.user, secret)) {
            Ok(()) => Ok(Said::In),
            Err(stop) if stop.is_link_lost() => Err(stop),
            Err(Stop::Failed(EXPIRED, _)) => Ok(Said::MustChange),
            Err(Stop::Failed(-18, _)) => Ok(Said::No),
            Err(stop) => Err(stop),
        }
    }

    /// Asks whether the other nodes may have the password too, where that is still open.
    fn share(&self, turn: Turn<'_>, secret: &Secret) {
        let Some(others) = turn.undecided() else { return };
        let question = Question::Reuse {
            purpose: Purpose::Login,
            user: self.user.to_owned(),
            at: self.options.passwords.only_at().map(str::to_owned),
            others,
        };
        let same = matches!(self.ask(&question), Answer::Yes);
        turn.decide(same.then_some(secret));
    }

    /// By answers to what the node asks.
    pub(super) fn interactive(&self) -> Result<Taken, Stop> {
        for number in 0..TRIES {
            let mut prompter = Prompter { typed: self, again: number > 0, shown: 0, end: None };
            let ended = self.wire.drive(|session| session.userauth_keyboard_interactive(self.user, &mut prompter));
            match (prompter.end, ended) {
                (_, Ok(())) => return Ok(Taken::LoggedIn),
                (Some(end), _) => return Ok(end),
                (None, Err(Stop::Failed(-18, _))) if prompter.shown == 0 => {
                    return Ok(Taken::No("it asked for nothing and refused".to_owned()));
                }
                (None, Err(Stop::Failed(-18, _))) => {}
                (None, Err(stop)) => return Err(stop),
            }
        }
        Ok(Taken::No(format!(
            "the answers were refused {TRIES} times (after several wrong ones an account may be locked for a while)"
        )))
    }
}

/// Answers the prompts of one attempt.
struct Prompter<'a> {
    typed: &'a Typed<'a>,
    again: bool,
    shown: usize,
    end: Option<Taken>,
}

impl Prompter<'_> {
    /// One answer. None ends the attempt.
    fn answer(&mut self, instructions: &str, prompt: &Prompt<'_>) -> Option<String> {
        let typed = self.typed;
        let text = one_line(&format!("{instructions} {}", prompt.text));
        if wants_new_password(&text) {
            self.end = Some(Taken::No(format!(
                "the password of {} has expired and the node wants a new one: change it at the node's console, or by logging in there with ssh, then try again",
                typed.user
            )));
            return None;
        }
        self.shown += 1;
        if self.shown > PROMPTS {
            self.end = Some(Taken::No(format!("it asked for more than {PROMPTS} answers")));
            return None;
        }
        let question = Question::Prompt {
            node: typed.login.node.to_owned(),
            user: typed.user.to_owned(),
            text,
            echo: prompt.echo,
            again: self.again,
        };
        let secret = match typed.ask(&question) {
            Answer::Secret(secret) => secret,
            Answer::Nobody => {
                self.end = Some(Taken::Nobody);
                return None;
            }
            Answer::Yes | Answer::No => {
                self.end = Some(Taken::No("its question was not answered".to_owned()));
                return None;
            }
        };
        // If the node hangs up from here on, that is its answer, not because a person took long.
        if !typed.wire.is_closed_by_peer() {
            typed.asker.take_asked();
        }
        typed.sent.set(typed.sent.get() + 1);
        // The library wants its own copy, which it does not overwrite.
        Some(secret.as_str().to_owned())
    }
}

impl KeyboardInteractivePrompt for Prompter<'_> {
    fn prompt<'p>(&mut self, _user: &str, instructions: &str, prompts: &[Prompt<'p>]) -> Vec<String> {
        let mut answers = Vec::new();
        for prompt in prompts {
            let answer = if self.end.is_none() { self.answer(instructions, prompt) } else { None };
            let Some(answer) = answer else {
                // An empty answer would count as a wrong one; a connection that ends does not.
                self.typed.wire.close();
                return Vec::new();
            };
            answers.push(answer);
        }
        answers
    }
}

/// Whether a prompt is about choosing a new password.
fn wants_new_password(text: &str) -> bool {
    let text = text.to_lowercase();
    ["new password", "new unix password", "change your password", "retype", "password change"]
        .iter()
        .any(|words| text.contains(words))
}

/// A node's words on one line, bounded, without characters that move the cursor or turn the text around.
fn one_line(text: &str) -> String {
    let plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String =
        text.chars().take(4096).map(|c| if c.is_control() { ' ' } else { c }).filter(|c| plain(*c)).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_PROMPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_of_a_node_is_one_plain_bounded_line() {
        assert_eq!(one_line(" \x1b[2J\r\nPassword:\u{202e}\u{61c} \t for\u{7} you "), "[2J Password: for you");
        assert_eq!(one_line(&"x".repeat(10_000)).len(), LONGEST_PROMPT);
    }

    #[test]
    fn a_new_password_is_not_given() {
        assert!(wants_new_password("You are required to change your password immediately. Current password:"));
        assert!(wants_new_password("New password:") && wants_new_password("Retype new password:"));
        assert!(!wants_new_password("Password:") && !wants_new_password("Verification code:"));
    }
}
