//! What settings are made of: their kinds, how texts and files give their values, defaults by version.

use super::super::version::Version;
use super::super::{Gap, Reading, Reason, Value};
use super::duration;
use super::flags;
use serde_json::Value as Json;
use std::ops::RangeInclusive;

/// Type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    /// Go's text form, and whole seconds under the name with `Seconds` after it.
    Duration,
    /// A text; empty means not set.
    Text,
    /// A path; where the main file gives a relative one, it starts at that file's directory.
    Path,
    List,
}

impl Kind {
    /// The value of a flag or variable: of the last of `all` that were given, of all together for a list. None where it
    /// is not of the type. A list without items is [`Value::Absent`].
    pub(super) fn of_texts(self, all: &[String]) -> Option<Value> {
        let last = all.last().map_or("", String::as_str);
        Some(match self {
            Kind::Bool => Value::Bool(flags::truth(last)?),
            Kind::Int => Value::Int(flags::integer(last)?),
            Kind::Duration => Value::Text(duration::format(duration::parse(last)?).into()),
            Kind::Text | Kind::Path => Value::Text(last.into()),
            Kind::List => match flags::list(all) {
                items if items.is_empty() => Value::Absent,
                items => Reading::list(items.into_iter().map(Reading::text).collect(), None).value,
            },
        })
    }

    /// The value in a file that says of itself where it comes from. None where it is not of the type. A list without
    /// items is [`Value::Absent`].
    pub(super) fn of_json(self, json: &Json, origin: &str) -> Option<Value> {
        Some(match (self, json) {
            (Kind::Bool, Json::Bool(truth)) => Value::Bool(*truth),
            (Kind::Int, Json::Number(number)) => Value::Int(number.as_i64()?),
            (Kind::Duration, Json::String(text)) => Value::Text(duration::format(duration::parse(text)?).into()),
            (Kind::Text | Kind::Path, Json::String(text)) => Value::Text(text.as_str().into()),
            (Kind::List, Json::Array(items)) if items.is_empty() => Value::Absent,
            (Kind::List, Json::Array(items)) => {
                let item = |item: &Json| Some(Reading::with_origin(Value::Text(item.as_str()?.into()), origin));
                Reading::list(items.iter().map(item).collect::<Option<_>>()?, None).value
            }
            _ => return None,
        })
    }
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Default {
    /// None: the setting does not exist unless it is set.
    Unset,
    Bool(bool),
    Int(i64),
    Text(&'static str),
    /// A list of this one item.
    One(&'static str),
    /// Seconds.
    Duration(i64),
    /// Changed in this minor version: before, from then on.
    Since(u32, i64, i64),
}

/// What is known of a program's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Minor {
    /// This minor version, whose defaults are known here.
    Known(u32),
    /// Not read.
    NotRead,
    /// Another one, or none that is understood.
    Other,
}

/// The versions of a program whose defaults are known here.
#[derive(Debug, Clone)]
pub(super) struct Versions {
    /// `kube-apiserver`.
    pub(super) program: &'static str,
    /// `1` of `1.36.2`.
    pub(super) major: u32,
    /// Minor versions.
    pub(super) minors: RangeInclusive<u32>,
}

impl Versions {
    /// The version of a program that says `version` of itself.
    pub(super) fn of(&self, version: Option<&str>) -> Minor {
        let Some(version) = version else { return Minor::NotRead };
        match numbers(version) {
            Some((major, minor)) if major == self.major && self.minors.contains(&minor) => Minor::Known(minor),
            _ => Minor::Other,
        }
    }

    /// A default, with its origin; `with` stands after it (`with a config file`). `gap`: why the version was not read.
    pub(super) fn default(&self, default: Default, version: Option<&str>, gap: &Gap, with: &str) -> Reading {
        let Versions { program, major, minors } = self;
        let with = if with.is_empty() { String::new() } else { format!(" {with}") };
        let minor = self.of(version);
        let origin = match minor {
            Minor::Known(minor) => format!("default of {program} {major}.{minor}{with}"),
            Minor::NotRead => {
                let (first, last) = (minors.start(), minors.end());
                format!("default of every {program} from {major}.{first} to {major}.{last}{with}")
            }
            Minor::Other => return self.other(version),
        };
        let value = match (default, minor) {
            (Default::Unset, _) => Value::Absent,
            (Default::Bool(truth), _) => Value::Bool(truth),
            (Default::Int(int), _) => Value::Int(int),
            (Default::Text(text), _) => Value::Text(text.into()),
            (Default::One(text), _) => Reading::list(vec![Reading::text(text)], None).value,
            (Default::Duration(seconds), _) => {
                Value::Text(duration::format(seconds.saturating_mul(1_000_000_000)).into())
            }
            (Default::Since(changed, before, since), Minor::Known(minor)) => {
                Value::Int(if minor < changed { before } else { since })
            }
            (Default::Since(..), _) => {
                return Reading::unread(gap.reason, format!("the version of {program} was not read"));
            }
        };
        Reading::with_origin(value, origin)
    }

    /// The reading of a default of a version that is not known here.
    pub(super) fn other(&self, version: Option<&str>) -> Reading {
        let Versions { program, major, minors } = self;
        let (first, last) = (minors.start(), minors.end());
        let which = match version.and_then(numbers) {
            Some((major, minor)) => format!("version {major}.{minor}"),
            None => "this version".to_owned(),
        };
        Reading::unread(
            Reason::Unsupported,
            format!(
                "not set, and the default of {which} of {program} is not known here: those of {major}.{first} to {major}.{last} are"
            ),
        )
    }
}

/// Major and minor version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = Version::parse(version)?.minor()?;
    Some((major.try_into().ok()?, minor.try_into().ok()?))
}

/// A value of a wrong type in a file.
pub(super) fn malformed_in(path: &str, setting: &str) -> Reading {
    Reading::unread(Reason::Malformed, format!("{setting} in {path} is not of its type"))
}

/// The name of a flag as one word, since a condition reads the hyphens of `hostname-override` as minus signs.
pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut joined = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut chars = word.chars();
        joined.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        joined.push_str(chars.as_str());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_told_for_the_versions_that_are_known_alone() {
        let versions = Versions { program: "kube-x", major: 1, minors: 24..=36 };
        let gap = Gap::new(Reason::NotVisible, "");
        let of = |default, version| versions.default(default, version, &gap, "");
        let told = of(Default::Since(36, 0, 366), Some("v1.36.2+k3s1"));
        assert_eq!((told.value, told.origin.as_deref()), (Value::Int(366), Some("default of kube-x 1.36")));
        assert_eq!(of(Default::Since(36, 0, 366), Some("1.35.0")).value, Value::Int(0));
        let told = of(Default::Bool(true), None);
        assert_eq!(told.origin.as_deref(), Some("default of every kube-x from 1.24 to 1.36"));
        for (version, named) in [("1.99.1", "version 1.99"), ("2.30.0", "version 2.30"), ("1", "this version")] {
            match of(Default::Bool(true), Some(version)).value {
                Value::Unread(gap) => {
                    assert_eq!(gap.reason, Reason::Unsupported);
                    assert!(gap.detail.contains(named), "{}", gap.detail);
                }
                other => assert_eq!(other, Value::Absent, "{version}"),
            }
        }
        assert!(
            matches!(of(Default::Since(36, 0, 366), None).value, Value::Unread(gap) if gap.reason == Reason::NotVisible)
        );
    }
}
