//! Flags and hostPath mounts of a static pod's container: `/etc/kubernetes/manifests/kube-apiserver.yaml` and its like.
//!
//! A flag may stand as `--flag=value`, bare, or as two items (`--flag`, then its value), in `command` or in `args`. The
//! components of the control plane and etcd take no other words, so a word behind a bare flag is its value.

use super::EditError;
use super::error::Trouble;
use super::list;
use super::scalar::read;
use super::scan::scan;
use super::splice::Splices;
use super::tree::{Document, Kind, Node};
use super::yaml::finish;
use serde_json::Value as Json;

pub use super::manifest_mount::{HostPathKind, add_mount, has_mount, is_on_node};

/// Where flags stand, in the order in which a program gets them.
const LISTS: [&str; 2] = ["command", "args"];

/// Programs that are given a script, not flags.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "busybox", "env"];

/// Makes a container's command line hold `--flag=value`, or `--flag` alone, once: in the place of the first one that is
/// there, behind the last flag otherwise.
///
/// `flag` is the name without dashes. Gives the new text; the same text where the flag has that value already. An error
/// where the manifest is not surely understood or has no such container.
pub fn set_flag(text: &str, container: &str, flag: &str, value: Option<&str>) -> Result<String, EditError> {
    let item = item(flag, value);
    change(text, container, flag, Some(value))
        .map_err(|trouble| trouble.with(&format!("put {item} into the command of {container} by hand")))
}

/// Takes every `--flag` out of a container's command line. Gives the same text where there is none.
pub fn remove_flag(text: &str, container: &str, flag: &str) -> Result<String, EditError> {
    change(text, container, flag, None)
        .map_err(|trouble| trouble.with(&format!("take --{flag} out of the command of {container} by hand")))
}

/// The values that a flag is given, in order; None for a bare one. An error where the manifest is not surely understood
/// or has no such container.
pub fn flag_values(text: &str, container: &str, flag: &str) -> Result<Vec<Option<String>>, EditError> {
    let values = || {
        read(text)?;
        let document = scan(text)?;
        let pod = Container::find(&document, container)?;
        Ok(pod.uses(&document, flag)?.into_iter().map(|found| found.value).collect())
    };
    values().map_err(|trouble: Trouble| trouble.with(&format!("look up --{flag} of {container} by hand")))
}

/// The hosts that the HTTP probes of a container ask, in order; an empty text where a probe names none, which is the pod's own
/// address. An error where the manifest cannot be read.
pub fn probe_hosts(text: &str, container: &str) -> Result<Vec<String>, EditError> {
    let tree = read(text).map_err(|trouble| trouble.with(&format!("look at the probes of {container} by hand")))?;
    let containers = tree.pointer("/spec/containers").and_then(Json::as_array);
    let own = containers.into_iter().flatten().filter(|one| one.get("name").and_then(Json::as_str) == Some(container));
    let probes = own.flat_map(|one| ["livenessProbe", "readinessProbe", "startupProbe"].map(|name| one.get(name)));
    let gets = probes.flatten().filter_map(|probe| probe.get("httpGet"));
    Ok(gets.map(|get| get.get("host").and_then(Json::as_str).unwrap_or_default().to_owned()).collect())
}

/// The number of the user that a container is told to run as, by itself or by its pod; None where it is told nothing. An error
/// where the manifest cannot be read.
pub fn runs_as(text: &str, container: &str) -> Result<Option<i64>, EditError> {
    let tree = read(text).map_err(|trouble| trouble.with(&format!("look up as whom {container} runs by hand")))?;
    let containers = tree.pointer("/spec/containers").and_then(Json::as_array);
    let own = containers.into_iter().flatten().find(|one| one.get("name").and_then(Json::as_str) == Some(container));
    let pod = tree.get("spec");
    let user = |map: &Json| map.pointer("/securityContext/runAsUser").and_then(Json::as_i64);
    Ok([own, pod].into_iter().flatten().find_map(user))
}

fn item(flag: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("--{flag}={value}"),
        None => format!("--{flag}"),
    }
}

/// A container of the pod.
pub(super) struct Container<'d> {
    /// Its number in `spec.containers`.
    pub(super) number: usize,
    pub(super) node: &'d Node,
}

impl<'d> Container<'d> {
    pub(super) fn find(document: &'d Document<'_>, name: &str) -> Result<Self, Trouble> {
        let kind = document.root.get("kind").map(|kind| document.scalar(kind)).transpose()?;
        if kind.as_deref() != Some("Pod") {
            return Err(Trouble::whole("the file is no manifest of a single pod"));
        }
        let list = document.root.get("spec").and_then(|spec| spec.get("containers"));
        let Some(Node { kind: Kind::Seq(_, items), .. }) = list else {
            return Err(Trouble::whole("the manifest has no list of containers"));
        };
        for (number, item) in items.iter().enumerate() {
            let own = item.value.get("name").map(|own| document.scalar(own)).transpose()?;
            if own.as_deref() == Some(name) {
                return Ok(Container { number, node: &item.value });
            }
        }
        Err(Trouble::whole(format!("the manifest has no container `{name}`")))
    }

