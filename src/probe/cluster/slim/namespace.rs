//! Namespaces.

use super::Item;
use super::parts::{Keep, Labels, Meta, Text};
use crate::evidence::cluster::Namespace;
use serde::Deserialize;

/// Labels of Pod Security admission begin so.
const PREFIX: &str = "pod-security.kubernetes.io/";

/// Labels of Pod Security admission.
#[derive(Debug, Clone, Default)]
pub(in crate::probe::cluster) struct PodSecurity;

impl Keep for PodSecurity {
    fn keeps(key: &str) -> bool {
        key.starts_with(PREFIX)
    }
}

/// A Namespace.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct SlimNamespace {
    metadata: Meta<Labels<PodSecurity>>,
}

impl Item for SlimNamespace {
    type Evidence = Namespace;

    fn evidence(self) -> Option<Namespace> {
        let (_, name) = self.metadata.split()?;
        let labels = self.metadata.labels.0.into_iter();
        let short = |key: String| key.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(key);
        Some(Namespace { name, pod_security: labels.map(|(key, value)| (short(key), value)).collect() })
    }
}

/// An object of which its uid alone is asked.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct WithUid {
    metadata: Uid,
}

#[derive(Debug, Deserialize)]
struct Uid {
    uid: Option<Text>,
}

impl WithUid {
    /// The uid; None where the object has none.
    pub(in crate::probe::cluster) fn uid(self) -> Option<String> {
        self.metadata.uid.map(|uid| uid.0).filter(|uid| !uid.is_empty())
    }
}
