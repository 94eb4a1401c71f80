//! What the lifecycle data says of a cluster: its Kubernetes minor, the container runtimes and Windows builds of its nodes,
//! the agents of Azure Arc.

use super::lifecycle::{Cycle, Lifecycle, Product};
use super::{Gap, Missing, Reading, Reason, Value, Version};
use jiff::Timestamp;
use std::sync::Arc;

/// Days after which the data no longer tells which version is the newest. Its end dates stay as they are.
const FRESH_DAYS: i64 = 120;
/// Days for which a Kubernetes minor that came out after the data is certainly in support: each is for fourteen months.
const NEW_MINOR_DAYS: i64 = 365;

/// Platforms with lines of their own in the data.
const OWN_LINES: [(&str, &str); 4] = [
    ("aks", "azure-kubernetes-service"),
    ("eks", "amazon-eks"),
    ("gke", "google-kubernetes-engine"),
    ("openshift", "red-hat-openshift"),
];

/// OpenShift 4.N is Kubernetes 1.(N + 13).
const OPENSHIFT: u64 = 13;

/// Platforms whose vendor keeps its own calendar of Kubernetes versions, of which the data has nothing, and the last minor
/// that is known to have ended by it (AKS on Azure Local: its documentation of 2025-10-09).
const OWN_CALENDARS: [(&str, &str, u64); 2] = [
    ("aks-arc", "AKS on Azure Local has a calendar of its own: `az aksarc get-upgrades` tells what it offers", 29),
    ("aks-edge-essentials", "AKS Edge Essentials has a calendar of its own: look it up in its documentation", 0),
];

/// Platforms on which Kubernetes' own newest patch is to be had.
const UPSTREAM_PATCHES: [&str; 9] =
    ["kubeadm", "generic", "k3s", "rke2", "k0s", "microk8s", "talos", "kind", "minikube"];

/// Platforms on which a person chooses the container runtime.
const OWN_RUNTIME: [&str; 3] = ["kubeadm", "generic", "rke1"];

/// The newest agents of Azure Arc that are known, and when they were looked up (Microsoft's release notes).
const ARC_AGENTS: (&str, &str) = ("1.36.1", "2026-08-20");
/// How many minor versions older an agent may be.
const ARC_AGENTS_BACK: u64 = 2;

impl Lifecycle {
    /// Adds to a cluster's tree: `lifecycle` (of its Kubernetes minor, by the platform's own data where there is some),
    /// `runtimes` and `windows` (a list over the nodes each), `arc.agent`. Needs `platform` to be there already.
    pub fn add_to_cluster(&self, root: &mut Reading, now: Timestamp) {
        let support = self.kubernetes(root, now);
        let runtimes = over_nodes(root, |node| self.runtime(node, root, now));
        let windows = over_nodes(root, |node| self.windows(node, now));
        let agent = self.arc_agent(root, now);
        root.insert("lifecycle", support);
        root.insert("runtimes", runtimes);
        root.insert("windows", windows);
        root.change("arc", |arc| arc.insert("agent", agent));
    }

    /// Whether the data is young enough to tell what is newest.
    fn fresh(&self, now: Timestamp) -> Result<(), Gap> {
        is_fresh(&self.snapshot_date, now)
            .then_some(())
            .ok_or_else(|| old(&format!("the lifecycle data of {}", self.day())))
    }

    /// The support of the cluster's Kubernetes minor, and the newest patch of it.
    fn kubernetes(&self, root: &Reading, now: Timestamp) -> Reading {
        let platform = platform_of(root);
        let version = match root.at("version.git").value {
            Value::Text(text) => Version::parse(&text),
            Value::Unread(gap) => return Reading::new(Value::Unread(gap)),
            _ => None,
        };
        let Some((version, (1, minor))) = version.and_then(|version| version.minor().map(|minor| (version, minor)))
        else {
            return Reading::unread(Reason::Malformed, "the API server tells a version that is none of Kubernetes'");
        };
        if version.is_before_release() {
            return Reading::unread(Reason::NotVisible, "a version before its release has no support that could end");
        }
        let own = platform.as_deref().ok().and_then(|id| OWN_LINES.iter().find(|(known, _)| *known == id));
        let key = own.map_or("kubernetes", |(_, key)| *key);
        let (major, line) = if key == "red-hat-openshift" { (4, minor.saturating_sub(OPENSHIFT)) } else { (1, minor) };
        let Some(product) = self.products.get(key) else {
            return Reading::unread(Reason::NotVisible, "the lifecycle data has nothing of this platform");
        };
        let name = format!("{major}.{line}");
        let mut reading = match product.cycles.iter().find(|cycle| cycle.cycle == name) {
            Some(cycle) => self.reading(key, product, cycle, now),
            None => match self.outside(key, product, line, now) {
                Ok(reading) => reading,
                Err(gap) => return Reading::new(Value::Unread(gap)),
            },
        };
        let cycle = product.cycles.iter().find(|cycle| cycle.cycle == name);
        let latest = self.latest(cycle, &platform, now);
        reading.insert("latest", latest);
        if reading.child("ended").value == Value::Bool(true)
            && let Some(gap) = vendor_may_support(&platform, minor)
        {
            reading.insert("ended", Reading::new(Value::Unread(gap)));
        }
        reading
    }

