//! The node's own defences: updates by itself, measured boot, FIPS, encrypted volumes, audit, time.

use super::{Fact, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the node installs updates by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AutoUpdates {
    /// Whether something installs updates without being asked.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub enabled: Fact<bool>,
    /// Whether it then reboots the node by itself. Absent where nothing installs updates. A reboot that kured asks the
    /// cluster for is not one of these.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub reboots_by_itself: Fact<bool>,
    /// What does it: `unattended-upgrades`, `dnf-automatic`, `dnf5-automatic`, `transactional-update`, `update-engine`.
    /// Empty where nothing does.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub by: Fact<Vec<String>>,
    /// Whether kured runs on the node: it drains a node before it reboots it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub kured: Fact<bool>,
}

/// What the firmware measured into the TPM. Absent where there is no TPM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredBoot {
    /// Whether PCR 7 of the SHA-256 bank, which holds the state of secure boot, holds a measurement. Absent where there is
    /// no TPM, or none with that bank.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub pcr7: Fact<bool>,
    /// Whether the firmware's event log is there. Absent where there is no TPM.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub event_log: Fact<bool>,
}

/// Approved cryptography.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Fips {
    /// Whether the kernel runs in FIPS mode. Absent where the kernel has no such mode.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub enabled: Fact<bool>,
    /// System-wide policy of Red Hat's kind: `DEFAULT`, `FIPS`, `LEGACY`. Absent where there is none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub crypto_policy: Fact<String>,
}

/// The device below one of the places where secrets lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// For screens: `etcd, /var/lib/etcd on /dev/mapper/vg-etcd`.
    pub name: String,
    /// `root`, `etcd`, `kubelet`, `swap`.
    pub purpose: String,
    /// The place: `/`, etcd's data directory, the kubelet's directory; the device of a swap.
    pub path: String,
    /// Mount point that holds it, or `swap`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub mount: Fact<String>,
    /// Device or source, as the kernel names it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub source: Fact<String>,
    /// File system type; `swap` for swap.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub fstype: Fact<String>,
    /// Whether every way down from it goes through dm-crypt. Encryption below a virtual machine cannot be seen inside.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub encrypted: Fact<bool>,
    /// Why `encrypted` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// The kernel's audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Whether `auditd.service` is there.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub installed: Fact<bool>,
    /// Whether it is active.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub active: Fact<bool>,
    /// Rules that the kernel has loaded (`auditctl -l`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub rules: Fact<i64>,
}

/// How the clock is kept right.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TimeSync {
    /// Whether the kernel's clock is synchronised (`timedatectl`, `NTPSynchronized`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub synchronized: Fact<bool>,
    /// Whether a time service is switched on (`timedatectl`, `NTP`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub enabled: Fact<bool>,
    /// Time services that are active: `chronyd.service`, `systemd-timesyncd.service`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub services: Fact<Vec<String>>,
}
