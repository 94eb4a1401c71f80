//! `sitewarden scan`: probe or take saved evidence, assess, print.

use super::args::{Format, Scan};
use super::error::CliError;
use super::output::Output;
use super::{FAILED, GOOD, INCOMPLETE, cluster, site_file, source, targets};
use crate::assess::{Assessment, Verdict, assess};
use crate::catalog::Severity;
use crate::evidence::Evidence;
use crate::report::{TextOptions, clean, json, text};
use jiff::Timestamp;
use std::env;
use std::io::{self, IsTerminal as _, Write};

/// Runs it and gives the exit status.
pub(super) fn run(scan: &Scan, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
    let site = site_file::read(scan.look.site.as_deref())?;
    let catalog = source::catalog(&scan.folders, &site)?;
    let policy = source::policy(&scan.judge, &catalog.controls)?;
    let lifecycle = source::lifecycle()?;
    let output = Output::open(scan.output.as_deref(), false)?;
    let saved = source::evidence(&scan.judge, &scan.look)?;
    let as_of = source::as_of(&scan.judge, saved.as_ref())?;
    let evidence = match saved {
        Some(evidence) => evidence,
        None => {
            let (mut visit, usual) = targets::visit(&scan.look, &site)?;
            targets::or_usual(&mut visit, &scan.look, usual, &mut |note| {
                let _ = writeln!(err, "sitewarden: {}", clean(note));
            })?;
            if let Some(cluster) = &visit.cluster {
                cluster::log_in(&cluster.target, err);
            }
            targets::collect(&visit, scan.talk, scan.format == Format::Json)
        }
    };
    let assessment = assess(&evidence, &catalog, &lifecycle, &policy, as_of.unwrap_or_else(Timestamp::now));
    let result = match scan.format {
        Format::Json => json(&assessment).map_err(|error| CliError::Own("the findings", error.to_string()))?,
        Format::Text => {
            let colour = output.is_stdout() && colour_wanted();
            text(&assessment, TextOptions { colour, everything: scan.talk.verbose })
        }
    };
    match output.write(result.as_bytes(), out) {
        // The reader had seen enough; the status still tells what was found.
        Err(CliError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    if nothing_in(&evidence) {
        let words = "the evidence holds no node and no cluster, so nothing was asked; collect it again";
        let _ = writeln!(err, "sitewarden: {words}");
    }
    Ok(status(&assessment, &evidence, scan.fail_on))
}

/// Whether there is nothing that anything could be asked of.
fn nothing_in(evidence: &Evidence) -> bool {
    evidence.nodes.is_empty() && evidence.cluster.is_none()
}

/// 1 where something failed at or above the severity; else 3 where not everything could be looked at; else 0. Evidence
/// of nothing is never a success.
fn status(assessment: &Assessment, evidence: &Evidence, fail_on: Severity) -> u8 {
    let failed =
        assessment.findings.iter().any(|finding| finding.verdict == Verdict::Fail && finding.severity >= fail_on);
    match (failed, assessment.summary.incomplete || nothing_in(evidence)) {
        (true, _) => FAILED,
        (false, true) => INCOMPLETE,
        (false, false) => GOOD,
    }
}

/// Colour only on a terminal that can, and where nobody forbids it (no-color.org).
fn colour_wanted() -> bool {
    let forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let plain = env::var_os("TERM").is_none_or(|term| term == "dumb" || term == "vt100" || term.is_empty());
    io::stdout().is_terminal() && !forbidden && !plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::assess::{Finding, SCHEMA, Summary};
    use crate::catalog::{References, Scope, Section};
    use crate::evidence::{ChannelKind, ClusterEvidence, NodeEvidence, Profile, Reason, Seat, SiteFacts};

    fn evidence(nodes: usize) -> Evidence {
        let time = Timestamp::UNIX_EPOCH;
        Evidence {
            schema: crate::evidence::SCHEMA.to_owned(),
            tool: crate::visit::tool(),
            started: time,
            finished: time,
            seat: Seat::default(),
            site: SiteFacts::default(),
            cluster: None,
            endpoints: None,
            nodes: (0..nodes)
                .map(|n| NodeEvidence::unread(&n.to_string(), None, ChannelKind::Local, Reason::Timeout, ""))
                .collect(),
        }
    }

    fn assessment(verdict: Verdict, severity: Severity, incomplete: bool) -> Assessment {
        let finding = Finding {
            control: String::new(),
            title: String::new(),
            section: Section::Patches,
            severity,
            scope: Scope::Node,
            target: String::new(),
            verdict,
            reason: None,
            message: String::new(),
            evidence: Vec::new(),
            items: Vec::new(),
            items_asked: None,
            references: References::default().into(),
            attestation: None,
            waiver: None,
            remedy: None,
        };
        let time = Timestamp::UNIX_EPOCH;
        Assessment {
            schema: SCHEMA,
            tool: crate::visit::tool(),
            site: SiteFacts::default(),
            identity: None,
            cluster: None,
            seat: Seat::default(),
            operator: String::new(),
            profile: Profile::Guide,
            catalog_digest: String::new(),
            lifecycle_date: String::new(),
            platform: None,
            as_of: time,
            started: time,
            finished: time,
            targets: Vec::new(),
            findings: vec![finding],
            summary: Summary { incomplete, ..Summary::default() },
        }
    }

    #[test]
    fn the_status_tells_failed_from_incomplete_from_good() {
        let one = evidence(1);
        let fail = |severity, incomplete| assessment(Verdict::Fail, severity, incomplete);
        assert_eq!(status(&fail(Severity::High, true), &one, Severity::High), FAILED);
        assert_eq!(status(&fail(Severity::Medium, false), &one, Severity::High), GOOD);
        assert_eq!(status(&fail(Severity::Medium, true), &one, Severity::High), INCOMPLETE);
        assert_eq!(status(&fail(Severity::Medium, false), &one, Severity::Medium), FAILED);
        assert_eq!(status(&assessment(Verdict::Unknown, Severity::Critical, false), &one, Severity::Low), GOOD);
        let pass = assessment(Verdict::Pass, Severity::Low, false);
        assert_eq!(status(&pass, &evidence(0), Severity::Low), INCOMPLETE);
        let cluster = Evidence { cluster: Some(ClusterEvidence::default()), ..evidence(0) };
        assert_eq!(status(&pass, &cluster, Severity::Low), GOOD, "a cluster alone is something");
    }
}
