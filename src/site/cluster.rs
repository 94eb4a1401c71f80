//! The cluster to look at, as a person names it.

use std::path::PathBuf;

/// Which cluster, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterTarget {
    /// Kubeconfig files that were named; empty: `KUBECONFIG`, else `~/.kube/config`, else in-cluster.
    pub kubeconfig: Vec<PathBuf>,
    /// Context. None: the current one.
    pub context: Option<String>,
    /// Platform that the person says it is; wins over what is recognised.
    pub platform: Option<String>,
}
