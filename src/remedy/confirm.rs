//! The confirmation: the only way to something that can be run.

use super::plan::{Refusal, Risk};
use super::prepare::Prepared;

/// Something that a person has seen and confirmed. It can be made by [`confirm`] alone, and [`super::run`] takes nothing
/// else.
///
/// Nobody else can make one, whatever they hold:
///
/// ```compile_fail,E0423
/// use sitewarden::remedy::{Confirmed, Prepared};
///
/// fn without_a_person(prepared: Prepared) -> Confirmed<Prepared> {
///     Confirmed(prepared)
/// }
/// ```
///
/// Nor does one confirmation serve twice:
///
/// ```compile_fail,E0599
/// use sitewarden::remedy::{Confirmed, Prepared};
///
/// fn twice(confirmed: &Confirmed<Prepared>) -> Confirmed<Prepared> {
///     Confirmed::clone(confirmed)
/// }
/// ```
#[derive(Debug)]
pub struct Confirmed<T>(T);

impl<T> Confirmed<T> {
    /// What was confirmed.
    pub fn get(&self) -> &T {
        &self.0
    }

    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

/// What a person answered to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Digest of the plan that was on the screen: [`Prepared::digest`].
    pub shown: String,
    /// Whether changes are armed.
    pub armed: bool,
    /// Whether they said yes, in so many words.
    pub yes: bool,
    /// What they typed as the target's name.
    pub typed: String,
}

/// Makes a confirmed plan of an answer, or says what is missing.
pub fn confirm(prepared: Prepared, answer: &Answer) -> Result<Confirmed<Prepared>, Refusal> {
    if !prepared.can_run() {
        return Err(Refusal::new("These are steps for a person; there is nothing that could be run"));
    }
    if !answer.armed {
        return Err(Refusal::new("Nothing is changed unless changes are allowed: --allow-changes"));
    }
    if answer.shown != prepared.digest() {
        return Err(Refusal::new("The plan has changed since it was shown. Look at it again"));
    }
    if !answer.yes {
        return Err(Refusal::new("Not confirmed; nothing was changed"));
    }
    match prepared.to_be_typed() {
        Some(name) if answer.typed != name => {
            let kind = if prepared.risk() == Risk::CanLockOut { "can lock you out" } else { "interrupts something" };
            Err(Refusal::new(format!("This change {kind}: type {name} to confirm it. Nothing was changed")))
        }
        _ => Ok(Confirmed(prepared)),
    }
}
