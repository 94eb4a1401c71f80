//! Versions as Kubernetes components and packages write them.

use super::{Answer, malformed, text_of, truth, two};
use cel::common::value::CowVal;
use std::cmp::Ordering;

/// A version: its numbers, and whether it comes before the release of these numbers.
struct Version {
    numbers: Vec<u64>,
    before_release: bool,
}

/// `v1.31.2`, `1.34.0-rc.1`, `1.33.4+k3s1`, `9.2p1`; none where it does not begin with a number. An epoch (`1:9.2`) is
/// refused, since its first number is not the version's.
fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (core, suffix) = text.split_at_checked(end)?;
    let follows = suffix.chars().next();
    if text.len() > 128 || follows.is_some_and(|c| !c.is_ascii_alphabetic() && !"-+~_ ".contains(c)) {
        return None;
    }
    let numbers: Option<Vec<u64>> = core.strip_suffix('.').unwrap_or(core).split('.').map(|n| n.parse().ok()).collect();
    let word = suffix.trim_start_matches(['-', '~', '_', '.']);
    let before_release = follows != Some('+') && ["alpha", "beta", "rc"].iter().any(|stage| word.starts_with(stage));
    numbers.map(|numbers| Version { numbers, before_release })
}

fn compare(left: &Version, right: &Version) -> Ordering {
    let places = left.numbers.len().max(right.numbers.len());
    let at = |version: &Version, place: usize| version.numbers.get(place).copied().unwrap_or(0);
    (0..places)
        .map(|place| at(left, place).cmp(&at(right, place)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| right.before_release.cmp(&left.before_release))
}

/// `version_at_least(version, min)`.
pub(super) fn version_at_least<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (version, min) = two(&args)?;
    let (version, min) = (text_of(version, "version_at_least")?, text_of(min, "version_at_least")?);
    match (parse(version), parse(min)) {
        (Some(version), Some(min)) => truth(compare(&version, &min).is_ge()),
        _ => Err(malformed("version_at_least was given a text that is not a version")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at_least(version: &str, min: &str) -> bool {
        compare(&parse(version).unwrap(), &parse(min).unwrap()).is_ge()
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(at_least("1.10", "1.9") && at_least("v1.34.0", "1.34") && at_least("1.34", "1.34.0"));
        assert!(
            !at_least("1.33.9", "1.34") && at_least("1.33.4+k3s1", "1.33.4") && at_least("1.27.3-gke.100", "1.27.3")
        );
        assert!(!at_least("1.34.0-rc.1", "1.34.0") && at_least("1.34.0-rc.1", "1.33.9") && at_least("9.2p1", "9.2"));
        for bad in ["", "v", "x1", "1:9.2", "1..2", "99999999999999999999.1"] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}
