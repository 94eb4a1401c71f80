//! Putting right: gathering findings, the plans for them, carrying out what was confirmed, looking again.

use super::super::app::{App, Screen, Source};
use super::super::keys::Action;
use super::super::msg::{Effect, Wanted};
use super::super::rows;
use super::super::target::State;
use super::super::work::{Change, Phase, Remembered, Work};
use super::{confirm, resume};
use crate::assess::{Finding, Verdict};
use crate::remedy::{Confirmed, Prepared, Ran, Reach as _, Refusal, Told, Who};
use crate::store::Outcome;
use crate::visit::{NodeReach, Visit, offer, who};
use jiff::Timestamp;

/// A key about remedies, wherever it was pressed.
pub(super) fn act(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Mark => mark(app),
        Action::Remedy => choose(app),
        Action::Run => confirm::propose(app),
        Action::Save => save(app),
        Action::Drain => drain(app),
        Action::NextPlan => next(app),
        Action::OtherWay => resume::other_way(app),
        _ => {
            app.changed = false;
            Vec::new()
        }
    }
}

pub(super) fn say(app: &mut App, notice: &str) -> Vec<Effect> {
    app.notice = Some(notice.to_owned());
    Vec::new()
}

/// The failing findings that the cursor is on: control and target.
fn at_hand(app: &App) -> Vec<(String, String)> {
    match (app.screen(), &app.assessment) {
        (Some(Screen::Controls(list)), Some(assessment)) => {
            let Some(row) = list.rows.get(list.cursor.at) else { return Vec::new() };
            let targets = rows::failing(assessment, &app.groups, list, &row.control);
            targets.into_iter().map(|target| (row.control.clone(), target)).collect()
        }
        (Some(Screen::Finding(detail)), _) if app.failing_at_hand() => {
            vec![(detail.control.clone(), detail.target.clone())]
        }
        _ => Vec::new(),
    }
}

const NOT_FAILING: &str = "Only what fails can be put right.";

fn mark(app: &mut App) -> Vec<Effect> {
    let findings = at_hand(app);
    if findings.is_empty() {
        return say(app, NOT_FAILING);
    }
    if findings.iter().all(|finding| app.marks.contains(finding)) {
        app.marks.retain(|marked| !findings.contains(marked));
    } else {
        app.marks.extend(findings);
    }
    let marked = match app.marks.len() {
        0 => "Nothing is marked.".to_owned(),
        1 => "1 finding is marked. f shows the plan.".to_owned(),
        many => format!("{many} findings are marked. f shows the plan."),
    };
    say(app, &marked)
}

/// Back to the change that is under way; else the plans for what is marked, or for what the cursor is on.
fn choose(app: &mut App) -> Vec<Effect> {
    let elsewhere = !matches!(app.screen(), Some(Screen::Controls(_) | Screen::Finding(_)));
    if app.work.as_ref().is_some_and(|work| elsewhere || !work.settled()) {
        return show(app);
    }
    let here = at_hand(app);
    let mut wanted: Vec<(String, String)> = app.marks.iter().cloned().collect();
    if matches!(app.screen(), Some(Screen::Finding(_))) || wanted.is_empty() {
        wanted.extend(here);
    }
    let (Some(assessment), Some(evidence)) = (app.assessment.clone(), app.evidence.clone()) else {
        return say(app, "Nothing has been assessed yet.");
    };
    let is_wanted = |finding: &&Finding| {
        let names = |(control, target): &(String, String)| *control == finding.control && *target == finding.target;
        finding.verdict == Verdict::Fail && wanted.iter().any(names)
    };
    let findings: Vec<&Finding> = assessment.findings.iter().filter(is_wanted).collect();
    if findings.is_empty() {
        return say(app, NOT_FAILING);
    }
    if !app.marks.is_empty() {
        let many = if findings.len() == 1 { "finding" } else { "findings" };
        app.notice = Some(format!("For the {} {many} gathered by marks.", findings.len()));
    }
    let (plans, refused) = offer(&findings, &evidence, &app.catalog);
    app.works += 1;
    let refused = refused.into_iter().map(|(what, why)| (what, why.0)).collect();
    app.work = Some(Work {
        serial: app.works,
        title: String::new(),
        target: String::new(),
        before: Vec::new(),
        plans: plans.into(),
        refused,
        done: false,
        memory: None,
        standing: None,
        phase: Phase::Refused(String::new()),
    });
    show(app);
    prepare(app)
}

/// Brings the page of the work to the front.
pub(super) fn show(app: &mut App) -> Vec<Effect> {
    app.screens.retain(|screen| !matches!(screen, Screen::Plan(_)));
    app.screens.push(Screen::Plan(0));
    Vec::new()
}

