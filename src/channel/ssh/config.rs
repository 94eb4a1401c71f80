//! What the SSH configuration (`~/.ssh/config`) says of a host, for the keywords that decide how it is reached. First
//! value wins; blocks, patterns and tokens as in ssh_config(5), except that `Match` blocks other than `Match all` are
//! left out whole. No crate does: the one there is ends at the first malformed line, tells no lines, and lets what
//! stands in a `Match` block count for the host above it.

use super::config_file;
use super::known_hosts::fits;
use super::peer;
use std::path::PathBuf;
use std::sync::Arc;

/// What the configuration files say. Cheap to clone. By default: nothing.
#[derive(Debug, Clone, Default)]
pub struct SshConfig(Arc<Files>);

#[derive(Debug, Default)]
struct Files {
    settings: Vec<Setting>,
    warnings: Vec<String>,
}

/// One line that counts.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Blocks around it, the outermost first; all of them must fit.
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) keyword: Keyword,
    pub(super) value: String,
    /// `FILE:LINE`.
    pub(super) place: String,
}

/// For which hosts lines count.
#[derive(Debug)]
pub(super) enum Block {
    /// Patterns in lower case; true: negated.
    Host(Vec<(bool, String)>),
    Always,
    Never,
}

/// The keywords that are honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    HostName,
    User,
    Port,
    IdentityFile,
    CertificateFile,
    IdentitiesOnly,
    ProxyJump,
    ProxyCommand,
    HostKeyAlias,
}

/// What is configured for one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Configured {
    pub(super) host_name: Option<String>,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) identities: Vec<PathBuf>,
    /// Whether only those may be offered.
    pub(super) only: bool,
    pub(super) certificates: Vec<PathBuf>,
    /// As written.
    pub(super) jump: Option<String>,
    /// Where a `ProxyCommand` stands that would be used.
    pub(super) command: Option<String>,
    pub(super) alias: Option<String>,
    /// Lines that could not be used.
    pub(super) warnings: Vec<String>,
}

impl SshConfig {
    /// The configuration that ssh reads: the user's and then the system's. A file that is missing says nothing.
    pub fn usual() -> Self {
        let mut reader = config_file::Reader::new();
        if let Some(home) = dirs::home_dir() {
            let folder = home.join(".ssh");
            reader.read(&folder.join("config"), &folder, config_file::Trust::Checked);
        }
        if cfg!(unix) {
            reader.read("/etc/ssh/ssh_config".as_ref(), "/etc/ssh".as_ref(), config_file::Trust::Usual);
        }
        Self::of(reader)
    }

    /// One file in place of the usual ones.
    pub fn file(file: &std::path::Path) -> Self {
        let mut reader = config_file::Reader::new();
        let folder = dirs::home_dir().map(|home| home.join(".ssh")).unwrap_or_default();
        reader.read(file, &folder, config_file::Trust::Named);
        Self::of(reader)
    }

    fn of(reader: config_file::Reader) -> Self {
        SshConfig(Arc::new(Files { settings: reader.settings, warnings: reader.warnings }))
    }

