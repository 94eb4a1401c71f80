//! An entry that was left half-way on a real node, brought to its end by a person at a terminal.

use crate::node::Node;
use crate::terminal::at_a_terminal;
use sitewarden::catalog::RemedySpec;
use sitewarden::remedy::{self, Who};
use sitewarden::store::{Event, EventKind, Outcome, Store, new_entry_id};
use std::collections::BTreeMap;

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
    let shown = at_a_terminal(&words, |program| program.env("HOME", folder.path()), "no\r");
    let asked = shown.find("Type back").unwrap_or_else(|| panic!("{shown}"));
    for line in [
        "Remove /etc/ssh/sshd_config.d/00-sitewarden.conf",
        "$ /usr/sbin/sshd -t -f /etc/ssh/sshd_config && systemctl reload-or-restart ssh.service",
        "$ [ \"$(systemctl is-active ssh.service)\" = active ]",
    ] {
        assert!(shown[..asked].contains(line), "{line:?} is not shown: {shown}");
    }
    assert_ne!(node.picture("/etc/ssh"), before, "an answer that is none does nothing");
    let shown = at_a_terminal(&words, |program| program.env("HOME", folder.path()), "back\r");
    assert!(shown.contains("the old state is back"), "{shown}");
    assert_eq!(node.picture("/etc/ssh"), before);
    assert_eq!(store.entry(&ran.entry).unwrap().unwrap().outcome(), Some(Outcome::Reverted));

    // Another node at the same address, or one that was set up anew, has no say in how it ended.
    begun.entry = new_entry_id(begun.at).unwrap();
    let kind = EventKind::Step {
        number: 1,
        what: "armed the switch: 30 seconds".to_owned(),
        status: None,
        output: String::new(),
    };
    for event in [begun.clone(), Event { kind, ..begun.clone() }] {
        store.append(&event).unwrap();
    }
    let shown = at_a_terminal(&words, |program| program.env("HOME", folder.path()), "back\r");
    assert!(shown.contains("it knows nothing of entry") && shown.contains("another node"), "{shown}");
    assert!(store.entry(&begun.entry).unwrap().unwrap().is_open());
}

#[test]
fn what_was_left_half_way_is_taken_back_from_another_seat_and_what_was_lost_is_found() {
    let Some(node) = Node::up("half-way from another seat", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut elsewhere = Store::open(&folder.path().join("elsewhere")).unwrap();
    let before = node.picture("/etc/ssh");
    let spec = RemedySpec::SshdSetting { set: BTreeMap::from([("MaxAuthTries".to_owned(), "3".to_owned())]) };
    let ran = node.fix(spec, &[], 60, &mut elsewhere).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    node.sh(&format!("cd /var/lib/sitewarden/{} && mv confirmed applying", ran.entry));
    let journal = folder.path().join("journal");
    let way = node.way();
    let login = format!("ops@{}", node.address);
    let options = [
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
    let undo = |words: &[&str], keys: &str| {
        let words: Vec<&str> = ["undo"].iter().chain(words).chain(&options).copied().collect();
        at_a_terminal(&words, |program| program.env("HOME", folder.path()), keys)
    };
    let shown = undo(&[&ran.entry, "--plan"], "");
    assert!(shown.contains("Remove /etc/ssh/sshd_config.d/00-sitewarden.conf"), "{shown}");
    assert!(!shown.contains("Type back"), "{shown}");
    // What must be done first fails: nothing is put back, and it can be tried once more.
    let in_entry = |script: &str| node.sh(&format!("cd /var/lib/sitewarden/{} && {script}", ran.entry));
    let done = node.picture("/etc/ssh");
    in_entry(
        r#"touch activated; sed -i 's/^  "change": {/&\n    "before_back": ["echo etcd is away; false"],/' entry.json"#,
    );
    let shown = undo(&[&ran.entry], "back\r");
    assert!(shown.contains("what was done stays, since it is still needed: etcd is away"), "{shown}");
    assert_eq!(node.picture("/etc/ssh"), done);
    in_entry("sed -i 's/; false//' entry.json");
    let shown = undo(&[&ran.entry], "back\r");
    assert!(shown.contains("Remove /etc/ssh/sshd_config.d/00-sitewarden.conf"), "{shown}");
    assert!(shown.contains("the old state is back"), "{shown}");
    assert_eq!(node.picture("/etc/ssh"), before);

    // Here contact was lost before it ended: the journal has an end, and it says that it is not known.
    let mut begun = elsewhere.entry(&ran.entry).unwrap().unwrap().begun;
    if let EventKind::Begun { target, .. } = &mut begun.kind {
        *target = format!("node/{}", node.address);
    }
    let mut store = Store::open(&journal).unwrap();
    store.append(&begun).unwrap();
    remedy::close(&mut store, &ran.entry, Outcome::Unknown, "It does not answer now", &Who::default()).unwrap();
    let shown = undo(&["--resume"], "");
    assert!(shown.contains("put back as it was: ") && shown.contains("(found later)"), "{shown}");
    assert_eq!(store.entry(&ran.entry).unwrap().unwrap().outcome(), Some(Outcome::Reverted));
    assert!(undo(&["--resume"], "").contains("Every entry of the journal has its end"));
}
