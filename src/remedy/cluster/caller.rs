//! Who asks, and whether a binding is the one by which they may ask at all.

use crate::kubeapi::{Api, ObjectPlace};
use crate::remedy::plan::Refusal;
use crate::remedy::recipe::Bound;
use serde_json::{Value, json};

/// As whom the API server knows us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

/// The group that passes all rules without any binding.
const MASTERS: &str = "system:masters";

impl Caller {
    /// Asks the API server.
    pub(super) async fn ask(api: &Api) -> Result<Self, Refusal> {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let answer: Value = api.review(path, &body).await.map_err(|error| {
            Refusal::new(format!(
                "{error}. Without knowing as whom you are logged in no binding is taken away: it might be your own"
            ))
        })?;
        let info = answer.pointer("/status/userInfo");
        let name = info.and_then(|info| info.get("username")).and_then(Value::as_str);
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(Refusal::new(
                "the API server does not say as whom you are logged in, so no binding is taken away",
            ));
        };
        let groups = info.and_then(|info| info.get("groups")).and_then(Value::as_array);
        let groups = groups.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Caller { name: name.to_owned(), groups })
    }

    /// Whether a subject, as a binding in `namespace` has it, means the caller.
    pub(super) fn is(&self, subject: &Bound, namespace: &str) -> bool {
        match subject.kind.as_str() {
            "User" => subject.name == self.name,
            "Group" => self.groups.contains(&subject.name),
            "ServiceAccount" => {
                let space = if subject.namespace.is_empty() { namespace } else { &subject.namespace };
                self.name == format!("system:serviceaccount:{space}:{}", subject.name)
            }
            _ => false,
        }
    }

    /// Whether a binding means the caller, also without the subjects that are `gone`.
    fn has(&self, binding: &Value, gone: &[Bound]) -> bool {
        let namespace = binding.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        subjects(binding).iter().map(bound).any(|subject| !gone.contains(&subject) && self.is(&subject, namespace))
    }

    /// Refuses where the caller would lose what this binding gives them: the plan (`all`: what goes out of which binding)
    /// takes away their own rights, and no other binding of the whole cluster gives them the same role, or all rights.
    pub(super) async fn keeps_rights(
        &self,
        api: &Api,
        binding: &Value,
        gone: &[Bound],
        all: &[(ObjectPlace, Vec<Bound>)],
    ) -> Result<(), Refusal> {
        let namespace = binding.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        let Some(own) = gone.iter().find(|subject| self.is(subject, namespace)) else { return Ok(()) };
        if self.groups.iter().any(|group| group == MASTERS) || self.has(binding, gone) {
            return Ok(());
        }
        let own_name = binding.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let role = |binding: &Value| {
            let text = |key: &str| binding.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/roleRef/kind"), text("/roleRef/name"))
        };
        let own_role = role(binding);
        let mut others = false;
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        let mut look = |other: Value| {
            let name = other.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            // What this very plan takes away is no other right.
            let same = |place: &ObjectPlace| place.namespace.is_none() && place.name == name;
            let gone = all.iter().find(|(place, _)| same(place)).map_or(&[][..], |(_, gone)| gone.as_slice());
            let gives = role(&other).1 == "cluster-admin" || (own_role.0 == "ClusterRole" && role(&other) == own_role);
            others |= gives && self.has(&other, gone);
        };
        // What was not listed cannot count in favour.
        let listed = api.list::<Value>(path, &mut look).await;
        match listed {
            _ if others => Ok(()),
            Err(error) => Err(Refusal::new(format!("{error}. {}", self.own_words(own, own_name)))),
            Ok(_) => Err(Refusal::new(self.own_words(own, own_name))),
        }
    }

    fn own_words(&self, own: &Bound, binding: &str) -> String {
        format!(
            "you are logged in as {}, which has its rights by {} in {binding}: taking that away would take away your own \
             rights, and the way back with them. Bind yourself by name first, or log in as another administrator",
            self.name,
            own.in_words()
        )
    }
}

/// The subjects of a binding.
pub(super) fn subjects(binding: &Value) -> Vec<Value> {
    binding.get("subjects").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn bound(subject: &Value) -> Bound {
    let text = |key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Bound { kind: text("kind"), name: text("name"), namespace: text("namespace") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_meant_by_a_subject() {
        let caller = Caller {
            name: "system:serviceaccount:shop:default".to_owned(),
            groups: vec!["system:authenticated".to_owned()],
        };
        let subject = |kind: &str, name: &str, namespace: &str| Bound {
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        assert!(caller.is(&subject("ServiceAccount", "default", "shop"), ""));
        assert!(caller.is(&subject("ServiceAccount", "default", ""), "shop"));
        assert!(caller.is(&subject("Group", "system:authenticated", ""), ""));
        assert!(caller.is(&subject("User", "system:serviceaccount:shop:default", ""), ""));
        assert!(!caller.is(&subject("ServiceAccount", "default", "other"), "shop"));
        assert!(!caller.is(&subject("User", "default", ""), ""));
    }
}
