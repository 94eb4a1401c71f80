//! Real answers of an API server become the evidence that they hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::Item;
use super::arc::Extension;
use super::basic::Account;
use super::binding::SlimBinding;
use super::configz::{Configz, ProxyConfigMap};
use super::csr::Request;
use super::endpoint_slice::Slice;
use super::names::Named;
use super::namespace::{SlimNamespace, WithUid};
use super::node::Node;
use super::pod::SlimPod;
use super::role::SlimRole;
use super::service::SlimService;
use super::workload::DaemonSet;
use crate::evidence::cluster::Pod;
use crate::evidence::{Fact, Reason};
use serde_json::{Value as Json, json};

/// A file of the samples.
macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Json>(include_str!(concat!("../../../../tests/samples/cluster/", $name))).unwrap()
    };
}

/// The items of a list, as evidence.
fn items<T: Item>(list: &Json) -> Vec<T::Evidence> {
    let items = list["items"].as_array().unwrap();
    let items = items.iter().map(|item| serde_json::from_value::<T>(item.clone()).unwrap());
    items.filter(Item::wanted).map(|item| item.evidence().unwrap()).collect()
}

fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

#[test]
fn nodes_tell_who_and_what_they_are() {
    let nodes = items::<Node>(&sample!("nodes.json"));
    let [first, second] = nodes.as_slice() else { panic!("two nodes") };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("node1", "node2"));
    assert_eq!((&first.control_plane, &second.control_plane), (&Fact::Known(true), &Fact::Known(false)));
    assert_eq!(first.machine_id, known("c2fb47d21ec74f1d8ad8537a4308a6cc"));
    assert_eq!(first.kubelet_version, known("v1.36.2"));
    assert_eq!(first.provider_id, Fact::Absent);
    assert_eq!(first.unschedulable, Fact::Known(false));
    assert!(first.addresses.iter().any(|address| address.kind == "InternalIP" && address.address == "10.88.0.2"));
    let ready = first.conditions.iter().find(|condition| condition.kind == "Ready").unwrap();
    assert!(ready.status == "True" && ready.heartbeat.known().is_some());
    assert_eq!(first.annotations, Fact::Known(Default::default()), "none of them names a platform");
    assert!(first.labels.known().unwrap().contains_key("kubernetes.io/os"));
}

#[test]
fn a_windows_node_shows_its_build_and_a_host_process_pod_is_one() {
    let sample = sample!("windows.json");
    let node = serde_json::from_value::<Node>(sample["node"].clone()).unwrap().evidence().unwrap();
    assert_eq!((node.operating_system, node.kernel), (known("windows"), known("10.0.20348.2700")));
    assert_eq!((node.provider_id, node.unschedulable), (known("moc://moc-w1a2b3c4d5e"), Fact::Known(true)));
    let pod = serde_json::from_value::<SlimPod>(sample["pod"].clone()).unwrap().evidence().unwrap();
    assert_eq!(pod.containers[0].host_process, Fact::Known(true));
    assert_eq!(pod.owner_kind, known("DaemonSet"));
}

#[test]
fn static_pods_of_kubeadm_are_the_control_plane() {
    let pods = items::<SlimPod>(&sample!("pods.json"));
    let mut components: Vec<&str> = pods.iter().map(|pod| pod.component.as_str()).collect();
    components.sort_unstable();
    let all = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-proxy", "kube-scheduler"];
    assert_eq!(components, all);
    let server = pods.iter().find(|pod| pod.component == "kube-apiserver").unwrap();
    assert!(server.mirror && server.host_network);
    assert_eq!((&server.node, &server.owner_kind), (&known("node1"), &known("Node")));
    assert!(server.host_paths.contains(&"/etc/kubernetes/pki".to_owned()));
    let container = &server.containers[0];
    let command = container.command.known().unwrap();
    assert_eq!(command[0], "kube-apiserver");
    assert!(command.contains(&"--etcd-servers=https://127.0.0.1:2379".to_owned()));
    assert_eq!(container.seccomp, known("RuntimeDefault"), "the pod's, since the container has none");
    assert_eq!(container.privileged, Fact::Absent);
    let proxy = pods.iter().find(|pod| pod.component == "kube-proxy").unwrap();
    assert!(!proxy.mirror && proxy.containers[0].privileged == Fact::Known(true));
    assert_eq!(proxy.containers[0].environment_names, Fact::Known(vec!["NODE_NAME".to_owned()]));
}

