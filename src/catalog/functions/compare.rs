//! Comparisons in which a value of another type is an error, never unequal: `"x" != 1` must not pass.

use super::{Answer, BETWEEN, malformed, raise, truth, two};
use cel::ExecutionError;
use cel::common::types::CelString;
use cel::common::value::{CowVal, Val};
use std::cmp::Ordering;

/// Deepest lists within lists that are compared.
const DEPTH: usize = 8;

/// What can be compared with what.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Truth,
    Number,
    Text,
    List,
    Other,
}

fn kind(value: &dyn Val) -> Kind {
    match value.get_type().name() {
        "bool" => Kind::Truth,
        "int" | "uint" | "double" => Kind::Number,
        "string" => Kind::Text,
        "list" => Kind::List,
        _ => Kind::Other,
    }
}

fn mixed(left: &dyn Val, right: &dyn Val) -> ExecutionError {
    malformed(format!(
        "a value of type {} cannot be compared with one of type {}",
        left.get_type().name(),
        right.get_type().name()
    ))
}

/// Whether two values are the same; an error where their types differ.
pub(super) fn equal(left: &dyn Val, right: &dyn Val, depth: usize) -> Result<bool, ExecutionError> {
    raise(left)?;
    raise(right)?;
    match (kind(left), kind(right)) {
        (Kind::List, Kind::List) if depth > 0 => {
            let (left, right) = (items(left)?, items(right)?);
            for item in left.iter().chain(&right) {
                raise(*item)?;
            }
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(&right) {
                if !equal(*left, *right, depth - 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (a, b) if a == b && !matches!(a, Kind::List | Kind::Other) => Ok(left.equals(right)),
        _ => Err(mixed(left, right)),
    }
}

/// The items of a list; what was not read of it stands in it as one more item that raises.
pub(super) fn items<'b, 'v>(list: &'b (dyn Val + 'v)) -> Result<Vec<&'b (dyn Val + 'v)>, ExecutionError> {
    raise(list)?;
    let mut found = Vec::new();
    match list.as_iterable() {
        Some(iterable) if kind(list) == Kind::List => {
            let mut iterator = iterable.iter();
            while let Some(item) = iterator.next() {
                found.push(item);
            }
            Ok(found)
        }
        _ => Err(malformed(format!("a list is wanted and a value of type {} was given", list.get_type().name()))),
    }
}

/// Whether a list holds a value. Found: true, whatever else was not read; else what was not read or differs in type is
/// an error.
pub(super) fn holds(list: &[&dyn Val], value: &dyn Val) -> Result<bool, ExecutionError> {
    raise(value)?;
    let mut trouble = None;
    for item in list {
        match equal(value, *item, DEPTH) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok(false), Err)
}

fn order(args: &[CowVal<'_, '_>]) -> Result<Ordering, ExecutionError> {
    let (left, right) = two(args)?;
    raise(left)?;
    raise(right)?;
    match (kind(left), kind(right), left.as_comparer()) {
        (Kind::Number, Kind::Number, Some(comparer)) => {
            comparer.compare(right).map_err(|_| malformed("a value is not a number"))
        }
        (Kind::Text, Kind::Text, _) => {
            Err(malformed("texts have no order here: use version_at_least() or days_until()"))
        }
        _ => Err(mixed(left, right)),
    }
}

pub(super) fn same<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (left, right) = two(&args)?;
    truth(equal(left, right, DEPTH)?)
}

pub(super) fn differ<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (left, right) = two(&args)?;
    truth(!equal(left, right, DEPTH)?)
}

pub(super) fn less<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    truth(order(&args)? == Ordering::Less)
}

pub(super) fn less_or_same<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    truth(order(&args)? != Ordering::Greater)
}

pub(super) fn more<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    truth(order(&args)? == Ordering::Greater)
}

pub(super) fn more_or_same<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    truth(order(&args)? != Ordering::Less)
}

/// `value in list`, and `key in map`.
pub(super) fn among<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (value, container) = two(&args)?;
    raise(value)?;
    raise(container)?;
    if let (Some(map), Kind::Text, Kind::Other) = (container.as_indexer(), kind(value), kind(container)) {
        return match map.get(value) {
            Ok(_) => truth(true),
            Err(ExecutionError::NoSuchKey(_)) => truth(false),
            Err(error) => Err(error),
        };
    }
    truth(holds(&items(container)?, value)?)
}

/// `value in ["a", "b"]`: making a list of constants anew for every item is most of what such a condition costs.
pub(super) fn one_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (value, texts) = two(&args)?;
    raise(value)?;
    match (value.downcast_ref::<CelString>(), texts.downcast_ref::<CelString>()) {
        (Some(value), Some(texts)) => truth(texts.inner().split(BETWEEN).any(|text| text == value.inner())),
        _ => Err(mixed(value, texts)),
    }
}

/// The list that it is given, where everything of it was read.
pub(super) fn whole<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let list = args.pop().ok_or_else(|| malformed("a list is wanted"))?;
    for item in items(list.as_ref())? {
        raise(item)?;
    }
    Ok(list)
}
