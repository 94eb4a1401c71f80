//! Faults at every step of a change, on real nodes: the script killed, the link dropped, the disk full, the power gone, this
//! program killed. Whatever happens, a login works soon after, the files are as they were or as the journal says, and
//! nothing is left half-written.
//!
//! The place of a fault is exact: `/usr/local/sbin` of the node, which comes first in a script's PATH, gets a wrapper for
//! every command that the script uses; the K-th command that is called brings the fault.

#![allow(clippy::print_stdout)]

mod others;
mod sshd;

use crate::node::{Node, Way, choices, run};
use sitewarden::channel::NobodyToAsk;
use sitewarden::evidence::Evidence;
use sitewarden::probe::node::{collect, collect_packages};
use sitewarden::remedy::{self, Plan, Prepared, Refusal, Settle, Told, Unfinished, Who, prepare};
use sitewarden::store::{Entry, Outcome, Store};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Seconds of the switch where nothing takes long.
const DELAY: u32 = 6;

/// Puts the wrappers in place.
const WRAPPERS: &str = r#"
for c in apt-config awk base64 cat chmod chown cp crictl cut date grep head kubectl ln mkdir mktemp mv nft readlink rm setpriv sha256sum \
  stat sync systemctl systemd-run tr; do
  real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $c) || continue
  # What runs with a user's rights can end nothing of root's, and is not counted.
  cat >/usr/local/sbin/$c <<END
#!/bin/sh
if [ -e /run/fault/plan ] && [ "\$(/usr/bin/id -u)" = 0 ]; then
  read -r k action only </run/fault/plan
  case "$c \$*" in "\$only"*) echo $c >>/run/fault/count ;; *) k=1000000 ;; esac
  if [ "\$(/usr/bin/wc -l </run/fault/count)" -ge "\$k" ]; then
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
for small in $(/bin/cat /run/fault/small); do /bin/dd if=/dev/zero of=$small/.fill bs=4096 2>/dev/null; done
END
cat >/run/fault/pause <<'END'
echo paused >/run/fault/paused
while :; do sleep 1; done
END
"#;

/// Takes them away.
const NO_WRAPPERS: &str =
    "rm -rf /run/fault; for f in /usr/local/sbin/*; do ! grep -q /run/fault/plan $f || /bin/rm $f; done";

/// What is changed under faults.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// The plan, from what was seen of the node.
    pub(crate) plan: fn(&str, &Evidence) -> Plan,
    /// Whether the plan needs to know the node's packages.
    pub(crate) packages: bool,
    /// Seconds of the switch.
    pub(crate) delay: u32,
    /// All that is changed, as a text.
    pub(crate) picture: fn(&Node) -> String,
    /// A script that ends well where the change is made.
    pub(crate) made: &'static str,
    /// Folders whose disk can be full, beside that of the entries.
    pub(crate) small: &'static [&'static str],
}

/// Small file systems, so that they can be full.
fn make_small(node: &Node, folders: &[&str]) {
    let mut script = String::from("mkdir -p /var/lib/sitewarden; chmod 700 /var/lib/sitewarden\n");
    for (folder, size) in small(folders) {
        script.push_str(&format!(
            "cp -a {folder} /root/small; mount -t tmpfs -o size={size}k none {folder}; cp -a /root/small/. {folder}/; \
             chmod --reference=/root/small {folder}; chown --reference=/root/small {folder}; rm -r /root/small\n"
        ));
    }
    node.sh(&script);
}

fn make_large(node: &Node, folders: &[&str]) {
    for (folder, _) in small(folders) {
        node.sh(&format!("umount {folder}"));
    }
}

/// With their sizes in kilobytes.
fn small<'f>(folders: &[&'f str]) -> impl Iterator<Item = (&'f str, u32)> {
    std::iter::once(("/var/lib/sitewarden", 256)).chain(folders.iter().map(|folder| (*folder, 128)))
}

/// One node under faults.
pub(crate) struct Trial {
    node: Node,
    subject: &'static Subject,
    /// As the node was when the trial began: before each change it is so again.
    seen: Evidence,
    baseline: String,
    /// What of ours lay on the node before.
    before: Vec<String>,
    count: usize,
    outcomes: BTreeMap<String, usize>,
}

impl Trial {
    pub(crate) fn begin(node: Node, subject: &'static Subject) -> Self {
        node.sh(WRAPPERS);
        let baseline = (subject.picture)(&node);
        let seen = if subject.packages { node.evidence_with_packages() } else { node.evidence() };
        let mut trial =
            Trial { node, subject, seen, baseline, before: Vec::new(), count: 0, outcomes: BTreeMap::new() };
        trial.before = trial.lying();
        trial
    }

