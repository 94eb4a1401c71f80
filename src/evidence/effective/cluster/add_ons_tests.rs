//! Whether what Azure brings is well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::tree;
use super::*;
use crate::evidence::Listing;
use crate::evidence::cluster::AzureExtension;
use crate::evidence::cluster::sample::{good, workload};

fn well(workload: Workload) -> Value {
    let mut cluster = good();
    cluster.workloads.items = vec![Workload { namespace: "azure-arc".into(), ..workload }];
    tree(&cluster).at("arc.agents.0.well").value
}

#[test]
fn well_is_ready_as_often_as_it_should_be_by_a_status_of_now() {
    let agent = || workload("Deployment", "azure-arc", "config-agent", 2);
    assert_eq!(well(agent()), Value::Bool(true));
    assert_eq!(well(Workload { ready: Fact::Known(1), ..agent() }), Value::Bool(false));
    assert_eq!(well(Workload { ready: Fact::Absent, ..agent() }), Value::Bool(false), "no count yet");
    assert_eq!(well(Workload { observed: Fact::Known(false), ..agent() }), Value::Bool(false), "a status of before");
    assert_eq!(well(workload("Deployment", "azure-arc", "config-agent", 0)), Value::Bool(false), "switched off");
    for unread in [
        Workload { observed: Fact::Unread, ..agent() },
        Workload { desired: Fact::Unread, ..agent() },
        Workload { ready: Fact::Unread, ..agent() },
    ] {
        assert!(matches!(well(unread), Value::Unread(_)));
    }
}

#[test]
fn a_connected_cluster_without_agents_is_not_well() {
    let mut cluster = good();
    cluster.workloads.items.retain(|one| one.namespace != ARC);
    let agents = tree(&cluster).at("arc.agents");
    assert_eq!(agents.at("0.well").value, Value::Bool(false));
    cluster.arc.connected = Fact::Known(false);
    assert_eq!(tree(&cluster).at("arc.agents").value, Reading::list(Vec::new(), None).value);
}

#[test]
fn names_of_either_generation_are_found() {
    for (namespace, name) in [
        ("kube-system", "microsoft-defender-collector-ds"),
        ("mdc", "microsoft-defender-collectors-ds"),
        ("mdc", "microsoft-defender-pod-collector-misc"),
    ] {
        let mut cluster = good();
        cluster.workloads.items = vec![workload("DaemonSet", namespace, name, 2)];
        let found = tree(&cluster).at("add_ons.defender_workloads.0.name").value;
        assert_eq!(found, Value::Text(format!("DaemonSet {namespace}/{name}").into()));
    }
    let mut cluster = good();
    cluster.workloads.items = vec![workload("DaemonSet", "shop", "microsoft-defender-collector-ds", 2)];
    assert_eq!(tree(&cluster).at("add_ons.defender_workloads").value, Reading::list(Vec::new(), None).value);
}

#[test]
fn a_sensor_is_held_against_the_linux_nodes() {
    assert_eq!(
        tree(&good()).at("add_ons.defender_workloads.0.nodes").value,
        Value::Int(2),
        "one of the three is Windows"
    );
}

#[test]
fn azure_tells_of_extensions_where_the_cluster_does_not() {
    let mut cluster = good();
    cluster.arc.extensions = Listing::default();
    assert!(matches!(tree(&cluster).child("extensions").value, Value::Unread(_)));
    cluster.azure.extensions = Listing::whole(vec![AzureExtension {
        name: "flux".into(),
        kind: Fact::Known("microsoft.flux".into()),
        auto_upgrade: Fact::Known(false),
        version: Fact::Absent,
        state: Fact::Known("Failed".into()),
    }]);
    let item = tree(&cluster).at("extensions.0");
    assert_eq!(item.child("auto_upgrade").value, Value::Bool(false));
    assert_eq!(item.child("installed").value, Value::Bool(false));
    assert!(matches!(item.child("synced").value, Value::Unread(_)));
}

#[test]
fn what_azure_says_beside_the_cluster_counts_too() {
    let azure = |name: &str, auto: bool, state: &str| AzureExtension {
        name: name.into(),
        kind: Fact::Known("microsoft.flux".into()),
        auto_upgrade: Fact::Known(auto),
        version: Fact::Absent,
        state: Fact::Known(state.into()),
    };
    let mut cluster = good();
    cluster.azure.extensions =
        Listing::whole(vec![azure("Defender", false, "Failed"), azure("flux", true, "Succeeded")]);
    let list = tree(&cluster).child("extensions");
    let first = list.at("0");
    for field in ["auto_upgrade", "installed"] {
        assert_eq!(first.child(field).value, Value::Bool(false), "{field}");
        assert_eq!(first.child(field).origin.as_deref(), Some("the cluster says true, Azure says false"));
    }
    assert_eq!(list.at("1.name").value, Value::Text("flux".into()), "Azure alone lists it");
    assert!(matches!(list.at("1.synced").value, Value::Unread(_)));
    cluster.azure.extensions = Listing::whole(vec![azure("defender", true, "Succeeded")]);
    let list = tree(&cluster).child("extensions");
    assert_eq!(list.at("0.auto_upgrade").value, Value::Bool(true));
    assert!(matches!(&list.value, Value::List { items, gap: None } if items.len() == 1));
    // What Azure told in part may hide one that is not well.
    cluster.azure.extensions.complete = false;
    assert!(matches!(tree(&cluster).child("extensions").value, Value::List { gap: Some(_), .. }));
    // Where it was not asked, the cluster's own list is all there is.
    cluster.azure.extensions = Listing::default();
    assert!(matches!(tree(&cluster).child("extensions").value, Value::List { gap: None, .. }));
}
