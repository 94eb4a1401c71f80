//! One node, as the collector saw it.

use super::{
    Audit, AutoUpdates, Certificate, Component, Fact, FileFact, Fips, Firewall, Listing, Mdatp, MeasuredBoot, Reason,
    ServerOffer, Sshd, TimeSync, Unread, Updates, Volume,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The way by which a node was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// A shell on this machine.
    Local,
    /// SSH.
    Ssh,
    /// A pod on the node.
    Pod,
    /// None: what is known comes from the Kubernetes API alone.
    Api,
}

impl ChannelKind {
    /// The word as it stands in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelKind::Local => "local",
            ChannelKind::Ssh => "ssh",
            ChannelKind::Pod => "pod",
            ChannelKind::Api => "api",
        }
    }
}

/// Something that went wrong with a whole target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeError {
    /// What kind of trouble.
    pub reason: Reason,
    /// A sentence for the person at the console, ending in what to do.
    pub message: String,
}

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

/// Which node it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Its own host name.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub hostname: Fact<String>,
    /// `/etc/machine-id`, which the Kubernetes API shows as `nodeInfo.machineID`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub machine_id: Fact<String>,
}

/// `/etc/os-release`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OsRelease {
    /// `ID`: `debian`, `ubuntu`, `azurelinux`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub id: Fact<String>,
    /// `VERSION_ID`. Absent on rolling releases.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version_id: Fact<String>,
    /// `ID_LIKE`, in its order.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub id_like: Fact<Vec<String>>,
    /// `PRETTY_NAME`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub pretty_name: Fact<String>,
}

/// The kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// `uname -r`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub running: Fact<String>,
    /// Kernels with modules installed (`/lib/modules`), oldest first by version order.
    #[serde(default)]
    pub installed: Listing<String>,
}

/// Whether the node says that it wants a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reboot {
    /// Whether one is pending.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub required: Fact<bool>,
    /// How that is known: `/run/reboot-required`, `needs-restarting -r`, `newer kernel installed`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub signs: Fact<Vec<String>>,
}

/// Firmware and boot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Firmware {
    /// Whether the node booted by UEFI.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub uefi: Fact<bool>,
    /// Whether secure boot is enforced. Absent on BIOS boot, where there is no such thing.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub secure_boot: Fact<bool>,
    /// Whether the firmware is in setup mode, in which secure boot enforces nothing.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub setup_mode: Fact<bool>,
}

/// Trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tpm {
    /// Whether the kernel has one.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub present: Fact<bool>,
    /// Major version: `2`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub version: Fact<String>,
}

/// A mounted file system that matters: `/`, `/var`, `/var/lib/etcd`, `/var/lib/kubelet`, swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// Mount point, or `swap`.
    pub path: String,
    /// Device as the kernel names it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub source: Fact<String>,
    /// File system type.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub fstype: Fact<String>,
    /// Whether a dm-crypt device lies beneath. Encryption below a virtual machine cannot be seen from inside.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub encrypted: Fact<bool>,
}

/// Linux security modules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Lsm {
    /// `/sys/kernel/security/lsm`, in its order.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub active: Fact<Vec<String>>,
    /// Whether SELinux enforces. Absent where there is no SELinux.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub selinux_enforcing: Fact<bool>,
    /// Whether AppArmor is enabled. Absent where there is none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub apparmor: Fact<bool>,
    /// Kernel lockdown: `none`, `integrity`, `confidentiality`. Absent where the kernel has none.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub lockdown: Fact<String>,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unit {
    /// `ssh.service`, `ssh.socket`, `kubelet.service`.
    pub name: String,
    /// `LoadState`: `loaded`, `masked`, `not-found`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub load: Fact<String>,
    /// `ActiveState`: `active`, `inactive`, `failed`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub active: Fact<String>,
    /// `UnitFileState`: `enabled`, `disabled`, `static`, `masked`. Absent for a generated unit without one.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub enabled: Fact<String>,
    /// Of a socket unit: the addresses and ports it listens on.
    #[serde(default)]
    pub listens: Vec<String>,
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

/// A socket that listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// For screens: `tcp 0.0.0.0:22 (sshd)`.
    pub name: String,
    /// `tcp` or `tcp6`.
    pub protocol: String,
    /// Address bound, in usual notation.
    pub address: String,
    /// Port.
    pub port: i64,
    /// Whether other machines can reach that address: not loopback.
    pub exposed: bool,
    /// Process id of the owner. Not read where the login may not see it.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub pid: Fact<i64>,
    /// Its name (`comm`).
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub process: Fact<String>,
    /// Why `pid` and `process` are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Reason>,
}

