//! Walks an expression's syntax tree: every path must exist in the evidence, every function in the registry.

use super::expression::{Names, is_operator};
use super::functions;
use super::shape::Shape;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};

/// Most comprehensions (`all`, `exists`, `filter`, ...) inside one another: their cost multiplies.
const COMPREHENSIONS: usize = 2;

/// Adds to `errors` what is wrong with the names in an expression.
pub(crate) fn check(tree: &IdedExpr, names: &Names<'_>, errors: &mut Vec<String>) {
    let mut walk =
        Walk { names: names.clone().into_iter().map(|(key, shape)| (key.to_owned(), shape)).collect(), errors };
    walk.shape(tree, 0);
}

/// The shape at a path such as `node.files` or `item.mode`, or what is wrong with it.
pub(crate) fn shape_at(path: &str, names: &Names<'_>) -> Result<Shape, String> {
    let mut parts = path.split('.');
    let root = parts.next().unwrap_or_default();
    let Some(mut shape) = names.get(root).cloned() else {
        return Err(unknown_name(root, names.keys().copied()));
    };
    let mut so_far = root.to_owned();
    for part in parts {
        shape = below(&shape, &so_far, part)?;
        so_far = format!("{so_far}.{part}");
    }
    Ok(shape)
}

/// `, did you mean "x"?` with the nearest of some words, where one is near.
pub(crate) fn near<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> String {
    words
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min()
        .filter(|(distance, _)| word.chars().count() > 1 && *distance <= 1.max(word.chars().count() / 3))
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

fn unknown_name<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if name == "item" {
        return "`item` needs a list: write `each: <path of a list>`".to_owned();
    }
    let all: Vec<String> = names.clone().filter(|known| !known.starts_with('@')).map(|n| format!("`{n}`")).collect();
    format!("`{name}` is not known here, what is known is {}{}", all.join(", "), near(name, names))
}

/// What stands at `field` below a shape.
fn below(shape: &Shape, path: &str, field: &str) -> Result<Shape, String> {
    match shape {
        Shape::Free => Ok(Shape::Free),
        Shape::Map(entries) => entries.get(field).cloned().ok_or_else(|| {
            format!("`{path}` has no `{field}` in the evidence{}", near(field, entries.keys().map(String::as_str)))
        }),
        Shape::Leaf => Err(format!("`{path}` is a plain value, nothing stands below it: remove `.{field}`")),
        Shape::List(_) => {
            Err(format!("`{path}` is a list: ask its items by `each: {path}`, or by `{path}.all(x, x.{field} ...)`"))
        }
    }
}

struct Walk<'e> {
    /// What is known at this place; later entries hide earlier ones.
    names: Vec<(String, Shape)>,
    errors: &'e mut Vec<String>,
}

