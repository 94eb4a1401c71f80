//! Logging in: keys, passphrases, the agent, and servers that want something else.

use super::bed_support::{Sshd, agent, fingerprint, must, new_key, public, user};
use super::run::run;
use super::{Answers, connect, connect_as, limits, options, refused, secret};
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Answer, Ask, NobodyToAsk, Question};
use sitewarden::evidence::Reason;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

#[test]
fn a_key_that_the_node_does_not_know_is_named() {
    let Some(sshd) = Sshd::start("") else { return };
    let wrong = new_key(sshd.folder.path(), "wrong", "ed25519", "");
    let options = SshOptions { identities: vec![wrong.clone()], ..options(&sshd) };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert_eq!(error.reason, Reason::Forbidden);
    for part in [wrong.to_str().unwrap(), &fingerprint(&wrong), "was refused", "publickey", "--identity"] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_nodes_own_key_comes_first_and_every_kind_of_key_works() {
    let Some(sshd) = Sshd::start("") else { return };
    let wrong = new_key(sshd.folder.path(), "wrong", "ed25519", "");
    let user = user();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = new_key(sshd.folder.path(), kind, kind, "");
        sshd.authorize(&key);
        let options = SshOptions { identities: vec![wrong.clone()], ..options(&sshd) };
        let login =
            Login { node: "edge1", host: "127.0.0.1", port: sshd.port, user: Some(&user), identity: Some(&key) };
        Ssh::connect(&login, &options, &limits(), &NobodyToAsk).unwrap();
        sshd.log.wait_for(&fingerprint(&key));
    }
}

#[test]
fn old_formats_of_keys_work_with_and_without_passphrase() {
    let Some(sshd) = Sshd::start("") else { return };
    for (name, format) in [("pem", "PEM"), ("pkcs8", "PKCS8")] {
        for passphrase in ["", "open sesame"] {
            let name = format!("{name}{}", passphrase.len());
            let path = sshd.path(&name);
            must("ssh-keygen", &["-q", "-t", "rsa", "-m", format, "-N", passphrase, "-f", path.to_str().unwrap()]);
            sshd.authorize(&path);
            std::fs::remove_file(path.with_extension("pub")).unwrap();
            let answers = Answers::new((!passphrase.is_empty()).then(|| secret(passphrase)));
            let options = SshOptions { identities: vec![path], ..options(&sshd) };
            connect(&sshd, &options, &answers).unwrap();
        }
    }
}

#[test]
fn a_passphrase_is_asked_for_and_asked_again_when_wrong() {
    let Some(sshd) = Sshd::start("") else { return };
    let key = new_key(sshd.folder.path(), "locked", "ed25519", "open sesame");
    sshd.authorize(&key);
    let options = SshOptions { identities: vec![key.clone()], ..options(&sshd) };
    let answers = Answers::new([secret("open barley"), secret("open sesame")]);
    connect(&sshd, &options, &answers).unwrap();
    let file = key.display().to_string();
    let question = |again| Question::Passphrase { node: "edge1".into(), file: file.clone(), again };
    assert_eq!(answers.asked(), [question(false), question(true)]);

    connect(&sshd, &options, &NobodyToAsk).map(drop).expect("the passphrase is remembered");
}

#[test]
fn a_passphrase_that_stays_wrong_or_is_not_given_or_cannot_be_asked_for() {
    let Some(sshd) = Sshd::start("") else { return };
    let key = new_key(sshd.folder.path(), "locked", "ed25519", "open sesame");
    sshd.authorize(&key);
    let options = || SshOptions { identities: vec![key.clone()], ..options(&sshd) };
    let wrong = Answers::new([secret("a"), secret("b"), secret("c"), Answer::No]);
    let error = refused(connect(&sshd, &options(), &wrong));
    assert!(error.message.contains("wrong 3 times"), "{error}");
    let error = refused(connect(&sshd, &options(), &Answers::new([Answer::No, Answer::No])));
    assert!(error.message.contains("not given"), "{error}");
    let error = refused(connect(&sshd, &options(), &NobodyToAsk));
    assert!(error.message.contains("ssh-add") && error.message.contains(key.to_str().unwrap()), "{error}");
    assert_eq!(error.reason, Reason::Forbidden);
}

