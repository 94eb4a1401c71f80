//! Which node that a channel saw is which node that the API lists.
//!
//! What a node says of itself (machine id, name) proves nothing alone: a clone says the same, and a hostile node says what
//! it likes. The address is what this seat itself knows: it dialled it. So both must agree, unless the person says in the
//! site file which node it is. What counts as the address is the IP address that was dialled, or that the dialled name
//! stood for on this seat, or the dialled name itself where the API has it among the node's addresses; never a loopback
//! address, behind which a tunnel may lead anywhere. This machine itself (`--local`) has no address: there the machine id
//! and the name must both agree.

use super::cluster::KubeNode;
use super::{ChannelKind, Fact, NodeEvidence};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// What came of looking for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// It is the API's node of this number.
    Joined {
        /// Its number.
        number: usize,
        /// What agrees.
        why: String,
    },
    /// Nothing of it was read, and the API lists its address for the node of this number. Nothing of a channel's can be
    /// taken for that node's then; whether the machine is that node stays open.
    Addressed(usize),
    /// What it says of itself and what the API says contradict each other.
    Conflict(String),
    /// The API lists no such node, as far as can be told.
    Alone(String),
}

/// The API's nodes, by what they can be found by.
pub(super) struct Index<'e> {
    nodes: &'e [KubeNode],
    by_address: HashMap<String, BTreeSet<usize>>,
    by_machine: HashMap<String, BTreeSet<usize>>,
    by_name: HashMap<String, BTreeSet<usize>>,
}

/// Where a node is, as this seat knows it.
enum Place {
    /// This machine.
    Here,
    /// At these addresses; `certain` where an IP address is among them.
    At { addresses: Vec<String>, certain: bool },
}

impl<'e> Index<'e> {
    /// Of all nodes.
    pub(super) fn of(nodes: &'e [KubeNode]) -> Self {
        let mut index =
            Index { nodes, by_address: HashMap::new(), by_machine: HashMap::new(), by_name: HashMap::new() };
        for (number, node) in nodes.iter().enumerate() {
            for address in &node.addresses {
                index.by_address.entry(canonical(&address.address)).or_default().insert(number);
            }
            if let Some(machine) = node.machine_id.known().and_then(|id| machine(id)) {
                index.by_machine.entry(machine).or_default().insert(number);
            }
            index.by_name.entry(node.name.to_lowercase()).or_default().insert(number);
        }
        index
    }

    /// Looks for a node that a channel was named for.
    pub(super) fn find(&self, node: &NodeEvidence) -> Match {
        if let Some(said) = &node.kubernetes_name {
            return self.said(node, said);
        }
        let machines = self.machines(node);
        let names = self.names(node);
        match place(node) {
            Place::Here => self.here(&machines, &names),
            Place::At { addresses, certain } => {
                let at: BTreeSet<usize> =
                    addresses.iter().filter_map(|address| self.by_address.get(address)).flatten().copied().collect();
                self.at(node, &at, certain, &machines, &names)
            }
        }
    }

    /// The person says which node it is.
    fn said(&self, node: &NodeEvidence, said: &str) -> Match {
        let Some(number) = self.nodes.iter().position(|listed| listed.name == said) else {
            return Match::Conflict(format!(
                "the site file says that it is the cluster's node {said}, and the cluster lists no such node"
            ));
        };
        let listed = self.nodes.get(number).and_then(|listed| listed.machine_id.known()).and_then(|id| machine(id));
        let own = node.identity.machine_id.known().and_then(|id| machine(id));
        match (own, listed) {
            (Some(own), Some(listed)) if own != listed => Match::Conflict(format!(
                "the site file says that it is the cluster's node {said}, and the cluster has another machine id for that node"
            )),
            _ => Match::Joined { number, why: "the site file says so".to_owned() },
        }
    }

    fn here(&self, machines: &BTreeSet<usize>, names: &BTreeSet<usize>) -> Match {
        let both: Vec<usize> = machines.intersection(names).copied().collect();
        match (both.as_slice(), machines.first(), names.first()) {
            ([number], ..) => Match::Joined { number: *number, why: "this machine's id and its name agree".to_owned() },
            ([_, ..], ..) => Match::Conflict("the cluster lists several nodes with its machine id and name".to_owned()),
            ([], Some(machine), _) => Match::Conflict(format!(
                "its machine id is that of the cluster's node {}, and its name is not",
                self.name(*machine)
            )),
            ([], None, Some(name)) => {
                Match::Alone(format!("the cluster lists another machine under its name, {}", self.name(*name)))
            }
            ([], None, None) => Match::Alone("the cluster lists no node with its machine id or name".to_owned()),
        }
    }

