//! Flags in kubeadm's ClusterConfiguration of version v1beta4: `extraArgs`, a list of names and values.

use super::EditError;
use super::error::Trouble;
use super::scalar::{Around, read, text_written};
use super::scan::scan;
use super::splice::{Splices, line_end};
use super::tree::{Document, Item, Kind, Node, Style};
use super::yaml::{finish, try_remove, try_set};
use serde_json::{Value as Json, json};

/// What stands in a new list until its first item is written. No flag has such a name.
const PLACE: &str = "place/of/the/first";

/// The value of a flag in the list at `path`. None where the list, or the flag in it, is not there; an error where it is no
/// such list, or has the flag several times.
pub fn extra_arg(text: &str, path: &[&str], name: &str) -> Result<Option<String>, EditError> {
    let hand = format!("look up {name} in {} by hand", path.join("."));
    let tree = read(text).map_err(|trouble| trouble.with(&hand))?;
    let known = args(&tree, path).and_then(|args| one(&args, name));
    Ok(known.map_err(|trouble| trouble.with(&hand))?.map(|(_, value)| value))
}

/// Makes the list at `path` hold the flag with this value, or not at all (None), and leaves everything else to the byte. The
/// list, and the maps before it, are made where they are missing; a list that is empty then goes.
///
/// Gives the new text; the same text where it is so already. An error where the text is not surely understood.
pub fn set_extra_arg(text: &str, path: &[&str], name: &str, value: Option<&str>) -> Result<String, EditError> {
    let shown = path.join(".");
    let hand = match value {
        Some(value) => format!("put {name} with the value {value} into {shown} by hand"),
        None => format!("take {name} out of {shown} by hand"),
    };
    try_change(text, path, name, value).map_err(|trouble| trouble.with(&hand))
}

fn try_change(text: &str, path: &[&str], name: &str, value: Option<&str>) -> Result<String, Trouble> {
    let tree = read(text)?;
    let args = args(&tree, path)?;
    match (one(&args, name)?, value) {
        (known, value) if known.as_ref().map(|(_, known)| known.as_str()) == value => Ok(text.to_owned()),
        (Some(_), None) if args.len() == 1 => try_remove(text, path),
        (None, Some(value)) => push(text, tree, path, &[("name", json!(name)), ("value", json!(value))]),
        (known, value) => edit(text, tree, path, known.map(|(at, _)| at), (name, value)),
    }
}

/// The names and values of a list.
fn args(tree: &Json, path: &[&str]) -> Result<Vec<(String, String)>, Trouble> {
    let wrong = || Trouble::whole(format!("{} is no list of names and values", path.join(".")));
    let mut at = tree;
    for key in path {
        match at {
            Json::Object(map) => match map.get(*key) {
                Some(below) => at = below,
                None => return Ok(Vec::new()),
            },
            Json::Null => return Ok(Vec::new()),
            _ => return Err(wrong()),
        }
    }
    if at.is_null() {
        return Ok(Vec::new());
    }
    let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
    let pair = |item: &Json| Some((text(item, "name")?, text(item, "value")?));
    let items = at.as_array().ok_or_else(wrong)?;
    items.iter().map(|item| pair(item).ok_or_else(wrong)).collect()
}

/// Where a flag stands in the list, and its value.
fn one(args: &[(String, String)], name: &str) -> Result<Option<(usize, String)>, Trouble> {
    let mut found = args.iter().enumerate().filter(|(_, (own, _))| own == name);
    let first = found.next().map(|(at, (_, value))| (at, value.clone()));
    match found.count() {
        0 => Ok(first),
        more => {
            Err(Trouble::whole(format!("{name} is given {} times, so it is not plain which one is meant", more + 1)))
        }
    }
}

fn node<'d>(document: &'d Document<'_>, path: &[&str]) -> Option<&'d Node> {
    path.iter().try_fold(&document.root, |node, key| node.get(key))
}

/// An item of a list of maps: keys with their texts and truth values.
pub(super) type Entry<'e> = [(&'e str, Json)];

