#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{Made, assembled, record};
use super::*;
use crate::evidence::NodeEvidence;

fn row(pid: i64, name: &str, verdict: &str, cgroup: &str) -> String {
    let namespace = if verdict == "container" { "other" } else { "same" };
    format!(
        "{pid}\t1\t0\t{name}\t100\t{namespace}\t{namespace}\t0\t755\t{verdict}\t{name}\t{cgroup}\t/usr/bin/{name}\n"
    )
}

fn args(pid: i64, words: &[&str]) -> Made {
    record(&format!("proc.{pid}.args"), "-", &format!("{}\0", words.join("\0")))
}

fn node(rows: &[String], hidepid: &str, extra: Vec<Made>) -> NodeEvidence {
    let mut records = vec![
        record("host", "-", &format!("hidepid={hidepid}\nboot_time=1000\nclk_tck=100\n")),
        record("proc", "-", &rows.concat()),
    ];
    records.extend(extra);
    assembled(&records)
}

const KUBELET: &str = "/system.slice/kubelet.service";
const POD: &str = "/kubepods.slice/kubepods-burstable.slice/cri-containerd-abc.scope";

#[test]
fn a_kubelet_with_its_files() {
    let table = "0\there\tkubelet\tconfig\t10\t1700000000\t/var/lib/kubelet/config.yaml\n\
        1\there\tkubelet\tdrop-in\t10\t1700000000\t/etc/kubelet.d/10-a.conf\n\
        2\there\tkubelet\tenvironment\t-\t1700000000\t/var/lib/kubelet/kubeadm-flags.env\n";
    let found = node(
        &[row(10, "kubelet", "host", KUBELET)],
        "no",
        vec![
            record("login", "-", "privilege=root\nuser=root\nuid=0\n"),
            args(
                10,
                &[
                    "/usr/bin/kubelet",
                    "--config=/var/lib/kubelet/config.yaml",
                    "--config-dir",
                    "/etc/kubelet.d",
                    "--token=abc",
                ],
            ),
            record("files", "-", table),
            record("file.0", "-", "authentication: {anonymous: {enabled: false}}\nstaticPodURLHeader: {A: [secret]}\n"),
            record("file.1", "-", "readOnlyPort: 0\n"),
            record("file.2", "-", "KUBELET_KUBEADM_ARGS=\"--token=abc --v=2\"\n"),
            record(
                "kubelet.environment",
                "-",
                "Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\" PASSWORD=x\n",
            ),
            record("version.kubelet", "-", "Kubernetes v1.31.2\n"),
            record("static-pods", "a", ""),
        ],
    )
    .kubelet;
    assert_eq!((&found.exists, &found.version), (&Fact::Known(true), &Fact::Known("1.31.2".into())));
    let process = found.process.known().unwrap();
    assert_eq!(process.args.known().unwrap()[4], "--token=[redacted]");
    assert_eq!(process.unit, Fact::Known("kubelet.service".into()));
    assert_eq!(process.started, Fact::Known(jiff::Timestamp::from_second(1001).unwrap()));
    let file = found.config_file.known().unwrap();
    assert_eq!(file.document.known().unwrap()["staticPodURLHeader"]["A"][0], "[redacted]");
    assert_eq!(file.sha256.known().unwrap().len(), 64);
    assert!(found.drop_ins.complete && found.environment.complete);
    assert_eq!(found.drop_ins.items[0].path, "/etc/kubelet.d/10-a.conf");
    assert_eq!(
        found.environment.items[0].text,
        Fact::Known("KUBELET_KUBEADM_ARGS=\"--token=[redacted] --v=2\"\n".into())
    );
    assert_eq!(
        found.environment.items[1].text,
        Fact::Known("KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\nPASSWORD=[redacted]".into())
    );
    assert_eq!(found.static_pod, Fact::Absent);
}

#[test]
fn without_a_flag_there_is_no_file_and_without_arguments_nobody_knows() {
    let rows = [row(10, "kubelet", "host", KUBELET)];
    let files = || record("files", "-", "");
    let bare = node(&rows, "no", vec![args(10, &["kubelet"]), files()]).kubelet;
    assert_eq!((bare.config_file, bare.drop_ins), (Fact::Absent, Listing::whole(vec![])));
    let closed = node(&rows, "no", vec![record("proc.10.args", "f", "kubelet\0"), files()]);
    assert_eq!(closed.kubelet.config_file, Fact::Unread);
    assert!(!closed.kubelet.drop_ins.complete);
    assert!(closed.unread.iter().any(|gap| gap.path == "kubelet.process.args" && gap.reason == Reason::Forbidden));
}

