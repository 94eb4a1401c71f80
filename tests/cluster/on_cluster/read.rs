//! Reading the bed's cluster through its API: as its administrator, as somebody who may read little, and as nobody.

use crate::bed::Bed;
use sitewarden::assess::is_incomplete;
use sitewarden::evidence::{ClusterEvidence, Evidence, Fact, Reason, SCHEMA, Seat, Tool};
use sitewarden::kubeapi::{ApiLimits, block_on};
use sitewarden::probe::cluster::collect;
use sitewarden::site::ClusterTarget;
use std::path::Path;
use std::sync::Mutex;

/// Reads the cluster; gives what was told, too.
fn read(kubeconfig: &Path) -> (ClusterEvidence, Vec<String>) {
    let target = ClusterTarget { kubeconfig: vec![kubeconfig.to_owned()], ..ClusterTarget::default() };
    let told = Mutex::new(Vec::new());
    let tell = |words: &str| told.lock().unwrap().push(words.to_owned());
    let evidence = block_on(collect(&target, ApiLimits::default(), &tell)).unwrap();
    (evidence, told.into_inner().unwrap())
}

/// Reads the cluster as another user, whom the administrator may act as.
fn read_as(kubeconfig: &Path, user: &str) -> (ClusterEvidence, Vec<String>) {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    assert!(text.contains("\n  user:\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text.replace("\n  user:\n", &format!("\n  user:\n    as: {user}\n"))).unwrap();
    read(&file)
}

fn gap<'e>(evidence: &'e ClusterEvidence, path: &str) -> Option<(Reason, &'e str)> {
    evidence.unread.iter().find(|gap| gap.path == path).map(|gap| (gap.reason, gap.detail.as_str()))
}

/// Whether a document with this cluster alone is one of an incomplete scan.
fn incomplete(cluster: ClusterEvidence) -> bool {
    is_incomplete(&Evidence {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: String::new() },
        started: jiff::Timestamp::UNIX_EPOCH,
        finished: jiff::Timestamp::UNIX_EPOCH,
        seat: Seat::default(),
        site: Default::default(),
        cluster: Some(cluster),
        nodes: Vec::new(),
        endpoints: None,
    })
}

#[test]
fn the_administrator_sees_everything() {
    let Some(bed) = Bed::cluster("the_administrator_sees_everything") else { return };
    let (seen, told) = read(&bed.admin);
    assert!(seen.reached && seen.complete && seen.errors.is_empty());
    // Only what Azure knows is not seen from here.
    let paths: Vec<&str> = seen.unread.iter().map(|gap| gap.path.as_str()).collect();
    assert!(paths.iter().all(|path| path.starts_with("azure.")) && paths.len() == 4, "{paths:?}");
    assert!(seen.denied.complete && seen.denied.items.is_empty());
    assert!(told.iter().any(|words| words == "reading pods"));

    assert!(seen.version.known().unwrap().git.starts_with("v1."));
    let caller = seen.caller.known().unwrap();
    assert_eq!((caller.user.as_str(), caller.how.as_str()), ("kubernetes-admin", "client certificate"));
    assert!(seen.clock.known().is_some() && seen.proxy == Fact::Absent && seen.uid.known().is_some());
    assert!(seen.ready_checks.complete && seen.ready_checks.items.iter().any(|check| check.name == "etcd"));

    assert!(seen.nodes.complete && seen.nodes.items.len() == 2);
    for node in &seen.nodes.items {
        let configz = node.configz.document.known().unwrap_or_else(|| panic!("{}: {:?}", node.name, node.configz));
        assert_eq!(configz["kind"], "KubeletConfiguration");
    }
    let components = |component: &str| seen.pods.items.iter().filter(|pod| pod.component == component).count();
    for component in ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"] {
        assert_eq!(components(component), 1, "{component}");
    }
    assert_eq!(components("kube-proxy"), 2);
    assert_eq!((&seen.kubeadm_config, &seen.aksedge_config), (&Fact::Known(true), &Fact::Known(false)));
    let proxy = seen.kube_proxy_config.known().unwrap();
    assert_eq!(proxy.document.known().unwrap()["kind"], "KubeProxyConfiguration");
    let admins = seen.bindings.items.iter().filter(|binding| binding.role == "cluster-admin");
    assert!(admins.clone().any(|binding| binding.binding == "kubeadm:cluster-admins" && !binding.bootstrap));
    assert!(seen.roles.items.iter().any(|role| role.name == "ClusterRole cluster-admin" && role.bootstrap));
    assert!(seen.signing_requests.items.iter().any(|request| request.state == "approved"));
    assert!(!incomplete(seen));
}

#[test]
fn nothing_secret_of_the_kubeconfig_is_kept() {
    let Some(bed) = Bed::cluster("nothing_secret_of_the_kubeconfig_is_kept") else { return };
    let text = std::fs::read_to_string(&bed.admin).unwrap();
    let (seen, _) = read(&bed.admin);
    let json = serde_json::to_string(&seen).unwrap();
    for line in text.lines().filter(|line| line.contains("-data:")) {
        let value = line.split_once(": ").unwrap().1.trim();
        assert!(!json.contains(value.get(..60).unwrap()), "{line}");
    }
}

#[test]
fn who_may_read_nodes_alone_is_told_what_stays_unknown() {
    let Some(bed) = Bed::cluster("who_may_read_nodes_alone_is_told_what_stays_unknown") else { return };
    // kube-proxy may list nodes and services, by a role that Kubernetes brings.
    let (seen, told) = read_as(&bed.admin, "system:kube-proxy");
    assert!(seen.reached && !seen.complete);
    assert!(seen.errors.len() == 1 && seen.errors[0].message.contains("may not list"), "{:?}", seen.errors);
    assert!(seen.nodes.complete && seen.nodes.items.len() == 2 && seen.services.complete);
    assert!(seen.nodes.items.iter().all(|node| node.configz.unread == Some(Reason::Forbidden)));
    for path in
        ["pods", "roles", "bindings", "namespaces", "custom_resources", "uid", "kubeadm_config", "arc.connected"]
    {
        let (reason, detail) = gap(&seen, path).unwrap_or_else(|| panic!("{path}"));
        assert!(reason == Reason::Forbidden && !detail.is_empty(), "{path}: {detail}");
    }
    let denied: Vec<&str> = seen.denied.items.iter().map(|denied| denied.name.as_str()).collect();
    assert!(denied.contains(&"list pods") && denied.contains(&"get nodes/proxy"), "{denied:?}");
    assert!(!denied.contains(&"list nodes"));
    let warning = told.iter().find(|words| words.starts_with("this account may not")).unwrap();
    assert!(warning.contains("list pods") && !warning.contains("list nodes"));
    assert!(!told.iter().any(|words| words == "reading pods"), "what is known to be refused is not asked");
    assert_eq!(seen.caller.known().unwrap().user, "system:kube-proxy");
    assert!(seen.pods.items.is_empty() && !seen.pods.complete);
    assert!(incomplete(seen), "a list that may not be read is a probe that was forbidden as a whole");
}

#[test]
fn who_may_read_nothing_gives_an_incomplete_scan() {
    let Some(bed) = Bed::cluster("who_may_read_nothing_gives_an_incomplete_scan") else { return };
    let (seen, _) = read_as(&bed.admin, "nobody-of-the-tests");
    assert!(seen.reached && seen.version.known().is_some());
    let (reason, words) = gap(&seen, "").unwrap();
    assert!(reason == Reason::Forbidden && words.contains("may read nothing"), "{words}");
    assert_eq!(seen.errors.len(), 1);
    assert!(incomplete(seen));
}
