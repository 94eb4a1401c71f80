//! Changes of the cluster's objects, and of its Azure resource by `az`: prepared by a dry run of the API server, made one
//! after the other with the state that was seen as the condition, read back, taken back by what was kept.
//!
//! `act` is one change, `text` those of texts in ConfigMaps, `rollout` waits for pods that are made anew; `owners` and `caller`
//! say what is left alone, `kept` holds what the way back needs, `export` writes the script.

mod act;
mod azure;
mod caller;
mod drain;
mod export;
mod export_text;
mod kept;
mod owners;
mod pods;
mod prepare;
mod pulse;
mod put_back;
mod rollout;
mod run;
mod show;
mod text;
mod undo;

pub use drain::{DRAIN_WITHIN, Drain};
pub use prepare::prepare_cluster;
pub(super) use pulse::{HEARD_WITHIN, Pulse};
pub use run::run_cluster;
pub use undo::{look_cluster, prepare_undo_cluster};

pub(super) use azure::AzureChange;

use super::plan::{Refusal, Risk};
use crate::kubeapi::{Api, ApiError, ApiLimits, ObjectPlace, block_on};
use crate::site::ClusterTarget;
use act::Act;
use serde_json::Value;

/// A cluster that can be connected to again and again by the same way.
#[derive(Debug, Clone)]
pub struct ClusterReach {
    /// Which.
    pub target: ClusterTarget,
    /// Bounds of time and size of every request.
    pub limits: ApiLimits,
}

/// The exact changes of a plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClusterChange {
    /// Name of the context.
    pub(super) context: String,
    /// URL of the API server that was asked.
    pub(super) server: String,
    /// In their order.
    acts: Vec<Act>,
    /// How bad it is if something goes wrong.
    pub(super) risk: Risk,
    /// What is interrupted, what the API server warns of, what is left alone. Sentences.
    pub(super) remarks: Vec<String>,
}

impl ClusterChange {
    /// Each change: what it does, the command, the diff.
    pub(super) fn steps(&self) -> Vec<(String, String, String)> {
        let diff = |act: &Act| act.diff(act.before.as_ref(), act.after.as_ref());
        self.acts.iter().map(|act| (act.in_words(), act.command(&self.context), diff(act))).collect()
    }

    fn names(&self) -> Vec<String> {
        self.acts.iter().map(Act::name).collect()
    }
}

/// Connects, and does something with the API on this thread.
fn on_api<T>(reach: &ClusterReach, work: impl AsyncFnOnce(&Api) -> Result<T, Refusal>) -> Result<T, Refusal> {
    let done = block_on(async {
        let api = Api::connect(&reach.target, reach.limits).await.map_err(|error| refused(&error))?;
        work(&api).await
    });
    done.map_err(|error| refused(&error))?
}

fn refused(error: &ApiError) -> Refusal {
    Refusal::new(error.message.clone())
}

/// An object as it is now. None: there is none.
async fn now(api: &Api, place: &ObjectPlace) -> Result<Option<Value>, ApiError> {
    match api.object(place).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An object as it is kept: without the list of managers, which is theirs to write.
fn stored(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}