    fn prepared(&self, delay: u32) -> Prepared {
        let plan = (self.subject.plan)(&self.node.name, &self.seen);
        prepare(plan, Some(&self.node.way()), &NobodyToAsk, choices(delay)).unwrap()
    }

    fn arm_fault(&self, at: usize, action: &str, only: &str) {
        let small: Vec<&str> = small(self.subject.small).map(|(folder, _)| folder).collect();
        self.node.sh(&format!(
            "rm -rf /var/lib/sitewarden/2*; rm -f /run/fault/count /run/fault/at /run/fault/paused; echo {} >/run/fault/small; echo '{at} {action} {only}' >/run/fault/plan",
            small.join(" ")
        ));
    }

    /// The commands that one change takes, without a fault.
    pub(crate) fn commands(&mut self) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        // Without a fault it must not be overtaken on a slow machine either.
        let prepared = self.prepared(60.max(self.subject.delay));
        self.arm_fault(1_000_000, "kill", "");
        let ran = run(prepared, &self.node.way(), &mut store, &|_| ()).unwrap();
        assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
        let commands = self.node.sh("/bin/rm /run/fault/plan; cat /run/fault/count");
        self.node.sh(self.subject.made);
        assert_ne!((self.subject.picture)(&self.node), self.baseline, "the change shows");
        assert_eq!(self.node.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
        commands.lines().map(str::to_owned).collect()
    }

    /// A change with a fault at one command.
    pub(crate) fn fault(&mut self, at: usize, action: &str) {
        self.fault_at(at, "", action);
    }

