#![allow(clippy::unwrap_used)]
use super::*;

fn target(host: &str, port: u16, node: Option<&str>) -> EndpointTarget {
    EndpointTarget {
        host: host.into(),
        port,
        node: node.map(str::to_owned),
        service: "kubelet",
        ..EndpointTarget::default()
    }
}

fn addresses(all: &[(&str, Result<&str, Reason>)]) -> BTreeMap<String, resolve::Found> {
    let found = |address: &str| vec![SocketAddr::new(address.parse().unwrap(), 0)];
    all.iter().map(|(host, address)| ((*host).to_owned(), address.map(found))).collect()
}

#[test]
fn two_names_of_one_address_are_one_port() {
    let known = addresses(&[
        ("api.site", Ok("10.0.0.4")),
        ("10.0.0.4", Ok("10.0.0.4")),
        ("other", Ok("10.0.0.5")),
        ("gone", Err(Reason::Unreachable)),
    ]);
    let targets = [
        target("api.site", 6443, None),
        target("10.0.0.4", 6443, Some("node1")),
        target("10.0.0.4", 6443, Some("node1")),
        target("10.0.0.4", 22, Some("node1")),
        target("other", 6443, Some("node2")),
        target("gone", 6443, Some("node3")),
    ];
    let plans = one_each(&targets, &known);
    let seen: Vec<_> =
        plans.iter().map(|plan| (named(&plan.target.host, plan.target.port), plan.target.node.as_deref())).collect();
    assert_eq!(
        seen,
        [
            ("api.site:6443".to_owned(), Some("node1")),
            ("10.0.0.4:22".to_owned(), Some("node1")),
            ("other:6443".to_owned(), Some("node2")),
            ("gone:6443".to_owned(), Some("node3")),
        ]
    );
    assert_eq!(plans[0].also, ["10.0.0.4"]);
    assert_eq!(plans[3].addresses, Err(Reason::Unreachable));
}

#[test]
fn a_node_that_calls_itself_this_machine_is_not_looked_at() {
    let hosts = ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "255.255.255.255", "ff02::1", "::ffff:127.0.0.1"];
    for host in hosts {
        let known = addresses(&[(host, Ok(host))]);
        let of_node = one_each(&[target(host, 22, Some("node1"))], &known);
        assert!(of_node[0].target.left_out.is_some(), "{host}");
        // The API server of a kubeconfig may well be there.
        assert!(one_each(&[target(host, 22, None)], &known)[0].target.left_out.is_none(), "{host}");
    }
}

#[test]
fn an_ipv6_address_stands_in_brackets() {
    assert_eq!(named("fd00::1", 22), "[fd00::1]:22");
    assert_eq!(named("3 more nodes", 0), "3 more nodes");
}
