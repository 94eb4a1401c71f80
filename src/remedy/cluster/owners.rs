//! Whose an object is: what another controller keeps is never edited, since it would be set back.

use serde_json::{Map, Value};

/// Who we are among the managers of an object's fields.
pub(super) const OURS: &str = "sitewarden";

/// Labels and annotations by which an owner marks what it keeps: the key, the value that counts (empty: any), whose it is.
const MARKS: [(&str, &str, &str); 14] = [
    ("app.kubernetes.io/managed-by", "Helm", "Helm"),
    ("meta.helm.sh/release-name", "", "Helm"),
    ("helm.sh/chart", "", "Helm"),
    ("kustomize.toolkit.fluxcd.io/name", "", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "", "Flux"),
    ("argocd.argoproj.io/instance", "", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "", "Argo CD"),
    ("objectset.rio.cattle.io/id", "", "Rancher Fleet or a k3s manifest"),
    ("fleet.cattle.io/bundle-id", "", "Rancher Fleet"),
    ("olm.owner", "", "the Operator Lifecycle Manager"),
    ("addonmanager.kubernetes.io/mode", "Reconcile", "the add-on manager"),
    ("kubernetes.io/bootstrapping", "rbac-defaults", "Kubernetes itself"),
    ("clusterconfig.azure.com/name", "", "Azure Arc"),
    ("crossplane.io/composition-resource-name", "", "Crossplane"),
];

/// Whose an object is by its owner references, labels and annotations. None: nobody says that it is theirs.
pub(super) fn owner(object: &Value) -> Option<String> {
    let metadata = object.get("metadata")?;
    let references = metadata.get("ownerReferences").and_then(Value::as_array);
    if let Some(reference) = references.and_then(|list| list.first()) {
        let text = |key: &str| plain(reference.get(key).and_then(Value::as_str).unwrap_or_default());
        return Some(format!("{} {}", text("kind"), text("name")));
    }
    let marked = |list: &str, key: &str| metadata.get(list).and_then(|list| list.get(key)).and_then(Value::as_str);
    MARKS.iter().find_map(|(key, value, whose)| {
        let found = marked("labels", key).or_else(|| marked("annotations", key))?;
        (value.is_empty() || found == *value).then(|| format!("{whose} (by its mark {key})"))
    })
}

/// What manages a field beside us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manager {
    /// Something that would set it back.
    Other(String),
    /// A person, by kubectl.
    Hand,
    /// A person, by a file that was applied and may be applied again.
    File,
}

/// Who manages a field, by `metadata.managedFields`. `path`: as there, `["f:metadata", "f:labels", "f:KEY"]`.
pub(super) fn managers(object: &Value, path: &[&str]) -> Vec<Manager> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let of = |entry: &Value| {
        let mut at = entry.get("fieldsV1")?;
        for key in path {
            at = at.get(*key)?;
        }
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        match (text("manager"), text("operation")) {
            (OURS, _) => None,
            // Of an object without this list: whoever wrote it left no name.
            ("before-first-apply", _) => Some(Manager::Hand),
            ("kubectl", "Apply") | ("kubectl-client-side-apply", _) => Some(Manager::File),
            (name, "Update") if name.starts_with("kubectl") => Some(Manager::Hand),
            (name, _) => Some(Manager::Other(plain(name))),
        }
    };
    entries.into_iter().flatten().filter_map(of).collect()
}

/// Whether nobody's name stands in an object: the API server then says of each field that somebody owns it.
pub(super) fn nobody(object: &Value) -> bool {
    object.pointer("/metadata/managedFields").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// The values at the top of an object, and below `metadata`, that we applied: an apply without them would take them away.
/// None: some of them stand in lists, which this program never applies.
pub(super) fn applied(object: &Value) -> Option<Map<String, Value>> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let ours = |entry: &&Value| {
        entry.get("manager").and_then(Value::as_str) == Some(OURS)
            && entry.get("operation").and_then(Value::as_str) == Some("Apply")
    };
    let Some(fields) = entries.and_then(|entries| entries.iter().find(ours)).and_then(|entry| entry.get("fieldsV1"))
    else {
        return Some(Map::new());
    };
    taken(fields, object)
}

