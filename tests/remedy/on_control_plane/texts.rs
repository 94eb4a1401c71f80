//! Settings in kubeadm's ConfigMaps, as `kubeadm init` leaves them: `tests/bed/addons`.

use super::super::api_server::Bed;
use super::scripts::run;
use super::shown;
use serde_json::{Value, json};
use sitewarden::assess::{Finding, Verdict};
use sitewarden::catalog::Catalog;
use sitewarden::evidence::{
    ChannelKind, ConfigFile, Evidence, Fact, Listing, NodeEvidence, Process, Reason, StaticPod,
};
use sitewarden::remedy::{Plan, Prepared, Risk, prepare_cluster};
use sitewarden::store::Outcome;
use sitewarden::visit::offer;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const CONTROL: &str = "kube-proxy-metrics-loopback";
const SYSTEM: &str = "--namespace=kube-system";

/// kubeadm's objects, gone with this.
struct Addons;

impl Addons {
    fn script(words: &[&str]) -> bool {
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/addons")).args(words).status().unwrap().success()
    }

    fn made() -> Self {
        assert!(Self::script(&[]));
        Addons
    }
}

impl Drop for Addons {
    fn drop(&mut self) {
        Self::script(&["remove"]);
    }
}

/// How long a pod takes to go: the one after it is made in a later second than what had it go, as those of real kubelets are.
const GOING: Duration = Duration::from_millis(1_100);

/// A node that is an object and no more, and who plays its kubelet for kube-proxy: a pod becomes ready, and goes when it is to.
struct Node {
    admin: PathBuf,
    name: String,
    over: Arc<AtomicBool>,
    kubelet: Option<JoinHandle<()>>,
}

fn kubectl(admin: &PathBuf, words: &[&str]) -> Vec<u8> {
    Command::new("kubectl").arg("--kubeconfig").arg(admin).arg(SYSTEM).args(words).output().unwrap().stdout
}