    /// Lines that were skipped, and why.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// What is configured for a host as it was written. `user` and `port` are those that were said besides.
    pub(super) fn of_host(&self, given: &str, user: Option<&str>, port: Option<u16>) -> Configured {
        let mut found = Configured::default();
        let name = given.to_ascii_lowercase();
        let mut only = None;
        // Tokens of a file's name depend on what other lines say, so files wait until all are read.
        let (mut identities, mut certificates) = (Vec::new(), Vec::new());
        for setting in &self.0.settings {
            if !setting.blocks.iter().all(|block| block.fits(&name)) {
                continue;
            }
            let value = &setting.value;
            match setting.keyword {
                Keyword::HostName => keep(&mut found.host_name, value),
                Keyword::User => keep(&mut found.user, value),
                // Checked when it was read.
                Keyword::Port => found.port = found.port.or(value.parse().ok()),
                Keyword::IdentityFile => identities.push(setting),
                Keyword::CertificateFile => certificates.push(setting),
                Keyword::IdentitiesOnly => only = only.or(Some(value.eq_ignore_ascii_case("yes"))),
                // Of the two the one that comes first counts.
                Keyword::ProxyJump if found.command.is_none() => keep(&mut found.jump, value),
                Keyword::ProxyCommand if found.jump.is_none() => {
                    keep(&mut found.command, if value == "none" { value } else { &setting.place });
                }
                Keyword::ProxyJump | Keyword::ProxyCommand => {}
                Keyword::HostKeyAlias => keep(&mut found.alias, value),
            }
        }
        found.command = found.command.filter(|place| place != "none");
        found.only = only.unwrap_or_default();
        let tokens = Tokens { given, host: given, user: None, port: None };
        let host_name = found.host_name.take().map(|name| tokens.expand(&name));
        found.host_name = usable(host_name, "HostName", given, &mut found.warnings);
        let user = user.or(found.user.as_deref()).map(str::to_owned).or_else(peer::own_user);
        let tokens = Tokens {
            given,
            host: found.host_name.as_deref().unwrap_or(given),
            user: user.as_deref(),
            port: Some(port.or(found.port).unwrap_or(22)),
        };
        let mut warnings = Vec::new();
        let mut files = |settings: Vec<&Setting>| -> Vec<PathBuf> {
            let mut files = Vec::new();
            for setting in settings.into_iter().filter(|setting| !setting.value.eq_ignore_ascii_case("none")) {
                match tokens.expand(&setting.value) {
                    Ok(path) => files.push(config_file::at_home(&path)),
                    Err(token) => warnings.push(format!("{}: not used: {token} is not known here", setting.place)),
                }
            }
            files
        };
        (found.identities, found.certificates) = (files(identities), files(certificates));
        let jump = found.jump.as_deref().map(|jump| tokens.expand(jump));
        let alias = found.alias.as_deref().map(|alias| tokens.expand(alias));
        found.jump = usable(jump, "ProxyJump", given, &mut warnings);
        found.alias = usable(alias, "HostKeyAlias", given, &mut warnings);
        found.warnings.extend(warnings);
        found
    }
}

/// The first value counts.
fn keep(place: &mut Option<String>, value: &str) {
    place.get_or_insert_with(|| value.to_owned());
}

fn usable(
    expanded: Option<Result<String, String>>,
    keyword: &str,
    host: &str,
    warnings: &mut Vec<String>,
) -> Option<String> {
    match expanded? {
        Ok(value) => Some(value),
        Err(token) => {
            warnings.push(format!("{keyword} of {host} in the SSH configuration not used: {token} is not known here"));
            None
        }
    }
}

impl Block {
    /// Whether lines in this block count for a host, in lower case. A negated pattern that fits takes it out again.
    fn fits(&self, name: &str) -> bool {
        match self {
            Block::Always => true,
            Block::Never => false,
            Block::Host(patterns) => {
                let any = |negated: bool| patterns.iter().any(|(no, text)| *no == negated && fits(text, name));
                any(false) && !any(true)
            }
        }
    }
}

/// What `%h` and its like stand for.
struct Tokens<'a> {
    given: &'a str,
    host: &'a str,
    user: Option<&'a str>,
    port: Option<u16>,
}

impl Tokens<'_> {
    /// Puts in what the tokens stand for. The error is one that is not known.
    fn expand(&self, text: &str) -> Result<String, String> {
        let mut done = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(letter) = rest.next() {
            if letter != '%' {
                done.push(letter);
                continue;
            }
            let token = rest.next().unwrap_or(' ');
            let value = match token {
                '%' => Some("%".to_owned()),
                'h' => Some(self.host.to_owned()),
                'n' => Some(self.given.to_owned()),
                'r' => self.user.map(str::to_owned),
                'p' => self.port.map(|port| port.to_string()),
                'u' => peer::own_user(),
                'd' => dirs::home_dir().map(|home| home.display().to_string()),
                _ => None,
            };
            done.push_str(&value.ok_or_else(|| format!("%{token}"))?);
        }
        Ok(done)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
