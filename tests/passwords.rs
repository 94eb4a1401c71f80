//! Logins and sudo with a password, on a real node: what is asked, what is sent to whom, and what is said where it does
//! not do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Answer, Ask, ChannelError, Limits, NobodyToAsk, Passwords, Purpose, Question};
use sitewarden::evidence::{NodeEvidence, Privilege, Reason};
use sitewarden::probe::node::{Aid, Step, collect_with};
use sitewarden::site::{NodeTarget, Way};
use sitewarden::visit::{Progress, Visit};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::Bed;

/// Answers by what is asked, and keeps the questions.
struct Person<F> {
    answer: F,
    asked: Mutex<Vec<Question>>,
}

impl<F: Fn(&Question, usize) -> Answer + Send + Sync> Person<F> {
    fn new(answer: F) -> Self {
        Person { answer, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }
}

impl<F: Fn(&Question, usize) -> Answer + Send + Sync> Ask for Person<F> {
    fn ask(&self, question: &Question) -> Answer {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(question.clone());
            asked.len()
        };
        (self.answer)(question, number)
    }
}

fn secret(text: &str) -> Answer {
    Answer::Secret(text.to_owned().into())
}

fn password_of(user: &str) -> String {
    std::env::var(format!("BED_PASSWORD_{}", user.to_uppercase())).unwrap()
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(30), run: Duration::from_secs(120), ..Limits::default() }
}

/// Options without any key.
fn keyless(bed: &Bed) -> SshOptions {
    SshOptions {
        identities: vec![PathBuf::from("/nonexistent")],
        known_hosts: vec![bed.known_hosts.clone()],
        ..Default::default()
    }
}

fn with_key(bed: &Bed) -> SshOptions {
    SshOptions { identities: vec![bed.key.clone()], ..keyless(bed) }
}

fn connect(bed: &Bed, user: &str, options: &SshOptions, ask: &dyn Ask) -> Result<Ssh, ChannelError> {
    let login = Login { node: "edge1", host: &bed.address, port: 22, user: Some(user), identity: None };
    Ssh::connect(&login, options, &limits(), ask)
}

fn refused(result: Result<Ssh, ChannelError>) -> ChannelError {
    match result {
        Ok(_) => panic!("logged in"),
        Err(error) => error,
    }
}

/// The node as read by a user, and the warnings.
fn read(bed: &Bed, user: &str, ask: &dyn Ask) -> (NodeEvidence, Vec<String>) {
    let mut ssh = connect(bed, user, &with_key(bed), ask).unwrap();
    let warnings = Mutex::new(Vec::new());
    let tell = |step| {
        if let Step::Warning(warning) = step {
            warnings.lock().unwrap().push(warning);
        }
    };
    let aid = Aid { ask, passwords: &Passwords::default(), tell: &tell };
    let node = collect_with(&mut ssh, "edge1", None, &limits(), &aid);
    (node, warnings.into_inner().unwrap())
}

fn privilege(node: &NodeEvidence) -> Option<Privilege> {
    assert!(node.reached && node.complete, "{:?}", node.errors);
    node.login.known().map(|login| login.privilege)
}

/// Rules of sudo for one user that go away with the value.
struct Rules<'a>(&'a Bed, String);

impl<'a> Rules<'a> {
    fn put(bed: &'a Bed, name: &str, text: &str) -> Self {
        let path = format!("/etc/sudoers.d/zz-{name}");
        bed.sh(&format!("cat > {path} <<'END'\n{text}\nEND\nchmod 440 {path}\nvisudo -cq"));
        Rules(bed, path)
    }
}

impl Drop for Rules<'_> {
    fn drop(&mut self) {
        self.0.sh(&format!("rm -f {}", self.1));
    }
}

#[test]
fn a_login_by_password() {
    let Some(bed) = Bed::up("a_login_by_password") else { return };
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("guest") }));
    let options = keyless(&bed);
    let ssh = connect(&bed, "guest", &options, &person);
    ssh.map(drop).unwrap();
    let question = |again| Question::Password { node: "edge1".into(), user: "guest".into(), again };
    assert_eq!(person.asked(), [question(false), question(true)]);
    assert!(!format!("{options:?}").contains(&password_of("guest")));
}

