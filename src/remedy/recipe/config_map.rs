//! Settings that stand as a text in one of kubeadm's ConfigMaps: kube-proxy's own, and what an upgrade writes the kubelet's
//! file and the manifests of the control plane from.

use super::About;
#[cfg(test)]
use super::KubeOp;
use super::kube::place;
use crate::evidence::{Fact, Reading, Value};
use crate::kubeapi::ObjectPlace;
use crate::remedy::edit::yaml::{get_path, set_path};
use crate::remedy::plan::Refusal;
use serde_json::Value as Json;

/// A ConfigMap of the namespace `kube-system` with a text that kubeadm writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// kube-proxy's configuration: what its pods run with.
    KubeProxy,
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
}

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
        };
        place("", "ConfigMap", "configmaps", Some("kube-system"), name)
    }

    /// The key under which the text stands.
    pub(in crate::remedy) fn key(self) -> &'static str {
        match self {
            Held::KubeProxy => "config.conf",
        }
    }

    /// The kind of document that it is, and the versions of it that are known here.
    fn document(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Held::KubeProxy => ("KubeProxyConfiguration", &["kubeproxy.config.k8s.io/v1alpha1"]),
        }
    }

    /// The DaemonSet whose pods run with it, and are made anew when it changes.
    pub(in crate::remedy) fn runs(self) -> Option<ObjectPlace> {
        match self {
            Held::KubeProxy => Some(place("apps", "DaemonSet", "daemonsets", Some("kube-system"), "kube-proxy")),
        }
    }
}

impl TextOp {
    /// The text with the setting as it is to be; the same text where it is so already. Refused where the text is not surely
    /// the document that it should be.
    pub(in crate::remedy) fn edit(&self, text: &str) -> Result<String, Refusal> {
        let refuse = |error| Refusal::new(format!("{}: {error}", self.whereabouts()));
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
                self.whereabouts(),
                versions.join(", ")
            )));
        }
        match &self.edit {
            Edit::Set { path, value } => {
                let parts: Vec<&str> = path.split('.').collect();
                set_path(text, &parts, value).map_err(refuse)
            }
        }
    }

    fn whereabouts(&self) -> String {
        format!("ConfigMap kube-system/{}, {}", self.held.place().name, self.held.key())
    }

    /// What it does, in plain words.
    pub(in crate::remedy) fn in_words(&self) -> String {
        match &self.edit {
            Edit::Set { path, value } => format!("Set {path}: {value}"),
        }
    }
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
    let flag = about.node.map(|node| Reading::of_node(node).at("kube_proxy.flags.config").value);
    if matches!(flag, Some(Value::Absent)) {
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
