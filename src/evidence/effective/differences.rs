//! Where two ways to the same fact say different things: the node and the API, the running process and the disk.

use super::super::listed::{Instance, Listed, Told};
use super::super::{Component, Fact, Gap, Missing, NodeEvidence, Reading, Value, filling};
use super::gap_at;
use super::program::Program;

/// Most arguments that one item names.
const NAMED: usize = 12;

/// What differs, and why more may.
#[derive(Debug, Default)]
pub(super) struct Differences {
    items: Vec<Reading>,
    gap: Option<Gap>,
}

impl Differences {
    /// Compares what the node says with what the API says. What was not read of either is a gap.
    pub(super) fn compare(&mut self, name: &str, by_node: &Reading, by_api: &Reading) {
        match (&by_node.value, &by_api.value) {
            (Value::Unread(gap), _) | (_, Value::Unread(gap)) => self.unread(gap),
            (node, api) if same(node, api) => {}
            _ => self.push(name, ("by_node", by_node.clone()), ("by_api", by_api.clone())),
        }
    }

    /// Notes why something could not be compared.
    fn unread(&mut self, gap: &Gap) {
        self.gap.get_or_insert_with(|| gap.clone());
    }

    fn push(&mut self, name: &str, one: (&'static str, Reading), other: (&'static str, Reading)) {
        self.items.push(Reading::map([("name", Reading::text(name)), one, other]));
    }

    fn reading(self) -> Reading {
        Reading::list(self.items, self.gap)
    }
}

/// Whether two values are the same, wherever they come from.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List { items: one, gap: None }, Value::List { items: other, gap: None }) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| same(&one.value, &other.value))
        }
        (
            Value::Map { entries: one, missing: Missing::Absent },
            Value::Map { entries: other, missing: Missing::Absent },
        ) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other.iter())
                    .all(|((key, one), (other_key, other))| key == other_key && same(&one.value, &other.value))
        }
        (one, other) => one == other,
    }
}

