//! One setting of a YAML or JSON file of nested maps, as the kubelet's configuration is.

use super::EditError;
use super::error::Trouble;
use super::list;
use super::scalar::{Around, list_written, read, text_written, written};
use super::scan::scan;
use super::splice::{Splices, line_end};
use super::tree::{Document, Entry, Kind, Node, Style};
use serde_json::Value as Json;

/// Sets the value at `path` (keys from the top, unescaped) and leaves everything else to the byte. Missing maps on the
/// way are made.
///
/// `value` is a bool, a number, a text or a list of texts. Gives the new text; the same text where the value is set
/// already. An error where the file is not surely understood, or something else than a map stands on the way.
pub fn set_path(text: &str, path: &[&str], value: &Json) -> Result<String, EditError> {
    let shown = path.join(".");
    try_set(text, path, value)
        .map_err(|trouble| trouble.with(&format!("set {shown} to {value} in it by hand, or write the file anew")))
}

/// Takes the setting at `path` out. Gives the same text where it is not set. A map that has nothing left stays as `{}`.
pub fn remove_path(text: &str, path: &[&str]) -> Result<String, EditError> {
    let shown = path.join(".");
    try_remove(text, path).map_err(|trouble| trouble.with(&format!("take {shown} out of it by hand")))
}

/// The value at `path`. None where it is not set; an error where the file cannot be read.
pub fn get_path(text: &str, path: &[&str]) -> Result<Option<Json>, EditError> {
    let tree =
        read_or_empty(text).map_err(|trouble| trouble.with(&format!("look up {} in it by hand", path.join("."))))?;
    Ok(at(&tree, path).cloned())
}

/// A file of nothing but comments is an empty map.
fn read_or_empty(text: &str) -> Result<Json, Trouble> {
    let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if empty { Ok(Json::Null) } else { read(text) }
}

fn at<'t>(tree: &'t Json, path: &[&str]) -> Option<&'t Json> {
    path.iter().try_fold(tree, |tree, key| tree.as_object()?.get(*key))
}

fn is_value(value: &Json) -> bool {
    match value {
        Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
        Json::Array(items) => items.iter().all(Json::is_string),
        _ => false,
    }
}

/// What the tree must be afterwards.
fn wanted(tree: &mut Json, path: &[&str], value: &Json) -> Result<(), Trouble> {
    let Some((key, rest)) = path.split_first() else {
        *tree = value.clone();
        return Ok(());
    };
    if tree.is_null() {
        *tree = Json::Object(serde_json::Map::new());
    }
    match tree.as_object_mut() {
        Some(map) => wanted(map.entry((*key).to_owned()).or_insert(Json::Null), rest, value),
        None => Err(Trouble::whole(format!("`{key}` cannot be set in what is no map"))),
    }
}

/// [`set_path`] for other editors, which say themselves what to do by hand.
pub(super) fn try_set(text: &str, path: &[&str], value: &Json) -> Result<String, Trouble> {
    if path.is_empty() || !is_value(value) {
        return Err(Trouble::whole("only a bool, a number, a text or a list of texts can be set, under a key"));
    }
    let mut tree = read_or_empty(text)?;
    if at(&tree, path) == Some(value) {
        return Ok(text.to_owned());
    }
    let document = scan(text)?;
    wanted(&mut tree, path, value)?;
    let mut splices = Splices::default();
    Editor { document: &document, splices: &mut splices }.set(path, value)?;
    finish(text, splices, &tree)
}

/// As above.
pub(super) fn try_remove(text: &str, path: &[&str]) -> Result<String, Trouble> {
    let mut tree = read_or_empty(text)?;
    let Some((last, parents)) = path.split_last() else {
        return Err(Trouble::whole("no key is named"));
    };
    if at(&tree, path).is_none() {
        return Ok(text.to_owned());
    }
    let document = scan(text)?;
    let map = parents.iter().try_fold(&mut tree, |tree, key| tree.as_object_mut()?.get_mut(*key));
    if let Some(map) = map.and_then(Json::as_object_mut) {
        map.remove(*last);
    }
    let mut splices = Splices::default();
    Editor { document: &document, splices: &mut splices }.remove(path)?;
    finish(text, splices, &tree)
}

/// Does the edit and holds it against what it was to be.
pub(super) fn finish(text: &str, splices: Splices, tree: &Json) -> Result<String, Trouble> {
    let result = splices.apply(text)?;
    match read(&result) {
        Ok(now) if now == *tree => Ok(result),
        _ => Err(Trouble::whole("the change would also have changed something else")),
    }
}

struct Editor<'d> {
    document: &'d Document<'d>,
    splices: &'d mut Splices,
}

