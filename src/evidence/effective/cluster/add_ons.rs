//! What Azure brings into the cluster, and whether it is well: Arc's agents, extensions, Defender, Policy, Flux.

use super::super::super::{ClusterEvidence, Fact, Gap, Reading, Reason, Value};
use super::super::{Shape, gap_at};
use super::listed::{Derived, gap_of, int, of_fact, text, truth};
use crate::evidence::cluster::Workload;

/// One add-on: where it stands below `add_ons`, the namespaces of its workloads, and what their names begin with.
struct AddOn {
    name: &'static str,
    namespaces: &'static [&'static str],
    prefixes: &'static [&'static str],
}

/// By the public documentation and by listings of clusters; names change between versions, so only beginnings count.
static ADD_ONS: [AddOn; 4] = [
    AddOn {
        name: "defender_workloads",
        namespaces: &["mdc", "kube-system"],
        prefixes: &["microsoft-defender-", "defender-admission"],
    },
    AddOn {
        name: "policy_workloads",
        namespaces: &["gatekeeper-system", "kube-system"],
        prefixes: &["gatekeeper-", "azure-policy"],
    },
    AddOn {
        name: "flux_workloads",
        namespaces: &["flux-system"],
        prefixes: &[
            "source-controller",
            "kustomize-controller",
            "helm-controller",
            "notification-controller",
            "fluxconfig-",
            "image-",
        ],
    },
    AddOn {
        name: "secret_store_workloads",
        namespaces: &["kube-system", "azure-secret-store", "external-secrets"],
        prefixes: &[
            "secrets-store-csi",
            "secrets-store-provider",
            "aks-secrets-store",
            "csi-secrets-store",
            "secret-sync",
            "akvsecretsprovider",
            "external-secrets",
        ],
    },
];

/// Namespace of Arc's agents.
const ARC: &str = "azure-arc";

/// The tree `add_ons`: a list of its workloads for each.
pub(super) fn reading(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let linux = linux_nodes(cluster, root);
    let lists = ADD_ONS.iter().map(|add_on| {
        let mut list = Derived::default();
        for (place, workload) in cluster.workloads.items.iter().enumerate() {
            let named = add_on.prefixes.iter().any(|prefix| workload.workload.starts_with(prefix));
            if named && add_on.namespaces.contains(&workload.namespace.as_str()) {
                list.open(|| health(workload, place, root, &linux));
            }
        }
        (add_on.name, list.done(gap_of(&cluster.workloads, root, "workloads")))
    });
    Reading::map(lists.collect::<Vec<_>>())
}

/// The list `arc.agents`: the deployments in `azure-arc`. Where Arc is connected and none is there, that is one item which
/// is not well: agents come and go with versions, but some are always there.
pub(super) fn agents(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let mut list = Derived::default();
    let nodes = Reading::new(Value::Absent);
    for (place, workload) in cluster.workloads.items.iter().enumerate() {
        if workload.kind == "Deployment" && workload.namespace == ARC {
            list.open(|| health(workload, place, root, &nodes));
        }
    }
    let none = matches!(&cluster.arc.connected, Fact::Known(true))
        && cluster.workloads.complete
        && !cluster.workloads.items.iter().any(|one| one.kind == "Deployment" && one.namespace == ARC);
    if none {
        list.open(|| {
            Reading::map([
                ("name", text("the agents of Azure Arc")),
                ("kind", text("Deployment")),
                ("desired", int(1)),
                ("ready", int(0)),
                ("nodes", Reading::new(Value::Absent)),
                ("well", truth(false)),
            ])
        });
    }
    list.done(gap_of(&cluster.workloads, root, "workloads"))
}

/// The shape of a list of workloads.
fn workloads_shape() -> Shape {
    let fields = ["name", "kind", "desired", "ready", "nodes", "well"];
    Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))))
}

/// The shape of `add_ons`.
pub(super) fn shape() -> Shape {
    Shape::Map(ADD_ONS.iter().map(|add_on| (add_on.name.to_owned(), workloads_shape())).collect())
}

/// The shape of `arc.agents`.
pub(super) fn agents_shape() -> Shape {
    workloads_shape()
}

/// How many Linux nodes there are.
fn linux_nodes(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    if let Some(gap) = gap_of(&cluster.nodes, root, "nodes") {
        return Reading::new(Value::Unread(gap));
    }
    let linux =
        cluster.nodes.items.iter().filter(|node| node.operating_system.known().is_none_or(|os| os != "windows"));
    int(i64::try_from(linux.count()).unwrap_or(i64::MAX))
}

