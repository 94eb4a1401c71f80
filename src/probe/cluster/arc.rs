//! Azure Arc: the agents' ConfigMap, the connected cluster, the extensions, and what they say together.

use super::access::Rules;
use super::draft::{Count, Draft, Found};
use super::slim::arc::{ClusterConfig, ClusterConfigData, ConnectedObject, Extension, Group, Loose};
use super::wants::{ARC_CONFIG, CONNECTED, EXTENSIONS, Want};
use crate::evidence::cluster::ArcIdentity;
use crate::evidence::{ClusterEvidence, Fact, Reason};
use crate::kubeapi::{Api, ApiError};
use crate::probe::azure::names;

/// The CRD of connected clusters.
const CRD: &str = "connectedclusters.arc.azure.com";

/// Paths that the ConfigMap fills.
const OF_CONFIG: [&str; 3] = ["arc.identity", "arc.auto_upgrade", "arc.agent_version"];

/// Reads the agents' ConfigMap.
pub(super) async fn config(api: &Api, draft: &Draft) {
    match api.get::<ClusterConfig>(ARC_CONFIG.url).await {
        Ok(config) => {
            draft.answered();
            draft.arc_config.set(Found::Yes);
            take(draft, config.data.unwrap_or_default());
        }
        Err(error) if error.status == Some(404) => {
            draft.arc_config.set(Found::No);
            draft.write(|evidence| {
                evidence.arc.auto_upgrade = Fact::Absent;
                evidence.arc.agent_version = Fact::Absent;
            });
        }
        Err(error) => {
            for path in OF_CONFIG {
                draft.failed(&Want { path, ..ARC_CONFIG }, &error);
            }
        }
    }
}

/// Takes the keys of the ConfigMap over, those that are what they should be.
pub(super) fn take(draft: &Draft, data: ClusterConfigData) {
    let checked = |value: Loose, path: &'static str, fits: fn(&str) -> bool| -> Fact<String> {
        match value.text() {
            Fact::Known(text) if !fits(&text) => {
                draft.note(path, Reason::Malformed, "the agents' ConfigMap holds what is no such name in Azure");
                Fact::Unread
            }
            other => other,
        }
    };
    let identity = ArcIdentity {
        resource_id: Fact::Unread,
        subscription: checked(data.azure_subscription_id, "arc.identity.subscription", names::subscription),
        resource_group: checked(data.azure_resource_group, "arc.identity.resource_group", names::resource_group),
        name: checked(data.azure_resource_name, "arc.identity.name", names::cluster),
        region: checked(data.azure_region, "arc.identity.region", names::region),
    };
    // The agents compare the text with `true`; nothing else has a meaning to them.
    let auto_upgrade = match data.azure_arc_autoupdate.text() {
        Fact::Known(text) if text == "true" => Fact::Known(true),
        Fact::Known(text) if text == "false" => Fact::Known(false),
        Fact::Absent => Fact::Absent,
        Fact::Known(_) | Fact::Unread => {
            draft.note("arc.auto_upgrade", Reason::Malformed, "AZURE_ARC_AUTOUPDATE is neither `true` nor `false`");
            Fact::Unread
        }
    };
    let agent_version = data.azure_arc_agent_version.text();
    if agent_version.is_unread() {
        draft.note("arc.agent_version", Reason::Malformed, "AZURE_ARC_AGENT_VERSION is no version");
    }
    draft.write(|evidence| {
        evidence.arc.identity = identity;
        evidence.arc.auto_upgrade = auto_upgrade;
        evidence.arc.agent_version = agent_version;
    });
}

/// The version of an API group that the server prefers; `otherwise` where it does not say. None: it has no such group.
async fn version(api: &Api, want: &Want, otherwise: &str) -> Result<Option<String>, ApiError> {
    match api.get::<Group>(want.url).await {
        Ok(group) => Ok(Some(group.version().unwrap_or_else(|| otherwise.to_owned()))),
        Err(error) if error.status == Some(404) => Ok(None),
        Err(error) if error.status == Some(403) => Ok(Some(otherwise.to_owned())),
        Err(error) => Err(error),
    }
}

