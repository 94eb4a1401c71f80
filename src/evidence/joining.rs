//! Nodes that were seen by a channel and nodes that the API lists: which of them are one. `matching.rs` has the rule.

use super::cluster::KubeNode;
use super::listed::Listed;
use super::matching::{Index, Match, canonical, machine};
use super::{
    ChannelKind, ClusterEvidence, Evidence, Gap, NodeEvidence, ProbeError, Reading, Reason, Value, filling, listed,
    reading,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Most names that a list of nodes with the same machine id holds.
const SAME: usize = 16;

/// One node target: as a channel saw it, as the API lists it, or both.
#[derive(Debug, Clone)]
pub struct JoinedNode<'e> {
    /// Name of the target, unique: `node/NAME` in findings.
    pub name: Cow<'e, str>,
    /// What a channel saw; of a node that the API alone shows, a node of which nothing was read.
    pub node: Cow<'e, NodeEvidence>,
    /// The Node object.
    pub api: Option<&'e KubeNode>,
    listed: Option<Listed<'e>>,
    join: Join,
    /// Names of other nodes that have its machine id.
    same: Vec<String>,
    /// Names of other nodes for which the API lists an address of its own.
    same_address: Vec<String>,
}

/// How a target came about.
#[derive(Debug, Clone)]
enum Join {
    /// A channel saw it, and the API lists it.
    Joined(String),
    /// No channel reached it, and the API lists its address.
    Addressed(Gap),
    /// Only the API lists it.
    ApiOnly,
    /// Only a channel saw it.
    ChannelOnly(String),
    /// What it says of itself and what the API says contradict each other.
    Conflict(String),
    /// It cannot be told: the API's nodes were not read.
    Unread(Gap),
}

/// All node targets of a document: those that a channel was asked for, in their order, then those that the API alone
/// shows.
///
/// A target that a channel saw keeps its name, which is what the person typed. Where the API has a node of the same name
/// that is not joined with it, that one is called `NAME (API)`.
pub fn joined_nodes(evidence: &Evidence) -> Vec<JoinedNode<'_>> {
    let cluster = evidence.cluster.as_ref();
    let mut free: Vec<Option<Listed<'_>>> =
        cluster.map(listed::all).unwrap_or_default().into_iter().map(Some).collect();
    let mut joined: Vec<JoinedNode<'_>> = evidence
        .nodes
        .iter()
        .zip(found(evidence))
        .map(|(node, (join, number))| {
            let listed = number.and_then(|number| free.get_mut(number)?.take());
            let api = listed.as_ref().map(|listed| listed.node);
            let name = Cow::Borrowed(node.name.as_str());
            let (same, same_address) = (Vec::new(), Vec::new());
            JoinedNode { name, node: Cow::Borrowed(node), api, listed, join, same, same_address }
        })
        .collect();
    let mut taken: BTreeSet<Cow<'_, str>> = joined.iter().map(|joined| joined.name.clone()).collect();
    for listed in free.into_iter().flatten() {
        let mut name = Cow::Borrowed(listed.node.name.as_str());
        while !taken.insert(name.clone()) {
            name = Cow::Owned(format!("{name} (API)"));
        }
        let node = Cow::Owned(api_alone(&name, &listed));
        let api = Some(listed.node);
        let (same, same_address) = (Vec::new(), Vec::new());
        joined.push(JoinedNode { name, node, api, listed: Some(listed), join: Join::ApiOnly, same, same_address });
    }
    same_machines(&mut joined);
    same_addresses(&mut joined);
    joined
}

