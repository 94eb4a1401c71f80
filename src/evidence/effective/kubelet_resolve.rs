//! One kubelet setting: which layer sets it, to what, and how that is said.

use super::super::{ConfigText, Gap, Key, Missing, Reading, Reason, Value};
use super::flags::{self, Flags};
use super::kubelet_fields::{Field, VERSIONS};
use super::layers::{self, Layer, Said};
use super::settings::{Default, Kind, Minor, malformed_in};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Kubelets from this minor version on give a zero in a drop-in the default; up to [`ZERO_KEPT`] they kept the zero.
const ZERO_DEFAULTED: u32 = 36;
/// See [`ZERO_DEFAULTED`].
const ZERO_KEPT: u32 = 31;

/// Everything that decides a kubelet's settings.
pub(super) struct Resolver<'a> {
    /// The command line.
    pub(super) flags: &'a Flags,
    /// Environment files of the unit, to name the origin of a flag.
    pub(super) environment: &'a [ConfigText],
    /// Configuration files, the one that wins first.
    pub(super) layers: Vec<Layer<'a>>,
    /// Whether the command line names a configuration file: without one, other defaults hold.
    pub(super) config_file: bool,
    /// The kubelet's version, where it was read.
    pub(super) version: Option<&'a str>,
    /// Why it was not.
    pub(super) version_gap: Gap,
}

