//! A plan: what would be done to one target, as edit operations. It holds no bytes of the target; `prepare` reads those
//! fresh and makes the preview.

use super::recipe::{AzRun, KubeOp, NodeOp};
use serde::{Deserialize, Serialize};

/// How bad it is if something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing is interrupted.
    #[default]
    Safe,
    /// Something is interrupted for a while.
    Disruptive,
    /// The way in may close. Only with a dead-man's switch and a second login as the proof.
    CanLockOut,
}

impl Risk {
    /// As it is written in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Safe => "safe",
            Risk::Disruptive => "disruptive",
            Risk::CanLockOut => "can-lock-out",
        }
    }

    /// For people.
    pub fn in_words(self) -> &'static str {
        match self {
            Risk::Safe => "safe: nothing is interrupted",
            Risk::Disruptive => "disruptive: something is interrupted for a while",
            Risk::CanLockOut => "can lock out: if the way in closes, the node puts the old state back by itself",
        }
    }

    /// For people who do it without this program.
    pub fn by_hand(self) -> &'static str {
        match self {
            Risk::CanLockOut => {
                "can lock out: it may close the way in, and by hand NOTHING puts the old state back by itself"
            }
            other => other.in_words(),
        }
    }
}

/// What would be done to one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The controls that it puts right.
    pub controls: Vec<String>,
    /// `node/NAME` or `cluster`.
    pub target: String,
    /// One line for the person.
    pub title: String,
    /// What is done.
    pub work: Work,
    /// What else it means: who is shut out, what stops working, what undoes it later. Sentences.
    pub notes: Vec<String>,
}

/// The kinds of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Operations on the node's files and services.
    Node(Vec<NodeOp>),
    /// Changes of objects of the cluster.
    Cluster(Vec<KubeOp>),
    /// Runs of `az`, for the cluster's own Azure resource.
    Azure(Vec<AzRun>),
    /// Steps that a person takes; nothing runs.
    Manual(Vec<String>),
}

impl Plan {
    /// Name of the node that it changes. None for a plan that changes no node.
    pub fn node(&self) -> Option<&str> {
        match self.work {
            Work::Node(_) => self.target.strip_prefix("node/"),
            Work::Cluster(_) | Work::Azure(_) | Work::Manual(_) => None,
        }
    }

    /// Whether it only keeps what other plans changed over an upgrade. No control judges that.
    pub fn is_for_upgrades(&self) -> bool {
        let keeps = |op: &KubeOp| matches!(op, KubeOp::Text(op) if op.held.runs().is_none());
        matches!(&self.work, Work::Cluster(ops) if !ops.is_empty() && ops.iter().all(keeps))
    }

    /// Whether nothing else may be done in the same go.
    pub fn stands_alone(&self) -> bool {
        matches!(&self.work, Work::Node(ops) if ops.iter().any(NodeOp::stands_alone))
    }

    /// One plan that does what both do, where they are for the same node and none must stand alone; else
    /// both again.
    pub fn join(mut self, other: Plan) -> Result<Plan, Box<(Plan, Plan)>> {
        let alone = (self.stands_alone() || other.stands_alone()) && self.work != other.work;
        if self.target != other.target || alone {
            return Err(Box::new((self, other)));
        }
        match (self.work, other.work) {
            (Work::Node(mut ours), Work::Node(theirs)) => {
                for op in theirs {
                    NodeOp::add(&mut ours, op);
                }
                self.work = Work::Node(ours);
            }
            (Work::Cluster(mut ours), Work::Cluster(theirs)) => {
                add_new(&mut ours, theirs);
                self.work = Work::Cluster(ours);
            }
            (Work::Azure(mut ours), Work::Azure(theirs)) => {
                add_new(&mut ours, theirs);
                self.work = Work::Azure(ours);
            }
            (Work::Manual(mut ours), Work::Manual(theirs)) => {
                ours.extend(theirs);
                self.work = Work::Manual(ours);
            }
            (ours, theirs) => {
                self.work = ours;
                return Err(Box::new((self, Plan { work: theirs, ..other })));
            }
        }
        for control in other.controls {
            if !self.controls.contains(&control) {
                self.controls.push(control);
            }
        }
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        if self.title != other.title {
            self.title = format!("{} controls together", self.controls.len());
        }
        Ok(self)
    }
}

/// Adds what is not there yet: two findings may want the same.
fn add_new<T: PartialEq>(ours: &mut Vec<T>, theirs: Vec<T>) {
    for item in theirs {
        if !ours.contains(&item) {
            ours.push(item);
        }
    }
}

/// Why there is no plan, or none any more: a sentence that ends in what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String, bool);

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(why: impl Into<String>) -> Self {
        Refusal(why.into(), false)
    }

    /// One because everything is as it should be already.
    pub(super) fn already(why: impl Into<String>) -> Self {
        Refusal(why.into(), true)
    }

    /// Whether everything is as it should be already.
    pub fn is_already(&self) -> bool {
        self.1
    }
}
