//! Public certificates in files.

use super::answer::{Answer, Got};
use super::files::Roles;
use super::frames::State;
use super::text::{basename, line};
use crate::evidence::{Certificate, Listing, Reason};
use crate::probe::certificate::{self, Found};
use openssl::x509::X509;
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
                Ok(cert) => certificate::read(&cert, found(file.path, number, roles)),
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

fn found(path: &str, number: usize, roles: &Roles) -> Found {
    let path = line(path);
    let name = if number == 0 { path.clone() } else { format!("{path}#{}", number + 1) };
    Found { name, role: roles.of(&path), path }
}

fn blank(path: &str, number: usize, roles: &Roles, reason: Reason) -> Certificate {
    certificate::blank(found(path, number, roles), reason)
}

#[cfg(test)]
#[path = "certs_tests.rs"]
mod tests;
