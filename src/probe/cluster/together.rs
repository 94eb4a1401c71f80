//! Several requests under way at once, not more than a few: on a slow link a round trip takes a second, and an API server
//! at an edge site is small.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Work that gives nothing but what it notes by itself.
pub(super) type Job<'j> = Pin<Box<dyn Future<Output = ()> + 'j>>;

/// Runs all jobs, at most `at_once` of them at a time, in their order. Dropping it ends those that are under way.
pub(super) async fn together(jobs: Vec<Job<'_>>, at_once: usize) {
    let mut waiting = VecDeque::from(jobs);
    let mut running: Vec<Job<'_>> = Vec::new();
    poll_fn(move |context| {
        loop {
            while running.len() < at_once.max(1)
                && let Some(job) = waiting.pop_front()
            {
                running.push(job);
            }
            let before = running.len();
            running.retain_mut(|job| job.as_mut().poll(context).is_pending());
            if running.is_empty() && waiting.is_empty() {
                return Poll::Ready(());
            }
            // Where one ended another may begin, which has to be polled once to be woken later.
            if running.len() == before || waiting.is_empty() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::cell::{Cell, RefCell};

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn all_run_and_never_more_than_allowed() {
        let (now, most, done) = (Cell::new(0), Cell::new(0), RefCell::new(Vec::new()));
        let job = |number: usize| -> Job<'_> {
            let (now, most, done) = (&now, &most, &done);
            Box::pin(async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                for _ in 0..number % 4 {
                    tokio::task::yield_now().await;
                }
                now.set(now.get() - 1);
                done.borrow_mut().push(number);
            })
        };
        run(together((0..50).map(job).collect(), 3));
        assert_eq!(most.get(), 3);
        let mut done = done.into_inner();
        done.sort_unstable();
        assert_eq!(done, (0..50).collect::<Vec<_>>());
        run(together(Vec::new(), 3));
    }
}
