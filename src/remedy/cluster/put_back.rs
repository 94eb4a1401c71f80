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
    for way in &ways {
        if let Err(stopped) = made(api, context, way, log, tell).await {
            return failed(stopped);
        }
    }
    let How::Restart { within, .. } = &restart.how else { return failed("what failed was no restart".to_owned()) };
    let how = How::Restart { at: text::restarted_at(), within: *within };
    let seen = now(api, &restart.place).await.ok().flatten().as_ref().and_then(Seen::of);
    let mut again = Act { how, seen, ..restart.clone() };
    // What it will be the API server says: the time alone is new.
    again.after = again.make(api, again.seen.as_ref(), true).await.ok().flatten();
    match made(api, context, &again, log, tell).await {
        Ok(()) => (Outcome::Reverted, format!("{why}. The old text is back, and its pods run with it")),
        Err(stopped) => (
            Outcome::Failed,
            format!(
                "{why}. The old text is back, and its pods do not run with it yet: {stopped}. Look at them by hand"
            ),
        ),
    }
}

/// Makes one change of the way back, told and written down. `Err`: why it stopped.
async fn made(api: &Api, context: &str, way: &Act, log: &mut Log<'_>, tell: &dyn Fn(Told)) -> Result<(), String> {
    let line = way.command(context);
    tell(Told::Runs(line.clone()));
    let made =
        one(api, way, way.seen.as_ref(), &|said| tell(Told::Says(said))).await.map_err(|(stopped, _)| stopped.why);
    let said = made.as_ref().err().cloned().unwrap_or_default();
    let stopped = if made.is_err() { ": stopped" } else { "" };
    log.step(format!("Put back: {}{stopped}", way.in_words()), None, said.clone());
    tell(Told::Done(Done::Ran { line, status: i32::from(made.is_err()), said }));
    made.map(|_| ())
}
