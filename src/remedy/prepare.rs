//! From a plan to what a person is shown: the target's fresh state, the exact change, every step in plain words with the
//! command that will run, and the digest that a confirmation is bound to.

use super::change::{FileChange, NodeChange, Proof, Validate};
use super::cluster::{AzureChange, ClusterChange, Drain, HEARD_WITHIN};
use super::ending::End;
use super::fresh::Want;
use super::node::{Node, Reach};
use super::plan::{Plan, Refusal, Risk, Work};
use super::recipe::NodeOp;
use super::sure::{effective, holds_secret, known_to_the_cluster};
use super::words::{sha256, unified};
use crate::channel::Ask;

/// A plan with everything that will happen, ready to be confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    plan: Plan,
    body: Body,
    steps: Vec<Step>,
    digest: String,
    undoes: Option<String>,
    drain: Option<Box<Drain>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Node(Box<NodeChange>),
    Cluster(ClusterChange),
    Azure(AzureChange),
    /// The end of an entry that has none.
    End(Box<End>),
    /// Nothing that could be run.
    Manual,
}

/// One step, as a person is shown it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// What it does, in plain words.
    pub what: String,
    /// The commands, exactly. Empty where this program does it itself.
    pub commands: Vec<String>,
    /// A unified diff, where contents change.
    pub diff: Option<String>,
    /// Which part of the change it is.
    pub part: Part,
}

/// The parts of a change, by which it can be told how far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// A step that no report of the node belongs to.
    #[default]
    Other,
    /// The switch is armed.
    Arm,
    /// A file is put into its place: its index in [`NodeChange::files`].
    File(usize),
    /// The change is made effective.
    Activate,
    /// The second login.
    Proof,
    /// The node is looked at again.
    Again,
}

impl Step {
    /// A step without a diff.
    pub(super) fn new(what: impl Into<String>, commands: Vec<String>) -> Self {
        Step { what: what.into(), commands, diff: None, part: Part::Other }
    }

    pub(super) fn with_part(self, part: Part) -> Self {
        Step { part, ..self }
    }
}

impl Prepared {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What happens, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Digest of everything that was shown and of the target's state: what a confirmation is bound to.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The change of the node, where it is one.
    pub fn change(&self) -> Option<&NodeChange> {
        match &self.body {
            Body::Node(change) => Some(change.as_ref()),
            Body::Cluster(_) | Body::Azure(_) | Body::End(_) | Body::Manual => None,
        }
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// What is interrupted, why it is done in this way, what to know about it. Sentences.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks_by_hand();
        if self.change().is_some_and(|change| change.proof == Proof::Console) {
            remarks.push(
                "A code will be shown at the node's console. Without it typed here in time, also because this connection ended, the \
                 node switches SSH on again by itself"
                    .to_owned(),
            );
        }
        remarks
    }

    /// The same, without what only this program does.
    pub(super) fn remarks_by_hand(&self) -> Vec<String> {
        let mut remarks = match &self.body {
            Body::Node(change) => change.interrupts.iter().chain(&change.why).cloned().collect(),
            Body::Cluster(change) => change.remarks.clone(),
            Body::Azure(change) => change.remarks(),
            Body::End(_) | Body::Manual => Vec::new(),
        };
        remarks.extend(self.drain.iter().flat_map(|drain| drain.remarks()));
        remarks.extend(self.plan.notes.iter().cloned());
        remarks
    }

    /// The journal's entry that it takes back, if it is an undo.
    pub fn undoes(&self) -> Option<&str> {
        self.undoes.as_deref()
    }

