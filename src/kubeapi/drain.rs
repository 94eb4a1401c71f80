//! What emptying a node asks of the API: its pods, that it takes no new ones, that one of them goes.

use super::client::Api;
use super::error::ApiError;
use crate::evidence::Reason;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

/// Most pods that a node is thought to have: more than any kubelet is told to take.
const MOST: u32 = 1000;

/// How an eviction was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evicted {
    /// The pod ends, or has ended.
    Goes,
    /// A PodDisruptionBudget does not let it go now.
    Held,
}

/// Emptying a node. Errors as those of the objects.
impl Api {
    /// The pods that the API has on a node. Fails where there are more than can be.
    pub async fn pods_on(&self, node: &str) -> Result<Vec<Value>, ApiError> {
        let how = ListParams::default().fields(&format!("spec.nodeName={node}")).limit(MOST);
        let pods: kube::Api<DynamicObject> = kube::Api::all_with(self.client.clone(), &pods());
        let list = pods.list(&how).await.map_err(ApiError::of_kube)?;
        if list.metadata.continue_.is_some_and(|more| !more.is_empty()) {
            return Err(ApiError::new(Reason::TooLarge, format!("{node} has more than {MOST} pods. Empty it by hand")));
        }
        let values = list.items.into_iter().map(serde_json::to_value).collect::<Result<_, _>>();
        values.map_err(|_| {
            ApiError::new(Reason::Malformed, "the pods cannot be understood. Report the API server's version")
        })
    }

    /// Lets a node take new pods, or not. `uid`: of the node that was seen.
    pub async fn cordon(&self, node: &str, uid: &str, on: bool) -> Result<(), ApiError> {
        let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Node"), "nodes");
        let nodes: kube::Api<DynamicObject> = kube::Api::all_with(self.client.clone(), &kind);
        let value = if on { json!(true) } else { Value::Null };
        let patch = Patch::Merge(json!({"metadata": {"uid": uid}, "spec": {"unschedulable": value}}));
        let done = nodes.patch(node, &PatchParams::default(), &patch).await;
        done.map(|_| ()).map_err(ApiError::of_kube)
    }

    /// Asks for the eviction of a pod, as `kubectl drain` does.
    pub async fn evict(&self, namespace: &str, name: &str, uid: &str) -> Result<Evicted, ApiError> {
        let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(self.client.clone(), namespace, &pods());
        let body = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        });
        let done: kube::Result<Value> = api.create_subresource("eviction", name, &PostParams::default(), &body).await;
        match done.map_err(ApiError::of_kube) {
            Ok(_) => Ok(Evicted::Goes),
            // It is gone, or another one has its name by now.
            Err(error) if matches!(error.status, Some(404 | 409)) => Ok(Evicted::Goes),
            Err(error) if error.status == Some(429) => Ok(Evicted::Held),
            // Nothing may be made any more in a namespace that is on its way out, not even this; the pod goes with it.
            Err(error) if error.status == Some(403) && self.is_ending(namespace).await => Ok(Evicted::Goes),
            Err(error) => Err(error),
        }
    }

    /// Whether a namespace is being deleted, as far as that can be read.
    async fn is_ending(&self, namespace: &str) -> bool {
        let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Namespace"), "namespaces");
        let spaces: kube::Api<DynamicObject> = kube::Api::all_with(self.client.clone(), &kind);
        spaces.get(namespace).await.is_ok_and(|space| space.metadata.deletion_timestamp.is_some())
    }
}

fn pods() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Pod"), "pods")
}
