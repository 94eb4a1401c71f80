//! Who owns what: which kinds of change last on which platform. What an image replacement takes away, or a controller writes
//! anew, is not offered; the sentence says what to use instead.

use crate::evidence::effective::is_moc_name;
use crate::evidence::{Evidence, Fact, NodeEvidence, platform_of};

/// Kinds of change, as platforms tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Files of a node, their modes and owners, its packages and services.
    Files,
    /// Settings of a node's sshd.
    Sshd,
    /// Settings of a node's kubelet.
    Kubelet,
    /// Flags of the control plane's static pods.
    StaticPod,
    /// Settings of kube-proxy, where a ConfigMap of the cluster has them.
    KubeProxy,
    /// Objects in the cluster that no controller of the platform writes.
    Objects,
}

const NODE: &[Kind] = &[Kind::Files, Kind::Sshd, Kind::Kubelet, Kind::StaticPod];
const COMPONENTS: &[Kind] = &[Kind::Kubelet, Kind::StaticPod, Kind::KubeProxy];

/// What does not last on a platform.
struct Row {
    /// Id of the platform.
    platform: &'static str,
    /// Kinds of change that are refused.
    refused: &'static [Kind],
    /// Why, as a clause.
    why: &'static str,
    /// What to do instead, a sentence without its full stop. GROUP and CLUSTER are filled where they are known.
    instead: &'static str,
}

const fn row(platform: &'static str, refused: &'static [Kind], why: &'static str, instead: &'static str) -> Row {
    Row { platform, refused, why, instead }
}

const AKS_ARC: &str =
    "on AKS on Azure Local a node is replaced at the next upgrade, and a change of its files is lost then";
const AKS: &str = "AKS replaces its nodes with new images, and a change of their files is lost then";
const EKS: &str = "EKS replaces its nodes with new images, and a change of their files is lost then";
const GKE: &str = "GKE replaces its nodes with new images, and a change of their files is lost then";
const OPENSHIFT: &str = "the operators of OpenShift own this and put it back";
/// For who cannot set where kube-proxy shows its metrics.
const PORT: &str = "Restrict port 10249 of the nodes at the firewall in front of them, and ask the vendor's support";
const TALOS: &str = "Talos has no files that could be changed to last";

