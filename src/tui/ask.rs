//! Workers' questions, carried to the screens.

use super::msg::{Msg, Reply};
use crate::channel::{Answer, Ask, Question};
use std::sync::mpsc::{Sender, sync_channel};

/// Asks the person at the screens. When the screens are gone, there is nobody.
#[derive(Debug, Clone)]
pub(super) struct AskScreens(pub(super) Sender<Msg>);

impl Ask for AskScreens {
    fn ask(&self, question: &Question) -> Answer {
        let (reply, answer) = sync_channel(1);
        match self.0.send(Msg::Question(question.clone(), Reply(reply))) {
            Ok(()) => answer.recv().unwrap_or(Answer::Nobody),
            Err(_) => Answer::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;

    fn question() -> Question {
        Question::Passphrase { node: "edge1".to_owned(), file: "/k".to_owned(), again: false }
    }

    #[test]
    fn an_answer_reaches_who_asked_and_a_dropped_question_is_nobody() {
        let (send, receive) = channel();
        let asker =
            thread::spawn(move || (AskScreens(send.clone()).ask(&question()), AskScreens(send).ask(&question())));
        let Ok(Msg::Question(asked, reply)) = receive.recv() else { panic!("nothing was asked") };
        assert_eq!(asked, question());
        reply.0.send(Answer::Yes).unwrap();
        let second = receive.recv().unwrap();
        drop(second);
        let (first, second) = asker.join().unwrap();
        assert!(matches!(first, Answer::Yes) && matches!(second, Answer::Nobody));
    }

    #[test]
    fn without_screens_there_is_nobody() {
        let (send, receive) = channel();
        drop(receive);
        assert!(matches!(AskScreens(send).ask(&question()), Answer::Nobody));
    }
}
