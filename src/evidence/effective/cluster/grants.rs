//! Who holds which power over the cluster: bindings and roles brought together, in time that grows with their number.

use super::super::super::{ClusterEvidence, Gap, Reading, Value};
use super::super::{Shape, gap_at};
use super::listed::{Derived, gap_of, text, truth};
use super::rules::{ALL, EVERYTHING, POWERS, bounds, has, powers};
use super::system::{Holder, Whose, holder};
use crate::evidence::cluster::{Binding, PolicyRule, Subject};
use std::collections::HashMap;

/// Roles that Kubernetes and kubeadm give to everybody, by their names.
const FOR_EVERYBODY: [&str; 5] = [
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
    "kubeadm:bootstrap-signer-clusterinfo",
];

/// Lists beside those of [`POWERS`].
const MASTERS: &str = "masters_bindings";
const EVERYBODY: &str = "grants_to_many";
const DEFAULT_ACCOUNTS: &str = "default_account_bindings";

/// The tree `grants`: a list for each power, and `masters_bindings` (of the group that passes all rules), `grants_to_many`
/// (what is bound for anybody, for everybody who can log in, for every service account), `default_account_bindings`.
///
/// Whoever may do everything stands in each of them: in all of one namespace as far as the power is about that.
///
/// A binding to a role that does not exist grants nothing; one to a role that was not read grants nobody knows what.
pub(super) fn reading(cluster: &ClusterEvidence, root: &Reading, platform: Option<&str>) -> Reading {
    let bindings_gap = gap_of(&cluster.bindings, root, "bindings");
    let roles_gap = gap_of(&cluster.roles, root, "roles");
    let roles: HashMap<(&str, &str), (u16, &[PolicyRule])> = cluster
        .roles
        .items
        .iter()
        .map(|role| ((role.namespace.as_str(), role.role.as_str()), (powers(&role.rules), role.rules.as_slice())))
        .collect();
    let mut lists = Lists::default();
    for binding in &cluster.bindings.items {
        let namespace = if binding.role_kind == "Role" { binding.namespace.as_str() } else { "" };
        let found = roles.get(&(namespace, binding.role.as_str())).copied();
        // That role is brought back by the API server whenever it was changed.
        let by_name = (namespace.is_empty() && binding.role == "cluster-admin").then_some((ALL, [].as_slice()));
        let powers = match (found.or(by_name), &roles_gap) {
            (Some((powers, rules)), _) => Powers::Known(powers, rules),
            (None, None) => continue,
            (None, Some(gap)) => Powers::Unread(gap),
        };
        for subject in &binding.subjects {
            lists.add(binding, subject, &powers, root, platform, cluster.roles.items.is_empty());
        }
    }
    lists.done(bindings_gap, roles_gap)
}

/// The shape of `grants`.
pub(super) fn shape() -> Shape {
    let fields =
        ["name", "subject", "subject_kind", "role", "binding", "namespace", "wide", "system", "many", "reason"];
    let list = || Shape::List(Box::new(Shape::map(fields.map(|key| (key, Shape::Leaf)))));
    let names = POWERS.iter().map(|power| power.name).chain([MASTERS, EVERYBODY, DEFAULT_ACCOUNTS]);
    Shape::Map(names.map(|name| (name.to_owned(), list())).collect())
}

