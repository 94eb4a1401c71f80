//! kube-proxy on the nodes of a kubeadm cluster: its ConfigMap, and the pods that are made anew.

use super::support::Cluster;
use serde_json::json;
use sitewarden::catalog::RemedySpec;
use sitewarden::remedy::prepare_cluster;
use sitewarden::store::Outcome;

#[test]
fn kube_proxys_pods_run_with_what_was_set_until_it_is_set_back() {
    let Some(cluster) = Cluster::up("kube_proxys_pods_run_with_what_was_set_until_it_is_set_back") else { return };
    let (first, second) = (cluster.node("node1"), cluster.node("node2"));
    let text =
        "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kube-proxy -o jsonpath='{.data}'";
    let before = first.sh(text);
    // The other way round than a control would have it: what is open is seen from outside.
    let spec = RemedySpec::KubeProxySetting { path: "metricsBindAddress".to_owned(), value: json!("0.0.0.0:10249") };
    let plan = cluster.plan(&first, spec);
    assert!(!first.answers(10249) && !second.answers(10249));
    let ran = cluster.run(|reach, _| prepare_cluster(plan, reach));
    // Done means that the new pods run, on both nodes. A kubelet that lost the API in another test gives them the old text at
    // first; kube-proxy starts anew when it sees the new one.
    first.wait_until_it_answers(10249);
    second.wait_until_it_answers(10249);
    cluster.undo(&ran.entry);
    assert_eq!(first.sh(text), before);
    first.wait_until_it_answers_no_more(10249);
    second.wait_until_it_answers_no_more(10249);
    cluster.journal_is_whole();
}

#[test]
fn a_text_with_which_kube_proxy_does_not_run_comes_back_at_once() {
    let Some(cluster) = Cluster::up("a_text_with_which_kube_proxy_does_not_run_comes_back_at_once") else { return };
    let first = cluster.node("node1");
    let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system";
    let text = format!("{kubectl} get configmap kube-proxy -o jsonpath='{{.data}}'");
    let before = first.sh(&text);
    let spec = || RemedySpec::KubeProxySetting { path: "mode".to_owned(), value: json!("bogus") };
    let plan = cluster.plan(&first, spec());
    let ran = cluster.ended(|reach, _| prepare_cluster(plan, reach));
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert!(ran.note.contains("ended again and again") && ran.note.contains("The old text is back"), "{}", ran.note);
    assert_eq!(first.sh(&text), before);
    first.sh(&format!("{kubectl} rollout status daemonset kube-proxy --timeout=60s"));
    cluster.journal_is_whole();
    // What somebody wrote and nothing has loaded yet is not brought along.
    first.sh(&format!("{kubectl} annotate configmap kube-proxy seen=1"));
    let swapped = "sed 's/metricsBindAddress: .*/metricsBindAddress: \"127.0.0.1:10249\"/'";
    first.sh(&format!("sleep 1; {kubectl} get configmap kube-proxy -o yaml | {swapped} | {kubectl} replace -f -"));
    let refused = prepare_cluster(cluster.plan(&first, spec()), &cluster.reach()).unwrap_err();
    assert!(refused.0.contains("some of its pods are from before that"), "{refused}");
    first.sh(&format!("{kubectl} annotate configmap kube-proxy seen-"));
    let patch = json!({"data": serde_json::from_str::<serde_json::Value>(&before).unwrap()}).to_string();
    first.sh(&format!("{kubectl} patch configmap kube-proxy --type=merge --patch-file /dev/stdin <<'END'\n{patch}\nEND\n\
                       {kubectl} rollout restart daemonset kube-proxy; {kubectl} rollout status daemonset kube-proxy --timeout=90s"));
    assert_eq!(first.sh(&text), before);
}
