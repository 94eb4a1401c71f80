//! An entry whose end is not in the journal: the program or the link died. The node knows how it stands.

use super::change::{NodeChange, State};
use super::manifest::Manifest;
use super::node::{Node, Reach, Reverted, Stands};
use super::plan::Refusal;
use super::prepare::Step;
use super::run::Told;
use crate::channel::Ask;
use crate::store::Outcome;

/// How an unfinished entry stands, and what may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// It has ended on the node like this; the journal lacks it.
    Ended(Outcome),
    /// It works, and only waits to be confirmed: that may be done, or it may be taken back. Left alone, the node takes it
    /// back by itself.
    Waiting,
    /// It was left half-way and nothing will put it back by itself: it must be taken back.
    HalfWay,
    /// It is still under way: look again in a while.
    UnderWay,
}

/// The way back of an entry, as its node kept it. What runs in the end is what was shown of this, whatever the node says then.
#[derive(Debug, Clone, PartialEq)]
pub struct WayBack {
    pub(super) change: NodeChange,
}

impl WayBack {
    /// What happens, in order.
    pub fn steps(&self) -> Vec<Step> {
        let change = &self.change;
        let mut steps: Vec<Step> = Vec::new();
        if !change.before_back.is_empty() {
            let what = "First run this; where it fails, everything stays as it is now, since it is still needed";
            steps.push(Step::new(what, change.before_back.clone()));
        }
        for file in change.files.iter().rev() {
            let what = match &file.before {
                State::Absent => format!("Remove {}, where it is still as the entry made it", file.path),
                before => {
                    let before = before.in_words().unwrap_or_default();
                    format!("Put {} back ({before}), where it is still as the entry made it", file.path)
                }
            };
            steps.push(Step::new(what, Vec::new()));
        }
        if !change.deactivate.is_empty() {
            steps.push(Step::new("Where the entry had got that far: make it effective", change.deactivate.clone()));
        }
        if !change.restored.is_empty() {
            let what = format!("Wait until it works as before, {} seconds at most; else say so", change.within.max(1));
            steps.push(Step::new(what, change.restored.clone()));
        }
        steps
    }
}

/// What to do with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settle<'a> {
    /// Say that it holds.
    Finish,
    /// Put the old state back, in the way that was shown.
    TakeBack(&'a WayBack),
}

/// Reads the way back of an entry from its node. Refused where the node's record is damaged or there is no way back.
pub fn way_back(entry: &str, reach: &dyn Reach, ask: &dyn Ask) -> Result<WayBack, Refusal> {
    way_of(&mut log_in(reach, ask)?, entry)
}

pub(super) fn way_of(node: &mut Node<'_>, entry: &str) -> Result<WayBack, Refusal> {
    let kept = node.kept(entry)?;
    let name = node.name;
    let manifest = kept.manifest.as_deref().and_then(|bytes| Manifest::read(bytes, entry)).ok_or_else(|| {
        Refusal::new(format!(
            "{name}: what it kept of entry {entry} is missing or damaged. Look at /var/lib/sitewarden there by hand"
        ))
    })?;
    if manifest.change.one_way {
        return Err(Refusal::new(format!(
            "{name}: entry {entry} cannot be taken back by this program. Look at the node by hand"
        )));
    }
    Ok(WayBack { change: manifest.change })
}

pub(super) fn log_in<'a>(reach: &'a dyn Reach, ask: &'a dyn Ask) -> Result<Node<'a>, Refusal> {
    let channel = reach.login(ask).map_err(|error| Refusal::new(error.message))?;
    Ok(Node { name: reach.node(), channel, limits: reach.limits(), ask })
}

/// Looks at the node of an entry.
pub fn look(entry: &str, reach: &dyn Reach, ask: &dyn Ask) -> Result<Unfinished, Refusal> {
    let (stands, seen) = log_in(reach, ask)?.look(entry)?;
    Ok(unfinished(stands, &seen))
}

pub(super) fn unfinished(stands: Stands, seen: &Reverted) -> Unfinished {
    match stands {
        Stands::Confirmed | Stands::Finished => Unfinished::Ended(Outcome::Done),
        Stands::Reverted if seen.left.is_empty() && !seen.unsound => Unfinished::Ended(Outcome::Reverted),
        Stands::Reverted => Unfinished::Ended(Outcome::Failed),
        Stands::None => Unfinished::Ended(Outcome::Refused),
        Stands::Armed { waiting: true } => Unfinished::Waiting,
        Stands::Applying { alive: false } => Unfinished::HalfWay,
        Stands::Armed { waiting: false } | Stands::Applying { alive: true } | Stands::Reverting => Unfinished::UnderWay,
    }
}

