//! Texts that are never shown.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use std::fmt;
use zeroize::Zeroizing;

/// A text that is never shown and leaves no trace in memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub(in crate::kubeapi) struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into keeping.
    pub(in crate::kubeapi) fn new(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }

    /// The text.
    pub(in crate::kubeapi) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// What is kept secret in an entry of a kubeconfig, where it is set to something.
pub(in crate::kubeapi) fn kept(text: Option<&SecretString>) -> Option<&str> {
    text.map(SecretString::expose_secret).filter(|text| !text.is_empty())
}

/// What is not secret in such an entry, where it is set to something.
pub(in crate::kubeapi) fn set(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}
