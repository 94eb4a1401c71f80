//! Logins and sudo with a password, on a real node: what is asked, what is sent to whom, and what is said where it does
//! not do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod login;
mod refusing;
mod several;
mod sudo;
mod terminal;

use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Answer, Ask, ChannelError, Limits, NobodyToAsk, Passwords, Question};
use sitewarden::evidence::{NodeEvidence, Privilege, Reason};
use sitewarden::probe::node::{Aid, Step, collect_with};
use std::path::PathBuf;
use std::sync::Mutex;
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
