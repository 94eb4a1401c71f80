//! Editors of configuration files: text in, text out, nothing else touched.
//!
//! Comments, order, indentation, line ends and a missing last line feed stay. What is not surely understood is an
//! [`EditError`], never a damaged file; what is already in place gives the same text again.

pub mod authorized_keys;
pub mod extra_args;
pub mod extra_volumes;
pub mod lines;
pub mod manifest_flag;
pub mod sshd;
pub mod yaml;

mod error;
mod list;
mod manifest_mount;
mod scalar;
mod scan;
mod scan_flow;
mod splice;
mod sshd_files;
mod tree;

pub use error::EditError;
