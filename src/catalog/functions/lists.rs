//! Functions of two lists.

use super::compare::{holds, items};
use super::{Answer, truth, two};
use cel::common::value::CowVal;

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
