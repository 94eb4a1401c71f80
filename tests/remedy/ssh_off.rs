//! SSH switched off on a real node: with the code of its console, without it, and from the node itself.

use crate::node::{Inside, Node, choices, plan, run, run_asking};
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::{Answer, Ask, NobodyToAsk, Question, Secret};
use sitewarden::remedy::{Memory, Proof, Reach as _, prepare, prepare_undo};
use sitewarden::store::{Outcome, Store};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// What systemd knows of SSH there.
const UNITS: &str = "systemctl is-enabled ssh.service ssh.socket; systemctl is-active ssh.service ssh.socket; \
     find /etc/systemd/system -name '*ssh*' | sort | while read -r f; do echo \"$f $(readlink \"$f\")\"; done; :";

/// A person who looks at the node's console, types what they read there, and does something before.
struct Watcher {
    log: std::path::PathBuf,
    /// What they make of the code.
    types: fn(&str) -> String,
    /// A shell script on the node as root, before the answer.
    before: Option<(Inside, &'static str)>,
}

impl Watcher {
    fn of(node: &Node, types: fn(&str) -> String) -> Self {
        Watcher { log: node.console_log(), types, before: None }
    }

    /// The code, as soon as the console shows it.
    fn code(&self) -> String {
        for _ in 0..200 {
            let text = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned();
            let code = text.rsplit_once("The code is ").map(|(_, after)| after.chars().take(6).collect::<String>());
            if let Some(code) = code.filter(|code| code.len() == 6) {
                return code;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the console shows no code");
    }
}

impl Ask for Watcher {
    fn ask(&self, question: &Question) -> Answer {
        let Question::Code { at, .. } = question else { return Answer::Nobody };
        assert!(at.iter().any(|device| device == "/dev/console"), "{at:?}");
        let code = self.code();
        if let Some((inside, script)) = &self.before {
            let done = Command::new(&inside.exec).args([&inside.name, "sh", "-c", script]).status().unwrap();
            assert!(done.success());
        }
        Answer::Secret(Secret::new((self.types)(&code)))
    }
}

fn right(code: &str) -> String {
    format!(" {code}\n")
}

#[test]
fn ssh_goes_off_with_the_code_of_the_console_and_comes_back_from_the_node_itself() {
    let Some(node) = Node::up("ssh off", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let (way, inside) = (node.way(), node.inside());
    let before = node.sh(UNITS);
    let evidence = node.evidence();
    assert_eq!(node.verdict_in("ssh-off", &evidence), Verdict::Fail);
    let made = plan(&node.name, RemedySpec::SshOff {}, &[], &evidence).unwrap();
    let prepared = prepare(made, Some(&way), &NobodyToAsk, choices(120)).unwrap();
    let said = prepared.remarks().join(" ");
    assert!(
        said.contains("Without it typed here in time, also because this connection ended, the node switches SSH on"),
        "{said}"
    );
    let ran =
        run_asking(prepared, &way, &mut store, &Memory::new(Arc::new(Watcher::of(&node, right))), &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(!node.lets_in());
    assert_eq!(node.verdict_in("ssh-off", &node.evidence_by(&inside, &NobodyToAsk)), Verdict::Pass);
    assert_eq!(node.sh("ls /run/issue.d"), "", "the code is left");

    let target = format!("node/{}", node.name);
    let back = prepare_undo(&ran.entry, &target, &inside, &NobodyToAsk, choices(60)).unwrap();
    assert_eq!(run(back, &inside, &mut store, &|_| ()).unwrap().outcome, Outcome::Done);
    assert!(node.lets_in());
    assert_eq!(node.sh(UNITS), before);
    assert_eq!(node.verdict("ssh-off"), Verdict::Fail);
    assert!(store.verify(None).unwrap().problems.is_empty());
}

#[test]
fn without_the_code_ssh_comes_back() {
    let Some(node) = Node::up("ssh off without a code", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let way = node.way();
    let before = node.sh(UNITS);
    let evidence = node.evidence();
    let prepare = || {
        let made = plan(&node.name, RemedySpec::SshOff {}, &[], &evidence).unwrap();
        prepare(made, Some(&way), &NobodyToAsk, choices(60)).unwrap()
    };
    let ran = run(prepare(), &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert!(ran.note.contains("was not typed"), "{}", ran.note);
    assert!(node.lets_in());
    let wrong = |code: &str| if code == "000000" { "000001".to_owned() } else { "000000".to_owned() };
    let ran =
        run_asking(prepare(), &way, &mut store, &Memory::new(Arc::new(Watcher::of(&node, wrong))), &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert!(node.lets_in());
    assert_eq!(node.sh(UNITS), before);
}

#[test]
fn ssh_comes_back_by_itself_where_the_link_drops_before_the_code_is_typed() {
    let Some(node) = Node::up("ssh off, link dropped", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let way = node.way();
    let before = node.sh(UNITS);
    let made = plan(&node.name, RemedySpec::SshOff {}, &[], &node.evidence()).unwrap();
    let prepared = prepare(made, Some(&way), &NobodyToAsk, choices(20)).unwrap();
    // Everything that sshd left running for this connection.
    let cut = "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" != sshd ] || kill -9 ${p#/proc/}; done";
    let watcher = Watcher { before: Some((node.inside(), cut)), ..Watcher::of(&node, right) };
    let ran = run_asking(prepared, &way, &mut store, &Memory::new(Arc::new(watcher)), &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Unknown, "{}", ran.note);
    // The switch has its own event: the unit of its timer ends.
    node.sh(&format!("timeout 60 sh -c 'until [ -e /var/lib/sitewarden/{}/reverted ]; do sleep 0.2; done'", ran.entry));
    assert!(node.lets_in());
    assert_eq!(node.sh(UNITS), before);
}

#[test]
fn who_sits_at_the_node_proves_it_by_coming_in_again() {
    let Some(node) = Node::up("ssh off from inside", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let inside = node.inside();
    let before = node.sh(UNITS);
    let evidence = node.evidence_by(&inside, &NobodyToAsk);
    let made = || plan(&node.name, RemedySpec::SshOff {}, &[], &evidence).unwrap();
    // Somebody who came by SSH and then called the program there, with sudo, looks the same: the console must tell.
    let connected = node.way().login(&NobodyToAsk).unwrap();
    let prepared = prepare(made(), Some(&inside), &NobodyToAsk, choices(60)).unwrap();
    assert_eq!(prepared.change().unwrap().proof, Proof::Console);
    drop(connected);
    node.sh(
        "timeout 30 sh -c 'while [ $(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx sshd) -gt 1 ]; do sleep 0.1; done'",
    );
    let prepared = prepare(made(), Some(&inside), &NobodyToAsk, choices(60)).unwrap();
    assert_eq!(prepared.change().unwrap().proof, Proof::Login);
    let ran = run(prepared, &inside, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(!node.lets_in());
    let target = format!("node/{}", node.name);
    let back = prepare_undo(&ran.entry, &target, &inside, &NobodyToAsk, choices(60)).unwrap();
    assert_eq!(run(back, &inside, &mut store, &|_| ()).unwrap().outcome, Outcome::Done);
    assert!(node.lets_in());
    assert_eq!(node.sh(UNITS), before);
}
