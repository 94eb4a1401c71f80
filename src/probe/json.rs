//! Free-form JSON within bounds: the parser stops before it takes more memory than a configuration needs.

use super::text;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};
use std::fmt;

/// Values in one document; a kubelet's configuration has some two hundred.
const VALUES: usize = 8192;

/// Bytes of one text.
const TEXT: usize = 64 << 10;

/// Lists and maps in each other.
const DEPTH: usize = 32;

/// A document with at most so many values. Its texts hold no control characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document(pub(super) Json);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut left = VALUES;
        Below { left: &mut left, depth: 0 }.deserialize(deserializer).map(Document)
    }
}

struct Below<'l> {
    left: &'l mut usize,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if *self.left == 0 || self.depth > DEPTH {
            return Err(D::Error::custom("a document beyond its bound"));
        }
        *self.left -= 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        if text.len() > TEXT {
            return Err(E::custom("a text beyond its bound"));
        }
        Ok(Json::String(text::lines(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Below { left: self.left, depth: self.depth + 1 })? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.len() > TEXT {
                return Err(A::Error::custom("a key beyond its bound"));
            }
            let value = map.next_value_seed(Below { left: self.left, depth: self.depth + 1 })?;
            entries.insert(text::marked(&key), value);
        }
        Ok(Json::Object(entries))
    }
}
