//! Settings of a real kubelet.

use super::support::{Cluster, Node, change};
use crate::terminal::at_a_terminal;
use sitewarden::assess::Verdict::{Fail, Pass};
use sitewarden::catalog::RemedySpec;
use sitewarden::store::Outcome;

const FOLDERS: &str = "/var/lib/kubelet/config.yaml /etc/default /etc/kubernetes";

fn setting(path: &str, value: serde_json::Value) -> RemedySpec {
    RemedySpec::KubeletSetting { path: path.to_owned(), value }
}

/// Arguments of the kubelet, by its environment file; taken away again at the end.
struct Arguments<'n>(&'n Node<'n>);

impl<'n> Arguments<'n> {
    fn given(node: &'n Node<'n>, arguments: &str) -> Self {
        node.sh(&format!("echo 'KUBELET_EXTRA_ARGS={arguments}' >/etc/default/kubelet; systemctl restart kubelet"));
        node.wait_for(HEALTHY);
        Arguments(node)
    }
}

impl Drop for Arguments<'_> {
    fn drop(&mut self) {
        self.0.sh("echo 'KUBELET_EXTRA_ARGS=' >/etc/default/kubelet; systemctl restart kubelet");
        self.0.wait_for(HEALTHY);
    }
}

const HEALTHY: &str =
    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/10248; printf \"GET /healthz HTTP/1.0\\r\\n\\r\\n\" >&3; grep -q ok <&3'";

#[test]
fn several_settings_are_one_edit_and_one_restart_and_come_back_by_undo() {
    let Some(cluster) = Cluster::up("several_settings_are_one_edit_and_one_restart") else { return };
    let node = cluster.node("node2");
    let controls = ["kubelet-pod-pids-limit", "kubelet-seccomp-default", "kubelet-tls-ciphers"];
    let before = node.picture(FOLDERS);
    let pods = node.sh("crictl ps -q | sort");
    assert_eq!(node.verdicts(&controls), [Fail; 3]);
    let prepared = node.prepare(node.offered(&controls).unwrap(), None).unwrap();
    assert_eq!(change(&prepared).files.len(), 1);
    assert_eq!(change(&prepared).activate, ["systemctl restart kubelet.service"]);
    assert_eq!(prepared.to_be_typed(), Some("node2"), "a restart is confirmed by the node's name");
    let ran = node.run(prepared, &|_| ());
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdicts(&controls), [Pass; 3]);
    assert_eq!(node.sh("crictl ps -q | sort"), pods, "running pods keep running");
    let admin = cluster.node("node1");
    let running = admin.sh("KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /api/v1/nodes/node2/proxy/configz");
    assert!(running.contains("\"podPidsLimit\":4096") && running.contains("\"seccompDefault\":true"), "{running}");
    let undone = node.undo(&ran.entry);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.verdicts(&controls), [Fail; 3]);
    assert_eq!(node.picture(FOLDERS), before);
    cluster.journal_is_whole();
}