fn whole(item: &Entry<'_>) -> Json {
    Json::Object(item.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

/// An item as it is written at these blanks; `blanks` is None in brackets.
fn written(document: &Document<'_>, item: &Entry<'_>, blanks: Option<usize>) -> String {
    let around = match blanks {
        _ if document.is_json() => Around::Json,
        Some(_) => Around::Block,
        None => Around::Flow,
    };
    let value = |value: &Json| match value {
        Json::String(text) => text_written(text, None, around),
        other => other.to_string(),
    };
    match blanks {
        Some(blanks) => {
            let (eol, blanks) = (line_end(document.text), " ".repeat(blanks + 2));
            let lines: Vec<String> = item.iter().map(|(key, of)| format!("{key}: {}", value(of))).collect();
            lines.join(&format!("{eol}{blanks}"))
        }
        None => {
            let key = |key: &str| text_written(key, None, around);
            let pairs: Vec<String> = item.iter().map(|(name, of)| format!("{}: {}", key(name), value(of))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// Puts an item behind the others of the list at `path`, which is made where it is missing. `tree`: the text, read.
pub(super) fn push(text: &str, tree: Json, path: &[&str], item: &Entry<'_>) -> Result<String, Trouble> {
    let list = path.iter().try_fold(&tree, |tree, key| tree.get(*key)).and_then(Json::as_array);
    match list.is_none_or(Vec::is_empty) {
        true => first(&try_set(text, path, &json!([PLACE]))?, path, item),
        false => append(text, tree, path, item),
    }
}

/// Writes the first item into a list that was just made.
fn first(text: &str, path: &[&str], item: &Entry<'_>) -> Result<String, Trouble> {
    let lost = || Trouble::whole("a new list could not be written");
    let mut tree = read(text)?;
    let list = path.iter().try_fold(&mut tree, |tree, key| tree.get_mut(*key));
    *list.ok_or_else(lost)? = json!([whole(item)]);
    let document = scan(text)?;
    let mut splices = Splices::default();
    match node(&document, path).map(|node| &node.kind) {
        Some(Kind::Seq(style, items)) => {
            let place = &items.first().ok_or_else(lost)?.value;
            let blanks = match style {
                Style::Block(blanks) => Some(*blanks),
                Style::Flow => None,
            };
            splices.replace(place.start, place.end, written(&document, item, blanks));
        }
        _ => return Err(lost()),
    }
    finish(text, splices, &tree)
}

/// Puts an item behind the last one of a list that holds something.
fn append(text: &str, mut tree: Json, path: &[&str], item: &Entry<'_>) -> Result<String, Trouble> {
    let lost = || Trouble::whole(format!("{} is written in a way that is not understood", path.join(".")));
    let document = scan(text)?;
    let Some(Kind::Seq(style, items)) = node(&document, path).map(|node| &node.kind) else { return Err(lost()) };
    let list = path.iter().try_fold(&mut tree, |tree, key| tree.get_mut(*key)).and_then(Json::as_array_mut);
    list.ok_or_else(lost)?.push(whole(item));
    let last = items.last().ok_or_else(lost)?;
    let mut splices = Splices::default();
    match style {
        Style::Block(blanks) => {
            let place = document.lines.end(last.value.end.saturating_sub(1));
            let item = written(&document, item, Some(*blanks));
            splices.insert(place, format!("{}{}- {item}", line_end(text), " ".repeat(*blanks)));
        }
        Style::Flow => splices.insert(last.value.end, format!(", {}", written(&document, item, None))),
    }
    finish(text, splices, &tree)
}

/// Changes or takes out an item of a list. `at`: where the flag stands in it.
fn edit(
    text: &str,
    mut tree: Json,
    path: &[&str],
    at: Option<usize>,
    (name, value): (&str, Option<&str>),
) -> Result<String, Trouble> {
    let lost = || Trouble::whole(format!("{} is written in a way that is not understood", path.join(".")));
    let document = scan(text)?;
    let Some(Kind::Seq(style, items)) = node(&document, path).map(|node| &node.kind) else { return Err(lost()) };
    let list = path.iter().try_fold(&mut tree, |tree, key| tree.get_mut(*key)).and_then(Json::as_array_mut);
    let list = list.ok_or_else(lost)?;
    let mut splices = Splices::default();
    match (at, value) {
        (Some(at), Some(value)) => {
            let item = items.get(at).ok_or_else(lost)?;
            let Some(old @ Node { kind: Kind::Scalar(quote), .. }) = item.value.get("value") else {
                return Err(lost());
            };
            let around = match (document.is_json(), &item.value.kind) {
                (true, _) => Around::Json,
                (false, Kind::Map(Style::Block(_), _)) => Around::Block,
                _ => Around::Flow,
            };
            splices.replace(old.start, old.end, text_written(value, *quote, around));
            *list.get_mut(at).ok_or_else(lost)? = json!({"name": name, "value": value});
        }
        (Some(at), None) => {
            gone(&document, *style, items, at, &mut splices).ok_or_else(lost)?;
            list.remove(at);
        }
        (None, _) => {}
    }
    finish(text, splices, &tree)
}

/// Takes an item out of a list of several.
fn gone(document: &Document<'_>, style: Style, items: &[Item], at: usize, splices: &mut Splices) -> Option<()> {
    let item = items.get(at)?;
    let (start, end) = match style {
        Style::Block(_) => document.lines.whole(item.dash, item.value.end.saturating_sub(1)),
        Style::Flow => match at.checked_sub(1) {
            Some(before) => (items.get(before)?.value.end, item.value.end),
            None => (item.dash, items.get(1)?.dash),
        },
    };
    splices.replace(start, end, "");
    Some(())
}

#[cfg(test)]
#[path = "extra_args_tests.rs"]
mod tests;
