//! One object of any kind: read, and changed.

use super::client::Api;
use super::error::{ApiError, shown};
use super::words;
use crate::evidence::Reason;
use http::Method;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, GroupVersionKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Who we are among the managers of an object's fields.
const MANAGER: &str = "sitewarden";

/// Where `kubectl apply` keeps what was applied: the whole object once more, of a Secret its data too.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What stands where something is not given.
const NOT_SHOWN: &str = "(not shown)";

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectPlace {
    /// API group: `rbac.authorization.k8s.io`; empty for the core group.
    pub group: String,
    /// Version of the group: `v1`.
    pub version: String,
    /// Kind: `RoleBinding`.
    pub kind: String,
    /// The kind's name in paths: `rolebindings`.
    pub plural: String,
    /// Namespace. None: the kind has none.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// Which state of which object somebody looked at: a change is refused where it is another by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// `metadata.uid`: another one is another object of that name.
    pub uid: String,
    /// `metadata.resourceVersion`: another one is another state.
    pub resource_version: String,
}

impl Seen {
    /// Of an object as the API server gave it. None: it has none of both.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |key: &str| object.pointer(key).and_then(Value::as_str).map(str::to_owned);
        Some(Seen { uid: text("/metadata/uid")?, resource_version: text("/metadata/resourceVersion")? })
    }
}

/// A label or an annotation, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark<'a> {
    /// `metadata.labels`.
    Label(&'a str),
    /// `metadata.annotations`.
    Annotation(&'a str),
}

/// How far a deletion came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The API server says that it is done (in a dry run: that it would be).
    Done,
    /// The object stays until somebody has cleaned up: it has finalizers, or ends gracefully.
    Leaving,
}

/// Reading and changing one object. All of it within the bounds of the client; all errors are sentences, also for a missing
/// right (which one on what), and for a conflict (who owns which fields). With `dry_run` the API server does everything but
/// keep it, and answers as if it had. `data` and `stringData` of Secrets are never given, and never written.
impl Api {
    /// Reads an object. 404 comes as an error with that status: [`ApiError::is_absent`].
    pub async fn object(&self, place: &ObjectPlace) -> Result<Value, ApiError> {
        let found = self.of(place)?.get(&place.name).await;
        self.given(found, &Method::GET, place)
    }

    /// Applies fields by server-side apply, as the manager `sitewarden`: makes the object where there is none. `force`: takes
    /// fields over that others own. Gives the object as it is then.
    pub async fn apply(
        &self,
        place: &ObjectPlace,
        fields: &Value,
        dry_run: bool,
        force: bool,
    ) -> Result<Value, ApiError> {
        let object = place.filled(fields)?;
        let how = PatchParams { dry_run, force, ..PatchParams::apply(MANAGER) };
        let done = self.of(place)?.patch(&place.name, &how, &Patch::Apply(&object)).await;
        self.given(done, &Method::PATCH, place)
    }

    /// Creates an object. Fails where there is one. Gives it as it is then.
    pub async fn create(&self, place: &ObjectPlace, object: &Value, dry_run: bool) -> Result<Value, ApiError> {
        let mut object = place.filled(object)?;
        // Of an object that is made again: they are the API server's to give.
        (object.metadata.uid, object.metadata.resource_version) = (None, None);
        object.metadata.creation_timestamp = None;
        let done = self.of(place)?.create(&post(dry_run), &object).await;
        self.given(done, &Method::POST, place)
    }

    /// Replaces an object by another state of it, whose `metadata.resourceVersion` is the state that it replaces: fails
    /// where there is a newer one. Gives the object as it is then.
    pub async fn replace(&self, place: &ObjectPlace, object: &Value, dry_run: bool) -> Result<Value, ApiError> {
        let object = place.filled(object)?;
        if object.metadata.resource_version.as_deref().is_none_or(str::is_empty) {
            return Err(own("an object is to be replaced without saying which state of it. Report it"));
        }
        let done = self.of(place)?.replace(&place.name, &post(dry_run), &object).await;
        self.given(done, &Method::PUT, place)
    }

