//! Faults at every step of a change, on real nodes: the script killed, the link dropped, the disk full, the power gone, this
//! program killed. Whatever happens, a login works soon after, the files are as they were or as the journal says, and
//! nothing is left half-written.
//!
//! The place of a fault is exact: `/usr/local/sbin` of the node, which comes first in a script's PATH, gets a wrapper for
//! every command that the script uses; the K-th command that is called brings the fault.

#![allow(clippy::print_stdout)]

use crate::node::{Node, Way, choices, run};
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::remedy::{self, Prepared, Refusal, Settle, Told, Unfinished, Who, prepare};
use sitewarden::store::{Outcome, Store};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Seconds of the switch.
const DELAY: u32 = 6;

/// Puts the wrappers in place.
const WRAPPERS: &str = r#"
for c in awk base64 cat chmod chown cp cut date grep head ln mkdir mktemp mv readlink rm sha256sum stat sync systemd-run tr; do
  real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $c)
  cat >/usr/local/sbin/$c <<END
#!/bin/sh
if [ -e /run/fault/plan ]; then
  echo x >>/run/fault/count
  read -r k action </run/fault/plan
  if [ "\$(/usr/bin/wc -l </run/fault/count)" = "\$k" ]; then
    /bin/rm /run/fault/plan
    echo "$c \$*" >/run/fault/at
    . /run/fault/\$action
  fi
fi
exec $real "\$@"
END
  chmod 755 /usr/local/sbin/$c.new 2>/dev/null || /bin/chmod 755 /usr/local/sbin/$c
