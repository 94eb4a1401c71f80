//! Findings as text for people: 80 columns, by section, what fails and what is unknown first.

use super::clean::{clean, columns, fit, wrap};
use super::grouped::{Group, grouped};
use crate::assess::{
    Assessment, ClusterSummary, Finding, ItemVerdict, Shown, Target, TargetKind, Verdict, value_in_words,
};
use crate::catalog::Section;
use crate::evidence::{ChannelKind, IdentityKind, Reason};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Columns of a line.
const WIDTH: usize = 80;
/// Items of one finding that are listed unless everything is asked for.
const ITEMS: usize = 10;
/// Columns of one value unless everything is asked for.
const VALUE: usize = 160;

/// How the text is to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextOptions {
    /// Verdict words in colour. Colour never carries meaning alone.
    pub colour: bool,
    /// All items, whole values, and the evidence of what passes.
    pub everything: bool,
}

/// The report. Every text of the evidence is cleaned; plain ASCII but for what the evidence itself says.
pub fn text(assessment: &Assessment, options: TextOptions) -> String {
    let mut page = Page { out: String::new(), options };
    page.head(assessment);
    page.targets(&assessment.targets);
    let lost: BTreeSet<&str> =
        ids(&assessment.targets, |target| !target.reached && target.kind != TargetKind::Endpoint);
    let api_alone: BTreeSet<&str> = ids(&assessment.targets, is_api_alone);
    // Why nothing is known of a target is told once, above.
    let told = |finding: &Finding| {
        let invisible = finding.reason == Some(Reason::NotVisible) && api_alone.contains(finding.target.as_str());
        finding.verdict == Verdict::Unknown && (invisible || lost.contains(finding.target.as_str()))
    };
    for section in Section::ALL {
        let mut findings: Vec<&Finding> =
            assessment.findings.iter().filter(|finding| finding.section == section).collect();
        if findings.is_empty() {
            continue;
        }
        // A stable sort: within the same verdict and severity the catalog's order stays.
        findings.sort_by_key(|finding| (finding.verdict, Reverse(finding.severity)));
        page.heading(section.title());
        for group in grouped(findings, options.everything) {
            match group {
                Group::One(finding) => page.finding(finding, told(finding)),
                Group::Many(findings) => page.many(&findings, findings.iter().all(|finding| told(finding))),
            }
        }
    }
    page.summary(assessment);
    page.out
}

/// The targets of a kind, by their ids.
fn ids(targets: &[Target], wanted: impl Fn(&Target) -> bool) -> BTreeSet<&str> {
    targets.iter().filter(|target| wanted(target)).map(|target| target.id.as_str()).collect()
}

/// Whether it is a node that the API alone shows.
fn is_api_alone(target: &Target) -> bool {
    target.kind == TargetKind::Node && target.channel == Some(ChannelKind::Api)
}

/// A time to the second, in UTC.
fn second(time: Timestamp) -> impl std::fmt::Display {
    time.strftime("%Y-%m-%dT%H:%M:%SZ")
}

/// Whether somebody has to do something about it.
fn wants_a_person(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Unknown | Verdict::Manual)
}

struct Page {
    out: String,
    options: TextOptions,
}

impl Page {
    fn head(&mut self, assessment: &Assessment) {
        let site = assessment.site.name.as_deref().unwrap_or("no name given");
        self.pair("site", site);
        if let Some(identity) = assessment.identity.as_ref().filter(|identity| identity.kind != IdentityKind::Name) {
            self.pair("identity", &identity.in_words());
        }
        if let Some(cluster) = &assessment.cluster {
            self.cluster(cluster);
        }
        self.pair("seat", &format!("{} on {}", assessment.seat.user, assessment.seat.host));
        self.pair("evidence", &format!("{} to {}", second(assessment.started), second(assessment.finished)));
        self.pair(
            "assessed",
            &format!("as of {}, by {} {}", second(assessment.as_of), assessment.tool.name, assessment.tool.version),
        );
        let profile = match assessment.profile {
            crate::evidence::Profile::Guide => "guide",
            crate::evidence::Profile::Cis => "cis",
        };
        let digest: String = assessment.catalog_digest.chars().take(12).collect();
        self.pair("catalog", &format!("{digest}, profile {profile}, lifecycle data of {}", assessment.lifecycle_date));
        if let Some(platform) = &assessment.platform {
            let said = |cluster: &ClusterSummary| cluster.platform_reasons.iter().any(|why| why == "a person said so");
            let said = assessment.cluster.as_ref().is_some_and(said);
            self.pair("platform", &format!("{platform}{}", if said { ", as the site file says" } else { "" }));
        }
    }

