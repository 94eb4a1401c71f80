//! The site file that the command line names.

use super::error::CliError;
pub(super) use crate::site::SiteFile;
use std::path::Path;

/// Platforms that a site file may name.
const PLATFORMS: [&str; 13] = [
    "aks-arc",
    "aks-edge",
    "aks",
    "openshift",
    "eks",
    "gke",
    "talos",
    "rke2",
    "k3s",
    "microk8s",
    "kind",
    "kubeadm",
    "generic",
];

/// The site file that was named; an empty one where none was.
pub(super) fn read(path: Option<&Path>) -> Result<SiteFile, CliError> {
    path.map_or_else(|| Ok(SiteFile::default()), |path| Ok(SiteFile::read(path, &PLATFORMS)?))
}
