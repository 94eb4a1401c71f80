//! The host's key: which algorithms to ask for, and whether to go on with the key that came.

use super::kexinit::Ours;
use super::known_hosts::{KnownHosts, Place, Verdict};
use super::route::Hop;
use super::wire::Wire;
use super::{Asker, Login, SshOptions, accepted, blob, certificate};
use crate::channel::{Answer, ChannelError, Question};
use crate::evidence::Reason;
use ssh2::MethodType;
use std::path::{Path, PathBuf};

/// Algorithms by the type of key that they prove, best first.
const ALGORITHMS: [(&str, &str); 6] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512"),
    ("ssh-rsa", "rsa-sha2-256"),
];

/// Smallest RSA host key that is taken at all, as with ssh, and the smallest that nothing is said of. Bits.
const SMALLEST_RSA: i32 = 1024;
const SOUND_RSA: i32 = 2048;

/// Longest known_hosts file that is read.
const LARGEST_FILE: u64 = 32 << 20;

/// The algorithms to ask for, those first whose keys the host is known by: a server with several keys would else
/// present one that is not known. Certificates are asked for only where an authority is known for the host, since a
/// server that has one prefers it.
pub(super) fn preference(known: &KnownHosts, name: &str, principal: &str) -> String {
    let kinds = known.kinds(name);
    let mut algorithms = ALGORITHMS;
    algorithms.sort_by_key(|(kind, _)| !kinds.contains(kind));
    let plain = algorithms.map(|(_, algorithm)| algorithm.to_owned());
    let mut all = Vec::new();
    if !known.authorities(&[name, principal]).is_empty() {
        all.extend(ALGORITHMS.map(|(_, algorithm)| format!("{algorithm}-cert-v01@openssh.com")));
    }
    all.extend(plain);
    all.join(",")
}

