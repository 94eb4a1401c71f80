//! A fact is read, read as not existing, or not read. The difference decides verdicts, so it has a type.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// One fact that a probe asked for.
///
/// In JSON: a value where it was read, `null` where it was read as not existing, and no key at all where it was not
/// read (the reason then stands in an `unread` list or an `unread` field beside it). Fields of this type therefore
/// carry `#[serde(default, skip_serializing_if = "Fact::is_unread")]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fact<T> {
    /// Read, with this value.
    Known(T),
    /// Read as not existing.
    Absent,
    /// Not read. Never stands for a default.
    #[default]
    Unread,
}

impl<T> Fact<T> {
    /// Whether nothing is known about the fact.
    pub fn is_unread(&self) -> bool {
        matches!(self, Fact::Unread)
    }

    /// The value, where one was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Absent | Fact::Unread => None,
        }
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Fact::Known(value) => serializer.serialize_some(value),
            Fact::Absent | Fact::Unread => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(deserializer)? {
            Some(value) => Fact::Known(value),
            None => Fact::Absent,
        })
    }
}

impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Fact_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Why a fact was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The target did not answer at all.
    Unreachable,
    /// The login or account may not read it.
    Forbidden,
    /// It was asked for and the answer did not come in time.
    Timeout,
    /// This way of looking cannot show it: a managed control plane, or a fact nobody asked this target for.
    NotVisible,
    /// The answer was longer than the bound and was cut.
    TooLarge,
    /// An answer came and could not be understood.
    Malformed,
    /// The target lacks what is needed to tell: no such tool, or an operating system that is not known here.
    Unsupported,
}

impl Reason {
    /// The word as it stands in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Unreachable => "unreachable",
            Reason::Forbidden => "forbidden",
            Reason::Timeout => "timeout",
            Reason::NotVisible => "not-visible",
            Reason::TooLarge => "too-large",
            Reason::Malformed => "malformed",
            Reason::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// Path below the target, dots between the names: `kubelet.config_file`. It covers everything beneath.
    pub path: String,
    /// Why.
    pub reason: Reason,
    /// What the person may want to know, in our own words; never text that a node sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// A list that says whether it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing<T> {
    /// What was seen.
    pub items: Vec<T>,
    /// Whether that is everything there was. Where it is false, the `unread` list says why under the list's path.
    pub complete: bool,
}

impl<T> Listing<T> {
    /// A list of which everything was seen.
    pub fn whole(items: Vec<T>) -> Self {
        Listing { items, complete: true }
    }

    /// A list of which something may be missing.
    pub fn partial(items: Vec<T>) -> Self {
        Listing { items, complete: false }
    }
}

impl<T> Default for Listing<T> {
    /// Nothing was read: an empty list that is not complete.
    fn default() -> Self {
        Listing::partial(Vec::new())
    }
}
