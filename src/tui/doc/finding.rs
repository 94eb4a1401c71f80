//! One control at one of its targets.

use super::{Line, Page, Tone};
use crate::assess::{Finding, ItemVerdict, Shown, Verdict, value_in_words};
use crate::catalog::{Control, References, Who};
use crate::tui::app::{App, Detail};

/// Longest value that is shown, in characters.
const VALUE: usize = 600;

/// The page of a finding.
pub(in crate::tui) fn finding(app: &App, detail: &Detail, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let findings: Vec<&Finding> = match (&app.assessment, app.group(&detail.control)) {
        (Some(assessment), Some(group)) => {
            group.findings.iter().filter_map(|index| assessment.findings.get(*index)).collect()
        }
        _ => Vec::new(),
    };
    let Some(finding) = findings.iter().find(|finding| finding.target == detail.target) else {
        page.say(Tone::Plain, "There is no finding for it any more. Go back with Esc.");
        return page.lines;
    };
    let control = app.catalog.controls.iter().find(|control| control.id == finding.control);
    page.say(Tone::Heading, &finding.title);
    let verdict = match finding.reason {
        Some(reason) => format!("{} ({reason})", finding.verdict.as_str()),
        None => finding.verdict.as_str().to_owned(),
    };
    let at = format!("{verdict} at {}, severity {}", finding.target, finding.severity.as_str());
    page.say(Tone::Verdict(finding.verdict), &at);
    targets(&mut page, &findings, finding);
    if !finding.message.is_empty() {
        page.heading("Finding");
        page.say(Tone::Plain, &finding.message);
    }
    if let (Verdict::Manual, Some(ask)) = (finding.verdict, control.and_then(|control| control.ask.as_deref())) {
        page.heading("What to look at, and whom to ask");
        page.say(Tone::Plain, ask);
    }
    if !finding.evidence.is_empty() {
        page.heading("Evidence");
        finding.evidence.iter().for_each(|shown| value(&mut page, shown));
    }
    if let Some(control) = control {
        page.heading("Why it matters");
        page.say(Tone::Plain, &control.why);
        to_do(&mut page, control, finding.verdict);
    }
    // Last of what is long: hundreds of items must not hide what to do.
    items(&mut page, finding);
    references(&mut page, &finding.references);
    page.heading("Control");
    page.say(Tone::Plain, &format!("{}, section {}", finding.control, finding.section.title()));
    page.lines
}

/// How the control stands at its targets, where it has several.
fn targets(page: &mut Page, findings: &[&Finding], shown: &Finding) {
    if findings.len() < 2 {
        return;
    }
    let at = findings.iter().position(|finding| finding.target == shown.target).unwrap_or(0);
    page.say(Tone::Plain, &format!("Target {} of {}:", at + 1, findings.len()));
    // With hundreds of nodes only the neighbourhood is of use; the list of controls counts them all.
    for (index, finding) in findings.iter().enumerate().skip(at.saturating_sub(4)).take(9) {
        let mark = if index == at { ">" } else { " " };
        let line = format!("{mark} {} {}", finding.verdict.as_str(), finding.target);
        page.indented(Tone::Plain, &line);
    }
}

fn items(page: &mut Page, finding: &Finding) {
    if let Some(asked) = finding.items_asked {
        let of = |verdict| finding.items.iter().filter(|item: &&ItemVerdict| item.verdict == verdict).count();
        let (fail, unknown) = (of(Verdict::Fail), of(Verdict::Unknown));
        page.heading(&format!("Items: {asked} asked, {fail} fail, {unknown} could not be read"));
        for item in &finding.items {
            let why = item.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let line = format!("{}: {}{why}", item.name, item.verdict.as_str());
            page.say(Tone::Verdict(item.verdict), &line);
            item.evidence.iter().for_each(|shown| value(page, shown));
        }
    }
}

fn value(page: &mut Page, shown: &Shown) {
    let value = match (&shown.value, shown.unread) {
        (_, Some(reason)) => format!("not read ({reason})"),
        (serde_json::Value::Null, None) => "does not exist".to_owned(),
        (serde_json::Value::String(text), None) => format!("{text:?}"),
        (other, None) => value_in_words(other),
    };
    let short: String = value.chars().take(VALUE).collect();
    let more = if short.len() < value.len() { "..." } else { "" };
    page.indented(Tone::Plain, &format!("{} = {short}{more}", shown.path));
    if !shown.origin.is_empty() {
        let label = if shown.unread.is_some() { "why" } else { "from" };
        page.indented(Tone::Plain, &format!("  {label}: {}", shown.origin));
    }
}

fn to_do(page: &mut Page, control: &Control, verdict: Verdict) {
    let who = match control.who {
        Who::Technician => "a technician at the site",
        Who::Administrator => "an administrator",
        Who::Vendor => "the vendor of the platform",
        Who::Azure => "Azure, by its own commands",
    };
    page.heading(match verdict {
        Verdict::Pass | Verdict::NotApplicable => "What to do if it ever fails",
        Verdict::Unknown => "What to do if it turns out to fail",
        Verdict::Fail | Verdict::Manual => "What to do",
    });
    page.say(Tone::Plain, &format!("By {who}, about {} minutes.", control.minutes));
    if verdict == Verdict::Fail {
        page.say(Tone::Plain, "f shows the plan: what this program can do about it, or the steps for a person.");
    }
    page.say(Tone::Plain, &control.fix);
}

fn references(page: &mut Page, references: &References) {
    let named = references.named();
    if named.is_empty() {
        return;
    }
    page.heading("References");
    for (name, entries) in named {
        page.indented(Tone::Plain, &format!("{name}: {}", entries.join("; ")));
    }
}