/// What this program speaks, with these host key algorithms.
pub(super) fn ours(wire: &Wire, preference: &str) -> Ours {
    let all = |kind: MethodType| {
        let names = wire.session().supported_algs(kind).unwrap_or_default();
        names.into_iter().map(str::to_owned).collect()
    };
    Ours {
        kex: all(MethodType::Kex),
        host_keys: preference.split(',').map(str::to_owned).collect(),
        ciphers: all(MethodType::CryptCs),
        macs: all(MethodType::MacCs),
    }
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
    hop: &Hop,
    known: &KnownHosts,
    asker: &Asker<'_>,
) -> Result<Vec<String>, ChannelError> {
    let login = &hop.login();
    let Some(presented) = wire.session().host_key().map(|(key, _)| key.to_vec()) else {
        return Err(ChannelError::new(
            Reason::Malformed,
            format!("{login}: its SSH server presented no host key. Look into the node's sshd log"),
        ));
    };
    let not_understood = || {
        ChannelError::new(
            Reason::Malformed,
            format!("{login}: its host key cannot be understood. Check that this is the node, and its sshd log"),
        )
    };
    let certificate = match blob::kind(&presented) {
        Some(kind) if certificate::is_certificate(kind) => {
            Some(certificate::parse(&presented).ok_or_else(not_understood)?)
        }
        _ => None,
    };
    let key = certificate.as_ref().map_or(presented, |certificate| certificate.key.clone());
    let kind = blob::kind(&key).ok_or_else(not_understood)?;
    let fingerprint = blob::fingerprint(&key);
    let mut warnings = weakness(login, &key)?;
    let verdict = known.check(&hop.known_as, &key);
    if let Verdict::Revoked(place) = &verdict {
        return Err(revoked(login, kind, &fingerprint, place));
    }
    let names = [hop.known_as.as_str(), hop.principal.as_str()];
    if let Some(certificate) = &certificate {
        let authority = blob::fingerprint(&certificate.authority);
        if let Some(place) = known.revoked(&names, &certificate.authority) {
            return Err(revoked(login, "certificate of the authority", &authority, &place));
        }
        let vouching = known.authorities(&names).into_iter().find(|(key, _)| *key == certificate.authority);
        // One whose authority is not known is taken for the plain key that it is about, as ssh does it.
        if let Some((_, place)) = vouching {
            match (certificate.host_problem(&hop.principal, certificate::now()), &verdict) {
                (None, _) => return Ok(warnings),
                (Some(why), Verdict::Known(_)) => {
                    warnings
                        .push(format!("{login}: its host certificate does not count: {why}; its key is known as such"));
                }
                (Some(why), _) => return Err(bad_certificate(login, &why, &place)),
            }
        }
    }
    let others = match verdict {
        Verdict::Known(_) => return Ok(warnings),
        Verdict::Revoked(place) => return Err(revoked(login, kind, &fingerprint, &place)),
        Verdict::Changed { place, fingerprint: old } => {
            return Err(changed(login, &hop.known_as, kind, &fingerprint, &old, &place));
        }
        Verdict::Unknown(others) => others,
    };
    let named = hop.options.accept.iter().any(|given| given.trim_end_matches('=') == fingerprint);
    if !named && !asker.has_accepted(&fingerprint) {
        let question = Question::HostKey {
            node: login.node.to_owned(),
            host: hop.known_as.clone(),
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
    if let Some(file) = &hop.options.accepted
        && let Err(error) = accepted::remember(file, &hop.known_as, kind, &key)
    {
        warnings.push(format!(
            "the host key of {login} could not be remembered in {}: {error}. It will be asked for again",
            file.display()
        ));
    }
    Ok(warnings)
}

/// Refuses an RSA key that proves nothing, and warns of one that soon will not.
fn weakness(login: &Login<'_>, key: &[u8]) -> Result<Vec<String>, ChannelError> {
    let anew = "Make the node a new host key at its console (ssh-keygen -t ed25519 -f /etc/ssh/ssh_host_ed25519_key)";
    match certificate::rsa_bits(key) {
        Some(bits) if bits < SMALLEST_RSA => Err(ChannelError::new(
            Reason::Unsupported,
            format!(
                "{login}: its host key is an RSA key of {bits} bits, which anybody can forge: it does not prove that this is the node. {anew}"
            ),
        )),
        Some(bits) if bits < SOUND_RSA => {
            Ok(vec![format!("{login}: its host key is an RSA key of {bits} bits, which is weak. {anew}")])
        }
        _ => Ok(Vec::new()),
    }
}

fn bad_certificate(login: &Login<'_>, why: &str, place: &Place) -> ChannelError {
    ChannelError::new(
        Reason::Forbidden,
        format!(
            "{login}: its host certificate, of the authority in {place}, does not prove that this is the node: {why}. Have the authority sign its host key anew (ssh-keygen -s CA -h -n NAMES), or check this machine's clock"
        ),
    )
}

fn revoked(login: &Login<'_>, kind: &str, fingerprint: &str, place: &Place) -> ChannelError {
    ChannelError::new(
        Reason::Forbidden,
        format!(
            "{login}: its host key ({kind} {fingerprint}) is marked as revoked in {place}. Whoever answers there may not be the node: do not log in, and give the node a new host key"
        ),
    )
}

fn changed(login: &Login<'_>, name: &str, kind: &str, new: &str, old: &str, place: &Place) -> ChannelError {
    ChannelError::new(
        Reason::Forbidden,
        format!(
            "{login}: its host key has changed. Known by {place}: {kind} {old}; presented now: {kind} {new}. Somebody may be listening in. If the node was installed anew or replaced, compare the new fingerprint at its console (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then remove the old key: ssh-keygen -R {} -f {}",
            quoted(name),
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

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn asked(line: &str) -> String {
        let mut known = KnownHosts::default();
        known.add(Path::new("known_hosts"), line.as_bytes());
        preference(&known, "edge1", "edge1")
    }

    #[test]
    fn known_types_come_first_and_nothing_is_left_out() {
        let rsa = openssl::base64::encode_block(b"\0\0\0\x07ssh-rsa\0\0\0\x01\x03\0\0\0\x01\x05");
        assert_eq!(
            asked(&format!("edge1 ssh-rsa {rsa}")),
            "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
        );
        assert!(asked("").starts_with("ssh-ed25519,ecdsa"));
    }

    #[test]
    fn certificates_are_asked_for_only_where_an_authority_is_known_for_the_host() {
        let asked = |hosts: &str| asked(&format!("@cert-authority {hosts} ssh-ed25519 {KEY}"));
        assert!(asked("*").starts_with("ssh-ed25519-cert-v01@openssh.com,"));
        assert!(asked("edge?").ends_with("rsa-sha2-256"), "plain keys remain");
        assert!(!asked("*.site").contains("cert"));
    }

    #[test]
    fn a_short_rsa_key_is_refused_and_a_middling_one_warned_of() {
        let key = |bits: usize| {
            let modulus: Vec<u8> = std::iter::once(0).chain(std::iter::repeat_n(0xff, bits / 8)).collect();
            let length = u32::try_from(modulus.len()).unwrap_or_default().to_be_bytes();
            [b"\0\0\0\x07ssh-rsa\0\0\0\x01\x03".as_slice(), &length, &modulus].concat()
        };
        let login = Login { node: "edge1", host: "10.0.0.4", port: 22, user: None, identity: None };
        let refused = weakness(&login, &key(512)).err().map(|error| error.message).unwrap_or_default();
        assert!(refused.contains("512 bits") && refused.contains("ssh-keygen"), "{refused}");
        assert!(weakness(&login, &key(1024)).is_ok_and(|warnings| warnings.len() == 1));
        assert!(weakness(&login, &key(2048)).is_ok_and(|warnings| warnings.is_empty()));
    }
}