    /// The items of `command` or `args`; empty where it is not written.
    fn list(&self, document: &Document<'_>, key: &str) -> Result<Vec<String>, Trouble> {
        match self.node.get(key) {
            None | Some(Node { kind: Kind::Empty, .. }) => Ok(Vec::new()),
            Some(seq) => list::texts(document, seq),
        }
    }

    /// Every place where a flag is given.
    fn uses(&self, document: &Document<'_>, flag: &str) -> Result<Vec<Use>, Trouble> {
        let flag = flag.replace('_', "-");
        let mut uses = Vec::new();
        let (command, args) = (self.list(document, "command")?, self.list(document, "args")?);
        let line = document.line(self.node.start);
        let program = command.first().map(|first| first.rsplit('/').next().unwrap_or(first));
        let script = command.iter().chain(&args).any(|item| item.contains('\n') || item == "-c");
        if script || program.is_some_and(|program| SHELLS.contains(&program)) {
            return Err(Trouble::at(line, "the container runs a script, whose flags are not told apart"));
        }
        if command.last().is_some_and(|last| is_bare(last)) && args.first().is_some_and(|first| !first.starts_with('-'))
        {
            return Err(Trouble::at(line, "a flag stands at the end of `command` and perhaps its value in `args`"));
        }
        for (list, items) in LISTS.into_iter().zip([&command, &args]) {
            let mut items = items.iter().enumerate().peekable();
            while let Some((at, item)) = items.next() {
                if item == "--" {
                    return Err(Trouble::at(line, "`--` ends the flags of the command line"));
                }
                let Some(text) = item.strip_prefix("--").or_else(|| item.strip_prefix('-')) else { continue };
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (text, None),
                };
                let (value, length) = match value {
                    Some(value) => (Some(value), 1),
                    None => match items.next_if(|(_, next)| !next.starts_with('-')) {
                        Some((_, next)) => (Some(next.clone()), 2),
                        None => (None, 1),
                    },
                };
                if name.replace('_', "-") == flag {
                    uses.push(Use { list, at, length, value });
                }
            }
        }
        Ok(uses)
    }

    /// Where a flag that is not there yet goes.
    fn home(&self, document: &Document<'_>) -> Result<&'static str, Trouble> {
        for list in LISTS {
            if self.list(document, list)?.iter().any(|item| item.starts_with('-')) {
                return Ok(list);
            }
        }
        LISTS
            .into_iter()
            .rev()
            .find(|list| self.list(document, list).is_ok_and(|items| !items.is_empty()))
            .ok_or_else(|| Trouble::at(document.line(self.node.start), "the container has no command and no arguments"))
    }
}

fn is_bare(item: &str) -> bool {
    item.starts_with('-') && !item.contains('=')
}

/// A flag's use.
struct Use {
    list: &'static str,
    at: usize,
    /// How many items it takes: 1, or 2 with its value apart.
    length: usize,
    value: Option<String>,
}

/// `wanted`: None takes the flag out.
fn change(text: &str, container: &str, flag: &str, wanted: Option<Option<&str>>) -> Result<String, Trouble> {
    if flag.is_empty() || flag.starts_with('-') || !flag.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return Err(Trouble::whole("this is no flag's name"));
    }
    let mut tree = read(text)?;
    let document = scan(text)?;
    let found = Container::find(&document, container)?;
    let uses = found.uses(&document, flag)?;
    let values: Vec<Option<&str>> = uses.iter().map(|one| one.value.as_deref()).collect();
    if wanted.map_or(values.is_empty(), |value| values == [value]) {
        return Ok(text.to_owned());
    }
    let home = match uses.first() {
        Some(first) => first.list,
        None => found.home(&document)?,
    };
    let mut splices = Splices::default();
    for list in LISTS {
        let old = found.list(&document, list)?;
        let mut new = Vec::new();
        let mut placed = false;
        for (at, one) in old.iter().enumerate() {
            match uses.iter().find(|one| one.list == list && (one.at..one.at + one.length).contains(&at)) {
                None => new.push(one.clone()),
                Some(_) if list == home && !placed => {
                    placed = true;
                    new.extend(wanted.map(|value| item(flag, value)));
                }
                Some(_) => {}
            }
        }
        if list == home && !placed {
            new.extend(wanted.map(|value| item(flag, value)));
        }
        if new == old {
            continue;
        }
        let Some(seq) = found.node.get(list).filter(|_| !new.is_empty()) else {
            return Err(Trouble::at(document.line(found.node.start), format!("nothing would be left in `{list}`")));
        };
        list::rewrite(&document, seq, &new, &mut splices)?;
        if let Some(place) = tree.pointer_mut(&format!("/spec/containers/{}/{list}", found.number)) {
            *place = new.into_iter().map(Json::String).collect();
        }
    }
    let result = finish(text, splices, &tree)?;
    // The word behind a bare flag would be taken for its value.
    let document = scan(&result)?;
    let after = Container::find(&document, container)?.uses(&document, flag)?;
    let after: Vec<Option<&str>> = after.iter().map(|one| one.value.as_deref()).collect();
    if after != wanted.into_iter().collect::<Vec<_>>() {
        return Err(Trouble::whole("the flag would not have the value afterwards"));
    }
    Ok(result)
}

#[cfg(test)]
#[path = "manifest_flag_tests.rs"]
mod tests;