#[test]
fn a_password_that_stays_wrong_is_not_given_or_cannot_be_asked_for() {
    let Some(bed) = Bed::up("a_password_that_stays_wrong_is_not_given_or_cannot_be_asked_for") else { return };
    let wrong = Person::new(|_, _| secret("wrong"));
    let error = refused(connect(&bed, "guest", &keyless(&bed), &wrong));
    assert_eq!((error.reason, wrong.asked().len()), (Reason::Forbidden, 3), "{error}");
    assert!(error.message.contains("refused 3 times") && !error.message.contains("wrong\""), "{error}");

    let gives_up = Person::new(|_, _| Answer::No);
    let error = refused(connect(&bed, "guest", &keyless(&bed), &gives_up));
    assert!(error.message.contains("no password was given"), "{error}");

    let error = refused(connect(&bed, "guest", &keyless(&bed), &NobodyToAsk));
    for part in ["password", "Nobody is there to be asked", "terminal", "--identity"] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
}

#[test]
fn few_tries_are_respected() {
    let Some(bed) = Bed::up("few_tries_are_respected") else { return };
    let _few = bed.sshd_drop_in("00-few.conf", "MaxAuthTries 2");
    let person = Person::new(|_, _| secret("wrong"));
    let error = refused(connect(&bed, "guest", &keyless(&bed), &person));
    assert!(person.asked().len() <= 2, "{:?}", person.asked());
    assert!(error.message.contains("MaxAuthTries"), "{error}");
}

#[test]
fn what_the_node_asks_by_itself_is_answered() {
    let Some(bed) = Bed::up("what_the_node_asks_by_itself_is_answered") else { return };
    let _asks = bed.sshd_drop_in("00-kbd.conf", "PasswordAuthentication no\nKbdInteractiveAuthentication yes");
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("guest") }));
    connect(&bed, "guest", &keyless(&bed), &person).map(drop).unwrap();
    let asked = person.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for (question, retry) in asked.iter().zip([false, true]) {
        let Question::Prompt { text, echo, again, .. } = question else { panic!("{question:?}") };
        assert!(text.contains("Password") && !echo && *again == retry, "{question:?}");
    }
    let error = refused(connect(&bed, "guest", &keyless(&bed), &NobodyToAsk));
    assert!(error.message.contains("Nobody is there"), "{error}");
}

#[test]
fn a_key_and_then_a_password() {
    let Some(bed) = Bed::up("a_key_and_then_a_password") else { return };
    let _both = bed.sshd_drop_in("00-both.conf", "AuthenticationMethods publickey,password");
    let person = Person::new(|_, _| secret(&password_of("guest")));
    connect(&bed, "guest", &with_key(&bed), &person).map(drop).unwrap();
    assert_eq!(person.asked().len(), 1);
    let error = refused(connect(&bed, "guest", &with_key(&bed), &NobodyToAsk));
    assert!(error.message.contains("wants more from guest: password"), "{error}");
}

#[test]
fn a_password_and_then_what_the_node_asks() {
    let Some(bed) = Bed::up("a_password_and_then_what_the_node_asks") else { return };
    let _both = bed.sshd_drop_in(
        "00-two.conf",
        "KbdInteractiveAuthentication yes\nAuthenticationMethods password,keyboard-interactive",
    );
    let person = Person::new(|_, _| secret(&password_of("guest")));
    connect(&bed, "guest", &keyless(&bed), &person).map(drop).unwrap();
    assert!(
        matches!(&person.asked()[..], [Question::Password { .. }, Question::Prompt { .. }]),
        "{:?}",
        person.asked()
    );
}

#[test]
fn a_password_that_has_expired_is_named() {
    let Some(bed) = Bed::up("a_password_that_has_expired_is_named") else { return };
    bed.sh("chage -d 0 guest");
    let person = Person::new(|_, _| secret(&password_of("guest")));
    let outcome = connect(&bed, "guest", &keyless(&bed), &person).map(|mut ssh| {
        let aid = Aid { ask: &person, passwords: &Passwords::default(), tell: &|_| () };
        collect_with(&mut ssh, "edge1", None, &limits(), &aid)
    });
    bed.sh("chage -d 2026-01-01 guest");
    let told = match outcome {
        Ok(node) => node.errors.first().unwrap().message.clone(),
        Err(error) => error.message,
    };
    assert!(told.contains("expired") && told.contains("change it"), "{told}");
}

