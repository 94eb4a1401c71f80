//! The cluster, as a person with the program sees it: on a real one (`on_cluster`), on an API server without nodes
//! (`on_control_plane`), and where there is none (`without_bed`). The names of the modules say which bed a test needs;
//! `tests/run` selects by them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod on_cluster;
mod on_control_plane;
#[path = "../support/mod.rs"]
mod support;
mod without_bed;
