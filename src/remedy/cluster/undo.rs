//! The way back of an entry of the cluster, by what was kept beside the journal.

use super::act::{Act, How};
use super::kept::{Kept, Work as KeptWork};
use super::show::text_of;
use super::{ClusterChange, ClusterReach, azure, now, on_api, owners, refused, rollout, stored, text};
use crate::kubeapi::{Api, Seen};
use crate::remedy::plan::{Plan, Refusal, Risk, Work};
use crate::remedy::prepare::Prepared;
use crate::remedy::recipe::AzRun;
use crate::remedy::resume::Unfinished;
use crate::store::{Entry, EventKind, Outcome, Store};
use serde_json::Value;

/// Makes the way back of an entry of the cluster exact: reads how the objects are now. What is as it was already is left out.
/// Refused, with the difference, where an object has changed since; where the entry was taken back already; and where the
/// cluster is another one.
pub fn prepare_undo_cluster(entry: &Entry, reach: &ClusterReach, store: &Store) -> Result<Prepared, Refusal> {
    let id = &entry.id;
    if let Some(by) = &entry.undone_by {
        return Err(Refusal::new(format!("entry {id} was taken back already, by {by}")));
    }
    if entry.outcome() == Some(Outcome::Refused) {
        return Err(Refusal::new(format!("entry {id} changed nothing, so there is nothing to take back")));
    }
    let kept = Kept::read(store, entry)?;
    let plan = |work: Work, notes: Vec<String>| Plan {
        controls: kept.controls.clone(),
        target: entry.target().to_owned(),
        title: format!("Take back: {}", kept.title),
        work,
        notes,
    };
    let note = format!("The state before entry {id} of {} comes back", entry.begun.at);
    match &kept.work {
        KeptWork::Cluster { server, acts } => {
            let change = on_api(reach, async |api| {
                same_cluster(api, server, entry)?;
                back(api, acts, entry).await
            })?;
            Ok(Prepared::of_cluster(plan(Work::Cluster(Vec::new()), vec![note]), change).into_undo_of(id))
        }
        KeptWork::Azure { back } => {
            let runs: Vec<AzRun> = back
                .iter()
                .rev()
                .map(|one| AzRun {
                    what: format!("Take back: {}", one.what),
                    args: one.back.clone(),
                    back: Some(one.args.clone()),
                    risk: Risk::Safe,
                    minutes: one.minutes,
                    // What it needs of the kubeconfig stands in it already.
                    by_kubeconfig: false,
                })
                .collect();
            let change = azure::prepare(&runs, &reach.target);
            Ok(Prepared::of_azure(plan(Work::Azure(runs), vec![note]), change).into_undo_of(id))
        }
    }
}

/// Another cluster knows nothing of an entry, and what it has means nothing.
fn same_cluster(api: &Api, server: &str, entry: &Entry) -> Result<(), Refusal> {
    if api.server() == server {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "entry {} is of the cluster at {server}, and the context leads to {}. Name the right one with --context",
        entry.id,
        api.server()
    )))
}

/// How an entry of the cluster stands whose end is not in the journal: done, not begun, or half-way.
pub fn look_cluster(entry: &Entry, reach: &ClusterReach, store: &Store) -> Result<Unfinished, Refusal> {
    // Runs of `az` have no objects to look at.
    if !matches!(&entry.begun.kind, EventKind::Begun { paths, .. } if !paths.is_empty()) {
        return Ok(Unfinished::Ended(Outcome::Unknown));
    }
    if !Kept::is_there(entry) {
        return Ok(Unfinished::Ended(Outcome::Refused));
    }
    let (server, acts) = match Kept::read(store, entry)?.work {
        KeptWork::Cluster { server, acts } => (server, acts),
        KeptWork::Azure { .. } => return Ok(Unfinished::Ended(Outcome::Unknown)),
    };
    on_api(reach, async |api| {
        same_cluster(api, &server, entry)?;
        let (mut done, mut not) = (0, 0);
        for act in &acts {
            let object = now(api, &act.place).await.map_err(|error| refused(&error))?;
            if act.same(object.as_ref(), act.after.as_ref()) {
                done += 1;
            } else if act.same(object.as_ref(), act.before.as_ref()) {
                not += 1;
            }
        }
        Ok(match acts.len() {
            all if done == all => Unfinished::Ended(Outcome::Done),
            all if not == all => Unfinished::Ended(Outcome::Refused),
            _ => Unfinished::HalfWay,
        })
    })
}

/// Whether the journal says that an act of an entry was not made. An entry without a known end may have made any.
fn not_made(act: &Act, entry: &Entry) -> bool {
    let known = matches!(entry.outcome(), Some(Outcome::Done | Outcome::Failed));
    let words = act.in_words();
    known && !entry.steps.iter().any(|step| matches!(&step.kind, EventKind::Step { what, .. } if *what == words))
}

