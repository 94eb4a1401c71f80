//! A node that is reached through another one, and one that a jump host does not lead to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Bed, Findings, sitewarden};

fn behind(bed: &Bed, user: &str) -> Vec<String> {
    let nodes = std::env::var("BED_NODES").unwrap();
    let second = nodes.split_whitespace().nth(1).and_then(|word| word.split_once('=')).expect("a second node").1;
    let mut args: Vec<String> = ["scan", "--profile", "cis", "--format", "json"].map(str::to_owned).into();
    args.extend(bed.node_as(user));
    let target = args.iter_mut().find(|arg| arg.contains('@')).unwrap();
    *target = format!("{user}@{second}");
    args.extend(["--jump".to_owned(), format!("guest@{}", bed.address)]);
    args
}

#[test]
fn a_node_behind_a_jump_host_is_read_as_seen_from_there() {
    let Some(bed) = Bed::up("a_node_behind_a_jump_host_is_read_as_seen_from_there") else { return };
    let findings = Findings::read(&sitewarden(&behind(&bed, "ops")));
    assert_eq!(findings.json["summary"]["incomplete"], false, "{}", findings.json["targets"]);
    assert_eq!(findings.verdict("sshd-config-valid"), "pass");
    let contexts = findings.items("sshd-root-login", "fail");
    assert!(
        contexts.iter().any(|name| name.contains(&format!("root from {}", bed.address))),
        "the node sees the jump host's address, and is asked for that one: {contexts:?}"
    );
}

#[test]
fn a_jump_host_that_forbids_forwarding_is_named() {
    let Some(bed) = Bed::up("a_jump_host_that_forbids_forwarding_is_named") else { return };
    let _drop_in = bed.sshd_drop_in("00-no-forwarding.conf", "AllowTcpForwarding no");
    let findings = Findings::read(&sitewarden(&behind(&bed, "ops")));
    assert_eq!(findings.status, 3);
    let targets = findings.json["targets"].to_string();
    assert!(targets.contains("AllowTcpForwarding") && targets.contains(&bed.address), "{targets}");
}
