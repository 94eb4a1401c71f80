//! Who we are to the API server, and what it says that we may: reviews, which are created and change nothing.

use super::draft::{Draft, is_forbidden};
use super::slim::parts::{Many, Text, text_fact};
use super::slim::role::Rule;
use super::wants::{REVIEWED, Want};
use crate::evidence::cluster::Caller;
use crate::evidence::{Fact, Reason};
use crate::kubeapi::{Api, ApiError};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Versions of the SelfSubjectReview, the newest first: v1 since Kubernetes 1.28.
const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

#[derive(Debug, Deserialize)]
struct WhoAmI {
    status: Option<WhoStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WhoStatus {
    user_info: Option<UserInfo>,
}

#[derive(Debug, Deserialize)]
struct UserInfo {
    username: Option<Text>,
    #[serde(default)]
    groups: Many<Text, 4096>,
}

#[derive(Debug, Deserialize)]
struct RulesReview {
    status: Option<Rules>,
}

/// What the API server says that we may.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rules {
    #[serde(default)]
    resource_rules: Many<Rule, 16384>,
    // Where the server cannot tell everything (a webhook authorizes, or an error came up) it says so.
    incomplete: Option<bool>,
}

impl Rules {
    /// Whether they say for certain that something may not be read: the list is complete, and no rule of it comes near.
    pub(super) fn denies(&self, want: &Want) -> bool {
        self.incomplete == Some(false) && !self.resource_rules.0.iter().any(|rule| allows(rule, want))
    }
}

/// Whether a rule speaks of a request. One that allows it for some names only counts, too: the request itself will show.
fn allows(rule: &Rule, want: &Want) -> bool {
    let any = |values: &[Text], fits: &dyn Fn(&str) -> bool| values.iter().any(|value| fits(&value.0));
    let resource = |value: &str| {
        let of_all = value
            .strip_prefix("*/")
            .is_some_and(|sub| want.resource.split_once('/').is_some_and(|(_, own)| own == sub));
        value == "*" || value == want.resource || of_all
    };
    any(&rule.verbs.0, &|verb| verb == "*" || verb == want.verb)
        && any(&rule.api_groups.0, &|group| group == "*" || group == want.group)
        && any(&rule.resources.0, &resource)
}

/// Asks who we are and writes it down. Gives the error with which the API server refused to know us at all.
pub(super) async fn who(api: &Api, draft: &Draft) -> Result<(), ApiError> {
    draft.begin("caller");
    let mut last = None;
    for version in VERSIONS {
        let path = format!("/apis/authentication.k8s.io/{version}/selfsubjectreviews");
        let body = json!({"apiVersion": format!("authentication.k8s.io/{version}"), "kind": "SelfSubjectReview"});
        match api.review::<Json, WhoAmI>(&path, &body).await {
            Ok(answer) => {
                let user = answer.status.and_then(|status| status.user_info);
                match user.and_then(|user| Some((text_fact(user.username).known()?.clone(), user.groups.texts()))) {
                    Some((user, groups)) => {
                        let unverified = if api.is_unverified() { ", of a server that was not verified" } else { "" };
                        let how = format!("{}{unverified}", api.login());
                        draft.write(|evidence| evidence.caller = Fact::Known(Caller { user, groups, how }));
                    }
                    None => draft.note("caller", Reason::Malformed, "the API server's answer names no user"),
                }
                draft.end("caller");
                return Ok(());
            }
            Err(error) if error.status == Some(404) => last = Some(error),
            Err(error) => {
                last = Some(error);
                break;
            }
        }
    }
    draft.end("caller");
    let Some(error) = last else { return Ok(()) };
    match error.status {
        Some(404) => {
            let why = "this API server is older than Kubernetes 1.26 and does not tell callers who they are";
            draft.note("caller", Reason::Unsupported, why);
            Ok(())
        }
        _ if is_forbidden(&error) => {
            draft.note("caller", Reason::Forbidden, "this account may not ask who it is");
            Ok(())
        }
        _ => {
            draft.note("caller", error.reason, error.message.clone());
            Err(error)
        }
    }
}

/// Asks what we may read. Rules that allow everything to be tried where that could not be told.
pub(super) async fn rules(api: &Api) -> Result<Rules, ApiError> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "kube-system"},
    });
    let answer: RulesReview = api.review("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", &body).await?;
    Ok(answer.status.unwrap_or_default())
}

/// What of the lists may not be read for certain.
pub(super) fn denied(rules: &Rules) -> Vec<&'static Want> {
    REVIEWED.iter().filter(|want| rules.denies(want)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::wants::{CONFIGZ, NODES, PODS};
    use super::*;

    fn rules(json: Json) -> Rules {
        serde_json::from_value::<RulesReview>(json!({ "status": json })).unwrap().status.unwrap()
    }

    #[test]
    fn an_administrator_is_denied_nothing() {
        let text = include_str!("../../../tests/samples/cluster/rules-admin.json");
        let answer: RulesReview = serde_json::from_str(text).unwrap();
        assert!(denied(&answer.status.unwrap()).is_empty());
    }

    #[test]
    fn what_no_rule_allows_is_denied_and_told() {
        let rules = rules(json!({"incomplete": false, "resourceRules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["nodes"]},
            {"verbs": ["list"], "apiGroups": ["apps"], "resources": ["pods"]},
            {"verbs": ["create"], "apiGroups": ["*"], "resources": ["*"]}
        ]}));
        assert!(!rules.denies(&NODES));
        assert!(rules.denies(&PODS) && rules.denies(&CONFIGZ));
        assert_eq!(denied(&rules).len(), REVIEWED.len() - 1);
    }

    #[test]
    fn subresources_of_all_resources_are_seen() {
        let every = json!([{"verbs": ["*"], "apiGroups": [""], "resources": ["*/proxy"]}]);
        assert!(!rules(json!({"incomplete": false, "resourceRules": every})).denies(&CONFIGZ));
    }

    #[test]
    fn rules_that_may_be_incomplete_deny_nothing() {
        for odd in [json!({"incomplete": true, "resourceRules": []}), json!({}), json!({"resourceRules": null})] {
            assert!(denied(&rules(odd)).is_empty());
        }
    }
}