done
mkdir -p /run/fault
cat >/run/fault/kill <<'END'
for p in /proc/[0-9]*; do
  case "$(/usr/bin/tr '\0' ' ' <$p/cmdline 2>/dev/null)" in "sh -s -- "*) kill -9 ${p#/proc/} ;; esac
done
exit 137
END
cat >/run/fault/link <<'END'
ip link set host0 down
setsid sh -c 'sleep 3; ip link set host0 up' >/dev/null 2>&1 </dev/null &
END
cat >/run/fault/full <<'END'
/bin/dd if=/dev/zero of=/var/lib/sitewarden/.fill bs=4096 2>/dev/null
/bin/dd if=/dev/zero of=/etc/ssh/sshd_config.d/.fill bs=4096 2>/dev/null
END
cat >/run/fault/pause <<'END'
echo paused >/run/fault/paused
while :; do sleep 1; done
END
"#;

/// Takes them away.
const NO_WRAPPERS: &str =
    "rm -rf /run/fault; for f in /usr/local/sbin/*; do ! grep -q /run/fault/plan $f || /bin/rm $f; done";

/// Small file systems, so that they can be full.
const SMALL: &str = "mkdir -p /var/lib/sitewarden; chmod 700 /var/lib/sitewarden
mount -t tmpfs -o size=256k,mode=700 none /var/lib/sitewarden; mount -t tmpfs -o size=64k,mode=755 none /etc/ssh/sshd_config.d";
const NOT_SMALL: &str = "umount /var/lib/sitewarden /etc/ssh/sshd_config.d";

/// One node under faults.
struct Trial {
    node: Node,
    baseline: String,
    count: usize,
    outcomes: BTreeMap<String, usize>,
}

fn change() -> RemedySpec {
    RemedySpec::SshdSetting { set: BTreeMap::from([("MaxAuthTries".to_owned(), "3".to_owned())]) }
}

impl Trial {
    fn begin(node: Node) -> Self {
        node.sh(WRAPPERS);
        let baseline = node.picture("/etc/ssh");
        Trial { node, baseline, count: 0, outcomes: BTreeMap::new() }
    }

    fn prepared(&self) -> Prepared {
        let way = self.node.way();
        prepare(self.node.plan(change(), &[]).unwrap(), Some(&way), &NobodyToAsk, choices(DELAY)).unwrap()
    }

    fn arm_fault(&self, at: usize, action: &str) {
        self.node.sh(&format!(
            "rm -f /run/fault/count /run/fault/at /run/fault/paused; echo '{at} {action}' >/run/fault/plan"
        ));
    }

    /// How many commands one change takes, without a fault.
    fn commands(&mut self) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let prepared = self.prepared();
        self.arm_fault(1_000_000, "kill");
        let ran = run(prepared, &self.node.way(), &mut store, &|_| ()).unwrap();
        assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
        let commands = self.node.sh("/bin/rm /run/fault/plan; wc -l </run/fault/count").trim().parse().unwrap();
        assert_eq!(self.node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
        commands
    }

    /// A change with a fault at one command.
    fn fault(&mut self, at: usize, action: &str) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let prepared = self.prepared();
        self.arm_fault(at, action);
        let ran = run(prepared, &self.node.way(), &mut store, &|_| ());
        let what = format!("{action} at command {at}");
        self.after(&what, ran.map(|ran| (ran.outcome, ran.note)), &mut store);
    }

    /// What must hold after any fault.
    fn after(&mut self, what: &str, ran: Result<(Outcome, String), Refusal>, store: &mut Store) {
        self.count += 1;
        let node = &self.node;
        let at = node.sh("/bin/rm -f /run/fault/plan; /bin/cat /run/fault/at 2>/dev/null || true");
        let what = format!("{what} ({}): {ran:?}", at.trim());
        println!("{} {what}", self.node.name);
        // Within the delay everything has settled.
        let settled = format!(
            "n=$(( ({DELAY} + 20) * 5 )); while [ -n \"$(ls /var/lib/sitewarden/*/armed /var/lib/sitewarden/*/reverting 2>/dev/null)\" ]; do \
             n=$((n - 1)); [ $n -gt 0 ] || {{ ls /var/lib/sitewarden/*; exit 1; }}; sleep 0.2; done"
        );
        let (ok, said) = node.try_sh(&settled);
        assert!(ok, "{what}: the switch did not end: {said}");
        assert!(node.lets_in(), "{what}: LOCKED OUT");
        node.sh("rm -f /var/lib/sitewarden/.fill /etc/ssh/sshd_config.d/.fill");
        let outcome = self.ended(&what, store);
        let node = &self.node;
        *self.outcomes.entry(format!("{outcome:?}")).or_default() += 1;
        if let Ok((said, _)) = &ran {
            assert!(*said == outcome || *said == Outcome::Unknown, "{what}: the journal says {outcome:?}");
        }
        let changed = node.picture("/etc/ssh") != self.baseline;
        assert_eq!(changed, outcome == Outcome::Done, "{what}: {outcome:?}\n{}", node.picture("/etc/ssh"));
        if changed {
            assert!(node.sh("sshd -T").contains("maxauthtries 3\n"), "{what}");
            let entry = store.entries().unwrap().first().unwrap().id.clone();
            let undone = node.undo(&entry, store).unwrap();
            assert_eq!(undone.outcome, Outcome::Done, "{what}: {}", undone.note);
        }
        assert_eq!(node.picture("/etc/ssh"), self.baseline, "{what}");
        let left = node.sh(
            "find /etc /var/lib /run -xdev -name '.sitewarden-*'; find /etc/systemd /run/systemd -name 'sitewarden*'; \
             systemctl is-active ssh.service | grep -vx active || true",
        );
        // A lock whose entry ended without letting go may be left: the next change takes it over, and there is one here.
        assert_eq!(left, "", "{what}: left behind {left:?}");
        assert!(store.verify(None).unwrap().problems.is_empty(), "{what}");
        node.sh("rm -rf /var/lib/sitewarden/2*");
    }

    /// How the entry ended; what is not in the journal is found out as a person would.
    fn ended(&self, what: &str, store: &mut Store) -> Outcome {
        let way = self.node.way();
        let who = Who { operator: "ana".to_owned(), ..Who::default() };
        let entries = store.entries().unwrap();
        let entry = entries.first().unwrap_or_else(|| panic!("{what}: nothing is in the journal"));
        if !entry.is_unfinished() && entry.outcome() != Some(Outcome::Unknown) {
            return entry.outcome().unwrap();
        }
        let (outcome, note) = match remedy::look(&entry.id, &way, &NobodyToAsk).unwrap() {
            Unfinished::Ended(outcome) => (outcome, "found later".to_owned()),
            Unfinished::Waiting => panic!("{what}: it still waits"),
            Unfinished::UnderWay => panic!("{what}: it is still under way"),
            Unfinished::HalfWay => {
                let back = remedy::way_back(&entry.id, &way, &NobodyToAsk).unwrap();
                remedy::settle(&entry.id, Settle::TakeBack(&back), &way, &NobodyToAsk, &|_| ()).unwrap()
            }
        };
        remedy::close(store, &entry.id, outcome, &note, &who).unwrap();
        outcome
    }

    /// This program is killed when it tells its N-th step.
    fn killed(&mut self, at: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::the_program_that_is_killed", "--nocapture"])
            .env("FAULT_FOLDER", folder.path())
            .env("FAULT_NODE", &self.node.name)
            .env("FAULT_ADDRESS", &self.node.address)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let last = lines.filter(|line| line.contains("TOLD ")).nth(at);
        child.kill().unwrap();
        child.wait().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let what = format!("killed at {last:?}");
        // What waits to be confirmed is not: nobody did. The switch takes it back.
        self.after(&what, Err(Refusal::new("killed")), &mut store);
    }

    /// The power goes while the script stands at one command.
    fn power(&mut self, at: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let prepared = self.prepared();
        self.arm_fault(at, "pause");
        let way = self.node.way();
        let ran = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(prepared, &way, &mut store, &|_| ()));
            let paused =
                "n=150; until [ -e /run/fault/paused ]; do n=$((n - 1)); [ $n -gt 0 ] || exit 1; sleep 0.2; done; sync";
            self.node.sh(paused);
            self.node.power("stop");
            self.node.power("start");
            self.node.sh(WRAPPERS);
            running.join().unwrap()
        });
        self.after(&format!("power gone at command {at}"), ran.map(|ran| (ran.outcome, ran.note)), &mut store);
    }

    fn end(self) {
        self.node.sh(NO_WRAPPERS);
        let Trial { node, count, outcomes, .. } = self;
        println!("{}: {count} faults, {outcomes:?}", node.name);
        assert!(count >= 52, "only {count} faults");
    }
}