#[test]
fn nobody_is_asked_for_the_passphrase_of_a_key_that_the_node_does_not_take() {
    let Some(sshd) = Sshd::start("") else { return };
    let key = new_key(sshd.folder.path(), "locked", "ed25519", "open sesame");
    let options = SshOptions { identities: vec![key, sshd.key.clone()], ..options(&sshd) };
    let answers = Answers::new([]);
    connect(&sshd, &options, &answers).unwrap();
    assert_eq!(answers.asked(), []);
}

#[test]
fn one_passphrase_is_asked_for_once_for_several_nodes() {
    let Some(sshd) = Sshd::start("") else { return };
    let key = new_key(sshd.folder.path(), "locked", "ed25519", "open sesame");
    sshd.authorize(&key);
    let options = SshOptions { identities: vec![key], ..options(&sshd) };
    let answers = Answers::new([secret("open sesame")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| connect(&sshd, &options, &answers).map(drop).unwrap());
        }
    });
    assert_eq!(answers.asked().len(), 1);
}

#[test]
fn the_agent_signs_for_a_key_that_it_holds() {
    let Some(sshd) = Sshd::start("") else { return };
    let others: Vec<_> = (0..8).map(|n| new_key(sshd.folder.path(), &format!("k{n}"), "ed25519", "")).collect();
    let mut keys: Vec<&Path> = others.iter().map(|key| key.as_path()).collect();
    keys.push(&sshd.key);
    let (_agent, socket) = agent(sshd.folder.path(), &keys);
    // The public half alone is named: the private one is with the agent, behind more keys than a server hears out.
    let named = sshd.key.with_extension("pub");
    let options = SshOptions { identities: vec![named], agent: Some(socket), ..options(&sshd) };
    let mut ssh = connect(&sshd, &options, &NobodyToAsk).unwrap();
    assert_eq!(run(&mut ssh, "echo in", b"", &limits()).stdout, b"in\n");
}

#[test]
fn an_agent_that_is_gone_is_told() {
    let Some(sshd) = Sshd::start("") else { return };
    let wrong = new_key(sshd.folder.path(), "wrong", "ed25519", "");
    let options = SshOptions { identities: vec![wrong], agent: Some(sshd.path("no.sock")), ..options(&sshd) };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert!(error.message.contains("agent does not answer"), "{error}");
}

#[test]
fn too_many_keys_for_the_node_is_told() {
    let Some(sshd) = Sshd::start("MaxAuthTries 2") else { return };
    let keys = (0..4).map(|n| new_key(sshd.folder.path(), &format!("k{n}"), "ed25519", "")).collect();
    let options = SshOptions { identities: keys, ..options(&sshd) };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert!(error.message.contains("ended the connection after 2 keys"), "{error}");
    assert_eq!(error.reason, Reason::Forbidden);
}

#[test]
fn an_agent_with_twenty_keys_and_a_node_that_hears_three() {
    for (more, tried) in [("PasswordAuthentication no", 3), ("PasswordAuthentication yes", 3)] {
        let Some(sshd) = Sshd::start(&format!("MaxAuthTries 3\n{more}")) else { return };
        let keys: Vec<_> = (0..20).map(|n| new_key(sshd.folder.path(), &format!("k{n}"), "ed25519", "")).collect();
        let keys: Vec<&Path> = keys.iter().map(|key| key.as_path()).collect();
        let (_agent, socket) = agent(sshd.folder.path(), &keys);
        let options = SshOptions { identities: vec![], agent: Some(socket), ..options(&sshd) };
        let error = refused(connect(&sshd, &options, &Answers::new([])));
        assert_eq!(error.reason, Reason::Forbidden);
        for part in [format!("after {tried} keys"), "MaxAuthTries".into(), "--identity FILE".into()] {
            assert!(error.message.contains(&part), "{part}: {error}");
        }
        // The right one, named by its public half, is found behind them all.
        sshd.authorize(keys[19]);
        let named = SshOptions { identities: vec![keys[19].with_extension("pub")], ..options };
        connect(&sshd, &named, &NobodyToAsk).map(drop).unwrap();
    }
}