#[test]
fn a_drop_in_directory_is_whole_only_where_it_could_be_listed() {
    let drop_ins = |login: &str, files: &str, paths: &str| {
        let words = ["kubelet", "--config-dir=/etc/kubelet.d"];
        let records = vec![
            record("login", "-", login),
            args(10, &words),
            record("files", "-", files),
            record("paths", "-", paths),
        ];
        node(&[row(10, "kubelet", "host", KUBELET)], "no", records).kubelet.drop_ins.complete
    };
    let (root, guest) = ("privilege=root\nuser=root\nuid=0\n", "privilege=none\nuser=guest\nuid=1002\n");
    let here = |state: &str| format!("0\t{state}\tkubelet\tdrop-in\t10\t1\t/etc/kubelet.d\n");
    assert!(drop_ins(root, "", ""));
    assert!(!drop_ins(guest, "", ""));
    assert!(drop_ins(guest, &here("here"), ""));
    assert!(!drop_ins(root, &here("refused"), ""));
    assert!(drop_ins(guest, "", "absent\tkubelet-config\t--config-dir of kubelet\t/etc/kubelet.d\n"));
}

#[test]
fn a_file_that_was_not_understood_or_not_allowed_is_no_document() {
    for (state, body, reason) in [
        ("here", "a: [", Reason::Malformed),
        ("forbidden", "a: 1", Reason::Forbidden),
        ("refused", "a: 1", Reason::Forbidden),
    ] {
        let table = format!("0\t{state}\tkubelet\tconfig\t10\t1\t/k.yaml\n");
        let found = node(
            &[row(10, "kubelet", "host", KUBELET)],
            "no",
            vec![
                args(10, &["kubelet", "--config", "/k.yaml"]),
                record("files", "-", &table),
                record("file.0", "-", body),
            ],
        );
        let file = found.kubelet.config_file.known().unwrap();
        assert_eq!((&file.document, file.unread), (&Fact::Unread, Some(reason)), "{state}");
    }
}

#[test]
fn an_impostor_gains_nothing_and_is_shown() {
    let found = node(
        &[row(66, "kubelet", "rejected-unit", "/user.slice/user-1000.slice")],
        "no",
        vec![args(66, &["kubelet", "--config=/etc/shadow"])],
    );
    assert_eq!((&found.kubelet.exists, &found.kubelet.config_file), (&Fact::Known(false), &Fact::Unread));
    assert_eq!(found.kubelet.rejected[0].rejected, "no service unit of the system started it");
}

#[test]
fn that_it_does_not_run_is_said_only_where_everything_was_seen() {
    assert_eq!(node(&[], "no", vec![]).kubelet.exists, Fact::Known(false));
    assert_eq!(node(&[], "yes", vec![]).kubelet.exists, Fact::Unread);
    assert_eq!(node(&[], "?", vec![]).kubelet.exists, Fact::Unread);
    assert_eq!(node(&["broken\n".to_owned()], "no", vec![]).kubelet.exists, Fact::Unread);
    let unknown = node(&[row(10, "kubelet", "unknown", "-")], "no", vec![]);
    assert_eq!(unknown.kubelet.exists, Fact::Unread);
    assert!(unknown.unread.iter().any(|gap| gap.path == "kubelet" && gap.reason == Reason::Forbidden));
    for flags in ["f", "c", "t", "u"] {
        let frames = assembled(&[record("host", "-", "hidepid=no\n"), record("proc", flags, "")]);
        assert_eq!(frames.kubelet.exists, Fact::Unread, "{flags}");
    }
}

fn apiserver(extra: Vec<Made>, rows: &[String]) -> NodeEvidence {
    let manifest =
        "spec: {containers: [{image: 'r/kube-apiserver:v1.31.2', command: [kube-apiserver, --a=b, --token=x]}]}";
    let mut records = vec![
        record(
            "files",
            "-",
            "0\there\tkube-apiserver\tmanifest\t-\t1\t/etc/kubernetes/manifests/kube-apiserver.yaml\n",
        ),
        record("file.0", "-", manifest),
        record("static-pods", "-", "from=config\ndir=/etc/kubernetes/manifests\nall=yes\n"),
    ];
    records.extend(extra);
    node(rows, "no", records)
}

