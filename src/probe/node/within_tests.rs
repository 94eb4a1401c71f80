//! What is made of the log of k3s.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{Made, assembled, record};
use super::*;
use crate::evidence::{NodeEvidence, Reading, Value};
use proptest::prelude::*;

const KUBELET: &str = "time=\"2026-05-26T22:08:49+02:00\" level=info msg=\"Running kubelet --cloud-provider=external \
    --config-dir=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d --kubeconfig=/k --node-labels= --read-only-port=0\"";

fn k3s(command: &str, extra: Vec<Made>) -> NodeEvidence {
    let row = "10\t1\t0\tk3s-server\t100\tsame\tsame\t0\t755\thost\tk3s\t/system.slice/k3s.service\t/var/lib/rancher/k3s/data/0/bin/k3s\n";
    let mut records = vec![
        record("login", "-", "privilege=root\nuser=root\nuid=0\n"),
        record("host", "-", "hidepid=no\nboot_time=1000\nclk_tck=100\n"),
        record("proc", "-", row),
        record("proc.10.args", "-", &format!("{command}\0\0")),
        record("version.k3s", "-", "k3s version v1.36.2+k3s1 (abcdef01)\ngo version go1.26.1\n"),
        record("static-pods", "a", ""),
    ];
    records.extend(extra);
    assembled(&records)
}

fn gap<'n>(node: &'n NodeEvidence, path: &str) -> Option<(Reason, &'n str)> {
    node.unread.iter().find(|gap| gap.path == path).map(|gap| (gap.reason, gap.detail.as_str()))
}

#[test]
fn what_k3s_says_is_the_command_line_and_its_files_are_no_later_than_that() {
    let api = "time=\"2026-05-26T20:08:48.123456789Z\" level=info msg=\"Running kube-apiserver --anonymous-auth=false \
               --etcd-servers=unix://kine.sock --tls-min-version=VersionTLS12\"";
    let started = 1_779_826_129; // 2026-05-26T20:08:49Z
    let files = format!(
        "0\there\tkubelet\tdrop-in\t10\t{started}\t/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf\n"
    );
    let node = k3s(
        "/usr/local/bin/k3s server",
        vec![
            record("within.10", "-", &format!("{api}\n{KUBELET}\n")),
            record("files", "-", &files),
            record("file.0", "-", "authentication: {anonymous: {enabled: false}}\n"),
        ],
    );
    let process = node.kubelet.process.known().unwrap();
    assert_eq!(process.args.known().unwrap()[..2], ["kubelet", "--cloud-provider=external"]);
    assert_eq!(process.args.known().unwrap()[4], "--node-labels=");
    assert_eq!(process.started.known().unwrap().as_second(), started);
    assert_eq!((process.pid, &process.unit), (10, &Fact::Known("k3s.service".to_owned())));
    assert_eq!(node.kubelet.version, Fact::Known("1.36.2+k3s1".to_owned()));
    assert_eq!((&node.kubelet.config_file, node.kubelet.drop_ins.items.len()), (&Fact::Absent, 1));
    let tree = Reading::of_node(&node);
    let effective = tree.at("kubelet.effective");
    assert_eq!(effective.at("authentication.anonymous.enabled").value, Value::Bool(false));
    assert_eq!(effective.at("readOnlyPort").value, Value::Int(0));
    assert_eq!(tree.at("kubelet.config_stale").value, Value::Bool(false));
    assert_eq!(tree.at("kube_apiserver.effective.anonymousAuth").value, Value::Bool(false));
    // The others were not told of.
    let (reason, detail) = gap(&node, "kube_scheduler.process.args").unwrap();
    assert!(reason == Reason::NotVisible && detail.starts_with("embedded in k3s: its log"), "{detail}");
    assert_eq!(node.kube_scheduler.version, Fact::Known("1.36.2+k3s1".to_owned()));
}

