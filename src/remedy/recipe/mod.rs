//! Recipes: from a finding to operations, and from operations and the fresh state of the node to an exact change.
//! `plan` is pure. Each kind of operation has a file of its own.

mod azure;
mod file;
pub(super) mod kube;
mod sshd;

pub use azure::AzRun;
pub use file::FilesOp;
pub use kube::{Bound, KubeOp};
pub use sshd::SshdOp;

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
}

impl NodeOp {
    /// Adds an operation to others of the same node: of one file there is one operation in the end.
    pub(super) fn add(ops: &mut Vec<NodeOp>, op: NodeOp) {
        for known in ops.iter_mut() {
            match (known, &op) {
                (NodeOp::Files(ours), NodeOp::Files(theirs)) => return ours.add(theirs.clone()),
                (NodeOp::Sshd(ours), NodeOp::Sshd(theirs)) => return ours.add(theirs.clone()),
                _ => {}
            }
        }
        ops.push(op);
    }

    /// What must be read fresh before the change can be made.
    pub(super) fn wants(&self) -> Vec<Want> {
        match self {
            NodeOp::Files(op) => op.wants(),
            NodeOp::Sshd(op) => op.wants(),
        }
    }

    /// The exact change, from what was read.
    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        match self {
            NodeOp::Files(op) => op.change(fresh),
            NodeOp::Sshd(op) => op.change(fresh),
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
    #[allow(dead_code, reason = "read by recipes that look at the node's services")]
    pub(super) node: Option<&'a NodeEvidence>,
}

/// What is done about a failed finding of a control, from what was seen. The plan is pure: nothing was asked of anything.
/// A control without a recipe of its own gives the words of its `fix` as steps for a person.
pub fn plan(control: &Control, finding: &Finding, evidence: &Evidence) -> Result<Plan, Refusal> {
    let name = finding.target.strip_prefix("node/");
    let node = name.and_then(|name| evidence.nodes.iter().find(|node| node.name == name));
    let about = About { finding, evidence, node };
    let mut notes = Vec::new();
    let mut with_notes = |(op, more): (SshdOp, Vec<String>)| {
        notes = more;
        NodeOp::Sshd(op)
    };
    let op = match &control.remedy {
        None | Some(RemedySpec::ManualSteps {}) => None,
        Some(RemedySpec::FileMode { mode, uid, gid }) => {
            Some(NodeOp::Files(file::plan(Some(mode), *uid, *gid, &about)?))
        }
        Some(RemedySpec::FileOwner { uid, gid }) => {
            Some(NodeOp::Files(file::plan(None, Some(*uid), Some(*gid), &about)?))
        }
        Some(RemedySpec::SshdSetting { set }) => Some(with_notes(sshd::setting(set, &about)?)),
        Some(RemedySpec::SshdAlgorithms { keyword, allowed, without }) => {
            Some(with_notes(sshd::algorithms(keyword, allowed, without, &about)?))
        }
        Some(_) => None,
    };
    let elsewhere = match &control.remedy {
        Some(RemedySpec::KubeObject { change }) => {
            let (ops, more) = kube::plan(change, &about)?;
            notes = more;
            Some(Work::Cluster(ops))
        }
        Some(RemedySpec::AzCommand { command }) => {
            let (work, more) = azure::plan(*command, &about)?;
            notes = more;
            work
        }
        _ => None,
    };
    let work = match (op, elsewhere) {
        (Some(op), _) => Work::Node(vec![op]),
        (None, Some(work)) => work,
        (None, None) => Work::Manual(vec![control.fix.trim().to_owned()]),
    };
    Ok(Plan {
        controls: vec![control.id.clone()],
        target: finding.target.clone(),
        title: control.title.clone(),
        work,
        notes,
    })
}
