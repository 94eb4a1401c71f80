//! The commands that change something in Azure, to the letter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::{Finding, ItemVerdict, assess};
use crate::catalog::Catalog;
use crate::evidence::cluster::AzureUpgrade;
use crate::evidence::cluster::sample::{document, good};
use crate::evidence::{Evidence, Fact, Lifecycle, Policy};

const SUBSCRIPTION: &str = "df56d048-2e20-4ab6-82b7-11643163aa53";

fn evidence() -> Evidence {
    let mut cluster = good();
    let known = |text: &str| Fact::Known(text.to_owned());
    cluster.arc.identity.subscription = known(SUBSCRIPTION);
    cluster.arc.identity.resource_group = known("shops(east)");
    cluster.arc.identity.name = known("shop-7");
    cluster.arc.auto_upgrade = Fact::Known(false);
    document(cluster)
}

/// The finding of some control with these items failing.
fn finding(evidence: &Evidence, items: &[&str]) -> Finding {
    let (catalog, lifecycle) = (Catalog::embedded().unwrap(), Lifecycle::embedded().unwrap());
    let assessment = assess(evidence, &catalog, &lifecycle, &Policy::default(), evidence.started);
    let mut finding =
        assessment.findings.into_iter().find(|one| one.control == "extensions-upgrade-themselves").unwrap();
    let item = |name: &&str| ItemVerdict {
        name: (*name).to_owned(),
        verdict: Verdict::Fail,
        reason: None,
        evidence: Vec::new(),
    };
    finding.items = items.iter().map(item).collect();
    finding
}

fn planned(command: AzRemedy, evidence: &Evidence, items: &[&str]) -> Result<Option<Work>, Refusal> {
    let finding = finding(evidence, items);
    plan(command, &About { finding: &finding, evidence, node: None }).map(|(work, _)| work)
}

fn lines(command: AzRemedy, evidence: &Evidence, items: &[&str]) -> Vec<(String, Option<String>)> {
    match planned(command, evidence, items).unwrap() {
        Some(Work::Azure(runs)) => {
            runs.iter().map(|run| (az_line(&run.args), run.back.as_deref().map(az_line))).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_commands_to_the_letter() {
    let evidence = evidence();
    let end = format!("--subscription {SUBSCRIPTION} --only-show-errors");
    let update = |on: &str| {
        format!("az connectedk8s update --name shop-7 --resource-group 'shops(east)' --auto-upgrade {on} {end}")
    };
    assert_eq!(lines(AzRemedy::AgentsAutoUpgrade, &evidence, &[]), [(update("true"), Some(update("false")))]);
    assert_eq!(
        lines(AzRemedy::AgentsUpgrade, &evidence, &[]),
        [(format!("az connectedk8s upgrade --name shop-7 --resource-group 'shops(east)' {end}"), None)]
    );
    let extension = |name: &str, on: &str| {
        format!(
            "az k8s-extension update --cluster-name shop-7 --resource-group 'shops(east)' --cluster-type connectedClusters \
             --name {name} --auto-upgrade-minor-version {on} {end}"
        )
    };
    assert_eq!(
        lines(AzRemedy::ExtensionsAutoUpgrade, &evidence, &["flux", "policy"]),
        ["flux", "policy"].map(|name| (extension(name, "true"), Some(extension(name, "false"))))
    );
    let odd = planned(AzRemedy::ExtensionsAutoUpgrade, &evidence, &["--help"]).unwrap_err();
    assert!(odd.0.contains("no name of an extension"), "{odd}");
}

#[test]
fn versions_are_those_that_azure_offers() {
    let mut evidence = evidence();
    let cluster = evidence.cluster.as_mut().unwrap();
    cluster.azure.provisioned_cluster = Fact::Absent;
    cluster.azure.upgrades.items.clear();
    assert_eq!(planned(AzRemedy::NewestPatch, &evidence, &[]).unwrap(), None, "the control's own words");
    let cluster = evidence.cluster.as_mut().unwrap();
    let offer = |name: &str, preview: bool| AzureUpgrade { name: name.to_owned(), preview };
    cluster.azure.upgrades.items = vec![
        offer("1.36.5", false),
        offer("1.36.10", false),
        offer("1.36.11", true),
        offer("1.37.1", false),
        offer("1.38.0", false),
        offer("1.37.2;x", false),
    ];
    let end = format!("--subscription {SUBSCRIPTION} --only-show-errors");
    let upgrade = |version: &str| {
        format!("az aksarc upgrade --name shop-7 --resource-group 'shops(east)' --kubernetes-version {version} {end}")
    };
    assert_eq!(lines(AzRemedy::NewestPatch, &evidence, &[]), [(upgrade("1.36.10"), None)]);
    assert_eq!(lines(AzRemedy::NextMinor, &evidence, &[]), [(upgrade("1.37.1"), None)], "no minor version is skipped");
    evidence.cluster.as_mut().unwrap().azure.upgrades.items.truncate(3);
    let refusal = planned(AzRemedy::NextMinor, &evidence, &[]).unwrap_err();
    assert!(refusal.0.contains("no version 1.37"), "{refusal}");
}

#[test]
fn without_the_names_it_is_a_persons_step() {
    let mut evidence = evidence();
    evidence.cluster.as_mut().unwrap().arc.identity.name = Fact::Known("--help; rm".to_owned());
    let Some(Work::Manual(words)) = planned(AzRemedy::AgentsAutoUpgrade, &evidence, &[]).unwrap() else { panic!() };
    assert!(words[1].starts_with("az connectedk8s update --name CLUSTER --resource-group 'shops(east)'"), "{words:?}");
    // Where the automatic upgrade is on, az refuses.
    evidence.cluster.as_mut().unwrap().arc.auto_upgrade = Fact::Known(true);
    let Some(Work::Manual(words)) = planned(AzRemedy::AgentsUpgrade, &evidence, &[]).unwrap() else { panic!() };
    assert!(words[0].contains("dl.k8s.io"), "{words:?}");
}
