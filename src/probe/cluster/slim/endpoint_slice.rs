//! EndpointSlices: where services lead. Only those that may lead to something of a node are kept.

use super::Item;
use super::parts::{Keep, Labels, Many, Meta, Text, full_name};
use crate::evidence::cluster::{EndpointSlice, SliceTarget};
use serde::Deserialize;

/// Most endpoints and addresses of one slice, and ports, as the API has them (discovery.k8s.io/v1).
const ENDPOINTS: usize = 1_000;
const ADDRESSES: usize = 100;
const PORTS: usize = 20_000;

/// Most places that are kept of one slice: what a service leads to the control plane by is few.
const TARGETS: usize = 4_096;

/// The label that names the service.
struct OfService;

impl Keep for OfService {
    fn keeps(key: &str) -> bool {
        key == "kubernetes.io/service-name"
    }
}

/// An EndpointSlice.
#[derive(Deserialize)]
pub(in crate::probe::cluster) struct Slice {
    metadata: Meta<Labels<OfService>>,
    #[serde(default)]
    endpoints: Many<Endpoint, ENDPOINTS>,
    #[serde(default)]
    ports: Many<Port, PORTS>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    #[serde(default)]
    addresses: Many<Text, ADDRESSES>,
    target_ref: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Option<Text>,
}

#[derive(Deserialize)]
struct Port {
    port: Option<i64>,
}

impl Endpoint {
    fn is_pod(&self) -> bool {
        self.target_ref.as_ref().and_then(|target| target.kind.as_ref()).is_some_and(|kind| kind.0 == "Pod")
    }
}

impl Item for Slice {
    type Evidence = EndpointSlice;

    fn wanted(&self) -> bool {
        let by_hand = self.endpoints.0.iter().any(|endpoint| !endpoint.is_pod());
        by_hand || self.ports.0.iter().filter_map(|port| port.port).any(EndpointSlice::is_of_control_plane)
    }

    fn evidence(self) -> Option<EndpointSlice> {
        let (namespace, name) = self.metadata.split()?;
        // A port without a number leads nowhere: kube-proxy leaves it out.
        let mut ports: Vec<i64> = self.ports.0.iter().filter_map(|port| port.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let service = self.metadata.labels.0.into_values().next().unwrap_or_default();
        let mut targets = Vec::new();
        for endpoint in self.endpoints.0 {
            let pod = endpoint.is_pod();
            targets.extend(endpoint.addresses.texts().into_iter().map(|address| SliceTarget { address, pod }));
        }
        (targets.len() <= TARGETS).then(|| EndpointSlice {
            name: full_name(&namespace, &name),
            namespace,
            service,
            ports,
            targets,
        })
    }
}
