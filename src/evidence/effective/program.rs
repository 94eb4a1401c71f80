//! A component as such: its settings with their flags, places in files and defaults.

use super::flags::{Dialect, Takes};
use super::settings::{Default, Kind, Versions};
use super::shape::Shape;
use std::collections::BTreeMap;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// Where it stands below `effective`, dots between the names. Of a flag: the flag's name in one word.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// Name of the flag that sets it; empty where there is none.
    pub(super) flag: &'static str,
    /// Its place in the configuration file, dots between the names; empty where there is none.
    pub(super) file: &'static str,
    pub(super) default: Default,
}

/// A setting that a flag alone makes.
pub(super) const fn flag(path: &'static str, kind: Kind, flag: &'static str, default: Default) -> Setting {
    Setting { path, kind, flag, file: "", default }
}

/// A setting of a flag and a configuration file.
pub(super) const fn filed(
    path: &'static str,
    kind: Kind,
    flag: &'static str,
    file: &'static str,
    default: Default,
) -> Setting {
    Setting { path, kind, flag, file, default }
}

/// What a configuration file does to the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// There is none.
    None,
    /// Settings that have a place in the file come from it alone, flags for them are ignored.
    ForItsOwn(&'static str),
    /// All settings come from the file; flags and environment are ignored.
    ForAll(&'static str),
}

/// One component.
#[derive(Debug)]
pub(super) struct Program {
    /// Where it stands in the evidence: `kube_apiserver`.
    pub(super) key: &'static str,
    /// The versions whose defaults are known, and its name.
    pub(super) versions: Versions,
    pub(super) dialect: Dialect,
    pub(super) settings: &'static [Setting],
    /// Flags without a setting here that take no value.
    pub(super) booleans: &'static [&'static str],
    /// Flag of the configuration file.
    pub(super) file: File,
    /// What environment variables are called: `ETCD_` before the flag's name in capitals. Empty: they set nothing.
    pub(super) environment: &'static str,
    /// A flag that moves all settings to a place that is not read here (OpenShift's API server). Empty: none.
    pub(super) elsewhere: &'static str,
    /// What is derived beside the settings.
    pub(super) derived: &'static [(&'static str, Derived)],
}

/// Shape of what is derived.
#[derive(Debug, Clone, Copy)]
pub(super) enum Derived {
    Leaf,
    List,
    Free,
}

impl Program {
    /// `kube-apiserver`.
    pub(super) fn name(&self) -> &'static str {
        self.versions.program
    }

    /// What a flag takes.
    pub(super) fn takes(&self, flag: &str) -> Takes {
        match self.settings.iter().find(|setting| setting.flag == flag) {
            Some(setting) if setting.kind == Kind::Bool => Takes::Bool,
            Some(_) => Takes::Value,
            None if matches!(self.file, File::ForItsOwn(name) | File::ForAll(name) if name == flag) => Takes::Value,
            None if matches!(flag, "feature-gates" | "v") => Takes::Value,
            None if self.booleans.contains(&flag) || COMMON_BOOLEANS.contains(&flag) => Takes::Bool,
            None => Takes::Unknown,
        }
    }

    /// The variable of the environment that stands for a flag.
    pub(super) fn variable(&self, flag: &str) -> String {
        format!("{}{}", self.environment, flag.replace('-', "_").to_uppercase())
    }

    /// Shape of `effective`.
    pub(super) fn shape(&self) -> Shape {
        let mut shape = Shape::Map(BTreeMap::new());
        let list = || Shape::List(Box::new(Shape::Leaf));
        for setting in self.settings {
            let path: Vec<&str> = setting.path.split('.').collect();
            shape.put(&path, if setting.kind == Kind::List { list() } else { Shape::Leaf });
            if setting.kind == Kind::Duration {
                let seconds = format!("{}Seconds", setting.path);
                shape.put(&seconds.split('.').collect::<Vec<_>>(), Shape::Leaf);
            }
        }
        for (name, derived) in self.derived {
            let own = match derived {
                Derived::Leaf => Shape::Leaf,
                Derived::List => list(),
                Derived::Free => Shape::Free,
            };
            shape.put(&[name], own);
        }
        shape
    }
}

/// Flags of every Kubernetes component that take no value.
const COMMON_BOOLEANS: [&str; 9] = [
    "help",
    "version",
    "logtostderr",
    "alsologtostderr",
    "one-output",
    "skip-headers",
    "skip-log-headers",
    "add-dir-header",
    "log-text-split-stream",
];
