//! Pods and containers by what they may do to their node: one list for each thing, of those alone that may do it.
//!
//! What has ended is left out. What belongs to the platform is told apart by its namespace; of Microsoft Defender alone its
//! collector, where it is really that one.

use super::super::super::{ClusterEvidence, Fact, Reading, Value};
use super::super::{Shape, gap_at};
use super::control_plane::is_static;
use super::listed::{Derived, gap_of, text, truth};
use super::system::{Whose, pod_owner};
use crate::evidence::cluster::{Container, Pod};
use std::collections::{BTreeMap, BTreeSet};

/// A list below `pod_risks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Risk {
    Privileged,
    HostPid,
    HostIpc,
    HostNetwork,
    Escalation,
    Root,
    NetRaw,
    Capabilities,
    HostProcess,
    HostPaths,
    HostPorts,
    SecretsInEnvironment,
    NoSeccomp,
    NoSecurityContext,
    DefaultToken,
}

/// All of them, with their names. In the order of the enum.
const RISKS: [(Risk, &str); 15] = [
    (Risk::Privileged, "privileged"),
    (Risk::HostPid, "host_pid"),
    (Risk::HostIpc, "host_ipc"),
    (Risk::HostNetwork, "host_network"),
    (Risk::Escalation, "escalation"),
    (Risk::Root, "root"),
    (Risk::NetRaw, "net_raw"),
    (Risk::Capabilities, "capabilities"),
    (Risk::HostProcess, "host_process"),
    (Risk::HostPaths, "host_paths"),
    (Risk::HostPorts, "host_ports"),
    (Risk::SecretsInEnvironment, "secrets_in_environment"),
    (Risk::NoSeccomp, "no_seccomp"),
    (Risk::NoSecurityContext, "no_security_context"),
    (Risk::DefaultToken, "default_token"),
];

/// Whether a pod may do something.
enum May {
    Yes(String),
    No,
    /// What decides was not read: the path below the pod.
    Unread(String),
}

/// Facts about the cluster that pods are judged by.
struct Around<'e> {
    platform: Option<&'e str>,
    root: &'e Reading,
    windows: BTreeSet<&'e str>,
    /// `automountServiceAccountToken` of the account `default`, by namespace.
    default_mounts: BTreeMap<&'e str, &'e Fact<bool>>,
    accounts_complete: bool,
}

/// The tree `pod_risks`.
pub(super) fn reading(cluster: &ClusterEvidence, root: &Reading, platform: Option<&str>) -> Reading {
    let is_windows = |node: &&crate::evidence::cluster::KubeNode| {
        node.operating_system.known().is_some_and(|system| system == "windows")
    };
    let around = Around {
        platform,
        root,
        windows: cluster.nodes.items.iter().filter(is_windows).map(|node| node.name.as_str()).collect(),
        default_mounts: cluster
            .service_accounts
            .items
            .iter()
            .filter(|account| account.account == "default")
            .map(|account| (account.namespace.as_str(), &account.automount_token))
            .collect(),
        accounts_complete: cluster.service_accounts.complete,
    };
    let mut lists: [Derived; RISKS.len()] = Default::default();
    for (place, pod) in cluster.pods.items.iter().enumerate() {
        if pod.phase.known().is_some_and(|phase| phase == "Succeeded" || phase == "Failed") {
            continue;
        }
        let one = One { pod, place, around: &around };
        for ((risk, _), list) in RISKS.iter().zip(&mut lists) {
            one.ask(*risk, list);
        }
    }
    let gap = gap_of(&cluster.pods, root, "pods");
    let lists = RISKS.iter().zip(lists).map(|((_, name), list)| (*name, list.done(gap.clone())));
    Reading::map(lists.collect::<Vec<_>>())
}

/// The shape of `pod_risks`.
pub(super) fn shape() -> Shape {
    let fields = ["name", "namespace", "container", "platform", "reason", "risk", "what"];
    let list = || Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))));
    Shape::Map(RISKS.iter().map(|(_, name)| ((*name).to_owned(), list())).collect())
}

/// One pod.
struct One<'e> {
    pod: &'e Pod,
    /// Its place in the evidence.
    place: usize,
    around: &'e Around<'e>,
}

