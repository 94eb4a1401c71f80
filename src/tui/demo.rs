//! The made-up site that this program brings along, to learn the screens with.

use crate::evidence::{Evidence, EvidenceError};

/// The document of the demo site.
const DOCUMENT: &str = include_str!("../../assets/demo/evidence.json");

/// Reads it.
pub(super) fn evidence() -> Result<Evidence, EvidenceError> {
    Evidence::from_json(DOCUMENT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_demo_is_evidence_of_some_node() {
        assert!(!super::evidence().unwrap().nodes.is_empty());
    }
}
