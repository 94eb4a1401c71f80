//! The command line: arguments, one file a subcommand. Streams and exit status are decided here and nowhere else.

mod args;
mod cluster;
mod collect;
mod console;
mod controls;
mod error;
mod explain;
mod fix;
mod journal;
mod known_hosts;
mod look;
mod output;
mod plan;
mod resume;
mod scan;
mod schema;
mod seat;
mod site_file;
mod source;
mod targets;
mod told;
mod tty;
mod undo;
mod undo_cluster;
mod walk;

use crate::report::clean;
use args::{Cli, Command};
use clap::Parser;
use error::CliError;
use std::ffi::OsString;
use std::io::{self, Write};

/// Exit status: nothing failed at or above `--fail-on`.
const GOOD: u8 = 0;
/// Exit status: something failed at or above `--fail-on`.
const FAILED: u8 = 1;
/// Exit status: usage, configuration, or an error of this program.
const WRONG: u8 = 2;
/// Exit status: nothing failed, but the scan is incomplete.
const INCOMPLETE: u8 = 3;

/// Runs the program with these arguments (the first is its name) and gives its exit status: 0 nothing failed, 1
/// something did, 2 usage, configuration or own error, 3 nothing failed but the scan is incomplete. Results go to
/// `out`, errors to `err`, one sentence each.
pub fn run<I>(arguments: I, out: &mut dyn Write, err: &mut dyn Write) -> u8
where
    I: IntoIterator<Item = OsString>,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return parse_trouble(&error, out, err),
    };
    match dispatch(cli, out, err) {
        Ok(status) => status,
        // The reader had seen enough (`| head`): no error of ours, and nobody left to tell.
        Err(CliError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => GOOD,
        Err(error) => {
            for sentence in error.sentences() {
                let _ = writeln!(err, "sitewarden: {}", clean(&sentence));
            }
            WRONG
        }
    }
}

fn dispatch(cli: Cli, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
    let before = cli.before;
    match cli.command {
        None => walk::run(&before, err),
        Some(Command::Scan(given)) => scan::run(&given.with(before)?, out, err),
        Some(Command::Collect(given)) => collect::run(&given.with(before)?, out, err),
        Some(Command::Fix(given)) => fix::run(&given.with(before)?, out, err),
        Some(Command::Undo(given)) => undo::run(&given.with(before)?, out, err),
        Some(Command::Controls(given)) => controls::run(&given.with(before)?, out),
        Some(Command::Explain(given)) => explain::run(&given.with(before)?, out),
        Some(Command::KnownHosts(given)) => known_hosts::run(&given.with(before)?, out),
        Some(Command::Journal(given)) => journal::run(&given.with(before)?, out),
        Some(Command::Schema(given)) => schema::run(&given.with(before)?, out),
    }
}

/// Help and version go to `out`, usage errors to `err`.
fn parse_trouble(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let text = error.render().to_string();
    if error.use_stderr() {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let _ = write!(err, "sitewarden: {text}");
        WRONG
    } else {
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        GOOD
    }
}
