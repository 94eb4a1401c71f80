//! Why the API did not answer as it should.

use crate::evidence::Reason;

/// A failure of one request or of the connection.
///
/// How reasons are chosen: `unreachable` where nobody answered, where whoever answered could not be trusted, where the
/// API server answered with an error of its own (5xx), and where the kubeconfig names no cluster to ask; `forbidden` for
/// 401, 403 and a login that is wanted first; `timeout` for a deadline, and for 429 until the deadline; `malformed` for
/// what could not be understood; `too-large` for a bound; `not-visible` for 404;
/// `unsupported` for what this program cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The kind of reason, for the evidence.
    pub reason: Reason,
    /// A sentence in our own words for the person, ending in what to do. Of what the server sent only names of fields, of
    /// managers, and of rights, made harmless.
    pub message: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
}

impl ApiError {
    /// An error without a status.
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        ApiError { reason, message: message.into(), status: None }
    }

    /// What kube's client gives where our own service failed. Nothing of kube's own text is told: it may hold an answer's.
    pub(super) fn of_kube(error: kube::Error) -> Self {
        match error {
            kube::Error::Service(inner) => match inner.downcast::<ApiError>() {
                Ok(own) => *own,
                // The runtime in which it was connected has ended.
                Err(_) => ApiError::new(
                    Reason::Unsupported,
                    "the cluster is asked after its connection was given up. This is a mistake in the program: report it",
                ),
            },
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => ApiError::new(
                Reason::Malformed,
                "the API server's answer cannot be understood. Report the API server's version",
            ),
            _ => ApiError::new(Reason::Unsupported, "this cannot be asked for. Report it"),
        }
    }

    /// The same with the HTTP status that came.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Whether the API server said that there is no such thing: no such object, or no such resource in this version.
    pub fn is_absent(&self) -> bool {
        self.status == Some(404)
    }
}

/// Most characters of a name that stand in a sentence: the longest name that Kubernetes knows.
const LONGEST: usize = 253;

/// A name from the person's own files, fit for a sentence: without characters that act on a terminal, and cut.
pub(super) fn shown(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut out: String = name.chars().filter(|c| !c.is_control() && !turns(*c)).take(LONGEST).collect();
    if name.chars().nth(LONGEST).is_some() {
        out.push_str("...");
    }
    out
}

/// A time span in seconds, as sentences have it.
pub(super) fn seconds(limit: std::time::Duration) -> String {
    match limit.as_secs_f64() {
        whole if whole >= 1.0 => format!("{} s", whole.round()),
        part => format!("{part:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_sentences_are_harmless_and_short() {
        assert_eq!(shown("prod\x1b[2J\u{202e}\n"), "prod[2J");
        assert_eq!(shown("Werk-M\u{fc}nchen"), "Werk-M\u{fc}nchen");
        assert_eq!(shown(&"x".repeat(300)).len(), LONGEST + 3);
    }
}
