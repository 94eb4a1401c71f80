//! One control at one target.

use super::binding::Touch;
use super::evaluate::{Answer, Scope};
use super::shown::{Origin, in_words, one_line, plain};
use super::{Finding, Shown, Verdict, each};
use crate::catalog::{Conditions, Control};
use crate::evidence::{ProbeError, Reading, Reason};
use std::collections::HashMap;
use std::sync::Arc;

/// Most values that a sentence tells.
const TOLD: usize = 2;
/// Longest message, in characters; what a control asks a person may be several sentences.
const MESSAGE: usize = 4_000;

/// What a target's controls are asked of.
pub(super) struct Subject<'r> {
    /// Id of the target.
    pub(super) target: &'r str,
    /// `node`, `site`, `policy` with their evidence.
    pub(super) roots: Vec<(&'static str, &'r Reading)>,
    /// Where values come from that do not say it.
    pub(super) origin: Origin,
    /// What went wrong where the target was not reached.
    pub(super) lost: Option<ProbeError>,
}

impl Subject<'_> {
    fn at(&self, path: &str) -> Option<Reading> {
        let (root, below) = path.split_once('.').unwrap_or((path, ""));
        self.roots.iter().find(|(name, _)| *name == root).map(|(_, reading)| reading.at(below))
    }
}

/// A control that is asked, with what all of its findings have in common.
pub(super) struct Asked<'c> {
    pub(super) control: &'c Control,
    conditions: &'c Conditions,
    blank: Finding,
    /// The paths that go with a finding, and not with an item of it.
    shows: Vec<Arc<str>>,
}

impl<'c> Asked<'c> {
    pub(super) fn of(control: &'c Control, conditions: &'c Conditions) -> Self {
        let shows = control.shows.iter().filter(|path| !path.starts_with("item"));
        let blank = Finding::of(control, "", Verdict::Unknown, "");
        Asked { control, conditions, blank, shows: shows.map(|path| path.as_str().into()).collect() }
    }

    /// A finding of it with no evidence yet.
    fn finding(&self, target: &str, verdict: Verdict, message: &str) -> Finding {
        let (target, message) = (target.to_owned(), plain(&one_line(message), MESSAGE));
        Finding { target, verdict, message, ..self.blank.clone() }
    }
}

/// What the `when` of a subject's controls said, by its text: many controls have the same.
pub(super) type Whens<'c> = HashMap<&'c str, Answer>;

/// Judges a control. `scope` is the subject's, bound once for all of its controls; `list` is what `each` names; `whens` is
/// for all controls of the subject.
pub(super) fn judge<'r, 'c>(
    asked: &Asked<'c>,
    subject: &Subject<'r>,
    scope: &Scope<'r>,
    list: Option<&'r Reading>,
    whens: &mut Whens<'c>,
) -> Finding {
    let (control, conditions) = (asked.control, asked.conditions);
    let finding = |verdict: Verdict, message: &str| asked.finding(subject.target, verdict, message);
    let shows = || asked.shows.iter().filter_map(|path| Some((path, subject.at(path)?)));
    // A person answers what no probe can see, whether or not the target could be reached.
    if conditions.expect.is_none() && (conditions.when.is_none() || subject.lost.is_some()) {
        let mut manual = finding(Verdict::Manual, control.ask.as_deref().unwrap_or_default());
        if subject.lost.is_none() {
            manual.evidence = subject.origin.all(shows(), Vec::new(), &[]);
        }
        return manual;
    }
    if let Some(error) = &subject.lost {
        let mut unknown = finding(Verdict::Unknown, &error.message);
        unknown.reason = Some(error.reason);
        return unknown;
    }
    let mut touches: &[Touch] = &[];
    if let Some(condition) = &conditions.when {
        let source = control.when.as_deref().unwrap_or_default();
        let answer = whens.entry(source).or_insert_with(|| scope.ask(condition));
        touches = &answer.touches;
        match &answer.holds {
            Ok(true) => {}
            Ok(false) => {
                let evidence = subject.origin.decisive(touches);
                let message =
                    control.otherwise.clone().unwrap_or_else(|| format!("Does not apply here: {}.", told(&evidence)));
                return Finding { evidence, ..finding(Verdict::NotApplicable, &message) };
            }
            Err(doubt) => {
                let message =
                    format!("Whether it applies here could not be told: {}.", doubt.why.trim_end_matches('.'));
                let evidence = subject.origin.all(shows(), Vec::new(), touches);
                return Finding { evidence, reason: Some(doubt.reason), ..finding(Verdict::Unknown, &message) };
            }
        }
    }
    let Some(expect) = &conditions.expect else {
        let manual = finding(Verdict::Manual, control.ask.as_deref().unwrap_or_default());
        return Finding { evidence: subject.origin.all(shows(), Vec::new(), touches), ..manual };
    };
    if let Some(path) = &control.each {
        let Some(list) = list else {
            let unknown = finding(Verdict::Unknown, &format!("The list {path} could not be read (not-visible)."));
            return Finding { reason: Some(Reason::NotVisible), ..unknown };
        };
        let asked = each::ask(control, conditions, list, scope, subject.origin);
        let mut evidence = subject.origin.all(shows(), Vec::new(), touches);
        if matches!(list.value, crate::evidence::Value::Unread(_)) {
            evidence.push(subject.origin.shown(&path.as_str().into(), list));
        }
        return Finding {
            evidence,
            reason: asked.reason,
            items: asked.items,
            items_asked: Some(asked.asked),
            ..finding(asked.verdict, &asked.message)
        };
    }
    let Answer { holds, touches: decided } = scope.ask(expect);
    let decisive = subject.origin.decisive(&decided);
    let (verdict, reason, message) = match holds {
        Ok(true) => (Verdict::Pass, None, format!("It holds: {}.", told(&decisive))),
        Ok(false) => (Verdict::Fail, None, format!("It does not hold: {}.", told(&decisive))),
        Err(doubt) => {
            let message = format!("It could not be told: {}.", doubt.why.trim_end_matches('.'));
            (Verdict::Unknown, Some(doubt.reason), message)
        }
    };
    let decided = decided.iter().zip(decisive).collect();
    Finding { evidence: subject.origin.all(shows(), decided, touches), reason, ..finding(verdict, &message) }
}

/// The values that decided, in words.
fn told(evidence: &[Shown]) -> String {
    let told: Vec<String> = evidence.iter().filter(|shown| shown.unread.is_none()).map(in_words).collect();
    match told.len() {
        0 => "the evidence says so".to_owned(),
        count if count <= TOLD => told.join(", "),
        count => {
            format!("{}, and {} more", told.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", "), count - TOLD)
        }
    }
}
