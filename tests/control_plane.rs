//! The controls on the control plane's settings: what passes, what fails, and that what was not read does neither.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sitewarden::assess::{Finding, Verdict, assess};
use sitewarden::catalog::Catalog;
use sitewarden::evidence::{
    ChannelKind, Component, ConfigFile, Evidence, Fact, Lifecycle, NodeEvidence, Policy, Process, Profile, Reason,
    SCHEMA, StaticPod, Tool,
};
use std::collections::BTreeSet;

const NOW: &str = "2026-11-25T00:00:00Z";

/// Command lines of a kubeadm control-plane node as it is made, each with its component.
const KUBEADM: [(&str, &str); 5] = [
    ("kube-apiserver", include_str!("samples/components/kubeadm-1.36-kube-apiserver.txt")),
    ("kube-controller-manager", include_str!("samples/components/kubeadm-1.36-kube-controller-manager.txt")),
    ("kube-scheduler", include_str!("samples/components/kubeadm-1.36-kube-scheduler.txt")),
    ("etcd", include_str!("samples/components/kubeadm-1.36-etcd.txt")),
    ("kube-proxy", include_str!("samples/components/kubeadm-1.36-kube-proxy.txt")),
];

/// A control, the component whose command line decides it, and what is changed of it for the control to pass and to fail:
/// `+ARG` adds an argument, `-FLAG` takes a flag away. An empty list is the node as kubeadm made it.
type Case = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const CASES: [Case; 55] = [
    ("apiserver-anonymous-auth", "kube-apiserver", &["+--anonymous-auth=false"], &[]),
    ("apiserver-no-static-tokens", "kube-apiserver", &[], &["+--token-auth-file=/etc/tokens.csv"]),
    ("apiserver-no-external-ips", "kube-apiserver", &["-enable-admission-plugins", "+--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs"], &[]),
    ("apiserver-kubelet-client-certificate", "kube-apiserver", &[], &["-kubelet-client-key"]),
    ("apiserver-verifies-kubelets", "kube-apiserver", &["+--kubelet-certificate-authority=/ca.crt"], &[]),
    ("apiserver-no-always-allow", "kube-apiserver", &[], &["-authorization-mode"]),
    ("apiserver-no-always-allow", "kube-apiserver", &["+--authorization-mode", "+RBAC"], &["+--authorization-mode=Node,RBAC,AlwaysAllow"]),
    ("apiserver-node-authorizer", "kube-apiserver", &[], &["-authorization-mode", "+--authorization-mode=RBAC"]),
    ("apiserver-rbac", "kube-apiserver", &[], &["-authorization-mode", "+--authorization-mode=Node,Webhook"]),
    ("apiserver-event-rate-limit", "kube-apiserver", &["+--enable-admission-plugins=EventRateLimit"], &[]),
    ("apiserver-no-always-admit", "kube-apiserver", &[], &["+--enable-admission-plugins=AlwaysAdmit"]),
    ("apiserver-always-pull-images", "kube-apiserver", &["+--enable-admission-plugins=AlwaysPullImages"], &[]),
    ("apiserver-service-account-admission", "kube-apiserver", &[], &["+--disable-admission-plugins=ServiceAccount"]),
    ("apiserver-namespace-lifecycle", "kube-apiserver", &[], &["+--disable-admission-plugins=X,NamespaceLifecycle"]),
    ("apiserver-node-restriction", "kube-apiserver", &[], &["-enable-admission-plugins"]),
    ("apiserver-profiling-off", "kube-apiserver", &["+--profiling=false"], &["+--profiling"]),
    ("apiserver-audit-log", "kube-apiserver", &["+--audit-log-path=/var/log/audit.log"], &[]),
    ("apiserver-audit-log", "kube-apiserver", &["+--audit-webhook-config-file=/hook.conf"], &["+--audit-log-path="]),
    ("apiserver-audit-log-age", "kube-apiserver", &["+--audit-log-path=/a"], &[]),
    ("apiserver-audit-log-age", "kube-apiserver", &["+--audit-log-path=/a", "+--audit-log-maxage=0"], &["+--audit-log-path=/a", "+--audit-log-maxage=29"]),
    ("apiserver-audit-log-backups", "kube-apiserver", &["+--audit-log-path=/a", "+--audit-log-maxbackup=10"], &["+--audit-log-path=/a", "+--audit-log-maxbackup=9"]),
    ("apiserver-audit-log-size", "kube-apiserver", &["+--audit-log-path=/a"], &["+--audit-log-path=-"]),
    ("apiserver-audit-policy", "kube-apiserver", &["+--audit-policy-file=/p.yaml"], &[]),
    ("apiserver-request-timeout", "kube-apiserver", &["+--request-timeout=300s"], &["+--request-timeout=5m1s"]),
    ("apiserver-service-account-lookup", "kube-apiserver", &[], &["+--service-account-lookup=false"]),
    ("apiserver-token-key", "kube-apiserver", &[], &["-service-account-key-file"]),
    ("apiserver-etcd-tls", "kube-apiserver", &[], &["-etcd-servers", "+--etcd-servers=https://127.0.0.1:2379,http://10.0.0.4:2379"]),
    ("apiserver-etcd-client-certificate", "kube-apiserver", &[], &["-etcd-certfile"]),
    ("apiserver-serving-certificate", "kube-apiserver", &[], &["-tls-private-key-file"]),
    ("apiserver-client-ca", "kube-apiserver", &[], &["-client-ca-file"]),
    ("apiserver-etcd-ca", "kube-apiserver", &[], &["-etcd-cafile"]),
    ("apiserver-front-proxy-names", "kube-apiserver", &["-requestheader-allowed-names", "+--requestheader-allowed-names=a"], &["-requestheader-client-ca-file", "+--requestheader-client-ca-file=/etc/kubernetes/pki/ca.crt", "-requestheader-allowed-names", "+--requestheader-allowed-names="]),
    ("apiserver-encryption-at-rest", "kube-apiserver", &["+--encryption-provider-config=/e.yaml"], &[]),
    ("apiserver-tls-ciphers", "kube-apiserver", &["+--tls-min-version=VersionTLS13"], &["+--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA"]),
    ("apiserver-tls-version", "kube-apiserver", &[], &["+--tls-min-version=VersionTLS11"]),
    ("apiserver-short-lived-tokens", "kube-apiserver", &["+--service-account-extend-token-expiration=false"], &[]),
    ("controller-manager-terminated-pods", "kube-controller-manager", &[], &["+--terminated-pod-gc-threshold=0"]),
    ("controller-manager-profiling-off", "kube-controller-manager", &["+--profiling=false"], &[]),
    ("controller-manager-own-credentials", "kube-controller-manager", &[], &["-use-service-account-credentials"]),
    ("controller-manager-token-key", "kube-controller-manager", &[], &["-service-account-private-key-file"]),
    ("controller-manager-root-ca", "kube-controller-manager", &[], &["-root-ca-file"]),
    ("controller-manager-rotates-serving", "kube-controller-manager", &["+--feature-gates=AllBeta=false,RotateKubeletServerCertificate=true"], &["+--feature-gates=AllBeta=false"]),
    ("controller-manager-loopback", "kube-controller-manager", &["-bind-address", "+--secure-port=0"], &["-bind-address"]),
    ("controller-manager-tls-version", "kube-controller-manager", &[], &["+--tls-min-version=VersionTLS10"]),
    ("scheduler-profiling-off", "kube-scheduler", &["+--profiling=false"], &[]),
    ("scheduler-loopback", "kube-scheduler", &[], &["-bind-address", "+--bind-address=0.0.0.0"]),
    ("scheduler-tls-version", "kube-scheduler", &[], &["+--tls-min-version=VersionTLS10"]),
    ("etcd-serving-certificate", "etcd", &[], &["-cert-file"]),
    ("etcd-client-certificates", "etcd", &["-client-cert-auth"], &["-client-cert-auth", "-trusted-ca-file"]),
    ("etcd-no-auto-tls", "etcd", &["+--auto-tls=false"], &["+-auto-tls", "-cert-file"]),
    ("etcd-peer-certificate", "etcd", &[], &["-peer-key-file"]),
    ("etcd-peer-client-certificates", "etcd", &[], &["-peer-client-cert-auth", "-peer-trusted-ca-file"]),
    ("etcd-no-peer-auto-tls", "etcd", &[], &["+--peer-auto-tls", "-peer-cert-file"]),
    ("etcd-own-ca", "etcd", &[], &["-trusted-ca-file", "+--trusted-ca-file=/etc/kubernetes/pki/ca.crt"]),
    ("etcd-tls-version", "etcd", &[], &["+--tls-min-version=TLS1.0"]),
];

