//! The end of an entry that has none in the journal, as a person confirms it: what was found at its target, the ways to end
//! it as plans like any other, and carrying out the one that was confirmed.

use super::cluster::{ClusterReach, Pulse, look_cluster};
use super::confirm::Confirmed;
use super::log::Ran;
use super::node::{Node, Reach, Stands};
use super::plan::{Plan, Refusal, Risk, Work};
use super::prepare::{Body, Part, Prepared, Step};
use super::resume::{Settle, Unfinished, WayBack, act, log_in, put_back, unfinished, way_of};
use super::run::{Told, Who};
use crate::channel::Ask;
use crate::store::{Entry, Event, EventKind, Outcome, Store};
use jiff::Timestamp;

/// What was found of an entry that has no end in the journal.
#[derive(Debug)]
pub enum Found {
    /// It has ended there meanwhile, and only the journal lacks it: how, and a sentence for a person and the journal.
    Ended(Outcome, String),
    /// It is still under way: look again in a while.
    UnderWay,
    /// A person has to say how it ends.
    Open(Open),
}

/// An entry that waits for a person.
#[derive(Debug)]
pub struct Open {
    /// How it stands. A sentence.
    pub words: String,
    /// Seconds until the node puts the old state back by itself. None: it does not, or that is not known.
    pub left: Option<u32>,
    /// The ways to end it, the likeliest first.
    pub ways: Vec<Prepared>,
    /// Why the old state cannot be put back from here. A sentence.
    pub no_way_back: Option<String>,
}

/// One way to end an entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    entry: String,
    /// The way back, as its node kept it. None: the entry is finished.
    back: Option<WayBack>,
    risk: Risk,
    /// Nodes that were reached through this one when it was looked at; they must be when it is finished.
    behind: Vec<String>,
    /// The node's name in the cluster, which must hear of it before it is finished: its kubelet was restarted.
    reports_as: Option<String>,
}

impl End {
    pub(super) fn risk(&self) -> Risk {
        self.risk
    }

    fn steps(&self, node: &str) -> Vec<Step> {
        let mut steps = match &self.back {
            Some(way) => way.steps(),
            None => {
                let mut steps = Vec::new();
                if let Some(name) = &self.reports_as {
                    let what = format!("Wait until the cluster hears of the node {name}; else nothing is done");
                    steps.push(Step::new(what, Vec::new()));
                }
                if !self.behind.is_empty() {
                    let what = format!(
                        "Log in to what is reached through it: {}; else nothing is done",
                        self.behind.join(", ")
                    );
                    steps.push(Step::new(what, Vec::new()));
                }
                let what = format!(
                    "Log in to {node} afresh; when that works, say that the change stays and disarm the switch"
                );
                steps.push(Step::new(what, Vec::new()));
                steps
            }
        };
        steps.push(Step::new("Look at the node again and judge what it was about", Vec::new()).with_part(Part::Again));
        steps
    }
}

impl Prepared {
    /// The outcome that it brings an entry without an end to, where it does that: `Done` or `Reverted`.
    pub fn ends(&self) -> Option<Outcome> {
        match self.body() {
            Body::End(end) if end.back.is_some() => Some(Outcome::Reverted),
            Body::End(_) => Some(Outcome::Done),
            _ => None,
        }
    }

    /// How bad it is if something goes wrong, for people. Who ends an entry has no switch behind them.
    pub fn risk_in_words(&self) -> &'static str {
        match (self.ends(), self.risk()) {
            (None, risk) => risk.in_words(),
            (Some(_), Risk::Safe) => "safe: nothing is interrupted",
            (Some(Outcome::Done), Risk::Disruptive) => "the change stays, and nothing takes it back by itself any more",
            (Some(_), Risk::Disruptive) => "disruptive: something is interrupted for a while",
            (Some(Outcome::Done), Risk::CanLockOut) => {
                "can lock out: the change stays, and nothing takes it back by itself any more"
            }
            (Some(_), Risk::CanLockOut) => "can lock out: it is about the way in, without a switch",
        }
    }
}

