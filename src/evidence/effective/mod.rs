//! What a component really runs with: command line, the configuration file that it names, drop-ins, environment,
//! then the defaults of that very version; every value with its origin.

use super::{NodeEvidence, Reading};

/// Adds to a node's tree what is derived from it.
pub(super) fn attach(_node: &NodeEvidence, _root: &mut Reading) {}
