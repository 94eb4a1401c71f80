//! Objects of the cluster: labels of namespaces, a field, a network policy, subjects of bindings.

use super::About;
use super::config_map::TextOp;
use crate::assess::Verdict;
use crate::catalog::KubeChange;
use crate::evidence::ClusterEvidence;
use crate::evidence::cluster::{Binding, Subject};
use crate::kubeapi::ObjectPlace;
use crate::remedy::plan::Refusal;
use serde_json::{Value, json};

/// Name of the network policy of ours.
pub(in crate::remedy) const POLICY: &str = "sitewarden-same-namespace-only";

/// Most objects that one plan changes.
const MOST: usize = 200;

/// One change of one object of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum KubeOp {
    /// A label of a namespace.
    Label {
        /// The namespace.
        namespace: String,
        /// Key of the label.
        key: String,
        /// Its value.
        value: String,
    },
    /// A field at the top of an object.
    Field {
        /// The object.
        place: ObjectPlace,
        /// Name of the field.
        field: String,
        /// Its value.
        value: Value,
    },
    /// A network policy of ours, by which the pods of a namespace take connections from pods of that namespace alone.
    Policy {
        /// The namespace.
        namespace: String,
    },
    /// A subject is taken out of a binding.
    Unbind {
        /// The binding.
        binding: ObjectPlace,
        /// The subject.
        subject: Bound,
    },
    /// A setting in a text of one of kubeadm's ConfigMaps.
    Text(TextOp),
}

/// A subject of a binding, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// `User`, `Group`, `ServiceAccount`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace of a service account. Empty: none stands there.
    pub namespace: String,
}

impl Bound {
    /// Whether a subject of a binding as the API gives it is this one.
    pub(in crate::remedy) fn is(&self, subject: &Value) -> bool {
        let text = |key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default();
        text("kind") == self.kind && text("name") == self.name && text("namespace") == self.namespace
    }

    /// As a person reads it: `Group system:authenticated`.
    pub(in crate::remedy) fn in_words(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("{} {}", self.kind, self.name),
            namespace => format!("{} {namespace}/{}", self.kind, self.name),
        }
    }
}

impl KubeOp {
    /// The object that is changed.
    pub(in crate::remedy) fn place(&self) -> ObjectPlace {
        match self {
            KubeOp::Label { namespace, .. } => place("", "Namespace", "namespaces", None, namespace),
            KubeOp::Policy { namespace } => {
                place("networking.k8s.io", "NetworkPolicy", "networkpolicies", Some(namespace), POLICY)
            }
            KubeOp::Field { place, .. } => place.clone(),
            KubeOp::Unbind { binding, .. } => binding.clone(),
            KubeOp::Text(op) => op.held.place(),
        }
    }
}

/// The network policy itself.
pub(in crate::remedy) fn policy() -> Value {
    json!({
        "metadata": {"labels": {"app.kubernetes.io/managed-by": "sitewarden"}},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]},
    })
}

