//! One change of one object: how it is made, what it was and will be, and what of it is compared.

use super::show::{self, substance, text_of};
use crate::kubeapi::{Api, ApiError, Deleted, Mark, ObjectPlace, Seen};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How an object is changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub(super) enum How {
    /// A label is set, or taken away.
    Label { key: String, value: Option<String> },
    /// A field at the top is applied by the server, or taken away; `own` is what we applied before and keep. `force`: it is
    /// taken over from a person's hand.
    Field { field: String, value: Option<Value>, own: Map<String, Value>, force: bool },
    /// It is made.
    Create { object: Value },
    /// It is replaced by this state of it.
    Replace { object: Value },
    /// It is deleted.
    Delete,
    /// The text under a key of a ConfigMap becomes this one. `what`: for people.
    Text { key: String, text: String, what: String },
    /// The pods of a DaemonSet are made anew, as `kubectl rollout restart` does it. `within`: seconds for which that is
    /// waited for.
    Restart { at: String, within: u32 },
}

/// The annotation by which `kubectl rollout restart` has pods made anew.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// One change of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Act {
    /// Which object.
    pub(super) place: ObjectPlace,
    /// How it is changed.
    pub(super) how: How,
    /// Which state of it the person saw. None: there was none.
    pub(super) seen: Option<Seen>,
    /// As it was. None: there was none.
    pub(super) before: Option<Value>,
    /// As it will be, by the API server's own word. None: there will be none.
    pub(super) after: Option<Value>,
}