/// Adds to the tree `disagreements`: what node and API say differently. `found` has what was met on the way.
pub(super) fn attach_disagreements(
    node: &NodeEvidence,
    listed: &Listed<'_>,
    programs: &[(&'static Program, &Component)],
    mut found: Differences,
    root: &mut Reading,
) {
    let object = listed.node;
    let own = |fact: &Fact<String>, path: &str| match fact {
        Fact::Known(text) => Reading::text(text.as_str()),
        Fact::Absent => Reading::new(Value::Absent),
        Fact::Unread => Reading::new(Value::Unread(Gap::nearest(&node.unread, path))),
    };
    let api = |fact: &Fact<String>, path: &str, form: fn(&str) -> &str| match fact {
        Fact::Known(text) => Reading::text(form(text)),
        Fact::Absent => Reading::new(Value::Absent),
        Fact::Unread => Reading::new(Value::Unread(listed.why_own(path))),
    };
    let bare: fn(&str) -> &str = |version| version.strip_prefix('v').unwrap_or(version);
    let same_form: fn(&str) -> &str = |text| text;
    // The tree has what the API says filled in at these paths: the record says what the node itself said.
    for (name, one, other) in [
        ("operating system", own(&node.os.pretty_name, "os.pretty_name"), api(&object.os_image, "os_image", same_form)),
        ("kernel", own(&node.kernel.running, "kernel.running"), api(&object.kernel, "kernel", same_form)),
        (
            "architecture",
            own(&node.architecture, "architecture"),
            api(&object.architecture, "architecture", filling::machine_name),
        ),
        (
            "machine id",
            own(&node.identity.machine_id, "identity.machine_id"),
            api(&object.machine_id, "machine_id", same_form),
        ),
        (
            "kubelet version",
            own(&node.kubelet.version, "kubelet.version"),
            api(&object.kubelet_version, "kubelet_version", bare),
        ),
    ] {
        found.compare(name, &one, &other);
    }
    for (program, component) in programs {
        if let Told::Pod(pod) = listed.component(program.name()) {
            of_component(program, component, &pod, &mut found);
        }
    }
    root.insert("disagreements", found.reading());
}

/// A component that the API shows a pod of.
fn of_component(program: &Program, component: &Component, pod: &Instance<'_>, found: &mut Differences) {
    let name = program.name();
    let shown = || Reading::text(format!("{} runs it", pod.named()));
    if component.exists == Fact::Known(false) {
        let none = Reading::text("no process of it runs");
        return found.push(name, ("by_node", none), ("by_api", shown()));
    }
    let process = component.process.known().and_then(|process| process.args.known());
    if let (Some(process), Some(command), true) = (process, pod.command(name), pod.pod.mirror)
        && let Some((one, other)) = different(process, command)
    {
        found.push(&format!("command line of {name}"), ("by_node", one), ("by_api", other));
    }
}

/// Adds to the tree `unloaded_manifests`: manifests on the disk that say something else than what runs.
pub(super) fn attach_unloaded(programs: &[(&'static Program, &Component)], root: &mut Reading) {
    let mut found = Differences::default();
    for (program, component) in programs {
        let key = program.key;
        let running = match &component.exists {
            Fact::Known(true) => component.process.known().and_then(|process| process.args.known()),
            Fact::Known(false) | Fact::Absent => continue,
            Fact::Unread => {
                found.unread(&gap_at(root, &format!("{key}.process")));
                continue;
            }
        };
        let pod = match &component.static_pod {
            Fact::Known(pod) => pod,
            Fact::Absent => continue,
            Fact::Unread => {
                found.unread(&gap_at(root, &format!("{key}.drop_ins")));
                continue;
            }
        };
        match (running, pod.command.known()) {
            (Some(running), Some(command)) => {
                if let Some((one, other)) = different(running, command) {
                    let name = format!("{}, {}", program.name(), pod.path);
                    found.push(&name, ("running", one), ("on_disk", other));
                }
            }
            (None, _) => found.unread(&gap_at(root, &format!("{key}.process.args"))),
            (_, None) => found.unread(&gap_at(root, &format!("{key}.static_pod.command"))),
        }
    }
    root.insert("unloaded_manifests", found.reading());
}

/// Whether two command lines say something different.
pub(super) fn differ(one: &[String], other: &[String]) -> bool {
    different(one, other).is_some()
}

/// The arguments that one of two command lines has and the other lacks. None where there are none. Their order says
/// nothing, nor do arguments that a pod takes from variables or that hold a secret.
fn different(one: &[String], other: &[String]) -> Option<(Reading, Reading)> {
    let hidden = |arg: &&String| arg.contains("$(") || arg.contains("[redacted]");
    let name = |arg: &str| arg.split('=').next().unwrap_or_default().to_owned();
    let left_out: Vec<String> = one.iter().chain(other).filter(hidden).map(|arg| name(arg)).collect();
    let alone = |of: &[String], beside: &[String]| {
        let lacks = |arg: &&String| !beside.contains(arg) && !left_out.contains(&name(arg));
        let args: Vec<Reading> =
            of.iter().skip(1).filter(lacks).take(NAMED).map(|arg| Reading::text(arg.as_str())).collect();
        args
    };
    let (one, other) = (alone(one, other), alone(other, one));
    (!one.is_empty() || !other.is_empty()).then(|| (Reading::list(one, None), Reading::list(other, None)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_arguments_that_differ_are_told() {
        let disk = words("kube-apiserver --a=1 --b=2 --host=$(POD_IP) --token=[redacted]");
        assert!(
            different(&words("/usr/bin/kube-apiserver --b=2 --a=1 --host=10.0.0.1 --token=[redacted]"), &disk)
                .is_none()
        );
        let (running, on_disk) =
            different(&words("kube-apiserver --a=1 --b=3 --host=10.0.0.1 --token=x"), &disk).unwrap();
        let texts = |list: &Reading| match &list.value {
            Value::List { items, .. } => items.iter().map(|item| item.value.clone()).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        assert_eq!(texts(&running), [Value::Text("--b=3".into())]);
        assert_eq!(texts(&on_disk), [Value::Text("--b=2".into())]);
    }
}