/// The first row that fits decides; what stands in none may be offered.
const ROWS: [Row; 28] = [
    row(
        "aks-arc",
        &[Kind::Sshd],
        AKS_ARC,
        "From where SSH is allowed is said when the cluster is created (`az aksarc create --help | grep ssh` names the option of \
         your version); for one that runs, restrict port 22 of its nodes at the firewall in front of them",
    ),
    row(
        "aks-arc",
        NODE,
        AKS_ARC,
        "Bring the nodes to the vendor's newest image: `az aksarc get-upgrades --resource-group GROUP --name CLUSTER`, then \
         `az aksarc upgrade --resource-group GROUP --name CLUSTER --kubernetes-version VERSION`; what still fails then is for \
         Microsoft's support",
    ),
    row(
        "aks-edge-essentials",
        NODE,
        "AKS Edge Essentials owns its node's virtual machine, and an update of it replaces the system",
        "Bring the node up to date with the AksEdge PowerShell module on the Windows host (`Get-Command -Module AksEdge` lists \
         its commands) and set what it lets you set in the deployment's configuration file; what still fails then is for \
         Microsoft's support",
    ),
    row(
        "aks",
        &[Kind::Sshd],
        AKS,
        "`az aks update --resource-group GROUP --name CLUSTER --ssh-access disabled` turns SSH off for all nodes",
    ),
    row(
        "aks",
        &[Kind::Kubelet],
        AKS,
        "A node pool takes settings when it is made: `az aks nodepool add --kubelet-config FILE --resource-group GROUP \
         --cluster-name CLUSTER --name POOL`",
    ),
    row("aks", &[Kind::StaticPod], "Azure runs the control plane", "Ask Azure's support"),
    row(
        "aks",
        &[Kind::Files],
        AKS,
        "`az aks nodepool upgrade --node-image-only --resource-group GROUP --cluster-name CLUSTER --name POOL` brings the newest \
         image",
    ),
    row("eks", &[Kind::StaticPod], "Amazon runs the control plane", "Ask Amazon's support"),
    row(
        "eks",
        NODE,
        EKS,
        "Put it into the launch template of the node group (a NodeConfig for the kubelet), then \
         `aws eks update-nodegroup-version --cluster-name CLUSTER --nodegroup-name NODEGROUP`",
    ),
    row("gke", &[Kind::StaticPod], "Google runs the control plane", "Ask Google's support"),
    row(
        "gke",
        NODE,
        GKE,
        "`gcloud container node-pools update POOL --cluster CLUSTER --system-config-from-file FILE` sets what GKE lets you set",
    ),
    row(
        "openshift",
        &[Kind::Kubelet],
        OPENSHIFT,
        "Make a KubeletConfig object for the machine config pool: `oc create -f FILE`",
    ),
    row(
        "openshift",
        &[Kind::StaticPod],
        OPENSHIFT,
        "Change the operator's object: `oc edit apiserver cluster` for the API server",
    ),
    row(
        "openshift",
        NODE,
        OPENSHIFT,
        "Make a MachineConfig object with the file for the machine config pool: `oc create -f FILE`",
    ),
    row(
        "talos",
        NODE,
        TALOS,
        "Change the machine configuration: `talosctl -n NODE patch machineconfig --patch @FILE` (machine.kubelet.extraConfig, \
         cluster.apiServer.extraArgs and the like)",
    ),
    row(
        "k3s",
        &[Kind::KubeProxy],
        "k3s runs kube-proxy within itself",
        "Put `kube-proxy-arg: [\"NAME=VALUE\"]` into /etc/rancher/k3s/config.yaml of the node and restart k3s or k3s-agent",
    ),
    row(
        "k0s",
        COMPONENTS,
        "k0s writes the components' configuration anew whenever it starts",
        "Change the cluster's configuration: spec.workerProfiles for the kubelet, spec.api.extraArgs, \
         spec.controllerManager.extraArgs, spec.scheduler.extraArgs and spec.network.kubeProxy of /etc/k0s/k0s.yaml on the \
         controllers, then restart k0scontroller",
    ),
    row(
        "microk8s",
        COMPONENTS,
        "MicroK8s starts the components from files of arguments",
        "Put the flag into /var/snap/microk8s/current/args/ (kubelet, kube-apiserver, ...) on the node, then `snap restart microk8s`",
    ),
    row(
        "rke1",
        COMPONENTS,
        "RKE makes the components' containers anew from cluster.yml",
        "Put it under `services:` of cluster.yml (extra_args), then `rke up`",
    ),
    row(
        "rke2",
        &[Kind::KubeProxy],
        "RKE2 starts kube-proxy with flags of its own making",
        "Put `kube-proxy-arg: [\"NAME=VALUE\"]` into /etc/rancher/rke2/config.yaml of the node and restart its rke2-server or \
         rke2-agent",
    ),
    row("aks-arc", &[Kind::KubeProxy], "AKS on Azure Local brings kube-proxy itself", PORT),
    row("aks-edge-essentials", &[Kind::KubeProxy], "AKS Edge Essentials brings kube-proxy itself", PORT),
    row("aks", &[Kind::KubeProxy], "AKS brings kube-proxy itself and puts it back", PORT),
    row(
        "eks",
        &[Kind::KubeProxy],
        "on EKS kube-proxy is an add-on that Amazon keeps",
        "`aws eks describe-addon-configuration --addon-name kube-proxy --addon-version VERSION` shows what it lets you set; \
         else restrict port 10249 of the nodes by their security group",
    ),
    row("gke", &[Kind::KubeProxy], "GKE brings kube-proxy itself and puts it back", PORT),
    row(
        "openshift",
        &[Kind::KubeProxy],
        OPENSHIFT,
        "Change the operator's object: `oc edit network.operator cluster` (spec.kubeProxyConfig)",
    ),
    row(
        "talos",
        &[Kind::KubeProxy],
        "Talos writes kube-proxy's manifest from its machine configuration",
        "Put the flag into cluster.proxy.extraArgs: `talosctl -n NODE patch machineconfig --patch @FILE`, then \
         `talosctl upgrade-k8s` to the version that runs",
    ),
    row(
        "minikube",
        COMPONENTS,
        "minikube makes its node anew from its own configuration",
        "`minikube start --extra-config=COMPONENT.NAME=VALUE`",
    ),
];