    /// Sets a label or an annotation, or takes it away (`value`: None), where the object is as it was seen. Gives the object
    /// as it is then.
    pub async fn mark(
        &self,
        place: &ObjectPlace,
        mark: Mark<'_>,
        value: Option<&str>,
        seen: &Seen,
        dry_run: bool,
    ) -> Result<Value, ApiError> {
        let (list, key) = match mark {
            Mark::Label(key) => ("labels", key),
            Mark::Annotation(key) => ("annotations", key),
        };
        let patch =
            json!({"metadata": {"uid": seen.uid, "resourceVersion": seen.resource_version, list: {key: value}}});
        let how = PatchParams { dry_run, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let done = self.of(place)?.patch(&place.name, &how, &Patch::Merge(&patch)).await;
        self.given(done, &Method::PATCH, place)
    }

    /// Deletes an object, where it is as it was seen.
    pub async fn delete(&self, place: &ObjectPlace, seen: &Seen, dry_run: bool) -> Result<Deleted, ApiError> {
        let only = Preconditions { uid: Some(seen.uid.clone()), resource_version: Some(seen.resource_version.clone()) };
        let how = DeleteParams { dry_run, preconditions: Some(only), ..DeleteParams::default() };
        let done = self.of(place)?.delete(&place.name, &how).await;
        match done.map_err(|error| self.failed(error, &Method::DELETE, place))? {
            either if either.is_right() => Ok(Deleted::Done),
            _ => Ok(Deleted::Leaving),
        }
    }

    fn of(&self, place: &ObjectPlace) -> Result<kube::Api<DynamicObject>, ApiError> {
        let resource = place.resource()?;
        let client = self.client.clone();
        Ok(match &place.namespace {
            Some(namespace) => kube::Api::namespaced_with(client, namespace, &resource),
            None => kube::Api::all_with(client, &resource),
        })
    }

    fn given(
        &self,
        answer: kube::Result<DynamicObject>,
        method: &Method,
        place: &ObjectPlace,
    ) -> Result<Value, ApiError> {
        let object = answer.map_err(|error| self.failed(error, method, place))?;
        let mut value = serde_json::to_value(object).map_err(|_| own("the object cannot be written. Report it"))?;
        hide(&mut value, place.is_secret());
        Ok(value)
    }

    fn failed(&self, error: kube::Error, method: &Method, place: &ObjectPlace) -> ApiError {
        match error {
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                let text = format!(
                    "{}: the answer cannot be understood ({}). Report the API server's version",
                    self.server(),
                    words::of_request(method, &place.path())
                );
                ApiError::new(Reason::Malformed, text)
            }
            error => ApiError::of_kube(error),
        }
    }
}

impl ObjectPlace {
    fn is_secret(&self) -> bool {
        self.group.is_empty() && (self.kind == "Secret" || self.plural == "secrets")
    }

    /// Refuses names that kube would put into a path and that would lead elsewhere there.
    fn resource(&self) -> Result<ApiResource, ApiError> {
        let parts = [&self.version, &self.plural, &self.name];
        let plain = |name: &str| {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:@".contains(&b)) && name != "." && name != ".."
        };
        let given = |name: &str| !name.is_empty() && plain(name);
        if !parts.into_iter().all(|name| given(name))
            || !plain(&self.group)
            || !self.namespace.as_deref().is_none_or(given)
        {
            let text = format!("{} {:?}: this name cannot be asked for", shown(&self.kind), shown(&self.name));
            return Err(ApiError::new(Reason::Unsupported, format!("{text}. Look for it with kubectl")));
        }
        let kind = GroupVersionKind::gvk(&self.group, &self.version, &self.kind);
        Ok(ApiResource::from_gvk_with_plural(&kind, &self.plural))
    }

    fn path(&self) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", self.group) };
        let space = self.namespace.as_ref().map(|name| format!("namespaces/{name}/")).unwrap_or_default();
        format!("{root}/{}/{space}{}/{}", self.version, self.plural, self.name)
    }

    /// An object to send: of this kind, name and namespace, without what the API server keeps for itself.
    fn filled(&self, object: &Value) -> Result<DynamicObject, ApiError> {
        let resource = self.resource()?;
        let mut object = object.clone();
        let Some(fields) = object.as_object_mut() else {
            return Err(own("what is to be sent is no object. Report it"));
        };
        if self.is_secret() && (fields.contains_key("data") || fields.contains_key("stringData")) {
            return Err(own("what is in a Secret is not written by this program. Write it with kubectl"));
        }
        let other = |fields: &Map<String, Value>, key: &str, own: &str| {
            fields.get(key).is_some_and(|said| said.as_str() != Some(own))
        };
        let wrong = || own("an object is to be sent to the place of another. Report it");
        if other(fields, "apiVersion", &resource.api_version) || other(fields, "kind", &self.kind) {
            return Err(wrong());
        }
        fields.insert("apiVersion".to_owned(), resource.api_version.into());
        fields.insert("kind".to_owned(), self.kind.clone().into());
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        let Some(metadata) = metadata.as_object_mut() else { return Err(wrong()) };
        if other(metadata, "name", &self.name)
            || other(metadata, "namespace", self.namespace.as_deref().unwrap_or_default())
        {
            return Err(wrong());
        }
        metadata.insert("name".to_owned(), self.name.clone().into());
        if let Some(namespace) = &self.namespace {
            metadata.insert("namespace".to_owned(), namespace.clone().into());
        }
        metadata.remove("managedFields");
        serde_json::from_value(object).map_err(|_| wrong())
    }
}

fn post(dry_run: bool) -> PostParams {
    PostParams { dry_run, field_manager: Some(MANAGER.to_owned()) }
}

fn own(text: &str) -> ApiError {
    ApiError::new(Reason::Unsupported, text)
}

/// Takes a Secret's data out, and where `kubectl apply` keeps them a second time.
fn hide(object: &mut Value, secret: bool) {
    if !secret && object.get("kind").and_then(Value::as_str) != Some("Secret") {
        return;
    }
    for key in ["data", "stringData"] {
        if let Some(data) = object.get_mut(key) {
            *data = NOT_SHOWN.into();
        }
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
}

/// An object as a person wants to see it: without `managedFields`, without what `kubectl apply` keeps, without the data of
/// a Secret.
pub fn for_display(object: &Value) -> Value {
    let mut object = object.clone();
    hide(&mut object, false);
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return object };
    metadata.remove("managedFields");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    object
}

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
