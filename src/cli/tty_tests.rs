#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use super::*;
use crate::channel::Purpose;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read as _, Write as _};

/// Which question the child process asks.
const WHICH: &str = "SITEWARDEN_TEST_QUESTION";

/// Runs in the child process: its controlling terminal is the pty of the test below.
#[test]
#[ignore = "asks at its own terminal; the other tests start it on one"]
fn child() {
    let (node, user) = ("n1".to_owned(), "ana".to_owned());
    let question = match std::env::var(WHICH).unwrap().as_str() {
        "passphrase" => Question::Passphrase { node, file: "key\x1b[2J".into(), again: true },
        "password" => Question::Password { node, user, again: true },
        "sudo" => Question::SudoPassword { node, user, again: true },
        "prompt" => Question::Prompt { node, user, text: "Code\x1b[2J:".into(), echo: false, again: false },
        "echo" => Question::Prompt { node, user, text: "Token:".into(), echo: true, again: false },
        "reuse" => Question::Reuse { purpose: Purpose::Sudo, user, at: None, others: 7 },
        _ => Question::HostKey {
            node,
            host: "[10.0.0.4]:2222".into(),
            kind: "ssh-ed25519".into(),
            fingerprint: "SHA256:abc".into(),
            others: vec!["ssh-rsa".into()],
        },
    };
    let answer = match Person::there().unwrap().ask(&question) {
        Answer::Yes => "yes".to_owned(),
        Answer::No => "no".to_owned(),
        Answer::Nobody => "nobody".to_owned(),
        Answer::Secret(secret) => {
            format!("{} characters, {}", secret.chars().count(), secret.as_str() == "pass w\u{f6}rd")
        }
    };
    println!("answered: {answer}.");
}

/// What the terminal shows when this is typed once the question stands there.
fn shown(which: &str, prompt_end: &str, typed: &str) -> String {
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["cli::tty::tests::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(WHICH, which);
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut writer = pair.master.take_writer().unwrap();
    let mut text = Vec::new();
    let mut typed = Some(typed);
    let mut buffer = [0; 1024];
    // The pty ends with an error (EIO) when the child has closed it.
    while let Ok(count) = reader.read(&mut buffer) {
        if count == 0 {
            break;
        }
        text.extend_from_slice(&buffer[..count]);
        if String::from_utf8_lossy(&text).contains(prompt_end)
            && let Some(typed) = typed.take()
        {
            writer.write_all(typed.as_bytes()).unwrap();
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn only_yes_accepts_a_host_key() {
    for (typed, answer) in [("yes\r", "yes"), ("y\r", "no"), ("\r", "no"), ("yes please\r", "no")] {
        let screen = shown("host-key", "refuses: ", typed);
        assert!(screen.contains(&format!("answered: {answer}.")), "{typed:?}: {screen}");
        for part in ["n1", "[10.0.0.4]:2222", "ssh-ed25519", "SHA256:abc", "other keys (ssh-rsa)"] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
    }
}

#[test]
fn a_passphrase_is_read_and_never_shown() {
    let screen = shown("passphrase", "(Esc gives up): ", "pass X\x7fw\u{f6}rd\r");
    assert!(screen.contains("answered: 9 characters, true."), "{screen}");
    assert!(!screen.contains("pass w") && !screen.contains("pass X"), "{screen}");
    assert!(screen.contains("does not open the key"), "{screen}");
    assert!(screen.contains("key\\x1b[2J"), "{screen}");
}

#[test]
fn a_passphrase_can_be_given_up() {
    for typed in ["abc\x03", "\x1b"] {
        let screen = shown("passphrase", "(Esc gives up): ", typed);
        assert!(screen.contains("answered: no."), "{typed:?}: {screen}");
    }
}

#[test]
fn passwords_and_answers_are_read_and_never_shown() {
    for (which, says) in [("password", "refused"), ("sudo", "lock the account"), ("prompt", "asks ana")] {
        let screen = shown(which, "(Esc gives up): ", "pass w\u{f6}rd\r");
        assert!(screen.contains("answered: 9 characters, true.") && screen.contains(says), "{which}: {screen}");
        assert!(!screen.contains("pass w") && !screen.contains("\x1b[2J"), "{which}: {screen}");
    }
    let screen = shown("echo", "shows): ", "pass w\u{f6}rd\r");
    assert!(screen.contains("answered: 9 characters, true."), "{screen}");
}

#[test]
fn only_yes_lets_other_nodes_have_a_password() {
    for (typed, answer) in [("yes\r", "yes"), ("y\r", "no"), ("\r", "no")] {
        let screen = shown("reuse", "by itself: ", typed);
        assert!(
            screen.contains(&format!("answered: {answer}.")) && screen.contains("There are 7"),
            "{typed:?}: {screen}"
        );
    }
}
