//! The journal's pages: the entries, one of them, and the way back.

use super::super::app::{App, Screen};
use super::super::keys::Action;
use super::super::list::Cursor;
use super::super::msg::Effect;
use super::{remedy, walk};
use crate::store::Entry;

/// Shows the entries, and reads them afresh.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    app.screens.retain(|screen| !matches!(screen, Screen::Journal(_) | Screen::Entry(..)));
    // Where one waits for a person, it is that which is looked for.
    let open = app.unfinished().last().map(|entry| entry.id.clone());
    app.screens.push(Screen::Journal(Cursor::default()));
    if let Some(id) = open {
        to(app, &id);
        walk::settle(app);
    }
    vec![Effect::Journal]
}

/// A key on these pages that the others do not know.
pub(super) fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let id = app.entry_at_hand().map(|entry| entry.id.clone());
    match (action, id) {
        (Action::Undo, Some(id)) => remedy::undo(app, &id),
        (Action::Open, Some(id)) if matches!(app.screen(), Some(Screen::Journal(_))) => {
            app.screens.push(Screen::Entry(id, 0));
            Vec::new()
        }
        _ => {
            app.changed = false;
            Vec::new()
        }
    }
}

/// The entries came, or not.
pub(super) fn read(app: &mut App, result: Result<Vec<Entry>, String>) -> Vec<Effect> {
    // The entry under the cursor stays there where newer ones came before it.
    let under = match app.screen() {
        Some(Screen::Journal(_)) => app.entry_at_hand().map(|entry| entry.id.clone()),
        _ => None,
    };
    app.journal = Some(result);
    if let Some(id) = under {
        to(app, &id);
    }
    walk::settle(app);
    Vec::new()
}

/// Puts the cursor on an entry.
fn to(app: &mut App, id: &str) {
    if let Some(Ok(entries)) = &app.journal
        && let Some(at) = entries.iter().rev().position(|entry| entry.id == id)
        && let Some(Screen::Journal(cursor)) = app.screens.last_mut()
    {
        cursor.at = at;
    }
}

impl App {
    /// The entry that the cursor is on, or that is looked at.
    pub(in crate::tui) fn entry_at_hand(&self) -> Option<&Entry> {
        let Some(Ok(entries)) = &self.journal else { return None };
        match self.screen_at_hand()? {
            Screen::Journal(cursor) => entries.iter().rev().nth(cursor.at),
            Screen::Entry(id, _) => entries.iter().find(|entry| entry.id == *id),
            _ => None,
        }
    }

    /// Whether a target, by its id, is one of those that are looked at now.
    pub(in crate::tui) fn reaches(&self, target: &str) -> bool {
        match target.strip_prefix("node/") {
            Some(name) => self.node(name).is_some(),
            None => target == remedy::CLUSTER && self.cluster.as_ref().is_some_and(|known| known.visit.is_some()),
        }
    }

    /// Entries without an end whose target is looked at now, and that are not what is being done.
    pub(in crate::tui) fn unfinished(&self) -> Vec<&Entry> {
        let Some(Ok(entries)) = &self.journal else { return Vec::new() };
        let ours = self.running().and_then(|change| change.entry.as_deref());
        let here = |entry: &&Entry| entry.is_open() && ours != Some(&entry.id) && self.reaches(entry.target());
        entries.iter().filter(here).collect()
    }
}