/// A workload and whether it is well: as many ready as there should be, by a status that is about the spec of now.
fn health(workload: &Workload, place: usize, root: &Reading, nodes: &Reading) -> Reading {
    let gap = |field: &str| gap_at(root, &format!("workloads.{place}.{field}"));
    // A DaemonSet may have no node to run on; a Deployment of none is switched off.
    let least = i64::from(workload.kind != "DaemonSet");
    let well = match (&workload.desired, &workload.ready, &workload.observed) {
        (_, _, Fact::Known(false)) => truth(false),
        (Fact::Known(desired), Fact::Known(ready), _) => match ready >= desired && *desired >= least {
            true if workload.observed.is_unread() => Reading::new(Value::Unread(gap("observed"))),
            well => truth(well),
        },
        (Fact::Unread, ..) => Reading::new(Value::Unread(gap("desired"))),
        (_, Fact::Unread, _) => Reading::new(Value::Unread(gap("ready"))),
        // No count of ready ones yet: none is.
        (Fact::Known(desired), Fact::Absent, _) => truth(*desired == 0 && least == 0),
        (Fact::Absent, ..) => Reading::unread(Reason::Malformed, "it does not say how many of it there should be"),
    };
    Reading::map([
        ("name", text(workload.name.as_str())),
        ("kind", text(workload.kind.as_str())),
        ("desired", of_fact(&workload.desired, |count| int(*count), || gap("desired"))),
        ("ready", of_fact(&workload.ready, |count| int(*count), || gap("ready"))),
        ("nodes", nodes.clone()),
        ("well", well),
    ])
}

/// The list `extensions`: as the cluster holds them and as Azure lists them. What one of them alone says counts; where they
/// differ, the worse.
pub(super) fn extensions(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let inside = &cluster.arc.extensions;
    let outside = &cluster.azure.extensions;
    let same = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let mut list = Derived::default();
    for (place, one) in inside.items.iter().enumerate() {
        let gap = |field: &str| gap_at(root, &format!("arc.extensions.{place}.{field}"));
        let azure = outside.items.iter().find(|azure| same(&azure.name, &one.name));
        let state = azure.and_then(|azure| azure.state.known()).map(|state| state == "Succeeded");
        let auto = azure.and_then(|azure| azure.auto_upgrade.known()).copied();
        list.open(|| {
            Reading::map([
                ("name", text(one.name.as_str())),
                ("kind", of_fact(&one.kind, |kind| text(kind.as_str()), || gap("kind"))),
                ("version", of_fact(&one.version, |version| text(version.as_str()), || gap("version"))),
                ("auto_upgrade", both(&one.auto_upgrade, auto, || gap("auto_upgrade"))),
                ("installed", both(&one.installed, state, || gap("installed"))),
                ("synced", of_fact(&one.synced, |synced| truth(*synced), || gap("synced"))),
                ("last_sync", of_fact(&one.last_sync, |time| text(time.to_string()), || gap("last_sync"))),
            ])
        });
    }
    for (place, one) in outside.items.iter().enumerate() {
        if inside.items.iter().any(|known| same(&known.name, &one.name)) {
            continue;
        }
        let gap = |field: &str| gap_at(root, &format!("azure.extensions.{place}.{field}"));
        let none = "Azure lists it, and the cluster does not, or could not be read";
        let unread = || Reading::unread(Reason::NotVisible, none);
        list.open(|| {
            Reading::map([
                ("name", text(one.name.as_str())),
                ("kind", of_fact(&one.kind, |kind| text(kind.as_str()), || gap("kind"))),
                ("version", of_fact(&one.version, |version| text(version.as_str()), || gap("version"))),
                ("auto_upgrade", of_fact(&one.auto_upgrade, |auto| truth(*auto), || gap("auto_upgrade"))),
                ("installed", of_fact(&one.state, |state| truth(state == "Succeeded"), || gap("state"))),
                ("synced", unread()),
                ("last_sync", unread()),
            ])
        });
    }
    // Where the cluster's list was not read, Azure's alone will do; where Azure was asked, what it did not tell is missing.
    let of_azure = gap_of(outside, root, "azure.extensions");
    let asked = of_azure.is_none() || !outside.items.is_empty();
    match gap_of(inside, root, "arc.extensions") {
        Some(_) if asked && inside.items.is_empty() => list.done(of_azure),
        Some(gap) => list.done(Some(gap)),
        None if asked => list.done(of_azure),
        None => list.done(None),
    }
}

/// What the cluster and Azure say of an extension, where both do: true where both say so.
fn both(inside: &Fact<bool>, azure: Option<bool>, gap: impl FnOnce() -> Gap) -> Reading {
    match (inside.known().copied(), azure) {
        (Some(inside), Some(azure)) if inside != azure => {
            let origin = format!("the cluster says {inside}, Azure says {azure}");
            Reading::with_origin(Value::Bool(false), origin)
        }
        (None, Some(azure)) => Reading::with_origin(Value::Bool(azure), "Azure's list"),
        _ => of_fact(inside, |truth_of| truth(*truth_of), gap),
    }
}

/// The shape of `extensions`.
pub(super) fn extensions_shape() -> Shape {
    let fields = ["name", "kind", "version", "auto_upgrade", "installed", "synced", "last_sync"];
    Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))))
}

#[cfg(test)]
#[path = "add_ons_tests.rs"]
mod tests;
