//! Namespaces: whose they are, whether something keeps dangerous pods out of them, whether their network is divided; what
//! lies in `default`; which network plugin divides the network at all.

use super::super::super::{ClusterEvidence, Gap, Listing, Reading, Reason, Value};
use super::super::{Shape, gap_at};
use super::control_plane::ControlPlane;
use super::listed::{Derived, gap_of, int, text, truth};
use super::system::{Whose, owner};
use crate::evidence::Fact;
use std::collections::{BTreeMap, BTreeSet};

/// DaemonSets of network plugins: the beginning of their name, what they are, whether they enforce network policies.
const PLUGINS: [(&str, &str, bool); 16] = [
    ("calico-node", "Calico", true),
    ("canal", "Canal", true),
    ("rke2-canal", "Canal", true),
    ("cilium", "Cilium", true),
    ("rke2-cilium", "Cilium", true),
    ("anetd", "GKE Dataplane V2", true),
    ("antrea-agent", "Antrea", true),
    ("kube-router", "kube-router", true),
    ("weave-net", "Weave Net", true),
    ("ovnkube-node", "OVN-Kubernetes", true),
    ("azure-npm", "Azure Network Policy Manager", true),
    ("sdn", "OpenShift SDN", true),
    ("kube-flannel", "flannel", false),
    ("flannel", "flannel", false),
    ("kindnet", "kindnet", false),
    ("kube-ovn-cni", "Kube-OVN", true),
];

/// Engines that can keep pods out: custom resources and webhooks of theirs, and their names.
const ENGINES: [(&str, &str); 5] = [
    ("constrainttemplates.templates.gatekeeper.sh", "Gatekeeper"),
    ("clusterpolicies.kyverno.io", "Kyverno"),
    ("clusteradmissionpolicies.policies.kubewarden.io", "Kubewarden"),
    ("securitycontextconstraints.security.openshift.io", "OpenShift's SecurityContextConstraints"),
    ("clustervalidatingpolicies.policies.kyverno.io", "Kyverno"),
];

/// The list `namespace_rules`: each namespace with what guards it.
pub(super) fn rules(
    cluster: &ClusterEvidence,
    control: &ControlPlane,
    root: &Reading,
    platform: Option<&str>,
) -> Reading {
    let pods_gap = gap_of(&cluster.pods, root, "pods");
    let busy = count(cluster.pods.items.iter().map(|pod| pod.namespace.as_str()));
    let policies_gap = gap_of(&cluster.network_policies, root, "network_policies");
    let policies = count(cluster.network_policies.items.iter().map(|policy| policy.namespace.as_str()));
    let accounts: BTreeMap<&str, &Fact<bool>> = cluster
        .service_accounts
        .items
        .iter()
        .filter(|account| account.account == "default")
        .map(|account| (account.namespace.as_str(), &account.automount_token))
        .collect();
    let engine = engine(cluster, root);
    let explicit =
        engine.clone().unwrap_or_else(|| Reading::with_origin(Value::Bool(false), "its label allows everything"));
    let unlabelled = engine.unwrap_or_else(|| without_label(control));
    let mut list = Derived::default();
    for namespace in &cluster.namespaces.items {
        let name = namespace.name.as_str();
        let whose = owner(name, platform);
        let platform = match whose {
            Whose::Of(_) => truth(true),
            Whose::Own => truth(false),
            Whose::Unclear => Reading::new(Value::Unread(gap_at(root, "platform.id"))),
        };
        let level = namespace.pod_security.get("enforce").map(String::as_str);
        let enforced = match level {
            Some("baseline" | "restricted") => truth(true),
            Some("privileged") => explicit.clone(),
            None => unlabelled.clone(),
            Some(_) => Reading::unread(Reason::Malformed, "the label names a level that does not exist"),
        };
        let mounts = match accounts.get(name) {
            Some(Fact::Known(mounts)) => truth(*mounts),
            Some(Fact::Absent) => Reading::with_origin(Value::Bool(true), "not set, which means that it is mounted"),
            Some(Fact::Unread) | None => Reading::new(Value::Unread(gap_at(root, "service_accounts"))),
        };
        let item = || {
            Reading::map([
                ("name", text(name)),
                ("platform", platform),
                ("of", text(if let Whose::Of(of) = whose { of } else { "" })),
                ("level", level.map_or(Reading::new(Value::Absent), text)),
                ("enforced", enforced),
                ("pods", counted(&busy, name, pods_gap.as_ref())),
                ("policies", counted(&policies, name, policies_gap.as_ref())),
                ("default_account_mounts", mounts),
            ])
        };
        match whose {
            Whose::Of(_) => list.settled(item),
            Whose::Own | Whose::Unclear => list.open(item),
        }
    }
    list.done(gap_of(&cluster.namespaces, root, "namespaces"))
}

