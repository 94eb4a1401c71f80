//! The site file: what a person knows about a site, in TOML. It is only ever named by the person.

use super::target::{host_problem, user_problem};
use super::{ClusterSection, JumpHost, NodeTarget, Way, jump_hosts, network_problem};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest site file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

const SITE_KEYS: [&str; 6] = ["name", "management_networks", "cluster", "node", "catalog", "known_hosts"];
const NODE_KEYS: [&str; 8] = ["name", "address", "user", "port", "identity", "jump", "local", "kubernetes"];

/// A site as its file describes it. Paths are absolute where the file's own was, or start at its folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteFile {
    /// The site's name.
    pub name: Option<String>,
    /// Address ranges (CIDR) from which nodes are expected to be managed. None: the file does not say.
    pub management_networks: Option<Vec<String>>,
    /// The cluster, where the file has a table for it.
    pub cluster: Option<ClusterSection>,
    /// The nodes, in the file's order; their names differ.
    pub nodes: Vec<NodeTarget>,
    /// Folders of further controls.
    pub catalog: Vec<PathBuf>,
    /// A known_hosts file to read.
    pub known_hosts: Option<PathBuf>,
}

/// One thing that is wrong with a site file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; None where it is about the file as a whole.
    pub line: Option<usize>,
    /// A sentence that names the key and says what to write.
    pub message: String,
}

