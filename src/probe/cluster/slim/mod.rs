//! What the API sends, as far as this program reads it: own small types, one file a kind, unknown fields skipped unread.
//! What is hostile in them is bounded while parsing; a wrong type costs the item, never the list.

pub(super) mod admission;
pub(super) mod arc;
pub(super) mod basic;
pub(super) mod binding;
pub(super) mod configz;
pub(super) mod csr;
pub(super) mod endpoint_slice;
pub(super) mod names;
pub(super) mod namespace;
pub(super) mod network_policy;
pub(super) mod node;
pub(super) mod parts;
pub(super) mod pod;
pub(super) mod role;
pub(super) mod service;
pub(super) mod version;
pub(super) mod workload;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod samples_tests;

/// An item of a list that can become evidence.
pub(super) trait Item: serde::de::DeserializeOwned {
    /// What it becomes.
    type Evidence: serde::Serialize;

    /// Its evidence; None where the object lacks what every such object has, so that nothing can be said of it.
    fn evidence(self) -> Option<Self::Evidence>;

    /// Whether the evidence keeps such an item at all.
    fn wanted(&self) -> bool {
        true
    }
}
