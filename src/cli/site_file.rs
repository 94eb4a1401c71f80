//! The site file, as the command line uses it.

use super::error::CliError;
use crate::site::NodeTarget;
use std::path::{Path, PathBuf};

/// What a site file says.
#[derive(Debug, Clone, Default)]
pub(super) struct SiteFile {
    /// The site's name.
    pub(super) name: Option<String>,
    /// From where its nodes are expected to be managed.
    pub(super) management_networks: Option<Vec<String>>,
    /// Its nodes.
    pub(super) nodes: Vec<NodeTarget>,
    /// Folders with controls of its own.
    pub(super) catalog: Vec<PathBuf>,
    /// Its file of known host keys.
    pub(super) known_hosts: Option<PathBuf>,
}

/// The site file that was named; an empty one where none was.
pub(super) fn read(path: Option<&Path>) -> Result<SiteFile, CliError> {
    match path {
        None => Ok(SiteFile::default()),
        Some(path) => Err(CliError::Site(format!(
            "{}: this build does not read site files; name the nodes with --node",
            path.display()
        ))),
    }
}