impl Editor<'_> {
    fn set(&mut self, path: &[&str], value: &Json) -> Result<(), Trouble> {
        let document = self.document;
        let mut map = &document.root;
        let mut path = path;
        while let Some((key, rest)) = path.split_first() {
            let Some(entry) = map.entry(key) else { break };
            // In a text of blocks a map with nothing in it is opened for more than a single value.
            let bare = matches!(&entry.value.kind, Kind::Map(Style::Flow, entries) if entries.is_empty())
                && (rest.len() > 1 || value.is_array());
            let is_null = matches!(entry.value.kind, Kind::Empty)
                || (bare && matches!(map.kind, Kind::Map(Style::Block(_), _)))
                || (entry.value.kind_is_plain()
                    && matches!(document.raw(&entry.value), "null" | "~" | "Null" | "NULL"));
            match (&entry.value.kind, rest.is_empty()) {
                (_, true) => return self.replace(map, entry, value),
                (_, false) if is_null => return self.fill(map, entry, rest, value),
                (Kind::Map(..), false) => (map, path) = (&entry.value, rest),
                _ => {
                    let what = format!("`{key}` holds {} where a map should be", entry.value.called());
                    return Err(Trouble::at(document.line(entry.key_start), what));
                }
            }
        }
        self.add(map, path, value)
    }

    /// What new text in this map looks like.
    fn around(&self, map: &Node) -> Around {
        match map.kind {
            _ if self.document.is_json() => Around::Json,
            Kind::Map(Style::Flow, _) => Around::Flow,
            _ => Around::Block,
        }
    }

    /// The lines of `key: value` with the maps between, `indent` spaces in.
    fn lines(&self, path: &[&str], value: &Json, indent: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut indent = indent;
        for (number, key) in path.iter().enumerate() {
            let key = text_written(key, None, Around::Block);
            let blanks = " ".repeat(indent);
            if number + 1 < path.len() {
                lines.push(format!("{blanks}{key}:"));
                indent += self.document.step();
                continue;
            }
            match items(value) {
                None => lines.push(format!("{blanks}{key}: {}", written(value, None, Around::Block))),
                Some(items) if items.is_empty() => lines.push(format!("{blanks}{key}: []")),
                Some(items) => {
                    lines.push(format!("{blanks}{key}:"));
                    lines.extend(self.items(&items, indent));
                }
            }
        }
        lines
    }

    fn items(&self, items: &[String], key_indent: usize) -> Vec<String> {
        let blanks = " ".repeat(key_indent + self.document.dash_step());
        items.iter().map(|item| format!("{blanks}- {}", text_written(item, None, Around::Block))).collect()
    }

    fn on_one_line(path: &[&str], value: &Json, around: Around) -> String {
        let value = match items(value) {
            Some(items) => list_written(&items, around),
            None => written(value, None, around),
        };
        let mut text = value;
        for (number, key) in path.iter().enumerate().rev() {
            text = format!("{}: {text}", text_written(key, None, around));
            if number > 0 {
                text = format!("{{{text}}}");
            }
        }
        text
    }

    /// Puts new keys at the end of a map.
    fn add(&mut self, map: &Node, path: &[&str], value: &Json) -> Result<(), Trouble> {
        let eol = line_end(self.document.text);
        let text = self.document.text;
        match &map.kind {
            Kind::Empty => {
                let begin = if text.is_empty() || text.ends_with('\n') { "" } else { eol };
                let end = if text.is_empty() || text.ends_with('\n') { eol } else { "" };
                let lines = self.lines(path, value, 0).join(eol);
                self.splices.insert(text.len(), format!("{begin}{lines}{end}"));
                Ok(())
            }
            Kind::Map(Style::Block(indent), entries) => {
                let end = entries.last().map_or(map.start, |last| last.value.end);
                let lines = self.lines(path, value, *indent);
                let place = self.document.lines.end(end.saturating_sub(1));
                self.splices.insert(place, lines.iter().map(|line| format!("{eol}{line}")).collect::<String>());
                Ok(())
            }
            Kind::Map(Style::Flow, entries) => {
                let new = Self::on_one_line(path, value, self.around(map));
                match (entries.first(), entries.last()) {
                    (Some(first), Some(last)) => {
                        let head = text.get(map.start + 1..first.key_start).unwrap_or_default();
                        let gap = if head.contains('\n') { head } else { " " };
                        self.splices.insert(last.value.end, format!(",{gap}{new}"));
                    }
                    _ => self.splices.replace(map.start, map.end, format!("{{{new}}}")),
                }
                Ok(())
            }
            _ => Err(Trouble::at(self.document.line(map.start), format!("{} stands where a map should", map.called()))),
        }
    }

    /// Takes an empty value away, and gives the place where lines can stand instead.
    fn open(&mut self, entry: &Entry) -> usize {
        if !matches!(entry.value.kind, Kind::Empty) {
            self.splices.replace(entry.colon_end, entry.value.end, "");
        }
        self.document.lines.end(entry.colon_end.saturating_sub(1))
    }

    /// Puts keys under a key that has no value yet.
    fn fill(&mut self, map: &Node, entry: &Entry, path: &[&str], value: &Json) -> Result<(), Trouble> {
        let eol = line_end(self.document.text);
        if let Kind::Map(Style::Block(indent), _) = map.kind {
            let lines = self.lines(path, value, indent + self.document.step());
            let place = self.open(entry);
            self.splices.insert(place, lines.iter().map(|line| format!("{eol}{line}")).collect::<String>());
            return Ok(());
        }
        let new = Self::on_one_line(path, value, self.around(map));
        self.splices.replace(entry.value.start, entry.value.end, format!("{{{new}}}"));
        Ok(())
    }

    /// Puts another value in the place of the one that is there.
    fn replace(&mut self, map: &Node, entry: &Entry, value: &Json) -> Result<(), Trouble> {
        let document = self.document;
        let old = &entry.value;
        let around = self.around(map);
        let wrong = || {
            let what = format!("`{}` holds {} and cannot be given another kind of value", entry.key, old.called());
            Err(Trouble::at(document.line(entry.key_start), what))
        };
        match (&old.kind, items(value)) {
            (Kind::Scalar(quote), None) => {
                self.splices.replace(old.start, old.end, written(value, *quote, around));
            }
            (Kind::Empty, None) => {
                self.splices.insert(entry.colon_end, format!(" {}", written(value, None, around)));
            }
            (Kind::Seq(_, present), Some(items)) if !present.is_empty() && !items.is_empty() => {
                return list::rewrite(document, old, &items, self.splices);
            }
            (Kind::Seq(Style::Block(_), present), Some(_)) => {
                for item in present {
                    if document.lines.index(item.dash) == document.lines.index(entry.colon_end - 1) {
                        return wrong();
                    }
                    let (start, end) = document.lines.whole(item.dash, item.value.end - 1);
                    self.splices.replace(start, end, "");
                }
                self.splices.insert(entry.colon_end, " []");
            }
            (Kind::Seq(Style::Flow, _), Some(items)) => {
                self.splices.replace(old.start, old.end, list_written(&items, around));
            }
            (Kind::Empty | Kind::Scalar(_), Some(items)) => match map.kind {
                Kind::Map(Style::Block(indent), _) if !items.is_empty() => {
                    let eol = line_end(document.text);
                    let lines = self.items(&items, indent);
                    let place = self.open(entry);
                    self.splices.insert(place, lines.iter().map(|line| format!("{eol}{line}")).collect::<String>());
                }
                _ => self.splices.replace(entry.colon_end, old.end, format!(" {}", list_written(&items, around))),
            },
            _ => return wrong(),
        }
        Ok(())
    }

    fn remove(&mut self, path: &[&str]) -> Result<(), Trouble> {
        let document = self.document;
        let mut map = &document.root;
        // The entry that holds the map.
        let mut holder: Option<&Entry> = None;
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        for key in parents {
            let Some(entry) = map.entry(key) else { return Ok(()) };
            (map, holder) = (&entry.value, Some(entry));
        }
        let Kind::Map(style, entries) = &map.kind else { return Ok(()) };
        let Some(place) = entries.iter().position(|entry| entry.key == *last) else { return Ok(()) };
        let Some(entry) = entries.get(place) else { return Ok(()) };
        match (style, place.checked_sub(1).and_then(|before| entries.get(before)), entries.get(place + 1)) {
            (Style::Block(_), before, after) => {
                let (start, end) = document.lines.whole(entry.key_start, entry.value.end.saturating_sub(1));
                let alone = before.is_none() && after.is_none();
                match holder {
                    Some(holder) if alone => {
                        self.splices.replace(start, end, "");
                        self.splices.insert(holder.colon_end, " {}");
                    }
                    None if alone => self.splices.replace(start, document.lines.end(end.saturating_sub(1)), "{}"),
                    _ => self.splices.replace(start, end, ""),
                }
            }
            (Style::Flow, Some(before), _) => self.splices.replace(before.value.end, entry.value.end, ""),
            (Style::Flow, None, Some(after)) => self.splices.replace(entry.key_start, after.key_start, ""),
            (Style::Flow, None, None) => self.splices.replace(map.start, map.end, "{}"),
        }
        Ok(())
    }
}

impl Node {
    fn kind_is_plain(&self) -> bool {
        matches!(self.kind, Kind::Scalar(None))
    }
}

/// The texts of a list.
fn items(value: &Json) -> Option<Vec<String>> {
    let items = value.as_array()?;
    Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
