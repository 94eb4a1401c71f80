//! What one logs in with, at one moment.

use super::super::error::ApiError;
use super::super::tls::Identity;
use crate::evidence::Reason;
use http::HeaderValue;
use jiff::Timestamp;
use openssl::base64::encode_block;
use zeroize::Zeroizing;

/// A header, a client certificate, both or neither.
pub(in crate::kubeapi) struct Credentials {
    /// The value of `Authorization`; marked as sensitive, so that nothing prints it.
    pub(in crate::kubeapi) header: Option<HeaderValue>,
    /// The client certificate with its key.
    pub(in crate::kubeapi) identity: Option<Identity>,
    /// Until when they hold, where a program said so.
    pub(super) until: Option<Timestamp>,
}

impl Credentials {
    /// Without an end that is known.
    pub(super) fn new(header: Option<HeaderValue>, identity: Option<Identity>) -> Self {
        Credentials { header, identity, until: None }
    }
}

/// The header of a token. `place` names it in sentences.
pub(super) fn bearer(token: &str, place: &str) -> Result<HeaderValue, ApiError> {
    header(Zeroizing::new(format!("Bearer {}", token.trim())), place)
}

/// The header of a user and a password.
pub(super) fn basic(user: &str, password: &str, place: &str) -> Result<HeaderValue, ApiError> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    header(Zeroizing::new(format!("Basic {}", encode_block(pair.as_bytes()))), place)
}

fn header(text: Zeroizing<String>, place: &str) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::try_from(text.as_str()).map_err(|_| {
        let text = format!("{place}: the token holds characters that cannot be sent. Fetch it again");
        ApiError::new(Reason::Malformed, text)
    })?;
    value.set_sensitive(true);
    Ok(value)
}