    /// A change with a fault at the so many-th command that begins with some words.
    pub(crate) fn fault_at(&mut self, at: usize, only: &str, action: &str) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let prepared = self.prepared(self.subject.delay);
        self.arm_fault(at, action, only);
        let ran = run(prepared, &self.node.way(), &mut store, &|_| ());
        let what = format!("{action} at command {at} {only}");
        self.after(&what, ran.map(|ran| (ran.outcome, ran.note)), &mut store);
    }

    /// What must hold after any fault.
    fn after(&mut self, what: &str, ran: Result<(Outcome, String), Refusal>, store: &mut Store) {
        let node = &self.node;
        let at = node.sh("/bin/rm -f /run/fault/plan; /bin/cat /run/fault/at 2>/dev/null || true");
        // A place that this run never came to was no fault.
        self.count += usize::from(!at.is_empty() || what.starts_with("power") || what.starts_with("killed"));
        let what = format!("{what} ({}): {ran:?}", at.trim());
        println!("{} {what}", self.node.name);
        // Within the delay everything has settled.
        let settled = format!(
            "busy() {{ ls /var/lib/sitewarden/*/armed /var/lib/sitewarden/*/reverting 2>/dev/null; \
             for f in /var/lib/sitewarden/*/pid; do [ ! -e $f ] || {{ read -r p mark <$f; grep -la -- $mark /proc/$p/cmdline 2>/dev/null || :; }}; done; }}
             n=$(( ({} * 2 + 60) * 5 )); while [ -n \"$(busy)\" ]; do \
             n=$((n - 1)); [ $n -gt 0 ] || {{ busy; ls /var/lib/sitewarden/* >&2; exit 1; }}; sleep 0.2; done",
            self.subject.delay
        );
        let (ok, said) = node.try_sh(&settled);
        assert!(ok, "{what}: the switch did not end: {said}");
        assert!(node.lets_in(), "{what}: LOCKED OUT");
        for (folder, _) in small(self.subject.small) {
            node.sh(&format!("rm -f {folder}/.fill"));
        }
        let outcome = self.ended(&what, store);
        let node = &self.node;
        *self.outcomes.entry(format!("{outcome:?}")).or_default() += 1;
        if let Ok((said, _)) = &ran {
            assert!(*said == outcome || *said == Outcome::Unknown, "{what}: the journal says {outcome:?}");
        }
        let now = (self.subject.picture)(node);
        let changed = now != self.baseline;
        assert_eq!(changed, outcome == Outcome::Done, "{what}: {outcome:?}\n{now}\nand was\n{}", self.baseline);
        if changed {
            node.sh(self.subject.made);
            let entry = store.entries().unwrap().first().unwrap().id.clone();
            let undone = node.undo(&entry, store).unwrap();
            assert_eq!(undone.outcome, Outcome::Done, "{what}: {}", undone.note);
        }
        assert_eq!((self.subject.picture)(node), self.baseline, "{what}");
        self.nothing_is_left(&what, store);
        assert!(store.verify(None).unwrap().problems.is_empty(), "{what}");
    }

    /// What of ours lies on the node.
    fn lying(&self) -> Vec<String> {
        let folders = self.subject.small.join(" ");
        let lying = self.node.sh(&format!(
            "mkdir -p /var/lib/sitewarden; find /etc /home /root /run /var/lib {folders} -xdev -name '.sitewarden-*'; \
             find /etc /run -xdev -name 'sitewarden*'; systemctl is-active ssh.service | grep -vx active || true; \
             systemctl list-units --plain --no-legend 'sitewarden-*'; ls -A /var/lib/sitewarden; for f in {folders}; do ls -A $f/.sitewarden 2>/dev/null || :; done"
        ));
        lying.lines().map(str::to_owned).collect()
    }

    /// Nothing lies on the node but what other tests left there before, and entries that the journal names.
    fn nothing_is_left(&self, what: &str, store: &mut Store) {
        let node = &self.node;
        let left = self.lying();
        let entries = store.entries().unwrap();
        // A lock whose entry ended without letting go may be left: the next change takes it over, and there is one here.
        let kept = |name: &str, entry: &Entry| name.starts_with("certificates-") && format!("{entry:?}").contains(name);
        let named = |name: &String| {
            self.before.contains(name)
                || name == "lock"
                || entries.iter().any(|entry| name.starts_with(&entry.id) || kept(name, entry))
        };
        let left: Vec<&String> = left.iter().filter(|name| !named(name)).collect();
        assert!(left.is_empty(), "{what}: left behind {left:?}");
        for (folder, _) in small(self.subject.small) {
            node.sh(&format!("rm -rf {folder}/2* {folder}/.sitewarden /.sitewarden"));
        }
    }

    /// How the entry ended; what is not in the journal is found out as a person would.
    fn ended(&self, what: &str, store: &mut Store) -> Outcome {
        let way = self.node.way();
        let who = Who { operator: "ana".to_owned(), ..Who::default() };
        let entries = store.entries().unwrap();
        let entry = entries.first().unwrap_or_else(|| panic!("{what}: nothing is in the journal"));
        if !entry.is_open() {
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
    pub(crate) fn killed(&mut self, at: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::the_program_that_is_killed", "--nocapture"])
            .env("FAULT_FOLDER", folder.path())
            .env("FAULT_SUBJECT", self.subject.name)
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
    pub(crate) fn power(&mut self, at: usize) {
        self.power_at(at, "");
    }

    /// The same at the so many-th command that begins with some words.
    pub(crate) fn power_at(&mut self, at: usize, only: &str) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let prepared = self.prepared(self.subject.delay);
        self.arm_fault(at, "pause", only);
        let way = self.node.way();
        let ran = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(prepared, &way, &mut store, &|_| ()));
            let paused =
                "n=600; until [ -e /run/fault/paused ]; do n=$((n - 1)); [ $n -gt 0 ] || exit 1; sleep 0.2; done; sync";
            self.node.sh(paused);
            self.node.power("stop");
            self.node.power("start");
            self.node.sh(WRAPPERS);
            running.join().unwrap()
        });
        self.after(&format!("power gone at command {at} {only}"), ran.map(|ran| (ran.outcome, ran.note)), &mut store);
    }

    /// Ends it, and gives the node back; there must have been so many faults.
    pub(crate) fn end(self, least: usize) -> Node {
        self.node.sh(NO_WRAPPERS);
        let Trial { node, subject, count, outcomes, .. } = self;
        println!("{} {}: {count} faults, {outcomes:?}", node.name, subject.name);
        assert!(count >= least, "only {count} faults");
        node
    }
}

/// Places spread evenly from the first command to the last, so many for all nodes together: those of one of them.
fn places(commands: usize, wanted: usize, of: usize, nodes: usize) -> impl Iterator<Item = usize> {
    (0..wanted).map(move |number| 1 + number * commands / wanted).skip(of).step_by(nodes)
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
    let limits = sitewarden::channel::Limits::default();
    let mut seen = collect(channel.as_mut(), &way.name, Some(&way.address), &limits);
    let name = var("FAULT_SUBJECT");
    let subject = others::SUBJECTS.iter().chain([&sshd::SETTING]).find(|subject| subject.name == name).unwrap();
    if subject.packages {
        collect_packages(channel.as_mut(), &mut seen, &limits, true);
    }
    let plan = (subject.plan)(&way.name, &crate::node::evidence_of(seen));
    let prepared = prepare(plan, Some(&way), &NobodyToAsk, choices(subject.delay)).unwrap();
    let mut store = Store::open(Path::new(&folder)).unwrap();
    let tell = |told: Told| println!("TOLD {told:?}");
    run(prepared, &way, &mut store, &tell).unwrap();
}