impl One<'_> {
    fn ask(&self, risk: Risk, list: &mut Derived) {
        let pod = self.pod;
        let yes = |what: &str| May::Yes(what.to_owned());
        let if_so = |truth: bool, what: &str| if truth { yes(what) } else { May::No };
        match risk {
            Risk::HostPid => self.put(risk, None, if_so(pod.host_pid, "hostPID"), list),
            Risk::HostIpc => self.put(risk, None, if_so(pod.host_ipc, "hostIPC"), list),
            Risk::HostNetwork => self.put(risk, None, if_so(pod.host_network, "hostNetwork"), list),
            Risk::HostPaths => {
                let paths = pod.host_paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
                self.put(risk, None, if pod.host_paths.is_empty() { May::No } else { May::Yes(paths) }, list);
            }
            Risk::DefaultToken => self.put(risk, None, self.default_token(), list),
            _ => {
                for (number, container) in pod.containers.iter().enumerate() {
                    self.put(risk, Some(container), self.of_container(risk, container, number), list);
                }
            }
        }
    }

    fn put(&self, risk: Risk, container: Option<&Container>, may: May, list: &mut Derived) {
        let (state, what) = match may {
            May::No => return,
            May::Yes(what) => (truth(true), what),
            May::Unread(path) => {
                let gap = gap_at(self.around.root, &path);
                (Reading::new(Value::Unread(gap)), String::new())
            }
        };
        let whose = pod_owner(self.pod, reaches_the_node(risk), self.around.platform);
        let reason = match whose {
            Whose::Of(of) => format!("belongs to {of}"),
            Whose::Own | Whose::Unclear => String::new(),
        };
        let platform = match whose {
            Whose::Of(_) => truth(true),
            Whose::Own => truth(false),
            Whose::Unclear => Reading::new(Value::Unread(gap_at(self.around.root, "platform.id"))),
        };
        let item = || {
            let container_name = container.map(|container| container.name.as_str()).unwrap_or_default();
            let name = match container {
                Some(container) => format!("{} {}", self.pod.name, container.name),
                None => self.pod.name.clone(),
            };
            Reading::map([
                ("name", text(name)),
                ("namespace", text(self.pod.namespace.as_str())),
                ("container", text(container_name)),
                ("platform", platform),
                ("reason", text(reason)),
                ("risk", state),
                ("what", text(what)),
            ])
        };
        match whose {
            Whose::Of(_) => list.settled(item),
            Whose::Own | Whose::Unclear => list.open(item),
        }
    }

    fn path(&self, number: usize, field: &str) -> String {
        format!("pods.{}.containers.{number}.{field}", self.place)
    }

    fn of_container(&self, risk: Risk, container: &Container, number: usize) -> May {
        let yes = |what: &str| May::Yes(what.to_owned());
        let on_windows = self.pod.node.known().is_some_and(|node| self.around.windows.contains(node.as_str()));
        let linux_only =
            [Risk::Privileged, Risk::Escalation, Risk::NetRaw, Risk::Capabilities, Risk::NoSeccomp, Risk::Root];
        if on_windows && linux_only.contains(&risk) {
            return May::No;
        }
        let flag = |fact: &Fact<bool>, unset: bool, field: &str, what: &str| match fact {
            Fact::Known(true) => yes(what),
            Fact::Known(false) => May::No,
            Fact::Absent if unset => May::Yes(format!("{what} is not set")),
            Fact::Absent => May::No,
            Fact::Unread => May::Unread(self.path(number, field)),
        };
        let dropped =
            |name: &str| container.capabilities_dropped.iter().any(|found| bare(found) == name || bare(found) == "ALL");
        let added =
            |name: &str| container.capabilities_added.iter().any(|found| bare(found) == name || bare(found) == "ALL");
        match risk {
            Risk::Privileged => flag(&container.privileged, false, "privileged", "privileged"),
            Risk::HostProcess => flag(&container.host_process, false, "host_process", "hostProcess"),
            Risk::Escalation => flag(
                &container.allow_privilege_escalation,
                true,
                "allow_privilege_escalation",
                "allowPrivilegeEscalation",
            ),
            Risk::Root => self.root(container, number),
            Risk::NetRaw if dropped("NET_RAW") && !added("NET_RAW") => May::No,
            Risk::NetRaw => yes("NET_RAW is not dropped"),
            Risk::Capabilities => {
                let extra: Vec<&str> = container
                    .capabilities_added
                    .iter()
                    .map(|one| bare(one))
                    .filter(|one| *one != "NET_BIND_SERVICE")
                    .collect();
                match (dropped("ALL"), extra.is_empty()) {
                    (true, true) => May::No,
                    (_, false) => {
                        May::Yes(format!("adds {}", extra.into_iter().take(8).collect::<Vec<_>>().join(", ")))
                    }
                    (false, true) => yes("ALL is not dropped"),
                }
            }
            Risk::HostPorts if container.host_ports.is_empty() => May::No,
            Risk::HostPorts => {
                let ports: Vec<String> = container.host_ports.iter().take(8).map(i64::to_string).collect();
                May::Yes(format!("port {}", ports.join(", ")))
            }
            Risk::SecretsInEnvironment if container.secrets_in_environment => yes("from a Secret"),
            Risk::SecretsInEnvironment => May::No,
            Risk::NoSeccomp => match &container.seccomp {
                Fact::Known(kind) if kind == "RuntimeDefault" || kind == "Localhost" => May::No,
                Fact::Known(_) => yes("Unconfined"),
                Fact::Absent => yes("not set"),
                Fact::Unread => May::Unread(self.path(number, "seccomp")),
            },
            Risk::NoSecurityContext => self.no_security_context(container, number),
            Risk::HostPid | Risk::HostIpc | Risk::HostNetwork | Risk::HostPaths | Risk::DefaultToken => May::No,
        }
    }

    /// Whether a container may run as root: neither a user nor a promise keeps it from that.
    fn root(&self, container: &Container, number: usize) -> May {
        match (&container.run_as_non_root, &container.run_as_user) {
            (Fact::Known(true), _) => May::No,
            (_, Fact::Known(0)) => May::Yes("runs as user 0".to_owned()),
            (_, Fact::Known(_)) => May::No,
            (Fact::Unread, _) => May::Unread(self.path(number, "run_as_non_root")),
            (_, Fact::Unread) => May::Unread(self.path(number, "run_as_user")),
            (_, Fact::Absent) => May::Yes("the image decides".to_owned()),
        }
    }

    /// Whether nothing at all is set for a container.
    fn no_security_context(&self, container: &Container, number: usize) -> May {
        let facts = [
            (container.privileged.is_unread(), container.privileged.known().is_some(), "privileged"),
            (
                container.allow_privilege_escalation.is_unread(),
                container.allow_privilege_escalation.known().is_some(),
                "allow_privilege_escalation",
            ),
            (container.run_as_non_root.is_unread(), container.run_as_non_root.known().is_some(), "run_as_non_root"),
            (container.run_as_user.is_unread(), container.run_as_user.known().is_some(), "run_as_user"),
            (container.seccomp.is_unread(), container.seccomp.known().is_some(), "seccomp"),
            (container.host_process.is_unread(), container.host_process.known().is_some(), "host_process"),
        ];
        let capabilities = !container.capabilities_added.is_empty() || !container.capabilities_dropped.is_empty();
        if capabilities || facts.iter().any(|(_, known, _)| *known) {
            return May::No;
        }
        match facts.iter().find(|(unread, ..)| *unread) {
            Some((.., field)) => May::Unread(self.path(number, field)),
            None => May::Yes("nothing is set".to_owned()),
        }
    }

    /// Whether the pod runs as the namespace's default account and gets its token.
    fn default_token(&self) -> May {
        let pod = self.pod;
        match &pod.service_account {
            Fact::Known(account) if account != "default" => return May::No,
            Fact::Unread => return May::Unread(format!("pods.{}.service_account", self.place)),
            Fact::Known(_) | Fact::Absent => {}
        }
        // A static pod gets no token.
        if is_static(pod) {
            return May::No;
        }
        let yes = || May::Yes("the token of the account default is mounted".to_owned());
        match &pod.automount_token {
            Fact::Known(true) => yes(),
            Fact::Known(false) => May::No,
            Fact::Unread => May::Unread(format!("pods.{}.automount_token", self.place)),
            Fact::Absent => match self.around.default_mounts.get(pod.namespace.as_str()) {
                Some(Fact::Known(false)) => May::No,
                Some(Fact::Known(true) | Fact::Absent) => yes(),
                Some(Fact::Unread) => May::Unread("service_accounts".to_owned()),
                None if self.around.accounts_complete => yes(),
                None => May::Unread("service_accounts".to_owned()),
            },
        }
    }
}

/// A capability without its prefix.
fn bare(capability: &str) -> &str {
    capability.strip_prefix("CAP_").unwrap_or(capability)
}

/// Whether a risk is one of the ways from a container to its node.
fn reaches_the_node(risk: Risk) -> bool {
    !matches!(risk, Risk::SecretsInEnvironment | Risk::NoSecurityContext | Risk::DefaultToken)
}

#[cfg(test)]
#[path = "pods_tests.rs"]
mod tests;
