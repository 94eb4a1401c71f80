//! Worker threads: one a node, a bounded number at once, each with a deadline, none of them ever joined.

use super::clock::{Clock, ClockedAsk, Questions};
use super::{Progress, read};
use crate::channel::Ask;
use crate::evidence::{NodeEvidence, Reason};
use crate::site::NodeTarget;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How soon the clocks are looked at again while a person is being asked.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What a worker says: of which target, and what. None: it ended without an answer.
type Word = (usize, Option<Progress>);

/// Reads every target with `read`, which must tell [`Progress::Done`] once, and gives the nodes in the targets' order.
/// A worker that has not done so within `budget` of its start, or that panics, leaves an unread node. `progress` hears
/// one call at a time, on this thread.
pub(super) fn read_all<R>(
    targets: &[NodeTarget],
    jobs: usize,
    budget: Duration,
    ask: &Arc<dyn Ask>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    read: Arc<R>,
) -> Vec<NodeEvidence>
where
    R: Fn(&NodeTarget, &dyn Ask, &dyn Fn(Progress)) + Send + Sync + 'static,
{
    let (sender, words) = mpsc::channel::<Word>();
    let questions = Arc::new(Questions::default());
    let mut waiting = targets.iter().enumerate();
    let mut running: BTreeMap<usize, Arc<Clock>> = BTreeMap::new();
    let mut done: Vec<Option<NodeEvidence>> = targets.iter().map(|_| None).collect();
    loop {
        while running.len() < jobs.max(1)
            && let Some((number, target)) = waiting.next()
        {
            match start(number, target, Clock::start(&questions), ask, &read, &sender) {
                Ok(clock) => {
                    running.insert(number, clock);
                }
                Err(_) => finish(&mut done, number, target, no_thread(target), progress),
            }
        }
        if running.is_empty() {
            break;
        }
        // Words that have come are heard before any clock is looked at: a node that answered in time has answered.
        let word = match words.try_recv() {
            Ok(word) => Some(word),
            Err(_) => {
                let late: Vec<usize> =
                    running.iter().filter(|(_, clock)| clock.worked() >= budget).map(|(number, _)| *number).collect();
                for number in &late {
                    if let Some(clock) = running.remove(number) {
                        clock.give_up();
                    }
                    let target = &targets[*number];
                    finish(&mut done, *number, target, late_node(target, budget), progress);
                }
                if !late.is_empty() {
                    continue;
                }
                words.recv_timeout(next_look(&running, budget)).ok()
            }
        };
        let Some((number, said)) = word else { continue };
        if !running.contains_key(&number) {
            continue;
        }
        match said {
            Some(Progress::Done(node)) => {
                running.remove(&number);
                finish(&mut done, number, &targets[number], *node, progress);
            }
            Some(step) => progress(step),
            None => {
                running.remove(&number);
                finish(&mut done, number, &targets[number], broke(&targets[number]), progress);
            }
        }
    }
    done.into_iter().flatten().collect()
}

/// Starts the worker of one target.
fn start<R>(
    number: usize,
    target: &NodeTarget,
    clock: Clock,
    ask: &Arc<dyn Ask>,
    read: &Arc<R>,
    sender: &mpsc::Sender<Word>,
) -> std::io::Result<Arc<Clock>>
where
    R: Fn(&NodeTarget, &dyn Ask, &dyn Fn(Progress)) + Send + Sync + 'static,
{
    let clock = Arc::new(clock);
    let own_clock = Arc::clone(&clock);
    let asking = ClockedAsk { inner: Arc::clone(ask), clock: Arc::clone(&clock) };
    let (target, read, sender) = (target.clone(), Arc::clone(read), sender.clone());
    std::thread::Builder::new().name(format!("node {number}")).spawn(move || {
        let tell = |step| {
            match step {
                Progress::Collecting { .. } => own_clock.connected(),
                Progress::Asking { .. } => own_clock.asking(),
                _ => {}
            }
            // Nobody listens any more once the scan has ended without this node.
            let _ = sender.send((number, Some(step)));
        };
        let _ = catch_unwind(AssertUnwindSafe(|| read(&target, &asking, &tell)));
        // After a `Done` this word is not heard; without one, it says that there will be none.
        let _ = sender.send((number, None));
    })?;
    Ok(clock)
}

/// How long to wait for a word before the clocks are looked at again.
fn next_look(running: &BTreeMap<usize, Arc<Clock>>, budget: Duration) -> Duration {
    running
        .values()
        .map(|clock| budget.saturating_sub(clock.worked()))
        .min()
        .unwrap_or(LOOK_AGAIN)
        .clamp(Duration::from_millis(1), Duration::from_secs(3600))
        .max(LOOK_AGAIN.min(budget))
}

