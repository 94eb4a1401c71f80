//! Key files: what kind they are and whether they want a passphrase. libssh2 says the same words for a wrong
//! passphrase, a missing one and a file that is no key.

use super::blob;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longest key file that is read. An RSA key of 16384 bits has 13 kB.
const LARGEST: u64 = 64 << 10;

/// A key file that was read.
#[derive(Debug)]
pub(super) struct KeyFile {
    /// The file.
    pub(super) path: PathBuf,
    /// The public key, where it can be told without a passphrase.
    pub(super) public: Option<Vec<u8>>,
    /// The private key.
    pub(super) private: Private,
}

/// The private half of a key file.
pub(super) enum Private {
    /// The file holds a public key alone; the agent may have the other half.
    Elsewhere,
    /// The text of the file.
    Here {
        /// The text.
        text: Zeroizing<String>,
        /// Whether a passphrase is needed.
        encrypted: bool,
    },
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Private::Elsewhere => f.write_str("Elsewhere"),
            Private::Here { encrypted, .. } => {
                f.debug_struct("Here").field("encrypted", encrypted).finish_non_exhaustive()
            }
        }
    }
}

impl KeyFile {
    /// Reads a key file. The error is a clause for the person, without the file's name.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
        if length > LARGEST {
            return Err("it is too large for a key".to_owned());
        }
        let text = std::fs::read(path).map_err(|error| error.to_string())?;
        let text = String::from_utf8(text).map_err(|_| "it is not a private key in text form")?;
        let (mut public, private) = parse(Zeroizing::new(text))?;
        if public.is_none() {
            public = read_beside(path);
        }
        Ok(KeyFile { path: path.to_owned(), public, private })
    }
}

/// The public key in the file `KEY.pub`, where there is one.
fn read_beside(path: &Path) -> Option<Vec<u8>> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    read_public(Path::new(&beside))
}

/// The public key or certificate in a file, where there is one.
pub(super) fn read_public(file: &Path) -> Option<Vec<u8>> {
    if std::fs::metadata(file).ok()?.len() > LARGEST {
        return None;
    }
    public_line(&std::fs::read_to_string(file).ok()?)
}

fn parse(text: Zeroizing<String>) -> Result<(Option<Vec<u8>>, Private), &'static str> {
    let head = text.trim_start();
    if let Some(rest) = head.strip_prefix("-----BEGIN ") {
        let label = rest.split("-----").next().unwrap_or_default();
        let (public, encrypted) = match label {
            "OPENSSH PRIVATE KEY" => openssh(head).ok_or("it is damaged: its header cannot be read")?,
            "ENCRYPTED PRIVATE KEY" => (None, true),
            "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PRIVATE KEY" => (None, is_old_encrypted(head)),
            "DSA PRIVATE KEY" => return Err("it is a DSA key, which is no longer secure: make another one"),
            _ => return Err("it is not a private key"),
        };
        return Ok((public, Private::Here { text, encrypted }));
    }
    if head.starts_with("PuTTY-User-Key-File-") {
        return Err("it is a PuTTY key: convert it with puttygen KEY -O private-openssh-new -o FILE");
    }
    match public_line(head) {
        Some(key) => Ok((Some(key), Private::Elsewhere)),
        None => Err("it is not a private key"),
    }
}

/// Whether an old PEM file says in its headers that it is encrypted.
fn is_old_encrypted(text: &str) -> bool {
    text.lines().skip(1).take(4).any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
}

/// The public key and whether there is encryption, from the header of OpenSSH's own format.
fn openssh(text: &str) -> Option<(Option<Vec<u8>>, bool)> {
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("-----END "));
    let body: Zeroizing<String> = Zeroizing::new(lines.map(str::trim).collect());
    let bytes = Zeroizing::new(blob::from_base64(&body)?);
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = blob::take_string(&mut rest)?;
    let _derivation = blob::take_string(&mut rest)?;
    let _options = blob::take_string(&mut rest)?;
    let (_count, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let public = blob::take_string(&mut rest)?;
    blob::kind(public)?;
    Some((Some(public.to_vec()), cipher != b"none"))
}

/// A public key as one line: `ssh-ed25519 AAAA... comment`.
fn public_line(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_ascii_whitespace();
    let kind = words.next()?;
    let key = blob::from_base64(words.next()?)?;
    (blob::kind(&key) == Some(kind)).then_some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use openssl::base64::encode_block;

    const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    fn openssh_file(cipher: &str) -> String {
        let public = public_line(PUBLIC).unwrap();
        let parts =
            [b"openssh-key-v1\0".to_vec(), string(cipher.as_bytes()), string(b"x"), string(b""), vec![0, 0, 0, 1]];
        let bytes = [parts.concat(), string(&public), string(b"secret")].concat();
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", encode_block(&bytes))
    }

    fn encrypted(text: &str) -> bool {
        match parse(Zeroizing::new(text.to_owned())).unwrap().1 {
            Private::Here { encrypted, .. } => encrypted,
            Private::Elsewhere => panic!("no private key in {text:?}"),
        }
    }

    #[test]
    fn every_format_says_whether_it_is_encrypted() {
        assert!(encrypted(&openssh_file("aes256-ctr")));
        assert!(!encrypted(&openssh_file("none")));
        assert!(encrypted("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"));
        assert!(!encrypted("-----BEGIN PRIVATE KEY-----\nAAAA\n"));
        assert!(encrypted("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAA\n"));
        assert!(!encrypted("-----BEGIN EC PRIVATE KEY-----\nAAAA\n"));
    }

    #[test]
    fn the_public_half_is_read_without_the_passphrase() {
        let (public, _) = parse(Zeroizing::new(openssh_file("aes256-ctr"))).unwrap();
        assert_eq!(public, public_line(PUBLIC));
        let (public, private) = parse(Zeroizing::new(format!("{PUBLIC} me@here\n"))).unwrap();
        assert_eq!(public, public_line(PUBLIC));
        assert!(matches!(private, Private::Elsewhere));
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"] {
            assert!(parse(Zeroizing::new(text.to_owned())).is_err(), "{text:?}");
        }
        let putty = parse(Zeroizing::new("PuTTY-User-Key-File-3: ssh-ed25519\n".to_owned())).unwrap_err();
        assert!(putty.contains("puttygen"));
    }
}