/// Why a kind of change is not offered on a platform, and what to do instead: a sentence. None where it may be offered, which
/// goes for every platform that is not known here.
pub fn refused(platform: &str, kind: Kind) -> Option<String> {
    let row = ROWS.iter().find(|row| row.platform == platform && row.refused.contains(&kind))?;
    Some(format!("{}. {}", row.why, row.instead))
}

/// The same for a node of a site, whose platform is told by its cluster's API, else by what the node itself shows. Names of the
/// cluster in Azure are filled in where they are known.
pub(super) fn refused_at(evidence: &Evidence, node: Option<&NodeEvidence>, kind: Kind) -> Option<String> {
    let by_api = platform_of(evidence);
    let by_node = node.and_then(shown);
    let sentence = by_api.as_deref().into_iter().chain(by_node).find_map(|platform| refused(platform, kind))?;
    let azure = by_api.as_deref().is_some_and(|platform| platform.starts_with("aks"));
    let identity = evidence.cluster.as_ref().map(|cluster| &cluster.arc.identity).filter(|_| azure);
    Some(match identity {
        Some(identity) => filled(sentence, &identity.resource_group, &identity.name),
        None => sentence,
    })
}

fn filled(sentence: String, group: &Fact<String>, cluster: &Fact<String>) -> String {
    // What comes from a cluster ends in a command that a person copies.
    let name = |fact: &Fact<String>| {
        let fits = |text: &&String| {
            !text.is_empty()
                && !text.starts_with('-')
                && text.len() <= 90
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        fact.known().filter(fits).cloned()
    };
    let mut sentence = sentence;
    for (word, fact) in [("GROUP", group), ("CLUSTER", cluster)] {
        if let Some(name) = name(fact) {
            sentence = sentence.replace(word, &name);
        }
    }
    sentence
}

/// The platform that a node shows by itself: by its system, by its name where AKS on Azure Local gave it, by what runs the
/// components.
fn shown(node: &NodeEvidence) -> Option<&'static str> {
    const SYSTEMS: [(&str, &str); 3] = [("rhcos", "openshift"), ("talos", "talos"), ("cos", "gke")];
    let system = node.os.id.known();
    let by_system = SYSTEMS.iter().find(|(id, _)| system.is_some_and(|system| system == id));
    let moc = node.identity.hostname.known().is_some_and(|name| is_moc_name(name));
    // k3s on Microsoft's own Linux is what AKS Edge Essentials is made of.
    let edge = system.is_some_and(|system| system == "mariner" || system == "azurelinux");
    let runs = || distribution(node).map(|id| if id == "k3s" && edge { "aks-edge-essentials" } else { id });
    by_system.map(|(_, platform)| *platform).or_else(|| moc.then_some("aks-arc")).or_else(runs)
}

/// The distribution that runs the components in a way of its own.
pub(super) fn distribution(node: &NodeEvidence) -> Option<&'static str> {
    const UNITS: [(&str, &str); 5] =
        [("k3s", "k3s"), ("rke2", "rke2"), ("k0s", "k0s"), ("snap.microk8s", "microk8s"), ("snap.kubelet", "microk8s")];
    const FOLDERS: [(&str, &str); 2] = [("/var/lib/rancher/rke2/", "rke2"), ("/var/lib/rancher/k3s/", "k3s")];
    let components =
        [&node.kubelet, &node.kube_apiserver, &node.kube_controller_manager, &node.kube_scheduler, &node.etcd];
    let beginning = |text: &str, table: &[(&str, &'static str)]| {
        table.iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, id)| *id)
    };
    components.into_iter().find_map(|component| {
        let process = component.process.known();
        let unit = process.and_then(|process| process.unit.known());
        let manifest = component.static_pod.known().map(|pod| &pod.path);
        let exe = process.and_then(|process| process.exe.known());
        unit.and_then(|unit| beginning(unit, &UNITS))
            .or_else(|| manifest.into_iter().chain(exe).find_map(|path| beginning(path, &FOLDERS)))
    })
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
