//! How far the versions of kubelets, kube-proxy and the control plane lie apart.
//!
//! The rule is Kubernetes' version skew policy: nothing is newer than the oldest API server; a kubelet and kube-proxy may be
//! three minor versions older than the newest one, two where they are older than 1.25; controller manager, scheduler and the
//! other API servers one.

use super::super::super::{ClusterEvidence, Fact, Gap, Reading, Reason, Value, Version, image_name, image_version};
use super::super::{Shape, gap_at};
use super::control_plane::{ControlPlane, is_static};
use super::listed::{Derived, gap_of, int, text};

/// Kubelets and kube-proxies from this minor version on may be three minor versions older, before two.
const THREE_BACK_SINCE: u64 = 25;

/// Minor versions of the API servers that were seen.
struct ApiServers {
    oldest: (u64, u64),
    newest: (u64, u64),
}

/// The tree `skew`: the lists `kubelets`, `proxies` and `control_plane_parts`.
pub(super) fn reading(cluster: &ClusterEvidence, control: &ControlPlane, root: &Reading) -> Reading {
    let servers = api_servers(cluster, root);
    let mut kubelets = Derived::default();
    for (place, node) in cluster.nodes.items.iter().enumerate() {
        let version = match &node.kubelet_version {
            _ if node.silence().is_some() => Err(gap_at(root, &format!("nodes.{place}.kubelet_version"))),
            Fact::Known(version) => Ok(version.as_str()),
            Fact::Absent => Err(Gap::new(Reason::Malformed, "the node tells no version of its kubelet")),
            Fact::Unread => Err(gap_at(root, &format!("nodes.{place}.kubelet_version"))),
        };
        let allowed = |minor: (u64, u64)| if minor.1 >= THREE_BACK_SINCE { 3 } else { 2 };
        kubelets.open(|| item(&format!("kubelet of {}", node.name), version, &servers, allowed));
    }
    Reading::map([
        ("kubelets", kubelets.done(gap_of(&cluster.nodes, root, "nodes"))),
        ("proxies", proxies(cluster, root, &servers)),
        ("control_plane_parts", control_plane(cluster, control, root, &servers)),
    ])
}

/// The shape of `skew`.
pub(super) fn shape() -> Shape {
    let fields = ["name", "version", "api_server", "behind", "ahead", "allowed"];
    let list = || Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))));
    Shape::map([("kubelets", list()), ("proxies", list()), ("control_plane_parts", list())])
}

/// The API servers' minor versions: of the one that answered, and of those whose static pods were seen.
fn api_servers(cluster: &ClusterEvidence, root: &Reading) -> Result<ApiServers, Gap> {
    let answered = match &cluster.version {
        Fact::Known(version) => Version::parse(&version.git)
            .and_then(|version| version.minor())
            .ok_or_else(|| Gap::new(Reason::Malformed, "the API server tells a version that is none"))?,
        _ => return Err(gap_at(root, "version")),
    };
    let pods = cluster.pods.items.iter().filter(|pod| is_static(pod) && pod.component == "kube-apiserver");
    let images = pods.flat_map(|pod| &pod.containers).filter_map(|container| container.image.known());
    let minors = images.filter_map(|image| Version::parse(&image_version(image)?)?.minor());
    let (oldest, newest) =
        minors.fold((answered, answered), |(oldest, newest), minor| (oldest.min(minor), newest.max(minor)));
    Ok(ApiServers { oldest, newest })
}

