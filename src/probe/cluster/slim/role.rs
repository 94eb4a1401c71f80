//! Roles and ClusterRoles.

use super::Item;
use super::parts::{Bootstrap, Labels, Many, Meta, Nothing, Text, full_name};
use crate::evidence::cluster::{PolicyRule, Role};
use serde::Deserialize;

/// A Role or ClusterRole: the latter has no namespace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct SlimRole {
    metadata: Meta<Labels<Bootstrap>>,
    #[serde(default)]
    rules: Many<Rule, 8192>,
    aggregation_rule: Option<Nothing>,
}

/// A rule of a role, or of what the caller may do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct Rule {
    #[serde(default)]
    pub(in crate::probe::cluster) verbs: Many<Text, 1024>,
    #[serde(default)]
    pub(in crate::probe::cluster) api_groups: Many<Text, 4096>,
    #[serde(default)]
    pub(in crate::probe::cluster) resources: Many<Text, 4096>,
    #[serde(default)]
    pub(in crate::probe::cluster) resource_names: Many<Text, 16384>,
    #[serde(default, rename = "nonResourceURLs")]
    pub(in crate::probe::cluster) urls: Many<Text, 4096>,
}

impl Item for SlimRole {
    type Evidence = Role;

    fn evidence(self) -> Option<Role> {
        let (namespace, role) = self.metadata.split()?;
        let kind = if namespace.is_empty() { "ClusterRole" } else { "Role" };
        // A rule without a verb allows nothing.
        let rules = self.rules.0.into_iter().filter(|rule| !rule.verbs.0.is_empty()).map(|rule| PolicyRule {
            verbs: rule.verbs.texts(),
            api_groups: rule.api_groups.texts(),
            resources: rule.resources.texts(),
            resource_names: rule.resource_names.texts(),
            urls: rule.urls.texts(),
        });
        let own = matches!(role.as_str(), "cluster-admin" | "admin" | "edit" | "view") || role.starts_with("system:");
        Some(Role {
            name: format!("{kind} {}", full_name(&namespace, &role)),
            // The label alone can be set on any role by whoever writes it: the name must be one of Kubernetes' own, too.
            bootstrap: self.metadata.labels.marked() && own,
            aggregated: self.aggregation_rule.is_some(),
            rules: rules.collect(),
            namespace,
            role,
        })
    }
}
