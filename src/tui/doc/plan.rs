//! The plan at hand: what it is about, every step with its commands and its diff; then, while it is carried out, how far
//! it is; then how it ended.

use super::{Line, Page, Tone};
use crate::assess::Verdict;
use crate::remedy::{Prepared, Step};
use crate::tui::app::App;
use crate::tui::text;
use crate::tui::work::{Change, End, Phase, Work, in_words};

/// Lines of output that are seen while something is changed.
const OUTPUT: usize = 6;

/// The page of the work.
pub(in crate::tui) fn plan(app: &App, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let Some(work) = &app.work else {
        page.say(Tone::Plain, "There is no plan any more. Go back with Esc.");
        return page.lines;
    };
    match &work.phase {
        Phase::Preparing => {
            page.say(Tone::Heading, &work.title);
            page.say(Tone::Plain, &format!("At {}. Its state is being read afresh ...", work.target));
        }
        Phase::Refused(why) => {
            if !work.title.is_empty() {
                page.say(Tone::Heading, &work.title);
            }
            if !why.is_empty() {
                page.say(Tone::Plain, &format!("There is no plan for {}:", work.target));
                page.indented(Tone::Trouble, why);
            }
        }
        Phase::Told(words) => super::ending::told(&mut page, work, words),
        Phase::Shown(prepared) if prepared.ends().is_some() => super::ending::shown(&mut page, app, work, prepared),
        Phase::Shown(prepared) => shown(&mut page, app, prepared),
        Phase::Running(change) => running(&mut page, work, change),
        Phase::Over(change) => over(&mut page, work, change),
    }
    if !work.running() {
        others(&mut page, work);
    }
    page.lines
}

fn others(page: &mut Page, work: &Work) {
    if !work.refused.is_empty() {
        page.heading("What there is no plan for");
        for (what, why) in &work.refused {
            page.indented(Tone::Plain, &format!("{what}: {why}"));
        }
    }
    if !work.plans.is_empty() {
        page.heading(&format!("Plans that wait behind this one ({})", work.plans.len()));
        for plan in &work.plans {
            page.indented(Tone::Plain, &format!("{}: {}", plan.target, plan.title));
        }
        page.say(
            Tone::Plain,
            "One after the other, each asked for by itself; they stop at the first that is not done.",
        );
    }
}

fn shown(page: &mut Page, app: &App, prepared: &Prepared) {
    let plan = prepared.plan();
    page.say(Tone::Heading, &plan.title);
    page.say(Tone::Plain, &format!("Target: {}", plan.target));
    page.say(Tone::Plain, &format!("Controls: {}", plan.controls.join(", ")));
    if prepared.can_run() {
        page.say(Tone::Plain, &format!("Risk: {}", prepared.risk().in_words()));
    }
    let (tone, may) = may_run(app, prepared);
    page.say(tone, may);
    let notes = prepared.remarks();
    if !notes.is_empty() {
        page.heading("What to know");
        notes.iter().for_each(|note| page.indented(Tone::Plain, &format!("- {note}")));
    }
    page.heading(if prepared.can_run() { "What happens, exactly" } else { "Steps for a person" });
    for (number, step) in prepared.steps().iter().enumerate() {
        numbered(page, number + 1, &step.what);
        step.commands.iter().for_each(|command| page.indented(Tone::Plain, &format!("  $ {command}")));
        step.diff.iter().for_each(|diff| self::diff(page, diff));
    }
    if prepared.can_run() {
        page.heading("The way back");
        page.say(Tone::Plain, prepared.way_back());
    }
}

/// A paragraph with its number before it.
pub(super) fn numbered(page: &mut Page, number: usize, words: &str) {
    let number = format!("{number}. ");
    let room = page.width.saturating_sub(number.len()).max(1);
    for (row, line) in super::wrap(words, room).into_iter().enumerate() {
        let before = if row == 0 { number.clone() } else { " ".repeat(number.len()) };
        page.lines.push(Line { text: format!("{before}{line}"), tone: Tone::Plain });
    }
}

/// Whether it can be run as things stand, and if not, why.
pub(super) fn may_run(app: &App, prepared: &Prepared) -> (Tone, &'static str) {
    match (prepared.can_run(), app.live(), app.armed) {
        (false, ..) => (Tone::Heading, "These are steps for a person: this program does not run them."),
        (true, false, _) => (Tone::Heading, "It cannot be run: this is no live site."),
        (true, true, false) => (Tone::Heading, "It cannot be run: read-only. Press A to allow changes."),
        (true, true, true) => (Tone::Heading, "It can be run: x, and one more question."),
    }
}

