//! Commands of `az` for the cluster's own Azure resource, filled with the names that the cluster tells.

use super::About;
use crate::assess::Verdict;
use crate::catalog::AzRemedy;
use crate::evidence::{ClusterEvidence, Version};
use crate::probe::azure::{AzNames, az_line, is_extension_name, own_names};
use crate::remedy::plan::{Refusal, Risk, Work};
use std::cmp::Ordering;

/// One run of `az` that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzRun {
    /// What it does, in plain words.
    pub what: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The arguments that take it back. None: nothing does.
    pub back: Option<Vec<String>>,
    /// How bad it is if something goes wrong.
    pub risk: Risk,
    /// Minutes that it may take.
    pub minutes: u32,
    /// Whether it talks to the cluster too, by the kubeconfig.
    pub by_kubeconfig: bool,
}

/// Minutes of a command that sets something, and of one that upgrades.
const SETS: u32 = 15;
const UPGRADES: u32 = 90;

/// Whose names the commands carry, with words in capitals for what is not known.
struct Names {
    own: AzNames,
}

impl Names {
    fn known(&self) -> bool {
        self.own.group.is_some() && self.own.name.is_some()
    }

    /// `words`, the option that names the cluster, the resource group, `more`, the subscription.
    fn args(&self, words: &[&str], option: &str, more: &[&str]) -> Vec<String> {
        let name = self.own.name.as_deref().unwrap_or("CLUSTER");
        let group = self.own.group.as_deref().unwrap_or("RESOURCE-GROUP");
        let mut args: Vec<&str> = words.to_vec();
        args.extend([option, name, "--resource-group", group]);
        args.extend(more);
        if let Some(subscription) = &self.own.subscription {
            args.extend(["--subscription", subscription]);
        }
        args.push("--only-show-errors");
        args.into_iter().map(str::to_owned).collect()
    }
}

/// What is done for `az-command`, and what to know about it. What cannot be filled, and what `az` would not do, is words
/// for a person; None: the control's own.
pub(super) fn plan(command: AzRemedy, about: &About<'_>) -> Result<(Option<Work>, Vec<String>), Refusal> {
    let cluster = about.evidence.cluster.as_ref();
    let cluster = cluster.ok_or_else(|| Refusal::new("the cluster was not read. Scan again"))?;
    let names = Names { own: own_names(&cluster.arc.identity) };
    let runs = match command {
        AzRemedy::AgentsAutoUpgrade => vec![agents(&names, true)],
        AzRemedy::AgentsUpgrade if cluster.arc.auto_upgrade.known() == Some(&true) => {
            let words = "The automatic upgrade is on, and az refuses to upgrade by hand then. Agents that are old all the same \
                         do not reach what they need: see that the cluster may connect to dl.k8s.io and to Azure Arc's \
                         addresses, and look with `az connectedk8s troubleshoot`";
            return Ok((Some(Work::Manual(vec![words.to_owned()])), Vec::new()));
        }
        AzRemedy::AgentsUpgrade => vec![AzRun {
            what: "Upgrade Azure Arc's agents to the newest version".to_owned(),
            args: names.args(&["connectedk8s", "upgrade"], "--name", &[]),
            back: None,
            risk: Risk::Disruptive,
            minutes: UPGRADES,
            by_kubeconfig: true,
        }],
        AzRemedy::ExtensionsAutoUpgrade => extensions(&names, about)?,
        AzRemedy::NewestPatch | AzRemedy::NextMinor if !is_azure_local(cluster) => return Ok((None, Vec::new())),
        AzRemedy::NewestPatch | AzRemedy::NextMinor => vec![upgrade(&names, cluster, command)?],
    };
    if !names.known() {
        let mut words =
            vec!["The cluster does not tell its name and resource group in Azure; fill them in:".to_owned()];
        words.extend(runs.iter().map(|run| az_line(&run.args)));
        return Ok((Some(Work::Manual(words)), Vec::new()));
    }
    let notes = notes(command);
    Ok((Some(Work::Azure(runs)), notes))
}

