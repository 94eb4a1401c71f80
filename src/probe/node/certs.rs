//! Public certificates in files: names, validity, key, never more than what any peer would be shown.

use super::answer::{Answer, Got};
use super::document::hex;
use super::files::Roles;
use super::frames::State;
use super::text::{basename, line};
use crate::evidence::{Certificate, Fact, Listing, Reason};
use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::x509::{X509, X509NameRef, X509Ref};
use std::collections::BTreeSet;

/// Reads the certificates.
pub(super) fn read(answer: &mut Answer<'_>, roles: &Roles) -> Listing<Certificate> {
    const PATH: &str = "certificates";
    let got = answer.got("certs");
    answer.note(&got, PATH, "the certificates in files");
    let Some(record) = got.record() else { return Listing::default() };
    let body = record.text();
    let mut files = split(&body);
    let mut complete = matches!(got, Got::Here(_));
    if !complete {
        // The last file may have lost its end.
        files.pop();
    }
    let current: BTreeSet<&str> = files.iter().filter_map(|file| file.path.strip_suffix("-current.pem")).collect();
    let mut items = Vec::new();
    for file in &files {
        if superseded(file.path, &current) {
            continue;
        }
        match State::from_word(file.state) {
            State::Here => {}
            State::Absent => continue,
            state => {
                complete = false;
                answer.missing(state, PATH, "a file with certificates");
                items.push(blank(file.path, 0, roles, state.reason().unwrap_or(Reason::Malformed)));
                continue;
            }
        }
        for (number, block) in file.blocks.iter().enumerate() {
            items.push(match X509::from_pem(block.as_bytes()) {
                Ok(cert) => certificate(&cert, file.path, number, roles),
                Err(_) => blank(file.path, number, roles, Reason::Malformed),
            });
        }
        if file.broken {
            items.push(blank(file.path, file.blocks.len(), roles, Reason::Malformed));
        }
    }
    Listing { items, complete }
}

struct File<'a> {
    state: &'a str,
    path: &'a str,
    blocks: Vec<String>,
    /// Whether something in it is no certificate block.
    broken: bool,
}

fn split(body: &str) -> Vec<File<'_>> {
    let mut files: Vec<File<'_>> = Vec::new();
    let mut block: Option<String> = None;
    for text in body.lines() {
        if let Some((state, path)) = text.strip_prefix("= ").and_then(|rest| rest.split_once(' ')) {
            if block.take().is_some()
                && let Some(file) = files.last_mut()
            {
                file.broken = true;
            }
            files.push(File { state, path, blocks: Vec::new(), broken: false });
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        match text.trim() {
            "-----BEGIN CERTIFICATE-----" => {
                file.broken |= block.is_some();
                block = Some(String::from("-----BEGIN CERTIFICATE-----\n"));
            }
            "-----END CERTIFICATE-----" => match block.take() {
                Some(whole) => file.blocks.push(whole + "-----END CERTIFICATE-----\n"),
                None => file.broken = true,
            },
            inner => match &mut block {
                Some(block) => {
                    block.push_str(inner);
                    block.push('\n');
                }
                None => file.broken |= !inner.is_empty(),
            },
        }
    }
    if block.is_some()
        && let Some(file) = files.last_mut()
    {
        file.broken = true;
    }
    files
}

/// A rotated certificate of the kubelet, `kubelet-client-2024-01-02-03-04-05.pem`, next to the one that is in use.
fn superseded(path: &str, current: &BTreeSet<&str>) -> bool {
    let name = basename(path);
    ["kubelet-client", "kubelet-server"].iter().any(|kind| {
        let dated = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".pem"));
        let is_date = |date: &str| !date.is_empty() && date.chars().all(|c| c.is_ascii_digit() || c == '-');
        let folder = path.strip_suffix(name).unwrap_or_default();
        dated.is_some_and(is_date) && current.contains(format!("{folder}{kind}").as_str())
    })
}

fn blank(path: &str, number: usize, roles: &Roles, reason: Reason) -> Certificate {
    let path = line(path);
    Certificate {
        name: if number == 0 { path.clone() } else { format!("{path}#{}", number + 1) },
        role: roles.of(&path),
        path,
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

fn certificate(cert: &X509Ref, path: &str, number: usize, roles: &Roles) -> Certificate {
    let is_ca = cert.to_der().ok().and_then(|der| super::der::is_ca(&der));
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
        ..blank(path, number, roles, Reason::Malformed)
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

#[cfg(test)]
#[path = "certs_tests.rs"]
mod tests;