/// Places spread evenly from the first command to the last, so many for both nodes together: those of one of them.
fn places(commands: usize, wanted: usize, of: usize) -> impl Iterator<Item = usize> {
    (0..wanted).map(move |number| 1 + number * commands / wanted).skip(of).step_by(2)
}

fn faults(number: usize) {
    let Some(node) = Node::up("faults", number) else { return };
    let mut trial = Trial::begin(node);
    let commands = trial.commands();
    assert!(commands > 60, "{commands}");
    for at in places(commands, 48, number) {
        trial.fault(at, "kill");
    }
    for at in places(commands, 10, number) {
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
    trial.node.sh(SMALL);
    trial.baseline = trial.node.picture("/etc/ssh");
    for at in places(commands, 24, number) {
        trial.fault(at, "full");
    }
    trial.node.sh(NOT_SMALL);
    trial.end();
}

#[test]
fn whatever_happens_to_the_first_node_a_login_works_and_nothing_is_half_done() {
    faults(0);
}

#[test]
fn whatever_happens_to_the_second_node_a_login_works_and_nothing_is_half_done() {
    faults(1);
}

/// Not a test of its own: what [`Trial::killed`] starts and kills.
#[test]
fn the_program_that_is_killed() {
    let Some(folder) = std::env::var_os("FAULT_FOLDER") else { return };
    let var = |name: &str| std::env::var(name).unwrap();
    let way = Way {
        name: var("FAULT_NODE"),
        address: var("FAULT_ADDRESS"),
        user: "ops",
        key: var("BED_SSH_KEY").into(),
        known_hosts: var("BED_KNOWN_HOSTS").into(),
    };
    let mut channel = remedy::Reach::login(&way, &NobodyToAsk).unwrap();
    let seen = sitewarden::probe::node::collect(
        channel.as_mut(),
        &way.name,
        Some(&way.address),
        &sitewarden::channel::Limits::default(),
    );
    let plan = crate::node::plan(&way.name, change(), &[], &crate::node::evidence_of(seen)).unwrap();
    let prepared = prepare(plan, Some(&way), &NobodyToAsk, choices(DELAY)).unwrap();
    let mut store = Store::open(Path::new(&folder)).unwrap();
    let tell = |told: Told| println!("TOLD {told:?}");
    run(prepared, &way, &mut store, &tell).unwrap();
}
