//! Which answer of `az` a piece of JSON is, told by its shape, and what it says. Shapes differ between versions: fields
//! stand at the top or below `properties`, and their capitals vary.

use super::command::AzFact;
use crate::evidence::cluster::{AzureExtension, AzureUpgrade, ConnectedCluster, ProvisionedCluster};
use crate::evidence::{Fact, Listing};
use crate::probe::text::{marked, time};
use serde_json::{Map, Value as Json};

/// One answer, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// `az connectedk8s show`.
    Connected(Box<ConnectedCluster>),
    /// `az aksarc show`.
    Provisioned(Box<ProvisionedCluster>),
    /// `az aksarc get-upgrades`.
    Upgrades(Listing<AzureUpgrade>),
    /// `az k8s-extension list`.
    Extensions(Listing<AzureExtension>),
}

impl Said {
    /// What it tells.
    pub(super) fn fact(&self) -> AzFact {
        match self {
            Said::Connected(_) => AzFact::ConnectedCluster,
            Said::Provisioned(_) => AzFact::ProvisionedCluster,
            Said::Upgrades(_) => AzFact::Upgrades,
            Said::Extensions(_) => AzFact::Extensions,
        }
    }
}

/// An answer and the ids of the resources that it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) said: Said,
    pub(super) ids: Vec<String>,
}

/// Objects in each other that are looked through for answers.
const DEPTH: usize = 3;

/// The answers in a piece of JSON: itself, or those that it holds by any keys.
pub(super) fn answers(json: &Json) -> Vec<Answer> {
    let mut found = Vec::new();
    gather(json, 0, &mut found);
    found
}

fn gather(json: &Json, depth: usize, found: &mut Vec<Answer>) {
    if let Some(answer) = answer(json) {
        found.push(answer);
        return;
    }
    if depth == DEPTH {
        return;
    }
    match json {
        Json::Object(map) => map.values().for_each(|value| gather(value, depth + 1, found)),
        Json::Array(items) => items.iter().for_each(|item| gather(item, depth + 1, found)),
        _ => {}
    }
}

/// One answer, where this is one.
fn answer(json: &Json) -> Option<Answer> {
    match json {
        Json::Array(items) => extensions(items),
        Json::Object(map) => object(map),
        _ => None,
    }
}

fn object(map: &Map<String, Json>) -> Option<Answer> {
    let kind = text(map, &["type"]).known().map(|kind| kind.to_ascii_lowercase()).unwrap_or_default();
    let ids = text(map, &["id"]).known().cloned().into_iter().collect();
    let has = |path: &[&str]| at(map, path).is_some();
    let said = if kind.ends_with("/upgradeprofiles") || has(&["controlPlaneProfile", "upgrades"]) {
        Said::Upgrades(upgrades(map))
    } else if kind.ends_with("/provisionedclusterinstances") || has(&["clusterVmAccessProfile"]) {
        Said::Provisioned(Box::new(provisioned(map)))
    } else if kind == "microsoft.kubernetes/connectedclusters" || has(&["connectivityStatus"]) {
        Said::Connected(Box::new(connected(map)))
    } else {
        return None;
    };
    Some(Answer { said, ids })
}

/// A list is one of extensions where each of its items is one. An empty one is what `az k8s-extension list` writes where
/// there is none.
fn extensions(items: &[Json]) -> Option<Answer> {
    let maps: Vec<&Map<String, Json>> = items.iter().map(Json::as_object).collect::<Option<_>>()?;
    if !maps.iter().all(|map| at(map, &["extensionType"]).is_some()) {
        return None;
    }
    let ids = maps.iter().filter_map(|map| text(map, &["id"]).known().cloned()).collect();
    let mut complete = true;
    let mut found = Vec::new();
    for map in maps {
        match text(map, &["name"]) {
            Fact::Known(name) => found.push(extension(map, name)),
            Fact::Absent | Fact::Unread => complete = false,
        }
    }
    Some(Answer { said: Said::Extensions(Listing { items: found, complete }), ids })
}

