//! The audit log of a real API server.

use super::support::{Cluster, change};
use sitewarden::assess::Verdict::{Fail, Pass};
use sitewarden::remedy::prepare_cluster;
use sitewarden::store::Outcome;

const FOLDERS: &str = "/etc/kubernetes/manifests";
const POLICY: &str = "/etc/kubernetes/audit/policy.yaml";
const LOG: &str = "/var/log/kubernetes/audit/audit.log";

#[test]
fn an_audit_log_begins_by_one_restart_and_ends_by_undo() {
    let Some(cluster) = Cluster::up("an_audit_log_begins_by_one_restart") else { return };
    let node = cluster.node("node1");
    let controls = [
        "apiserver-audit-policy",
        "apiserver-audit-log",
        "apiserver-audit-log-age",
        "apiserver-audit-log-backups",
        "apiserver-audit-log-size",
    ];
    let before = node.picture(FOLDERS);
    assert_eq!(node.verdicts(&controls), [Fail; 5]);
    let kept = node.kept(&controls);
    let prepared = node.prepare(node.offered(&controls).unwrap(), None).unwrap();
    assert_eq!(prepared.to_be_typed(), Some("node1"), "a restart is confirmed by the node's name");
    let paths: Vec<&str> = change(&prepared).files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [POLICY, "/etc/kubernetes/manifests/kube-apiserver.yaml"], "all five are one edit");
    assert!(prepared.remarks().iter().any(|line| line.contains("takes 1100 MB of the disk at most")));
    let ran = node.run(prepared, &|_| ());
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdicts(&controls), [Pass; 5]);
    let modes = node.sh(&format!("stat -c '%a %u %g' {POLICY} {}", LOG.trim_end_matches("/audit.log")));
    assert_eq!(modes, "600 0 0\n700 0 0\n");
    node.sh("export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl create secret generic audited --from-literal=word=hidden-word
kubectl get --raw /readyz
kubectl delete secret audited");
    let secrets = node.sh(&format!("grep '\"resource\":\"secrets\"' {LOG} | grep '\"name\":\"audited\"'"));
    let has = |verb: &str| secrets.contains(&format!("\"verb\":\"{verb}\"")) && secrets.contains("kubernetes-admin");
    assert!(has("create") && has("delete"), "{secrets}");
    // The value, and how it goes to the API.
    let told =
        node.sh(&format!("grep -c -e hidden-word -e aGlkZGVuLXdvcmQ= -e '\"requestURI\":\"/readyz' {LOG} || true"));
    assert_eq!(told, "0\n", "neither what is secret nor what is noise");
    // What kubeadm would write at an upgrade, by its own word.
    let would = || {
        node.sh(
            "cd /tmp; kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config -o \
             jsonpath='{.data.ClusterConfiguration}' >cluster.yaml; rm -rf /etc/kubernetes/tmp/kubeadm-init-dryrun*
kubeadm init phase control-plane apiserver --config cluster.yaml --dry-run >/dev/null
cat /etc/kubernetes/tmp/kubeadm-init-dryrun*/kube-apiserver.yaml; rm -r /etc/kubernetes/tmp/kubeadm-init-dryrun* cluster.yaml",
        )
    };
    let has = |manifest: &str| {
        let words = [
            "--audit-policy-file=",
            "--audit-log-maxage=30",
            "mountPath: /etc/kubernetes/audit/policy.yaml",
            "path: /var/log/kubernetes/audit",
        ];
        words.iter().filter(|word| manifest.contains(**word)).count()
    };
    let manifest = would();
    assert!(manifest.contains("kind: Pod") && has(&manifest) == 0, "{manifest}");
    let keeps = cluster.run(|reach, _| prepare_cluster(kept, reach));
    let manifest = would();
    assert_eq!(has(&manifest), 4, "{manifest}");
    cluster.undo(&keeps.entry);
    let undone = node.undo(&ran.entry);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.verdicts(&controls), [Fail; 5]);
    assert_eq!(node.picture(FOLDERS), before);
    node.sh(&format!("[ ! -e {POLICY} ] && [ -s {LOG} ]"));
    cluster.journal_is_whole();
}
