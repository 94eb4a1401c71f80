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
    // The kubelet's files are written by k3s itself between its own start and this line.
    let process = Process { args: Fact::Known(redact::args(&args)), started: Fact::Known(at), ..one.process.clone() };
    Some(Proc { process, ..(*one).clone() })
}

/// Whether the API server within k3s has been said to keep its objects behind kine, at a socket of k3s' own: in SQLite, or in
/// a database elsewhere. Where etcd is meant, an address is given, and who answers there is not told.
pub(super) fn stores_by_kine(answer: &Answer<'_>, pid: i64) -> bool {
    const API: &str = "kube-apiserver";
    let Got::Here(record) = answer.got(&format!("within.{pid}")) else { return false };
    let args = record.lines().iter().filter(|line| speaks_of(line, API)).map(|line| told(line, API)).collect();
    let args: Option<Vec<(Timestamp, Vec<String>)>> = args;
    args.is_some_and(|told| match told.as_slice() {
        [(_, args)] => {
            let mut servers = args.iter().filter_map(|arg| arg.strip_prefix("--etcd-servers="));
            servers.next().is_some_and(|one| one.starts_with("unix:") && !one.contains(',')) && servers.next().is_none()
        }
        _ => false,
    })
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
