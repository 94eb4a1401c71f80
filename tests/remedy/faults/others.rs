//! Faults at what is changed beside sshd's settings: modes and owners, keys of people, the packet filter, updates.

use super::{DELAY, Subject, Trial, make_large, make_small, places};
use crate::node::{Node, plan};
use sitewarden::catalog::{KeyAction, RemedySpec};

/// Mode and owner of three files and a folder; what is set first must not be lost where the second is not set any more.
const FILES: [&str; 4] = ["/etc/bed-file", "/etc/bed-both", "/etc/bed-setuid", "/etc/bed-folder"];

pub(super) const SUBJECTS: [Subject; 4] = [
    Subject {
        name: "file-mode",
        plan: |node, seen| {
            let spec = RemedySpec::FileMode { mode: "700".to_owned(), uid: Some(0), gid: Some(0) };
            plan(node, spec, &FILES, seen).unwrap()
        },
        packages: false,
        delay: DELAY,
        picture: |node| node.sh("stat -c '%n %a %u %g' /etc/bed-*"),
        made: "for f in /etc/bed-*; do case \"$(stat -c '%a %u %g' $f)\" in '600 0 0' | '700 0 0') ;; *) exit 1 ;; esac; done",
        small: &[],
    },
    Subject {
        name: "authorized-key",
        plan: |node, seen| {
            let keys = seen.nodes[0].authorized_keys.items.iter().filter(|key| key.user == "guest");
            let keys: Vec<&str> = keys.map(|key| key.name.as_str()).collect();
            plan(node, RemedySpec::AuthorizedKey { action: KeyAction::Remove }, &[keys[1]], seen).unwrap()
        },
        packages: false,
        delay: DELAY,
        picture: |node| node.picture("/home/guest/.ssh"),
        made: "[ \"$(wc -l </home/guest/.ssh/authorized_keys)\" = 1 ]",
        small: &["/home/guest/.ssh"],
    },
    Subject {
        name: "ssh-source-restriction",
        plan: |node, seen| {
            let mut seen = seen.clone();
            let seat = seen.nodes[0].login.known().unwrap().from.known().unwrap().clone();
            seen.site.management_networks = Some(vec![format!("{seat}/24")]);
            plan(node, RemedySpec::SshSourceRestriction {}, &[], &seen).unwrap()
        },
        packages: false,
        delay: DELAY,
        picture: |node| {
            node.sh("nft list ruleset; find /etc /run/systemd -name '*sitewarden-ssh*' -exec sha256sum {} \\;; \
                     systemctl is-active sitewarden-ssh.service || :")
        },
        made: "nft list table inet sitewarden_ssh >/dev/null && systemctl -q is-enabled sitewarden-ssh.service",
        small: &["/etc/systemd/system"],
    },
    Subject {
        name: "automatic-updates",
        plan: |node, seen| plan(node, RemedySpec::AutomaticUpdates {}, &[], seen).unwrap(),
        packages: true,
        delay: DELAY,
        picture: |node| {
            let timers = "apt-daily.timer apt-daily-upgrade.timer";
            format!(
                "{}{}",
                node.picture("/etc/apt"),
                node.sh(&format!("systemctl is-enabled {timers} || :; systemctl is-active {timers} || :"))
            )
        },
        made: "apt-config dump | grep -qx 'APT::Periodic::Unattended-Upgrade \"1\";' && systemctl is-active apt-daily.timer",
        small: &["/etc/apt/apt.conf.d"],
    },
];

/// Faults of each kind at places that are spread evenly; kills also at all commands of some names.
fn faults(node: Node, name: &str, exactly: &[&str]) -> Node {
    let subject = SUBJECTS.iter().find(|subject| subject.name == name).unwrap();
    let mut trial = Trial::begin(node, subject);
    let commands = trial.commands();
    let count = commands.len();
    for at in places(count, 4, 0, 1) {
        trial.fault(at, "kill");
    }
    // By their names, since those of a pipe come in any order.
    for name in exactly {
        for at in 1..=commands.iter().filter(|command| command == name).count() {
            trial.fault_at(at, name, "kill");
        }
    }
    if exactly.contains(&"nft") {
        // A line that hangs when the switch's time is over.
        trial.fault_at(1, "systemctl restart", "pause");
    }
    trial.fault(count / 2, "link");
    trial.killed(2);
    trial.power(count * 3 / 5);
    make_small(&trial.node, subject.small);
    for at in places(count, 4, 0, 1) {
        trial.fault(at, "full");
    }
    make_large(&trial.node, subject.small);
    trial.end(10)
}

#[test]
fn modes_and_owners_are_whole_whatever_happens() {
    let Some(node) = Node::up("faults at modes", 0) else { return };
    node.sh("cd /etc; touch bed-file bed-both bed-setuid; mkdir bed-folder; chmod 666 bed-file; chmod 640 bed-both; chown guest:guest bed-both bed-setuid bed-folder; chmod 6755 bed-setuid; chmod 2777 bed-folder");
    faults(node, "file-mode", &["chown", "chmod"]).sh("rm -r /etc/bed-*");
}

#[test]
fn keys_in_a_users_folder_are_whole_whatever_happens() {
    let Some(node) = Node::up("faults at keys", 0) else { return };
    let file = "/home/guest/.ssh/authorized_keys";
    node.sh("cp -p /home/guest/.ssh/authorized_keys /root/kept-keys; ssh-keygen -q -t ed25519 -N '' -C other -f /root/fault-key; cat /root/fault-key.pub >>/home/guest/.ssh/authorized_keys; rm /root/fault-key*");
    faults(node, "authorized-key", &["setpriv"]).sh(&format!("cp -p /root/kept-keys {file}; rm /root/kept-keys"));
}

#[test]
fn the_packet_filter_is_whole_whatever_happens() {
    let Some(node) = Node::up("faults at the packet filter", 1) else { return };
    faults(node, "ssh-source-restriction", &["nft"]);
}

#[test]
fn updates_by_themselves_are_whole_whatever_happens() {
    let Some(node) = Node::up("faults at automatic updates", 1) else { return };
    node.sh("systemctl unmask apt-daily.timer apt-daily-upgrade.timer; rm -f /etc/systemd/system/timers.target.wants/apt-daily*");
    faults(node, "automatic-updates", &["systemctl"]).sh("systemctl mask apt-daily.timer apt-daily-upgrade.timer");
}
