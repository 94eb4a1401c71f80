//! Clusters made by hand, for tests.

use super::*;
use crate::evidence::{Evidence, Listing, SCHEMA, Tool};
use std::collections::BTreeMap;

/// The time at which the sample was seen.
pub(crate) const NOW: &str = "2026-09-01T12:00:00Z";

fn known<T: Clone, U: From<T>>(value: T) -> Fact<U> {
    Fact::Known(value.into())
}

/// A document with this cluster and nothing else.
pub(crate) fn document(cluster: ClusterEvidence) -> Evidence {
    let now: Timestamp = NOW.parse().unwrap_or_default();
    Evidence {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: now,
        finished: now,
        seat: Default::default(),
        site: Default::default(),
        cluster: Some(cluster),
        nodes: Vec::new(),
        endpoints: None,
    }
}

/// A node of Linux, ready.
pub(crate) fn node(name: &str, kubelet: &str) -> KubeNode {
    let (heartbeat, since) = (Fact::Unread, Fact::Unread);
    KubeNode {
        name: name.to_owned(),
        labels: known(BTreeMap::from([("kubernetes.io/os".to_owned(), "linux".to_owned())])),
        annotations: known(BTreeMap::new()),
        provider_id: Fact::Absent,
        conditions: vec![NodeCondition { kind: "Ready".into(), status: "True".into(), heartbeat, since }],
        control_plane: Fact::Known(false),
        os_image: known("Debian GNU/Linux 13 (trixie)"),
        operating_system: known("linux"),
        kernel: known("6.12.48-amd64"),
        container_runtime: known("containerd://2.3.4"),
        kubelet_version: known(kubelet),
        ..KubeNode::default()
    }
}

/// A node of Windows Server 2022.
pub(crate) fn windows_node(name: &str, kubelet: &str) -> KubeNode {
    KubeNode {
        os_image: known("Windows Server 2022 Datacenter"),
        operating_system: known("windows"),
        kernel: known("10.0.20348.2700"),
        ..node(name, kubelet)
    }
}

/// A container for which everything was set as one wants it.
pub(crate) fn container(name: &str, image: &str) -> Container {
    Container {
        name: name.to_owned(),
        kind: "container".to_owned(),
        image: known(image),
        privileged: Fact::Absent,
        allow_privilege_escalation: Fact::Known(false),
        run_as_non_root: Fact::Known(true),
        run_as_user: Fact::Absent,
        capabilities_dropped: vec!["ALL".to_owned()],
        seccomp: known("RuntimeDefault"),
        host_process: Fact::Absent,
        ..Container::default()
    }
}

/// A running pod of a ReplicaSet, with one container as one wants it and without a token.
pub(crate) fn pod(namespace: &str, name: &str) -> Pod {
    Pod {
        name: format!("{namespace}/{name}"),
        namespace: namespace.to_owned(),
        node: known("node2"),
        phase: known("Running"),
        owner_kind: known("ReplicaSet"),
        service_account: known(name),
        automount_token: Fact::Known(false),
        containers: vec![container("main", "example.org/app:1.0.0")],
        ..Pod::default()
    }
}

/// A static pod of the control plane.
pub(crate) fn static_pod(component: &str, image: &str, command: &[&str]) -> Pod {
    let words = command.iter().map(|word| (*word).to_owned()).collect();
    let container = Container { command: Fact::Known(words), ..container(component, image) };
    Pod {
        name: format!("kube-system/{component}-node1"),
        namespace: "kube-system".to_owned(),
        node: known("node1"),
        owner_kind: known("Node"),
        mirror: true,
        component: component.to_owned(),
        host_network: true,
        host_paths: vec!["/etc/kubernetes/pki".to_owned()],
        service_account: Fact::Absent,
        automount_token: Fact::Absent,
        containers: vec![container],
        ..pod("kube-system", component)
    }
}

/// A workload with all of it ready.
pub(crate) fn workload(kind: &str, namespace: &str, name: &str, count: i64) -> Workload {
    Workload {
        name: format!("{kind} {namespace}/{name}"),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        workload: name.to_owned(),
        desired: Fact::Known(count),
        ready: Fact::Known(count),
        observed: Fact::Known(true),
        images: vec!["example.org/app:1.0.0".to_owned()],
    }
}

/// A ClusterRole of one rule: verbs, groups and resources with commas between them, `core` for the core group.
pub(crate) fn cluster_role(name: &str, verbs: &str, groups: &str, resources: &str) -> Role {
    let list = |text: &str| -> Vec<String> {
        text.split(',').map(|one| if one == "core" { String::new() } else { one.to_owned() }).collect()
    };
    let rule = PolicyRule {
        verbs: list(verbs),
        api_groups: list(groups),
        resources: list(resources),
        ..PolicyRule::default()
    };
    Role { name: format!("ClusterRole {name}"), role: name.to_owned(), rules: vec![rule], ..Role::default() }
}

