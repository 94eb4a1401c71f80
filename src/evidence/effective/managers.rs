//! The settings of kube-controller-manager and kube-scheduler.
//!
//! Flags and defaults as in `cmd/kube-controller-manager/app/options`, `cmd/kube-scheduler/app/options` and what they
//! share with the API server, of Kubernetes 1.36.2. Since 1.24 both serve by TLS alone; what they bind to by default is
//! every address, however often it is said to be the loopback one.

use super::branch::Branch;
use super::flags::Dialect;
use super::program::{Derived, File, Program, Setting, filed, flag};
use super::running::Running;
use super::settings::{Default, Kind, Versions};

/// kube-controller-manager.
pub(super) static CONTROLLER_MANAGER: Program = Program {
    key: "kube_controller_manager",
    versions: Versions { program: "kube-controller-manager", major: 1, minors: 24..=36 },
    dialect: Dialect::Pflag,
    settings: &CONTROLLER_MANAGER_SETTINGS,
    booleans: &[
        "allocate-node-cidrs",
        "allow-untagged-cloud",
        "authentication-skip-lookup",
        "authentication-tolerate-lookup-failure",
        "configure-cloud-routes",
        "contention-profiling",
        "disable-attach-detach-reconcile-sync",
        "disable-force-detach-on-timeout",
        "disable-http2-serving",
        "emulation-forward-compatible",
        "enable-dynamic-provisioning",
        "enable-garbage-collector",
        "enable-hostpath-provisioner",
        "enable-leader-migration",
        "leader-elect",
        "permit-address-sharing",
        "permit-port-sharing",
    ],
    file: File::None,
    environment: "",
    elsewhere: "openshift-config",
    derived: &[("featureGates", Derived::Free)],
};

#[rustfmt::skip]
static CONTROLLER_MANAGER_SETTINGS: [Setting; 16] = [
    flag("authenticationKubeconfig", Kind::Path, "authentication-kubeconfig", Default::Unset),
    flag("authorizationKubeconfig", Kind::Path, "authorization-kubeconfig", Default::Unset),
    flag("bindAddress", Kind::Text, "bind-address", Default::Text("0.0.0.0")),
    flag("clusterSigningCertFile", Kind::Path, "cluster-signing-cert-file", Default::Unset),
    flag("clusterSigningKeyFile", Kind::Path, "cluster-signing-key-file", Default::Unset),
    flag("profiling", Kind::Bool, "profiling", Default::Bool(true)),
    flag("rootCaFile", Kind::Path, "root-ca-file", Default::Unset),
    flag("securePort", Kind::Int, "secure-port", Default::Int(10257)),
    flag("serviceAccountPrivateKeyFile", Kind::Path, "service-account-private-key-file", Default::Unset),
    flag("terminatedPodGcThreshold", Kind::Int, "terminated-pod-gc-threshold", Default::Int(12500)),
    flag("tlsCertFile", Kind::Path, "tls-cert-file", Default::Unset),
    flag("tlsCipherSuites", Kind::List, "tls-cipher-suites", Default::Unset),
    flag("tlsMinVersion", Kind::Text, "tls-min-version", Default::Text("VersionTLS12")),
    flag("tlsPrivateKeyFile", Kind::Path, "tls-private-key-file", Default::Unset),
    flag("clientCaFile", Kind::Path, "client-ca-file", Default::Unset),
    flag("useServiceAccountCredentials", Kind::Bool, "use-service-account-credentials", Default::Bool(false)),
];

/// kube-scheduler.
pub(super) static SCHEDULER: Program = Program {
    key: "kube_scheduler",
    versions: Versions { program: "kube-scheduler", major: 1, minors: 24..=36 },
    dialect: Dialect::Pflag,
    settings: &SCHEDULER_SETTINGS,
    booleans: &[
        "authentication-skip-lookup",
        "authentication-tolerate-lookup-failure",
        "contention-profiling",
        "disable-http2-serving",
        "emulation-forward-compatible",
        "leader-elect",
        "permit-address-sharing",
        "permit-port-sharing",
    ],
    // `--profiling` is ignored where a configuration file is given.
    file: File::ForItsOwn("config"),
    environment: "",
    elsewhere: "",
    derived: &[("featureGates", Derived::Free)],
};

#[rustfmt::skip]
static SCHEDULER_SETTINGS: [Setting; 10] = [
    flag("authenticationKubeconfig", Kind::Path, "authentication-kubeconfig", Default::Unset),
    flag("authorizationKubeconfig", Kind::Path, "authorization-kubeconfig", Default::Unset),
    flag("bindAddress", Kind::Text, "bind-address", Default::Text("0.0.0.0")),
    filed("profiling", Kind::Bool, "profiling", "enableProfiling", Default::Bool(true)),
    flag("securePort", Kind::Int, "secure-port", Default::Int(10259)),
    flag("tlsCertFile", Kind::Path, "tls-cert-file", Default::Unset),
    flag("tlsCipherSuites", Kind::List, "tls-cipher-suites", Default::Unset),
    flag("tlsMinVersion", Kind::Text, "tls-min-version", Default::Text("VersionTLS12")),
    flag("tlsPrivateKeyFile", Kind::Path, "tls-private-key-file", Default::Unset),
    flag("clientCaFile", Kind::Path, "client-ca-file", Default::Unset),
];

/// Adds the feature gates of the controller manager.
pub(super) fn derive_controller_manager(running: &Running<'_>, effective: &mut Branch) {
    effective.put(&["featureGates"], running.feature_gates(&["RotateKubeletServerCertificate"]));
}

/// Adds the feature gates of the scheduler.
pub(super) fn derive_scheduler(running: &Running<'_>, effective: &mut Branch) {
    effective.put(&["featureGates"], running.feature_gates(&[]));
}
