//! What Kubernetes, the platform and its add-ons bring along, and a person can hardly change: namespaces, and subjects of
//! bindings. Data. A finding names such things apart; it never counts them as the administrator's own doing.
//!
//! Whoever may create namespaces or bindings can borrow a name from here. That hides a grant from a finding, but only one
//! that takes rights over the whole cluster to make; so subjects are listed one by one, and no wildcard covers people.

use crate::evidence::cluster::{Binding, Pod, Subject};

/// A namespace that is not the administrator's own.
struct Owned {
    /// Its name; with a star at the end, all that begin so.
    name: &'static str,
    /// Whose it is, for the person.
    of: &'static str,
    /// The platforms on which it is; empty: any.
    on: &'static [&'static str],
}

const fn of(name: &'static str, of: &'static str) -> Owned {
    Owned { name, of, on: &[] }
}

const fn on(on: &'static [&'static str], name: &'static str, of: &'static str) -> Owned {
    Owned { name, of, on }
}

/// Whose what is in `kube-system` is.
const KUBERNETES: &str = "Kubernetes";

static NAMESPACES: [Owned; 28] = [
    of("kube-system", KUBERNETES),
    of("kube-public", "Kubernetes"),
    of("kube-node-lease", "Kubernetes"),
    of("azure-arc", "Azure Arc"),
    of("azure-arc-release", "Azure Arc"),
    of("azure-extensions-usage-system", "Azure Arc"),
    of("arc-workload-identity", "Azure Arc"),
    of("gatekeeper-system", "Azure Policy (Gatekeeper)"),
    of("mdc", "Microsoft Defender"),
    of("flux-system", "Flux"),
    of("calico-system", "Calico"),
    of("calico-apiserver", "Calico"),
    of("tigera-operator", "Calico"),
    of("cilium", "Cilium"),
    of("cilium-system", "Cilium"),
    of("cilium-secrets", "Cilium"),
    of("kube-flannel", "flannel"),
    on(&["aks-edge-essentials"], "aksedge", "AKS Edge Essentials"),
    on(&["kind"], "local-path-storage", "kind"),
    on(&["k3s", "rke1", "rke2"], "cattle-*", "Rancher"),
    on(&["openshift"], "openshift*", "OpenShift"),
    on(&["gke"], "gke-*", "GKE"),
    on(&["gke"], "gmp-*", "GKE"),
    on(&["aks"], "aks-*", "AKS"),
    on(&["aks"], "app-routing-system", "AKS"),
    on(&["eks"], "amazon-*", "EKS"),
    on(&["minikube"], "kubernetes-dashboard", "minikube"),
    on(&["microk8s"], "container-registry", "MicroK8s"),
];

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Kubernetes' or the platform's; whose exactly, for the person.
    Of(&'static str),
    /// The administrator's own.
    Own,
    /// One or the other, by a platform that could not be recognised.
    Unclear,
}

/// Whose a namespace is. `platform`: its id, where that is known.
pub(super) fn owner(namespace: &str, platform: Option<&str>) -> Whose {
    let named = NAMESPACES.iter().filter(|owned| matches(owned.name, namespace));
    first(named.map(|owned| (owned.of, owned.on)), platform)
}

