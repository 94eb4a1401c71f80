//! Remedies on real nodes: what is put right, what comes back by itself, and that nobody is ever locked out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod algorithms;
mod api_server;
mod codes;
mod faults;
mod jump;
mod keys;
mod node;
mod on_cluster;
mod on_control_plane;
mod rancher;
mod rancher_certificates;
mod resume;
mod rpm;
mod secret;
mod sources;
mod ssh_off;
mod sshd;
mod terminal;
mod updates;
