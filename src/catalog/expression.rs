//! One CEL expression: bounded before it is parsed, checked, and rewritten so that no wrong type can pass.

use super::functions::{self, NOW};
use super::of_item::OfItem;
use super::paths;
use super::shape::Shape;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::types::{CelBytes, CelString};
use cel::parser::Parser;
use std::collections::BTreeMap;

/// Longest expression, in bytes.
const LENGTH: usize = 1_000;
/// Deepest nesting of parentheses, brackets and braces.
const BRACKETS: usize = 20;
/// Deepest syntax tree: evaluation recurses as deep.
const DEPTH: usize = 40;
/// Most ternaries; the parser recurses into each of them.
const TERNARIES: usize = 10;
/// Stack of the thread that parses. The parser needs about 100 kB a bracket without optimisation.
const STACK: usize = 64 << 20;

/// A checked expression, ready to be evaluated any number of times.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As it was written.
    pub source: String,
    /// What is evaluated: comparisons replaced by those of [`functions`].
    pub(crate) tree: IdedExpr,
    /// What it wants of `item`.
    pub(crate) of_item: OfItem,
}

/// Names that an expression may start from, with the shape of each.
pub(crate) type Names<'a> = BTreeMap<&'a str, Shape>;

/// Runs something that parses expressions on a thread whose stack is large enough for it.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .ok()
            .and_then(|thread| thread.join().ok())
    })
}

impl Expression {
    /// Parses, checks and rewrites; must run under [`with_stack`]. Gives every error that was found, each a clause that
    /// says what to write.
    pub(crate) fn compile(source: &str, names: &Names<'_>) -> Result<Self, Vec<String>> {
        bounded(source).map_err(|error| vec![error])?;
        let mut tree = Parser::default().parse(source).map_err(|errors| {
            errors.errors.iter().map(|error| format!("CEL syntax: {}", syntax(&error.msg))).take(3).collect::<Vec<_>>()
        })?;
        let mut errors = Vec::new();
        if depth(&tree.expr) > DEPTH {
            errors.push(format!("the expression nests deeper than {DEPTH} levels: split it into several controls"));
        } else {
            paths::check(&tree, names, &mut errors);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        rewrite(&mut tree);
        let of_item = OfItem::of(&tree);
        Ok(Expression { source: source.to_owned(), tree, of_item })
    }
}

/// The parser's own message, one line of it and no more than a line's length.
fn syntax(message: &str) -> String {
    let known = message.split("msg: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or(message);
    let line: String = known.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(160).collect();
    format!("{line}. Write it as in a Kubernetes admission policy")
}

/// What must hold before the parser sees a text: it recurses, and its stack is finite.
fn bounded(source: &str) -> Result<(), String> {
    if source.trim().is_empty() {
        return Err("the expression is empty: write a condition, or leave the key out".to_owned());
    }
    if source.len() > LENGTH {
        return Err(format!(
            "the expression is {} bytes long, the limit is {LENGTH}: split it into several controls",
            source.len()
        ));
    }
    let (mut open, mut ternaries, mut quote, mut escaped, mut run) = (0_usize, 0, None, false, 0);
    for c in source.chars() {
        if let Some(end) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == end => quote = None,
                _ => {}
            }
            continue;
        }
        run = if matches!(c, '!' | '-') { run + 1 } else { 0 };
        match c {
            '"' | '\'' => quote = Some(c),
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' => ternaries += 1,
            _ => {}
        }
        if open > BRACKETS {
            return Err(format!("brackets nest deeper than {BRACKETS} levels: split it into several controls"));
        }
        if ternaries > TERNARIES {
            return Err(format!("more than {TERNARIES} `?`: split it into several controls"));
        }
        if run > 2 {
            return Err("more than two `!` or `-` in a row: write one or none".to_owned());
        }
    }
    Ok(())
}

/// Everything that stands directly below an expression.
pub(crate) fn parts(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Comprehension(fold) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } = &**fold;
            vec![iter_range, accu_init, loop_cond, loop_step, result]
        }
        _ => Vec::new(),
    }
}

/// Depth of a tree, without recursion: the tree may be as deep as its text is long.
fn depth(root: &Expr) -> usize {
    let (mut deepest, mut stack) = (0, vec![(root, 1)]);
    while let Some((expr, level)) = stack.pop() {
        deepest = deepest.max(level);
        stack.extend(parts(expr).into_iter().map(|part| (&part.expr, level + 1)));
    }
    deepest
}

