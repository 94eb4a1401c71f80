//! Code that reads through a channel and never changes anything.

pub mod cluster;
pub mod endpoint;
pub mod node;
