//! What the probe asks of the API: one row a request, with the rights it needs and the place of its answer in the evidence.

/// One thing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    /// For screens: `list pods`.
    pub(super) words: &'static str,
    /// Where the answer stands in the evidence.
    pub(super) path: &'static str,
    /// Verb.
    pub(super) verb: &'static str,
    /// API group; empty: the core.
    pub(super) group: &'static str,
    /// Resource, with its subresource.
    pub(super) resource: &'static str,
    /// URL below the server.
    pub(super) url: &'static str,
}

/// A list over the whole cluster.
const fn list(
    words: &'static str,
    path: &'static str,
    group: &'static str,
    resource: &'static str,
    url: &'static str,
) -> Want {
    Want { words, path, verb: "list", group, resource, url }
}

/// One object.
const fn get(words: &'static str, path: &'static str, resource: &'static str, url: &'static str) -> Want {
    Want { words, path, verb: "get", group: "", resource, url }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CONFIG_MAPS: &str = "configmaps";

pub(super) const PODS: Want = list("list pods", "pods", "", "pods", "/api/v1/pods");
pub(super) const NODES: Want = list("list nodes", "nodes", "", "nodes", "/api/v1/nodes");
pub(super) const NAMESPACES: Want = list("list namespaces", "namespaces", "", "namespaces", "/api/v1/namespaces");
pub(super) const SERVICES: Want = list("list services", "services", "", "services", "/api/v1/services");
pub(super) const SLICES: Want = list(
    "list endpoint slices",
    "endpoint_slices",
    "discovery.k8s.io",
    "endpointslices",
    "/apis/discovery.k8s.io/v1/endpointslices",
);
pub(super) const ACCOUNTS: Want =
    list("list service accounts", "service_accounts", "", "serviceaccounts", "/api/v1/serviceaccounts");
pub(super) const DEPLOYMENTS: Want =
    list("list deployments", "workloads", "apps", "deployments", "/apis/apps/v1/deployments");
pub(super) const DAEMON_SETS: Want =
    list("list daemonsets", "workloads", "apps", "daemonsets", "/apis/apps/v1/daemonsets");
pub(super) const STATEFUL_SETS: Want =
    list("list statefulsets", "workloads", "apps", "statefulsets", "/apis/apps/v1/statefulsets");
pub(super) const CLUSTER_ROLES: Want =
    list("list clusterroles", "roles", RBAC, "clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterroles");
pub(super) const ROLES: Want = list("list roles", "roles", RBAC, "roles", "/apis/rbac.authorization.k8s.io/v1/roles");
pub(super) const CLUSTER_BINDINGS: Want = list(
    "list clusterrolebindings",
    "bindings",
    RBAC,
    "clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
);
pub(super) const BINDINGS: Want =
    list("list rolebindings", "bindings", RBAC, "rolebindings", "/apis/rbac.authorization.k8s.io/v1/rolebindings");
pub(super) const NETWORK_POLICIES: Want = list(
    "list network policies",
    "network_policies",
    "networking.k8s.io",
    "networkpolicies",
    "/apis/networking.k8s.io/v1/networkpolicies",
);
pub(super) const SIGNING_REQUESTS: Want = list(
    "list certificate signing requests",
    "signing_requests",
    "certificates.k8s.io",
    "certificatesigningrequests",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
);
pub(super) const VALIDATING: Want = list(
    "list validating webhooks",
    "admission",
    ADMISSION,
    "validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
);
pub(super) const MUTATING: Want = list(
    "list mutating webhooks",
    "admission",
    ADMISSION,
    "mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
);
pub(super) const POLICIES: Want = list(
    "list validating admission policies",
    "admission",
    ADMISSION,
    "validatingadmissionpolicies",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
);
pub(super) const CRDS: Want = list(
    "list custom resource definitions",
    "custom_resources",
    "apiextensions.k8s.io",
    "customresourcedefinitions",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
);
pub(super) const CSI_DRIVERS: Want =
    list("list CSI drivers", "csi_drivers", "storage.k8s.io", "csidrivers", "/apis/storage.k8s.io/v1/csidrivers");
/// The version in the URL is filled in by what the API server prefers.
pub(super) const EXTENSIONS: Want = list(
    "list Azure Arc extensions",
    "arc.extensions",
    "clusterconfig.azure.com",
    "extensionconfigs",
    "/apis/clusterconfig.azure.com",
);
/// As above.
pub(super) const CONNECTED: Want = Want {
    words: "get the Azure Arc connected cluster",
    path: "arc.identity.resource_id",
    verb: "get",
    group: "arc.azure.com",
    resource: "connectedclusters",
    url: "/apis/arc.azure.com",
};
pub(super) const KUBE_SYSTEM: Want =
    get("get the namespace kube-system", "uid", "namespaces", "/api/v1/namespaces/kube-system");
pub(super) const KUBE_PROXY: Want = get(
    "get the ConfigMap kube-system/kube-proxy",
    "kube_proxy_config",
    CONFIG_MAPS,
    "/api/v1/namespaces/kube-system/configmaps/kube-proxy",
);
pub(super) const KUBEADM: Want = get(
    "get the ConfigMap kube-system/kubeadm-config",
    "kubeadm_config",
    CONFIG_MAPS,
    "/api/v1/namespaces/kube-system/configmaps/kubeadm-config",
);
pub(super) const AKSEDGE: Want = get(
    "get the ConfigMap aksedge/aksedge",
    "aksedge_config",
    CONFIG_MAPS,
    "/api/v1/namespaces/aksedge/configmaps/aksedge",
);
pub(super) const ARC_CONFIG: Want = get(
    "get the ConfigMap azure-arc/azure-clusterconfig",
    "arc.identity",
    CONFIG_MAPS,
    "/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig",
);
/// Asked of each node by its name.
pub(super) const CONFIGZ: Want = get("get nodes/proxy", "nodes.configz", "nodes/proxy", "");

/// Lists whose rights a review of the caller's rules tells beforehand. What is asked by name in one namespace is tried
/// in any case, since a role of that namespace may allow it; Azure Arc's objects are asked for only where there are such.
pub(super) const REVIEWED: [Want; 21] = [
    PODS,
    NODES,
    CONFIGZ,
    NAMESPACES,
    SERVICES,
    SLICES,
    ACCOUNTS,
    DEPLOYMENTS,
    DAEMON_SETS,
    STATEFUL_SETS,
    CLUSTER_ROLES,
    ROLES,
    CLUSTER_BINDINGS,
    BINDINGS,
    NETWORK_POLICIES,
    SIGNING_REQUESTS,
    VALIDATING,
    MUTATING,
    POLICIES,
    CRDS,
    CSI_DRIVERS,
];