/// Most files that are named in a sentence, and most characters of each: a node may say anything.
const NAMED: (usize, usize) = (20, 300);

/// How it ended where the old state was put back, with every file that is not as it was; and why, where that is told.
pub(super) fn put_back(node: &str, entry: &str, back: &Reverted) -> (Outcome, String) {
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(NAMED.1).collect::<String>();
    let mut left: Vec<String> = back.left.iter().take(NAMED.0).map(|path| plain(path)).collect();
    if back.left.len() > NAMED.0 {
        left.push(format!("{} more", back.left.len() - NAMED.0));
    }
    let (outcome, how) = match (&back.stays, left.is_empty(), back.unsound) {
        (Some(because), ..) => (
            Outcome::Failed,
            format!(
                "what was done stays, since it is still needed: {}. When that is mended, take it back: sitewarden undo {entry}",
                plain(because)
            ),
        ),
        (None, true, false) => (Outcome::Reverted, "the old state is back".to_owned()),
        (None, true, true) => {
            (Outcome::Failed, "the old state is back, and its own check fails: look at the service by hand".to_owned())
        }
        (None, false, _) => (
            Outcome::Failed,
            format!(
                "the old state was put back, but for {}, which somebody else has changed meanwhile, or which could not be written: look at \
                 it by hand",
                left.join(", ")
            ),
        ),
    };
    // What the channel says names the node already.
    let why = back.why.strip_prefix(node).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&back.why);
    let why = if why.is_empty() { String::new() } else { format!("{why}; ") };
    (outcome, format!("{node}: {why}{how}"))
}

/// Brings an entry to its end; `tell` hears what runs, and what it says. Gives the outcome and a sentence.
pub fn settle(
    entry: &str,
    what: Settle<'_>,
    reach: &dyn Reach,
    ask: &dyn Ask,
    tell: &dyn Fn(Told),
) -> Result<(Outcome, String), Refusal> {
    act(&mut log_in(reach, ask)?, entry, what, tell)
}

pub(super) fn act(
    node: &mut Node<'_>,
    entry: &str,
    what: Settle<'_>,
    tell: &dyn Fn(Told),
) -> Result<(Outcome, String), Refusal> {
    let name = node.name;
    match what {
        Settle::Finish => match node.confirm(entry)? {
            Stands::Confirmed => Ok((Outcome::Done, format!("{name}: it is confirmed"))),
            Stands::Reverted | Stands::Reverting => {
                Ok((Outcome::Reverted, format!("{name}: the node was faster and put the old state back")))
            }
            _ => Err(Refusal::new(format!("{name}: entry {entry} does not wait to be confirmed. Look at it again"))),
        },
        Settle::TakeBack(way) => {
            match node.take_back(entry, &way.change, &|word| Told::of_back(word).map_or((), tell))? {
                Ok(back) => Ok(put_back(name, entry, &back)),
                Err(Stands::Reverted | Stands::Reverting) => {
                    Ok((Outcome::Reverted, format!("{name}: the node had put the old state back by itself")))
                }
                Err(_) => Err(Refusal::new(format!("{name}: entry {entry} has ended meanwhile. Look at it again"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_as_it_was_is_named_and_says_no_more_than_fits() {
        let back = |left: Vec<String>, unsound| {
            put_back("edge1", "e", &Reverted { why: String::new(), left, unsound, stays: None })
        };
        assert_eq!(back(Vec::new(), false), (Outcome::Reverted, "edge1: the old state is back".to_owned()));
        let (outcome, words) = back(Vec::new(), true);
        assert!(outcome == Outcome::Failed && words.contains("its own check fails"), "{words}");
        let (outcome, words) = back(vec!["/etc/ssh/a\u{1b}[31m".to_owned()], true);
        assert!(outcome == Outcome::Failed && words.contains("but for /etc/ssh/a[31m, which"), "{words}");
        let (_, words) = back(vec!["x".repeat(5_000); 500], false);
        assert!(words.len() < 8_000 && words.contains(", 480 more"), "{}", words.len());
    }

    #[test]
    fn every_line_that_would_run_is_shown() {
        let lines = |word: &str| vec![word.to_owned()];
        let change = NodeChange {
            before_back: lines("secrets_plain"),
            deactivate: lines("key_away"),
            restored: lines("listens 6443"),
            ..NodeChange::default()
        };
        let shown: Vec<String> = WayBack { change }.steps().into_iter().flat_map(|step| step.commands).collect();
        assert_eq!(shown, ["secrets_plain", "key_away", "listens 6443"]);
    }
}
