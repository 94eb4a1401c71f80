//! Mode and owner of files and folders. Nothing reads them, so that keys can be put right without being looked at.

use super::About;
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;

/// Rights that are taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeOp {
    /// Paths, and the most that each may have.
    pub files: Vec<(String, u32)>,
}

/// Owners that are changed.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerOp {
    /// Paths, with user's and group's number.
    pub files: Vec<(String, u32, u32)>,
}

/// The paths that a finding names as failing: those of its items, else the one path that it shows.
fn paths(about: &About<'_>) -> Result<Vec<String>, Refusal> {
    let items = about.finding.items.iter().filter(|item| item.verdict == crate::assess::Verdict::Fail);
    let paths: Vec<String> = items.map(|item| item.name.clone()).filter(|name| name.starts_with('/')).collect();
    if paths.is_empty() {
        return Err(Refusal::new(format!(
            "{}: the finding names no file that could be changed. Scan again",
            about.finding.control
        )));
    }
    Ok(paths)
}

/// What is done for `file-mode`.
pub(super) fn mode(most: &str, about: &About<'_>) -> Result<ModeOp, Refusal> {
    let most = u32::from_str_radix(most, 8).map_err(|_| Refusal::new(format!("mode {most}: not octal digits")))?;
    Ok(ModeOp { files: paths(about)?.into_iter().map(|path| (path, most)).collect() })
}

/// What is done for `file-owner`.
pub(super) fn owner(uid: u32, gid: u32, about: &About<'_>) -> Result<OwnerOp, Refusal> {
    Ok(OwnerOp { files: paths(about)?.into_iter().map(|path| (path, uid, gid)).collect() })
}

/// What lies at a path, and its real path.
fn state<'f>(fresh: &'f Fresh, path: &str) -> Result<(&'f str, &'f State, (u32, u32, u32)), Refusal> {
    let found =
        fresh.file(path).ok_or_else(|| Refusal::new(format!("{path}: the node did not tell of it. Try again")))?;
    let state = match (&found.state, found.trouble) {
        (Some(state), None) => state,
        (_, trouble) => {
            let why = trouble.unwrap_or("it was not read");
            return Err(Refusal::new(format!("{path} is left alone: {why}. Change it by hand")));
        }
    };
    let attributes =
        state.attributes().ok_or_else(|| Refusal::new(format!("{path} is not there any more. Scan again")))?;
    Ok((&found.path, state, attributes))
}

impl ModeOp {
    pub(super) fn add(&mut self, other: &ModeOp) -> bool {
        for (path, most) in &other.files {
            match self.files.iter_mut().find(|(known, _)| known == path) {
                Some((_, known)) => *known &= most,
                None => self.files.push((path.clone(), *most)),
            }
        }
        true
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        self.files.iter().map(|(path, _)| Want::Stat(path.clone())).collect()
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let mut change = NodeChange::default();
        for (path, most) in &self.files {
            let (real, state, (mode, uid, gid)) = state(fresh, path)?;
            // A folder keeps the right to be passed through where it may be read.
            let new = mode & most;
            if new != mode {
                change.files.push(FileChange::attributes(real, state.clone(), new, uid, gid));
            }
        }
        Ok(change)
    }
}

impl OwnerOp {
    pub(super) fn add(&mut self, other: &OwnerOp) -> bool {
        for file in &other.files {
            if !self.files.iter().any(|known| known.0 == file.0) {
                self.files.push(file.clone());
            }
        }
        true
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        self.files.iter().map(|(path, ..)| Want::Stat(path.clone())).collect()
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let mut change = NodeChange::default();
        for (path, uid, gid) in &self.files {
            let (real, state, (mode, old_uid, old_gid)) = state(fresh, path)?;
            if (old_uid, old_gid) != (*uid, *gid) {
                // chown takes setuid and setgid away, so they must not be asked for.
                change.files.push(FileChange::attributes(real, state.clone(), mode & 0o1777, *uid, *gid));
            }
        }
        Ok(change)
    }
}
