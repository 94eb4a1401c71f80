//! Whether a node reports to the cluster again after its kubelet was restarted: only the cluster knows.

use super::{ClusterReach, now, on_api, refused};
use crate::kubeapi::Api;
use crate::remedy::plan::Refusal;
use crate::remedy::recipe::place;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Seconds for which the first report is waited for: a kubelet renews its lease every ten.
pub(in crate::remedy) const HEARD_WITHIN: u32 = 60;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// A node of a cluster, as it reported before the change.
pub(in crate::remedy) struct Pulse {
    reach: ClusterReach,
    node: String,
    ready: bool,
}

/// What the cluster knows of a node.
struct Report {
    /// When its kubelet reported last, as the cluster writes it, and by what that is known: two ways are not compared.
    at: Option<(String, Source)>,
    ready: bool,
}

/// By what a report is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The lease of the node, which its kubelet renews.
    Lease,
    /// Its Ready condition, which comes more rarely.
    Ready,
}

/// The last report: by the lease, else, where there is none or it may not be read, by the Ready condition.
async fn report(api: &Api, node: &str) -> Result<Report, Refusal> {
    let object = api.object(&place("", "Node", "nodes", None, node)).await.map_err(|error| refused(&error))?;
    let lease = place("coordination.k8s.io", "Lease", "leases", Some("kube-node-lease"), node);
    let lease = match now(api, &lease).await {
        Ok(lease) => lease,
        Err(error) if error.status == Some(403) => None,
        Err(error) => return Err(refused(&error)),
    };
    let renewed = lease.as_ref().and_then(|lease| lease.pointer("/spec/renewTime")).and_then(Value::as_str);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let of_kind = |condition: &&Value| condition.get("type").and_then(Value::as_str) == Some("Ready");
    let ready = conditions.into_iter().flatten().find(of_kind);
    let text = |key: &str| ready.and_then(|ready| ready.get(key)).and_then(Value::as_str);
    let at = match renewed {
        Some(renewed) => Some((renewed.to_owned(), Source::Lease)),
        None => text("lastHeartbeatTime").map(|at| (at.to_owned(), Source::Ready)),
    };
    Ok(Report { at, ready: text("status") == Some("True") })
}

impl Pulse {
    /// Looks at the node before the change.
    pub(in crate::remedy) fn before(reach: ClusterReach, node: &str) -> Result<Self, Refusal> {
        let seen = on_api(&reach, async |api| report(api, node).await)?;
        Ok(Pulse { reach, node: node.to_owned(), ready: seen.ready })
    }

    /// Waits until its kubelet has reported anew, and until it is Ready where it was before. `Err`: why it is not, a clause.
    pub(in crate::remedy) fn heard(&self) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(u64::from(HEARD_WITHIN));
        let heard = on_api(&self.reach, async |api| {
            let mut first: Option<(String, Source)> = None;
            loop {
                let why = match report(api, &self.node).await {
                    Ok(Report { at: Some(at), ready }) => {
                        if first.as_ref().is_none_or(|(_, source)| *source != at.1) {
                            first = Some(at.clone());
                        }
                        match (first.as_ref() != Some(&at), ready || !self.ready) {
                            (true, true) => return Ok(()),
                            (true, false) => "it reports, and is not Ready".to_owned(),
                            (false, _) => format!("its last report is of {}", at.0),
                        }
                    }
                    Ok(_) => "the cluster knows of no report".to_owned(),
                    Err(refusal) => refusal.0,
                };
                if Instant::now() >= until {
                    return Err(Refusal::new(why));
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        heard.map_err(|why| {
            format!(
                "the node {} of the cluster did not come back within {HEARD_WITHIN} seconds ({why}); the kubelet's log says more: \
                 journalctl -u kubelet",
                self.node
            )
        })
    }
}