/// A ClusterRoleBinding for one subject; a service account is written `NAMESPACE/NAME`.
pub(crate) fn cluster_binding(name: &str, role: &str, kind: &str, subject: &str) -> Binding {
    let (namespace, subject) = match (kind, subject.split_once('/')) {
        ("ServiceAccount", Some((namespace, name))) => (namespace, name),
        _ => ("", subject),
    };
    Binding {
        name: format!("ClusterRoleBinding {name}"),
        binding: name.to_owned(),
        role_kind: "ClusterRole".to_owned(),
        role: role.to_owned(),
        subjects: vec![Subject { kind: kind.to_owned(), name: subject.to_owned(), namespace: namespace.to_owned() }],
        ..Binding::default()
    }
}

/// The binding as one of a namespace.
pub(crate) fn in_namespace(namespace: &str, binding: Binding) -> Binding {
    let name = format!("RoleBinding {namespace}/{}", binding.binding);
    Binding { name, namespace: namespace.to_owned(), ..binding }
}

fn namespace(name: &str, enforce: Option<&str>) -> Namespace {
    let pod_security = enforce.map(|level| ("enforce".to_owned(), level.to_owned())).into_iter().collect();
    Namespace { name: name.to_owned(), pod_security }
}

fn extension(name: &str, kind: &str) -> ExtensionConfig {
    ExtensionConfig {
        name: name.to_owned(),
        kind: known(kind),
        version: known("1.2.3"),
        release_train: known("Stable"),
        auto_upgrade: Fact::Known(true),
        installed: Fact::Known(true),
        synced: Fact::Known(true),
        last_sync: Fact::Known(NOW.parse().unwrap_or_default()),
    }
}

