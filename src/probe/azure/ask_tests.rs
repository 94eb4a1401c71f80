//! `az` as a script in a folder of its own: what it is asked, and what becomes of its answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{not_asked, put};
use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use tempfile::TempDir;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/azure");

/// A folder with an `az` that writes down how it was called and then does as `script` says.
fn fake(script: &str) -> (TempDir, Az) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("az");
    let log = folder.path().join("log").display().to_string();
    let text = format!(
        "#!/bin/sh\necho \"$AZURE_EXTENSION_USE_DYNAMIC_INSTALL $*\" >> '{log}'\nS='{SAMPLES}'\ncase \"$1 $2\" in\n{script}\nesac\n"
    );
    // Copied by another program: a file that this one has open for writing cannot be run by the child of another thread.
    let draft = folder.path().join("draft");
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(std::process::Command::new("cp").arg(&draft).arg(&path).status().unwrap().success());
    let folders = format!("{}:/usr/bin:/bin", folder.path().display());
    let az = Az { path: Some(folders.into()), time: Duration::from_secs(30), ..Az::default() };
    (folder, az)
}

fn cluster() -> ClusterEvidence {
    let mut cluster = ClusterEvidence::default();
    let known = |text: &str| Fact::Known(text.to_owned());
    cluster.arc.identity.resource_id = known(
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shops/providers/Microsoft.Kubernetes/connectedClusters/shop-7",
    );
    cluster.arc.identity.resource_group = known("shops");
    cluster.arc.identity.name = known("shop-7");
    not_asked(&mut cluster);
    cluster
}

/// Asks, and gives the evidence and the lines that `az` was called with.
fn asked(script: &str) -> (ClusterEvidence, Vec<String>) {
    let (folder, az) = fake(script);
    let mut cluster = cluster();
    let told = Mutex::new(Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask(&mut cluster, &az, &|command| told.lock().unwrap().push(command.to_string())));
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let lines: Vec<String> = log.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), told.into_inner().unwrap().len(), "each command is told before it runs");
    (cluster, lines)
}

fn gap(cluster: &ClusterEvidence, fact: AzFact) -> Option<(Reason, &str)> {
    cluster.unread.iter().find(|gap| gap.path == fact.path()).map(|gap| (gap.reason, gap.detail.as_str()))
}

const ALL_WELL: &str = "
'connectedk8s show') cat $S/connectedk8s-show.json;;
'aksarc show') cat $S/aksarc-show.json;;
'aksarc get-upgrades') cat $S/aksarc-get-upgrades.json;;
'k8s-extension list') cat $S/k8s-extension-list.json;;";

#[test]
fn azure_is_asked_with_the_clusters_own_names() {
    let (cluster, lines) = asked(ALL_WELL);
    assert!(cluster.unread.is_empty(), "{:?}", cluster.unread);
    assert!(cluster.azure.connected_cluster.known().is_some() && cluster.azure.provisioned_cluster.known().is_some());
    assert!(cluster.azure.upgrades.complete && cluster.azure.extensions.complete);
    let end = "--subscription 11111111-2222-3333-4444-555555555555 --only-show-errors --output json";
    assert_eq!(
        lines,
        [
            format!("no connectedk8s show --name shop-7 --resource-group shops {end}"),
            format!("no aksarc show --name shop-7 --resource-group shops {end}"),
            format!("no aksarc get-upgrades --name shop-7 --resource-group shops {end}"),
            format!(
                "no k8s-extension list --cluster-name shop-7 --resource-group shops --cluster-type connectedClusters {end}"
            ),
        ]
    );
}

#[test]
fn what_is_no_aks_cluster_is_not_asked_as_one() {
    let script = ALL_WELL
        .replace("cat $S/connectedk8s-show.json", "sed 's/\"ProvisionedCluster\"/null/' $S/connectedk8s-show.json");
    let (cluster, lines) = asked(&script);
    assert_eq!(lines.len(), 2);
    assert_eq!(cluster.azure.provisioned_cluster, Fact::Absent);
    assert!(cluster.azure.extensions.complete);
}

#[test]
fn nobody_logged_in_is_asked_once() {
    let (cluster, lines) = asked("*) echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1;;");
    assert_eq!(lines.len(), 1);
    for fact in AzFact::ALL {
        let (reason, detail) = gap(&cluster, fact).unwrap();
        assert!(reason == Reason::Forbidden && detail.contains("az login"), "{detail}");
    }
}

#[test]
fn a_missing_extension_costs_its_own_commands() {
    let script = format!(
        "'aksarc '*) echo \"ERROR: 'aksarc' is misspelled or not recognized by the system.\" >&2; exit 2;;{ALL_WELL}"
    );
    let (cluster, _) = asked(&script);
    let (reason, detail) = gap(&cluster, AzFact::Upgrades).unwrap();
    assert!(reason == Reason::Unsupported && detail.contains("az extension add --name aksarc"), "{detail}");
    assert!(cluster.azure.connected_cluster.known().is_some() && cluster.azure.extensions.complete);
}

#[test]
fn text_that_az_writes_reaches_nobody() {
    let (cluster, _) = asked("*) printf 'ERROR: \\033[2Jhunter2 exploded' >&2; exit 1;;");
    assert!(!serde_json::to_string(&cluster).unwrap().contains("hunter2"));
    assert_eq!(gap(&cluster, AzFact::Extensions).unwrap().0, Reason::NotVisible);
}

#[test]
fn answers_that_are_none_or_anothers() {
    let script = format!(
        "'connectedk8s show') sed 's/shop-7/shop-9/g' $S/connectedk8s-show.json;;'aksarc show') echo '[';;'aksarc get-upgrades') echo '{{}}';;{ALL_WELL}"
    );
    let (cluster, _) = asked(&script);
    for fact in [AzFact::ConnectedCluster, AzFact::ProvisionedCluster, AzFact::Upgrades] {
        assert_eq!(gap(&cluster, fact).unwrap().0, Reason::Malformed, "{fact:?}");
    }
    assert!(cluster.azure.extensions.complete);
}

#[test]
fn no_az_and_one_that_never_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let az = Az { path: Some(empty.path().into()), ..Az::default() };
    let mut missing = cluster();
    runtime.block_on(ask(&mut missing, &az, &|_| {}));
    let (reason, detail) = gap(&missing, AzFact::ConnectedCluster).unwrap();
    assert!(reason == Reason::Unsupported && detail.contains("not installed"), "{detail}");

    let (_folder, az) = fake("*) sleep 3600;;");
    let az = Az { time: Duration::from_millis(200), ..az };
    let mut late = cluster();
    runtime.block_on(ask(&mut late, &az, &|_| {}));
    assert_eq!(gap(&late, AzFact::Extensions).unwrap().0, Reason::Timeout);
}

#[test]
fn a_cluster_without_names_is_not_asked_about() {
    let (_folder, az) = fake(ALL_WELL);
    let mut nameless = ClusterEvidence::default();
    put(&mut nameless, Said::Connected(Box::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask(&mut nameless, &az, &|_| panic!("nothing runs")));
    assert!(AzFact::ALL.iter().all(|fact| gap(&nameless, *fact).unwrap().0 == Reason::NotVisible));
}