#[test]
fn the_drop_in_that_decides_is_changed_and_not_the_file_under_it() {
    let Some(cluster) = Cluster::up("the_drop_in_that_decides_is_changed") else { return };
    let node = cluster.node("node2");
    let clean = node.picture(FOLDERS);
    node.sh("mkdir -p /etc/kubernetes/kubelet.d
cat >/etc/kubernetes/kubelet.d/10-site.conf <<'END'
{
  \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",
  \"kind\": \"KubeletConfiguration\",
  \"readOnlyPort\": 10255
}
END
chmod 640 /etc/kubernetes/kubelet.d/10-site.conf");
    {
        let _arguments = Arguments::given(&node, "--config-dir=/etc/kubernetes/kubelet.d");
        let before = node.picture(FOLDERS);
        let open = "grep -c ':280F .* 0A ' /proc/net/tcp /proc/net/tcp6 | grep -v ':0$' || true";
        assert!(!node.sh(open).is_empty(), "the port is open");
        assert_eq!(node.verdicts(&["kubelet-read-only-port"]), [Fail]);
        let prepared = node.prepare(node.offered(&["kubelet-read-only-port"]).unwrap(), None).unwrap();
        let files: Vec<&str> = change(&prepared).files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(files, ["/etc/kubernetes/kubelet.d/10-site.conf"]);
        let ran = node.run(prepared, &|_| ());
        assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
        assert_eq!(node.verdicts(&["kubelet-read-only-port"]), [Pass]);
        assert_eq!(node.sh(open), "", "nothing listens at 10255 any more");
        assert!(node.sh("cat /etc/kubernetes/kubelet.d/10-site.conf").contains("\n  \"readOnlyPort\": 0\n"));
        let undone = node.undo(&ran.entry);
        assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
        assert_eq!(node.verdicts(&["kubelet-read-only-port"]), [Fail]);
        assert_eq!(node.picture(FOLDERS), before);
    }
    node.sh("rm -r /etc/kubernetes/kubelet.d");
    assert_eq!(node.picture(FOLDERS), clean);
}

#[test]
fn a_flag_that_decides_is_named_with_its_file() {
    let Some(cluster) = Cluster::up("a_flag_that_decides_is_named_with_its_file") else { return };
    let node = cluster.node("node2");
    let _arguments = Arguments::given(&node, "--read-only-port=10255");
    let refusal = node.offered(&["kubelet-read-only-port"]).unwrap_err();
    assert!(refusal.contains("--read-only-port") && refusal.contains("It stands in /etc/default/kubelet"), "{refusal}");
}

#[test]
fn a_value_that_breaks_the_kubelet_comes_back_by_itself() {
    let Some(cluster) = Cluster::up("a_value_that_breaks_the_kubelet_comes_back_by_itself") else { return };
    let node = cluster.node("node2");
    let before = node.picture(FOLDERS);
    // What is seen to stop the kubelet is not even offered.
    node.sh("echo 1 >/proc/sys/vm/panic_on_oom");
    let protect = || node.plan(setting("protectKernelDefaults", true.into())).unwrap();
    let refused = node.prepare(protect(), None).unwrap_err();
    node.sh("echo 0 >/proc/sys/vm/panic_on_oom");
    assert!(refused.0.contains("vm.panic_on_oom=0") && refused.0.contains("/etc/sysctl.d"), "{refused}");
    // What somebody changes after the preview is found by the check.
    let prepared = node.prepare(protect(), None).unwrap();
    node.sh("echo 1 >/proc/sys/vm/panic_on_oom");
    let ran = node.run(prepared, &|_| ());
    node.sh("echo 0 >/proc/sys/vm/panic_on_oom");
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(node.picture(FOLDERS), before);
    node.wait_for(HEALTHY);
    // And with the API away.
    let first = cluster.node("node1");
    first.sh("mv /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/kept.yaml");
    first.wait_for("! pidof kube-apiserver");
    let prepared = node.prepare(node.plan(setting("tlsMinVersion", "VersionTLS99".into())).unwrap(), None);
    let ran = prepared.map(|prepared| node.run(prepared, &|_| ()));
    first.sh("mv /etc/kubernetes/kept.yaml /etc/kubernetes/manifests/kube-apiserver.yaml");
    let ran = ran.unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(node.picture(FOLDERS), before);
    node.wait_for(HEALTHY);
    first.wait_for("KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /readyz");
    cluster.journal_is_whole();
}

/// What only a restart brings to light: the kubelet's own way to the API server leads nowhere.
#[test]
fn a_kubelet_that_does_not_come_back_to_the_cluster_is_no_success() {
    let Some(cluster) = Cluster::up("a_kubelet_that_does_not_come_back_to_the_cluster") else { return };
    let node = cluster.node("node2");
    let before = node.picture("/var/lib/kubelet/config.yaml");
    let (state, env) = (tempfile::tempdir().unwrap(), |name: &str| std::env::var(name).unwrap());
    let login = format!("root@{}", node.address);
    let (kubeconfig, key, hosts) = (env("BED_KUBECONFIG"), env("BED_SSH_KEY"), env("BED_KNOWN_HOSTS"));
    let way = ["--kubeconfig", &kubeconfig, "--node", &login, "--identity", &key, "--known-hosts", &hosts];
    let words = [&["fix", "kubelet-pod-pids-limit", "--allow-changes", "--ssh-config", "none"][..], &way[..]].concat();
    let fix =
        || at_a_terminal(&words, |program| program.env("XDG_STATE_HOME", state.path()), &format!("{}\r", node.address));
    node.sh("sed -i 's#:6443#:16443#' /etc/kubernetes/kubelet.conf");
    let shown = fix();
    node.sh("sed -i 's#:16443#:6443#' /etc/kubernetes/kubelet.conf; systemctl restart kubelet");
    assert!(shown.contains("Wait until the cluster hears of its node node2 again, 60 seconds at most"), "{shown}");
    assert!(shown.contains("the node node2 of the cluster did not come back within 60 seconds"), "{shown}");
    assert!(shown.contains("Failed. ") && shown.contains("With the old state too the node node2"), "{shown}");
    assert_eq!(node.picture("/var/lib/kubelet/config.yaml"), before, "{shown}");
    cluster
        .node("node1")
        .wait_for("KUBECONFIG=/etc/kubernetes/admin.conf kubectl wait --for=condition=Ready node/node2 --timeout=5s");
    // With a kubelet that comes back it holds.
    let shown = fix();
    assert!(shown.contains("fail before, pass now"), "{shown}");
    let journal = state.path().join("sitewarden");
    let store = sitewarden::store::Store::open(&journal).unwrap();
    let steps = format!("{:?}", store.entries().unwrap().last().unwrap().steps);
    assert!(steps.contains("the cluster heard of the node again"), "{steps}");
    node.undo(&store.entries().unwrap().last().unwrap().id);
    assert_eq!(node.picture("/var/lib/kubelet/config.yaml"), before);
}
