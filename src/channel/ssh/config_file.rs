//! SSH configuration files, line by line. A line that is not understood is skipped with a warning that names it.

use super::config::{Block, Keyword, Setting};
use super::known_hosts::fits;
use crate::site::jump_hosts;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// Files within files.
const DEEPEST: usize = 16;
/// Files in all.
const MOST_FILES: usize = 256;
/// Warnings kept.
const MOST_WARNINGS: usize = 20;

/// Keywords of ssh_config(5) that say nothing about how a host is reached, or that this program decides by itself.
const OTHERS: &str = "addkeystoagent addressfamily batchmode bindaddress bindinterface canonicaldomains \
    canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms \
    challengeresponseauthentication channeltimeout checkhostip ciphers clearallforwardings compression \
    connectionattempts connecttimeout controlmaster controlpath controlpersist dynamicforward enableescapecommandline \
    enablesshkeysign escapechar exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 \
    forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile gssapiauthentication \
    gssapidelegatecredentials gssapikeyexchange gssapirenewalforcesrekey gssapitrustdns gssapiclientidentity \
    gssapiserveridentity gssapikexalgorithms hashknownhosts hostbasedacceptedalgorithms hostbasedauthentication \
    hostbasedkeytypes hostkeyalgorithms identityagent ignoreunknown ipqos kbdinteractiveauthentication \
    kbdinteractivedevices kexalgorithms knownhostscommand localcommand localforward loglevel logverbose macs \
    nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication \
    permitlocalcommand permitremoteopen pkcs11provider preferredauthentications proxyusefdpass \
    pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication refuseconnection rekeylimit remotecommand \
    remoteforward requesttty requiredrsasize revokedhostkeys securitykeyprovider sendenv serveralivecountmax \
    serveraliveinterval sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking \
    syslogfacility tag tcpkeepalive tunnel tunneldevice updatehostkeys useblacklistedkeys usekeychain \
    userknownhostsfile verifyhostkeydns versionaddendum visualhostkey warnweakcrypto xauthlocation";

/// How much a file is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The user's own: not read where others may write it, as ssh does.
    Checked,
    /// The system's.
    Usual,
    /// The person named it: a file that is missing is warned of.
    Named,
}

/// Reads files, and what they include.
pub(super) struct Reader {
    pub(super) settings: Vec<Setting>,
    pub(super) warnings: Vec<String>,
    files: usize,
}

impl Reader {
    pub(super) fn new() -> Self {
        Reader { settings: Vec::new(), warnings: Vec::new(), files: 0 }
    }

    /// Reads one file. Relative names that it includes start at `folder`.
    pub(super) fn read(&mut self, file: &Path, folder: &Path, trust: Trust) {
        self.read_within(file, folder, trust, &[], 0);
    }

    fn warn(&mut self, warning: String) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(warning);
        }
    }

    fn read_within(&mut self, file: &Path, folder: &Path, trust: Trust, outer: &[Arc<Block>], depth: usize) {
        self.files += 1;
        if depth > DEEPEST || self.files > MOST_FILES {
            return self.warn(format!("{}: not read: too many files are included", file.display()));
        }
        match read_bounded(file, trust) {
            Ok(text) => self.parse(file, &text, folder, trust, outer, depth),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && trust != Trust::Named => {}
            Err(error) => self.warn(format!("{}: SSH configuration not read: {error}", file.display())),
        }
    }

    /// Takes the lines of a file, or of a part of one that `outer` stands around.
    pub(super) fn parse(
        &mut self,
        file: &Path,
        text: &[u8],
        folder: &Path,
        trust: Trust,
        outer: &[Arc<Block>],
        depth: usize,
    ) {
        let mut blocks = outer.to_vec();
        // A `Match` block that nobody was told of yet; many say nothing that would count here.
        let mut left_out: Option<String> = None;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let place = format!("{}:{}", file.display(), index + 1);
            let (keyword, words) = match parts(line) {
                Ok(Some(parts)) => parts,
                Ok(None) => continue,
                Err(why) => {
                    self.warn(format!("{place}: line skipped: {why}"));
                    continue;
                }
            };
            match (keyword.as_str(), words.as_slice()) {
                ("host", patterns) => {
                    left_out = None;
                    blocks = outer.to_vec();
                    blocks.push(Arc::new(match patterns {
                        [] => {
                            self.warn(format!("{place}: block skipped: `Host` names no host"));
                            Block::Never
                        }
                        _ => Block::Host(patterns.iter().map(|pattern| split_negation(pattern)).collect()),
                    }));
                }
                ("match", words) => {
                    blocks = outer.to_vec();
                    let all = matches!(words, [one] if one.eq_ignore_ascii_case("all"));
                    left_out = (!all).then_some(place);
                    blocks.push(Arc::new(if all { Block::Always } else { Block::Never }));
                }
                ("include", []) => self.warn(format!("{place}: line skipped: `Include` names no file")),
                ("include", patterns) => {
                    // Before any block it counts for all; and what stands in a block that never counts is not read.
                    if blocks.iter().any(|block| matches!(**block, Block::Never)) {
                        continue;
                    }
                    for pattern in patterns {
                        for included in files_like(&at(folder, pattern)) {
                            let trust = if trust == Trust::Named { Trust::Usual } else { trust };
                            self.read_within(&included, folder, trust, &blocks, depth + 1);
                        }
                    }
                }
                (other, words) => match setting(other, words) {
                    Ok(None) => {}
                    Ok(Some((keyword, value))) => {
                        if let Some(place) = left_out.take() {
                            self.warn(format!(
                                "{place}: block skipped: `Match` is not supported here, but for `Match all`"
                            ));
                        }
                        self.settings.push(Setting { blocks: blocks.clone(), keyword, value, place });
                    }
                    Err(why) => self.warn(format!("{place}: line skipped: {why}")),
                },
            }
        }
    }
}

