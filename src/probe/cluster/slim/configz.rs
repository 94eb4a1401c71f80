//! What a kubelet answers at `/configz`, and ConfigMaps of which one key is asked.

use super::parts::{Many, Nothing, Time};
use crate::evidence::Fact;
use crate::probe::json::Document;
use crate::probe::redact;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

/// The answer of `/configz`.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Configz {
    kubeletconfig: Document,
}

impl Configz {
    /// The configuration, secrets redacted. None where it is no map.
    pub(in crate::probe::cluster) fn document(self) -> Option<Json> {
        let mut document = self.kubeletconfig.0;
        if !document.is_object() {
            return None;
        }
        redact::document(&mut document);
        Some(document)
    }
}

/// kube-proxy's ConfigMap.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct ProxyConfigMap {
    #[serde(default)]
    metadata: Managed,
    data: Option<ProxyData>,
}

/// Who changed which fields, and when last.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    #[serde(default)]
    managed_fields: Many<Manager, 256>,
}

/// The fields of one manager. Its `time` is when it last added one, changed a value or took one away (`ManagedFieldsEntry` in
/// `k8s.io/apimachinery/pkg/apis/meta/v1/types.go`).
#[derive(Debug, Deserialize)]
struct Manager {
    #[serde(default)]
    time: Time,
    #[serde(default, rename = "fieldsV1")]
    fields: Option<Fields>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "f:data")]
    data: Option<FieldsOfData>,
}

#[derive(Debug, Deserialize)]
struct FieldsOfData {
    #[serde(rename = "f:config.conf")]
    config: Option<Nothing>,
}

#[derive(Debug, Deserialize)]
struct ProxyData {
    // A key is 1 MiB long at most, as the API bounds the whole object.
    #[serde(rename = "config.conf")]
    config: Option<String>,
}

impl ProxyConfigMap {
    /// When `config.conf` changed last: the newest time of those that manage it. Absent where nobody is named, or one of them
    /// without a time.
    pub(in crate::probe::cluster) fn changed(&self) -> Fact<Timestamp> {
        let managers = self.metadata.managed_fields.0.iter();
        let of_config = managers.filter(|manager| match &manager.fields {
            Some(fields) => fields.data.as_ref().is_some_and(|data| data.config.is_some()),
            None => true,
        });
        let times: Option<Vec<Timestamp>> = of_config.map(|manager| manager.time.0.known().copied()).collect();
        times.and_then(|times| times.into_iter().max()).map_or(Fact::Absent, Fact::Known)
    }

    /// The text of `config.conf`. None where the ConfigMap has no such key.
    pub(in crate::probe::cluster) fn config(self) -> Option<String> {
        self.data?.config
    }
}
