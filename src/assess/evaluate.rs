//! One condition over one piece of evidence: true, false, or why it cannot be told.

use super::binding::{Log, Touch, Tree, UNREAD_ERROR};
use crate::catalog::Expression;
use crate::catalog::functions::{ENVIRONMENT, MALFORMED, NOW};
use crate::evidence::{Reading, Reason, Value};
use cel::common::types::{CelBool, CelInt};
use cel::{Context, ExecutionError, Value as CelValue};
use jiff::Timestamp;
use std::sync::Arc;

/// Why a condition cannot be told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Doubt {
    /// The kind of reason.
    pub(super) reason: Reason,
    /// A clause for the person, never holding what a node sent.
    pub(super) why: String,
}

/// What a condition said, and what it looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The answer.
    pub(super) holds: Result<bool, Doubt>,
    /// What decided it. For an answer that is known, without what could not be read and made no difference.
    pub(super) touches: Vec<Touch>,
}

/// The last item of which a condition was settled, and what it said: many items are alike in what it reads.
pub(super) type Before<'r> = Option<(&'r Reading, bool)>;

/// Evidence that conditions are asked of, bound once for many of them.
pub(super) struct Scope<'r> {
    context: Context<'r, 'r>,
    log: &'r Log,
}

impl<'r> Scope<'r> {
    /// Binds the roots: `node`, `site`, `policy`; and the time of the assessment.
    pub(super) fn new(roots: &[(&'static str, &'r Reading)], log: &'r Log, now: Timestamp) -> Self {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, reading) in roots {
            context.add_variable_as_val(*name, Box::new(Tree { reading, path: (*name).into(), log }));
        }
        context.add_variable_as_val(NOW, Box::new(CelInt::from(now.as_second())));
        Scope { context, log }
    }

    /// Asks a condition.
    pub(super) fn ask(&self, expression: &Expression) -> Answer {
        ask(expression, &self.context, self.log)
    }

    /// Asks a condition of one item of a list. Where it answers `settled`, what it looked at is not told. `before` is
    /// for one condition and all items of its list, in turn.
    pub(super) fn ask_item(
        &self,
        expression: &Expression,
        item: &'r Reading,
        settled: &[bool],
        before: &mut Before<'r>,
    ) -> Answer {
        let known = |truth: bool| Answer { holds: Ok(truth), touches: Vec::new() };
        if settled.contains(&false) && expression.of_item.lacks(item) {
            return known(false);
        }
        if let Some((last, truth)) = *before
            && expression.of_item.alike(last, item)
        {
            return known(truth);
        }
        self.log.set_quiet(true);
        let quick = self.ask_bound(expression, item);
        self.log.set_quiet(false);
        match &quick.holds {
            Ok(truth) if settled.contains(truth) => {
                *before = Some((item, *truth));
                quick
            }
            _ => self.ask_bound(expression, item),
        }
    }

    fn ask_bound(&self, expression: &Expression, item: &'r Reading) -> Answer {
        let mut context = self.context.new_inner_scope();
        match super::binding::bind(item, Arc::from("item"), self.log) {
            Ok(value) => context.add_variable_as_val("item", value),
            Err(error) => {
                let touches = self.log.take();
                return Answer { holds: Err(doubt(&error, &touches)), touches };
            }
        }
        ask(expression, &context, self.log)
    }
}

fn ask(expression: &Expression, context: &Context<'_, '_>, log: &Log) -> Answer {
    let outcome = CelValue::resolve_val(&expression.tree, context);
    let outcome = outcome.map(|value| value.downcast_ref::<CelBool>().map(|truth| *truth.inner()));
    let mut touches = log.take();
    let holds = match outcome {
        Ok(Some(truth)) => {
            touches.retain(|touch| !matches!(touch.reading.value, Value::Unread(_)));
            Ok(truth)
        }
        Ok(None) => Err(Doubt {
            reason: Reason::Malformed,
            why: "the condition gives a value that is neither true nor false".to_owned(),
        }),
        Err(error) => Err(doubt(&error, &touches)),
    };
    Answer { holds, touches }
}

/// Why an evaluation failed: first what was not read, since that may well be the cause of all else.
fn doubt(error: &ExecutionError, touches: &[Touch]) -> Doubt {
    let gaps: Vec<_> = touches
        .iter()
        .filter_map(|touch| match &touch.reading.value {
            Value::Unread(gap) => Some((&touch.path, gap)),
            _ => None,
        })
        .collect();
    if let Some((_, first)) = gaps.first() {
        let told: Vec<String> = gaps
            .iter()
            .take(3)
            .map(|(path, gap)| match gap.detail.is_empty() {
                true => format!("{path} was not read ({})", gap.reason),
                false => format!("{path} was not read ({}: {})", gap.reason, gap.detail),
            })
            .collect();
        let more = gaps.len().saturating_sub(told.len());
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Doubt { reason: first.reason, why: format!("{}{rest}", told.join("; ")) };
    }
    match error {
        ExecutionError::NoSuchKey(_) => {
            let absent = touches.iter().rev().find(|touch| touch.reading.value == Value::Absent);
            let path = absent.map_or("a value that the condition needs", |touch| &*touch.path);
            Doubt {
                reason: Reason::Unsupported,
                why: format!("{path} does not exist here, and the condition needs it"),
            }
        }
        ExecutionError::FunctionError { function, message } if function == MALFORMED => {
            Doubt { reason: Reason::Malformed, why: message.clone() }
        }
        ExecutionError::FunctionError { function, message } if function == UNREAD_ERROR => {
            Doubt { reason: Reason::NotVisible, why: format!("{message} was not read") }
        }
        // The crate's own texts print values, which are the node's words.
        _ => Doubt {
            reason: Reason::Malformed,
            why: "a value is not of the type or form that the condition needs".to_owned(),
        },
    }
}
