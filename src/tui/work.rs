//! A remedy on the screens: the plans that wait, the one that is shown, the change that is under way, how it ended.
//! Plain data; `update` moves it from one to the next.

use super::app::{App, Screen};
use super::standing::{Standing, left};
use crate::assess::Verdict;
use crate::remedy::{Done, Memory, Part, Plan, Prepared, Ran, Refusal, Step, Told};
use crate::store::Outcome;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most lines of output that are kept.
const OUTPUT: usize = 200;

/// What workers remember of a person's answers while one piece of work goes on. The screens hold it and never look in.
#[derive(Clone)]
pub struct Remembered(pub(super) Arc<Memory>);

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered(..)")
    }
}

/// What was chosen to be done: one plan after the other, one target at a time.
#[derive(Debug)]
pub struct Work {
    /// Its number: what workers say of another one comes too late.
    pub serial: u64,
    /// What is being done now, for people: title and target.
    pub title: String,
    /// `node/NAME` or `cluster`.
    pub target: String,
    /// The controls that it is about, with their verdicts at the target as they were when it was chosen.
    pub before: Vec<(String, Verdict)>,
    /// Plans that wait behind it.
    pub plans: VecDeque<Plan>,
    /// What there is no plan for: what, and why.
    pub refused: Vec<(String, String)>,
    /// Whether a node was changed by one of its plans.
    pub done: bool,
    /// What was asked so far.
    pub memory: Option<Remembered>,
    /// The entry without an end that it is about, and how that stands.
    pub standing: Option<Standing>,
    /// How far the plan at hand is.
    pub phase: Phase,
}

/// How far a plan is.
#[derive(Debug)]
pub enum Phase {
    /// The target's fresh state is read.
    Preparing,
    /// There is nothing to be shown: why.
    Refused(String),
    /// How an entry without an end stands, where nothing is left to be decided: a sentence.
    Told(String),
    /// It is shown, and waits for the person.
    Shown(Box<Prepared>),
    /// It is carried out.
    Running(Box<Change>),
    /// It has ended.
    Over(Box<Change>),
}

/// A change that was begun.
#[derive(Debug)]
pub struct Change {
    /// What was confirmed.
    pub prepared: Prepared,
    /// How many of its steps are done.
    pub done: usize,
    /// The journal's entry.
    pub entry: Option<String>,
    /// What is going on, for people.
    pub now: String,
    /// What ran, and what it said, oldest first.
    pub output: VecDeque<String>,
    /// The line that runs now, and whether it has said something yet.
    pub runs: Option<(String, bool)>,
    /// When the switch was armed, and for how many seconds. None before, and once it is disarmed.
    pub armed: Option<(Timestamp, u32)>,
    /// Seconds that are left of it.
    pub left: u32,
    /// Lines that were run to make it effective.
    pub activated: usize,
    /// It is being put back.
    pub back: bool,
    /// The options that name its target and the way to it, with a blank before each.
    pub again: String,
    /// How it ended.
    pub end: Option<End>,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// In one word. None where nothing was begun.
    pub outcome: Option<Outcome>,
    /// A sentence.
    pub note: String,
    /// The verdicts since. None: the target is still being looked at.
    pub after: Option<Vec<(String, Verdict)>>,
    /// What else went wrong: sentences.
    pub trouble: Vec<String>,
}

impl Work {
    /// Whether something is being changed now.
    pub fn running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Whether there is another plan that may be looked at: after a change, only where that one is done.
    pub fn may_go_on(&self) -> bool {
        let fine = match &self.phase {
            Phase::Preparing | Phase::Running(_) => false,
            Phase::Refused(_) | Phase::Told(_) | Phase::Shown(_) => true,
            Phase::Over(change) => change.end.as_ref().is_some_and(|end| end.outcome == Some(Outcome::Done)),
        };
        fine && !self.plans.is_empty()
    }

    /// Whether nothing of it will come any more that a person should see.
    pub fn settled(&self) -> bool {
        match &self.phase {
            Phase::Running(_) => false,
            Phase::Over(change) => change.end.as_ref().is_none_or(|end| end.after.is_some()),
            Phase::Preparing | Phase::Refused(_) | Phase::Told(_) | Phase::Shown(_) => true,
        }
    }

    /// Name of the node that it changes.
    pub fn node(&self) -> Option<&str> {
        self.target.strip_prefix("node/")
    }
}

impl Change {
    /// What was confirmed, before anything of it has happened.
    pub fn new(prepared: Prepared) -> Self {
        Change {
            prepared,
            done: 0,
            entry: None,
            now: "logging in".to_owned(),
            output: VecDeque::new(),
            runs: None,
            armed: None,
            left: 0,
            activated: 0,
            back: false,
            again: String::new(),
            end: None,
        }
    }

