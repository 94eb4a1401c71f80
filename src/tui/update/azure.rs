//! Asking Azure: only where the person says so, having seen what would run.

use super::super::app::{App, Consent};
use super::super::keys::Action;
use super::super::msg::Effect;
use super::super::views;
use super::reading::{self, Wanted};
use crate::visit::azure_commands;

/// Shows what would be run and asks.
pub(super) fn propose(app: &mut App) -> Vec<Effect> {
    let cluster = app.evidence.as_deref().and_then(|evidence| evidence.cluster.as_ref());
    let commands = cluster.map(azure_commands).unwrap_or_default();
    if commands.is_empty() {
        app.notice = Some("Nothing is missing that Azure could be asked, or the cluster names no resource.".to_owned());
    } else {
        app.consent = Some(Consent { commands, typed: String::new(), hint: None });
    }
    Vec::new()
}

/// A key in the question.
pub(super) fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let readable = views::question_fits(app.size);
    let Some(consent) = &mut app.consent else { return Vec::new() };
    match action {
        Action::Back => {
            app.consent = None;
            Vec::new()
        }
        // A habit of pressing Enter must run nothing: the word has to be typed.
        Action::Open if readable && consent.typed.trim() == "yes" => {
            app.consent = None;
            if let Some(visit) = app.cluster.as_mut().and_then(|cluster| cluster.visit.as_mut()) {
                visit.azure.run = true;
            }
            reading::read(app, &Wanted { cluster: true, ..Wanted::default() })
        }
        Action::Open if readable => {
            consent.hint = Some("Not run. Type yes, or Esc:");
            Vec::new()
        }
        _ => Vec::new(),
    }
}
