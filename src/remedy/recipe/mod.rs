//! Recipes: from a finding to operations, and from operations and the fresh state of the node to an exact change.
//! `plan` is pure. Each kind of operation has a file of its own.

mod automatic;
mod file;
mod keys;
mod seat;
mod sources;
mod ssh_off;
mod sshd;
mod updates;

pub use automatic::AutomaticOp;
pub use file::FilesOp;
pub use keys::KeysOp;
pub use sources::SourcesOp;
pub use ssh_off::SshOffOp;
pub use sshd::SshdOp;
pub use updates::UpdatesOp;

use super::change::NodeChange;
use super::fresh::{Fresh, Want};
use super::plan::{Plan, Refusal, Work};
use crate::assess::Finding;
use crate::catalog::{Control, RemedySpec};
use crate::evidence::{Evidence, NodeEvidence};

/// One kind of change of a node, with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeOp {
    /// Mode and owner of files or folders.
    Files(FilesOp),
    /// Settings of sshd.
    Sshd(SshdOp),
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
                (NodeOp::Keys(ours), NodeOp::Keys(theirs)) => return ours.add(theirs.clone()),
                _ => {}
            }
        }
        ops.push(op);
    }

    /// Whether nothing else may be done in the same go: what follows could not be undone with it, or not be proved.
    pub(super) fn stands_alone(&self) -> bool {
        matches!(self, NodeOp::SshOff(_) | NodeOp::Updates(_))
    }

    /// What must be read fresh before the change can be made.
    pub(super) fn wants(&self) -> Vec<Want> {
        match self {
            NodeOp::Files(op) => op.wants(),
            NodeOp::Sshd(op) => op.wants(),
            NodeOp::Keys(op) => op.wants(),
            NodeOp::SshOff(op) => op.wants(),
            NodeOp::Sources(op) => op.wants(),
            NodeOp::Automatic(op) => op.wants(),
            NodeOp::Updates(op) => op.wants(),
        }
    }

    /// The exact change, from what was read.
    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        match self {
            NodeOp::Files(op) => op.change(fresh),
            NodeOp::Sshd(op) => op.change(fresh),
            NodeOp::Keys(op) => op.change(fresh),
            NodeOp::SshOff(op) => op.change(fresh),
            NodeOp::Sources(op) => op.change(fresh),
            NodeOp::Automatic(op) => op.change(fresh),
            NodeOp::Updates(op) => op.change(fresh),
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

/// What is done about a failed finding of a control, from what was seen. The plan is pure: nothing was asked of anything.
/// A control without a recipe of its own gives the words of its `fix` as steps for a person.
pub fn plan(control: &Control, finding: &Finding, evidence: &Evidence) -> Result<Plan, Refusal> {
    let name = finding.target.strip_prefix("node/");
    let node = name.and_then(|name| evidence.nodes.iter().find(|node| node.name == name));
    let about = About { finding, evidence, node };
    let mut notes = Vec::new();
    let mut noted = |op: NodeOp, more: Vec<String>| {
        notes = more;
        op
    };
    let op = match &control.remedy {
        None | Some(RemedySpec::ManualSteps {}) => None,
        Some(RemedySpec::FileMode { mode, uid, gid }) => {
            Some(NodeOp::Files(file::plan(Some(mode), *uid, *gid, &about)?))
        }
        Some(RemedySpec::FileOwner { uid, gid }) => {
            Some(NodeOp::Files(file::plan(None, Some(*uid), Some(*gid), &about)?))
        }
        Some(RemedySpec::SshdSetting { set }) => {
            let (op, more) = sshd::setting(set, &about)?;
            Some(noted(NodeOp::Sshd(op), more))
        }
        Some(RemedySpec::SshdAlgorithms { keyword, allowed, without }) => {
            let (op, more) = sshd::algorithms(keyword, allowed, without, &about)?;
            Some(noted(NodeOp::Sshd(op), more))
        }
        Some(RemedySpec::AuthorizedKey { action }) => {
            let (op, more) = keys::plan(*action, &about)?;
            Some(noted(NodeOp::Keys(op), more))
        }
        Some(RemedySpec::SshOff {}) => {
            let (op, more) = ssh_off::plan(&about)?;
            Some(noted(NodeOp::SshOff(op), more))
        }
        Some(RemedySpec::SshSourceRestriction {}) => {
            let (op, more) = sources::plan(&about)?;
            Some(noted(NodeOp::Sources(op), more))
        }
        Some(RemedySpec::AutomaticUpdates {}) => Some(NodeOp::Automatic(automatic::plan(&about)?)),
        Some(RemedySpec::SecurityUpdates {}) => {
            let (op, more) = updates::plan(&about)?;
            Some(noted(NodeOp::Updates(op), more))
        }
        Some(_) => None,
    };
    let work = match op {
        Some(op) => Work::Node(vec![op]),
        None => Work::Manual(vec![control.fix.trim().to_owned()]),
    };
    Ok(Plan {
        controls: vec![control.id.clone()],
        target: finding.target.clone(),
        title: control.title.clone(),
        work,
        notes,
    })
}
