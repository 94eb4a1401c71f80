//! Ports of the control plane and of kubelets, from this seat: open or not, TLS, and what they serve without credentials.

use crate::evidence::EndpointEvidence;
use std::time::Duration;

/// One port to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTarget {
    /// Address or name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name of the node's target, where the address is a node's.
    pub node: Option<String>,
    /// What usually answers there, as in [`EndpointEvidence::service`].
    pub service: &'static str,
}

/// Bounds.
#[derive(Debug, Clone, Copy)]
pub struct EndpointLimits {
    /// To connect.
    pub connect: Duration,
    /// For everything that is asked of one port.
    pub port: Duration,
    /// How many connections at once.
    pub jobs: usize,
}

/// Looks at ports. One evidence each, in the order of the targets.
pub async fn collect(_targets: &[EndpointTarget], _limits: EndpointLimits) -> Vec<EndpointEvidence> {
    Vec::new()
}
