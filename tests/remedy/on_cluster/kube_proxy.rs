//! kube-proxy on the nodes of a kubeadm cluster: its ConfigMap, and the pods that are made anew.

use super::support::Cluster;
use serde_json::json;
use sitewarden::catalog::RemedySpec;
use sitewarden::remedy::prepare_cluster;

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
