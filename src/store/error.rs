//! What goes wrong with the journal; each sentence names the file and ends in what to do.

use std::io;
use std::path::PathBuf;

/// An error of the journal.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or looked into.
    #[error("the folder of the journal {} cannot be used: {error}; check its permissions, or keep the journal in another folder", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file cannot be read, or not be written.
    #[error("the journal {} cannot be {done}: {why}; check the permissions and the free space of its folder, or keep the journal in another one", file.display())]
    Access {
        /// The file.
        file: PathBuf,
        /// `read` or `written`.
        done: &'static str,
        /// Why not.
        why: String,
    },
    /// Another program holds the file.
    #[error("the journal {} is in use by another program; try again when that has ended", file.display())]
    Busy {
        /// The file.
        file: PathBuf,
    },
    /// A newer version of this program wrote the file.
    #[error("the journal {} was written by a newer sitewarden (version {version} of its form, this program knows {known}); use that one", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Version of the form of the file.
        version: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is no journal, or its form was changed.
    #[error("{} is no journal of sitewarden: {why}; move it away without deleting it, or keep the journal in another folder", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What is different.
        why: String,
    },
    /// The file is damaged.
    #[error("the journal {} is damaged: {why}; keep the file, put a copy from before in its place, or move it away to begin a new one", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was seen.
        why: String,
    },
    /// A row cannot be understood.
    #[error("row {row} of the journal {} {why}; `sitewarden journal verify` lists everything that is wrong with it", file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Number of the row, as it stands there.
        row: i64,
        /// What is wrong; a verb first.
        why: String,
    },
    /// A name that no entry can have.
    #[error(
        "{0:?} is no name of an entry; such names have letters, digits and `-` only; `sitewarden journal` lists them"
    )]
    EntryName(String),
    /// Several entries begin so.
    #[error("{given:?} is the beginning of several entries: {}; write more of it", ids.join(", "))]
    Ambiguous {
        /// What was given.
        given: String,
        /// The entries, oldest first.
        ids: Vec<String>,
    },
    /// An event of an entry that never began.
    #[error("the journal {} has no entry {entry:?}; begin it before anything is added to it", file.display())]
    NotBegun {
        /// The file.
        file: PathBuf,
        /// The entry.
        entry: String,
    },
    /// An entry that began already.
    #[error("the journal {} has an entry {entry:?} already; begin again with a new name", file.display())]
    BegunTwice {
        /// The file.
        file: PathBuf,
        /// The entry.
        entry: String,
    },
    /// An event that is longer than a row may be.
    #[error(
        "an event of {bytes} bytes is too long for the journal, which keeps at most {most} in a row; split the change into smaller ones"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that a row holds.
        most: usize,
    },
    /// What was given is no head hash.
    #[error("{0:?} is no head of a journal; write the 64 hexadecimal digits that the hand-over ends in")]
    Head(String),
    /// No random number could be had.
    #[error("no random number for the name of an entry: {0}; try again")]
    Random(String),
}
