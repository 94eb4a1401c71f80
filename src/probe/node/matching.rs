//! Which of the processes that go by a component's name is the component: a daemon of the host, the node's own static pod,
//! a program that holds the component in itself.

use super::answer::{Answer, Got};
use super::component::{Kind, Sources};
use super::process::{Proc, Verdict, rejected};
use super::text::basename;
use super::within::{self, Store};
use crate::evidence::{Fact, Process, Reason};

/// What was made of the processes that go by a component's name.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) counts: Vec<&'a Proc>,
    pub(super) rejected: Vec<Process>,
    /// Why a process may or may not count.
    open: Option<(Reason, &'static str)>,
    /// The name of the program that holds the component in itself.
    pub(super) within: Option<&'a str>,
}

/// Which processes count.
pub(super) fn sort<'a>(kind: &'a Kind, sources: &Sources<'a>) -> Found<'a> {
    let mut found = Found::default();
    let mut pods: Vec<&Proc> = Vec::new();
    for one in sources.procs.items.iter().filter(|one| one.name == kind.name) {
        match one.verdict {
            Verdict::Host => found.counts.push(one),
            Verdict::Rejected(why) => found.rejected.push(rejected(one, why)),
            Verdict::Unknown => {
                found.open =
                    Some((Reason::Forbidden, "of a process with its name this login cannot tell what started it"));
            }
            Verdict::Container if !one.root_exe => {
                found
                    .rejected
                    .push(rejected(one, "it runs in a container, and its executable does not belong to root"));
            }
            Verdict::Container if !one.cgroup.contains("kubepods") => {
                found.rejected.push(rejected(one, "it runs in a container that is no pod of this node"));
            }
            Verdict::Container => pods.push(one),
            Verdict::Login | Verdict::Aside => {}
        }
    }
    // A daemon of the host is the component; what else has its name in pods is not this node's.
    if !found.counts.is_empty() {
        found.rejected.extend(pods.iter().map(|one| rejected(one, "it runs in a pod, beside the host's own")));
    } else if kind.name == "kubelet" {
        found.rejected.extend(pods.iter().map(|one| rejected(one, "it runs in a pod, and a kubelet runs on the host")));
    } else {
        match_pods(kind, sources, pods, &mut found);
    }
    found
}

/// Matches processes in pods to the static pod that starts the component. kube-proxy comes from a DaemonSet, of which the
/// node holds no manifest.
fn match_pods<'a>(kind: &Kind, sources: &Sources<'a>, pods: Vec<&'a Proc>, found: &mut Found<'a>) {
    let manifest = sources.manifests.of(kind.name);
    let command = manifest.and_then(|manifest| manifest.command());
    let program = manifest.and_then(|manifest| manifest.program());
    let same = |one: &Proc| match (one.process.args.known(), command) {
        (Some(args), Some(command)) => {
            // The kernel may name the program by another path than the manifest.
            args.first().map(|first| basename(first)) == program && args.get(1..) == command.get(1..)
        }
        _ => false,
    };
    let any_same = pods.iter().any(|one| same(one));
    for one in pods {
        let named_so = |program: &str| {
            one.process.args.known().and_then(|args| args.first()).is_some_and(|first| basename(first) == program)
        };
        match program {
            Some(_) if any_same && same(one) => found.counts.push(one),
            Some(_) if any_same => {
                found
                    .rejected
                    .push(rejected(one, "it runs in a pod, with another command line than this node's static pod"));
            }
            Some(program) if named_so(program) => found.counts.push(one),
            Some(_) if one.process.args.is_unread() => {
                found.open = Some((Reason::NotVisible, "the command line of a process in a pod was not read"));
            }
            None if kind.name == "kube-proxy" && one.process.uid == Fact::Known(0) => found.counts.push(one),
            None if !sources.manifests.complete() => {
                found.open = Some((
                    Reason::NotVisible,
                    "it runs in a pod, and the manifests that would show which one were not all read",
                ));
            }
            _ => found.rejected.push(rejected(one, "it runs in a pod, and no static pod of this node starts it")),
        }
    }
}

/// Looks for a program that holds the component in itself.
pub(super) fn embedded<'a>(answer: &Answer<'_>, kind: &Kind, sources: &Sources<'a>, found: &mut Found<'a>) {
    for one in sources.procs.named(&["k3s", "rke2", "kubelite", "hyperkube"]) {
        let role = one.process.args.known().and_then(|args| {
            let first = args.first()?.split_whitespace().nth(1);
            first.or_else(|| args.get(1).map(String::as_str)).map(str::to_owned)
        });
        let holds = match (one.name.as_str(), role.as_deref()) {
            ("kubelite", _) => kind.name != "etcd",
            ("hyperkube", Some(role)) => role == kind.name,
            // It starts the kubelet as a process of its own and the rest as static pods.
            ("rke2", _) => false,
            ("k3s", Some("agent")) => kind.in_agent,
            ("k3s", Some("server")) if kind.name == "etcd" => match within::store(answer, one.pid) {
                Store::Etcd(..) => true,
                Store::Database => false,
                Store::Unknown => {
                    open(found, "k3s may run etcd within itself, which cannot be seen from outside");
                    false
                }
            },
            ("k3s", Some("server")) => true,
            _ => {
                open(found, "a program that may hold it in itself runs, and in which role is not known");
                false
            }
        };
        match one.verdict {
            Verdict::Host if holds => {
                found.within = Some(&one.name);
                found.counts.push(one);
            }
            Verdict::Unknown if holds => {
                open(found, "a program that holds it in itself runs, and who started it cannot be told")
            }
            _ => {}
        }
    }
}

fn open(found: &mut Found<'_>, why: &'static str) {
    found.open.get_or_insert((Reason::NotVisible, why));
}

/// Whether the component runs. None where that is not known; why is noted at its path. `manifest`: whether a static pod of it
/// is to run here, which may be starting just now.
pub(super) fn exists(
    answer: &mut Answer<'_>,
    kind: &Kind,
    sources: &Sources<'_>,
    found: &Found<'_>,
    manifest: bool,
) -> Option<bool> {
    if !found.counts.is_empty() {
        return Some(true);
    }
    if let Some((reason, why)) = found.open {
        answer.gap(kind.path, reason, why);
        return None;
    }
    if sources.procs.complete && manifest {
        answer.gap(
            kind.path,
            Reason::NotVisible,
            "its static pod is to run here, and no process of it runs at the moment",
        );
        return None;
    }
    if sources.procs.complete {
        return Some(false);
    }
    let got = answer.got("proc");
    answer.note(&got, kind.path, "the processes of the node");
    if matches!(got, Got::Here(_) | Got::Absent) && answer.complete() {
        answer.gap(kind.path, Reason::NotVisible, "not every process of the node can be seen by this login");
    }
    None
}
