//! The configuration files of a component, laid over each other: main file, then drop-ins, later over earlier.

use super::super::{ConfigFile, Fact, Gap, Reason};
use super::changed_after;
use jiff::Timestamp;
use serde_json::Value as Json;

/// One layer.
#[derive(Debug, Clone)]
pub(super) enum Layer<'a> {
    /// A file that was read.
    File {
        /// Its path, for the origin.
        path: &'a str,
        /// What it says.
        document: &'a Json,
        /// Whether it is a drop-in.
        drop_in: bool,
    },
    /// A file that was not read, or the files that a list may lack: anything may be set here.
    Hole(Gap),
}

/// What the layers say of one setting.
#[derive(Debug, Clone)]
pub(super) enum Said<'a> {
    /// Set, by this file.
    Set {
        /// To this.
        value: &'a Json,
        /// By this file.
        path: &'a str,
        /// Whether that is a drop-in.
        drop_in: bool,
    },
    /// A drop-in sets it to null.
    Null {
        /// That drop-in.
        path: &'a str,
    },
    /// Something that is no map stands where its parent belongs.
    Misshapen {
        /// In this file.
        path: &'a str,
    },
    /// It may be set by something that was not read.
    Unknown(&'a Gap),
    /// No layer sets it.
    Unset,
}

/// A file as a layer. What lies on the disk since after `who` started is not what runs: it is read only then. `gap`: why
/// the file was not read, where it was not.
pub(super) fn of_file<'a>(
    file: &'a ConfigFile,
    who: &str,
    drop_in: bool,
    started: Option<Timestamp>,
    gap: impl FnOnce() -> Gap,
) -> Layer<'a> {
    if let (Fact::Known(modified), Some(started)) = (&file.modified, started)
        && changed_after(*modified, started)
    {
        return Layer::Hole(Gap::new(
            Reason::NotVisible,
            format!("{} changed after {who} started, and what it runs with is not seen", file.path),
        ));
    }
    match &file.document {
        Fact::Known(document) if document.is_object() => Layer::File { path: &file.path, document, drop_in },
        Fact::Known(_) => {
            Layer::Hole(Gap::new(Reason::Malformed, format!("{} is not a configuration of {who}", file.path)))
        }
        Fact::Absent => Layer::Hole(Gap::new(Reason::NotVisible, format!("{} no longer exists", file.path))),
        Fact::Unread => Layer::Hole(gap()),
    }
}

enum Step<'a> {
    Found(&'a Json),
    Null,
    Misshapen,
    Missing,
}

fn walk<'a>(document: &'a Json, path: &[&str]) -> Step<'a> {
    let mut current = document;
    for name in path {
        let Json::Object(entries) = current else { return Step::Misshapen };
        match entries.get(*name) {
            None => return Step::Missing,
            Some(Json::Null) => return Step::Null,
            Some(found) => current = found,
        }
    }
    Step::Found(current)
}

/// Asks the layers, the one that wins first, for a setting.
pub(super) fn ask<'a>(layers: &'a [Layer<'a>], path: &[&str]) -> Said<'a> {
    for layer in layers {
        match layer {
            Layer::Hole(gap) => return Said::Unknown(gap),
            Layer::File { path: file, document, drop_in } => match walk(document, path) {
                Step::Found(value) => return Said::Set { value, path: file, drop_in: *drop_in },
                // In the main file null is the same as not there; in a drop-in it takes away what lies below.
                Step::Null if *drop_in => return Said::Null { path: file },
                Step::Misshapen => return Said::Misshapen { path: file },
                Step::Null | Step::Missing => {}
            },
        }
    }
    Said::Unset
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::super::Reason;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_layer_that_sets_it_wins_and_a_hole_hides_what_lies_below() {
        let (top, main) = (json!({"a": {"b": 1}}), json!({"a": {"b": 2, "c": 3}}));
        let hole = Layer::Hole(Gap::new(Reason::Forbidden, ""));
        let top = Layer::File { path: "/top.conf", document: &top, drop_in: true };
        let main = Layer::File { path: "/main", document: &main, drop_in: false };
        let layers = [top.clone(), main.clone()];
        assert!(matches!(ask(&layers, &["a", "b"]), Said::Set { path: "/top.conf", .. }));
        assert!(matches!(ask(&layers, &["a", "c"]), Said::Set { path: "/main", .. }));
        assert!(matches!(ask(&layers, &["a", "d"]), Said::Unset));
        assert!(matches!(ask(&layers, &["a", "b", "x"]), Said::Misshapen { path: "/top.conf" }));
        let layers = [top, hole, main];
        assert!(matches!(ask(&layers, &["a", "b"]), Said::Set { path: "/top.conf", .. }));
        assert!(matches!(ask(&layers, &["a", "c"]), Said::Unknown(_)));
    }

    #[test]
    fn null_takes_away_in_a_drop_in_only() {
        let (top, main) = (json!({"a": null}), json!({"b": null}));
        let layers = [
            Layer::File { path: "/top.conf", document: &top, drop_in: true },
            Layer::File { path: "/main", document: &main, drop_in: false },
        ];
        assert!(matches!(ask(&layers, &["a", "b"]), Said::Null { path: "/top.conf" }));
        assert!(matches!(ask(&layers, &["b"]), Said::Unset));
    }
}
