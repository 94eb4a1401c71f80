//! What a condition wants of an `item`, told from its text: so that most items of a long list need no evaluation.

use super::expression::parts;
use super::functions::{AT, SAME};
use crate::evidence::{Reading, Value};
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

/// What a condition wants of an `item`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfItem {
    /// Fields with the text that each must have, else the condition is false whatever the rest of it says.
    needs: Vec<(String, String)>,
    /// Everything that it reads of the item, as paths below it. None: that cannot be told.
    reads: Option<Vec<Vec<String>>>,
}

impl OfItem {
    /// Of a condition as it is evaluated.
    pub(super) fn of(tree: &IdedExpr) -> Self {
        let mut needs = Vec::new();
        needed(tree, &mut needs);
        OfItem { needs, reads: read(&tree.expr) }
    }

    /// Whether the item has another text where the condition needs a certain one: then the condition is false.
    pub(crate) fn lacks(&self, item: &Reading) -> bool {
        let Value::Map { entries, .. } = &item.value else { return false };
        let other = |entry: &Reading, text: &str| matches!(&entry.value, Value::Text(found) if **found != *text);
        self.needs.iter().any(|(field, text)| entries.get(field.as_str()).is_some_and(|entry| other(entry, text)))
    }

    /// Whether two items have the same value in all that the condition reads: then it answers both alike.
    pub(crate) fn alike(&self, one: &Reading, other: &Reading) -> bool {
        self.reads.as_ref().is_some_and(|paths| {
            paths.iter().all(|path| match (value(one, path), value(other, path)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            })
        })
    }
}

/// What stands at a path. None where not all of it does: what that means depends on where it ends.
fn value<'r>(item: &'r Reading, path: &[String]) -> Option<&'r Value> {
    let found = path.iter().try_fold(item, |reading, name| match &reading.value {
        Value::Map { entries, .. } => entries.get(name.as_str()),
        _ => None,
    });
    found.map(|reading| &reading.value)
}

/// Collects what stands as `item.field == "text"` among the parts that `&&` joins.
fn needed(node: &IdedExpr, needs: &mut Vec<(String, String)>) {
    let Expr::Call(CallExpr { func_name, target: None, args }) = &node.expr else { return };
    let [left, right] = args.as_slice() else { return };
    if func_name == operators::LOGICAL_AND {
        needed(left, needs);
        needed(right, needs);
    } else if func_name == SAME
        && let (Some(path), Expr::Literal(LiteralValue::String(text))) = (path(&left.expr), &right.expr)
        && let [field] = path.as_slice()
        && !matches!(left.expr, Expr::Select(_))
    {
        needs.push((field.clone(), text.inner().to_owned()));
    }
}

/// Every path below `item` that stands in an expression. None where it has a part that is not known here.
fn read(root: &Expr) -> Option<Vec<Vec<String>>> {
    let (mut paths, mut stack) = (Vec::new(), vec![root]);
    while let Some(expr) = stack.pop() {
        match (path(expr), expr) {
            (Some(path), _) => paths.push(path),
            (None, Expr::Literal(_) | Expr::Ident(_)) => {}
            (None, Expr::Call(_) | Expr::Select(_) | Expr::List(_) | Expr::Comprehension(_)) => {
                stack.extend(parts(expr).into_iter().map(|part| &part.expr));
            }
            _ => return None,
        }
    }
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// The names after `item`, where the expression is `item` with nothing but names after it, or asks `has()` of that.
fn path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Ident(name) => (name == "item").then(Vec::new),
        Expr::Select(select) => {
            let mut names = path(&select.operand.expr)?;
            names.push(select.field.clone());
            Some(names)
        }
        Expr::Call(CallExpr { func_name, args, .. }) if func_name == AT => match args.as_slice() {
            [root, IdedExpr { expr: Expr::Literal(LiteralValue::Bytes(names)), .. }] => {
                let mut path = path(&root.expr)?;
                path.extend(std::str::from_utf8(names.inner()).ok()?.split('.').map(str::to_owned));
                Some(path)
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::catalog::Expression;
    use crate::catalog::expression::{Names, with_stack};
    use crate::catalog::shape::Shape;
    use serde_json::json;

    fn of(source: &str) -> OfItem {
        let names = Names::from([("node", Shape::Free), ("item", Shape::Free)]);
        with_stack(|| Expression::compile(source, &names)).unwrap().unwrap().of_item
    }

    #[test]
    fn an_item_lacks_only_what_would_make_the_condition_false() {
        let item = Reading::from_json(&json!({"role": "pki", "n": 1}));
        for source in ["item.role == \"cni\" && item.n == 1", "item.n == 1 && (node.x && item.role == \"cni\")"] {
            assert!(of(source).lacks(&item), "{source}");
        }
        for source in [
            "item.role == \"pki\" && item.n == 2",
            "item.role == \"cni\" || item.n == 1",
            "!(item.role == \"cni\")",
            "item.role != \"cni\"",
            "item.n == \"1\"",
            "item.gone == \"cni\"",
            "node.role == \"cni\"",
            "item.role.x == \"cni\"",
        ] {
            assert!(!of(source).lacks(&item), "{source}");
        }
    }

    #[test]
    fn items_are_alike_in_what_is_read_of_them() {
        let item = |json| Reading::from_json(&json);
        let one = item(json!({"a": {"b": [1, 2]}, "n": 1}));
        let condition = of("item.a.b.all(x, x > node.least) && has(item.n)");
        assert!(condition.alike(&one, &item(json!({"a": {"b": [1, 2], "c": 3}, "n": 1, "m": 2}))));
        for other in
            [json!({"a": {"b": [1, 3]}, "n": 1}), json!({"a": {"b": [1, 2]}}), json!({"a": 1, "n": 1}), json!(1)]
        {
            assert!(!condition.alike(&one, &item(other.clone())), "{other}");
        }
        // Neither has it, but for different reasons.
        assert!(!of("!has(item.x.y)").alike(&item(json!({"x": {}})), &item(json!({"x": null}))));
        assert!(!of("item[\"n\"] == 1").alike(&one, &item(json!({"n": 1}))), "the whole item is read");
    }
}
