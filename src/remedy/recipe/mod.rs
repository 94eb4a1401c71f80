//! Recipes: from a finding to operations, and from operations and the fresh state of the node to an exact change.
//! `plan` is pure. Each kind of operation has a file of its own.

mod audit;
mod automatic;
mod azure;
mod certificates;
mod config_map;
mod encryption;
mod etcd;
mod file;
mod keys;
pub(super) mod kube;
mod kubelet;
mod rancher;
mod rancher_audit;
mod rancher_certificates;
mod rancher_config;
mod rancher_decides;
mod rancher_etcd;
mod rancher_own_way;
mod rancher_renewed;
mod rancher_settings;
mod rancher_told;
mod seat;
mod sources;
mod ssh_off;
mod sshd;
mod sshd_options;
mod sshd_shut_out;
mod static_flag;
mod static_pod;
#[cfg(test)]
mod testing;
mod updates;

pub use automatic::AutomaticOp;
pub use azure::AzRun;
pub use certificates::CertificatesOp;
pub(super) use config_map::runs_with;
pub use config_map::{Held, TextOp};
pub(crate) use config_map::{kept, kept_beyond};
pub use encryption::EncryptionOp;
pub use file::FilesOp;
pub use keys::KeysOp;
pub(in crate::remedy) use kube::place;
pub use kube::{Bound, KubeOp};
pub use kubelet::KubeletOp;
pub use rancher::RancherOp;
pub use rancher_certificates::RancherCertificatesOp;
pub use sources::SourcesOp;
pub use ssh_off::SshOffOp;
pub use sshd::SshdOp;
pub use static_pod::StaticPodOp;
pub use updates::UpdatesOp;
pub(super) use updates::stays;

use super::change::NodeChange;
use super::fresh::{Fresh, Want};
use super::owner::{Kind, refused_at};
use super::plan::{Plan, Refusal, Work};
use crate::assess::Finding;
use crate::catalog::{Control, RemedySpec};
use crate::evidence::{Evidence, NodeEvidence};
use certificates::Renewal;
use rancher::Which;
use static_flag::Flag;

/// One kind of change of a node, with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeOp {
    /// Mode and owner of files or folders.
    Files(FilesOp),
    /// Settings of sshd.
    Sshd(SshdOp),
    /// Settings of the kubelet.
    Kubelet(KubeletOp),
    /// Flags of a static pod.
    StaticPod(StaticPodOp),
    /// Flags of components that k3s or RKE2 starts.
    Rancher(RancherOp),
    /// Authorized keys.
    Keys(KeysOp),
    /// SSH switched off.
    SshOff(SshOffOp),
    /// Who reaches the SSH server at all.
    Sources(SourcesOp),
    /// Updates that the node installs by itself.
    Automatic(AutomaticOp),
    /// Updates that are installed now.
    Updates(UpdatesOp),
    /// Certificates of the control plane.
    Certificates(CertificatesOp),
    /// Certificates of k3s or RKE2.
    RancherCertificates(RancherCertificatesOp),
    /// Secrets encrypted in etcd.
    Encryption(EncryptionOp),
}

impl NodeOp {
    /// Adds an operation to others of the same node: of one file there is one operation in the end.
    pub(super) fn add(ops: &mut Vec<NodeOp>, op: NodeOp) {
        if ops.contains(&op) {
            return;
        }
        for known in ops.iter_mut() {
            match (known, &op) {
                (NodeOp::Files(ours), NodeOp::Files(theirs)) => return ours.add(theirs.clone()),
                (NodeOp::Sshd(ours), NodeOp::Sshd(theirs)) => return ours.add(theirs.clone()),
                (NodeOp::Kubelet(ours), NodeOp::Kubelet(theirs)) if ours.fits(theirs) => {
                    return ours.add(theirs.clone());
                }
                (NodeOp::StaticPod(ours), NodeOp::StaticPod(theirs)) if ours.fits(theirs) => {
                    return ours.add(theirs.clone());
                }
                (NodeOp::Rancher(ours), NodeOp::Rancher(theirs)) => return ours.add(theirs.clone()),
                (NodeOp::Keys(ours), NodeOp::Keys(theirs)) => return ours.add(theirs.clone()),
                _ => {}
            }
        }
        ops.push(op);
    }

    /// Whether nothing else may be done in the same go: what follows could not be undone with it, or not be proved.
    pub(super) fn stands_alone(&self) -> bool {
        matches!(
            self,
            NodeOp::SshOff(_)
                | NodeOp::Updates(_)
                | NodeOp::Certificates(_)
                | NodeOp::RancherCertificates(_)
                | NodeOp::Encryption(_)
        )
    }