    /// Everything before a part is done, and the part itself where `whole`.
    fn reach(&mut self, part: Part, whole: bool) {
        if let Some(at) = self.steps().iter().position(|step| step.part == part) {
            self.done = self.done.max(at + usize::from(whole));
        }
    }

    /// The steps, as they were shown.
    pub fn steps(&self) -> &[Step] {
        self.prepared.steps()
    }

    fn say(&mut self, line: &str) {
        self.output.push_back(line.to_owned());
        while self.output.len() > OUTPUT {
            self.output.pop_front();
        }
    }

    /// Takes in what was told at a time.
    pub fn told(&mut self, at: Timestamp, told: Told) {
        match told {
            Told::Begun(entry) => {
                self.now = "written into the journal; looking, copying, checking".to_owned();
                self.entry = Some(entry);
            }
            Told::Emptying(left) => {
                self.now = match left {
                    0 => "the node is empty; logging in again, changing".to_owned(),
                    1 => "emptying the node: one pod is left".to_owned(),
                    left => format!("emptying the node: {left} pods are left"),
                };
            }
            Told::Runs(line) => {
                self.say(&format!("$ {line}"));
                if !self.back {
                    self.now = "running; what it says is below".to_owned();
                }
                if self.prepared.ends().is_some() {
                    let at = self.steps().iter().position(|step| step.commands.contains(&line));
                    self.done = self.done.max(at.unwrap_or(0));
                }
                self.runs = Some((line, false));
            }
            Told::Says(said) => {
                self.say(&format!("  {said}"));
                if let Some(runs) = &mut self.runs {
                    runs.1 = true;
                }
            }
            Told::Done(done) => self.step(at, done),
            Told::AtConsole => {
                self.reach(Part::Proof, false);
                self.now = "it works; waiting for the code that the node shows at its console".to_owned();
            }
            Told::Reporting => "it works; waiting until the cluster hears of the node again".clone_into(&mut self.now),
            Told::Proving => {
                self.reach(Part::Proof, false);
                self.now = "it works; logging in a second time".to_owned();
            }
            Told::Proved => {
                self.reach(Part::Proof, true);
                self.armed = None;
                self.now = "the second login worked; the switch is disarmed".to_owned();
            }
            Told::Lost(why) => {
                self.now = format!("contact was lost ({why}); looking for the node");
                let line = self.now.clone();
                self.say(&line);
            }
            Told::TakingBack(why) => {
                self.back = true;
                self.now = format!("putting the old state back: {why}");
                let line = self.now.clone();
                self.say(&line);
            }
        }
    }

    fn step(&mut self, at: Timestamp, done: Done) {
        match done {
            Done::Armed { seconds } => {
                (self.armed, self.left) = (Some((at, seconds)), seconds);
                self.reach(Part::Arm, true);
                self.now = "the switch is armed; changing".to_owned();
            }
            Done::Changed { file } => {
                self.reach(Part::File(file), true);
                let line = self.prepared.change().and_then(|change| change.files.get(file)).map(|file| file.in_words());
                self.say(&line.unwrap_or_default());
                self.now = "changing".to_owned();
            }
            Done::Ran { line, status, said } => {
                // What was seen as it came is not shown twice.
                let runs = self.runs.take().filter(|(begun, _)| *begun == line);
                if runs.is_none() {
                    self.say(&format!("$ {line}"));
                }
                if runs.is_none_or(|(_, seen)| !seen) {
                    said.lines().filter(|line| !line.trim().is_empty()).for_each(|line| self.say(&format!("  {line}")));
                }
                if status != 0 {
                    self.say(&format!("  exit status {status}"));
                }
                let known = |step: &Step| step.part == Part::Other && step.commands.contains(&line);
                let at = self.steps().iter().position(known).filter(|_| status == 0 && !self.back);
                self.done = self.done.max(at.map_or(0, |at| at + 1));
                let all = self.prepared.change().map_or(0, |change| change.activate.len());
                let ours = self.prepared.change().is_some_and(|change| change.activate.contains(&line));
                if ours && status == 0 && !self.back {
                    self.activated += 1;
                    self.reach(Part::Activate, self.activated >= all);
                    self.now = "waiting until it works".to_owned();
                }
            }
        }
    }

    /// Takes a time in: how long the switch still waits. Whether it waits at all.
    pub fn tick(&mut self, at: Timestamp) -> bool {
        let Some((since, seconds)) = self.armed else { return false };
        self.left = left(at, since, seconds);
        self.left > 0
    }

