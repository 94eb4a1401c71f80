//! The rooms of the house: which folder of `src` may name which, and that no file grows out of hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Every room, and the rooms that it may name. ARCHITECTURE.md says why.
const ROOMS: [(&str, &[&str]); 13] = [
    (
        "cli",
        &[
            "tui", "visit", "report", "remedy", "store", "assess", "catalog", "probe", "channel", "kubeapi",
            "evidence", "site",
        ],
    ),
    (
        "tui",
        &["visit", "report", "remedy", "store", "assess", "catalog", "probe", "channel", "kubeapi", "evidence", "site"],
    ),
    ("visit", &["remedy", "store", "assess", "catalog", "probe", "channel", "kubeapi", "evidence", "site"]),
    ("report", &["assess", "catalog", "evidence"]),
    ("remedy", &["store", "probe", "channel", "kubeapi", "assess", "catalog", "evidence", "site"]),
    ("store", &["assess", "evidence"]),
    ("assess", &["catalog", "evidence"]),
    ("catalog", &["evidence"]),
    ("probe", &["channel", "kubeapi", "evidence", "site"]),
    // The plain types of evidence: reasons and kinds of channel.
    ("channel", &["kubeapi", "evidence", "site"]),
    ("kubeapi", &["evidence", "site"]),
    ("evidence", &[]),
    ("site", &[]),
];

/// Most lines of a file.
const LINES: usize = 450;

fn may_name(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, below)| *below)
}

/// The text without comments and without what stands in strings, so that prose names no room. Line feeds stay.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let skipped = if rest.starts_with(&['/', '/']) {
            rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            rest.windows(2).skip(2).position(|pair| pair == ['*', '/']).map_or(rest.len(), |found| found + 4)
        } else if let Some(hashes) = raw_string(&chars, at) {
            let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body: String = rest[hashes + 2..].iter().collect();
            let length = body.find(&end).map_or(body.chars().count(), |found| body[..found].chars().count());
            (length + 2 * hashes + 3).min(rest.len())
        } else if rest[0] == '"' {
            quoted(rest, '"')
        } else if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            quoted(rest, '\'')
        } else {
            out.push(rest[0]);
            at += 1;
            continue;
        };
        out.extend(rest[..skipped].iter().filter(|c| **c == '\n'));
        at += skipped.max(1);
    }
    out
}

/// How many hashes the raw string has that begins here.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    let in_word = word_before && !(chars[at - 1] == 'b' && (at < 2 || !chars[at - 2].is_alphanumeric()));
    if chars[at] != 'r' || in_word {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Length of a quoted text with its quotes.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The first names of what follows a path's root: `crate::a::b` has `a`; `crate::{a, b::{c, d}}` has `a` and `b`.
fn first_names(after: &str) -> Vec<String> {
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let after = after.trim_start();
    let Some(group) = after.strip_prefix('{') else { return vec![word(after)] };
    let mut names = Vec::new();
    let mut depth = 1;
    let mut begins = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Line and room of every path in a file's text that begins at the crate's root. `depth` is how many `super::` lead
/// from the file's own module to the root.
fn named_rooms(text: &str, depth: usize) -> Vec<(usize, String)> {
    let code = code_only(text);
    let mut roots: Vec<(usize, usize)> =
        code.match_indices("crate::").map(|(at, found)| (at, at + found.len())).collect();
    roots.extend(code.match_indices("sitewarden::").map(|(at, found)| (at, at + found.len())));
    let up = "super::".repeat(depth);
    if depth > 0 {
        roots.extend(code.match_indices(&up).map(|(at, found)| (at, at + found.len())));
    }
    let mut named = Vec::new();
    for (at, after) in roots {
        let joined = code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let deeper = code[..at].ends_with("super::") || code[after..].starts_with("super::");
        if joined || deeper {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        named.extend(first_names(&code[after..]).into_iter().map(|name| (line, name)));
    }
    named.retain(|(_, name)| may_name(name).is_some());
    named.sort();
    named
}

/// What is wrong with a file of a room: a sentence for each arrow that points up.
fn wrong_arrows(file: &str, text: &str) -> Vec<String> {
    let parts: Vec<&str> = file.split('/').collect();
    let room = parts[0];
    let Some(below) = may_name(room) else { return vec![format!("src/{file}: {room} is no room of the house")] };
    let depth = if file.ends_with("/mod.rs") { parts.len() - 1 } else { parts.len() };
    named_rooms(text, depth)
        .into_iter()
        .filter(|(_, name)| name != room && !below.contains(&name.as_str()))
        .map(|(line, name)| format!("src/{file}:{line}: {room} must not name {name}"))
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 20, "the sources are not where they should be: {files:?}");
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            (name, text)
        })
        .collect()
}

#[test]
fn no_room_names_one_above_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        match file.as_str() {
            "lib.rs" => {}
            "main.rs" => {
                let named = named_rooms(&text, 0);
                wrong.extend(
                    named
                        .into_iter()
                        .filter(|(_, name)| name != "cli")
                        .map(|(line, name)| format!("src/main.rs:{line}: main must not name {name}")),
                );
            }
            file => wrong.extend(wrong_arrows(file, &text)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_grows_out_of_hand() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    rust_files(&root().join("tests"), &mut files);
    let long: Vec<String> = files
        .iter()
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(path, lines)| *lines > if path.ends_with("src/main.rs") { 30 } else { LINES })
        .map(|(path, lines)| format!("{}: {lines} lines; split it by idea", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_room_says_what_lives_there() {
    for (file, text) in sources().iter().filter(|(file, _)| file.ends_with("mod.rs")) {
        assert!(text.starts_with("//! "), "src/{file} does not begin with what lives there");
    }
}

#[test]
fn the_check_sees_an_arrow_that_points_up() {
    let wrong = |file: &str, text: &str| wrong_arrows(file, text).len();
    assert_eq!(wrong("probe/node/mod.rs", "use crate::assess::Verdict;"), 1);
    assert_eq!(wrong("evidence/node.rs", "fn f() { crate::cli::run(); }"), 1);
    assert_eq!(wrong("report/text.rs", "use crate::{evidence::{Reason, Seat}, visit::{Visit}, tui};"), 2);
    assert_eq!(wrong("report/text.rs", "use super::super::visit::Visit;"), 1);
    assert_eq!(wrong("report/mod.rs", "use super::visit::Visit;"), 1);
    assert_eq!(wrong("visit/mod.rs", "let s = \"\\\"\"; let c = '\"'; use crate::report::text;"), 1);
    assert_eq!(wrong("cellar/mod.rs", ""), 1);
}

#[test]
fn the_check_lets_the_right_arrows_and_mere_prose_pass() {
    let wrong = |file: &str, text: &str| wrong_arrows(file, text);
    let none: Vec<String> = Vec::new();
    assert_eq!(wrong("visit/mod.rs", "use crate::{assess, probe::node}; use crate::visit::Visit;"), none);
    assert_eq!(wrong("site/mod.rs", "// crate::cli\n/* crate::cli */ let a = \"crate::cli\"; r#\"crate::cli\"#"), none);
    assert_eq!(wrong("site/target.rs", "use super::cli; mycrate::cli::run();"), none);
}
