//! A restart with a new text that went wrong: the old text comes back at once, and the pods are made anew with it.

use super::act::{Act, How};
use super::run::one;
use super::{now, text, undo};
use crate::kubeapi::{Api, Seen};
use crate::remedy::Done;
use crate::remedy::log::Log;
use crate::remedy::run::Told;
use crate::store::Outcome;

/// Puts the texts among `done` back, the last first, and makes the restart once more. Gives the outcome and a sentence. `why`:
/// what went wrong before.
pub(super) async fn texts(
    api: &Api,
    context: &str,
    done: &[&Act],
    restart: &Act,
    why: &str,
    log: &mut Log<'_>,
    tell: &dyn Fn(Told),
) -> (Outcome, String) {
    let entry = log.entry.clone();
    let failed = |more: String| {
        (
            Outcome::Failed,
            format!("{why}. The old text could not be put back: {more}. Try it again: sitewarden undo {entry}"),
        )
    };
    let mut ways: Vec<Act> = Vec::new();
    for act in done.iter().rev().filter(|act| matches!(act.how, How::Text { .. })) {
        let object = match now(api, &act.place).await {
            Ok(object) => object,
            Err(error) => return failed(error.message),
        };
        if !act.same(object.as_ref(), act.after.as_ref()) {
            return failed(format!("{} has changed since", act.name()));
        }
        let how = match undo::inverse(act, object.as_ref()) {
            Ok(how) => how,
            Err(refusal) => return failed(refusal.0),
        };
        let seen = object.as_ref().and_then(Seen::of);
        ways.push(Act { place: act.place.clone(), how, seen, before: act.after.clone(), after: act.before.clone() });
    }
    if ways.is_empty() {
        return (Outcome::Failed, format!("{why}. There was no text to put back"));
    }
    let again = match &restart.how {
        How::Restart { within, .. } => How::Restart { at: text::restarted_at(), within: *within },
        other => other.clone(),
    };
    let seen = now(api, &restart.place).await.ok().flatten().as_ref().and_then(Seen::of);
    let mut last = Act { how: again, seen, ..restart.clone() };
    ways.push(last.clone());
    for way in &ways {
        let line = way.command(context);
        tell(Told::Runs(line.clone()));
        if matches!(way.how, How::Restart { .. }) {
            // What it will be is known when it is made: the time alone is new.
            last.after = way.make(api, way.seen.as_ref(), true).await.ok().flatten();
        }
        let act = if matches!(way.how, How::Restart { .. }) { &last } else { way };
        match one(api, act, act.seen.as_ref(), &|said| tell(Told::Says(said))).await {
            Ok(_) => {
                log.step(format!("Put back: {}", way.in_words()), None, "");
                tell(Told::Done(Done::Ran { line, status: 0, said: String::new() }));
            }
            Err((stopped, _)) => {
                log.step(format!("Put back: {}: stopped", way.in_words()), None, stopped.why.clone());
                tell(Told::Done(Done::Ran { line, status: 1, said: stopped.why.clone() }));
                return failed(stopped.why);
            }
        }
    }
    (Outcome::Reverted, format!("{why}. The old text is back, and its pods run with it"))
}
