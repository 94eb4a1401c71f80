//! A node emptied for the time of a change, where the person asks for it: it takes no new pods, those that can come up elsewhere
//! are evicted, and afterwards it takes pods again, however the change went.

use super::{ClusterReach, on_api, refused};
use crate::kubeapi::{Api, Evicted};
use crate::remedy::plan::Refusal;
use crate::remedy::prepare::Step;
use crate::remedy::recipe::place;
use crate::remedy::words::quoted;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Time that emptying a node may take.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(300);

/// Pause between two looks at the pods.
const PAUSE: Duration = Duration::from_secs(2);

/// What is done to empty one node.
#[derive(Debug, Clone)]
pub struct Drain {
    reach: ClusterReach,
    server: String,
    context: String,
    node: String,
    uid: String,
    /// Whether it takes no new pods already: then that stays so.
    cordoned: bool,
    /// The pods that go, as they were when the plan was made: `NAMESPACE/NAME`.
    pods: Vec<String>,
    /// Those of them that lose what they keep on the node.
    losing: Vec<String>,
    within: Duration,
}

/// A step of emptying a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::remedy) enum Emptying {
    /// It takes no new pods.
    Cordon,
    /// Its pods go.
    Evict,
}

impl PartialEq for Drain {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

/// A pod that has to go.
struct Pod {
    namespace: String,
    name: String,
    uid: String,
    ending: bool,
    controlled: bool,
    keeps: bool,
}

impl Pod {
    /// None for a pod that stays: a DaemonSet's, a static one's mirror, one that has ended.
    fn of(pod: &Value) -> Option<Self> {
        let text = |at: &str| pod.pointer(at).and_then(Value::as_str);
        let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let controller = owners.into_iter().flatten().find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
        let kind = controller.and_then(|owner| owner.get("kind")).and_then(Value::as_str);
        let mirror =
            pod.pointer("/metadata/annotations").is_some_and(|all| all.get("kubernetes.io/config.mirror").is_some());
        if kind == Some("DaemonSet") || mirror || matches!(text("/status/phase"), Some("Succeeded" | "Failed")) {
            return None;
        }
        let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
        Some(Pod {
            namespace: text("/metadata/namespace")?.to_owned(),
            name: text("/metadata/name")?.to_owned(),
            uid: text("/metadata/uid")?.to_owned(),
            ending: text("/metadata/deletionTimestamp").is_some(),
            controlled: controller.is_some(),
            keeps: volumes.into_iter().flatten().any(|volume| volume.get("emptyDir").is_some()),
        })
    }

    /// Whether nothing would make it anew, and it is not on its way out already.
    fn is_alone(&self) -> bool {
        !self.controlled && !self.ending
    }

