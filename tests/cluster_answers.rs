//! API servers on loopback that answer what the bed's does not: Azure Arc, forged pods, hostile objects, silence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use sitewarden::evidence::{ClusterEvidence, Fact, Reason, Unread};
use sitewarden::kubeapi::{ApiLimits, block_on};
use sitewarden::probe::azure;
use sitewarden::probe::cluster::{collect, collect_within};
use sitewarden::site::ClusterTarget;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ID: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shops/providers/Microsoft.Kubernetes/connectedClusters/shop-7";

/// What is answered at a path.
#[derive(Clone)]
enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    /// The connection stays open, and nothing comes.
    Silence,
}

/// An API server that knows some paths; all others it does not have.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(replies: BTreeMap<String, Reply>, otherwise: Reply) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (replies, log) = (Arc::new(replies), Arc::clone(&asked));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (replies, otherwise, log) = (Arc::clone(&replies), otherwise.clone(), Arc::clone(&log));
                std::thread::spawn(move || serve(&stream, &replies, &otherwise, &log));
            }
        });
        Server { address, asked }
    }

    fn target(&self, folder: &tempfile::TempDir) -> ClusterTarget {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", self.address)}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
        });
        let file = folder.path().join("config");
        std::fs::write(&file, config.to_string()).unwrap();
        ClusterTarget { kubeconfig: vec![file], ..ClusterTarget::default() }
    }

    fn read(&self) -> ClusterEvidence {
        let folder = tempfile::tempdir().unwrap();
        block_on(collect(&self.target(&folder), ApiLimits::default(), &|_| {})).unwrap()
    }
}

