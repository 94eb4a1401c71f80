//! Making the changes that were confirmed: one object after the other, each read back; at the first failure it stops.

use super::act::{Act, How, named};
use super::kept::{Kept, Work};
use super::show::substance;
use super::{ClusterChange, ClusterReach, azure, now, on_api, put_back, rollout};
use crate::kubeapi::{Api, ObjectPlace, Seen};
use crate::remedy::Done;
use crate::remedy::confirm::Confirmed;
use crate::remedy::log::{Log, Ran};
use crate::remedy::plan::Refusal;
use crate::remedy::prepare::{Body, Prepared};
use crate::remedy::run::{Told, Who};
use crate::remedy::words::sha256;
use crate::store::{FileChange, Outcome, Store};
use serde_json::Value;
use std::time::Duration;

/// Runs what was confirmed for the cluster or by `az`. It is in the journal before anything is changed; what came of it is
/// written by [`crate::remedy::finish`], which must be called whatever the outcome. `Err`: nothing was begun.
pub fn run_cluster(
    confirmed: Confirmed<Prepared>,
    reach: &ClusterReach,
    store: &mut Store,
    who: &Who,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    let prepared = confirmed.into_inner();
    match prepared.body() {
        Body::Cluster(change) => on_api(reach, async |api| cluster(api, &prepared, change, store, who, tell).await),
        Body::Azure(change) => azure::run(&prepared, change, store, who, tell),
        Body::Node(_) | Body::End(_) | Body::Manual => {
            Err(Refusal::new("There is nothing of the cluster that could be run"))
        }
    }
}

async fn cluster(
    api: &Api,
    prepared: &Prepared,
    change: &ClusterChange,
    store: &mut Store,
    who: &Who,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    if api.server() != change.server {
        return Err(Refusal::new(format!(
            "The context {} leads to {} now, and the plan was made for {}. Look at it again",
            change.context,
            api.server(),
            change.server
        )));
    }
    let journal = store.file().to_owned();
    let mut log = Log::begin(store, who, prepared, change.names())?;
    tell(Told::Begun(log.entry.clone()));
    let work = Work::Cluster { server: change.server.clone(), acts: change.acts.clone() };
    let plan = prepared.plan();
    match Kept::new(&log.entry, &plan.controls, &plan.title, work).write(&journal) {
        Ok(step) => log.step(step, None, ""),
        Err(error) => {
            let why = format!("What is there could not be kept beside the journal ({error}), so nothing was changed");
            return Ok(log.end(Outcome::Refused, why, Vec::new()));
        }
    }
    if let Some(trouble) = log.trouble.clone() {
        return Ok(log.end(Outcome::Refused, format!("{trouble}. Nothing was changed"), Vec::new()));
    }
    let mut done: Vec<&Act> = Vec::new();
    // An object that is changed twice is seen anew after the first time.
    let mut latest: Vec<(&ObjectPlace, Seen)> = Vec::new();
    for act in &change.acts {
        let seen = latest.iter().rev().find(|(place, _)| **place == act.place).map(|(_, seen)| seen);
        let line = act.command(&change.context);
        tell(Told::Runs(line.clone()));
        let result = one(api, act, seen.or(act.seen.as_ref()), &|said| tell(Told::Says(said))).await;
        match result {
            Ok(object) => {
                log.step(act.in_words(), None, "");
                tell(Told::Done(Done::Ran { line, status: 0, said: String::new() }));
                if let Some(seen) = object.as_ref().and_then(Seen::of) {
                    latest.push((&act.place, seen));
                }
                done.push(act);
            }
            Err((Stopped { why, known }, untouched)) => {
                log.step(format!("{}: stopped", act.in_words()), None, why.clone());
                tell(Told::Done(Done::Ran { line, status: 1, said: why.clone() }));
                if matches!(act.how, How::Restart { .. }) && known {
                    tell(Told::TakingBack(why.clone()));
                    let (outcome, note) = put_back::texts(api, &change.context, &done, act, &why, &mut log, tell).await;
                    let files = if outcome == Outcome::Reverted { Vec::new() } else { files(&done) };
                    return Ok(log.end(outcome, note, files));
                }
                let outcome = match (known, untouched && done.is_empty()) {
                    (false, _) => Outcome::Unknown,
                    (true, true) => Outcome::Refused,
                    (true, false) => Outcome::Failed,
                };
                let entry = log.entry.clone();
                let files = files(&done);
                return Ok(log.end(outcome, told(&done, act, &why, &entry), files));
            }
        }
    }
    let note = match done.len() {
        1 => "It was read back, and is as it should be".to_owned(),
        count => format!("{count} objects were changed; each was read back, and is as it should be"),
    };
    let files = files(&done);
    Ok(log.end(Outcome::Done, note, files))
}

/// Why it went no further.
pub(super) struct Stopped {
    pub(super) why: String,
    /// Whether it is known how the object stands.
    known: bool,
}

/// Makes one change and reads it back. `tell` hears how far a restart is. The second part of an error: whether the object is as
/// it was.
pub(super) async fn one(
    api: &Api,
    act: &Act,
    seen: Option<&Seen>,
    tell: &dyn Fn(String),
) -> Result<Option<Value>, (Stopped, bool)> {
    if matches!(act.how, How::Restart { .. }) {
        // The API keeps times in whole seconds, and the new pods must be seen to be younger than the text that they run with.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    let made = act.make(api, seen, false).await;
    let after = now(api, &act.place).await;
    let why = match (made, after) {
        (Ok(_), Ok(object)) if act.same(object.as_ref(), act.after.as_ref()) => {
            let How::Restart { at, within } = &act.how else { return Ok(object) };
            return match rollout::wait(api, &act.place, at, *within, tell).await {
                Ok(()) => Ok(object),
                Err(why) => Err((Stopped { why, known: true }, false)),
            };
        }
        (Ok(_), Ok(_)) => {
            let why = format!(
                "{} was changed, and is not as it should be: somebody else changes it too. Look at it by hand",
                act.name()
            );
            return Err((Stopped { why, known: true }, false));
        }
        (Ok(_), Err(error)) => format!("{} was changed, and could not be read back: {error}", act.name()),
        // The answer was lost and the change was made all the same.
        (Err(error), Ok(object)) if error.status.is_none() && act.same(object.as_ref(), act.after.as_ref()) => {
            return Ok(object);
        }
        (Err(error), Ok(_)) => return Err((Stopped { why: error.message, known: true }, true)),
        (Err(error), Err(_)) if error.status.is_some_and(|status| (400..500).contains(&status)) => {
            return Err((Stopped { why: error.message, known: true }, true));
        }
        (Err(error), Err(_)) => error.message,
    };
    Err((Stopped { why, known: false }, false))
}

fn told(done: &[&Act], act: &Act, why: &str, entry: &str) -> String {
    if done.is_empty() {
        return format!("{}: {why}", act.in_words());
    }
    let names: Vec<String> = done.iter().map(|act| act.in_words()).collect();
    format!(
        "{}: {why}. It stopped there; done before: {}. What was done is taken back by: sitewarden undo {entry}",
        act.in_words(),
        names.join("; ")
    )
}

fn files(done: &[&Act]) -> Vec<FileChange> {
    let hash = |object: &Option<Value>| {
        object.as_ref().map(|object| format!("sha256:{}", sha256(substance(object).to_string().as_bytes())))
    };
    done.iter()
        .map(|act| FileChange { path: named(&act.place), before: hash(&act.before), after: hash(&act.after) })
        .collect()
}
