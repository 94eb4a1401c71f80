//! Until when something must be done.

use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A moment, and the limit that led to it, for sentences.
#[derive(Debug, Clone, Copy)]
pub(in crate::kubeapi) struct Deadline {
    at: Instant,
    /// The whole time that was given.
    pub(in crate::kubeapi) limit: Duration,
}

/// The deadline has passed.
#[derive(Debug, Clone, Copy)]
pub(in crate::kubeapi) struct Late;

impl Deadline {
    /// So long from now.
    pub(in crate::kubeapi) fn after(limit: Duration) -> Self {
        // A limit that no clock holds is none: a year is as good.
        let at = Instant::now().checked_add(limit).unwrap_or_else(|| Instant::now() + Duration::from_secs(31_536_000));
        Deadline { at, limit }
    }

    /// The nearer of two.
    pub(in crate::kubeapi) fn or(self, other: Deadline) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// How long is left.
    pub(in crate::kubeapi) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Does something until then.
    pub(in crate::kubeapi) async fn hold<T>(self, work: impl Future<Output = T>) -> Result<T, Late> {
        timeout_at(self.at, work).await.map_err(|_| Late)
    }
}
