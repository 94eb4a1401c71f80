//! Files that a person names: read within bounds, with what is wrong with them in words.

use super::super::error::{ApiError, shown};
use crate::evidence::Reason;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Largest kubeconfig file, in bytes.
pub(super) const KUBECONFIG_LIMIT: usize = 8 << 20;

/// Largest file of certificates, key or token, in bytes: a system's whole bundle of trusted CAs has about 250 KiB.
pub(in crate::kubeapi) const PEM_LIMIT: usize = 8 << 20;

/// Reads a file of at most `limit` bytes. `what` names it in sentences: `kubeconfig`, `client certificate`. None: there
/// is no such file.
pub(super) fn read_if_there(path: &Path, what: &str, limit: usize) -> Result<Option<Vec<u8>>, ApiError> {
    let name = shown(&path.display().to_string());
    let wrong = |error: &std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => {
            let text = format!("{what} {name}: this user may not read it. Run as its owner, or change its mode");
            ApiError::new(Reason::Forbidden, text)
        }
        kind => {
            ApiError::new(Reason::Unreachable, format!("{what} {name}: it cannot be read ({kind}). Check the file"))
        }
    };
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        // A name below something that is no folder does not exist either.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(wrong(&error)),
    };
    if !about.is_file() && !is_pipe(&about) {
        let kind = if about.is_dir() { "a folder" } else { "no file" };
        return Err(ApiError::new(Reason::Unreachable, format!("{what} {name}: it is {kind}. Name the file itself")));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(|error| wrong(&error))?;
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.by_ref().take(most).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    if bytes.len() > limit {
        let text = format!("{what} {name}: it is larger than {} MiB. Name the right file", limit >> 20);
        return Err(ApiError::new(Reason::TooLarge, text));
    }
    Ok(Some(bytes))
}

/// The same for a file that must exist. `named_by` is the file that names it, for the sentence.
pub(in crate::kubeapi) fn read_bounded(path: &Path, what: &str, named_by: &str) -> Result<Vec<u8>, ApiError> {
    read_if_there(path, what, PEM_LIMIT)?.ok_or_else(|| {
        let name = shown(&path.display().to_string());
        let text = format!("{what} {name}: there is no such file. Correct its path in {named_by}, or fetch it again");
        ApiError::new(Reason::Unreachable, text)
    })
}

/// Whether it is a pipe, as a shell's `<(...)` gives.
#[cfg(unix)]
fn is_pipe(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_about: &std::fs::Metadata) -> bool {
    false
}