impl Resolver<'_> {
    /// The effective value of a field, with its origin.
    pub(super) fn resolve(&self, field: &Field) -> Reading {
        let given = if field.flag.is_empty() { &[][..] } else { self.flags.all(field.flag) };
        if let Some(last) = given.last() {
            let reading = self.flagged(field, last, given);
            // The kubelet turns this on where either the flag or the file says so.
            if field.path != "seccompDefault" || reading.value != Value::Bool(false) {
                return reading;
            }
        }
        match layers::ask(&self.layers, &field.path.split('.').collect::<Vec<_>>()) {
            Said::Set { value, path, drop_in } => self.filed(field, value, path, drop_in),
            Said::Null { path } => null_gap(path),
            Said::Misshapen { path } => malformed_in(path, field.path),
            Said::Unknown(gap) => Reading::new(Value::Unread(gap.clone())),
            Said::Unset => self.default(field, self.config_file),
        }
    }

    fn flagged(&self, field: &Field, last: &str, all: &[String]) -> Reading {
        let empty = last.is_empty() && matches!(field.kind, Kind::Text | Kind::Path);
        let value = match field.default {
            Default::Unset if empty => Some(Value::Absent),
            _ if empty && field.path == "tlsMinVersion" => return self.default(field, true),
            _ => field.kind.of_texts(all),
        };
        match value {
            Some(value) => Reading::with_origin(value, self.flag_origin(field.flag, last)),
            None => Reading::unread(
                Reason::Malformed,
                format!("the value of the kubelet's --{} is not of its type", field.flag),
            ),
        }
    }

    fn filed(&self, field: &Field, json: &Json, path: &str, drop_in: bool) -> Reading {
        let (value, zero) = match (field.kind.of_json(json, path), json) {
            (None, _) => return malformed_in(path, field.path),
            (Some(Value::Absent), _) => return self.default(field, true),
            // The kubelet reads every negative limit as -1.
            (Some(Value::Int(int)), _) if field.path == "podPidsLimit" => (Value::Int(int.max(-1)), false),
            (Some(Value::Int(int)), _) => (Value::Int(int), int == 0),
            (Some(Value::Text(_)), Json::String(text))
                if field.kind == Kind::Path && !drop_in && !text.is_empty() && !text.starts_with('/') =>
            {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (Value::Text(format!("{folder}/{text}").into()), false)
            }
            (Some(Value::Text(text)), _) => {
                let zero = text.is_empty() || field.kind == Kind::Duration && &*text == "0s";
                (Value::Text(text), zero)
            }
            (Some(value), _) => (value, false),
        };
        if zero && field.zero_is_unset {
            if !drop_in || field.default == Default::Unset {
                return self.default(field, true);
            }
            match VERSIONS.of(self.version) {
                Minor::Known(minor) if minor >= ZERO_DEFAULTED => return self.default(field, true),
                Minor::Known(minor) if minor <= ZERO_KEPT => {}
                _ => {
                    return Reading::unread(
                        Reason::Unsupported,
                        format!(
                            "{path} sets {} to zero, which kubelets of different versions take differently",
                            field.path
                        ),
                    );
                }
            }
        }
        Reading::with_origin(value, path)
    }

    /// The default: of a configuration file (`file`), or of the bare command line.
    fn default(&self, field: &Field, file: bool) -> Reading {
        let default = match field.legacy {
            Some(legacy) if !file => legacy,
            _ => field.default,
        };
        let with = if self.config_file { "with a config file" } else { "without a config file" };
        VERSIONS.default(default, self.version, &self.version_gap, with)
    }

    /// How a flag's origin is said: with the environment file that brings it, where one does.
    pub(super) fn flag_origin(&self, name: &str, value: &str) -> String {
        let whole = format!("--{name}={value}");
        let bare = format!("--{name}");
        for file in self.environment {
            let Some(text) = file.text.known() else { continue };
            let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).peekable();
            while let Some(word) = words.next() {
                // `NAME=--flag=value` without quotes: the flag follows the variable's name.
                let word = word.find("--").and_then(|at| word.get(at..)).unwrap_or(word);
                let brought = word == whole
                    || (word == bare && (words.peek().is_some_and(|next| *next == value) || value == "true"));
                if brought {
                    return format!("flag, from {}", file.path);
                }
            }
        }
        "flag of the running kubelet".to_owned()
    }

    /// Feature gates that are set, and the one that a control asks for with its default.
    pub(super) fn feature_gates(&self) -> Reading {
        let mut entries: BTreeMap<Key, Reading> = BTreeMap::new();
        for (name, truth) in flags::gates(self.flags.all("feature-gates")) {
            let reading = match truth {
                Some(truth) => {
                    let given = self.flags.last("feature-gates").unwrap_or_default();
                    Reading::with_origin(Value::Bool(truth), self.flag_origin("feature-gates", given))
                }
                None => Reading::unread(Reason::Malformed, "the value of the kubelet's --feature-gates"),
            };
            entries.insert(name.to_owned().into(), reading);
        }
        let mut named = BTreeSet::new();
        for layer in &self.layers {
            if let Layer::File { document, .. } = layer
                && let Some(Json::Object(gates)) = document.get("featureGates")
            {
                named.extend(gates.keys().map(String::as_str));
            }
        }
        for name in named {
            if !entries.contains_key(name) {
                let reading = match layers::ask(&self.layers, &["featureGates", name]) {
                    Said::Set { value: Json::Bool(truth), path, .. } => Reading::with_origin(Value::Bool(*truth), path),
                    Said::Set { path, .. } | Said::Misshapen { path } => malformed_in(path, "featureGates"),
                    Said::Null { path } => null_gap(path),
                    Said::Unknown(gap) => Reading::new(Value::Unread(gap.clone())),
                    Said::Unset => continue,
                };
                entries.insert(name.to_owned().into(), reading);
            }
        }
        // What any gate would be that nobody names.
        let other = match layers::ask(&self.layers, &["featureGates", ""]) {
            Said::Unknown(gap) => Some(gap.clone()),
            Said::Misshapen { path } => Some(Gap::new(Reason::Malformed, format!("featureGates in {path} is no map"))),
            Said::Null { path } => Some(Gap::new(Reason::Unsupported, format!("{path} sets featureGates to null"))),
            Said::Set { .. } | Said::Unset => None,
        };
        if other.is_none() && !entries.contains_key(ROTATE) {
            // AllBeta moves every beta gate that is not set by name, and this one has been beta since 1.12.
            let reading = match entries.get("AllBeta") {
                Some(all) if all.value != Value::Bool(true) => all.clone(),
                _ => self.default(&ROTATE_GATE, self.config_file),
            };
            entries.insert(ROTATE.into(), reading);
        }
        let missing = other.map_or(Missing::Absent, Missing::Unread);
        Reading::new(Value::Map { entries: entries.into(), missing })
    }
}

/// The gate that a control asks for; beta and on since 1.12.
pub(super) const ROTATE: &str = "RotateKubeletServerCertificate";

const ROTATE_GATE: Field = Field {
    path: "featureGates.RotateKubeletServerCertificate",
    kind: Kind::Bool,
    flag: "",
    default: Default::Bool(true),
    legacy: None,
    zero_is_unset: false,
};

fn null_gap(path: &str) -> Reading {
    Reading::unread(
        Reason::Unsupported,
        format!("{path} sets it to null, which kubelets of different versions take differently"),
    )
}
