//! The made-up site that this program brings along, to learn the screens with.

use crate::evidence::{Evidence, EvidenceError};

/// The document of the demo site. None: this build brings none.
const DOCUMENT: Option<&str> = None;

/// Reads it. None where this build brings none; then it is not offered.
pub(super) fn evidence() -> Option<Result<Evidence, EvidenceError>> {
    DOCUMENT.map(Evidence::from_json)
}