/// Looks at the node of an entry that has no end in the journal, by a fresh login. Changes nothing. Refused where it cannot be
/// known: no login, no whole answer, or a node that never heard of what was done there.
pub fn found(entry: &Entry, reach: &dyn Reach, ask: &dyn Ask) -> Result<Found, Refusal> {
    let name = reach.node();
    let mut node = log_in(reach, ask)?;
    let (stands, back, since) = node.seen(&entry.id)?;
    if stands == Stands::None && done_something(entry) {
        return Err(Refusal::new(format!(
            "{name}: it knows nothing of entry {}, of which the journal has steps. Is it another node under the same name or address, \
             or was it set up anew? The entry stays without an end",
            entry.id
        )));
    }
    let found = unfinished(stands, &back);
    let (words, waits) = match found {
        Unfinished::Ended(outcome) => {
            let (outcome, words) = match (stands, outcome) {
                (Stands::Reverted, _) => put_back(name, &entry.id, &back),
                (Stands::None, _) => (outcome, format!("{name}: it knows nothing of it, so nothing was changed")),
                _ => (outcome, format!("{name}: it is done and confirmed")),
            };
            return Ok(Found::Ended(outcome, format!("{words} (found later)")));
        }
        Unfinished::UnderWay => return Ok(Found::UnderWay),
        Unfinished::Waiting => {
            ("It works there and waits to be confirmed; left alone, the node takes it back by itself", true)
        }
        Unfinished::HalfWay => ("It was left half-way there, and nothing takes it back by itself", false),
    };
    Ok(Found::Open(open(entry, words, waits.then_some(since), &mut node, reach, ask)))
}

/// Whether the node once said, by the journal, that the switch was armed or a file changed. From then on it keeps the entry.
fn done_something(entry: &Entry) -> bool {
    let EventKind::Begun { paths, .. } = &entry.begun.kind else { return false };
    let of_file = |what: &str| paths.iter().any(|path| what.contains(path.as_str()));
    let says = |event: &Event| match &event.kind {
        EventKind::Step { what, status: None, .. } => what.starts_with("armed the switch") || of_file(what),
        _ => false,
    };
    entry.steps.iter().any(says)
}

/// `waits`: it works and waits, and since when.
fn open(
    entry: &Entry,
    words: &str,
    waits: Option<Option<u32>>,
    node: &mut Node<'_>,
    reach: &dyn Reach,
    ask: &dyn Ask,
) -> Open {
    let way = way_of(node, &entry.id);
    // What is not known counts as the worst.
    let risk = way.as_ref().map_or(Risk::CanLockOut, |way| way.change.risk);
    let mut ways = Vec::new();
    if waits.is_some() {
        let (mut behind, mut notes) = (Vec::new(), Vec::new());
        for other in if risk == Risk::CanLockOut { reach.behind() } else { Vec::new() } {
            match other.login(ask) {
                Ok(_) => behind.push(other.node().to_owned()),
                Err(error) => notes.push(format!(
                    "{} is reached through this node and cannot be just now: {}. If the change is why, finishing it shuts that node off",
                    other.node(),
                    error.message
                )),
            }
        }
        let named = way.as_ref().ok().and_then(|way| way.change.reports_as.clone());
        if let (Some(name), None) = (&named, reach.cluster()) {
            notes.push(format!(
                "Whether the cluster hears of the node {name} since its kubelet was restarted is not known: the cluster is not named"
            ));
        }
        let reports_as = named.filter(|_| reach.cluster().is_some());
        let end = End { entry: entry.id.clone(), back: None, risk, behind, reports_as };
        ways.push(prepared("Finish", entry, end, notes, reach.node()));
    }
    let left = match (&way, waits) {
        (Ok(way), Some(Some(since))) if way.change.delay > 0 => Some(way.change.delay.saturating_sub(since)),
        _ => None,
    };
    let no_way_back = match way {
        Ok(way) => {
            let end = End { entry: entry.id.clone(), back: Some(way), risk, behind: Vec::new(), reports_as: None };
            ways.push(prepared("Put back", entry, end, Vec::new(), reach.node()));
            None
        }
        Err(refusal) => Some(refusal.0),
    };
    Open { words: words.to_owned(), left, ways, no_way_back }
}

fn prepared(verb: &str, entry: &Entry, end: End, notes: Vec<String>, node: &str) -> Prepared {
    let steps = end.steps(node);
    let plan = Plan {
        controls: entry.controls().to_vec(),
        target: entry.target().to_owned(),
        title: format!("{verb}: {}", entry.title()),
        work: Work::Node(Vec::new()),
        notes,
    };
    Prepared::of_end(plan, end, steps)
}

