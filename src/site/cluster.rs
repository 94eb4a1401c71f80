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

/// Where what Azure itself says of the cluster comes from. Nowhere, unless a person said so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzureSource {
    /// Whether the `az` that is installed may be run, for reading only.
    pub run: bool,
    /// Files with JSON that `az` printed; `-` is standard input.
    pub files: Vec<PathBuf>,
}

/// The table `[cluster]` of a site file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterSection {
    /// Which cluster.
    pub target: ClusterTarget,
    /// What Azure says of it.
    pub azure: AzureSource,
    /// Whether the ports of the control plane and of kubelets are left alone.
    pub no_endpoints: bool,
}
