//! Pods.

use super::Item;
use super::parts::{Keep, Labels, Many, Meta, Nothing, Text, Time, fact, full_name, text_fact};
use crate::evidence::Fact;
use crate::evidence::cluster::{Container, Pod};
use crate::probe::redact;
use crate::probe::text::{basename, marked};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

/// Words of a command line that are kept, and bytes of one.
const WORDS: usize = 1024;
const WORD: usize = 16 << 10;

/// Control-plane components that run as static pods.
const STATIC: [&str; 5] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy"];

/// The annotation by which the API server knows a mirror pod.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct Mirror;

impl Keep for Mirror {
    fn keeps(key: &str) -> bool {
        key == "kubernetes.io/config.mirror"
    }
}

/// A Pod.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct SlimPod {
    metadata: Meta<Nothing, Labels<Mirror>>,
    // Without a spec nothing can be said of a pod: such an item is no pod.
    spec: Spec,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    containers: Many<SlimContainer, 512>,
    #[serde(default)]
    init_containers: Many<SlimContainer, 512>,
    #[serde(default)]
    ephemeral_containers: Many<SlimContainer, 512>,
    node_name: Option<Text>,
    service_account_name: Option<Text>,
    automount_service_account_token: Option<bool>,
    host_network: Option<bool>,
    #[serde(rename = "hostPID")]
    host_pid: Option<bool>,
    #[serde(rename = "hostIPC")]
    host_ipc: Option<bool>,
    #[serde(default)]
    volumes: Many<Volume, 4096>,
    security_context: Option<Security>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    phase: Option<Text>,
    #[serde(default)]
    container_statuses: Many<ContainerStatus, 512>,
}

#[derive(Debug, Deserialize)]
struct ContainerStatus {
    name: Option<Text>,
    state: Option<ContainerState>,
}

