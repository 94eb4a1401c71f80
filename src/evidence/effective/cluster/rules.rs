//! What a role's rules allow, as far as it decides over the cluster.

use crate::evidence::cluster::PolicyRule;

/// Something that a rule may allow.
pub(super) struct Power {
    /// Where it stands below `grants`.
    pub(super) name: &'static str,
    /// Whether only a ClusterRoleBinding can give it, since it is about things outside namespaces.
    pub(super) cluster_only: bool,
    /// Whether a rule allows it.
    pub(super) allows: fn(&PolicyRule) -> bool,
}

/// Place of [`POWERS`] at which everything stands.
pub(super) const EVERYTHING: usize = 0;

/// All the powers there are: what whoever may do everything holds.
pub(super) const ALL: u16 = (1 << POWERS.len()) - 1;

/// Most names of single objects that are told of one rule.
const TOLD: usize = 5;

/// All of them.
pub(super) static POWERS: [Power; 10] = [
    Power { name: "cluster_admins", cluster_only: false, allows: everything },
    Power { name: "wildcard_holders", cluster_only: false, allows: wildcards },
    Power {
        name: "secret_readers",
        cluster_only: false,
        allows: |rule| any(rule, &["get", "list", "watch"], "", "secrets") && is_open(rule),
    },
    Power { name: "pod_creators", cluster_only: false, allows: creates_pods },
    Power { name: "escalators", cluster_only: false, allows: escalates },
    Power {
        name: "node_proxy_users",
        cluster_only: true,
        allows: |rule| resource(rule, "", "nodes/proxy") && !rule.verbs.is_empty(),
    },
    Power {
        name: "certificate_approvers",
        cluster_only: true,
        allows: |rule| any(rule, &["update", "patch"], "certificates.k8s.io", "certificatesigningrequests/approval"),
    },
    Power { name: "webhook_changers", cluster_only: true, allows: changes_webhooks },
    Power {
        name: "token_makers",
        cluster_only: false,
        allows: |rule| any(rule, &["create"], "", "serviceaccounts/token") && is_open(rule),
    },
    Power {
        name: "volume_creators",
        cluster_only: true,
        allows: |rule| any(rule, &["create"], "", "persistentvolumes"),
    },
];

/// The powers that rules give, a bit each in the order of [`POWERS`].
pub(super) fn powers(rules: &[PolicyRule]) -> u16 {
    POWERS.iter().enumerate().fold(
        0,
        |bits, (place, power)| {
            if rules.iter().any(power.allows) { bits | 1 << place } else { bits }
        },
    )
}

/// For which objects alone rules give the power at a place: `groups system:masters; clusterroles cluster-admin`. None where
/// one of them gives it for all.
pub(super) fn bounds(rules: &[PolicyRule], place: usize) -> Option<String> {
    let power = POWERS.get(place)?;
    let giving: Vec<&PolicyRule> = rules.iter().filter(|rule| (power.allows)(rule)).collect();
    if giving.is_empty() || giving.iter().any(|rule| is_open(rule)) {
        return None;
    }
    let told = |rule: &&PolicyRule| format!("{} {}", few(&rule.resources), few(&rule.resource_names));
    Some(giving.iter().take(TOLD).map(told).collect::<Vec<_>>().join("; "))
}

/// The first of many words.
fn few(words: &[String]) -> String {
    let told = words.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// Whether powers hold the one at a place.
pub(super) fn has(powers: u16, place: usize) -> bool {
    powers & (1 << place) != 0
}

fn holds(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == "*" || one == wanted)
}

/// A rule without names of single objects.
fn is_open(rule: &PolicyRule) -> bool {
    rule.resource_names.is_empty()
}

/// Whether a rule is about a resource, `pods` or with a part `nodes/proxy`.
fn resource(rule: &PolicyRule, group: &str, name: &str) -> bool {
    let part = name.split_once('/').map(|(_, part)| format!("*/{part}"));
    holds(&rule.api_groups, group)
        && (holds(&rule.resources, name) || part.is_some_and(|part| rule.resources.contains(&part)))
}

