//! What conditions ask of a cluster and no record holds as such.

use super::super::{ClusterEvidence, Evidence, Reading};
use super::Shape;

/// Adds to the cluster's tree what is derived from it and from the rest of the document. Pure.
pub(in crate::evidence) fn attach(_cluster: &ClusterEvidence, _evidence: &Evidence, _root: &mut Reading) {}

/// Paths below `cluster.` at which something is derived, each with its shape.
pub fn derived_shapes() -> Vec<(&'static str, Shape)> {
    Vec::new()
}