/// What a line sets; None where it is of no concern here.
fn setting(name: &str, words: &[String]) -> Result<Option<(Keyword, String)>, String> {
    let keyword = match name {
        "hostname" => Keyword::HostName,
        "user" => Keyword::User,
        "port" => Keyword::Port,
        "identityfile" => Keyword::IdentityFile,
        "certificatefile" => Keyword::CertificateFile,
        "identitiesonly" => Keyword::IdentitiesOnly,
        "proxyjump" => Keyword::ProxyJump,
        "proxycommand" => Keyword::ProxyCommand,
        "hostkeyalias" => Keyword::HostKeyAlias,
        other if OTHERS.split_ascii_whitespace().any(|known| known == other) => return Ok(None),
        other => return Err(format!("the keyword {:?} is not known", other.chars().take(40).collect::<String>())),
    };
    let value = match (keyword, words) {
        (_, []) => return Err(format!("`{name}` has no value")),
        // A command is one value with spaces.
        // It takes the place of any later ProxyJump.
        (Keyword::ProxyCommand, [one, ..]) if one.eq_ignore_ascii_case("none") => "none".to_owned(),
        (Keyword::ProxyCommand, _) => String::new(),
        (_, [one]) => one.clone(),
        _ => return Err(format!("`{name}` has more than one value")),
    };
    match keyword {
        Keyword::Port if !value.parse::<u16>().is_ok_and(|port| port > 0) => {
            Err("`Port` is not a number from 1 to 65535".to_owned())
        }
        Keyword::IdentitiesOnly if !["yes", "no"].iter().any(|word| value.eq_ignore_ascii_case(word)) => {
            Err("`IdentitiesOnly` is neither yes nor no".to_owned())
        }
        // Tokens are put in later; a name without them can be checked now.
        Keyword::ProxyJump if !value.contains('%') => match jump_hosts(&value) {
            Ok(_) => Ok(Some((keyword, value))),
            Err(why) => Err(format!("`ProxyJump`: {why}")),
        },
        _ => Ok(Some((keyword, value))),
    }
}

/// The keyword in lower case and its words. None where a line is empty or a comment.
fn parts(line: &[u8]) -> Result<Option<(String, Vec<String>)>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not text")?.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Ok(Some((keyword.to_ascii_lowercase(), words(rest)?)))
}

/// Words between spaces; quotes hold one together, and `#` before a word begins a comment.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if matches!(letters.peek(), Some('"' | '\'' | '\\')) => {
                word.get_or_insert_default().extend(letters.next());
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            '#' if quote.is_none() && word.is_none() => break,
            _ if letter.is_whitespace() && quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

fn split_negation(pattern: &str) -> (bool, String) {
    match pattern.strip_prefix('!') {
        Some(rest) => (true, rest.to_ascii_lowercase()),
        None => (false, pattern.to_ascii_lowercase()),
    }
}

/// A path whose `~/` is the home folder.
pub(super) fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), dirs::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn at(folder: &Path, pattern: &str) -> PathBuf {
    folder.join(at_home(pattern))
}

/// The files that a name means; `*` and `?` stand for letters of its last part. Sorted.
fn files_like(pattern: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    if !name.contains(['*', '?']) {
        return vec![pattern.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let like = |found: &str| fits(name, found) && (name.starts_with('.') || !found.starts_with('.'));
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(like))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

fn read_bounded(file: &Path, trust: Trust) -> std::io::Result<Vec<u8>> {
    let meta = std::fs::metadata(file)?;
    if !meta.is_file() && trust != Trust::Named {
        return Err(std::io::Error::other("it is no file"));
    }
    if meta.len() > LARGEST {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    #[cfg(unix)]
    if trust == Trust::Checked && std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o022 != 0 {
        return Err(std::io::Error::other("others may write it: chmod go-w it"));
    }
    std::fs::read(file)
}
