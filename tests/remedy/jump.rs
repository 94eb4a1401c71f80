//! A node that is another one's jump host: whoever is behind it must not be lost.

use crate::node::Node;
use crate::terminal::at_a_terminal;
use sitewarden::store::{Outcome, Store};

#[test]
fn a_change_of_a_jump_host_that_cuts_another_node_off_is_put_back() {
    let Some(node) = Node::up("jump host", 0) else { return };
    let nodes = std::env::var("BED_NODES").unwrap();
    let second = nodes.split_whitespace().nth(1).and_then(|word| word.split_once('=')).unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    let way = node.way();
    let site = folder.path().join("site.toml");
    std::fs::write(
        &site,
        format!(
            "name = \"edge\"\nknown_hosts = \"{}\"\n\n[[node]]\nname = \"n1\"\naddress = \"{}\"\nuser = \"ops\"\nidentity = \"{key}\"\n\n\
             [[node]]\nname = \"n2\"\naddress = \"{second}\"\nuser = \"ops\"\nidentity = \"{key}\"\njump = \"ops@{}\"\n",
            way.known_hosts.display(),
            node.address,
            node.address,
            key = way.key.display()
        ),
    )
    .unwrap();
    let journal = folder.path().join("journal");
    let before = node.picture("/etc/ssh");
    let fix = |control: &str| {
        let words = ["fix", control, "--allow-changes", "--no-cluster", "--ssh-config", "none", "--journal"];
        let paths = [journal.to_str().unwrap(), "--site", site.to_str().unwrap(), "--node", "n1", "--identity"];
        let words = [&words[..], &paths[..], &[way.key.to_str().unwrap()]].concat();
        at_a_terminal(&words, |program| program.env("HOME", folder.path()), "n1\r")
    };
    let shown = fix("sshd-forwarding");
    assert!(shown.contains("Reached through n1: n2."), "{shown}");
    assert!(shown.contains("a node is reached through n1 and could not be any more: n2 ("), "{shown}");
    assert_eq!(node.picture("/etc/ssh"), before, "{shown}");
    // What does not touch the way to it stays.
    let shown = fix("sshd-x11-forwarding");
    assert!(
        shown.contains("Done. It is done: a second login worked")
            || shown.contains("sshd-x11-forwarding at node/n1: pass"),
        "{shown}"
    );
    let shown = fix("sshd-max-auth-tries");
    assert!(shown.contains("Done. It is done: a second login worked"), "{shown}");
    let mut store = Store::open(&journal).unwrap();
    let entries = store.entries().unwrap();
    let outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome().unwrap()).collect();
    assert_eq!(outcomes[0], Outcome::Reverted);
    let steps = format!("{:?}", entries.last().unwrap().steps);
    assert!(steps.contains("logged in to n2 through it"), "{steps}");
    for entry in entries.iter().rev().filter(|entry| entry.outcome() == Some(Outcome::Done)) {
        assert_eq!(node.undo(&entry.id, &mut store).unwrap().outcome, Outcome::Done);
    }
    assert_eq!(node.picture("/etc/ssh"), before);
}
