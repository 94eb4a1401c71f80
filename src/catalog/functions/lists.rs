//! Functions of two lists, and the way down into a value.

use super::compare::{holds, items};
use super::{Answer, malformed, truth, two};
use cel::ExecutionError;
use cel::common::value::{CowVal, Val};

/// `subset_of(list, allowed)`. One item that is known not to be allowed decides, whatever else was not read.
pub(super) fn subset_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (list, allowed) = two(&args)?;
    let (list, allowed) = (items(list)?, items(allowed)?);
    let mut trouble = None;
    for item in list {
        match holds(&allowed, item) {
            Ok(true) => {}
            Ok(false) => return truth(false),
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or_else(|| truth(true), Err)
}

/// `intersects(list, other)`. One item in common decides, whatever else was not read.
pub(super) fn intersects<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (list, other) = two(&args)?;
    let (list, other) = (items(list)?, items(other)?);
    let mut trouble = None;
    for item in list {
        match holds(&other, item) {
            Ok(true) => return truth(true),
            Ok(false) => {}
            Err(error) => trouble = Some(error),
        }
    }
    // What was not read of the other list matters to an empty first one as little as to CEL's own `exists`.
    trouble.map_or_else(|| truth(false), Err)
}

/// What stands in a value at a path. Every name asked for by an evaluation step of its own is most of what a condition costs.
pub(super) fn at<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (Some(path), Some(value)) = (args.pop(), args.pop()) else { return Err(malformed("a path is wanted")) };
    let no_fields = |value: &dyn Val| ExecutionError::UnexpectedType {
        got: value.get_type().name().to_owned(),
        want: "map".to_owned(),
    };
    match value {
        CowVal::Borrowed(value) => value.as_indexer().ok_or_else(|| no_fields(value))?.get(path.as_ref()),
        CowVal::Owned(value) => {
            let indexer = value.as_indexer().ok_or_else(|| no_fields(value.as_ref()))?;
            indexer.get(path.as_ref()).map(|found| CowVal::Owned(found.into_owned()))
        }
    }
}
