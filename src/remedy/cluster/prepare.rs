//! From operations to exact changes: each object is read fresh, its owners are looked for, and the API server says by a dry
//! run what would come of it.

use super::act::{Act, How, named};
use super::caller::{Caller, subjects};
use super::owners::{self, Manager};
use super::{ClusterChange, ClusterReach, azure, now, on_api, refused, stored, text};
use crate::evidence::Reason;
use crate::kubeapi::{Api, ObjectPlace, Seen};
use crate::remedy::plan::{Plan, Refusal, Risk, Work};
use crate::remedy::prepare::Prepared;
use crate::remedy::recipe::{Bound, KubeOp, kube};
use serde_json::{Value, json};

/// Makes a plan for the cluster exact: reads the objects, lets the API server try the changes without keeping them, changes
/// nothing. Objects that somebody else keeps are left alone; a plan of which nothing is left, a right that is missing, and a
/// binding by which the caller has its own rights are refused with a sentence. A plan for `az` asks nothing of the cluster.
pub fn prepare_cluster(plan: Plan, reach: &ClusterReach) -> Result<Prepared, Refusal> {
    match &plan.work {
        Work::Cluster(ops) => {
            let change = on_api(reach, async |api| change(api, ops).await)?;
            Ok(Prepared::of_cluster(plan, change))
        }
        Work::Azure(runs) => {
            let change = azure::prepare(runs, &reach.target);
            Ok(Prepared::of_azure(plan, change))
        }
        Work::Manual(_) => Ok(Prepared::manual(plan)),
        Work::Node(_) => Err(Refusal::new(format!("{} is a node and not the cluster. Report it", plan.target))),
    }
}

async fn change(api: &Api, ops: &[KubeOp]) -> Result<ClusterChange, Refusal> {
    let mut making = Making {
        api,
        caller: None,
        all: unbound(ops),
        acts: Vec::new(),
        risk: Risk::Safe,
        remarks: Vec::new(),
        left: Vec::new(),
    };
    let mut bindings = making.all.clone();
    for op in ops {
        match op {
            KubeOp::Label { key, value, .. } => making.label(op.place(), key, value).await?,
            KubeOp::Field { place, field, value } => making.field(place.clone(), field, value).await?,
            KubeOp::Text(op) => {
                let all = text::of_same_text(ops, op);
                if !all.is_empty() {
                    making.text(op.held, &all).await?;
                }
            }
            KubeOp::Policy { namespace } => making.policy(op.place(), namespace).await?,
            KubeOp::Unbind { binding, .. } => {
                // All subjects of one binding are one change of it.
                if let Some(at) = bindings.iter().position(|(place, _)| place == binding) {
                    let (place, gone) = bindings.remove(at);
                    making.unbind(place, &gone).await?;
                }
            }
        }
    }
    if making.acts.is_empty() {
        if making.left.iter().all(|(_, already)| *already) {
            let so: Vec<String> = making.left.into_iter().map(|(why, _)| why).collect();
            return Err(Refusal::already(format!("Everything is as it should be already. {}", so.join(". "))));
        }
        let why: Vec<String> = making.left.into_iter().map(|(why, _)| why).collect();
        return Err(Refusal::new(format!("{}. Nothing is left to be done from here; scan again", why.join(". "))));
    }
    let Making { acts, risk, mut remarks, left, .. } = making;
    remarks.extend(left.into_iter().map(|(why, _)| why));
    Ok(ClusterChange { context: api.context().to_owned(), server: api.server().to_owned(), acts, risk, remarks })
}

/// What goes out of which binding.
fn unbound(ops: &[KubeOp]) -> Vec<(ObjectPlace, Vec<Bound>)> {
    let mut all: Vec<(ObjectPlace, Vec<Bound>)> = Vec::new();
    for op in ops {
        let KubeOp::Unbind { binding, subject } = op else { continue };
        match all.iter_mut().find(|(place, _)| place == binding) {
            Some((_, gone)) => gone.push(subject.clone()),
            None => all.push((binding.clone(), vec![subject.clone()])),
        }
    }
    all
}

