//! Certificates of the user's keys: which of them to offer, and what to say of the others.

use super::certificate::{self, Certificate, Role};
use super::key_file::{KeyFile, Private, read_public};
use std::path::{Path, PathBuf};

/// A key file, and before it the same key with each of its certificates: the one beside it (`KEY-cert.pub`) and those of
/// `more` that are for it. Notes say what is wrong with certificates, for the case that nothing works.
pub(super) fn with_certificates(file: KeyFile, more: &[PathBuf], user: &str) -> (Vec<KeyFile>, Vec<String>) {
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    let Private::Here { text, encrypted } = &file.private else { return (vec![file], notes) };
    let mut beside = file.path.as_os_str().to_owned();
    beside.push("-cert.pub");
    let beside = PathBuf::from(beside);
    for path in std::iter::once(&beside).chain(more.iter().filter(|path| **path != beside)) {
        let Some(bytes) = read_public(path) else { continue };
        let Some(certificate) = certificate::parse(&bytes) else {
            notes.push(format!("{} is no certificate of a kind that is known here", path.display()));
            continue;
        };
        if file.public.as_ref().is_some_and(|key| *key != certificate.key) {
            if *path == beside {
                notes.push(format!("{} is for another key", path.display()));
            }
            continue;
        }
        let (offered, note) = judge(&certificate, path, user, certificate::now());
        notes.extend(note);
        if offered {
            let private = Private::Here { text: text.clone(), encrypted: *encrypted };
            files.push(KeyFile { path: file.path.clone(), public: Some(bytes), private });
        }
    }
    files.push(file);
    (files, notes)
}

/// Whether a certificate is worth offering, and what to say of it.
fn judge(certificate: &Certificate, path: &Path, user: &str, now: u64) -> (bool, Option<String>) {
    let path = path.display();
    if certificate.role != Role::User {
        return (false, Some(format!("{path} was not offered: it is no user certificate")));
    }
    if let Some(why) = certificate.time_problem(now) {
        return (
            false,
            Some(format!("{path} was not offered: {why} (have it signed anew, or check this machine's clock)")),
        );
    }
    // The node may map names to users, so these are offered all the same.
    if certificate.principals.is_empty() {
        return (true, Some(format!("{path} names no user, and nodes usually want one (ssh-keygen -s CA -n {user})")));
    }
    let fitting = certificate.principals.iter().any(|name| name == user);
    (true, (!fitting).then(|| format!("{path} is for {}, not for {user}", certificate.names())))
}
