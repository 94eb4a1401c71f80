//! Findings brought together by control: what a list of controls shows.

use super::app::Controls;
use super::filter::Filter;
use crate::assess::{Assessment, Finding, Verdict};
use crate::catalog::{Section, Severity};
use std::cmp::Reverse;
use std::collections::HashMap;

/// All findings of one control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The control.
    pub control: String,
    /// Its section.
    pub section: Section,
    /// Its severity.
    pub severity: Severity,
    /// Numbers of its findings in the assessment.
    pub findings: Vec<usize>,
    /// The worst verdict among them.
    pub worst: Verdict,
}

/// One row of a list of controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The control.
    pub control: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// The worst verdict over the targets that are looked at.
    pub worst: Verdict,
    /// How many of these have this verdict.
    pub having: usize,
    /// How many it applies to.
    pub asked: usize,
    /// The first target with the worst verdict.
    pub target: String,
}

/// Controls of a section by their worst verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// At least one target fails.
    pub fail: usize,
    /// None fails, at least one could not be read.
    pub unknown: usize,
    /// A person must answer.
    pub manual: usize,
    /// All pass.
    pub pass: usize,
    /// Nothing to ask it of.
    pub not_applicable: usize,
}

impl Counts {
    /// Controls that apply.
    pub fn applicable(self) -> usize {
        self.fail + self.unknown + self.manual + self.pass
    }

    /// Controls that apply and are decided: they pass or fail.
    pub fn checked(self) -> usize {
        self.fail + self.pass
    }
}

/// Brings findings together, in the order in which the assessment has the controls.
pub(super) fn group(assessment: &Assessment) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (index, finding) in assessment.findings.iter().enumerate() {
        let at = *known.entry(&finding.control).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => {
                group.findings.push(index);
                group.worst = group.worst.min(finding.verdict);
            }
            None => groups.push(Group {
                control: finding.control.clone(),
                section: finding.section,
                severity: finding.severity,
                findings: vec![index],
                worst: finding.verdict,
            }),
        }
    }
    groups
}

/// Counts the controls of a section.
pub(super) fn count(groups: &[Group], section: Section) -> Counts {
    let mut counts = Counts::default();
    for group in groups.iter().filter(|group| group.section == section) {
        match group.worst {
            Verdict::Fail => counts.fail += 1,
            Verdict::Unknown => counts.unknown += 1,
            Verdict::Manual => counts.manual += 1,
            Verdict::Pass => counts.pass += 1,
            Verdict::NotApplicable => counts.not_applicable += 1,
        }
    }
    counts
}

/// The rows that section, filter and order leave.
pub(super) fn rows(assessment: &Assessment, groups: &[Group], list: &Controls) -> Vec<Row> {
    let filter = Filter::parse(&list.query);
    let wanted = groups.iter().filter(|group| list.section.is_none_or(|section| group.section == section));
    let mut rows: Vec<Row> = wanted.filter_map(|group| row(assessment, group, &filter, list.only_failing)).collect();
    if !list.guide_order {
        rows.sort_by_key(|row| (row.worst, Reverse(row.severity)));
    }
    rows
}

/// The targets at which a control fails, of those that the list's filter leaves.
pub(super) fn failing(assessment: &Assessment, groups: &[Group], list: &Controls, control: &str) -> Vec<String> {
    let filter = Filter::parse(&list.query);
    let group = groups.iter().find(|group| group.control == control);
    let findings = group.iter().flat_map(|group| &group.findings).filter_map(|index| assessment.findings.get(*index));
    findings
        .filter(|finding| finding.verdict == Verdict::Fail && filter.target(&finding.target))
        .map(|finding| finding.target.clone())
        .collect()
}

fn row(assessment: &Assessment, group: &Group, filter: &Filter, only_failing: bool) -> Option<Row> {
    let findings = || group.findings.iter().filter_map(|index| assessment.findings.get(*index));
    let looked_at: Vec<&Finding> = findings().filter(|finding| filter.target(&finding.target)).collect();
    let first = looked_at.iter().min_by_key(|finding| finding.verdict)?;
    let worst = first.verdict;
    let text = format!("{} {}", first.control, first.title);
    if (only_failing && worst != Verdict::Fail) || !filter.row(worst, group.severity, &text) {
        return None;
    }
    Some(Row {
        control: group.control.clone(),
        title: first.title.clone(),
        severity: group.severity,
        worst,
        having: looked_at.iter().filter(|finding| finding.verdict == worst).count(),
        asked: looked_at.iter().filter(|finding| finding.verdict != Verdict::NotApplicable).count(),
        target: first.target.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::tui::sample;

    fn titles(list: &Controls) -> Vec<String> {
        let assessment = sample::assessment();
        rows(&assessment, &group(&assessment), list).into_iter().map(|row| row.control).collect()
    }

    #[test]
    fn a_control_has_its_worst_verdict_and_says_at_how_many_targets() {
        let assessment = sample::assessment();
        let rows = rows(&assessment, &group(&assessment), &Controls::default());
        let row = rows.iter().find(|row| row.control == "kubelet-anonymous-auth").unwrap();
        assert_eq!((row.worst, row.having, row.asked), (Verdict::Fail, 2, 3));
        assert_eq!(row.target, "node/edge1");
    }

    #[test]
    fn worst_first_then_the_most_severe_and_the_guides_order_on_request() {
        let list = Controls { section: Some(Section::NodeAccess), ..Controls::default() };
        assert_eq!(titles(&list)[..2], ["kubelet-anonymous-auth", "sshd-root-login"]);
        let guide = Controls { guide_order: true, ..list };
        assert_eq!(titles(&guide)[..2], ["sshd-root-login", "kubelet-anonymous-auth"]);
    }

    #[test]
    fn a_filter_by_node_judges_by_that_node_alone() {
        let list = Controls { query: "node:edge2 kubelet-anon".to_owned(), ..Controls::default() };
        let assessment = sample::assessment();
        let rows = rows(&assessment, &group(&assessment), &list);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].worst, rows[0].asked), (Verdict::Pass, 1));
        let failing = Controls { only_failing: true, ..list };
        assert!(titles(&failing).is_empty());
    }

    #[test]
    fn sections_count_controls_once() {
        let assessment = sample::assessment();
        let counts = count(&group(&assessment), Section::NodeAccess);
        assert_eq!((counts.fail, counts.unknown, counts.pass), (2, 1, 1));
        assert_eq!((counts.checked(), counts.applicable()), (3, 4));
    }
}
