//! The settings of a component, one by one: flag, environment, configuration file, default of that very version.

use super::super::{Key, Reading, Reason, Value};
use super::branch::Branch;
use super::flags;
use super::layers::{self, Layer, Said};
use super::program::{File, Setting};
use super::running::{Running, Variable};
use super::settings::{Default, Kind, malformed_in};
use std::collections::BTreeMap;

impl Running<'_> {
    /// All settings of the program, as a tree that more can be put into.
    pub(super) fn settings(&self) -> Branch {
        let mut effective = Branch::default();
        for setting in self.program.settings {
            let path: Vec<&'static str> = setting.path.split('.').collect();
            let reading = self.setting(setting);
            if setting.kind == Kind::Duration {
                effective.put_seconds(&path, &reading);
            }
            effective.put(&path, reading);
        }
        effective
    }

    /// The effective value of a setting, with its origin.
    fn setting(&self, setting: &Setting) -> Reading {
        let layer = match (self.program.file, &self.layer) {
            (File::ForAll(_), Some(layer)) => Some(layer),
            (File::ForItsOwn(_), Some(layer)) if !setting.file.is_empty() => Some(layer),
            _ => None,
        };
        if let Some(layer) = layer {
            return self.of_file(setting, layer);
        }
        let given = if setting.flag.is_empty() { &[][..] } else { self.flags.all(setting.flag) };
        if !given.is_empty() {
            let origin = self.origin(setting.flag);
            return self.of_texts(setting, given, origin);
        }
        match self.variable(setting.flag) {
            Variable::Unset => self.default(setting.default),
            Variable::Set(value, origin) => self.of_texts(setting, &[value], origin),
            Variable::Unread(gap) => Reading::new(Value::Unread(gap)),
        }
    }

    fn of_file(&self, setting: &Setting, layer: &Layer<'_>) -> Reading {
        let path: Vec<&str> = setting.file.split('.').filter(|part| !part.is_empty()).collect();
        if path.is_empty() {
            let why = "a configuration file holds all settings, and this one has no place in it that is known here";
            return Reading::unread(Reason::NotVisible, why);
        }
        match layers::ask(std::slice::from_ref(layer), &path) {
            Said::Set { value, path: file, .. } => match setting.kind.of_json(value, file) {
                Some(Value::Absent) => self.default(setting.default),
                Some(Value::Text(text)) if text.is_empty() => self.default(setting.default),
                Some(value) => Reading::with_origin(value, file),
                // etcd's file writes lists as texts.
                None if setting.kind == Kind::List && value.is_string() => {
                    let texts = [value.as_str().unwrap_or_default().to_owned()];
                    self.of_texts(setting, &texts, file.to_owned())
                }
                None => malformed_in(file, setting.file),
            },
            Said::Unset | Said::Null { .. } => self.default(setting.default),
            Said::Misshapen { path } => malformed_in(path, setting.file),
            Said::Unknown(gap) => Reading::new(Value::Unread(gap.clone())),
        }
    }

    fn of_texts(&self, setting: &Setting, texts: &[String], origin: String) -> Reading {
        let last = texts.last().map_or("", String::as_str);
        // The kubelet puts variables into a pod's command line, and their values are not read.
        if !self.is_process() && texts.iter().any(|text| text.contains("$(")) {
            return Reading::unread(
                Reason::NotVisible,
                format!("the pod takes the value of --{} from a variable", setting.flag),
            );
        }
        let empty = last.is_empty() && matches!(setting.kind, Kind::Text | Kind::Path);
        match setting.kind.of_texts(texts) {
            Some(Value::Absent) => self.default(setting.default),
            Some(_) if empty => match setting.default {
                Default::Unset => Reading::with_origin(Value::Absent, origin),
                default => self.default(default),
            },
            Some(value) => Reading::with_origin(value, origin),
            None => Reading::unread(
                Reason::Malformed,
                format!("the value of --{} of {} is not of its type", setting.flag, self.program.name()),
            ),
        }
    }

    /// A default of this version.
    pub(super) fn default(&self, default: Default) -> Reading {
        if !self.program.elsewhere.is_empty() && self.flags.last(self.program.elsewhere).is_some() {
            return Reading::unread(
                Reason::NotVisible,
                format!("--{} names a file that sets it, which is not read", self.program.elsewhere),
            );
        }
        self.program.versions.default(default, self.version.as_deref(), &self.version_gap, "")
    }

    /// Feature gates of the command line, with `known` put in where nobody names them: gates that are beta and on by default
    /// in every version that is known here.
    pub(super) fn feature_gates(&self, known: &[&'static str]) -> Reading {
        let gate = |(name, on): (&str, Option<bool>)| {
            let reading = match on {
                Some(on) => Reading::with_origin(Value::Bool(on), self.origin("feature-gates")),
                None => Reading::unread(Reason::Malformed, "the value of --feature-gates"),
            };
            (Key::from(name.to_owned()), reading)
        };
        let mut entries: BTreeMap<Key, Reading> =
            flags::gates(self.flags.all("feature-gates")).into_iter().map(gate).collect();
        for name in known {
            if !entries.contains_key(*name) {
                // AllBeta moves every beta gate that is not set by name.
                let reading = match entries.get("AllBeta") {
                    Some(all) if all.value != Value::Bool(true) => all.clone(),
                    _ => self.default(Default::Bool(true)),
                };
                entries.insert((*name).into(), reading);
            }
        }
        Reading::with_origin(Reading::map(entries).value, self.origin("feature-gates"))
    }
}
