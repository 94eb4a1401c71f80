//! The journal as Markdown, for the hand-over. What came from nodes stands in code, cleaned, and can end neither that
//! nor a line.

use super::text::ended;
use crate::report::clean;
use crate::store::{Entry, Event, EventKind, FileChange, Store, Verified};
use std::fmt::Write as _;
use std::path::Path;

/// The whole document. The same journal gives the same document.
pub(super) fn document(entries: &[Entry], found: &Verified, dir: &Path) -> String {
    let mut text = "# What was changed\n\nThe journal of sitewarden, oldest entry first. Times are UTC.\n".to_owned();
    if !found.holds() {
        text.push_str("\n**Do not rely on this: the journal does not hold together.**\n\n");
        for problem in &found.problems {
            let _ = writeln!(text, "- {}", plain(&problem.to_string()));
        }
    }
    if entries.is_empty() {
        text.push_str("\nNothing was changed.\n");
    }
    for entry in entries {
        told(&mut text, entry);
    }
    how_to_check(&mut text, found, dir);
    text
}

fn told(text: &mut String, entry: &Entry) {
    let _ = writeln!(text, "\n## {}: {}\n", plain(&entry.id), plain(entry.title()));
    let Event { at, operator, seat, .. } = &entry.begun;
    let _ = writeln!(text, "- Outcome: {}", plain(&ended(entry)));
    let _ = writeln!(text, "- Begun: {at} by {}, from {}", plain(operator), plain(seat));
    if let EventKind::Begun { site, target, controls, risk, plan_digest, commands, paths, undo, .. } = &entry.begun.kind
    {
        let _ = writeln!(text, "- Site: {}", plain(site.as_deref().unwrap_or("not known")));
        let _ = writeln!(text, "- Target: {}", code(target));
        let controls: Vec<String> = controls.iter().map(|control| code(control)).collect();
        let _ =
            writeln!(text, "- Controls: {}", if controls.is_empty() { "none".to_owned() } else { controls.join(", ") });
        let _ = writeln!(text, "- Risk: {}", plain(risk));
        let _ = writeln!(text, "- Plan as it was confirmed: {}", code(plan_digest));
        if let Some(undo) = undo {
            let _ = writeln!(text, "- Takes back: {}", plain(undo));
        }
        let _ = writeln!(text, "\nCommands:\n\n{}", fenced(&commands.join("\n")));
        if !paths.is_empty() {
            text.push_str("\nFiles that might change:\n\n");
            for path in paths {
                let _ = writeln!(text, "- {}", code(path));
            }
        }
    }
    for event in entry.steps.iter().chain(&entry.ended) {
        happened(text, event, entry);
    }
}

fn happened(text: &mut String, event: &Event, entry: &Entry) {
    let begun = &entry.begun;
    let by = if (&event.operator, &event.seat) == (&begun.operator, &begun.seat) {
        String::new()
    } else {
        format!(" by {}, from {}", plain(&event.operator), plain(&event.seat))
    };
    match &event.kind {
        EventKind::Begun { .. } => {}
        EventKind::Step { number, what, status, output } => {
            let status = status.map_or_else(String::new, |status| format!(", exit status {status}"));
            let _ = writeln!(text, "\n### Step {number}: {}\n\n{}{by}{status}.", plain(what), event.at);
            if !output.is_empty() {
                let _ = writeln!(text, "\n{}", fenced(output));
            }
        }
        EventKind::Ended { outcome, before, after, files, note } => {
            let _ = writeln!(
                text,
                "\n### End: {}\n\n{}{by}.\n",
                plain(entry.end_in_words().unwrap_or(outcome.words())),
                event.at
            );
            let verdict = |verdict: &Option<String>| plain(verdict.as_deref().unwrap_or("not known"));
            let _ = writeln!(text, "- Verdict before: {}\n- Verdict after: {}", verdict(before), verdict(after));
            for FileChange { path, before, after } in files {
                let state = |state: &Option<String>| state.as_deref().map_or("no such file".to_owned(), code);
                let _ =
                    writeln!(text, "- File {}\n  - before: {}\n  - after: {}", code(path), state(before), state(after));
            }
            if !note.is_empty() {
                let _ = writeln!(text, "\n{}", fenced(note));
            }
        }
    }
}

fn how_to_check(text: &mut String, found: &Verified, dir: &Path) {
    let head = &found.head;
    let folder = dir.display().to_string();
    // A path with a NUL byte is none.
    let quoted = shlex::try_quote(&folder).unwrap_or_default();
    let place = if Store::usual_dir().is_some_and(|usual| usual == dir) {
        String::new()
    } else {
        format!(" --journal {quoted}")
    };
    let _ = write!(
        text,
        "\n## How to check this\n\nThe journal had {} rows, and its head was\n\n{}\n\nThe journal is kept in {} on the \
         machine of whoever made the changes. There, this command finds every row that was changed, removed or cut \
         off since:\n\n{}\n\n\
         The hash of a row is the SHA-256 of `sitewarden.journal/v1`, the row's number, the hash of the row before it \
         (64 zeros for the first) and the row's `body`, with a line feed between them; the head is that of the last \
         row.\n",
        head.rows,
        fenced(&head.hash),
        code(&folder),
        fenced(&format!("sitewarden journal verify --head {}{place}", head.hash)),
    );
}

/// Text in a line of Markdown, in which nothing is markup.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as code in a line.
fn code(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest_ticks(&text) + 1);
    // Spaces keep backticks at the ends apart; one at each end is no part of the code.
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Text as a block of code, line by line.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_ticks(text).max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in text.lines() {
        // A tab is no harm in a block, and commands stay what they are.
        let cells: Vec<_> = line.split('\t').map(clean).collect();
        let _ = writeln!(out, "{}", cells.join("\t"));
    }
    out.push_str(&fence);
    out
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_and_hidden_characters_stand_as_text() {
        assert_eq!(
            plain("a <b>*c*_d_ [e](f)\n## g\u{1b}[0m"),
            "a \\<b\\>\\*c\\*\\_d\\_ \\[e\\](f)\\\\n\\#\\# g\\\\x1b\\[0m"
        );
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "(empty)");
        assert_eq!(fenced("a\n```\n# b\n\tc\u{202e}\r"), "````text\na\n```\n# b\n\tc\\u{202e}\\r\n````");
    }

    proptest! {
        #[test]
        fn no_output_ends_its_block(text in "(?s)[`~\n\r\t a#<\u{1b}\u{2028}]{0,60}") {
            let block = fenced(&text);
            let lines: Vec<&str> = block.split('\n').collect();
            let fence = lines[0].trim_end_matches("text");
            let closes = |line: &&&str| line.trim_start().starts_with(fence);
            prop_assert_eq!(lines[1..].iter().filter(closes).count(), 1);
            prop_assert_eq!(lines[lines.len() - 1], fence);
            prop_assert_eq!(lines.len(), text.lines().count() + 2);
        }

        #[test]
        fn no_text_leaves_its_line(text in "(?s).{0,40}|[` \n]{0,10}") {
            prop_assert!(!plain(&text).contains('\n') && !code(&text).contains('\n'));
        }
    }
}
