//! What is planned for objects of the cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::{Finding, assess};
use crate::catalog::Catalog;
use crate::evidence::cluster::sample::{cluster_binding, document, good, in_namespace};
use crate::evidence::{Evidence, Lifecycle, Policy, Profile};
use crate::remedy::{Plan, Work, plan as plan_of};

/// The finding of a control, and what is planned for it.
fn planned(control: &str, evidence: &Evidence) -> (Finding, Result<Plan, Refusal>) {
    let catalog = Catalog::embedded().unwrap();
    let policy = Policy { profile: Profile::Cis, ..Policy::default() };
    let lifecycle = Lifecycle::embedded().unwrap();
    let assessment = assess(evidence, &catalog, &lifecycle, &policy, evidence.started);
    let finding = assessment.findings.into_iter().find(|finding| finding.control == control).unwrap();
    let plan = plan_of(catalog.control(control).unwrap(), &finding, evidence);
    (finding, plan)
}

fn ops(control: &str, cluster: ClusterEvidence) -> Vec<KubeOp> {
    let (finding, plan) = planned(control, &document(cluster));
    assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.message);
    match plan.unwrap().work {
        Work::Cluster(ops) => ops,
        other => panic!("{other:?}"),
    }
}

fn group(name: &str) -> Bound {
    Bound { kind: "Group".to_owned(), name: name.to_owned(), namespace: String::new() }
}

#[test]
fn a_binding_of_many_is_named_exactly() {
    let mut cluster = good();
    cluster.bindings.items.push(cluster_binding("open", "cluster-admin", "Group", "system:authenticated"));
    let here = in_namespace("shop", cluster_binding("open", "cluster-admin", "Group", "system:authenticated"));
    cluster.bindings.items.push(here);
    let ops = ops("nothing-for-everybody", cluster);
    let named: Vec<(String, Option<String>)> = ops.iter().map(|op| (op.place().plural, op.place().namespace)).collect();
    assert_eq!(named, [("clusterrolebindings".to_owned(), None), ("rolebindings".to_owned(), Some("shop".to_owned()))]);
    for op in ops {
        assert!(matches!(op, KubeOp::Unbind { subject, .. } if subject == group("system:authenticated")));
    }
}

#[test]
fn what_kubernetes_brings_is_left_alone() {
    let mut cluster = good();
    let binding =
        Binding { bootstrap: true, ..cluster_binding("open", "cluster-admin", "Group", "system:authenticated") };
    cluster.bindings.items.push(binding);
    let (finding, plan) = planned("nothing-for-everybody", &document(cluster));
    assert_eq!(finding.verdict, Verdict::Fail);
    let refusal = plan.unwrap_err();
    assert!(refusal.0.contains("Kubernetes itself brings it"), "{refusal}");
}

#[test]
fn a_subject_is_found_as_the_binding_has_it() {
    let subject = |kind: &str, name: &str, namespace: &str| Subject {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    };
    let binding = Binding { namespace: "shop".to_owned(), ..Binding::default() };
    assert_eq!(named_as(&subject("ServiceAccount", "default", ""), &binding), "ServiceAccount shop/default");
    assert_eq!(named_as(&subject("ServiceAccount", "default", "x"), &binding), "ServiceAccount x/default");
    assert_eq!(named_as(&subject("User", "system:serviceaccount:x:default", ""), &binding), "ServiceAccount x/default");
    assert_eq!(named_as(&subject("Group", "ops", ""), &binding), "Group ops");
}

#[test]
fn namespaces_of_kubernetes_are_never_touched() {
    let mut notes = Vec::new();
    let change = KubeChange::DenyFromOtherNamespaces {};
    assert_eq!(of_namespace(&change, "kube-system", &mut notes), None);
    assert!(notes[0].contains("Kubernetes' own"));
    let KubeOp::Policy { namespace } = of_namespace(&change, "shop", &mut notes).unwrap() else { panic!() };
    assert_eq!(namespace, "shop");
}
