//! What conditions ask of a cluster and no record holds as such: its platform, who holds which power, which pods come near
//! their nodes, how far versions lie apart, whether what Azure brings is well.

mod add_ons;
mod control_plane;
mod grants;
mod listed;
mod namespaces;
mod platform;
mod platform_table;
mod pods;
mod published;
mod readiness;
mod rules;
mod skew;
mod system;

use super::super::{ClusterEvidence, Evidence, Reading, Value};
use super::Shape;
use control_plane::ControlPlane;
pub(crate) use platform::is_moc_name;
pub use published::Published;

/// Ids of the platforms that are told apart, for a person who names one.
pub fn platform_ids() -> Vec<&'static str> {
    platform_table::PLATFORMS.iter().map(|platform| platform.id).chain([platform_table::GENERIC.0]).collect()
}

/// Id of the platform that the cluster of a document is, as a person said or as it was recognised. None where no API was read
/// or too little of it. Cheaper than the whole tree.
pub fn platform_of(evidence: &Evidence) -> Option<String> {
    let cluster = evidence.cluster.as_ref()?;
    let platform = platform::reading(cluster, &Reading::new(Value::Absent));
    platform::id(&Reading::map([("platform", platform)]))
}

/// Adds to the cluster's tree what is derived from it and from the rest of the document. Pure.
pub(in crate::evidence) fn attach(cluster: &ClusterEvidence, evidence: &Evidence, root: &mut Reading) {
    readiness::hush(cluster, root);
    let platform = platform::reading(cluster, root);
    root.insert("platform", platform);
    let id = platform::id(root);
    let id = id.as_deref();
    let control = ControlPlane::of(cluster, evidence, root, id);
    let derived = [
        ("control_plane", control.reading()),
        ("encryption", control.encryption(cluster, root)),
        ("skew", skew::reading(cluster, &control, root)),
        ("readiness", readiness::reading(cluster, root)),
        ("grants", grants::reading(cluster, root, id)),
        ("pod_risks", pods::reading(cluster, root, id)),
        ("guards", namespaces::guards(cluster, &control, root, id)),
        ("default_objects", namespaces::default_objects(cluster, root)),
        ("network_plugin", namespaces::network_plugin(cluster, root, id)),
        ("secret_store", namespaces::secret_store(cluster, root)),
        ("add_ons", add_ons::reading(cluster, root)),
        ("extensions", add_ons::extensions(cluster, root)),
        ("clock_skew", control_plane::clock_skew(cluster, evidence, root)),
    ];
    published::attach(cluster, root);
    let agents = add_ons::agents(cluster, root);
    for (name, reading) in derived {
        root.insert(name, reading);
    }
    root.change("arc", |arc| arc.insert("agents", agents));
}

/// Paths below `cluster.` at which something is derived, each with its shape.
pub fn derived_shapes() -> Vec<(&'static str, Shape)> {
    vec![
        ("platform", platform::shape()),
        ("control_plane", control_plane::shape()),
        ("encryption", control_plane::encryption_shape()),
        ("skew", skew::shape()),
        ("readiness", readiness::shape()),
        ("grants", grants::shape()),
        ("pod_risks", pods::shape()),
        ("guards", namespaces::guards_shape()),
        ("default_objects", Shape::List(Box::new(Shape::map([("name", Shape::Leaf)])))),
        ("network_plugin", Shape::map([("name", Shape::Leaf), ("enforces", Shape::Leaf)])),
        ("secret_store", Shape::map([("present", Shape::Leaf)])),
        ("add_ons", add_ons::shape()),
        ("extensions", add_ons::extensions_shape()),
        ("clock_skew", Shape::Leaf),
        ("arc.agents", add_ons::agents_shape()),
    ]
}

/// Clusters that are made by hand, for the tests of this folder.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evidence::Tool;

    /// A document with this cluster and nothing else.
    pub(super) fn document(cluster: &ClusterEvidence) -> Evidence {
        Evidence {
            schema: crate::evidence::SCHEMA.to_owned(),
            tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
            started: "2026-11-25T12:00:00Z".parse().unwrap(),
            finished: "2026-11-25T12:01:00Z".parse().unwrap(),
            seat: Default::default(),
            site: Default::default(),
            cluster: Some(cluster.clone()),
            nodes: Vec::new(),
            endpoints: None,
        }
    }

    /// Its tree, with all that is derived.
    pub(super) fn tree(cluster: &ClusterEvidence) -> Reading {
        Reading::of_cluster(&document(cluster))
    }
}