#[test]
fn a_node_that_takes_no_keys_or_wants_more_than_a_key_is_told() {
    let Some(sshd) = Sshd::start("PubkeyAuthentication no") else { return };
    let error = refused(connect(&sshd, &options(&sshd), &NobodyToAsk));
    assert!(error.message.contains("takes no keys") && error.message.contains("password"), "{error}");

    let Some(sshd) =
        Sshd::start("AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes")
    else {
        return;
    };
    let error = refused(connect(&sshd, &options(&sshd), &NobodyToAsk));
    assert!(error.message.contains("wants more") && error.message.contains("keyboard-interactive"), "{error}");
}

#[test]
fn a_banner_before_the_login_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("banner"), "Authorised use only \u{1b}[2J\n".repeat(500)).unwrap();
    let Some(sshd) = Sshd::start_in(folder, "Banner %D/banner") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    assert_eq!(run(&mut ssh, "echo in", b"", &limits()).stdout, b"in\n");
}

#[test]
fn a_key_file_that_is_none_is_told() {
    let Some(sshd) = Sshd::start("") else { return };
    let bad = sshd.path("notes.txt");
    std::fs::write(&bad, "buy milk").unwrap();
    let options = SshOptions { identities: vec![bad, sshd.path("missing")], ..options(&sshd) };
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert!(error.message.contains("notes.txt cannot be used: it is not a private key"), "{error}");
    assert!(error.message.contains("missing cannot be used"), "{error}");
}

/// Stands between the program and a node, and cuts the connection that is being asked about.
struct Impatient {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
    cuts: Mutex<usize>,
}

impl Impatient {
    fn before(sshd: &Sshd) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, node) = (listener.local_addr().unwrap().port(), sshd.port);
        let open = Arc::new(Mutex::new(Vec::new()));
        let streams = Arc::clone(&open);
        std::thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                let there = TcpStream::connect(("127.0.0.1", node)).unwrap();
                *streams.lock().unwrap() = vec![here.try_clone().unwrap(), there.try_clone().unwrap()];
                for (mut from, mut to) in [(here.try_clone().unwrap(), there.try_clone().unwrap()), (there, here)] {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Impatient { port, open, cuts: Mutex::new(0) }
    }
}

impl Ask for Impatient {
    fn ask(&self, question: &Question) -> Answer {
        for stream in self.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        *self.cuts.lock().unwrap() += 1;
        if let Question::Password { .. } = question { secret("wrong") } else { Answer::Yes }
    }
}

#[test]
fn a_person_may_think_for_longer_than_the_node_waits() {
    let Some(sshd) = Sshd::start("") else { return };
    let options = SshOptions { known_hosts: vec![sshd.path("none")], ..options(&sshd) };
    let impatient = Impatient::before(&sshd);
    connect_as(impatient.port, &options, &limits(), &impatient).unwrap();
    assert_eq!(*impatient.cuts.lock().unwrap(), 1, "asked once, though it took two connections");
}

#[test]
fn a_password_that_came_after_the_node_hung_up_is_sent_once_on_the_next_connection() {
    let Some(sshd) = Sshd::start("PasswordAuthentication yes\nPubkeyAuthentication no\nMaxAuthTries 1") else { return };
    let impatient = Impatient::before(&sshd);
    let known = format!("[127.0.0.1]:{} {}\n", impatient.port, public(&sshd.path("host_ed25519")));
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), known).unwrap();
    let error = refused(connect_as(impatient.port, &options, &limits(), &impatient));
    assert_eq!(*impatient.cuts.lock().unwrap(), 1, "asked once: {error}");
    assert!(error.message.contains("1 password") && error.message.contains("MaxAuthTries"), "{error}");
    sshd.log.wait_for("Failed password for");
}
