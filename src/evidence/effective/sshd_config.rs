//! sshd_config as sshd reads it: Include in the order of names, Match blocks, who sets what on which line.
//!
//! It tells origins, and which Match criteria there are to ask `sshd -T -C` about. It never stands in for `sshd -T`.

use super::super::ConfigText;
use super::sshd_keywords::{canonical, lower_case};
use super::sshd_lines::{glob_path, split};
use super::sshd_match::{Applies, Criterion, criteria, meets};
use std::collections::BTreeMap;

/// sshd's own bound on nested includes (`SERVCONF_MAX_DEPTH`).
const DEPTH: usize = 16;
/// Most files read, repeats counted.
const READS: usize = 500;
/// Most directives kept.
const DIRECTIVES: usize = 20_000;
/// Most Include patterns followed.
const INCLUDES: usize = 1_000;
/// Where a relative Include starts.
const FOLDER: &str = "/etc/ssh";

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Absolute path.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// A Match block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchBlock {
    /// Its criteria; all of them must be met.
    pub criteria: Vec<Criterion>,
    /// The line as written, quotes removed: `Match Address 10.0.0.0/8`.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// Blocks around it (it stands in a file that is included inside them), as numbers in [`SshdConfig::matches`].
    pub inside: Vec<usize>,
}

/// A keyword with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// In lower case, old names replaced by today's.
    pub keyword: String,
    /// Arguments, quotes removed.
    pub args: Vec<String>,
    /// Where it stands.
    pub place: Place,
    /// Match blocks that it stands in, as numbers in [`SshdConfig::matches`]; all must hold.
    pub inside: Vec<usize>,
}

/// A daemon's configuration files, read in sshd's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshdConfig {
    directives: Vec<Directive>,
    /// Keyword -> its directives, as numbers.
    by_keyword: BTreeMap<String, Vec<usize>>,
    matches: Vec<MatchBlock>,
    whole: bool,
    reads: usize,
    includes: usize,
}

impl SshdConfig {
    /// Reads the file at `main_path` and what it includes, out of `files`. Never fails: what is missing, unread or
    /// beyond the bounds makes it not [`whole`](Self::is_whole).
    pub fn parse(main_path: &str, files: &[ConfigText]) -> Self {
        let mut texts: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for file in files {
            texts.entry(&file.path).or_insert(file.text.known().map(String::as_str));
        }
        let mut config = SshdConfig { whole: true, ..SshdConfig::default() };
        config.read(main_path, &texts, 0, &[]);
        config
    }

    /// Whether every file that it names among those given was there and understood. Files that an Include pattern
    /// would match and that were not given cannot be told.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The Match blocks, in sshd's order.
    pub fn matches(&self) -> &[MatchBlock] {
        &self.matches
    }

    /// Every directive, in the order in which sshd meets them.
    pub(crate) fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// The directives with this keyword (any case, old names too), in the order in which sshd meets them.
    pub fn settings_for(&self, keyword: &str) -> impl Iterator<Item = &Directive> {
        let keyword = lower_case(keyword);
        let numbers = self.by_keyword.get(canonical(&keyword)).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.directives.get(*number))
    }

    /// Whether each Match block, taken by itself, holds for a connection, described as for `sshd -T -C`; an empty
    /// description is the daemon as such.
    pub fn answers(&self, connection: &BTreeMap<String, String>) -> Vec<Applies> {
        self.matches
            .iter()
            .map(|block| {
                let answers = block.criteria.iter().map(|criterion| meets(criterion, connection));
                answers.fold(Applies::Yes, Applies::and)
            })
            .collect()
    }

    /// Whether a directive holds where the Match blocks [answer](Self::answers) so.
    pub fn applies(&self, directive: &Directive, answers: &[Applies]) -> Applies {
        let around = directive.inside.iter().map(|number| answers.get(*number).copied().unwrap_or(Applies::Unknown));
        around.fold(Applies::Yes, Applies::and)
    }

    fn read(&mut self, path: &str, texts: &BTreeMap<&str, Option<&str>>, depth: usize, around: &[usize]) {
        self.reads += 1;
        let Some(Some(text)) = texts.get(path) else {
            self.whole = false;
            return;
        };
        if depth > DEPTH || self.reads > READS {
            self.whole = false;
            return;
        }
        // A Match left open at the end of an included file ends with that file.
        let mut inside = around.to_vec();
        for (number, line) in text.lines().enumerate() {
            let Some((keyword, args)) = split(line) else { continue };
            let Some(args) = args else {
                self.whole = false;
                continue;
            };
            let place = Place { file: path.to_owned(), line: number + 1 };
            match keyword.as_str() {
                "include" => self.include(&args, texts, depth, &inside),
                "match" => {
                    let text = format!("Match {}", args.join(" "));
                    let block = MatchBlock { criteria: criteria(&args), text, place, inside: around.to_vec() };
                    self.matches.push(block);
                    inside = around.to_vec();
                    inside.push(self.matches.len() - 1);
                }
                _ => {
                    let keyword = canonical(&keyword).to_owned();
                    self.by_keyword.entry(keyword.clone()).or_default().push(self.directives.len());
                    self.directives.push(Directive { keyword, args, place, inside: inside.clone() });
                }
            }
            if self.directives.len() + self.matches.len() > DIRECTIVES {
                self.whole = false;
                return;
            }
        }
    }

    fn include(&mut self, args: &[String], texts: &BTreeMap<&str, Option<&str>>, depth: usize, inside: &[usize]) {
        for arg in args {
            self.includes += 1;
            if self.includes > INCLUDES {
                self.whole = false;
                return;
            }
            let pattern = if arg.starts_with('/') { arg.clone() } else { format!("{FOLDER}/{arg}") };
            // The map is in the order of the paths' bytes, and so are the answers of glob(3) in the C locale.
            let found: Vec<&str> = texts.keys().copied().filter(|path| glob_path(&pattern, path)).collect();
            for path in found {
                if self.reads > READS || self.directives.len() > DIRECTIVES {
                    self.whole = false;
                    return;
                }
                self.read(path, texts, depth + 1, inside);
            }
        }
    }
}

#[cfg(test)]
#[path = "sshd_config_tests.rs"]
mod tests;
