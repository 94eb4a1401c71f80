//! Pods of a DaemonSet that are made anew: how far they are, and the wait for them.

use super::act::named;
use super::{now, pods};
use crate::kubeapi::{Api, ObjectPlace};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Seconds that are waited at all, for each pod, and at most: they are made anew one after the other.
const TIMES: (u32, u32, u32) = (60, 20, 900);

/// How many nodes a DaemonSet is for, and on how many its pod is well, by its controller's own word.
pub(super) fn counts(set: &Value) -> (u64, u64) {
    (count(set, "desiredNumberScheduled"), count(set, "numberAvailable"))
}

fn count(set: &Value, key: &str) -> u64 {
    set.get("status").and_then(|status| status.get(key)).and_then(Value::as_u64).unwrap_or(0)
}

/// Seconds that its restart may take.
pub(super) fn within(set: &Value) -> u32 {
    let (least, each, most) = TIMES;
    let pods = u32::try_from(counts(set).0).unwrap_or(u32::MAX);
    pods.saturating_mul(each).saturating_add(least).min(most)
}

/// What is still to come of a rollout, by what `kubectl rollout status` goes: its controller has seen the last change, and on
/// every node that the set is for a pod of the new kind is available. None: it is done, which a set for no node is as soon as
/// the controller has seen it.
fn missing(set: &Value) -> Option<String> {
    let asked = set.pointer("/metadata/generation").and_then(Value::as_u64);
    if asked.is_none_or(|asked| count(set, "observedGeneration") < asked) {
        return Some("its controller has not seen the change yet".to_owned());
    }
    let (wanted, available) = counts(set);
    let updated = count(set, "updatedNumberScheduled");
    if updated < wanted {
        return Some(format!("{updated} of {wanted} pods are new"));
    }
    (available < wanted).then(|| format!("{available} of {wanted} pods are available"))
}

/// Seconds for which all must be well before it counts: a pod that cannot run with what it was given is well for a moment too.
const STEADY: Duration = Duration::from_secs(5);

/// Waits until it is done and stays so, `within` seconds at most, and tells what is missing whenever that changes. `since`: when
/// the restart was asked for, as the cluster writes times. `Err`: what was missing at last, or which new pod ended.
pub(super) async fn wait(
    api: &Api,
    place: &ObjectPlace,
    since: &str,
    within: u32,
    tell: &dyn Fn(String),
) -> Result<(), String> {
    let until = Instant::now() + Duration::from_secs(u64::from(within));
    let (mut told, mut well) = (String::new(), None::<Instant>);
    loop {
        // What carries connections is made anew: a look that fails is no answer.
        let left = match now(api, place).await {
            Ok(Some(set)) => {
                let all = pods::of_set(api, place, &set).await.unwrap_or_default();
                if let Some(ended) = pods::ends(&all, since) {
                    return Err(format!("{} was restarted, and its pod {ended}", named(place)));
                }
                missing(&set)
            }
            Ok(None) => return Err(format!("{} is not there any more", named(place))),
            Err(error) => Some(error.message),
        };
        match left {
            None if well.get_or_insert_with(Instant::now).elapsed() >= STEADY => return Ok(()),
            None => {}
            Some(left) => {
                well = None;
                if left != told {
                    tell(left.clone());
                    told.clone_from(&left);
                }
                if Instant::now() >= until {
                    return Err(format!(
                        "{} was restarted, and after {within} seconds it is not through: {left}. Look at its pods: kubectl -n {} get \
                         pods -o wide",
                        named(place),
                        place.namespace.as_deref().unwrap_or("default")
                    ));
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn set(generation: u64, seen: u64, wanted: u64, updated: u64, available: u64) -> Value {
        json!({"metadata": {"generation": generation}, "status": {"observedGeneration": seen,
            "desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available}})
    }

    #[test]
    fn done_is_what_its_controller_says() {
        assert!(missing(&set(2, 1, 3, 3, 3)).unwrap().contains("has not seen"));
        assert_eq!(missing(&set(2, 2, 3, 1, 3)).unwrap(), "1 of 3 pods are new");
        assert_eq!(missing(&set(2, 2, 3, 3, 2)).unwrap(), "2 of 3 pods are available");
        assert_eq!(missing(&set(2, 2, 3, 3, 3)), None);
        assert_eq!(missing(&set(1, 1, 0, 0, 0)), None, "for no node");
        assert!(missing(&json!({})).is_some() && missing(&json!({"metadata": {"generation": 1}})).is_some());
        assert_eq!((within(&set(1, 1, 2, 2, 2)), within(&set(1, 1, 5000, 0, 0))), (100, 900));
    }
}
