//! What the way back of an entry needs, in a file of the journal's folder that its owner alone may read. Its hash stands in
//! the journal, so that a file that was changed is not followed.

use super::act::Act;
use super::azure::Back;
use crate::remedy::plan::Refusal;
use crate::remedy::words::sha256;
use crate::store::{Entry, EventKind, Store};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Number of the format; a greater one is not read.
const FORMAT: u32 = 1;

/// Bytes of such a file at most.
const LARGEST: u64 = 64 << 20;

/// Beginning of the journal's step that holds the hash.
const STEP: &str = "kept what was there: sha256:";

/// What is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    format: u32,
    entry: String,
    pub(super) controls: Vec<String>,
    pub(super) title: String,
    pub(super) work: Work,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Work {
    /// Objects of the API server at this address.
    Cluster { server: String, acts: Vec<Act> },
    /// Runs of `az`.
    Azure { back: Vec<Back> },
}

impl Kept {
    pub(super) fn new(entry: &str, controls: &[String], title: &str, work: Work) -> Self {
        let (controls, title) = (controls.to_vec(), title.to_owned());
        Kept { format: FORMAT, entry: entry.to_owned(), controls, title, work }
    }

    /// Writes it, and gives the journal's step for it.
    pub(super) fn write(&self, store: &Path) -> io::Result<String> {
        let file = file_of(store, &self.entry);
        if let Some(folder) = file.parent() {
            make_folder(folder)?;
        }
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut open = options.open(&file)?;
        open.write_all(&bytes)?;
        open.sync_all()?;
        Ok(format!("{STEP}{}", sha256(&bytes)))
    }

    /// Whether something was kept of an entry: nothing is changed before.
    pub(super) fn is_there(entry: &Entry) -> bool {
        hash_of(entry).is_some()
    }

    /// Reads what was kept of an entry, where it is as the journal says.
    pub(super) fn read(store: &Store, entry: &Entry) -> Result<Self, Refusal> {
        let file = file_of(store.file(), &entry.id);
        let Some(hash) = hash_of(entry) else {
            return Err(Refusal::new(format!(
                "entry {} ended before anything was changed, so there is nothing to take back",
                entry.id
            )));
        };
        let mut bytes = Vec::new();
        File::open(&file).and_then(|open| open.take(LARGEST).read_to_end(&mut bytes)).map_err(|error| {
            Refusal::new(format!("{}: {error}. Without it entry {} is taken back by hand", file.display(), entry.id))
        })?;
        let kept: Option<Kept> = if sha256(&bytes) == hash { serde_json::from_slice(&bytes).ok() } else { None };
        kept.filter(|kept| kept.format == FORMAT && kept.entry == entry.id).ok_or_else(|| {
            Refusal::new(format!(
                "{} is not as the journal says it was written. Entry {} is taken back by hand",
                file.display(),
                entry.id
            ))
        })
    }
}

/// The hash of what was kept, by the journal.
fn hash_of(entry: &Entry) -> Option<&str> {
    entry.steps.iter().find_map(|step| match &step.kind {
        EventKind::Step { what, .. } => what.strip_prefix(STEP),
        _ => None,
    })
}

/// Beside the journal's own file.
fn file_of(journal: &Path, entry: &str) -> PathBuf {
    journal.with_file_name("cluster").join(format!("{entry}.json"))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
