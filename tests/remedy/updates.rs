//! Updates on a real node: installed by itself, and installed now from an archive that lies on the node.

use crate::node::{Node, choices, plan, run};
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::remedy::{Ran, Reach, Refusal, Told, prepare};
use sitewarden::store::{EventKind, Outcome, Store};
use std::cell::{Cell, RefCell};

#[test]
fn updates_by_themselves_are_switched_on_and_off_again() {
    let Some(node) = Node::up("automatic updates", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let refused = fix(&node, RemedySpec::AutomaticUpdates {}, &mut store).unwrap_err();
    assert!(refused.0.contains("masked apt-daily.timer"), "{refused}");
    node.sh("systemctl unmask apt-daily.timer apt-daily-upgrade.timer; echo 'Unattended-Upgrade::Automatic-Reboot \"true\";' >/etc/apt/apt.conf.d/60-reboots; rm -f /etc/systemd/system/timers.target.wants/apt-daily*");
    let units = "systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer || :; systemctl is-active apt-daily.timer apt-daily-upgrade.timer || :";
    let (before, timers) = (node.picture("/etc/apt"), node.sh(units));
    assert_eq!(node.verdict("node-automatic-updates"), Verdict::Fail);
    let ran = fix(&node, RemedySpec::AutomaticUpdates {}, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("node-automatic-updates"), Verdict::Pass);
    assert_eq!(node.verdict("node-no-reboot-by-itself"), Verdict::Pass);
    assert_eq!(node.sh("stat -c %a /etc/apt/apt.conf.d/20auto-upgrades"), "644\n");
    assert_eq!(node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(node.verdict("node-automatic-updates"), Verdict::Fail);
    assert_eq!((node.picture("/etc/apt"), node.sh(units)), (before, timers));
    node.sh("rm /etc/apt/apt.conf.d/60-reboots; systemctl mask apt-daily.timer apt-daily-upgrade.timer");
}

fn fix(node: &Node, spec: RemedySpec, store: &mut Store) -> Result<Ran, Refusal> {
    let way = node.way();
    let made = plan(&node.name, spec, &[], &node.evidence_with_packages())?;
    run(prepare(made, Some(&way), &NobodyToAsk, choices(30))?, &way, store, &|_| ())
}

/// A script that makes an archive of security updates on a node: the package `bed-hole` is installed in version 1, and version
/// 2 waits. What version 2 does when it is installed is `after`.
pub(crate) fn waiting(after: &str) -> String {
    format!(
        r#"set -e
cd /root; rm -rf deb /srv/debian-security; mkdir -p deb/DEBIAN /srv/debian-security
made() {{ printf 'Package: bed-hole\nVersion: %s\nArchitecture: all\nMaintainer: bed <bed@localhost>\nDescription: a hole\n' "$1" >deb/DEBIAN/control; dpkg-deb -b deb "$2" >/dev/null; }}
made 1 /root/one.deb; dpkg -i /root/one.deb >/dev/null
printf '#!/bin/sh\n%s\n' '{after}' >deb/DEBIAN/postinst; chmod 755 deb/DEBIAN/postinst
made 2 /srv/debian-security/two.deb
cd /srv/debian-security
{{ dpkg-deb -f two.deb; printf 'Filename: ./two.deb\nSize: %s\nSHA256: %s\n\n' "$(stat -c %s two.deb)" "$(sha256sum two.deb | cut -d' ' -f1)"; }} >Packages
printf 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: bookworm-security\nDate: %s\nSHA256:\n %s %s Packages\n' "$(date -Ru)" "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
[ -e /root/sources.list ] || mv /etc/apt/sources.list /root/sources.list
echo 'deb [trusted=yes] file:/srv/debian-security ./' >/etc/apt/sources.list
apt-get -q update
"#
    )
}

/// Takes that archive and its package away.
pub(crate) const AWAY: &str = "dpkg --purge --force-all bed-hole >/dev/null 2>&1 || :; mv /root/sources.list /etc/apt/sources.list; rm -rf /root/deb /root/one.deb /srv/debian-security /var/lib/apt/lists/*srv* /run/go";

fn archive(node: &Node, after: &str) {
    node.sh(&waiting(after));
}

fn away(node: &Node) {
    node.sh(AWAY);
}

#[test]
fn updates_that_wait_are_shown_and_installed() {
    let Some(node) = Node::up("security updates", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    archive(&node, "exit 0");
    let way = node.way();
    assert_eq!(node.verdict_in("node-security-updates-applied", &node.evidence_with_packages()), Verdict::Fail);
    let made = plan(&node.name, RemedySpec::SecurityUpdates {}, &[], &node.evidence_with_packages()).unwrap();
    let prepared = prepare(made, Some(&way), &NobodyToAsk, choices(30)).unwrap();
    assert!(prepared.change().unwrap().why.contains(&"Would be installed: bed-hole 1 -> 2".to_owned()));
    assert_eq!(prepared.to_be_typed(), Some(node.name.as_str()), "it interrupts something");
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.sh("dpkg-query -W -f '${Version}' bed-hole"), "2");
    assert_eq!(node.verdict_in("node-security-updates-applied", &node.evidence_with_packages()), Verdict::Pass);
    let refused = node.undo(&ran.entry, &mut store).unwrap_err();
    assert!(refused.0.contains("cannot be taken back by this program"), "{refused}");
    away(&node);
}

#[test]
fn an_update_that_fails_is_told_as_it_is() {
    let Some(node) = Node::up("failing updates", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    archive(&node, "echo broken; exit 1");
    let ran = fix(&node, RemedySpec::SecurityUpdates {}, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Failed, "{}", ran.note);
    assert!(ran.note.contains("broken") && ran.note.contains("stays"), "{}", ran.note);
    away(&node);
}

#[test]
fn a_link_that_drops_breaks_no_update() {
    let Some(node) = Node::up("updates, link dropped", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    archive(&node, "touch /run/begun; while [ ! -e /run/go ]; do sleep 0.1; done");
    let way = node.way();
    let prepared = prepare(
        plan(&node.name, RemedySpec::SecurityUpdates {}, &[], &node.evidence_with_packages()).unwrap(),
        Some(&way),
        &NobodyToAsk,
        choices(30),
    )
    .unwrap();
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(prepared, &way, &mut store, &|_| ()).unwrap());
        node.sh("timeout 60 sh -c 'until [ -e /run/begun ]; do sleep 0.1; done'");
        // Every connection, not the daemon.
        node.sh("for p in $(pgrep -x sshd); do [ $p = $(systemctl show -p MainPID --value ssh.service) ] || kill -9 $p; done; touch /run/go");
        running.join().unwrap()
    });
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.sh("dpkg-query -W -f '${db:Status-Status} ${Version}' bed-hole; dpkg --audit"), "installed 2");
    node.sh("rm /run/begun");
    away(&node);
}

