//! What k3s has said in its log of the components that it runs within itself: `Running kubelet --a=b --c=d`, once at each start
//! (k3s, pkg/daemons/agent/agent.go and pkg/daemons/control/server.go). Their arguments, sorted by name and joined by blanks
//! (pkg/util/args.go and ArgString of pkg/daemons/config/types.go), stand nowhere else.

use super::answer::{Answer, Got};
use super::component::Kind;
use super::frames::State;
use super::process::Proc;
use super::redact;
use crate::evidence::{Fact, Process, Reason};
use jiff::Timestamp;

/// The process of k3s as that of a component within it: with the component's arguments, and when it was given them. Notes
/// at the component's arguments why there are none.
pub(super) fn read(answer: &mut Answer<'_>, kind: &Kind, found: &[&Proc]) -> Option<Proc> {
    let path = format!("{}.process.args", kind.path);
    let [one] = found else {
        answer.gap(&path, Reason::NotVisible, "embedded in k3s, of which several run");
        return None;
    };
    if kind.name == "etcd" {
        let Store::Etcd(at, file) = store(answer, one.pid) else { return None };
        return Some(with(one, at, &["etcd".to_owned(), format!("--config-file={file}")]));
    }
    let said = |detail: &str| format!("embedded in k3s: {detail}");
    let lines: Vec<String> = match answer.got(&format!("within.{}", one.pid)) {
        Got::Here(record) | Got::Cut(record) => record.lines().iter().map(|line| (*line).to_owned()).collect(),
        Got::Missing(State::Forbidden) => {
            let why = "its log, which alone tells its arguments, shows nothing to this login";
            answer.gap(&path, Reason::Forbidden, &said(why));
            return None;
        }
        Got::Nothing if !answer.complete() => return None,
        _ => Vec::new(),
    };
    let mut about = lines.iter().filter(|line| speaks_of(line, kind.name));
    let Some(line) = about.next() else {
        let why = "its log, which alone tells its arguments, has no line about it since k3s was started";
        answer.gap(&path, Reason::NotVisible, &said(why));
        return None;
    };
    let Some((at, args)) = told(line, kind.name).filter(|_| about.next().is_none()) else {
        answer.gap(&path, Reason::Malformed, &said("the line of its log about it could not be understood"));
        return None;
    };
    Some(with(one, at, &args))
}

/// The process of k3s with a component's arguments and start: k3s writes the component's files itself, after its own start.
fn with(k3s: &Proc, at: Timestamp, args: &[String]) -> Proc {
    let process = Process { args: Fact::Known(redact::args(args)), started: Fact::Known(at), ..k3s.process.clone() };
    Proc { process, ..k3s.clone() }
}

/// Where the API server within k3s keeps its objects.
pub(super) enum Store {
    /// Behind kine, at a socket of k3s' own: in SQLite, or in a database elsewhere.
    Database,
    /// In an etcd within k3s, which is started by this file alone (pkg/daemons/executor/etcd.go): written anew at each start,
    /// before the API server was told its arguments at this time (pkg/daemons/control/server.go).
    Etcd(Timestamp, String),
    /// It was not told, or a socket of this node leads to who knows which server's etcd.
    Unknown,
}

/// Where the API server within this k3s keeps its objects.
pub(super) fn store(answer: &Answer<'_>, pid: i64) -> Store {
    const API: &str = "kube-apiserver";
    let Got::Here(record) = answer.got(&format!("within.{pid}")) else { return Store::Unknown };
    let lines = record.lines();
    let mut about = lines.iter().filter(|line| speaks_of(line, API));
    let (Some(line), None) = (about.next(), about.next()) else { return Store::Unknown };
    let Some((at, args)) = told(line, API) else { return Store::Unknown };
    let only = |flag: &str| {
        let mut values = args.iter().filter_map(|arg| arg.strip_prefix(flag));
        values.next().filter(|_| values.next().is_none())
    };
    match only("--etcd-servers=") {
        Some(servers) if servers.split(',').all(|one| one.starts_with("unix:")) => Store::Database,
        // A server without an etcd of its own has a proxy at the same address, and no port for other members.
        Some(servers) if servers.starts_with("https://") && listens(answer, pid, "2380") => {
            let folder = only("--etcd-certfile=").and_then(|path| path.strip_suffix("/tls/etcd/client.crt"));
            folder.map_or(Store::Unknown, |folder| Store::Etcd(at, format!("{folder}/db/etcd/config")))
        }
        _ => Store::Unknown,
    }
}

/// Whether a process listens at a port.
fn listens(answer: &Answer<'_>, pid: i64, port: &str) -> bool {
    let Got::Here(record) = answer.got("listen") else { return false };
    let pid = pid.to_string();
    record.table().iter().any(|row| matches!(row.as_slice(), [_, _, at, _, by, _] if at == port && *by == pid))
}

fn speaks_of(line: &str, component: &str) -> bool {
    line.split_once("msg=\"Running ")
        .and_then(|(_, rest)| rest.strip_prefix(component))
        .is_some_and(|rest| rest.starts_with(' '))
}

/// The component and its arguments, of a line of k3s' log that is about it. None where it is not understood.
pub fn arguments(line: &str, component: &str) -> Option<Vec<String>> {
    told(line, component).map(|(_, args)| args)
}

/// When, and the component with its arguments. None where it is not plain where one ends and the next begins.
fn told(line: &str, component: &str) -> Option<(Timestamp, Vec<String>)> {
    let at = quoted(line, "time")?.parse().ok()?;
    let said = quoted(line, "msg")?;
    let joined = said.strip_prefix("Running ")?.strip_prefix(component)?.strip_prefix(" --")?;
    let pieces: Vec<&str> = joined.split(" --").collect();
    let name = |piece: &&str| piece.split_once('=').map(|(name, _)| (*name).to_owned());
    let names = pieces.iter().map(name).collect::<Option<Vec<String>>>()?;
    // A value with ` --` in it would stand out. Releases before 1.24 sorted the whole arguments.
    if !names.is_sorted() && !pieces.is_sorted() {
        return None;
    }
    let args = pieces.iter().map(|piece| format!("--{piece}"));
    Some((at, std::iter::once(component.to_owned()).chain(args).collect()))
}

/// The value of a field of a line of logrus' text form, which quotes as Go's `%q`.
fn quoted(line: &str, field: &str) -> Option<String> {
    let open = format!("{field}=\"");
    let at = if line.starts_with(&open) { 0 } else { line.find(&format!(" {open}"))? + 1 };
    let mut value = String::new();
    let mut rest = line.get(at + open.len()..)?.chars();
    loop {
        match rest.next()? {
            '"' => return Some(value),
            '\\' => match rest.next()? {
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            other => value.push(other),
        }
    }
}

#[cfg(test)]
#[path = "within_tests.rs"]
mod tests;
