//! Versions as Kubernetes components, packages and image tags write them.

use std::cmp::Ordering;

/// A version: its numbers, and whether it comes before the release of these numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: Vec<u64>,
    before_release: bool,
}

impl Version {
    /// `v1.31.2`, `1.34.0-rc.1`, `1.33.4+k3s1`, `9.2p1`; none where it does not begin with a number. An epoch (`1:9.2`)
    /// is refused, since its first number is not the version's.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (core, suffix) = text.split_at_checked(end)?;
        let follows = suffix.chars().next();
        if text.len() > 128 || follows.is_some_and(|c| !c.is_ascii_alphabetic() && !"-+~_ ".contains(c)) {
            return None;
        }
        let numbers: Option<Vec<u64>> =
            core.strip_suffix('.').unwrap_or(core).split('.').map(|n| n.parse().ok()).collect();
        let word = suffix.trim_start_matches(['-', '~', '_', '.']);
        let before_release =
            follows != Some('+') && ["alpha", "beta", "rc"].iter().any(|stage| word.starts_with(stage));
        numbers.map(|numbers| Version { numbers, before_release })
    }

    /// Which is newer, by their numbers, a missing one being zero; alpha, beta and rc come before their release.
    pub fn compare(&self, other: &Self) -> Ordering {
        let places = self.numbers.len().max(other.numbers.len());
        (0..places)
            .map(|place| self.number(place).cmp(&other.number(place)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| other.before_release.cmp(&self.before_release))
    }

    /// Major and minor, `(1, 36)`; none where it has no second number.
    pub fn minor(&self) -> Option<(u64, u64)> {
        match self.numbers.as_slice() {
            [major, minor, ..] => Some((*major, *minor)),
            _ => None,
        }
    }

    /// Whether it is an alpha, a beta or a release candidate.
    pub fn is_before_release(&self) -> bool {
        self.before_release
    }

    fn number(&self, place: usize) -> u64 {
        self.numbers.get(place).copied().unwrap_or(0)
    }
}

/// The last part of an image's name: `kube-proxy` of `registry.k8s.io/kube-proxy:v1.31.2`.
pub fn image_name(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at_least(version: &str, min: &str) -> bool {
        Version::parse(version).unwrap().compare(&Version::parse(min).unwrap()).is_ge()
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(at_least("1.10", "1.9") && at_least("v1.34.0", "1.34") && at_least("1.34", "1.34.0"));
        assert!(
            !at_least("1.33.9", "1.34") && at_least("1.33.4+k3s1", "1.33.4") && at_least("1.27.3-gke.100", "1.27.3")
        );
        assert!(!at_least("1.34.0-rc.1", "1.34.0") && at_least("1.34.0-rc.1", "1.33.9") && at_least("9.2p1", "9.2"));
        for bad in ["", "v", "x1", "1:9.2", "1..2", "99999999999999999999.1"] {
            assert!(Version::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn minors_of_versions() {
        let minor = |text: &str| Version::parse(text).and_then(|version| version.minor());
        assert_eq!(minor("v1.36.2"), Some((1, 36)));
        assert_eq!(minor("v1.33.4+k3s1"), Some((1, 33)));
        assert_eq!(minor("v1.26.6+k3s-"), Some((1, 26)), "as AKS Edge Essentials writes it");
        assert_eq!(minor("v1.30-eks-36"), Some((1, 30)));
        assert_eq!(minor("1"), None);
    }

    #[test]
    fn names_of_images() {
        assert_eq!(image_name("localhost:5000/a/kube-proxy:v1.31.2"), "kube-proxy");
        assert_eq!(image_name("kube-proxy@sha256:00"), "kube-proxy");
        assert_eq!(image_name(""), "");
    }
}