    /// The newest patch of a minor.
    fn latest(&self, cycle: Option<&Cycle>, platform: &Result<String, Gap>, now: Timestamp) -> Reading {
        let not_told = |why: &str| Reading::unread(Reason::NotVisible, why);
        match platform {
            Err(gap) => return Reading::new(Value::Unread(gap.clone())),
            Ok(id) if !UPSTREAM_PATCHES.contains(&id.as_str()) => {
                return not_told("this platform offers patches of its own: ask its vendor which is the newest");
            }
            Ok(_) => {}
        }
        if let Err(gap) = self.fresh(now) {
            return Reading::new(Value::Unread(gap));
        }
        match cycle.and_then(|cycle| cycle.latest.as_deref()) {
            Some(latest) => Reading::with_origin(
                Value::Text(latest.into()),
                format!("newest in the lifecycle data of {} (endoflife.date)", self.day()),
            ),
            None => not_told("the lifecycle data does not know a patch of this minor version"),
        }
    }

    /// Of a minor that is not in the data: newer than all of it, or older.
    fn outside(&self, key: &str, product: &Product, line: u64, now: Timestamp) -> Result<Reading, Gap> {
        let lines = product.cycles.iter().filter_map(|cycle| Version::parse(&cycle.cycle)?.minor());
        let (oldest, newest) =
            lines.fold((u64::MAX, 0), |(oldest, newest), (_, line)| (oldest.min(line), newest.max(line)));
        let ended = if line < oldest {
            true
        } else if line > newest && days_since(&self.snapshot_date, now).is_some_and(|days| days < NEW_MINOR_DAYS) {
            false
        } else {
            let why = format!(
                "the lifecycle data of {} does not know this version: take a newer version of this program",
                self.day()
            );
            return Err(Gap::new(Reason::NotVisible, why));
        };
        let origin =
            format!("{} than all in the lifecycle data of {}", if ended { "older" } else { "newer" }, self.day());
        let from = |value: Value| Reading::with_origin(value, origin.as_str());
        Ok(Reading::map([
            ("product", from(Value::Text(key.into()))),
            ("cycle", from(Value::Absent)),
            ("title", from(Value::Text(product.title.as_str().into()))),
            ("eol", from(Value::Absent)),
            ("extended_end", from(Value::Absent)),
            ("support_end", from(Value::Absent)),
            ("ended", from(Value::Bool(ended))),
        ]))
    }

    /// A node's container runtime.
    fn runtime(&self, node: &Reading, root: &Reading, now: Timestamp) -> Option<Reading> {
        let told = node.child("container_runtime");
        let text = match &told.value {
            Value::Text(text) => Arc::clone(text),
            Value::Absent => return Some(entry(node, [])),
            _ => return Some(entry(node, [("version", told.clone()), ("ended", told)])),
        };
        let (runtime, version) = text.split_once("://").unwrap_or((&text, ""));
        let known = |key: &str| self.products.get(key).map(|product| (key.to_owned(), product));
        let parsed = Version::parse(version).and_then(|version| version.minor());
        let line = match (runtime, parsed) {
            ("containerd", Some((major, minor))) => {
                known("containerd").map(|found| (found, format!("{major}.{minor}")))
            }
            ("cri-o", Some((major, minor))) => known("kubernetes").map(|found| (found, format!("{major}.{minor}"))),
            ("docker", Some((major, _))) => known("docker-engine").map(|found| (found, major.to_string())),
            _ => None,
        };
        let not_known =
            || Reading::unread(Reason::NotVisible, "the lifecycle data does not know this container runtime");
        let found = line.and_then(|((key, product), line)| {
            let cycle = product.cycles.iter().find(|cycle| cycle.cycle == line)?;
            Some(self.reading(&key, product, cycle, now))
        });
        let (mut ended, end) = match found {
            Some(found) => (found.child("ended"), found.child("support_end")),
            None => (not_known(), not_known()),
        };
        let own = platform_of(root).is_ok_and(|id| OWN_RUNTIME.contains(&id.as_str()));
        if ended.value == Value::Bool(true) && !own {
            let why =
                "its project no longer supports this release; here it comes with the platform, whose vendor may: ask";
            ended = Reading::unread(Reason::NotVisible, why);
        }
        Some(entry(
            node,
            [
                ("runtime", Reading::text(runtime)),
                ("version", Reading::text(version)),
                ("support_end", end),
                ("ended", ended),
            ],
        ))
    }