#[derive(Debug, Deserialize)]
struct ContainerState {
    running: Option<RunningState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunningState {
    #[serde(default)]
    started_at: Time,
}

impl Status {
    /// Since when a container runs.
    fn started(&self, name: &str) -> Fact<Timestamp> {
        let of_it =
            self.container_statuses.0.iter().find(|status| status.name.as_ref().is_some_and(|own| own.0 == name));
        let running = of_it.and_then(|status| status.state.as_ref()).and_then(|state| state.running.as_ref());
        running.map_or(Fact::Absent, |running| running.started_at.0.clone())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    host_path: Option<HostPath>,
}

#[derive(Debug, Deserialize)]
struct HostPath {
    path: Text,
}

/// A security context: of a pod it has fewer fields, with the same names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Security {
    privileged: Option<bool>,
    allow_privilege_escalation: Option<bool>,
    run_as_non_root: Option<bool>,
    run_as_user: Option<i64>,
    capabilities: Option<Capabilities>,
    seccomp_profile: Option<Seccomp>,
    windows_options: Option<Windows>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Capabilities {
    #[serde(default)]
    add: Many<Text, 256>,
    #[serde(default)]
    drop: Many<Text, 256>,
}

#[derive(Debug, Clone, Deserialize)]
struct Seccomp {
    #[serde(rename = "type")]
    kind: Option<Text>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Windows {
    host_process: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimContainer {
    name: Text,
    image: Option<Text>,
    #[serde(default)]
    command: Words,
    #[serde(default)]
    args: Words,
    #[serde(default)]
    env: Many<Variable, 4096>,
    #[serde(default)]
    env_from: Many<Source, 4096>,
    #[serde(default)]
    ports: Many<Port, 1024>,
    security_context: Option<Security>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variable {
    name: Text,
    value_from: Option<ValueFrom>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom {
    secret_key_ref: Option<Nothing>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    secret_ref: Option<Nothing>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    host_port: Option<i64>,
}

/// A command line. Anybody's may be long, and only those of components are kept: a cut one is no error here.
#[derive(Debug, Default)]
struct Words {
    words: Vec<String>,
    cut: bool,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_unit<E: Error>(self) -> Result<Words, E> {
                Ok(Words::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
                let mut seen = Words::default();
                while let Some(word) = seq.next_element::<String>()? {
                    if seen.words.len() == WORDS || word.len() > WORD {
                        seen.cut = true;
                    } else {
                        seen.words.push(marked(&word));
                    }
                }
                Ok(seen)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl Item for SlimPod {
    type Evidence = Pod;

    fn evidence(self) -> Option<Pod> {
        let (namespace, short) = self.metadata.split()?;
        let spec = self.spec;
        if spec.containers.0.is_empty() {
            return None;
        }
        let node = text_fact(spec.node_name);
        let mirror = !self.metadata.annotations.0.is_empty() && is_mirror(&self.metadata, &short, node.known());
        let owner = self.metadata.controller();
        let by_daemon_set = owner.is_some_and(|owner| owner.kind.0 == "DaemonSet" && owner.name.0 == "kube-proxy");
        let component = component(&namespace, mirror, by_daemon_set, &spec.containers.0);
        let status = self.status.unwrap_or_default();
        let created = if component.is_empty() { Fact::Unread } else { self.metadata.creation_timestamp.0.clone() };
        let of_pod = spec.security_context.unwrap_or_default();
        let kinds = [
            ("container", spec.containers.0),
            ("init", spec.init_containers.0),
            ("ephemeral", spec.ephemeral_containers.0),
        ];
        let containers = kinds.into_iter().flat_map(|(kind, containers)| {
            let (of_pod, component, status) = (&of_pod, component.as_str(), &status);
            containers.into_iter().map(move |one| {
                let name = one.name.0.clone();
                let mut container = container(one, kind, of_pod, component);
                // Whose command line is kept is a component's.
                if !container.environment_names.is_unread() {
                    container.started = status.started(&name);
                }
                container
            })
        });
        Some(Pod {
            name: full_name(&namespace, &short),
            created,
            owner_kind: fact(owner.map(|owner| owner.kind.0.clone())),
            mirror,
            service_account: text_fact(spec.service_account_name),
            automount_token: fact(spec.automount_service_account_token),
            host_network: spec.host_network.unwrap_or(false),
            host_pid: spec.host_pid.unwrap_or(false),
            host_ipc: spec.host_ipc.unwrap_or(false),
            host_paths: spec.volumes.0.into_iter().filter_map(|volume| Some(volume.host_path?.path.0)).collect(),
            containers: containers.collect(),
            phase: text_fact(status.phase),
            component,
            namespace,
            node,
        })
    }
}

/// Whether a pod with the annotation of a mirror pod is one, as far as the object tells: controlled by the node that it
/// runs on and named after it, as the kubelet makes them.
///
/// Who can forge that: kubelets, for their own node alone (NodeRestriction holds them to it), and whoever may create
/// pods in the namespace and set these fields, until the kubelet of that node removes a mirror without a static pod.
/// What a forged one can pass for is narrowed by its node: see `components`.
fn is_mirror(meta: &Meta<Nothing, Labels<Mirror>>, name: &str, node: Option<&String>) -> bool {
    let (Some(owner), Some(node)) = (meta.controller(), node) else { return false };
    let named = name.strip_suffix(node.as_str()).is_some_and(|rest| rest.ends_with('-') && rest.len() > 1);
    owner.kind.0 == "Node" && owner.name.0 == *node && named
}

/// Which component a pod runs. Empty: none.
fn component(namespace: &str, mirror: bool, by_daemon_set: bool, containers: &[SlimContainer]) -> String {
    if namespace != "kube-system" || !(mirror || by_daemon_set) {
        return String::new();
    }
    let found = STATIC.iter().find(|component| {
        let may = mirror || **component == "kube-proxy";
        may && containers.iter().any(|container| starts(container, component))
    });
    found.map(|component| (*component).to_owned()).unwrap_or_default()
}

/// Whether a container starts this program. A shell that starts it in the end does not count: its flags are not seen.
fn starts(container: &SlimContainer, component: &str) -> bool {
    let command =
        container.command.words.first().or(container.args.words.first().filter(|word| !word.starts_with('-')));
    match command {
        Some(program) => basename(program) == component,
        // The image's own entry point.
        None => container.name.0 == component,
    }
}

fn container(seen: SlimContainer, kind: &str, of_pod: &Security, component: &str) -> Container {
    let keeps = kind == "container" && !component.is_empty() && starts(&seen, component);
    let cut = seen.command.cut || seen.args.cut;
    let secrets = seen
        .env
        .0
        .iter()
        .any(|variable| variable.value_from.as_ref().is_some_and(|from| from.secret_key_ref.is_some()));
    let command = || {
        let words: Vec<String> = seen.command.words.iter().chain(&seen.args.words).cloned().collect();
        redact::args(&words)
    };
    let own = seen.security_context.clone().unwrap_or_default();
    let capabilities = own.capabilities.unwrap_or_default();
    let profile = |security: &Security| {
        security.seccomp_profile.as_ref().and_then(|profile| profile.kind.clone()).filter(|kind| !kind.0.is_empty())
    };
    let host_process = |security: &Security| security.windows_options.as_ref().and_then(|windows| windows.host_process);
    Container {
        name: seen.name.0.clone(),
        kind: kind.to_owned(),
        image: text_fact(seen.image.clone()),
        privileged: fact(own.privileged),
        allow_privilege_escalation: fact(own.allow_privilege_escalation),
        run_as_non_root: fact(own.run_as_non_root.or(of_pod.run_as_non_root)),
        run_as_user: fact(own.run_as_user.or(of_pod.run_as_user)),
        capabilities_added: capability_names(capabilities.add),
        capabilities_dropped: capability_names(capabilities.drop),
        seccomp: text_fact(seen.security_context.as_ref().and_then(profile).or_else(|| profile(of_pod))),
        host_process: fact(seen.security_context.as_ref().and_then(host_process).or_else(|| host_process(of_pod))),
        host_ports: seen.ports.0.iter().filter_map(|port| port.host_port).filter(|port| *port != 0).collect(),
        secrets_in_environment: secrets || seen.env_from.0.iter().any(|source| source.secret_ref.is_some()),
        command: if keeps && !cut { Fact::Known(command()) } else { Fact::Unread },
        environment_names: if keeps {
            Fact::Known(seen.env.0.iter().map(|variable| variable.name.0.clone()).collect())
        } else {
            Fact::Unread
        },
        started: Fact::Unread,
    }
}

/// Capabilities as the kernel names them, without the prefix that some runtimes take: `SYS_ADMIN`.
fn capability_names(names: Many<Text, 256>) -> Vec<String> {
    let plain = |name: String| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_").map(str::to_owned).unwrap_or(name)
    };
    names.texts().into_iter().map(plain).collect()
}
