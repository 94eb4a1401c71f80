//! Remedies on real nodes: what is put right, what comes back by itself, and that nobody is ever locked out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api_server;
mod faults;
mod node;
mod on_control_plane;
mod sshd;