    /// Which cluster, as whom it was asked, and what was refused.
    fn cluster(&mut self, cluster: &ClusterSummary) {
        let part = |before: &str, text: &Option<String>| text.as_ref().map(|text| format!("{before}{text}"));
        let (server, version) = (part(" at ", &cluster.server), part(", ", &cluster.version));
        let proxy = part(", through ", &cluster.proxy);
        let after: String = [server, version, proxy].into_iter().flatten().collect();
        self.pair("cluster", &format!("{}{after}", cluster.context));
        if let Some(caller) = &cluster.caller {
            let how = if caller.how.is_empty() { String::new() } else { format!(" by {}", caller.how) };
            let groups = match caller.groups.is_empty() {
                true => String::new(),
                false => format!(", of the groups {}", caller.groups.join(", ")),
            };
            self.pair("asked as", &format!("{}{how}{groups}", caller.user));
        }
        if !cluster.denied.is_empty() {
            let most = if self.options.everything { cluster.denied.len() } else { ITEMS };
            let named: Vec<&str> = cluster.denied.iter().take(most).map(String::as_str).collect();
            let more = cluster.denied.len().saturating_sub(most);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.pair("refused", &format!("{}{more}: what rests on these is unknown", named.join(", ")));
        }
    }

    fn targets(&mut self, targets: &[Target]) {
        if targets.is_empty() {
            return;
        }
        self.heading("Targets");
        let ports = targets.iter().filter(|target| target.kind == TargetKind::Endpoint).count();
        for target in targets {
            if target.kind == TargetKind::Endpoint && !self.options.everything {
                continue;
            }
            let how = match (target.kind, target.reached, target.complete) {
                (TargetKind::Site, ..) => "",
                (_, true, true) => "read",
                (_, true, false) => "READ IN PART",
                (_, false, _) => "NOT REACHED",
            };
            let channel = target.channel.map_or("", |channel| channel.as_str());
            let joined = target.kubernetes.as_ref().filter(|_| !is_api_alone(target));
            let joined = joined.map(|name| format!(", the cluster's {}", clean(name))).unwrap_or_default();
            let line = format!("{:<40} {channel:<6} {how}{joined}", fit(&clean(&target.id), 40));
            self.line(2, &fit(&line, WIDTH - 2));
            for error in &target.errors {
                self.paragraph(6, &format!("{}: {}", error.reason, error.message));
            }
        }
        let api_alone = targets.iter().filter(|target| is_api_alone(target)).count();
        if api_alone > 0 {
            let words = match api_alone {
                1 => "1 node is shown by the API alone: what the API does not show of it".to_owned(),
                more => format!("{more} nodes are shown by the API alone: what the API does not show of them"),
            };
            self.paragraph(
                2,
                &format!("{words} is unknown (not-visible). Name such a node with --node to look at it."),
            );
        }
        if ports > 0 && !self.options.everything {
            let silent = targets.iter().filter(|target| target.kind == TargetKind::Endpoint && !target.reached).count();
            let silent = match silent {
                0 => String::new(),
                some => format!("; {some} at addresses where NOTHING ANSWERED"),
            };
            self.line(2, &format!("{ports} ports, as they look from here{silent}; -v lists them"));
        }
    }

    /// `told_above`: why it is unknown is told once, under the targets.
    fn finding(&mut self, finding: &Finding, told_above: bool) {
        let wants_a_person = wants_a_person(finding.verdict);
        self.first_line(finding, &finding.target);
        let whole = (wants_a_person && !told_above) || self.options.everything;
        if whole {
            self.paragraph(10, &finding.title);
        }
        if whole || finding.verdict == Verdict::NotApplicable {
            self.paragraph(10, &finding.message);
        }
        if finding.verdict == Verdict::NotApplicable && !self.options.everything {
            return;
        }
        if whole {
            self.shown(12, finding.verdict, &finding.evidence);
            self.items(finding);
        }
    }

    /// Verdict, severity, control and target.
    fn first_line(&mut self, finding: &Finding, target: &str) {
        let word = match finding.verdict {
            Verdict::NotApplicable => "n/a",
            other => other.as_str(),
        };
        let word = if wants_a_person(finding.verdict) { word.to_uppercase() } else { word.to_owned() };
        let shown = self.coloured(finding.verdict, &format!("{word:<8}"));
        let control = clean(&finding.control);
        let target = clean(target);
        let severity = finding.severity.as_str();
        // verdict 8 + severity 9 + two of indent leave 61 for control and target on the first line.
        let room = WIDTH - 2 - 8 - 9;
        if columns(&control) + 2 + columns(&target) <= room {
            let gap = " ".repeat(room - columns(&control) - columns(&target));
            self.out.push_str(&format!("  {shown}{severity:<9}{control}{gap}{target}\n"));
        } else {
            self.out.push_str(&format!("  {shown}{severity:<9}{}\n", fit(&control, room)));
            self.paragraph(19, &target);
        }
    }