    fn full(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

async fn pods(api: &Api, node: &str) -> Result<Vec<Pod>, Refusal> {
    let pods = api.pods_on(node).await.map_err(|error| refused(&error))?;
    Ok(pods.iter().filter_map(Pod::of).collect())
}

impl Drain {
    /// Looks at the node and its pods, and changes nothing. `node`: its name in the cluster. Refused where a pod would not come
    /// back, since nothing makes it anew.
    pub fn prepare(reach: &ClusterReach, node: &str, within: Duration) -> Result<Drain, Refusal> {
        on_api(reach, async |api| {
            let place = place("", "Node", "nodes", None, node);
            let object = api.object(&place).await.map_err(|error| refused(&error))?;
            let Some(uid) = object.pointer("/metadata/uid").and_then(Value::as_str) else {
                return Err(Refusal::new(format!("The cluster's node {node} cannot be understood. Empty it by hand")));
            };
            let pods = pods(api, node).await?;
            if let Some(alone) = pods.iter().find(|pod| pod.is_alone()) {
                return Err(Refusal::new(format!(
                    "{node} is not emptied: the pod {} belongs to no controller, so that nothing would make it anew elsewhere. Move it \
                     by hand, or go on without emptying the node",
                    alone.full()
                )));
            }
            Ok(Drain {
                reach: reach.clone(),
                server: api.server().to_owned(),
                context: api.context().to_owned(),
                node: node.to_owned(),
                uid: uid.to_owned(),
                cordoned: object.pointer("/spec/unschedulable") == Some(&Value::Bool(true)),
                losing: pods.iter().filter(|pod| pod.keeps).map(Pod::full).collect(),
                pods: pods.iter().map(Pod::full).collect(),
                within,
            })
        })
    }

    fn kubectl(&self, words: &str) -> String {
        let context = match self.context.as_str() {
            "in-cluster" => String::new(),
            context => format!(" --context {}", quoted(context)),
        };
        format!("kubectl{context} {words}")
    }

    /// What comes before the change.
    pub(in crate::remedy) fn before(&self) -> Vec<Step> {
        self.emptying().into_iter().map(|(_, what, line)| Step::new(what, vec![line])).collect()
    }

    /// What is done before the change: the step, what it does in words, the command that does the same.
    pub(in crate::remedy) fn emptying(&self) -> Vec<(Emptying, String, String)> {
        let node = quoted(&self.node);
        let mut steps = Vec::new();
        if !self.cordoned {
            let what = format!("Let {} take no new pods", self.node);
            steps.push((Emptying::Cordon, what, self.kubectl(&format!("cordon {node}"))));
        }
        let which = if self.pods.is_empty() { "none now".to_owned() } else { self.pods.join(", ") };
        let seconds = self.within.as_secs();
        let what = format!(
            "Evict its pods ({which}), as far as their PodDisruptionBudgets let them go, and wait until they are gone, {seconds} seconds at \
             most; else nothing is changed. Those of DaemonSets and static ones stay"
        );
        let drain = format!("drain {node} --ignore-daemonsets --delete-emptydir-data --timeout={seconds}s");
        steps.push((Emptying::Evict, what, self.kubectl(&drain)));
        steps
    }

    /// What comes after it, in every case.
    pub(in crate::remedy) fn after(&self) -> Option<Step> {
        let what = format!("However the change went: let {} take pods again", self.node);
        let command = self.kubectl(&format!("uncordon {}", quoted(&self.node)));
        (!self.cordoned).then(|| Step::new(what, vec![command]))
    }

    /// What to know about it. Sentences.
    pub(in crate::remedy) fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![format!(
            "Pods that leave {} come up on other nodes where there is room, and stay there. Where this program is ended in the middle, the \
             node goes on taking no new pods: {}",
            self.node,
            self.kubectl(&format!("uncordon {}", quoted(&self.node)))
        )];
        if !self.losing.is_empty() {
            remarks.push(format!("These lose what they keep in an emptyDir on the node: {}", self.losing.join(", ")));
        }
        remarks
    }

    /// For the digest: everything that was shown, and of which node.
    pub(in crate::remedy) fn identity(&self) -> String {
        format!("{} {} {} {:?} {:?}", self.server, self.node, self.uid, self.before(), self.after())
    }

    /// Does one of the steps of [`Drain::before`], and tells `left` how many pods are still to go. Where it fails the node takes
    /// pods again, and why is said: which pod holds it up.
    pub(in crate::remedy) fn step(&self, step: Emptying, left: &dyn Fn(usize)) -> Result<(), Refusal> {
        let done = on_api(&self.reach, async |api| {
            if api.server() != self.server {
                return Err(Refusal::new(format!(
                    "The context {} leads to {} now, and the plan was made for {}. Look at it again",
                    self.context,
                    api.server(),
                    self.server
                )));
            }
            match step {
                Emptying::Cordon => api.cordon(&self.node, &self.uid, true).await.map_err(|error| refused(&error)),
                Emptying::Evict => self.evict(api, left).await,
            }
        });
        done.map_err(|why| match self.fill_again() {
            Ok(()) => why,
            Err(also) => Refusal::new(format!("{why}. {also}")),
        })
    }

    async fn evict(&self, api: &Api, tell: &dyn Fn(usize)) -> Result<(), Refusal> {
        let until = Instant::now() + self.within;
        let mut told = None;
        let mut held: Option<(String, String)> = None;
        loop {
            let left = pods(api, &self.node).await?;
            let Some(first) = left.first() else { return Ok(()) };
            if told != Some(left.len()) {
                tell(left.len());
                told = Some(left.len());
            }
            if let Some(alone) = left.iter().find(|pod| pod.is_alone()) {
                return Err(Refusal::new(format!(
                    "The pod {} is on {} now and belongs to no controller, so that nothing would make it anew. Move it by hand",
                    alone.full(),
                    self.node
                )));
            }
            if Instant::now() > until {
                let why = match held {
                    Some((pod, namespace)) => {
                        format!("{pod} is held up by its PodDisruptionBudget (`kubectl -n {namespace} get pdb`)")
                    }
                    None => format!("{} is still there", first.full()),
                };
                return Err(Refusal::new(format!(
                    "{} was not emptied within {} seconds: {why}. Put that right, or go on without emptying it",
                    self.node,
                    self.within.as_secs()
                )));
            }
            held = None;
            for pod in left.iter().filter(|pod| !pod.ending) {
                let answer = api.evict(&pod.namespace, &pod.name, &pod.uid).await;
                if answer.map_err(|error| refused(&error))? == Evicted::Held {
                    held.get_or_insert_with(|| (pod.full(), pod.namespace.clone()));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets the node take pods again, where it was this that stopped it. Tried several times: nobody else will.
    pub(in crate::remedy) fn fill_again(&self) -> Result<(), Refusal> {
        if self.cordoned {
            return Ok(());
        }
        let mut tried = 0;
        loop {
            let done = on_api(&self.reach, async |api| {
                api.cordon(&self.node, &self.uid, false).await.map_err(|error| refused(&error))
            });
            tried += 1;
            match done {
                Ok(()) => return Ok(()),
                Err(_) if tried < 5 => std::thread::sleep(PAUSE),
                Err(why) => {
                    let command = self.kubectl(&format!("uncordon {}", quoted(&self.node)));
                    return Err(Refusal::new(format!(
                        "{} still takes no new pods: {why}. Do it by hand: {command}",
                        self.node
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
impl Drain {
    /// A node with one pod that goes and loses something.
    pub(crate) fn sample(node: &str) -> Self {
        let limits = crate::kubeapi::ApiLimits::default();
        Drain {
            reach: ClusterReach { target: crate::site::ClusterTarget::default(), limits },
            server: "https://edge:6443".to_owned(),
            context: "edge".to_owned(),
            node: node.to_owned(),
            uid: "1".to_owned(),
            cordoned: false,
            pods: vec!["shop/till".to_owned()],
            losing: vec!["shop/till".to_owned()],
            within: DRAIN_WITHIN,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_that_stay_are_told_from_those_that_go() {
        let pod = |owner: Option<&str>, more: Value| {
            let mut pod =
                json!({"metadata": {"namespace": "shop", "name": "a", "uid": "1"}, "status": {"phase": "Running"}});
            if let Some(kind) = owner {
                pod["metadata"]["ownerReferences"] = json!([{"kind": kind, "controller": true}]);
            }
            for (key, value) in more.as_object().unwrap() {
                *pod.pointer_mut(key).unwrap() = value.clone();
            }
            Pod::of(&pod)
        };
        assert!(pod(Some("DaemonSet"), json!({})).is_none());
        assert!(pod(None, json!({"/status/phase": "Succeeded"})).is_none());
        let mirror =
            json!({"namespace": "a", "name": "b", "uid": "1", "annotations": {"kubernetes.io/config.mirror": "x"}});
        assert!(pod(None, json!({"/metadata": mirror})).is_none());
        let gone = pod(Some("ReplicaSet"), json!({})).unwrap();
        assert!(gone.controlled && !gone.ending && !gone.keeps && gone.full() == "shop/a");
        assert!(!pod(None, json!({})).unwrap().controlled);
    }
}
