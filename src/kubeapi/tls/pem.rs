//! Certificates and keys in PEM, with what is wrong with them in words. A key's contents reach no message.

use super::super::error::ApiError;
use crate::evidence::Reason;
use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Most certificates of one file.
const MOST: usize = 10_000;

/// All certificates of a text. `place` names it in sentences: `the certificate authority in /root/.kube/config`.
pub(in crate::kubeapi) fn certificates(text: &[u8], place: &str) -> Result<Vec<X509>, ApiError> {
    let wrong = |what: String| ApiError::new(Reason::Malformed, format!("{place}: {what}"));
    let mut found = Vec::new();
    for block in Blocks(text) {
        let number = found.len() + 1;
        if number > MOST {
            return Err(wrong(format!(
                "it holds more than {MOST} certificates. Name a file with those that are needed"
            )));
        }
        let certificate = block.and_then(certificate).ok_or_else(|| {
            wrong(format!("certificate number {number} in it is damaged. Fetch it again, or remove that one"))
        })?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(wrong("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----). Fetch it again".to_owned()));
    }
    Ok(found)
}

/// The certificates of a system's bundle that can be read; others are passed over, as every program does.
pub(super) fn readable(text: &[u8]) -> impl Iterator<Item = X509> + '_ {
    Blocks(text).take(MOST).filter_map(|block| certificate(block?))
}

/// One block. Headers are refused: where one says that the block is locked, OpenSSL asks for a passphrase on the terminal.
fn certificate(block: &[u8]) -> Option<X509> {
    if block.contains(&b':') { None } else { X509::from_pem(block).ok() }
}

/// Blocks of certificates; None for one without an end.
struct Blocks<'a>(&'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = find(self.0, BEGIN)?;
        let block = self.0.get(from..)?;
        let inside = block.get(BEGIN.len()..)?;
        let (end, next) = (find(inside, END), find(inside, BEGIN));
        match end {
            Some(end) if next.is_none_or(|next| end < next) => {
                let length = BEGIN.len() + end + END.len();
                self.0 = block.get(length..)?;
                Some(block.get(..length))
            }
            _ => {
                self.0 = next.and_then(|next| inside.get(next..)).unwrap_or_default();
                Some(None)
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    // Dashes are rare; comparing everywhere would be slow on a large file.
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == b'-') {
        if text.get(from + at..)?.starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// A private key.
pub(in crate::kubeapi) fn key(text: &[u8], place: &str) -> Result<PKey<Private>, ApiError> {
    // Without a callback OpenSSL itself asks for the passphrase, on the terminal.
    PKey::private_key_from_pem_callback(text, |_| Ok(0)).map_err(|_| {
        let encrypted = text.windows(9).any(|word| word == b"ENCRYPTED");
        let what = if encrypted {
            "it is locked with a passphrase, which kubeconfigs do not provide for. Unlock it: openssl pkey -in KEY -out NEWKEY"
        } else {
            "it is no private key in PEM, or damaged. Fetch the kubeconfig again"
        };
        ApiError::new(Reason::Malformed, format!("{place}: {what}"))
    })
}

/// A time of a certificate.
pub(in crate::kubeapi) fn moment(at: &Asn1TimeRef) -> Option<Timestamp> {
    let since = Asn1Time::from_unix(0).ok()?.diff(at).ok()?;
    Timestamp::from_second(i64::from(since.days) * 86_400 + i64::from(since.secs)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_certificate_is_told_with_its_number() {
        let says = |text: &str| certificates(text.as_bytes(), "CA in f").unwrap_err().message;
        assert!(says("").contains("no certificate"));
        assert!(says("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").contains("no certificate"));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(says(cut).contains("number 1"));
        assert!(says(&format!("{cut}-----END CERTIFICATE-----\n")).contains("number 1"));
        assert!(says(&cut.repeat(3)).contains("number 1"));
        let locked = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(says(locked).contains("number 1"));
    }

    #[test]
    fn a_key_is_never_asked_for_its_passphrase() {
        let locked = openssl::rsa::Rsa::generate(2048)
            .unwrap()
            .private_key_to_pem_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"word")
            .unwrap();
        assert!(key(&locked, "key in f").unwrap_err().message.contains("passphrase"));
        assert!(key(b"rubbish", "key in f").unwrap_err().message.contains("no private key"));
    }

    #[test]
    fn times_of_certificates() {
        let at = Asn1Time::from_str_x509("20491231235959Z").unwrap();
        assert_eq!(moment(&at).unwrap().to_string(), "2049-12-31T23:59:59Z");
    }
}
