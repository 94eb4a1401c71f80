//! What an assessment says.

use crate::catalog::{Control, References, Scope, Section, Severity};
use crate::evidence::{
    Caller, ChannelKind, ClusterEvidence, ProbeError, Profile, Reading, Reason, Seat, SiteFacts, SiteIdentity, Tool,
    Value,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

/// Schema name of the findings JSON.
pub const SCHEMA: &str = "sitewarden.findings/v1";

/// How a control stands at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was read and does not hold.
    Fail,
    /// It could not be read; never a pass.
    Unknown,
    /// No probe can tell: a person must answer.
    Manual,
    /// It was read and holds.
    Pass,
    /// There is nothing here to ask it of.
    NotApplicable,
}

impl Verdict {
    /// The word as it stands in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Manual => "manual",
            Verdict::Pass => "pass",
            Verdict::NotApplicable => "not-applicable",
        }
    }
}

/// What kind of thing a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The site as a whole.
    Site,
    /// The cluster.
    Cluster,
    /// A node.
    Node,
    /// An endpoint.
    Endpoint,
}

/// Something that controls were asked of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Target {
    /// `site`, `cluster`, `node/NAME` or `endpoint/HOST:PORT`.
    pub id: String,
    /// What it is.
    pub kind: TargetKind,
    /// By which way it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelKind>,
    /// Name of the node in the cluster, where the API lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// Whether it answered.
    pub reached: bool,
    /// Whether its answer was whole.
    pub complete: bool,
    /// What went wrong with it as a whole.
    pub errors: Vec<ProbeError>,
}

/// A value that decided a finding, or goes with it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Shown {
    /// Its path: `node.kubelet.effective.readOnlyPort`.
    pub path: Arc<str>,
    /// The value. None where it was read as not existing or was not read.
    pub value: serde_json::Value,
    /// Where it came from, or why it was not read.
    pub origin: Cow<'static, str>,
    /// Set where it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// One item of a control with `each`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ItemVerdict {
    /// The item's `name` or `path`.
    pub name: String,
    /// `fail` or `unknown`; items that pass are counted, not listed.
    pub verdict: Verdict,
    /// Why, where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The values that decided it.
    pub evidence: Vec<Shown>,
}

/// One control at one target.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// Id of the control.
    pub control: String,
    /// Its title.
    pub title: String,
    /// Its section.
    #[schemars(with = "String")]
    pub section: Section,
    /// Its severity.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// Its scope.
    #[schemars(with = "String")]
    pub scope: Scope,
    /// Id of the target.
    pub target: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// One sentence for the person.
    pub message: String,
    /// The values that decided it.
    pub evidence: Vec<Shown>,
    /// Items that fail or could not be read, of a control with `each`.
    pub items: Vec<ItemVerdict>,
    /// How many items were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_asked: Option<usize>,
    /// Where the control comes from.
    #[schemars(with = "serde_json::Value")]
    pub references: Arc<References>,
    /// A person's recorded answer. Always null until answers can be recorded.
    pub attestation: Option<serde_json::Value>,
    /// An accepted failure. Always null until waivers can be recorded.
    pub waiver: Option<serde_json::Value>,
    /// Recipe by which it can be put right.
    pub remedy: Option<Arc<serde_json::Value>>,
}

/// The cluster: what a reader of findings must know about how its API was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterSummary {
    /// Name of the kubeconfig context, or `in-cluster`.
    pub context: String,
    /// URL of the API server.
    pub server: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What stands between the seat and the API server and ends its TLS.
    pub proxy: Option<String>,
    /// As whom the API was asked.
    pub caller: Option<Caller>,
    /// What that caller may not read: `list pods`.
    pub denied: Vec<String>,
    /// Why it is taken for the platform that it is taken for.
    pub platform_reasons: Vec<String>,
}

impl ClusterSummary {
    /// Of what was seen, and the tree of it.
    pub(super) fn of(cluster: &ClusterEvidence, tree: &Reading) -> Self {
        let reasons = match tree.at("platform.reasons").value {
            Value::List { items, .. } => items.iter().map(|item| item.value.clone()).collect(),
            _ => Vec::new(),
        };
        let texts = reasons.into_iter().filter_map(|reason| match reason {
            Value::Text(reason) => Some(reason.to_string()),
            _ => None,
        });
        ClusterSummary {
            context: cluster.context.clone(),
            server: cluster.server.known().cloned(),
            version: cluster.version.known().map(|version| version.git.clone()),
            proxy: cluster.proxy.known().cloned(),
            caller: cluster.caller.known().cloned(),
            denied: cluster.denied.items.iter().map(|denied| denied.name.clone()).collect(),
            platform_reasons: texts.collect(),
        }
    }
}

/// Counts over all findings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Findings that pass.
    pub pass: usize,
    /// That fail.
    pub fail: usize,
    /// That could not be read.
    pub unknown: usize,
    /// That a person must answer.
    pub manual: usize,
    /// That do not apply.
    pub not_applicable: usize,
    /// Whether a target was not reached, or its answer as a whole was cut or refused.
    pub incomplete: bool,
}

/// Everything that one assessment says: `sitewarden.findings/v1`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Assessment {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The program that assessed.
    pub tool: Tool,
    /// The site.
    pub site: SiteFacts,
    /// Which site it is, as far as the evidence tells.
    pub identity: Option<SiteIdentity>,
    /// The cluster, where its API was asked.
    pub cluster: Option<ClusterSummary>,
    /// Where the evidence was collected from.
    pub seat: Seat,
    /// Who collected it.
    pub operator: String,
    /// By which profile.
    pub profile: Profile,
    /// SHA-256 over the catalog, lower-case hex.
    pub catalog_digest: String,
    /// Date of the lifecycle data.
    pub lifecycle_date: String,
    /// The platform, where the cluster's API was read.
    pub platform: Option<String>,
    /// The time that the assessment was made for.
    #[schemars(with = "String")]
    pub as_of: Timestamp,
    /// When collecting the evidence began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it ended.
    #[schemars(with = "String")]
    pub finished: Timestamp,
    /// What was looked at.
    pub targets: Vec<Target>,
    /// Every control at every target in its scope: by section, then in the catalog's order, then by target.
    pub findings: Vec<Finding>,
    /// Counts.
    pub summary: Summary,
}

impl Finding {
    /// A finding with no evidence yet: the control's own words, and a verdict with its sentence.
    pub fn of(control: &Control, target: &str, verdict: Verdict, message: impl Into<String>) -> Self {
        Finding {
            control: control.id.clone(),
            title: control.title.clone(),
            section: control.section,
            severity: control.severity,
            scope: control.scope,
            target: target.to_owned(),
            verdict,
            reason: None,
            message: message.into(),
            evidence: Vec::new(),
            items: Vec::new(),
            items_asked: None,
            references: Arc::new(control.references.clone()),
            attestation: None,
            waiver: None,
            remedy: control.remedy.as_ref().and_then(|remedy| serde_json::to_value(remedy).ok()).map(Arc::new),
        }
    }
}
