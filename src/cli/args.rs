//! The arguments, and how those before a subcommand and those after it come together.

use super::error::CliError;
use super::fix::{Change, Fix};
use super::journal::Journal;
use super::look::Look;
use super::undo::Undo;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Walks a person through hardening a Kubernetes platform at an edge site. It reads the cluster and its nodes, and changes
/// nothing unless changes are allowed and each is confirmed.
#[derive(Debug, Parser)]
#[command(name = "sitewarden", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) before: Walk,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXIT_STATUS: &str = "Without a subcommand the walk-through starts.\n\n\
Exit status: 0 nothing failed at or above --fail-on; 1 something did; 2 usage, configuration or own error; \
3 nothing failed but the scan is incomplete.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read the cluster and the nodes, assess, print the findings
    Scan(Scan),
    /// Read the cluster and the nodes only and write the evidence to a file, to be assessed elsewhere
    Collect(Collect),
    /// Put right what fails: shows the plan, asks, changes, checks. Without --allow-changes it only shows
    Fix(Fix),
    /// Take back what was changed: from the journal, or from what the node itself keeps
    Undo(Undo),
    /// List the catalog
    Controls(Controls),
    /// One control in full: why it matters, what is asked, what to do
    Explain(Explain),
    /// List the host keys that were accepted, or forget those of a host
    KnownHosts(KnownHosts),
    /// What was changed and by whom; check that record, or write it down for a hand-over
    Journal(Journal),
    /// Print the JSON Schema of a document
    Schema(Schema),
}

/// Which controls are asked.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Controls")]
pub(super) struct Narrow {
    /// Only this section of the guide (repeatable)
    #[arg(long, value_name = "SECTION")]
    pub(super) section: Vec<String>,
    /// Which controls are asked: what the guide asks, or the rest of its references too [default: guide]
    #[arg(long, value_name = "PROFILE", value_parser = ["guide", "cis"])]
    pub(super) profile: Option<String>,
}

/// Where controls come from.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Controls")]
pub(super) struct Folders {
    /// Add the controls of this folder's *.yaml files (repeatable)
    #[arg(long, value_name = "FOLDER")]
    pub(super) catalog: Vec<PathBuf>,
}

/// What is assessed, and how.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(super) struct Judge {
    #[command(flatten)]
    pub(super) narrow: Narrow,
    /// Only this control (repeatable)
    #[arg(long, value_name = "CONTROL", help_heading = "Controls")]
    pub(super) control: Vec<String>,
    /// Work from this evidence instead of looking at anything; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub(super) evidence: Option<PathBuf>,
    /// Work from the evidence of a made-up site that the program carries
    #[arg(long, help_heading = "Evidence")]
    pub(super) demo: bool,
    /// Assess as of this time: a date, or date and time as in RFC 3339 [default: now; with --demo the time of its evidence]
    #[arg(long, value_name = "TIME", help_heading = "Evidence")]
    pub(super) as_of: Option<String>,
}

/// Says more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Args)]
pub(super) struct Talk {
    /// Say more: progress even where standard error is no terminal, every item, the evidence of what passes
    #[arg(short, long, help_heading = "Options")]
    pub(super) verbose: bool,
}

/// The walk-through; and, before a subcommand, everything that may stand there.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(super) struct Walk {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) folders: Folders,
    #[command(flatten)]
    pub(super) judge: Judge,
    #[command(flatten)]
    pub(super) talk: Talk,
    #[command(flatten)]
    pub(super) change: Change,
    /// Size of the screen, for terminals that do not tell theirs
    #[arg(long, value_name = "COLSxROWS", help_heading = "Options")]
    pub(super) size: Option<String>,
}

/// `scan`.
#[derive(Debug, Args)]
pub(super) struct Scan {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) folders: Folders,
    #[command(flatten)]
    pub(super) judge: Judge,
    #[command(flatten)]
    pub(super) talk: Talk,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Options")]
    pub(super) format: Format,
    /// Write them to this file; `-` is standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Options")]
    pub(super) output: Option<PathBuf>,
    /// Severity from which on a failure decides the exit status
    #[arg(long, value_name = "SEVERITY", default_value = "high", help_heading = "Options",
        value_parser = PossibleValuesParser::new(["low", "medium", "high", "critical"]).map(severity))]
    pub(super) fail_on: crate::catalog::Severity,
}

/// `collect`.
#[derive(Debug, Args)]
pub(super) struct Collect {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) talk: Talk,
    /// Write the evidence to this file, readable by its owner alone; `-` is standard output
    #[arg(short, long, value_name = "FILE", required = true, help_heading = "Options")]
    pub(super) output: PathBuf,
}

/// `controls`.
#[derive(Debug, Args)]
pub(super) struct Controls {
    #[command(flatten)]
    pub(super) folders: Folders,
    #[command(flatten)]
    pub(super) narrow: Narrow,
    /// List the functions that conditions may call instead
    #[arg(long, help_heading = "Options")]
    pub(super) functions: bool,
    /// How the list is written
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Options")]
    pub(super) format: Format,
}

