//! How a value is written, and how a document is read to see what an edit did.

use super::error::Trouble;
use serde_json::Value as Json;

/// Bytes of a file that is edited.
const LARGEST: usize = 1 << 20;

/// Where a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// In a line of its own.
    Block,
    /// In braces or brackets.
    Flow,
    /// In JSON.
    Json,
}

/// A bool, number or text; `quote` is that of the value which it replaces.
pub(super) fn written(value: &Json, quote: Option<char>, around: Around) -> String {
    match value {
        Json::String(text) => text_written(text, quote, around),
        other => other.to_string(),
    }
}

/// A text, without quotes where no reader of YAML, old or new, could take it for anything else.
pub(super) fn text_written(text: &str, quote: Option<char>, around: Around) -> String {
    let quoted = || Json::String(text.to_owned()).to_string();
    match quote {
        _ if around == Around::Json => quoted(),
        Some('\'') if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', "''")),
        None if is_plain(text, around) => text.to_owned(),
        _ => quoted(),
    }
}

fn is_plain(text: &str, around: Around) -> bool {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "_./:@%+=-".contains(c) || (c == ',' && around == Around::Block);
    let mut chars = text.chars();
    let first = match chars.next() {
        // A flag: two dashes and a letter.
        Some('-') => text.get(2..).and_then(|rest| rest.chars().next()).filter(|_| text.starts_with("--")),
        other => other,
    };
    let begins = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/') || is_duration(text);
    let word = !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    begins && word && !text.ends_with(':') && text.chars().all(allowed)
}

/// `30s`, `4h0m0s`: no number in any version of YAML.
fn is_duration(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['h', 'm', 's'])
        && text.chars().all(|c| c.is_ascii_digit() || "hms".contains(c))
}

/// A list of texts in brackets.
pub(super) fn list_written(items: &[String], around: Around) -> String {
    let around = if around == Around::Json { Around::Json } else { Around::Flow };
    let items: Vec<String> = items.iter().map(|item| text_written(item, None, around)).collect();
    format!("[{}]", items.join(", "))
}

/// The document as a real parser reads it: one document, no aliases, no doubled keys, bounded.
pub(super) fn read(text: &str) -> Result<Json, Trouble> {
    if text.len() > LARGEST {
        return Err(Trouble::whole("the file is larger than a configuration file can be"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(LARGEST),
            max_aliases: 0,
            max_anchors: 0,
            max_depth: 48,
            max_documents: 1,
            max_merge_keys: 0,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        legacy_octal_numbers: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Json>(text, options).map_err(|error| {
        let what = error.without_snippet().to_string();
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        // Its bounds, by the names that the library gives them.
        let what = match () {
            () if what.contains("Documents") => "there is more than one document in it".to_owned(),
            () if what.contains("Anchors") || what.contains("Alias") => "it uses anchors (&name, *name)".to_owned(),
            () if what.contains("MergeKeys") => "it uses merge keys (<<)".to_owned(),
            () if what.contains("budget breached") => "it is larger or deeper than what is read here".to_owned(),
            () => what,
        };
        match error.location().filter(|location| location.line() > 0) {
            Some(location) => {
                Trouble::at(location.line() as usize, format!("this is no YAML that is understood ({what})"))
            }
            None => Trouble::whole(format!("this is no YAML that is understood ({what})")),
        }
    })
}
