//! What a kubeconfig says, field by field, as client-go's `clientcmd/api/v1` has it.
//!
//! kube's own types are not used: they buffer every record to keep unknown fields, after which a name or password that
//! is a number no longer reads as text, and they have `null` in fewer places than kubectl writes it.

use serde::{Deserialize, Deserializer};
use std::fmt;
use zeroize::Zeroizing;

/// A text that is never shown and leaves no trace in memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub(in crate::kubeapi) struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into keeping.
    pub(in crate::kubeapi) fn new(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }

    /// The text.
    pub(in crate::kubeapi) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(rename = "apiVersion")]
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) clusters: Option<Vec<NamedCluster>>,
    pub(super) contexts: Option<Vec<NamedContext>>,
    pub(super) users: Option<Vec<NamedUser>>,
    pub(super) current_context: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NamedCluster {
    pub(super) name: Option<String>,
    pub(super) cluster: Option<Cluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NamedContext {
    pub(super) name: Option<String>,
    pub(super) context: Option<Context>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NamedUser {
    pub(super) name: Option<String>,
    pub(super) user: Option<User>,
}

/// Which cluster, as whom.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Context {
    pub(super) cluster: Option<String>,
    pub(super) user: Option<String>,
    pub(super) namespace: Option<String>,
}

/// How a cluster's API server is reached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(in crate::kubeapi) struct Cluster {
    pub(in crate::kubeapi) server: Option<String>,
    pub(in crate::kubeapi) insecure_skip_tls_verify: Option<bool>,
    pub(in crate::kubeapi) certificate_authority: Option<String>,
    pub(in crate::kubeapi) certificate_authority_data: Option<String>,
    pub(in crate::kubeapi) proxy_url: Option<Secret>,
    pub(in crate::kubeapi) disable_compression: Option<bool>,
    pub(in crate::kubeapi) tls_server_name: Option<String>,
    pub(in crate::kubeapi) extensions: Option<Vec<Extension>>,
}

/// Data of other programs beside a cluster; one of them is meant for credential plugins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::kubeapi) struct Extension {
    pub(in crate::kubeapi) name: Option<String>,
    pub(in crate::kubeapi) extension: Option<serde_json::Value>,
}

/// How one logs in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(in crate::kubeapi) struct User {
    pub(in crate::kubeapi) client_certificate: Option<String>,
    pub(in crate::kubeapi) client_certificate_data: Option<String>,
    pub(in crate::kubeapi) client_key: Option<String>,
    pub(in crate::kubeapi) client_key_data: Option<Secret>,
    pub(in crate::kubeapi) token: Option<Secret>,
    #[serde(rename = "tokenFile")]
    pub(in crate::kubeapi) token_file: Option<String>,
    pub(in crate::kubeapi) username: Option<String>,
    pub(in crate::kubeapi) password: Option<Secret>,
    #[serde(rename = "as")]
    pub(in crate::kubeapi) impersonate: Option<String>,
    pub(in crate::kubeapi) as_uid: Option<String>,
    pub(in crate::kubeapi) as_groups: Option<Vec<String>>,
    pub(in crate::kubeapi) as_user_extra: Option<std::collections::BTreeMap<String, Option<Vec<String>>>>,
    pub(in crate::kubeapi) auth_provider: Option<AuthProvider>,
    pub(in crate::kubeapi) exec: Option<Exec>,
}

/// The old way of plugins, compiled into kubectl; only `oidc` is left of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::kubeapi) struct AuthProvider {
    pub(in crate::kubeapi) name: Option<String>,
    pub(in crate::kubeapi) config: Option<std::collections::BTreeMap<String, Option<Secret>>>,
}

/// A program that gives credentials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::kubeapi) struct Exec {
    pub(in crate::kubeapi) api_version: Option<String>,
    pub(in crate::kubeapi) command: Option<String>,
    pub(in crate::kubeapi) args: Option<Vec<Secret>>,
    pub(in crate::kubeapi) env: Option<Vec<ExecEnv>>,
    pub(in crate::kubeapi) install_hint: Option<String>,
    pub(in crate::kubeapi) provide_cluster_info: Option<bool>,
    pub(in crate::kubeapi) interactive_mode: Option<String>,
}

/// A variable for such a program.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::kubeapi) struct ExecEnv {
    pub(in crate::kubeapi) name: Option<String>,
    pub(in crate::kubeapi) value: Option<Secret>,
}
