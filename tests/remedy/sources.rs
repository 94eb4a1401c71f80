//! SSH bounded to the management networks on a real node, by its packet filter.

use crate::node::{Node, choices, plan, run};
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::evidence::{Evidence, Fact};
use sitewarden::remedy::prepare;
use sitewarden::store::{Outcome, Store};

const SPEC: RemedySpec = RemedySpec::SshSourceRestriction {};

/// Everything that the recipe could leave behind.
const TRACES: &str = "nft list ruleset; find /etc /run/systemd -name '*sitewarden-ssh*'; systemctl is-active sitewarden-ssh.service || :";

fn seen(node: &Node) -> Evidence {
    let mut evidence = node.evidence();
    let seat = evidence.nodes[0].login.known().unwrap().from.known().unwrap().clone();
    evidence.site.management_networks = Some(vec![format!("{seat}/24"), "fd00:1::/32".to_owned()]);
    evidence
}

#[test]
fn ssh_is_open_to_the_management_networks_alone_until_it_is_undone() {
    let Some(node) = Node::up("ssh sources", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let way = node.way();
    let before = node.sh(TRACES);
    let evidence = seen(&node);
    assert_eq!(node.verdict_in("ssh-from-management-networks", &evidence), Verdict::Fail);
    assert_eq!(node.verdict_in("ssh-restricted-to-networks", &evidence), Verdict::Fail);
    let made = plan(&node.name, SPEC, &[], &evidence).unwrap();
    assert!(made.notes[0].contains("Nobody from elsewhere"), "{:?}", made.notes);
    let prepared = prepare(made, Some(&way), &NobodyToAsk, choices(60)).unwrap();
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(node.lets_in());
    let holds = || {
        let evidence = seen(&node);
        assert_eq!(node.verdict_in("ssh-from-management-networks", &evidence), Verdict::Pass);
        assert_eq!(node.verdict_in("ssh-restricted-to-networks", &evidence), Verdict::Pass);
    };
    holds();
    // Also after a restart, and where nftables itself is loaded again.
    node.power("stop");
    node.power("start");
    holds();
    node.sh("systemctl start nftables.service && systemctl reload nftables.service");
    holds();
    node.sh("systemctl stop nftables.service; systemctl start sitewarden-ssh.service");
    let again = prepare(plan(&node.name, SPEC, &[], &evidence).unwrap(), Some(&way), &NobodyToAsk, choices(60));
    assert!(again.as_ref().unwrap_err().0.contains("already"), "{again:?}");

    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.sh(TRACES), before);
    assert_eq!(node.verdict_in("ssh-from-management-networks", &seen(&node)), Verdict::Fail);
}

#[test]
fn networks_that_shut_us_out_are_refused_and_come_back_where_they_are_not_known_to() {
    let Some(node) = Node::up("ssh sources that shut out", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let way = node.way();
    let before = node.sh(TRACES);
    let mut evidence = seen(&node);
    evidence.site.management_networks = Some(vec!["192.0.2.0/24".to_owned()]);
    let refused = plan(&node.name, SPEC, &[], &evidence).unwrap_err();
    assert!(refused.0.contains("would shut you out"), "{refused}");
    // The seat has moved since it was read.
    let Fact::Known(login) = &mut evidence.nodes[0].login else { panic!("no login") };
    login.from = Fact::Known("192.0.2.1".to_owned());
    let prepared =
        prepare(plan(&node.name, SPEC, &[], &evidence).unwrap(), Some(&way), &NobodyToAsk, choices(25)).unwrap();
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert!(matches!(ran.outcome, Outcome::Reverted | Outcome::Unknown), "{:?} {}", ran.outcome, ran.note);
    node.sh(&format!("timeout 60 sh -c 'until [ -e /var/lib/sitewarden/{}/reverted ]; do sleep 0.2; done'", ran.entry));
    assert!(node.lets_in());
    assert_eq!(node.sh(TRACES), before);
}

/// Where sshd itself has to do it: who comes from elsewhere is not let in whatever key they have.
#[test]
fn without_a_packet_filter_sshd_lets_users_in_from_the_management_networks_alone() {
    let Some(node) = Node::up("ssh sources by AllowUsers", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let way = node.way();
    node.sh("mv /usr/sbin/nft /root/nft");
    let before = node.picture("/etc/ssh");
    let evidence = seen(&node);
    // What the kernel filters cannot be asked without nft; what sshd does can.
    assert_eq!(node.verdict_in("ssh-restricted-to-networks", &evidence), Verdict::Unknown);
    let made = plan(&node.name, SPEC, &[], &evidence).unwrap();
    assert!(made.notes[0].contains("Nobody from elsewhere"), "{:?}", made.notes);
    let prepared = prepare(made, Some(&way), &NobodyToAsk, choices(60)).unwrap();
    assert_eq!(prepared.to_be_typed(), Some(node.name.as_str()), "it can lock out");
    assert!(prepared.remarks().iter().any(|line| line.contains("has no nft")), "{:?}", prepared.remarks());
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(node.lets_in());
    let users = node.sh("sshd -T | grep '^allowusers'");
    let seat = evidence.nodes[0].login.known().unwrap().from.known().unwrap().clone();
    let (first, _) = seat.rsplit_once('.').unwrap();
    assert_eq!(users, format!("allowusers *@{first}.0/24\nallowusers *@fd00:1::/32\n"));
    for control in ["ssh-restricted-to-networks", "ssh-from-management-networks"] {
        assert_eq!(node.verdict_in(control, &seen(&node)), Verdict::Pass, "{control}");
    }
    // From an address of the node's own, which is in none of the networks, by a key that counts.
    node.sh("umask 077; ssh-keygen -q -t ed25519 -N '' -f /root/own && cat /root/own.pub >>/root/.ssh/authorized_keys");
    let login = "ssh -i /root/own -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
    node.sh(&format!("! {login} root@127.0.0.1 true 2>/dev/null"));

    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.picture("/etc/ssh"), before);
    node.sh(&format!("{login} root@127.0.0.1 true 2>/dev/null"));
    assert_eq!(node.verdict_in("ssh-restricted-to-networks", &seen(&node)), Verdict::Unknown);
    node.sh("mv /root/nft /usr/sbin/nft; sed -i '$d' /root/.ssh/authorized_keys; rm /root/own /root/own.pub");
}