fn slot<'n>(node: &'n mut NodeEvidence, component: &str) -> &'n mut Component {
    match component {
        "kube-apiserver" => &mut node.kube_apiserver,
        "kube-controller-manager" => &mut node.kube_controller_manager,
        "kube-scheduler" => &mut node.kube_scheduler,
        "etcd" => &mut node.etcd,
        "kube-proxy" => &mut node.kube_proxy,
        other => panic!("{other}"),
    }
}

fn words(lines: &str) -> Vec<String> {
    lines.lines().map(str::to_owned).collect()
}

fn running(component: &mut Component, args: Vec<String>, version: &str) {
    component.exists = Fact::Known(true);
    component.version = Fact::Known(version.to_owned());
    component.config_file = Fact::Absent;
    component.static_pod = Fact::Known(StaticPod {
        path: "/etc/kubernetes/manifests/x.yaml".to_owned(),
        image: Fact::Unread,
        command: Fact::Known(args.clone()),
        environment_names: Fact::Known(Vec::new()),
        host_network: Fact::Known(true),
        unread: None,
    });
    component.process = Fact::Known(Process {
        pid: 7,
        uid: Fact::Known(0),
        exe: Fact::Unread,
        args: Fact::Known(args),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Known(true),
        rejected: String::new(),
    });
}

