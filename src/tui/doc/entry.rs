//! One entry of the journal.

use super::{Line, Page, Tone, time};
use crate::store::{Entry, Event, EventKind};
use crate::tui::app::App;

/// The page of an entry.
pub(in crate::tui) fn entry(app: &App, id: &str, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let known = match &app.journal {
        Some(Ok(entries)) => entries.iter().find(|entry| entry.id == id),
        _ => None,
    };
    let Some(entry) = known else {
        page.say(Tone::Plain, "There is no such entry any more. Go back with Esc.");
        return page.lines;
    };
    page.say(Tone::Heading, entry.title());
    page.say(Tone::Plain, &format!("Entry {}, at {}", entry.id, entry.target()));
    page.say(Tone::Plain, &format!("{} by {} at {}", time(entry.begun.at), entry.begun.operator, entry.begun.seat));
    page.say(Tone::Heading, &how(entry));
    if let Some(of) = entry.undo_of() {
        page.say(Tone::Plain, &format!("It took back entry {of}."));
    }
    begun(&mut page, &entry.begun);
    ended(&mut page, entry);
    page.heading("What was done");
    for event in &entry.steps {
        if let EventKind::Step { number, what, status, output } = &event.kind {
            let status = status.map(|status| format!(" (exit status {status})")).unwrap_or_default();
            page.say(Tone::Plain, &format!("{number}. {what}{status}"));
            output.lines().for_each(|line| page.indented(Tone::Plain, &format!("  {line}")));
        }
    }
    page.lines
}

/// How an entry stands, in one sentence.
pub(in crate::tui) fn how(entry: &Entry) -> String {
    match (entry.end_in_words(), &entry.undone_by) {
        (Some(ended), _) if entry.is_open() => format!("{ended}; u looks at it, and brings it to its end"),
        (Some(ended), Some(by)) => format!("{ended}; taken back by {by}"),
        (Some(ended), None) => ended.to_owned(),
        (None, _) => "it has no end yet: u looks at it, and brings it to one".to_owned(),
    }
}

fn begun(page: &mut Page, event: &Event) {
    let EventKind::Begun { controls, risk, paths, commands, .. } = &event.kind else { return };
    page.heading("What it was about");
    page.indented(Tone::Plain, &format!("controls: {}", controls.join(", ")));
    page.indented(Tone::Plain, &format!("risk: {risk}"));
    paths.iter().for_each(|path| page.indented(Tone::Plain, &format!("file: {path}")));
    commands.iter().for_each(|command| page.indented(Tone::Plain, &format!("$ {command}")));
}

fn ended(page: &mut Page, entry: &Entry) {
    let Some(EventKind::Ended { before, after, files, note, .. }) = entry.ended.as_ref().map(|event| &event.kind)
    else {
        return;
    };
    page.heading("How it ended");
    page.indented(Tone::Plain, note);
    let word = |verdict: &Option<String>| verdict.clone().unwrap_or_else(|| "not known".to_owned());
    page.indented(Tone::Plain, &format!("verdict: {} -> {}", word(before), word(after)));
    let state = |state: &Option<String>| state.clone().unwrap_or_else(|| "nothing".to_owned());
    for file in files {
        page.indented(Tone::Plain, &format!("{}:", file.path));
        page.indented(Tone::Plain, &format!("  before: {}", state(&file.before)));
        page.indented(Tone::Plain, &format!("  after:  {}", state(&file.after)));
    }
}
