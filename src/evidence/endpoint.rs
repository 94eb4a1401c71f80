//! Ports of the control plane and of kubelets, as they look from this seat.

use super::{Certificate, Fact, Listing, Reason, Unread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a connection attempt met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// Something accepted the connection.
    Open,
    /// The host refused it.
    Closed,
    /// Nothing came back in time, or a firewall refused it. Alone this proves nothing.
    Filtered,
}

/// Whether one TLS version or cipher suite is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsOffer {
    /// `TLSv1.2`, `TLS_RSA_WITH_AES_128_CBC_SHA`.
    pub name: String,
    /// For a suite the version it was tried with.
    #[serde(default)]
    pub version: String,
    /// Whether the server accepted it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub accepted: Fact<bool>,
    /// Why `accepted` is missing: `unsupported` where this program cannot speak it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// TLS as the port speaks it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TlsFacts {
    /// Whether it speaks TLS at all.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub spoken: Fact<bool>,
    /// Versions from `TLSv1.0` to `TLSv1.3`.
    #[serde(default)]
    pub versions: Listing<TlsOffer>,
    /// Suites that it accepted, by their IANA names (which Kubernetes' flags use), each with the version; and those that
    /// could not be tried. What is in neither was offered and refused.
    #[serde(default)]
    pub suites: Listing<TlsOffer>,
    /// The chain that it presents, the server's own certificate first.
    #[serde(default)]
    pub chain: Listing<Certificate>,
    /// Names and addresses in the server's own certificate.
    #[serde(default)]
    pub names: Listing<String>,
    /// Whether the server asks its clients for a certificate.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub asks_client_certificate: Fact<bool>,
    /// Whether it ends the connection of a client that has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub demands_client_certificate: Fact<bool>,
}

/// What came back on one harmless request without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Anonymous {
    /// The request: `GET /pods`.
    pub request: String,
    /// HTTP status. Absent where the connection was ended for want of a certificate.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub status: Fact<i64>,
    /// Whether it served what only somebody with credentials should see: true for an answer of success, false where it
    /// asked for credentials (401, 403) or ended the connection for want of a certificate. Any other answer proves neither.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub served: Fact<bool>,
}

/// One port at one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointEvidence {
    /// `HOST:PORT`, unique in the document; findings speak of `endpoint/HOST:PORT`.
    pub name: String,
    /// Address or name, as it was asked for.
    pub host: String,
    /// Port.
    pub port: i64,
    /// Other names by which the same port of the same address was asked for.
    #[serde(default)]
    pub also: Vec<String>,
    /// Address that was connected to.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub address: Fact<String>,
    /// Address of this seat on the connection.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub seat_address: Fact<String>,
    /// Name of the node's target, where the address is a node's. Absent for the API server's own address.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub node: Fact<String>,
    /// Name of that node's Node object. Absent where the API shows none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kubernetes_node: Fact<String>,
    /// What stands there instead of the API server and ends its TLS, as [`super::ClusterEvidence::proxy`] has it. Absent
    /// where nothing does.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub proxy: Fact<String>,
    /// What usually answers there: `ssh`, `etcd`, `etcd-peer`, `kube-apiserver`, `kubelet`, `kubelet-read-only`,
    /// `kube-proxy-health`, `kube-controller-manager`, `kube-scheduler`, `node-port`.
    pub service: String,
    /// What the attempt met.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub state: Fact<PortState>,
    /// The same in words: `accepted`, `refused`, `no answer`, `host unreachable`, `prohibited on the way`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub met: Fact<String>,
    /// What the open port was heard to speak: `tls`, `http`, `ssh`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub speaks: Fact<String>,
    /// TLS.
    #[serde(default)]
    pub tls: TlsFacts,
    /// The request without credentials. Absent where none is made to such a port.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub anonymous: Fact<Anonymous>,
    /// What could not be read, and why.
    #[serde(default)]
    pub unread: Vec<Unread>,
}

impl EndpointEvidence {
    /// Whether something answered there: it accepted the connection or refused it.
    pub fn answered(&self) -> bool {
        matches!(self.state, Fact::Known(PortState::Open | PortState::Closed))
    }
}

/// The addresses at which a port answered.
pub fn answering(endpoints: &[EndpointEvidence]) -> BTreeSet<&str> {
    let answered = endpoints.iter().filter(|endpoint| endpoint.answered());
    answered.filter_map(|endpoint| endpoint.address.known()).map(String::as_str).collect()
}
