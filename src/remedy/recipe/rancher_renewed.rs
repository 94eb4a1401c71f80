//! Which certificates k3s and RKE2 renew themselves, and how long before their end.

use super::rancher::Which;
use crate::evidence::Version;

/// Whether it is one that these two renew themselves.
pub(super) fn is_renewed(which: Which, path: &str) -> bool {
    let id = which.id();
    let server = path.strip_prefix(&which.data("/server/tls/")).is_some_and(|name| {
        (name.starts_with("client-") && !name.contains('/') && !name.contains("-ca."))
            || [
                "serving-kube-apiserver.crt",
                "etcd/client.crt",
                "etcd/server-client.crt",
                "etcd/peer-server-client.crt",
            ]
            .contains(&name)
            || is_made_by_components(name)
    });
    let agent = path.strip_prefix(&which.data("/agent/")).is_some_and(|name| {
        ["client-kubelet.crt", "serving-kubelet.crt", "client-kube-proxy.crt"].contains(&name)
            || name == format!("client-{id}-controller.crt")
    });
    server || agent
}

/// Whether it was the component's own before k3s signed it (pull request 12285 there, in the releases of May 2025).
pub(super) fn is_made_by_components(name: &str) -> bool {
    ["kube-scheduler/kube-scheduler.crt", "kube-controller-manager/kube-controller-manager.crt"].contains(&name)
}

/// Whether it is one that a server keeps for the agents.
pub(super) fn is_kept_for_agents(which: Which, path: &str) -> bool {
    path == which.data("/server/tls/client-kube-proxy.crt")
        || path == which.data(&format!("/server/tls/client-{}-controller.crt", which.id()))
}

/// Within how many days of their end certificates are renewed: 120 in the releases of May 2025 and after, 90 before
/// (docs.rke2.io/security/certificates; k3s, pull request 12232).
pub(super) fn window(version: &str) -> i64 {
    let first = ["1.30.13", "1.31.9", "1.32.5", "1.33.1"];
    let Some(version) = Version::parse(version) else { return 90 };
    let at_least = |min: &str| Version::parse(min).is_some_and(|min| version.compare(&min).is_ge());
    let same_minor = |min: &&&str| Version::parse(min).and_then(|min| min.minor()) == version.minor();
    match first.iter().find(same_minor) {
        Some(min) => {
            if at_least(min) {
                120
            } else {
                90
            }
        }
        None => {
            if at_least("1.34") {
                120
            } else {
                90
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_one_of_the_version() {
        for (version, days) in [
            ("v1.30.13+rke2r1", 120),
            ("v1.30.12+k3s1", 90),
            ("v1.31.9+k3s1", 120),
            ("v1.32.4+k3s1", 90),
            ("v1.33.1+k3s1", 120),
            ("v1.34.0+k3s1", 120),
            ("v1.29.15+k3s1", 90),
            ("v2.0.0", 120),
        ] {
            assert_eq!(window(version), days, "{version}");
        }
    }
}
