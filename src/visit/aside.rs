//! Work beside the nodes' threads: on a thread of its own, with a deadline, never joined.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It did not end in time and was left alone.
    Late,
    /// It failed by a defect of this program.
    Broke,
    /// This machine gave no thread.
    NoThread,
}

enum Word<T> {
    Step(String),
    End(T),
}

/// Does `work` and gives its result, or why there is none within `budget`. What it tells goes to `tell`, on the
/// caller's thread, for as long as the result is awaited.
pub(super) fn aside<T: Send + 'static>(
    name: &str,
    budget: Duration,
    tell: &dyn Fn(String),
    work: impl FnOnce(&(dyn Fn(&str) + Send + Sync)) -> T + Send + 'static,
) -> Result<T, Lost> {
    let (send, words) = mpsc::channel();
    let end = Instant::now() + budget;
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let step = |text: &str| {
            // Nobody listens any more once the deadline has passed.
            let _ = send.send(Word::Step(text.to_owned()));
        };
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(&step))) {
            let _ = send.send(Word::End(result));
        }
    });
    if started.is_err() {
        return Err(Lost::NoThread);
    }
    loop {
        match words.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Word::Step(text)) => tell(text),
            Ok(Word::End(result)) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => return Err(Lost::Late),
            Err(RecvTimeoutError::Disconnected) => return Err(Lost::Broke),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use std::cell::RefCell;

    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn what_is_told_comes_before_the_result() {
        let heard = RefCell::new(Vec::new());
        let tell = |text: String| heard.borrow_mut().push(text);
        let result = aside("work", LONG, &tell, |tell| {
            tell("one");
            tell("two");
            3
        });
        assert_eq!((result, heard.into_inner()), (Ok(3), vec!["one".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn what_hangs_is_left_alone_and_what_fails_is_told_apart() {
        let hangs = aside("work", Duration::from_millis(20), &|_| (), |_| {
            loop {
                std::thread::park();
            }
        });
        assert_eq!(hangs, Err::<(), _>(Lost::Late));
        assert_eq!(aside("work", LONG, &|_| (), |_| panic!("on purpose")), Err::<(), _>(Lost::Broke));
    }
}