    /// How it is taken back. A sentence.
    pub fn way_back(&self) -> &'static str {
        match &self.body {
            Body::Node(change) if change.one_way => "There is no way back by this program.",
            Body::Node(change) if change.no_undo => {
                "Where a step fails the old state comes back. Once it is done there is no way back."
            }
            Body::Node(_) | Body::End(_) => {
                "The way back: sitewarden undo, from here with the node named, or on the node with --local."
            }
            Body::Cluster(_) | Body::Azure(_) | Body::Manual => {
                "The way back: sitewarden undo, from here, with the cluster named."
            }
        }
    }

    /// Whether its node can be emptied for the time of the change, and is not yet to be.
    pub fn may_be_emptied(&self) -> bool {
        let updates = |ops: &[NodeOp]| ops.iter().any(|op| matches!(op, NodeOp::Updates(_)));
        self.drain.is_none() && matches!(&self.plan.work, Work::Node(ops) if updates(ops))
    }

    /// The same with the node emptied for the time of the change.
    pub fn with_drain(mut self, drain: Drain) -> Self {
        let steps = drain.before().into_iter().chain(std::mem::take(&mut self.steps));
        self.steps = steps.collect();
        // The last step looks again.
        let last = self.steps.len().saturating_sub(1);
        self.steps.splice(last..last, drain.after());
        self.digest = sha256(format!("{} {}", self.digest, drain.identity()).as_bytes());
        Prepared { drain: Some(Box::new(drain)), ..self }
    }

    /// Whether its node is emptied for the time of the change.
    pub(super) fn is_emptied(&self) -> bool {
        self.drain.is_some()
    }

    pub(super) fn drain(&self) -> Option<&Drain> {
        self.drain.as_deref()
    }

    /// The same with one more thing to know.
    pub fn with_note(mut self, note: String) -> Self {
        self.digest = sha256(format!("{} {note}", self.digest).as_bytes());
        self.plan.notes.push(note);
        self
    }

    pub(super) fn into_undo_of(mut self, entry: &str) -> Self {
        // The last step looks again; what an undo brings back is to be judged by a scan.
        self.steps.pop();
        Prepared { undoes: Some(entry.to_owned()), ..self }
    }

    /// How bad it is if something goes wrong.
    pub fn risk(&self) -> Risk {
        match &self.body {
            Body::Node(change) => change.risk,
            Body::Cluster(change) => change.risk,
            Body::Azure(change) => change.risk(),
            Body::End(end) => end.risk(),
            Body::Manual => Risk::Safe,
        }
    }

    /// Whether there is anything that this program can run.
    pub fn can_run(&self) -> bool {
        match &self.body {
            Body::Node(_) | Body::Cluster(_) | Body::End(_) => true,
            Body::Azure(change) => change.installed,
            Body::Manual => false,
        }
    }

    /// What must be typed before it runs: the name of the node, of the cluster's context, or of the Azure resource. None where
    /// a plain yes is enough.
    pub fn to_be_typed(&self) -> Option<&str> {
        let name = match &self.body {
            Body::Cluster(change) => change.context.as_str(),
            Body::Azure(change) => change.name.as_str(),
            Body::Node(_) | Body::End(_) | Body::Manual => {
                self.plan.target.strip_prefix("node/").unwrap_or(&self.plan.target)
            }
        };
        (self.risk() > Risk::Safe).then_some(name)
    }

    pub(super) fn of_end(plan: Plan, end: End, steps: Vec<Step>) -> Self {
        let digest = sha256(format!("{plan:?}\n{steps:?}\n{end:?}").as_bytes());
        Prepared { plan, body: Body::End(Box::new(end)), steps, digest, undoes: None, drain: None }
    }

    pub(super) fn of_change(plan: Plan, change: NodeChange) -> Self {
        let steps = steps(&change);
        let digest = digest(&plan, &steps, &change);
        Prepared { plan, body: Body::Node(Box::new(change)), steps, digest, undoes: None, drain: None }
    }

    pub(super) fn of_cluster(plan: Plan, change: ClusterChange) -> Self {
        let keep = "Keep each object as it is now in a file beside the journal, for you alone";
        let mut steps = vec![Step::new(keep, Vec::new())];
        steps.extend(change.steps().into_iter().map(|(what, command, diff)| Step {
            what,
            commands: vec![command],
            diff: Some(diff),
            part: Part::Other,
        }));
        let check = "Read each object back as soon as it was changed; stop at the first that is not as it should be";
        steps.push(Step::new(check, Vec::new()));
        if !plan.is_for_upgrades() {
            steps.push(Step::new("Look at the cluster again and judge what it was about", Vec::new()));
        }
        let digest = sha256(format!("{plan:?}\n{steps:?}\n{change:?}").as_bytes());
        Prepared { plan, body: Body::Cluster(change), steps, digest, undoes: None, drain: None }
    }

    pub(super) fn of_azure(plan: Plan, change: AzureChange) -> Self {
        let mut steps: Vec<Step> =
            change.steps().into_iter().map(|(what, command)| Step::new(what, vec![command])).collect();
        steps.push(Step::new("Look at the cluster again and judge what it was about", Vec::new()));
        let digest = sha256(format!("{plan:?}\n{steps:?}\n{change:?}").as_bytes());
        Prepared { plan, body: Body::Azure(change), steps, digest, undoes: None, drain: None }
    }

    pub(super) fn manual(plan: Plan) -> Self {
        let steps = match &plan.work {
            Work::Manual(words) => words.iter().map(|words| Step::new(words.clone(), Vec::new())).collect(),
            Work::Node(_) | Work::Cluster(_) | Work::Azure(_) => Vec::new(),
        };
        let digest = digest(&plan, &steps, &NodeChange::default());
        Prepared { plan, body: Body::Manual, steps, digest, undoes: None, drain: None }
    }
}

