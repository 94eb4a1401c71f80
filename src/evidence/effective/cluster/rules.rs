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

/// All of them. A role that allows everything is told as that alone.
pub(super) static POWERS: [Power; 10] = [
    Power { name: "cluster_admin", cluster_only: false, allows: everything },
    Power { name: "wildcards", cluster_only: false, allows: wildcards },
    Power {
        name: "read_secrets",
        cluster_only: false,
        allows: |rule| any(rule, &["get", "list", "watch"], "", "secrets") && is_open(rule),
    },
    Power { name: "create_pods", cluster_only: false, allows: creates_pods },
    Power { name: "escalate", cluster_only: false, allows: escalates },
    Power {
        name: "node_proxy",
        cluster_only: true,
        allows: |rule| resource(rule, "", "nodes/proxy") && !rule.verbs.is_empty(),
    },
    Power {
        name: "approve_certificates",
        cluster_only: true,
        allows: |rule| any(rule, &["update", "patch"], "certificates.k8s.io", "certificatesigningrequests/approval"),
    },
    Power { name: "webhooks", cluster_only: true, allows: changes_webhooks },
    Power {
        name: "tokens",
        cluster_only: false,
        allows: |rule| any(rule, &["create"], "", "serviceaccounts/token") && is_open(rule),
    },
    Power { name: "volumes", cluster_only: true, allows: |rule| any(rule, &["create"], "", "persistentvolumes") },
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

fn escalates(rule: &PolicyRule) -> bool {
    let roles = ["roles", "clusterroles"];
    let whom = ["users", "groups", "serviceaccounts"];
    is_open(rule)
        && (roles.iter().any(|name| any(rule, &["bind", "escalate"], "rbac.authorization.k8s.io", name))
            || whom.iter().any(|name| any(rule, &["impersonate"], "", name)))
}

fn changes_webhooks(rule: &PolicyRule) -> bool {
    let verbs = ["create", "update", "patch", "delete"];
    is_open(rule)
        && ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"]
            .iter()
            .any(|name| any(rule, &verbs, "admissionregistration.k8s.io", name))
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
        assert_eq!(names("get", "core", "secrets", ""), ["read_secrets"]);
        assert_eq!(names("get", "core", "secrets", "one"), [""; 0], "one secret by name");
        assert_eq!(names("get", "apps", "secrets", ""), [""; 0], "another group's resource");
        assert_eq!(names("create", "core,apps", "pods", ""), ["create_pods"]);
        assert_eq!(names("create", "batch", "cronjobs", ""), ["create_pods"]);
        assert_eq!(names("get", "core", "nodes/proxy", ""), ["node_proxy"]);
        assert!(names("get", "core", "*/proxy", "").contains(&"node_proxy"));
        assert_eq!(names("get", "core", "nodes", ""), [""; 0]);
        assert_eq!(names("bind", "rbac.authorization.k8s.io", "clusterroles", ""), ["escalate"]);
        assert_eq!(names("impersonate", "core", "users", ""), ["escalate"]);
        assert_eq!(
            names("update", "certificates.k8s.io", "certificatesigningrequests/approval", ""),
            ["approve_certificates"]
        );
        assert_eq!(names("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", ""), ["webhooks"]);
        assert_eq!(names("create", "core", "serviceaccounts/token", ""), ["tokens"]);
        assert_eq!(names("create", "core", "persistentvolumes", ""), ["volumes"]);
        assert_eq!(names("get", "core", "pods", ""), [""; 0]);
    }

    #[test]
    fn wildcards_allow_what_they_cover() {
        assert_eq!(names("*", "*", "*", "").len(), POWERS.len());
        assert!(names("*", "core", "secrets", "").contains(&"read_secrets"));
        assert!(!names("*", "apps", "*", "").contains(&"read_secrets"));
        assert!(names("*", "apps", "*", "").contains(&"create_pods"));
        let urls = PolicyRule { verbs: vec!["*".into()], urls: vec!["*".into()], ..PolicyRule::default() };
        assert_eq!(powers(&[urls]), 0, "addresses are no resources");
    }
}
