//! What a person reads while something is changed.

use crate::remedy::{Done, Told};
use crate::report::clean;
use crate::store::Outcome;
use std::cell::RefCell;
use std::io::Write;

/// An outcome in a word or two.
pub(super) fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "Done",
        Outcome::Reverted => "Put back",
        Outcome::Refused => "Nothing was changed",
        Outcome::Failed => "Failed",
        Outcome::Unknown => "Not known",
    }
}

/// Writes what is told while something is changed, a line each, as it comes. `files`: what becomes of each file of the plan.
pub(super) fn telling(out: &mut dyn Write, files: Vec<String>) -> impl Fn(Told) {
    let shown = RefCell::new((out, None));
    move |told: Told| {
        let (out, begun) = &mut *shown.borrow_mut();
        let _ = writeln!(out, "{}", clean(&in_words(&told, &files, begun.as_deref()))).and_then(|()| out.flush());
        if let Told::Runs(line) = told {
            *begun = Some(line);
        }
    }
}

/// What is told while something is changed. `begun`: the line of which was said last that it runs.
fn in_words(told: &Told, files: &[String], begun: Option<&str>) -> String {
    match told {
        Told::Begun(entry) => format!("journal entry {entry}"),
        Told::Emptying(0) => "the node is empty".to_owned(),
        Told::Emptying(1) => "emptying the node: one pod is left".to_owned(),
        Told::Emptying(left) => format!("emptying the node: {left} pods are left"),
        Told::Done(Done::Armed { seconds }) => format!("armed: the old state comes back in {seconds} seconds"),
        Told::Done(Done::Changed { file }) => files.get(*file).cloned().unwrap_or_default(),
        Told::Runs(line) => format!("running: {line}"),
        Told::Says(said) => format!("  {said}"),
        Told::Done(Done::Ran { line, status, .. }) if begun == Some(line) => format!("ran: exit status {status}"),
        Told::Done(Done::Ran { line, status: 0, .. }) => format!("ran: {line}"),
        Told::Done(Done::Ran { line, status, said }) => format!("ran: {line}: exit status {status}: {}", said.trim()),
        Told::AtConsole => "waiting for the code that the node shows at its console".to_owned(),
        Told::Reporting => "waiting until the cluster hears of the node again".to_owned(),
        Told::Proving => "logging in a second time".to_owned(),
        Told::Proved => "disarmed".to_owned(),
        Told::Lost(why) => format!("contact was lost ({why}); looking for the node"),
        Told::TakingBack(why) => format!("putting the old state back: {why}"),
    }
}