async fn back(api: &Api, acts: &[Act], entry: &Entry) -> Result<ClusterChange, Refusal> {
    let mut ways: Vec<Act> = Vec::new();
    let mut risk = Risk::Safe;
    let mut remarks = Vec::new();
    let mut restarts = Vec::new();
    for act in acts.iter().rev().filter(|act| !matches!(act.how, How::Restart { .. })) {
        if not_made(act, entry) {
            remarks.push(format!("{} was not changed by that entry and stays as it is", act.name()));
            continue;
        }
        let object = now(api, &act.place).await.map_err(|error| refused(&error))?;
        // Not done, or put back by somebody already.
        if act.same(object.as_ref(), act.before.as_ref()) {
            remarks.push(format!("{} is as it was before already", act.name()));
            continue;
        }
        if !act.same(object.as_ref(), act.after.as_ref()) {
            return Err(Refusal::new(format!(
                "{} has changed since that entry. Nothing was changed; look at it by hand. This changed:\n{}",
                act.name(),
                act.diff(act.after.as_ref(), object.as_ref())
            )));
        }
        if act.place.kind == "NetworkPolicy" {
            risk = Risk::Disruptive;
        }
        let how = inverse(act, object.as_ref())?;
        let seen = object.as_ref().and_then(Seen::of);
        let before = object.as_ref().map(stored);
        let mut way = Act { place: act.place.clone(), how, seen, before, after: None };
        tried(api, &mut way, &mut remarks).await?;
        if !way.same(way.after.as_ref(), act.before.as_ref()) {
            return Err(Refusal::new(format!(
                "{}: the API server would not take it back to what it was; somebody else owns it by now. Change it by hand",
                act.name()
            )));
        }
        ways.push(way);
    }
    // Pods that run with what is put back: once more, whatever became of the first time.
    for act in acts.iter().filter(|act| !ways.is_empty() && matches!(act.how, How::Restart { .. })) {
        let Some(object) = now(api, &act.place).await.map_err(|error| refused(&error))? else {
            remarks.push(format!("{} is not there any more and is not restarted", act.name()));
            continue;
        };
        let how = How::Restart { at: text::restarted_at(), within: rollout::within(&object) };
        let (seen, before) = (Seen::of(&object), Some(stored(&object)));
        let mut way = Act { place: act.place.clone(), how, seen, before, after: None };
        tried(api, &mut way, &mut remarks).await?;
        risk = Risk::Disruptive;
        remarks.push(text::interrupts(&act.place.name));
        restarts.push(way);
    }
    ways.extend(restarts);
    if ways.is_empty() {
        return Err(Refusal::new("Everything is as it was before that entry already; there is nothing to take back"));
    }
    Ok(ClusterChange { context: api.context().to_owned(), server: api.server().to_owned(), acts: ways, risk, remarks })
}

/// Tries a way back without keeping it.
async fn tried(api: &Api, way: &mut Act, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    api.warnings();
    let after = way.make(api, way.seen.as_ref(), true).await.map_err(|error| refused(&error))?;
    let warned = |warning| format!("The API server warns about {}: {warning}", way.name());
    remarks.extend(api.warnings().into_iter().map(warned));
    way.after = after.as_ref().map(stored);
    Ok(())
}

/// How a change is taken back.
pub(super) fn inverse(act: &Act, object: Option<&Value>) -> Result<How, Refusal> {
    let before = act.before.as_ref();
    let lost = || Refusal::new(format!("{}: what it was is not in what was kept. Change it by hand", act.name()));
    Ok(match &act.how {
        How::Label { key, .. } => {
            let label = before.and_then(|before| before.get("metadata")?.get("labels")?.get(key)?.as_str());
            How::Label { key: key.clone(), value: label.map(str::to_owned) }
        }
        How::Field { field, .. } => {
            let own = object.and_then(owners::applied).ok_or_else(lost)?;
            let value = before.and_then(|before| before.get(field)).cloned();
            How::Field { field: field.clone(), value, own, force: true }
        }
        How::Text { key, .. } => {
            let text = before.and_then(|before| text_of(before, key)).ok_or_else(lost)?.to_owned();
            How::Text { key: key.clone(), text, what: "Put back what was there".to_owned() }
        }
        // A restart has no way back but another one.
        How::Restart { .. } => act.how.clone(),
        How::Create { .. } => How::Delete,
        How::Delete => How::Create { object: before.cloned().ok_or_else(lost)? },
        How::Replace { .. } => {
            let mut whole = object.map(stored).ok_or_else(lost)?;
            let subjects = before.and_then(|before| before.get("subjects")).cloned().ok_or_else(lost)?;
            if let Some(fields) = whole.as_object_mut() {
                fields.insert("subjects".to_owned(), subjects);
            }
            How::Replace { object: whole }
        }
    })
}