    /// What must be read fresh before the change can be made.
    pub(super) fn wants(&self) -> Vec<Want> {
        match self {
            NodeOp::Files(op) => op.wants(),
            NodeOp::Sshd(op) => op.wants(),
            NodeOp::Kubelet(op) => op.wants(),
            NodeOp::StaticPod(op) => op.wants(),
            NodeOp::Rancher(op) => op.wants(),
            NodeOp::Keys(op) => op.wants(),
            NodeOp::SshOff(op) => op.wants(),
            NodeOp::Sources(op) => op.wants(),
            NodeOp::Automatic(op) => op.wants(),
            NodeOp::Updates(op) => op.wants(),
            NodeOp::Certificates(op) => op.wants(),
            NodeOp::RancherCertificates(op) => op.wants(),
            NodeOp::Encryption(op) => op.wants(),
        }
    }

    /// The exact change, from what was read.
    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        match self {
            NodeOp::Files(op) => op.change(fresh),
            NodeOp::Sshd(op) => op.change(fresh),
            NodeOp::Kubelet(op) => op.change(fresh),
            NodeOp::StaticPod(op) => op.change(fresh),
            NodeOp::Rancher(op) => op.change(fresh),
            NodeOp::Keys(op) => op.change(fresh),
            NodeOp::SshOff(op) => op.change(fresh),
            NodeOp::Sources(op) => op.change(fresh),
            NodeOp::Automatic(op) => op.change(fresh),
            NodeOp::Updates(op) => op.change(fresh),
            NodeOp::Certificates(op) => op.change(fresh),
            NodeOp::RancherCertificates(op) => op.change(fresh),
            NodeOp::Encryption(op) => op.change(fresh),
        }
    }
}

/// What a recipe knows beside its parameters.
pub(super) struct About<'a> {
    /// The finding.
    pub(super) finding: &'a Finding,
    /// Everything that was seen.
    pub(super) evidence: &'a Evidence,
    /// The node that the finding is about. None where it is about something else.
    pub(super) node: Option<&'a NodeEvidence>,
}

impl<'a> About<'a> {
    /// The node, which must have been read by a way by which it can be changed.
    pub(super) fn node(&self) -> Result<&'a NodeEvidence, Refusal> {
        self.node.ok_or_else(|| {
            let name = self.finding.target.trim_start_matches("node/");
            Refusal::new(format!(
                "{name} was seen over the API alone, by which its files are not changed. Name it with --node, so that it is read \
                 by SSH"
            ))
        })
    }
}

/// The kind of change that a recipe makes. None where nothing is changed by this program.
fn kind(spec: &RemedySpec) -> Option<Kind> {
    match spec {
        RemedySpec::FileMode { .. }
        | RemedySpec::FileOwner { .. }
        | RemedySpec::AuthorizedKey { .. }
        | RemedySpec::CertificateRenew {}
        | RemedySpec::AutomaticUpdates {}
        | RemedySpec::SecurityUpdates {} => Some(Kind::Files),
        RemedySpec::SshdSetting { .. }
        | RemedySpec::SshdAlgorithms { .. }
        | RemedySpec::SshOff {}
        | RemedySpec::SshSourceRestriction {} => Some(Kind::Sshd),
        RemedySpec::KubeletSetting { .. } => Some(Kind::Kubelet),
        RemedySpec::StaticPodFlag { .. } | RemedySpec::AuditPolicy {} | RemedySpec::EncryptionAtRest {} => {
            Some(Kind::StaticPod)
        }
        RemedySpec::KubeProxySetting { .. } => Some(Kind::KubeProxy),
        RemedySpec::KubeObject { .. } => Some(Kind::Objects),
        RemedySpec::AzCommand { .. } | RemedySpec::ManualSteps {} => None,
    }
}

