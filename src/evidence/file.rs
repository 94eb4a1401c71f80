//! Files and certificates on a node: what they are and who may touch them, never what a key file holds.

use super::{Fact, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link (its own mode says nothing; the target is listed as well).
    Symlink,
    /// A socket, a device or a pipe.
    Other,
}

/// One file, as `stat` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileFact {
    /// Absolute path on the node.
    pub path: String,
    /// What the file is to the platform, from `assets/layouts.yaml`: `kube-apiserver-manifest`, `pki`, `kubelet-config`.
    pub role: String,
    /// Why this path counts, where a process or another file named it: `--config of kubelet`. Empty for a known path.
    #[serde(default)]
    pub named_by: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<FileKind>,
    /// Permission bits in octal, without a leading zero: `600`, `1777`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub mode: Fact<String>,
    /// Owner's name, or the number where it has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub owner: Fact<String>,
    /// Group's name, or the number where it has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub group: Fact<String>,
    /// Owner's number.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub uid: Fact<i64>,
    /// Group's number.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub gid: Fact<i64>,
    /// When its contents last changed, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub modified: Fact<Timestamp>,
    /// Why the facts above are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// One public certificate found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// The file, and which certificate of it: `/etc/kubernetes/pki/ca.crt` or `...#2`.
    pub name: String,
    /// The file's path.
    pub path: String,
    /// Role of the file, as in [`FileFact::role`].
    pub role: String,
    /// Subject, one line: `O=system:masters, CN=kube-apiserver-kubelet-client`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub subject: Fact<String>,
    /// Issuer, one line.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub issuer: Fact<String>,
    /// Start of validity.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub not_before: Fact<Timestamp>,
    /// End of validity.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub not_after: Fact<Timestamp>,
    /// Whether it may sign others.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub is_ca: Fact<bool>,
    /// Key algorithm and size: `rsa-2048`, `ec-256`, `ed25519`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub key: Fact<String>,
    /// Signature algorithm: `sha256WithRSAEncryption`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub signature: Fact<String>,
    /// SHA-256 of the DER, lower-case hex.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub sha256: Fact<String>,
    /// Why the facts above are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}
