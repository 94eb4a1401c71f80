//! Which nodes are ready, and what is no longer known of those from which the cluster hears nothing.

use super::super::super::{ClusterEvidence, Fact, Reading, Value};
use super::super::{Shape, gap_at};
use super::listed::{Derived, gap_of, of_fact, text};

/// What a kubelet reports of its node, and conditions ask over all nodes.
const REPORTED: [&str; 3] = ["kernel", "container_runtime", "kubelet_version"];

/// Takes back what the kubelets of such nodes reported: it was so once.
pub(super) fn hush(cluster: &ClusterEvidence, root: &mut Reading) {
    let silent = cluster.nodes.items.iter().enumerate().filter_map(|(place, node)| Some((place, node.silence()?)));
    for (place, gap) in silent {
        root.change_item("nodes", place, |node| {
            for key in REPORTED {
                node.insert(key, Reading::new(Value::Unread(gap.clone())));
            }
        });
    }
}

/// The tree `readiness`: each of the `nodes` with the status of its condition `Ready`, which is absent where it has none, and
/// since when it stands so.
pub(super) fn reading(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let mut nodes = Derived::default();
    for (place, node) in cluster.nodes.items.iter().enumerate() {
        let ready = node.ready();
        let since = ready.map_or(&Fact::Absent, |ready| &ready.since);
        nodes.open(|| {
            Reading::map([
                ("name", text(node.name.as_str())),
                ("ready", ready.map_or(Reading::new(Value::Absent), |ready| text(ready.status.as_str()))),
                (
                    "since",
                    of_fact(
                        since,
                        |since| text(since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
                        || gap_at(root, &format!("nodes.{place}.conditions")),
                    ),
                ),
            ])
        });
    }
    Reading::map([("nodes", nodes.done(gap_of(&cluster.nodes, root, "nodes")))])
}

/// The shape of `readiness`.
pub(super) fn shape() -> Shape {
    let item = Shape::map(["name", "ready", "since"].map(|key| (key, Shape::Leaf)));
    Shape::map([("nodes", Shape::List(Box::new(item)))])
}