/// Everything that was seen of one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeEvidence {
    /// Name of the target, unique in the document; findings speak of `node/NAME`.
    pub name: String,
    /// Host as it was asked for. None for the local channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Address (IP) of what answered there, as this seat's own socket has it. Not read for the local channel, and for a
    /// name that a jump host resolves.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub peer: Fact<String>,
    /// By which way it was read.
    pub channel: ChannelKind,
    /// Whether the channel came up and the collector answered anything.
    pub reached: bool,
    /// Whether the collector's answer came to its end mark.
    pub complete: bool,
    /// What went wrong with the node as a whole.
    #[serde(default)]
    pub errors: Vec<ProbeError>,
    /// The node's own clock when it was read.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub clock: Fact<Timestamp>,
    /// As whom.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub login: Fact<Login>,
    /// Which node it is.
    #[serde(default)]
    pub identity: Identity,
    /// Operating system.
    #[serde(default)]
    pub os: OsRelease,
    /// Kernel.
    #[serde(default)]
    pub kernel: Kernel,
    /// Seconds since boot.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub uptime_seconds: Fact<i64>,
    /// `x86_64`, `aarch64`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub architecture: Fact<String>,
    /// As `systemd-detect-virt` names it: `none`, `kvm`, `microsoft`, `systemd-nspawn`.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub virtualization: Fact<String>,
    /// Reboot pending.
    #[serde(default)]
    pub reboot: Reboot,
    /// Firmware.
    #[serde(default)]
    pub firmware: Firmware,
    /// TPM.
    #[serde(default)]
    pub tpm: Tpm,
    /// File systems that matter.
    #[serde(default)]
    pub mounts: Listing<Mount>,
    /// Security modules.
    #[serde(default)]
    pub lsm: Lsm,
    /// What the firmware measured into the TPM.
    #[serde(default)]
    pub measured_boot: MeasuredBoot,
    /// The devices below the places where secrets lie.
    #[serde(default)]
    pub volumes: Listing<Volume>,
    /// Approved cryptography.
    #[serde(default)]
    pub fips: Fips,
    /// The kernel's audit trail.
    #[serde(default)]
    pub audit: Audit,
    /// How the clock is kept right.
    #[serde(default)]
    pub time_sync: TimeSync,
    /// Updates that wait.
    #[serde(default)]
    pub updates: Updates,
    /// Whether the node installs updates by itself.
    #[serde(default)]
    pub auto_updates: AutoUpdates,
    /// The node's own packet filter.
    #[serde(default)]
    pub firewall: Firewall,
    /// Microsoft Defender for Endpoint.
    #[serde(default)]
    pub mdatp: Mdatp,
    /// Units that audit, keep time, update or filter, as far as the node has them.
    #[serde(default)]
    pub service_units: Listing<Unit>,
    /// Units that can start an SSH server.
    #[serde(default)]
    pub ssh_units: Listing<Unit>,
    /// SSH service.
    #[serde(default)]
    pub sshd: Sshd,
    /// What the SSH server that served this login offers, from its KEXINIT.
    #[serde(default, skip_serializing_if = "Fact::is_unread")]
    pub ssh_offer: Fact<ServerOffer>,
    /// Users who can log in.
    #[serde(default)]
    pub users: Listing<LoginUser>,
    /// Their authorized keys.
    #[serde(default)]
    pub authorized_keys: Listing<AuthorizedKey>,
    /// Listening sockets.
    #[serde(default)]
    pub listeners: Listing<Listener>,
    /// kubelet.
    #[serde(default)]
    pub kubelet: Component,
    /// kube-proxy.
    #[serde(default)]
    pub kube_proxy: Component,
    /// kube-apiserver.
    #[serde(default)]
    pub kube_apiserver: Component,
    /// kube-controller-manager.
    #[serde(default)]
    pub kube_controller_manager: Component,
    /// kube-scheduler.
    #[serde(default)]
    pub kube_scheduler: Component,
    /// etcd.
    #[serde(default)]
    pub etcd: Component,
    /// Files whose mode and owner matter.
    #[serde(default)]
    pub files: Listing<FileFact>,
    /// Public certificates found in them.
    #[serde(default)]
    pub certificates: Listing<Certificate>,
    /// Name of the node in the cluster, where the person said which one it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_name: Option<String>,
    /// What could not be read, and why.
    #[serde(default)]
    pub unread: Vec<Unread>,
}

impl NodeEvidence {
    /// A node of which nothing has been read: not reached, every fact unread. `reason` and `message` say why.
    pub fn unread(name: &str, address: Option<&str>, channel: ChannelKind, reason: Reason, message: &str) -> Self {
        NodeEvidence {
            name: name.to_owned(),
            address: address.map(str::to_owned),
            peer: Fact::Unread,
            channel,
            reached: false,
            complete: false,
            errors: vec![ProbeError { reason, message: message.to_owned() }],
            clock: Fact::Unread,
            login: Fact::Unread,
            identity: Identity::default(),
            os: OsRelease::default(),
            kernel: Kernel::default(),
            uptime_seconds: Fact::Unread,
            architecture: Fact::Unread,
            virtualization: Fact::Unread,
            reboot: Reboot::default(),
            firmware: Firmware::default(),
            tpm: Tpm::default(),
            mounts: Listing::default(),
            lsm: Lsm::default(),
            measured_boot: MeasuredBoot::default(),
            volumes: Listing::default(),
            fips: Fips::default(),
            audit: Audit::default(),
            time_sync: TimeSync::default(),
            updates: Updates::default(),
            auto_updates: AutoUpdates::default(),
            firewall: Firewall::default(),
            mdatp: Mdatp::default(),
            service_units: Listing::default(),
            ssh_units: Listing::default(),
            sshd: Sshd::default(),
            ssh_offer: Fact::Unread,
            users: Listing::default(),
            authorized_keys: Listing::default(),
            listeners: Listing::default(),
            kubelet: Component::default(),
            kube_proxy: Component::default(),
            kube_apiserver: Component::default(),
            kube_controller_manager: Component::default(),
            kube_scheduler: Component::default(),
            etcd: Component::default(),
            files: Listing::default(),
            certificates: Listing::default(),
            kubernetes_name: None,
            unread: vec![Unread { path: String::new(), reason, detail: message.to_owned() }],
        }
    }
}
