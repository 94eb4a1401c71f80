//! Evidence from answers that real nodes gave; `tests/samples/node/README.md` says which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::frames::Frames;
use super::super::testing::{NONCE, blank};
use super::assemble;
use crate::evidence::{Component, Fact, FileKind, NodeEvidence, Privilege, Reading, Reason, Value};

fn sample(bytes: &[u8]) -> NodeEvidence {
    let frames = Frames::parse(bytes, NONCE);
    assert!(frames.complete, "{:?}", frames.problem);
    assemble(&frames, blank(true))
}

macro_rules! sample {
    ($name:literal) => {
        sample(include_bytes!(concat!("../../../tests/samples/node/", $name)))
    };
}

fn components(node: &NodeEvidence) -> [(&'static str, &Component); 6] {
    [
        ("kubelet", &node.kubelet),
        ("kube-proxy", &node.kube_proxy),
        ("kube-apiserver", &node.kube_apiserver),
        ("kube-controller-manager", &node.kube_controller_manager),
        ("kube-scheduler", &node.kube_scheduler),
        ("etcd", &node.etcd),
    ]
}

fn reason_of(node: &NodeEvidence, path: &str) -> Option<Reason> {
    node.unread.iter().find(|gap| gap.path == path).map(|gap| gap.reason)
}

fn known<T: Clone>(fact: &Fact<T>) -> T {
    fact.known().cloned().expect("known")
}

#[test]
fn a_control_plane_node_by_sudo() {
    let node = sample!("control-plane-sudo.txt");
    assert_eq!(known(&node.login).privilege, Privilege::Sudo);
    assert!(known(&known(&node.login).from).starts_with("10.88."));
    assert_eq!(known(&node.os.id), "debian");
    assert_eq!((known(&node.virtualization).as_str(), &node.reboot.required), ("systemd-nspawn", &Fact::Unread));
    for (name, component) in components(&node) {
        assert_eq!(component.exists, Fact::Known(true), "{name}");
        let process = known(&component.process);
        assert!(known(&process.args)[0].ends_with(name), "{name}");
        assert_eq!(process.container, Fact::Known(name != "kubelet"), "{name}");
        assert!(known(&process.started) <= known(&node.clock), "{name}");
        let in_pod = !matches!(name, "kubelet" | "kube-proxy");
        assert_eq!(component.static_pod.known().is_some(), in_pod, "{name}");
        if in_pod {
            let pod = known(&component.static_pod);
            assert_eq!(known(&pod.command)[1..], known(&process.args)[1..], "{name}");
            assert_eq!((known(&pod.host_network), pod.unread), (true, None));
        }
    }
    assert_eq!(known(&node.kubelet.version), "1.36.2");
    assert_eq!(known(&node.kube_apiserver.version), "1.36.2");
    let config = known(&node.kubelet.config_file);
    assert_eq!((config.path.as_str(), config.unread), ("/var/lib/kubelet/config.yaml", None));
    assert_eq!(known(&config.document)["authentication"]["anonymous"]["enabled"], false);
    assert_eq!(known(&node.kube_proxy.config_file).path, "/var/lib/kube-proxy/config.conf");
    assert_eq!(known(&known(&node.kube_proxy.config_file).document)["kind"], "KubeProxyConfiguration");
    let paths: Vec<_> = node.kubelet.environment.items.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet", "Environment= of kubelet.service"]
    );
    assert!(node.kubelet.environment.complete && node.kubelet.drop_ins.complete);
}

