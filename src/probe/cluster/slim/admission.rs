//! Webhook configurations and ValidatingAdmissionPolicies.

use super::Item;
use super::parts::{Many, Meta, Text};
use crate::evidence::cluster::Admission;
use serde::Deserialize;

/// A ValidatingWebhookConfiguration or MutatingWebhookConfiguration.
#[derive(Debug, Deserialize)]
struct Webhooks {
    metadata: Meta,
    #[serde(default)]
    webhooks: Many<Webhook, 1024>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    failure_policy: Option<Text>,
    client_config: Option<ClientConfig>,
}

#[derive(Debug, Deserialize)]
struct ClientConfig {
    url: Option<Text>,
    service: Option<ServiceRef>,
}

#[derive(Debug, Deserialize)]
struct ServiceRef {
    namespace: Option<Text>,
}

/// A ValidatingWebhookConfiguration.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::probe::cluster) struct Validating(Webhooks);

/// A MutatingWebhookConfiguration.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::probe::cluster) struct Mutating(Webhooks);

/// A ValidatingAdmissionPolicy.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Policy {
    metadata: Meta,
    spec: PolicySpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicySpec {
    failure_policy: Option<Text>,
}

/// Whether it refuses where it cannot be asked: what the API fills in where nothing is said.
fn closed(policy: Option<&Text>) -> bool {
    policy.is_none_or(|policy| policy.0 == "Fail")
}

/// Host of a URL, without credentials, port, path and query. None where it has none.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

impl Webhooks {
    fn admission(self, kind: &str) -> Option<Admission> {
        let (_, name) = self.metadata.split()?;
        let hooks = self.webhooks.0;
        let configs = || hooks.iter().filter_map(|hook| hook.client_config.as_ref());
        let mut service_namespaces: Vec<String> =
            configs().filter_map(|config| Some(config.service.as_ref()?.namespace.as_ref()?.0.clone())).collect();
        let mut url_hosts: Vec<String> = configs().filter_map(|config| host(&config.url.as_ref()?.0)).collect();
        for names in [&mut service_namespaces, &mut url_hosts] {
            names.sort();
            names.dedup();
        }
        Some(Admission {
            name: format!("{kind} {name}"),
            kind: kind.to_owned(),
            // One without webhooks refuses nothing.
            fails_closed: !hooks.is_empty() && hooks.iter().all(|hook| closed(hook.failure_policy.as_ref())),
            service_namespaces,
            url_hosts,
        })
    }
}

impl Item for Validating {
    type Evidence = Admission;

    fn evidence(self) -> Option<Admission> {
        self.0.admission("ValidatingWebhookConfiguration")
    }
}

impl Item for Mutating {
    type Evidence = Admission;

    fn evidence(self) -> Option<Admission> {
        self.0.admission("MutatingWebhookConfiguration")
    }
}

impl Item for Policy {
    type Evidence = Admission;

    fn evidence(self) -> Option<Admission> {
        let (_, name) = self.metadata.split()?;
        let kind = "ValidatingAdmissionPolicy";
        Some(Admission {
            name: format!("{kind} {name}"),
            kind: kind.to_owned(),
            fails_closed: closed(self.spec.failure_policy.as_ref()),
            service_namespaces: Vec::new(),
            url_hosts: Vec::new(),
        })
    }
}