    /// A Windows node's build and update revision.
    fn windows(&self, node: &Reading, now: Timestamp) -> Option<Reading> {
        let system = node.child("operating_system");
        match &system.value {
            Value::Text(name) if &**name == "windows" => {}
            Value::Text(_) => return None,
            // It may be one.
            Value::Unread(_) => {
                let all = ["build", "ubr", "release", "support_end", "ended", "patched"];
                return Some(entry(node, all.map(|key| (key, system.clone()))));
            }
            _ => return Some(entry(node, [])),
        }
        let unread = |gap: Gap| Reading::new(Value::Unread(gap));
        let kernel = node.child("kernel");
        let numbers: Vec<i64> = match &kernel.value {
            Value::Text(text) => text.split('.').map_while(|part| part.parse().ok()).collect(),
            _ => Vec::new(),
        };
        let (build, ubr) = match (numbers.as_slice(), &kernel.value) {
            ([10, 0, build, ubr], _) => (Ok(*build), Ok(*ubr)),
            ([10, 0, build], _) => {
                (Ok(*build), Err(Gap::new(Reason::NotVisible, "the kernel's version tells no update revision")))
            }
            (_, Value::Unread(gap)) => (Err(gap.clone()), Err(gap.clone())),
            _ => {
                let gap = Gap::new(Reason::Malformed, "the kernel's version is none of Windows");
                (Err(gap.clone()), Err(gap))
            }
        };
        let image = node.child("os_image");
        let found = build.as_ref().ok().and_then(|build| self.windows_release(*build, &image, now));
        let (release, end, ended) = match (found, &build) {
            (Some(found), _) => (found.child("cycle"), found.child("support_end"), found.child("ended")),
            (None, Ok(_)) => {
                let gap = Gap::new(Reason::NotVisible, "the lifecycle data does not know this build of Windows");
                (unread(gap.clone()), unread(gap.clone()), unread(gap))
            }
            (None, Err(gap)) => (unread(gap.clone()), unread(gap.clone()), unread(gap.clone())),
        };
        let int = |number: Result<i64, Gap>| number.map_or_else(unread, |number| Reading::new(Value::Int(number)));
        let no_table =
            "this program has no table of Windows' updates: compare the update revision with Microsoft's list";
        Some(entry(
            node,
            [
                ("build", int(build)),
                ("ubr", int(ubr)),
                ("release", release),
                ("support_end", end),
                ("ended", ended),
                ("patched", Reading::unread(Reason::NotVisible, no_table)),
            ],
        ))
    }

    /// The release of Windows Server with a build: two share one, which the name of the system tells apart.
    fn windows_release(&self, build: i64, image: &Reading, now: Timestamp) -> Option<Reading> {
        let Value::Text(image) = &image.value else { return None };
        let product = self.products.get("windows-server")?;
        let wanted = format!("10.0.{build}");
        let cycle = product.cycles.iter().find(|cycle| {
            cycle.latest.as_deref() == Some(&wanted) && image.contains(&format!("Server {}", cycle.cycle))
        })?;
        Some(self.reading("windows-server", product, cycle, now))
    }

    /// The version of Arc's agents against those that are known. One that is too old for the newest that is known is too old
    /// whenever one looks; that one is young enough is true for a while.
    fn arc_agent(&self, root: &Reading, now: Timestamp) -> Reading {
        let (newest, date) = ARC_AGENTS;
        let told = root.at("arc.agent_version");
        // Azure knows it too.
        let told = match told.value {
            Value::Unread(_) => match root.at("azure.connected_cluster.agent_version") {
                other @ Reading { value: Value::Text(_), .. } => other,
                _ => told,
            },
            _ => told,
        };
        let minor = |text: &str| Version::parse(text).and_then(|version| version.minor());
        let outdated = match &told.value {
            Value::Text(text) => match (minor(text), minor(newest)) {
                (Some((1, agent)), Some((1, newest))) if agent + ARC_AGENTS_BACK < newest => Ok(true),
                (Some((1, _)), Some(_)) if is_fresh(date, now) => Ok(false),
                (Some((1, _)), Some(_)) => Err(old(&format!("what is known of newer agents is of {date}"))),
                (Some(_), _) => Ok(false),
                (None, _) => Err(Gap::new(Reason::Malformed, "what stands for the agents' version is none")),
            },
            Value::Unread(gap) => Err(gap.clone()),
            _ => Err(Gap::new(Reason::NotVisible, "the agents do not tell their version")),
        };
        let origin = format!("agents known on {date}, newest {newest}");
        Reading::map([
            ("auto_upgrade", upgrades_itself(root)),
            ("version", told),
            ("newest", Reading::with_origin(Value::Text(newest.into()), format!("known on {date}"))),
            (
                "outdated",
                outdated.map_or_else(
                    |gap| Reading::new(Value::Unread(gap)),
                    |outdated| Reading::with_origin(Value::Bool(outdated), origin),
                ),
            ),
        ])
    }
}