/// A pod of the sample, changed.
fn server_pod(change: impl FnOnce(&mut Json)) -> Pod {
    let list = sample!("pods.json");
    let mut pod = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|pod| pod["metadata"]["name"] == "kube-apiserver-node1")
        .unwrap()
        .clone();
    change(&mut pod);
    serde_json::from_value::<SlimPod>(pod).unwrap().evidence().unwrap()
}

#[test]
fn a_pod_that_anybody_created_is_no_component() {
    assert_eq!(server_pod(|_| {}).component, "kube-apiserver");
    type Change = fn(&mut Json);
    let changes: [(&str, Change); 6] = [
        ("no annotation", |pod| pod["metadata"]["annotations"] = Json::Null),
        ("no owner", |pod| pod["metadata"]["ownerReferences"] = json!([])),
        ("another owner", |pod| pod["metadata"]["ownerReferences"][0]["kind"] = json!("ReplicaSet")),
        ("another node's", |pod| pod["spec"]["nodeName"] = json!("node2")),
        ("another namespace", |pod| pod["metadata"]["namespace"] = json!("default")),
        ("a shell", |pod| pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", "kube-apiserver"])),
    ];
    for (what, change) in changes {
        let pod = server_pod(change);
        assert_eq!(pod.component, "", "{what}");
        assert!(pod.containers.iter().all(|container| container.command.is_unread()), "{what}");
    }
}

#[test]
fn secrets_do_not_come_through() {
    let pod = server_pod(|pod| {
        let container = &mut pod["spec"]["containers"][0];
        container["command"].as_array_mut().unwrap().push(json!("--token=abcdef.0123456789abcdef"));
        container["env"] = json!([{"name": "HTTPS_PROXY", "value": "http://user:hunter2@proxy"},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "hunter2", "key": "k"}}}]);
    });
    assert!(!serde_json::to_string(&pod).unwrap().contains("hunter2"));
    assert!(pod.containers[0].command.known().unwrap().contains(&"--token=[redacted]".to_owned()));
    assert!(pod.containers[0].secrets_in_environment);
    let extensions = items::<Extension>(&sample!("extensionconfigs.json"));
    assert!(!serde_json::to_string(&extensions).unwrap().contains("not-to-be-kept"));
    let configz =
        json!({"kubeletconfig": {"port": 10250, "staticPodURLHeader": {"Authorization": ["Bearer hunter2"]}}});
    let configz = serde_json::from_value::<Configz>(configz).unwrap().document().unwrap();
    assert!(!configz.to_string().contains("hunter2") && configz["port"] == 10250);
}

#[test]
fn a_command_that_was_cut_is_not_taken_for_the_whole() {
    let pod = server_pod(|pod| {
        let words: Vec<String> = (0..2000).map(|number| format!("--x{number}")).collect();
        pod["spec"]["containers"][0]["args"] = json!(words);
    });
    assert_eq!(pod.component, "kube-apiserver");
    assert_eq!(pod.containers[0].command, Fact::Unread);
}

#[test]
fn roles_and_bindings_say_what_kubernetes_brings() {
    let roles = items::<SlimRole>(&sample!("clusterroles.json"));
    let role = |name: &str| roles.iter().find(|role| role.role == name).unwrap();
    assert!(role("cluster-admin").bootstrap && !role("kubeadm:get-nodes").bootstrap);
    assert!(role("admin").aggregated && role("admin").rules.len() > 5);
    assert_eq!(role("cluster-admin").rules.iter().filter(|rule| rule.urls == ["*"]).count(), 1);
    let bindings = items::<SlimBinding>(&sample!("clusterrolebindings.json"));
    let binding = |name: &str| bindings.iter().find(|binding| binding.binding == name).unwrap();
    assert!(binding("cluster-admin").bootstrap && binding("system:basic-user").bootstrap);
    let kubeadm = binding("kubeadm:cluster-admins");
    assert_eq!((kubeadm.role.as_str(), kubeadm.subjects[0].kind.as_str()), ("cluster-admin", "Group"));
    assert!(!kubeadm.bootstrap);
    assert_eq!(items::<SlimRole>(&sample!("roles.json"))[0].name, "Role kube-system/kube-proxy");
    assert_eq!(items::<SlimBinding>(&sample!("rolebindings.json"))[0].name, "RoleBinding kube-system/kube-proxy");
}

