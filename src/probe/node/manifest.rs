//! Static pod manifests: which component they start, and with what command line.

use super::answer::{Answer, Got};
use super::document::{Named, Table};
use super::frames::{Pairs, State};
use super::text::{basename, whole};
use super::{redact, yaml};
use crate::evidence::{Fact, Reason, StaticPod};
use serde_json::Value as Json;

/// The manifests of a node.
pub(super) struct Manifests {
    items: Vec<Manifest>,
    /// Whether every manifest directory was listed. Else the state that says why not.
    closed: Option<State>,
    /// Whether every file of the directories is here, and not only those whose names speak of a component.
    all: bool,
}

/// One manifest.
pub(super) struct Manifest {
    /// Component by the file's name; by its command, where that could be read.
    component: String,
    pod: StaticPod,
    /// Base name of the program that its component's container starts.
    program: Option<String>,
}

impl Manifest {
    /// The pod, as evidence.
    pub(super) fn pod(&self) -> &StaticPod {
        &self.pod
    }

    /// The command line, secrets redacted; None where it was not read.
    pub(super) fn command(&self) -> Option<&[String]> {
        self.pod.command.known().map(Vec::as_slice)
    }

    /// Base name of the program that the manifest starts.
    pub(super) fn program(&self) -> Option<&str> {
        self.program.as_deref()
    }
}

impl Manifests {
    /// Reads the manifests that the table names.
    pub(super) fn read(answer: &Answer<'_>, table: &Table) -> Manifests {
        let items =
            table.items.iter().filter(|file| file.purpose == "manifest").map(|file| manifest(answer, file)).collect();
        let closed = match answer.got("static-pods") {
            Got::Here(record) => match listed(&record.pairs()) {
                State::Here if table.complete => None,
                State::Here => Some(State::TooLarge),
                state => Some(state),
            },
            Got::Cut(_) => Some(State::TooLarge),
            Got::Absent => None,
            Got::Missing(state) => Some(state),
            Got::Nothing => Some(State::NotVisible),
        };
        let pairs = answer.got("static-pods").record().map(|record| record.pairs());
        let all = pairs.is_none_or(|pairs| pairs.value("all") == Some("yes"));
        Manifests { items, closed, all }
    }

    /// The manifest that starts a component.
    pub(super) fn of(&self, component: &str) -> Option<&Manifest> {
        let by_command = self.items.iter().find(|manifest| manifest.program() == Some(component));
        by_command.or_else(|| {
            self.items.iter().find(|manifest| manifest.component == component && manifest.program.is_none())
        })
    }

    /// Whether it is known that no other manifest is there, whatever its file is called.
    pub(super) fn complete(&self) -> bool {
        self.all && self.closed.is_none() && self.items.iter().all(|manifest| manifest.pod.unread.is_none())
    }

    /// The evidence for a component; a gap is noted at `path`.
    pub(super) fn fact(&self, answer: &mut Answer<'_>, component: &str, path: &str) -> Fact<StaticPod> {
        match (self.of(component), self.closed) {
            (Some(manifest), _) => Fact::Known(manifest.pod.clone()),
            (None, None) => Fact::Absent,
            (None, Some(state)) => {
                if answer.complete() {
                    answer.missing(state, path, "the static pod manifests");
                }
                Fact::Unread
            }
        }
    }
}

/// Whether all manifest directories were listed: `dir=` or `dir_absent=` for each, `dir_forbidden=` and the like for others.
fn listed(pairs: &Pairs) -> State {
    for state in
        [State::Forbidden, State::Refused, State::Timeout, State::TooLarge, State::NotVisible, State::Unsupported]
    {
        let word = super::answer::state_word(state);
        if pairs.value(&format!("dir_{word}")).is_some() || pairs.value("state") == Some(word) {
            return state;
        }
    }
    let told = ["dir", "dir_absent", "state"].iter().any(|name| pairs.value(name).is_some());
    if told { State::Here } else { State::Malformed }
}

fn manifest(answer: &Answer<'_>, file: &Named) -> Manifest {
    let mut found = Manifest {
        component: file.component.clone(),
        pod: StaticPod {
            path: file.path.clone(),
            image: Fact::Unread,
            command: Fact::Unread,
            environment_names: Fact::Unread,
            host_network: Fact::Unread,
            unread: None,
        },
        program: None,
    };
    let document = match file.got(answer) {
        Got::Here(record) => yaml::parse(&record.payload),
        Got::Cut(_) => Err(Reason::TooLarge),
        // Listed, and gone when it was to be read.
        Got::Absent | Got::Nothing => Err(Reason::NotVisible),
        Got::Missing(state) => Err(state.reason().unwrap_or(Reason::Malformed)),
    };
    let read = document.and_then(|document| fill(&mut found, &document).ok_or(Reason::Malformed));
    if let Err(reason) = read {
        found.pod.unread = Some(reason);
    }
    found
}

