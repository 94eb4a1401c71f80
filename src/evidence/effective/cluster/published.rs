//! Which services lead to the control plane: by their selector, and by the EndpointSlices that belong to them. kube-proxy asks
//! nothing but the label whose a slice is, so that one made by hand leads anywhere, beside a selector too.

use super::super::super::{ClusterEvidence, Gap, Reading, Reason, Value};
use super::listed::{gap_of, text, truth};
use crate::evidence::cluster::{EndpointSlice, Service};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Where services lead.
pub struct Published<'c> {
    /// The slices of each service, by namespace and name.
    slices: HashMap<(&'c str, &'c str), Vec<&'c EndpointSlice>>,
    /// Addresses of nodes and of API servers.
    addresses: HashSet<IpAddr>,
    /// Where API servers listen.
    servers: HashSet<(IpAddr, i64)>,
    /// Whether every node was seen.
    all_nodes: bool,
}

/// What is known of where a service leads.
enum Leads {
    /// To the control plane or a kubelet; to which place.
    There(String),
    /// To a port of the control plane, and whose the address is was not seen.
    Unclear(String),
    /// Elsewhere, as far as was read.
    Elsewhere,
}

impl<'c> Published<'c> {
    /// Of what was seen of a cluster.
    pub fn of(cluster: &'c ClusterEvidence) -> Self {
        let mut slices: HashMap<(&str, &str), Vec<&EndpointSlice>> = HashMap::new();
        for slice in &cluster.endpoint_slices.items {
            slices.entry((slice.namespace.as_str(), slice.service.as_str())).or_default().push(slice);
        }
        // The API servers themselves write the slice of default/kubernetes.
        let own = slices.get(&("default", "kubernetes")).into_iter().flatten();
        let servers: HashSet<(IpAddr, i64)> = own.flat_map(|slice| places(slice)).collect();
        let shown = cluster.nodes.items.iter().flat_map(|node| &node.addresses);
        let mut addresses: HashSet<IpAddr> = shown.filter_map(|shown| address(&shown.address)).collect();
        addresses.extend(servers.iter().map(|(address, _)| *address));
        Published { slices, addresses, servers, all_nodes: cluster.nodes.complete }
    }

    /// Whether a service is known to lead to the control plane or a kubelet.
    pub fn leads(&self, service: &Service) -> bool {
        service.control_plane || matches!(self.look(service), Leads::There(_))
    }

    /// Where the slices of a service lead.
    fn look(&self, service: &Service) -> Leads {
        let name = service.name.rsplit('/').next().unwrap_or_default();
        let mut unclear = None;
        for slice in self.slices.get(&(service.namespace.as_str(), name)).into_iter().flatten() {
            for target in &slice.targets {
                let found = address(&target.address);
                for port in &slice.ports {
                    let usual = EndpointSlice::is_of_control_plane(*port);
                    let known = found.is_some_and(|address| usual && self.addresses.contains(&address));
                    if known || found.is_some_and(|address| self.servers.contains(&(address, *port))) {
                        return Leads::There(told(slice, &target.address, *port));
                    }
                    if usual && !(target.pod && self.all_nodes) {
                        unclear.get_or_insert_with(|| told(slice, &target.address, *port));
                    }
                }
            }
        }
        unclear.map_or(Leads::Elsewhere, Leads::Unclear)
    }
}

/// `EndpointSlice audit/way leads to 10.0.0.4 port 6443`.
fn told(slice: &EndpointSlice, address: &str, port: i64) -> String {
    format!("EndpointSlice {} leads to {address} port {port}", slice.name)
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn places(slice: &EndpointSlice) -> impl Iterator<Item = (IpAddr, i64)> {
    let addresses = slice.targets.iter().filter_map(|target| address(&target.address));
    addresses.flat_map(|address| slice.ports.iter().map(move |port| (address, *port)))
}

/// Puts into each service of the tree whether it leads to the control plane, with the slice by which it does.
pub(super) fn attach(cluster: &ClusterEvidence, root: &mut Reading) {
    let published = Published::of(cluster);
    let gap = gap_of(&cluster.endpoint_slices, root, "endpoint_slices");
    root.change("services", |services| {
        let Value::List { items, .. } = &mut services.value else { return };
        for (item, service) in Arc::make_mut(items).iter_mut().zip(&cluster.services.items) {
            if service.control_plane {
                continue;
            }
            let leads = match published.look(service) {
                Leads::There(how) => {
                    item.insert("name", text(format!("{} ({how})", service.name)));
                    Reading::with_origin(Value::Bool(true), how)
                }
                Leads::Unclear(how) => {
                    let why = format!("{how}, and whose address that is was not seen");
                    Reading::new(Value::Unread(Gap::new(Reason::NotVisible, why)))
                }
                Leads::Elsewhere => gap.clone().map_or_else(|| truth(false), |gap| Reading::new(Value::Unread(gap))),
            };
            item.insert("control_plane", leads);
        }
    });
}

#[cfg(test)]
#[path = "published_tests.rs"]
mod tests;
