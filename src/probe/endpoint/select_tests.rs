#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use serde_json::{Value, json};

fn evidence(cluster: Option<Value>, nodes: &[Value]) -> Evidence {
    let now = "2026-11-25T00:00:00Z";
    let mut json = json!({
        "schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "started": now, "finished": now,
        "seat": {"host": "seat", "user": "ana"}, "nodes": nodes
    });
    if let Some(cluster) = cluster {
        json["cluster"] = cluster;
    }
    Evidence::from_json(&json.to_string()).unwrap()
}

fn cluster(nodes: &[Value]) -> Value {
    json!({
        "context": "c", "reached": true, "complete": true, "server": "https://10.0.0.4:6443", "proxy": null,
        "nodes": {"complete": true, "items": nodes}
    })
}

fn listed(name: &str, addresses: &[(&str, &str)]) -> Value {
    let addresses: Vec<Value> =
        addresses.iter().map(|(kind, address)| json!({"kind": kind, "address": address})).collect();
    json!({"name": name, "addresses": addresses, "control_plane": false})
}

fn by_ssh(name: &str, address: &str) -> Value {
    json!({"name": name, "address": address, "channel": "ssh", "reached": true, "complete": true})
}

fn at<'t>(targets: &'t [EndpointTarget], host: &str) -> Vec<(u16, &'t str)> {
    targets.iter().filter(|one| one.host == host).map(|one| (one.port, one.service)).collect()
}

const USUAL: [u16; 9] = [22, 2379, 2380, 6443, 10250, 10255, 10256, 10257, 10259];

fn ports(targets: &[EndpointTarget], host: &str) -> Vec<u16> {
    at(targets, host).iter().map(|(port, _)| *port).collect()
}

#[test]
fn every_address_of_every_node_is_looked_at_and_the_servers_own() {
    let nodes = [
        listed("node1", &[("InternalIP", "10.0.0.5"), ("InternalIP", "fd00::5"), ("Hostname", "node1")]),
        listed("node2", &[("ExternalIP", "203.0.113.7"), ("InternalIP", "10.0.0.6"), ("InternalIP", "evil.example")]),
    ];
    let found = targets(&evidence(Some(cluster(&nodes)), &[by_ssh("edge3", "edge3.site")]), &[]);
    assert_eq!(at(&found, "10.0.0.4"), [(6443, "kube-apiserver")]);
    for host in ["10.0.0.5", "fd00::5", "203.0.113.7", "10.0.0.6", "edge3.site"] {
        assert_eq!(ports(&found, host), USUAL, "{host}");
    }
    assert!(
        at(&found, "node1").is_empty() && at(&found, "evil.example").is_empty(),
        "names that a kubelet gave itself"
    );
    let node2 = found.iter().find(|one| one.host == "10.0.0.6").unwrap();
    assert_eq!((node2.node.as_deref(), node2.kubernetes_node.as_deref()), (Some("node2"), Some("node2")));
    assert!(found.iter().all(|one| one.left_out.is_none()));
}

#[test]
fn the_ports_that_a_node_really_uses_are_looked_at_too() {
    let listener = |port: u16, process: &str, exposed: bool| json!({"name": "x", "protocol": "tcp", "address": "0.0.0.0", "port": port, "exposed": exposed, "process": process});
    let mut node = by_ssh("edge1", "10.0.0.5");
    node["listeners"] = json!({"complete": true, "items": [
        listener(2222, "sshd", true), listener(2223, "sshd", false), listener(16443, "kube-apiserver", true),
        listener(8080, "nginx", true)]});
    let way = Dialled { node: "edge1".into(), host: "10.0.0.5".into(), port: 2022, jump: false };
    let found = targets(&evidence(None, &[node]), &[way]);
    let mut more = at(&found, "10.0.0.5");
    more.retain(|(port, _)| !USUAL.contains(port));
    assert_eq!(more, [(2022, "ssh"), (2222, "ssh"), (16443, "kube-apiserver")]);
}

#[test]
fn node_ports_count_where_they_lead_to_the_control_plane() {
    let service = |control_plane: bool, port: u16, protocol: &str| {
        json!({"name": "x", "namespace": "kube-system", "kind": "NodePort", "control_plane": control_plane,
               "ports": [{"port": 1, "node_port": port, "protocol": protocol}]})
    };
    let mut cluster = cluster(&[listed("node1", &[("InternalIP", "10.0.0.5")])]);
    cluster["services"] = json!({"complete": true, "items": [
        service(true, 30001, "TCP"), service(false, 30002, "TCP"), service(true, 30003, "UDP")]});
    let found = targets(&evidence(Some(cluster), &[]), &[]);
    assert_eq!(at(&found, "10.0.0.5").last(), Some(&(30001, "node-port")));
    assert_eq!(found.iter().filter(|one| one.service == "node-port").count(), 1);
}

