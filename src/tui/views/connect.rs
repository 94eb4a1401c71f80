//! The first screen: what to look at; and the forms behind it.

use super::chrome::tail;
use super::pen::Pen;
use crate::tui::app::{App, Choice, Form};
use crate::tui::list::Cursor;
use crate::tui::text;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What a choice is called, and what it means for somebody at the site: short enough for forty columns.
fn words(choice: &Choice) -> (String, String) {
    let (name, hint) = match choice {
        Choice::Context(context) => {
            let current = if context.current { " (current)" } else { "" };
            let hint = match &context.server {
                Some(url) => format!("Kubernetes API at {}", host(url)),
                None => "It leads to no API server: Enter says why".to_owned(),
            };
            return (format!("Cluster {}{current}", context.name), hint);
        }
        Choice::Broken(why) => return ("No cluster: Enter says why".to_owned(), why.clone()),
        Choice::Local => ("This machine as a node", "Reads this computer, changes nothing"),
        Choice::Ssh => ("A node by SSH", "Needs its address, a user and a key"),
        Choice::File => ("A saved evidence file", "Collected earlier, on any machine"),
        Choice::Demo => ("The demo site", "Made up, to learn the screens with"),
    };
    (name.to_owned(), hint.to_owned())
}

/// Host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

pub(super) fn choices(pen: &mut Pen<'_>, app: &App, cursor: Cursor, area: Rect) {
    let seen = usize::from(area.height.saturating_sub(1) / 2).max(1);
    let (first, last) = (cursor.top + 1, (cursor.top + seen).min(app.choices.len()));
    pen.heading(Rect { height: 1, ..area }, "What do you want to look at?");
    if app.choices.len() > seen && area.width >= 50 {
        pen.right(Rect { height: 1, ..area }, &format!(" {first} to {last} of {}", app.choices.len()), Style::new());
    }
    let rows = app.choices.iter().enumerate().skip(cursor.top).take(seen);
    for ((index, choice), y) in rows.zip((area.y + 1..area.bottom()).step_by(2)) {
        let (name, hint) = words(choice);
        let selected = index == cursor.at;
        let mark = if selected { ">" } else { " " };
        let style = if selected { pen.theme.selected() } else { Style::new() };
        let row = Rect { y, height: 1, ..area };
        pen.text(area.x, y, area.width, &format!("{mark} {} {name}", index + 1), style);
        pen.style(row, style);
        if y + 1 < area.bottom() {
            pen.text(area.x, y + 1, area.width, &format!("    {hint}"), Style::new());
        }
    }
}

pub(super) fn form(pen: &mut Pen<'_>, form: &Form, area: Rect) {
    let (title, labels): (&str, &[(&str, &str)]) = if form.file {
        ("A saved evidence file", &[("File", "written by: sitewarden collect -o FILE")])
    } else {
        (
            "A node by SSH",
            &[
                ("Node", "[USER@]HOST[:PORT], like root@10.0.0.4"),
                ("Key file", "empty: the agent and the keys in ~/.ssh"),
            ],
        )
    };
    pen.heading(Rect { height: 1, ..area }, title);
    // With few rows the explanations go first.
    let step: u16 = if usize::from(area.height) > labels.len() * 3 + 1 { 3 } else { 1 };
    let mut y = area.y + 1;
    for (index, (label, hint)) in labels.iter().enumerate() {
        let at = index == form.at;
        let value = form.fields.get(index).map_or("", String::as_str);
        let room = usize::from(area.width).saturating_sub(13);
        let line =
            format!("{} {label:<8}: {}{}", if at { ">" } else { " " }, tail(value, room), if at { "_" } else { "" });
        if y < area.bottom() {
            pen.text(area.x, y, area.width, &line, if at { pen.theme.heading() } else { Style::new() });
        }
        if step > 1 && y + 1 < area.bottom() {
            pen.text(area.x, y + 1, area.width, &format!("  {hint}"), Style::new());
        }
        y = y.saturating_add(step);
    }
    let sentence = match (&form.wrong, form.busy) {
        (Some(wrong), _) => wrong.as_str(),
        (None, true) => "Reading the file ...",
        (None, false) => return,
    };
    let style = if form.wrong.is_some() { pen.theme.trouble() } else { Style::new() };
    for (y, line) in (y..area.bottom()).zip(text::wrap(sentence, usize::from(area.width))) {
        pen.text(area.x, y, area.width, &line, style);
    }
}