#[test]
fn its_files_and_certificates() {
    let node = sample!("control-plane-sudo.txt");
    assert!(node.files.complete && node.certificates.complete);
    let file = |path: &str, role: &str| {
        let found = node.files.items.iter().find(|file| file.path == path && file.role == role);
        found.unwrap_or_else(|| panic!("{path} {role}"))
    };
    for (path, role, mode) in [
        ("/etc/kubernetes/manifests/kube-apiserver.yaml", "kube-apiserver-manifest", "600"),
        ("/etc/kubernetes/manifests/etcd.yaml", "etcd-manifest", "600"),
        ("/etc/kubernetes/pki/ca.crt", "kubelet-ca", "644"),
        ("/etc/kubernetes/pki/ca.crt", "pki", "644"),
        ("/etc/kubernetes/pki/etcd/server.key", "pki", "600"),
        ("/etc/kubernetes/admin.conf", "admin-kubeconfig", "600"),
        ("/etc/kubernetes/kubelet.conf", "kubelet-kubeconfig", "600"),
        ("/var/lib/kubelet/config.yaml", "kubelet-config", "644"),
        ("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "kubelet-service", "644"),
    ] {
        let found = file(path, role);
        assert_eq!((known(&found.mode).as_str(), known(&found.kind)), (mode, FileKind::Regular), "{path}");
        assert_eq!((known(&found.uid), known(&found.owner).as_str(), found.unread), (0, "root", None), "{path}");
    }
    assert_eq!(known(&file("/var/lib/etcd", "etcd-data").kind), FileKind::Directory);
    let cert =
        |name: &str| node.certificates.items.iter().find(|cert| cert.name == name).unwrap_or_else(|| panic!("{name}"));
    let ca = cert("/etc/kubernetes/pki/ca.crt");
    assert_eq!((ca.role.as_str(), known(&ca.subject).as_str(), known(&ca.is_ca)), ("pki", "CN=kubernetes", true));
    assert_eq!((known(&ca.key).as_str(), known(&ca.signature).as_str()), ("rsa-2048", "sha256WithRSAEncryption"));
    let client = cert("/var/lib/kubelet/pki/kubelet-client-current.pem");
    assert_eq!(known(&client.subject), "O=system:nodes, CN=system:node:node1");
    assert!(known(&client.not_after) > known(&node.clock));
    let rotated = |cert: &&crate::evidence::Certificate| cert.path.contains("kubelet-client-2");
    assert_eq!(node.certificates.items.iter().filter(rotated).count(), 0);
    assert!(node.certificates.items.iter().all(|cert| cert.unread.is_none()));
}

#[test]
fn a_login_without_rights_sees_less_and_says_so() {
    let node = sample!("control-plane-guest.txt");
    assert_eq!(known(&node.login).privilege, Privilege::None);
    assert_eq!(node.kubelet.exists, Fact::Known(true));
    for (name, component) in components(&node).into_iter().skip(1) {
        assert_eq!((&component.exists, &component.process), (&Fact::Unread, &Fact::Unread), "{name}");
    }
    assert_eq!(reason_of(&node, "etcd"), Some(Reason::Forbidden));
    assert_eq!(known(&node.etcd.static_pod).unread, Some(Reason::Forbidden));
    assert_eq!(known(&node.etcd.static_pod).command, Fact::Unread);
    assert!(!node.authorized_keys.complete);
    assert!(node.authorized_keys.items.iter().all(|key| key.user == "guest"));
    assert!(node.listeners.items.iter().all(|one| one.unread == Some(Reason::Forbidden)));
    let daemon = &node.sshd.daemons.items[0];
    assert_eq!((&daemon.serves_login, &daemon.config_valid), (&Fact::Known(true), &Fact::Unread));
    for dump in &daemon.dumps.items {
        assert_eq!((&dump.settings, dump.unread), (&Fact::Unread, Some(Reason::Forbidden)), "{}", dump.name);
    }
    let tree = Reading::of_node(&node);
    for path in ["sshd.daemons.0.config_valid", "etcd.exists", "etcd.static_pod.command", "kubelet.process.exe"] {
        let Value::Unread(gap) = tree.at(path).value else { panic!("{path}") };
        assert_eq!(gap.reason, Reason::Forbidden, "{path}");
    }
    let text = known(&daemon.files.items[0].text);
    assert!(text.contains("UsePAM"), "the file itself is open to all");
}

#[test]
fn a_worker_runs_no_control_plane() {
    let node = sample!("worker-root.txt");
    assert_eq!(known(&node.login).privilege, Privilege::Root);
    let exists = components(&node).map(|(_, component)| known(&component.exists));
    assert_eq!(exists, [true, true, false, false, false, false]);
    assert_eq!(node.kube_apiserver.static_pod, Fact::Absent);
    assert!(node.files.items.iter().all(|file| file.role != "etcd-data"));
}

#[test]
fn a_plain_node_has_an_ssh_server_and_nothing_of_kubernetes() {
    let node = sample!("plain-sudo.txt");
    let [daemon] = node.sshd.daemons.items.as_slice() else { panic!("{:?}", node.sshd.daemons) };
    assert!(node.sshd.daemons.complete && daemon.dumps.complete && daemon.host_keys.complete);
    assert_eq!((daemon.name.as_str(), &daemon.serves_login), ("sshd, /etc/ssh/sshd_config", &Fact::Known(true)));
    assert_eq!(daemon.config_valid, Fact::Known(true));
    let names: Vec<_> = daemon.dumps.items.iter().map(|dump| dump.name.as_str()).collect();
    assert_eq!(names, ["global", "root from 10.88.4.1", "ops from 10.88.4.1"]);
    for dump in &daemon.dumps.items {
        assert_eq!(known(&dump.settings)["permitrootlogin"], ["without-password"], "{}", dump.name);
    }
    let kinds: Vec<_> = daemon.host_keys.items.iter().map(|key| known(&key.kind)).collect();
    assert_eq!(kinds, ["RSA", "ECDSA", "ED25519"]);
    assert!(node.authorized_keys.complete);
    assert!(
        node.authorized_keys
            .items
            .iter()
            .all(|key| key.kind == Fact::Known("ssh-ed25519".into()) && key.bits == Fact::Known(256))
    );
    let units: Vec<_> = node.ssh_units.items.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(units, ["ssh.service", "ssh.socket", "sshd.socket", "dropbear.service"]);
    let ssh: Vec<_> = node.listeners.items.iter().map(|one| (one.name.as_str(), one.exposed)).collect();
    assert_eq!(ssh, [("tcp 0.0.0.0:22 (sshd)", true), ("tcp6 [::]:22 (sshd)", true)]);
    for (name, component) in components(&node) {
        assert_eq!((&component.exists, &component.static_pod), (&Fact::Known(false), &Fact::Absent), "{name}");
    }
    assert_eq!(sample!("plain-guest.txt").kubelet.exists, Fact::Known(false));
}

#[test]
fn its_defences() {
    let node = sample!("plain-sudo.txt");
    assert_eq!((&node.audit.installed, &node.audit.active), (&Fact::Known(false), &Fact::Known(false)));
    assert_eq!(reason_of(&node, "audit.rules"), Some(Reason::Unsupported));
    assert_eq!((&node.auto_updates.enabled, &node.auto_updates.kured), (&Fact::Known(false), &Fact::Known(false)));
    assert_eq!(node.time_sync.services, Fact::Known(Vec::new()));
    assert_eq!(node.mdatp.present, Fact::Known(false));
    let root = &node.volumes.items[0];
    assert_eq!(
        (root.purpose.as_str(), &root.encrypted, root.unread),
        ("root", &Fact::Unread, Some(Reason::NotVisible))
    );
    // a node without `nft` cannot tell its rules, and one without rights may not
    assert_eq!(reason_of(&node, "firewall"), Some(Reason::Unsupported));
    assert_eq!(reason_of(&sample!("plain-guest.txt"), "firewall"), Some(Reason::Forbidden));
    assert!(node.authorized_keys.items.iter().all(|key| key.file_modified.known().is_some()));
    let keys: Vec<_> = node.files.items.iter().filter(|file| file.role == "sshd-host-key").collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| known(&key.mode) == "600"));
}

