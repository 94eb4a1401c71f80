//! k3s on a real systemd node, with its journal. k3s itself cannot be had here (it is no Go module that can be fetched): a
//! stand-in has its unit as its install.sh leaves it, the place of its program, its files, and its way to tell with which
//! flags it runs the components (pkg/util/args.go: one of a file takes the place of its own, sorted by name). What real k3s
//! does with them was read, not tried.

use crate::node::{Node, choices, run};
use serde_json::json;
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::remedy::prepare;
use sitewarden::store::{Outcome, Store};

/// A copy of bash called k3s runs the script `server` of its folder, or `kubectl` of the PATH. As the real one it is ready
/// only when the kubelet took its flags, and ends where it did not. Its clock runs ahead, as if the kubelet came late: by then
/// k3s has written the kubelet's files, later than its own start.
const STAND_IN: &str = r#"
BIN=/var/lib/rancher/k3s/data/0123abcd/bin
mkdir -p -m 755 $BIN /opt/stand-in /etc/rancher/k3s/config.yaml.d
cp /bin/bash $BIN/k3s
ln -s $BIN/k3s /usr/local/bin/k3s
cat >/opt/stand-in/server <<'SERVER'
LC_ALL=C
extra() {
    cat /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml 2>/dev/null |
        awk -v k="^$1-arg" '/^[a-z]/ { on = $0 ~ k } on && /^ *- / { sub(/^ *- /, ""); sub(/ #.*/, ""); print "--" $0 }'
}
component() { # NAME ARGUMENT...
    NAME=$1
    shift
    ARGS=$( { printf '%s\n' "$@"; extra "$NAME"; } | awk -F= '{ v[$1] = $0 } END { for (k in v) print v[k] }' | sort -t= -k1,1 | tr '\n' ' ')
    echo "time=\"$(date -u -d '+30 seconds' +%Y-%m-%dT%H:%M:%SZ)\" level=info msg=\"Running $NAME ${ARGS% }\""
}
component kube-apiserver --allow-privileged=true --anonymous-auth=false --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --etcd-servers=unix://kine.sock --profiling=false
case $ARGS in
*--audit-policy-file=*)
    POLICY=${ARGS#*--audit-policy-file=} LOG=${ARGS#*--audit-log-path=}
    grep -q '^kind: Policy$' "${POLICY%% *}" || exit 1
    echo '{"kind":"Event"}' >>"${LOG%% *}" || exit 1
    ;;
esac
component kube-scheduler --bind-address=127.0.0.1 --profiling=false --secure-port=10259
mkdir -p /var/lib/rancher/k3s/agent/etc/kubelet.conf.d
cat >/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf <<CONF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}}
authorization: {mode: Webhook}
CONF
touch -d '+20 seconds' /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf
component kubelet --config-dir=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d --node-labels= --read-only-port=0
case $ARGS in *--pod-max-pids=[!0-9a-z]* | *--pod-max-pids=[a-z]*) echo 'level=fatal msg="kubelet exited: invalid argument"'; exit 1 ;; esac
systemd-notify --ready
exec 3<>/opt/stand-in/forever
read -r <&3
SERVER
mkfifo /opt/stand-in/forever
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
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Delegate=yes
User=root
TimeoutStartSec=0
Restart=always
RestartSec=5s
WorkingDirectory=/opt/stand-in
ExecStart=/usr/local/bin/k3s \
    server \

UNIT
install -m 600 /dev/null /etc/systemd/system/k3s.service.env
systemctl daemon-reload
systemctl start k3s
"#;

const GONE: &str = "systemctl stop k3s; rm -r /opt/stand-in /etc/rancher /var/lib/rancher \
    /etc/systemd/system/k3s.service /etc/systemd/system/k3s.service.env /usr/local/bin/k3s /usr/local/bin/kubectl; \
    systemctl daemon-reload";

