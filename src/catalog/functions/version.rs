//! Versions as Kubernetes components and packages write them.

use super::{Answer, malformed, text_of, truth, two};
use crate::evidence::Version;
use cel::common::types::CelString;
use cel::common::value::CowVal;

/// `version_at_least(version, min)`.
pub(super) fn version_at_least<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (version, min) = two(&args)?;
    let (version, min) = (text_of(version, "version_at_least")?, text_of(min, "version_at_least")?);
    match (Version::parse(version), Version::parse(min)) {
        (Some(version), Some(min)) => truth(version.compare(&min).is_ge()),
        _ => Err(malformed("version_at_least was given a text that is not a version")),
    }
}

/// `minor_of(version)`.
pub(super) fn minor_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let Some(version) = args.first() else { return Err(malformed("minor_of wants a version")) };
    let version = text_of(version.as_ref(), "minor_of")?;
    match Version::parse(version).and_then(|version| version.minor()) {
        Some((major, minor)) => Ok(CowVal::owned(CelString::from(format!("{major}.{minor}")))),
        None => Err(malformed("minor_of was given a text that is not a version")),
    }
}