#[test]
fn processes_of_other_containers_are_not_this_machines() {
    let node = sample!("container-root.txt");
    assert_eq!(known(&node.login).from, Fact::Absent);
    assert!(!node.ssh_units.complete);
    assert_eq!(reason_of(&node, "ssh_units"), Some(Reason::Unsupported));
    assert_eq!(node.kubelet.exists, Fact::Known(false));
    assert!(!node.kubelet.rejected.is_empty());
    assert!(node.kubelet.rejected.iter().all(|process| process.rejected.contains("other namespaces")));
    let nobody = sample!("container-nobody.txt");
    assert_eq!(nobody.kubelet.exists, Fact::Unread);
    assert!(!nobody.sshd.daemons.complete);
}

#[test]
fn every_answer_cut_anywhere_stays_true() {
    let bytes = include_bytes!("../../../tests/samples/node/control-plane-sudo.txt");
    let whole = sample(bytes);
    for at in (0..bytes.len()).step_by(4999) {
        let frames = Frames::parse(&bytes[..at], NONCE);
        assert!(!frames.complete);
        let node = assemble(&frames, blank(false));
        for ((name, cut), (_, full)) in components(&node).into_iter().zip(components(&whole)) {
            assert!(cut.exists == Fact::Unread || cut.exists == full.exists, "{name} at {at}");
            let claims = |component: &Component| component.static_pod == Fact::Absent;
            assert!(!claims(cut) || claims(full), "{name} at {at}");
        }
        assert!(node.files.items.is_empty() || node.files.items.len() <= whole.files.items.len());
    }
}
