//! One control, as the catalog's YAML says it.

use super::RemedySpec;
use crate::evidence::Profile;
use serde::{Deserialize, Serialize};

/// Section of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Stay up to date with the latest security patches.
    Patches,
    /// Configure security protections on control plane and worker nodes.
    NodeProtection,
    /// Protect the communication between Kubernetes control plane components.
    ControlPlaneCommunication,
    /// Protect direct access to your nodes.
    NodeAccess,
}

impl Section {
    /// All four, in the order of the guide.
    pub const ALL: [Section; 4] =
        [Section::Patches, Section::NodeProtection, Section::ControlPlaneCommunication, Section::NodeAccess];

    /// The word as it stands in the catalog, on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Patches => "patches",
            Section::NodeProtection => "node-protection",
            Section::ControlPlaneCommunication => "control-plane-communication",
            Section::NodeAccess => "node-access",
        }
    }

    /// Its heading on screens and in reports.
    pub fn title(self) -> &'static str {
        match self {
            Section::Patches => "Security patches",
            Section::NodeProtection => "Protection of control-plane and worker nodes",
            Section::ControlPlaneCommunication => "Communication between control-plane components",
            Section::NodeAccess => "Direct access to nodes",
        }
    }
}

/// How bad it is when the control does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Defence in depth.
    Low,
    /// Helps an intruder who is already in.
    Medium,
    /// Opens a way in under conditions that are common.
    High,
    /// Opens the cluster or the node.
    Critical,
}

impl Severity {
    /// The word as it stands in the catalog and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// What a control is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The site as a whole.
    Site,
    /// The cluster.
    Cluster,
    /// Each node.
    Node,
    /// Each endpoint.
    Endpoint,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A person at the site.
    Technician,
    /// Somebody who administers the cluster.
    Administrator,
    /// The vendor of the platform.
    Vendor,
    /// Azure, by its own commands.
    Azure,
}

/// What an empty, complete list means for a control with `each`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyMeans {
    /// There is nothing to ask: not applicable.
    #[default]
    NotApplicable,
    /// None is what one wants.
    Pass,
}

/// Where a control comes from; the keys are fixed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct References {
    /// CIS Kubernetes Benchmark items, as numbered in v1.12 and v2.0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cis: Vec<String>,
    /// sshd_config directives.
    #[serde(rename = "sshd_config", skip_serializing_if = "Vec::is_empty")]
    pub sshd_config: Vec<String>,
    /// NSA Kubernetes Hardening Guidance, headings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nsa: Vec<String>,
    /// OWASP Kubernetes Security Cheat Sheet, headings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owasp: Vec<String>,
    /// NIST SP 800-190, sections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nist_800_190: Vec<String>,
    /// Microsoft's threat matrix for Kubernetes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ms_threat_matrix: Vec<String>,
    /// MITRE ATT&CK techniques.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attack: Vec<String>,
    /// Headings of the guide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guide: Vec<String>,
}

impl References {
    /// The sources that are named, in a fixed order: what a person calls each, and its entries.
    pub fn named(&self) -> Vec<(&'static str, &[String])> {
        let all = [
            ("guide", &self.guide),
            ("CIS Kubernetes Benchmark", &self.cis),
            ("sshd_config", &self.sshd_config),
            ("NSA hardening guidance", &self.nsa),
            ("OWASP cheat sheet", &self.owasp),
            ("NIST SP 800-190", &self.nist_800_190),
            ("Microsoft threat matrix", &self.ms_threat_matrix),
            ("MITRE ATT&CK", &self.attack),
        ];
        all.into_iter().filter(|(_, entries)| !entries.is_empty()).map(|(name, list)| (name, list.as_slice())).collect()
    }
}

/// One thing that ought to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Stable name, kebab-case.
    pub id: String,
    /// Section of the guide.
    pub section: Section,
    /// From which profile on it is asked.
    #[serde(default)]
    pub profile: Profile,
    /// What holds when it passes, one line.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// What it is asked of.
    pub scope: Scope,
    /// Who can put it right.
    pub who: Who,
    /// About how many minutes that takes.
    pub minutes: u32,
    /// CEL: false -> not applicable. Absent: always applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Why it does not apply, for the person, where `when` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// Path of a list: `expect` is asked of every `item` of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// CEL over `item`: narrows `each`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "where")]
    pub where_: Option<String>,
    /// What an empty, complete list means.
    #[serde(default)]
    pub empty: EmptyMeans,
    /// CEL: true -> pass, false -> fail. Absent: no probe can tell, the control is `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Paths whose values are shown with the finding (`node....` or `item....`).
    #[serde(default)]
    pub shows: Vec<String>,
    /// What an intruder does with a failure, in one or two sentences.
    pub why: String,
    /// What to do about it, as a person would be told: steps, commands.
    pub fix: String,
    /// For a manual control: what to look at, and what to ask whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub references: References,
    /// How it is put right. Absent: by the words of `fix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<RemedySpec>,
}
