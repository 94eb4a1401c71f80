//! Findings that are told together: the same control with the same verdict at many ports, and what nobody can know of
//! nodes that the API alone shows.

use crate::assess::{Finding, Verdict};
use crate::catalog::Scope;
use crate::evidence::Reason;
use std::collections::HashMap;

/// What takes one place in a report.
#[derive(Debug)]
pub(super) enum Group<'f> {
    /// A finding by itself.
    One(&'f Finding),
    /// Several that differ in their target alone.
    Many(Vec<&'f Finding>),
}

/// Brings findings together, each group where its first one stands. `apart`: nothing is brought together.
pub(super) fn grouped(findings: Vec<&Finding>, apart: bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known: HashMap<Alike<'_>, usize> = HashMap::new();
    for finding in findings {
        let next = groups.len();
        let place = alike(finding).filter(|_| !apart).map_or(next, |key| *known.entry(key).or_insert(next));
        match groups.get_mut(place) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let one_or_many = |group: Vec<_>| match group[..] {
        [one] => Group::One(one),
        _ => Group::Many(group),
    };
    groups.into_iter().map(one_or_many).collect()
}

/// What findings that are told together have in common.
type Alike<'f> = (&'f str, Verdict, Option<Reason>, Option<&'f str>);

/// What a finding has in common with those that it is told with. None: it stands by itself.
fn alike(finding: &Finding) -> Option<Alike<'_>> {
    let key = |message| Some((finding.control.as_str(), finding.verdict, finding.reason, message));
    match finding.scope {
        Scope::Endpoint => key(None),
        // The same sentence for every node that nobody named a channel for.
        Scope::Node if finding.verdict == Verdict::Unknown && finding.reason == Some(Reason::NotVisible) => {
            key(Some(&finding.message))
        }
        Scope::Node | Scope::Site | Scope::Cluster => None,
    }
}
