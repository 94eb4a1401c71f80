//! Who may log in to a node, and as whom it was read.

use super::{Fact, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With what rights the collector ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// The login is root.
    Root,
    /// Through sudo.
    Sudo,
    /// As an ordinary user: much will be `forbidden`.
    None,
}

/// As whom the node was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// User name.
    pub user: String,
    /// With what rights.
    pub privilege: Privilege,
    /// Address that the node sees this seat at, from `SSH_CONNECTION`. Absent for a local channel.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub from: Fact<String>,
}

/// A user who can log in (a shell that is not `nologin` or `false`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginUser {
    /// Name.
    pub name: String,
    /// User id.
    pub uid: i64,
    /// Login shell.
    pub shell: String,
    /// Home directory.
    pub home: String,
}

/// One line of an authorized_keys file: what kind of key, never its comment or body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizedKey {
    /// For screens: `root, line 2 of /root/.ssh/authorized_keys`.
    pub name: String,
    /// Who may log in with it.
    pub user: String,
    /// The file.
    pub file: String,
    /// Line number, from 1.
    pub line: i64,
    /// When the file last changed, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub file_modified: Fact<Timestamp>,
    /// `ssh-ed25519`, `ssh-rsa`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<String>,
    /// Size in bits.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub bits: Fact<i64>,
    /// `SHA256:...`
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub fingerprint: Fact<String>,
    /// Names of its options, and the values of `from=` and `expiry-time=`: `from="10.0.0.0/8"`, `command`.
    #[serde(default)]
    pub options: Vec<String>,
    /// Why the facts above are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}
