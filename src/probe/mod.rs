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
