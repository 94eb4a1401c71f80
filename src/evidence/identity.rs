//! Which site a document is of: never a context's name or an address, which repeat from site to site.

use super::{Evidence, Fact};
use schemars::JsonSchema;
use serde::Serialize;

/// By what a site is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityKind {
    /// The id of the Azure Arc resource.
    Arc,
    /// The uid of the namespace `kube-system`.
    ClusterUid,
    /// The name that a person gave it.
    Name,
}

/// Which site it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SiteIdentity {
    /// By what.
    pub kind: IdentityKind,
    /// The id, uid or name.
    pub id: String,
}

impl SiteIdentity {
    /// What a document says of its site: the Arc resource, else the cluster's uid, else the name. None where it says
    /// nothing.
    pub fn of(evidence: &Evidence) -> Option<Self> {
        let cluster = evidence.cluster.as_ref();
        let known = |fact: &Fact<String>| fact.known().filter(|id| !id.is_empty()).cloned();
        let of_cluster = |kind, id: Option<String>| id.map(|id| SiteIdentity { kind, id });
        of_cluster(IdentityKind::Arc, cluster.and_then(|cluster| known(&cluster.arc.identity.resource_id)))
            .or_else(|| of_cluster(IdentityKind::ClusterUid, cluster.and_then(|cluster| known(&cluster.uid))))
            .or_else(|| of_cluster(IdentityKind::Name, evidence.site.name.clone()))
    }

    /// For people, in a few words: `Arc edge-042 in rg-edge`, `kube-system 1b4e28ba-...`, the name.
    pub fn in_words(&self) -> String {
        match self.kind {
            IdentityKind::Arc => {
                let part = |after: &str| {
                    let mut parts = self.id.split('/');
                    parts.find(|part| part.eq_ignore_ascii_case(after)).and_then(|_| parts.next())
                };
                match (part("connectedClusters"), part("resourceGroups")) {
                    (Some(name), Some(group)) => format!("Arc {name} in {group}"),
                    _ => format!("Arc {}", self.id),
                }
            }
            IdentityKind::ClusterUid => format!("kube-system {}", self.id),
            IdentityKind::Name => self.id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::evidence::ClusterEvidence;

    fn document() -> Evidence {
        let text = r#"{"schema": "sitewarden.evidence/v1", "tool": {"name": "s", "version": "0"},
            "started": "2026-08-22T10:00:00Z", "finished": "2026-08-22T10:00:05Z", "seat": {"host": "h", "user": "u"}}"#;
        Evidence::from_json(text).unwrap()
    }

    #[test]
    fn arc_before_the_uid_before_a_name() {
        let mut evidence = document();
        assert_eq!(SiteIdentity::of(&evidence), None);
        evidence.site.name = Some("Harbour 7".to_owned());
        assert_eq!(SiteIdentity::of(&evidence).unwrap().in_words(), "Harbour 7");
        let mut cluster = ClusterEvidence { uid: Fact::Known("1b4e28ba".to_owned()), ..ClusterEvidence::default() };
        evidence.cluster = Some(cluster.clone());
        assert_eq!(SiteIdentity::of(&evidence).unwrap().in_words(), "kube-system 1b4e28ba");
        let id = "/subscriptions/0/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/edge-042";
        cluster.arc.identity.resource_id = Fact::Known(id.to_owned());
        evidence.cluster = Some(cluster);
        let identity = SiteIdentity::of(&evidence).unwrap();
        assert_eq!((identity.kind, identity.in_words().as_str()), (IdentityKind::Arc, "Arc edge-042 in rg-edge"));
        assert_eq!(identity.id, id);
    }
}