/// The first that is on the platform.
fn first(named: impl Iterator<Item = (&'static str, &'static [&'static str])>, platform: Option<&str>) -> Whose {
    let mut found = Whose::Own;
    for (of, on) in named {
        match platform {
            _ if on.is_empty() => return Whose::Of(of),
            Some(id) if on.contains(&id) => return Whose::Of(of),
            Some(_) => {}
            None => found = Whose::Unclear,
        }
    }
    found
}

/// Whether a name is meant by a pattern: the name itself, or with a star at the end what it begins with.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

/// Service accounts of `kube-system` that Kubernetes, a network plugin or the platform brings: name (see [`matches`]), the
/// platforms that bring it; none: any. A star stands only where a platform is named, and never for what a person may have
/// named himself: the accounts that k3s and RKE2 make for a HelmChart are called `helm-CHART`, whoever wrote the chart, and
/// hold cluster-admin (k3s-io/helm-controller, pkg/controllers/chart/chart.go), so that only those of the charts that they
/// bring are theirs.
static ACCOUNTS: [(&str, &[&str]); 50] = [
    ("kube-proxy", &[]),
    ("kube-proxy-windows", &[]),
    ("coredns", &[]),
    ("coredns-autoscaler", &[]),
    ("kube-dns", &[]),
    ("kube-dns-autoscaler", &[]),
    ("kube-controller-manager", &[]),
    ("kube-scheduler", &[]),
    ("leader-election-controller", &[]),
    ("bootstrap-signer", &[]),
    ("token-cleaner", &[]),
    ("cloud-provider", &[]),
    ("cloud-controller-manager", &[]),
    ("cloud-node-manager", &[]),
    ("metrics-server", &[]),
    ("konnectivity-agent", &[]),
    ("snapshot-controller", &[]),
    ("calico-node", &[]),
    ("calico-kube-controllers", &[]),
    ("calico-cni-plugin", &[]),
    ("canal", &[]),
    ("flannel", &[]),
    ("cilium", &[]),
    ("cilium-operator", &[]),
    ("kube-router", &[]),
    ("weave-net", &[]),
    ("antrea-agent", &[]),
    ("antrea-controller", &[]),
    ("aws-node", &[]),
    ("kindnet", &["kind", "minikube"]),
    ("storage-provisioner", &["minikube"]),
    ("local-path-provisioner-service-account", &["k3s", "aks-edge-essentials"]),
    ("traefik", &["k3s", "rke2", "aks-edge-essentials"]),
    ("kube-vip", &[]),
    ("azure-policy", &[]),
    ("azure-policy-webhook-account", &[]),
    ("ama-logs", &[]),
    // Azure's agents come to any cluster that is connected to Arc: by their names there. Azure/prometheus-collector,
    // otelcollector/deploy: the add-on's chart.
    ("ama-metrics-serviceaccount", &[]),
    ("ama-metrics-ksm", &[]),
    ("ama-metrics-*", AZURE),
    ("microsoft-defender-*", AZURE),
    ("csi-akshci-*", &["aks-arc"]),
    ("csi-azure*", &["aks"]),
    ("ebs-csi-*", &["eks"]),
    ("rke2-*", &["rke2"]),
    // rancher/rke2, charts/chart_versions.yaml.
    ("helm-rke2-*", &["rke2"]),
    ("helm-rancher-vsphere-*", &["rke2"]),
    ("helm-harvester-*", &["rke2"]),
    // k3s-io/k3s, manifests/traefik.yaml.
    ("helm-traefik", &["k3s", "aks-edge-essentials"]),
    ("helm-traefik-crd", &["k3s", "aks-edge-essentials"]),
];

/// The platforms of Azure.
const AZURE: &[&str] = &["aks", "aks-arc", "aks-edge-essentials"];

/// Service accounts of `kube-system` for the controllers of kube-controller-manager, by the binding that Kubernetes brings
/// for each: `system:controller:NAME`.
const CONTROLLER: &str = "system:controller:";

/// Users and groups that Kubernetes or the platform brings: kind, name (see [`matches`]), platforms.
static USERS: [(&str, &str, &[&str]); 30] = [
    ("User", "system:kube-controller-manager", &[]),
    ("User", "system:kube-scheduler", &[]),
    ("User", "system:kube-proxy", &[]),
    ("User", "system:kube-apiserver", &[]),
    ("User", "system:apiserver", &[]),
    ("User", "system:volume-scheduler", &[]),
    ("User", "system:cloud-controller-manager", &[]),
    ("User", "system:konnectivity-server", &[]),
    ("User", "system:node:*", &[]),
    ("User", "system:controller:*", &[]),
    ("User", "kube-apiserver-kubelet-client", &["kubeadm", "aks-arc", "aks-edge-essentials", "kind", "minikube"]),
    ("User", "kube-apiserver", &["k3s", "rke2", "rke1", "aks-edge-essentials"]),
    ("User", "system:k3s-controller", &["k3s", "aks-edge-essentials"]),
    ("User", "k3s-cloud-controller-manager", &["k3s", "aks-edge-essentials"]),
    ("User", "system:rke2-controller", &["rke2"]),
    ("User", "rke2-cloud-controller-manager", &["rke2"]),
    ("User", "apiserver-kubelet-client", &["talos", "kubeadm"]),
    ("User", "eks:*", &["eks"]),
    ("User", "system:gke-*", &["gke"]),
    ("User", "system:openshift:*", &["openshift"]),
    ("User", "system:clustermetrics", &["gke"]),
    ("Group", "system:nodes", &[]),
    ("Group", "system:bootstrappers", &[]),
    ("Group", "system:bootstrappers:*", &[]),
    ("Group", "system:monitoring", &[]),
    ("Group", "system:node-proxier", &["eks"]),
    ("Group", "eks:*", &["eks"]),
    ("Group", "system:cluster-admins", &["openshift"]),
    ("Group", "system:openshift:*", &["openshift"]),
    ("Group", "kubeadm:cluster-admins", &["kubeadm", "aks-arc", "aks-edge-essentials", "kind", "minikube"]),
];

/// Groups and users that stand for many, or for anybody: never Kubernetes' own, whatever brings the binding.
static MANY: [(&str, &str); 6] = [
    ("system:masters", "whoever holds a certificate of this group, past all rules"),
    ("system:authenticated", "everybody who can log in at all"),
    ("system:unauthenticated", "anybody, without a login"),
    ("system:anonymous", "anybody, without a login"),
    ("system:serviceaccounts", "every service account of the cluster"),
    ("system:serviceaccounts:", "every service account of a namespace"),
];

/// A subject of a binding, as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    /// `User`, `Group`, `ServiceAccount`.
    pub(super) kind: String,
    /// Name; of a service account `NAMESPACE/NAME`.
    pub(super) name: String,
    /// Whose it is.
    pub(super) whose: Whose,
    /// Why it is that, or whom it stands for. May be empty.
    pub(super) reason: String,
    /// Whether it stands for many or for anybody.
    pub(super) many: bool,
}

/// Who the subject of a binding is.
pub(super) fn holder(subject: &Subject, binding: &Binding, platform: Option<&str>) -> Holder {
    // `system:serviceaccount:NAMESPACE:NAME` is how the API server calls a service account.
    let as_user = subject.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let account = match (subject.kind.as_str(), as_user) {
        ("ServiceAccount", _) => {
            let namespace = if subject.namespace.is_empty() { &binding.namespace } else { &subject.namespace };
            Some((namespace.as_str(), subject.name.as_str()))
        }
        ("User", Some(account)) => Some(account),
        _ => None,
    };
    let told = |whose: Whose| match whose {
        Whose::Of(of) => format!("belongs to {of}"),
        Whose::Own | Whose::Unclear => String::new(),
    };
    if let Some((namespace, name)) = account {
        let whose = account_owner(namespace, name, binding, platform);
        let (kind, name) = ("ServiceAccount".to_owned(), format!("{namespace}/{name}"));
        return Holder { kind, name, whose, reason: told(whose), many: false };
    }
    let (kind, name) = (subject.kind.clone(), subject.name.clone());
    let stands_for = MANY.iter().find(|(many, _)| name == *many || (many.ends_with(':') && name.starts_with(many)));
    if let Some((_, whom)) = stands_for {
        // What Kubernetes itself binds for the group that passes all rules anyway.
        let default = name == "system:masters" && is_bootstrap(binding) && binding.binding == "cluster-admin";
        let whose = if default { Whose::Of("Kubernetes") } else { Whose::Own };
        return Holder { kind, name, whose, reason: (*whom).to_owned(), many: true };
    }
    let named = USERS.iter().filter(|(kind, pattern, _)| *kind == subject.kind && matches(pattern, &name));
    let whose = first(named.map(|(_, _, on)| ("the platform", *on)), platform);
    Holder { kind, name, whose, reason: told(whose), many: false }
}

/// Whose a service account is.
fn account_owner(namespace: &str, name: &str, binding: &Binding, platform: Option<&str>) -> Whose {
    // No component of anybody's runs as `default` and needs rights: whoever bound them did so by hand.
    if name == "default" {
        return Whose::Own;
    }
    if namespace != "kube-system" {
        return owner(namespace, platform);
    }
    let controller = is_bootstrap(binding) && binding.binding.strip_prefix(CONTROLLER) == Some(name);
    if controller { Whose::Of(KUBERNETES) } else { account_of_system(name, platform) }
}

/// Whose a service account of `kube-system` is, by its name.
fn account_of_system(name: &str, platform: Option<&str>) -> Whose {
    first(ACCOUNTS.iter().filter(|(account, _)| matches(account, name)).map(|(_, on)| (KUBERNETES, *on)), platform)
}

/// Platforms whose vendor alone fills `kube-system`: there every pod of it is the platform's. On the others an administrator
/// puts things there too, so that only those of known accounts are.
const VENDOR_FILLS: [&str; 7] = ["aks-arc", "aks-edge-essentials", "aks", "eks", "gke", "openshift", "rke1"];

/// What the names of Microsoft Defender's collector begin with, and the namespaces in which it lives.
const COLLECTOR: ([&str; 2], &str) = (["mdc", "kube-system"], "microsoft-defender-collector");

/// Whose a pod is. `near`: for what brings a container near its node, which of Microsoft Defender only the collector needs.
pub(super) fn pod_owner(pod: &Pod, near: bool, platform: Option<&str>) -> Whose {
    let whose = owner(&pod.namespace, platform);
    let defenders = pod.namespace == "mdc" || own_name(pod).starts_with("microsoft-defender-");
    if near && defenders && matches!(whose, Whose::Of(_)) {
        return if is_collector(pod) { Whose::Of("Microsoft Defender") } else { Whose::Own };
    }
    if pod.namespace != "kube-system" || pod.mirror {
        return whose;
    }
    let account = pod.service_account.known().map_or(Whose::Own, |name| account_of_system(name, platform));
    match platform {
        _ if matches!(account, Whose::Of(_)) => whose,
        Some(id) if VENDOR_FILLS.contains(&id) => whose,
        Some(_) => Whose::Own,
        None => Whose::Unclear,
    }
}

/// A pod's name within its namespace.
fn own_name(pod: &Pod) -> &str {
    pod.name.split_once('/').map_or(pod.name.as_str(), |(_, name)| name)
}

/// Whether a pod is Microsoft Defender's collector: by namespace, name and the DaemonSet that it belongs to.
fn is_collector(pod: &Pod) -> bool {
    let (namespaces, prefix) = COLLECTOR;
    namespaces.contains(&pod.namespace.as_str())
        && own_name(pod).starts_with(prefix)
        && pod.owner_kind.known().is_some_and(|kind| kind == "DaemonSet")
}

/// Whether Kubernetes itself brings a binding. The label alone can be set by anybody who may make bindings.
fn is_bootstrap(binding: &Binding) -> bool {
    binding.bootstrap && (binding.binding.starts_with("system:") || binding.binding == "cluster-admin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, namespace: &str, name: &str, platform: &str) -> (bool, bool) {
        let subject = Subject { kind: kind.into(), name: name.into(), namespace: namespace.into() };
        let holder = holder(&subject, &Binding { binding: "b".into(), ..Binding::default() }, Some(platform));
        (matches!(holder.whose, Whose::Of(_)), holder.many)
    }

    #[test]
    fn what_hangs_on_a_platform_that_was_not_recognised_is_unclear() {
        assert_eq!(owner("cattle-system", None), Whose::Unclear);
        assert_eq!(owner("cattle-system", Some("rke2")), Whose::Of("Rancher"));
        assert_eq!(owner("cattle-system", Some("kubeadm")), Whose::Own);
        assert_eq!(owner("kube-system", None), Whose::Of("Kubernetes"));
        assert_eq!(owner("shop", None), Whose::Own);
        let admins = Subject { kind: "Group".into(), name: "kubeadm:cluster-admins".into(), namespace: String::new() };
        assert_eq!(holder(&admins, &Binding::default(), None).whose, Whose::Unclear);
    }

    #[test]
    fn people_and_groups_that_stand_for_many_are_never_the_platform() {
        for name in ["system:masters", "system:authenticated", "system:unauthenticated", "system:serviceaccounts"] {
            assert_eq!(of("Group", "", name, "kubeadm"), (false, true), "{name}");
        }
        assert_eq!(of("Group", "", "system:serviceaccounts:kube-system", "kubeadm"), (false, true));
        assert_eq!(of("User", "", "system:anonymous", "kubeadm"), (false, true));
        for (kind, name) in
            [("User", "alice"), ("User", "system:backdoor"), ("Group", "system:ops"), ("Group", "admins"), ("User", "")]
        {
            assert_eq!(of(kind, "", name, "kubeadm"), (false, false), "{name}");
        }
    }

    #[test]
    fn components_are_told_apart_by_platform() {
        assert_eq!(of("User", "", "system:kube-scheduler", "k3s"), (true, false));
        assert_eq!(of("Group", "", "kubeadm:cluster-admins", "kubeadm"), (true, false));
        assert_eq!(of("Group", "", "kubeadm:cluster-admins", "k3s"), (false, false), "no k3s brings that group");
        assert_eq!(of("User", "", "eks:addon-manager", "eks"), (true, false));
        assert_eq!(of("User", "", "eks:addon-manager", "kubeadm"), (false, false));
    }

    #[test]
    fn service_accounts_by_their_namespace_and_in_kube_system_by_their_name() {
        assert_eq!(of("ServiceAccount", "azure-arc", "azure-arc-operatorsa", "kubeadm"), (true, false));
        assert_eq!(of("User", "", "system:serviceaccount:flux-system:helm-controller", "kubeadm"), (true, false));
        assert_eq!(of("ServiceAccount", "kube-system", "kube-proxy", "kubeadm"), (true, false));
        assert_eq!(of("ServiceAccount", "kube-system", "tiller", "kubeadm"), (false, false), "put there by hand");
        for namespace in ["kube-system", "azure-arc", "default"] {
            assert_eq!(of("ServiceAccount", namespace, "default", "kubeadm"), (false, false), "{namespace}");
        }
        assert_eq!(of("ServiceAccount", "openshift-dns", "dns", "openshift"), (true, false));
        assert_eq!(of("ServiceAccount", "openshift-dns", "dns", "kubeadm"), (false, false), "a borrowed name");
    }

    #[test]
    fn an_account_of_kube_system_counts_where_its_platform_is() {
        let whose = |name: &str, platform: Option<&str>| {
            let subject = Subject { kind: "ServiceAccount".into(), name: name.into(), namespace: "kube-system".into() };
            holder(&subject, &Binding::default(), platform).whose
        };
        for (name, platform) in [
            ("helm-traefik", "k3s"),
            ("helm-rke2-canal", "rke2"),
            ("rke2-metrics-server", "rke2"),
            ("ama-metrics-serviceaccount", "kubeadm"),
            ("csi-azuredisk-node-sa", "aks"),
        ] {
            assert!(matches!(whose(name, Some(platform)), Whose::Of(_)), "{name} on {platform}");
        }
        for name in [
            "helm-evil",
            "helm-rke2-evil",
            "rke2-evil",
            "ama-metrics-evil",
            "csi-azure-evil",
            "microsoft-defender-evil",
        ] {
            for platform in ["kubeadm", "generic"] {
                assert_eq!(whose(name, Some(platform)), Whose::Own, "{name} on {platform}");
            }
        }
        assert_eq!(whose("helm-evil", Some("k3s")), Whose::Own, "a chart of somebody's own");
        // Where the platform was not recognised nobody knows.
        assert_eq!(whose("rke2-evil", None), Whose::Unclear);
        assert_eq!(whose("helm-evil", None), Whose::Own, "no platform brings it");
        assert_eq!(whose("kube-proxy", None), Whose::Of(KUBERNETES));
        for (name, on) in &ACCOUNTS {
            assert!(!name.ends_with('*') || !on.is_empty(), "{name} covers everybody");
        }
    }

    #[test]
    fn a_bootstrap_binding_speaks_only_for_its_own_subject() {
        let binding = |name: &str, bootstrap: bool| Binding { binding: name.into(), bootstrap, ..Binding::default() };
        let account =
            |name: &str| Subject { kind: "ServiceAccount".into(), name: name.into(), namespace: "kube-system".into() };
        let masters = Subject { kind: "Group".into(), name: "system:masters".into(), namespace: String::new() };
        let system =
            |subject: &Subject, binding: &Binding| matches!(holder(subject, binding, None).whose, Whose::Of(_));
        let job = binding("system:controller:job-controller", true);
        assert!(system(&account("job-controller"), &job));
        assert!(!system(&account("intruder"), &job), "a subject that was added to it");
        assert!(!system(&account("job-controller"), &binding("system:controller:job-controller", false)));
        assert!(system(&masters, &binding("cluster-admin", true)));
        assert!(!system(&masters, &binding("cluster-admin", false)), "the label is missing");
        assert!(!system(&masters, &binding("mine", true)), "anybody can set the label");
    }
}
