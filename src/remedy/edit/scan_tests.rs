#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::remedy::edit::scalar::read;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// The tree as our reader sees it; single values as texts.
fn seen(document: &Document<'_>, node: &Node) -> Json {
    match &node.kind {
        Kind::Empty => json!(null),
        Kind::Text => json!("text"),
        Kind::Scalar(_) => json!(document.scalar(node).unwrap_or_default()),
        Kind::Map(_, entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), seen(document, &entry.value))).collect())
        }
        Kind::Seq(_, items) => items.iter().map(|item| seen(document, &item.value)).collect(),
    }
}

/// The same of the real reader's tree, for what both must see alike: keys, and how many items.
fn outline(tree: &Json) -> Json {
    match tree {
        Json::Object(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), outline(value))).collect()),
        Json::Array(items) => items.iter().map(outline).collect(),
        _ => json!(0),
    }
}

#[test]
fn the_tree_is_that_of_the_real_reader() {
    for text in [
        "a:\n- b: 1\n  c:\n  - d\n  -   e: 2\n      f: 3\n-\n  g: h\n- - i\n  - j\n",
        "- - a\n",
        "a: {b: [1, {c: d}], \"e\": 'f'}\ng: [ ]\n",
        "a: |\n  b: c\n\n  d\ne: >-\n  f\n",
        "x:\n- name: |\n    text\n  other: 1\n",
        "{\"a\":{\"b\":1,\"c\":[]},\n\"d\": \"e\"}\n",
        "a: 'b # c'\n\"d e\": f#g # h\n",
    ] {
        match scan(text) {
            Ok(document) => {
                assert_eq!(outline(&seen(&document, &document.root)), outline(&read(text).unwrap()), "{text}")
            }
            Err(trouble) => assert!(text.starts_with('-'), "{text}: {trouble:?}"),
        }
    }
}

proptest! {
    #[test]
    fn what_both_readers_take_they_see_alike(text in "(a|b|c|1|\n|\n  |\n    |: |- |:|-|\\{|\\}|\\[|\\]|, |'|\"| #| |\\|){0,24}") {
        if let (Ok(document), Ok(tree)) = (scan(&text), read(&text))
            && !matches!(document.root.kind, Kind::Empty)
        {
            prop_assert_eq!(outline(&seen(&document, &document.root)), outline(&tree));
        }
    }
}
