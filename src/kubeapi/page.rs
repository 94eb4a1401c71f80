//! One page of a list, read item by item, so that what is wrong with one costs only that one.

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// What a page gave.
pub(super) struct Page {
    /// Items that were handed over.
    pub(super) handed: usize,
    /// Items that were not understood.
    pub(super) damaged: usize,
    /// What leads to the next page.
    pub(super) next: Option<String>,
    pub(super) fate: Fate,
}

/// How far a page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Whole,
    /// More items than there is room for.
    Full,
    /// It is no list, or no JSON from some place on.
    Broken,
}

/// Reads a page; at most `room` items are handed to `each`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], room: usize, each: &mut dyn FnMut(T)) -> Page {
    // At first straight into what is wanted. Where that fails once more from the start, every item cut out before it is
    // read: half as fast, and an item that fails is passed over.
    let mut tally = Tally { handed: 0, seen: 0, damaged: 0, full: false, room, passed: 0 };
    let direct = whole(body, Items::<T, true> { tally: &mut tally, each, item: PhantomData });
    if let Ok(next) = direct {
        return tally.page(next);
    }
    tally = Tally { passed: tally.handed, seen: 0, damaged: 0, ..tally };
    if tally.full {
        return tally.page(None);
    }
    match whole(body, Items::<T, false> { tally: &mut tally, each, item: PhantomData }) {
        Ok(next) => tally.page(next),
        Err(_) if tally.full => tally.page(None),
        Err(_) => Page { handed: tally.handed, damaged: tally.damaged, next: None, fate: Fate::Broken },
    }
}

/// Counts.
struct Tally {
    handed: usize,
    /// Items that were come by.
    seen: usize,
    damaged: usize,
    full: bool,
    room: usize,
    /// Items at the beginning that were handed over before.
    passed: usize,
}

impl Tally {
    fn page(&self, next: Option<String>) -> Page {
        let fate = if self.full { Fate::Full } else { Fate::Whole };
        Page { handed: self.handed, damaged: self.damaged, next: next.filter(|next| !next.is_empty()), fate }
    }
}

fn whole<'de, S>(body: &'de [u8], items: S) -> Result<Option<String>, serde_json::Error>
where
    S: DeserializeSeed<'de, Value = ()>,
{
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let next = List(items).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(next)
}

/// A list: its token, while its items go their own way.
struct List<S>(S);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for List<S> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for List<S> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = Some(self.0);
        let mut next = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "metadata" => next = map.next_value::<Option<Meta>>()?.unwrap_or_default().next,
                "items" => match items.take() {
                    Some(items) => map.next_value_seed(items)?,
                    None => return Err(serde::de::Error::duplicate_field("items")),
                },
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if items.is_some() {
            return Err(serde::de::Error::missing_field("items"));
        }
        Ok(next)
    }
}

/// The items; `DIRECT`: read without being cut out before.
struct Items<'a, T, const DIRECT: bool> {
    tally: &'a mut Tally,
    each: &'a mut dyn FnMut(T),
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, const DIRECT: bool> DeserializeSeed<'de> for Items<'_, T, DIRECT> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: DeserializeOwned, const DIRECT: bool> Visitor<'de> for Items<'_, T, DIRECT> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    // Go writes an empty list that was never filled as null.
    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let tally = self.tally;
        loop {
            let item = if DIRECT {
                match seq.next_element::<T>()? {
                    Some(item) => Some(item),
                    None => return Ok(()),
                }
            } else {
                let Some(raw) = seq.next_element::<&RawValue>()? else { return Ok(()) };
                tally.seen += 1;
                if tally.seen <= tally.passed {
                    continue;
                }
                // As a slice, like the direct way: what reads it is compiled once.
                serde_json::from_slice(raw.get().as_bytes()).ok()
            };
            match item {
                Some(_) if tally.handed >= tally.room => {
                    tally.full = true;
                    return Err(serde::de::Error::custom("full"));
                }
                Some(item) => {
                    tally.handed += 1;
                    (self.each)(item);
                }
                None => tally.damaged += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(body: &str, room: usize) -> (Vec<String>, Page) {
        #[derive(Deserialize)]
        struct Item {
            name: String,
        }
        let mut names = Vec::new();
        let page = read(body.as_bytes(), room, &mut |item: Item| names.push(item.name));
        (names, page)
    }

    #[test]
    fn items_and_the_token() {
        let (found, page) =
            names(r#"{"kind":"L","metadata":{"continue":"t"},"items":[{"name":"a"},{"name":"b","x":[1]}]}"#, 9);
        assert_eq!(found, ["a", "b"]);
        assert_eq!((page.next.as_deref(), page.fate, page.damaged), (Some("t"), Fate::Whole, 0));
        let (found, page) = names(r#"{"items":null,"metadata":{"continue":""}}"#, 9);
        assert_eq!((found.len(), page.next, page.fate), (0, None, Fate::Whole));
    }

    #[test]
    fn an_item_that_cannot_be_understood_costs_only_itself() {
        let text = r#"{"items":[{"name":"a"},{"name":1},{"name":"b"},null,{}, [1], {"name":"c"}],"metadata":{"continue":"t"}}"#;
        let (found, page) = names(text, 9);
        assert_eq!(found, ["a", "b", "c"]);
        assert_eq!((page.damaged, page.fate, page.next.as_deref()), (4, Fate::Whole, Some("t")));
        let deep =
            format!(r#"{{"items":[{{"name":"a"}},{{"x":{}{}}},{{"name":"b"}}]}}"#, "[".repeat(500), "]".repeat(500));
        let (found, page) = names(&deep, 9);
        assert_eq!((found, page.damaged, page.fate), (vec!["a".to_owned(), "b".to_owned()], 1, Fate::Whole));
    }

    #[test]
    fn what_is_no_list_is_broken_and_what_came_before_stays() {
        for text in ["", "{}", "[]", "null", "<html>", r#"{"items":3}"#, r#"{"items":[],"items":[]}"#] {
            assert_eq!(names(text, 9).1.fate, Fate::Broken, "{text}");
        }
        let (found, page) = names(r#"{"items":[{"name":"a"},{"name":"b"},{"na"#, 9);
        assert_eq!((found, page.fate), (vec!["a".to_owned(), "b".to_owned()], Fate::Broken));
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        for text in [
            r#"{"items":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            r#"{"items":[1,{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
        ] {
            let (found, page) = names(text, 2);
            assert_eq!((found, page.fate), (vec!["a".to_owned(), "b".to_owned()], Fate::Full));
        }
        let (found, page) = names(r#"{"items":[{"name":"a"},{"name":"b"}]}"#, 2);
        assert_eq!((found.len(), page.fate), (2, Fate::Whole));
    }

    proptest! {
        #[test]
        fn nothing_is_handed_over_twice(good in proptest::collection::vec(any::<bool>(), 0..20), cut in 0_usize..400) {
            let items: Vec<String> = good.iter().enumerate().map(|(at, good)| {
                if *good { format!(r#"{{"name":"{at}"}}"#) } else { "7".to_owned() }
            }).collect();
            let text = format!(r#"{{"items":[{}]}}"#, items.join(","));
            let (found, _) = names(text.get(..cut).unwrap_or(&text), 99);
            let mut once = found.clone();
            once.dedup();
            prop_assert_eq!(once, found.clone());
            if cut >= text.len() {
                prop_assert_eq!(found.len(), good.iter().filter(|good| **good).count());
            }
        }
    }
}