/// What version 2 does when it is installed: says something, and waits until somebody has seen it; a minute at most.
const SLOW: &str = "echo is being installed; touch /run/begun; for i in $(seq 600); do [ ! -e /run/go ] || exit 0; sleep 0.1; done; exit 1";

#[test]
fn what_apt_says_is_seen_at_the_terminal_while_it_runs() {
    let Some(node) = Node::up("output while it runs", 1) else { return };
    archive(&node, SLOW);
    let folder = tempfile::tempdir().unwrap();
    let released = Cell::new(false);
    let login = format!("ops@{}", node.address);
    let way = node.way();
    let words = ["fix", "node-security-updates-applied", "--node", &login, "--no-cluster", "--allow-changes"];
    let shown = crate::terminal::watched(
        &words,
        |program| {
            program.arg("--identity");
            program.arg(&way.key);
            program.arg("--known-hosts");
            program.arg(&way.known_hosts);
            program.args(["--ssh-config", "none", "--journal"]);
            program.arg(folder.path());
            program.env("HOME", folder.path());
        },
        &format!("{}\r", node.address),
        |shown| {
            if !released.get() && shown.contains("  is being installed") {
                assert!(!shown.contains("exit status"), "it has ended already: {shown}");
                node.sh("test -e /run/begun; touch /run/go");
                released.set(true);
            }
        },
    );
    assert!(released.get(), "the line was not seen while the command ran: {shown}");
    assert!(shown.contains("running: ( systemd-run") && shown.contains("ran: exit status 0"), "{shown}");
    assert!(shown.contains("fail before, pass now"), "{shown}");
    node.sh("rm -f /run/begun");
    away(&node);
}

#[test]
fn what_apt_says_is_told_while_it_runs_by_every_way_and_the_journal_has_its_end() {
    let Some(node) = Node::up("output while it runs, both ways", 1) else { return };
    let (by_ssh, inside) = (node.way(), node.inside());
    let ways: [&dyn Reach; 2] = [&by_ssh, &inside];
    for way in ways {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        archive(&node, SLOW);
        let made = plan(&node.name, RemedySpec::SecurityUpdates {}, &[], &node.evidence_with_packages()).unwrap();
        let prepared = prepare(made, Some(way), &NobodyToAsk, choices(30)).unwrap();
        let told = RefCell::new(Vec::new());
        let tell = |word: Told| {
            if word == Told::Says("is being installed".to_owned()) {
                assert!(told.borrow().iter().all(|told| !matches!(told, Told::Done(_))), "{told:?}");
                node.sh("touch /run/go");
            }
            told.borrow_mut().push(word);
        };
        let ran = run(prepared, way, &mut store, &tell).unwrap();
        assert_eq!(ran.outcome, Outcome::Done, "{}: {told:?}", ran.note);
        let said = told
            .borrow()
            .iter()
            .filter(|word| matches!(word, Told::Says(said) if said.contains("is being installed")))
            .count();
        assert_eq!(said, 1, "it is told once: {told:?}");
        let entry = store.entry(&ran.entry).unwrap().unwrap();
        let kept = entry.steps.iter().any(|event| match &event.kind {
            EventKind::Step { output, .. } => output.contains("is being installed"),
            _ => false,
        });
        assert!(kept, "{entry:?}");
        node.sh("rm -f /run/begun");
        away(&node);
    }
}