fn serve(stream: &TcpStream, replies: &BTreeMap<String, Reply>, otherwise: &Reply, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 || header == "\r\n" {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).unwrap();
        log.lock().unwrap().push(path.clone());
        let (status, kind, body) = match replies.get(&path).unwrap_or(otherwise) {
            Reply::Json(status, json) => (*status, "application/json", json.to_string()),
            Reply::Text(status, text) => (*status, "text/plain", (*text).to_owned()),
            Reply::Silence => {
                let _ = std::io::copy(&mut reader, &mut std::io::sink());
                return;
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut to = stream;
        if to.write_all(head.as_bytes()).and_then(|()| to.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn status(code: u16) -> Reply {
    Reply::Json(code, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}))
}

fn list(items: Value) -> Reply {
    Reply::Json(200, json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
}

fn ok(object: Value) -> Reply {
    Reply::Json(200, object)
}

const CORE: [&str; 5] = ["pods", "nodes", "namespaces", "services", "serviceaccounts"];
const GROUPS: [&str; 15] = [
    "rbac.authorization.k8s.io/v1/clusterroles",
    "rbac.authorization.k8s.io/v1/roles",
    "rbac.authorization.k8s.io/v1/clusterrolebindings",
    "rbac.authorization.k8s.io/v1/rolebindings",
    "apps/v1/deployments",
    "apps/v1/daemonsets",
    "apps/v1/statefulsets",
    "discovery.k8s.io/v1/endpointslices",
    "networking.k8s.io/v1/networkpolicies",
    "certificates.k8s.io/v1/certificatesigningrequests",
    "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "apiextensions.k8s.io/v1/customresourcedefinitions",
    "storage.k8s.io/v1/csidrivers",
];

/// A cluster with nothing in it, whose administrator we are.
fn empty() -> BTreeMap<String, Reply> {
    let mut replies: BTreeMap<String, Reply> = BTreeMap::new();
    replies.insert("/version".into(), ok(json!({"gitVersion": "v1.36.2", "platform": "linux/amd64"})));
    let who = json!({"status": {"userInfo": {"username": "admin", "groups": ["system:masters"]}}});
    replies.insert("/apis/authentication.k8s.io/v1/selfsubjectreviews".into(), ok(who));
    let all = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    let rules = json!({"status": {"incomplete": false, "resourceRules": all}});
    replies.insert("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews".into(), ok(rules));
    replies.insert(
        "/readyz".into(),
        Reply::Text(500, "[+]ping ok\n[-]kms-providers failed: reason withheld\nreadyz check failed\n"),
    );
    replies.insert(
        "/api/v1/namespaces/kube-system".into(),
        ok(json!({"metadata": {"name": "kube-system", "uid": "u-1"}})),
    );
    CORE.iter().for_each(|kind| drop(replies.insert(format!("/api/v1/{kind}"), list(json!([])))));
    GROUPS.iter().for_each(|kind| drop(replies.insert(format!("/apis/{kind}"), list(json!([])))));
    replies
}

fn with(changes: Vec<(&str, Reply)>) -> ClusterEvidence {
    let mut replies = empty();
    replies.extend(changes.into_iter().map(|(path, reply)| (path.to_owned(), reply)));
    Server::new(replies, status(404)).read()
}

fn gap<'e>(evidence: &'e ClusterEvidence, path: &str) -> Option<(Reason, &'e str)> {
    evidence.unread.iter().find(|gap| gap.path == path).map(|gap| (gap.reason, gap.detail.as_str()))
}

fn arc_config(data: Value) -> Reply {
    ok(json!({"metadata": {"name": "azure-clusterconfig"}, "data": data}))
}

const ARC_CONFIG: &str = "/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig";

fn good_config() -> Value {
    json!({
        "AZURE_ARC_AUTOUPDATE": "false", "AZURE_ARC_AGENT_VERSION": "1.34.2", "AZURE_REGION": "westeurope",
        "AZURE_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555", "AZURE_RESOURCE_GROUP": "shops",
        "AZURE_RESOURCE_NAME": "shop-7", "AZURE_TENANT_ID": "not kept",
    })
}

#[test]
fn an_empty_cluster_is_read_whole_and_a_failing_check_is_seen() {
    let seen = with(Vec::new());
    assert!(seen.reached && seen.complete && seen.pods.complete && seen.admission.complete);
    assert_eq!(seen.arc.connected, Fact::Known(false));
    assert!(seen.arc.extensions.complete && seen.arc.auto_upgrade == Fact::Absent);
    assert_eq!(seen.kube_proxy_config, Fact::Absent);
    let checks: Vec<(&str, bool)> =
        seen.ready_checks.items.iter().map(|check| (check.name.as_str(), check.ok)).collect();
    assert_eq!(checks, [("ping", true), ("kms-providers", false)]);
    let expected = |gap: &Unread| gap.path.starts_with("azure.") || gap.path == "verified";
    assert!(seen.unread.iter().all(expected), "{:?}", seen.unread);
}

#[test]
fn arc_as_its_agents_leave_it() {
    let extensions: Value = serde_json::from_str(include_str!("samples/cluster/extensionconfigs.json")).unwrap();
    let seen = with(vec![
        (ARC_CONFIG, arc_config(good_config())),
        ("/apis/clusterconfig.azure.com", ok(json!({"preferredVersion": {"version": "v1beta2"}}))),
        ("/apis/clusterconfig.azure.com/v1beta2/extensionconfigs", Reply::Json(200, extensions)),
        ("/apis/arc.azure.com", ok(json!({"preferredVersion": {"version": "v1beta1"}}))),
        (
            "/apis/arc.azure.com/v1beta1/namespaces/azure-arc/connectedclusters/clustermetadata",
            ok(json!({"spec": {"azureResourceId": ID}})),
        ),
    ]);
    assert_eq!(seen.arc.connected, Fact::Known(true));
    assert_eq!(
        (&seen.arc.auto_upgrade, seen.arc.identity.resource_id.known().unwrap().as_str()),
        (&Fact::Known(false), ID)
    );
    assert_eq!(seen.arc.agent_version, Fact::Known("1.34.2".to_owned()));
    assert!(seen.arc.extensions.complete && seen.arc.extensions.items.len() == 4);
    let commands: Vec<String> = azure::commands(&seen.arc.identity).iter().map(ToString::to_string).collect();
    assert!(commands[0].starts_with("az connectedk8s show --name shop-7 --resource-group shops --subscription 1111"));
    let (reason, detail) = gap(&seen, "azure.extensions").unwrap();
    assert!(
        reason == Reason::NotVisible && detail.contains("--cluster-name shop-7 --resource-group shops"),
        "{detail}"
    );
    assert!(!serde_json::to_string(&seen).unwrap().contains("not kept"));
}

#[test]
fn arc_is_seen_through_its_config_map_alone() {
    let seen = with(vec![
        (ARC_CONFIG, arc_config(good_config())),
        ("/api/v1/namespaces", status(403)),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", status(403)),
        ("/apis/arc.azure.com", ok(json!({"preferredVersion": {"version": "v1"}}))),
        ("/apis/arc.azure.com/v1/namespaces/azure-arc/connectedclusters/clustermetadata", status(403)),
    ]);
    assert_eq!(seen.arc.connected, Fact::Known(true));
    assert_eq!(seen.arc.identity.resource_id, Fact::Known(ID.to_owned()), "put together from the names");
    assert_eq!(gap(&seen, "arc.identity.resource_id"), None);
    assert_eq!(gap(&seen, "namespaces").unwrap().0, Reason::Forbidden);
}

#[test]
fn a_hostile_config_map_gives_no_names_and_no_commands() {
    let mut data = good_config();
    data["AZURE_RESOURCE_NAME"] = json!("--query=x");
    data["AZURE_RESOURCE_GROUP"] = json!("$(reboot)");
    data["AZURE_SUBSCRIPTION_ID"] = json!("\u{1b}[2J");
    data["AZURE_ARC_AUTOUPDATE"] = json!("True");
    data["AZURE_REGION"] = json!({"a": [1]});
    let seen = with(vec![
        (ARC_CONFIG, arc_config(data)),
        ("/apis/arc.azure.com", ok(json!({"preferredVersion": {"version": "../../x"}}))),
        (
            "/apis/arc.azure.com/v1beta1/namespaces/azure-arc/connectedclusters/clustermetadata",
            ok(json!({"spec": {"azureResourceId": format!("{ID}/../../x")}})),
        ),
        ("/api/v1/namespaces/kube-system/configmaps/kube-proxy", ok(json!({"data": {"config.conf": bomb()}}))),
    ]);
    assert!(seen.reached && seen.complete);
    assert!(azure::commands(&seen.arc.identity).is_empty());
    for path in [
        "arc.identity.name",
        "arc.identity.resource_group",
        "arc.identity.subscription",
        "arc.auto_upgrade",
        "arc.identity.resource_id",
    ] {
        let (reason, detail) = gap(&seen, path).unwrap_or_else(|| panic!("{path}"));
        assert!(reason == Reason::Malformed && !detail.contains('\u{1b}'), "{path}");
    }
    let (_, hint) = gap(&seen, "azure.connected_cluster").unwrap();
    assert!(hint.contains("--name CLUSTER --resource-group RESOURCE-GROUP") && !hint.contains("reboot"), "{hint}");
    assert_eq!(seen.kube_proxy_config.known().unwrap().unread, Some(Reason::Malformed));
}

/// YAML that would grow to billions of items.
fn bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        text.push_str(&format!("a{n}: &a{n} [{}x]\n", format!("*a{}, ", n - 1).repeat(9)));
    }
    text
}

