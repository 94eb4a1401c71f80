//! Why the API did not answer as it should.

use crate::evidence::Reason;

/// A failure of one request or of the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The kind of reason, for the evidence.
    pub reason: Reason,
    /// A sentence in our own words for the person, ending in what to do; never text that the server sent.
    pub message: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
}