impl Node {
    /// The object alone.
    fn bare(bed: &Bed) -> Self {
        let name = bed.namespace.clone();
        let room = json!({"pods": "9", "cpu": "1", "memory": "1Gi"});
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}},
            "status": {"allocatable": room, "capacity": room}});
        bed.kubectl(&["create", "-f", "-"], &node.to_string());
        Node { admin: bed.admin.clone(), name, over: Arc::default(), kubelet: None }
    }

    fn up(bed: &Bed) -> Self {
        let mut node = Self::bare(bed);
        let over = Arc::clone(&node.over);
        let admin = bed.admin.clone();
        node.kubelet = Some(std::thread::spawn(move || {
            let mut going: HashMap<String, Instant> = HashMap::new();
            while !over.load(Ordering::Relaxed) {
                let pods = kubectl(&admin, &["get", "pods", "-o", "json"]);
                let pods: Value = serde_json::from_slice(&pods).unwrap_or_default();
                for pod in pods["items"].as_array().into_iter().flatten() {
                    let name = pod["metadata"]["name"].as_str().unwrap();
                    if !pod["metadata"]["deletionTimestamp"].is_null() {
                        if going.entry(name.to_owned()).or_insert_with(Instant::now).elapsed() < GOING {
                            continue;
                        }
                        kubectl(&admin, &["delete", "pod", name, "--force", "--grace-period=0"]);
                    } else if pod["spec"]["nodeName"].is_string() && pod["status"]["phase"] != "Running" {
                        let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
                        kubectl(
                            &admin,
                            &["patch", "pod", name, "--subresource=status", "--type=merge", "-p", &ready.to_string()],
                        );
                    }
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }));
        bed.kubectl(&["rollout", "status", SYSTEM, "daemonset/kube-proxy", "--timeout=60s"], "");
        node
    }

    fn verdict(&self, bed: &Bed) -> Verdict {
        let target = format!("node/{}", self.name);
        let findings = bed.findings(CONTROL, &bed.seen());
        findings.iter().find(|finding| finding.target == target).unwrap().verdict
    }

    fn pod(&self) -> Value {
        let pods: Value = serde_json::from_slice(&kubectl(&self.admin, &["get", "pods", "-o", "json"])).unwrap();
        assert_eq!(pods["items"].as_array().unwrap().len(), 1, "{pods}");
        pods["items"][0]["metadata"]["uid"].clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.kubelet.take().map(JoinHandle::join);
        kubectl(&self.admin, &["delete", "node", &self.name]);
    }
}

fn map(bed: &Bed, name: &str) -> Value {
    bed.json(&["get", SYSTEM, "configmap", name])["data"].clone()
}

/// Writes a text into a ConfigMap by a person's hand.
fn write(bed: &Bed, name: &str, key: &str, text: &str) {
    let patch = json!({"data": {key: text}}).to_string();
    bed.kubectl(
        &["patch", SYSTEM, "configmap", name, "--field-manager=kubectl-edit", "--type=merge", "-p", &patch],
        "",
    );
}

/// Has kube-proxy show its metrics to everybody, with a comment beside it.
fn open(bed: &Bed) {
    let text = map(bed, "kube-proxy")["config.conf"].as_str().unwrap().to_owned();
    let open = text.replace("metricsBindAddress: \"\"", "# ours\nmetricsBindAddress: 0.0.0.0:10249 # for Prometheus");
    assert_ne!(open, text);
    write(bed, "kube-proxy", "config.conf", &open);
    restart(bed);
}

/// Has kube-proxy load what its ConfigMap says.
fn restart(bed: &Bed) {
    bed.kubectl(&["rollout", "restart", SYSTEM, "daemonset/kube-proxy"], "");
    bed.kubectl(&["rollout", "status", SYSTEM, "daemonset/kube-proxy", "--timeout=60s"], "");
}

fn prepared(bed: &Bed, node: &Node) -> Result<Prepared, sitewarden::remedy::Refusal> {
    bed.prepared(CONTROL, &node.name, &bed.admin)
}

#[test]
fn kube_proxy_is_set_and_started_anew_and_set_back() {
    let Some(mut bed) = Bed::up("proxy") else { return };
    let _addons = Addons::made();
    let node = Node::up(&bed);
    open(&bed);
    let before = map(&bed, "kube-proxy");
    assert_eq!(node.verdict(&bed), Verdict::Fail);
    // What is written and not loaded is not what runs.
    let text = before["config.conf"].as_str().unwrap();
    write(&bed, "kube-proxy", "config.conf", &text.replace("0.0.0.0:10249", "127.0.0.1:10249"));
    assert_eq!(node.verdict(&bed), Verdict::Unknown);
    write(&bed, "kube-proxy", "config.conf", text);
    assert_eq!(node.verdict(&bed), Verdict::Unknown, "nor is it known that it was taken back in time");
    restart(&bed);
    let pod = node.pod();
    assert_eq!(node.verdict(&bed), Verdict::Fail);
    let plan = prepared(&bed, &node).unwrap();
    let text = shown(&plan);
    assert!(
        text.contains(
            "--- ConfigMap kube-system/kube-proxy, config.conf\n+++ ConfigMap kube-system/kube-proxy, config.conf\n"
        ),
        "{text}"
    );
    let line = "-metricsBindAddress: 0.0.0.0:10249 # for Prometheus\n+metricsBindAddress: \"127.0.0.1:10249\" # for Prometheus\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("rollout restart daemonset kube-proxy && kubectl"), "{text}");
    assert_eq!((plan.risk(), plan.to_be_typed()), (Risk::Disruptive, Some("kubernetes-admin@bed")));
    assert_eq!((map(&bed, "kube-proxy"), node.pod()), (before.clone(), pod.clone()), "looking changed something");
    let ran = bed.run(plan);
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    let new = node.pod();
    assert!(new != pod, "the pod was not made anew");
    assert_eq!(node.verdict(&bed), Verdict::Pass);
    let back = bed.undo(&ran.entry).unwrap();
    assert_eq!(back.risk(), Risk::Disruptive);
    let undone = bed.run(back);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(map(&bed, "kube-proxy"), before, "to the byte");
    assert!(node.pod() != new, "what was put back runs");
    assert_eq!(node.verdict(&bed), Verdict::Fail);
    assert!(bed.undo(&ran.entry).unwrap_err().0.contains("taken back already"));
    assert!(bed.store.verify(None).unwrap().holds());
}

#[test]
fn what_was_changed_since_in_a_text_stays() {
    let Some(mut bed) = Bed::up("proxy-since") else { return };
    let _addons = Addons::made();
    let node = Node::up(&bed);
    open(&bed);
    let plan = prepared(&bed, &node).unwrap();
    // Somebody was faster.
    write(&bed, "kube-proxy", "other", "x");
    let ran = bed.run(plan);
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    // When which key of the map was changed the API does not tell.
    restart(&bed);
    let ran = bed.run(prepared(&bed, &node).unwrap());
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    write(&bed, "kube-proxy", "other", "y");
    assert!(bed.undo(&ran.entry).is_ok(), "another key is nobody's concern");
    let text = map(&bed, "kube-proxy")["config.conf"].as_str().unwrap().replace("mode: \"\"", "mode: nftables");
    write(&bed, "kube-proxy", "config.conf", &text);
    let refusal = bed.undo(&ran.entry).unwrap_err();
    assert!(refusal.0.contains("-mode: \"\"\n+mode: nftables\n"), "{refusal}");
}

#[test]
fn kube_proxy_is_left_alone_where_it_is_not_surely_kubeadms() {
    let Some(bed) = Bed::up("proxy-owned") else { return };
    let _addons = Addons::made();
    let node = Node::up(&bed);
    open(&bed);
    let before = map(&bed, "kube-proxy");
    let refused = |with: &[&str], without: &[&str], why: &str| {
        bed.kubectl(&[with, &[SYSTEM]].concat(), "");
        let refusal = prepared(&bed, &node).unwrap_err();
        assert!(refusal.0.contains(why), "{refusal}");
        bed.kubectl(&[without, &[SYSTEM]].concat(), "");
    };
    let helm = "meta.helm.sh/release-name";
    for object in ["configmap/kube-proxy", "daemonset/kube-proxy"] {
        refused(
            &["annotate", object, &format!("{helm}=x")],
            &["annotate", object, &format!("{helm}-")],
            "belongs to Helm",
        );
    }
    let strategy =
        |kind: &str| json!([{"op": "replace", "path": "/spec/updateStrategy", "value": {"type": kind}}]).to_string();
    let (by_hand, rolling) = (strategy("OnDelete"), strategy("RollingUpdate"));
    let patch = ["patch", "daemonset/kube-proxy", "--type=json", "-p"];
    let (with, without) = ([&patch[..], &[by_hand.as_str()]].concat(), [&patch[..], &[rolling.as_str()]].concat());
    refused(&with, &without, "only when somebody deletes them");
    // Another's apply.
    let text = format!("{}\n# of argocd\n", before["config.conf"].as_str().unwrap());
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-proxy"}, "data": {"config.conf": text}});
    bed.kubectl(
        &["apply", SYSTEM, "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-"],
        &applied.to_string(),
    );
    restart(&bed);
    assert!(prepared(&bed, &node).unwrap_err().0.contains(r#""argocd-controller" manages"#));
    assert_eq!(map(&bed, "kube-proxy")["config.conf"], text);
}

/// A node of kubeadm as a channel might have seen it: nothing of it is changed here.
fn kubeadm_node() -> NodeEvidence {
    let mut node = NodeEvidence::unread("n1", None, ChannelKind::Ssh, Reason::Unreachable, "");
    let words = |list: &[&str]| Fact::Known(list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    (node.reached, node.complete) = (true, true);
    node.unread.clear();
    node.kubelet.exists = Fact::Known(true);
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    node.kubelet.process = Fact::Known(Process {
        pid: 7,
        uid: Fact::Known(0),
        exe: Fact::Known("/usr/bin/kubelet".to_owned()),
        args: words(&["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"]),
        unit: Fact::Known("kubelet.service".to_owned()),
        started: Fact::Unread,
        container: Fact::Known(false),
        rejected: String::new(),
    });
    node.kubelet.config_file = Fact::Known(ConfigFile {
        path: "/var/lib/kubelet/config.yaml".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(json!({"staticPodPath": "/etc/kubernetes/manifests"})),
        unread: None,
    });
    node.kubelet.drop_ins = Listing::whole(Vec::new());
    node.kube_apiserver.exists = Fact::Known(true);
    node.kube_apiserver.static_pod = Fact::Known(StaticPod {
        path: "/etc/kubernetes/manifests/kube-apiserver.yaml".to_owned(),
        image: Fact::Unread,
        command: words(&["kube-apiserver", "--enable-admission-plugins=NodeRestriction"]),
        environment_names: Fact::Unread,
        host_network: Fact::Unread,
        unread: None,
    });
    node
}

/// The plan by which an upgrade keeps what the node gets.
fn keeping(bed: &Bed) -> Plan {
    let catalog = Catalog::embedded().unwrap();
    let controls = ["kubelet-anonymous-auth", "apiserver-profiling-off", "apiserver-no-external-ips"];
    let of = |control: &&str| Finding::of(catalog.control(control).unwrap(), "node/n1", Verdict::Fail, "");
    let findings: Vec<Finding> = controls.iter().map(of).collect();
    let evidence = Evidence { nodes: vec![kubeadm_node()], ..bed.seen() };
    let (mut plans, refused) = offer(&findings.iter().collect::<Vec<_>>(), &evidence, &catalog);
    assert!(refused.is_empty() && plans.len() == 2, "{plans:?} {refused:?}");
    plans.pop().unwrap()
}

#[test]
fn an_upgrade_keeps_what_a_node_was_given_until_it_is_taken_back() {
    let Some(mut bed) = Bed::up("upgrades") else { return };
    let _addons = Addons::made();
    let _node = Node::bare(&bed);
    // Somebody had it open before.
    let open =
        map(&bed, "kubelet-config")["kubelet"].as_str().unwrap().replace("enabled: false", "enabled: true # ours");
    write(&bed, "kubelet-config", "kubelet", &open);
    let text = map(&bed, "kubeadm-config")["ClusterConfiguration"].as_str().unwrap().to_owned();
    let proxy = "apiServer: {}\ndns: {}\nproxy: {} # http://ana:hidden-word@proxy:3128\n";
    write(
        &bed,
        "kubeadm-config",
        "ClusterConfiguration",
        &text.replace("dns: {}\n", "").replace("proxy: {}\n", "").replace("apiServer: {}\n", proxy),
    );
    let before = (map(&bed, "kubelet-config"), map(&bed, "kubeadm-config"));
    let plan = keeping(&bed);
    let prepared = prepare_cluster(plan.clone(), &bed.reach(&bed.admin)).unwrap();
    let text = shown(&prepared);
    assert!(text.contains("-    enabled: true # ours\n+    enabled: false # ours\n"), "{text}");
    let args = "-apiServer: {}\n+apiServer:\n+  extraArgs:\n+  - name: profiling\n+    value: \"false\"\n+  - name: \
                enable-admission-plugins\n+    value: NodeRestriction,DenyServiceExternalIPs\n";
    assert!(text.contains(args), "{text}");
    assert!(text.contains("edit configmap kubeadm-config # ClusterConfiguration: the lines of the diff\n"), "{text}");
    assert!(text.contains("@proxy:3128") && !text.contains("hidden-word"), "{text}");
    assert_eq!((prepared.risk(), prepared.to_be_typed()), (Risk::Safe, None));
    // By the script, and back by its last lines.
    let script = sitewarden::remedy::script(&prepared).unwrap();
    assert!(!script.contains("hidden-word"), "{script}");
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let (done, said) = run(&bed, home, &script);
    assert!(done, "{said}\n{script}");
    let text = map(&bed, "kubeadm-config")["ClusterConfiguration"].as_str().unwrap().to_owned();
    assert!(text.contains("hidden-word") && text.contains("  - name: profiling\n"), "{text}");
    let (again, said) = run(&bed, home, &script);
    assert!(!again && said.contains("Nothing was changed"), "a second time: {said}");
    let kept = std::fs::read_dir(home).unwrap().map(|found| found.unwrap().path());
    let kept = kept.max_by_key(|folder| std::fs::read_dir(folder).unwrap().count()).unwrap();
    let (_, back) = script.split_once("# The way back by hand").unwrap();
    let back: Vec<&str> = back.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let keep = format!("KEEP={}", kept.display());
    let (done, said) = run(&bed, home, &back.join("\n").replace("KEEP=FOLDER", &keep));
    assert!(done, "{said}");
    assert_eq!((map(&bed, "kubelet-config"), map(&bed, "kubeadm-config")), before, "to the byte");
    let prepared = prepare_cluster(plan.clone(), &bed.reach(&bed.admin)).unwrap();
    let ran = bed.run(prepared);
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    let told = format!("{:?}", bed.store.entry(&ran.entry).unwrap().unwrap());
    assert!(told.contains("Set profiling: false for kube-apiserver") && !told.contains("hidden-word"), "{told}");
    let again = prepare_cluster(plan.clone(), &bed.reach(&bed.admin)).unwrap_err();
    assert!(again.is_already(), "{again}");
    let back = bed.undo(&ran.entry).unwrap();
    let undone = bed.run(back);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!((map(&bed, "kubelet-config"), map(&bed, "kubeadm-config")), before, "to the byte");
    // Where one of them is not there, the other is changed and it is said.
    bed.kubectl(&["delete", SYSTEM, "configmap", "kubelet-config"], "");
    let rest = prepare_cluster(plan, &bed.reach(&bed.admin)).unwrap();
    assert!(rest.remarks().iter().any(|why| why.contains("kubelet-config is left alone")), "{:?}", rest.remarks());
}
