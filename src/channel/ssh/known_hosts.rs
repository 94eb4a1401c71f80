//! known_hosts files: parsing and matching as OpenSSH does it. Pure; libssh2's own reading fails on one bad line, knows
//! no patterns, and takes a revoked key for a good one.

use super::blob;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::path::{Path, PathBuf};

/// Warnings kept for one file; the rest are counted.
const WARNINGS: usize = 3;

/// What is known of hosts and their keys.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    files: Vec<PathBuf>,
    entries: Vec<Entry>,
    warnings: Vec<String>,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) file: PathBuf,
    /// The line, from 1.
    pub(super) line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What the files say about a key that a host presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this host's key.
    Known(Place),
    /// The host is known by another key of the same type.
    Changed {
        /// Where.
        place: Place,
        /// SHA-256 fingerprint of the key that is known.
        fingerprint: String,
    },
    /// It is marked as revoked.
    Revoked(Place),
    /// Nothing is known of it. Keys of other types that the host is known by, and where.
    Unknown(Vec<(String, Place)>),
}

#[derive(Debug, PartialEq, Eq)]
enum Mark {
    Plain,
    Revoked,
    CertAuthority,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    line: usize,
    mark: Mark,
    hosts: Hosts,
    kind: String,
    key: Vec<u8>,
}

#[derive(Debug)]
enum Hosts {
    /// Patterns, lower case; true: negated.
    Patterns(Vec<(bool, String)>),
    /// HMAC-SHA1 of the name under a salt.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl KnownHosts {
    /// Adds what a file says. A line that is not understood is skipped with a warning.
    pub(super) fn add(&mut self, file: &Path, text: &[u8]) {
        let number = self.files.len();
        self.files.push(file.to_owned());
        let (mut bad, mut authorities) = (0usize, 0usize);
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line_number = index + 1;
            match parse_line(line) {
                Ok(None) => {}
                Ok(Some((mark, hosts, kind, key))) => {
                    authorities += usize::from(mark == Mark::CertAuthority);
                    self.entries.push(Entry { file: number, line: line_number, mark, hosts, kind, key });
                }
                Err(why) => {
                    bad += 1;
                    if bad <= WARNINGS {
                        self.warnings.push(format!("{}:{line_number}: line skipped: {why}", file.display()));
                    }
                }
            }
        }
        if bad > WARNINGS {
            self.warnings.push(format!("{}: {} more lines skipped", file.display(), bad - WARNINGS));
        }
        if authorities > 0 {
            self.warnings.push(format!(
                "{}: {authorities} @cert-authority {} not used: host certificates are not supported yet",
                file.display(),
                if authorities == 1 { "line is" } else { "lines are" },
            ));
        }
    }

    /// Adds a warning about a file that could not be read.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// What a person may want to know about the files.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The types of the keys that a host (see [`host_name`]) is known by, in the files' order, each once.
    pub(super) fn kinds(&self, name: &str) -> Vec<&str> {
        let mut kinds: Vec<&str> = Vec::new();
        for entry in self.of(name).filter(|entry| entry.mark == Mark::Plain) {
            if !kinds.contains(&entry.kind.as_str()) {
                kinds.push(&entry.kind);
            }
        }
        kinds
    }

    /// What the files say about a key of a host (see [`host_name`]). A revocation anywhere decides; then a match
    /// anywhere; only then a difference.
    pub(super) fn check(&self, name: &str, key: &[u8]) -> Verdict {
        let entries: Vec<&Entry> = self.of(name).collect();
        if let Some(entry) = entries.iter().find(|entry| entry.mark == Mark::Revoked && entry.key == key) {
            return Verdict::Revoked(self.place(entry));
        }
        let plain = || entries.iter().filter(|entry| entry.mark == Mark::Plain);
        if let Some(entry) = plain().find(|entry| entry.key == key) {
            return Verdict::Known(self.place(entry));
        }
        let kind = blob::kind(key);
        if let Some(entry) = plain().find(|entry| Some(entry.kind.as_str()) == kind) {
            return Verdict::Changed { place: self.place(entry), fingerprint: blob::fingerprint(&entry.key) };
        }
        Verdict::Unknown(plain().map(|entry| (entry.kind.clone(), self.place(entry))).collect())
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let name = name.to_ascii_lowercase();
        self.entries.iter().filter(move |entry| entry.hosts.matches(&name))
    }

    fn place(&self, entry: &Entry) -> Place {
        Place { file: self.files.get(entry.file).cloned().unwrap_or_default(), line: entry.line }
    }
}

/// A host as known_hosts files name it: `host`, or `[host]:port` where the port is not 22.
pub(super) fn host_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

type Parsed = (Mark, Hosts, String, Vec<u8>);

/// One line: None where it is empty or a comment.
fn parse_line(line: &[u8]) -> Result<Option<Parsed>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not text")?.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let mut hosts = words.next().unwrap_or_default();
    let mark = match hosts {
        "@revoked" => Mark::Revoked,
        "@cert-authority" => Mark::CertAuthority,
        other if other.starts_with('@') => return Err("its marker is not known"),
        _ => Mark::Plain,
    };
    if mark != Mark::Plain {
        hosts = words.next().ok_or("there is no host after the marker")?;
    }
    let kind = words.next().ok_or("there is no key type")?;
    let key = words.next().and_then(blob::from_base64).ok_or("there is no key in base64")?;
    if blob::kind(&key) != Some(kind) {
        return Err("the key is not of the type that it says");
    }
    Ok(Some((mark, Hosts::parse(hosts)?, kind.to_owned(), key)))
}

impl Hosts {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(hashed) = text.strip_prefix('|') {
            let mut parts = hashed.split('|');
            let (Some("1"), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err("its hashed name is not of the form |1|SALT|HASH");
            };
            let (Some(salt), Some(hash)) = (blob::from_base64(salt), blob::from_base64(hash)) else {
                return Err("its hashed name is not in base64");
            };
            return Ok(Hosts::Hashed { salt, hash });
        }
        let patterns = text.split(',').filter(|pattern| !pattern.is_empty());
        Ok(Hosts::Patterns(
            patterns
                .map(|pattern| match pattern.strip_prefix('!') {
                    Some(rest) => (true, rest.to_ascii_lowercase()),
                    None => (false, pattern.to_ascii_lowercase()),
                })
                .collect(),
        ))
    }

    /// Whether a name, in lower case, is meant. A negated pattern that fits takes the name out again.
    fn matches(&self, name: &str) -> bool {
        match self {
            Hosts::Hashed { salt, hash } => hash_name(salt, name).is_some_and(|found| found == *hash),
            Hosts::Patterns(patterns) => {
                let fits = |negated: bool| patterns.iter().any(|(no, text)| *no == negated && fits(text, name));
                fits(false) && !fits(true)
            }
        }
    }
}

/// HMAC-SHA1 of a name under a salt, by which hashed lines know it.
pub(super) fn hash_name(salt: &[u8], name: &str) -> Option<Vec<u8>> {
    let key = PKey::hmac(salt).ok()?;
    Signer::new(MessageDigest::sha1(), &key).ok()?.sign_oneshot_to_vec(name.as_bytes()).ok()
}

/// Shell-like matching with `*` and `?` alone, in time of pattern times name.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut star, mut resume) = (0usize, None, 0usize);
    let mut position = 0usize;
    while let Some(&byte) = name.get(position) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some(at);
                resume = position;
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => {
                at += 1;
                position += 1;
            }
            _ => match star {
                Some(back) => {
                    resume += 1;
                    position = resume;
                    at = back + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;
