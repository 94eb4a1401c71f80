//! Catalog files as text: cut into their entries, so that one bad control does not hide the errors of the others.

use super::paths::near;
use super::{CatalogError, Control};
use serde_saphyr::Spanned;
use std::path::Path;

/// Largest file that is read, in bytes.
pub(super) const LARGEST: usize = 1 << 20;

/// Keys of a control, in the order in which they are written.
const KEYS: [&str; 20] = [
    "id",
    "section",
    "profile",
    "title",
    "severity",
    "scope",
    "who",
    "minutes",
    "when",
    "otherwise",
    "each",
    "where",
    "empty",
    "expect",
    "shows",
    "why",
    "fix",
    "ask",
    "references",
    "remedy",
];

/// One control and where it stands.
pub(super) struct Entry {
    /// The control.
    pub(super) control: Control,
    /// First line of its text, from 1.
    line: usize,
    /// Its text.
    text: String,
}

impl Entry {
    /// Line of a key of the control; the control's own line where the key is not written at the start of a line.
    pub(super) fn line(&self, key: &str) -> usize {
        key_line(&self.text, key).map_or(self.line, |offset| self.line + offset)
    }
}

fn key_line(text: &str, key: &str) -> Option<usize> {
    // `ask.x` and `references.x` are found by their last name.
    text.lines().position(|line| {
        let line = line.trim_start().trim_start_matches("- ").trim_start();
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
    })
}

/// All controls of a file that can be read as such; what is wrong with the others goes to `errors`.
pub(super) fn entries(file: &Path, text: &str, errors: &mut Vec<CatalogError>) -> Vec<Entry> {
    let mut wrong = |line: usize, message: String| {
        errors.push(CatalogError { file: file.to_owned(), line: line.max(1), message });
    };
    if text.len() > LARGEST {
        wrong(1, format!("the file is larger than {LARGEST} bytes: split it into several"));
        return Vec::new();
    }
    let found: Vec<Spanned<serde_json::Value>> = match serde_saphyr::from_str(text) {
        Ok(found) => found,
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line());
            wrong(line as usize, format!("{}. A catalog file is a YAML list of controls", plain(&error)));
            return Vec::new();
        }
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let starts: Vec<usize> = found.iter().map(|item| item.referenced.line() as usize).collect();
    let mut controls = Vec::new();
    for (index, item) in found.iter().enumerate() {
        let here = starts.get(index).copied().unwrap_or(1).max(1);
        let next = starts.get(index + 1).copied().unwrap_or(lines.len() + 1).max(here);
        let own: String = lines.get(here - 1..(next - 1).min(lines.len())).unwrap_or_default().concat();
        let Some(map) = item.value.as_object() else {
            wrong(here, "an entry of a catalog is a map that begins with `id:`".to_owned());
            continue;
        };
        let id = map.get("id").and_then(|id| id.as_str()).unwrap_or("(no id)");
        let id: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
        let mut unknown = false;
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            unknown = true;
            let line = key_line(&own, key).map_or(here, |offset| here + offset);
            wrong(line, format!("control {id}: unknown key `{key}`{}", near(key, KEYS.into_iter())));
        }
        // Read again from its own text, so that a wrong value is told with its line.
        let text = pad(&own);
        match serde_saphyr::from_str::<Vec<Control>>(&text) {
            Ok(parsed) => {
                for control in parsed {
                    controls.push(Entry { control, line: here, text: own.clone() });
                }
            }
            Err(error) if !(unknown && plain(&error).starts_with("unknown field")) => {
                let message = plain(&error);
                // Where a key is missing, the parser stands at the end of the control.
                let (line, what) = match message.strip_prefix("missing field ") {
                    Some(key) => (here, format!("{key} is missing: write it")),
                    None => {
                        let offset = error.location().map_or(1, |location| location.line() as usize).max(1);
                        (here + offset - 1, message)
                    }
                };
                wrong(line, format!("control {id}: {what}"));
            }
            Err(_) => {}
        }
    }
    controls
}

/// Makes the text of one entry a list of its own. Where the `-` stands alone on a line above, the text begins with the
/// first key and may end in the `-` of the next entry.
fn pad(own: &str) -> String {
    let first = own.lines().next().unwrap_or_default();
    if first.trim_start().starts_with("- ") {
        return own.to_owned();
    }
    let indent = first.len() - first.trim_start().len();
    let rest: Vec<&str> = own.lines().skip(1).filter(|line| line.trim() != "-").collect();
    format!("{}- {}\n{}\n", " ".repeat(indent.saturating_sub(2)), first.trim_start(), rest.join("\n"))
}

/// The parser's message without its own line number, control characters and excerpts.
fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
