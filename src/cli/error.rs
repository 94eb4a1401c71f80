//! What goes wrong before or beside the work itself; each ends in what to do.

use crate::catalog::CatalogError;
use crate::evidence::EvidenceError;
use crate::probe::azure::AzureFileError;
use crate::site::{SiteFileError, TargetError};
use crate::store::StoreError;
use std::io;
use std::path::PathBuf;

/// An error of the command line. All of them end the program with status 2.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// An option before a subcommand that has no such option.
    #[error("{option} is no option of `{command}`; leave it out, `sitewarden {command} --help` lists those it takes")]
    OptionNotTaken {
        /// The option.
        option: &'static str,
        /// The subcommand.
        command: &'static str,
    },
    /// Two options that exclude one another.
    #[error("{one} and {other} cannot be used together: {why}")]
    Conflict {
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// A name that is not known.
    #[error("there is no {kind} {given:?}{} {list}", near_words(near))]
    Unknown {
        /// `control`, `section`.
        kind: &'static str,
        /// What was given.
        given: String,
        /// Names that are like it.
        near: Vec<String>,
        /// How to see all names.
        list: String,
    },
    /// Options that together ask nothing.
    #[error("{0}")]
    Nothing(String),
    /// `--node` that is no target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// `--jump` that names no jump hosts.
    #[error("--jump {given:?}: {why}; write [USER@]HOST[:PORT], several with commas, or none")]
    Jump {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two targets of one name.
    #[error("two targets are called {0:?}; name each node once, or give the nodes names of their own in a site file")]
    Repeated(String),
    /// `--as-of` that is no time.
    #[error("--as-of {0:?} is no time; write a date (2026-08-22) or a date and time (2026-08-22T10:00:00Z)")]
    AsOf(String),
    /// `--size` that is no size.
    #[error("--size {0:?} is no size; write columns and rows, such as 80x24")]
    Size(String),
    /// `--accept-host-key` that is no fingerprint.
    #[error(
        "--accept-host-key {0:?} is no fingerprint; write it as `ssh-keygen -lf` shows it: SHA256: and 43 characters"
    )]
    Fingerprint(String),
    /// A file that was named cannot be read.
    #[error("{what} {} cannot be read: {error}; check the path and its permissions", file.display())]
    Read {
        /// What the file is for.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file that cannot be written.
    #[error("{} cannot be written: {error}; name another place with -o", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Standard output broke.
    #[error("the result cannot be written: {0}; write it to a file with -o")]
    Print(#[from] io::Error),
    /// A file does not hold what Azure says.
    #[error("{}: {error}", file.display())]
    Azure {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        error: AzureFileError,
    },
    /// The kubeconfig that was named cannot be used; a sentence that ends in what to do.
    #[error("{0}")]
    Kubeconfig(String),
    /// Nothing was named, and the usual kubeconfig cannot be used.
    #[error("{0}; or leave the cluster out: --no-cluster or --local looks at this machine, --node at a node")]
    UsualKubeconfig(String),
    /// The evidence is none.
    #[error("{}: {error}", file.display())]
    Evidence {
        /// Where it came from.
        file: PathBuf,
        /// What is wrong.
        error: EvidenceError,
    },
    /// The site file is wrong.
    #[error("{0}")]
    Site(#[from] SiteFileError),
    /// The catalog is wrong.
    #[error("the catalog cannot be used")]
    Catalog(Vec<CatalogError>),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] StoreError),
    /// The program's own data cannot be read.
    #[error("{0} of this program cannot be read: {1}; this build is damaged, take another")]
    Own(&'static str, String),
    /// The walk-through could not start or broke.
    #[error("{0}")]
    Screen(#[from] crate::tui::TuiError),
}

impl CliError {
    /// One sentence each.
    pub(super) fn sentences(&self) -> Vec<String> {
        match self {
            CliError::Catalog(errors) => errors.iter().map(ToString::to_string).collect(),
            // Its problems stand one a line, each with the file's name.
            CliError::Site(error) => error.to_string().lines().map(str::to_owned).collect(),
            other => vec![other.to_string()],
        }
    }

    /// An unknown name, with those of `known` that are like it.
    pub(super) fn unknown<'a>(
        kind: &'static str,
        given: &str,
        known: impl Iterator<Item = &'a str>,
        list: impl Into<String>,
    ) -> Self {
        CliError::Unknown { kind, given: given.to_owned(), near: near(given, known), list: list.into() }
    }
}

/// At most three names that are like the one given, the nearest first.
fn near<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let given = given.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|name| {
            let contained = given.len() > 2 && name.contains(&given);
            (if contained { 1.0 } else { strsim::jaro_winkler(&given, name) }, name)
        })
        .filter(|(score, _)| *score > 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

fn near_words(near: &[String]) -> String {
    match near {
        [] => ".".to_owned(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_its_neighbour_and_a_foreign_one_none() {
        let known = ["kubelet-anonymous-auth", "etcd-client-auth", "pki-keys-mode"];
        assert_eq!(near("kubelet-anonymus-auth", known.into_iter()), ["kubelet-anonymous-auth"]);
        assert_eq!(near("pki", known.into_iter()), ["pki-keys-mode"]);
        assert!(near("zzz", known.into_iter()).is_empty());
    }
}