/// What is done about a failed finding of a control, from what was seen. The plan is pure: nothing was asked of anything.
/// A control without a recipe of its own gives the words of its `fix` as steps for a person. Refused where the platform owns
/// what would be changed.
pub fn plan(control: &Control, finding: &Finding, evidence: &Evidence) -> Result<Plan, Refusal> {
    let name = finding.target.strip_prefix("node/");
    let node = name.and_then(|name| evidence.nodes.iter().find(|node| node.name == name));
    if let Some(kind) = control.remedy.as_ref().and_then(kind)
        && let Some(sentence) = refused_at(evidence, node, kind)
    {
        return Err(Refusal::new(format!("{}: {sentence}", name.unwrap_or(&finding.target))));
    }
    if let Some(which) = node.and_then(Which::of)
        && let Some(sentence) = control.remedy.as_ref().and_then(|spec| which.own_way(spec))
    {
        return Err(Refusal::new(format!("{}: {sentence}", name.unwrap_or(&finding.target))));
    }
    let about = About { finding, evidence, node };
    let mut notes = Vec::new();
    let mut target = finding.target.clone();
    let op = match &control.remedy {
        None
        | Some(
            RemedySpec::ManualSteps {}
            | RemedySpec::KubeProxySetting { .. }
            | RemedySpec::KubeObject { .. }
            | RemedySpec::AzCommand { .. }
            | RemedySpec::CertificateRenew {},
        ) => None,
        Some(RemedySpec::FileMode { mode, uid, gid }) => {
            Some(NodeOp::Files(file::plan(Some(mode), *uid, *gid, &about)?))
        }
        Some(RemedySpec::FileOwner { uid, gid }) => {
            Some(NodeOp::Files(file::plan(None, Some(*uid), Some(*gid), &about)?))
        }
        Some(RemedySpec::SshdSetting { set }) => Some(noting(&mut notes, sshd::setting(set, &about)?, NodeOp::Sshd)),
        Some(RemedySpec::SshdAlgorithms { keyword, allowed, without }) => {
            Some(noting(&mut notes, sshd::algorithms(keyword, allowed, without, &about)?, NodeOp::Sshd))
        }
        Some(RemedySpec::KubeletSetting { path, value }) => Some(match node.and_then(Which::of) {
            Some(which) => noting(&mut notes, rancher::kubelet(which, path, value, &about)?, NodeOp::Rancher),
            None => noting(&mut notes, kubelet::plan(path, value, &about)?, NodeOp::Kubelet),
        }),
        Some(RemedySpec::StaticPodFlag { component, flag, value, add, without }) => {
            let setting = Flag::of(value.as_deref(), add, without);
            Some(match node.and_then(Which::of) {
                Some(which) => {
                    noting(&mut notes, rancher::component(which, component, flag, setting, &about)?, NodeOp::Rancher)
                }
                None => noting(&mut notes, static_pod::plan(component, flag, setting, &about)?, NodeOp::StaticPod),
            })
        }
        Some(RemedySpec::AuditPolicy {}) => Some(match node.and_then(Which::of) {
            Some(which) => noting(&mut notes, rancher::audit(which, &about)?, NodeOp::Rancher),
            None => noting(&mut notes, static_pod::audit(&about)?, NodeOp::StaticPod),
        }),
        Some(RemedySpec::EncryptionAtRest {}) => {
            Some(noting(&mut notes, encryption::plan(&about)?, NodeOp::Encryption))
        }
        Some(RemedySpec::AuthorizedKey { action }) => {
            Some(noting(&mut notes, keys::plan(*action, &about)?, NodeOp::Keys))
        }
        Some(RemedySpec::SshOff {}) => Some(noting(&mut notes, ssh_off::plan(&about)?, NodeOp::SshOff)),
        Some(RemedySpec::SshSourceRestriction {}) => Some(noting(&mut notes, sources::plan(&about)?, NodeOp::Sources)),
        Some(RemedySpec::AutomaticUpdates {}) => Some(NodeOp::Automatic(automatic::plan(&about)?)),
        Some(RemedySpec::SecurityUpdates {}) => Some(noting(&mut notes, updates::plan(&about)?, NodeOp::Updates)),
    };
    let elsewhere = match &control.remedy {
        Some(RemedySpec::KubeObject { change }) => {
            let (ops, more) = kube::plan(change, &about)?;
            notes = more;
            Some(Work::Cluster(ops))
        }
        Some(RemedySpec::KubeProxySetting { path, value }) => {
            let (op, more) = config_map::kube_proxy(path, value, &about)?;
            notes = more;
            target = "cluster".to_owned();
            Some(Work::Cluster(vec![KubeOp::Text(op)]))
        }
        Some(RemedySpec::AzCommand { command }) => {
            let (work, more) = azure::plan(*command, &about)?;
            notes = more;
            work
        }
        Some(RemedySpec::CertificateRenew {}) => match certificates::plan(&about)? {
            Renewal::Kubeadm(op, more) => {
                notes = more;
                Some(Work::Node(vec![NodeOp::Certificates(op)]))
            }
            Renewal::Rancher(op, more) => {
                notes = more;
                Some(Work::Node(vec![NodeOp::RancherCertificates(op)]))
            }
        },
        _ => None,
    };
    let work = match (op, elsewhere) {
        (Some(op), _) => Work::Node(vec![op]),
        (None, Some(work)) => work,
        (None, None) => Work::Manual(vec![control.fix.trim().to_owned()]),
    };
    Ok(Plan { controls: vec![control.id.clone()], target, title: control.title.clone(), work, notes })
}

/// Keeps the notes of an operation.
fn noting<T>(notes: &mut Vec<String>, (op, more): (T, Vec<String>), of: impl FnOnce(T) -> NodeOp) -> NodeOp {
    *notes = more;
    of(op)
}

/// The host of a URL to an address that something listens at: loopback for all addresses.
fn host(address: &str) -> String {
    match address.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        Ok(address) => address.to_string(),
        Err(_) => "127.0.0.1".to_owned(),
    }
}
