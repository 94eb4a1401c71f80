//! Code that reads through a channel and never changes anything.

mod certificate;
pub mod cluster;
mod der;
pub mod endpoint;
pub mod node;