#[test]
fn a_store_behind_kine_is_no_etcd() {
    let line = |servers: &str| {
        format!(
            "time=\"2026-05-26T20:08:48Z\" level=info msg=\"Running kube-apiserver --allow-privileged=true --etcd-servers={servers}\"\n"
        )
    };
    let etcd =
        |servers: &str| k3s("/usr/local/bin/k3s server", vec![record("within.10", "-", &line(servers))]).etcd.exists;
    assert_eq!(etcd("unix://kine.sock"), Fact::Known(false));
    assert_eq!(etcd("unix:///var/lib/rancher/k3s/server/kine.sock"), Fact::Known(false));
    assert_eq!(etcd("https://127.0.0.1:2379"), Fact::Unread, "it may be a way to another server's");
}

#[test]
fn an_etcd_within_k3s_is_read_from_the_file_that_it_is_started_by() {
    let api = "time=\"2026-05-26T20:08:48Z\" level=info msg=\"Running kube-apiserver \
               --etcd-certfile=/data/server/tls/etcd/client.crt --etcd-servers=https://127.0.0.1:2379\"\n";
    let node = |pid: &str, written: i64| {
        let files = format!("0\there\tetcd\tconfig\t10\t{written}\t/data/server/db/etcd/config\n");
        let listen = format!("tcp\t0100007F\t2379\t1\t10\tk3s-server\ntcp\t0100007F\t2380\t2\t{pid}\tk3s-server\n");
        let records = vec![
            record("within.10", "-", api),
            record("listen", "-", &listen),
            record("files", "-", &files),
            record("file.0", "-", include_str!("../../../tests/samples/components/k3s-1.21-etcd-config.yaml")),
        ];
        k3s("/usr/local/bin/k3s server", records)
    };
    let said = 1_779_826_128; // 2026-05-26T20:08:48Z
    let found = node("10", said - 1);
    assert_eq!((&found.etcd.exists, &found.etcd.version), (&Fact::Known(true), &Fact::Unread));
    let effective = Reading::of_node(&found).at("etcd.effective");
    assert_eq!(effective.at("clientCertAuth").value, Value::Bool(true));
    assert_eq!(effective.at("clientCertAuth").origin.as_deref(), Some("/data/server/db/etcd/config"));
    // What lies there since is not what runs.
    let changed = Reading::of_node(&node("10", said + 60)).at("etcd.effective.clientCertAuth");
    assert!(matches!(changed.value, Value::Unread(_)), "{changed:?}");
    assert_eq!(node("11", said).etcd.exists, Fact::Unread);
}

#[test]
fn what_is_not_plain_is_not_guessed() {
    let of = |flags: &str, lines: &str| {
        let node = k3s("/usr/local/bin/k3s server", vec![record("within.10", flags, lines)]);
        assert!(node.kubelet.process.known().unwrap().args.is_unread(), "{lines}");
        gap(&node, "kubelet.process.args").map(|(reason, _)| reason)
    };
    let line = |args: &str| format!("time=\"2026-05-26T20:08:49Z\" level=info msg=\"Running kubelet {args}\"\n");
    for args in ["--b=1 --a=2", "--a=1 --b", "--a=\\n", "a=1", ""] {
        assert_eq!(of("-", &line(args)), Some(Reason::Malformed), "{args}");
    }
    assert_eq!(of("-", &format!("{}{}", line("--a=1"), line("--a=2"))), Some(Reason::Malformed));
    assert_eq!(of("-", "level=info msg=\"Running kubelet --a=1\"\n"), Some(Reason::Malformed), "no time");
    assert_eq!(of("-", &line("--a=1").replace("\"\n", "\n")), Some(Reason::Malformed), "cut");
    assert_eq!(of("-", ""), Some(Reason::NotVisible));
    assert_eq!(of("f", ""), Some(Reason::Forbidden));
    let node = k3s("/usr/local/bin/k3s server", vec![record("within.10", "-", &line("--a=x y --a-b=\\\"1\\\\ --b=2"))]);
    assert_eq!(
        node.kubelet.process.known().unwrap().args,
        Fact::Known(["kubelet", "--a=x y", "--a-b=\"1\\", "--b=2"].map(str::to_owned).to_vec())
    );
}

proptest! {
    #[test]
    fn any_line_is_read(line in "(time=\"2026-05-26T20:08:49Z\" )?(level=info )?(msg=\"Running kubelet )?.{0,40}") {
        let _ = told(&line, "kubelet");
    }
}
