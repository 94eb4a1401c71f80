//! Texts, lists, maps and times of API objects, each with its bound.

use crate::evidence::Fact;
use crate::probe::text;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Bytes of a text; the longest that the API has names for (paths) is shorter.
const TEXT: usize = 4096;

/// Entries of a map of labels or annotations.
const ENTRIES: usize = 512;

/// A text that fits its bound; a longer one is an error, since a cut name is another's name. Hidden characters stand as
/// U+FFFD, so that no name becomes another by losing them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::probe::cluster) struct Text(pub(in crate::probe::cluster) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl Visitor<'_> for Seen {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                if text.len() > TEXT {
                    return Err(E::custom("a text beyond its bound"));
                }
                Ok(Text(text::marked(text)))
            }
        }
        deserializer.deserialize_str(Seen)
    }
}

/// A value that is missing in an object that was read.
pub(in crate::probe::cluster) fn fact<T>(value: Option<T>) -> Fact<T> {
    value.map_or(Fact::Absent, Fact::Known)
}

/// A text that is missing or empty in an object that was read: both mean that there is none.
pub(in crate::probe::cluster) fn text_fact(value: Option<Text>) -> Fact<String> {
    fact(value.map(|text| text.0).filter(|text| !text.is_empty()))
}

/// A list of at most `N` items. `null` is an empty one.
#[derive(Debug, Clone)]
pub(in crate::probe::cluster) struct Many<T, const N: usize = 1024>(pub(in crate::probe::cluster) Vec<T>);

impl<T, const N: usize> Default for Many<T, N> {
    fn default() -> Self {
        Many(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Many<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Seen<T, N> {
            type Value = Many<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Many::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == N {
                        return Err(A::Error::custom("a list beyond its bound"));
                    }
                    items.push(item);
                }
                Ok(Many(items))
            }
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

impl<const N: usize> Many<Text, N> {
    /// The texts.
    pub(in crate::probe::cluster) fn texts(self) -> Vec<String> {
        self.0.into_iter().map(|text| text.0).collect()
    }
}

/// Which keys of a map are kept.
pub(in crate::probe::cluster) trait Keep {
    /// Whether the entry of this key is kept.
    fn keeps(key: &str) -> bool;
}

/// All keys.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct All;

impl Keep for All {
    fn keeps(_: &str) -> bool {
        true
    }
}

/// Labels or annotations: those that `K` keeps.
#[derive(Debug, Clone)]
pub(in crate::probe::cluster) struct Labels<K>(pub(in crate::probe::cluster) BTreeMap<String, String>, PhantomData<K>);

impl<K> Default for Labels<K> {
    fn default() -> Self {
        Labels(BTreeMap::new(), PhantomData)
    }
}

impl<'de, K: Keep> Deserialize<'de> for Labels<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<K>(PhantomData<K>);
        impl<'de, K: Keep> Visitor<'de> for Seen<K> {
            type Value = Labels<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Labels::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut kept = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !K::keeps(&key) {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if kept.len() == ENTRIES || key.len() > TEXT {
                        return Err(A::Error::custom("a map beyond its bound"));
                    }
                    let value = map.next_value::<Option<Text>>()?.unwrap_or_default();
                    kept.insert(text::marked(&key), value.0);
                }
                Ok(Labels(kept, PhantomData))
            }
        }
        deserializer.deserialize_any(Seen(PhantomData))
    }
}

/// A part of an object that is not read at all.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Nothing)
    }
}

/// Whether something stands there: not null, no empty text. What it says is not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::probe::cluster) struct Filled(pub(in crate::probe::cluster) bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Filled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an object")
            }

            fn visit_unit<E: Error>(self) -> Result<Filled, E> {
                Ok(Filled(false))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Filled, E> {
                Ok(Filled(!text.is_empty()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filled, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Filled(true))
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

/// A time. One that cannot be understood is not read; null is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe::cluster) struct Time(pub(in crate::probe::cluster) Fact<Timestamp>);

impl Default for Time {
    fn default() -> Self {
        Time(Fact::Absent)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Text>::deserialize(deserializer)?;
        Ok(Time(text.map_or(Fact::Absent, |text| text::time(&text.0))))
    }
}

/// What every object has. `L` and `A`: what is kept of labels and annotations.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound = "L: Deserialize<'de> + Default, A: Deserialize<'de> + Default")]
pub(in crate::probe::cluster) struct Meta<L = Nothing, A = Nothing> {
    pub(in crate::probe::cluster) name: Text,
    pub(in crate::probe::cluster) namespace: Option<Text>,
    pub(in crate::probe::cluster) generation: Option<i64>,
    #[serde(default)]
    pub(in crate::probe::cluster) creation_timestamp: Time,
    #[serde(default)]
    pub(in crate::probe::cluster) labels: L,
    #[serde(default)]
    pub(in crate::probe::cluster) annotations: A,
    #[serde(default)]
    pub(in crate::probe::cluster) owner_references: Many<Owner, 256>,
}

impl<L, A> Meta<L, A> {
    /// Namespace and name; None where the name is empty, which no API server serves. Of cluster-wide objects the
    /// namespace is empty.
    pub(in crate::probe::cluster) fn split(&self) -> Option<(String, String)> {
        let namespace = self.namespace.as_ref().map(|text| text.0.clone()).unwrap_or_default();
        (!self.name.0.is_empty()).then(|| (namespace, self.name.0.clone()))
    }

    /// The owner that controls the object.
    pub(in crate::probe::cluster) fn controller(&self) -> Option<&Owner> {
        self.owner_references.0.iter().find(|owner| owner.controller == Some(true))
    }
}

/// `NAMESPACE/NAME`, or the name alone of what belongs to no namespace.
pub(in crate::probe::cluster) fn full_name(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Who owns an object.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::probe::cluster) struct Owner {
    pub(in crate::probe::cluster) kind: Text,
    pub(in crate::probe::cluster) name: Text,
    pub(in crate::probe::cluster) controller: Option<bool>,
}

/// The label by which Kubernetes marks the roles and bindings that it brings itself.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct Bootstrap;

impl Keep for Bootstrap {
    fn keeps(key: &str) -> bool {
        key == "kubernetes.io/bootstrapping"
    }
}

impl Labels<Bootstrap> {
    /// Whether the mark is there. Anybody who may write the object can set it.
    pub(in crate::probe::cluster) fn marked(&self) -> bool {
        self.0.values().any(|value| value == "rbac-defaults")
    }
}
