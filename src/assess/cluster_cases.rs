//! For each control of the cluster what makes it fail, and what it must not be judged without.
#![allow(clippy::unwrap_used)]

use crate::evidence::Fact;
use crate::evidence::cluster::sample::*;
use crate::evidence::cluster::*;

/// AKS on Azure Local.
pub(super) fn azure_local() -> ClusterEvidence {
    let mut cluster = good();
    cluster.platform_said = Some("aks-arc".to_owned());
    cluster
}

pub(super) type Change = fn(&mut ClusterEvidence);

/// One control: where it passes, what makes it fail there, and the path whose being forbidden leaves it open.
pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) base: fn() -> ClusterEvidence,
    pub(super) fails: Change,
    /// What the finding must then name.
    pub(super) names: &'static str,
    pub(super) forbid: &'static str,
}

const fn case(id: &'static str, forbid: &'static str, names: &'static str, fails: Change) -> Case {
    Case { id, base: good, fails, names, forbid }
}

fn of_container(cluster: &mut ClusterEvidence, change: impl Fn(&mut Container)) {
    change(&mut cluster.pods.items[3].containers[0]);
}

fn grant(cluster: &mut ClusterEvidence, verbs: &str, groups: &str, resources: &str) {
    cluster.roles.items.push(cluster_role("own", verbs, groups, resources));
    cluster.bindings.items.push(cluster_binding("own", "own", "User", "mallory"));
}

const MALLORY: &str = "User mallory";

