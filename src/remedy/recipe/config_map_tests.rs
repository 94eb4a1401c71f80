//! Texts of ConfigMaps as kubeadm makes them, and those that are not surely understood.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;
use crate::evidence::cluster::sample::{document, good};
use crate::remedy::recipe::testing::node;
use crate::remedy::{Plan, Work, plan};
use serde_json::json;

fn proxy() -> String {
    let map: Json = serde_json::from_str(include_str!("../../../tests/samples/cluster/kube-proxy.json")).unwrap();
    map["data"]["config.conf"].as_str().unwrap().to_owned()
}

fn set(held: Held, path: &str, value: Json) -> TextOp {
    TextOp { held, edit: Edit::Set { path: path.to_owned(), value } }
}

fn metrics() -> TextOp {
    set(Held::KubeProxy, "metricsBindAddress", json!("127.0.0.1:10249"))
}

#[test]
fn one_line_of_kube_proxys_configuration_changes() {
    let open =
        proxy().replace("metricsBindAddress: \"\"", "# ours\nmetricsBindAddress: 0.0.0.0:10249 # for Prometheus");
    let closed = metrics().edit(&open).unwrap();
    assert_eq!(closed, open.replace(": 0.0.0.0:10249 #", ": \"127.0.0.1:10249\" #"));
    assert_eq!(metrics().edit(&closed).unwrap(), closed);
}

#[test]
fn what_is_not_surely_the_document_is_left_alone() {
    for text in [
        "",
        "metricsBindAddress: x",
        "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1\n",
        "kind: [KubeProxyConfiguration]\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n",
        "kind: KubeProxyConfiguration\nkind: x\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n",
        "kind: &a KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n",
        "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmetricsBindAddress: {}\n",
    ] {
        let refusal = metrics().edit(text).unwrap_err();
        assert!(refusal.0.starts_with("ConfigMap kube-system/kube-proxy, config.conf"), "{text}: {refusal}");
    }
}

#[test]
fn pods_that_surely_run_with_the_map_are_told_from_others() {
    let sets: Json = serde_json::from_str(include_str!("../../../tests/samples/cluster/ds.json")).unwrap();
    let all = sets["items"].as_array().unwrap();
    let mut set = all.iter().find(|set| set["metadata"]["name"] == "kube-proxy").unwrap().clone();
    let with = |set: &Json| runs_with(set, "kube-proxy", "config.conf");
    assert!(with(&set));
    let good = set.clone();
    set["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["kube-proxy", "--config=/etc/own.conf"]);
    assert!(!with(&set));
    set["spec"]["template"]["spec"]["containers"][0]["command"] =
        json!(["kube-proxy", "--config=/var/lib/kube-proxy/config.conf", "--config=/etc/own.conf"]);
    assert!(!with(&set));
    set = good.clone();
    let volumes = set["spec"]["template"]["spec"]["volumes"].as_array_mut().unwrap();
    volumes.retain(|volume| volume.get("configMap").is_none());
    assert!(!with(&set) && !with(&json!({})) && !with(&json!({"metadata": {"name": 1}, "spec": []})));
}

fn planned(evidence: &crate::evidence::Evidence, target: &str) -> Result<Plan, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let control = catalog.control("kube-proxy-metrics-loopback").unwrap();
    plan(control, &Finding::of(control, target, Verdict::Fail, ""), evidence)
}

#[test]
fn it_is_one_change_of_the_cluster_for_every_node() {
    let mut seen = document(good());
    let plans: Vec<Plan> = ["node/a", "node/b"].iter().map(|target| planned(&seen, target).unwrap()).collect();
    assert_eq!(plans[0].target, "cluster");
    let title = plans[0].title.clone();
    let [one, other] = <[Plan; 2]>::try_from(plans).unwrap();
    let joined = one.join(other).unwrap();
    assert_eq!((joined.title, joined.work), (title, Work::Cluster(vec![KubeOp::Text(metrics())])));
    // What is not set there is not changed there.
    seen.cluster.as_mut().unwrap().kube_proxy_config = Fact::Absent;
    assert!(planned(&seen, "node/a").unwrap_err().0.contains("kube-proxy-arg"));
    seen.cluster = None;
    assert!(planned(&seen, "node/a").unwrap_err().0.contains("--context"));
    let mut seen = document(good());
    let mut by_flags = node(&[]);
    by_flags.kube_proxy.process =
        crate::remedy::recipe::testing::process("/usr/bin/kube-proxy", "kube-proxy.service", &[]);
    by_flags.kube_proxy.exists = Fact::Known(true);
    seen.nodes = vec![by_flags];
    assert!(planned(&seen, "node/n1").unwrap_err().0.contains("without --config"));
}
