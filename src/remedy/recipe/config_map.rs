//! Settings that stand as a text in one of kubeadm's ConfigMaps: kube-proxy's own, and what an upgrade writes the kubelet's
//! file and the manifests of the control plane from.

use super::kube::place;
use super::static_flag::Flag;
use super::static_pod::{Mount, StaticPodOp};
use super::{About, KubeOp, NodeOp, audit, static_pod};
use crate::evidence::{ClusterEvidence, Evidence, Fact, NodeEvidence, platform_of};
use crate::kubeapi::ObjectPlace;
use crate::remedy::edit::extra_args::{extra_arg, set_extra_arg};
use crate::remedy::edit::extra_volumes::{Volume, add_volume};
use crate::remedy::edit::manifest_flag::HostPathKind;
use crate::remedy::edit::yaml::{get_path, remove_path, set_path};
use crate::remedy::plan::{Plan, Refusal, Work};
use crate::store::{Entry, Outcome, Store};
use serde_json::Value as Json;

/// A ConfigMap of the namespace `kube-system` with a text that kubeadm writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// kube-proxy's configuration: what its pods run with.
    KubeProxy,
    /// The kubelet's configuration, from which kubeadm writes its file at an upgrade and where a node joins.
    Kubelet,
    /// kubeadm's configuration of the cluster, from which it writes the manifests of the control plane.
    Cluster,
}

/// One setting in such a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextOp {
    /// Where it stands.
    pub(in crate::remedy) held: Held,
    edit: Edit,
}

/// What becomes of the text.
#[derive(Debug, Clone, PartialEq)]
enum Edit {
    /// A value at a path with dots.
    Set { path: String, value: Json },
    /// A flag of a component in its `extraArgs`. `given`: what the component was started with when it was seen.
    Flag { component: String, flag: String, setting: Flag, given: Option<String> },
    /// A file or folder of the node that the API server sees.
    Volume(Mount),
}

/// The version in which `extraArgs` is a map; it is a list later.
const OF_MAPS: &str = "kubeadm.k8s.io/v1beta3";

/// What else a value means: sentences for the person.
const MEANS: [(&str, &str); 1] = [(
    "metricsBindAddress",
    "What reads kube-proxy's metrics from another machine (Prometheus, for one) gets no answer any more",
)];

impl Held {
    /// The ConfigMap.
    pub(in crate::remedy) fn place(self) -> ObjectPlace {
        let name = match self {
            Held::KubeProxy => "kube-proxy",
            Held::Kubelet => "kubelet-config",
            Held::Cluster => "kubeadm-config",
        };
        place("", "ConfigMap", "configmaps", Some("kube-system"), name)
    }

    /// The key under which the text stands.
    pub(in crate::remedy) fn key(self) -> &'static str {
        match self {
            Held::KubeProxy => "config.conf",
            Held::Kubelet => "kubelet",
            Held::Cluster => "ClusterConfiguration",
        }
    }

    /// The kind of document that it is, and the versions of it that are known here.
    fn document(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Held::KubeProxy => ("KubeProxyConfiguration", &["kubeproxy.config.k8s.io/v1alpha1"]),
            Held::Kubelet => ("KubeletConfiguration", &["kubelet.config.k8s.io/v1beta1"]),
            Held::Cluster => ("ClusterConfiguration", &[OF_MAPS, "kubeadm.k8s.io/v1beta4"]),
        }
    }

    /// The DaemonSet whose pods run with it, and are made anew when it changes.
    pub(in crate::remedy) fn runs(self) -> Option<ObjectPlace> {
        match self {
            Held::KubeProxy => Some(place("apps", "DaemonSet", "daemonsets", Some("kube-system"), "kube-proxy")),
            Held::Kubelet | Held::Cluster => None,
        }
    }
}