/// For each node of the document how it is joined, and with which of the API's nodes.
fn found(evidence: &Evidence) -> Vec<(Join, Option<usize>)> {
    let not_asked = || Gap::new(Reason::NotVisible, "the cluster's API was not asked: name its context");
    let Some(cluster) = &evidence.cluster else {
        return evidence.nodes.iter().map(|_| (Join::Unread(not_asked()), None)).collect();
    };
    let index = Index::of(&cluster.nodes.items);
    let matches: Vec<Match> = evidence.nodes.iter().map(|node| index.find(node)).collect();
    let mut claimed: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (node, found) in evidence.nodes.iter().zip(&matches) {
        if let Match::Joined { number, .. } | Match::Addressed(number) = found {
            claimed.entry(*number).or_default().push(&node.name);
        }
    }
    let several = |number: usize| match claimed.get(&number).map(Vec::as_slice) {
        Some(several @ [_, _, ..]) => {
            let name = cluster.nodes.items.get(number).map_or("", |node| &node.name);
            Some(format!("several targets answer as the cluster's node {name}: {}", several.join(", ")))
        }
        _ => None,
    };
    let decide = |node: &NodeEvidence, found| match found {
        Match::Joined { number, .. } | Match::Addressed(number) if several(number).is_some() => {
            (Join::Conflict(several(number).unwrap_or_default()), None)
        }
        Match::Joined { number, why } => (Join::Joined(why), Some(number)),
        Match::Addressed(number) => {
            let reason = node.errors.first().map_or(Reason::Unreachable, |error| error.reason);
            let why = "the node itself was not read: the cluster lists its address, and that alone proves nothing";
            (Join::Addressed(Gap::new(reason, why)), Some(number))
        }
        Match::Conflict(why) => (Join::Conflict(why), None),
        Match::Alone(why) if cluster.nodes.complete => (Join::ChannelOnly(why), None),
        Match::Alone(_) => (Join::Unread(listed::why(cluster, "nodes")), None),
    };
    // What the person says of a node that an incomplete list lacks is not wrong yet.
    let absent = |node: &NodeEvidence, cluster: &ClusterEvidence| {
        let said = node.kubernetes_name.as_ref();
        said.is_some_and(|said| !cluster.nodes.complete && cluster.nodes.items.iter().all(|node| node.name != *said))
    };
    let each = evidence.nodes.iter().zip(matches);
    each.map(|(node, found)| match absent(node, cluster) {
        true => (Join::Unread(listed::why(cluster, "nodes")), None),
        false => decide(node, found),
    })
    .collect()
}

/// Fills in which targets have the same machine id.
fn same_machines(joined: &mut [JoinedNode<'_>]) {
    let id = |joined: &JoinedNode<'_>| {
        let own = joined.node.identity.machine_id.known().and_then(|id| machine(id));
        own.or_else(|| joined.api?.machine_id.known().and_then(|id| machine(id)))
    };
    let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, one) in joined.iter().enumerate() {
        if let Some(id) = id(one) {
            by_id.entry(id).or_default().push(number);
        }
    }
    for numbers in by_id.into_values().filter(|numbers| numbers.len() > 1) {
        let names: Vec<String> =
            numbers.iter().filter_map(|number| joined.get(*number)).map(|one| one.name.to_string()).collect();
        for number in numbers {
            if let Some(one) = joined.get_mut(number) {
                one.same = names.iter().filter(|name| **name != *one.name).take(SAME).cloned().collect();
            }
        }
    }
}

