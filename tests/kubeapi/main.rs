//! The API client against servers that misbehave on loopback, programs that misbehave, and a real API server.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod lists;
mod logins;
mod objects;
mod on_cluster;
mod on_control_plane;
mod peers;
#[cfg(unix)]
mod plugins;
mod proxies;
mod tls;