/// Why a site file cannot be used: everything that is wrong with it, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFileError {
    /// The file as it was named.
    pub file: PathBuf,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SiteFileError {
    /// One line a problem: `site.toml:3: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match problem.line {
                Some(line) => write!(f, "{end}{}:{line}: {}", self.file.display(), problem.message)?,
                None => write!(f, "{end}{}: {}", self.file.display(), problem.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for SiteFileError {}

impl SiteFile {
    /// Reads a site file. `platforms`: the ids that its `platform` may be.
    pub fn read(path: &Path, platforms: &[&str]) -> Result<Self, SiteFileError> {
        let whole =
            |message: String| SiteFileError { file: path.to_owned(), problems: vec![Problem { line: None, message }] };
        let cannot = |error: std::io::Error| whole(format!("the site file cannot be read: {error}. Check its name"));
        if std::fs::metadata(path).map_err(cannot)?.len() > LARGEST {
            return Err(whole("the site file is larger than 1 MiB. Name the right file".to_owned()));
        }
        let text = std::fs::read(path).map_err(cannot)?;
        let text = String::from_utf8(text)
            .map_err(|_| whole("the site file is not UTF-8 text. Save it as UTF-8".to_owned()))?;
        Self::parse(&text, path, platforms)
    }

    /// Reads the text of a site file; `path` is its name, for messages and for paths that are relative to it.
    pub fn parse(text: &str, path: &Path, platforms: &[&str]) -> Result<Self, SiteFileError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut reader = Reader { text, folder, platforms, problems: Vec::new() };
        let site = match DeTable::parse(text) {
            Ok(table) => reader.site(table.get_ref()),
            Err(error) => {
                let message = format!("this is not TOML: {}. Correct the line", error.message().trim_end_matches('.'));
                reader.tell(error.span().unwrap_or(0..0), message);
                SiteFile::default()
            }
        };
        let mut problems = reader.problems;
        if problems.is_empty() {
            return Ok(site);
        }
        problems.sort_by_key(|problem| problem.line);
        Err(SiteFileError { file: path.to_owned(), problems })
    }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    folder: &'a Path,
    pub(super) platforms: &'a [&'a str],
    problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn tell(&mut self, span: Range<usize>, message: String) {
        let line = self.line(&span);
        self.problems.push(Problem { line: Some(line), message });
    }

    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
    }

    fn site(&mut self, table: &DeTable<'_>) -> SiteFile {
        self.check_keys(table, &SITE_KEYS, "a site file");
        let name = self.text_of(table, "name", "name = \"edge-042\"");
        if name.as_deref() == Some("") {
            self.problem_at(table, "name", "`name` is empty: write the site's name, or leave the key out");
        }
        SiteFile {
            name,
            management_networks: self.networks(table),
            cluster: self.cluster(table),
            nodes: self.nodes(table),
            catalog: self
                .texts_of(table, "catalog", "catalog = [\"controls\"]")
                .map_or_else(Vec::new, |folders| folders.iter().map(|folder| self.path(folder.get_ref())).collect()),
            known_hosts: self
                .text_of(table, "known_hosts", "known_hosts = \"known_hosts\"")
                .map(|path| self.path(&path)),
        }
    }

    fn networks(&mut self, table: &DeTable<'_>) -> Option<Vec<String>> {
        let networks = self.texts_of(table, "management_networks", "management_networks = [\"10.20.0.0/24\"]")?;
        for network in &networks {
            if let Some(problem) = network_problem(network.get_ref()) {
                let message = format!("`management_networks`: {:?} {problem}", network.get_ref());
                self.tell(network.span(), message);
            }
        }
        Some(networks.into_iter().map(Spanned::into_inner).collect())
    }

    fn nodes(&mut self, table: &DeTable<'_>) -> Vec<NodeTarget> {
        let Some((key, value)) = table.get_key_value("node") else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.tell(key.span(), "`node` is a list: write [[node]] in double brackets above each node".to_owned());
            return Vec::new();
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut nodes = Vec::new();
        for item in items.iter() {
            let DeValue::Table(node) = item.get_ref() else {
                self.tell(item.span(), "`node` is a list of tables: write [[node]] above each node".to_owned());
                continue;
            };
            let Some(target) = self.node(node, item.span()) else { continue };
            let span = node.get("name").map_or(item.span(), |name| name.span());
            let line = self.line(&span);
            if let Some(first) = seen.insert(target.name.clone(), line) {
                let message =
                    format!("two nodes have the name {:?} (the other in line {first}): give each its own", target.name);
                self.tell(span, message);
            }
            nodes.push(target);
        }
        nodes
    }

    fn node(&mut self, node: &DeTable<'_>, span: Range<usize>) -> Option<NodeTarget> {
        let before = self.problems.len();
        self.check_keys(node, &NODE_KEYS, "a [[node]]");
        let name = self.text_of(node, "name", "name = \"node1\"");
        let address = self.text_of(node, "address", "address = \"10.20.0.11\"");
        let user = self.text_of(node, "user", "user = \"admin\"");
        let identity = self.text_of(node, "identity", "identity = \"~/.ssh/site_key\"");
        let port = self.port(node);
        let jump = self.jump(node);
        let local = self.bool_of(node, "local");
        let kubernetes = self.text_of(node, "kubernetes", "kubernetes = \"node1\"");
        if kubernetes.as_deref().is_some_and(|name| name.is_empty() || name.len() > 253) {
            let message = "`kubernetes` is no name of a node in the cluster: write kubernetes = \"node1\"";
            self.problem_at(node, "kubernetes", message);
        }
        match &name {
            Some(name) if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                self.problem_at(node, "name", "`name` is empty or has spaces: write name = \"node1\"");
            }
            None if !node.contains_key("name") => {
                self.tell(span.clone(), "this [[node]] has no `name`: write name = \"node1\"".to_owned());
            }
            _ => {}
        }
        if local {
            for key in ["address", "user", "port", "identity", "jump"] {
                if node.contains_key(key) {
                    let message =
                        format!("`{key}` makes no sense with local = true, which is this machine: remove one");
                    self.problem_at(node, key, &message);
                }
            }
            return (self.problems.len() == before).then_some(NodeTarget { name: name?, way: Way::Local, kubernetes });
        }
        match &address {
            Some(address) => {
                if let Some(problem) = address_problem(address) {
                    self.problem_at(node, "address", &format!("`address` {address:?}: {problem}"));
                }
            }
            None if !node.contains_key("address") => {
                let message =
                    "this [[node]] has no `address`: write address = \"10.20.0.11\", or local = true for this machine";
                self.tell(span, message.to_owned());
            }
            None => {}
        }
        if let Some(problem) = user.as_deref().and_then(user_problem) {
            self.problem_at(node, "user", &format!("`user`: {problem}: write user = \"admin\""));
        }
        if self.problems.len() > before {
            return None;
        }
        let identity = identity.map(|path| self.path(&path));
        Some(NodeTarget { name: name?, way: Way::Ssh { host: address?, port, user, identity, jump }, kubernetes })
    }

    /// Tells of every key that is not known, with the nearest one that is.
    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, known: &[&str], what: &str) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let hint = match near(key.get_ref(), known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it may have: {}", known.join(", ")),
            };
            self.tell(key.span(), format!("{what} has no key `{}`: {hint}", key.get_ref().escape_debug()));
        }
    }

    pub(super) fn problem_at(&mut self, table: &DeTable<'_>, key: &str, message: &str) {
        let span = table.get_key_value(key).map_or(0..0, |(key, _)| key.span());
        self.tell(span, message.to_owned());
    }

    fn wrong_type(&mut self, table: &DeTable<'_>, key: &str, value: &DeValue<'_>, write: &str) {
        let message = format!("`{key}` is of the wrong type ({}): write {write}", value.type_str());
        self.problem_at(table, key, &message);
    }

    pub(super) fn text_of(&mut self, table: &DeTable<'_>, key: &str, write: &str) -> Option<String> {
        let value = table.get(key)?.get_ref();
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(table, key, value, write);
        }
        text
    }

    pub(super) fn texts_of(&mut self, table: &DeTable<'_>, key: &str, write: &str) -> Option<Vec<Spanned<String>>> {
        let value = table.get(key)?.get_ref();
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| Some(Spanned::new(item.span(), item.get_ref().as_str()?.to_owned()))).collect()
        });
        if texts.is_none() {
            self.wrong_type(table, key, value, write);
        }
        texts
    }

    pub(super) fn bool_of(&mut self, table: &DeTable<'_>, key: &str) -> bool {
        let Some(value) = table.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(table, key, value.get_ref(), "local = true");
            false
        })
    }

    fn port(&mut self, table: &DeTable<'_>) -> Option<u16> {
        let value = table.get("port")?;
        let number =
            value.get_ref().as_integer().and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok());
        match number {
            Some(port @ 1..) => Some(port),
            _ => {
                self.problem_at(table, "port", "`port` is not a number from 1 to 65535: write port = 22");
                None
            }
        }
    }

    /// Jump hosts: one text, as ssh takes it, or a list of them.
    fn jump(&mut self, table: &DeTable<'_>) -> Option<Vec<JumpHost>> {
        let write = "jump = \"admin@gate:22\", or jump = \"none\"";
        let given = match table.get("jump")?.get_ref() {
            DeValue::Array(_) => {
                let texts = self.texts_of(table, "jump", write)?;
                texts.into_iter().map(Spanned::into_inner).collect::<Vec<_>>().join(",")
            }
            _ => self.text_of(table, "jump", write)?,
        };
        match jump_hosts(&given) {
            Ok(hosts) => Some(hosts),
            Err(why) => {
                self.problem_at(table, "jump", &format!("`jump` {given:?}: {why}: write {write}"));
                None
            }
        }
    }

    /// A path as written: `~/` is the home folder, and a relative one starts at the file's folder.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), dirs::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(text),
        }
    }
}

/// The nearest of the names that are known, where one is near.
pub(super) fn near<'n>(given: &str, known: &[&'n str]) -> Option<&'n str> {
    let scored = known.iter().map(|name| (strsim::damerau_levenshtein(given, name), *name)).min();
    scored.filter(|(distance, name)| *distance <= name.len().div_ceil(3).max(2)).map(|(_, name)| name)
}

/// What is wrong with a node's address, if anything.
fn address_problem(address: &str) -> Option<&'static str> {
    let without_port = address.rsplit_once(':').is_some_and(|(host, port)| {
        host_problem(host.trim_start_matches('[').trim_end_matches(']')).is_none() && port.parse::<u16>().is_ok()
    });
    match host_problem(address) {
        Some(_) if address.contains('@') => Some("the user has a key of its own: write user = \"admin\""),
        Some(_) if without_port => Some("the port has a key of its own: write port = 2222"),
        Some(_) => Some("that is no host name or address: write address = \"10.20.0.11\""),
        None => None,
    }
}

#[cfg(test)]
#[path = "site_file_tests.rs"]
mod tests;