impl Act {
    /// Makes the change, or with `dry_run` lets the API server say what would come of it. Gives the object as it is then.
    pub(super) async fn make(&self, api: &Api, seen: Option<&Seen>, dry_run: bool) -> Result<Option<Value>, ApiError> {
        let nothing = Seen { uid: String::new(), resource_version: String::new() };
        let seen = seen.unwrap_or(&nothing);
        let metadata = json!({"uid": seen.uid, "resourceVersion": seen.resource_version});
        match &self.how {
            How::Label { key, value } => {
                api.mark(&self.place, Mark::Label(key), value.as_deref(), seen, dry_run).await.map(Some)
            }
            How::Field { field, value, own, force } => {
                let mut fields = own.clone();
                fields.remove(field);
                if let Some(value) = value {
                    fields.insert(field.clone(), value.clone());
                }
                let ours = fields.entry("metadata").or_insert_with(|| json!({}));
                if let (Some(ours), Some(metadata)) = (ours.as_object_mut(), metadata.as_object()) {
                    ours.extend(metadata.clone());
                }
                api.apply(&self.place, &Value::Object(fields), dry_run, *force).await.map(Some)
            }
            How::Create { object } => api.create(&self.place, object, dry_run).await.map(Some),
            How::Replace { object } => {
                let mut object = object.clone();
                if let (Some(ours), Some(metadata)) =
                    (object.get_mut("metadata").and_then(Value::as_object_mut), metadata.as_object())
                {
                    ours.extend(metadata.clone());
                }
                api.replace(&self.place, &object, dry_run).await.map(Some)
            }
            How::Text { key, text, .. } => {
                api.merge(&self.place, &json!({ "data": { key.as_str(): text } }), seen, dry_run).await.map(Some)
            }
            How::Restart { at, .. } => {
                // Its state changes with every pod that comes or goes, which is no reason not to restart them.
                let seen = Seen { resource_version: String::new(), ..seen.clone() };
                let fields = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: at}}}}});
                api.merge(&self.place, &fields, &seen, dry_run).await.map(Some)
            }
            How::Delete => match api.delete(&self.place, seen, dry_run).await? {
                Deleted::Done => Ok(None),
                Deleted::Leaving if dry_run => Ok(None),
                // It is marked as deleted, and whoever put a finalizer there has to let it go.
                Deleted::Leaving => api.object(&self.place).await.map(Some),
            },
        }
    }

    /// What of an object this change is about: the rest of it may change without harm.
    pub(super) fn part(&self, object: Option<&Value>) -> Option<Value> {
        let object = object?;
        match &self.how {
            How::Label { key, .. } => {
                let label = object.get("metadata").and_then(|metadata| metadata.get("labels")?.get(key));
                Some(json!({ "label": label }))
            }
            How::Field { field, .. } => Some(json!({ "field": object.get(field) })),
            How::Replace { .. } => Some(json!({"subjects": object.get("subjects"), "roleRef": object.get("roleRef")})),
            How::Text { key, .. } => Some(json!({ "text": text_of(object, key) })),
            How::Restart { .. } => {
                let annotations = object.pointer("/spec/template/metadata/annotations");
                Some(json!({ "at": annotations.and_then(|annotations| annotations.get(RESTARTED)) }))
            }
            How::Create { .. } | How::Delete => Some(substance(object)),
        }
    }

    /// Whether an object stands as another did, as far as this change is about it.
    pub(super) fn same(&self, one: Option<&Value>, other: Option<&Value>) -> bool {
        self.part(one) == self.part(other)
    }

    /// What it changes between two states of the object, as a person reads it.
    pub(super) fn diff(&self, from: Option<&Value>, to: Option<&Value>) -> String {
        match &self.how {
            How::Text { key, .. } => show::text_diff(&self.name(), key, from, to),
            _ => show::diff(&self.name(), from, to),
        }
    }

    /// For the person: `RoleBinding shop/everybody`.
    pub(super) fn name(&self) -> String {
        named(&self.place)
    }

    /// What it does, in plain words.
    pub(super) fn in_words(&self) -> String {
        let name = self.name();
        match &self.how {
            How::Label { key, value: Some(value) } => format!("Label {name}: {key}={value}"),
            How::Label { key, value: None } => format!("Take the label {key} from {name}"),
            How::Field { field, value: Some(value), .. } => format!("Set {field}: {value} in {name}"),
            How::Field { field, value: None, .. } => format!("Take {field} out of {name}"),
            How::Create { .. } => format!("Create {name}"),
            How::Replace { .. } => format!("Change the subjects of {name}"),
            How::Delete => format!("Delete {name}"),
            How::Text { key, what, .. } => format!("{what} in {name}, {key}"),
            How::Restart { within, .. } => {
                format!("Restart {name}, and wait until its new pods run, {within} seconds at most")
            }
        }
    }

    /// The command that does the same by hand, in this context.
    pub(super) fn command(&self, context: &str) -> String {
        let quoted = crate::remedy::words::quoted;
        let mut words = vec!["kubectl".to_owned()];
        if context != "in-cluster" {
            words.extend(["--context".to_owned(), quoted(context)]);
        }
        if let Some(namespace) = &self.place.namespace {
            words.extend(["-n".to_owned(), quoted(namespace)]);
        }
        let kind = self.place.kind.to_lowercase();
        let object = format!("{kind} {}", quoted(&self.place.name));
        let patch = |patch: &Value| format!("patch {object} --type=merge -p {}", quoted(&patch.to_string()));
        let whole = words.join(" ");
        let verb = match &self.how {
            How::Label { key, value: Some(value) } => {
                format!("label {object} {} --overwrite", quoted(&format!("{key}={value}")))
            }
            How::Label { key, value: None } => format!("label {object} {}", quoted(&format!("{key}-"))),
            How::Field { field, value, .. } => patch(&json!({ field.as_str(): value })),
            How::Replace { object } => patch(&json!({ "subjects": object.get("subjects") })),
            How::Delete => format!("delete {object}"),
            // The whole text would hide the change that the diff shows, and may hold a secret that nobody asked for.
            How::Text { key, .. } => format!("edit {object} # {key}: the lines of the diff"),
            How::Restart { within, .. } => {
                format!("rollout restart {object} && {whole} rollout status {object} --timeout={within}s")
            }
            How::Create { object } => {
                let object = show::whole(&self.place, object);
                return format!("printf %s {} | {whole} create -f -", quoted(&object.to_string()));
            }
        };
        words.push(verb);
        words.join(" ")
    }
}

/// Kind, namespace and name of an object.
pub(super) fn named(place: &ObjectPlace) -> String {
    match &place.namespace {
        Some(namespace) => format!("{} {namespace}/{}", place.kind, place.name),
        None => format!("{} {}", place.kind, place.name),
    }
}
