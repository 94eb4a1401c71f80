//! sitewarden walks a person through hardening a Kubernetes platform at an edge site.
//!
//! The way of the data: site -> probes (through channels) -> evidence -> assessment (with the catalog) -> findings ->
//! screens and reports. ARCHITECTURE.md has the rooms and which of them may name which.

pub mod assess;
pub mod catalog;
pub mod channel;
pub mod cli;
pub mod evidence;
pub mod kubeapi;
pub mod probe;
pub mod remedy;
pub mod report;
pub mod site;
pub mod tui;
pub mod visit;
