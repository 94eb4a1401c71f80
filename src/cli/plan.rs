//! A plan as text: what it is about, its steps with their commands and diffs.

use super::error::CliError;
use crate::remedy::{Prepared, Step};
use crate::report::clean;
use std::io::Write;

/// Prints a plan: what it is about, each step with its commands and its diff, what to know about it.
pub(super) fn show(prepared: &Prepared, out: &mut dyn Write) -> Result<(), CliError> {
    let plan = prepared.plan();
    writeln!(out, "\nPlan for {}: {}", clean(&plan.target), clean(&plan.title))?;
    if !prepared.can_run() {
        for step in prepared.steps() {
            writeln!(out, "  {}", clean(&step.what))?;
            for command in &step.commands {
                writeln!(out, "       $ {}", clean(command))?;
            }
        }
        for line in prepared.remarks() {
            writeln!(out, "  - {}", clean(&line))?;
        }
        writeln!(out, "These are steps for a person: this program does not run them.")?;
        return Ok(());
    }
    writeln!(out, "Controls: {}", clean(&plan.controls.join(", ")))?;
    writeln!(out, "Risk: {}", prepared.risk().in_words())?;
    for line in prepared.remarks() {
        writeln!(out, "  - {}", clean(&line))?;
    }
    show_steps(prepared.steps(), out)?;
    writeln!(out, "{}", prepared.way_back())?;
    out.flush()?;
    Ok(())
}

/// Prints steps with their commands and diffs.
pub(super) fn show_steps(steps: &[Step], out: &mut dyn Write) -> Result<(), CliError> {
    for (number, step) in steps.iter().enumerate() {
        writeln!(out, "{:>3}. {}", number + 1, clean(&step.what))?;
        for command in &step.commands {
            writeln!(out, "       $ {}", clean(command))?;
        }
        for line in step.diff.iter().flat_map(|diff| diff.lines()) {
            writeln!(out, "     {}", clean(line))?;
        }
    }
    Ok(())
}
