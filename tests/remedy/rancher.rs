//! k3s's own configuration file on a real systemd node. k3s itself cannot be had here: a stand-in has its unit, its name, its
//! files and its way to tell with which flags it runs the kubelet. What real k3s does with them was read, not tried.

use crate::node::{Node, choices, run};
use serde_json::json;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::remedy::prepare;
use sitewarden::store::{Outcome, Store};

/// A copy of bash called k3s runs the script `server` of its folder, or `kubectl` of the PATH. As the real one it is ready
/// only when the kubelet took its flags, and ends where it did not.
const STAND_IN: &str = r#"
cp /bin/bash /usr/local/bin/k3s
mkdir -p -m 755 /opt/stand-in /etc/rancher/k3s/config.yaml.d
cat >/opt/stand-in/server <<'SERVER'
ARGS=$(cat /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml 2>/dev/null |
    awk '/^[a-z]/ { on = /^kubelet-arg/ } on && /^ *- / { sub(/^ *- /, ""); print "--" $0 }' | tr '\n' ' ')
echo "time=\"2026-11-26T00:00:00Z\" level=info msg=\"Running kubelet --address=0.0.0.0 ${ARGS% }\""
case $ARGS in *--pod-max-pids=[!0-9]*) echo 'level=fatal msg="kubelet exited: invalid argument"'; exit 1 ;; esac
systemd-notify --ready
sleep infinity &
wait
SERVER
cat >/usr/local/bin/kubectl <<'KUBECTL'
[ "$1 $3 $4 $5" = '--kubeconfig get --raw /readyz' ] && [ -s "$2" ] && systemctl -q is-active k3s && echo ok
KUBECTL
echo kubeconfig >/etc/rancher/k3s/k3s.yaml
printf '# ours\ntoken: K10secret\nkubelet-arg:\n  - max-pods=20 # few\n' >/etc/rancher/k3s/config.yaml
printf 'kubelet-arg+:\n- event-qps=5\n' >/etc/rancher/k3s/config.yaml.d/10-more.yaml
chmod 600 /etc/rancher/k3s/config.yaml
cat >/etc/systemd/system/k3s.service <<'UNIT'
[Service]
Type=notify
NotifyAccess=all
WorkingDirectory=/opt/stand-in
ExecStart=/usr/local/bin/k3s server
Restart=always
RestartSec=5
UNIT
systemctl daemon-reload
systemctl start k3s
"#;

#[test]
fn k3s_gets_a_flag_by_its_file_and_a_broken_one_comes_back_by_itself() {
    let Some(node) = Node::up("k3s stand-in", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh(STAND_IN);
    let before = node.picture("/etc/rancher");
    let set = |path: &str, value| RemedySpec::KubeletSetting { path: path.to_owned(), value };
    let runs = || node.sh("journalctl -o cat -u k3s | grep 'Running kubelet' | tail -n 1");

    let way = node.way();
    let plan = node.plan(set("podPidsLimit", json!(4096)), &[]).unwrap();
    let prepared = prepare(plan, Some(&way), &NobodyToAsk, choices(60)).unwrap();
    let shown: Vec<_> = prepared.steps().iter().map(|step| format!("{step:?}")).collect();
    assert!(!shown.join("\n").contains("K10secret"), "{shown:?}");
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(runs().contains("--pod-max-pids=4096"), "{}", runs());
    let file = node.sh("cat /etc/rancher/k3s/config.yaml.d/10-more.yaml");
    assert_eq!(file, "kubelet-arg+:\n- event-qps=5\n- pod-max-pids=4096\n");

    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.picture("/etc/rancher"), before);
    assert!(!runs().contains("--pod-max-pids"), "{}", runs());

    let ran = node.fix(set("podPidsLimit", json!("many")), &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(node.picture("/etc/rancher"), before);
    assert!(!runs().contains("--pod-max-pids"), "{}", runs());
    node.sh(
        "systemctl is-active k3s; systemctl stop k3s; rm -r /opt/stand-in /etc/rancher /etc/systemd/system/k3s.service \
         /usr/local/bin/k3s /usr/local/bin/kubectl; systemctl daemon-reload",
    );
}