/// A control-plane node as kubeadm makes it.
fn kubeadm() -> NodeEvidence {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    (node.reached, node.complete) = (true, true);
    node.errors.clear();
    node.unread.clear();
    for (component, args) in KUBEADM {
        running(slot(&mut node, component), words(args), if component == "etcd" { "3.6.13" } else { "1.36.2" });
    }
    node.kube_proxy.static_pod = Fact::Absent;
    node.kube_proxy.config_file = Fact::Known(ConfigFile {
        path: "/var/lib/kube-proxy/config.conf".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(
            serde_json::from_str(include_str!("samples/components/kubeadm-1.36-kube-proxy-config.json")).unwrap(),
        ),
        unread: None,
    });
    node
}

fn changed(args: &mut Vec<String>, changes: &[&str]) {
    for change in changes {
        match change.split_at(1) {
            ("+", arg) => args.push(arg.to_owned()),
            ("-", flag) => {
                let (before, start) = (args.len(), format!("--{flag}="));
                args.retain(|arg| !arg.starts_with(&start));
                assert!(args.len() < before, "{flag} is not there");
            }
            other => panic!("{other:?}"),
        }
    }
}

fn args_of<'n>(node: &'n mut NodeEvidence, component: &str) -> &'n mut Fact<Vec<String>> {
    let Fact::Known(process) = &mut slot(node, component).process else { panic!("{component} does not run") };
    &mut process.args
}

fn with(component: &str, changes: &[&str]) -> NodeEvidence {
    let mut node = kubeadm();
    let Fact::Known(args) = args_of(&mut node, component) else { panic!() };
    changed(args, changes);
    node
}

/// Findings of these controls; of all where none is named.
fn findings(node: NodeEvidence, controls: &[&str]) -> Vec<Finding> {
    let evidence = Evidence {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: NOW.parse().unwrap(),
        finished: NOW.parse().unwrap(),
        seat: Default::default(),
        site: Default::default(),
        cluster: None,
        endpoints: None,
        nodes: vec![node],
    };
    thread_local! {
        static CATALOG: Catalog = Catalog::embedded().unwrap();
        static LIFECYCLE: Lifecycle = Lifecycle::embedded().unwrap();
    }
    let controls = controls.iter().map(|id| (*id).to_owned()).collect();
    let policy = Policy { profile: Profile::Cis, controls, ..Policy::default() };
    CATALOG
        .with(|catalog| LIFECYCLE.with(|life| assess(&evidence, catalog, life, &policy, NOW.parse().unwrap()).findings))
}

fn verdict(node: NodeEvidence, control: &str) -> (Verdict, String) {
    let all = findings(node, &[control]);
    let finding = all.iter().find(|finding| finding.control == control).unwrap_or_else(|| panic!("{control}"));
    (finding.verdict, finding.message.clone())
}

#[test]
fn every_control_passes_fails_and_says_when_it_cannot_tell() {
    let mut wrong = Vec::new();
    for (control, component, pass, fail) in CASES {
        let mut expect = |expected: Verdict, node: NodeEvidence, what: &str| {
            let (verdict, message) = verdict(node, control);
            if verdict != expected {
                wrong.push(format!("{control}, {what}: {verdict:?} and not {expected:?}: {message}"));
            }
        };
        expect(Verdict::Pass, with(component, pass), &format!("{pass:?}"));
        expect(Verdict::Fail, with(component, fail), &format!("{fail:?}"));
        let mut hidden = kubeadm();
        *args_of(&mut hidden, component) = Fact::Unread;
        slot(&mut hidden, component).static_pod = Fact::Unread;
        expect(Verdict::Unknown, hidden, "its command line was not read");
        let mut unseen = kubeadm();
        *slot(&mut unseen, component) = Component::default();
        expect(Verdict::Unknown, unseen, "whether it runs was not read");
        let mut none = kubeadm();
        let gone = slot(&mut none, component);
        (gone.exists, gone.process) = (Fact::Known(false), Fact::Absent);
        expect(Verdict::NotApplicable, none, "it does not run");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn title<'c>(catalog: &'c Catalog, id: &str) -> &'c str {
    catalog.controls.iter().find(|control| control.id == id).map_or("", |control| &control.title)
}

