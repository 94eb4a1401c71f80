//! One public certificate: names, validity, key, never more than what any peer would be shown.

use super::der;
use super::node::hex;
use super::text::line;
use crate::evidence::{Certificate, Fact, Reason};
use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::x509::{X509NameRef, X509Ref};

/// Where a certificate was found.
pub(super) struct Found {
    /// Name for screens: the file and which certificate of it, or the place in a chain.
    pub name: String,
    /// The file; empty for one that a port presents.
    pub path: String,
    /// What the file, or the port, is to the platform.
    pub role: String,
}

/// A certificate of which nothing is known but where it is.
pub(super) fn blank(found: Found, reason: Reason) -> Certificate {
    Certificate {
        name: found.name,
        path: found.path,
        role: found.role,
        subject: Fact::Unread,
        issuer: Fact::Unread,
        not_before: Fact::Unread,
        not_after: Fact::Unread,
        is_ca: Fact::Unread,
        key: Fact::Unread,
        signature: Fact::Unread,
        sha256: Fact::Unread,
        unread: Some(reason),
    }
}

/// What a certificate says. What in it is not understood is unread, `malformed`.
pub(super) fn read(cert: &X509Ref, found: Found) -> Certificate {
    let is_ca = cert.to_der().ok().and_then(|der| der::is_ca(&der));
    let algorithm = cert.signature_algorithm().object().nid();
    let mut found = Certificate {
        subject: name(cert.subject_name()),
        issuer: name(cert.issuer_name()),
        not_before: time(cert.not_before()),
        not_after: time(cert.not_after()),
        is_ca: is_ca.map_or(Fact::Unread, Fact::Known),
        key: key(cert).map_or(Fact::Unread, Fact::Known),
        signature: algorithm.long_name().map_or(Fact::Unread, |name| Fact::Known(name.to_owned())),
        sha256: cert.digest(MessageDigest::sha256()).map_or(Fact::Unread, |digest| Fact::Known(hex(&digest))),
        ..blank(found, Reason::Malformed)
    };
    let missing =
        found.not_after.is_unread() || found.not_before.is_unread() || found.key.is_unread() || found.is_ca.is_unread();
    found.unread = missing.then_some(Reason::Malformed);
    found
}

fn name(name: &X509NameRef) -> Fact<String> {
    let mut parts = Vec::new();
    for entry in name.entries() {
        let nid = entry.object().nid();
        let key = nid.short_name().map_or_else(|_| entry.object().to_string(), str::to_owned);
        let Ok(value) = entry.data().to_string() else { return Fact::Unread };
        parts.push(line(&format!("{key}={value}")));
    }
    Fact::Known(parts.join(", "))
}

fn key(cert: &X509Ref) -> Option<String> {
    let key = cert.public_key().ok()?;
    Some(match key.id() {
        Id::RSA => format!("rsa-{}", key.bits()),
        Id::RSA_PSS => format!("rsa-pss-{}", key.bits()),
        Id::EC => format!("ec-{}", key.bits()),
        Id::ED25519 => "ed25519".to_owned(),
        Id::ED448 => "ed448".to_owned(),
        Id::DSA => format!("dsa-{}", key.bits()),
        _ => return None,
    })
}

/// Seconds since the epoch, whatever form of time the certificate uses; the end of time is the last one we can write.
fn time(at: &Asn1TimeRef) -> Fact<Timestamp> {
    let Ok(epoch) = Asn1Time::from_unix(0) else { return Fact::Unread };
    let Ok(since) = epoch.diff(at) else { return Fact::Unread };
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    let last = Timestamp::MAX.as_second();
    Timestamp::from_second(seconds.min(last)).map_or(Fact::Unread, Fact::Known)
}