/// What may guard a namespace whatever its label says, as a reading of whether it does; none where nothing is there.
fn engine(cluster: &ClusterEvidence, root: &Reading) -> Option<Reading> {
    let not_visible = |why: String| Some(Reading::unread(Reason::NotVisible, why));
    let engine = ENGINES.iter().find(|(crd, _)| cluster.custom_resources.items.iter().any(|found| found == crd));
    if let Some((_, name)) = engine {
        return not_visible(format!("{name} is here: whether it keeps dangerous pods out, its own rules say"));
    }
    if cluster.admission.items.iter().any(|one| one.kind == "ValidatingAdmissionPolicy") {
        let why = "there are ValidatingAdmissionPolicies: whether one keeps dangerous pods out, its expression says";
        return not_visible(why.to_owned());
    }
    let gap = gap_of(&cluster.custom_resources, root, "custom_resources");
    gap.or_else(|| gap_of(&cluster.admission, root, "admission")).map(|gap| Reading::new(Value::Unread(gap)))
}

/// Whether a namespace without a label is guarded by a default of the API server.
fn without_label(control: &ControlPlane) -> Reading {
    match control.any_api_server_has("admission-control-config-file") {
        Ok(false) => Reading::with_origin(Value::Bool(false), "no label, and the API server has no default of its own"),
        Ok(true) => Reading::unread(
            Reason::NotVisible,
            "no label, and the API server's default for such namespaces is in a file",
        ),
        Err(gap) => Reading::unread(
            gap.reason,
            "no label, and whether the API server has a default for such namespaces could not be seen",
        ),
    }
}

/// The shape of `namespace_rules`.
pub(super) fn rules_shape() -> Shape {
    let fields = ["name", "platform", "of", "level", "enforced", "pods", "policies", "default_account_mounts"];
    Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))))
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, i64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

/// How many; none of an incomplete list is not zero.
fn counted(counts: &BTreeMap<&str, i64>, name: &str, gap: Option<&Gap>) -> Reading {
    match (counts.get(name), gap) {
        (Some(count), _) => int(*count),
        (None, None) => int(0),
        (None, Some(gap)) => Reading::new(Value::Unread(gap.clone())),
    }
}

/// The list `in_default`: workloads of the namespace `default`, and pods there that nothing controls.
pub(super) fn in_default(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let mut list = Derived::default();
    let named = |name: &str| Reading::map([("name", text(name))]);
    for workload in cluster.workloads.items.iter().filter(|one| one.namespace == "default") {
        list.open(|| named(&workload.name));
    }
    for pod in cluster.pods.items.iter().filter(|one| one.namespace == "default" && one.owner_kind == Fact::Absent) {
        list.open(|| named(&format!("Pod {}", pod.name)));
    }
    list.done(gap_of(&cluster.workloads, root, "workloads").or_else(|| gap_of(&cluster.pods, root, "pods")))
}

