//! The same work for every node of a large site, on all cores; the answers are in the order of the nodes.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{Builder, available_parallelism, scope};

/// Nodes from which on a further thread is worth its start.
const ALONE: usize = 32;
/// Stack of a thread: evaluation recurses as deep as a condition may nest.
const STACK: usize = 8 << 20;

/// What `work` gives for each item. Where no thread can be started, this one does it all.
pub(super) fn of_each<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let helpers = cores.min(items.len() / ALONE).saturating_sub(1);
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        while let number = next.fetch_add(1, Relaxed)
            && let Some(item) = items.get(number)
        {
            done.push((number, work(item)));
        }
        done
    };
    let mut all = scope(|scope| {
        let start = |_| Builder::new().stack_size(STACK).spawn_scoped(scope, share).ok();
        let helpers: Vec<_> = (0..helpers).filter_map(start).collect();
        let mut all = share();
        for helper in helpers {
            match helper.join() {
                Ok(done) => all.extend(done),
                // It had a share of the nodes: without its answers there is no assessment.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_in_the_order_of_the_items_however_many_there_are() {
        for count in [0, 1, ALONE * 2, ALONE * 40 + 7] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(of_each(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
