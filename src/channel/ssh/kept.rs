//! What is kept in our own file of accepted host keys: to list it, and to forget a host.

use super::{accepted, blob, known_hosts};
use jiff::Timestamp;
use std::io;
use std::path::Path;

/// Longest file that is read.
const LARGEST: u64 = 32 << 20;

/// A host key that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// Name of the host as in known_hosts: `10.0.0.4` or `[10.0.0.4]:2222`. None where it is hashed.
    pub host: Option<String>,
    /// `ssh-ed25519`.
    pub kind: String,
    /// `SHA256:...`
    pub fingerprint: String,
    /// When it was accepted, where the file says so.
    pub accepted: Option<Timestamp>,
}

/// The keys of a file, and how many of its lines are something else (marks, damaged lines).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptKeys {
    /// In the order of the file.
    pub keys: Vec<KeptKey>,
    /// Lines that hold something and no accepted key.
    pub skipped: usize,
}

/// Reads the file. One that does not exist is empty.
pub fn list(file: &Path) -> io::Result<KeptKeys> {
    let mut kept = KeptKeys::default();
    for line in read(file)?.split(|byte| *byte == b'\n') {
        match parse(line) {
            Line::Key(line) => kept.keys.push(line.key),
            Line::Other => kept.skipped += 1,
            Line::Nothing => {}
        }
    }
    Ok(kept)
}

/// The keys that [`forget`] would remove.
pub fn of_host(file: &Path, host: &str) -> io::Result<Vec<KeptKey>> {
    let names = names(host);
    let text = read(file)?;
    let lines = text.split(|byte| *byte == b'\n').map(parse);
    Ok(lines
        .filter_map(|line| match line {
            Line::Key(line) if line.is_of(&names) => Some(line.key),
            _ => None,
        })
        .collect())
}

