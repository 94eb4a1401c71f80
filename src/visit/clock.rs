//! How long a node has been worked on, without the time in which a person was asked.

use crate::channel::{Answer, Ask, Question};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long questions have stood open. While one does, other logins may wait for its answer as well: a passphrase is
/// asked for once and serves many nodes.
#[derive(Debug, Default)]
pub(super) struct Questions {
    state: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    number: usize,
    since: Option<Instant>,
    before: Duration,
}

impl Questions {
    /// Time for which at least one question stood open, until now.
    fn paused(&self) -> Duration {
        let open = lock(&self.state);
        open.before + open.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn open(&self) {
        let mut open = lock(&self.state);
        open.number += 1;
        open.since.get_or_insert_with(Instant::now);
    }

    fn close(&self) {
        let mut open = lock(&self.state);
        open.number = open.number.saturating_sub(1);
        if open.number == 0
            && let Some(since) = open.since.take()
        {
            open.before += since.elapsed();
        }
    }
}

/// The clock of one node. Until its login stands, and while it waits for a password, it rests while any question is open.
#[derive(Debug)]
pub(super) struct Clock {
    questions: Arc<Questions>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    started: Instant,
    paused_at_start: Duration,
    before: Duration,
    connecting: bool,
    given_up: bool,
}

impl Clock {
    /// A clock that runs from now on.
    pub(super) fn start(questions: &Arc<Questions>) -> Self {
        let state = State {
            started: Instant::now(),
            paused_at_start: questions.paused(),
            before: Duration::ZERO,
            connecting: true,
            given_up: false,
        };
        Clock { questions: Arc::clone(questions), state: Mutex::new(state) }
    }

    /// Time worked on the node so far.
    pub(super) fn worked(&self) -> Duration {
        self.so_far(&lock(&self.state))
    }

    fn so_far(&self, state: &State) -> Duration {
        let rested = if state.connecting {
            self.questions.paused().saturating_sub(state.paused_at_start)
        } else {
            Duration::ZERO
        };
        state.before + state.started.elapsed().saturating_sub(rested)
    }

    /// The login stands: from now on nobody's question holds this node up.
    pub(super) fn connected(&self) {
        let mut state = lock(&self.state);
        state.before = self.so_far(&state);
        state.started = Instant::now();
        state.connecting = false;
    }

    /// The node waits for an answer of a person again, its own or one that another node asked for.
    pub(super) fn asking(&self) {
        let mut state = lock(&self.state);
        state.before = self.so_far(&state);
        state.started = Instant::now();
        state.paused_at_start = self.questions.paused();
        state.connecting = true;
    }

    /// From now on nobody is asked on behalf of this node.
    pub(super) fn give_up(&self) {
        lock(&self.state).given_up = true;
    }

    fn begin_anew(&self) {
        let mut state = lock(&self.state);
        state.before = Duration::ZERO;
        state.started = Instant::now();
        state.paused_at_start = self.questions.paused();
    }
}

/// Asks on behalf of one node. Its clock begins anew with the answer: a node may have dropped the login meanwhile, which
/// is then made once more.
pub(super) struct ClockedAsk {
    /// Who answers.
    pub(super) inner: Arc<dyn Ask>,
    /// The node's clock.
    pub(super) clock: Arc<Clock>,
}

impl Ask for ClockedAsk {
    fn ask(&self, question: &Question) -> Answer {
        if lock(&self.clock.state).given_up {
            return Answer::Nobody;
        }
        let open = OpenQuestion::of(&self.clock);
        let answer = self.inner.ask(question);
        drop(open);
        answer
    }
}

/// Closes the question even where asking panics; else every clock would rest for ever.
struct OpenQuestion<'a>(&'a Clock);

impl<'a> OpenQuestion<'a> {
    fn of(clock: &'a Clock) -> Self {
        clock.questions.open();
        OpenQuestion(clock)
    }
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.0.questions.close();
        self.0.begin_anew();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
