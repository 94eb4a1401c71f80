//! Speaking with a node about a change: read what it is about, try it, carry it out, confirm it, take it back. Each is one
//! script over one channel; what the node answers is parsed here and believed nowhere else.

mod answer;
mod console;
mod said;
mod script;

pub(crate) use script::STATE;

use super::Refusal;
use super::change::NodeChange;
use super::cluster::ClusterReach;
use super::fresh::{Fresh, Want};
use crate::channel::{Ask, Channel, ChannelError, Limits, Passwords};
use crate::evidence::Reason;
use crate::probe::node::{Aid, as_root};
use answer::{Line, Lines};
use said::{NO_ENTRY, failure, file, not_whole, reverted, word};
use script::Settle;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// A way to a node, and how to come again by the same way.
pub trait Reach: Send + Sync {
    /// Name of the node's target, without `node/`.
    fn node(&self) -> &str;

    /// A fresh login; `ask` is asked what it needs to know.
    fn login(&self, ask: &dyn Ask) -> Result<Box<dyn Channel>, ChannelError>;

    /// Bounds of one run.
    fn limits(&self) -> Limits;

    /// The options by which a person names it and the way to it on the command line, with a blank before each: ` --node
    /// ops@edge1`. Empty where they are not known.
    fn again(&self) -> String {
        String::new()
    }

    /// The cluster that it is a node of, where that was named.
    fn cluster(&self) -> Option<ClusterReach> {
        None
    }

    /// The other nodes that are known to be reached through this one.
    fn behind(&self) -> Vec<Box<dyn Reach>> {
        Vec::new()
    }
}

/// A channel on which scripts run as root.
pub(crate) struct Node<'a> {
    /// The node's name.
    pub(crate) name: &'a str,
    /// The login.
    pub(crate) channel: Box<dyn Channel>,
    /// Bounds of one run.
    pub(crate) limits: Limits,
    /// Who is asked where sudo wants a password.
    pub(crate) ask: &'a dyn Ask,
}

/// What was said in one run.
struct Said {
    lines: Vec<Line>,
    /// Why it did not.
    cut: Option<Reason>,
}

impl Said {
    fn end(&self) -> Option<&Line> {
        self.lines.iter().rev().find(|line| matches!(line.about(), "end" | "fail" | "reverted"))
    }
}

/// A step that was done on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A line of shell ran.
    Ran {
        /// The line.
        line: String,
        /// Its exit status.
        status: i32,
        /// What it said, bounded, without control characters and without secrets.
        said: String,
    },
    /// The switch is armed: the old state comes back after so many seconds.
    Armed {
        /// Seconds.
        seconds: u32,
    },
    /// A file of the change is in its place: its number, from 0.
    Changed {
        /// Index in [`NodeChange::files`].
        file: usize,
    },
}

/// What is told while a change is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A line of shell begins.
    Runs(String),
    /// What it says, a line as it comes. Not all of it where it is much.
    Says(String),
    /// A step was done.
    Done(Done),
}

/// Most lines that are told as they come: a node may say more, and nobody would read it.
const TOLD: usize = 20_000;

/// How carrying a change out ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It holds, and waits to be confirmed.
    Waiting,
    /// It holds; there is no switch.
    Finished,
    /// Nothing was changed: why, as a sentence.
    Refused(String),
    /// The old state is back: why, and what of it could not be put back.
    Reverted(Reverted),
    /// The switch was faster: its time was over.
    Overtaken,
    /// The link was lost meanwhile: what came of it is not known.
    Lost(String),
}

/// How an entry was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reverted {
    /// Why, as a clause.
    pub(crate) why: String,
    /// Paths that somebody else has changed meanwhile, or that could not be written: they are as they are.
    pub(crate) left: Vec<String>,
    /// The old state is back and its own check fails.
    pub(crate) unsound: bool,
    /// Nothing was put back, since what was done is still needed: why. It is half-way then, and can be taken back later.
    pub(crate) stays: Option<String>,
}

/// How an entry stands on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It is being carried out, or was left half-way without a switch.
    Applying {
        /// Whether its script still runs.
        alive: bool,
    },
    /// The switch is armed.
    Armed {
        /// Whether the change works and only waits to be confirmed.
        waiting: bool,
    },
    /// The switch is at work.
    Reverting,
    /// The old state is back.
    Reverted,
    /// It was confirmed.
    Confirmed,
    /// It is done; there was no switch.
    Finished,
    /// There is no such entry: it was refused, or never came so far.
    None,
}

impl Stands {
    fn of(word: &str, how: &str) -> Self {
        match word {
            "applying" => Stands::Applying { alive: how == "alive" },
            "armed" => Stands::Armed { waiting: how == "waiting" },
            "reverting" => Stands::Reverting,
            "reverted" => Stands::Reverted,
            "confirmed" => Stands::Confirmed,
            "finished" => Stands::Finished,
            _ => Stands::None,
        }
    }
}