#[test]
fn every_item_of_the_benchmark_has_a_control() {
    let catalog = Catalog::embedded().unwrap();
    let covered: BTreeSet<&str> =
        catalog.controls.iter().flat_map(|control| &control.references.cis).map(String::as_str).collect();
    let of = |section: &str, last: u32| (1..=last).map(|item| format!("{section}.{item}")).collect::<Vec<_>>();
    let wanted = [of("1.2", 30), of("1.3", 7), of("1.4", 2), of("2", 7), of("3.2", 2), of("4.3", 1)].concat();
    let missing: Vec<&String> = wanted.iter().filter(|item| !covered.contains(item.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let own: BTreeSet<&str> = CASES.iter().map(|(control, ..)| *control).collect();
    assert!(own.iter().all(|id| catalog.controls.iter().any(|control| control.id == *id)));
    let long: Vec<&str> = own.iter().copied().filter(|id| title(&catalog, id).chars().count() > 60).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// What kube-bench fails of the scored items on a fresh kubeadm 1.36 control-plane node, of those that command lines decide.
#[test]
fn a_fresh_kubeadm_node_fails_what_kube_bench_fails() {
    let scored = [
        "1.2.2", "1.2.4", "1.2.5", "1.2.6", "1.2.7", "1.2.8", "1.2.10", "1.2.12", "1.2.13", "1.2.14", "1.2.15",
        "1.2.16", "1.2.17", "1.2.18", "1.2.19", "1.2.21", "1.2.22", "1.2.23", "1.2.24", "1.2.25", "1.2.26", "1.2.30",
        "1.3.2", "1.3.3", "1.3.4", "1.3.5", "1.3.6", "1.3.7", "1.4.1", "1.4.2", "2.1", "2.2", "2.3", "2.4", "2.5",
        "2.6", "4.3.1",
    ];
    let catalog = Catalog::embedded().unwrap();
    let all = findings(kubeadm(), &[]);
    let failed: BTreeSet<&str> = catalog
        .controls
        .iter()
        .filter(|control| all.iter().any(|one| one.control == control.id && one.verdict == Verdict::Fail))
        .flat_map(|control| &control.references.cis)
        .map(String::as_str)
        .filter(|item| scored.contains(item))
        .collect();
    let expected = ["1.2.15", "1.2.16", "1.2.17", "1.2.18", "1.2.19", "1.2.30", "1.2.5", "1.3.2", "1.4.1"];
    assert_eq!(failed, BTreeSet::from(expected));
}

#[test]
fn an_authorization_that_lies_in_a_file_is_not_guessed() {
    let node = || with("kube-apiserver", &["-authorization-mode", "+--authorization-config=/etc/authz.yaml"]);
    for control in ["apiserver-no-always-allow", "apiserver-node-authorizer", "apiserver-rbac"] {
        let (verdict, message) = verdict(node(), control);
        assert_eq!(verdict, Verdict::Unknown, "{control}: {message}");
        assert!(message.contains("--authorization-config names a file"), "{message}");
    }
    let (told, message) =
        verdict(with("kube-apiserver", &["+--authentication-config=/etc/authn.yaml"]), "apiserver-anonymous-auth");
    assert_eq!(told, Verdict::Unknown, "{message}");
    assert!(message.contains("--authentication-config names a file"), "{message}");
}

#[test]
fn kube_proxy_is_judged_by_the_file_that_it_names() {
    let control = "kube-proxy-metrics-loopback";
    let says = |address: &str, args: &[&str]| {
        let mut node = with("kube-proxy", args);
        let Fact::Known(file) = &mut node.kube_proxy.config_file else { panic!() };
        let Fact::Known(document) = &mut file.document else { panic!() };
        document["metricsBindAddress"] = address.into();
        verdict(node, control).0
    };
    assert_eq!(says("", &[]), Verdict::Pass);
    assert_eq!(says("127.0.0.1", &[]), Verdict::Pass);
    assert_eq!(says("[::1]:10249", &[]), Verdict::Pass);
    assert_eq!(says("0.0.0.0:10249", &[]), Verdict::Fail);
    assert_eq!(says("10.0.0.4", &[]), Verdict::Fail);
    assert_eq!(says("0.0.0.0", &["+--metrics-bind-address=127.0.0.1"]), Verdict::Fail, "the flag is ignored");
    let mut hidden = kubeadm();
    hidden.kube_proxy.config_file = Fact::Unread;
    assert_eq!(verdict(hidden, control).0, Verdict::Unknown);
    let mut flags = kubeadm();
    running(&mut flags.kube_proxy, words("kube-proxy\n--metrics-bind-address=0.0.0.0"), "1.30.1");
    assert_eq!(verdict(flags, control).0, Verdict::Fail);
}

#[test]
fn an_encryption_that_is_configured_is_left_to_a_person() {
    let (none, _) = verdict(kubeadm(), "apiserver-encryption-provider");
    assert_eq!(none, Verdict::NotApplicable);
    let some = with("kube-apiserver", &["+--encryption-provider-config=/e.yaml"]);
    assert_eq!(verdict(some, "apiserver-encryption-provider").0, Verdict::Manual);
}

#[test]
fn a_manifest_that_was_not_loaded_is_told() {
    let control = "control-plane-manifests-loaded";
    assert_eq!(verdict(kubeadm(), control).0, Verdict::Pass);
    let (told, message) = verdict(with("kube-scheduler", &["+--profiling=false"]), control);
    assert_eq!(told, Verdict::Fail);
    assert!(message.contains("kube-scheduler, /etc/kubernetes/manifests/x.yaml"), "{message}");
    let mut unread = kubeadm();
    unread.etcd.static_pod = Fact::Unread;
    assert_eq!(verdict(unread, control).0, Verdict::Unknown);
}

#[test]
fn rke2_as_it_hardens_itself_passes_what_it_sets() {
    let mut node = kubeadm();
    let args = words(include_str!("samples/components/rke2-1.26-kube-apiserver.txt"));
    running(&mut node.kube_apiserver, args, "1.26.6");
    let etcd: serde_json::Value =
        serde_saphyr::from_str(include_str!("samples/components/rke2-1.20-etcd-config.yaml")).unwrap();
    let named = words("etcd\n--config-file=/var/lib/rancher/rke2/server/db/etcd/config");
    running(&mut node.etcd, named, "3.5.7");
    node.etcd.config_file = Fact::Known(ConfigFile {
        path: "/var/lib/rancher/rke2/server/db/etcd/config".to_owned(),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(etcd),
        unread: None,
    });
    let all = findings(node.clone(), &[]);
    let says = |control: &str| all.iter().find(|one| one.control == control).unwrap().verdict;
    for control in [
        "apiserver-anonymous-auth",
        "apiserver-verifies-kubelets",
        "apiserver-audit-log",
        "apiserver-audit-log-age",
        "apiserver-audit-policy",
        "apiserver-encryption-at-rest",
        "apiserver-node-restriction",
        "etcd-serving-certificate",
        "etcd-client-certificates",
        "etcd-not-exposed-plain",
        "etcd-peer-client-certificates",
        "etcd-own-ca",
    ] {
        assert_eq!(says(control), Verdict::Pass, "{control}");
    }
    // The file is cut in the sample: what it lacks is not set.
    assert_eq!(says("etcd-peer-certificate"), Verdict::Fail);
    node.etcd.config_file = Fact::Unread;
    for control in
        ["etcd-serving-certificate", "etcd-client-certificates", "etcd-not-exposed-plain", "etcd-tls-version"]
    {
        assert_eq!(verdict(node.clone(), control).0, Verdict::Unknown, "{control}");
    }
}

#[test]
fn what_k3s_holds_within_itself_is_not_taken_from_elsewhere() {
    let mut node = kubeadm();
    for component in ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"] {
        *args_of(&mut node, component) = Fact::Unread;
        let key = component.replace('-', "_");
        let why = "embedded in k3s: its own command line and configuration cannot be seen from outside".to_owned();
        node.unread.push(sitewarden::evidence::Unread {
            path: format!("{key}.process.args"),
            reason: Reason::NotVisible,
            detail: why,
        });
    }
    let (told, message) = verdict(node.clone(), "apiserver-rbac");
    assert_eq!(told, Verdict::Unknown, "a manifest that lies there is not what runs");
    assert!(message.contains("embedded in k3s"), "{message}");
    assert_eq!(verdict(node, "kube-proxy-metrics-loopback").0, Verdict::Unknown);
}
