//! Processes: which of those that go by a component's name count, and why the others do not.

use super::answer::{Answer, Got};
use super::host::Clock;
use super::{redact, text};
use crate::evidence::{Fact, Process};

/// Arguments of one process that are kept.
const MAX_ARGS: usize = 2048;

/// What the collector found of a process, before it is matched to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A daemon of the host: it counts.
    Host,
    /// The sshd that serves this login: it counts.
    Login,
    /// In a container: it counts where it is matched to what starts it.
    Container,
    /// Neither counts nor is rejected: a connection's own sshd, a helper of a process that counts.
    Aside,
    /// It does not count, for this reason.
    Rejected(&'static str),
    /// Nobody can tell.
    Unknown,
}

/// One line of the process table.
#[derive(Debug, Clone)]
pub(super) struct Proc {
    pub(super) pid: i64,
    /// The name it goes by: `kubelet`.
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) cgroup: String,
    /// Whether its executable is known to belong to root.
    pub(super) root_exe: bool,
    /// As evidence; the arguments are redacted.
    pub(super) process: Process,
    /// Why its arguments are missing: the record's own state, in our words.
    pub(super) args_gap: Option<super::frames::State>,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Procs {
    pub(super) items: Vec<Proc>,
    /// Whether every process of these names is in it.
    pub(super) complete: bool,
}

impl Procs {
    /// Reads the table. Gaps are left to those who ask for a component: they know the path.
    pub(super) fn read(answer: &mut Answer<'_>, clock: &Clock) -> Procs {
        let got = answer.got("proc");
        let Some(record) = got.record() else { return Procs::default() };
        let (mut items, mut broken) = (Vec::new(), false);
        for row in record.table() {
            match row_of(answer, clock, &row) {
                Some(found) => items.push(found),
                None => broken = true,
            }
        }
        let complete = !broken && matches!(got, Got::Here(_)) && clock.hidepid == Some(false);
        Procs { items, complete }
    }

    /// The processes that go by one of these names, without those that stand aside.
    pub(super) fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Proc> {
        self.items.iter().filter(move |found| names.contains(&found.name.as_str()) && found.verdict != Verdict::Aside)
    }

    /// The process with this id.
    pub(super) fn pid(&self, pid: i64) -> Option<&Proc> {
        self.items.iter().find(|found| found.pid == pid)
    }
}

fn row_of(answer: &Answer<'_>, clock: &Clock, row: &[String]) -> Option<Proc> {
    let [pid, _ppid, uid, _comm, start, pidns, mntns, exeuid, _exemode, verdict, name, cgroup, exe] = row else {
        return None;
    };
    let pid: i64 = pid.parse().ok().filter(|pid| *pid > 0)?;
    let verdict = match verdict.as_str() {
        "host" | "host-by-unit" => Verdict::Host,
        "login" => Verdict::Login,
        "container" => Verdict::Container,
        "session" | "helper" => Verdict::Aside,
        "rejected-exe-owner" => Verdict::Rejected("its executable does not belong to root"),
        "rejected-exe-writable" => Verdict::Rejected("others than root may write its executable"),
        "rejected-uid" => Verdict::Rejected("it does not run as root"),
        "rejected-namespace" => Verdict::Rejected("it runs in other namespaces than the host and in no pod"),
        "rejected-unit" => Verdict::Rejected("no service unit of the system started it"),
        "rejected-exe-name" => Verdict::Rejected("its executable is another program"),
        _ => Verdict::Unknown,
    };
    let (args, args_gap) = args(answer, pid);
    let container = match (pidns.as_str(), mntns.as_str()) {
        _ if verdict == Verdict::Container => Fact::Known(true),
        ("other", _) | (_, "other") => Fact::Known(true),
        ("same", "same") => Fact::Known(false),
        _ => Fact::Unread,
    };
    let exe = match exe.as_str() {
        "?" | "" => Fact::Unread,
        "-" => Fact::Absent,
        path => Fact::Known(text::line(path)),
    };
    let cgroup = text::line(cgroup);
    let unit = match cgroup.as_str() {
        "?" | "" => Fact::Unread,
        "-" | "/" => Fact::Absent,
        path => Fact::Known(text::basename(path).to_owned()),
    };
    let process = Process {
        pid,
        uid: super::answer::number(uid),
        exe,
        args,
        unit,
        started: clock.started(start),
        container,
        rejected: match verdict {
            Verdict::Rejected(why) => why.to_owned(),
            _ => String::new(),
        },
    };
    Some(Proc { pid, name: text::line(name), verdict, cgroup, root_exe: exeuid == "0", process, args_gap })
}

fn args(answer: &Answer<'_>, pid: i64) -> (Fact<Vec<String>>, Option<super::frames::State>) {
    use super::frames::State;
    let record = match answer.got(&format!("proc.{pid}.args")) {
        Got::Here(record) => record,
        Got::Cut(_) => return (Fact::Unread, Some(State::TooLarge)),
        Got::Absent => return (Fact::Unread, Some(State::NotVisible)),
        Got::Missing(state) => return (Fact::Unread, Some(state)),
        Got::Nothing => return (Fact::Unread, None),
    };
    let raw = record.text();
    let words: Vec<String> = raw.strip_suffix('\0').unwrap_or(&raw).split('\0').map(text::whole).collect();
    if words.len() > MAX_ARGS {
        return (Fact::Unread, Some(State::TooLarge));
    }
    if words.iter().all(String::is_empty) {
        // A kernel thread, or a process on its way out.
        return (Fact::Unread, Some(State::NotVisible));
    }
    (Fact::Known(redact::args(&words)), None)
}

/// The process as one that does not count.
pub(super) fn rejected(found: &Proc, why: &str) -> Process {
    Process { rejected: why.to_owned(), ..found.process.clone() }
}
