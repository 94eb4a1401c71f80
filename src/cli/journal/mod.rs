//! `sitewarden journal`: what was changed, from the journal that `store` keeps.
//!
//! `text` writes it for a terminal, `json` for programs, `markdown` for the hand-over.

mod args;
mod json;
mod markdown;
mod text;

pub(super) use args::Journal;
pub(super) use json::{Document, SCHEMA};

use super::args::Format;
use super::error::CliError;
use super::output::Output;
use super::{FAILED, GOOD};
use crate::report::{self, clean};
use crate::store::{Entry, Store, Verified};
use args::JournalCommand;
use std::io::Write;
use std::path::Path;

/// Runs it and gives the exit status: 1 where the journal does not hold together.
pub(super) fn run(journal: &Journal, out: &mut dyn Write) -> Result<u8, CliError> {
    let as_json = journal.format == Format::Json;
    if as_json && matches!(journal.command, Some(JournalCommand::Verify { .. } | JournalCommand::Export { .. })) {
        let words = "only the list and `show` are written as JSON; leave --format out here";
        return Err(CliError::Nothing(words.to_owned()));
    }
    let dir = journal.place.dir()?;
    let output = match &journal.command {
        Some(JournalCommand::Export { output }) => Output::open(output.as_deref(), true)?,
        _ => Output::Stdout,
    };
    let Some(store) = Store::open_existing(&dir)? else { return without(journal, &dir, &output, out) };
    if let Some(JournalCommand::Verify { head }) = &journal.command {
        let found = store.verify(head.as_deref())?;
        output.write(text::verified(&found, store.file(), head.is_some()).as_bytes(), out)?;
        return Ok(status(&found));
    }
    let (entries, found) = store.verified_entries()?;
    let document = match &journal.command {
        Some(JournalCommand::Show { entry }) => {
            let one = store.entry(entry)?.ok_or_else(|| no_entry(entry, entries.iter().map(|e| e.id.as_str())))?;
            if as_json { of_json(&[one], &found, Some(store.file()), true)? } else { text::one(&one, &found) }
        }
        Some(JournalCommand::Export { .. }) => markdown::document(&entries, &found, &dir),
        _ if as_json => of_json(&entries, &found, Some(store.file()), false)?,
        _ => text::list(&entries, &found, store.file()),
    };
    output.write(document.as_bytes(), out)?;
    Ok(status(&found))
}

/// Where nothing was ever kept.
fn without(journal: &Journal, dir: &Path, output: &Output, out: &mut dyn Write) -> Result<u8, CliError> {
    let nothing = format!("Nothing was ever changed and kept in {}.\n", clean(&dir.display().to_string()));
    match &journal.command {
        Some(JournalCommand::Show { entry }) => Err(no_entry(entry, std::iter::empty())),
        Some(JournalCommand::Verify { head }) => {
            let found = Verified::of_nothing(head.as_deref())?;
            let problems = text::problems(&found);
            output.write(format!("{problems}{nothing}").as_bytes(), out)?;
            Ok(status(&found))
        }
        Some(JournalCommand::Export { .. }) => {
            output.write(markdown::document(&[], &Verified::of_nothing(None)?, dir).as_bytes(), out)?;
            Ok(GOOD)
        }
        None => {
            let text = match journal.format {
                Format::Json => of_json(&[], &Verified::of_nothing(None)?, None, false)?,
                Format::Text => nothing,
            };
            output.write(text.as_bytes(), out)?;
            Ok(GOOD)
        }
    }
}

fn of_json(entries: &[Entry], found: &Verified, file: Option<&Path>, whole: bool) -> Result<String, CliError> {
    report::json(&json::document(entries, found, file, whole))
        .map_err(|error| CliError::Own("the journal as JSON", error.to_string()))
}

fn no_entry<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    CliError::unknown("entry of the journal", given, known, "`sitewarden journal` lists them all.")
}

fn status(found: &Verified) -> u8 {
    if found.holds() { GOOD } else { FAILED }
}
