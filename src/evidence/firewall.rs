//! The node's own packet filter, as far as it touches SSH and the ports of the control plane.

use super::{Fact, Listing, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the kernel's packet filters say about new connections from elsewhere. Filters outside the node (a cloud's, a
/// switch's) and BPF programs are not seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
    /// What filters: `nftables`, `iptables`, `ufw`, `firewalld`. Empty where nothing does.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub active: Fact<Vec<String>>,
    /// What becomes of a new TCP connection to a port that no rule names: `accept` or `drop`. Not read where rules decide
    /// that this version does not understand.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub default_input: Fact<String>,
    /// Sources, as networks, from which a connection to a port of sshd's can pass; `0.0.0.0/0` and `::/0` where everybody's
    /// can; empty where nobody's can. Not read where rules decide that this version does not understand.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub ssh_sources: Fact<Vec<String>>,
    /// The same for each port of sshd's and of the control plane.
    #[serde(default)]
    pub ports: Listing<FirewallPort>,
    /// The rules that name one of these ports.
    #[serde(default)]
    pub rules: Listing<FirewallRule>,
}

/// Who can reach one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirewallPort {
    /// For screens: `tcp 6443`.
    pub name: String,
    /// The port.
    pub port: i64,
    /// As [`Firewall::ssh_sources`].
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub sources: Fact<Vec<String>>,
    /// Why `sources` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// One rule that names a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirewallRule {
    /// For screens: `nftables inet filter input: tcp 22 from 10.0.0.0/8 accept`.
    pub name: String,
    /// `nftables`, `iptables`, `ip6tables`.
    pub tool: String,
    /// Table and chain: `filter INPUT`.
    pub chain: String,
    /// The port.
    pub port: i64,
    /// Source networks between commas; `any`.
    pub source: String,
    /// `accept`, `drop`, `reject`, or the chain to which it leads.
    pub action: String,
}
