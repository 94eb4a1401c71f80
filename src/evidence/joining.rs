//! Nodes that were seen by a channel and nodes that the API lists: which of them are one.

use super::cluster::KubeNode;
use super::{ChannelKind, Evidence, NodeEvidence, Reading, Reason};
use std::borrow::Cow;

/// One node target: as a channel saw it, as the API lists it, or both.
#[derive(Debug, Clone)]
pub struct JoinedNode<'e> {
    /// Name of the target, unique: `node/NAME` in findings.
    pub name: &'e str,
    /// What a channel saw; of a node that the API alone shows, a node of which nothing was read.
    pub node: Cow<'e, NodeEvidence>,
    /// The Node object.
    pub api: Option<&'e KubeNode>,
}

/// All node targets of a document: those that a channel was asked for, in their order, then those that the API alone
/// shows.
pub fn joined_nodes(evidence: &Evidence) -> Vec<JoinedNode<'_>> {
    let by_channel =
        evidence.nodes.iter().map(|node| JoinedNode { name: &node.name, node: Cow::Borrowed(node), api: None });
    let listed = evidence.cluster.iter().flat_map(|cluster| &cluster.nodes.items);
    let by_api = listed.map(|api| JoinedNode { name: &api.name, node: Cow::Owned(api_alone(api)), api: Some(api) });
    by_channel.chain(by_api).collect()
}

/// A node that no channel was named for.
fn api_alone(api: &KubeNode) -> NodeEvidence {
    let why = "the node itself was not looked at: name it with --node to see what the API does not show";
    let mut node = NodeEvidence::unread(&api.name, None, ChannelKind::Api, Reason::NotVisible, why);
    (node.reached, node.complete) = (true, true);
    node.errors.clear();
    node
}

impl JoinedNode<'_> {
    /// The node as a tree: what the channel saw, filled in with what the API shows, and what is derived from both.
    pub fn reading(&self, _evidence: &Evidence) -> Reading {
        Reading::of_node(&self.node)
    }
}
