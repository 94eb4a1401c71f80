//! The pure function from evidence, catalog, lifecycle data, policy and a time to findings.

mod finding;

pub use finding::{Assessment, Finding, ItemVerdict, SCHEMA, Shown, Summary, Target, TargetKind, Verdict};

use crate::catalog::Catalog;
use crate::evidence::{Evidence, Lifecycle, Policy};
use jiff::Timestamp;

/// Judges evidence. Pure: the same five arguments give the same assessment, to the byte.
pub fn assess(
    evidence: &Evidence,
    catalog: &Catalog,
    lifecycle: &Lifecycle,
    policy: &Policy,
    now: Timestamp,
) -> Assessment {
    Assessment {
        schema: SCHEMA,
        tool: evidence.tool.clone(),
        site: evidence.site.clone(),
        seat: evidence.seat.clone(),
        operator: evidence.seat.user.clone(),
        profile: policy.profile,
        catalog_digest: catalog.digest.clone(),
        lifecycle_date: lifecycle.snapshot_date.clone(),
        platform: None,
        as_of: now,
        started: evidence.started,
        finished: evidence.finished,
        targets: Vec::new(),
        findings: Vec::new(),
        summary: Summary::default(),
    }
}
