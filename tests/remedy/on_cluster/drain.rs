//! A node emptied for a change, on the bed's cluster: pods go where nothing holds them, and the node takes pods again however
//! the change went.

use super::support::Cluster;
use crate::terminal::at_a_terminal;
use crate::updates::{AWAY, waiting};
use sitewarden::catalog::RemedySpec;
use sitewarden::kubeapi::ApiLimits;
use sitewarden::remedy::{ClusterReach, Drain};
use sitewarden::site::ClusterTarget;
use sitewarden::store::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;

const SHOP: &str = r#"kubectl create namespace drained
kubectl -n drained create -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: a, image: "docker.io/library/busybox:1.35", imagePullPolicy: IfNotPresent, command: [sleep, "9999"]}
      volumes:
      - {name: kept, emptyDir: {}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: shop}}}
YAML
kubectl -n drained rollout status deployment shop --timeout=60s
until [ "$(kubectl -n drained get pdb shop -o 'jsonpath={.status.currentHealthy}')" = 1 ]; do sleep 0.2; done
"#;

#[test]
fn a_node_is_emptied_where_nothing_holds_its_pods_and_takes_pods_again_in_every_case() {
    let Some(cluster) = Cluster::up("drain") else { return };
    let (first, node) = (cluster.node("node1"), cluster.node("node2"));
    first.sh(&format!("export KUBECONFIG=/etc/kubernetes/admin.conf\n{SHOP}"));
    let kubectl = |words: &str| first.sh(&format!("KUBECONFIG=/etc/kubernetes/admin.conf kubectl {words}"));
    let pod = || kubectl("-n drained get pods -o 'jsonpath={.items[*].metadata.uid}'");
    let takes_pods = || kubectl("get node node2 -o 'jsonpath={.spec.unschedulable}'").is_empty();
    let target =
        ClusterTarget { kubeconfig: vec![std::env::var_os("BED_KUBECONFIG").unwrap().into()], ..Default::default() };
    let reach = ClusterReach { target, limits: ApiLimits::default() };
    let run = |keyword: &str, value: &str, seconds: u64| {
        let set = BTreeMap::from([(keyword.to_owned(), value.to_owned())]);
        let plan = node.plan(RemedySpec::SshdSetting { set }).unwrap();
        let drain = Drain::prepare(&reach, "node2", Duration::from_secs(seconds)).unwrap();
        let prepared = node.prepare(plan, Some(60)).unwrap().with_drain(drain);
        let steps: Vec<String> = prepared.steps().iter().flat_map(|step| step.commands.clone()).collect();
        assert!(
            steps[0].ends_with(" cordon node2") && steps[1].contains(" drain node2 --ignore-daemonsets"),
            "{steps:?}"
        );
        assert!(steps.last().unwrap().ends_with(" uncordon node2"), "{steps:?}");
        let remarks = prepared.remarks().join("\n");
        assert!(remarks.contains("emptyDir on the node: drained/shop-"), "{remarks}");
        node.run(prepared, &|_| ())
    };
    let before = (pod(), node.picture("/etc/ssh"));

    let held = run("MaxAuthTries", "3", 2);
    assert_eq!(held.outcome, Outcome::Refused, "{}", held.note);
    assert!(held.note.contains("drained/shop-") && held.note.contains("PodDisruptionBudget"), "{}", held.note);
    assert!(takes_pods() && (pod(), node.picture("/etc/ssh")) == before);

    kubectl("-n drained delete pdb shop");
    let done = run("MaxAuthTries", "3", 60);
    assert_eq!(done.outcome, Outcome::Done, "{}", done.note);
    assert!(takes_pods() && pod() != before.0);
    assert_eq!(node.undo(&done.entry).outcome, Outcome::Done);

    kubectl("-n drained rollout status deployment shop --timeout=60s");
    let reverted = run("PubkeyAuthentication", "no", 60);
    assert_eq!(reverted.outcome, Outcome::Reverted, "{}", reverted.note);
    assert!(takes_pods() && node.picture("/etc/ssh") == before.1);

    first.sh("kubectl --kubeconfig /etc/kubernetes/admin.conf -n drained run alone --image=docker.io/library/busybox:1.35 --image-pull-policy=Never --command -- sleep 9999");
    kubectl("-n drained wait pod alone --for=condition=Ready --timeout=30s");
    let refused = Drain::prepare(&reach, "node2", Duration::from_secs(4)).unwrap_err();
    assert!(refused.0.contains("drained/alone belongs to no controller"), "{refused}");
    kubectl("-n drained delete pod alone --force --grace-period=0");
    kubectl("delete namespace drained --wait=false");
    cluster.journal_is_whole();
}

/// As a person does it: `fix --drain`, the node's name typed, and what was shown meanwhile.
#[test]
fn security_updates_are_installed_on_an_empty_node_which_takes_pods_again() {
    let Some(cluster) = Cluster::up("fix --drain") else { return };
    let (first, node) = (cluster.node("node1"), cluster.node("node2"));
    let kubectl = |words: &str| first.sh(&format!("KUBECONFIG=/etc/kubernetes/admin.conf kubectl {words}"));
    // In a namespace of its own: that of another test may still be on its way out.
    first.sh(&format!("export KUBECONFIG=/etc/kubernetes/admin.conf\n{}", SHOP.replace("drained", "emptied")));
    kubectl("-n emptied delete pdb shop");
    let pod = || kubectl("-n emptied get pods -o 'jsonpath={.items[*].metadata.uid}'");
    // When it is installed it writes down whether the node took pods just then.
    let looks = "crictl ps -q --label io.kubernetes.pod.namespace=emptied >/run/pods-then";
    node.sh(&waiting(looks));
    let before = pod();
    let state = tempfile::tempdir().unwrap();
    let env = |name: &str| std::env::var(name).unwrap();
    let words = [
        "fix",
        "--drain",
        "--allow-changes",
        "node-security-updates-applied",
        "--kubeconfig",
        &env("BED_KUBECONFIG"),
        "--node",
        &format!("root@{}", node.address),
        "--identity",
        &env("BED_SSH_KEY"),
        "--known-hosts",
        &env("BED_KNOWN_HOSTS"),
        "--ssh-config",
        "none",
    ];
    let typed = format!("{}\r", node.address);
    let shown = at_a_terminal(&words, |program| program.env("XDG_STATE_HOME", state.path()), &typed);
    for words in [
        "cordon node2",
        "emptying the node: ",
        "the node is empty",
        "uncordon node2",
        "There is no way back by this program",
        "fail before, pass now",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(node.sh("dpkg-query -W -f '${Version}' bed-hole; cat /run/pods-then; rm /run/pods-then"), "2");
    assert_eq!(kubectl("get node node2 -o 'jsonpath={.spec.unschedulable}'"), "");
    assert_ne!(pod(), before);
    node.sh(AWAY);
    kubectl("delete namespace emptied --wait=false");
}
