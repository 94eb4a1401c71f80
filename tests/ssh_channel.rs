//! The SSH channel against a real sshd, and against peers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed_support;

use bed_support::{Sshd, agent, fingerprint, free_port, must, new_key, user};
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Answer, Ask, Channel, ChannelError, Limits, NobodyToAsk, Output, Question, Script};
use sitewarden::evidence::Reason;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers from a list, and keeps the questions.
#[derive(Default)]
struct Answers {
    answers: Mutex<Vec<Answer>>,
    questions: Mutex<Vec<Question>>,
}

impl Answers {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: Vec<Answer> = answers.into_iter().collect();
        answers.reverse();
        Answers { answers: Mutex::new(answers), questions: Mutex::default() }
    }

    fn asked(&self) -> Vec<Question> {
        self.questions.lock().unwrap().clone()
    }
}

impl Ask for Answers {
    fn ask(&self, question: &Question) -> Answer {
        self.questions.lock().unwrap().push(question.clone());
        self.answers.lock().unwrap().pop().expect("a question too many")
    }
}

fn secret(text: &str) -> Answer {
    Answer::Secret(text.to_owned().into())
}

/// Options that know the server's Ed25519 key and log in with its key, whatever this machine's user has.
fn options(sshd: &Sshd) -> SshOptions {
    std::fs::write(sshd.path("known_hosts"), sshd.known_line("host_ed25519")).unwrap();
    SshOptions {
        identities: vec![sshd.key.clone()],
        known_hosts: vec![sshd.path("known_hosts")],
        ..SshOptions::default()
    }
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(30), run: Duration::from_secs(120), ..Limits::default() }
}

fn connect_as(port: u16, options: &SshOptions, limits: &Limits, ask: &dyn Ask) -> Result<Ssh, ChannelError> {
    let user = user();
    let login = Login { node: "edge1", host: "127.0.0.1", port, user: Some(&user), identity: None };
    Ssh::connect(&login, options, limits, ask)
}

fn connect(sshd: &Sshd, options: &SshOptions, ask: &dyn Ask) -> Result<Ssh, ChannelError> {
    connect_as(sshd.port, options, &limits(), ask)
}

fn refused(result: Result<Ssh, ChannelError>) -> ChannelError {
    match result {
        Ok(_) => panic!("logged in"),
        Err(error) => error,
    }
}

fn run(ssh: &mut Ssh, command: &str, stdin: &[u8], limits: &Limits) -> Output {
    ssh.run(&Script { command: command.to_owned(), stdin: stdin.to_vec() }, limits).unwrap()
}

/// Bytes that do not repeat soon, so that a lost or doubled block shows.
fn pattern(length: usize) -> Vec<u8> {
    (0u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}

// Running

#[test]
fn a_command_runs_and_the_session_can_be_used_again() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let output = run(&mut ssh, "cat; echo oops >&2; exit 7", b"hello", &limits());
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (b"hello".as_slice(), b"oops\n".as_slice()));
    assert_eq!((output.status, output.cut), (Some(7), None));
    let output = run(&mut ssh, "sh -s", b"echo again; kill -9 $$", &limits());
    assert_eq!((output.stdout.as_slice(), output.status, output.cut), (b"again\n".as_slice(), None, None));
    let output = run(&mut ssh, "true", &pattern(8 << 20), &limits());
    assert_eq!((output.status, output.cut), (Some(0), None), "input that nobody reads");
}

#[test]
fn eight_megabytes_go_in_and_come_back_whole() {
    // With a new key exchange every megabyte, in the middle of the stream.
    let Some(sshd) = Sshd::start("RekeyLimit 1M") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let input = pattern(8 << 20);
    let output = run(&mut ssh, "cat", &input, &limits());
    assert_eq!((output.status, output.cut), (Some(0), None));
    assert!(output.stdout == input, "{} of {} bytes", output.stdout.len(), input.len());
}

#[test]
fn much_on_both_outputs_is_read_and_kept_within_the_bounds() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { stderr: 1000, ..limits() };
    let both = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero";
    let output = run(&mut ssh, both, b"", &bounds);
    assert_eq!((output.stderr.len(), output.stdout.len(), output.cut), (1000, 3_000_000, None));
    assert_eq!(output.status, Some(0));

    let bounds = Limits { stdout: 3_000_000, ..bounds };
    let output = run(&mut ssh, both, b"", &bounds);
    assert_eq!((output.stdout.len(), output.cut), (3_000_000, None), "as much as the bound is not too much");

    let output = run(&mut ssh, "head -c 3000000 /dev/zero >&2; head -c 20000000 /dev/zero", b"", &bounds);
    assert_eq!((output.stdout.len(), output.cut), (3_000_000, Some(Reason::TooLarge)));
    assert_eq!(output.status, None);
    let again = ssh.run(&Script { command: "true".into(), stdin: Vec::new() }, &limits()).unwrap_err();
    assert!(again.message.contains("Connect again"), "{again}");
}

#[test]
fn a_run_ends_at_its_deadline_and_nothing_waits_for_the_command() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { run: Duration::from_millis(700), ..limits() };
    let output = run(&mut ssh, "echo $$; exec sleep 600", b"", &bounds);
    drop(ssh);
    assert_eq!((output.cut, output.status), (Some(Reason::Timeout), None));
    let pid: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().expect("what came before the deadline");
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "the command had not ended when the channel was gone");
    must("kill", &[&pid.to_string()]);
}

