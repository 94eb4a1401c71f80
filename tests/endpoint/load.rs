//! Fifty nodes of ten ports each: all of them answer within the bounds of a scan.

use super::servers::Setup;
use super::{look_all, target};
use sitewarden::evidence::{Fact, PortState};
use sitewarden::probe::endpoint::EndpointLimits;
use std::net::Ipv4Addr;

#[allow(clippy::print_stderr)]
#[test]
fn fifty_nodes_are_looked_at_within_the_usual_bounds() {
    let setup = Setup::default();
    let mut targets = Vec::new();
    for number in 1..=50_u8 {
        let address = Ipv4Addr::new(127, 0, 77, number);
        let host = address.to_string();
        for (place, service) in ["kubelet", "kube-apiserver", "etcd"].into_iter().enumerate() {
            let port = 21_000 + place as u16;
            targets.push(target(&host, setup.serve_at(address, port), service));
        }
        // Nothing listens at the others, which is how it should be.
        for port in 21_010..21_017 {
            targets.push(target(&host, port, "kube-scheduler"));
        }
    }
    let start = std::time::Instant::now();
    let seen = look_all(&targets, EndpointLimits::default());
    eprintln!("{} ports of 50 nodes: {:?}", seen.len(), start.elapsed());
    assert_eq!(seen.len(), 500);
    for one in &seen {
        let open = one.service != "kube-scheduler";
        assert_eq!(one.state, Fact::Known(if open { PortState::Open } else { PortState::Closed }), "{}", one.name);
        assert!(!open || (one.tls.suites.complete && one.tls.chain.complete), "{}: {:?}", one.name, one.unread);
    }
}
