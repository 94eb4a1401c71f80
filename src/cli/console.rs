//! Standard error while a site is read: progress lines, held back while a person is being asked something.

use crate::channel::{Answer, Ask, Question};
use crate::evidence::ProbeError;
use crate::report::clean;
use crate::visit::Progress;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// The lines, and whether they may be written now.
pub(super) struct Console {
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    asking: bool,
    held: Vec<String>,
}

impl Console {
    /// A console that writes to `out`.
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Console { state: Mutex::new(State { out, asking: false, held: Vec::new() }) }
    }

    /// One line about a target; after the question, where one is open.
    pub(super) fn tell(&self, progress: &Progress) {
        self.say(&line(progress));
    }

    /// One line that is clean already; after the question, where one is open.
    pub(super) fn say(&self, line: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.asking {
            state.held.push(line.to_owned());
        } else {
            // Progress that cannot be written is no reason to stop reading nodes.
            let _ = writeln!(state.out, "{line}");
        }
    }

    fn hold(&self, asking: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asking = asking;
        if !asking {
            for line in std::mem::take(&mut state.held) {
                let _ = writeln!(state.out, "{line}");
            }
        }
    }
}

fn line(progress: &Progress) -> String {
    match progress {
        Progress::Connecting { node } => format!("{}: connecting", clean(node)),
        Progress::Collecting { node } => format!("{}: reading", clean(node)),
        Progress::Asking { node } => format!("{}: sudo wants a password", clean(node)),
        Progress::Warning { node, message } => format!("{}: {}", clean(node), clean(message)),
        Progress::Done(node) => {
            let how = how(node.reached, node.complete, &node.errors);
            format!("{}: {how}", clean(&node.name))
        }
        Progress::Cluster { step } => format!("cluster: {}", clean(step)),
        Progress::ClusterDone(cluster) => {
            format!("cluster: {}", how(cluster.reached, cluster.complete, &cluster.errors))
        }
        Progress::Endpoints { ports } => format!("endpoints: looking at {ports} ports"),
        Progress::EndpointsDone(seen) => format!("endpoints: {} ports looked at", seen.len()),
    }
}

/// How reading a target ended.
fn how(reached: bool, complete: bool, errors: &[ProbeError]) -> String {
    let how = match (reached, complete) {
        (true, true) => "read",
        (true, false) => "read in part",
        (false, _) => "not reached",
    };
    let why = errors.first().map_or(String::new(), |error| format!(": {}", error.message));
    format!("{how}{}", clean(&why))
}

/// Asks one question at a time and holds the progress lines back meanwhile.
pub(super) struct OneAtATime<A> {
    inner: A,
    console: Arc<Console>,
    turn: Mutex<()>,
}

impl<A: Ask> OneAtATime<A> {
    /// Questions for `inner`, lines of `console`.
    pub(super) fn new(inner: A, console: Arc<Console>) -> Self {
        OneAtATime { inner, console, turn: Mutex::new(()) }
    }
}

impl<A: Ask> Ask for OneAtATime<A> {
    fn ask(&self, question: &Question) -> Answer {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.console.hold(true);
        let answer = self.inner.ask(question);
        self.console.hold(false);
        answer
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Person(Arc<Console>, Shared);

    impl Ask for Person {
        fn ask(&self, _question: &Question) -> Answer {
            self.0.tell(&Progress::Connecting { node: "other".to_owned() });
            assert!(self.1.0.lock().unwrap().is_empty(), "a line came into the question");
            Answer::No
        }
    }

    #[test]
    fn no_line_comes_between_a_question_and_its_answer() {
        let shown = Shared::default();
        let console = Arc::new(Console::new(Box::new(shown.clone())));
        let ask = OneAtATime::new(Person(Arc::clone(&console), shown.clone()), Arc::clone(&console));
        ask.ask(&Question::Passphrase { node: "n".to_owned(), file: "key".to_owned(), again: false });
        assert_eq!(String::from_utf8(shown.0.lock().unwrap().clone()).unwrap(), "other: connecting\n");
    }
}
