//! Code that reads through a channel and never changes anything.

pub mod node;
