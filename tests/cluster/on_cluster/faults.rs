//! A site where something does not answer: the rest is told, with reasons, and never better than it is.

use crate::bed::{Bed, Told, because, false_passes};

#[test]
fn without_the_api_the_nodes_are_looked_at_all_the_same() {
    let Some(bed) = Bed::cluster("without_the_api_the_nodes_are_looked_at_all_the_same") else { return };
    let full = bed.whole();
    let down = bed.stop(&["api"]);
    let partial = bed.scan_all();
    drop(down);
    // The API server's process is gone, so that nothing can be said of what it ran with.
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    let cluster = partial.target("cluster");
    assert_eq!(cluster["reached"], false);
    assert!(cluster["errors"][0]["message"].as_str().is_some_and(|why| why.contains("6443")), "{cluster}");
    assert_eq!(partial.target("node/node1")["reached"], true);
    assert_eq!(partial.target("node/node2")["reached"], true);
    assert!(!because(&partial, "cluster", "unknown", "unreachable").is_empty());
    assert_eq!(partial.judged("node/node2", "kubelet-config-mode"), "fail", "what a node shows is told");
    assert_eq!(partial.json["summary"]["incomplete"], true);
    assert_eq!(partial.status, 1);
}

#[test]
fn an_api_server_that_takes_connections_and_never_answers_is_given_up() {
    let Some(bed) = Bed::cluster("an_api_server_that_takes_connections_and_never_answers_is_given_up") else { return };
    let full = bed.whole();
    let silent = bed.stop(&["api-answer"]);
    let partial = bed.scan(&[bed.as_user("admin"), bed.by_ssh(), vec!["--timeout".into(), "20".into()]]);
    drop(silent);
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    assert_eq!(partial.target("cluster")["reached"], false);
    assert!(!because(&partial, "cluster", "unknown", "timeout").is_empty(), "{}", partial.target("cluster"));
    assert_eq!(partial.target("node/node2")["reached"], true);
    assert_eq!(partial.json["summary"]["incomplete"], true);
}

#[test]
fn without_ssh_the_api_tells_what_it_knows_of_the_node() {
    let Some(bed) = Bed::cluster("without_ssh_the_api_tells_what_it_knows_of_the_node") else { return };
    let full = bed.whole();
    let off = bed.stop(&["ssh", "node2"]);
    let partial = bed.scan_all();
    drop(off);
    let port = format!("endpoint/{}:22", bed.address("node2"));
    let better = false_passes(&full, &partial);
    // That nobody listens at port 22 is true while sshd is off.
    assert!(better.iter().all(|found| found.contains(&port)), "{better:#?}");
    assert_eq!(partial.targets("node"), ["node/node1", "node/node2"], "still one target, by its name");
    assert_eq!(partial.target("cluster")["reached"], true);
    let node = partial.target("node/node2");
    assert!(node["errors"][0]["reason"] == "unreachable", "{node}");
    assert_eq!(partial.judged("node/node2", "kubelet-anonymous-auth"), "pass", "from the kubelet's own word");
    assert_eq!(partial.judged("node/node2", "kubelet-config-mode"), "unknown", "no file was seen");
    assert_eq!(partial.judged("node/node2", "sshd-root-login"), "unknown");
    assert_eq!(partial.json["summary"]["incomplete"], true);
    assert_eq!(partial.status, 1);
}

#[test]
fn a_node_without_power_is_a_target_all_the_same() {
    let Some(bed) = Bed::cluster("a_node_without_power_is_a_target_all_the_same") else { return };
    let full = bed.whole();
    let off = bed.stop(&["node", "node2"]);
    let partial = bed.scan_all();
    drop(off);
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    assert_eq!(partial.targets("node"), ["node/node1", "node/node2"]);
    assert_eq!(partial.target("node/node1")["reached"], true);
    assert!(!partial.target("node/node2")["errors"].as_array().unwrap().is_empty());
    // Nothing at that address answered: a port that does not answer either proves nothing.
    let ports = format!("endpoint/{}:", bed.address("node2"));
    let passes = partial.every().into_iter().filter(|found| found.0.starts_with(&ports) && found.2 == "pass");
    assert_eq!(passes.collect::<Vec<_>>(), []);
    assert_eq!(partial.json["summary"]["incomplete"], true);
    assert_eq!(partial.status, 1);
}

#[test]
fn a_node_that_the_cluster_no_longer_hears_from_passes_nothing_by_the_api_alone() {
    let Some(bed) = Bed::cluster("a_node_that_the_cluster_no_longer_hears_from_passes_nothing_by_the_api_alone") else {
        return;
    };
    let alone = || bed.scan(&[bed.as_user("admin")]);
    let full = alone();
    assert_eq!(full.target("node/node2")["reached"], true);
    let off = bed.stop(&["node", "node2"]);
    bed.kubectl(&["wait", "--for=condition=Ready=Unknown", "node/node2", "--timeout=180s"], "");
    let partial = alone();
    drop(off);
    bed.kubectl(&["wait", "--for=condition=Ready", "node/node2", "--timeout=180s"], "");
    assert_eq!(false_passes(&full, &partial), [""; 0]);
    let node = partial.target("node/node2");
    assert_eq!((&node["reached"], &node["complete"]), (&false.into(), &false.into()), "{node}");
    assert!(node["errors"][0]["message"].as_str().unwrap().contains("has not heard from it since 20"), "{node}");
    for control in ["node-cluster-member", "kube-proxy-metrics-loopback", "kubelet-anonymous-auth"] {
        assert_eq!(partial.judged("node/node2", control), "unknown", "{control}");
        assert_eq!(partial.judged("node/node1", control), full.judged("node/node1", control), "{control}");
    }
    assert_eq!(partial.judged("cluster", "nodes-ready"), "fail");
    let port = partial.target(&format!("endpoint/{}:10250", bed.address("node2")));
    assert_eq!(port["reached"], false, "{port}");
    assert_eq!(partial.json["summary"]["incomplete"], true);
}
