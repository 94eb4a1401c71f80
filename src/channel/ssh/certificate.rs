//! OpenSSH certificates (PROTOCOL.certkeys): reading them, and proving a host's. libssh2 checks that the server holds the
//! key in its certificate, and nothing of the certificate itself. Pure but for the signature, which OpenSSL checks.

use super::blob::{self, take_string};
use super::known_hosts::fits;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;

/// Smallest RSA key of an authority that is trusted, as with ssh.
const SMALLEST_RSA: u32 = 1024;
/// Most names in a certificate that are read.
const MOST_PRINCIPALS: usize = 256;

/// A certificate of a user or a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The key that it is about, as a plain key.
    pub(super) key: Vec<u8>,
    /// What it may be used for.
    pub(super) role: Role,
    /// Users or hosts that it is for. Empty: all.
    pub(super) principals: Vec<String>,
    /// Seconds since 1970.
    pub(super) valid_after: u64,
    /// Seconds since 1970.
    pub(super) valid_before: u64,
    /// Whether there are critical options.
    pub(super) has_critical_options: bool,
    /// The authority's key.
    pub(super) authority: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    User,
    Host,
    Other,
}

/// Suffix of the types of certificates.
const SUFFIX: &str = "-cert-v01@openssh.com";

/// Whether a key's type is that of a certificate.
pub(super) fn is_certificate(kind: &str) -> bool {
    kind.ends_with(SUFFIX)
}

/// Reads a certificate. None where it is none, or of a kind that is not known here.
pub(super) fn parse(bytes: &[u8]) -> Option<Certificate> {
    let plain = blob::kind(bytes)?.strip_suffix(SUFFIX)?;
    // How many fields the plain key has after its type.
    let fields = match plain {
        "ssh-ed25519" => 1,
        "ssh-rsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => 2,
        _ => return None,
    };
    let mut rest = bytes;
    let _kind = take_string(&mut rest)?;
    let _nonce = take_string(&mut rest)?;
    let mut key = string(plain.as_bytes())?;
    for _ in 0..fields {
        key.extend(string(take_string(&mut rest)?)?);
    }
    let _serial = take_number(&mut rest)?;
    let (role, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let role = match u32::from_be_bytes(*role) {
        1 => Role::User,
        2 => Role::Host,
        _ => Role::Other,
    };
    let _key_id = take_string(&mut rest)?;
    let mut names = take_string(&mut rest)?;
    let mut principals = Vec::new();
    while !names.is_empty() {
        if principals.len() >= MOST_PRINCIPALS {
            return None;
        }
        principals.push(String::from_utf8(take_string(&mut names)?.to_vec()).ok()?);
    }
    let valid_after = take_number(&mut rest)?;
    let valid_before = take_number(&mut rest)?;
    let critical = take_string(&mut rest)?;
    let _extensions = take_string(&mut rest)?;
    let _reserved = take_string(&mut rest)?;
    let authority = take_string(&mut rest)?.to_vec();
    let signed = bytes.get(..bytes.len().checked_sub(rest.len())?)?.to_vec();
    let signature = take_string(&mut rest)?.to_vec();
    rest.is_empty().then_some(Certificate {
        key,
        role,
        principals,
        valid_after,
        valid_before,
        has_critical_options: !critical.is_empty(),
        authority,
        signed,
        signature,
    })
}

impl Certificate {
    /// Why it does not prove that its key is that of the host `name`, as a clause; by this seat's clock.
    pub(super) fn host_problem(&self, name: &str, now: u64) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if self.role != Role::Host {
            return Some("it is no host certificate".to_owned());
        }
        if !self.is_signed() {
            return Some("the authority's signature on it is wrong, or of a kind that is not accepted".to_owned());
        }
        if let Some(why) = self.time_problem(now) {
            return Some(why);
        }
        if self.has_critical_options {
            return Some("it has critical options, and none is known for hosts".to_owned());
        }
        // Without any name it is for every host that the authority vouches for.
        let fitting = self.principals.iter().any(|principal| fits(&principal.to_ascii_lowercase(), &name));
        (!fitting && !self.principals.is_empty()).then(|| format!("it is for {}, not for {name}", self.names()))
    }

    /// Why it does not count at this time, as a clause.
    pub(super) fn time_problem(&self, now: u64) -> Option<String> {
        if now < self.valid_after {
            return Some(format!("it is not valid before {}", date(self.valid_after)));
        }
        (now >= self.valid_before).then(|| format!("it expired on {}", date(self.valid_before)))
    }

    /// The names that it is for, for a person: what a certificate says may be the peer's.
    pub(super) fn names(&self) -> String {
        let plain = |name: &String| name.chars().filter(|c| c.is_ascii_graphic()).take(64).collect::<String>();
        let more = if self.principals.len() > 4 { ", ..." } else { "" };
        self.principals.iter().take(4).map(plain).collect::<Vec<_>>().join(", ") + more
    }

    /// Whether the authority signed it.
    fn is_signed(&self) -> bool {
        verify(&self.authority, &self.signed, &self.signature).unwrap_or(None).unwrap_or(false)
    }
}