/// Settings of a run that a person may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// Seconds that the switch leaves. None: the usual, beyond the time of the check.
    pub delay: Option<u32>,
}

/// Makes a plan exact: reads the target's fresh state by a fresh login, changes nothing. A plan whose change is already
/// in place, whose files may not be touched, or whose component would refuse it, is refused with a sentence.
pub fn prepare(plan: Plan, reach: Option<&dyn Reach>, ask: &dyn Ask, choices: Choices) -> Result<Prepared, Refusal> {
    let ops = match &plan.work {
        Work::Node(ops) => ops,
        Work::Manual(_) => return Ok(Prepared::manual(plan)),
        Work::Cluster(_) | Work::Azure(_) => {
            return Err(Refusal::new(
                "this changes the cluster and no node, and the cluster was not named. Name it with --context",
            ));
        }
    };
    let Some(reach) = reach else {
        return Err(Refusal::new(format!(
            "{} is not reached by SSH or as this machine, so nothing can be changed on it. Name it with --node",
            plan.target
        )));
    };
    let channel = reach.login(ask).map_err(|error| Refusal::new(error.message))?;
    let mut node = Node { name: reach.node(), channel, limits: reach.limits(), ask };
    let mut wants: Vec<Want> = ops.iter().flat_map(super::recipe::NodeOp::wants).collect();
    wants.sort();
    wants.dedup();
    let fresh = node.read(&wants)?;
    let mut change = NodeChange::default();
    for op in ops {
        change.add(op.change(&fresh)?);
    }
    if change.is_empty() && !change.why.is_empty() {
        return Err(Refusal::new(format!("{}: {}", reach.node(), change.why.join(". "))));
    }
    if change.is_empty() {
        return Err(Refusal::new(format!("{}: everything is as it should be already. Scan again", reach.node())));
    }
    if let Some(path) = change.repeated() {
        return Err(Refusal::new(format!(
            "{path} would be changed by two remedies at once. Take them one after the other"
        )));
    }
    change.private |= change.files.iter().any(holds_secret);
    for validate in change.validate.clone() {
        if let Validate::Sshd { sshd, main, wants, connections } = validate {
            let dumps = node.try_sshd(&change, &sshd, &main, &connections)?;
            effective(reach.node(), &dumps, &connections, &wants)?;
        }
    }
    let mut plan = plan;
    plan.notes.extend(known_to_the_cluster(&mut change, reach));
    change.delay = switch(&change, choices);
    plan.notes.extend(super::behind::remarks(reach, &change)?);
    Ok(Prepared::of_change(plan, change))
}

/// Seconds of the switch: none where nothing is interrupted; else what the check may take and some more.
pub(super) fn switch(change: &NodeChange, choices: Choices) -> u32 {
    match (change.risk, choices.delay) {
        (Risk::Safe, _) => 0,
        _ if change.one_way => 0,
        (_, Some(delay)) => delay.max(1),
        (_, None) if change.proof == Proof::Console => super::change::WALK.saturating_add(change.within),
        (_, None) => {
            let heard = if change.reports_as.is_some() { HEARD_WITHIN } else { 0 };
            super::change::DELAY.saturating_add(change.within).saturating_add(heard)
        }
    }
}

