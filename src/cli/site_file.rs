//! The site file that the command line names.

use super::error::CliError;
use crate::evidence::platform_ids;
pub(super) use crate::site::SiteFile;
use std::path::Path;

/// The site file that was named; an empty one where none was.
pub(super) fn read(path: Option<&Path>) -> Result<SiteFile, CliError> {
    path.map_or_else(|| Ok(SiteFile::default()), |path| Ok(SiteFile::read(path, &platform_ids())?))
}
