//! What conditions ask of an endpoint and no record holds as such.

use super::super::cluster::KubeNode;
use super::super::{
    ChannelKind, EndpointEvidence, Evidence, Fact, Gap, NodeEvidence, PortState, Reading, Reason, TlsOffer, Value,
};
use super::{Shape, gap_at};
use std::net::IpAddr;

/// Services that run on nodes of the control plane alone.
const CONTROL_PLANE: [&str; 5] = ["etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Paths below `endpoint.` at which something is derived, each with its shape.
///
/// - `reachable`: whether this seat can connect. A silent port counts as closed only where another port of the same
///   address answered in the same scan.
/// - `on_control_plane`: whether the node is one of the control plane.
/// - `expected`: whether such a node usually runs the service.
/// - `seat`: where this seat is: `elsewhere`, `same-node`, `control-plane-node`, `worker-node`.
/// - `seen_from`: this seat's address as the node sees it where a login told, else as the connection has it.
/// - `names_match`: whether the certificate is for a name or address by which the port or its node is known.
/// - `tls_accepted`: the versions of TLS that it accepts. One older than 1.2 that could not be tried stands in it unread.
/// - `self_made`: whether the server made its certificate itself: nobody else's signature stands on it.
pub fn derived_shapes() -> Vec<(&'static str, Shape)> {
    let leaves = ["reachable", "on_control_plane", "expected", "seat", "seen_from", "names_match", "self_made"];
    let lists = [("tls_accepted", Shape::List(Box::new(Shape::Leaf)))];
    leaves.map(|key| (key, Shape::Leaf)).into_iter().chain(lists).collect()
}

/// Adds to an endpoint's tree what is derived from it and from the rest of the document. Pure.
pub(in crate::evidence) fn attach(endpoint: &EndpointEvidence, evidence: &Evidence, root: &mut Reading) {
    // What stands for many ports that were left out is none of the services: nothing is known of them.
    if endpoint.port == 0 {
        let gap = gap_at(root, "state");
        root.insert("service", Reading::new(Value::Unread(gap)));
    }
    let near = Near::of(endpoint, evidence);
    let on_control_plane = match (&endpoint.node, endpoint.service.as_str()) {
        (Fact::Known(_), _) => near.role(),
        (_, "kube-apiserver") => known(true, "the API server's own address"),
        _ => Reading::unread(Reason::NotVisible, "it is not known whose address this is"),
    };
    let derived = [
        ("reachable", reachable(endpoint, evidence, root)),
        ("expected", expected(endpoint, &on_control_plane)),
        ("on_control_plane", on_control_plane),
        ("seat", seat(endpoint, evidence)),
        ("seen_from", seen_from(&near, root)),
        ("names_match", names_match(endpoint, &near, root)),
        ("tls_accepted", tls_accepted(endpoint, root)),
        ("self_made", self_made(root)),
    ];
    for (key, reading) in derived {
        root.insert(key, reading);
    }
}

fn tls_accepted(endpoint: &EndpointEvidence, root: &Reading) -> Reading {
    let versions = &endpoint.tls.versions;
    let gap = match root.at("tls.versions").value {
        Value::List { gap, .. } => gap,
        _ => Some(gap_at(root, "tls.versions")),
    };
    let old = |name: &str| ["TLSv1.0", "TLSv1.1"].contains(&name);
    let item = |(place, offer): (usize, &TlsOffer)| match &offer.accepted {
        Fact::Known(true) => Some(Reading::text(offer.name.as_str())),
        Fact::Absent | Fact::Unread if old(&offer.name) => {
            Some(Reading::new(Value::Unread(gap_at(root, &format!("tls.versions.{place}.accepted")))))
        }
        _ => None,
    };
    Reading::list(versions.items.iter().enumerate().filter_map(item).collect(), gap)
}

fn known(truth: bool, origin: &str) -> Reading {
    Reading::with_origin(Value::Bool(truth), origin)
}

fn reachable(endpoint: &EndpointEvidence, evidence: &Evidence, root: &Reading) -> Reading {
    match endpoint.state {
        Fact::Known(PortState::Open) => known(true, "this seat could connect"),
        Fact::Known(PortState::Closed) => known(false, "the host refused this seat's connection"),
        Fact::Known(PortState::Filtered) => {
            let others = evidence.endpoints.iter().flatten();
            let answered = |other: &&EndpointEvidence| {
                other.answered() && other.address == endpoint.address && other.address.known().is_some()
            };
            match others.into_iter().find(answered) {
                Some(other) => {
                    let origin =
                        format!("no answer, though port {} of the same address answered in this scan", other.port);
                    known(false, &origin)
                }
                None => Reading::unread(
                    Reason::Timeout,
                    "nothing at this address answered, so that silence proves nothing: look whether the node is on",
                ),
            }
        }
        Fact::Absent | Fact::Unread => Reading::new(Value::Unread(gap_at(root, "state"))),
    }
}

/// What is known of the endpoint's node by other ways.
struct Near<'e> {
    node: Option<&'e NodeEvidence>,
    api: Option<&'e KubeNode>,
}

impl<'e> Near<'e> {
    fn of(endpoint: &EndpointEvidence, evidence: &'e Evidence) -> Self {
        let name = endpoint.node.known();
        let node = name.and_then(|name| evidence.nodes.iter().find(|node| node.name == *name));
        Near { node, api: endpoint.kubernetes_node.known().and_then(|name| listed(evidence, name)) }
    }

