//! An entry that was left half-way on a real node, brought to its end by a person at a terminal.

use crate::node::Node;
use sitewarden::catalog::RemedySpec;
use sitewarden::store::{EventKind, Outcome, Store};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

/// What the program shows at a terminal; `typed` answers its first question.
fn at_a_terminal(words: &[&str], home: &std::path::Path, typed: &str) -> String {
    let size = portable_pty::PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = portable_pty::native_pty_system().openpty(size).unwrap();
    let mut program = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
    program.args(words);
    program.env("HOME", home);
    let mut child = pair.slave.spawn_command(program).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut shown, mut answered, mut buffer) = (Vec::new(), false, [0; 4096]);
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        if !answered && String::from_utf8_lossy(&shown).contains("anything else does nothing: ") {
            writer.write_all(typed.as_bytes()).unwrap();
            answered = true;
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn what_would_run_is_shown_before_the_answer_counts() {
    let Some(node) = Node::up("resume", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut elsewhere = Store::open(&folder.path().join("elsewhere")).unwrap();
    let before = node.picture("/etc/ssh");
    let spec = RemedySpec::SshdSetting { set: BTreeMap::from([("MaxAuthTries".to_owned(), "3".to_owned())]) };
    let ran = node.fix(spec, &[], 30, &mut elsewhere).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    // As it is where the program and the node ended in the middle: no end in the journal, and nothing that waits.
    node.sh(&format!("cd /var/lib/sitewarden/{} && mv confirmed applying", ran.entry));
    let mut begun = elsewhere.entry(&ran.entry).unwrap().unwrap().begun;
    if let EventKind::Begun { target, .. } = &mut begun.kind {
        *target = format!("node/{}", node.address);
    }
    let journal = folder.path().join("journal");
    let mut store = Store::open(&journal).unwrap();
    store.append(&begun).unwrap();

    let way = node.way();
    let login = format!("ops@{}", node.address);
    let words = [
        "undo",
        "--resume",
        "--allow-changes",
        "--journal",
        journal.to_str().unwrap(),
        "--node",
        &login,
        "--identity",
        way.key.to_str().unwrap(),
        "--known-hosts",
        way.known_hosts.to_str().unwrap(),
        "--ssh-config",
        "none",
    ];
    let shown = at_a_terminal(&words, folder.path(), "no\r");
    let asked = shown.find("Type back").unwrap_or_else(|| panic!("{shown}"));
    for line in [
        "Remove /etc/ssh/sshd_config.d/00-sitewarden.conf",
        "$ /usr/sbin/sshd -t -f /etc/ssh/sshd_config && systemctl reload-or-restart ssh.service",
        "$ [ \"$(systemctl is-active ssh.service)\" = active ]",
    ] {
        assert!(shown[..asked].contains(line), "{line:?} is not shown: {shown}");
    }
    assert_ne!(node.picture("/etc/ssh"), before, "an answer that is none does nothing");
    let shown = at_a_terminal(&words, folder.path(), "back\r");
    assert!(shown.contains("the old state is back"), "{shown}");
    assert_eq!(node.picture("/etc/ssh"), before);
    assert_eq!(store.entry(&ran.entry).unwrap().unwrap().outcome(), Some(Outcome::Reverted));
}
