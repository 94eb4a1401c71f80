//! Certificates of users and of hosts.

use super::bed_support::{Sshd, fingerprint, must, new_key, public, user};
use super::{connect, options, refused};
use sitewarden::channel::NobodyToAsk;
use sitewarden::channel::ssh::SshOptions;
use sitewarden::evidence::Reason;
use std::path::Path;
use tempfile::TempDir;

/// Signs a key's public half.
fn sign(authority: &Path, key: &Path, more: &[&str]) {
    let key = key.with_extension("pub");
    must(
        "ssh-keygen",
        &[["-q", "-s", authority.to_str().unwrap(), "-I", "id"].as_slice(), more, &[key.to_str().unwrap()]].concat(),
    );
}

/// A server that trusts an authority of users, and a key that only a certificate lets in.
fn server_of_users(more: &[&str], kind: &str) -> Option<(Sshd, SshOptions)> {
    let folder = tempfile::tempdir().unwrap();
    let authority = new_key(folder.path(), "ca", "ed25519", "");
    let key = new_key(folder.path(), "certified", kind, "");
    sign(&authority, &key, more);
    let sshd = Sshd::start_in(folder, "TrustedUserCAKeys %D/ca.pub")?;
    let options = SshOptions { identities: vec![key], ..options(&sshd) };
    Some((sshd, options))
}

#[test]
fn a_certificate_beside_the_key_lets_in() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let Some((sshd, options)) = server_of_users(&["-n", &user()], kind) else { return };
        connect(&sshd, &options, &NobodyToAsk).unwrap();
        sshd.log.wait_for("Accepted certificate");
    }
}

#[test]
fn a_certificate_that_was_named_lets_in() {
    let Some((sshd, options)) = server_of_users(&["-n", &user()], "ed25519") else { return };
    let named = sshd.path("elsewhere.pub");
    std::fs::rename(sshd.path("certified-cert.pub"), &named).unwrap();
    refused(connect(&sshd, &options, &NobodyToAsk));
    connect(&sshd, &SshOptions { certificates: vec![named], ..options }, &NobodyToAsk).unwrap();
}

#[test]
fn why_a_certificate_does_not_let_in_is_told() {
    let cases: [(&[&str], &str); 4] = [
        (&["-n", "nobody-else"], "is for nobody-else, not for"),
        (&["-n", "root", "-V", "20200101:20210101"], "it expired on 2021-01-01"),
        (&["-n", "root", "-V", "20900101:20910101"], "it is not valid before 2090-01-01"),
        (&["-h", "-n", "root"], "it is no user certificate"),
    ];
    for (more, words) in cases {
        let Some((sshd, options)) = server_of_users(more, "ed25519") else { return };
        let error = refused(connect(&sshd, &options, &NobodyToAsk));
        assert_eq!(error.reason, Reason::Forbidden);
        assert!(error.message.contains("certified-cert.pub") && error.message.contains(words), "{words}: {error}");
    }
}

/// A server with a host certificate, and options that know nothing but these lines.
fn server_of_hosts(kind: &str, more: &[&str], lines: impl Fn(&Sshd) -> String) -> Option<(Sshd, SshOptions)> {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let authority = new_key(folder.path(), "ca", "ecdsa", "");
    let key = new_key(folder.path(), "certified", kind, "");
    sign(&authority, &key, &[["-h"].as_slice(), more].concat());
    let sshd = Sshd::start_in(folder, "HostKey %D/certified\nHostCertificate %D/certified-cert.pub")?;
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), lines(&sshd)).unwrap();
    Some((sshd, options))
}

fn authority(sshd: &Sshd) -> String {
    format!("@cert-authority [127.0.0.*]:*,!10.* {}\n", public(&sshd.path("ca")))
}

#[test]
fn a_host_that_a_known_authority_vouches_for_needs_no_line_of_its_own() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let Some((sshd, options)) = server_of_hosts(kind, &["-n", "127.0.0.1"], authority) else { return };
        connect(&sshd, &options, &NobodyToAsk).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn a_host_certificate_that_proves_nothing_is_refused() {
    let cases: [(&[&str], &str); 2] = [
        (&["-n", "other"], "it is for other, not for 127.0.0.1"),
        (&["-V", "20200101:20210101"], "expired on 2021-01-01"),
    ];
    for (more, words) in cases {
        let Some((sshd, options)) = server_of_hosts("ed25519", more, authority) else { return };
        let error = refused(connect(&sshd, &options, &NobodyToAsk));
        assert_eq!(error.reason, Reason::Forbidden);
        assert!(error.message.contains("host certificate") && error.message.contains(words), "{error}");
    }
}

#[test]
fn a_revoked_authority_or_key_vouches_for_nothing() {
    for name in ["ca", "certified"] {
        let lines = |sshd: &Sshd| authority(sshd) + &format!("@revoked * {}\n", public(&sshd.path(name)));
        let Some((sshd, options)) = server_of_hosts("ed25519", &["-n", "127.0.0.1"], lines) else { return };
        let error = refused(connect(&sshd, &options, &NobodyToAsk));
        assert!(error.message.contains("is marked as revoked") && error.message.contains("known_hosts:2"), "{error}");
    }
}

#[test]
fn a_certificate_of_another_authority_is_taken_for_its_plain_key() {
    let other = tempfile::tempdir().unwrap();
    let other = public(&new_key(other.path(), "other", "ed25519", ""));
    let lines = |_: &Sshd| format!("@cert-authority * {other}\n");
    let Some((sshd, options)) = server_of_hosts("ed25519", &["-n", "127.0.0.1"], lines) else { return };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    let shown = fingerprint(&sshd.path("certified"));
    assert!(error.message.contains(&format!("(ssh-ed25519 {shown}) is not known")), "{error}");
    connect(&sshd, &SshOptions { accept: vec![shown], ..options }, &NobodyToAsk).unwrap();
}
