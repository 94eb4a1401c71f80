//! The pods of a DaemonSet: which of them were there before a text was changed, and which end again and again.

use crate::kubeapi::{Api, ObjectPlace};
use serde_json::Value;

/// The pods that a DaemonSet controls. None where they could not all be read.
pub(super) async fn of_set(api: &Api, place: &ObjectPlace, set: &Value) -> Option<Vec<Value>> {
    let uid = set.pointer("/metadata/uid").and_then(Value::as_str)?;
    let path = format!("/api/v1/namespaces/{}/pods", place.namespace.as_deref()?);
    let labels = set.pointer("/spec/selector/matchLabels").and_then(Value::as_object)?;
    // Labels are of letters, digits and `-_./`.
    let words: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}%3D{}", value.as_str().unwrap_or_default())).collect();
    let path = format!("{path}?labelSelector={}", words.join("%2C"));
    let mut pods = Vec::new();
    let mut keep = |pod: Value| {
        let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        if owners.into_iter().flatten().any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid)) {
            pods.push(pod);
        }
    };
    let listed = api.list::<Value>(&path, &mut keep).await.ok()?;
    listed.gap.is_none().then_some(pods)
}

/// When a field of an object was written last, by its managers' own word, as the cluster writes times.
pub(super) fn written(object: &Value, path: &[&str]) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let of_field = |entry: &&Value| {
        let mut at = entry.get("fieldsV1");
        for key in path {
            at = at.and_then(|at| at.get(*key));
        }
        at.is_some()
    };
    let times = entries.iter().filter(of_field).filter_map(|entry| entry.get("time").and_then(Value::as_str));
    times.max().map(str::to_owned)
}

/// Whether one of the pods is surely older than what was written then: it runs with what was there before. Times are of whole
/// seconds; one of the same second is not.
pub(super) fn any_older(pods: &[Value], written: &str) -> bool {
    let made = |pod: &Value| pod.pointer("/metadata/creationTimestamp").and_then(Value::as_str).map(str::to_owned);
    pods.iter().any(|pod| made(pod).is_some_and(|made| made.as_str() < written))
}

/// Ends of a container after which it counts as one that cannot run. Once it may end by itself: kube-proxy does when it is given a
/// new text.
const ENDS: i64 = 2;

/// A pod that came after `since` and whose container ends again and again: its name, node and how it ended, in words.
pub(super) fn ends(pods: &[Value], since: &str) -> Option<String> {
    let text = |pod: &Value, at: &str| pod.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    pods.iter().filter(|pod| text(pod, "/metadata/creationTimestamp").as_str() >= since).find_map(|pod| {
        let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array)?;
        let again = |container: &&Value| {
            container.get("restartCount").and_then(Value::as_i64).is_some_and(|count| count >= ENDS)
        };
        let ended = containers.iter().filter(again).find_map(|container| {
            let state = |at: &str| container.pointer(at).cloned();
            state("/lastState/terminated").or_else(|| state("/state/terminated"))
        })?;
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(-1);
        Some(format!(
            "{} on {} ended again and again, with {code}",
            text(pod, "/metadata/name"),
            text(pod, "/spec/nodeName")
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_from_before_and_pods_that_end() {
        let object = json!({"metadata": {"managedFields": [
            {"time": "2026-11-26T10:00:00Z", "fieldsV1": {"f:data": {"f:config.conf": {}}}},
            {"time": "2026-11-26T11:00:00Z", "fieldsV1": {"f:data": {"f:other": {}}}}]}});
        let written = written(&object, &["f:data", "f:config.conf"]).unwrap();
        assert_eq!(written, "2026-11-26T10:00:00Z");
        let pod = |made: &str, status: Value| json!({"metadata": {"name": "p", "creationTimestamp": made}, "spec": {"nodeName": "n1"}, "status": {"containerStatuses": [status]}});
        let runs = json!({"state": {"running": {}}});
        assert!(any_older(&[pod("2026-11-26T09:59:59Z", runs.clone())], &written));
        assert!(!any_older(&[pod("2026-11-26T10:00:00Z", runs.clone())], &written), "of the same second");
        let ended = |count: i64| json!({"lastState": {"terminated": {"exitCode": 1}}, "restartCount": count});
        let pods = [pod("2026-11-26T09:00:00Z", ended(7)), pod("2026-11-26T12:00:00Z", runs)];
        assert_eq!(ends(&pods, "2026-11-26T12:00:00Z"), None, "one from before is not of this change");
        assert_eq!(ends(&[pod("2026-11-26T12:00:00Z", ended(1))], "2026-11-26T12:00:00Z"), None, "once it may");
        let pods = [pod("2026-11-26T12:00:00Z", ended(2))];
        assert_eq!(ends(&pods, "2026-11-26T12:00:00Z").unwrap(), "p on n1 ended again and again, with 1");
    }
}