/// The next plan of the work: its target's fresh state is read.
fn prepare(app: &mut App) -> Vec<Effect> {
    let visit = Box::new(visit(app));
    let choices = app.chosen;
    let verdicts = |app: &App, controls: &[String], target: &str| {
        controls.iter().map(|name| (name.clone(), app.verdict(name, target).unwrap_or(Verdict::Unknown))).collect()
    };
    let Some(plan) = app.work.as_mut().and_then(|work| work.plans.pop_front()) else { return Vec::new() };
    let before = verdicts(app, &plan.controls, &plan.target);
    let Some(work) = &mut app.work else { return Vec::new() };
    work.title.clone_from(&plan.title);
    work.target.clone_from(&plan.target);
    work.before = before;
    if plan.is_for_upgrades() && !work.done {
        let why = "This lets an upgrade keep what was changed on the nodes, and none of their plans was carried out yet. Do that first, then \
                   choose the same findings again.";
        work.phase = Phase::Refused(why.to_owned());
        return Vec::new();
    }
    work.phase = Phase::Preparing;
    let memory = work.memory.clone();
    vec![Effect::Prepare { serial: work.serial, what: Wanted::Plan(Box::new(plan)), visit, choices, memory }]
}

/// The plan that takes an entry of the journal back.
pub(super) fn undo(app: &mut App, entry: &str) -> Vec<Effect> {
    if app.work.as_ref().is_some_and(|work| !work.settled()) {
        return say(app, "Something is being changed. f shows it.");
    }
    let Some(Ok(entries)) = &app.journal else { return Vec::new() };
    let Some(known) = entries.iter().find(|known| known.id == entry) else { return Vec::new() };
    let target = known.target().to_owned();
    let (title, controls) = (format!("Take back: {}", known.title()), known.controls().to_vec());
    if !app.live() || !app.reaches(&target) {
        return say(app, &format!("{target} is not looked at now. Start with --node, or: sitewarden undo {entry}"));
    }
    if known.is_open() {
        return resume::look_at(app, entry);
    }
    // What of the cluster was changed in part lies beside the journal, and can be taken back.
    let in_part = target == CLUSTER && matches!(known.outcome(), Some(Outcome::Failed | Outcome::Unknown));
    if known.undone_by.is_some() || !(in_part || known.outcome() == Some(Outcome::Done)) {
        return say(app, "There is nothing to take back: it is not in force any more.");
    }
    let before = controls
        .into_iter()
        .map(|name| {
            let verdict = app.verdict(&name, &target).unwrap_or(Verdict::Unknown);
            (name, verdict)
        })
        .collect();
    app.works += 1;
    app.work = Some(Work {
        serial: app.works,
        title,
        target: target.clone(),
        before,
        plans: Default::default(),
        refused: Vec::new(),
        done: false,
        memory: None,
        standing: None,
        phase: Phase::Preparing,
    });
    show(app);
    let what = Wanted::Undo { entry: entry.to_owned(), target };
    let visit = Box::new(visit(app));
    vec![Effect::Prepare { serial: app.works, what, visit, choices: app.chosen, memory: None }]
}

/// Id of the cluster among the targets.
pub(super) const CLUSTER: &str = "cluster";

/// The cluster and all nodes, and how they are reached, without anything else that is read.
pub(super) fn visit(app: &App) -> Visit {
    let targets = app.nodes.iter().filter_map(|node| node.target.clone()).collect();
    let cluster = app.cluster.as_ref().and_then(|known| known.visit.clone());
    Visit { targets, cluster, endpoints: false, before: None, ..app.visit.clone() }
}

/// A plan is ready, or not.
pub(super) fn prepared(
    app: &mut App,
    serial: u64,
    result: Result<Box<Prepared>, Refusal>,
    memory: Remembered,
) -> Vec<Effect> {
    let waiting = |work: &&mut Work| work.serial == serial && matches!(work.phase, Phase::Preparing);
    match app.work.as_mut().filter(waiting) {
        Some(work) => {
            work.memory = Some(memory);
            work.phase = match result {
                Ok(prepared) => Phase::Shown(prepared),
                Err(refusal) => Phase::Refused(refusal.0),
            };
        }
        None => app.changed = false,
    }
    Vec::new()
}

