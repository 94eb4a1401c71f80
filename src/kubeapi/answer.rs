//! What an answer's status means, in words and as a reason.

use super::error::{ApiError, shown};
use super::refusal;
use crate::evidence::Reason;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::Bytes;
use kube::core::Status;
use std::time::Duration;

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: StatusCode,
    pub(super) body: Bytes,
    /// Whether it says that it is JSON, as every API server does.
    pub(super) json: bool,
    /// How long the server asks to wait.
    pub(super) wait: Option<Duration>,
}

/// Whether an answer says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("text/json")
}

/// What is known of a request whose answer is no success.
pub(super) struct About<'a> {
    /// URL of the server.
    pub(super) url: &'a str,
    /// The kubeconfig.
    pub(super) file: &'a str,
    /// Name of the context.
    pub(super) context: &'a str,
    /// How it logs in.
    pub(super) login: &'a str,
    /// What was asked, in words.
    pub(super) what: &'a str,
}

impl Answer {
    /// Without a time to wait.
    pub(super) fn of(code: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        Answer { status: code.as_u16(), code, body, json: is_json(headers), wait: None }
    }

    /// The error that a status stands for, but for 401, which depends on the login. `changes`: something was to be changed.
    pub(super) fn error(&self, about: &About<'_>, changes: bool) -> ApiError {
        if changes
            && self.json
            && let Some(error) = refusal::of(self, about)
        {
            return error.with_status(self.status);
        }
        let About { url, context, login, what, .. } = about;
        let (reason, text) = match self.status {
            300..=399 => return not_kubernetes(about, "a redirection to somewhere else").with_status(self.status),
            403 if self.json => (
                Reason::Forbidden,
                format!(
                    "the API server does not let the context {:?} ({login}) {what}. Ask an administrator for that right",
                    shown(context)
                ),
            ),
            403 => (
                Reason::Forbidden,
                format!(
                    "{url}: something before the API server forbids to {what}. Check proxies and whether you are logged in there"
                ),
            ),
            404 => (
                Reason::NotVisible,
                format!("the API server does not know what was asked for: {what}. This version may not have it"),
            ),
            405 | 406 | 415 => (
                Reason::Unsupported,
                format!("the API server cannot {what} in the way it was asked. Report its version"),
            ),
            410 => (
                Reason::Timeout,
                format!(
                    "the API server forgot the list before it was read whole ({what}). Try again, over a faster link if there is one"
                ),
            ),
            429 => (
                Reason::Timeout,
                format!(
                    "{url}: the API server is too busy to {what} (429) and asked to wait longer than there is time. Try again later"
                ),
            ),
            407 => return not_kubernetes(about, "a proxy that wants a login").with_status(self.status),
            status @ 500..=599 => (
                Reason::Unreachable,
                format!(
                    "{url}: the API server has trouble of its own and did not {what} (status {status}). Look at its log and at etcd's, and try again"
                ),
            ),
            status => (
                Reason::Malformed,
                format!("{url}: the API server did not {what} (status {status}). Check {}", about.file),
            ),
        };
        ApiError::new(reason, text).with_status(self.status)
    }
}

/// Something else than an API server answers there.
pub(super) fn not_kubernetes(about: &About<'_>, what: &str) -> ApiError {
    let text = format!(
        "{}: what answers there is no Kubernetes API, but {what}: a login page of the network, a proxy, or another service. Check `server` in {}, and open a web page from here to see whether the network wants a login",
        about.url, about.file
    );
    ApiError::new(Reason::Malformed, text)
}

/// Where a list whose token expired goes on, by what is there now.
pub(super) fn goes_on(body: &[u8]) -> Option<String> {
    let status: Status = serde_json::from_slice(body).ok()?;
    status.metadata?.continue_.filter(|next| !next.is_empty())
}