fn agents(names: &Names, on: bool) -> AzRun {
    let args = |on: &str| names.args(&["connectedk8s", "update"], "--name", &["--auto-upgrade", on]);
    AzRun {
        what: "Let Azure Arc's agents upgrade by themselves".to_owned(),
        args: args(if on { "true" } else { "false" }),
        back: Some(args(if on { "false" } else { "true" })),
        risk: Risk::Safe,
        minutes: SETS,
        by_kubeconfig: true,
    }
}

fn extensions(names: &Names, about: &About<'_>) -> Result<Vec<AzRun>, Refusal> {
    let items = about.finding.items.iter().filter(|item| item.verdict == Verdict::Fail);
    let failing: Vec<&str> = items.map(|item| item.name.as_str()).collect();
    if let Some(odd) = failing.iter().find(|name| !is_extension_name(name)) {
        return Err(Refusal::new(format!("{odd}: that is no name of an extension in Azure. Look at it in the portal")));
    }
    if failing.is_empty() {
        return Err(Refusal::new("the finding names no extension. Scan again"));
    }
    let run = |name: &&str| {
        let args = |on: &str| {
            let more = ["--cluster-type", "connectedClusters", "--name", name, "--auto-upgrade-minor-version", on];
            names.args(&["k8s-extension", "update"], "--cluster-name", &more)
        };
        AzRun {
            what: format!("Let the extension {name} upgrade by itself"),
            args: args("true"),
            back: Some(args("false")),
            // Protected settings are not kept by it.
            risk: Risk::Disruptive,
            minutes: SETS,
            by_kubeconfig: false,
        }
    };
    Ok(failing.iter().map(run).collect())
}

/// Whether Azure says that it is AKS on Azure Local, of which alone it lists upgrades.
fn is_azure_local(cluster: &ClusterEvidence) -> bool {
    cluster.azure.provisioned_cluster.known().is_some() || !cluster.azure.upgrades.items.is_empty()
}

fn upgrade(names: &Names, cluster: &ClusterEvidence, command: AzRemedy) -> Result<AzRun, Refusal> {
    let now = cluster.version.known().and_then(|version| Version::parse(&version.git));
    let minor = now.as_ref().and_then(Version::minor);
    let (Some(now), Some((major, minor))) = (now, minor) else {
        return Err(Refusal::new("the cluster's version was not read. Scan again"));
    };
    let wanted = (major, if command == AzRemedy::NextMinor { minor.saturating_add(1) } else { minor });
    let plain = |text: &str| text.split('.').count() == 3 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let offered = cluster.azure.upgrades.items.iter().filter(|offer| !offer.preview && plain(&offer.name));
    let fits = offered
        .filter_map(|offer| Some((Version::parse(&offer.name)?, offer.name.as_str())))
        .filter(|(version, _)| version.minor() == Some(wanted) && version.compare(&now) == Ordering::Greater);
    let Some((_, version)) = fits.max_by(|(one, _), (other, _)| one.compare(other)) else {
        return Err(Refusal::new(format!(
            "Azure offers no version {}.{} newer than the cluster's, as far as it was asked. Scan with --azure; where it offers \
             none then, update Azure Local itself first",
            wanted.0, wanted.1
        )));
    };
    Ok(AzRun {
        what: format!("Upgrade the cluster to Kubernetes {version}"),
        args: names.args(&["aksarc", "upgrade"], "--name", &["--kubernetes-version", version]),
        back: None,
        risk: Risk::Disruptive,
        minutes: UPGRADES,
        by_kubeconfig: false,
    })
}

fn notes(command: AzRemedy) -> Vec<String> {
    let notes: &[&str] = match command {
        AzRemedy::AgentsAutoUpgrade => {
            &["The agents look for a new version every hour; the setting reaches them within minutes"]
        }
        AzRemedy::AgentsUpgrade => &["The agents start anew; Azure may lose sight of the cluster for a few minutes"],
        AzRemedy::ExtensionsAutoUpgrade => &[
            "Minor versions come by themselves, major ones never do",
            "An extension that was given protected settings wants them again with each update: give them by hand",
        ],
        AzRemedy::NewestPatch | AzRemedy::NextMinor => &[
            "Every node is replaced by a new one, one after another: pods move, and what was changed on a node by hand is lost",
            "With one node alone everything stands still meanwhile",
        ],
    };
    notes.iter().map(|note| (*note).to_owned()).collect()
}

#[cfg(test)]
#[path = "azure_tests.rs"]
mod tests;
