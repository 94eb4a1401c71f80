#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;

/// A host key of a kind, signed by an authority of a kind, as ssh-keygen does it.
fn signed(folder: &Path, authority: &str, key: &str, more: &[&str]) -> Vec<u8> {
    let run = |arguments: &[&str]| {
        let done = Command::new("ssh-keygen").current_dir(folder).arg("-q").args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let (ca, name) = (format!("ca_{authority}"), format!("key_{key}"));
    for (name, kind) in [(&ca, authority), (&name, key)] {
        if !folder.join(name).exists() {
            run(&["-t", kind, "-N", "", "-f", name]);
        }
    }
    run(&[["-s", ca.as_str(), "-I", "id"].as_slice(), more, &[&format!("{name}.pub")]].concat());
    let text = std::fs::read_to_string(folder.join(format!("{name}-cert.pub"))).unwrap();
    blob::from_base64(text.split_whitespace().nth(1).unwrap()).unwrap()
}

const HOST: &[&str] = &["-h", "-n", "edge1,*.site", "-V", "20260101:20270101"];
/// In the middle of 2026.
const DURING: u64 = 1_782_000_000;

/// ssh-keygen is there wherever the tests of the SSH channel run.
fn folder() -> Option<tempfile::TempDir> {
    Command::new("ssh-keygen").arg("-?").output().ok()?;
    tempfile::tempdir().ok()
}

#[test]
fn certificates_of_every_kind_of_key_and_authority_are_proved() {
    let Some(folder) = folder() else { return };
    for authority in ["ed25519", "ecdsa", "rsa"] {
        for key in ["ed25519", "ecdsa", "rsa"] {
            let certificate = parse(&signed(folder.path(), authority, key, HOST)).unwrap();
            assert_eq!(certificate.host_problem("edge1", DURING), None, "{key} by {authority}");
            assert_eq!(certificate.host_problem("a.SITE", DURING), None);
            let plain = std::fs::read_to_string(folder.path().join(format!("key_{key}.pub"))).unwrap();
            assert_eq!(certificate.key, blob::from_base64(plain.split_whitespace().nth(1).unwrap()).unwrap());
        }
    }
}

#[test]
fn what_does_not_prove_the_host_is_told() {
    let Some(folder) = folder() else { return };
    let problem = |more: &[&str], name: &str, now: u64| {
        parse(&signed(folder.path(), "ed25519", "ed25519", more)).unwrap().host_problem(name, now).unwrap_or_default()
    };
    assert!(problem(HOST, "edge2", DURING).contains("it is for edge1, *.site, not for edge2"));
    assert!(problem(HOST, "edge1", DURING / 2).contains("not valid before 2026-01-01"));
    assert!(problem(HOST, "edge1", DURING * 2).contains("expired on 2027-01-01"));
    assert!(problem(&["-n", "edge1"], "edge1", DURING).contains("no host certificate"));
    assert!(problem(&["-h", "-n", "edge1", "-O", "critical:x@example.org=y"], "edge1", DURING).contains("critical"));
    assert_eq!(problem(&["-h"], "edge1", DURING), "", "without names it is for all");
}

#[test]
fn a_signature_by_the_old_hash_does_not_count() {
    let Some(folder) = folder() else { return };
    let bytes = signed(folder.path(), "rsa", "ed25519", &[HOST, &["-t", "ssh-rsa"]].concat());
    assert!(parse(&bytes).unwrap().host_problem("edge1", DURING).unwrap_or_default().contains("signature"));
}

#[test]
fn a_bit_that_was_changed_is_found() {
    let Some(folder) = folder() else { return };
    let bytes = signed(folder.path(), "ed25519", "ed25519", HOST);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        let proved = parse(&damaged).is_some_and(|read| read.host_problem("edge1", DURING).is_none());
        assert!(!proved, "byte {place}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut certificate = string(b"ssh-ed25519-cert-v01@openssh.com").unwrap();
        certificate.extend(bytes);
        let _ = parse(&certificate).map(|read| read.host_problem("edge1", DURING));
    }
}