/// Whether a signature (RFC 4253, 6.6) is of this key and these bytes. None where key or signature are not understood.
fn verify(key: &[u8], signed: &[u8], signature: &[u8]) -> Result<Option<bool>, ErrorStack> {
    let mut fields = key;
    let mut rest = signature;
    let Some((kind, algorithm, mut value)) = take_string(&mut fields)
        .zip(take_string(&mut rest))
        .zip(take_string(&mut rest))
        .map(|((kind, algorithm), value)| (kind, algorithm, value))
    else {
        return Ok(None);
    };
    if !rest.is_empty() {
        return Ok(None);
    }
    let checked = match (kind, algorithm) {
        (b"ssh-ed25519", b"ssh-ed25519") => {
            let Some(raw) = take_string(&mut fields) else { return Ok(None) };
            let key = PKey::public_key_from_raw_bytes(raw, Id::ED25519)?;
            Verifier::new_without_digest(&key)?.verify_oneshot(value, signed)?
        }
        (b"ssh-rsa", b"rsa-sha2-256" | b"rsa-sha2-512") => {
            let Some((exponent, modulus)) = take_string(&mut fields).zip(take_string(&mut fields)) else {
                return Ok(None);
            };
            let rsa = Rsa::from_public_components(BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?)?;
            if rsa.size().saturating_mul(8) < SMALLEST_RSA {
                return Ok(None);
            }
            let digest = if algorithm == b"rsa-sha2-512" { MessageDigest::sha512() } else { MessageDigest::sha256() };
            let key = PKey::from_rsa(rsa)?;
            Verifier::new(digest, &key)?.verify_oneshot(value, signed)?
        }
        (b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521", _) if kind == algorithm => {
            let (curve, digest) = match kind {
                b"ecdsa-sha2-nistp256" => (Nid::X9_62_PRIME256V1, MessageDigest::sha256()),
                b"ecdsa-sha2-nistp384" => (Nid::SECP384R1, MessageDigest::sha384()),
                _ => (Nid::SECP521R1, MessageDigest::sha512()),
            };
            let Some((_curve, point)) = take_string(&mut fields).zip(take_string(&mut fields)) else {
                return Ok(None);
            };
            let Some((r, s)) = take_string(&mut value).zip(take_string(&mut value)) else { return Ok(None) };
            let signature = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
            let key = ecdsa_key(curve, point)?;
            Verifier::new(digest, &key)?.verify_oneshot(&signature.to_der()?, signed)?
        }
        _ => return Ok(None),
    };
    Ok(Some(checked))
}

fn ecdsa_key(curve: Nid, point: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve)?;
    let mut context = openssl::bn::BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, point, &mut context)?;
    PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)
}

/// Size in bits of the modulus of an RSA key; None for other keys.
pub(super) fn rsa_bits(key: &[u8]) -> Option<i32> {
    let mut fields = key;
    let (kind, _exponent) = take_string(&mut fields).zip(take_string(&mut fields))?;
    let modulus = take_string(&mut fields)?;
    (kind == b"ssh-rsa").then(|| BigNum::from_slice(modulus).ok())?.map(|modulus| modulus.num_bits())
}

fn string(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?;
    Some([&length.to_be_bytes(), bytes].concat())
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_be_bytes(*number))
}

/// A day, in UTC.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(
        || "a day that is not in the calendar".to_owned(),
        |time| time.strftime("%F %H:%M UTC").to_string(),
    )
}

/// Now, by this seat's clock, in seconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