fn extension(map: &Map<String, Json>, name: String) -> AzureExtension {
    let version = match text(map, &["currentVersion"]) {
        Fact::Known(version) => Fact::Known(version),
        _ => text(map, &["version"]),
    };
    let kind = match text(map, &["extensionType"]) {
        Fact::Known(kind) => Fact::Known(kind.to_ascii_lowercase()),
        other => other,
    };
    let auto_upgrade = match at(map, &["autoUpgradeMinorVersion"]) {
        Some(Json::Bool(truth)) => Fact::Known(*truth),
        None | Some(Json::Null) => Fact::Absent,
        Some(_) => Fact::Unread,
    };
    AzureExtension { name, kind, auto_upgrade, version, state: text(map, &["provisioningState"]) }
}

fn connected(map: &Map<String, Json>) -> ConnectedCluster {
    let when = |path: &[&str]| match text(map, path) {
        Fact::Known(text) => time(&text),
        Fact::Absent => Fact::Absent,
        Fact::Unread => Fact::Unread,
    };
    ConnectedCluster {
        resource_id: text(map, &["id"]),
        connectivity: text(map, &["connectivityStatus"]),
        kind: text(map, &["kind"]),
        agent_version: text(map, &["agentVersion"]),
        distribution: text(map, &["distribution"]),
        certificate_expires: when(&["managedIdentityCertificateExpirationTime"]),
        auto_upgrade: text(map, &["arcAgentProfile", "agentAutoUpgrade"]),
        last_connectivity: when(&["lastConnectivityTime"]),
    }
}

fn provisioned(map: &Map<String, Json>) -> ProvisionedCluster {
    ProvisionedCluster {
        kubernetes_version: text(map, &["kubernetesVersion"]),
        ssh_authorized_ranges: ranges(at(map, &["clusterVmAccessProfile", "authorizedIpRanges"])),
        state: text(map, &["provisioningState"]),
    }
}

/// Address ranges: a text with commas, or a list. Nothing, and an empty text, mean that nobody is shut out.
fn ranges(json: Option<&Json>) -> Fact<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        text.split(',').map(str::trim).filter(|range| !range.is_empty()).map(str::to_owned).collect()
    };
    let found = match json {
        None | Some(Json::Null) => return Fact::Absent,
        Some(Json::String(text)) => split(text),
        Some(Json::Array(items)) => match items.iter().map(Json::as_str).collect::<Option<Vec<&str>>>() {
            Some(texts) => texts.into_iter().flat_map(split).collect(),
            None => return Fact::Unread,
        },
        Some(_) => return Fact::Unread,
    };
    if found.is_empty() { Fact::Absent } else { Fact::Known(found) }
}

fn upgrades(map: &Map<String, Json>) -> Listing<AzureUpgrade> {
    let items = match at(map, &["controlPlaneProfile", "upgrades"]) {
        None | Some(Json::Null) => return Listing::whole(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Listing::default(),
    };
    let one = |item: &Json| -> Option<AzureUpgrade> {
        let map = item.as_object()?;
        let name = text(map, &["kubernetesVersion"]).known()?.clone();
        let preview = match at(map, &["isPreview"]) {
            None | Some(Json::Null) => false,
            Some(Json::Bool(truth)) => *truth,
            Some(_) => return None,
        };
        Some(AzureUpgrade { name, preview })
    };
    let found: Vec<AzureUpgrade> = items.iter().filter_map(one).collect();
    let complete = found.len() == items.len();
    Listing { items: found, complete }
}

/// What stands at a path, at the top or below `properties`, whatever the capitals.
fn at<'j>(map: &'j Map<String, Json>, path: &[&str]) -> Option<&'j Json> {
    fn walk<'j>(map: &'j Map<String, Json>, path: &[&str]) -> Option<&'j Json> {
        let (first, rest) = path.split_first()?;
        let found = map
            .get(*first)
            .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(first)).map(|(_, value)| value))?;
        if rest.is_empty() { Some(found) } else { walk(found.as_object()?, rest) }
    }
    let top = walk(map, path).filter(|found| !found.is_null());
    top.or_else(|| walk(map.get("properties")?.as_object()?, path))
}

/// The text at a path.
fn text(map: &Map<String, Json>, path: &[&str]) -> Fact<String> {
    match at(map, path) {
        None | Some(Json::Null) => Fact::Absent,
        Some(Json::String(text)) if text.is_empty() => Fact::Absent,
        Some(Json::String(text)) if text.len() <= 1024 => Fact::Known(marked(text)),
        Some(_) => Fact::Unread,
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
