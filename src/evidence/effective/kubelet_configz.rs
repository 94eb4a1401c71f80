//! The kubelet's settings as it says them itself at `/configz`: its configuration, defaults filled in.

use super::super::listed::Listed;
use super::super::{Fact, Gap, Key, Reading, Reason, Value};
use super::kubelet_fields::{Field, VERSIONS};
use super::kubelet_resolve::ROTATE;
use super::settings::{Default, Kind, Minor};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Origin of what the kubelet says of itself.
const ORIGIN: &str = "the kubelet's /configz";

/// What one kubelet says of itself.
pub(super) struct Configz<'a> {
    document: &'a Json,
    /// Whether its version is one whose fields are known here.
    known: bool,
    version: Option<String>,
}

impl<'a> Configz<'a> {
    /// What the API passed on; why it is not known, where it is not. `version`: of the kubelet, where a channel read it.
    pub(super) fn of(listed: &Listed<'a>, version: Option<&str>) -> Result<Configz<'a>, Gap> {
        let configz = &listed.node.configz;
        match &configz.document {
            Fact::Known(document) if document.is_object() => {
                let version = version.or(listed.node.kubelet_version.known().map(String::as_str));
                let known = VERSIONS.of(version) != Minor::Other;
                Ok(Configz { document, known, version: version.map(str::to_owned) })
            }
            Fact::Known(_) => Err(Gap::new(Reason::Malformed, "what the kubelet says at /configz is no configuration")),
            _ => Err(match configz.unread {
                Some(reason) => Gap::new(reason, "the kubelet's /configz, asked through the API"),
                None => listed.why_own("configz.document"),
            }),
        }
    }

    /// A field. A key that is missing is one that is unset: Go leaves out what is zero.
    pub(super) fn field(&self, field: &Field) -> Reading {
        let mut found = Some(self.document);
        for name in field.path.split('.') {
            found = found.and_then(|value| value.get(name));
        }
        let value = match found.filter(|value| !value.is_null()) {
            Some(json) => match field.kind.of_json(json, ORIGIN) {
                Some(Value::Text(text)) if text.is_empty() => self.zero(field),
                Some(Value::Text(text)) if field.kind == Kind::Path && own_pair(field.path, &text) => {
                    Some(Value::Absent)
                }
                Some(value) => Some(value),
                None => return Reading::unread(Reason::Malformed, format!("{} in the kubelet's /configz", field.path)),
            },
            None => self.zero(field),
        };
        match value {
            Some(value) => Reading::with_origin(value, ORIGIN),
            None => VERSIONS.other(self.version.as_deref()),
        }
    }

    /// What a field is that is zero. None where this version may not have it.
    fn zero(&self, field: &Field) -> Option<Value> {
        self.known.then(|| match (field.kind, field.default) {
            (Kind::Bool, _) => Value::Bool(false),
            (Kind::Int, _) => Value::Int(0),
            (Kind::Duration, _) => Value::Text("0s".into()),
            // Empty is read as TLS 1.2.
            (_, Default::Text(text)) if field.path == "tlsMinVersion" => Value::Text(text.into()),
            (Kind::Text, Default::Text(_)) => Value::Text("".into()),
            (Kind::Text | Kind::Path | Kind::List, _) => Value::Absent,
        })
    }

    /// The feature gates that are set, and the one that a control asks for with its default.
    pub(super) fn feature_gates(&self) -> Reading {
        let gates = self.document.get("featureGates").and_then(Json::as_object);
        let gate = |(name, on): (&String, &Json)| {
            let reading = match on.as_bool() {
                Some(on) => Reading::with_origin(Value::Bool(on), ORIGIN),
                None => Reading::unread(Reason::Malformed, "featureGates in the kubelet's /configz"),
            };
            (Key::from(name.clone()), reading)
        };
        let mut entries: BTreeMap<Key, Reading> = gates.into_iter().flatten().map(gate).collect();
        if !entries.contains_key(ROTATE) {
            let reading = match entries.get("AllBeta") {
                Some(all) if all.value != Value::Bool(true) => all.clone(),
                _ => VERSIONS.default(
                    Default::Bool(true),
                    self.version.as_deref(),
                    &Gap::new(Reason::NotVisible, ""),
                    "",
                ),
            };
            entries.insert(ROTATE.into(), reading);
        }
        Reading::map(entries)
    }
}

/// Whether it is a file of the pair that the kubelet makes for itself where none is set, and then says here.
fn own_pair(field: &str, path: &str) -> bool {
    matches!(
        (field, path.rsplit('/').next()),
        ("tlsCertFile", Some("kubelet.crt")) | ("tlsPrivateKeyFile", Some("kubelet.key"))
    )
}

#[cfg(test)]
#[path = "kubelet_configz_tests.rs"]
mod tests;
