//! Objects as a person is shown them: YAML, and what changes in it.

use crate::kubeapi::{ObjectPlace, for_display};
use crate::remedy::words::unified;
use serde_json::{Value, json};

/// What the API server keeps for itself in `metadata`.
const KEPT: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionGracePeriodSeconds",
];

/// The annotation in which it counts the templates of a DaemonSet.
const COUNTED: &str = "deprecated.daemonset.template.generation";

/// An object without what the API server and controllers write of it by themselves.
pub(super) fn substance(object: &Value) -> Value {
    let mut object = for_display(object);
    let Some(fields) = object.as_object_mut() else { return object };
    fields.remove("status");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in KEPT {
            metadata.remove(key);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(COUNTED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// An object to be written into a file: with its kind and its name.
pub(super) fn whole(place: &ObjectPlace, object: &Value) -> Value {
    let mut object = substance(object);
    let version = match place.group.as_str() {
        "" => place.version.clone(),
        group => format!("{group}/{}", place.version),
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".to_owned(), version.into());
        fields.insert("kind".to_owned(), place.kind.clone().into());
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".to_owned(), place.name.clone().into());
            if let Some(namespace) = &place.namespace {
                metadata.insert("namespace".to_owned(), namespace.clone().into());
            }
        }
    }
    object
}

fn yaml(object: Option<&Value>) -> String {
    object.map(substance).and_then(|object| serde_saphyr::to_string(&object).ok()).unwrap_or_default()
}

/// The unified diff of two states of an object.
pub(super) fn diff(name: &str, from: Option<&Value>, to: Option<&Value>) -> String {
    between(name, from.is_some().then(|| yaml(from)), to.is_some().then(|| yaml(to)))
}

/// The unified diff of two states of a text under a key of a ConfigMap.
pub(super) fn text_diff(name: &str, key: &str, from: Option<&Value>, to: Option<&Value>) -> String {
    let text = |object: Option<&Value>| object.and_then(|object| text_of(object, key)).map(str::to_owned);
    between(&format!("{name}, {key}"), text(from), text(to))
}

/// The text under a key of a ConfigMap.
pub(super) fn text_of<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get("data")?.get(key)?.as_str()
}

fn between(name: &str, from: Option<String>, to: Option<String>) -> String {
    let header = |text: &Option<String>| if text.is_some() { name.to_owned() } else { "/dev/null".to_owned() };
    let headers = (header(&from), header(&to));
    unified(&from.unwrap_or_default(), &to.unwrap_or_default(), &headers.0, &headers.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_the_object_and_no_bookkeeping() {
        let object = |level: &str| {
            json!({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"}, "metadata": {"name": "shop", "uid": "u-1",
                "resourceVersion": "7", "managedFields": [{"manager": "m"}], "labels": {"level": level, "team": "a\u{1b}"}}})
        };
        let text = diff("Namespace shop", Some(&object("privileged")), Some(&object("baseline")));
        assert!(text.contains("-    level: privileged\n+    level: baseline\n"), "{text}");
        assert!(!text.contains("u-1") && !text.contains("managedFields") && !text.contains('\u{1b}'), "{text}");
        let made = diff("Namespace shop", None, Some(&object("x")));
        assert!(made.starts_with("--- /dev/null\n+++ Namespace shop\n"), "{made}");
    }

    #[test]
    fn a_secret_shows_nothing() {
        let secret = json!({"kind": "Secret", "data": {"k": "Z2VoZWlt"}, "metadata": {"name": "s"}});
        assert!(!diff("Secret s", None, Some(&secret)).contains("Z2VoZWlt"));
    }
}