impl TextOp {
    /// The text with the setting as it is to be; the same text where it is so already. Refused where the text is not surely
    /// the document that it should be.
    pub(in crate::remedy) fn edit(&self, text: &str) -> Result<String, Refusal> {
        let refuse = |error| Refusal::new(format!("{}: {error}", self.held.key()));
        let (kind, versions) = self.held.document();
        let said = |key: &str| match get_path(text, &[key]) {
            Ok(Some(Json::String(said))) => Ok(said),
            Ok(_) => Ok(String::new()),
            Err(error) => Err(refuse(error)),
        };
        let version = said("apiVersion")?;
        if said("kind")? != kind || !versions.contains(&version.as_str()) {
            return Err(Refusal::new(format!(
                "{} is no {kind} of a version that is known here ({}). Change it by hand",
                self.held.key(),
                versions.join(", ")
            )));
        }
        match &self.edit {
            Edit::Set { path, value } => {
                let parts: Vec<&str> = path.split('.').collect();
                set_path(text, &parts, value).map_err(refuse)
            }
            Edit::Volume(Mount { name, path, read_only, kind }) => {
                let volume = Volume { name, path, read_only: *read_only, kind: kind.name() };
                add_volume(text, &["apiServer", "extraVolumes"], &volume).map_err(refuse)
            }
            Edit::Flag { component, flag, setting, given } => {
                if component == "etcd" && get_path(text, &["etcd", "external"]).map_err(refuse)?.is_some() {
                    let words = "by it etcd is none of kubeadm's. Change it where etcd is started";
                    return Err(Refusal::new(format!("{}: {words}", self.held.key())));
                }
                let path = extra_args(component);
                let of_flag = [path, &[flag.as_str()]].concat();
                let maps = version == OF_MAPS;
                let now = match maps {
                    false => extra_arg(text, path, flag).map_err(refuse)?,
                    true => match get_path(text, &of_flag).map_err(refuse)? {
                        None => None,
                        Some(Json::String(now)) => Some(now),
                        Some(_) => {
                            let words = format!("{} is no text. Change it by hand", of_flag.join("."));
                            return Err(Refusal::new(format!("{}: {words}", self.held.key())));
                        }
                    },
                };
                // What is not said here comes from kubeadm itself: a list goes on from there.
                let base = now.as_ref().or(given.as_ref());
                match (setting.wanted(base.map(String::as_str)), maps) {
                    (wanted, _) if wanted == now || (now.is_none() && wanted == *given) => Ok(text.to_owned()),
                    (wanted, false) => set_extra_arg(text, path, flag, wanted.as_deref()).map_err(refuse),
                    (Some(value), true) => set_path(text, &of_flag, &Json::String(value)).map_err(refuse),
                    (None, true) => remove_path(text, &of_flag).map_err(refuse),
                }
            }
        }
    }

    /// What it does, in plain words.
    pub(in crate::remedy) fn in_words(&self) -> String {
        match &self.edit {
            Edit::Set { path, value } => format!("Set {path}: {value}"),
            Edit::Volume(mount) => format!("Mount {} for kube-apiserver", mount.path),
            Edit::Flag { component, flag, setting, .. } => match setting {
                Flag::Value(value) => format!("Set {flag}: {value} for {component}"),
                Flag::Gone => format!("Take {flag} of {component} out"),
                Flag::List { .. } => format!("Set {flag} for {component} as in its manifest"),
            },
        }
    }
}

/// Where the flags of a component stand in kubeadm's configuration.
fn extra_args(component: &str) -> &'static [&'static str] {
    match component {
        "kube-apiserver" => &["apiServer", "extraArgs"],
        "kube-controller-manager" => &["controllerManager", "extraArgs"],
        "kube-scheduler" => &["scheduler", "extraArgs"],
        _ => &["etcd", "local", "extraArgs"],
    }
}

/// The same in words: `, in apiServer.extraArgs`.
pub(super) fn extra_args_of(component: &str) -> String {
    format!(", in {}", extra_args(component).join("."))
}

/// Title of the plan by which an upgrade keeps what other plans change.
const KEEPS: &str = "What was changed on the nodes stays when kubeadm upgrades them";

/// Whether the ConfigMaps that kubeadm upgrades from can be changed from here.
pub(super) fn at_hand(evidence: &Evidence) -> bool {
    let of_kubeadm = |cluster: &ClusterEvidence| cluster.kubeadm_config == Fact::Known(true);
    platform_of(evidence).as_deref() == Some("kubeadm") && evidence.cluster.as_ref().is_some_and(of_kubeadm)
}