#[test]
fn sudo_asks_and_the_node_is_read_as_root() {
    let Some(bed) = Bed::up("sudo_asks_and_the_node_is_read_as_root") else { return };
    let password = password_of("asks");
    // Whatever runs on the node meanwhile is looked at: the password is in no command line and in no environment.
    // That the look is quick enough is known by what it sees of the shell behind sudo.
    bed.sh(&format!(
        "printf '%s\\n' '{password}' 'IFS= read -r l' > /run/patterns; touch /run/seen /run/looking
cat > /run/look <<'END'
while [ -e /run/looking ]; do
  cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a -o -F -f /run/patterns
done | sort -u > /run/seen
END
systemd-run -q --unit=look --collect sh /run/look"
    ));
    let person = Person::new(|_, _| secret(&password_of("asks")));
    let (node, warnings) = read(&bed, "asks", &person);
    let seen = bed.sh(
        "rm -f /run/looking; while systemctl -q is-active look; do :; done; cat /run/seen; rm /run/look /run/seen /run/patterns",
    );
    assert_eq!(seen, "IFS= read -r l\n");
    assert_eq!(privilege(&node), Some(Privilege::Sudo));
    assert_eq!(node.login.known().unwrap().user, "asks");
    assert_eq!(warnings, [""; 0]);
    assert_eq!(person.asked(), [Question::SudoPassword { node: "edge1".into(), user: "asks".into(), again: false }]);
    assert!(!serde_json::to_string(&node).unwrap().contains(&password), "it is in the evidence");
    // sudo remembers nothing of it: the next reading is asked again.
    let person = Person::new(|_, _| secret(&password_of("asks")));
    read(&bed, "asks", &person);
    assert_eq!(person.asked().len(), 1);
}

#[test]
fn a_wrong_sudo_password_is_asked_for_again_and_never_run() {
    let Some(bed) = Bed::up("a_wrong_sudo_password_is_asked_for_again_and_never_run") else { return };
    bed.sh("rm -f /tmp/ran");
    let person =
        Person::new(|_, number| secret(&if number == 1 { "touch /tmp/ran".to_owned() } else { password_of("asks") }));
    let (node, _) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::Sudo));
    assert_eq!(person.asked().len(), 2);
    assert_eq!(bed.sh("ls /tmp/ran 2>/dev/null || true"), "", "the password was run as a command");

    let person = Person::new(|_, _| secret("touch /tmp/ran"));
    let (node, warnings) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert_eq!(person.asked().len(), 3);
    assert!(warnings[0].contains("refused 3 times") && warnings[0].contains("only as far as"), "{warnings:?}");
    assert!(!warnings[0].contains("/tmp/ran"));
    assert_eq!(bed.sh("ls /tmp/ran 2>/dev/null || true"), "");
    // Each wrong guess was one line, and no line of the script was another.
    let journal =
        bed.sh("journalctl -q -t sudo --since -1min -o cat | grep -o '[0-9] incorrect password attempt' || true");
    assert!(!journal.is_empty() && journal.lines().all(|line| line.starts_with('1')), "{journal}");
}

#[test]
fn without_an_answer_the_node_is_read_as_far_as_the_login_sees() {
    let Some(bed) = Bed::up("without_an_answer_the_node_is_read_as_far_as_the_login_sees") else { return };
    let (node, warnings) = read(&bed, "asks", &NobodyToAsk);
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("nobody is there to be asked") && warnings[0].contains("terminal"), "{warnings:?}");
    let (node, warnings) = read(&bed, "asks", &Person::new(|_, _| Answer::No));
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("not given"), "{warnings:?}");
    let (node, warnings) = read(&bed, "guest", &Person::new(|_, _| secret(&password_of("guest"))));
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("allows this user nothing"), "{warnings:?}");
}

#[test]
fn a_sudo_that_wants_a_terminal_is_named_and_nobody_is_asked() {
    let Some(bed) = Bed::up("a_sudo_that_wants_a_terminal_is_named_and_nobody_is_asked") else { return };
    let _rules = Rules::put(&bed, "tty", "Defaults:asks requiretty\nDefaults:ops requiretty");
    for user in ["asks", "ops"] {
        let person = Person::new(|_, _| panic!("asked"));
        let (node, warnings) = read(&bed, user, &person);
        assert_eq!(privilege(&node), Some(Privilege::None));
        assert!(warnings[0].contains("requiretty"), "{warnings:?}");
    }
}

#[test]
fn a_rule_for_sh_alone_is_enough_with_and_without_a_password() {
    let Some(bed) = Bed::up("a_rule_for_sh_alone_is_enough_with_and_without_a_password") else { return };
    for (rule, questions) in [("NOPASSWD: /bin/sh", 0), ("/bin/sh", 1), ("/bin/sh -c *", 1)] {
        let _rules = Rules::put(&bed, "sh", &format!("guest ALL=(root) {rule}"));
        let person = Person::new(|_, _| secret(&password_of("guest")));
        let (node, warnings) = read(&bed, "guest", &person);
        assert_eq!(privilege(&node), Some(Privilege::Sudo), "{rule}: {warnings:?}");
        assert_eq!(person.asked().len(), questions, "{rule}");
    }
}

