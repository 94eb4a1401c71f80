//! Which ports are looked at: those of every node that is known, and the API server's own.

use super::EndpointTarget;
use super::services::{NODE_PORT, SERVICES};
use crate::evidence::{
    ChannelKind, ClusterEvidence, Evidence, Fact, JoinedNode, NodeEvidence, Published, Reason, joined_nodes,
};
use http::Uri;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Most ports that are looked at in one scan; some 200 nodes have as many. Of more nodes than that, those of the control
/// plane come first, and what is left out is told.
const MOST_PORTS: usize = 2_000;

/// Most ports of the control plane that every node opens (NodePort) and that are looked at.
const NODE_PORTS: usize = 32;

/// Most addresses of one node.
const ADDRESSES: usize = 8;

/// How a node is reached by SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialled {
    /// Name of the node's target.
    pub node: String,
    /// Name or address that is dialled, as the SSH configuration has it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether jump hosts stand on the way: this seat does not see the node's ports then.
    pub jump: bool,
}

/// The ports to look at, from what was seen of cluster and nodes and by which way the nodes were reached. Pure. What
/// belongs to a node and cannot be looked at from here stands among them with the reason.
pub fn targets(evidence: &Evidence, dialled: &[Dialled]) -> Vec<EndpointTarget> {
    let mut all: Vec<EndpointTarget> = evidence.cluster.iter().filter_map(server).collect();
    let mut nodes = joined_nodes(evidence);
    nodes.sort_by_key(|joined| !is_control_plane(joined));
    let mut looked_at = all.len();
    let mut left_out = 0_usize;
    for joined in &nodes {
        let ports = of_node(joined, evidence, dialled);
        let looked = ports.iter().filter(|target| target.left_out.is_none()).count();
        if looked_at + looked > MOST_PORTS {
            left_out += 1;
        } else {
            looked_at += looked;
            all.extend(ports);
        }
    }
    if left_out > 0 {
        let why = format!("at most {MOST_PORTS} ports are looked at in one scan: scan these nodes apart, by name");
        let nodes = if left_out == 1 { "1 more node".to_owned() } else { format!("{left_out} more nodes") };
        all.push(EndpointTarget {
            host: nodes,
            left_out: Some((Reason::NotVisible, why)),
            ..EndpointTarget::default()
        });
    }
    all
}

/// The API server at the address that the kubeconfig names.
fn server(cluster: &ClusterEvidence) -> Option<EndpointTarget> {
    let (host, port) = address_of(cluster.server.known()?)?;
    let proxy = cluster.proxy.known().cloned();
    Some(EndpointTarget { host, port, service: "kube-apiserver", proxy, ..EndpointTarget::default() })
}

/// Host and port of a URL.
fn address_of(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let usual = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let port = uri.port_u16().unwrap_or(usual);
    (!host.is_empty() && port > 0).then(|| (host.to_owned(), port))
}

/// Whether a node is known to be one of the control plane.
fn is_control_plane(joined: &JoinedNode<'_>) -> bool {
    let said = joined.api.is_some_and(|api| api.control_plane == Fact::Known(true));
    said || joined.node.kube_apiserver.exists == Fact::Known(true)
}

/// All ports of a node at all of its addresses.
fn of_node(joined: &JoinedNode<'_>, evidence: &Evidence, dialled: &[Dialled]) -> Vec<EndpointTarget> {
    let way = dialled.iter().find(|way| way.node == joined.name);
    let hosts = hosts(joined, way);
    let left_out = left_out(joined, evidence, way, &hosts);
    let hosts = if hosts.is_empty() { vec![joined.name.to_string()] } else { hosts };
    let ports = ports(&joined.node, evidence.cluster.as_ref(), way);
    let mut all = Vec::new();
    for host in &hosts {
        all.extend(ports.iter().map(|(port, service)| EndpointTarget {
            host: host.clone(),
            port: *port,
            node: Some(joined.name.to_string()),
            kubernetes_node: joined.api.map(|api| api.name.clone()),
            service,
            proxy: None,
            left_out: left_out.clone(),
        }));
    }
    all
}

/// The node's addresses: those that the API shows, and the one that is dialled. What the API shows is what a kubelet said
/// of itself, so that only addresses count, no names that this seat would look up for it.
fn hosts(joined: &JoinedNode<'_>, way: Option<&Dialled>) -> Vec<String> {
    let shown = joined.api.iter().flat_map(|api| &api.addresses);
    let shown = shown.filter(|address| matches!(address.kind.as_str(), "InternalIP" | "ExternalIP"));
    let shown = shown.filter_map(|address| address.address.parse::<IpAddr>().ok());
    let mut hosts: Vec<String> = shown.take(ADDRESSES).map(|address| address.to_canonical().to_string()).collect();
    let named = way.map(|way| &way.host).or(joined.node.address.as_ref());
    hosts.extend(named.filter(|_| joined.node.channel == ChannelKind::Ssh).cloned());
    let mut seen = BTreeSet::new();
    hosts.retain(|host| !host.is_empty() && seen.insert(host.clone()));
    hosts
}

/// Why a node's ports are not looked at, if so.
fn left_out(
    joined: &JoinedNode<'_>,
    evidence: &Evidence,
    way: Option<&Dialled>,
    hosts: &[String],
) -> Option<(Reason, String)> {
    let why = if way.is_some_and(|way| way.jump) {
        "the node is reached by way of a jump host: this seat does not see its ports. Scan from a place that does"
    } else if hosts.is_empty() {
        "no address of the node is known: name it with --node"
    } else if evidence.cluster.as_ref().is_some_and(|cluster| cluster.proxy.known().is_some())
        && joined.node.channel == ChannelKind::Api
    {
        // The same private address may be another machine's where this seat is.
        "the API is reached by way of a proxy, so this seat may not be in the node's network: name the node with --node"
    } else {
        return None;
    };
    Some((Reason::NotVisible, why.to_owned()))
}

/// The ports of a node with their services: the usual ones, those that the node itself says its SSH and API servers listen
/// on, and those that lead from every node to the control plane.
fn ports(node: &NodeEvidence, cluster: Option<&ClusterEvidence>, way: Option<&Dialled>) -> Vec<(u16, &'static str)> {
    let mut all: Vec<(u16, &'static str)> = SERVICES.iter().map(|service| (service.port, service.name)).collect();
    all.extend(way.map(|way| (way.port, "ssh")));
    for (process, service) in [("sshd", "ssh"), ("kube-apiserver", "kube-apiserver")] {
        let own = node.listeners.items.iter();
        let own =
            own.filter(|listener| listener.exposed && listener.process.known().is_some_and(|name| name == process));
        all.extend(own.filter_map(|listener| Some((u16::try_from(listener.port).ok()?, service))).take(ADDRESSES));
    }
    let published = cluster.map(Published::of);
    let services = cluster.iter().flat_map(|cluster| &cluster.services.items);
    let services = services.filter(|service| published.as_ref().is_some_and(|published| published.leads(service)));
    let opened = services.flat_map(|service| &service.ports).filter(|port| port.protocol == "TCP");
    let opened = opened.filter_map(|port| u16::try_from(*port.node_port.known()?).ok());
    all.extend(opened.take(NODE_PORTS).map(|port| (port, NODE_PORT)));
    let mut seen = BTreeSet::new();
    all.retain(|(port, _)| *port > 0 && seen.insert(*port));
    all
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
