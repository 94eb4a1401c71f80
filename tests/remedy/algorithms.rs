//! Algorithms of sshd on a real node: what goes is refused on the wire, what stays still lets everybody in.

use crate::node::Node;
use sitewarden::assess::Verdict;
use sitewarden::catalog::{Catalog, RemedySpec};
use sitewarden::store::{Outcome, Store};
use std::process::Command;

/// Whether the OpenSSH client gets in with one MAC alone. With an AEAD cipher there would be none.
fn with_mac(node: &Node, mac: &str) -> bool {
    let way = node.way();
    let known = format!("UserKnownHostsFile={}", way.known_hosts.display());
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-i"]).arg(&way.key);
    for option in ["BatchMode=yes", "ConnectTimeout=10", "Ciphers=aes128-ctr", &known, &format!("MACs={mac}")] {
        ssh.args(["-o", option]);
    }
    ssh.arg(format!("ops@{}", node.address)).arg("true").output().unwrap().status.success()
}

#[test]
fn a_weak_algorithm_is_refused_on_the_wire_until_it_is_undone() {
    let Some(node) = Node::up("sshd's algorithms", 0) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let before = node.picture("/etc/ssh");
    let catalog = Catalog::embedded().unwrap();
    let spec = catalog.control("sshd-macs").unwrap().remedy.clone().unwrap();
    assert_eq!(node.verdict("sshd-macs"), Verdict::Fail);
    assert!(with_mac(&node, "hmac-sha1") && with_mac(&node, "hmac-sha2-256-etm@openssh.com"));
    let ran = node.fix(spec, &[], 30, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("sshd-macs"), Verdict::Pass);
    assert!(!with_mac(&node, "hmac-sha1"));
    assert!(with_mac(&node, "hmac-sha2-256-etm@openssh.com") && node.lets_in());
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    assert_eq!(node.verdict("sshd-macs"), Verdict::Fail);
    assert!(with_mac(&node, "hmac-sha1"));

    // Where nothing would be left that this program speaks, nothing is offered.
    let none = RemedySpec::SshdAlgorithms {
        keyword: "MACs".to_owned(),
        allowed: vec!["hmac-md5-96-etm@openssh.com".to_owned()],
        without: Vec::new(),
    };
    let refused = node.plan(none, &[]).unwrap_err();
    assert!(refused.0.contains("would shut itself out"), "{refused}");
}