fn finish(
    done: &mut [Option<NodeEvidence>],
    number: usize,
    target: &NodeTarget,
    mut node: NodeEvidence,
    progress: &(dyn Fn(Progress) + Send + Sync),
) {
    node.kubernetes_name.clone_from(&target.kubernetes);
    progress(Progress::Done(Box::new(node.clone())));
    if let Some(place) = done.get_mut(number) {
        *place = Some(node);
    }
}

fn unread(target: &NodeTarget, reason: Reason, message: &str) -> NodeEvidence {
    NodeEvidence::unread(&target.name, read::address(target), read::channel_kind(target), reason, message)
}

fn late_node(target: &NodeTarget, budget: Duration) -> NodeEvidence {
    unread(
        target,
        Reason::Timeout,
        &format!(
            "The node gave no whole answer within {} seconds and was left alone. See whether it is overloaded or the \
             link is slow, then try again with a longer --timeout.",
            budget.as_secs()
        ),
    )
}

fn broke(target: &NodeTarget) -> NodeEvidence {
    unread(
        target,
        Reason::Malformed,
        "This program failed while it read the node, which is a defect of the program. Nothing is known of the node; \
         read it again, and report what was printed if it happens again.",
    )
}

fn no_thread(target: &NodeTarget) -> NodeEvidence {
    unread(
        target,
        Reason::Unsupported,
        "This machine could not start another thread, so the node was not read. Try again with fewer --jobs.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::channel::{Answer, NobodyToAsk, Question};
    use crate::evidence::ChannelKind;
    use crate::site::Way;
    use std::sync::{Condvar, Mutex};

    const LONG: Duration = Duration::from_secs(300);

    fn targets(names: &[&str]) -> Vec<NodeTarget> {
        names.iter().map(|name| NodeTarget::new(*name, Way::Local)).collect()
    }

    fn read_node(target: &NodeTarget) -> Progress {
        let mut node = NodeEvidence::unread(&target.name, None, ChannelKind::Local, Reason::NotVisible, "");
        node.reached = true;
        Progress::Done(Box::new(node))
    }

    fn nobody() -> Arc<dyn Ask> {
        Arc::new(NobodyToAsk)
    }

    #[test]
    fn nodes_come_in_the_order_of_the_targets_whoever_ends_first() {
        let first_may_end = Arc::new((Mutex::new(false), Condvar::new()));
        let gate = Arc::clone(&first_may_end);
        let nodes = read_all(
            &targets(&["slow", "fast"]),
            2,
            LONG,
            &nobody(),
            &|step| {
                if let Progress::Done(node) = step
                    && node.name == "fast"
                {
                    *first_may_end.0.lock().unwrap() = true;
                    first_may_end.1.notify_all();
                }
            },
            Arc::new(move |target: &NodeTarget, _: &dyn Ask, tell: &dyn Fn(Progress)| {
                if target.name == "slow" {
                    let open = gate.0.lock().unwrap();
                    drop(gate.1.wait_while(open, |open| !*open).unwrap());
                }
                tell(read_node(target));
            }),
        );
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["slow", "fast"]);
    }

    #[test]
    fn a_node_that_hangs_is_given_up_and_the_rest_goes_on() {
        let nodes = read_all(
            &targets(&["stuck", "well"]),
            1,
            Duration::from_millis(50),
            &nobody(),
            &|_| {},
            Arc::new(|target: &NodeTarget, _: &dyn Ask, tell: &dyn Fn(Progress)| {
                if target.name == "stuck" {
                    loop {
                        std::thread::park();
                    }
                }
                tell(read_node(target));
            }),
        );
        assert!(!nodes[0].reached);
        assert_eq!(nodes[0].errors[0].reason, Reason::Timeout);
        assert_eq!(nodes[1].name, "well");
        assert!(nodes[1].reached);
    }

    #[test]
    fn no_more_nodes_are_read_at_once_than_was_said() {
        let (now, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
        let names: Vec<String> = (0..50).map(|number| format!("node{number}")).collect();
        let nodes = read_all(
            &targets(&names.iter().map(String::as_str).collect::<Vec<_>>()),
            8,
            LONG,
            &nobody(),
            &|_| {},
            Arc::new(move |target: &NodeTarget, _: &dyn Ask, tell: &dyn Fn(Progress)| {
                let mut running = counted.lock().unwrap();
                *running += 1;
                let mut highest = highest.lock().unwrap();
                *highest = (*highest).max(*running);
                drop((running, highest));
                std::thread::yield_now();
                *counted.lock().unwrap() -= 1;
                tell(read_node(target));
            }),
        );
        assert!(nodes.len() == 50 && nodes.iter().all(|node| node.reached));
        assert!((1..=8).contains(&*most.lock().unwrap()), "{most:?}");
    }

    #[test]
    fn a_worker_that_panics_leaves_an_unread_node() {
        let nodes = read_all(
            &targets(&["bad", "well"]),
            2,
            LONG,
            &nobody(),
            &|_| {},
            Arc::new(|target: &NodeTarget, _: &dyn Ask, tell: &dyn Fn(Progress)| {
                assert!(target.name != "bad", "on purpose");
                tell(read_node(target));
            }),
        );
        assert!(!nodes[0].reached && !nodes[0].complete);
        assert_eq!(nodes[0].errors.len(), 1);
        assert!(nodes[1].reached);
    }

    /// Answers only after longer than a node's whole budget.
    struct Slow(Duration);

    impl Ask for Slow {
        fn ask(&self, _question: &Question) -> Answer {
            let (sender, receiver) = mpsc::channel::<()>();
            let _ = receiver.recv_timeout(self.0);
            drop(sender);
            Answer::Yes
        }
    }

    #[test]
    fn a_person_who_thinks_does_not_cost_the_node_its_deadline() {
        let budget = Duration::from_secs(2);
        let ask: Arc<dyn Ask> = Arc::new(Slow(budget * 2));
        let nodes = read_all(
            &targets(&["asked"]),
            1,
            budget,
            &ask,
            &|_| {},
            Arc::new(|target: &NodeTarget, ask: &dyn Ask, tell: &dyn Fn(Progress)| {
                let question = Question::Passphrase { node: target.name.clone(), file: "key".to_owned(), again: false };
                assert!(matches!(ask.ask(&question), Answer::Yes));
                tell(read_node(target));
            }),
        );
        assert!(nodes[0].reached, "{:?}", nodes[0].errors);
    }

    #[test]
    fn nor_when_sudo_asks_after_the_login_stands() {
        let budget = Duration::from_secs(2);
        let ask: Arc<dyn Ask> = Arc::new(Slow(budget * 2));
        let nodes = read_all(
            &targets(&["asked"]),
            1,
            budget,
            &ask,
            &|_| {},
            Arc::new(|target: &NodeTarget, ask: &dyn Ask, tell: &dyn Fn(Progress)| {
                tell(Progress::Collecting { node: target.name.clone() });
                tell(Progress::Asking { node: target.name.clone() });
                ask.ask(&Question::SudoPassword { node: target.name.clone(), user: "ana".to_owned(), again: false });
                tell(read_node(target));
            }),
        );
        assert!(nodes[0].reached, "{:?}", nodes[0].errors);
    }

    #[test]
    fn nor_another_node_that_waits_for_the_same_answer() {
        let budget = Duration::from_secs(2);
        let ask: Arc<dyn Ask> = Arc::new(Slow(budget * 2));
        let (answered, answer) = mpsc::channel();
        let answer = Mutex::new(answer);
        let nodes = read_all(
            &targets(&["asked", "waits"]),
            2,
            budget,
            &ask,
            &|_| {},
            Arc::new(move |target: &NodeTarget, ask: &dyn Ask, tell: &dyn Fn(Progress)| {
                if target.name == "asked" {
                    ask.ask(&Question::Passphrase { node: String::new(), file: String::new(), again: false });
                    answered.send(()).unwrap();
                } else {
                    answer.lock().unwrap().recv().unwrap();
                }
                tell(read_node(target));
            }),
        );
        assert!(nodes.iter().all(|node| node.reached), "{:?}", nodes[1].errors);
    }

    #[test]
    fn what_a_worker_says_after_its_end_is_not_heard() {
        let heard = Mutex::new(Vec::new());
        read_all(
            &targets(&["a"]),
            1,
            LONG,
            &nobody(),
            &|step| heard.lock().unwrap().push(matches!(step, Progress::Done(_))),
            Arc::new(|target: &NodeTarget, _: &dyn Ask, tell: &dyn Fn(Progress)| {
                tell(Progress::Connecting { node: target.name.clone() });
                tell(read_node(target));
                tell(read_node(target));
                tell(Progress::Collecting { node: target.name.clone() });
            }),
        );
        assert_eq!(*heard.lock().unwrap(), [false, true]);
    }
}