/// Fills in for which targets the API lists the same address within the cluster. Addresses that the outside knows may be
/// those of a router before many nodes.
fn same_addresses(joined: &mut [JoinedNode<'_>]) {
    let mut by_address: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (number, one) in joined.iter().enumerate() {
        let addresses = one.api.into_iter().flat_map(|api| &api.addresses);
        for address in addresses.filter(|address| address.kind == "InternalIP") {
            by_address.entry(canonical(&address.address)).or_default().insert(number);
        }
    }
    for numbers in by_address.into_values().filter(|numbers| numbers.len() > 1) {
        let names: Vec<String> =
            numbers.iter().filter_map(|number| joined.get(*number)).map(|one| one.name.to_string()).collect();
        for number in numbers {
            if let Some(one) = joined.get_mut(number) {
                let others: Vec<&String> =
                    names.iter().filter(|name| **name != *one.name && !one.same_address.contains(*name)).collect();
                let room = SAME.saturating_sub(one.same_address.len());
                let others: Vec<String> = others.into_iter().take(room).cloned().collect();
                one.same_address.extend(others);
            }
        }
    }
}

/// A node that no channel was named for.
fn api_alone(name: &str, listed: &Listed<'_>) -> NodeEvidence {
    let (reason, why) = match listed.is_windows() {
        true => (Reason::Unsupported, "a Windows node: only what the API shows of it is looked at"),
        false => (
            Reason::NotVisible,
            "the node itself was not looked at: name it with --node to see what the API does not show",
        ),
    };
    let mut node = NodeEvidence::unread(name, None, ChannelKind::Api, reason, why);
    node.errors.clear();
    match listed.node.silence() {
        Some(gap) => {
            let message = format!("{}: look whether it is on, and at its kubelet.", capital(&gap.detail));
            node.errors.push(ProbeError { reason: gap.reason, message });
        }
        None => (node.reached, node.complete) = (true, true),
    }
    node
}

/// A sentence's beginning.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl JoinedNode<'_> {
    /// The node as a tree: what the channel saw, filled in with what the API shows, and what is derived from both. `join`
    /// says how the two were matched, `api` is the Node object.
    pub fn reading(&self, evidence: &Evidence) -> Reading {
        let mut root = reading::recorded(&*self.node, &self.node.unread);
        if let Some(listed) = &self.listed {
            filling::fill(&self.node, listed, &mut root);
        }
        super::effective::attach(&self.node, self.listed.as_ref(), &mut root);
        root.insert("api", self.object(evidence));
        let join = self.join(evidence, &root);
        root.insert("join", join);
        root
    }

    /// The Node object. Absent where the API lists no such node.
    fn object(&self, evidence: &Evidence) -> Reading {
        match (&self.listed, &self.join, &evidence.cluster) {
            (Some(listed), ..) => reading::recorded(listed.node, &listed.unread()),
            (None, Join::ChannelOnly(_), _) => Reading::new(Value::Absent),
            (None, Join::Conflict(why), Some(_)) => {
                Reading::unread(Reason::NotVisible, format!("which node of the cluster it is is not certain: {why}"))
            }
            (None, Join::Unread(gap), _) => Reading::new(Value::Unread(gap.clone())),
            _ => Reading::unread(Reason::NotVisible, "the cluster's API was not asked: name its context"),
        }
    }

    /// How the target came about.
    fn join(&self, evidence: &Evidence, root: &Reading) -> Reading {
        let (state, why) = match &self.join {
            Join::Joined(why) => (Reading::text("joined"), Reading::text(why.as_str())),
            Join::ApiOnly => match self.api.and_then(KubeNode::silence) {
                Some(gap) => (Reading::new(Value::Unread(gap.clone())), Reading::new(Value::Unread(gap))),
                None => (Reading::text("api-only"), Reading::text("no channel to it was named")),
            },
            Join::ChannelOnly(why) => (Reading::text("channel-only"), Reading::text(why.as_str())),
            Join::Conflict(why) => (Reading::text("conflict"), Reading::text(why.as_str())),
            Join::Unread(gap) | Join::Addressed(gap) => {
                let gap = Reading::new(Value::Unread(gap.clone()));
                (gap.clone(), gap)
            }
        };
        let name = match (self.api, &self.join) {
            (Some(api), _) => Reading::text(api.name.as_str()),
            (None, Join::Unread(gap)) => Reading::new(Value::Unread(gap.clone())),
            (None, _) => Reading::new(Value::Absent),
        };
        let gap = match (root.at("identity.machine_id").value, &evidence.cluster) {
            (Value::Unread(gap), _) => Some(gap),
            (_, Some(cluster)) if !cluster.nodes.complete => Some(listed::why(cluster, "nodes")),
            _ => None,
        };
        let same = Reading::list(self.same.iter().map(|name| Reading::text(name.as_str())).collect(), gap);
        let same_address = self.addresses(evidence);
        Reading::map([
            ("state", state),
            ("name", name),
            ("why", why),
            ("same_machine_id", same),
            ("same_address", same_address),
        ])
    }

    /// The other nodes for which the API lists its address. Nobody can tell of a target that is none of the API's nodes.
    fn addresses(&self, evidence: &Evidence) -> Reading {
        let gap = match (&evidence.cluster, self.api) {
            (Some(cluster), _) if !cluster.nodes.complete => Some(listed::why(cluster, "nodes")),
            (_, Some(_)) => None,
            _ => Some(Gap::new(Reason::NotVisible, "it is none of the nodes that the cluster's API lists")),
        };
        Reading::list(self.same_address.iter().map(|name| Reading::text(name.as_str())).collect(), gap)
    }
}

#[cfg(test)]
#[path = "joining_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "filling_tests.rs"]
mod filling_tests;