    fn at(
        &self,
        node: &NodeEvidence,
        at: &BTreeSet<usize>,
        certain: bool,
        machines: &BTreeSet<usize>,
        names: &BTreeSet<usize>,
    ) -> Match {
        let unknown = node.identity.machine_id.known().is_none() && node.identity.hostname.known().is_none();
        if unknown {
            return match at.iter().collect::<Vec<_>>().as_slice() {
                [number] => Match::Addressed(**number),
                [] => Match::Alone("the cluster lists no node with its address".to_owned()),
                _ => Match::Conflict("the cluster lists several nodes with its address".to_owned()),
            };
        }
        let itself: BTreeSet<usize> = machines.union(names).copied().collect();
        let both: Vec<usize> = at.intersection(&itself).copied().collect();
        match (both.as_slice(), at.first(), machines.first(), names.first()) {
            ([number], ..) => {
                let agrees = match (machines.contains(number), names.contains(number)) {
                    (true, true) => "its address, machine id and name agree",
                    (true, false) => "its address and machine id agree",
                    _ => "its address and name agree",
                };
                Match::Joined { number: *number, why: agrees.to_owned() }
            }
            ([_, _, ..], ..) => Match::Conflict(
                "the cluster lists several nodes with its address and its machine id or name".to_owned(),
            ),
            ([], Some(listed), ..) => Match::Conflict(format!(
                "the cluster lists its address for the node {}, which has another machine id and name",
                self.name(*listed)
            )),
            ([], None, Some(machine), _) if certain => Match::Conflict(format!(
                "its machine id is that of the cluster's node {}, for which the cluster lists other addresses: a copy of that machine, or an address that the cluster does not know (then name the node in the site file)",
                self.name(*machine)
            )),
            ([], None, Some(listed), _) | ([], None, None, Some(listed)) if !certain => Match::Alone(format!(
                "it may be the cluster's node {}, and the way by which it was reached proves no address: say which node it is in the site file",
                self.name(*listed)
            )),
            ([], None, None, Some(name)) => Match::Alone(format!(
                "the cluster lists a node of its name, {}, with another address and machine id",
                self.name(*name)
            )),
            ([], None, ..) => Match::Alone("the cluster lists no node with its address, machine id or name".to_owned()),
        }
    }

    fn machines(&self, node: &NodeEvidence) -> BTreeSet<usize> {
        let own = node.identity.machine_id.known().and_then(|id| machine(id));
        own.and_then(|id| self.by_machine.get(&id)).cloned().unwrap_or_default()
    }

    /// The node's own name, and the one that its kubelet is told to go by.
    fn names(&self, node: &NodeEvidence) -> BTreeSet<usize> {
        let args = node.kubelet.process.known().and_then(|process| process.args.known());
        let told = args.into_iter().flatten().filter_map(|arg| arg.strip_prefix("--hostname-override="));
        let own = node.identity.hostname.known().map(String::as_str);
        own.into_iter()
            .chain(told)
            .filter_map(|name| self.by_name.get(&name.to_lowercase()))
            .flatten()
            .copied()
            .collect()
    }

    fn name(&self, number: usize) -> &str {
        self.nodes.get(number).map_or("", |node| &node.name)
    }
}

fn place(node: &NodeEvidence) -> Place {
    let dialled = match (&node.address, node.channel) {
        (None, ChannelKind::Local) => return Place::Here,
        (address, _) => address.as_deref(),
    };
    let peer = match &node.peer {
        Fact::Known(peer) => Some(peer.as_str()),
        Fact::Absent | Fact::Unread => None,
    };
    let (mut addresses, mut certain) = (Vec::new(), false);
    for address in dialled.into_iter().chain(peer) {
        match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => {}
            Ok(_) => {
                certain = true;
                addresses.push(canonical(address));
            }
            Err(_) if canonical(address) == "localhost" => {}
            Err(_) => addresses.push(canonical(address)),
        }
    }
    Place::At { addresses, certain }
}

/// An address or name in one form.
pub(super) fn canonical(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => address.trim_end_matches('.').to_lowercase(),
    }
}

/// A machine id in one form. None for what is none: an image's empty or `uninitialized` file says nothing.
pub(super) fn machine(id: &str) -> Option<String> {
    let id = id.trim().replace('-', "").to_lowercase();
    let zero = id.bytes().all(|byte| byte == b'0');
    (id.len() == 32 && !zero && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}