/// What a node is told of such a ConfigMap: that the plan after it changes it, or how that is done by hand.
pub(super) fn set_there(held: Held, path: &str, evidence: &Evidence) -> String {
    let name = held.place().name;
    if at_hand(evidence) {
        return format!(
            "ConfigMap kube-system/{name}: the plan for the cluster that comes after this one sets the same there{path}"
        );
    }
    format!(
        "ConfigMap kube-system/{name}: set the same there{path} (`kubectl -n kube-system edit configmap {name}`), else the upgrade \
         takes it back"
    )
}

/// The plan by which an upgrade keeps what a plan changes on a node of kubeadm. None where an upgrade would keep it anyway, or
/// where the cluster's ConfigMaps are out of reach.
pub(crate) fn kept(planned: &Plan, evidence: &Evidence) -> Option<Plan> {
    let Work::Node(ops) = &planned.work else { return None };
    let node = planned.node().and_then(|name| evidence.nodes.iter().find(|node| node.name == name));
    let mut notes = Vec::new();
    let mut texts = Vec::new();
    for op in ops {
        let (held, edits, who): (_, Vec<Edit>, _) = match op {
            NodeOp::Kubelet(op) => {
                let set = |(path, value): (&String, &Json)| Edit::Set { path: path.clone(), value: value.clone() };
                (Held::Kubelet, op.settings().map(set).collect(), "node")
            }
            NodeOp::StaticPod(op) => (Held::Cluster, of_pod(op, node), "control-plane node"),
            NodeOp::Encryption(op) => (Held::Cluster, of_pod(op.pod(), node), "control-plane node"),
            _ => continue,
        };
        let seen = edits.iter().filter_map(|edit| match edit {
            Edit::Volume(Mount { path, kind: HostPathKind::File, .. }) => Some(*path),
            _ => None,
        });
        notes.extend(seen.map(|path| {
            format!(
                "An API server of kubeadm does not start where {path} is not there: each control-plane node needs it before its next \
                 upgrade, and one that joins before it does"
            )
        }));
        notes.push(format!(
            "{} is one for every {who}: one that was not changed now gets it at its next upgrade by kubeadm, \
             and one that joins gets it at once",
            held.place().name
        ));
        texts.extend(edits.into_iter().map(|edit| KubeOp::Text(TextOp { held, edit })));
    }
    (at_hand(evidence) && !texts.is_empty()).then(|| Plan {
        controls: planned.controls.clone(),
        target: "cluster".to_owned(),
        title: KEEPS.to_owned(),
        work: Work::Cluster(texts),
        notes,
    })
}

/// The flags and mounts that a change of a static pod brings. What an audit log lacks is known by the manifest that was seen.
fn of_pod(op: &StaticPodOp, node: Option<&NodeEvidence>) -> Vec<Edit> {
    let given = |flag: &str| node.and_then(|node| given(node, op.component(), flag));
    let set = |(flag, setting): &(String, Flag)| Edit::Flag {
        component: op.component().to_owned(),
        flag: flag.clone(),
        setting: setting.clone(),
        given: given(flag),
    };
    let (flags, mounts) = if op.audits() { audit::lacks(given) } else { Default::default() };
    let flags = flags.into_iter().map(|(flag, value)| (flag.to_owned(), Flag::Value(value.to_owned())));
    let mut edits: Vec<Edit> = flags.collect::<Vec<_>>().iter().chain(op.flags()).map(set).collect();
    edits.extend(mounts.into_iter().chain(op.mounts().iter().cloned()).map(Edit::Volume));
    edits
}

/// What to know before an entry of a node is taken back: the entry of the cluster, made after it and still in force, by which
/// kubeadm's next upgrade would bring the same again. None where the journal has none.
pub(crate) fn kept_beyond(store: &Store, entry: &str) -> Option<String> {
    let entries = store.entries().ok()?;
    let at = entries.iter().position(|known| known.id == entry)?;
    let (own, later) = entries.get(at..)?.split_first()?;
    let keeps = |other: &&Entry| {
        other.title() == KEEPS
            && other.site() == own.site()
            && other.outcome() == Some(Outcome::Done)
            && other.undone_by.is_none()
            && other.controls().iter().any(|control| own.controls().contains(control))
    };
    let kept = &later.iter().find(keeps)?.id;
    Some(format!(
        "kubeadm's own ConfigMaps hold it too, since entry {kept}: its next upgrade brings it back to this node unless that entry is \
         taken back as well (sitewarden undo {kept}, with the cluster named)"
    ))
}