/// A cluster of kubeadm, connected to Azure Arc, of which everything was read and nothing is wrong.
pub(crate) fn good() -> ClusterEvidence {
    let image = |name: &str| format!("registry.k8s.io/{name}:v1.36.4");
    let api_server =
        ["kube-apiserver", "--encryption-provider-config=/etc/kubernetes/enc.yaml", "--service-account-lookup=true"];
    let bootstrap = |binding: Binding| Binding { bootstrap: true, ..binding };
    let now: Fact<Timestamp> = Fact::Known(NOW.parse().unwrap_or_default());
    let mut calico = workload("DaemonSet", "calico-system", "calico-node", 3);
    calico.images = vec!["docker.io/calico/node:v3.30.3".to_owned()];
    let mut proxy = workload("DaemonSet", "kube-system", "kube-proxy", 2);
    proxy.images = vec![image("kube-proxy")];
    ClusterEvidence {
        context: "site".to_owned(),
        server: known("https://10.0.0.4:6443"),
        reached: true,
        complete: true,
        clock: now,
        proxy: Fact::Absent,
        verified: Fact::Known(true),
        uid: known("5e8f"),
        version: Fact::Known(ClusterVersion { git: "v1.36.4".to_owned(), platform: known("linux/amd64") }),
        caller: Fact::Known(Caller {
            user: "technician".to_owned(),
            groups: vec!["readers".to_owned(), "system:authenticated".to_owned()],
            how: "exec kubelogin".to_owned(),
        }),
        denied: Listing::whole(Vec::new()),
        ready_checks: Listing::whole(vec![ReadyCheck { name: "etcd".to_owned(), ok: true }]),
        nodes: Listing::whole(vec![
            KubeNode { control_plane: Fact::Known(true), ..node("node1", "v1.36.4") },
            node("node2", "v1.36.4"),
            windows_node("win1", "v1.36.4"),
        ]),
        namespaces: Listing::whole(vec![
            namespace("kube-system", None),
            namespace("azure-arc", None),
            namespace("shop", Some("baseline")),
        ]),
        pods: Listing::whole(vec![
            static_pod("kube-apiserver", &image("kube-apiserver"), &api_server),
            static_pod("kube-scheduler", &image("kube-scheduler"), &["kube-scheduler"]),
            static_pod("etcd", "registry.k8s.io/etcd:3.6.13-0", &["etcd"]),
            pod("shop", "web"),
        ]),
        workloads: Listing::whole(vec![
            calico,
            proxy,
            workload("Deployment", "azure-arc", "config-agent", 1),
            workload("DaemonSet", "mdc", "microsoft-defender-collector-ds", 2),
            workload("Deployment", "gatekeeper-system", "gatekeeper-audit", 1),
            workload("Deployment", "flux-system", "source-controller", 1),
            workload("DaemonSet", "kube-system", "secrets-store-csi-driver", 2),
            workload("Deployment", "shop", "web", 1),
        ]),
        services: Listing::whole(vec![Service {
            name: "shop/web".to_owned(),
            namespace: "shop".to_owned(),
            kind: "NodePort".to_owned(),
            ports: vec![ServicePort {
                port: 80,
                target: known("8080"),
                node_port: Fact::Known(30080),
                protocol: "TCP".to_owned(),
            }],
            control_plane: false,
        }]),
        endpoint_slices: Listing::whole(vec![EndpointSlice {
            name: "default/kubernetes".to_owned(),
            namespace: "default".to_owned(),
            service: "kubernetes".to_owned(),
            ports: vec![6443],
            targets: vec![SliceTarget { address: "10.0.0.4".to_owned(), pod: false }],
        }]),
        service_accounts: Listing::whole(vec![ServiceAccount {
            name: "shop/default".to_owned(),
            namespace: "shop".to_owned(),
            account: "default".to_owned(),
            automount_token: Fact::Known(false),
        }]),
        roles: Listing::whole(vec![
            cluster_role("cluster-admin", "*", "*", "*"),
            cluster_role("system:discovery", "get", "core", "nothing"),
            cluster_role("view", "get,list,watch", "core,apps", "pods,deployments"),
            cluster_role("system:controller:job-controller", "create", "core", "pods"),
        ]),
        bindings: Listing::whole(vec![
            bootstrap(cluster_binding("cluster-admin", "cluster-admin", "Group", "system:masters")),
            cluster_binding("kubeadm:cluster-admins", "cluster-admin", "Group", "kubeadm:cluster-admins"),
            bootstrap(cluster_binding("system:discovery", "system:discovery", "Group", "system:authenticated")),
            bootstrap(cluster_binding(
                "system:controller:job-controller",
                "system:controller:job-controller",
                "ServiceAccount",
                "kube-system/job-controller",
            )),
            cluster_binding("readers", "view", "Group", "readers"),
        ]),
        network_policies: Listing::whole(vec![NetworkPolicy {
            name: "shop/deny".to_owned(),
            namespace: "shop".to_owned(),
            every_pod: true,
            kinds: vec!["Ingress".to_owned()],
        }]),
        signing_requests: Listing::whole(vec![SigningRequest {
            name: "csr-1".to_owned(),
            signer: "kubernetes.io/kubelet-serving".to_owned(),
            requestor: "system:node:node2".to_owned(),
            created: Fact::Known(NOW.parse().unwrap_or_default()),
            state: "approved".to_owned(),
            issued: true,
        }]),
        admission: Listing::whole(vec![Admission {
            name: "ValidatingWebhookConfiguration own".to_owned(),
            kind: "ValidatingWebhookConfiguration".to_owned(),
            fails_closed: true,
            service_namespaces: vec!["shop".to_owned()],
            url_hosts: Vec::new(),
        }]),
        custom_resources: Listing::whole(vec!["extensionconfigs.clusterconfig.azure.com".to_owned()]),
        csi_drivers: Listing::whole(vec!["secrets-store.csi.k8s.io".to_owned()]),
        kube_proxy_config: Fact::Unread,
        kubeadm_config: Fact::Known(true),
        aksedge_config: Fact::Known(false),
        arc: AzureArc {
            connected: Fact::Known(true),
            auto_upgrade: Fact::Known(true),
            agent_version: known("1.36.1"),
            extensions: Listing::whole(vec![extension("defender", "microsoft.azuredefender.kubernetes")]),
            ..AzureArc::default()
        },
        azure: azure(),
        ..ClusterEvidence::default()
    }
}

fn azure() -> Azure {
    Azure {
        connected_cluster: Fact::Known(ConnectedCluster {
            connectivity: known("Connected"),
            agent_version: known("1.36.1"),
            certificate_expires: "2026-11-20T00:00:00Z".parse().map_or(Fact::Unread, Fact::Known),
            auto_upgrade: known("Enabled"),
            last_connectivity: Fact::Known(NOW.parse().unwrap_or_default()),
            ..ConnectedCluster::default()
        }),
        provisioned_cluster: Fact::Known(ProvisionedCluster {
            kubernetes_version: known("1.36.4"),
            ssh_authorized_ranges: Fact::Known(vec!["10.0.0.0/24".to_owned()]),
            state: known("Succeeded"),
        }),
        upgrades: Listing::whole(vec![
            AzureUpgrade { name: "1.36.4".to_owned(), preview: false },
            AzureUpgrade { name: "1.36.9".to_owned(), preview: true },
        ]),
        extensions: Listing::default(),
    }
}