/// The tree `network_plugin`: `name`, and whether it `enforces` network policies.
pub(super) fn network_plugin(cluster: &ClusterEvidence, root: &Reading, platform: Option<&str>) -> Reading {
    let found: BTreeSet<(bool, &str)> = daemon_sets(cluster)
        .filter_map(|set| PLUGINS.iter().find(|(prefix, ..)| set.starts_with(prefix)))
        .map(|(_, name, enforces)| (*enforces, *name))
        .collect();
    let unread = |gap: Gap| (Reading::new(Value::Unread(gap.clone())), Reading::new(Value::Unread(gap)));
    let (name, enforces) = match (found.last(), gap_of(&cluster.workloads, root, "workloads"), platform) {
        (Some((true, name)), ..) => (text(*name), truth(true)),
        (_, Some(gap), _) => unread(gap),
        // Within k3s itself, unless that was switched off.
        (_, _, Some("k3s" | "aks-edge-essentials")) => {
            let why = "k3s enforces network policies by itself unless it was started with --disable-network-policy, which its API does not show";
            unread(Gap::new(Reason::NotVisible, why))
        }
        (Some((false, "kindnet")), ..) => {
            (text("kindnet"), Reading::unread(Reason::NotVisible, "older versions of kindnet enforce nothing"))
        }
        (Some((false, name)), ..) => (text(*name), truth(false)),
        (None, ..) => {
            let why = "no network plugin that this program knows is in the cluster: ask its documentation";
            unread(Gap::new(Reason::NotVisible, why))
        }
    };
    Reading::map([("name", name), ("enforces", enforces)])
}

fn daemon_sets(cluster: &ClusterEvidence) -> impl Iterator<Item = &str> {
    cluster.workloads.items.iter().filter(|one| one.kind == "DaemonSet").map(|one| one.workload.as_str())
}

/// The list `admission_rules`: webhooks and policies that refuse, with whose they are.
pub(super) fn admission(cluster: &ClusterEvidence, root: &Reading, platform: Option<&str>) -> Reading {
    let mut list = Derived::default();
    for one in cluster.admission.items.iter().filter(|one| one.kind.starts_with("Validating")) {
        let owners = one.service_namespaces.iter().map(|namespace| owner(namespace, platform));
        let all = !one.service_namespaces.is_empty() && one.url_hosts.is_empty();
        let platform = all && owners.clone().all(|whose| matches!(whose, Whose::Of(_)));
        let item = || {
            Reading::map([
                ("name", text(one.name.as_str())),
                ("kind", text(one.kind.as_str())),
                ("fails_closed", truth(one.fails_closed)),
                ("platform", truth(platform)),
            ])
        };
        if platform { list.settled(item) } else { list.open(item) }
    }
    list.done(gap_of(&cluster.admission, root, "admission"))
}

/// The shape of `admission_rules`.
pub(super) fn admission_shape() -> Shape {
    Shape::List(Box::new(Shape::map(["name", "kind", "fails_closed", "platform"].map(|key| (key, Shape::Leaf)))))
}

/// The tree `secret_store`: whether something brings Secrets from a store outside the cluster.
pub(super) fn secret_store(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let drivers = ["secrets-store.csi.k8s.io"];
    let resources = ["secretsyncs.", "akvsyncs.", "externalsecrets.external-secrets.io", "vaultstaticsecrets."];
    let extensions = ["microsoft.azure.secretstore", "microsoft.azurekeyvaultsecretsprovider"];
    let among = |list: &Listing<String>, wanted: &[&str]| {
        list.items.iter().any(|one| wanted.iter().any(|name| one.starts_with(name)))
    };
    let by_extension = cluster
        .arc
        .extensions
        .items
        .iter()
        .any(|one| one.kind.known().is_some_and(|kind| extensions.contains(&kind.as_str())));
    let found = among(&cluster.csi_drivers, &drivers) || among(&cluster.custom_resources, &resources) || by_extension;
    let gaps = || {
        gap_of(&cluster.custom_resources, root, "custom_resources")
            .or_else(|| gap_of(&cluster.csi_drivers, root, "csi_drivers"))
    };
    let present = match (found, gaps()) {
        (true, _) => truth(true),
        (false, Some(gap)) => Reading::new(Value::Unread(gap)),
        (false, None) => truth(false),
    };
    Reading::map([("present", present)])
}

#[cfg(test)]
#[path = "namespaces_tests.rs"]
mod tests;