/// Whether a rule allows any of some verbs on a resource.
fn any(rule: &PolicyRule, verbs: &[&str], group: &str, name: &str) -> bool {
    resource(rule, group, name) && verbs.iter().any(|verb| holds(&rule.verbs, verb))
}

fn everything(rule: &PolicyRule) -> bool {
    let all = |list: &[String]| list.iter().any(|one| one == "*");
    all(&rule.verbs) && all(&rule.api_groups) && all(&rule.resources) && is_open(rule)
}

fn wildcards(rule: &PolicyRule) -> bool {
    let all = |list: &[String]| list.iter().any(|one| one == "*");
    !rule.resources.is_empty() && (all(&rule.verbs) || all(&rule.resources) || all(&rule.api_groups))
}

fn creates_pods(rule: &PolicyRule) -> bool {
    let apps = ["deployments", "daemonsets", "statefulsets", "replicasets"];
    any(rule, &["create"], "", "pods")
        || any(rule, &["create"], "", "replicationcontrollers")
        || apps.iter().any(|name| any(rule, &["create"], "apps", name))
        || ["jobs", "cronjobs"].iter().any(|name| any(rule, &["create"], "batch", name))
}

/// A single name is enough: `system:masters` among the groups, `cluster-admin` among the roles, or somebody who holds what
/// is wanted; whom a name stands for changes without the rule. Which group and resource stand for whom: apiserver 1.36,
/// pkg/endpoints/filters/impersonation (`impersonate:MODE` is the constrained kind, by default from 1.36 on).
fn escalates(rule: &PolicyRule) -> bool {
    const LOGIN: &str = "authentication.k8s.io";
    let roles = ["roles", "clusterroles"];
    let whom = ["users", "groups", "serviceaccounts"];
    let parts = ["uids", "userextras"];
    let extra = |name: &String| name.starts_with("userextras/") || name.starts_with("*/");
    let of_login = holds(&rule.api_groups, LOGIN) && !rule.resources.is_empty();
    roles.iter().any(|name| any(rule, &["bind", "escalate"], "rbac.authorization.k8s.io", name))
        || whom.iter().any(|name| any(rule, &["impersonate"], "", name))
        || parts.iter().any(|name| any(rule, &["impersonate"], LOGIN, name))
        || (of_login && holds(&rule.verbs, "impersonate") && rule.resources.iter().any(extra))
        || (of_login && rule.verbs.iter().any(|verb| verb.starts_with("impersonate:")))
}