/// Removes the keys of a host (`HOST`, `HOST:PORT` or `[HOST]:PORT`), in one step. Every other line stays as it is. Gives
/// what was removed.
pub fn forget(file: &Path, host: &str) -> io::Result<Vec<KeptKey>> {
    let names = names(host);
    if of_host(file, host)?.is_empty() {
        return Ok(Vec::new());
    }
    let mut gone = Vec::new();
    accepted::change(file, |text| {
        let mut left = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            match parse(line) {
                Line::Key(line) if line.is_of(&names) => gone.push(line.key),
                _ => left.extend_from_slice(line),
            }
        }
        left
    })?;
    Ok(gone)
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    match std::fs::metadata(file) {
        Ok(meta) if meta.len() > LARGEST => Err(io::Error::other("it is larger than 32 MiB")),
        Ok(_) => std::fs::read(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The names by which a host may stand in the file.
fn names(host: &str) -> Vec<String> {
    let host = host.trim().to_ascii_lowercase();
    let mut names = vec![host.clone()];
    let bare = host.trim_matches(['[', ']']);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        names.push(known_hosts::host_name(bare, 22));
    } else if let Some((before, port)) = host.rsplit_once(':')
        && let Ok(port) = port.parse()
    {
        names.push(known_hosts::host_name(before.trim_matches(['[', ']']), port));
    }
    names
}

enum Line {
    Nothing,
    Key(Box<KeyLine>),
    Other,
}

struct KeyLine {
    names: Names,
    key: KeptKey,
}

enum Names {
    Plain(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl KeyLine {
    fn is_of(&self, wanted: &[String]) -> bool {
        match &self.names {
            Names::Plain(names) => names.iter().any(|name| wanted.contains(name)),
            Names::Hashed { salt, hash } => {
                wanted.iter().any(|name| known_hosts::hash_name(salt, name).is_some_and(|found| found == *hash))
            }
        }
    }
}

fn parse(line: &[u8]) -> Line {
    let Ok(text) = std::str::from_utf8(line) else { return Line::Other };
    if text.trim().is_empty() || text.trim_start().starts_with('#') {
        return Line::Nothing;
    }
    key_line(text).map_or(Line::Other, |line| Line::Key(Box::new(line)))
}

fn key_line(text: &str) -> Option<KeyLine> {
    let mut words = text.split_ascii_whitespace();
    let hosts = words.next().filter(|hosts| !hosts.starts_with('@'))?;
    let kind = words.next()?;
    let blob = blob::from_base64(words.next()?)?;
    if blob::kind(&blob) != Some(kind) {
        return None;
    }
    let accepted = match (words.next(), words.next()) {
        (Some(accepted::COMMENT), Some(time)) => time.parse().ok(),
        _ => None,
    };
    let (names, host) = match hosts.strip_prefix("|1|") {
        Some(hashed) => {
            let (salt, hash) = hashed.split_once('|')?;
            (Names::Hashed { salt: blob::from_base64(salt)?, hash: blob::from_base64(hash)? }, None)
        }
        None => {
            let names = hosts.split(',').map(str::to_ascii_lowercase).collect();
            (Names::Plain(names), Some(hosts.to_owned()))
        }
    };
    let key = KeptKey { host, kind: kind.to_owned(), fingerprint: blob::fingerprint(&blob), accepted };
    Some(KeyLine { names, key })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    /// `ssh-keygen -H` of `github.com`.
    const HASHED: &str = "|1|iPB7u5kUwOoTG5hZdHYUC1fCTOA=|4E+n7J6Ym2gL8PmEyEkuH4/ox+4=";

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn keys_are_listed_with_when_they_were_accepted() {
        let text = format!(
            "# mine\n10.0.0.4 {KEY} accepted 2026-11-23T07:00:00Z\n[edge2]:2222 {KEY}\n\n@revoked * {KEY}\nbroken\n"
        );
        let (_folder, path) = file(&text);
        let kept = list(&path).unwrap();
        assert_eq!((kept.keys.len(), kept.skipped), (2, 2));
        assert_eq!(kept.keys[0].host.as_deref(), Some("10.0.0.4"));
        assert_eq!(kept.keys[0].accepted.unwrap().to_string(), "2026-11-23T07:00:00Z");
        assert_eq!(kept.keys[0].fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert_eq!(kept.keys[1].accepted, None);
        assert_eq!(list(std::path::Path::new("/nonexistent/known_hosts")).unwrap(), KeptKeys::default());
    }

    #[test]
    fn forgetting_takes_the_hosts_keys_and_leaves_every_other_byte() {
        let rest = format!("# mine\nedge1.site {KEY}\n@revoked edge1 {KEY}\nbroken \u{fe}\n*.site {KEY}");
        let (_folder, path) = file(&format!("edge1 {KEY}\n{rest}"));
        let gone = forget(&path, "EDGE1").unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), rest);
        assert_eq!(forget(&path, "edge1").unwrap(), []);
    }

    #[test]
    fn a_port_may_be_written_in_two_ways_and_is_never_left_out_in_silence() {
        for given in ["10.0.0.4:2222", "[10.0.0.4]:2222"] {
            let (_folder, path) = file(&format!("10.0.0.4 {KEY}\n[10.0.0.4]:2222 {KEY}\n"));
            assert_eq!(forget(&path, given).unwrap()[0].host.as_deref(), Some("[10.0.0.4]:2222"));
            assert_eq!(list(&path).unwrap().keys.len(), 1);
        }
        let (_folder, path) = file(&format!("fd00::4 {KEY}\n"));
        assert_eq!(forget(&path, "[fd00::4]").unwrap().len(), 1);
    }

    #[test]
    fn a_hashed_name_is_found_by_the_name() {
        let (salt, name) = (b"0123456789abcdefghij", "edge1");
        let hash = known_hosts::hash_name(salt, name).unwrap();
        let line = format!("|1|{}|{}", openssl::base64::encode_block(salt), openssl::base64::encode_block(&hash));
        let (_folder, path) = file(&format!("{line} {KEY}\n{HASHED} {KEY}\n"));
        assert_eq!(list(&path).unwrap().keys[0].host, None);
        assert_eq!(forget(&path, "edge1").unwrap().len(), 1);
        assert_eq!(list(&path).unwrap().keys.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_forgetting_adds_nothing(text in prop::collection::vec(any::<u8>(), 0..400), host in "[a-z0-9.:\\[\\]]{0,12}") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("known_hosts");
            std::fs::write(&path, &text).unwrap();
            let kept = list(&path).unwrap();
            let gone = forget(&path, &host).unwrap();
            prop_assert!(gone.len() <= kept.keys.len());
            prop_assert!(std::fs::read(&path).unwrap().len() <= text.len());
        }
    }
}