pub(super) static CASES: [Case; 65] = [
    case("kubernetes-in-support", "version", "ended", |c| {
        c.version = Fact::Known(ClusterVersion { git: "v1.32.9".into(), platform: Fact::Absent });
    }),
    case("kubernetes-newest-patch", "version", "1.36.1", |c| {
        c.version = Fact::Known(ClusterVersion { git: "v1.36.1".into(), platform: Fact::Absent });
    }),
    Case {
        id: "azure-local-patch-waiting",
        base: azure_local,
        fails: |c| c.azure.upgrades.items.push(AzureUpgrade { name: "1.36.7".into(), preview: false }),
        names: "1.36.7",
        forbid: "azure.upgrades",
    },
    case("kubelets-within-skew", "nodes", "kubelet of node2", |c| {
        c.nodes.items[1].kubelet_version = Fact::Known("v1.37.0".into());
    }),
    case("kube-proxy-within-skew", "workloads", "DaemonSet kube-system/kube-proxy", |c| {
        c.workloads.items[1].images = vec!["registry.k8s.io/kube-proxy:v1.32.0".into()];
    }),
    case("control-plane-within-skew", "pods", "kube-system/kube-scheduler-node1", |c| {
        c.pods.items[1].containers[0].image = Fact::Known("registry.k8s.io/kube-scheduler:v1.34.0".into());
    }),
    case("container-runtimes-in-support", "nodes", "node2", |c| {
        c.nodes.items[1].container_runtime = Fact::Known("containerd://1.6.20".into());
    }),
    case("arc-agents-upgrade-themselves", "arc", "auto_upgrade", |c| c.arc.auto_upgrade = Fact::Known(false)),
    case("arc-agents-version-in-support", "arc", "outdated", |c| c.arc.agent_version = Fact::Known("1.33.0".into())),
    case("arc-agents-upgrade-not-blocked", "arc", "outdated", |c| c.arc.agent_version = Fact::Known("1.30.1".into())),
    case("arc-agents-available", "workloads", "Deployment azure-arc/config-agent", |c| {
        c.workloads.items[2].ready = Fact::Known(0);
    }),
    case("extensions-upgrade-themselves", "arc.extensions", "defender", |c| {
        c.arc.extensions.items[0].auto_upgrade = Fact::Known(false);
    }),
    case("extensions-installed", "arc.extensions", "defender", |c| {
        c.arc.extensions.items[0].installed = Fact::Known(false);
    }),
    case("extensions-synced", "arc.extensions", "defender", |c| {
        c.arc.extensions.items[0].synced = Fact::Known(false);
    }),
    case("arc-connection-alive", "azure", "Expired", |c| {
        if let Fact::Known(azure) = &mut c.azure.connected_cluster {
            azure.connectivity = Fact::Known("Expired".into());
        }
    }),
    case("arc-identity-not-ending", "azure", "2026-09-10", |c| {
        if let Fact::Known(azure) = &mut c.azure.connected_cluster {
            azure.certificate_expires = Fact::Known("2026-09-10T00:00:00Z".parse().unwrap());
        }
    }),
    case("windows-nodes-in-support", "nodes", "win1", |c| {
        c.nodes.items[2].kernel = Fact::Known("10.0.25398.1".into());
    }),
    case("defender-for-containers", "workloads", "add_ons.defender_workloads", |c| {
        c.workloads.items.retain(|one| one.namespace != "mdc");
    }),
    case("defender-sensor-well", "workloads", "microsoft-defender-collector-ds", |c| {
        c.workloads.items[3].ready = Fact::Known(1);
    }),
    case("azure-policy-well", "workloads", "gatekeeper-audit", |c| c.workloads.items[4].ready = Fact::Known(0)),
    case("flux-well", "workloads", "source-controller", |c| c.workloads.items[5].observed = Fact::Known(false)),
    case("secret-store-well", "workloads", "secrets-store-csi-driver", |c| {
        c.workloads.items[6].ready = Fact::Known(1);
    }),
    case("nodes-ready", "nodes", "node2", |c| c.nodes.items[1].conditions[0].status = "Unknown".into()),
    case("secrets-encrypted-at-rest", "pods", "encryption", |c| {
        c.pods.items[0].containers[0].command = Fact::Known(vec!["kube-apiserver".into()]);
    }),
    case("api-server-clock", "clock", "-3599", |c| c.clock = Fact::Known("2026-09-01T11:00:00Z".parse().unwrap())),
    case("namespaces-guarded", "namespaces", "shop", |c| c.namespaces.items[2].pod_security.clear()),
    case("pods-not-privileged", "pods", "shop/web main", |c| of_container(c, |one| one.privileged = Fact::Known(true))),
    case("pods-no-host-pid", "pods", "shop/web", |c| c.pods.items[3].host_pid = true),
    case("pods-no-host-ipc", "pods", "shop/web", |c| c.pods.items[3].host_ipc = true),
    case("pods-no-host-network", "pods", "shop/web", |c| c.pods.items[3].host_network = true),
    case("pods-no-escalation", "pods", "shop/web main", |c| {
        of_container(c, |one| one.allow_privilege_escalation = Fact::Absent);
    }),
    case("pods-not-root", "pods", "shop/web main", |c| of_container(c, |one| one.run_as_non_root = Fact::Absent)),
    case("pods-no-raw-packets", "pods", "shop/web main", |c| of_container(c, |one| one.capabilities_dropped.clear())),
    case("pods-no-capabilities", "pods", "shop/web main", |c| {
        of_container(c, |one| one.capabilities_added = vec!["SYS_ADMIN".into()]);
    }),
    case("pods-no-windows-host-process", "pods", "shop/web main", |c| {
        of_container(c, |one| one.host_process = Fact::Known(true));
    }),
    case("pods-no-host-paths", "pods", "shop/web", |c| c.pods.items[3].host_paths = vec!["/".into()]),
    case("pods-no-host-ports", "pods", "shop/web main", |c| of_container(c, |one| one.host_ports = vec![443])),
    case("network-plugin-enforces", "workloads", "enforces", |c| {
        c.workloads.items[0].workload = "kube-flannel-ds".into();
    }),
    case("namespaces-network-policies", "network_policies", "shop", |c| c.network_policies.items.clear()),
    case("default-accounts-no-token", "service_accounts", "shop", |c| {
        c.service_accounts.items[0].automount_token = Fact::Absent;
    }),
    case("pods-no-default-token", "pods", "shop/web", |c| {
        c.pods.items[3].service_account = Fact::Known("default".into());
        c.pods.items[3].automount_token = Fact::Known(true);
    }),
    case("secrets-not-in-environment", "pods", "shop/web main", |c| {
        of_container(c, |one| one.secrets_in_environment = true);
    }),
    case("secrets-from-vault", "csi_drivers", "present", |c| c.csi_drivers.items.clear()),
    case("pods-seccomp", "pods", "shop/web main", |c| of_container(c, |one| one.seccomp = Fact::Absent)),
    case("pods-security-context", "pods", "shop/web main", |c| {
        of_container(c, |one| {
            *one = Container {
                privileged: Fact::Absent,
                allow_privilege_escalation: Fact::Absent,
                run_as_non_root: Fact::Absent,
                seccomp: Fact::Absent,
                capabilities_dropped: Vec::new(),
                ..one.clone()
            };
        });
    }),
    case("default-namespace-empty", "workloads", "Deployment default/x", |c| {
        c.workloads.items.push(workload("Deployment", "default", "x", 1));
    }),
    case("validating-webhooks-fail-closed", "admission", "ValidatingWebhookConfiguration own", |c| {
        c.admission.items[0].fails_closed = false;
    }),
    case("cluster-admin-holders", "bindings", MALLORY, |c| {
        c.bindings.items.push(cluster_binding("own", "cluster-admin", "User", "mallory"));
    }),
    case("secrets-readers", "bindings", MALLORY, |c| grant(c, "list", "core", "secrets")),
    case("no-wildcard-rights", "roles", MALLORY, |c| grant(c, "get", "*", "widgets")),
    case("pod-creators", "bindings", MALLORY, |c| grant(c, "create", "core", "pods")),
    case("masters-group-not-bound", "bindings", "Group system:masters", |c| {
        c.bindings.items.push(cluster_binding("own", "view", "Group", "system:masters"));
    }),
    case("rights-not-escalated", "roles", MALLORY, |c| grant(c, "impersonate", "core", "users")),
    case("volume-creators", "roles", MALLORY, |c| grant(c, "create", "core", "persistentvolumes")),
    case("node-proxy-users", "roles", MALLORY, |c| grant(c, "get", "core", "nodes/proxy")),
    case("certificate-approvers", "roles", MALLORY, |c| {
        grant(c, "update", "certificates.k8s.io", "certificatesigningrequests/approval");
    }),
    case("webhook-changers", "roles", MALLORY, |c| {
        grant(c, "patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations");
    }),
    case("token-makers", "roles", MALLORY, |c| grant(c, "create", "core", "serviceaccounts/token")),
    case("nothing-without-login", "roles", "Group system:unauthenticated", |c| {
        c.bindings.items.push(cluster_binding("own", "view", "Group", "system:unauthenticated"));
    }),
    case("nothing-for-everybody", "roles", "Group system:serviceaccounts", |c| {
        c.bindings.items.push(cluster_binding("own", "view", "Group", "system:serviceaccounts"));
    }),
    case("default-accounts-not-bound", "bindings", "ServiceAccount shop/default", |c| {
        c.bindings.items.push(cluster_binding("own", "view", "ServiceAccount", "shop/default"));
    }),
    case("kubelet-serving-requests-answered", "signing_requests", "csr-1", |c| {
        c.signing_requests.items[0].state = "pending".into();
    }),
    case("control-plane-not-published", "services", "shop/web", |c| c.services.items[0].control_plane = true),
    case("control-plane-not-published", "endpoint_slices", "EndpointSlice shop/way leads to 10.0.0.4", |c| {
        c.endpoint_slices.items.push(EndpointSlice {
            name: "shop/way".into(),
            namespace: "shop".into(),
            service: "web".into(),
            ports: vec![6443],
            targets: vec![SliceTarget { address: "10.0.0.4".into(), pod: false }],
        });
    }),
    Case {
        id: "azure-local-ssh-restricted",
        base: azure_local,
        fails: |c| {
            if let Fact::Known(azure) = &mut c.azure.provisioned_cluster {
                azure.ssh_authorized_ranges = Fact::Absent;
            }
        },
        names: "ssh_authorized_ranges",
        forbid: "azure",
    },
];
