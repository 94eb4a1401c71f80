//! What a server offers: as evidence, and where nothing of it is common.

use super::bed_support::{Sshd, must, sshd_program};
use super::{connect, options, refused};
use sitewarden::channel::NobodyToAsk;
use sitewarden::evidence::Reason;
use std::collections::BTreeMap;

#[test]
fn the_servers_own_lists_are_evidence() {
    let Some(sshd) = Sshd::start("Ciphers aes256-gcm@openssh.com,aes128-cbc\nCompression no") else { return };
    let ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let offer = ssh.server_offer().unwrap();
    let file = sshd.path("sshd_config");
    let dump = must(sshd_program().unwrap(), &["-T", "-f", file.to_str().unwrap()]);
    let settings: BTreeMap<String, Vec<&str>> = dump
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_lowercase(), value.split(',').collect()))
        .collect();
    assert_eq!(offer.kex, settings["kexalgorithms"]);
    assert_eq!(offer.macs, settings["macs"]);
    assert_eq!(offer.ciphers, ["aes256-gcm@openssh.com", "aes128-cbc"]);
    assert_eq!(offer.host_keys, ["ssh-ed25519"]);
    assert_eq!(offer.compression, ["none"]);
    assert!(offer.banner.starts_with("SSH-2.0-OpenSSH_"), "{offer:?}");
}

#[test]
fn what_is_not_common_is_named_with_what_to_add() {
    let cases: [(&str, &[&str]); 3] = [
        (
            "KexAlgorithms sntrup761x25519-sha512@openssh.com",
            &["no key exchange algorithm in common", "only sntrup761x25519-sha512@openssh.com", "KexAlgorithms +curve"],
        ),
        (
            "Ciphers aes256-ctr\nMACs umac-128-etm@openssh.com",
            &["no MAC algorithm in common", "only umac-128-etm@openssh.com", "MACs +hmac-sha2-256-etm@openssh.com"],
        ),
        (
            "KexAlgorithms sntrup761x25519-sha512@openssh.com\nCiphers aes256-ctr\nMACs umac-64@openssh.com",
            &["no key exchange and no MAC algorithm", "umac-64@openssh.com"],
        ),
    ];
    for (config, words) in cases {
        let Some(sshd) = Sshd::start(config) else { return };
        let error = refused(connect(&sshd, &options(&sshd), &NobodyToAsk));
        assert_eq!(error.reason, Reason::Unsupported);
        for part in words {
            assert!(error.message.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn a_mac_that_is_not_common_is_no_matter_where_the_cipher_needs_none() {
    let Some(sshd) = Sshd::start("Ciphers aes256-gcm@openssh.com\nMACs umac-64@openssh.com") else { return };
    connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
}

#[test]
fn a_weak_host_key_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weak");
    must("ssh-keygen", &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", path.to_str().unwrap()]);
    let Some(sshd) = Sshd::start_in(folder, "HostKey %D/weak\nHostKeyAlgorithms rsa-sha2-512") else { return };
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), sshd.known_line("weak")).unwrap();
    let ssh = connect(&sshd, &options, &NobodyToAsk).unwrap();
    assert!(ssh.warnings().iter().any(|warning| warning.contains("1024 bits, which is weak")), "{:?}", ssh.warnings());
}
