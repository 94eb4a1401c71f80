//! The arguments of `sitewarden journal`, and where the journal is.

use crate::cli::args::{Format, Walk, nothing_left};
use crate::cli::error::CliError;
use crate::store::Store;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Where the journal is kept.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(in crate::cli) struct JournalPlace {
    /// Where the journal is kept [default: sitewarden in the state directory, mostly ~/.local/state/sitewarden]
    #[arg(long, value_name = "DIR", global = true, help_heading = "Options")]
    pub(in crate::cli) journal: Option<PathBuf>,
}

impl JournalPlace {
    /// The folder.
    pub(in crate::cli) fn dir(&self) -> Result<PathBuf, CliError> {
        self.journal.clone().or_else(Store::usual_dir).ok_or_else(|| {
            CliError::Nothing(
                "there is no home folder (HOME is not set), so there is no usual place for the journal; set HOME or \
                 name a folder with --journal"
                    .to_owned(),
            )
        })
    }
}

/// `journal`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Journal {
    #[command(subcommand)]
    pub(super) command: Option<JournalCommand>,
    #[command(flatten)]
    pub(super) place: JournalPlace,
    /// How entries are written, by the list and by `show`: for people, or for programs (`sitewarden schema journal` tells the keys)
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = "Options")]
    pub(super) format: Format,
}

/// What to do with the journal instead of listing its entries.
#[derive(Debug, Subcommand)]
pub(super) enum JournalCommand {
    /// Everything of one entry: the commands, what they printed, the files before and after
    Show {
        /// The entry as `sitewarden journal` lists it, or the beginning of its name
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
    /// Check that no row was changed, removed or moved: exit status 0 and the head, or 1 and everything that is wrong
    Verify {
        /// The head that an earlier hand-over ends in: it shows, too, whether the end was cut off since
        #[arg(long, value_name = "HASH", help_heading = "Options")]
        head: Option<String>,
    },
    /// Write every entry down as Markdown, for the hand-over
    Export {
        /// Write it to this file, readable by its owner alone; `-` is standard output
        #[arg(short, long, value_name = "FILE", help_heading = "Options")]
        output: Option<PathBuf>,
    },
}

impl Journal {
    /// With the options that stood before the subcommand.
    pub(in crate::cli) fn with(mut self, mut before: Walk) -> Result<Self, CliError> {
        let place = before.change.journal.take();
        self.place.journal = self.place.journal.or(place);
        nothing_left(&before, "journal")?;
        Ok(self)
    }
}
