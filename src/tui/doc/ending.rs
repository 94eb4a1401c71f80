//! An entry that has no end: how it stands at its target, and the ways to end it.

use super::plan::{may_run, numbered};
use super::{Page, Tone};
use crate::remedy::Prepared;
use crate::store::Outcome;
use crate::tui::app::App;
use crate::tui::work::Work;

/// It is known how it stands, and there is nothing to decide.
pub(super) fn told(page: &mut Page, work: &Work, words: &str) {
    head(page, work);
    page.say(Tone::Heading, words);
}

fn head(page: &mut Page, work: &Work) {
    page.say(Tone::Heading, &format!("Without an end: {}", work.title));
    let entry = work.standing.as_ref().map(|standing| standing.entry.as_str()).unwrap_or_default();
    page.say(Tone::Plain, &format!("Entry {entry} at {}", work.target));
}

/// A way to end it.
pub(super) fn shown(page: &mut Page, app: &App, work: &Work, prepared: &Prepared) {
    head(page, work);
    if let Some(standing) = &work.standing {
        page.say(Tone::Plain, &format!("{}.", standing.words));
        match (standing.switch.is_some(), standing.left) {
            (false, _) => {}
            (true, 0) => page.say(
                Tone::Heading,
                "The time is over: the node puts the old state back by itself. Look again: Esc, then u.",
            ),
            (true, left) => {
                page.say(Tone::Heading, &format!("{left} seconds until the node puts the old state back by itself."))
            }
        }
    }
    let finish = prepared.ends() == Some(Outcome::Done);
    page.heading(if finish { "To finish it: it stays as it is now" } else { "To put the old state back" });
    page.say(Tone::Plain, &format!("Risk: {}", prepared.risk_in_words()));
    for note in prepared.remarks() {
        page.say(Tone::Trouble, &note);
    }
    for (number, step) in prepared.steps().iter().enumerate() {
        numbered(page, number + 1, &step.what);
        step.commands.iter().for_each(|command| page.indented(Tone::Plain, &format!("  $ {command}")));
    }
    let (tone, may) = may_run(app, prepared);
    page.say(tone, may);
    if app.other_way().is_some() {
        let other =
            if finish { "Or put the old state back: o." } else { "Or finish it, so that it stays as it is now: o." };
        page.say(Tone::Plain, other);
    }
    if let Some(why) = work.standing.as_ref().and_then(|standing| standing.no_way_back.as_deref()) {
        page.say(Tone::Plain, &format!("The old state cannot be put back from here: {why}"));
    }
}
