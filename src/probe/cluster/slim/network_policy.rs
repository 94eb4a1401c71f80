//! NetworkPolicies.

use super::Item;
use super::parts::{All, Labels, Many, Meta, Nothing, Text, full_name};
use crate::evidence::cluster::NetworkPolicy;
use serde::Deserialize;

/// A NetworkPolicy.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Policy {
    metadata: Meta,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    pod_selector: Option<Selector>,
    #[serde(default)]
    policy_types: Many<Text, 16>,
    egress: Option<Nothing>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    #[serde(default)]
    match_labels: Labels<All>,
    #[serde(default)]
    match_expressions: Many<Nothing, 1024>,
}

impl Item for Policy {
    type Evidence = NetworkPolicy;

    fn evidence(self) -> Option<NetworkPolicy> {
        let (namespace, name) = self.metadata.split()?;
        let selector = self.spec.pod_selector.unwrap_or_default();
        let mut kinds = self.spec.policy_types.texts();
        // As the API defines the field where it is not set.
        if kinds.is_empty() {
            kinds.push("Ingress".to_owned());
            if self.spec.egress.is_some() {
                kinds.push("Egress".to_owned());
            }
        }
        Some(NetworkPolicy {
            name: full_name(&namespace, &name),
            every_pod: selector.match_labels.0.is_empty() && selector.match_expressions.0.is_empty(),
            kinds,
            namespace,
        })
    }
}