/// Asks for the plan with its node emptied first.
fn drain(app: &mut App) -> Vec<Effect> {
    if !app.live() || !app.shown_plan().is_some_and(Prepared::may_be_emptied) {
        return say(app, "There is nothing here that the node would be emptied for.");
    }
    let visit = Box::new(visit(app));
    let (Some(evidence), Some(work)) = (app.evidence.clone(), &mut app.work) else { return Vec::new() };
    match std::mem::replace(&mut work.phase, Phase::Preparing) {
        Phase::Shown(prepared) => vec![Effect::Drain { serial: work.serial, prepared, visit, evidence }],
        other => {
            work.phase = other;
            Vec::new()
        }
    }
}

/// The plan is back, with its node emptied first or not.
pub(super) fn emptied(app: &mut App, serial: u64, prepared: Box<Prepared>, refused: Option<String>) -> Vec<Effect> {
    let waiting = |work: &&mut Work| work.serial == serial && matches!(work.phase, Phase::Preparing);
    match app.work.as_mut().filter(waiting) {
        Some(work) => {
            work.phase = Phase::Shown(prepared);
            if let Some(Screen::Plan(top)) = app.screens.last_mut() {
                *top = 0;
            }
            match refused {
                Some(why) => app.trouble = Some(why),
                None => app.notice = Some("The node is emptied first now. Look at the plan again.".to_owned()),
            }
        }
        None => app.changed = false,
    }
    Vec::new()
}

fn save(app: &mut App) -> Vec<Effect> {
    match app.shown_plan().filter(|plan| plan.ends().is_none()) {
        Some(prepared) => vec![Effect::Save(Box::new(prepared.clone()))],
        None => say(app, "There is no plan here that could be saved."),
    }
}

/// The plan behind the one that is shown.
fn next(app: &mut App) -> Vec<Effect> {
    if !app.work.as_ref().is_some_and(Work::may_go_on) {
        let stopped = app.work.as_ref().is_some_and(|work| !work.plans.is_empty() && !work.running());
        let why = if stopped { "It stops here, since this one is not done." } else { "There is no other plan." };
        return say(app, why);
    }
    if let Some(Screen::Plan(top)) = app.screens.last_mut() {
        *top = 0;
    }
    prepare(app)
}

/// Who sits here, at which site. An entry without an end may be ended before the site was read.
pub(super) fn who_here(app: &App) -> Who {
    let seat = &app.visit.seat;
    let unread = || Who { operator: seat.user.clone(), seat: seat.host.clone(), site: app.visit.site.name.clone() };
    app.evidence.as_ref().map_or_else(unread, |evidence| who(&app.visit, evidence))
}

/// What was confirmed is carried out.
pub(super) fn run(app: &mut App, confirmed: Confirmed<Prepared>) -> Vec<Effect> {
    let visit = Box::new(visit(app));
    let who = who_here(app);
    let Some(work) = &mut app.work else { return Vec::new() };
    let Some(memory) = work.memory.clone() else { return Vec::new() };
    let before = crate::tui::doc::verdicts(&work.before);
    work.phase = Phase::Running(Box::new(Change::new(confirmed.get().clone())));
    if let Some(Screen::Plan(top)) = app.screens.last_mut() {
        *top = 0;
    }
    vec![Effect::Run { serial: work.serial, confirmed: Box::new(confirmed), visit, who, before, memory }]
}

/// The change of this work that is under way.
fn running(app: &mut App, serial: u64) -> Option<&mut Change> {
    match app.work.as_mut().filter(|work| work.serial == serial).map(|work| &mut work.phase) {
        Some(Phase::Running(change)) => Some(change),
        _ => None,
    }
}

/// A change came a step further.
pub(super) fn told(app: &mut App, serial: u64, at: Timestamp, told: Told) -> Vec<Effect> {
    let Some(change) = running(app, serial) else {
        app.changed = false;
        return Vec::new();
    };
    let counting = change.armed.is_some();
    change.told(at, told);
    // From the moment that the switch is armed somebody tells the time, once a second.
    if change.armed.is_some() && !counting { vec![Effect::Tick(serial)] } else { Vec::new() }
}

/// A second has gone.
pub(super) fn tick(app: &mut App, serial: u64, at: Timestamp) -> Vec<Effect> {
    let waits = match app.work.as_mut().filter(|work| work.serial == serial) {
        Some(Work { phase: Phase::Running(change), .. }) => Some(change.tick(at)),
        Some(Work { phase: Phase::Shown(_), standing: Some(standing), .. }) => Some(standing.tick(at)),
        _ => None,
    };
    match waits {
        Some(true) => vec![Effect::Tick(serial)],
        Some(false) => Vec::new(),
        None => {
            app.changed = false;
            Vec::new()
        }
    }
}

