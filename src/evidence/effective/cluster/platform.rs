//! Which platform the cluster is, by what it shows, with the reasons.
//!
//! Every node is looked at. A sign of a node counts only where more than half of the nodes of which it was read show it: one
//! node that lies, or one that is left over, turns nothing, since it cannot outvote the others; of a cluster of one node, and
//! of two that disagree, a node's word is no better than that node. A sign that was not read never counts as missing.

use super::super::super::{ClusterEvidence, Fact, Gap, Reading, Reason, Value};
use super::super::Shape;
use super::super::gap_at;
use super::listed::{int, text, truth};
use super::platform_table::{ENOUGH, GENERIC, PLATFORMS, Platform, Sign, platform};
use crate::evidence::cluster::KubeNode;

/// What was seen of one sign.
enum Seen {
    /// It counts.
    Yes(String),
    /// A few nodes show it.
    Few(String),
    /// It was looked for and is missing.
    No,
    /// It was not read.
    Unread(Gap),
}

/// What was seen of one platform.
struct Candidate {
    platform: &'static Platform,
    points: i64,
    reasons: Vec<String>,
    /// Signs that too few nodes show.
    few: Vec<String>,
    /// Why it can be neither recognised nor ruled out.
    open: Option<Gap>,
}

/// What came of looking.
enum Outcome {
    Is(&'static Platform),
    /// None of those that are known.
    Generic,
    /// Too little was read.
    Unread(Gap),
}

/// The tree `platform`.
pub(super) fn reading(cluster: &ClusterEvidence, root: &Reading) -> Reading {
    let candidates: Vec<Candidate> = PLATFORMS.iter().map(|platform| candidate(platform, cluster, root)).collect();
    let outcome = decide(&candidates);
    let recognised = match &outcome {
        Outcome::Is(platform) => text(platform.id),
        Outcome::Generic => text(GENERIC.0),
        Outcome::Unread(gap) => Reading::new(Value::Unread(gap.clone())),
    };
    let mine = |id: &str| candidates.iter().find(|one| one.platform.id == id);
    let (id, title, reasons) = match (&cluster.platform_said, &outcome) {
        (Some(said), _) => {
            let known = platform(said).map(|platform| platform.title);
            let title = known.or((said == GENERIC.0).then_some(GENERIC.1)).unwrap_or(said);
            (
                Reading::with_origin(Value::Text(said.as_str().into()), "said by a person"),
                text(title),
                vec!["a person said so".to_owned()],
            )
        }
        (None, Outcome::Is(platform)) => {
            let reasons = mine(platform.id).map(|one| one.reasons.clone()).unwrap_or_default();
            let origin = format!("recognised by: {}", reasons.join("; "));
            (Reading::with_origin(Value::Text(platform.id.into()), origin), text(platform.title), reasons)
        }
        (None, Outcome::Generic) => {
            let none = "it shows no sign of a platform that this program knows";
            (Reading::with_origin(Value::Text(GENERIC.0.into()), none), text(GENERIC.1), vec![none.to_owned()])
        }
        (None, Outcome::Unread(gap)) => {
            let unread = || Reading::new(Value::Unread(gap.clone()));
            (unread(), unread(), Vec::new())
        }
    };
    let chosen = match &id.value {
        Value::Text(id) => id.to_string(),
        _ => String::new(),
    };
    let others = candidates.iter().filter(|one| one.platform.id != chosen && one.shows_anything());
    let hosted = match (platform(&chosen), &id.value) {
        (Some(platform), _) => truth(platform.hosted),
        (None, Value::Unread(gap)) => Reading::new(Value::Unread(gap.clone())),
        (None, _) => truth(false),
    };
    Reading::map([
        ("id", id),
        ("title", title),
        ("said", truth(cluster.platform_said.is_some())),
        ("recognised", recognised),
        ("hosted", hosted),
        ("reasons", Reading::list(reasons.into_iter().map(text).collect(), None)),
        ("candidates", Reading::list(others.map(Candidate::reading).collect(), None)),
    ])
}

/// The shape of `platform`.
pub(super) fn shape() -> Shape {
    let leaf = || Shape::Leaf;
    let texts = || Shape::List(Box::new(Shape::Leaf));
    Shape::map([
        ("id", leaf()),
        ("title", leaf()),
        ("said", leaf()),
        ("recognised", leaf()),
        ("hosted", leaf()),
        ("reasons", texts()),
        (
            "candidates",
            Shape::List(Box::new(Shape::map([
                ("id", leaf()),
                ("name", leaf()),
                ("points", leaf()),
                ("reasons", texts()),
                ("few", texts()),
            ]))),
        ),
    ])
}

/// The id that a tree's `platform` tells.
pub(super) fn id(root: &Reading) -> Option<String> {
    match root.at("platform.id").value {
        Value::Text(id) => Some(id.to_string()),
        _ => None,
    }
}

impl Candidate {
    fn recognised(&self) -> bool {
        self.points >= ENOUGH
    }

