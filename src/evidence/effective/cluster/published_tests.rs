//! Where services lead.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::tests::tree;
use super::*;
use crate::evidence::cluster::sample::good;
use crate::evidence::cluster::{NodeAddress, SliceTarget};
use crate::evidence::{Listing, Unread};

/// The cluster in which a slice belongs to the service shop/web.
fn with(address: &str, port: i64, pod: bool) -> ClusterEvidence {
    let mut cluster = good();
    let own = NodeAddress { kind: "InternalIP".into(), address: "10.0.0.5".into() };
    cluster.nodes.items[1].addresses.push(own);
    cluster.endpoint_slices.items.push(EndpointSlice {
        name: "shop/way".into(),
        namespace: "shop".into(),
        service: "web".into(),
        ports: vec![80, port],
        targets: vec![SliceTarget { address: address.into(), pod }],
    });
    cluster
}

fn seen(cluster: &ClusterEvidence) -> Reading {
    tree(cluster).at("services.0.control_plane")
}

#[test]
fn a_slice_that_leads_to_the_control_plane_makes_its_service_one_of_it() {
    for (address, port) in [("10.0.0.4", 6443), ("10.0.0.5", 10250), ("10.0.0.5", 2379), ("::ffff:10.0.0.4", 6443)] {
        for pod in [true, false] {
            let cluster = with(address, port, pod);
            let found = seen(&cluster);
            assert_eq!(found.value, Value::Bool(true), "{address} {port}");
            assert!(found.origin.is_some_and(|how| how.contains("EndpointSlice shop/way leads to")));
            assert!(Published::of(&cluster).leads(&cluster.services.items[0]));
        }
    }
    // An API server at a port of its own is known by where it says that it listens.
    let mut cluster = with("10.0.0.4", 7443, false);
    assert_eq!(seen(&cluster).value, Value::Bool(false));
    cluster.endpoint_slices.items[0].ports = vec![7443];
    assert_eq!(seen(&cluster).value, Value::Bool(true));
}

#[test]
fn what_belongs_to_pods_and_to_other_services_is_no_way_there() {
    assert_eq!(seen(&with("10.244.1.7", 10250, true)).value, Value::Bool(false), "a pod that listens there too");
    assert_eq!(seen(&with("10.0.0.5", 8080, false)).value, Value::Bool(false), "another port of the node");
    for (namespace, service) in [("audit", "web"), ("shop", "other"), ("shop", "")] {
        let mut cluster = with("10.0.0.4", 6443, false);
        (cluster.endpoint_slices.items[1].namespace, cluster.endpoint_slices.items[1].service) =
            (namespace.into(), service.into());
        assert_eq!(seen(&cluster).value, Value::Bool(false), "{namespace}/{service}");
    }
}

#[test]
fn where_a_service_leads_that_was_not_read_is_unknown() {
    let reason = |cluster: &ClusterEvidence| match seen(cluster).value {
        Value::Unread(gap) => (gap.reason, gap.detail.to_string()),
        other => panic!("{other:?}"),
    };
    // An address of nobody who was seen, at a port of the control plane.
    let (why, detail) = reason(&with("192.0.2.9", 6443, false));
    assert_eq!(why, Reason::NotVisible);
    assert!(detail.contains("EndpointSlice shop/way leads to 192.0.2.9 port 6443"), "{detail}");
    let mut cluster = good();
    cluster.endpoint_slices = Listing::default();
    cluster.unread.push(Unread { path: "endpoint_slices".into(), reason: Reason::Forbidden, detail: "no".into() });
    assert_eq!(reason(&cluster), (Reason::Forbidden, "no".to_owned()));
    assert!(!Published::of(&cluster).leads(&cluster.services.items[0]));
    // What was seen of them decides all the same.
    let mut cluster = with("10.0.0.4", 6443, false);
    cluster.endpoint_slices.complete = false;
    assert_eq!(seen(&cluster).value, Value::Bool(true));
    // The address may be a node's that was not listed.
    let mut cluster = with("10.0.0.5", 10250, true);
    cluster.nodes = Listing::default();
    assert!(matches!(seen(&cluster).value, Value::Unread(_)));
}