pub(super) struct Making<'a> {
    pub(super) api: &'a Api,
    caller: Option<Caller>,
    all: Vec<(ObjectPlace, Vec<Bound>)>,
    acts: Vec<Act>,
    pub(super) risk: Risk,
    remarks: Vec<String>,
    /// What is left alone, and why; and whether because it is as it should be.
    left: Vec<(String, bool)>,
}

impl Making<'_> {
    pub(super) fn remark(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.remarks.contains(&words) {
            self.remarks.push(words);
        }
    }

    pub(super) fn leave(&mut self, place: &ObjectPlace, why: &str) {
        self.left.push((format!("{} is left alone: {why}", named(place)), false));
    }

    pub(super) fn leave_as_it_is(&mut self, place: &ObjectPlace, why: &str) {
        self.left.push((format!("{}: {why}", named(place)), true));
    }

    /// The object, where there is one that nobody else keeps, as far as these fields of it go. Some(true) beside it: a
    /// person's hand manages one of them. `fine`: other managers who may.
    pub(super) async fn free(
        &mut self,
        place: &ObjectPlace,
        fields: &[&[&str]],
        fine: &[&str],
    ) -> Result<Option<(Value, bool)>, Refusal> {
        let Some(object) = now(self.api, place).await.map_err(|error| refused(&error))? else {
            self.leave(place, "it is not there any more");
            return Ok(None);
        };
        if let Some(owner) = owners::owner(&object) {
            self.leave(
                place,
                &format!("it belongs to {owner}, which would set it back. Change it there, where it comes from"),
            );
            return Ok(None);
        }
        let mut by_hand = false;
        for manager in fields.iter().flat_map(|path| owners::managers(&object, path)) {
            match manager {
                Manager::Other(name) if fine.contains(&name.as_str()) => {}
                Manager::Other(name) => {
                    let why = format!(
                        "{name:?} manages what would be changed, and would set it back. Change it there, where it comes from"
                    );
                    self.leave(place, &why);
                    return Ok(None);
                }
                Manager::File => {
                    by_hand = true;
                    self.remark(format!(
                        "{} was applied from a file by kubectl: change the file too, or it comes back with the next apply",
                        named(place)
                    ));
                }
                Manager::Hand => by_hand = true,
            }
        }
        let by_hand = by_hand || owners::nobody(&object);
        Ok(Some((object, by_hand)))
    }

    async fn label(&mut self, place: ObjectPlace, key: &str, value: &str) -> Result<(), Refusal> {
        let path = format!("f:{key}");
        let Some((object, _)) = self.free(&place, &[&["f:metadata", "f:labels", &path]], &[]).await? else {
            return Ok(());
        };
        if object.get("metadata").and_then(|metadata| metadata.get("labels")?.get(key)).and_then(Value::as_str)
            == Some(value)
        {
            self.leave(&place, "it has that label already");
            return Ok(());
        }
        let how = How::Label { key: key.to_owned(), value: Some(value.to_owned()) };
        let wanted = json!({"metadata": {"labels": {key: value}}});
        if key.starts_with("pod-security.kubernetes.io/") {
            self.remark("Pods that run stay; one that violates the level is not started again when it ends");
        }
        self.add(place, how, Some(object), Some(&wanted)).await
    }

    async fn field(&mut self, place: ObjectPlace, field: &str, value: &Value) -> Result<(), Refusal> {
        let path = format!("f:{field}");
        let Some((object, force)) = self.free(&place, &[&[path.as_str()]], &[]).await? else { return Ok(()) };
        if object.get(field) == Some(value) {
            self.leave(&place, "it is set so already");
            return Ok(());
        }
        let Some(own) = owners::applied(&object) else {
            self.leave(&place, "this program applied a list to it earlier, which it cannot keep. Change it by hand");
            return Ok(());
        };
        if place.kind == "ServiceAccount" {
            self.remark(
                "Pods that run keep their token; new pods of that account get none unless they ask for it themselves",
            );
        }
        let how = How::Field { field: field.to_owned(), value: Some(value.clone()), own, force };
        let wanted = json!({ field: value });
        self.add(place, how, Some(object), Some(&wanted)).await
    }

    async fn policy(&mut self, place: ObjectPlace, namespace: &str) -> Result<(), Refusal> {
        if now(self.api, &place).await.map_err(|error| refused(&error))?.is_some() {
            self.leave(&place, "there is one of that name already. Look at it");
            return Ok(());
        }
        self.risk = self.risk.max(Risk::Disruptive);
        self.remark(format!(
            "Where the network plugin enforces policies, connections to the pods of {namespace} from other namespaces and from \
             outside end: from ingress controllers, node ports, load balancers, monitoring. Allow those that are needed by \
             policies of your own first"
        ));
        let object = kube::policy();
        self.add(place, How::Create { object }, None, None).await
    }

    async fn unbind(&mut self, place: ObjectPlace, gone: &[Bound]) -> Result<(), Refusal> {
        let Some((object, _)) = self.free(&place, &[&["f:subjects"], &["f:roleRef"]], &[]).await? else {
            return Ok(());
        };
        let all = subjects(&object);
        let staying: Vec<Value> =
            all.iter().filter(|subject| !gone.iter().any(|bound| bound.is(subject))).cloned().collect();
        if staying.len() == all.len() {
            self.leave(&place, "it does not bind that subject any more");
            return Ok(());
        }
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => Caller::ask(self.api).await?,
        };
        caller.keeps_rights(self.api, &object, gone, &self.all).await?;
        self.caller = Some(caller);
        self.risk = self.risk.max(Risk::Disruptive);
        let role = |key: &str| object.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let who: Vec<String> = gone.iter().map(Bound::in_words).collect();
        self.remark(format!(
            "{} has the rights of {} {} by {} no longer, from that moment on",
            who.join(", "),
            role("/roleRef/kind"),
            role("/roleRef/name"),
            named(&place)
        ));
        if staying.is_empty() {
            self.way_back(&place, &object).await;
            return self.add(place, How::Delete, Some(object), None).await;
        }
        let mut new = stored(&object);
        if let Some(fields) = new.as_object_mut() {
            fields.insert("subjects".to_owned(), staying.into());
        }
        let wanted = new.clone();
        self.add(place, How::Replace { object: new }, Some(object), Some(&wanted)).await
    }

    /// Says where the caller may delete a binding and could not make it again.
    async fn way_back(&mut self, place: &ObjectPlace, object: &Value) {
        let name = format!("{}-sitewarden", place.name);
        let again = ObjectPlace { name: name.clone(), ..place.clone() };
        let mut object = stored(object);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".to_owned(), name.into());
        }
        if let Err(error) = self.api.create(&again, &object, true).await
            && error.reason == Reason::Forbidden
        {
            self.remark(format!(
                "You may not make {} again, so that there is no way back for you: only somebody with more rights can undo it",
                named(place)
            ));
        }
    }

    /// Tries a change without keeping it. `wanted`: what must come of it, as far as the change goes.
    pub(super) async fn add(
        &mut self,
        place: ObjectPlace,
        how: How,
        before: Option<Value>,
        wanted: Option<&Value>,
    ) -> Result<(), Refusal> {
        let seen = match &before {
            Some(object) => match Seen::of(object) {
                Some(seen) => Some(seen),
                None => {
                    return Err(Refusal::new(format!(
                        "{}: the API server did not say which state of it this is. Try again",
                        named(&place)
                    )));
                }
            },
            None => None,
        };
        let mut act = Act { place, how, seen, before: before.as_ref().map(stored), after: None };
        self.api.warnings();
        let after = act.make(self.api, act.seen.as_ref(), true).await.map_err(|error| refused(&error))?;
        for warning in self.api.warnings() {
            if warning.contains("violate") {
                self.risk = self.risk.max(Risk::Disruptive);
            }
            self.remark(format!("The API server warns about {}: {warning}", act.name()));
        }
        act.after = after.as_ref().map(stored);
        if wanted.is_some_and(|wanted| !act.same(act.after.as_ref(), Some(wanted))) {
            return Err(Refusal::new(format!(
                "{}: the API server takes the change and makes something else of it. See which webhook does that; nothing was changed",
                act.name()
            )));
        }
        self.acts.push(act);
        Ok(())
    }
}
