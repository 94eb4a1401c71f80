//! Sample plans for the tests of what shows and confirms plans, and what a preview shows.

#![allow(clippy::unwrap_used)]

use super::super::change::State;
use super::super::recipe::UpdatesOp;
use super::*;

impl Prepared {
    /// A plan for tests of what shows and confirms plans: one file, whose contents change, and what makes it effective.
    pub(crate) fn sample(node: &str, risk: Risk, delay: u32) -> Self {
        let plan = Plan {
            controls: vec!["sshd-root-login".to_owned()],
            target: format!("node/{node}"),
            title: "Root cannot log in with a password".to_owned(),
            work: Work::Node(Vec::new()),
            notes: vec!["Who logs in as root with a password cannot any more".to_owned()],
        };
        let before = State::File { sha256: sha256(b"a\n"), mode: 0o600, uid: 0, gid: 0 };
        let path = "/etc/ssh/sshd_config";
        let change = NodeChange {
            files: vec![FileChange::contents(
                path,
                before,
                Some(b"a\n".to_vec()),
                b"PermitRootLogin no\n".to_vec(),
                None,
            )],
            activate: vec!["systemctl reload ssh.service".to_owned()],
            holds: vec!["systemctl is-active ssh.service".to_owned()],
            within: 30,
            risk,
            delay,
            ..NodeChange::default()
        };
        Prepared::of_change(plan, change)
    }

    /// A plan that installs security updates, for which the node may be emptied.
    pub(crate) fn sample_updates(node: &str) -> Self {
        let plan = Plan {
            controls: vec!["os-security-updates".to_owned()],
            target: format!("node/{node}"),
            title: "Security updates are installed".to_owned(),
            work: Work::Node(vec![NodeOp::Updates(UpdatesOp::sample(node))]),
            notes: Vec::new(),
        };
        let change = NodeChange {
            activate: vec!["apt-get install --only-upgrade libssl3".to_owned()],
            risk: Risk::Disruptive,
            one_way: true,
            ..NodeChange::default()
        };
        Prepared::of_change(plan, change)
    }

    /// A plan of steps for a person.
    pub(crate) fn sample_manual(node: &str) -> Self {
        Prepared::manual(Plan {
            controls: vec!["os-supported".to_owned()],
            target: format!("node/{node}"),
            title: "The operating system still gets security updates".to_owned(),
            work: Work::Manual(vec!["Install the next release.".to_owned()]),
            notes: Vec::new(),
        })
    }
}

#[test]
fn what_stands_around_a_change_shows_no_secret_and_keeps_its_form() {
    let was = "spec:\n    - --profiling=true\n    env:\n    - name: HTTPS_PROXY\n      value: http://ana:hidden-word@proxy:3128\n";
    let new = was.replace("=true", "=false");
    let before = State::File { sha256: sha256(was.as_bytes()), mode: 0o600, uid: 0, gid: 0 };
    let file = FileChange::contents("/m.yaml", before, Some(was.into()), new.into_bytes(), None);
    let diff = diff(&file).unwrap();
    assert!(!diff.contains("hidden-word"), "{diff}");
    assert!(
        diff.contains("-    - --profiling=true\n+    - --profiling=false\n     env:\n     - name: HTTPS_PROXY\n"),
        "{diff}"
    );
}