    /// Whether it came to the end that was confirmed.
    pub fn succeeded(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome == Some(self.prepared.ends().unwrap_or(Outcome::Done)))
    }

    /// Takes its end in.
    pub fn ended(&mut self, result: Result<&Ran, &Refusal>, trouble: Option<String>) {
        self.armed = None;
        self.now.clear();
        let (outcome, note, looked) = match result {
            Ok(ran) => {
                self.entry = Some(ran.entry.clone());
                (Some(ran.outcome), ran.note.clone(), None)
            }
            // Nothing was begun, so there is nothing to be looked at again.
            Err(refusal) => (None, refusal.0.clone(), Some(Vec::new())),
        };
        self.end = Some(End { outcome, note, after: looked, trouble: trouble.into_iter().collect() });
        if self.succeeded() {
            self.reach(Part::Again, false);
        }
    }

    /// Takes in how the target is since.
    pub fn looked(&mut self, after: Vec<(String, Verdict)>, trouble: Option<String>) {
        if self.succeeded() {
            self.done = self.steps().len();
        }
        if let Some(end) = &mut self.end {
            end.after = Some(after);
            end.trouble.extend(trouble);
        }
    }
}

/// An outcome in the words of the screens.
pub fn in_words(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Done) => "Done",
        Some(Outcome::Reverted) => "Put back",
        Some(Outcome::Failed) => "Failed",
        Some(Outcome::Unknown) => "Not known",
        Some(Outcome::Refused) | None => "Nothing was changed",
    }
}

impl App {
    /// The plan that waits for the person, on whatever screen.
    pub fn shown_plan(&self) -> Option<&Prepared> {
        match &self.work.as_ref()?.phase {
            Phase::Shown(prepared) => Some(prepared),
            _ => None,
        }
    }

    /// The change that is under way.
    pub fn running(&self) -> Option<&Change> {
        match &self.work.as_ref()?.phase {
            Phase::Running(change) => Some(change),
            _ => None,
        }
    }

    /// Whether the finding that is looked at fails.
    pub fn failing_at_hand(&self) -> bool {
        match self.screen_at_hand() {
            Some(Screen::Finding(detail)) => self.verdict(&detail.control, &detail.target) == Some(Verdict::Fail),
            _ => false,
        }
    }

    /// The verdict of a control at a target.
    pub fn verdict(&self, control: &str, target: &str) -> Option<Verdict> {
        self.assessment.as_ref()?.verdict(control, target)
    }

    /// What has to be typed to allow changes: the site's name, else that of the cluster, else that of a node.
    pub fn to_arm(&self) -> Option<&str> {
        let sound = |name: &&str| !name.trim().is_empty();
        let node = || self.nodes.first().map(|node| node.name.as_str());
        self.site_name().filter(sound).or_else(|| self.cluster_name().filter(sound)).or_else(node)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::remedy::Risk;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_told_moves_the_steps_on_and_the_switch_counts_down() {
        let mut change = Change::new(Prepared::sample("edge1", Risk::CanLockOut, 90));
        let words = |change: &Change| change.steps()[change.done].what.clone();
        change.told(at(100), Told::Begun("e".to_owned()));
        assert!(!change.tick(at(101)), "nothing is armed yet");
        change.told(at(101), Told::Done(Done::Armed { seconds: 90 }));
        assert!(words(&change).contains("/etc/ssh/sshd_config"));
        change.told(at(102), Told::Done(Done::Changed { file: 0 }));
        assert!(words(&change).contains("Make it effective"));
        assert!(change.tick(at(131)));
        assert_eq!(change.left, 60);
        let line = "systemctl reload ssh.service".to_owned();
        change.told(at(103), Told::Done(Done::Ran { line, status: 0, said: "ok".to_owned() }));
        assert!(words(&change).contains("Wait until it works"));
        change.told(at(104), Told::Proving);
        assert!(words(&change).contains("second time"));
        change.told(at(105), Told::Proved);
        assert!(!change.tick(at(106)), "disarmed");
        change.ended(Ok(&Ran::sample(Outcome::Done, "It is done")), None);
        assert!(words(&change).contains("Look at the node again"));
        change.looked(Vec::new(), None);
        assert_eq!(change.done, change.steps().len());
    }

    #[test]
    fn what_is_put_back_is_not_counted_as_done() {
        let mut change = Change::new(Prepared::sample("edge1", Risk::CanLockOut, 90));
        change.told(at(1), Told::Done(Done::Changed { file: 0 }));
        let done = change.done;
        change.told(at(2), Told::TakingBack("the second login failed".to_owned()));
        let line = "systemctl reload ssh.service".to_owned();
        change.told(at(3), Told::Done(Done::Ran { line, status: 0, said: String::new() }));
        change.ended(Ok(&Ran::sample(Outcome::Reverted, "The old state is back")), None);
        change.looked(Vec::new(), None);
        assert_eq!(change.done, done);
    }

    #[test]
    fn output_is_bounded() {
        let mut change = Change::new(Prepared::sample("edge1", Risk::Safe, 0));
        for _ in 0..50 {
            let said = "x\n".repeat(100);
            change.told(at(1), Told::Done(Done::Ran { line: "cat".to_owned(), status: 0, said }));
        }
        assert_eq!(change.output.len(), OUTPUT);
    }
}