/// Looks how the objects of an entry of the cluster stand. What was done in part is ended as failed, since `undo` takes it back.
pub fn found_in_cluster(entry: &Entry, reach: &ClusterReach, store: &Store) -> Result<Found, Refusal> {
    Ok(match look_cluster(entry, reach, store)? {
        Unfinished::Ended(outcome) => {
            let words = match outcome {
                Outcome::Done => "the cluster has all of it",
                Outcome::Refused => "the cluster has nothing of it",
                _ => "what came of it cannot be seen in the cluster",
            };
            Found::Ended(outcome, format!("{words} (found later)"))
        }
        _ => Found::Ended(
            Outcome::Failed,
            "the cluster has some of it, not all (found later); undo takes that back".to_owned(),
        ),
    })
}

/// Ends an entry in the way that was confirmed, by a fresh login. That it was asked for is in the journal before; what came of
/// it is written by [`super::finish`], which must be called whatever the outcome. `Err`: nothing was begun, or the node says
/// that it stands as it did.
pub fn run_end(
    confirmed: Confirmed<Prepared>,
    reach: &dyn Reach,
    ask: &dyn Ask,
    store: &mut Store,
    who: &Who,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    let prepared = confirmed.into_inner();
    let Body::End(end) = prepared.body() else { return Err(Refusal::new("There is no entry that this would end")) };
    let mut node = log_in(reach, ask)?;
    for other in reach.behind().iter().filter(|other| end.behind.iter().any(|name| name == other.node())) {
        other.login(ask).map_err(|error| {
            let (name, why) = (other.node(), error.message);
            Refusal::new(format!(
                "{name}, which is reached through it, cannot be any more: {why}. It was not confirmed"
            ))
        })?;
    }
    if let (Some(name), Some(cluster)) = (&end.reports_as, reach.cluster()) {
        let heard = Pulse::before(cluster, name).and_then(|pulse| pulse.heard().map_err(Refusal::new));
        heard.map_err(|why| Refusal::new(format!("{}. It was not confirmed", why.0)))?;
    }
    write(store, end, who)?;
    let what = end.back.as_ref().map_or(Settle::Finish, Settle::TakeBack);
    if end.back.is_some() {
        tell(Told::TakingBack("it was asked for".to_owned()));
    }
    let (outcome, note) = match act(&mut node, &end.entry, what, tell) {
        Ok(ended) => ended,
        Err(refusal) => after(&end.entry, reach, ask, refusal)?,
    };
    Ok(Ran { entry: end.entry.clone(), outcome, note, files: Vec::new(), who: who.clone() })
}

/// It did not come to an end, as far as was heard: the node is asked how it stands now.
fn after(entry: &str, reach: &dyn Reach, ask: &dyn Ask, why: Refusal) -> Result<(Outcome, String), Refusal> {
    let Ok((stands, back, _)) = log_in(reach, ask).and_then(|mut node| node.seen(entry)) else {
        return Ok((Outcome::Unknown, format!("{}. What came of it is not known", why.0)));
    };
    match (unfinished(stands, &back), stands) {
        (Unfinished::Ended(_), Stands::Reverted) => Ok(put_back(reach.node(), entry, &back)),
        (Unfinished::Ended(outcome), Stands::Confirmed | Stands::Finished) => {
            Ok((outcome, format!("{}: it is confirmed", reach.node())))
        }
        (Unfinished::Waiting | Unfinished::HalfWay, _) => Err(why),
        _ => Ok((Outcome::Unknown, format!("{}. It is still under way there", why.0))),
    }
}

/// Nothing is done that could not be written down.
fn write(store: &mut Store, end: &End, who: &Who) -> Result<(), Refusal> {
    let failed = |why: String| Refusal::new(format!("{why}. Nothing was changed, since it could not be written down"));
    let entry = store.entry(&end.entry).map_err(|error| failed(error.to_string()))?;
    let entry = entry.ok_or_else(|| failed(format!("Entry {} is not in the journal any more", end.entry)))?;
    if !entry.is_open() {
        return Err(Refusal::new("It has its end in the journal by now. Look at it there; nothing was changed"));
    }
    let what = if end.back.is_some() { "later: put the old state back" } else { "later: confirm that it stays" };
    let kind = EventKind::Step {
        number: u32::try_from(entry.steps.len()).unwrap_or(u32::MAX).saturating_add(1),
        what: what.to_owned(),
        status: None,
        output: String::new(),
    };
    let (entry, at) = (end.entry.clone(), Timestamp::now());
    let event = Event { entry, at, operator: who.operator.clone(), seat: who.seat.clone(), kind };
    store.append(&event).map(|_| ()).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
#[path = "ending_tests.rs"]
mod tests;
