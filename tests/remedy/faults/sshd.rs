//! A setting of sshd: faults at every command, of every kind.

use super::{DELAY, Subject, Trial, make_large, make_small, places};
use crate::node::{Node, plan};
use sitewarden::catalog::RemedySpec;
use std::collections::BTreeMap;

pub(super) const SETTING: Subject = Subject {
    name: "sshd-setting",
    plan: |node, seen| {
        let set = BTreeMap::from([("MaxAuthTries".to_owned(), "3".to_owned())]);
        plan(node, RemedySpec::SshdSetting { set }, &[], seen).unwrap()
    },
    packages: false,
    delay: DELAY,
    picture: |node| node.picture("/etc/ssh"),
    made: "sshd -T | grep -qx 'maxauthtries 3'",
    small: &["/etc/ssh/sshd_config.d"],
};

fn faults(number: usize) {
    let Some(node) = Node::up("faults", number) else { return };
    let mut trial = Trial::begin(node, &SETTING);
    let commands = trial.commands().len();
    assert!(commands > 60, "{commands}");
    for at in places(commands, 48, number, 2) {
        trial.fault(at, "kill");
    }
    for at in places(commands, 10, number, 2) {
        trial.fault(at, "link");
    }
    for at in 0..6 {
        trial.killed(at);
    }
    for at in [commands * 2 / 5, commands - 4] {
        trial.power(at);
    }
    // Without systemd-run the switch is a process of its own.
    trial.node.sh("/bin/rm /usr/local/sbin/systemd-run; mv /usr/bin/systemd-run /usr/bin/systemd-run.away");
    for at in 1..5 {
        trial.killed(at);
    }
    trial.node.sh("mv /usr/bin/systemd-run.away /usr/bin/systemd-run");
    make_small(&trial.node, SETTING.small);
    for at in places(commands, 24, number, 2) {
        trial.fault(at, "full");
    }
    make_large(&trial.node, SETTING.small);
    let _node = trial.end(52);
}

#[test]
fn whatever_happens_to_the_first_node_a_login_works_and_nothing_is_half_done() {
    faults(0);
}

#[test]
fn whatever_happens_to_the_second_node_a_login_works_and_nothing_is_half_done() {
    faults(1);
}
