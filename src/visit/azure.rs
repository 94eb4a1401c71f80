//! What would be asked of Azure: stands here until the probe brings it.

use crate::evidence::ClusterEvidence;

/// The commands, as a shell takes them, that tell what Azure says of a cluster and is not known yet. Empty where nothing
/// is missing, and where the cluster does not say which Azure resource it is.
pub fn azure_commands(_cluster: &ClusterEvidence) -> Vec<String> {
    Vec::new()
}
