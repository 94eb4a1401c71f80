//! `sitewarden known-hosts`: the host keys that a person accepted, and forgetting those of a host.

use super::args::{Format, KnownHosts, KnownHostsCommand};
use super::error::CliError;
use super::{GOOD, targets};
use crate::channel::ssh::kept::{self, KeptKey, KeptKeys};
use crate::report::{clean, json};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// The list as a document.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: String,
    keys: Vec<Key<'a>>,
    /// Of `forget`: these are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten: Option<Vec<Key<'a>>>,
    skipped_lines: usize,
}

/// One key. Without a host, its name is hashed; without a time, it is not known when it was accepted.
#[derive(Serialize)]
struct Key<'a> {
    host: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    fingerprint: &'a str,
    accepted: Option<String>,
}

/// Lists the keys, or forgets those of a host. Forgetting a host that is not there is an error.
pub(super) fn run(given: &KnownHosts, out: &mut dyn Write) -> Result<u8, CliError> {
    let file = targets::accepted_keys().ok_or_else(|| {
        CliError::Nothing("there is no home folder (HOME is not set), so no host keys are kept; set HOME".to_owned())
    })?;
    let kept = kept::list(&file).map_err(|error| unreadable(&file, error))?;
    let forgotten = match &given.command {
        None => None,
        Some(KnownHostsCommand::Forget { host }) => Some(forget(&file, host, &kept, given.format, out)?),
    };
    let text = match (given.format, &forgotten) {
        (Format::Json, None) => document(&file, &kept, None)?,
        (Format::Json, Some(gone)) => {
            let left = kept::list(&file).map_err(|error| unreadable(&file, error))?;
            document(&file, &left, Some(gone))?
        }
        (Format::Text, None) => as_text(&file, &kept),
        (Format::Text, Some(gone)) => {
            format!("Forgotten. {} of {} are left.\n", kept.keys.len().saturating_sub(gone.len()), kept.keys.len())
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(GOOD)
}

/// Shows what goes, then removes it.
fn forget(
    file: &Path,
    host: &str,
    kept: &KeptKeys,
    format: Format,
    out: &mut dyn Write,
) -> Result<Vec<KeptKey>, CliError> {
    let goes = kept::of_host(file, host).map_err(|error| unreadable(file, error))?;
    if goes.is_empty() {
        let known = kept.keys.iter().filter_map(|key| key.host.as_deref());
        return Err(CliError::unknown("accepted key of host", host, known, "`sitewarden known-hosts` lists them all."));
    }
    if format == Format::Text {
        let mut text =
            format!("These keys of {} are forgotten; the next one it shows is asked for as new:\n", clean(host));
        text.push_str(&table(&goes));
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    kept::forget(file, host).map_err(|error| CliError::Write { file: file.to_owned(), error })
}

fn unreadable(file: &Path, error: io::Error) -> CliError {
    CliError::Read { what: "the file of accepted host keys", file: file.to_owned(), error }
}

fn document(file: &Path, kept: &KeptKeys, forgotten: Option<&[KeptKey]>) -> Result<String, CliError> {
    json(&Document {
        schema: "sitewarden.known-hosts/v1",
        file: file.display().to_string(),
        keys: kept.keys.iter().map(key).collect(),
        forgotten: forgotten.map(|gone| gone.iter().map(key).collect()),
        skipped_lines: kept.skipped,
    })
    .map_err(|error| CliError::Own("the list of host keys", error.to_string()))
}

fn key(kept: &KeptKey) -> Key<'_> {
    Key {
        host: kept.host.as_deref(),
        kind: &kept.kind,
        fingerprint: &kept.fingerprint,
        accepted: kept.accepted.map(|time| time.to_string()),
    }
}

fn as_text(file: &Path, kept: &KeptKeys) -> String {
    let place = clean(&file.display().to_string()).into_owned();
    if kept.keys.is_empty() {
        return format!("No host key has been accepted yet ({place}).\n");
    }
    let mut text = table(&kept.keys);
    let _ = writeln!(text, "\nKept in {place}");
    if kept.skipped > 0 {
        let _ = writeln!(text, "Lines there that are no accepted keys, and were left out here: {}", kept.skipped);
    }
    text
}

fn table(keys: &[KeptKey]) -> String {
    let mut text = String::new();
    for key in keys {
        let host = clean(key.host.as_deref().unwrap_or("(name is hashed)"));
        let accepted = key.accepted.map_or("at a time not known".to_owned(), |time| time.to_string());
        let _ = writeln!(text, "{host}\n  {}  {}\n  accepted {accepted}", clean(&key.kind), key.fingerprint);
    }
    text
}