/// kube-proxy: of its DaemonSet, and of static pods where the platform starts it so.
fn proxies(cluster: &ClusterEvidence, root: &Reading, servers: &Result<ApiServers, Gap>) -> Reading {
    let mut list = Derived::default();
    let allowed = |minor: (u64, u64)| if minor.1 >= THREE_BACK_SINCE { 3 } else { 2 };
    let no_tag = || Gap::new(Reason::NotVisible, "its image has no version in its tag");
    let sets = cluster.workloads.items.iter().filter(|one| {
        one.kind == "DaemonSet" && one.namespace == "kube-system" && one.workload.starts_with("kube-proxy")
    });
    for set in sets {
        for image in set.images.iter().filter(|image| image_name(image).contains("kube-proxy")) {
            let version = image_version(image);
            list.open(|| item(&set.name, version.as_deref().ok_or_else(no_tag), servers, allowed));
        }
    }
    let pods = cluster.pods.items.iter().filter(|pod| is_static(pod) && pod.name.starts_with("kube-system/kube-proxy"));
    for pod in pods {
        for container in pod.containers.iter().filter(|container| container.name == "kube-proxy") {
            let version = container.image.known().and_then(|image| image_version(image));
            list.open(|| item(&pod.name, version.as_deref().ok_or_else(no_tag), servers, allowed));
        }
    }
    list.done(gap_of(&cluster.workloads, root, "workloads").or_else(|| gap_of(&cluster.pods, root, "pods")))
}

/// Static pods of the control plane. Unread where none shows itself.
fn control_plane(
    cluster: &ClusterEvidence,
    control: &ControlPlane,
    root: &Reading,
    servers: &Result<ApiServers, Gap>,
) -> Reading {
    let mut list = Derived::default();
    let parts = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    for pod in cluster.pods.items.iter().filter(|pod| is_static(pod) && parts.contains(&pod.component.as_str())) {
        let version = pod
            .containers
            .iter()
            .find(|container| container.kind == "container")
            .and_then(|container| container.image.known())
            .and_then(|image| image_version(image));
        let no_tag = || Gap::new(Reason::NotVisible, "its image has no version in its tag");
        list.open(|| item(&pod.name, version.as_deref().ok_or_else(no_tag), servers, |_| 1));
    }
    match list.done(gap_of(&cluster.pods, root, "pods")) {
        Reading { value: Value::List { items, gap: None }, .. } if items.is_empty() => {
            Reading::new(Value::Unread(control.why_hidden()))
        }
        list => list,
    }
}

fn item(
    name: &str,
    version: Result<&str, Gap>,
    servers: &Result<ApiServers, Gap>,
    allowed: impl Fn((u64, u64)) -> i64,
) -> Reading {
    let unread = |gap: Gap| Reading::new(Value::Unread(gap));
    let minor = version.clone().and_then(|version| {
        let minor = Version::parse(version).and_then(|version| version.minor());
        minor.ok_or_else(|| Gap::new(Reason::Malformed, "what stands for its version is none"))
    });
    let apart = match (&minor, servers) {
        (Ok(minor), Ok(servers)) => apart(*minor, servers),
        (Err(gap), _) | (_, Err(gap)) => Err(gap.clone()),
    };
    let (behind, ahead) = match apart {
        Ok((behind, ahead)) => (int(behind), int(ahead)),
        Err(gap) => (unread(gap.clone()), unread(gap)),
    };
    Reading::map([
        ("name", text(name)),
        ("version", version.map_or_else(unread, text)),
        (
            "api_server",
            servers.as_ref().map_or_else(
                |gap| unread(gap.clone()),
                |servers| text(format!("{}.{}", servers.newest.0, servers.newest.1)),
            ),
        ),
        ("behind", behind),
        ("ahead", ahead),
        ("allowed", minor.map_or_else(unread, |minor| int(allowed(minor)))),
    ])
}

/// How many minor versions something is older than the newest API server, and newer than the oldest.
fn apart(minor: (u64, u64), servers: &ApiServers) -> Result<(i64, i64), Gap> {
    if minor.0 != servers.newest.0 || minor.0 != servers.oldest.0 {
        return Err(Gap::new(Reason::Malformed, "its major version is not the API server's"));
    }
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX / 4);
    Ok((number(servers.newest.1) - number(minor.1), number(minor.1) - number(servers.oldest.1)))
}

#[cfg(test)]
#[path = "skew_tests.rs"]
mod tests;