/// Components that a static pod may start.
const COMPONENTS: [&str; 5] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy"];

/// Takes the container of a component out of a pod. None where the pod has no such shape.
fn fill(found: &mut Manifest, document: &Json) -> Option<()> {
    let spec = document.get("spec")?.as_object()?;
    let containers = spec.get("containers")?.as_array()?;
    let commands: Vec<(&Json, Vec<String>)> =
        containers.iter().map(|container| Some((container, command(container)?))).collect::<Option<_>>()?;
    let program = |command: &[String]| command.first().map(|first| basename(first).to_owned()).unwrap_or_default();
    let wanted = found.component.clone();
    let chosen = commands
        .iter()
        .find(|(_, command)| program(command) == wanted)
        .or_else(|| commands.iter().find(|(_, command)| COMPONENTS.contains(&program(command).as_str())));
    let Some((container, command)) = chosen else {
        // A pod of something else under a component's file name: nothing is known of the component.
        return (!COMPONENTS.contains(&wanted.as_str())).then_some(());
    };
    found.component = program(command);
    found.pod.command = Fact::Known(redact::args(command));
    found.pod.image = match container.get("image") {
        Some(Json::String(image)) => Fact::Known(redact::line(image)),
        _ => Fact::Unread,
    };
    found.pod.environment_names = match container.get("env") {
        None | Some(Json::Null) => Fact::Known(Vec::new()),
        Some(Json::Array(items)) => {
            let names = items.iter().map(|item| item.get("name").and_then(Json::as_str).map(whole));
            names.collect::<Option<Vec<_>>>().map_or(Fact::Unread, Fact::Known)
        }
        Some(_) => Fact::Unread,
    };
    found.pod.host_network = match spec.get("hostNetwork") {
        None | Some(Json::Null) => Fact::Known(false),
        Some(Json::Bool(truth)) => Fact::Known(*truth),
        Some(_) => Fact::Unread,
    };
    found.program = Some(program(command));
    Some(())
}

/// `command` and `args` of a container, in one. None where they are no lists of texts.
fn command(container: &Json) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for key in ["command", "args"] {
        match container.get(key) {
            None | Some(Json::Null) => {}
            Some(Json::Array(items)) => {
                for item in items {
                    words.push(whole(item.as_str()?));
                }
            }
            Some(_) => return None,
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    const APISERVER: &str = "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers:\n  - image: registry.k8s.io/kube-apiserver:v1.31.2\n    command:\n    - kube-apiserver\n    - --anonymous-auth=false\n    - --token=abc\n    env:\n    - {name: HTTPS_PROXY, value: 'http://u:p@h'}\n";

    fn pod(body: &str, state: &str) -> crate::evidence::NodeEvidence {
        let row =
            format!("0\t{state}\tkube-apiserver\tmanifest\t-\t100\t/etc/kubernetes/manifests/kube-apiserver.yaml\n");
        assembled(&[
            record("files", "-", &row),
            record("file.0", "-", body),
            record("static-pods", "-", "from=config\ndir=/etc/kubernetes/manifests\ndir_absent=/x\n"),
        ])
    }

    #[test]
    fn a_manifest_gives_its_command_and_no_value_of_its_environment() {
        let node = pod(APISERVER, "here");
        let found = node.kube_apiserver.static_pod.known().unwrap();
        assert_eq!(
            found.command,
            Fact::Known(vec!["kube-apiserver".into(), "--anonymous-auth=false".into(), "--token=[redacted]".into()])
        );
        assert_eq!(found.environment_names, Fact::Known(vec!["HTTPS_PROXY".into()]));
        assert_eq!((&found.host_network, found.unread), (&Fact::Known(true), None));
        assert_eq!(node.kube_apiserver.version, Fact::Unread, "nothing runs, so nothing has a version");
        assert_eq!(node.etcd.static_pod, Fact::Absent);
    }

    #[test]
    fn what_is_no_manifest_of_the_component_is_not_one() {
        for (body, state, reason) in [
            ("a: [", "here", Reason::Malformed),
            ("spec: {containers: [{command: [sh, -c, kube-apiserver]}]}", "here", Reason::Malformed),
            ("spec: {containers: [{command: kube-apiserver}]}", "here", Reason::Malformed),
            (APISERVER, "forbidden", Reason::Forbidden),
        ] {
            let node = pod(body, state);
            let found = node.kube_apiserver.static_pod.known().unwrap();
            assert_eq!((found.unread, &found.command), (Some(reason), &Fact::Unread), "{body}");
        }
    }
}
