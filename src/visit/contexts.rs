//! Which clusters the kubeconfig knows: stands here until the API client brings it.

use crate::kubeapi::ApiError;
use crate::site::ClusterTarget;
use std::path::PathBuf;

/// One context, as files say it; nothing was connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextInfo {
    /// Its name, as written: not yet fit for a screen.
    pub name: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Name of its cluster; empty where it names none.
    pub cluster: String,
    /// URL of the API server, without credentials. None: the context leads to none; connecting says why.
    pub server: Option<String>,
    /// Name of its user; empty where it names none.
    pub user: String,
    /// What stands between and ends the TLS.
    pub proxy: Option<&'static str>,
    /// The file that holds it. None: the pod that this process runs in.
    pub file: Option<PathBuf>,
}

/// Lists the contexts.
pub fn contexts(_target: &ClusterTarget) -> Result<Vec<ContextInfo>, ApiError> {
    Ok(Vec::new())
}

/// The context that would be taken.
pub fn chosen(_target: &ClusterTarget) -> Result<Option<ContextInfo>, ApiError> {
    Ok(None)
}
