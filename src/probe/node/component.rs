//! Kubernetes components: which process counts, its version, its configuration, the manifest that starts it.

use super::answer::{Answer, Got};
use super::document::Table;
use super::environment;
use super::frames::State;
use super::manifest::Manifests;
use super::matching::{Found, embedded, exists, sort};
use super::process::{Proc, Procs};
use super::text::line;
use super::within;
use crate::evidence::{Component, ConfigFile, Fact, Listing, Process, Reason, image_version};

/// What is told about a component apart from its name.
pub(super) struct Kind {
    /// `kube-apiserver`.
    pub(super) name: &'static str,
    /// Where it stands in the evidence: `kube_apiserver`.
    pub(super) path: &'static str,
    /// Flags that name its configuration file; none where it has no such file.
    config_flags: &'static [&'static str],
    /// Whether every k3s holds it, and not the server alone.
    pub(super) in_agent: bool,
}

/// The components, in the order of the evidence.
pub(super) const KINDS: [Kind; 6] = [
    Kind { name: "kubelet", path: "kubelet", config_flags: &["config"], in_agent: true },
    Kind { name: "kube-proxy", path: "kube_proxy", config_flags: &["config"], in_agent: true },
    Kind { name: "kube-apiserver", path: "kube_apiserver", config_flags: &[], in_agent: false },
    Kind { name: "kube-controller-manager", path: "kube_controller_manager", config_flags: &[], in_agent: false },
    Kind { name: "kube-scheduler", path: "kube_scheduler", config_flags: &["config"], in_agent: false },
    Kind { name: "etcd", path: "etcd", config_flags: &["config-file"], in_agent: false },
];

/// Drop-ins that the collector sends at most; with as many there may be more.
const MAX_DROP_INS: usize = 64;

/// What all components are read from.
pub(super) struct Sources<'a> {
    pub(super) procs: &'a Procs,
    pub(super) table: &'a Table,
    pub(super) manifests: &'a Manifests,
}

/// Reads one component.
pub(super) fn read(answer: &mut Answer<'_>, kind: &Kind, sources: &Sources<'_>) -> Component {
    let path = kind.path;
    let mut found = sort(kind, sources);
    if found.counts.is_empty() {
        embedded(answer, kind, sources, &mut found);
    }
    let static_pod = sources.manifests.fact(answer, kind.name, &format!("{path}.static_pod"));
    let rejected = std::mem::take(&mut found.rejected);
    let Some(exists) = exists(answer, kind, sources, &found, static_pod.known().is_some()) else {
        return Component { rejected, static_pod, ..Component::default() };
    };
    if !exists {
        return Component {
            exists: Fact::Known(false),
            process: Fact::Absent,
            rejected,
            static_pod,
            ..Component::default()
        };
    }
    if let Some(within) = found.within {
        let told = if within == "k3s" { within::read(answer, kind, &found.counts) } else { None };
        return match &told {
            Some(process) => {
                running(answer, kind, versioned(kind, within), sources, Some(process), rejected, static_pod)
            }
            None => inside(answer, kind, sources, &found, within, rejected, static_pod),
        };
    }
    let process = choose(answer, kind, &found);
    running(answer, kind, kind.name, sources, process, rejected, static_pod)
}

/// The program whose version is that of a component within it: etcd has one of its own.
fn versioned<'k>(kind: &'k Kind, within: &'k str) -> &'k str {
    if kind.name == "etcd" { kind.name } else { within }
}

/// A component whose command line is told by `process`. `program`: the executable that tells its version.
fn running(
    answer: &mut Answer<'_>,
    kind: &Kind,
    program: &str,
    sources: &Sources<'_>,
    process: Option<&Proc>,
    rejected: Vec<Process>,
    static_pod: Fact<crate::evidence::StaticPod>,
) -> Component {
    let args = process.and_then(|found| found.process.args.known());
    Component {
        exists: Fact::Known(true),
        process: process.map_or(Fact::Unread, |found| Fact::Known(found.process.clone())),
        rejected,
        version: version(answer, kind, program, sources, process),
        config_file: config_file(answer, kind, sources, process, args),
        drop_ins: drop_ins(answer, kind, sources, process, args),
        environment: environment::read(answer, kind, sources.table),
        static_pod,
    }
}