impl Node<'_> {
    /// Runs a script as root. `heard` gets each line as it comes.
    fn run(&mut self, script: &[u8], longer: Duration, heard: &dyn Fn(&Line)) -> Result<Said, ChannelError> {
        let lines = RefCell::new((Lines::default(), Vec::new()));
        let hear = |nonce: &str, bytes: &[u8]| {
            if let Ok(mut all) = lines.try_borrow_mut() {
                let found = all.0.take(bytes, nonce);
                found.iter().for_each(heard);
                all.1.extend(found.into_iter().filter(|line| line.about() != "says"));
            }
        };
        let passwords = Passwords::default();
        let aid = Aid { ask: self.ask, passwords: &passwords, tell: &|_| () };
        let limits = Limits { run: self.limits.run.saturating_add(longer), ..self.limits };
        let (output, _) = as_root(self.channel.as_mut(), self.name, script, &limits, &aid, &hear)?;
        Ok(Said { lines: lines.into_inner().1, cut: output.cut })
    }

    /// Runs a script that changes nothing: all it says, or a sentence.
    fn ask_node(&mut self, script: &[u8]) -> Result<Said, Refusal> {
        let said = self.run(script, Duration::ZERO, &|_| ()).map_err(|error| Refusal::new(error.message))?;
        match said.end() {
            Some(end) if end.about() == "fail" => Err(Refusal::new(failure(self.name, end))),
            Some(_) => Ok(said),
            None => Err(Refusal::new(not_whole(self.name, said.cut))),
        }
    }

    /// Reads what is wanted.
    pub(crate) fn read(&mut self, wants: &[Want]) -> Result<Fresh, Refusal> {
        let said = self.ask_node(&script::read(wants))?;
        let mut fresh = Fresh::default();
        for line in &said.lines {
            let Some(want) = line.number(1).and_then(|number: usize| wants.get(number)) else { continue };
            match line.about() {
                "file" => fresh.found(want, file(line, matches!(want, Want::Stat(_)))),
                "told" => {
                    if let Want::Tell(asked) = want {
                        fresh.said(asked, line.number(2).unwrap_or(-1), line.text(3));
                    }
                }
                _ => {}
            }
        }
        Ok(fresh)
    }

    /// Tries sshd's configuration with the change. Gives what `sshd -T` says of each connection, or why sshd refuses it.
    pub(crate) fn try_sshd(
        &mut self,
        change: &NodeChange,
        sshd: &str,
        main: &str,
        connections: &[String],
    ) -> Result<Vec<String>, Refusal> {
        let said = self.ask_node(&script::try_sshd(change, sshd, main, connections))?;
        let valid = said.lines.iter().find(|line| line.about() == "valid");
        match valid.map(|line| (line.word(1).to_owned(), line.text(2))) {
            Some((word, _)) if word == "valid" => {}
            Some((word, said)) if word == "refused" => {
                return Err(Refusal::new(format!(
                    "{}: sshd would refuse the configuration with this change: {}. Nothing was changed; mend that first",
                    self.name,
                    said.trim().replace('\n', "; ")
                )));
            }
            _ => {
                return Err(Refusal::new(format!(
                    "{}: an Include line of {main} is not plainly understood, so the change cannot be tried beforehand. \
                     Change the setting by hand",
                    self.name
                )));
            }
        }
        let mut dumps = vec![String::new(); connections.len()];
        for line in said.lines.iter().filter(|line| line.about() == "dump") {
            if let Some(dump) = line.number(1).and_then(|number: usize| dumps.get_mut(number)) {
                *dump = line.text(2);
            }
        }
        Ok(dumps)
    }

    /// Carries a change out. `tell` hears each step as it is done.
    pub(crate) fn apply(&mut self, entry: &str, change: &NodeChange, manifest: &[u8], tell: &dyn Fn(Word)) -> Applied {
        let longer = Duration::from_secs(u64::from(change.delay.max(change.within.saturating_mul(2))));
        let heard = telling(tell);
        let said = match self.run(&script::apply(entry, change, manifest), longer, &heard) {
            Ok(said) => said,
            // It may be that nothing ran; only the node knows.
            Err(error) => return Applied::Lost(error.message),
        };
        let Some(end) = said.end() else { return Applied::Lost(not_whole(self.name, said.cut)) };
        match (end.about(), end.word(1)) {
            ("end", "waiting") => Applied::Waiting,
            ("end", "applied") => Applied::Finished,
            ("reverted", _) => Applied::Reverted(reverted(end)),
            ("fail", "overtaken") => Applied::Overtaken,
            ("fail", _) => Applied::Refused(failure(self.name, end)),
            _ => Applied::Lost(not_whole(self.name, None)),
        }
    }

    /// Says that an entry holds. Gives how it stands then: `Confirmed` where the switch was not faster.
    pub(crate) fn confirm(&mut self, entry: &str) -> Result<Stands, Refusal> {
        let said = self.ask_node(&script::settle(entry, Settle::Confirm))?;
        let word = said.end().map_or("", |end| end.word(1)).to_owned();
        Ok(Stands::of(word.strip_prefix("lost-to-").unwrap_or(&word), ""))
    }

    /// Puts the state before an entry back now; `tell` hears what runs and says something meanwhile. `Err` inside: it
    /// stands otherwise, and nothing was done.
    pub(crate) fn take_back(
        &mut self,
        entry: &str,
        change: &NodeChange,
        tell: &dyn Fn(Word),
    ) -> Result<Result<Reverted, Stands>, Refusal> {
        let longer = Duration::from_secs(u64::from(change.within.saturating_mul(2)));
        let said = self
            .run(&script::take_back(entry, change), longer, &telling(tell))
            .map_err(|error| Refusal::new(error.message))?;
        match said.end() {
            Some(end) if end.about() == "reverted" => Ok(Ok(reverted(end))),
            Some(end) if end.about() == "fail" => Err(Refusal::new(failure(self.name, end))),
            Some(end) => {
                let word = end.word(1);
                Ok(Err(Stands::of(word.strip_prefix("lost-to-").unwrap_or(word), "")))
            }
            None => Err(Refusal::new(not_whole(self.name, said.cut))),
        }
    }

    /// How an entry stands, and what of it could not be put back.
    pub(crate) fn look(&mut self, entry: &str) -> Result<(Stands, Reverted), Refusal> {
        self.seen(entry).map(|(stands, reverted, _)| (stands, reverted))
    }

    /// The same, and for how many seconds the switch has been armed, where it is and that is known.
    pub(crate) fn seen(&mut self, entry: &str) -> Result<(Stands, Reverted, Option<u32>), Refusal> {
        let said = match self.ask_node(&script::settle(entry, Settle::Look)) {
            Ok(said) => said,
            Err(refusal) if refusal.0.contains(NO_ENTRY) => {
                return Ok((
                    Stands::None,
                    Reverted { why: String::new(), left: Vec::new(), unsound: false, stays: None },
                    None,
                ));
            }
            Err(refusal) => return Err(refusal),
        };
        let state = said.lines.iter().find(|line| line.about() == "state");
        let Some(state) = state else { return Err(Refusal::new(not_whole(self.name, None))) };
        let stands = Stands::of(state.word(1), state.word(2));
        let left = state.text(4).lines().map(str::to_owned).collect();
        let since = said.lines.iter().find(|line| line.about() == "since").and_then(|line| line.number(1));
        Ok((stands, Reverted { why: String::new(), left, unsound: state.word(3) == "unsound", stays: None }, since))
    }

    /// The manifest of an entry as it lies on the node, and its backups: number of the file (from 0) and its bytes.
    pub(crate) fn kept(&mut self, entry: &str) -> Result<Kept, Refusal> {
        let said = self.ask_node(&script::settle(entry, Settle::Kept))?;
        let mut kept = Kept::default();
        for line in &said.lines {
            match (line.about(), line.word(1)) {
                ("state", word) => kept.stands = Some(Stands::of(word, "")),
                ("kept", "entry.json") => kept.manifest = line.bytes(2),
                ("backup", _) => {
                    // The words are: number, mode, uid, gid, hash, bytes.
                    let number = line.number(1).and_then(|number: usize| number.checked_sub(1));
                    if let (Some(number), Some(bytes)) = (number, line.bytes(6)) {
                        kept.backups.push((number, bytes));
                    }
                }
                _ => {}
            }
        }
        Ok(kept)
    }

    /// Every entry of this node: id, how it stands, manifest.
    pub(crate) fn entries(&mut self) -> Result<Vec<(String, Stands, Vec<u8>)>, Refusal> {
        let said = self.ask_node(&script::settle("-", Settle::List))?;
        let entries = said.lines.iter().filter(|line| line.about() == "entry");
        Ok(entries
            .filter_map(|line| Some((line.word(1).to_owned(), Stands::of(line.word(2), ""), line.bytes(3)?)))
            .collect())
    }
}

/// Tells what a line means, where it means something, and not more of what commands say than somebody reads.
fn telling<'t>(tell: &'t dyn Fn(Word)) -> impl Fn(&Line) + 't {
    let left = Cell::new(TOLD);
    move |line| match word(line) {
        Some(Word::Says(_)) if left.get() == 0 => {}
        Some(word) => {
            left.set(left.get().saturating_sub(usize::from(matches!(word, Word::Says(_)))));
            tell(word);
        }
        None => {}
    }
}

/// What lies on a node for an entry.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How it stands.
    pub(crate) stands: Option<Stands>,
    /// Its manifest.
    pub(crate) manifest: Option<Vec<u8>>,
    /// Number of a file, from 0, and the bytes that it had.
    pub(crate) backups: Vec<(usize, Vec<u8>)>,
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile_tests;
