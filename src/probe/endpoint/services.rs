//! What usually answers at which port, and the one harmless request that is made to it without credentials.

/// A service of a node or of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    /// As in [`crate::evidence::EndpointEvidence::service`].
    pub name: &'static str,
    /// Its usual port.
    pub port: u16,
    /// Path of the request without credentials. None: none is made.
    pub request: Option<&'static str>,
    /// A status, besides 401 and 403, by which it does not serve that path.
    pub refuses: Option<u16>,
}

const fn service(name: &'static str, port: u16, request: Option<&'static str>) -> Service {
    Service { name, port, request, refuses: None }
}

/// Every one that is looked at on a node, in the order of looking.
///
/// The requests only read, and of the answer no more than the status is. `/pods` of a kubelet, `/configz` of
/// controller-manager and scheduler and the namespaces of the API server want credentials. etcd's `/version` is no secret;
/// but etcd as Kubernetes runs it knows nobody but by certificate, so an etcd that answers a client without one at all
/// answers the same client's reads of every Secret, which are not tried. kube-proxy's health port is asked for something
/// that is not health.
pub(super) const SERVICES: [Service; 9] = [
    service("ssh", 22, None),
    service("etcd", 2379, Some("/version")),
    service("etcd-peer", 2380, None),
    service("kube-apiserver", 6443, Some("/api/v1/namespaces?limit=1")),
    service("kubelet", 10250, Some("/pods")),
    service("kubelet-read-only", 10255, Some("/pods")),
    Service { refuses: Some(404), ..service("kube-proxy-health", 10256, Some("/metrics")) },
    service("kube-controller-manager", 10257, Some("/configz")),
    service("kube-scheduler", 10259, Some("/configz")),
];

/// A port that every node opens for a service of the control plane; no request is made to it.
pub(super) const NODE_PORT: &str = "node-port";

/// The service with a name; one that is not known is asked nothing.
pub(super) fn named(name: &'static str) -> Service {
    SERVICES.iter().copied().find(|service| service.name == name).unwrap_or(service(name, 0, None))
}

impl Service {
    /// What a status says of the request without credentials: served, refused, or neither.
    pub(super) fn served(&self, status: u16) -> Option<bool> {
        match status {
            200..=299 => Some(true),
            401 | 403 => Some(false),
            other if Some(other) == self.refuses => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_served_and_only_a_refusal_refused() {
        let kubelet = named("kubelet");
        let of = |service: Service| [200, 204, 301, 400, 401, 403, 404, 429, 500].map(|status| service.served(status));
        let (served, refused) = (Some(true), Some(false));
        assert_eq!(of(kubelet), [served, served, None, None, refused, refused, None, None, None]);
        assert_eq!(of(named("kube-proxy-health")), [served, served, None, None, refused, refused, refused, None, None]);
        assert_eq!(named("node-port").request, None);
    }
}
