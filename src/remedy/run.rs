//! Carrying out what was confirmed, and nothing else: journal, apply on the node, prove by a second login, disarm.

use super::behind::Behind;
use super::change::Proof;
use super::cluster::Pulse;
use super::confirm::Confirmed;
use super::emptied::{emptied, filled};
use super::log::{Log, Ran};
use super::manifest::Manifest;
use super::memory::Memory;
use super::node::{Applied, Done, Node, Reach, Reverted, Stands, Word};
use super::plan::Refusal;
use super::prepare::Prepared;
use super::recipe::stays;
use super::resume::put_back;
use crate::store::{FileChange, Outcome, Store};
use jiff::Timestamp;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Who changes something, from where, at which site: for the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub operator: String,
    /// Where the program runs.
    pub seat: String,
    /// The site's identity, where it is known.
    pub site: Option<String>,
}

/// What is told while a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is in the journal under this name, and begins.
    Begun(String),
    /// The node is being emptied, and so many pods are still to go; with none, it is empty.
    Emptying(usize),
    /// A command begins: a line of shell on the node, or one that does what is done by the API.
    Runs(String),
    /// What it says, a line as it comes. For people to look at; the journal has what [`Done::Ran`] has.
    Says(String),
    /// A step on the node was done.
    Done(Done),
    /// It works; now the code that the node shows at its console is waited for.
    AtConsole,
    /// It works; now the cluster must hear of the node again.
    Reporting,
    /// It works; now a second login is made.
    Proving,
    /// The second login worked and the switch is disarmed.
    Proved,
    /// Contact was lost, and the node is looked for.
    Lost(String),
    /// It is being put back: why.
    TakingBack(String),
}

impl Told {
    /// What is told of the way back. None for steps, which were those of the change.
    pub(super) fn of_back(word: Word) -> Option<Self> {
        match word {
            Word::Runs(line) => Some(Told::Runs(line)),
            Word::Says(said) => Some(Told::Says(said)),
            Word::Done(_) => None,
        }
    }
}

/// Runs what was confirmed. It is in the journal before anything is changed; what came of it is written by [`finish`],
/// which must be called whatever the outcome. `Err`: nothing was begun. Once the change has begun the second login is made with
/// what `memory` holds; nothing is asked for but codes.
pub fn run(
    confirmed: Confirmed<Prepared>,
    reach: &dyn Reach,
    memory: &Memory,
    store: &mut Store,
    who: &Who,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    let prepared = confirmed.into_inner();
    let Some(change) = prepared.change() else { return Err(Refusal::new("There is nothing that could be run")) };
    let channel = reach.login(memory).map_err(|error| Refusal::new(error.message))?;
    let mut node = Node { name: reach.node(), channel, limits: reach.limits(), ask: memory };
    let behind = Behind::before(reach, change, memory);
    let pulse = match (&change.reports_as, reach.cluster()) {
        (Some(node), Some(cluster)) => Some(Pulse::before(cluster, node).map_err(|why| {
            Refusal::new(format!(
                "{why}. Nothing was changed: whether {node} comes back to the cluster could not be seen. To go on without that, leave the \
                 cluster out (--no-cluster)"
            ))
        })?),
        _ => None,
    };
    let at = Timestamp::now();
    let paths = change.files.iter().map(|file| file.path.clone()).collect();
    let log = Log::begin(store, who, &prepared, paths)?;
    let entry = log.entry.clone();
    let log = RefCell::new(log);
    tell(Told::Begun(entry.clone()));
    if let Some(drain) = prepared.drain() {
        let refused = |why: &str| format!("{why}. Nothing was changed");
        if let Err(why) = emptied(drain, &log, tell) {
            return Ok(log.into_inner().end(Outcome::Refused, refused(&why.0), Vec::new()));
        }
        // The login from before has been idle meanwhile, and may be gone.
        match reach.login(memory) {
            Ok(channel) => node.channel = channel,
            Err(error) => {
                let note = filled(drain, refused(&error.message), &log, tell);
                return Ok(log.into_inner().end(Outcome::Refused, note, Vec::new()));
            }
        }
    }
    let manifest = Manifest::of(&entry, at, who, &prepared, change).bytes();
    let began = Instant::now();
    let heard = |word: Word| {
        tell(match word {
            Word::Runs(line) => Told::Runs(line),
            Word::Says(said) => Told::Says(said),
            Word::Done(done) => {
                log.borrow_mut().done(&done, change);
                Told::Done(done)
            }
        });
    };
    let applied = node.apply(&entry, change, &manifest, &heard);
    memory.close(true);
    let ending =
        Ending { reach, memory, entry: &entry, change, began, log: &log, tell, behind: &behind, pulse: pulse.as_ref() };
    let (outcome, note) = match applied {
        Applied::Finished => (Outcome::Done, "It is done".to_owned()),
        Applied::Refused(why) => (Outcome::Refused, why),
        Applied::Reverted(reverted) if change.one_way => (Outcome::Failed, stays(reach.node(), &reverted.why)),
        Applied::Reverted(reverted) => ending.heard_again(put_back(reach.node(), &entry, &reverted)),
        Applied::Overtaken => (
            Outcome::Reverted,
            format!("{}: the time was over, and the node put the old state back by itself", reach.node()),
        ),
        Applied::Waiting => ending.prove(&mut node),
        Applied::Lost(why) => ending.look_for_it(&why),
    };
    memory.close(false);
    let note = prepared.drain().map_or(note.clone(), |drain| filled(drain, note, &log, tell));
    let files = change
        .files
        .iter()
        .map(|file| FileChange {
            path: file.path.clone(),
            before: file.before.in_words(),
            after: if outcome == Outcome::Done { file.after.in_words() } else { file.before.in_words() },
        })
        .collect();
    let files = if matches!(outcome, Outcome::Done | Outcome::Reverted) { files } else { Vec::new() };
    Ok(log.into_inner().end(outcome, note, files))
}

