//! Questions of workers: may this host key be accepted, what is this passphrase or password.

use super::super::app::{App, Asked};
use super::super::keys::Action;
use super::super::msg::{AnswerGiven, Effect, Reply};
use super::super::views;
use super::TYPED;
use crate::channel::{Answer, Question, Secret};

/// A worker asks. It waits for its answer for as long as the person thinks; other nodes go on.
pub(super) fn asked(app: &mut App, question: Question, reply: Reply) -> Vec<Effect> {
    // Room for all that can be typed, so that a growing passphrase leaves no copies behind.
    let typed = Secret::new(String::with_capacity(TYPED * 4));
    app.asked.push_back(Asked { question, reply, typed, hint: None });
    Vec::new()
}

/// A key in a question.
pub(super) fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let readable = views::question_fits(app.size);
    let Some(asked) = app.asked.front_mut() else { return Vec::new() };
    let answer = match (action, &asked.question) {
        (Action::Back, _) => Answer::No,
        // Nobody accepts what could not be read whole.
        (Action::Open, _) if !readable => return Vec::new(),
        // A habit of pressing Enter must not accept a key: the word has to be typed.
        (Action::Open, Question::HostKey { .. } | Question::Reuse { .. }) if asked.typed.trim() == "yes" => Answer::Yes,
        (Action::Open, Question::HostKey { .. }) => {
            asked.hint = Some("Not accepted. Type yes, or Esc:");
            return Vec::new();
        }
        (Action::Open, Question::Reuse { .. }) => {
            asked.hint = Some("Not used. Type yes, or Esc:");
            return Vec::new();
        }
        // What a node asks by itself may well be answered with nothing.
        (Action::Open, question) if asked.typed.is_empty() && !matches!(question, Question::Prompt { .. }) => {
            asked.hint = Some("Nothing typed. Type it, or Esc:");
            return Vec::new();
        }
        (Action::Open, _) => Answer::Secret(std::mem::take(&mut asked.typed)),
        _ => return Vec::new(),
    };
    match app.asked.pop_front() {
        Some(asked) => vec![Effect::Answer(asked.reply, AnswerGiven(answer))],
        None => Vec::new(),
    }
}