/// One that is there can be turned at everything and everybody, whatever its name. Of a request to create one or to delete
/// many the API server knows no name, so that a rule with names does not allow it (kubernetes.io, "Using RBAC
/// Authorization", Referring to resources).
fn changes_webhooks(rule: &PolicyRule) -> bool {
    let of_one = ["update", "patch", "delete"];
    let of_all = ["create", "deletecollection"];
    ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"].iter().any(|name| {
        let may = |verbs: &[&str]| any(rule, verbs, "admissionregistration.k8s.io", name);
        may(&of_one) || (is_open(rule) && may(&of_all))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &str, groups: &str, resources: &str, names: &str) -> PolicyRule {
        let list = |text: &str| -> Vec<String> {
            if text.is_empty() {
                Vec::new()
            } else {
                text.split(',').map(|one| if one == "core" { String::new() } else { one.to_owned() }).collect()
            }
        };
        PolicyRule {
            verbs: list(verbs),
            api_groups: list(groups),
            resources: list(resources),
            resource_names: list(names),
            urls: Vec::new(),
        }
    }

    fn names(verbs: &str, groups: &str, resources: &str, object: &str) -> Vec<&'static str> {
        let bits = powers(&[rule(verbs, groups, resources, object)]);
        POWERS.iter().enumerate().filter(|(place, _)| has(bits, *place)).map(|(_, power)| power.name).collect()
    }

    #[test]
    fn rules_are_read_as_the_api_server_reads_them() {
        assert_eq!(names("get", "core", "secrets", ""), ["secret_readers"]);
        assert_eq!(names("get", "core", "secrets", "one"), [""; 0], "one secret by name");
        assert_eq!(names("get", "apps", "secrets", ""), [""; 0], "another group's resource");
        assert_eq!(names("create", "core,apps", "pods", ""), ["pod_creators"]);
        assert_eq!(names("create", "batch", "cronjobs", ""), ["pod_creators"]);
        assert_eq!(names("get", "core", "nodes/proxy", ""), ["node_proxy_users"]);
        assert!(names("get", "core", "*/proxy", "").contains(&"node_proxy_users"));
        assert_eq!(names("get", "core", "nodes", ""), [""; 0]);
        assert_eq!(names("bind", "rbac.authorization.k8s.io", "clusterroles", ""), ["escalators"]);
        assert_eq!(names("impersonate", "core", "users", ""), ["escalators"]);
        assert_eq!(
            names("update", "certificates.k8s.io", "certificatesigningrequests/approval", ""),
            ["certificate_approvers"]
        );
        assert_eq!(
            names("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", ""),
            ["webhook_changers"]
        );
        assert_eq!(names("create", "core", "serviceaccounts/token", ""), ["token_makers"]);
        assert_eq!(names("create", "core", "persistentvolumes", ""), ["volume_creators"]);
        assert_eq!(names("get", "core", "pods", ""), [""; 0]);
    }

    #[test]
    fn who_may_take_on_one_powerful_name_escalates() {
        let of_login = "authentication.k8s.io";
        for (verbs, group, resource, name) in [
            ("impersonate", "core", "groups", "system:masters"),
            ("impersonate", "core", "serviceaccounts", "clusterrole-aggregation-controller"),
            ("impersonate", of_login, "uids", "7"),
            ("impersonate", of_login, "userextras/scopes", "all"),
            ("impersonate:user-info", of_login, "users", "alice"),
            ("bind", "rbac.authorization.k8s.io", "clusterroles", "cluster-admin"),
            ("escalate", "rbac.authorization.k8s.io", "roles", "mine"),
        ] {
            for object in ["", name] {
                assert_eq!(names(verbs, group, resource, object), ["escalators"], "{verbs} {resource} {object}");
            }
        }
        assert_eq!(names("impersonate", of_login, "tokenreviews", ""), [""; 0]);
        assert_eq!(names("get", "core", "groups", "system:masters"), [""; 0]);
    }

    #[test]
    fn a_webhook_that_may_be_changed_by_name_is_changed() {
        let of = |verbs: &str, object: &str| {
            names(verbs, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", object)
        };
        for verb in ["update", "patch", "delete"] {
            assert_eq!(of(verb, "guard"), ["webhook_changers"], "{verb}");
        }
        for verb in ["create", "deletecollection"] {
            assert_eq!((of(verb, ""), of(verb, "guard")), (vec!["webhook_changers"], vec![]), "{verb}");
        }
    }

    #[test]
    fn for_which_names_alone_a_power_is_given_is_told() {
        let place = POWERS.iter().position(|power| power.name == "escalators").unwrap_or_default();
        let masters = rule("impersonate", "core", "groups", "system:masters");
        let admin = rule("bind", "rbac.authorization.k8s.io", "clusterroles", "cluster-admin,edit");
        let pods = rule("get", "core", "pods", "one");
        let told = bounds(&[masters.clone(), pods, admin.clone()], place);
        assert_eq!(told.as_deref(), Some("groups system:masters; clusterroles cluster-admin, edit"));
        let open = rule("impersonate", "core", "users", "");
        assert_eq!(bounds(&[masters, open, admin], place), None, "one rule of them is for all");
        let many = rule("impersonate", "core", "users", "a,b,c,d,e,f,g");
        assert_eq!(bounds(&[many], place).as_deref(), Some("users a, b, c, d, e and 2 more"));
    }

    #[test]
    fn wildcards_allow_what_they_cover() {
        assert_eq!(names("*", "*", "*", "").len(), POWERS.len());
        assert!(names("*", "core", "secrets", "").contains(&"secret_readers"));
        assert!(!names("*", "apps", "*", "").contains(&"secret_readers"));
        assert!(names("*", "apps", "*", "").contains(&"pod_creators"));
        let urls = PolicyRule { verbs: vec!["*".into()], urls: vec!["*".into()], ..PolicyRule::default() };
        assert_eq!(powers(&[urls]), 0, "addresses are no resources");
    }
}