/// A change has ended: its node is read again.
pub(super) fn ran(
    app: &mut App,
    serial: u64,
    result: Result<Box<Ran>, Refusal>,
    trouble: Option<String>,
) -> Vec<Effect> {
    if running(app, serial).is_none() {
        app.changed = false;
        return Vec::new();
    }
    app.leaving = None;
    let base = visit(app);
    let evidence = app.evidence.clone();
    let seen = matches!(app.screen(), Some(Screen::Plan(_)));
    let run = app.run + 1;
    let Some(work) = &mut app.work else { return Vec::new() };
    let Phase::Running(mut change) = std::mem::replace(&mut work.phase, Phase::Preparing) else { return Vec::new() };
    change.ended(result.as_ref().map(Box::as_ref), trouble);
    change.again = match change.prepared.plan().node() {
        Some(node) => NodeReach::of(&base, node).map_or(String::new(), |reach| reach.again()),
        None => " --context NAME".to_owned(),
    };
    if !seen {
        let word = crate::tui::work::in_words(change.end.as_ref().and_then(|end| end.outcome));
        app.notice = Some(format!("{}: {word}. f on the overview shows it.", work.target));
    }
    let judged = !change.prepared.plan().is_for_upgrades();
    work.done |= judged && matches!(&result, Ok(ran) if ran.outcome == Outcome::Done);
    work.phase = Phase::Over(change);
    let (target, before, memory) = (work.target.clone(), work.before.clone(), work.memory.clone());
    let (Ok(ran), Some(memory)) = (result, memory) else { return Vec::new() };
    let name = target.strip_prefix("node/");
    // A change of the cluster may put right what is judged at its nodes.
    let nodes_too = judged && name.is_none() && before.iter().any(|(control, _)| app.catalog.is_of_nodes(control));
    let meant = |of: &str| nodes_too || Some(of) == name;
    for node in app.nodes.iter_mut().filter(|node| node.target.is_some() && meant(&node.name)) {
        (node.state, node.run) = (State::Waiting, run);
        node.warnings.clear();
    }
    let mut cluster = None;
    if let (None, Some(known)) = (name, app.cluster.as_mut()) {
        (known.state, known.run) = (State::Waiting, run);
        known.step.clear();
        cluster.clone_from(&known.visit);
    }
    app.run = run;
    let targets = base.targets.iter().filter(|node| meant(&node.name)).cloned().collect();
    let visit = Box::new(Visit { targets, cluster, ..base });
    vec![Effect::Look { serial, run, visit, evidence, target, before, ran, memory }, Effect::Journal]
}

/// What was changed was looked at again.
pub(super) fn looked(
    app: &mut App,
    serial: u64,
    after: Vec<(String, Verdict)>,
    trouble: Option<String>,
) -> Vec<Effect> {
    match app.work.as_mut().filter(|work| work.serial == serial).map(|work| &mut work.phase) {
        Some(Phase::Over(change)) => change.looked(after, trouble),
        _ => app.changed = false,
    }
    vec![Effect::Journal]
}

/// The page of the work is left: what has ended is done with; what runs goes on.
pub(super) fn left(app: &mut App) {
    if app.work.as_ref().is_some_and(Work::settled) {
        app.work = None;
    }
}

/// Another site is looked at: nothing of the old one is put right any more, and changes are as the command line has it.
/// What runs goes on, and is told of.
pub(super) fn forget(app: &mut App) {
    app.marks.clear();
    app.armed = app.allowed && matches!(app.source, Source::Live | Source::Nothing);
    app.confirm = None;
    app.arming = None;
    if !app.work.as_ref().is_some_and(Work::running) {
        app.work = None;
    }
}

/// What was marked and does not fail any more is not marked.
pub(super) fn settle_marks(app: &mut App) {
    let marks = std::mem::take(&mut app.marks);
    let fails = |(control, target): &(String, String)| app.verdict(control, target) == Some(Verdict::Fail);
    let kept = marks.into_iter().filter(fails).collect();
    app.marks = kept;
}

/// A job of a work failed by a defect: nothing more comes of it.
pub(super) fn gave_up(app: &mut App, serial: u64) {
    const WHY: &str = "The program failed meanwhile. What came of it is not known";
    let Some(work) = app.work.as_mut().filter(|work| work.serial == serial) else { return };
    work.phase = match std::mem::replace(&mut work.phase, Phase::Preparing) {
        Phase::Preparing => Phase::Refused("The program failed while it made the plan.".to_owned()),
        Phase::Running(mut change) => {
            change.ended(Err(&Refusal::new(WHY)), None);
            if let Some(end) = &mut change.end {
                end.outcome = Some(Outcome::Unknown);
            }
            Phase::Over(change)
        }
        other => other,
    };
    app.leaving = None;
}
