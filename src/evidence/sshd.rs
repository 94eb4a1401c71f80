//! sshd on a node: every daemon that counts, the files it reads and what `sshd -T` says of them.

use super::{Fact, Listing, Process, Reason};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text file that holds no secret, with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigText {
    /// Absolute path on the node.
    pub path: String,
    /// Its text, bounded in size; control characters other than line feed and tab removed.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub text: Fact<String>,
    /// When it last changed, by the node's clock.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub modified: Fact<Timestamp>,
    /// Why `text` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// What `sshd -T` printed for one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshdDump {
    /// What it stands for: `global`, `root from 10.0.0.5`, `Match Address 10.0.0.0/8`.
    pub name: String,
    /// The connection it was asked for (`-C`): `user`, `host`, `addr`, `laddr`, `lport`, `rdomain`. Empty for the global one.
    #[serde(default)]
    pub connection: BTreeMap<String, String>,
    /// Settings: keyword in lower case -> its values, one a line of the output, in its order.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub settings: Fact<BTreeMap<String, Vec<String>>>,
    /// Why `settings` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// A host key that a daemon offers: public part only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostKey {
    /// Path of the private key's file.
    pub path: String,
    /// `ED25519`, `ECDSA`, `RSA`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kind: Fact<String>,
    /// Size in bits.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub bits: Fact<i64>,
    /// `SHA256:...`
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub fingerprint: Fact<String>,
    /// Why the facts above are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// One sshd that counts: a root-owned executable in the host's namespaces, started by a known unit or by this login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshdDaemon {
    /// For screens: `sshd, /etc/ssh/sshd_config` (and the pid where several share a file).
    pub name: String,
    /// The process. Absent for a daemon that a socket unit starts at need.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub process: Fact<Process>,
    /// The configuration file: the one that its `-f` names, else the default path.
    pub config_path: String,
    /// When it last read its configuration, by the node's clock: its start, or its unit's last change of state, which a
    /// reload is. Absent for a daemon that a socket unit starts at need: it reads it for every connection.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub loaded: Fact<Timestamp>,
    /// Whether it is the one that serves this very login.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub serves_login: Fact<bool>,
    /// The configuration file and every file that it includes, in the order in which sshd reads them.
    #[serde(default)]
    pub files: Listing<ConfigText>,
    /// `sshd -T`: global, root and a login user from this seat's address, one for each Match criterion.
    #[serde(default)]
    pub dumps: Listing<SshdDump>,
    /// Its host keys.
    #[serde(default)]
    pub host_keys: Listing<HostKey>,
    /// Whether `sshd -t` accepts the configuration as it lies on disk.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub config_valid: Fact<bool>,
}

/// SSH service on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sshd {
    /// Path of the sshd executable. Absent where none is installed.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub binary: Fact<String>,
    /// `OpenSSH_9.2p1 Debian-2+deb12u7`, as `ssh -V` or the banner tells it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
    /// Every daemon that counts.
    #[serde(default)]
    pub daemons: Listing<SshdDaemon>,
    /// Processes that call themselves sshd and do not count.
    #[serde(default)]
    pub rejected: Vec<Process>,
}

/// What the SSH server that served this login offers before anything is encrypted: its greeting and its KEXINIT. Lists
/// of the two directions are one list, those from the client to the server first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerOffer {
    /// Its greeting: `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7`.
    pub banner: String,
    /// Key exchange algorithms, without the markers that stand among them.
    pub kex: Vec<String>,
    /// Host key algorithms: those of the keys that it has.
    pub host_keys: Vec<String>,
    /// Ciphers.
    pub ciphers: Vec<String>,
    /// Message authentication codes.
    pub macs: Vec<String>,
    /// Compression algorithms.
    pub compression: Vec<String>,
    /// Whether it takes part in strict key exchange, the remedy against the Terrapin attack.
    pub strict_kex: bool,
}