/// A component within another program: its own command line and configuration cannot be seen from outside.
fn inside(
    answer: &mut Answer<'_>,
    kind: &Kind,
    sources: &Sources<'_>,
    found: &Found<'_>,
    within: &str,
    rejected: Vec<Process>,
    static_pod: Fact<crate::evidence::StaticPod>,
) -> Component {
    let detail = match within {
        "k3s" => "embedded in k3s: its own command line and configuration cannot be seen from outside",
        "kubelite" => "embedded in kubelite: its own command line and configuration cannot be seen from outside",
        _ => "embedded in another program: its own command line and configuration cannot be seen from outside",
    };
    let path = kind.path;
    for field in ["process.args", "config_file", "drop_ins", "environment"] {
        // What its own log did not tell was said in its place.
        if within != "k3s" || field != "process.args" {
            answer.gap(&format!("{path}.{field}"), Reason::NotVisible, detail);
        }
    }
    let process = found.counts.first().map(|one| Process { args: Fact::Unread, ..one.process.clone() });
    Component {
        exists: Fact::Known(true),
        process: process.map_or(Fact::Unread, Fact::Known),
        rejected,
        version: version(answer, kind, versioned(kind, within), sources, None),
        static_pod,
        ..Component::default()
    }
}

/// The one process whose settings are looked at. Several that count and differ: none, since which one it is would be guessed.
fn choose<'a>(answer: &mut Answer<'_>, kind: &Kind, found: &Found<'a>) -> Option<&'a Proc> {
    let (first, others) = found.counts.split_first()?;
    let first = *first;
    let path = kind.path;
    if others.iter().any(|other| other.process.args != first.process.args || first.process.args.is_unread()) {
        answer.gap(
            &format!("{path}.process"),
            Reason::NotVisible,
            "several processes of it run with different command lines",
        );
        return None;
    }
    if first.process.args.is_unread() {
        let state = first.args_gap.unwrap_or(State::NotVisible);
        answer.missing(state, &format!("{path}.process.args"), "its command line");
    }
    if first.process.exe.is_unread() {
        answer.missing(State::Forbidden, &format!("{path}.process.exe"), "its executable");
    }
    Some(first)
}

fn version(
    answer: &mut Answer<'_>,
    kind: &Kind,
    program: &str,
    sources: &Sources<'_>,
    process: Option<&Proc>,
) -> Fact<String> {
    let path = format!("{}.version", kind.path);
    let got = answer.got(&format!("version.{program}"));
    if let Got::Here(record) = got
        && record.rc == 0
        && let Some(version) = record.lines().iter().find_map(|line| told_version(line))
    {
        return Fact::Known(version);
    }
    let in_pod = process.is_some_and(|found| found.process.container == Fact::Known(true));
    let image = sources.manifests.of(kind.name).and_then(|manifest| manifest.pod().image.known());
    if in_pod && let Some(version) = image.and_then(|image| image_version(image)) {
        return Fact::Known(version);
    }
    match got {
        Got::Here(_) => answer.missing(State::Malformed, &path, "its version"),
        Got::Absent => answer.missing(State::NotVisible, &path, "its version"),
        got => answer.note(&got, &path, "its version"),
    }
    Fact::Unread
}

/// `1.31.2` of `Kubernetes v1.31.2`, `3.5.15` of `etcd Version: 3.5.15`.
fn told_version(text: &str) -> Option<String> {
    let word = text.split_whitespace().find(|word| {
        let bare = word.strip_prefix('v').unwrap_or(word);
        bare.starts_with(|c: char| c.is_ascii_digit()) && bare.matches('.').count() >= 2
    })?;
    let bare = word.strip_prefix('v').unwrap_or(word);
    (bare.len() < 64 && bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_')))
        .then(|| line(bare))
}

/// The last value that a flag is given; Some(None) where a flag stands without one.
fn flag<'a>(args: &'a [String], name: &str) -> Option<Option<&'a str>> {
    let mut found = None;
    let mut rest = args.iter().skip(1);
    while let Some(arg) = rest.next() {
        let Some(bare) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else { continue };
        match bare.split_once('=') {
            Some((given, value)) if given == name => found = Some(Some(value)),
            None if bare == name => found = Some(rest.next().map(String::as_str)),
            _ => {}
        }
    }
    found
}