fn mirror(node: &str, owner: &str) -> Value {
    json!({
        "metadata": {"name": format!("kube-apiserver-{node}"), "namespace": "kube-system",
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": owner, "uid": "u", "controller": true}]},
        "spec": {"nodeName": node, "containers": [{"name": "kube-apiserver", "command": ["kube-apiserver", "--anonymous-auth=false"]}]},
    })
}

#[test]
fn a_worker_cannot_pass_for_a_control_plane() {
    let node = |name: &str, labels: Value| json!({"metadata": {"name": name, "labels": labels}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
    let nodes = json!([node("cp", json!({"node-role.kubernetes.io/control-plane": ""})), node("worker", json!({}))]);
    let pods = json!([mirror("cp", "cp"), mirror("worker", "worker"), mirror("gone", "gone"), mirror("cp2", "cp")]);
    let mut replies = empty();
    replies.insert("/api/v1/nodes".into(), list(nodes));
    replies.insert("/api/v1/pods".into(), list(pods.clone()));
    let server = Server::new(replies, status(404));
    let seen = server.read();
    let of = |seen: &ClusterEvidence| -> Vec<(String, bool)> {
        seen.pods.items.iter().map(|pod| (pod.component.clone(), pod.containers[0].command.known().is_some())).collect()
    };
    let yes = ("kube-apiserver".to_owned(), true);
    let no = (String::new(), false);
    assert_eq!(of(&seen), [yes.clone(), no.clone(), no.clone(), no.clone()]);
    // A kubelet that was not heard of is not asked, since the API server would wait for it.
    assert!(seen.nodes.items.iter().all(|node| node.configz.unread == Some(Reason::Unreachable)));
    assert!(!server.asked.lock().unwrap().iter().any(|path| path.contains("configz")));
    // Who may not list nodes sees the pods as they say themselves.
    let unseen = with(vec![("/api/v1/pods", list(pods)), ("/api/v1/nodes", status(403))]);
    assert_eq!(of(&unseen), [yes.clone(), yes.clone(), yes, no]);
}

#[test]
fn one_bad_item_costs_itself() {
    let pods = json!([
        mirror("a", "a"), {"metadata": {"name": "p"}}, 7, null, {"spec": {"containers": "x"}},
        {"metadata": {"name": "q", "namespace": "n"}, "spec": {"containers": []}},
        {"metadata": {"name": "ok", "namespace": "n"}, "spec": {"containers": [{"name": "c"}]}},
    ]);
    let seen = with(vec![
        ("/api/v1/pods", list(pods)),
        ("/api/v1/services", Reply::Text(200, "<html>")),
        ("/api/v1/nodes", status(500)),
    ]);
    assert_eq!(seen.pods.items.len(), 2);
    assert!(!seen.pods.complete && gap(&seen, "pods").unwrap().0 == Reason::Malformed);
    assert_eq!(gap(&seen, "services").unwrap().0, Reason::Malformed);
    assert_eq!(gap(&seen, "nodes").unwrap().0, Reason::Unreachable);
    assert!(
        !seen.complete && !seen.errors.is_empty(),
        "a list that was lost makes the reading incomplete, and is told"
    );
    assert!(seen.reached && seen.roles.complete);
}

#[test]
fn kinds_that_an_older_api_server_lacks_are_none() {
    let policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    let v1 = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let v1beta1 = "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews";
    let who = json!({"status": {"userInfo": {"username": "admin"}}});
    let seen = with(vec![(policies, status(404)), (v1, status(404)), (v1beta1, ok(who))]);
    assert!(seen.admission.complete);
    assert_eq!(seen.caller.known().unwrap().user, "admin");
    // But where services lead stands elsewhere on one that has no EndpointSlices.
    let seen = with(vec![("/apis/discovery.k8s.io/v1/endpointslices", status(404))]);
    assert!(!seen.endpoint_slices.complete && gap(&seen, "endpoint_slices").is_some());
}

#[test]
fn how_a_proxy_on_this_machine_checks_the_api_server_is_not_known() {
    let seen = with(Vec::new());
    assert!(seen.reached && seen.verified.is_unread());
    let (reason, why) = gap(&seen, "verified").unwrap();
    assert!(reason == Reason::NotVisible && why.contains("on this machine"), "{why}");
}

#[test]
fn a_list_without_end_is_too_large() {
    let page = json!({"metadata": {"continue": "next"}, "items": (0..100).map(|n| json!({"metadata": {"name": format!("n{n}")}})).collect::<Vec<_>>()});
    let mut replies = empty();
    replies.insert("/api/v1/namespaces".into(), Reply::Json(200, page.clone()));
    // The same token again leads nowhere; another each time would lead on for ever.
    let server = Server::new(replies, status(404));
    let folder = tempfile::tempdir().unwrap();
    let limits = ApiLimits { items: 50, ..ApiLimits::default() };
    let seen = block_on(collect(&server.target(&folder), limits, &|_| {})).unwrap();
    assert_eq!(seen.namespaces.items.len(), 50);
    assert_eq!(gap(&seen, "namespaces").unwrap().0, Reason::TooLarge);
    assert!(!seen.complete && !seen.namespaces.complete, "what was cut is as little known as what was refused");
    let [why] = seen.errors.as_slice() else { panic!("{:?}", seen.errors) };
    assert!(why.reason == Reason::TooLarge && why.message.starts_with("Not every list came whole"), "{}", why.message);
}

#[test]
fn what_was_read_when_the_time_was_up_is_kept() {
    let mut replies = empty();
    replies.insert("/api/v1/pods".into(), Reply::Silence);
    replies.insert("/api/v1/nodes".into(), list(json!([{"metadata": {"name": "n"}}])));
    let server = Server::new(replies, status(404));
    let folder = tempfile::tempdir().unwrap();
    let target = server.target(&folder);
    let seen = block_on(collect_within(&target, ApiLimits::default(), Duration::from_secs(2), &|_| {})).unwrap();
    assert!(seen.reached && !seen.complete && seen.errors[0].reason == Reason::Timeout);
    assert_eq!(gap(&seen, "pods").unwrap().0, Reason::Timeout);
    assert!(seen.nodes.items.len() == 1 && seen.roles.complete && seen.uid == Fact::Known("u-1".to_owned()));
    assert!(!seen.denied.complete, "who knows whether pods would have been refused");
}

#[test]
fn who_is_not_known_has_not_reached_the_cluster() {
    for (reply, reason) in [
        (status(401), Reason::Forbidden),
        (status(500), Reason::Unreachable),
        (Reply::Text(200, "<html>welcome</html>"), Reason::Malformed),
    ] {
        let seen = Server::new(BTreeMap::new(), reply).read();
        assert!(!seen.reached && !seen.complete);
        assert_eq!((seen.errors[0].reason, gap(&seen, "").unwrap().0), (reason, reason));
        assert_eq!(gap(&seen, "azure.upgrades").unwrap().0, Reason::NotVisible);
    }
    // Known by the version's path, and nowhere else.
    let mut replies = empty();
    replies.retain(|path, _| path == "/version");
    assert!(!Server::new(replies, status(401)).read().reached);
}

#[test]
fn everything_but_the_version_refused_is_said_of_the_whole() {
    let mut replies = empty();
    replies.retain(|path, _| path == "/version");
    let seen = Server::new(replies, status(403)).read();
    assert!(seen.reached && seen.version.known().is_some());
    assert_eq!(gap(&seen, "").unwrap().0, Reason::Forbidden);
    assert_eq!(gap(&seen, "caller").unwrap().0, Reason::Forbidden);
    assert!(seen.denied.items.len() > 20 && seen.denied.complete);
}