/// Everything that is needed to bring an entry to its end.
pub(super) struct Ending<'a, 's> {
    pub(super) reach: &'a dyn Reach,
    pub(super) memory: &'a Memory,
    pub(super) entry: &'a str,
    change: &'a super::change::NodeChange,
    began: Instant,
    pub(super) log: &'a RefCell<Log<'s>>,
    pub(super) tell: &'a dyn Fn(Told),
    behind: &'a Behind,
    pulse: Option<&'a Pulse>,
}

/// Pause between two tries to log in.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries of the second login: more would make a server that counts failures shut this seat out.
pub(super) const TRIES: u32 = 3;

impl Ending<'_, '_> {
    fn login(&self) -> Result<Node<'_>, Refusal> {
        let channel = self.reach.login(self.memory).map_err(|error| Refusal::new(error.message))?;
        Ok(Node { name: self.reach.node(), channel, limits: self.reach.limits(), ask: self.memory })
    }

    /// The change works: a second, fresh login must as well, and it is this one that disarms the switch.
    fn prove(&self, first: &mut Node<'_>) -> (Outcome, String) {
        if let Some(trouble) = self.log.borrow().trouble.clone() {
            return self.take_back(Some(first), &trouble);
        }
        if self.change.proof == Proof::Console {
            return self.prove_at_console(first);
        }
        if let Some(pulse) = self.pulse {
            (self.tell)(Told::Reporting);
            match pulse.heard() {
                Ok(()) => self.log.borrow_mut().step("the cluster heard of the node again", None, ""),
                Err(why) => {
                    self.log.borrow_mut().step("the cluster did not hear of the node", None, why.clone());
                    return self.take_back(Some(first), &why);
                }
            }
        }
        (self.tell)(Told::Proving);
        let through = |name: &str| self.log.borrow_mut().step(format!("logged in to {name} through it"), None, "");
        if let Err(why) = self.behind.prove(self.reach.node(), self.memory, &through) {
            self.log.borrow_mut().step("the login through it failed", None, why.clone());
            return self.take_back(Some(first), &why);
        }
        let mut why = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                std::thread::sleep(PAUSE);
            }
            let confirmed = self.login().and_then(|mut second| second.confirm(self.entry));
            match confirmed {
                Ok(Stands::Confirmed) => {
                    self.log.borrow_mut().step("logged in a second time and disarmed the switch", None, "");
                    (self.tell)(Told::Proved);
                    let known = "It is done: a second login worked".to_owned();
                    let note = self.behind.unproved().map_or(known.clone(), |more| format!("{known}. {more}"));
                    return (Outcome::Done, note);
                }
                Ok(_) => {
                    return (
                        Outcome::Reverted,
                        format!(
                            "{}: the time was over, and the node put the old state back by itself",
                            self.reach.node()
                        ),
                    );
                }
                Err(refusal) => why = refusal.0,
            }
        }
        self.log.borrow_mut().step("the second login failed", None, why.clone());
        self.take_back(Some(first), &format!("the second login failed: {why}"))
    }

    /// Puts it back over the login that still stands, else over a new one, else leaves it to the switch.
    pub(super) fn take_back(&self, first: Option<&mut Node<'_>>, why: &str) -> (Outcome, String) {
        (self.tell)(Told::TakingBack(why.to_owned()));
        let tell = |word| Told::of_back(word).map_or((), self.tell);
        let by_first = first.map(|node| node.take_back(self.entry, self.change, &tell));
        let back = match by_first {
            Some(Ok(back)) => Ok(back),
            _ => self.login().and_then(|mut node| node.take_back(self.entry, self.change, &tell)),
        };
        match back {
            Ok(Ok(reverted)) => {
                self.heard_again(put_back(self.reach.node(), self.entry, &Reverted { why: why.to_owned(), ..reverted }))
            }
            Ok(Err(Stands::Reverted | Stands::Reverting)) => {
                (Outcome::Reverted, format!("{}: {why}. The node put the old state back by itself", self.reach.node()))
            }
            Ok(Err(_)) | Err(_) => (Outcome::Unknown, self.left_to_the_switch(why)),
        }
    }

    /// With the old files back the cluster must hear of the node as well: a restart brings to light what was broken before.
    fn heard_again(&self, end: (Outcome, String)) -> (Outcome, String) {
        let (Some(pulse), (Outcome::Reverted, note)) = (self.pulse, &end) else { return end };
        (self.tell)(Told::Reporting);
        match pulse.heard() {
            Ok(()) => end,
            Err(why) => (Outcome::Failed, format!("{note}. With the old state too {why}. Look at the node by hand")),
        }
    }

    /// Time until the switch puts the old state back.
    pub(super) fn left(&self) -> Duration {
        Duration::from_secs(u64::from(self.change.delay)).saturating_sub(self.began.elapsed())
    }

    pub(super) fn left_to_the_switch(&self, why: &str) -> String {
        let node = self.reach.node();
        // What the channel says names the node already.
        let why = why.strip_prefix(node).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(why);
        if self.change.delay == 0 {
            return format!(
                "{node}: {why}. What came of it is not known; when the node answers again: sitewarden undo --resume{}",
                self.reach.again()
            );
        }
        let by_itself = match self.left().as_secs() {
            0 => "it puts the old state back where it has not yet".to_owned(),
            left => format!("it puts the old state back within {left} seconds"),
        };
        format!(
            "{node}: {why}. It does not answer now; by itself {by_itself}. When it answers again: sitewarden undo --resume{}",
            self.reach.again()
        )
    }

    /// The link was lost while the change was made. Looks for the node for as long as the switch takes.
    fn look_for_it(&self, why: &str) -> (Outcome, String) {
        (self.tell)(Told::Lost(why.to_owned()));
        self.log.borrow_mut().step("contact was lost", None, why);
        let until = Duration::from_secs(u64::from(self.change.delay.max(super::change::DELAY)));
        // A script that was on its way may still begin: only a node that says it several times has nothing of it.
        let mut nothing_there = 0;
        loop {
            match self.login().and_then(|mut node| node.look(self.entry).map(|seen| (node, seen))) {
                Ok((mut node, (stands, seen))) => match stands {
                    // The first login after the change is as good a proof as a second one.
                    Stands::Armed { waiting: true } => return self.prove(&mut node),
                    Stands::Armed { waiting: false } | Stands::Applying { alive: true } | Stands::Reverting => {}
                    Stands::Applying { alive: false } => return self.take_back(Some(&mut node), why),
                    Stands::Confirmed | Stands::Finished => return (Outcome::Done, "It is done".to_owned()),
                    Stands::Reverted => {
                        return put_back(self.reach.node(), self.entry, &Reverted { why: why.to_owned(), ..seen });
                    }
                    Stands::None if nothing_there < TRIES => nothing_there += 1,
                    Stands::None => {
                        return (Outcome::Refused, format!("{why}. Nothing was changed"));
                    }
                },
                Err(refusal) if self.began.elapsed() > until => {
                    return (Outcome::Unknown, self.left_to_the_switch(&refusal.0));
                }
                Err(_) => {}
            }
            // Where a restart makes the time begin anew it may pass twice before anything is put back.
            let times = if self.change.before_back.is_empty() { 2 } else { 3 };
            if self.began.elapsed() > until.saturating_mul(times) {
                return (Outcome::Unknown, self.left_to_the_switch(why));
            }
            std::thread::sleep(PAUSE);
        }
    }
}