/// `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    pub(super) folders: Folders,
    /// Name of the control
    #[arg(value_name = "CONTROL")]
    pub(super) name: String,
}

/// `known-hosts`.
#[derive(Debug, Args)]
pub(super) struct KnownHosts {
    #[command(subcommand)]
    pub(super) command: Option<KnownHostsCommand>,
    /// How the list is written
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = "Options")]
    pub(super) format: Format,
}

/// What to do with the accepted host keys instead of listing them.
#[derive(Debug, Subcommand)]
pub(super) enum KnownHostsCommand {
    /// Forget the keys of a host, after showing them: its next key is asked for as if it were new
    Forget {
        /// Host as `sitewarden known-hosts` lists it; with its port where that is not 22
        #[arg(value_name = "HOST[:PORT]")]
        host: String,
    },
}

/// `schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of which document: what `collect` writes, or what `scan --format json` writes
    #[arg(value_enum)]
    pub(super) document: Document,
}

/// How results are written: for people, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Documents with a schema: what `collect` writes, what `scan --format json` writes, what `journal --format json` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    Evidence,
    Findings,
    Journal,
}

fn severity(word: String) -> crate::catalog::Severity {
    use crate::catalog::Severity;
    match word.as_str() {
        "low" => Severity::Low,
        "medium" => Severity::Medium,
        "critical" => Severity::Critical,
        _ => Severity::High,
    }
}

/// Options given both before and after a subcommand come together: lists add up, of single values the later counts.
pub(super) trait Under: Sized {
    fn under(self, before: Self) -> Self;
}

pub(super) fn joined<T>(mut before: Vec<T>, after: Vec<T>) -> Vec<T> {
    before.extend(after);
    before
}

impl Under for Narrow {
    fn under(self, before: Self) -> Self {
        Narrow { section: joined(before.section, self.section), profile: self.profile.or(before.profile) }
    }
}

impl Under for Folders {
    fn under(self, before: Self) -> Self {
        Folders { catalog: joined(before.catalog, self.catalog) }
    }
}

impl Under for Judge {
    fn under(self, before: Self) -> Self {
        Judge {
            narrow: self.narrow.under(before.narrow),
            control: joined(before.control, self.control),
            evidence: self.evidence.or(before.evidence),
            demo: self.demo || before.demo,
            as_of: self.as_of.or(before.as_of),
        }
    }
}

impl Under for Talk {
    fn under(self, before: Self) -> Self {
        Talk { verbose: self.verbose || before.verbose }
    }
}

/// What stood before a subcommand and that subcommand does not take is an error: an option that does nothing would
/// only look as if it did.
pub(super) fn nothing_left(rest: &Walk, command: &'static str) -> Result<(), CliError> {
    match rest.given().first() {
        None => Ok(()),
        Some(option) => Err(CliError::OptionNotTaken { option, command }),
    }
}

/// Names of the options that were given.
pub(super) fn given<const N: usize>(options: [(&'static str, bool); N]) -> Vec<&'static str> {
    options.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
}

impl Walk {
    fn given(&self) -> Vec<&'static str> {
        let own = given([
            ("--catalog", !self.folders.catalog.is_empty()),
            ("--section", !self.judge.narrow.section.is_empty()),
            ("--profile", self.judge.narrow.profile.is_some()),
            ("--control", !self.judge.control.is_empty()),
            ("--evidence", self.judge.evidence.is_some()),
            ("--demo", self.judge.demo),
            ("--as-of", self.judge.as_of.is_some()),
            ("--verbose", self.talk.verbose),
            ("--size", self.size.is_some()),
        ]);
        [self.look.given(), own, self.change.given()].concat()
    }
}

impl Scan {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let look = self.look.under(std::mem::take(&mut before.look));
        let folders = self.folders.under(std::mem::take(&mut before.folders));
        let judge = self.judge.under(std::mem::take(&mut before.judge));
        let talk = self.talk.under(std::mem::take(&mut before.talk));
        nothing_left(&before, "scan")?;
        Ok(Scan { look, folders, judge, talk, ..self })
    }
}

impl Collect {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let look = self.look.under(std::mem::take(&mut before.look));
        let talk = self.talk.under(std::mem::take(&mut before.talk));
        nothing_left(&before, "collect")?;
        Ok(Collect { look, talk, ..self })
    }
}

impl Controls {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let folders = self.folders.under(std::mem::take(&mut before.folders));
        let narrow = self.narrow.under(std::mem::take(&mut before.judge.narrow));
        nothing_left(&before, "controls")?;
        Ok(Controls { folders, narrow, ..self })
    }
}

impl Explain {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, mut before: Walk) -> Result<Self, CliError> {
        let folders = self.folders.under(std::mem::take(&mut before.folders));
        nothing_left(&before, "explain")?;
        Ok(Explain { folders, ..self })
    }
}

impl KnownHosts {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, before: Walk) -> Result<Self, CliError> {
        nothing_left(&before, "known-hosts")?;
        Ok(self)
    }
}

impl Schema {
    /// With the options that stood before the subcommand.
    pub(super) fn with(self, before: Walk) -> Result<Self, CliError> {
        nothing_left(&before, "schema")?;
        Ok(self)
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
