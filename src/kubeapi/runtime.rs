//! The runtime in which everything of this room runs.

use super::error::ApiError;
use crate::evidence::Reason;
use std::future::Future;
use std::time::Duration;

/// Runs asynchronous code to its end on this thread. Fails where this machine gives no runtime (no descriptors left), and
/// where asynchronous code already runs on this thread. Does not wait for names that are still being resolved.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, ApiError> {
    let own = |text: &str| ApiError::new(Reason::Unsupported, text);
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(own(
            "the cluster is asked from within asynchronous code. This is a mistake in the program: report it",
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|_| own("this machine lacks what is needed to connect. Close other programs and try again"))?;
    let done = runtime.block_on(work);
    // A name service that does not answer holds a thread, which must not hold the person.
    runtime.shutdown_background();
    Ok(done)
}

/// Does something within a time. None: it was not done by then, and is given up.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