impl Walk<'_> {
    /// The shape of an expression's value; everything but paths is `Free`.
    fn shape(&mut self, node: &IdedExpr, folds: usize) -> Shape {
        match &node.expr {
            Expr::Ident(name) => match self.names.iter().rev().find(|(known, _)| known == name) {
                Some((_, shape)) => shape.clone(),
                None => {
                    let message = unknown_name(name, self.names.iter().map(|(known, _)| known.as_str()));
                    self.errors.push(message);
                    Shape::Free
                }
            },
            Expr::Select(select) => self.select(select, folds),
            Expr::Call(call) => self.call(call, folds),
            Expr::Comprehension(fold) => self.comprehension(fold, folds),
            Expr::List(list) => {
                for element in &list.elements {
                    self.shape(element, folds);
                }
                Shape::List(Box::new(Shape::Free))
            }
            Expr::Literal(LiteralValue::Null) => {
                self.errors.push("`null` never equals what was read: write `has(path)` or `!has(path)`".to_owned());
                Shape::Free
            }
            Expr::Literal(LiteralValue::Bytes(_)) => {
                self.errors.push("bytes are not compared here: write a text".to_owned());
                Shape::Free
            }
            Expr::Literal(_) => Shape::Leaf,
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.errors.push("maps and messages cannot be written in a condition: compare their fields".to_owned());
                Shape::Free
            }
        }
    }

    fn select(&mut self, select: &SelectExpr, folds: usize) -> Shape {
        let operand = self.shape(&select.operand, folds);
        let path = written(&select.operand);
        match below(&operand, &path, &select.field) {
            Ok(shape) if !select.test => shape,
            Ok(_) => Shape::Leaf,
            Err(error) => {
                self.errors.push(error);
                Shape::Free
            }
        }
    }

    fn call(&mut self, call: &CallExpr, folds: usize) -> Shape {
        let target = call.target.as_ref().map(|target| self.shape(target, folds));
        let args: Vec<Shape> = call.args.iter().map(|arg| self.shape(arg, folds)).collect();
        let name = call.func_name.as_str();
        if name == operators::INDEX {
            let literal = match call.args.get(1).map(|key| &key.expr) {
                Some(Expr::Literal(LiteralValue::String(key))) => Some(key.inner().to_owned()),
                _ => None,
            };
            return match (args.into_iter().next(), literal) {
                (Some(Shape::List(item)), _) => (*item).clone(),
                (Some(shape @ Shape::Map(_)), Some(key)) => {
                    let path = call.args.first().map(written).unwrap_or_default();
                    below(&shape, &path, &key).unwrap_or_else(|error| {
                        self.errors.push(error);
                        Shape::Free
                    })
                }
                _ => Shape::Free,
            };
        }
        if is_operator(name) {
            return Shape::Free;
        }
        if let Err(error) = functions::accepts(name, target.is_some(), args.len()) {
            self.errors.push(error);
        } else if let Some(Expr::Literal(LiteralValue::String(text))) = call.args.last().map(|arg| &arg.expr)
            && let Err(error) = functions::usable(name, text)
        {
            self.errors.push(error);
        }
        Shape::Free
    }

    fn comprehension(&mut self, fold: &ComprehensionExpr, folds: usize) -> Shape {
        if folds >= COMPREHENSIONS {
            self.errors.push(format!(
                "more than {COMPREHENSIONS} of `all`, `exists`, `filter`, `map` inside one another: use `each` and `where`"
            ));
            return Shape::Free;
        }
        let range = self.shape(&fold.iter_range, folds);
        let item = match &range {
            Shape::List(item) => (**item).clone(),
            Shape::Free => Shape::Free,
            Shape::Leaf | Shape::Map(_) => {
                self.errors.push(format!("`{}` is not a list: name one", written(&fold.iter_range)));
                Shape::Free
            }
        };
        self.shape(&fold.accu_init, folds);
        let known = self.names.len();
        self.names.push((fold.iter_var.clone(), item));
        self.names.push((fold.accu_var.clone(), Shape::Free));
        for part in [&fold.loop_cond, &fold.loop_step, &fold.result] {
            self.shape(part, folds + 1);
        }
        self.names.truncate(known);
        // `filter` keeps the items as they are.
        let keeps = match &fold.loop_step.expr {
            Expr::Call(call) if call.func_name == operators::CONDITIONAL => match call.args.get(1).map(|arg| &arg.expr)
            {
                Some(Expr::Call(add)) if add.func_name == operators::ADD => {
                    match add.args.get(1).map(|arg| &arg.expr) {
                        Some(Expr::List(list)) => {
                            matches!(list.elements.as_slice(), [IdedExpr { expr: Expr::Ident(name), .. }] if *name == fold.iter_var)
                        }
                        _ => false,
                    }
                }
                _ => false,
            },
            _ => false,
        };
        if keeps { range } else { Shape::Free }
    }
}

/// A path as it was written, for messages.
fn written(node: &IdedExpr) -> String {
    match &node.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => format!("{}.{}", written(&select.operand), select.field),
        Expr::Call(call) if call.func_name == operators::INDEX => {
            format!("{}[...]", call.args.first().map(written).unwrap_or_default())
        }
        _ => "this value".to_owned(),
    }
}
