//! RoleBindings and ClusterRoleBindings.

use super::Item;
use super::parts::{Bootstrap, Labels, Many, Meta, Text, full_name};
use crate::evidence::cluster::{Binding, Subject};
use serde::Deserialize;

/// A RoleBinding or ClusterRoleBinding: the latter has no namespace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct SlimBinding {
    metadata: Meta<Labels<Bootstrap>>,
    role_ref: RoleRef,
    #[serde(default)]
    subjects: Many<SlimSubject, 32768>,
}

#[derive(Debug, Deserialize)]
struct RoleRef {
    kind: Text,
    name: Text,
}

#[derive(Debug, Deserialize)]
struct SlimSubject {
    kind: Text,
    name: Text,
    namespace: Option<Text>,
}

impl Item for SlimBinding {
    type Evidence = Binding;

    fn evidence(self) -> Option<Binding> {
        let (namespace, binding) = self.metadata.split()?;
        let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
        let subjects: Vec<Subject> = self
            .subjects
            .0
            .into_iter()
            .map(|SlimSubject { kind, name, namespace }| Subject {
                kind: kind.0,
                name: name.0,
                namespace: namespace.unwrap_or_default().0,
            })
            .collect();
        // The label alone can be set on any binding, and a person be added to one that Kubernetes brings: then it is no
        // longer only what Kubernetes brings.
        let bootstrap = self.metadata.labels.marked() && subjects.iter().all(of_kubernetes);
        Some(Binding {
            name: format!("{kind} {}", full_name(&namespace, &binding)),
            bootstrap,
            role_kind: self.role_ref.kind.0,
            role: self.role_ref.name.0,
            subjects,
            namespace,
            binding,
        })
    }
}

/// Whether a subject is one of Kubernetes' own, as its own bindings name them.
fn of_kubernetes(subject: &Subject) -> bool {
    match subject.kind.as_str() {
        "ServiceAccount" => subject.namespace == "kube-system",
        _ => subject.name.starts_with("system:"),
    }
}
