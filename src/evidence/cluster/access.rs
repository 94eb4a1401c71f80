//! Who may do what: the caller, roles, bindings, service accounts; and what namespaces and policies allow.

use super::super::Fact;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As whom the API server knows us (SelfSubjectReview).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// User name.
    pub user: String,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// How the kubeconfig logs in: `client certificate`, `token`, `exec kubelogin`, `service account`.
    #[serde(default)]
    pub how: String,
}

/// Something that the probe wanted to read and the caller may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denied {
    /// For screens: `list pods`.
    pub name: String,
    /// Where it would have stood in the evidence: `pods`.
    pub path: String,
}

/// A Namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Namespace {
    /// Name.
    pub name: String,
    /// Labels of Pod Security admission (`pod-security.kubernetes.io/*`), by what follows the slash: `enforce`.
    #[serde(default)]
    pub pod_security: BTreeMap<String, String>,
}

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAccount {
    /// For screens: `NAMESPACE/NAME`.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Name within the namespace.
    pub account: String,
    /// `automountServiceAccountToken`. Absent where unset, which means true.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub automount_token: Fact<bool>,
}

/// One rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRule {
    /// Verbs.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// API groups.
    #[serde(default)]
    pub api_groups: Vec<String>,
    /// Resources.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Resource names; empty: all.
    #[serde(default)]
    pub resource_names: Vec<String>,
    /// Non-resource URLs.
    #[serde(default)]
    pub urls: Vec<String>,
}

/// A Role or ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    /// For screens: `ClusterRole NAME`, `Role NAMESPACE/NAME`.
    pub name: String,
    /// Name of the object.
    pub role: String,
    /// Namespace; empty: a ClusterRole.
    #[serde(default)]
    pub namespace: String,
    /// Whether Kubernetes itself brings it (label `kubernetes.io/bootstrapping: rbac-defaults`).
    #[serde(default)]
    pub bootstrap: bool,
    /// Whether its rules are gathered from other roles (`aggregationRule`).
    #[serde(default)]
    pub aggregated: bool,
    /// Rules.
    #[serde(default)]
    pub rules: Vec<PolicyRule>,
}

/// Somebody a binding speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// `User`, `Group`, `ServiceAccount`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace of a service account; empty otherwise.
    #[serde(default)]
    pub namespace: String,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// For screens: `ClusterRoleBinding NAME`, `RoleBinding NAMESPACE/NAME`.
    pub name: String,
    /// Name of the object.
    pub binding: String,
    /// Namespace; empty: a ClusterRoleBinding.
    #[serde(default)]
    pub namespace: String,
    /// Whether Kubernetes itself brings it.
    #[serde(default)]
    pub bootstrap: bool,
    /// `ClusterRole` or `Role`.
    pub role_kind: String,
    /// Name of the role.
    pub role: String,
    /// Subjects.
    #[serde(default)]
    pub subjects: Vec<Subject>,
}

/// A NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPolicy {
    /// For screens: `NAMESPACE/NAME`.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Whether it selects every pod of the namespace.
    #[serde(default)]
    pub every_pod: bool,
    /// `policyTypes`: `Ingress`, `Egress`.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// A CertificateSigningRequest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SigningRequest {
    /// Name.
    pub name: String,
    /// `spec.signerName`: `kubernetes.io/kubelet-serving`.
    pub signer: String,
    /// Who asked.
    #[serde(default)]
    pub requestor: String,
    /// When.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub created: Fact<Timestamp>,
    /// `pending`, `approved`, `denied`, `failed`.
    pub state: String,
    /// Whether a certificate was issued.
    #[serde(default)]
    pub issued: bool,
}

/// A webhook configuration or a ValidatingAdmissionPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Admission {
    /// For screens: `ValidatingWebhookConfiguration NAME`.
    pub name: String,
    /// `ValidatingWebhookConfiguration`, `MutatingWebhookConfiguration`, `ValidatingAdmissionPolicy`.
    pub kind: String,
    /// Whether every webhook of it (or the policy) refuses where it cannot be asked (`failurePolicy: Fail`).
    #[serde(default)]
    pub fails_closed: bool,
    /// Namespaces of the services that its webhooks call.
    #[serde(default)]
    pub service_namespaces: Vec<String>,
    /// Hosts of URLs that its webhooks call instead, without path or credentials.
    #[serde(default)]
    pub url_hosts: Vec<String>,
}
