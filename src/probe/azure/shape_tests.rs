//! Answers of `az` are told apart by their shapes, from files as people write them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::file::{AzureFileError, read};
use super::super::{AzFact, not_asked};
use super::*;
use crate::evidence::{ClusterEvidence, Reason};
use proptest::prelude::*;
use serde_json::json;

const CONNECTED: &str = include_str!("../../../tests/samples/azure/connectedk8s-show.json");
const PROVISIONED: &str = include_str!("../../../tests/samples/azure/aksarc-show.json");
const UPGRADES: &str = include_str!("../../../tests/samples/azure/aksarc-get-upgrades.json");
const EXTENSIONS: &str = include_str!("../../../tests/samples/azure/k8s-extension-list.json");

fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

fn cluster() -> ClusterEvidence {
    let mut cluster = ClusterEvidence::default();
    let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/SHOPS/providers/Microsoft.Kubernetes/connectedClusters/shop-7";
    cluster.arc.identity.resource_id = known(id);
    not_asked(&mut cluster);
    cluster
}

fn gap(cluster: &ClusterEvidence, fact: AzFact) -> Option<Reason> {
    cluster.unread.iter().find(|gap| gap.path == fact.path()).map(|gap| gap.reason)
}

#[test]
fn each_answer_finds_its_place() {
    let mut cluster = cluster();
    assert!(AzFact::ALL.iter().all(|fact| gap(&cluster, *fact) == Some(Reason::NotVisible)));
    for (text, fact) in [
        (CONNECTED, AzFact::ConnectedCluster),
        (PROVISIONED, AzFact::ProvisionedCluster),
        (UPGRADES, AzFact::Upgrades),
        (EXTENSIONS, AzFact::Extensions),
    ] {
        assert_eq!(read(&mut cluster, text.as_bytes()), Ok(vec![fact]));
    }
    assert!(cluster.unread.is_empty());
    let azure = &cluster.azure;
    let connected = azure.connected_cluster.known().unwrap();
    assert_eq!((&connected.connectivity, &connected.auto_upgrade), (&known("Connected"), &known("Disabled")));
    assert_eq!((&connected.kind, &connected.distribution), (&known("ProvisionedCluster"), &known("aks_workload")));
    assert_eq!(connected.last_connectivity, Fact::Known("2026-11-24T13:50:50.589Z".parse().unwrap()));
    assert!(connected.certificate_expires.known().is_some());
    let provisioned = azure.provisioned_cluster.known().unwrap();
    assert_eq!(provisioned.kubernetes_version, known("1.32.6"));
    assert_eq!(provisioned.ssh_authorized_ranges, Fact::Known(vec!["10.1.0.0/24".to_owned(), "10.2.0.7".to_owned()]));
    let upgrades: Vec<(&str, bool)> = azure.upgrades.items.iter().map(|one| (one.name.as_str(), one.preview)).collect();
    assert_eq!(upgrades, [("1.32.7", false), ("1.33.1", true)]);
    let [defender, flux] = azure.extensions.items.as_slice() else { panic!("two") };
    assert_eq!((&defender.kind, &defender.version), (&known("microsoft.azuredefender.kubernetes"), &known("0.9.66")));
    assert_eq!(
        (&flux.auto_upgrade, &flux.version, &flux.state),
        (&Fact::Known(false), &known("1.16.2"), &known("Failed"))
    );
    assert!(!serde_json::to_string(&cluster).unwrap().contains("not-to-be-kept"));
}

#[test]
fn one_file_may_hold_several() {
    let all = [AzFact::ConnectedCluster, AzFact::ProvisionedCluster, AzFact::Upgrades, AzFact::Extensions];
    let parse = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let object = json!({"a": parse(CONNECTED), "b": {"c": parse(PROVISIONED), "d": parse(UPGRADES)}, "e": parse(EXTENSIONS), "f": 7});
    assert_eq!(read(&mut cluster(), object.to_string().as_bytes()), Ok(all.to_vec()));
    let in_a_row = format!("{CONNECTED}\n{PROVISIONED}{UPGRADES}\n\n{EXTENSIONS}");
    assert_eq!(read(&mut cluster(), in_a_row.as_bytes()), Ok(all.to_vec()));
    let list = json!([parse(CONNECTED), parse(EXTENSIONS)]);
    assert_eq!(read(&mut cluster(), list.to_string().as_bytes()), Ok(vec![all[0], all[3]]));
    let rest = json!({"value": parse(EXTENSIONS)});
    assert_eq!(read(&mut cluster(), rest.to_string().as_bytes()), Ok(vec![all[3]]));
}

