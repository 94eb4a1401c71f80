//! The kubelet settings that are resolved: their place in KubeletConfiguration (v1beta1), their flag, their default.
//!
//! Defaults as in `pkg/kubelet/apis/config/v1beta1/defaults.go` and `applyLegacyDefaults` of
//! `cmd/kubelet/app/options/options.go`, compared over 1.20, 1.26, 1.27, 1.31, 1.36 and 1.37.

use super::flags::Takes;
use super::settings::{Default, Kind, Versions};
use super::shape::Shape;
use std::collections::BTreeMap;

/// The kubelets whose defaults are known here.
pub(super) const VERSIONS: Versions = Versions { program: "kubelet", major: 1, minors: 20..=37 };

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// Name of the flag that sets it; empty where there is none.
    pub(super) flag: &'static str,
    /// Default where a configuration file is given, and for most fields where none is.
    pub(super) default: Default,
    /// Default of the bare command line, where it is another.
    pub(super) legacy: Option<Default>,
    /// Whether a zero in a configuration file means "the default".
    pub(super) zero_is_unset: bool,
}

const fn field(path: &'static str, kind: Kind, flag: &'static str, default: Default) -> Field {
    let zero_is_unset = matches!(kind, Kind::Duration | Kind::Text | Kind::Path);
    Field { path, kind, flag, default, legacy: None, zero_is_unset }
}

const fn legacy(path: &'static str, kind: Kind, flag: &'static str, default: Default, legacy: Default) -> Field {
    let Field { zero_is_unset, .. } = field(path, kind, flag, default);
    Field { path, kind, flag, default, legacy: Some(legacy), zero_is_unset }
}

const fn nonzero(path: &'static str, flag: &'static str, default: Default) -> Field {
    Field { path, kind: Kind::Int, flag, default, legacy: None, zero_is_unset: true }
}

/// Every field that is resolved. `featureGates` is resolved gate by gate beside this table.
#[rustfmt::skip]
pub(super) const FIELDS: [Field; 40] = [
    field("enableServer", Kind::Bool, "enable-server", Default::Bool(true)),
    field("staticPodPath", Kind::Path, "pod-manifest-path", Default::Unset),
    field("staticPodURL", Kind::Text, "manifest-url", Default::Unset),
    field("address", Kind::Text, "address", Default::Text("0.0.0.0")),
    nonzero("port", "port", Default::Int(10250)),
    legacy("readOnlyPort", Kind::Int, "read-only-port", Default::Int(0), Default::Int(10255)),
    field("tlsCertFile", Kind::Path, "tls-cert-file", Default::Unset),
    field("tlsPrivateKeyFile", Kind::Path, "tls-private-key-file", Default::Unset),
    field("tlsCipherSuites", Kind::List, "tls-cipher-suites", Default::Unset),
    // The field's own default is empty, which the kubelet reads as TLS 1.2 (component-base, DefaultTLSVersion).
    field("tlsMinVersion", Kind::Text, "tls-min-version", Default::Text("VersionTLS12")),
    field("rotateCertificates", Kind::Bool, "rotate-certificates", Default::Bool(false)),
    field("serverTLSBootstrap", Kind::Bool, "rotate-server-certificates", Default::Bool(false)),
    legacy("authentication.anonymous.enabled", Kind::Bool, "anonymous-auth", Default::Bool(false), Default::Bool(true)),
    legacy("authentication.webhook.enabled", Kind::Bool, "authentication-token-webhook", Default::Bool(true), Default::Bool(false)),
    field("authentication.webhook.cacheTTL", Kind::Duration, "authentication-token-webhook-cache-ttl", Default::Duration(120)),
    field("authentication.x509.clientCAFile", Kind::Path, "client-ca-file", Default::Unset),
    legacy("authorization.mode", Kind::Text, "authorization-mode", Default::Text("Webhook"), Default::Text("AlwaysAllow")),
    field("authorization.webhook.cacheAuthorizedTTL", Kind::Duration, "authorization-webhook-cache-authorized-ttl", Default::Duration(300)),
    field("authorization.webhook.cacheUnauthorizedTTL", Kind::Duration, "authorization-webhook-cache-unauthorized-ttl", Default::Duration(30)),
    field("eventRecordQPS", Kind::Int, "event-qps", Default::Since(27, 5, 50)),
    nonzero("eventBurst", "event-burst", Default::Since(27, 10, 100)),
    field("registryPullQPS", Kind::Int, "registry-qps", Default::Int(5)),
    nonzero("registryBurst", "registry-burst", Default::Int(10)),
    field("enableDebuggingHandlers", Kind::Bool, "enable-debugging-handlers", Default::Bool(true)),
    field("enableContentionProfiling", Kind::Bool, "contention-profiling", Default::Bool(false)),
    field("healthzPort", Kind::Int, "healthz-port", Default::Int(10248)),
    field("healthzBindAddress", Kind::Text, "healthz-bind-address", Default::Text("127.0.0.1")),
    field("streamingConnectionIdleTimeout", Kind::Duration, "streaming-connection-idle-timeout", Default::Duration(4 * 3600)),
    field("podPidsLimit", Kind::Int, "pod-max-pids", Default::Int(-1)),
    nonzero("maxPods", "max-pods", Default::Int(110)),
    field("protectKernelDefaults", Kind::Bool, "protect-kernel-defaults", Default::Bool(false)),
    field("makeIPTablesUtilChains", Kind::Bool, "make-iptables-util-chains", Default::Bool(true)),
    field("failSwapOn", Kind::Bool, "fail-swap-on", Default::Bool(true)),
    field("containerLogMaxSize", Kind::Text, "container-log-max-size", Default::Text("10Mi")),
    field("containerLogMaxFiles", Kind::Int, "container-log-max-files", Default::Int(5)),
    field("allowedUnsafeSysctls", Kind::List, "allowed-unsafe-sysctls", Default::Unset),
    field("enableSystemLogHandler", Kind::Bool, "", Default::Bool(true)),
    field("enableProfilingHandler", Kind::Bool, "", Default::Bool(true)),
    field("enableDebugFlagsHandler", Kind::Bool, "", Default::Bool(true)),
    // Before 1.22 there was no such setting, and pods ran unconfined: as false does.
    field("seccompDefault", Kind::Bool, "seccomp-default", Default::Bool(false)),
];