/// A unified diff, line by line; its lines are told apart by their sign, and by an attribute where there is one.
fn diff(page: &mut Page, diff: &str) {
    let room = page.width.saturating_sub(4).max(1);
    for raw in diff.lines() {
        let tone = match raw.chars().next() {
            Some('+') => Tone::Added,
            Some('-') => Tone::Removed,
            _ => Tone::Plain,
        };
        // Blanks mean something here, so it is cut at the edge and not at words.
        let mut rest: Vec<char> = text::clean(raw).chars().collect();
        loop {
            let take = taken(&rest, room);
            let after = rest.split_off(take);
            page.lines.push(Line { text: format!("    {}", rest.iter().collect::<String>()), tone });
            if after.is_empty() {
                break;
            }
            rest = after;
        }
    }
}

/// How many of these characters fit.
fn taken(chars: &[char], room: usize) -> usize {
    let mut columns = 0;
    for (at, c) in chars.iter().enumerate() {
        columns += text::columns(c.encode_utf8(&mut [0; 4]));
        if columns > room {
            return at.max(1);
        }
    }
    chars.len()
}

/// How a step stands.
fn mark(change: &Change, at: usize) -> &'static str {
    let ended = change.end.as_ref();
    let looking = ended.is_some_and(|end| end.after.is_none());
    match (at < change.done, at == change.done, ended) {
        (true, ..) => "[x]",
        (false, true, None) if change.back => "[!]",
        (false, true, None) => "[>]",
        (false, true, Some(_)) if looking && !change.back && at + 1 == change.steps().len() => "[>]",
        (false, true, Some(_)) if change.done < change.steps().len() => "[!]",
        _ => "[ ]",
    }
}

fn steps(page: &mut Page, change: &Change) {
    for (at, Step { what, .. }) in change.steps().iter().enumerate() {
        let room = page.width.saturating_sub(4);
        let line = format!("{} {}", mark(change, at), text::fit(&text::clean(what), room));
        let tone = if at == change.done && change.end.is_none() { Tone::Heading } else { Tone::Plain };
        page.lines.push(Line { text: line, tone });
    }
}

fn running(page: &mut Page, work: &Work, change: &Change) {
    let at = (change.done + 1).min(change.steps().len());
    page.say(Tone::Heading, &format!("Changing {}: step {at} of {}", work.target, change.steps().len()));
    page.say(Tone::Plain, &format!("Now: {}", change.now));
    if change.armed.is_some() {
        let told = match change.left {
            0 => "Switch: the time is over; the node puts the old state back by itself.".to_owned(),
            left => format!("Switch: armed; {left} seconds until the node puts the old state back by itself."),
        };
        page.say(Tone::Heading, &told);
    }
    page.heading("Steps");
    steps(page, change);
    page.heading("Output");
    let skip = change.output.len().saturating_sub(OUTPUT);
    for line in change.output.iter().skip(skip) {
        let line = text::fit(&text::clean(line), page.width).into_owned();
        page.lines.push(Line { text: line, tone: Tone::Plain });
    }
}

fn over(page: &mut Page, work: &Work, change: &Change) {
    let Some(End { outcome, note, after, trouble }) = &change.end else { return };
    page.say(Tone::Heading, &work.title);
    page.say(Tone::Plain, &format!("Target: {}", work.target));
    let tone = if change.succeeded() { Tone::Verdict(Verdict::Pass) } else { Tone::Trouble };
    page.say(tone, &format!("{}. {note}", in_words(*outcome).trim_end_matches('.')));
    trouble.iter().for_each(|sentence| page.say(Tone::Trouble, sentence));
    match after {
        None => page.say(Tone::Plain, "The node is being looked at again ..."),
        Some(after) => {
            if !after.is_empty() {
                page.heading("Verdicts");
            }
            for (control, is) in after {
                let was =
                    work.before.iter().find(|(name, _)| name == control).map_or("unknown", |(_, was)| was.as_str());
                page.indented(Tone::Verdict(*is), &format!("{control}: {was} -> {}", is.as_str()));
            }
        }
    }
    if let Some(entry) = &change.entry {
        page.heading("Journal");
        page.indented(Tone::Plain, &format!("entry {entry}"));
        match outcome {
            Some(crate::store::Outcome::Done)
                if change.prepared.change().is_some_and(|change| change.one_way || change.no_undo) =>
            {
                page.indented(Tone::Plain, change.prepared.way_back());
            }
            Some(crate::store::Outcome::Done) => {
                page.indented(Tone::Plain, "to take it back: J here, then u; or later");
                page.indented(Tone::Plain, &format!("sitewarden undo {entry} --allow-changes{}", change.again));
            }
            Some(crate::store::Outcome::Unknown) => {
                page.indented(Tone::Plain, "when the node answers again: on the overview J, then u");
            }
            _ => {}
        }
    }
    page.heading("Steps");
    steps(page, change);
    if !change.output.is_empty() {
        page.heading("Output");
        change.output.iter().for_each(|line| page.say(Tone::Plain, line));
    }
}