/// Keys of what [`Lifecycle::add_to_cluster`] adds: path, keys, and whether it is a list of such.
pub const CLUSTER_KEYS: [(&str, &[&str], bool); 4] = [
    ("lifecycle", &["product", "cycle", "title", "eol", "extended_end", "support_end", "ended", "latest"], false),
    ("runtimes", &["name", "runtime", "version", "support_end", "ended"], true),
    ("windows", &["name", "build", "ubr", "release", "support_end", "ended", "patched"], true),
    ("arc.agent", &["auto_upgrade", "version", "newest", "outdated"], false),
];

/// Whether Arc's agents are set to upgrade by themselves: as the cluster says, else as Azure does.
fn upgrades_itself(root: &Reading) -> Reading {
    let inside = root.at("arc.auto_upgrade");
    if let Value::Bool(_) = inside.value {
        return inside;
    }
    let azure = root.at("azure.connected_cluster.auto_upgrade");
    match &azure.value {
        Value::Text(word) if &**word == "Enabled" => Reading::with_origin(Value::Bool(true), "what Azure says"),
        Value::Text(word) if &**word == "Disabled" => Reading::with_origin(Value::Bool(false), "what Azure says"),
        _ if inside.value == Value::Absent => Reading::unread(Reason::NotVisible, "the agents do not tell it"),
        _ => inside,
    }
}

/// The platform's id, or why it is not known.
fn platform_of(root: &Reading) -> Result<String, Gap> {
    match root.at("platform.id").value {
        Value::Text(id) => Ok(id.to_string()),
        Value::Unread(gap) => Err(gap),
        _ => Err(Gap::not_in_evidence()),
    }
}

/// Why a minor that Kubernetes itself no longer supports may be supported by somebody else.
fn vendor_may_support(platform: &Result<String, Gap>, minor: u64) -> Option<Gap> {
    match platform {
        Err(gap) => Some(Gap::new(
            gap.reason,
            "Kubernetes itself no longer supports it; whether a vendor does hangs on the platform, which was not recognised",
        )),
        Ok(id) => {
            OWN_CALENDARS.iter().find(|(known, ..)| known == id).filter(|(_, _, ended)| minor > *ended).map(
                |(_, why, _)| Gap::new(Reason::NotVisible, format!("Kubernetes itself no longer supports it; {why}")),
            )
        }
    }
}

/// An item of a list over nodes.
fn entry<const N: usize>(node: &Reading, fields: [(&'static str, Reading); N]) -> Reading {
    let mut item = Reading::new(Value::Map {
        entries: Arc::default(),
        missing: Missing::Unread(Gap::new(Reason::NotVisible, "the node does not tell it")),
    });
    item.insert("name", node.child("name"));
    for (key, reading) in fields {
        item.insert(key, reading);
    }
    item
}

/// A list of what is made of each node, as complete as the list of nodes.
fn over_nodes(root: &Reading, of: impl Fn(&Reading) -> Option<Reading>) -> Reading {
    match root.child("nodes").value {
        Value::List { items, gap: Some(gap) } if items.is_empty() => Reading::new(Value::Unread(gap)),
        Value::List { items, gap } => Reading::list(items.iter().filter_map(of).collect(), gap),
        other => Reading::new(other),
    }
}

/// Whole days since a date.
fn days_since(date: &str, now: Timestamp) -> Option<i64> {
    let day = super::EndDate::moment(date)?;
    Some(now.duration_since(day).as_hours().div_euclid(24))
}

fn is_fresh(date: &str, now: Timestamp) -> bool {
    days_since(date, now).is_some_and(|days| days <= FRESH_DAYS)
}

fn old(what: &str) -> Gap {
    let why = format!("{what}, older than {FRESH_DAYS} days, no longer tells: take a newer version of this program");
    Gap::new(Reason::NotVisible, why)
}

#[cfg(test)]
#[path = "lifecycle_cluster_tests.rs"]
mod tests;