fn config_file(
    answer: &mut Answer<'_>,
    kind: &Kind,
    sources: &Sources<'_>,
    process: Option<&Proc>,
    args: Option<&Vec<String>>,
) -> Fact<ConfigFile> {
    let path = format!("{}.config_file", kind.path);
    if kind.config_flags.is_empty() {
        return Fact::Absent;
    }
    let named = args.map(|args| {
        kind.config_flags.iter().find_map(|name| flag(args, name)).flatten().filter(|value| !value.is_empty())
    });
    if named == Some(None) {
        return Fact::Absent;
    }
    let pid = process.map(|found| found.process.pid);
    let row = sources.table.of(kind.name, "config").find(|file| file.pid.is_none() || pid.is_none() || file.pid == pid);
    match row {
        Some(row) if process.is_some() => {
            let file = row.config(answer);
            if let Some(reason) = file.unread {
                let detail = match reason {
                    Reason::Malformed => "the configuration file could not be understood",
                    _ => super::answer::why(row.state),
                };
                answer.gap(&format!("{path}.document"), reason, detail);
            }
            Fact::Known(file)
        }
        _ => {
            note_table(answer, &path, "the configuration file that its command line names");
            Fact::Unread
        }
    }
}

/// A file that ought to be in the table and is not.
fn note_table(answer: &mut Answer<'_>, path: &str, what: &str) {
    match answer.got("files") {
        Got::Here(_) => answer.note(&Got::Nothing, path, what),
        got => answer.note(&got, path, what),
    }
}

fn drop_ins(
    answer: &mut Answer<'_>,
    kind: &Kind,
    sources: &Sources<'_>,
    process: Option<&Proc>,
    args: Option<&Vec<String>>,
) -> Listing<ConfigFile> {
    let path = format!("{}.drop_ins", kind.path);
    let named = match args {
        Some(args) => flag(args, "config-dir").flatten().filter(|value| !value.is_empty()),
        None => {
            if answer.complete() {
                answer.gap(
                    &path,
                    Reason::NotVisible,
                    "its command line was not read, and with it the directory that it names",
                );
            }
            return Listing::default();
        }
    };
    let Some(folder) = named.filter(|_| kind.name == "kubelet") else { return Listing::whole(Vec::new()) };
    let pid = process.map(|found| found.process.pid);
    let mut complete = sources.table.complete;
    if !complete {
        note_table(answer, &path, "the configuration drop-ins");
    }
    let mut listed = answer.root() || absent(answer, folder);
    let mut items = Vec::new();
    for row in sources.table.of(kind.name, "drop-in").filter(|row| row.pid.is_none() || row.pid == pid) {
        if row.path.trim_end_matches('/') == folder.trim_end_matches('/') {
            // The directory itself: whether all of it was listed.
            listed = matches!(row.state, State::Here | State::Absent);
            if !listed {
                complete = false;
                answer.missing(row.state, &path, "the drop-in directory");
            }
            continue;
        }
        let file = row.config(answer);
        if let Some(reason) = file.unread {
            answer.gap(
                &format!("{path}.{}.document", items.len()),
                reason,
                "a configuration drop-in was not read or understood",
            );
        }
        items.push(file);
    }
    if !listed && complete {
        complete = false;
        answer.missing(State::Forbidden, &path, "whether all of the drop-in directory could be listed");
    }
    if items.len() >= MAX_DROP_INS {
        complete = false;
        answer.missing(State::TooLarge, &path, "the configuration drop-ins");
    }
    Listing { items, complete }
}

/// Whether the table of paths says that a path does not exist.
fn absent(answer: &Answer<'_>, wanted: &str) -> bool {
    let Got::Here(record) = answer.got("paths") else { return false };
    let wanted = wanted.trim_end_matches('/');
    record.table().iter().any(|row| match row.as_slice() {
        [state, _, _, path] => state == "absent" && path.trim_end_matches('/') == wanted,
        _ => false,
    })
}

#[cfg(test)]
#[path = "component_tests.rs"]
mod tests;
