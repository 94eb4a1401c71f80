//! What becomes of one flag of a static pod.

use crate::remedy::edit::manifest_flag::{flag_values, remove_flag, set_flag};
use crate::remedy::plan::Refusal;

/// What a flag is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flag {
    /// This value.
    Value(String),
    /// Not given.
    Gone,
    /// A list with commas that has these words and lacks those.
    List { add: Vec<String>, without: Vec<String> },
}

impl Flag {
    /// As a catalog says it.
    pub(super) fn of(value: Option<&str>, add: &[String], without: &[String]) -> Self {
        match value {
            Some(value) => Flag::Value(value.to_owned()),
            None if add.is_empty() && without.is_empty() => Flag::Gone,
            None => Flag::List { add: add.to_vec(), without: without.to_vec() },
        }
    }

    /// Takes another wish for the same flag into this one; of two that are no lists the later one counts.
    pub(super) fn add(&mut self, other: Flag) {
        match (self, other) {
            (Flag::List { add, without }, Flag::List { add: more, without: less }) => {
                add.extend(more);
                without.extend(less);
            }
            (known, other) => *known = other,
        }
    }

    /// The manifest with the flag as it is to be.
    pub(super) fn edit(&self, text: &str, component: &str, flag: &str, file: &str) -> Result<String, Refusal> {
        let refuse = |error: crate::remedy::edit::EditError| Refusal::new(format!("{file}: {error}"));
        let now = flag_values(text, component, flag).map_err(refuse)?;
        if now.len() > 1 {
            return Err(Refusal::new(format!(
                "{file}: --{flag} is given {} times, so it is not plain which one is meant. Take all but one out by hand first",
                now.len()
            )));
        }
        let given = now.into_iter().flatten().next();
        let edited = match (self, self.wanted(given.as_deref())) {
            (Flag::List { .. }, wanted) if wanted == given => return Ok(text.to_owned()),
            (_, Some(value)) => set_flag(text, component, flag, Some(&value)),
            (_, None) => remove_flag(text, component, flag),
        };
        edited.map_err(refuse)
    }

    /// What it is to be where it is given like this. None: not given.
    pub(super) fn wanted(&self, given: Option<&str>) -> Option<String> {
        match self {
            Flag::Value(value) => Some(value.clone()),
            Flag::Gone => None,
            Flag::List { add, without } => {
                let before: Vec<&str> =
                    given.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
                let mut words = before.clone();
                words.retain(|word| !without.iter().any(|gone| gone == word));
                for word in add {
                    if !words.contains(&word.as_str()) {
                        words.push(word);
                    }
                }
                if words == before {
                    return given.map(str::to_owned);
                }
                (!words.is_empty()).then(|| words.join(","))
            }
        }
    }
}