    /// One control with the same verdict at several targets: told once, with what each of them has to say.
    fn many(&mut self, findings: &[&Finding], told_above: bool) {
        let Some(first) = findings.first() else { return };
        let kind = first.target.split_once('/').map_or("target", |(kind, _)| kind);
        self.first_line(first, &format!("{} {kind}s", findings.len()));
        if first.verdict == Verdict::Pass || told_above {
            return;
        }
        if wants_a_person(first.verdict) {
            self.paragraph(10, &first.title);
        }
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        for finding in findings {
            let name = finding.target.split_once('/').map_or(finding.target.as_str(), |(_, name)| name);
            match told.iter_mut().find(|(message, _)| *message == finding.message) {
                Some((_, names)) => names.push(name),
                None => told.push((&finding.message, vec![name])),
            }
        }
        for (message, names) in told.iter().take(ITEMS) {
            self.paragraph(10, message);
            let most = names.len().min(ITEMS);
            let more = if names.len() > most { format!(" and {} more", names.len() - most) } else { String::new() };
            let listed: Vec<&str> = names.iter().take(most).copied().collect();
            self.paragraph(12, &format!("at {}{more}", listed.join(", ")));
        }
        if told.len() > ITEMS {
            self.line(12, &format!("... and {} more; -v lists them all", told.len() - ITEMS));
        }
    }

    fn items(&mut self, finding: &Finding) {
        let items = &finding.items;
        if items.is_empty() {
            return;
        }
        if let Some(asked) = finding.items_asked {
            let failing = items.iter().filter(|item| item.verdict == Verdict::Fail).count();
            let unknown = items.iter().filter(|item| item.verdict == Verdict::Unknown).count();
            self.line(12, &format!("of {asked} looked at, {failing} fail and {unknown} are unknown:"));
        }
        let most = if self.options.everything { items.len() } else { ITEMS };
        for item in items.iter().take(most) {
            self.item(item);
        }
        if items.len() > most {
            self.line(12, &format!("... and {} more; -v lists them all", items.len() - most));
        }
    }

    fn item(&mut self, item: &ItemVerdict) {
        let why = item.reason.map_or(String::new(), |reason| format!(" ({reason})"));
        self.paragraph(12, &format!("{}{why}: {}", item.verdict.as_str(), item.name));
        self.shown(16, item.verdict, &item.evidence);
    }

    fn shown(&mut self, indent: usize, verdict: Verdict, evidence: &[Shown]) {
        for shown in evidence {
            let path = &shown.path;
            match shown.unread {
                // The message of what is unknown has said which values were not read, and why.
                Some(_) if verdict == Verdict::Unknown && !self.options.everything => {}
                Some(reason) => {
                    let why = shown.origin.strip_prefix("not read: ").unwrap_or(&shown.origin);
                    let colon = if why.is_empty() { "" } else { ": " };
                    self.paragraph(indent, &format!("{path}: not read ({reason}){colon}{why}"));
                }
                None => {
                    let value = match &shown.value {
                        serde_json::Value::Null => ": does not exist".to_owned(),
                        value if self.options.everything => format!(" = {value}"),
                        value => format!(" = {}", value_in_words(value)),
                    };
                    let value = clean(&value);
                    let value = if self.options.everything { value } else { fit(&value, VALUE).into_owned().into() };
                    self.paragraph(indent, &format!("{path}{value}"));
                    // That the node itself was asked is said under the targets.
                    let plain = shown.origin.starts_with("read on ") && !self.options.everything;
                    if !shown.origin.is_empty() && !plain {
                        self.paragraph(indent + 4, &format!("from: {}", shown.origin));
                    }
                }
            }
        }
    }

    fn summary(&mut self, assessment: &Assessment) {
        let summary = &assessment.summary;
        self.heading("Summary");
        self.paragraph(
            2,
            &format!(
                "{} fail, {} unknown, {} manual, {} pass, {} not applicable",
                summary.fail, summary.unknown, summary.manual, summary.pass, summary.not_applicable
            ),
        );
        if summary.incomplete {
            self.paragraph(
                2,
                "INCOMPLETE: a target was not reached or its answer was not whole; see Targets above for why, and \
                 scan again. What could not be read is unknown, never a pass.",
            );
        }
        let next = assessment
            .findings
            .iter()
            .filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Manual))
            .min_by_key(|finding| (finding.verdict, Reverse(finding.severity)));
        if let Some(finding) = next {
            self.paragraph(
                2,
                "What to do: `sitewarden explain CONTROL` says why a control matters and how to put it right. Begin with",
            );
            self.line(4, &format!("sitewarden explain {}", clean(&finding.control)));
        }
    }

    fn heading(&mut self, title: &str) {
        self.out.push('\n');
        self.line(0, title);
        self.line(0, &"-".repeat(columns(title)));
    }

    fn pair(&mut self, name: &str, value: &str) {
        for (number, line) in wrap(&clean(value), WIDTH - 10).into_iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            self.line(0, &format!("{name:<10}{line}"));
        }
    }

    /// Text of our own or of the evidence: cleaned, wrapped, indented.
    fn paragraph(&mut self, indent: usize, text: &str) {
        for line in wrap(&clean(text), WIDTH - indent) {
            self.line(indent, &line);
        }
    }

    /// One line that is clean already.
    fn line(&mut self, indent: usize, text: &str) {
        let line = format!("{:indent$}{text}", "");
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn coloured(&self, verdict: Verdict, word: &str) -> String {
        let code = match verdict {
            Verdict::Fail => "1;31",
            Verdict::Unknown => "1;33",
            Verdict::Manual => "36",
            Verdict::Pass => "32",
            Verdict::NotApplicable => "2",
        };
        if self.options.colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
