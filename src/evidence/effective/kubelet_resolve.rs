//! One kubelet setting: which layer sets it, to what, and how that is said.

use super::super::{ConfigText, Gap, Key, Missing, Reading, Reason, Value};
use super::duration;
use super::flags::{self, Flags};
use super::kubelet_fields::{Default, Field, KNOWN_MINORS, Kind};
use super::layers::{self, Layer, Said};
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

enum Version {
    Minor(u32),
    NotRead,
    NotKnown,
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
        let value = match field.kind {
            Kind::Bool => flags::truth(last).map(Value::Bool),
            Kind::Int => flags::integer(last).map(Value::Int),
            Kind::Duration => duration::parse(last).map(|nanos| Value::Text(duration::format(nanos).into())),
            Kind::Text | Kind::Path if last.is_empty() => match field.default {
                Default::Unset => Some(Value::Absent),
                _ if field.path == "tlsMinVersion" => return self.default(field, true),
                _ => Some(Value::Text("".into())),
            },
            Kind::Text | Kind::Path => Some(Value::Text(last.into())),
            Kind::List => Some(match flags::list(all) {
                items if items.is_empty() => Value::Absent,
                items => Reading::list(items.into_iter().map(Reading::text).collect(), None).value,
            }),
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
        let (value, zero) = match (field.kind, json) {
            (Kind::Bool, Json::Bool(truth)) => (Value::Bool(*truth), false),
            (Kind::Int, Json::Number(number)) => match number.as_i64() {
                // The kubelet reads every negative limit as -1.
                Some(int) if field.path == "podPidsLimit" => (Value::Int(int.max(-1)), false),
                Some(int) => (Value::Int(int), int == 0),
                None => return malformed_in(path, field.path),
            },
            (Kind::Duration, Json::String(text)) => match duration::parse(text) {
                Some(nanos) => (Value::Text(duration::format(nanos).into()), nanos == 0),
                None => return malformed_in(path, field.path),
            },
            (Kind::Path, Json::String(text)) if !drop_in && !text.is_empty() && !text.starts_with('/') => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (Value::Text(format!("{folder}/{text}").into()), false)
            }
            (Kind::Text | Kind::Path, Json::String(text)) => (Value::Text(text.as_str().into()), text.is_empty()),
            (Kind::List, Json::Array(items)) => {
                let texts: Option<Vec<Reading>> = items
                    .iter()
                    .map(|item| item.as_str().map(|text| Reading::with_origin(Value::Text(text.into()), path)))
                    .collect();
                match texts {
                    Some(texts) if texts.is_empty() => return self.default(field, true),
                    Some(texts) => (Reading::list(texts, None).value, false),
                    None => return malformed_in(path, field.path),
                }
            }
            _ => return malformed_in(path, field.path),
        };
        if zero && field.zero_is_unset {
            if !drop_in || field.default == Default::Unset {
                return self.default(field, true);
            }
            match self.version() {
                Version::Minor(minor) if minor >= ZERO_DEFAULTED => return self.default(field, true),
                Version::Minor(minor) if minor <= ZERO_KEPT => {}
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
        let (origin, minor) = match self.version() {
            Version::Minor(minor) => (format!("default of kubelet 1.{minor} {with}"), Some(minor)),
            Version::NotRead => {
                let (first, last) = (KNOWN_MINORS.start(), KNOWN_MINORS.end());
                (format!("default of every kubelet from 1.{first} to 1.{last} {with}"), None)
            }
            Version::NotKnown => return self.unknown_defaults(),
        };
        let value = match (default, minor) {
            (Default::Unset, _) => Value::Absent,
            (Default::Bool(truth), _) => Value::Bool(truth),
            (Default::Int(int), _) => Value::Int(int),
            (Default::Text(text), _) => Value::Text(text.into()),
            (Default::Duration(seconds), _) => {
                Value::Text(duration::format(seconds.saturating_mul(1_000_000_000)).into())
            }
            (Default::Since27(before, since), Some(minor)) => Value::Int(if minor < 27 { before } else { since }),
            (Default::Since27(..), None) => {
                return Reading::unread(self.version_gap.reason, "the kubelet's version was not read");
            }
        };
        Reading::with_origin(value, origin)
    }

    fn unknown_defaults(&self) -> Reading {
        let (first, last) = (KNOWN_MINORS.start(), KNOWN_MINORS.end());
        Reading::unread(
            Reason::Unsupported,
            format!("not set, and this program knows the defaults of kubelet 1.{first} to 1.{last} only"),
        )
    }

    fn version(&self) -> Version {
        let Some(text) = self.version else { return Version::NotRead };
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next();
        let minor = parts.next().and_then(|part| part.trim_end_matches('+').parse::<u32>().ok());
        match (major, minor) {
            (Some("1"), Some(minor)) if KNOWN_MINORS.contains(&minor) => Version::Minor(minor),
            _ => Version::NotKnown,
        }
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
        let mut flagged = BTreeMap::new();
        for pair in flags::list(self.flags.all("feature-gates")) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            flagged.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        for (name, value) in flagged {
            let reading = match flags::truth(&value) {
                Some(truth) => {
                    let given = self.flags.last("feature-gates").unwrap_or_default();
                    Reading::with_origin(Value::Bool(truth), self.flag_origin("feature-gates", given))
                }
                None => Reading::unread(Reason::Malformed, "the value of the kubelet's --feature-gates"),
            };
            entries.insert(name.into(), reading);
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
        const ROTATE: &str = "RotateKubeletServerCertificate";
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

const ROTATE_GATE: Field = Field {
    path: "featureGates.RotateKubeletServerCertificate",
    kind: Kind::Bool,
    flag: "",
    default: Default::Bool(true),
    legacy: None,
    zero_is_unset: false,
};

fn malformed_in(path: &str, setting: &str) -> Reading {
    Reading::unread(Reason::Malformed, format!("{setting} in {path} is not of its type"))
}

fn null_gap(path: &str) -> Reading {
    Reading::unread(
        Reason::Unsupported,
        format!("{path} sets it to null, which kubelets of different versions take differently"),
    )
}