/// Flags without a field that are known to be booleans.
const BOOLEANS: [&str; 19] = [
    "help",
    "version",
    "logtostderr",
    "alsologtostderr",
    "one-output",
    "skip-headers",
    "skip-log-headers",
    "runonce",
    "register-node",
    "cgroups-per-qos",
    "cpu-cfs-quota",
    "enable-controller-attach-detach",
    "fail-cgroupv1",
    "kernel-memcg-notification",
    "local-storage-capacity-isolation",
    "serialize-image-pulls",
    "exit-on-lock-contention",
    "allow-privileged",
    "experimental-allocatable-ignore-eviction",
];

/// Flags without a field that take a value.
const VALUES: [&str; 12] = [
    "config",
    "config-dir",
    "kubeconfig",
    "bootstrap-kubeconfig",
    "root-dir",
    "cert-dir",
    "hostname-override",
    "feature-gates",
    "node-ip",
    "node-labels",
    "container-runtime-endpoint",
    "v",
];

/// What a kubelet flag takes.
pub(super) fn takes(flag: &str) -> Takes {
    if let Some(field) = FIELDS.iter().find(|field| field.flag == flag) {
        return if field.kind == Kind::Bool { Takes::Bool } else { Takes::Value };
    }
    if BOOLEANS.contains(&flag) {
        Takes::Bool
    } else if VALUES.contains(&flag) {
        Takes::Value
    } else {
        Takes::Unknown
    }
}

/// The flag that sets a field, by the field's path. None where no flag does, or the field is not known here.
pub(crate) fn flag_of(path: &str) -> Option<&'static str> {
    FIELDS.iter().find(|field| field.path == path).map(|field| field.flag).filter(|flag| !flag.is_empty())
}

/// The kind of the field that a flag sets.
pub(super) fn kind_of_flag(flag: &str) -> Option<Kind> {
    match FIELDS.iter().find(|field| field.flag == flag) {
        Some(field) => Some(field.kind),
        None => BOOLEANS.contains(&flag).then_some(Kind::Bool),
    }
}

/// Shape of `kubelet.effective`.
pub(super) fn shape() -> Shape {
    let mut shape = Shape::Map(BTreeMap::new());
    for field in FIELDS {
        let mut path: Vec<&str> = field.path.split('.').collect();
        let leaf = if field.kind == Kind::List { Shape::List(Box::new(Shape::Leaf)) } else { Shape::Leaf };
        shape.put(&path, leaf);
        if field.kind == Kind::Duration
            && let Some(last) = path.pop()
        {
            let seconds = format!("{last}Seconds");
            path.push(&seconds);
            shape.put(&path, Shape::Leaf);
        }
    }
    shape.put(&["featureGates"], Shape::Free);
    shape
}