#[test]
fn a_rule_that_does_not_allow_what_is_needed_is_named() {
    let Some(bed) = Bed::up("a_rule_that_does_not_allow_what_is_needed_is_named") else { return };
    for rule in ["/bin/sh \"\"", "/usr/bin/systemctl", "NOPASSWD: /bin/sh \"\", NOPASSWD: /bin/sh -s"] {
        let _rules = Rules::put(&bed, "narrow", &format!("guest ALL=(root) {rule}"));
        let person = Person::new(|_, _| secret(&password_of("guest")));
        let (node, warnings) = read(&bed, "guest", &person);
        assert_eq!(privilege(&node), Some(Privilege::None), "{rule}");
        assert!(warnings[0].contains("do not allow this user `sh -c` as root"), "{rule}: {warnings:?}");
    }
}

#[test]
fn words_in_another_language_a_lecture_and_a_prompt_of_ones_own_make_no_difference() {
    let Some(bed) = Bed::up("words_in_another_language_a_lecture_and_a_prompt_of_ones_own_make_no_difference") else {
        return;
    };
    bed.sh("printf 'SEID GEWARNT [x.y] @y.x@\\n' > /run/lecture");
    let _rules = Rules::put(
        &bed,
        "words",
        "Defaults:asks lecture=always, lecture_file=/run/lecture, badpass_message=\"Nochmal\", passwd_tries=1, timestamp_timeout=15",
    );
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("asks") }));
    let (node, warnings) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::Sudo), "{warnings:?}");
    assert_eq!(person.asked().len(), 2, "with one try the refusal is known by sudo's end");
}

/// A reading of the same node under several names.
fn several(bed: &Bed, user: &str, options: SshOptions, ask: Arc<dyn Ask>) -> Vec<NodeEvidence> {
    let targets = ["n1", "n2", "n3"].map(|name| NodeTarget {
        name: name.to_owned(),
        way: Way::Ssh {
            host: bed.address.clone(),
            port: Some(22),
            user: Some(user.to_owned()),
            identity: None,
            jump: None,
        },
    });
    let visit = Visit {
        packages: false,
        site: Default::default(),
        targets: targets.to_vec(),
        ssh: options,
        limits: limits(),
        jobs: 3,
        seat: sitewarden::evidence::Seat { host: "laptop".into(), user: "ana".into() },
    };
    let quiet: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(|_| ());
    let evidence = visit.collect(&ask, &quiet);
    assert!(!format!("{visit:?}").contains("bed-password"));
    evidence.nodes
}

#[test]
fn one_answer_serves_several_nodes_only_with_consent() {
    let Some(bed) = Bed::up("one_answer_serves_several_nodes_only_with_consent") else { return };
    for (consent, expected) in [(Answer::Yes, 1), (Answer::No, 3)] {
        let said = consent.clone();
        let person = Arc::new(Person::new(move |question, _| match question {
            Question::Reuse { .. } => said.clone(),
            _ => secret(&password_of("asks")),
        }));
        let nodes = several(&bed, "asks", with_key(&bed), Arc::clone(&person) as Arc<dyn Ask>);
        assert!(nodes.iter().all(|node| privilege(node) == Some(Privilege::Sudo)));
        let asked = person.asked();
        let reuse: Vec<&Question> =
            asked.iter().filter(|question| matches!(question, Question::Reuse { .. })).collect();
        assert_eq!(reuse, [&Question::Reuse { purpose: Purpose::Sudo, user: "asks".into(), others: 2 }]);
        assert_eq!(asked.len() - 1, expected, "{asked:?}");
    }
    let person = Arc::new(Person::new(|question, _| match question {
        Question::Reuse { .. } => Answer::Yes,
        _ => secret(&password_of("guest")),
    }));
    let nodes = several(&bed, "guest", keyless(&bed), Arc::clone(&person) as Arc<dyn Ask>);
    assert!(nodes.iter().all(|node| node.reached));
    let logins = person.asked().into_iter().filter(|question| matches!(question, Question::Password { .. })).count();
    assert_eq!(logins, 1, "{:?}", person.asked());
}

