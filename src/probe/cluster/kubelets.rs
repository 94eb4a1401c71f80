//! `/configz` of each kubelet, through the API server: what it really runs with.

use super::draft::{Draft, is_forbidden};
use super::slim::configz::Configz;
use super::together::{Job, together};
use super::wants::CONFIGZ;
use crate::evidence::cluster::{Configz as Seen, KubeNode};
use crate::evidence::{Fact, Reason};
use crate::kubeapi::Api;
use std::cell::Cell;
use std::time::Duration;
use tokio::time::timeout;

/// Kubelets that are asked at once, and in all: each costs a round trip, and a dead one its whole deadline.
const AT_ONCE: usize = 6;
const IN_ALL: usize = 1000;

/// For one kubelet: the API server waits longer for a dead one than anybody would.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the kubelets of all nodes, those of the control plane first. `denied`: it is known that we may not.
pub(super) async fn read(api: &Api, draft: &Draft, denied: bool) {
    let mut asked: Vec<(usize, String)> = Vec::new();
    draft.write(|evidence| {
        let mut places: Vec<usize> = (0..evidence.nodes.items.len()).collect();
        places
            .sort_by_key(|place| evidence.nodes.items.get(*place).map(|node| node.control_plane != Fact::Known(true)));
        for place in places {
            let Some(node) = evidence.nodes.items.get_mut(place) else { continue };
            // Until it is asked and answers: the time may be up before.
            let why = match () {
                () if denied => Reason::Forbidden,
                () if !speaks(node) => Reason::Unreachable,
                () if asked.len() == IN_ALL => Reason::TooLarge,
                () => {
                    asked.push((place, node.name.clone()));
                    Reason::Timeout
                }
            };
            node.configz = Seen { document: Fact::Unread, unread: Some(why) };
        }
    });
    let refused = Cell::new(denied);
    let jobs = asked.into_iter().map(|(place, name)| -> Job<'_> {
        let refused = &refused;
        Box::pin(async move {
            let answer = if refused.get() { Err(Reason::Forbidden) } else { ask(api, &name).await };
            // Who may not ask one may not ask the next.
            refused.set(refused.get() || answer == Err(Reason::Forbidden));
            draft.write(|evidence| {
                if let Some(node) = evidence.nodes.items.get_mut(place) {
                    node.configz = match answer {
                        Ok(document) => Seen { document: Fact::Known(document), unread: None },
                        Err(reason) => Seen { document: Fact::Unread, unread: Some(reason) },
                    };
                }
            });
        })
    });
    together(jobs.collect(), AT_ONCE).await;
    if refused.get() {
        draft.deny(&CONFIGZ);
    }
}

/// Whether a node's kubelet was heard of lately. One that was not would cost the API server's whole patience.
fn speaks(node: &KubeNode) -> bool {
    node.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status != "Unknown")
}

async fn ask(api: &Api, name: &str) -> Result<serde_json::Value, Reason> {
    // A name that is none in Kubernetes has no place in a URL.
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')) {
        return Err(Reason::Malformed);
    }
    let url = format!("/api/v1/nodes/{name}/proxy/configz");
    match timeout(PATIENCE, api.get::<Configz>(&url)).await {
        Err(_) => Err(Reason::Timeout),
        Ok(Ok(answer)) => answer.document().ok_or(Reason::Malformed),
        Ok(Err(error)) if is_forbidden(&error) => Err(Reason::Forbidden),
        // The API server answers so for a kubelet that it does not reach.
        Ok(Err(error)) if matches!(error.status, Some(500..=599)) => Err(Reason::Unreachable),
        // A kubelet whose debugging handlers are off has no such page.
        Ok(Err(error)) if matches!(error.status, Some(404 | 405)) => Err(Reason::NotVisible),
        Ok(Err(error)) => Err(error.reason),
    }
}
