//! Texts of ConfigMaps as kubeadm makes them, and those that are not surely understood.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::{Finding, Verdict};
use crate::catalog::Catalog;
use crate::evidence::cluster::sample::{document, good};
use crate::remedy::recipe::testing::node;
use crate::remedy::{Plan, Work, plan};
use crate::store::{Event, EventKind};
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
        assert!(refusal.0.starts_with("config.conf"), "{text}: {refusal}");
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

const CLUSTER: &str = "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\ncontrollerManager: {}\netcd:\n  local:\n    dataDir: /var/lib/etcd\nkind: ClusterConfiguration\nscheduler: {}\n";

fn flag(component: &str, flag: &str, setting: Flag, given: Option<&str>) -> TextOp {
    let (component, flag, given) = (component.to_owned(), flag.to_owned(), given.map(str::to_owned));
    TextOp { held: Held::Cluster, edit: Edit::Flag { component, flag, setting, given } }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn flags_stand_as_a_list_in_one_version_and_as_a_map_in_the_other() {
    let maps = CLUSTER.replace("v1beta4", "v1beta3");
    for (component, at) in [
        ("kube-apiserver", "apiServer:\n"),
        ("kube-controller-manager", "controllerManager:\n"),
        ("kube-scheduler", "scheduler:\n"),
    ] {
        let op = flag(component, "profiling", Flag::Value("false".to_owned()), Some("true"));
        let bare = at.replace(":\n", ": {}\n");
        let list = format!("{at}  extraArgs:\n  - name: profiling\n    value: \"false\"\n");
        assert_eq!(op.edit(CLUSTER).unwrap(), CLUSTER.replace(&bare, &list));
        let map = format!("{at}  extraArgs:\n    profiling: \"false\"\n");
        assert_eq!(op.edit(&maps).unwrap(), maps.replace(&bare, &map));
        let gone = flag(component, "profiling", Flag::Gone, Some("false"));
        for text in [CLUSTER, &maps] {
            let with = op.edit(text).unwrap();
            assert_eq!(op.edit(&with).unwrap(), with);
            assert!(!gone.edit(&with).unwrap().contains("profiling"));
            assert_eq!(gone.edit(text).unwrap(), text, "kubeadm gives it not by itself");
        }
    }
    let etcd = flag("etcd", "client-cert-auth", Flag::Value("true".to_owned()), None);
    let list = "etcd\n    extraArgs:\n    - name: client-cert-auth\n      value: \"true\"\n";
    assert_eq!(etcd.edit(CLUSTER).unwrap(), CLUSTER.replace("lib/etcd\n", &format!("lib/{list}")));
    let external =
        CLUSTER.replace("local:\n    dataDir: /var/lib/etcd", "external: {endpoints: [https://192.0.2.1:2379]}");
    assert!(etcd.edit(&external).unwrap_err().0.contains("none of kubeadm's"));
}

#[test]
fn a_list_goes_on_from_what_kubeadm_itself_gives() {
    let list = |add: &[&str], without: &[&str]| Flag::List { add: words(add), without: words(without) };
    let op = |given: &str| {
        flag("kube-apiserver", "enable-admission-plugins", list(&["EventRateLimit"], &["AlwaysAdmit"]), Some(given))
    };
    let with = op("NodeRestriction,AlwaysAdmit").edit(CLUSTER).unwrap();
    assert!(with.contains("value: NodeRestriction,EventRateLimit\n"), "{with}");
    // What stands there already counts more than what the node was seen with.
    let own = with.replace("NodeRestriction,EventRateLimit", "AlwaysAdmit,PodSecurity");
    assert!(op("x").edit(&own).unwrap().contains("value: PodSecurity,EventRateLimit\n"));
    assert_eq!(op("EventRateLimit,NodeRestriction").edit(CLUSTER).unwrap(), CLUSTER);
}

#[test]
fn what_upgrades_write_from_is_not_guessed_at() {
    let op = flag("kube-apiserver", "profiling", Flag::Value("false".to_owned()), None);
    for text in [
        CLUSTER.replace("v1beta4", "v1beta2"),
        CLUSTER.replace("v1beta4", "v1beta5"),
        CLUSTER.replace("kind: Cluster", "kind: Init"),
        CLUSTER.replace("apiServer: {}", "apiServer: {extraArgs: {profiling: \"true\"}}"),
        CLUSTER.replace("v1beta4", "v1beta3").replace("apiServer: {}", "apiServer: {extraArgs: {profiling: true}}"),
        CLUSTER
            .replace("v1beta4", "v1beta3")
            .replace("apiServer: {}", "apiServer: {extraArgs: [{name: profiling, value: x}]}"),
        format!("{CLUSTER}---\n{CLUSTER}"),
    ] {
        assert!(op.edit(&text).is_err(), "{text}");
    }
}

/// A control-plane node of kubeadm, with a kubelet and an API server.
fn control_plane() -> crate::evidence::NodeEvidence {
    let mut node = node(&[]);
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    node.kube_apiserver.exists = Fact::Known(true);
    let command = ["kube-apiserver", "--authorization-mode=AlwaysAllow"];
    node.kube_apiserver.static_pod = crate::remedy::recipe::testing::pod("kube-apiserver", &command);
    node
}

/// What is planned for these controls at each node, and what an upgrade would be told of all of it.
fn keeping(seen: &crate::evidence::Evidence, controls: &[&str]) -> (Vec<Plan>, Option<Plan>) {
    let catalog = Catalog::embedded().unwrap();
    let targets = seen.nodes.iter().map(|node| format!("node/{}", node.name));
    let plans: Vec<Plan> = targets
        .flat_map(|target| controls.iter().map(move |control| (control, target.clone())))
        .map(|(control, target)| {
            let control = catalog.control(control).unwrap();
            plan(control, &Finding::of(control, &target, Verdict::Fail, ""), seen).unwrap()
        })
        .collect();
    let all = plans.iter().filter_map(|planned| kept(planned, seen)).reduce(|one, other| one.join(other).unwrap());
    (plans, all)
}

#[test]
fn one_plan_more_has_an_upgrade_keep_what_the_nodes_get() {
    let mut seen = document(good());
    seen.nodes = vec![control_plane(), crate::evidence::NodeEvidence { name: "n2".to_owned(), ..control_plane() }];
    let controls = ["kubelet-anonymous-auth", "apiserver-node-authorizer"];
    let (plans, all) = keeping(&seen, &controls);
    let all = all.unwrap();
    assert!(all.is_for_upgrades() && plans.iter().all(|plan| !plan.is_for_upgrades()));
    assert_eq!((all.target.as_str(), all.title.as_str()), ("cluster", KEEPS));
    assert_eq!(all.controls, controls);
    let Work::Cluster(ops) = &all.work else { panic!("{all:?}") };
    assert_eq!(ops.len(), 2, "of two nodes it is the same: {ops:?}");
    assert!(plans[0].notes.iter().any(|note| note.contains("comes after this one")), "{:?}", plans[0].notes);
    // What wants mounts too brings them, and both together.
    let (plans, all) = keeping(&seen, &["apiserver-audit-log"]);
    let (notes, all) = (plans[0].notes.join("\n"), all.unwrap());
    assert!(notes.contains("apiServer.extraVolumes") && notes.contains("comes after"), "{notes}");
    assert!(
        all.notes.iter().any(|note| note.contains("does not start where /etc/kubernetes/audit/policy.yaml")),
        "{:?}",
        all.notes
    );
    let Work::Cluster(ops) = &all.work else { panic!("{all:?}") };
    let mut text = "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n".to_owned();
    for op in ops {
        let KubeOp::Text(op) = op else { panic!("{op:?}") };
        text = op.edit(&text).unwrap();
        assert_eq!(op.edit(&text).unwrap(), text, "twice");
    }
    let read: Json = serde_saphyr::from_str(&text).unwrap();
    let names = |list: &str, key: &str| -> Vec<String> {
        let list = read["apiServer"][list].as_array().unwrap();
        list.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
    };
    let flags = ["audit-policy-file", "audit-log-path", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"];
    assert_eq!(names("extraArgs", "name"), flags);
    assert_eq!(names("extraVolumes", "mountPath"), ["/etc/kubernetes/audit/policy.yaml", "/var/log/kubernetes/audit"]);
    // Without a way to the ConfigMaps it is a note.
    for cluster in [None, Some(crate::evidence::ClusterEvidence { kubeadm_config: Fact::Known(false), ..good() })] {
        seen.cluster = cluster;
        let (plans, all) = keeping(&seen, &controls);
        assert!(all.is_none() && plans.iter().flat_map(|plan| &plan.notes).all(|note| !note.contains("comes after")));
    }
    seen.cluster = None;
    assert!(
        keeping(&seen, &controls[1..]).0[0].notes[0].contains("kubectl -n kube-system edit configmap kubeadm-config")
    );
}

#[test]
fn who_takes_a_nodes_change_back_is_told_what_would_bring_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut write = |entry: &str, kind: EventKind| {
        let (at, operator, seat) = (jiff::Timestamp::UNIX_EPOCH, "ana".to_owned(), "laptop".to_owned());
        store.append(&Event { entry: entry.to_owned(), at, operator, seat, kind }).unwrap();
    };
    let mut entry = |id: &str, target: &str, title: &str, undo: Option<&str>| {
        let begun = EventKind::Begun {
            site: Some("site".to_owned()),
            target: target.to_owned(),
            controls: vec!["kubelet-event-record-qps".to_owned()],
            title: title.to_owned(),
            risk: "safe".to_owned(),
            plan_digest: String::new(),
            commands: Vec::new(),
            paths: Vec::new(),
            undo: undo.map(str::to_owned),
        };
        write(id, begun);
        let (outcome, note) = (Outcome::Done, String::new());
        write(id, EventKind::Ended { outcome, before: None, after: None, files: Vec::new(), note });
    };
    entry("20261101T000000-aaaaaa", "cluster", KEEPS, None);
    entry("20261102T000000-bbbbbb", "node/n1", "The kubelet", None);
    entry("20261103T000000-cccccc", "cluster", KEEPS, None);
    let note = |store: &Store| kept_beyond(store, "20261102T000000-bbbbbb");
    let store_of = || Store::open(folder.path()).unwrap();
    assert!(note(&store_of()).unwrap().contains("sitewarden undo 20261103T000000-cccccc"));
    entry("20261104T000000-dddddd", "cluster", "Take back", Some("20261103T000000-cccccc"));
    assert_eq!(note(&store_of()), None, "it was taken back already");
}
