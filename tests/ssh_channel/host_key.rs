//! The host's key: known, unknown, changed, revoked, one of several.

use super::bed_support::{Sshd, fingerprint, must, new_key};
use super::{Answers, connect, options, refused};
use sitewarden::channel::ssh::SshOptions;
use sitewarden::channel::{Answer, NobodyToAsk, Question};
use sitewarden::evidence::Reason;

#[test]
fn an_unknown_host_key_is_refused_where_nobody_can_be_asked() {
    let Some(sshd) = Sshd::start("") else { return };
    let options = SshOptions { known_hosts: vec![sshd.path("none")], ..options(&sshd) };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    let expected = format!("--accept-host-key {}", fingerprint(&sshd.path("host_ed25519")));
    assert!(error.message.contains(&expected), "{error}");
    assert_eq!(error.reason, Reason::Forbidden);
}

#[test]
fn an_unknown_host_key_is_asked_for_once_and_remembered() {
    let Some(sshd) = Sshd::start("") else { return };
    let accepted = sshd.path("own/known_hosts");
    let options =
        SshOptions { known_hosts: vec![sshd.path("none")], accepted: Some(accepted.clone()), ..options(&sshd) };
    let no = Answers::new([Answer::No]);
    let error = refused(connect(&sshd, &options, &no));
    assert!(error.message.contains("was not accepted"), "{error}");
    let yes = Answers::new([Answer::Yes]);
    connect(&sshd, &options, &yes).unwrap();
    let question = Question::HostKey {
        node: "edge1".into(),
        host: format!("[127.0.0.1]:{}", sshd.port),
        kind: "ssh-ed25519".into(),
        fingerprint: fingerprint(&sshd.path("host_ed25519")),
        others: Vec::new(),
    };
    assert_eq!(yes.asked(), [question]);
    let kept = std::fs::read_to_string(&accepted).unwrap();
    let (key, comment) = kept.split_once(" accepted 20").unwrap();
    assert_eq!(format!("{key}\n"), sshd.known_line("host_ed25519"));
    assert!(comment.ends_with("Z\n") && comment.len() == "26-11-23T07:00:00Z\n".len(), "{kept}");
    connect(&sshd, &options, &NobodyToAsk).map(drop).expect("it is remembered");
    must("ssh-keygen", &["-F", &format!("[127.0.0.1]:{}", sshd.port), "-f", accepted.to_str().unwrap()]);
}

#[test]
fn a_key_that_cannot_be_remembered_is_a_warning() {
    let Some(sshd) = Sshd::start("") else { return };
    let accepted = sshd.key.join("below/a/file");
    let options = SshOptions { known_hosts: vec![sshd.path("none")], accepted: Some(accepted), ..options(&sshd) };
    let ssh = connect(&sshd, &options, &Answers::new([Answer::Yes])).unwrap();
    assert!(ssh.warnings().iter().any(|warning| warning.contains("could not be remembered")), "{:?}", ssh.warnings());
}

#[test]
fn a_host_key_named_beforehand_is_accepted() {
    let Some(sshd) = Sshd::start("") else { return };
    let options =
        |accept: String| SshOptions { known_hosts: vec![sshd.path("none")], accept: vec![accept], ..options(&sshd) };
    connect(&sshd, &options(fingerprint(&sshd.path("host_ed25519"))), &NobodyToAsk).unwrap();
    refused(connect(&sshd, &options(fingerprint(&sshd.key)), &NobodyToAsk));
}