    fn shows_anything(&self) -> bool {
        !self.reasons.is_empty() || !self.few.is_empty()
    }

    fn reading(&self) -> Reading {
        let texts = |texts: &[String]| Reading::list(texts.iter().map(|one| text(one.as_str())).collect(), None);
        Reading::map([
            ("id", text(self.platform.id)),
            ("name", text(self.platform.title)),
            ("points", int(self.points)),
            ("reasons", texts(&self.reasons)),
            ("few", texts(&self.few)),
        ])
    }
}

/// What one platform shows.
fn candidate(platform: &'static Platform, cluster: &ClusterEvidence, root: &Reading) -> Candidate {
    let mut found = Candidate { platform, points: 0, reasons: Vec::new(), few: Vec::new(), open: None };
    let mut looked_for = false;
    for signal in platform.signals {
        match look(signal.sign, cluster, root) {
            Seen::Yes(reason) => {
                found.points += signal.weight.points();
                found.reasons.push(reason);
            }
            Seen::Few(reason) => {
                looked_for |= signal.always;
                found.few.push(reason);
            }
            Seen::No => looked_for |= signal.always,
            Seen::Unread(gap) => {
                found.open.get_or_insert(gap);
            }
        }
    }
    if looked_for {
        found.open = None;
    }
    found
}

/// Which of the candidates it is.
fn decide(candidates: &[Candidate]) -> Outcome {
    let beneath = |id: &str, others: &dyn Fn(&Candidate) -> bool| {
        candidates.iter().find(|one| others(one) && one.platform.on.contains(&id))
    };
    let recognised: Vec<&Candidate> = candidates
        .iter()
        .filter(|one| one.recognised() && beneath(one.platform.id, &Candidate::recognised).is_none())
        .collect();
    // The first of equals: `max_by_key` would take the last.
    let best = recognised.iter().rev().max_by_key(|one| one.points);
    match best {
        Some(best) => match beneath(best.platform.id, &|one| one.open.is_some()) {
            Some(Candidate { platform, open: Some(gap), .. }) => Outcome::Unread(Gap::new(
                gap.reason,
                format!("{} or {}: too little could be read to tell which", best.platform.title, platform.title),
            )),
            _ => Outcome::Is(best.platform),
        },
        None => match candidates.iter().find_map(|one| one.open.as_ref()) {
            Some(gap) => Outcome::Unread(Gap::new(gap.reason, "too little could be read to recognise the platform")),
            None => Outcome::Generic,
        },
    }
}

/// What is seen of one sign.
fn look(sign: Sign, cluster: &ClusterEvidence, root: &Reading) -> Seen {
    let of_fact = |fact: &Fact<bool>, path: &str, reason: String| match fact {
        Fact::Known(true) => Seen::Yes(reason),
        Fact::Known(false) | Fact::Absent => Seen::No,
        Fact::Unread => Seen::Unread(gap_at(root, path)),
    };
    let among = |found: bool, complete: bool, path: &str, reason: String| match (found, complete) {
        (true, _) => Seen::Yes(reason),
        (false, true) => Seen::No,
        (false, false) => Seen::Unread(gap_at(root, path)),
    };
    match sign {
        Sign::Version(part) => match &cluster.version {
            Fact::Known(version) if version.git.contains(part) => {
                Seen::Yes(format!("the API server's version has {part}"))
            }
            Fact::Known(_) | Fact::Absent => Seen::No,
            Fact::Unread => Seen::Unread(gap_at(root, "version")),
        },
        Sign::Server(suffix) => match &cluster.server {
            Fact::Known(url) if host(url).ends_with(suffix) => {
                Seen::Yes(format!("the API server's address ends in {suffix}"))
            }
            Fact::Known(_) | Fact::Absent => Seen::No,
            Fact::Unread => Seen::Unread(gap_at(root, "server")),
        },
        Sign::CustomResource(name) => {
            let found = cluster.custom_resources.items.iter().any(|found| found == name);
            among(found, cluster.custom_resources.complete, "custom_resources", format!("custom resource {name}"))
        }
        Sign::CsiDriver(name) => {
            let found = cluster.csi_drivers.items.iter().any(|found| found == name);
            among(found, cluster.csi_drivers.complete, "csi_drivers", format!("CSI driver {name}"))
        }
        Sign::StaticPod(prefix) => {
            let found = cluster.pods.items.iter().any(|pod| pod.mirror && pod.name.starts_with(prefix));
            among(found, cluster.pods.complete, "pods", format!("static pods {prefix}..."))
        }
        Sign::KubeadmConfig => {
            of_fact(&cluster.kubeadm_config, "kubeadm_config", "ConfigMap kube-system/kubeadm-config".to_owned())
        }
        Sign::AksEdgeConfig => {
            of_fact(&cluster.aksedge_config, "aksedge_config", "ConfigMap aksedge/aksedge".to_owned())
        }
        _ => by_nodes(sign, cluster, root),
    }
}

/// What the nodes show of a sign.
fn by_nodes(sign: Sign, cluster: &ClusterEvidence, root: &Reading) -> Seen {
    let (mut read, mut shown) = (0_usize, 0_usize);
    for node in &cluster.nodes.items {
        match of_node(sign, node) {
            Some(true) => {
                read += 1;
                shown += 1;
            }
            Some(false) => read += 1,
            None => {}
        }
    }
    let reason = || format!("{} on {shown} of {read} nodes", told(sign));
    match (read, shown) {
        (0, _) if cluster.nodes.complete && cluster.nodes.items.is_empty() => {
            Seen::Unread(Gap::new(Reason::NotVisible, "the cluster has no node"))
        }
        (0, _) => Seen::Unread(gap_at(root, "nodes")),
        (_, 0) => Seen::No,
        _ if shown * 2 > read => Seen::Yes(reason()),
        _ => Seen::Few(reason()),
    }
}

/// Whether a node shows a sign; none where that was not read.
fn of_node(sign: Sign, node: &KubeNode) -> Option<bool> {
    let in_text = |fact: &Fact<String>, holds: &dyn Fn(&str) -> bool| match fact {
        Fact::Known(text) => Some(holds(text)),
        Fact::Absent => Some(false),
        Fact::Unread => None,
    };
    let value =
        |map: &Fact<std::collections::BTreeMap<String, String>>, key: &str, holds: &dyn Fn(&str) -> bool| match map {
            Fact::Known(map) => Some(map.get(key).is_some_and(|value| holds(value))),
            Fact::Absent => Some(false),
            Fact::Unread => None,
        };
    match sign {
        Sign::Label(key) => value(&node.labels, key, &|_| true),
        Sign::LabelIs(key, wanted) => value(&node.labels, key, &|value| value == wanted),
        Sign::Annotation(key) => value(&node.annotations, key, &|_| true),
        Sign::AnnotationIn(key, wanted) => value(&node.annotations, key, &|value| wanted.contains(&value)),
        Sign::Provider(prefix) => in_text(&node.provider_id, &|id| id.starts_with(prefix)),
        Sign::Kubelet(part) => in_text(&node.kubelet_version, &|version| version.contains(part)),
        Sign::OsImage(prefix) => in_text(&node.os_image, &|image| image.starts_with(prefix)),
        Sign::Kernel(suffix) => in_text(&node.kernel, &|kernel| kernel.ends_with(suffix)),
        Sign::MocName => Some(is_moc_name(&node.name)),
        Sign::NameEnds(suffixes) => Some(suffixes.iter().any(|suffix| node.name.ends_with(suffix))),
        Sign::Version(_)
        | Sign::Server(_)
        | Sign::CustomResource(_)
        | Sign::CsiDriver(_)
        | Sign::KubeadmConfig
        | Sign::AksEdgeConfig
        | Sign::StaticPod(_) => None,
    }
}

/// A node's sign in words. Only our own: no text of the node.
fn told(sign: Sign) -> String {
    match sign {
        Sign::Label(key) => format!("label {key}"),
        Sign::LabelIs(key, value) => format!("label {key}={value}"),
        Sign::Annotation(key) | Sign::AnnotationIn(key, _) => format!("annotation {key}"),
        Sign::Provider(prefix) => format!("provider id {prefix}"),
        Sign::Kubelet(part) => format!("kubelet version with {part}"),
        Sign::OsImage(prefix) => format!("system {}", prefix.trim_end_matches(" (v")),
        Sign::Kernel(suffix) => format!("kernel version ending in {suffix}"),
        Sign::MocName => "name moc-...".to_owned(),
        Sign::NameEnds(suffixes) => format!("name ending in {}", suffixes.join(" or ")),
        _ => "sign".to_owned(),
    }
}

/// `moc-`, then `l`, `w` or `u`, then ten lower-case letters or digits.
pub(crate) fn is_moc_name(name: &str) -> bool {
    name.strip_prefix("moc-").is_some_and(|rest| {
        rest.len() == 11
            && rest.starts_with(['l', 'w', 'u'])
            && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The host of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.rsplit_once(':')
        .map_or(host, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority })
}

#[cfg(test)]
#[path = "platform_tests.rs"]
mod tests;
