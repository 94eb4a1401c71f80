//! The platforms that are recognised, and by what. Data: order, weights and exceptions are all here.
//!
//! Sources: Microsoft's own heuristic (azure-cli-extensions, `connectedk8s`, `get_kubernetes_distro`), the documentation of
//! AKS on Azure Local and AKS Edge Essentials, cluster-api-provider-azurestackhci, and public lists of nodes. What only the
//! name of a node or of its system says weighs little, since anybody can choose it.

/// What a platform shows itself by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The API server's version holds this text.
    Version(&'static str),
    /// The host of the API server's URL ends so.
    Server(&'static str),
    /// A CustomResourceDefinition of this name.
    CustomResource(&'static str),
    /// A CSIDriver of this name.
    CsiDriver(&'static str),
    /// The ConfigMap `kube-system/kubeadm-config`.
    KubeadmConfig,
    /// The ConfigMap `aksedge/aksedge`.
    AksEdgeConfig,
    /// A static pod whose `NAMESPACE/NAME` begins so.
    StaticPod(&'static str),
    /// A node's label of this name.
    Label(&'static str),
    /// A node's label with this value.
    LabelIs(&'static str, &'static str),
    /// A node's annotation of this name.
    Annotation(&'static str),
    /// A node's annotation with one of these values.
    AnnotationIn(&'static str, &'static [&'static str]),
    /// A node's provider id begins so.
    Provider(&'static str),
    /// A node's kubelet version holds this text.
    Kubelet(&'static str),
    /// A node's osImage begins so.
    OsImage(&'static str),
    /// A node's kernel version ends so.
    Kernel(&'static str),
    /// A node's name is as AKS on Azure Local makes them: `moc-`, then `l`, `w` or `u`, then ten letters or digits.
    MocName,
    /// A node's name ends in one of these.
    NameEnds(&'static [&'static str]),
}

/// How much a sign says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Enough by itself.
    Strong,
    /// Enough with another.
    Medium,
    /// Only adds.
    Weak,
}

impl Weight {
    /// Points.
    pub(super) fn points(self) -> i64 {
        match self {
            Weight::Strong => 10,
            Weight::Medium => 4,
            Weight::Weak => 1,
        }
    }
}

/// Points from which on a platform is recognised: one strong sign, or two of medium weight.
pub(super) const ENOUGH: i64 = 8;

/// One sign of a platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signal {
    pub(super) sign: Sign,
    pub(super) weight: Weight,
    /// Whether every cluster of the platform shows it, so that it is ruled out where the sign was looked for and is missing.
    pub(super) always: bool,
}

/// A platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Platform {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it is built on, whose signs it shows too: it wins over them.
    pub(super) on: &'static [&'static str],
    /// Whether somebody else runs the control plane, out of sight.
    pub(super) hosted: bool,
    /// Whether the control plane runs as processes of the nodes and not in pods, so that the API alone does not show it.
    pub(super) podless: bool,
    pub(super) signals: &'static [Signal],
}

/// Every cluster of the platform shows it.
const fn always(sign: Sign) -> Signal {
    Signal { sign, weight: Weight::Strong, always: true }
}

const fn strong(sign: Sign) -> Signal {
    Signal { sign, weight: Weight::Strong, always: false }
}

const fn medium(sign: Sign) -> Signal {
    Signal { sign, weight: Weight::Medium, always: false }
}

const fn weak(sign: Sign) -> Signal {
    Signal { sign, weight: Weight::Weak, always: false }
}

const fn own(id: &'static str, title: &'static str, signals: &'static [Signal]) -> Platform {
    Platform { id, title, on: &[], hosted: false, podless: false, signals }
}

const fn built_on(on: &'static [&'static str], platform: Platform) -> Platform {
    Platform { on, ..platform }
}

const fn hosted(platform: Platform) -> Platform {
    Platform { hosted: true, ..platform }
}

const fn podless(platform: Platform) -> Platform {
    Platform { podless: true, ..platform }
}

use Sign::*;

/// Where two match equally well, the first counts.
pub(super) static PLATFORMS: [Platform; 15] = [
    built_on(
        &["kubeadm"],
        own(
            "aks-arc",
            "AKS enabled by Azure Arc on Azure Local",
            &[
                always(MocName),
                strong(Label("msft.microsoft/nodepool-name")),
                strong(Provider("moc://")),
                strong(CsiDriver("disk.csi.akshci.com")),
                medium(StaticPod("kube-system/etcd-moc-")),
                // AKS in the cloud and others use the same system.
                weak(OsImage("CBL-Mariner/Linux")),
                weak(OsImage("Microsoft Azure Linux 3.0")),
            ],
        ),
    ),
    built_on(
        &["k3s", "kubeadm"],
        own(
            "aks-edge-essentials",
            "AKS Edge Essentials",
            &[
                always(AnnotationIn("node.aksedge.io/distro", &["aks_edge_k3s", "aks_edge_k8s"])),
                strong(AksEdgeConfig),
                medium(NameEnds(&["-ledge", "-wedge"])),
            ],
        ),
    ),
    own(
        "openshift",
        "OpenShift",
        &[always(Label("node.openshift.io/os_id")), strong(CustomResource("clusterversions.config.openshift.io"))],
    ),
    hosted(own(
        "aks",
        "Azure Kubernetes Service",
        &[
            always(Label("kubernetes.azure.com/node-image-version")),
            strong(Server(".azmk8s.io")),
            medium(Label("kubernetes.azure.com/cluster")),
            // Clusters of one's own on virtual machines of Azure have it too.
            medium(Provider("azure://")),
        ],
    )),
    hosted(own(
        "gke",
        "Google Kubernetes Engine",
        &[
            always(Version("-gke.")),
            always(Kubelet("-gke.")),
            strong(Label("cloud.google.com/gke-nodepool")),
            strong(Label("cloud.google.com/gke-os-distribution")),
            medium(Provider("gce://")),
        ],
    )),
    hosted(own(
        "eks",
        "Amazon EKS",
        &[
            always(Version("-eks-")),
            strong(Kubelet("-eks-")),
            strong(Label("eks.amazonaws.com/nodegroup")),
            medium(Provider("aws://")),
        ],
    )),
    own("talos", "Talos Linux", &[always(OsImage("Talos (v")), strong(Kernel("-talos"))]),
    own("rke2", "RKE2", &[always(Version("+rke2r")), always(Kubelet("+rke2r")), strong(Provider("rke2://"))]),
    podless(own(
        "k3s",
        "k3s",
        &[
            always(Version("+k3s")),
            always(Kubelet("+k3s")),
            strong(Provider("k3s://")),
            strong(LabelIs("node.kubernetes.io/instance-type", "k3s")),
        ],
    )),
    podless(own(
        "rke1",
        "RKE (retired)",
        &[always(Annotation("rke.cattle.io/internal-ip")), strong(Annotation("rke.cattle.io/external-ip"))],
    )),
    podless(own(
        "microk8s",
        "MicroK8s",
        &[
            always(LabelIs("microk8s.io/cluster", "true")),
            strong(LabelIs("node.kubernetes.io/microk8s-controlplane", "microk8s-controlplane")),
            strong(LabelIs("node.kubernetes.io/microk8s-worker", "microk8s-worker")),
        ],
    )),
    built_on(&["kubeadm"], own("minikube", "minikube", &[always(Label("minikube.k8s.io/version"))])),
    built_on(&["kubeadm"], own("kind", "kind", &[always(Provider("kind://"))])),
    podless(own("k0s", "k0s", &[always(Version("+k0s")), always(Kubelet("+k0s"))])),
    own(
        "kubeadm",
        "kubeadm",
        // Older than 1.36 alone, and kept by joined nodes of others built on it.
        &[always(KubeadmConfig), medium(Annotation("kubeadm.alpha.kubernetes.io/cri-socket"))],
    ),
];

/// Id of a cluster that shows no sign of any platform.
pub(super) const GENERIC: (&str, &str) = ("generic", "Kubernetes of no known distribution");

/// The platform with an id.
pub(super) fn platform(id: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|platform| platform.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_words_and_what_is_built_on_exists() {
        for (place, one) in PLATFORMS.iter().enumerate() {
            assert!(one.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", one.id);
            assert!(PLATFORMS.iter().skip(place + 1).all(|other| other.id != one.id), "{}", one.id);
            assert!(one.on.iter().all(|id| platform(id).is_some()), "{}", one.id);
            assert!(one.signals.iter().any(|signal| signal.always), "{} could never be ruled out", one.id);
        }
        assert!(platform(GENERIC.0).is_none());
    }
}
