//! An entry that has no end in the journal: its target is looked at, a person says how it ends, and that is confirmed and
//! carried out as any other plan.

use super::super::app::{App, Screen};
use super::super::msg::Effect;
use super::super::standing::Standing;
use super::super::work::{Phase, Remembered, Work};
use super::remedy::{say, show, visit, who_here};
use crate::assess::Verdict;
use crate::remedy::{Found, Open, Refusal};
use jiff::Timestamp;

/// Begins to look at the target of an entry.
pub(super) fn look_at(app: &mut App, entry: &str) -> Vec<Effect> {
    let Some(Ok(entries)) = &app.journal else { return Vec::new() };
    let Some(known) = entries.iter().find(|known| known.id == entry) else { return Vec::new() };
    // How it stood before the entry nobody knows any more.
    let before = known.controls().iter().map(|control| (control.clone(), Verdict::Unknown)).collect();
    let (title, target) = (known.title().to_owned(), known.target().to_owned());
    app.works += 1;
    app.work = Some(Work {
        serial: app.works,
        title,
        target,
        before,
        plans: Default::default(),
        refused: Vec::new(),
        done: false,
        memory: None,
        standing: Some(Standing::of(entry)),
        phase: Phase::Preparing,
    });
    show(app);
    let who = who_here(app);
    vec![Effect::LookAt { serial: app.works, entry: entry.to_owned(), visit: Box::new(visit(app)), who }]
}

/// It was looked at.
pub(super) fn found(
    app: &mut App,
    serial: u64,
    at: Timestamp,
    result: Result<Box<Found>, Refusal>,
    trouble: Option<String>,
    memory: Remembered,
) -> Vec<Effect> {
    let waiting = |work: &&mut Work| work.serial == serial && matches!(work.phase, Phase::Preparing);
    let Some(work) = app.work.as_mut().filter(waiting) else {
        app.changed = false;
        // Its end may have been written all the same.
        return vec![Effect::Journal];
    };
    work.memory = Some(memory);
    if trouble.is_some() {
        app.trouble = trouble;
    }
    let words = match result.map(|found| *found) {
        Ok(Found::Open(open)) => return decide(work, at, open),
        Ok(Found::Ended(outcome, note)) => {
            format!("It has ended: {}. {note}. The journal has its end now.", outcome.words())
        }
        Ok(Found::UnderWay) => {
            "It is still under way there. Go back with Esc, and press u again in a while.".to_owned()
        }
        Err(refusal) => refusal.0,
    };
    work.phase = Phase::Told(words);
    vec![Effect::Journal]
}

/// A person has to say how it ends.
fn decide(work: &mut Work, at: Timestamp, open: Open) -> Vec<Effect> {
    let Open { words, left, ways, no_way_back } = open;
    let mut ways = ways.into_iter();
    let Some(first) = ways.next() else {
        work.phase = Phase::Told(format!("{words}. {}", no_way_back.unwrap_or_default()));
        return Vec::new();
    };
    if let Some(standing) = &mut work.standing {
        standing.words = words;
        standing.switch = left.map(|seconds| (at, seconds));
        standing.left = left.unwrap_or(0);
        standing.other = ways.next().map(Box::new);
        standing.no_way_back = no_way_back;
    }
    work.phase = Phase::Shown(Box::new(first));
    if left.is_some() { vec![Effect::Tick(work.serial)] } else { Vec::new() }
}

/// Shows the other way to end it.
pub(super) fn other_way(app: &mut App) -> Vec<Effect> {
    let way = app.work.as_mut().and_then(|work| match (&mut work.phase, &mut work.standing) {
        (Phase::Shown(shown), Some(Standing { other: Some(other), .. })) => Some((shown, other)),
        _ => None,
    });
    let Some((shown, other)) = way else { return say(app, "There is no other way here.") };
    std::mem::swap(shown, other);
    if let Some(Screen::Plan(top)) = app.screens.last_mut() {
        *top = 0;
    }
    Vec::new()
}

impl App {
    /// The other way to end the entry that is looked at.
    pub(in crate::tui) fn other_way(&self) -> Option<&crate::remedy::Prepared> {
        self.work.as_ref()?.standing.as_ref()?.other.as_deref()
    }
}
