//! The shape of the evidence: which paths exist, so that a misspelt one is found when a catalog is loaded.

pub use crate::evidence::Shape;
use crate::evidence::cluster::KubeNode;
use crate::evidence::{
    CLUSTER_KEYS, ClusterEvidence, EndpointEvidence, NodeEvidence, SiteFacts, Thresholds, derived_cluster_shapes,
    derived_endpoint_shapes, derived_shapes,
};
use schemars::Schema;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Deepest nesting of types that is followed; the evidence has about six.
const DEPTH: usize = 24;

/// The shape that a JSON Schema describes.
fn of_schema(schema: Schema) -> Shape {
    let json = schema.to_value();
    let none = Map::new();
    let definitions = json.get("$defs").and_then(Json::as_object).unwrap_or(&none);
    convert(&json, definitions, DEPTH)
}

/// Puts a shape at a path below a map; maps on the way are made where they are missing.
fn put(at: &mut Shape, path: &str, shape: Shape) {
    if let Shape::Map(entries) = at {
        match path.split_once('.') {
            Some((first, rest)) => {
                put(entries.entry(first.to_owned()).or_insert_with(|| Shape::Map(BTreeMap::new())), rest, shape);
            }
            None => {
                entries.insert(path.to_owned(), shape);
            }
        }
    }
}

/// What this room adds to a node's evidence: the support of its operating system, as
/// [`crate::evidence::Lifecycle::support`] gives it.
fn support() -> (&'static str, Shape) {
    let keys = ["product", "cycle", "title", "eol", "extended_end", "support_end", "ended"];
    ("os.lifecycle", Shape::Map(keys.into_iter().map(|key| (key.to_owned(), Shape::Leaf)).collect()))
}

/// What the lifecycle data adds to a cluster's evidence, as [`crate::evidence::Lifecycle::add_to_cluster`] gives it.
fn cluster_support() -> impl Iterator<Item = (&'static str, Shape)> {
    CLUSTER_KEYS.into_iter().map(|(path, keys, is_list)| {
        let map = Shape::Map(keys.iter().map(|key| ((*key).to_owned(), Shape::Leaf)).collect());
        (path, if is_list { Shape::List(Box::new(map)) } else { map })
    })
}

/// The names that conditions start from, with their shapes: `node`, `cluster`, `endpoint`, `site`, `policy`.
pub static ROOTS: LazyLock<BTreeMap<&'static str, Shape>> = LazyLock::new(|| {
    let mut node = of_schema(schemars::schema_for!(NodeEvidence));
    let api = ("api", of_schema(schemars::schema_for!(KubeNode)));
    for (path, shape) in derived_shapes().into_iter().chain([support(), api]) {
        put(&mut node, path, shape);
    }
    let mut cluster = of_schema(schemars::schema_for!(ClusterEvidence));
    for (path, shape) in derived_cluster_shapes().into_iter().chain(cluster_support()) {
        put(&mut cluster, path, shape);
    }
    let mut endpoint = of_schema(schemars::schema_for!(EndpointEvidence));
    for (path, shape) in derived_endpoint_shapes() {
        put(&mut endpoint, path, shape);
    }
    BTreeMap::from([
        ("node", node),
        ("cluster", cluster),
        ("endpoint", endpoint),
        ("site", of_schema(schemars::schema_for!(SiteFacts))),
        ("policy", of_schema(schemars::schema_for!(Thresholds))),
    ])
});

fn convert(schema: &Json, definitions: &Map<String, Json>, depth: usize) -> Shape {
    let (Some(map), Some(depth)) = (schema.as_object(), depth.checked_sub(1)) else {
        return Shape::Free;
    };
    if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return definitions.get(name).map_or(Shape::Free, |found| convert(found, definitions, depth));
    }
    // An optional value is written as any of (value, null).
    if let Some(choices) = map.get("anyOf").and_then(Json::as_array) {
        let real: Vec<&Json> =
            choices.iter().filter(|choice| choice.get("type") != Some(&Json::from("null"))).collect();
        return match real.as_slice() {
            [one] => convert(one, definitions, depth),
            _ => Shape::Free,
        };
    }
    if let Some(properties) = map.get("properties").and_then(Json::as_object) {
        if let (Some(items), Some(_), 2) = (properties.get("items"), properties.get("complete"), properties.len()) {
            // A list that says whether it is complete is bound as the list itself.
            return convert(items, definitions, depth);
        }
        return Shape::Map(
            properties.iter().map(|(key, value)| (key.clone(), convert(value, definitions, depth))).collect(),
        );
    }
    if let Some(items) = map.get("items") {
        return Shape::List(Box::new(convert(items, definitions, depth)));
    }
    let kinds: Vec<&str> = match map.get("type") {
        Some(Json::String(kind)) => vec![kind.as_str()],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    let leaf = ["string", "integer", "number", "boolean"];
    let constant = ["enum", "oneOf", "const"].iter().any(|key| map.contains_key(*key));
    match kinds.as_slice() {
        [kind] if leaf.contains(kind) => Shape::Leaf,
        [] if constant => Shape::Leaf,
        _ => Shape::Free,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn at(path: &str) -> Option<Shape> {
        let mut parts = path.split('.');
        let mut shape = ROOTS.get(parts.next().unwrap()).cloned()?;
        for part in parts {
            shape = match shape {
                Shape::Map(entries) => entries.get(part).cloned()?,
                Shape::List(item) if part == "[]" => (*item).clone(),
                _ => return None,
            };
        }
        Some(shape)
    }

    #[test]
    fn the_evidence_types_give_the_paths() {
        assert_eq!(at("node.os.id"), Some(Shape::Leaf));
        assert_eq!(at("node.kubelet.exists"), Some(Shape::Leaf));
        assert_eq!(at("node.kubelet.process.args.[]"), Some(Shape::Leaf));
        assert_eq!(at("node.files.[].mode"), Some(Shape::Leaf));
        assert_eq!(at("node.files.[].kind"), Some(Shape::Leaf));
        assert_eq!(at("node.files.[].modified"), Some(Shape::Leaf));
        assert_eq!(at("node.sshd.daemons.[].dumps.[].settings"), Some(Shape::Free));
        assert_eq!(at("node.kubelet.config_file.document"), Some(Shape::Free));
        assert_eq!(at("node.os.lifecycle.eol"), Some(Shape::Leaf));
        assert_eq!(at("site.management_networks.[]"), Some(Shape::Leaf));
        assert_eq!(at("policy.certificate_days"), Some(Shape::Leaf));
        assert_eq!(at("node.login.privilege"), Some(Shape::Leaf));
        assert_eq!(at("node.kubelett"), None);
        assert_eq!(at("node.files.[].mod"), None);
    }
}