#[test]
fn accounts_that_run_nothing_and_forced_commands_are_named() {
    let Some(bed) = Bed::up("accounts_that_run_nothing_and_forced_commands_are_named") else { return };
    let told = |user: &str| {
        let (node, _) = read(&bed, user, &NobodyToAsk);
        assert!(!node.complete);
        let error = node.errors.into_iter().next().unwrap();
        (error.reason, error.message)
    };
    for (shell, words) in [("/usr/sbin/nologin", "may not run commands"), ("/bin/false", "/bin/false")] {
        bed.sh(&format!("usermod -s {shell} guest"));
        let (reason, message) = told("guest");
        bed.sh("usermod -s /bin/bash guest");
        assert_eq!(reason, Reason::Forbidden, "{shell}: {message}");
        assert!(message.contains(words), "{shell}: {message}");
    }
    for (forced, words) in [
        ("ForceCommand echo backup done", "ForceCommand"),
        ("ForceCommand cat", "ForceCommand"),
        ("ForceCommand internal-sftp", "only certain commands"),
    ] {
        let _forced = bed.sshd_drop_in("00-forced.conf", &format!("Match User guest\n  {forced}"));
        let (reason, message) = told("guest");
        assert_eq!(reason, Reason::Forbidden, "{forced}: {message}");
        assert!(message.contains(words), "{forced}: {message}");
    }
}

#[test]
fn a_key_with_a_command_of_its_own_is_named() {
    let Some(bed) = Bed::up("a_key_with_a_command_of_its_own_is_named") else { return };
    bed.sh(
        "cp -p ~guest/.ssh/authorized_keys /run/keys; sed -i 's/^/command=\"uptime\" /' ~guest/.ssh/authorized_keys",
    );
    let (node, _) = read(&bed, "guest", &NobodyToAsk);
    bed.sh("cp -p /run/keys ~guest/.ssh/authorized_keys");
    assert_eq!(node.errors[0].reason, Reason::Forbidden);
    assert!(node.errors[0].message.contains("command= at this key"), "{:?}", node.errors);
}

/// Types at a terminal what answers its prompts, one after the other, and gives what the terminal showed.
fn at_a_terminal(mut command: portable_pty::CommandBuilder, prompt: &str, typed: &[&str]) -> String {
    use std::io::{Read as _, Write as _};
    let size = portable_pty::PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = portable_pty::native_pty_system().openpty(size).unwrap();
    command.env("TERM", "vt100");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut shown, mut answered, mut buffer) = (Vec::new(), 0, [0; 4096]);
    // The pty ends with an error (EIO) when nobody holds its other side.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        while String::from_utf8_lossy(&shown).matches(prompt).count() > answered {
            writer.write_all(typed.get(answered).expect("asked too often").as_bytes()).unwrap();
            answered += 1;
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn at_a_nodes_own_terminal_sudo_asks_too() {
    let Some(bed) = Bed::up("at_a_nodes_own_terminal_sudo_asks_too") else { return };
    let there = "/var/tmp/sitewarden-under-test";
    bed.put(env!("CARGO_BIN_EXE_sitewarden"), there);
    let mut ssh = portable_pty::CommandBuilder::new("ssh");
    ssh.args(["-tt", "-i", bed.key.to_str().unwrap(), "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR", "-o"]);
    ssh.arg(format!("UserKnownHostsFile={}", bed.known_hosts.display()));
    ssh.args([&format!("asks@{}", bed.address), &format!("{there} collect --local -o out.json; echo status $?")]);
    let right = format!("{}\r", password_of("asks"));
    let shown = at_a_terminal(ssh, "(Esc gives up): ", &["wrong\r", &right]);
    let evidence = bed.sh(&format!("cat ~asks/out.json; rm -f ~asks/out.json {there}"));
    assert!(shown.contains("status 0") && shown.contains("sudo refused that password"), "{shown}");
    assert!(!shown.contains("bed-password") && !evidence.contains("bed-password"));
    assert!(evidence.contains("\"privilege\": \"sudo\""), "{shown}");
}

#[test]
fn at_a_laptops_terminal_a_node_without_keys_asks() {
    let Some(bed) = Bed::up("at_a_laptops_terminal_a_node_without_keys_asks") else { return };
    let home = tempfile::tempdir().unwrap();
    let mut program = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
    program.args(["collect", "--node", &format!("asks@{}", bed.address), "-o", "/dev/null", "-v", "--known-hosts"]);
    program.arg(&bed.known_hosts);
    program.env("HOME", home.path());
    program.env_remove("SSH_AUTH_SOCK");
    let right = format!("{}\r", password_of("asks"));
    let shown = at_a_terminal(program, "(Esc gives up): ", &[&right, &right]);
    assert!(shown.contains("Password to log in to node") && shown.contains("Password of asks for sudo"), "{shown}");
    assert!(shown.contains(": read\r\n") && !shown.contains("bed-password"), "{shown}");
}