/// Reads the extensions.
pub(super) async fn extensions(api: &Api, draft: &Draft, rules: &Rules) {
    let count = Count::default();
    match version(api, &EXTENSIONS, "v1beta1").await {
        Ok(None) => {}
        Ok(Some(_)) if rules.denies(&EXTENSIONS) => draft.refused(&EXTENSIONS),
        Ok(Some(version)) => {
            let url = format!("{}/{version}/extensionconfigs", EXTENSIONS.url);
            let mut each = |item: Extension| draft.keep(item, &count, |evidence| &mut evidence.arc.extensions.items);
            let outcome = api.list(&url, &mut each).await;
            draft.listed(&EXTENSIONS, &count, outcome);
        }
        Err(error) => draft.failed(&EXTENSIONS, &error),
    }
}

/// Reads which Azure resource the agents say that this cluster is.
pub(super) async fn connected(api: &Api, draft: &Draft) {
    match version(api, &CONNECTED, "v1beta1").await {
        Ok(None) => draft.arc_group.set(Found::No),
        Ok(Some(version)) => {
            let url = format!("{}/{version}/namespaces/azure-arc/connectedclusters/clustermetadata", CONNECTED.url);
            match api.get::<ConnectedObject>(&url).await {
                Ok(object) => {
                    draft.answered();
                    draft.arc_group.set(Found::Yes);
                    take_id(draft, object.resource_id());
                }
                Err(error) if error.status == Some(404) => draft.arc_group.set(Found::No),
                Err(error) => draft.failed(&CONNECTED, &error),
            }
        }
        Err(error) => draft.failed(&CONNECTED, &error),
    }
}

/// Takes the ARM id over where it is one.
pub(super) fn take_id(draft: &Draft, id: Fact<String>) {
    let id = match id {
        Fact::Known(id) if names::split_arm_id(&id).is_none() => Fact::Unread,
        other => other,
    };
    if id.is_unread() {
        draft.note(CONNECTED.path, Reason::Malformed, "the agents' object holds what is no id of a connected cluster");
    }
    draft.write(|evidence| evidence.arc.identity.resource_id = id);
}

/// What all of it says together: whether the cluster is connected, and its id where the names alone are known.
pub(super) fn conclude(draft: &Draft) {
    let (config, group) = (draft.arc_config.get(), draft.arc_group.get());
    let (namespaces, crds) = (draft.whole("namespaces"), draft.whole("custom_resources"));
    let mut answer = Fact::Unread;
    draft.write(|evidence| {
        let by_namespace = evidence.namespaces.items.iter().any(|namespace| namespace.name == "azure-arc");
        let by_crd = evidence.custom_resources.items.iter().any(|name| name == CRD);
        answer = match () {
            () if config == Found::Yes || group == Found::Yes || by_namespace || by_crd => Fact::Known(true),
            // Every agent has its ConfigMap: where it does not exist, or not even the namespace, there are no agents.
            () if config == Found::No || namespaces || crds => Fact::Known(false),
            () => Fact::Unread,
        };
        evidence.arc.connected = answer.clone();
        fill(evidence, config, group);
    });
    if answer.is_unread() {
        let reason = draft.why("namespaces").unwrap_or(Reason::NotVisible);
        draft.note("arc.connected", reason, "neither namespaces nor the agents' ConfigMap could be read");
    }
    draft.write(|evidence| {
        if evidence.arc.identity.resource_id.known().is_some() {
            draft.found(CONNECTED.path);
        }
    });
}

/// Fills the identity from what else is known, and says what does not exist.
fn fill(evidence: &mut ClusterEvidence, config: Found, group: Found) {
    let arc = &mut evidence.arc;
    let identity = &mut arc.identity;
    // The ConfigMap is what the agents run with; the object fills in where it could not be read.
    if config != Found::Yes
        && let Fact::Known(id) = identity.resource_id.clone()
        && let Some((subscription, resource_group, name)) = names::split_arm_id(&id)
    {
        identity.subscription = Fact::Known(subscription.to_owned());
        identity.resource_group = Fact::Known(resource_group.to_owned());
        identity.name = Fact::Known(name.to_owned());
    }
    if identity.resource_id.is_unread()
        && let (Fact::Known(subscription), Fact::Known(group), Fact::Known(name)) =
            (&identity.subscription, &identity.resource_group, &identity.name)
    {
        identity.resource_id = Fact::Known(names::arm_id(subscription, group, name));
    }
    if config == Found::No {
        for fact in [&mut identity.subscription, &mut identity.resource_group, &mut identity.name, &mut identity.region]
        {
            if fact.is_unread() {
                *fact = Fact::Absent;
            }
        }
    }
    if group == Found::No && config != Found::Unread && identity.resource_id.is_unread() {
        identity.resource_id = Fact::Absent;
    }
}