#[test]
fn a_changed_host_key_is_refused_with_what_to_do() {
    let Some(sshd) = Sshd::start("") else { return };
    let old = new_key(sshd.folder.path(), "host_old", "ed25519", "");
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), format!("# nodes\n{}", sshd.known_line("host_old"))).unwrap();
    let new = fingerprint(&sshd.path("host_ed25519"));
    let error = refused(connect(&sshd, &SshOptions { accept: vec![new.clone()], ..options }, &NobodyToAsk));
    assert_eq!(error.reason, Reason::Forbidden);
    let place = format!("{}:2", sshd.path("known_hosts").display());
    let remove = format!("ssh-keygen -R '[127.0.0.1]:{}' -f {}", sshd.port, sshd.path("known_hosts").display());
    for part in ["has changed", &place, &new, &fingerprint(&old), &remove] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    // What it says to do does it.
    must("sh", &["-c", &remove]);
    let options =
        SshOptions { accept: vec![new], known_hosts: vec![sshd.path("known_hosts")], ..SshOptions::default() };
    connect(&sshd, &SshOptions { identities: vec![sshd.key.clone()], ..options }, &NobodyToAsk).unwrap();
}

#[test]
fn a_revoked_host_key_is_refused_though_it_is_known() {
    let Some(sshd) = Sshd::start("") else { return };
    let options = options(&sshd);
    let line = sshd.known_line("host_ed25519");
    let key = line.split_once(' ').unwrap().1;
    std::fs::write(sshd.path("known_hosts"), format!("{line}@revoked * {key}")).unwrap();
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert!(error.message.contains("revoked in") && error.message.contains("known_hosts:2"), "{error}");
}

#[test]
fn hashed_names_are_known_and_a_bad_line_is_a_warning() {
    let Some(sshd) = Sshd::start("") else { return };
    let options = options(&sshd);
    let file = sshd.path("known_hosts");
    must("ssh-keygen", &["-q", "-H", "-f", file.to_str().unwrap()]);
    let hashed = std::fs::read_to_string(&file).unwrap();
    assert!(hashed.starts_with("|1|"));
    std::fs::write(&file, format!("nonsense\n{hashed}")).unwrap();
    let ssh = connect(&sshd, &options, &NobodyToAsk).unwrap();
    assert!(ssh.warnings().iter().any(|warning| warning.contains("known_hosts:1: line skipped")));
}

#[test]
fn a_server_with_more_keys_than_are_known_presents_the_known_one() {
    let folder = tempfile::tempdir().unwrap();
    new_key(folder.path(), "host_rsa", "rsa", "");
    new_key(folder.path(), "host_ecdsa", "ecdsa", "");
    let Some(sshd) = Sshd::start_in(folder, "HostKey %D/host_ecdsa\nHostKey %D/host_rsa") else { return };
    let options = options(&sshd);
    for known in ["host_rsa", "host_ecdsa", "host_ed25519"] {
        std::fs::write(sshd.path("known_hosts"), sshd.known_line(known)).unwrap();
        connect(&sshd, &options, &NobodyToAsk).unwrap();
    }
}

#[test]
fn a_key_of_another_type_than_the_known_ones_is_asked_for_with_that_said() {
    let folder = tempfile::tempdir().unwrap();
    new_key(folder.path(), "host_rsa", "rsa", "");
    let Some(sshd) = Sshd::start_in(folder, "") else { return };
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), sshd.known_line("host_rsa")).unwrap();
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert!(error.message.contains("known by another type of key (ssh-rsa"), "{error}");
    let answers = Answers::new([Answer::No]);
    refused(connect(&sshd, &options, &answers));
    assert!(matches!(&answers.asked()[..], [Question::HostKey { others, .. }] if others == &["ssh-rsa"]));
}

#[test]
fn a_server_with_a_host_certificate_is_known_by_its_plain_key() {
    let folder = tempfile::tempdir().unwrap();
    let authority = new_key(folder.path(), "authority", "ed25519", "");
    let host = new_key(folder.path(), "host_ed25519", "ed25519", "");
    let certificate = host.with_extension("pub");
    must("ssh-keygen", &["-q", "-s", authority.to_str().unwrap(), "-I", "edge1", "-h", certificate.to_str().unwrap()]);
    let Some(sshd) = Sshd::start_in(folder, "HostCertificate %D/host_ed25519-cert.pub") else { return };
    connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
}