#[test]
fn files_as_powershell_writes_them() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(EXTENSIONS.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&mut cluster(), &utf16), Ok(vec![AzFact::Extensions]));
    let marked = [b"\xef\xbb\xbf", EXTENSIONS.as_bytes()].concat();
    assert_eq!(read(&mut cluster(), &marked), Ok(vec![AzFact::Extensions]));
    assert_eq!(read(&mut cluster(), &[0xff, 0xfe, 0x7b]), Err(AzureFileError::NoText));
}

#[test]
fn what_is_nothing_of_azures_changes_nothing() {
    let mut cluster = cluster();
    let before = cluster.clone();
    for (text, error) in [
        ("", AzureFileError::NothingKnown),
        ("{}", AzureFileError::NothingKnown),
        ("{\"type\": \"microsoft.compute/virtualmachines\"}", AzureFileError::NothingKnown),
        ("ERROR: Please run 'az login'", AzureFileError::NoJson { line: 1, column: 1 }),
        (&format!("{EXTENSIONS} {{"), AzureFileError::NoJson { line: 25, column: 2 }),
        (&CONNECTED.replace("shop-7", "shop-70"), AzureFileError::Another),
        (&EXTENSIONS.replace("shop-7/", "shop-8/"), AzureFileError::Another),
    ] {
        let found = read(&mut cluster, text.as_bytes());
        match (&found, &error) {
            (Err(AzureFileError::NoJson { .. }), AzureFileError::NoJson { .. }) => {}
            _ => assert_eq!(found, Err(error)),
        }
        assert_eq!(cluster, before);
    }
}

#[test]
fn a_cluster_that_azure_does_not_run_has_no_provisioned_one() {
    let mut cluster = cluster();
    let text = CONNECTED.replace("\"ProvisionedCluster\"", "null");
    assert_eq!(read(&mut cluster, text.as_bytes()), Ok(vec![AzFact::ConnectedCluster]));
    assert_eq!(cluster.azure.provisioned_cluster, Fact::Absent);
    assert_eq!(gap(&cluster, AzFact::ProvisionedCluster), None);
    assert_eq!(gap(&cluster, AzFact::Upgrades), Some(Reason::NotVisible));
}

#[test]
fn no_range_is_no_restriction_and_an_odd_one_is_not_read() {
    for (value, fact) in [
        (json!(null), Fact::Absent),
        (json!(""), Fact::Absent),
        (json!([]), Fact::Absent),
        (json!(["10.0.0.0/8"]), Fact::Known(vec!["10.0.0.0/8".to_owned()])),
        (json!(7), Fact::Unread),
        (json!([7]), Fact::Unread),
    ] {
        let map = json!({"properties": {"clusterVMAccessProfile": {"authorizedIPRanges": value}}, "type": "x/provisionedClusterInstances"});
        let [answer] = answers(&map).try_into().unwrap();
        let Said::Provisioned(provisioned) = answer.said else { panic!("{value}") };
        assert_eq!(provisioned.ssh_authorized_ranges, fact, "{value}");
    }
}

#[test]
fn upgrades_that_cannot_be_understood_make_the_list_incomplete() {
    let mut cluster = cluster();
    let text = UPGRADES.replace("\"1.33.1\"", "133");
    assert!(read(&mut cluster, text.as_bytes()).is_ok());
    assert_eq!((cluster.azure.upgrades.items.len(), cluster.azure.upgrades.complete), (1, false));
    assert_eq!(gap(&cluster, AzFact::Upgrades), Some(Reason::Malformed));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
        let _ = read(&mut cluster(), &bytes);
        let _ = read(&mut cluster(), text.as_bytes());
    }
}
