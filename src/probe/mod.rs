//! Code that reads through a channel or an API and never changes anything.

pub mod azure;
pub mod cluster;
pub mod endpoint;
pub mod node;

mod certificate;
mod der;
mod json;
mod redact;
mod text;
mod yaml;

/// A line of a file or command as it may be shown: passwords in addresses, tokens and the like are taken out of it.
pub(crate) fn without_secrets(line: &str) -> String {
    redact::line(line)
}
