//! The SSH channel against a real sshd, and against peers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod algorithms;
#[path = "../bed_support/mod.rs"]
mod bed_support;
mod certificates;
mod host_key;
mod jump;
mod login;
mod many;
mod peers;
mod run;

use bed_support::{Sshd, user};
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Answer, Ask, ChannelError, Limits, Question};
use std::sync::Mutex;
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

/// Bytes that do not repeat soon, so that a lost or doubled block shows.
fn pattern(length: usize) -> Vec<u8> {
    (0u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}
