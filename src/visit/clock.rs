//! How long a node has been worked on, without the time in which a person was asked.

use crate::channel::{Answer, Ask, Question};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The clock of one node.
#[derive(Debug)]
pub(super) struct Clock {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    started: Instant,
    asked: Duration,
    asking: Option<Instant>,
    given_up: bool,
}

impl Clock {
    /// A clock that runs from now on.
    pub(super) fn start() -> Self {
        Clock {
            state: Mutex::new(State { started: Instant::now(), asked: Duration::ZERO, asking: None, given_up: false }),
        }
    }

    /// Time worked on the node so far.
    pub(super) fn worked(&self) -> Duration {
        let state = self.lock();
        let waiting = state.asking.map_or(Duration::ZERO, |since| since.elapsed());
        state.started.elapsed().saturating_sub(state.asked).saturating_sub(waiting)
    }

    /// From now on nobody is asked on behalf of this node.
    pub(super) fn give_up(&self) {
        self.lock().given_up = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks on behalf of one node and holds its clock meanwhile.
pub(super) struct ClockedAsk {
    /// Who answers.
    pub(super) inner: Arc<dyn Ask>,
    /// The node's clock.
    pub(super) clock: Arc<Clock>,
}

impl Ask for ClockedAsk {
    fn ask(&self, question: &Question) -> Answer {
        {
            let mut state = self.clock.lock();
            if state.given_up {
                return Answer::Nobody;
            }
            state.asking = Some(Instant::now());
        }
        let answer = self.inner.ask(question);
        let mut state = self.clock.lock();
        if let Some(since) = state.asking.take() {
            state.asked += since.elapsed();
        }
        answer
    }
}
