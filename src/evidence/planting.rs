//! From a record straight to its tree: a serde serializer that makes readings.

use super::Reason;
use super::reading::{Gap, Key, Missing, Reading, Value};
use serde::de::value::{Error as UnknownWord, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};
use serde::ser::{self, Error as _, Impossible, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

/// Fields whose keys are the node's own words: a key that is missing in them was read as not being there.
const FREE_FORM: [&str; 6] = ["document", "connection", "settings", "labels", "annotations", "pod_security"];

/// The tree of a record. `free`: its keys are not fields of this program's own, so that it was read whole. Unread where
/// the record holds what this program's records do not: variants with values of their own, keys that are no words.
pub(super) fn plant(record: &(impl Serialize + ?Sized), free: bool) -> Reading {
    let unknown = Gap::not_in_evidence();
    let tree = record.serialize(Planter { free, unknown: &unknown });
    tree.unwrap_or_else(|_| Reading::unread(Reason::Malformed, "the evidence is of a form that has no tree"))
}

#[derive(Clone, Copy)]
struct Planter<'g> {
    free: bool,
    /// What a missing field of a record means, unless the record says why.
    unknown: &'g Gap,
}

/// A list that grows.
struct Items<'g> {
    planter: Planter<'g>,
    items: Vec<Reading>,
}

impl Items<'_> {
    fn push(&mut self, item: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.items.push(item.serialize(self.planter)?);
        Ok(())
    }

    fn list(self) -> Result<Reading, Error> {
        Ok(Reading::list(self.items, None))
    }
}

/// A map that grows.
struct Entries<'g> {
    planter: Planter<'g>,
    entries: BTreeMap<Key, Reading>,
    /// The key of the entry that comes next.
    key: Key,
}

impl Entries<'_> {
    fn put(&mut self, key: Key, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let free = self.planter.free || FREE_FORM.contains(&&*key);
        self.entries.insert(key, value.serialize(Planter { free, ..self.planter })?);
        Ok(())
    }

    /// The map; of a record with `items` and `complete` ([`super::Listing`]) the list.
    fn map(self) -> Result<Reading, Error> {
        let Entries { planter: Planter { free, unknown }, entries, .. } = self;
        if free {
            return Ok(Reading::map(entries));
        }
        let value = |key: &str| entries.get(key).map(|entry| &entry.value);
        if let (Some(Value::List { items, .. }), Some(Value::Bool(complete))) = (value("items"), value("complete")) {
            let gap = (!complete).then(|| unknown.clone());
            return Ok(Reading::new(Value::List { items: Arc::clone(items), gap }));
        }
        let gap = match value("unread") {
            Some(Value::Text(word)) => reason(word).map(|reason| Gap::new(reason, "")),
            _ => None,
        };
        let missing = Missing::Unread(gap.unwrap_or_else(|| unknown.clone()));
        Ok(Reading::new(Value::Map { entries: Arc::new(entries), missing }))
    }
}

fn reason(word: &str) -> Option<Reason> {
    let word: StrDeserializer<'_, UnknownWord> = word.into_deserializer();
    Reason::deserialize(word).ok()
}

/// A leaf for each kind of number that fits into 64 bits.
macro_rules! ints {
    ($($method:ident: $kind:ty),*) => {
        $(fn $method(self, int: $kind) -> Result<Reading, Error> {
            Ok(Reading::new(Value::Int(int.into())))
        })*
    };
}

impl<'g> Serializer for Planter<'g> {
    type Ok = Reading;
    type Error = Error;
    type SerializeSeq = Items<'g>;
    type SerializeTuple = Items<'g>;
    type SerializeTupleStruct = Items<'g>;
    type SerializeTupleVariant = Impossible<Reading, Error>;
    type SerializeMap = Entries<'g>;
    type SerializeStruct = Entries<'g>;
    type SerializeStructVariant = Impossible<Reading, Error>;

    ints!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    ints!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32);

    fn serialize_u64(self, int: u64) -> Result<Reading, Error> {
        Ok(Reading::new(i64::try_from(int).map_or(Value::Float(int as f64), Value::Int)))
    }

    fn serialize_bool(self, truth: bool) -> Result<Reading, Error> {
        Ok(Reading::new(Value::Bool(truth)))
    }

    fn serialize_f32(self, float: f32) -> Result<Reading, Error> {
        self.serialize_f64(float.into())
    }

    /// JSON has no word for what is not finite, and writes null.
    fn serialize_f64(self, float: f64) -> Result<Reading, Error> {
        Ok(Reading::new(if float.is_finite() { Value::Float(float) } else { Value::Absent }))
    }

    fn serialize_char(self, letter: char) -> Result<Reading, Error> {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<Reading, Error> {
        Ok(Reading::text(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Reading, Error> {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Result<Reading, Error> {
        Ok(Reading::new(Value::Absent))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Reading, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Reading, Error> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Reading, Error> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Reading, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Reading, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Reading, Error> {
        Err(Error::custom(name))
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Items<'g>, Error> {
        Ok(Items { planter: self, items: Vec::with_capacity(count.unwrap_or_default()) })
    }

    fn serialize_tuple(self, count: usize) -> Result<Items<'g>, Error> {
        self.serialize_seq(Some(count))
    }

    fn serialize_tuple_struct(self, _: &'static str, count: usize) -> Result<Items<'g>, Error> {
        self.serialize_seq(Some(count))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::custom(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'g>, Error> {
        Ok(Entries { planter: self, entries: BTreeMap::new(), key: Key::default() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'g>, Error> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom(name))
    }
}

macro_rules! lists {
    ($($kind:ident: $method:ident),*) => {
        $(impl ser::$kind for Items<'_> {
            type Ok = Reading;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
                self.push(item)
            }

            fn end(self) -> Result<Reading, Error> {
                self.list()
            }
        })*
    };
}

lists!(SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field);

impl ser::SerializeStruct for Entries<'_> {
    type Ok = Reading;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.put(Key::Borrowed(key), value)
    }

    fn end(self) -> Result<Reading, Error> {
        self.map()
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = Reading;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        match key.serialize(self.planter)?.value {
            Value::Text(word) => self.key = Key::Owned(word.as_ref().to_owned()),
            _ => return Err(Error::custom("a key that is no word")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.put(key, value)
    }

    fn end(self) -> Result<Reading, Error> {
        self.map()
    }
}
