//! What conditions ask of an endpoint and no record holds as such.

use super::super::{EndpointEvidence, Evidence, Reading};
use super::Shape;

/// Adds to an endpoint's tree what is derived from it and from the rest of the document. Pure.
pub(in crate::evidence) fn attach(_endpoint: &EndpointEvidence, _evidence: &Evidence, _root: &mut Reading) {}

/// Paths below `endpoint.` at which something is derived, each with its shape.
pub fn derived_shapes() -> Vec<(&'static str, Shape)> {
    Vec::new()
}