/// The value of a flag by the manifest that was seen.
fn given(node: &NodeEvidence, component: &str, flag: &str) -> Option<String> {
    let command = static_pod::of(node, component)?.static_pod.known()?.command.known()?;
    let of = |word: &String| word.strip_prefix("--")?.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned);
    command.iter().rev().find_map(of)
}

/// What is done for `kube-proxy-setting`, and what else it means.
pub(super) fn kube_proxy(path: &str, value: &Json, about: &About<'_>) -> Result<(TextOp, Vec<String>), Refusal> {
    let target = about.finding.target.trim_start_matches("node/");
    let Some(cluster) = about.evidence.cluster.as_ref() else {
        return Err(Refusal::new(format!(
            "{target}: kube-proxy is set in the ConfigMap kube-system/kube-proxy, which is changed over the cluster's API. Name the \
             cluster with --context"
        )));
    };
    if cluster.kube_proxy_config == Fact::Absent {
        return Err(Refusal::new(format!(
            "{target}: there is no ConfigMap kube-system/kube-proxy, so kube-proxy is set elsewhere: on k3s and RKE2 by `kube-proxy-arg` \
             in /etc/rancher/k3s/config.yaml or /etc/rancher/rke2/config.yaml of the node, else where its pod or its unit is made"
        )));
    }
    let args = about.node.and_then(|node| node.kube_proxy.process.known()?.args.known());
    if args.is_some_and(|args| !args.iter().any(|word| word == "--config" || word.starts_with("--config="))) {
        return Err(Refusal::new(format!(
            "{target}: the kube-proxy that runs there was started without --config, so that its flags decide and not the ConfigMap. \
             Change the flag where its pod or its unit is made"
        )));
    }
    let mut notes: Vec<String> =
        MEANS.iter().filter(|(of, _)| *of == path).map(|(_, means)| (*means).to_owned()).collect();
    notes.push("It is one setting for the kube-proxy of every node. kubeadm keeps it at an upgrade".to_owned());
    let edit = Edit::Set { path: path.to_owned(), value: value.clone() };
    Ok((TextOp { held: Held::KubeProxy, edit }, notes))
}

/// Whether a DaemonSet's pods surely run with the text under `key` of the ConfigMap `map`: a container of the set's own name
/// is started with `--config=` the file at which a volume of the ConfigMap shows that key.
pub(in crate::remedy) fn runs_with(set: &Json, map: &str, key: &str) -> bool {
    let spec = set.pointer("/spec/template/spec");
    let list = |of: Option<&Json>, name: &str| of.and_then(|of| of.get(name)?.as_array().cloned()).unwrap_or_default();
    let text = |of: &Json, pointer: &str| of.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let volumes: Vec<String> = list(spec, "volumes")
        .iter()
        .filter(|volume| text(volume, "/configMap/name").as_deref() == Some(map))
        // Items would show the key under another name, or not at all.
        .filter(|volume| volume.pointer("/configMap/items").is_none())
        .filter_map(|volume| text(volume, "/name"))
        .collect();
    let containers = list(spec, "containers");
    let own = text(set, "/metadata/name");
    let Some(container) = containers.iter().find(|container| text(container, "/name") == own) else { return false };
    let files: Vec<String> = list(Some(container), "volumeMounts")
        .iter()
        .filter(|mount| text(mount, "/name").is_some_and(|name| volumes.contains(&name)))
        .filter(|mount| mount.get("subPath").is_none() && mount.get("subPathExpr").is_none())
        .filter_map(|mount| text(mount, "/mountPath"))
        .map(|folder| format!("{}/{key}", folder.trim_end_matches('/')))
        .collect();
    let words = [list(Some(container), "command"), list(Some(container), "args")].concat();
    let configs: Vec<&str> =
        words.iter().filter_map(Json::as_str).filter(|word| word.starts_with("--config")).collect();
    matches!(configs.as_slice(), [one] if one.strip_prefix("--config=").is_some_and(|path| files.iter().any(|file| file == path)))
}

#[cfg(test)]
#[path = "config_map_tests.rs"]
mod tests;
