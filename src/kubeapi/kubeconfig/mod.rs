//! Kubeconfig: finds the files, merges them as kubectl does, lists and chooses contexts. Nothing here connects; what a
//! file says wrongly becomes a sentence that names the file and what to do.

mod choose;
mod contexts;
mod files;
mod merge;
mod secret;
mod server;
mod surroundings;
mod tolerant;

pub(super) use choose::{Chosen, Source, choose};
pub use contexts::{ContextInfo, chosen, contexts};
pub(super) use files::{PEM_LIMIT, read_bounded};
pub(super) use merge::Placed;
pub(super) use secret::{Secret, kept, set};
pub(super) use server::{Server, Url, authority};
pub(super) use surroundings::Surroundings;
pub(super) use tolerant::ODD_MODE;

#[cfg(test)]
#[path = "kubeconfig_tests.rs"]
mod tests;
