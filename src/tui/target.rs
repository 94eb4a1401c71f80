//! What is looked at, as the screens hold it: the cluster, the nodes, the ports.

use super::app::{App, Screen};
use crate::assess::Assessment;
use crate::catalog::Section;
use crate::evidence::{ChannelKind, ClusterEvidence, Evidence, Fact};
use crate::site::NodeTarget;
use crate::visit::ClusterVisit;

/// How far a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its turn has not come.
    Waiting,
    /// The connection is being made.
    Connecting,
    /// It is being read.
    Reading,
    /// Read.
    Read,
    /// Read in part; why.
    Partly(String),
    /// Not read; why.
    Failed(String),
}

impl State {
    /// The word for screens.
    pub fn word(&self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Connecting => "connecting",
            State::Reading => "reading",
            State::Read => "read",
            State::Partly(_) => "incomplete",
            State::Failed(_) => "failed",
        }
    }

    /// Whether a reading is still under way.
    pub fn pending(&self) -> bool {
        matches!(self, State::Waiting | State::Connecting | State::Reading)
    }

    /// Why it is not read, or not whole.
    pub fn why(&self) -> Option<&str> {
        match self {
            State::Partly(why) | State::Failed(why) => Some(why),
            _ => None,
        }
    }
}

/// The cluster on the screens.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// How it is read. None where it comes from a saved document.
    pub visit: Option<ClusterVisit>,
    /// How far it is.
    pub state: State,
    /// What is being done: `reading pods`.
    pub step: String,
    /// The reading that it last took part in.
    pub run: u64,
}

/// A node on the screens that a channel was named for.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, unique.
    pub name: String,
    /// How it is reached. None where it comes from a saved document.
    pub target: Option<NodeTarget>,
    /// How far it is.
    pub state: State,
    /// The reading that it last took part in.
    pub run: u64,
    /// What that reading said about the way to it.
    pub warnings: Vec<String>,
    /// Its name in the cluster, where the API lists it too.
    pub listed: Option<String>,
}

/// A node that the API alone shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Name of the target.
    pub name: String,
    /// Its name in the cluster.
    pub kubernetes: String,
}

/// The ports on the screens.
#[derive(Debug, Clone)]
pub struct Ports {
    /// How far looking at them is.
    pub state: State,
    /// How many are looked at.
    pub asked: usize,
    /// The reading that they last took part in.
    pub run: u64,
}