fn steps(change: &NodeChange) -> Vec<Step> {
    let mut steps = Vec::new();
    if change.files.iter().any(|file| !file.is_attributes()) {
        let what = format!("Keep a copy of what is changed, on the node, for root alone ({}/...)", super::node::STATE);
        steps.push(Step::new(what, Vec::new()));
    }
    for folder in &change.folders {
        let what = format!("Make the folder {folder} for root alone, unless it is there; it stays, whatever comes");
        steps.push(Step::new(what, vec![NodeChange::make_folder(folder)]));
    }
    for validate in &change.validate {
        let what = match validate {
            Validate::Keep { what, at, .. } => format!(
                "Before anything changes: keep {what}, on the node, for root alone ({}); where that fails nothing is changed",
                super::change::kept_at(at)
            ),
            Validate::Sshd { .. } | Validate::Line { .. } => {
                "Before anything changes: check that it will be accepted".to_owned()
            }
        };
        steps.push(Step::new(what, vec![validate.in_words()]));
    }
    if change.delay > 0 {
        // What the switch would run is shown too: nothing runs that was not.
        let then = match (change.before_back.is_empty(), change.deactivate.is_empty()) {
            (true, true) => "",
            (true, false) => "; with the old files back it runs",
            (false, _) => {
                " (its time begins anew then); around that it runs these, and where the first ones fail the new state stays, and can \
                 be taken back later"
            }
        };
        let arm = Step::new(
            format!(
                "Arm a switch on the node: unless this program says within {} seconds that all is well, the node puts the old \
                 state back by itself, also after a restart{then}",
                change.delay
            ),
            change.before_back.iter().chain(&change.deactivate).cloned().collect(),
        );
        steps.push(arm.with_part(Part::Arm));
    }
    if !change.before_change.is_empty() {
        let what = "Before a file changes: do this; where it fails, nothing more is done";
        steps.push(Step::new(what, change.before_change.clone()));
    }
    for (number, file) in change.files.iter().enumerate() {
        let commands = file.command().into_iter().collect();
        steps.push(Step { what: file.in_words(), commands, diff: diff(file), part: Part::File(number) });
    }
    if !change.activate.is_empty() {
        steps.push(Step::new("Make it effective", change.activate.clone()).with_part(Part::Activate));
    }
    if !change.holds.is_empty() {
        let else_what = if change.one_way { "say so" } else { "put the old state back" };
        let what = format!("Wait until it works, {} seconds at most; else {else_what}", change.within);
        steps.push(Step::new(what, change.holds.clone()));
    }
    if change.delay == 0 && !change.deactivate.is_empty() {
        let what = "Only where that fails: with the old files back, run this";
        steps.push(Step::new(what, change.deactivate.clone()));
    }
    if let Some(node) = &change.reports_as {
        let what = format!(
            "Wait until the cluster hears of its node {node} again, {HEARD_WITHIN} seconds at most; else put the old state back"
        );
        steps.push(Step::new(what, Vec::new()));
    }
    if change.delay > 0 {
        let proof = match change.proof {
            Proof::Login => "Log in a second time, afresh; only when that works, disarm the switch",
            Proof::Console => {
                "Show a code at the node's console, and nowhere else; only when you have typed it here, disarm the switch"
            }
        };
        steps.push(Step::new(proof, Vec::new()).with_part(Part::Proof));
    }
    let again = "Look at the node again and judge what it was about";
    steps.push(Step::new(again, Vec::new()).with_part(Part::Again));
    steps
}

/// The unified diff of a file whose contents change.
fn diff(file: &FileChange) -> Option<String> {
    if file.is_attributes() {
        return None;
    }
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let (from, to) = (
        if file.before == super::change::State::Absent { "/dev/null" } else { &file.path },
        if file.after == super::change::State::Absent { "/dev/null" } else { &file.path },
    );
    Some(unified(&text(&file.was), &text(&file.contents), from, to))
}

fn digest(plan: &Plan, steps: &[Step], change: &NodeChange) -> String {
    let contents: Vec<String> =
        change.files.iter().map(|file| file.contents.as_deref().map_or_else(String::new, sha256)).collect();
    sha256(format!("{plan:?}\n{steps:?}\n{change:?}\n{contents:?}").as_bytes())
}

#[cfg(test)]
#[path = "prepare_tests.rs"]
mod tests;
