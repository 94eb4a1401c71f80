//! A node that is emptied around a change: each step told and written down.

use super::cluster::Drain;
use super::log::Log;
use super::node::Done;
use super::plan::Refusal;
use super::run::Told;
use std::cell::RefCell;

/// Empties the node before the change.
pub(super) fn emptied(drain: &Drain, log: &RefCell<Log<'_>>, tell: &dyn Fn(Told)) -> Result<(), Refusal> {
    for (step, _, line) in drain.emptying() {
        tell(Told::Runs(line.clone()));
        let done = drain.step(step, &|left| tell(Told::Emptying(left)));
        let said = done.as_ref().err().map_or_else(String::new, |why| why.0.clone());
        let status = i32::from(done.is_err());
        log.borrow_mut().step(line.clone(), Some(status), said.clone());
        tell(Told::Done(Done::Ran { line, status, said }));
        done?;
    }
    tell(Told::Emptying(0));
    Ok(())
}

/// Lets the node take pods again after the change, and adds to the note where that failed.
pub(super) fn filled(drain: &Drain, note: String, log: &RefCell<Log<'_>>, tell: &dyn Fn(Told)) -> String {
    let lines: Vec<String> = drain.after().into_iter().flat_map(|step| step.commands).collect();
    lines.iter().for_each(|line| tell(Told::Runs(line.clone())));
    let done = drain.fill_again();
    let said = done.as_ref().err().map_or_else(String::new, |why| why.0.clone());
    let status = i32::from(done.is_err());
    for line in lines {
        log.borrow_mut().step(line.clone(), Some(status), said.clone());
        tell(Told::Done(Done::Ran { line, status, said: said.clone() }));
    }
    if said.is_empty() { note } else { format!("{note}. {said}") }
}
