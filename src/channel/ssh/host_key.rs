//! The host's key: which algorithms to ask for, and whether to go on with the key that came.

use super::known_hosts::{KnownHosts, Place, Verdict};
use super::wire::Wire;
use super::{Asker, Login, SshOptions, accepted, blob};
use crate::channel::{Answer, ChannelError, Question};
use crate::evidence::Reason;
use std::path::{Path, PathBuf};

/// Algorithms by the type of key that they prove, best first. Certificates are not among them: libssh2 prefers them
/// where it may, and cannot check them.
const ALGORITHMS: [(&str, &str); 6] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512"),
    ("ssh-rsa", "rsa-sha2-256"),
];

/// Longest known_hosts file that is read.
const LARGEST_FILE: u64 = 32 << 20;

/// The algorithms to ask for, those first whose keys the host is known by: a server with several keys would else
/// present one that is not known.
pub(super) fn preference(known: &[&str]) -> String {
    let mut algorithms = ALGORITHMS;
    algorithms.sort_by_key(|(kind, _)| !known.contains(kind));
    algorithms.map(|(_, algorithm)| algorithm).join(",")
}

/// Reads the files of the options. One that is missing says nothing; one that cannot be read is warned of.
pub(super) fn read_files(options: &SshOptions) -> KnownHosts {
    let mut known = KnownHosts::default();
    let usual = options.known_hosts.is_empty();
    let mut files = if usual { usual_files() } else { options.known_hosts.clone() };
    files.extend(options.accepted.clone());
    for file in files {
        let named = !usual && Some(&file) != options.accepted.as_ref();
        match read_bounded(&file) {
            Ok(text) => known.add(&file, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
            Err(error) => known.warn(format!("{}: known hosts not read: {error}", file.display())),
        }
    }
    known
}

fn usual_files() -> Vec<PathBuf> {
    let own = dirs::home_dir().map(|home| home.join(".ssh"));
    let own = own.iter().flat_map(|folder| [folder.join("known_hosts"), folder.join("known_hosts2")]);
    own.chain(["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()]).collect()
}

fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(file)?.len() > LARGEST_FILE {
        return Err(std::io::Error::other("it is larger than 32 MiB"));
    }
    std::fs::read(file)
}

/// Decides about the key that the host proved to hold. Gives warnings for the person.
pub(super) fn prove(
    wire: &Wire,
    login: &Login<'_>,
    known: &KnownHosts,
    options: &SshOptions,
    asker: &Asker<'_>,
) -> Result<Vec<String>, ChannelError> {
    let Some(key) = wire.session().host_key().map(|(key, _)| key.to_vec()) else {
        return Err(ChannelError::new(
            Reason::Malformed,
            format!("{login}: its SSH server presented no host key. Look into the node's sshd log"),
        ));
    };
    let Some(kind) = blob::kind(&key) else {
        return Err(ChannelError::new(
            Reason::Malformed,
            format!("{login}: its host key cannot be understood. Check that this is the node, and its sshd log"),
        ));
    };
    let fingerprint = blob::fingerprint(&key);
    let name = login.known_name();
    let others = match known.check(&name, &key) {
        Verdict::Known(_) => return Ok(Vec::new()),
        Verdict::Revoked(place) => return Err(revoked(login, kind, &fingerprint, &place)),
        Verdict::Changed { place, fingerprint: old } => {
            return Err(changed(login, kind, &fingerprint, &old, &place));
        }
        Verdict::Unknown(others) => others,
    };
    let named = options.accept.iter().any(|given| given.trim_end_matches('=') == fingerprint);
    if !named && !asker.has_accepted(&fingerprint) {
        let question = Question::HostKey {
            node: login.node.to_owned(),
            host: name.clone(),
            kind: kind.to_owned(),
            fingerprint: fingerprint.clone(),
            others: others.iter().map(|(kind, _)| kind.clone()).collect(),
        };
        match wire.paused(|| asker.ask(&question)) {
            Answer::Yes => asker.accepted(&fingerprint),
            answer => {
                let nobody = matches!(answer, Answer::Nobody | Answer::Secret(_));
                return Err(unknown(login, kind, &fingerprint, &others, nobody, known));
            }
        }
    }
    let Some(file) = &options.accepted else { return Ok(Vec::new()) };
    Ok(match accepted::remember(file, &name, kind, &key) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!(
            "the host key of {login} could not be remembered in {}: {error}. It will be asked for again",
            file.display()
        )],
    })
}

fn revoked(login: &Login<'_>, kind: &str, fingerprint: &str, place: &Place) -> ChannelError {
    ChannelError::new(
        Reason::Forbidden,
        format!(
            "{login}: its host key ({kind} {fingerprint}) is marked as revoked in {place}. Whoever answers there may not be the node: do not log in, and give the node a new host key"
        ),
    )
}

fn changed(login: &Login<'_>, kind: &str, new: &str, old: &str, place: &Place) -> ChannelError {
    ChannelError::new(
        Reason::Forbidden,
        format!(
            "{login}: its host key has changed. Known by {place}: {kind} {old}; presented now: {kind} {new}. Somebody may be listening in. If the node was installed anew or replaced, compare the new fingerprint at its console (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then remove the old key: ssh-keygen -R {} -f {}",
            quoted(&login.known_name()),
            quoted(&place.file.display().to_string())
        ),
    )
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), |quoted| quoted.into_owned())
}

fn unknown(
    login: &Login<'_>,
    kind: &str,
    fingerprint: &str,
    others: &[(String, Place)],
    nobody: bool,
    known: &KnownHosts,
) -> ChannelError {
    let mut text = format!("{login}: its host key ({kind} {fingerprint}) is not known");
    if let Some((other, place)) = others.first() {
        text.push_str(&format!(
            ", while the host is known by another type of key ({other}, {place}) that it did not present: this may be somebody else"
        ));
    }
    if nobody {
        text.push_str(&format!(
            ". Compare it at the node's console (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then accept it with --accept-host-key {fingerprint}"
        ));
    } else {
        text.push_str(", and it was not accepted. Compare it at the node's console before you accept it");
    }
    if let Some(warning) = known.warnings().first() {
        text.push_str(&format!(" (note: {warning})"));
    }
    ChannelError::new(Reason::Forbidden, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_come_first_and_nothing_is_left_out() {
        assert_eq!(
            preference(&["ssh-rsa"]),
            "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
        );
        assert!(preference(&[]).starts_with("ssh-ed25519,"));
        assert!(preference(&["ssh-dss", "ecdsa-sha2-nistp384"]).starts_with("ecdsa-sha2-nistp384,ssh-ed25519,"));
        assert!(!preference(&["ssh-rsa"]).contains("cert"));
    }
}