/// Replaces what the crate compares by what this program compares: `"x" != 1` is true for the crate, an error for us. And
/// gives `days_until` the time of the assessment.
fn rewrite(node: &mut IdedExpr) {
    match &mut node.expr {
        Expr::Call(call) => {
            if let Some(name) = functions::replacement(&call.func_name) {
                call.func_name = name.to_owned();
            }
            if functions::wants_now(&call.func_name) && call.target.is_none() {
                call.args.push(IdedExpr { id: 0, expr: Expr::Ident(NOW.to_owned()) });
            }
            call.target.iter_mut().for_each(|target| rewrite(target));
            call.args.iter_mut().for_each(rewrite);
            if call.func_name == functions::AMONG
                && let Some(list) = call.args.get_mut(1)
                && let Some(texts) = constants(&list.expr)
            {
                call.func_name = functions::ONE_OF.to_owned();
                list.expr = Expr::Literal(LiteralValue::String(CelString::from(texts)));
            }
        }
        Expr::Select(select) if select.test => rewrite(&mut select.operand),
        Expr::Select(_) => match way(&node.expr) {
            Some((root, names)) => {
                let path = Expr::Literal(LiteralValue::Bytes(CelBytes::from(names.join(".").into_bytes())));
                let args = [Expr::Ident(root), path].map(|expr| IdedExpr { id: 0, expr }).into();
                node.expr = Expr::Call(CallExpr { func_name: functions::AT.to_owned(), target: None, args });
            }
            None => {
                if let Expr::Select(select) = &mut node.expr {
                    rewrite(&mut select.operand);
                }
            }
        },
        Expr::List(list) => list.elements.iter_mut().for_each(rewrite),
        Expr::Comprehension(fold) => {
            rewrite(&mut fold.iter_range);
            let connective = |step: &Expr| match step {
                Expr::Call(call) => [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&call.func_name.as_str()),
                _ => false,
            };
            // `all` and `exists` may be decided by a part of a list; `map`, `filter` and `exists_one` need the whole.
            if !connective(&fold.loop_step.expr) {
                let range = std::mem::take(&mut fold.iter_range);
                let args = vec![range];
                fold.iter_range.expr =
                    Expr::Call(CallExpr { func_name: functions::WHOLE.to_owned(), target: None, args });
            }
            // `exists_one` compares its own counter; both sides are ints, so the comparison of ours agrees.
            rewrite(&mut fold.loop_step);
            rewrite(&mut fold.result);
        }
        _ => {}
    }
}

/// The variable and the names below it, where an expression is nothing but these.
fn way(expr: &Expr) -> Option<(String, Vec<&str>)> {
    let (mut names, mut rest) = (Vec::new(), expr);
    while let Expr::Select(select) = rest
        && !select.test
    {
        names.push(select.field.as_str());
        rest = &select.operand.expr;
    }
    names.reverse();
    match rest {
        Expr::Ident(root) => Some((root.clone(), names)),
        _ => None,
    }
}

/// The texts of a list of nothing but texts, in one.
fn constants(list: &Expr) -> Option<String> {
    let Expr::List(list) = list else { return None };
    let text = |element: &IdedExpr| match &element.expr {
        Expr::Literal(LiteralValue::String(text)) if !text.inner().contains(functions::BETWEEN) => {
            Some(text.inner().to_owned())
        }
        _ => None,
    };
    let texts: Vec<String> = list.elements.iter().map(text).collect::<Option<_>>()?;
    (!texts.is_empty()).then(|| texts.join(&functions::BETWEEN.to_string()))
}

/// Whether a call is one of the operators that may stand in a condition.
pub(crate) fn is_operator(name: &str) -> bool {
    [
        operators::CONDITIONAL,
        operators::LOGICAL_AND,
        operators::LOGICAL_OR,
        operators::LOGICAL_NOT,
        operators::SUBSTRACT,
        operators::ADD,
        operators::MULTIPLY,
        operators::DIVIDE,
        operators::MODULO,
        operators::EQUALS,
        operators::NOT_EQUALS,
        operators::GREATER_EQUALS,
        operators::LESS_EQUALS,
        operators::GREATER,
        operators::LESS,
        operators::NEGATE,
        operators::INDEX,
        operators::NOT_STRICTLY_FALSE,
        operators::IN,
    ]
    .contains(&name)
}