#[test]
fn a_command_that_trickles_ends_at_the_deadline() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { run: Duration::from_millis(700), ..limits() };
    let output = run(&mut ssh, "for i in $(seq 2000); do echo $i; sleep 0.05; done", b"", &bounds);
    assert_eq!(output.cut, Some(Reason::Timeout));
    assert!(output.stdout.starts_with(b"1\n2\n"));
}

#[test]
fn a_link_that_drops_is_told() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let output = run(&mut ssh, "kill -9 $PPID; sleep 1", b"", &limits());
    assert_eq!((output.cut, output.status), (Some(Reason::Unreachable), None));
}

#[test]
fn a_server_without_sessions_is_told() {
    let Some(sshd) = Sshd::start("MaxSessions 0") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let error = ssh.run(&Script { command: "true".into(), stdin: Vec::new() }, &limits()).unwrap_err();
    assert_eq!(error.reason, Reason::Forbidden);
    assert!(error.message.contains("opens no session"), "{error}");
}

// Logging in

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
    let wrong = Answers::new([secret("a"), secret("b"), secret("c")]);
    let error = refused(connect(&sshd, &options(), &wrong));
    assert!(error.message.contains("wrong 3 times"), "{error}");
    let error = refused(connect(&sshd, &options(), &Answers::new([Answer::No])));
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
    fn ask(&self, _question: &Question) -> Answer {
        for stream in self.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        *self.cuts.lock().unwrap() += 1;
        Answer::Yes
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

// The host's key

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
    assert_eq!(std::fs::read_to_string(&accepted).unwrap(), sshd.known_line("host_ed25519"));
    connect(&sshd, &options, &NobodyToAsk).map(drop).expect("it is remembered");
    must("ssh-keygen", &["-F", &format!("[127.0.0.1]:{}", sshd.port), "-f", accepted.to_str().unwrap()]);
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

// Peers that are not as they should be

#[test]
fn a_port_where_nothing_listens_and_a_name_that_is_none() {
    let error = refused(connect_as(free_port(), &SshOptions::default(), &limits(), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("connection refused"), "{error}");
    let login = Login { node: "edge9", host: "edge9.invalid", port: 22, user: Some("root"), identity: None };
    let error = refused(Ssh::connect(&login, &SshOptions::default(), &limits(), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("edge9.invalid"), "{error}");
}

/// What happens to a connection to a peer that does this with the socket.
fn against(peer: impl FnOnce(TcpStream) + Send + 'static) -> ChannelError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || peer(listener.accept().unwrap().0));
    let limits = Limits { connect: Duration::from_millis(600), ..limits() };
    let error = refused(connect_as(port, &SshOptions::default(), &limits, &NobodyToAsk));
    thread.join().unwrap();
    error
}

/// Reads until the other side is gone.
fn until_gone(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_peer_that_accepts_and_never_speaks() {
    let error = against(until_gone);
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("does not greet"), "{error}");
}

#[test]
fn a_peer_that_trickles() {
    let error = against(|mut stream| {
        // A byte each time that 20 ms pass without the other side going.
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut buffer = [0; 64];
        let mut greeting = b"SSH-2.0-".iter().chain(std::iter::repeat(&b'x'));
        while !matches!(stream.read(&mut buffer), Ok(0)) && stream.write_all(&[*greeting.next().unwrap()]).is_ok() {}
    });
    assert_eq!(error.reason, Reason::Timeout);
}

#[test]
fn a_peer_that_floods_lines_before_its_greeting() {
    let error = against(|mut stream| while stream.write_all(&b"hello there\r\n".repeat(5000)).is_ok() {});
    assert_eq!(error.reason, Reason::Timeout, "{error}");
}

#[test]
fn a_peer_that_is_no_ssh_server() {
    let error = against(|mut stream| {
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\x1b[2Jgo away\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        until_gone(stream);
    });
    assert_eq!(error.reason, Reason::Malformed);
    assert!(error.message.contains("not an SSH server") && !error.message.contains('\x1b'), "{error}");
}

#[test]
fn a_peer_that_hangs_up_and_one_that_greets_and_then_says_nothing() {
    let error = against(|stream| stream.shutdown(Shutdown::Both).unwrap());
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("without a greeting"), "{error}");
    let error = against(|mut stream| {
        stream.write_all(b"SSH-2.0-x\r\n").unwrap();
        until_gone(stream);
    });
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("key exchange"), "{error}");
}

#[test]
fn a_peer_that_sends_rubbish_for_packets() {
    for rubbish in [vec![0xff; 64 << 10], pattern(64 << 10), vec![0; 64 << 10]] {
        let error = against(move |mut stream| {
            let _ = stream.write_all(b"SSH-2.0-x\r\n").and_then(|()| stream.write_all(&rubbish));
            until_gone(stream);
        });
        assert_ne!(error.reason, Reason::Forbidden, "{error}");
    }
}

#[test]
fn a_server_without_a_common_algorithm() {
    let Some(sshd) = Sshd::start("KexAlgorithms sntrup761x25519-sha512@openssh.com") else { return };
    let error = refused(connect(&sshd, &options(&sshd), &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unsupported);
    assert!(error.message.contains("algorithm in common"), "{error}");
}

#[test]
fn a_server_with_too_many_logins_at_once() {
    let Some(sshd) = Sshd::start("MaxStartups 1:100:1") else { return };
    let options = options(&sshd);
    let mut first = TcpStream::connect(("127.0.0.1", sshd.port)).unwrap();
    first.read_exact(&mut [0; 4]).unwrap();
    let error = refused(connect(&sshd, &options, &NobodyToAsk));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("--jobs"), "{error}");
}