/// An object of version v1.
pub(in crate::remedy) fn place(
    group: &str,
    kind: &str,
    plural: &str,
    namespace: Option<&str>,
    name: &str,
) -> ObjectPlace {
    ObjectPlace {
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

/// What is done for `kube-object`, for each item that the finding names, and what to know about it.
pub(super) fn plan(change: &KubeChange, about: &About<'_>) -> Result<(Vec<KubeOp>, Vec<String>), Refusal> {
    let cluster = about.evidence.cluster.as_ref();
    let cluster = cluster.ok_or_else(|| Refusal::new("the cluster was not read. Scan again"))?;
    let items = about.finding.items.iter().filter(|item| item.verdict == Verdict::Fail);
    let names: Vec<&str> = items.map(|item| item.name.as_str()).collect();
    let mut notes = Vec::new();
    let mut ops = Vec::new();
    for name in &names {
        match change {
            KubeChange::Unbind {} => ops.extend(unbind(name, cluster, &mut notes)?),
            _ => ops.extend(of_namespace(change, name, &mut notes)),
        }
    }
    if ops.is_empty() {
        let why = notes.pop().unwrap_or_else(|| "the finding names no object that could be changed".to_owned());
        return Err(Refusal::new(format!("{why}. Scan again, or follow the control's `fix`")));
    }
    if ops.len() > MOST {
        return Err(Refusal::new(format!(
            "{} objects would be changed at once, and at most {MOST} are. Change some by hand first",
            ops.len()
        )));
    }
    Ok((ops, notes))
}

/// What is done in one namespace. None where it is Kubernetes' own.
fn of_namespace(change: &KubeChange, namespace: &str, notes: &mut Vec<String>) -> Option<KubeOp> {
    if namespace.starts_with("kube-") {
        notes.push(format!("{namespace} is left alone: it is Kubernetes' own"));
        return None;
    }
    let namespace = namespace.to_owned();
    match change {
        KubeChange::LabelNamespace { key, value } => {
            Some(KubeOp::Label { namespace, key: key.clone(), value: value.clone() })
        }
        KubeChange::SetField { kind, name, field, value } if kind == "ServiceAccount" => {
            let place = place("", kind, "serviceaccounts", Some(&namespace), name);
            Some(KubeOp::Field { place, field: field.clone(), value: value.clone() })
        }
        KubeChange::DenyFromOtherNamespaces {} => Some(KubeOp::Policy { namespace }),
        KubeChange::SetField { .. } | KubeChange::Unbind {} => None,
    }
}

/// The subjects that an item of the finding means: `Group system:authenticated (ClusterRoleBinding NAME)`.
fn unbind(item: &str, cluster: &ClusterEvidence, notes: &mut Vec<String>) -> Result<Vec<KubeOp>, Refusal> {
    let named = |binding: &&Binding| item.ends_with(&format!(" ({})", binding.name));
    let Some(binding) = cluster.bindings.items.iter().find(named) else {
        return Err(Refusal::new(format!("{item}: its binding is not in what was read. Scan again")));
    };
    if binding.bootstrap {
        notes.push(format!("{} is left alone: Kubernetes itself brings it, and would bring it back", binding.name));
        return Ok(Vec::new());
    }
    let (kind, plural, namespace) = match binding.namespace.as_str() {
        "" => ("ClusterRoleBinding", "clusterrolebindings", None),
        namespace => ("RoleBinding", "rolebindings", Some(namespace)),
    };
    let at = place("rbac.authorization.k8s.io", kind, plural, namespace, &binding.binding);
    let holder = item.strip_suffix(&format!(" ({})", binding.name)).unwrap_or_default();
    let of = |subject: &&Subject| named_as(subject, binding) == holder;
    let ops: Vec<KubeOp> = binding
        .subjects
        .iter()
        .filter(of)
        .map(|subject| KubeOp::Unbind {
            binding: at.clone(),
            subject: Bound {
                kind: subject.kind.clone(),
                name: subject.name.clone(),
                namespace: subject.namespace.clone(),
            },
        })
        .collect();
    if ops.is_empty() {
        return Err(Refusal::new(format!("{item}: that subject is not in what was read. Scan again")));
    }
    Ok(ops)
}

/// How findings name a subject.
fn named_as(subject: &Subject, binding: &Binding) -> String {
    let as_user = subject.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match (subject.kind.as_str(), as_user) {
        ("ServiceAccount", _) => {
            let namespace = if subject.namespace.is_empty() { &binding.namespace } else { &subject.namespace };
            format!("ServiceAccount {namespace}/{}", subject.name)
        }
        ("User", Some((namespace, name))) => format!("ServiceAccount {namespace}/{name}"),
        (kind, _) => format!("{kind} {}", subject.name),
    }
}

#[cfg(test)]
#[path = "kube_tests.rs"]
mod tests;
