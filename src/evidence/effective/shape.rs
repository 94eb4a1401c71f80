//! Shapes of what is derived, so that a catalog's paths can be checked when it is loaded.

use super::{apiserver, etcd, kube_proxy, kubelet_fields, managers, sshd_keywords};
use std::collections::BTreeMap;

/// What stands at a path of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A value: nothing lies beneath it.
    Leaf,
    /// A map whose keys are free.
    Free,
    /// A list of such items.
    List(Box<Shape>),
    /// A map with exactly these keys.
    Map(BTreeMap<String, Shape>),
}

impl Shape {
    /// Puts `shape` at a path below this map, making maps on the way. Does nothing below a leaf.
    pub(super) fn put(&mut self, path: &[&str], shape: Shape) {
        let Shape::Map(entries) = self else { return };
        match path {
            [] => {}
            [last] => {
                entries.insert((*last).to_owned(), shape);
            }
            [first, rest @ ..] => {
                entries.entry((*first).to_owned()).or_insert_with(|| Shape::Map(BTreeMap::new())).put(rest, shape);
            }
        }
    }

    /// A map from its entries.
    pub(super) fn map<const N: usize>(entries: [(&str, Shape); N]) -> Shape {
        Shape::Map(entries.into_iter().map(|(key, shape)| (key.to_owned(), shape)).collect())
    }
}

/// Paths below `node.` at which something is derived, each with its shape; `node.api` has that of a
/// [`crate::evidence::cluster::KubeNode`].
pub fn derived_shapes() -> Vec<(&'static str, Shape)> {
    let items = |keys: [&str; 3]| Shape::List(Box::new(Shape::map(keys.map(|key| (key, Shape::Free)))));
    vec![
        ("kube_apiserver.effective", apiserver::APISERVER.shape()),
        ("kube_controller_manager.effective", managers::CONTROLLER_MANAGER.shape()),
        ("kube_scheduler.effective", managers::SCHEDULER.shape()),
        ("kube_proxy.effective", kube_proxy::KUBE_PROXY.shape()),
        ("etcd.effective", etcd::ETCD.shape()),
        (
            "join",
            Shape::map([
                ("state", Shape::Leaf),
                ("name", Shape::Leaf),
                ("why", Shape::Leaf),
                ("same_machine_id", Shape::List(Box::new(Shape::Leaf))),
                ("same_address", Shape::List(Box::new(Shape::Leaf))),
            ]),
        ),
        ("disagreements", items(["name", "by_node", "by_api"])),
        ("unloaded_manifests", items(["name", "running", "on_disk"])),
        ("kubelet.effective", kubelet_fields::shape()),
        ("kubelet.flags", Shape::Free),
        ("kubelet.config_stale", Shape::Leaf),
        ("encrypted_below", Shape::Leaf),
        (
            "rejected_processes",
            Shape::List(Box::new(Shape::map(
                ["name", "component", "pid", "uid", "exe", "args", "unit", "started", "container", "rejected"]
                    .map(|key| (key, Shape::Leaf)),
            ))),
        ),
        (
            "etcd.listen_urls",
            Shape::List(Box::new(Shape::map(["name", "flag", "url", "loopback"].map(|key| (key, Shape::Leaf))))),
        ),
        (
            "sshd.contexts",
            Shape::List(Box::new(Shape::map([
                ("name", Shape::Leaf),
                ("daemon", Shape::Leaf),
                ("context", Shape::Leaf),
                ("config_path", Shape::Leaf),
                ("serves_login", Shape::Leaf),
                ("connection", Shape::Free),
                ("settings", sshd_keywords::shape()),
            ]))),
        ),
    ]
}