/// What a binding's role allows.
enum Powers<'g> {
    Known(u16, &'g [PolicyRule]),
    Unread(&'g Gap),
}

#[derive(Default)]
struct Lists {
    powers: [Derived; POWERS.len()],
    masters: Derived,
    everybody: Derived,
    default_accounts: Derived,
}

impl Lists {
    fn add(
        &mut self,
        binding: &Binding,
        subject: &Subject,
        powers: &Powers<'_>,
        root: &Reading,
        platform: Option<&str>,
        no_roles: bool,
    ) {
        let who = holder(subject, binding, platform);
        let wide = binding.namespace.is_empty() || binding.namespace == "kube-system";
        let item = || item(binding, &who, wide, root);
        let put = |list: &mut Derived, item: &dyn Fn() -> Reading| match who.whose {
            Whose::Of(_) => list.settled(item),
            Whose::Own | Whose::Unclear => list.open(item),
        };
        if who.name == "system:masters" {
            put(&mut self.masters, &item);
        }
        if who.kind == "ServiceAccount" && who.name.ends_with("/default") {
            put(&mut self.default_accounts, &item);
        }
        if who.many && who.name != "system:masters" {
            self.add_everybody(binding, &who, powers, &item);
        }
        match powers {
            Powers::Known(powers, rules) => {
                for (place, (power, list)) in POWERS.iter().zip(&mut self.powers).enumerate() {
                    let reaches = wide || !(power.cluster_only || place == EVERYTHING);
                    let reaches = reaches && (binding.namespace.is_empty() || !power.cluster_only);
                    if has(*powers, place) && reaches {
                        put(list, &|| only(item(), bounds(rules, place)));
                    }
                }
            }
            // Where no role was read at all the lists say so themselves.
            Powers::Unread(_) if no_roles => {}
            Powers::Unread(gap) => {
                if let Whose::Own | Whose::Unclear = who.whose {
                    for list in &mut self.powers {
                        list.open(|| unread(item(), gap));
                    }
                }
            }
        }
    }

    /// What is bound for many: expected where it is one of the small roles that Kubernetes gives to all.
    fn add_everybody(&mut self, binding: &Binding, who: &Holder, powers: &Powers<'_>, item: &dyn Fn() -> Reading) {
        // A group of one namespace's accounts is not everybody, unless what it may do matters.
        let few = who.name.starts_with("system:serviceaccounts:");
        let expected = FOR_EVERYBODY.contains(&binding.role.as_str()) || few;
        match powers {
            Powers::Known(0, _) if expected => self.everybody.settled(|| system(item())),
            Powers::Known(..) => self.everybody.open(item),
            Powers::Unread(gap) => self.everybody.open(|| unread(item(), gap)),
        }
    }

    fn done(self, bindings: Option<Gap>, roles: Option<Gap>) -> Reading {
        let both = bindings.clone().or(roles);
        let powers = POWERS.iter().zip(self.powers).map(|(power, list)| (power.name, list.done(both.clone())));
        let others = [
            (MASTERS, self.masters.done(bindings.clone())),
            (EVERYBODY, self.everybody.done(both.clone())),
            (DEFAULT_ACCOUNTS, self.default_accounts.done(bindings)),
        ];
        Reading::map(powers.chain(others).collect::<Vec<_>>())
    }
}

fn item(binding: &Binding, who: &Holder, wide: bool, root: &Reading) -> Reading {
    let system = match who.whose {
        Whose::Of(_) => truth(true),
        Whose::Own => truth(false),
        Whose::Unclear => Reading::new(Value::Unread(gap_at(root, "platform.id"))),
    };
    let role = match binding.role_kind.as_str() {
        "Role" => format!("Role {}/{}", binding.namespace, binding.role),
        _ => format!("ClusterRole {}", binding.role),
    };
    Reading::map([
        ("name", text(format!("{} {} ({})", who.kind, who.name, binding.name))),
        ("subject", text(who.name.as_str())),
        ("subject_kind", text(who.kind.as_str())),
        ("role", text(role)),
        ("binding", text(binding.name.as_str())),
        ("namespace", text(binding.namespace.as_str())),
        ("wide", truth(wide)),
        ("system", system),
        ("many", truth(who.many)),
        ("reason", text(who.reason.as_str())),
    ])
}

/// The item, where its role gives the power for single objects alone: they belong to what a sentence says of it.
fn only(mut item: Reading, bounds: Option<String>) -> Reading {
    let Some(bounds) = bounds else { return item };
    if let Value::Text(name) = item.child("name").value {
        item.insert("name", text(format!("{name} for {bounds}")));
    }
    item
}

/// The item, where it belongs to Kubernetes.
fn system(mut item: Reading) -> Reading {
    item.insert("system", truth(true));
    item
}

/// The item, where what its role allows was not read.
fn unread(mut item: Reading, gap: &Gap) -> Reading {
    let why = Gap::new(gap.reason, "the role that it names was not read");
    item.insert("system", Reading::new(Value::Unread(why)));
    item
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