#[test]
fn k3s_is_judged_by_what_its_log_says_and_gets_a_flag_by_its_file() {
    let Some(node) = Node::up("k3s stand-in", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    node.sh(STAND_IN);
    let before = node.picture("/etc/rancher");
    let set = |path: &str, value| RemedySpec::KubeletSetting { path: path.to_owned(), value };
    let runs = || node.sh("journalctl -o cat -u k3s | grep 'Running kubelet' | tail -n 1");
    let verdicts = |controls: &[(&str, Verdict)]| {
        let evidence = node.evidence();
        for (control, expected) in controls {
            assert_eq!(node.verdict_in(control, &evidence), *expected, "{control}: {:?}", evidence.nodes[0].unread);
        }
    };
    verdicts(&[
        ("kubelet-anonymous-auth", Verdict::Pass),
        ("kubelet-read-only-port", Verdict::Pass),
        ("kubelet-pod-pids-limit", Verdict::Fail),
        ("kubelet-config-loaded", Verdict::Pass),
        ("apiserver-anonymous-auth", Verdict::Pass),
        ("apiserver-encryption-at-rest", Verdict::Fail),
        ("scheduler-profiling-off", Verdict::Pass),
        // Nothing was said of this one.
        ("controller-manager-profiling-off", Verdict::Unknown),
        // Its objects are in SQLite.
        ("etcd-client-certificates", Verdict::NotApplicable),
        ("apiserver-etcd-ca", Verdict::NotApplicable),
        ("apiserver-etcd-tls", Verdict::Pass),
    ]);

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
    verdicts(&[("kubelet-pod-pids-limit", Verdict::Pass)]);

    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.picture("/etc/rancher"), before);
    assert!(!runs().contains("--pod-max-pids"), "{}", runs());
    verdicts(&[("kubelet-pod-pids-limit", Verdict::Fail)]);

    // What k3s gives the API server by itself stays in a list to which something is added.
    let plugins = RemedySpec::StaticPodFlag {
        component: "kube-apiserver".to_owned(),
        flag: "enable-admission-plugins".to_owned(),
        value: None,
        add: vec!["DenyServiceExternalIPs".to_owned()],
        without: Vec::new(),
    };
    let ran = node.fix(plugins, &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    let said = node.sh("journalctl -o cat -u k3s | grep 'Running kube-apiserver' | tail -n 1");
    assert!(said.contains("--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs "), "{said}");
    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);

    // A policy and a log, by flags and with the files that they name.
    assert_eq!(node.verdict("apiserver-audit-log"), Verdict::Fail);
    let ran = node.fix(RemedySpec::AuditPolicy {}, &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    verdicts(&[("apiserver-audit-log", Verdict::Pass), ("apiserver-audit-policy", Verdict::Pass)]);
    let modes = node.sh("cd /var/lib/rancher/k3s/server && stat -c '%n %a %u' audit.yaml logs && cat logs/audit.log");
    assert_eq!(modes, "audit.yaml 600 0\nlogs 700 0\n{\"kind\":\"Event\"}\n");
    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(node.picture("/etc/rancher"), before);
    node.sh("[ ! -e /var/lib/rancher/k3s/server/audit.yaml ]");
    verdicts(&[("apiserver-audit-log", Verdict::Fail)]);

    // What no flag sets goes into a file of the kubelet's own.
    let folder = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
    let ran = node.fix(set("featureGates.RotateKubeletServerCertificate", json!(true)), &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert!(node.sh(&format!("cat {folder}/90-sitewarden.conf")).contains("RotateKubeletServerCertificate: true"));
    verdicts(&[("kubelet-rotate-serving-certificate", Verdict::Pass), ("kubelet-config-loaded", Verdict::Pass)]);
    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    node.sh(&format!("[ ! -e {folder}/90-sitewarden.conf ]"));

    let ran = node.fix(set("podPidsLimit", json!("many")), &[], 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(node.picture("/etc/rancher"), before);
    assert!(!runs().contains("--pod-max-pids"), "{}", runs());
    node.sh("systemctl is-active k3s");

    // A line that the journal has no more is not guessed.
    node.sh("journalctl -q --rotate; journalctl -q --vacuum-files=1");
    verdicts(&[("kubelet-anonymous-auth", Verdict::Unknown), ("etcd-client-certificates", Verdict::Unknown)]);
    node.sh(GONE);
}