fn taken(fields: &Value, object: &Value) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    for (key, below) in fields.as_object()? {
        if key == "." {
            continue;
        }
        let name = key.strip_prefix("f:")?;
        let Some(value) = object.get(name) else { continue };
        let leaf = below.as_object().is_none_or(Map::is_empty);
        out.insert(name.to_owned(), if leaf { value.clone() } else { Value::Object(taken(below, value)?) });
    }
    Some(out)
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn managed(manager: &str, operation: &str) -> Value {
        json!({"metadata": {"managedFields": [{"manager": manager, "operation": operation, "fieldsV1": {"f:subjects": {}}}]}})
    }

    #[test]
    fn a_controller_is_told_from_a_persons_hand() {
        let by = |manager, operation| managers(&managed(manager, operation), &["f:subjects"]);
        assert_eq!(by("helm", "Update"), [Manager::Other("helm".to_owned())]);
        assert_eq!(by("argocd-controller", "Apply"), [Manager::Other("argocd-controller".to_owned())]);
        assert_eq!(by("kubectl-create", "Update"), [Manager::Hand]);
        assert_eq!(by("kubectl-client-side-apply", "Update"), [Manager::File]);
        assert_eq!(by("kubectl", "Apply"), [Manager::File]);
        assert_eq!(by("kubectl-like", "Apply"), [Manager::Other("kubectl-like".to_owned())]);
        assert_eq!(by("", "Update"), [Manager::Other(String::new())]);
        assert_eq!(by("before-first-apply", "Update"), [Manager::Hand]);
        assert!(by(OURS, "Apply").is_empty() && nobody(&json!({})) && !nobody(&managed(OURS, "Apply")));
        assert!(managers(&managed("helm", "Update"), &["f:roleRef"]).is_empty());
        assert!(managers(&json!({"metadata": {"managedFields": "x"}}), &["f:a"]).is_empty());
    }

    #[test]
    fn marks_of_owners() {
        let with = |list: &str, key: &str, value: &str| json!({"metadata": {list: {key: value}}});
        assert!(owner(&with("annotations", "meta.helm.sh/release-name", "x")).unwrap().starts_with("Helm"));
        assert!(owner(&with("labels", "kustomize.toolkit.fluxcd.io/name", "x")).unwrap().starts_with("Flux"));
        assert!(owner(&with("labels", "kubernetes.io/bootstrapping", "rbac-defaults")).is_some());
        assert_eq!(owner(&with("labels", "app.kubernetes.io/managed-by", "me")), None);
        let owned = json!({"metadata": {"ownerReferences": [{"kind": "Tenant", "name": "a\u{1b}"}]}});
        assert_eq!(owner(&owned).unwrap(), "Tenant a");
        assert_eq!(owner(&json!(null)), None);
    }

    #[test]
    fn what_we_applied_before_is_applied_again() {
        let object = json!({"automount": false, "other": 1, "metadata": {"labels": {"a": "1", "b": "2"}, "managedFields": [
            {"manager": OURS, "operation": "Apply", "fieldsV1": {"f:automount": {}, "f:metadata": {"f:labels": {".": {}, "f:a": {}}}}}]}});
        let kept = applied(&object).unwrap();
        assert_eq!(Value::Object(kept), json!({"automount": false, "metadata": {"labels": {"a": "1"}}}));
        assert_eq!(applied(&json!({})), Some(Map::new()));
        let listed = json!({"subjects": [1], "metadata": {"managedFields": [
            {"manager": OURS, "operation": "Apply", "fieldsV1": {"f:subjects": {"k:{\"n\":1}": {}}}}]}});
        assert_eq!(applied(&listed), None);
    }
}