#[test]
fn a_person_added_to_a_default_binding_makes_it_no_default() {
    let mut list = sample!("clusterrolebindings.json");
    let subjects = list["items"][0]["subjects"].as_array_mut().unwrap();
    subjects.push(json!({"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}));
    assert!(!items::<SlimBinding>(&list)[0].bootstrap);
}

#[test]
fn the_rest_of_the_bed() {
    let requests = items::<Request>(&sample!("csr.json"));
    assert!(requests.iter().all(|request| request.state == "approved" && request.issued));
    assert_eq!(requests[0].requestor, "system:node:node1");
    assert!(requests[0].created.known().is_some());
    let sets = items::<DaemonSet>(&sample!("ds.json"));
    assert_eq!(sets[0].name, "DaemonSet kube-system/kube-proxy");
    assert_eq!(
        (&sets[0].desired, &sets[0].ready, &sets[0].observed),
        (&Fact::Known(2), &Fact::Known(2), &Fact::Known(true))
    );
    let namespaces = items::<SlimNamespace>(&sample!("namespaces.json"));
    assert_eq!(namespaces.len(), 4);
    let accounts = items::<Account>(&sample!("serviceaccounts.json"));
    assert!(accounts.iter().any(|account| account.name == "kube-system/kube-proxy"));
    assert!(items::<SlimService>(&sample!("services.json")).is_empty(), "none is open on nodes");
    assert!(items::<Named>(&sample!("namespaces.json")).contains(&"kube-system".to_owned()));
    let namespace = sample!("namespaces.json")["items"][3].clone();
    assert!(serde_json::from_value::<WithUid>(namespace).unwrap().uid().is_some());
}

#[test]
fn the_kubelets_own_word_and_kube_proxys_file() {
    let configz = serde_json::from_value::<Configz>(sample!("configz.json")).unwrap().document().unwrap();
    assert_eq!(configz["authentication"]["anonymous"]["enabled"], false);
    assert_eq!(configz, sample!("configz.json")["kubeletconfig"], "nothing in it is a secret");
    let map = serde_json::from_value::<ProxyConfigMap>(sample!("kube-proxy.json")).unwrap();
    let config = super::super::read::proxy_config(map);
    assert_eq!(config.document.known().unwrap()["mode"], "iptables");
    let managed = |fields: Json| {
        let map = json!({"metadata": {"managedFields": fields}, "data": {"config.conf": "mode: iptables"}});
        super::super::read::proxy_config(serde_json::from_value(map).unwrap()).changed
    };
    let by = |time: &str, fields: Json| json!({"manager": "kubectl", "time": time, "fieldsV1": fields});
    let (old, new) = ("2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z");
    let of_data = json!({"f:data": {".": {}, "f:config.conf": {}}});
    let both = json!([by(old, of_data.clone()), by(new, of_data.clone())]);
    assert_eq!(managed(both), Fact::Known(new.parse().unwrap()), "the newest");
    let label = json!([by(old, of_data.clone()), by(new, json!({"f:metadata": {"f:labels": {}}}))]);
    assert_eq!(managed(label), Fact::Known(old.parse().unwrap()), "a label is no setting");
    let other = json!([by(old, of_data.clone()), by(new, json!({"f:data": {"f:kubeconfig.conf": {}}}))]);
    assert_eq!(managed(other), Fact::Known(old.parse().unwrap()), "nor is another key");
    assert_eq!(managed(json!([{"manager": "x", "fieldsV1": of_data}])), Fact::Absent, "without a time");
    assert_eq!(managed(json!([])), Fact::Absent);
    for (text, reason) in [
        ("a: &a [1]\nb: [*a, *a", Reason::Malformed),
        ("just a text", Reason::Malformed),
        (&"[".repeat(100_000), Reason::Malformed),
        (&format!("a: {}", "x".repeat(1 << 20)), Reason::TooLarge),
    ] {
        let map = serde_json::from_value(json!({"data": {"config.conf": text}})).unwrap();
        let config = super::super::read::proxy_config(map);
        assert_eq!((config.document, config.unread), (Fact::Unread, Some(reason)));
    }
    let map = serde_json::from_value(json!({"data": {"other": 7}})).unwrap();
    assert_eq!(super::super::read::proxy_config(map).document, Fact::Absent);
}

#[test]
fn extensions_are_read_tolerantly() {
    let extensions = items::<Extension>(&sample!("extensionconfigs.json"));
    let [defender, flux, odd, bare] = extensions.as_slice() else { panic!("four") };
    assert_eq!(defender.kind, known("microsoft.azuredefender.kubernetes"));
    assert_eq!((&defender.auto_upgrade, &defender.installed), (&Fact::Known(true), &Fact::Known(true)));
    assert!(defender.synced == Fact::Known(true) && defender.last_sync.known().is_some());
    assert_eq!(flux.auto_upgrade, Fact::Known(false), "the agent leaves out what is false");
    assert_eq!(
        (&flux.installed, &flux.synced, &flux.last_sync),
        (&Fact::Known(false), &Fact::Known(false), &Fact::Unread)
    );
    assert_eq!((&odd.kind, &odd.version, &odd.auto_upgrade), (&Fact::Unread, &Fact::Unread, &Fact::Unread));
    assert_eq!((&odd.installed, &odd.release_train), (&Fact::Unread, &Fact::Absent));
    assert_eq!((&bare.kind, &bare.auto_upgrade), (&Fact::Unread, &Fact::Unread));
}

#[test]
fn services_that_lead_to_the_control_plane_are_known() {
    let service = |spec: Json, namespace: &str, name: &str| {
        let json = json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec});
        let slim = serde_json::from_value::<SlimService>(json).unwrap();
        slim.wanted().then(|| slim.evidence().unwrap())
    };
    let ports = json!([{"port": 443, "targetPort": 6443, "nodePort": 30443, "protocol": "TCP"}, {"port": 80, "targetPort": "web"}]);
    let api = service(json!({"type": "NodePort", "ports": ports}), "default", "kubernetes").unwrap();
    assert!(api.control_plane);
    assert_eq!((&api.ports[0].target, &api.ports[0].node_port), (&known("6443"), &Fact::Known(30443)));
    assert_eq!((&api.ports[1].target, &api.ports[1].node_port), (&known("web"), &Fact::Absent));
    let etcd = json!({"type": "LoadBalancer", "selector": {"component": "etcd"}, "ports": null});
    assert!(service(etcd, "kube-system", "etcd").unwrap().control_plane);
    let web = json!({"type": "NodePort", "selector": {"component": "web", "tier": "front"}});
    assert!(!service(web, "shop", "web").unwrap().control_plane);
    assert!(service(json!({"type": "ClusterIP"}), "a", "b").is_none());
}

#[test]
fn slices_are_kept_where_they_may_lead_to_a_node() {
    let slice = |ports: Json, endpoints: Json| {
        let labels = json!({"kubernetes.io/service-name": "way", "endpointslice.kubernetes.io/managed-by": "x"});
        let json = json!({"metadata": {"name": "way-1", "namespace": "audit", "labels": labels},
            "addressType": "IPv4", "ports": ports, "endpoints": endpoints});
        let slim = serde_json::from_value::<Slice>(json).unwrap();
        slim.wanted().then(|| slim.evidence().unwrap())
    };
    let pod = json!({"addresses": ["10.244.0.9"], "targetRef": {"kind": "Pod", "name": "p", "namespace": "audit"}});
    let by_hand = json!({"addresses": ["10.0.0.4", "10.0.0.5"]});
    let found = slice(json!([{"port": 7443, "protocol": "TCP"}, {"name": "none"}]), json!([by_hand, pod])).unwrap();
    assert_eq!(
        (found.name.as_str(), found.namespace.as_str(), found.service.as_str()),
        ("audit/way-1", "audit", "way")
    );
    assert_eq!(found.ports, [7443]);
    let targets: Vec<(&str, bool)> = found.targets.iter().map(|one| (one.address.as_str(), one.pod)).collect();
    assert_eq!(targets, [("10.0.0.4", false), ("10.0.0.5", false), ("10.244.0.9", true)]);
    assert!(slice(json!([{"port": 8080}]), json!([pod])).is_none(), "pods of somebody's own");
    assert!(slice(json!([{"port": 6443}]), json!([pod])).is_some());
    assert!(slice(Json::Null, Json::Null).is_none());
}
