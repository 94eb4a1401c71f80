//! What a kubelet answers at `/configz`, and ConfigMaps of which one key is asked.

use crate::probe::json::Document;
use crate::probe::redact;
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
    data: Option<ProxyData>,
}

#[derive(Debug, Deserialize)]
struct ProxyData {
    // A key is 1 MiB long at most, as the API bounds the whole object.
    #[serde(rename = "config.conf")]
    config: Option<String>,
}

impl ProxyConfigMap {
    /// The text of `config.conf`. None where the ConfigMap has no such key.
    pub(in crate::probe::cluster) fn config(self) -> Option<String> {
        self.data?.config
    }
}