    /// Whether the node is one of the control plane: by what runs on it, else by its label.
    fn role(&self) -> Reading {
        let components = self.node.map(|node| {
            [&node.kube_apiserver, &node.kube_controller_manager, &node.kube_scheduler, &node.etcd]
                .map(|component| &component.exists)
        });
        if components.is_some_and(|all| all.contains(&&Fact::Known(true))) {
            return known(true, "a component of the control plane runs on the node");
        }
        if let Some(Fact::Known(label)) = self.api.map(|api| &api.control_plane) {
            return known(*label, "the label of the Node object");
        }
        // Where no kubelet of its own runs, one program may hold all components in itself, as k3s has it.
        let kubelet = self.node.is_some_and(|node| node.kubelet.exists == Fact::Known(true));
        if kubelet && components.is_some_and(|all| all.iter().all(|exists| **exists == Fact::Known(false))) {
            return known(false, "no component of the control plane runs on the node");
        }
        Reading::unread(Reason::NotVisible, "neither the API nor the node says whether it is one of the control plane")
    }
}

fn listed<'e>(evidence: &'e Evidence, name: &str) -> Option<&'e KubeNode> {
    evidence.cluster.iter().flat_map(|cluster| &cluster.nodes.items).find(|api| api.name == name)
}

fn expected(endpoint: &EndpointEvidence, on_control_plane: &Reading) -> Reading {
    match endpoint.service.as_str() {
        "ssh" | "kubelet" | "kube-proxy-health" => known(true, "every node runs it"),
        "kubelet-read-only" | "node-port" => known(false, "no node needs it"),
        service if CONTROL_PLANE.contains(&service) => on_control_plane.clone(),
        _ => Reading::unread(Reason::NotVisible, "it is not known what answers there"),
    }
}

fn seat(endpoint: &EndpointEvidence, evidence: &Evidence) -> Reading {
    let Some(own) = evidence.nodes.iter().find(|node| node.channel == ChannelKind::Local) else {
        return Reading::text("elsewhere");
    };
    let loopback =
        || endpoint.address.known().and_then(|address| address.parse().ok()).is_some_and(|ip: IpAddr| ip.is_loopback());
    match &endpoint.node {
        Fact::Known(name) if *name == own.name => return Reading::text("same-node"),
        Fact::Absent if loopback() => return Reading::text("same-node"),
        _ => {}
    }
    let name = own.kubernetes_name.as_ref().or(own.identity.hostname.known());
    let near = Near { node: Some(own), api: name.and_then(|name| listed(evidence, name)) };
    let role = near.role();
    match role.value {
        Value::Bool(true) => Reading::text("control-plane-node"),
        Value::Bool(false) => Reading::text("worker-node"),
        _ => role,
    }
}

fn seen_from(near: &Near<'_>, root: &Reading) -> Reading {
    let login = near.node.and_then(|node| node.login.known()).and_then(|login| login.from.known());
    match login {
        Some(from) => Reading::with_origin(Value::Text(from.as_str().into()), "as the node's SSH server sees it"),
        None => root.at("seat_address"),
    }
}

/// Whether a certificate's name fits a name or address that is asked for; `*` stands for one whole label at the beginning.
fn fits(name: &str, asked: &str) -> bool {
    if let Ok(address) = asked.parse::<IpAddr>() {
        return name.parse::<IpAddr>().is_ok_and(|own| own.to_canonical() == address.to_canonical());
    }
    let (name, asked) = (name.trim_end_matches('.'), asked.trim_end_matches('.'));
    match name.strip_prefix("*.") {
        Some(domain) => asked.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(asked),
    }
}

fn names_match(endpoint: &EndpointEvidence, near: &Near<'_>, root: &Reading) -> Reading {
    let mut asked: Vec<&str> = vec![&endpoint.host];
    asked.extend(endpoint.also.iter().map(String::as_str));
    asked.extend(near.api.iter().map(|api| api.name.as_str()));
    asked.extend(near.api.iter().flat_map(|api| &api.addresses).map(|address| address.address.as_str()));
    asked.extend(near.node.and_then(|node| node.identity.hostname.known()).map(String::as_str));
    let names = &endpoint.tls.names;
    if let Some(found) = asked.iter().find(|asked| names.items.iter().any(|name| fits(name, asked))) {
        return known(true, &format!("the certificate is for {found}"));
    }
    if names.complete {
        return known(false, &format!("the certificate is not for {}", endpoint.host));
    }
    Reading::new(Value::Unread(gap_at(root, "tls.names")))
}

/// A certificate signed by itself; or one of those that a kubelet makes at its start, signed by an authority that it made a
/// moment before: `CN=node1@1795642379` by `CN=node1-ca@1795642378`.
fn self_made(root: &Reading) -> Reading {
    let own = root.at("tls.chain.0");
    let (subject, issuer) = match (own.child("subject").value, own.child("issuer").value) {
        (Value::Text(subject), Value::Text(issuer)) => (subject, issuer),
        (Value::Unread(gap), _) | (_, Value::Unread(gap)) => return Reading::new(Value::Unread(gap)),
        _ => return Reading::new(Value::Unread(Gap::new(Reason::Malformed, "the certificate names no issuer"))),
    };
    let host = |name: &str, mark: &str| {
        let (host, time) = name.strip_prefix("CN=")?.rsplit_once('@')?;
        let digits = !time.is_empty() && time.bytes().all(|digit| digit.is_ascii_digit());
        host.strip_suffix(mark).filter(|_| digits).map(str::to_owned)
    };
    // The times need not be equal: client-go's `GenerateSelfSignedCertKey` reads the clock for each of the two, and makes an
    // RSA key in between.
    let born = host(&subject, "").is_some_and(|subject| host(&issuer, "-ca") == Some(subject));
    let itself = subject == issuer || born;
    known(itself, "subject and issuer of the certificate")
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