/// One line of the overview below the sections.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// The cluster.
    Cluster(&'a Cluster),
    /// A node that a channel was named for.
    Node(&'a Node),
    /// A node that the API alone shows.
    Listed(&'a Listed),
    /// The ports.
    Ports(&'a Ports),
}

/// What a key such as `r` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtHand<'a> {
    /// The cluster.
    Cluster,
    /// A node, by its name.
    Node(&'a str),
    /// The ports.
    Ports,
}

impl App {
    /// How many lines stand below the sections.
    pub fn entries(&self) -> usize {
        usize::from(self.cluster.is_some()) + self.nodes.len() + self.listed.len() + usize::from(self.ports.is_some())
    }

    /// One of them.
    pub fn entry(&self, mut at: usize) -> Option<Entry<'_>> {
        if let Some(cluster) = &self.cluster {
            match at.checked_sub(1) {
                None => return Some(Entry::Cluster(cluster)),
                Some(less) => at = less,
            }
        }
        if let Some(node) = self.nodes.get(at) {
            return Some(Entry::Node(node));
        }
        at -= self.nodes.len();
        if let Some(listed) = self.listed.get(at) {
            return Some(Entry::Listed(listed));
        }
        at -= self.listed.len();
        self.ports.as_ref().filter(|_| at == 0).map(Entry::Ports)
    }

    /// The context of the cluster.
    pub fn cluster_name(&self) -> Option<&str> {
        let seen = self.evidence.as_ref().and_then(|evidence| evidence.cluster.as_ref());
        let seen = seen.map(|cluster| cluster.context.as_str()).filter(|context| !context.is_empty());
        let said = self.cluster.as_ref()?.visit.as_ref().and_then(|visit| visit.target.context.as_deref());
        seen.or(said)
    }

    /// Whether Azure Arc knows the cluster.
    pub fn on_arc(&self) -> bool {
        let cluster = self.evidence.as_ref().and_then(|evidence| evidence.cluster.as_ref());
        cluster.is_some_and(|cluster| cluster.arc.connected == Fact::Known(true))
    }

    /// A node that a channel was named for, by its name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// What the visible screen is about, where it is one target.
    pub fn at_hand(&self) -> Option<AtHand<'_>> {
        match self.screen_at_hand()? {
            Screen::Overview(cursor) => match self.entry(cursor.at.checked_sub(Section::ALL.len())?)? {
                Entry::Cluster(_) => Some(AtHand::Cluster),
                Entry::Node(node) => Some(AtHand::Node(&node.name)),
                Entry::Listed(listed) => Some(AtHand::Node(&listed.name)),
                Entry::Ports(_) => Some(AtHand::Ports),
            },
            Screen::Finding(detail) => match detail.target.split_once('/') {
                Some(("node", name)) => Some(AtHand::Node(name)),
                Some(("endpoint", _)) => self.ports.as_ref().map(|_| AtHand::Ports),
                _ => self.cluster.as_ref().filter(|_| detail.target == "cluster").map(|_| AtHand::Cluster),
            },
            Screen::Node(name, _) => Some(AtHand::Node(name)),
            Screen::Cluster(_) => Some(AtHand::Cluster),
            Screen::Ports(_) => Some(AtHand::Ports),
            _ => None,
        }
    }

    /// How many targets are being read, and how many wait for their turn. Ports have none: they come after the others.
    pub fn under_way(&self) -> (usize, usize) {
        let waiting = self.states().filter(|state| **state == State::Waiting).count();
        let pending = self.states().filter(|state| state.pending()).count();
        let ports = self.ports.iter().filter(|ports| ports.state == State::Waiting).count();
        (pending - waiting, waiting - ports)
    }

    /// How many targets are done, well or badly.
    pub fn done(&self) -> usize {
        self.entries() - self.states().filter(|state| state.pending()).count()
    }

    fn states(&self) -> impl Iterator<Item = &State> {
        let cluster = self.cluster.iter().map(|cluster| &cluster.state);
        let ports = self.ports.iter().map(|ports| &ports.state);
        self.nodes.iter().map(|node| &node.state).chain(cluster).chain(ports)
    }

    /// Which of the nodes the API lists, and which it alone shows, as the assessment has it.
    pub(super) fn join(&mut self, assessment: &Assessment) {
        self.listed.clear();
        for node in &mut self.nodes {
            node.listed = None;
        }
        for target in &assessment.targets {
            let (Some(name), Some(kubernetes)) = (target.id.strip_prefix("node/"), &target.kubernetes) else {
                continue;
            };
            match self.nodes.iter_mut().find(|node| node.name == name) {
                Some(node) => node.listed = Some(kubernetes.clone()),
                None if target.channel == Some(ChannelKind::Api) => {
                    self.listed.push(Listed { name: name.to_owned(), kubernetes: kubernetes.clone() });
                }
                None => {}
            }
        }
    }
}

/// How a cluster stands by its evidence.
pub(super) fn of_cluster(cluster: &ClusterEvidence) -> State {
    let why = |otherwise: &str| cluster.errors.first().map_or(otherwise.to_owned(), |error| error.message.clone());
    if !cluster.reached {
        State::Failed(why("It was not reached."))
    } else if !cluster.complete || !cluster.errors.is_empty() {
        State::Partly(why("Its answers did not come to their end. Read it again with r."))
    } else {
        State::Read
    }
}

/// The cluster and the ports of a saved document.
pub(super) fn of_document(evidence: &Evidence) -> (Option<Cluster>, Option<Ports>) {
    let cluster = evidence.cluster.as_ref().map(|seen| Cluster {
        visit: None,
        state: of_cluster(seen),
        step: String::new(),
        run: 0,
    });
    let ports = evidence.endpoints.as_ref().map(|seen| Ports { state: State::Read, asked: seen.len(), run: 0 });
    (cluster, ports)
}