#[test]
fn a_node_port_counts_whose_slice_leads_to_the_control_plane() {
    let service = |name: &str, port: u16| {
        json!({"name": format!("audit/{name}"), "namespace": "audit", "kind": "NodePort", "control_plane": false,
               "ports": [{"port": 443, "node_port": port, "protocol": "TCP"}]})
    };
    let slice = |name: &str, address: &str| {
        json!({"name": format!("audit/{name}-1"), "namespace": "audit", "service": name, "ports": [6443],
               "targets": [{"address": address, "pod": false}]})
    };
    let mut cluster = cluster(&[listed("node1", &[("InternalIP", "10.0.0.5")])]);
    cluster["services"] = json!({"complete": true, "items": [service("way", 30443), service("other", 30444)]});
    cluster["endpoint_slices"] =
        json!({"complete": true, "items": [slice("way", "10.0.0.5"), slice("other", "192.0.2.1")]});
    let found = targets(&evidence(Some(cluster), &[]), &[]);
    let opened: Vec<u16> = found.iter().filter(|one| one.service == "node-port").map(|one| one.port).collect();
    assert_eq!(opened, [30443]);
}

#[test]
fn what_this_seat_cannot_see_is_said_and_not_tried() {
    let why = |found: &[EndpointTarget], host: &str| {
        let one = found.iter().find(|one| one.host == host).unwrap_or_else(|| panic!("{host}"));
        one.left_out.clone().map(|(reason, _)| reason)
    };
    let way = Dialled { node: "edge1".into(), host: "10.0.0.5".into(), port: 22, jump: true };
    let found = targets(&evidence(None, &[by_ssh("edge1", "10.0.0.5")]), &[way]);
    assert_eq!((why(&found, "10.0.0.5"), ports(&found, "10.0.0.5").len()), (Some(Reason::NotVisible), 9));

    let nodes = [listed("node1", &[("InternalIP", "10.0.0.5")]), listed("node2", &[("Hostname", "node2")])];
    let mut proxied = cluster(&nodes);
    proxied["proxy"] = json!("az connectedk8s proxy");
    proxied["server"] = json!("https://127.0.0.1:47011/proxies/x");
    let found = targets(&evidence(Some(proxied), &[by_ssh("edge3", "10.0.0.7")]), &[]);
    let server = found.iter().find(|one| one.host == "127.0.0.1").unwrap();
    assert_eq!((server.port, server.proxy.as_deref()), (47011, Some("az connectedk8s proxy")));
    assert_eq!(why(&found, "10.0.0.5"), Some(Reason::NotVisible), "it may be another machine's address here");
    assert_eq!(why(&found, "node2"), Some(Reason::NotVisible), "no address");
    assert_eq!(why(&found, "10.0.0.7"), None);

    let local = json!({"name": "here", "channel": "local", "reached": true, "complete": true});
    let found = targets(&evidence(None, &[local]), &[]);
    assert_eq!(why(&found, "here"), Some(Reason::NotVisible));
}

#[test]
fn of_too_many_nodes_some_are_left_out_and_that_is_told() {
    let mut nodes: Vec<Value> = (0..300)
        .map(|n| listed(&format!("n{n}"), &[("InternalIP", &format!("10.0.{}.{}", n / 200, n % 200))]))
        .collect();
    nodes[299]["control_plane"] = json!(true);
    let found = targets(&evidence(Some(cluster(&nodes)), &[]), &[]);
    let looked_at = found.iter().filter(|one| one.left_out.is_none()).count();
    assert!((1_900..=MOST_PORTS).contains(&looked_at), "{looked_at}");
    let (last, rest) = found.split_last().unwrap();
    assert_eq!((last.host.as_str(), last.port), ("78 more nodes", 0));
    assert!(last.left_out.as_ref().unwrap().1.contains("2000"));
    assert!(rest.iter().any(|one| one.node.as_deref() == Some("n299")), "the control plane comes first");
    assert!(rest.iter().all(|one| one.port > 0 && one.left_out.is_none()));
}

#[test]
fn the_servers_url_is_read_in_every_form() {
    let of = |url: &str| address_of(url).map(|(host, port)| format!("{host} {port}")).unwrap_or_default();
    assert_eq!(of("https://api.site:6443/k8s"), "api.site 6443");
    assert_eq!(of("https://api.site"), "api.site 443");
    assert_eq!(of("http://[fd00::1]:8001"), "fd00::1 8001");
    for bad in ["", "api.site", "ftp://api.site", "https://", "https://api.site:0", "https://a b"] {
        assert_eq!(of(bad), "", "{bad}");
    }
}