#[test]
fn a_pod_counts_where_the_nodes_static_pod_starts_it() {
    let genuine = args(20, &["kube-apiserver", "--a=b", "--token=x"]);
    let rows = [row(20, "kube-apiserver", "container", POD), row(30, "kube-apiserver", "container", POD)];
    let copy = args(30, &["kube-apiserver", "--anonymous-auth=false"]);
    let found = apiserver(vec![genuine, copy], &rows).kube_apiserver;
    assert_eq!((&found.exists, &found.version), (&Fact::Known(true), &Fact::Known("1.31.2".into())));
    assert_eq!(found.process.known().unwrap().pid, 20);
    assert_eq!(found.rejected[0].pid, 30);
    assert_eq!(found.config_file, Fact::Absent);
    // Changed on disk, and not yet started anew: still the one.
    let old = apiserver(vec![args(20, &["kube-apiserver", "--old"])], &rows[..1]).kube_apiserver;
    assert_eq!(old.process.known().unwrap().pid, 20);
    // Between two starts nothing runs, and nobody can say that it does not belong here.
    let between = apiserver(vec![], &[]);
    assert_eq!((&between.kube_apiserver.exists, &between.etcd.exists), (&Fact::Unread, &Fact::Known(false)));
    assert!(
        between.unread.iter().any(|gap| gap.path == "kube_apiserver" && gap.detail.contains("no process of it runs"))
    );
}

#[test]
fn a_pod_that_no_manifest_starts_is_not_the_nodes() {
    let rows = [
        row(20, "etcd", "container", POD),
        row(21, "kube-proxy", "container", POD),
        row(22, "kube-scheduler", "container", "/docker/x"),
    ];
    let found = apiserver(vec![args(20, &["etcd"]), args(21, &["kube-proxy", "--config=/x"])], &rows);
    assert_eq!(found.etcd.exists, Fact::Known(false));
    assert_eq!(found.etcd.rejected[0].rejected, "it runs in a pod, and no static pod of this node starts it");
    assert_eq!(found.kube_proxy.exists, Fact::Known(true));
    assert_eq!(found.kube_scheduler.exists, Fact::Known(false));
    let some = node(&rows, "no", vec![record("static-pods", "-", "dir=/x\n"), record("files", "-", "")]);
    assert_eq!(some.etcd.exists, Fact::Unread, "a manifest may have any name");
    let closed = node(&rows, "no", vec![record("static-pods", "-", "dir_forbidden=/x\n")]);
    assert_eq!((&closed.etcd.exists, &closed.etcd.static_pod), (&Fact::Unread, &Fact::Unread));
}

#[test]
fn k3s_holds_the_components_and_hides_their_settings() {
    let server = [row(10, "k3s", "host", "/system.slice/k3s.service")];
    let found = node(&server, "no", vec![args(10, &["/usr/local/bin/k3s", "server", "--token", "x"])]);
    assert_eq!((&found.kubelet.exists, &found.kube_apiserver.exists), (&Fact::Known(true), &Fact::Known(true)));
    assert_eq!((&found.etcd.exists, &found.kubelet.version), (&Fact::Unread, &Fact::Unread));
    assert_eq!(found.kubelet.process.known().unwrap().args, Fact::Unread);
    assert!(
        found.unread.iter().any(|gap| gap.path == "kubelet.process.args" && gap.detail.starts_with("embedded in k3s"))
    );
    let agent = node(
        &[row(10, "k3s", "host", "/system.slice/k3s-agent.service")],
        "no",
        vec![args(10, &["/usr/local/bin/k3s agent"])],
    );
    assert_eq!((&agent.kubelet.exists, &agent.kube_apiserver.exists), (&Fact::Known(true), &Fact::Known(false)));
}

#[test]
fn two_that_differ_are_not_chosen_between() {
    let rows = [row(10, "kubelet", "host", KUBELET), row(11, "kubelet", "host", "/system.slice/other.service")];
    let found = node(&rows, "no", vec![args(10, &["kubelet", "--a"]), args(11, &["kubelet", "--b"])]);
    assert_eq!((&found.kubelet.exists, &found.kubelet.process), (&Fact::Known(true), &Fact::Unread));
}

#[test]
fn versions_are_found_in_what_programs_print() {
    for (text, version) in [
        ("Kubernetes v1.31.2", Some("1.31.2")),
        ("Kubernetes v1.30.4+k3s1", Some("1.30.4+k3s1")),
        ("etcd Version: 3.5.15", Some("3.5.15")),
        ("etcd Version: latest", None),
        ("", None),
    ] {
        assert_eq!(told_version(text).as_deref(), version, "{text}");
    }
}
