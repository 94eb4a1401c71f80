//! The cluster, asked through its API.

use crate::evidence::ClusterEvidence;
use crate::kubeapi::{Api, ApiLimits};
use crate::site::ClusterTarget;

/// What the person hears while a cluster is read: `connecting`, `reading pods`.
pub type Tell<'t> = dyn Fn(&str) + Send + Sync + 't;

/// Reads a cluster. Never fails: what could not be read is in the evidence, with its reason.
pub async fn collect(target: &ClusterTarget, limits: ApiLimits, tell: &Tell<'_>) -> ClusterEvidence {
    tell("connecting");
    match Api::connect(target, limits).await {
        Ok(api) => ClusterEvidence { context: api.context().to_owned(), ..ClusterEvidence::default() },
        Err(error) => {
            ClusterEvidence::unread(target.context.as_deref().unwrap_or_default(), error.reason, &error.message)
        }
    }
}
