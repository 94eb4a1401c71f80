//! Help, from the key table: what works where it was asked for, and what the words mean.

use super::{Line, Page, Tone};
use crate::tui::app::App;
use crate::tui::keys::{self, Place};
use crate::tui::text::columns;

/// What the words and letters on the screens mean.
const WORDS: [(&str, &str); 7] = [
    ("fail F", "it was read and does not hold"),
    ("unknown U", "it could not be read, so nobody knows; never counted as good"),
    ("manual M", "no program can tell: a person has to look"),
    ("pass P", "it was read and holds"),
    ("n/a", "there is nothing here to ask it of"),
    ("checked", "controls that pass or fail, of all that apply"),
    ("2/3", "two of the three targets that it applies to have this verdict"),
];

/// The page of help for a place.
pub(in crate::tui) fn help(app: &App, place: Place, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    page.say(Tone::Heading, "Keys here");
    let rows: Vec<_> = keys::usable(app, place).collect();
    let label = rows.iter().map(|row| columns(row.label)).max().unwrap_or(0);
    for row in rows {
        entry(&mut page, row.label, row.help, label);
    }
    page.heading("Words");
    let label = WORDS.iter().map(|(word, _)| columns(word)).max().unwrap_or(0);
    for (word, meaning) in WORDS {
        entry(&mut page, word, meaning, label);
    }
    page.heading("What this program does");
    page.say(
        Tone::Plain,
        "It begins read-only, and the top line always says so. Every verdict rests on what was read, and the page of a \
         control shows what that was and where it came from. f shows the plan for what fails. Only where changes are \
         allowed (A), and you type what is asked and press Ctrl-X, is anything changed on a node; what was changed \
         stands in the journal (J) and can be taken back.",
    );
    page.lines
}

fn entry(page: &mut Page, name: &str, meaning: &str, label: usize) {
    let room = page.width.saturating_sub(label + 2).max(8);
    for (index, line) in super::wrap(meaning, room).into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        page.lines.push(Line { text: format!("{name:label$}  {line}"), tone: Tone::Plain });
    }
}
