//! The bed's two nodes: real API server, kubelets, etcd and sshd, compared with what the OpenSSL program says of them.

use super::{accepted, limits, look_all, target};
use sitewarden::probe::endpoint::EndpointTarget;

#[test]
fn try_it() {
    let mut targets: Vec<EndpointTarget> = Vec::new();
    for host in ["10.88.0.2", "10.88.0.3"] {
        for (port, service) in [
            (22, "ssh"),
            (2379, "etcd"),
            (2380, "etcd-peer"),
            (6443, "kube-apiserver"),
            (10250, "kubelet"),
            (10255, "kubelet-read-only"),
            (10256, "kube-proxy-health"),
            (10257, "kube-controller-manager"),
            (10259, "kube-scheduler"),
        ] {
            targets.push(target(host, port, service));
        }
    }
    let start = std::time::Instant::now();
    let seen = look_all(&targets, limits());
    eprintln!("{:?}", start.elapsed());
    for one in &seen {
        eprintln!(
            "{}\n  {:?} {:?}",
            serde_json::to_string(one).unwrap(),
            accepted(&one.tls.versions.items),
            accepted(&one.tls.suites.items)
        );
    }
}
