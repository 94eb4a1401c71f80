//! The settings of kube-apiserver.
//!
//! Flags and defaults as in `pkg/controlplane/apiserver/options`, `pkg/kubeapiserver/options` and
//! `staging/src/k8s.io/apiserver/pkg/server/options` of Kubernetes 1.36.2, compared with the reference page of
//! kubernetes.io from before 1.26 and the plugins of 1.28.0. What changed in between: the limits of audit logs in 1.36
//! (CHANGELOG-1.36), anonymous requests in the authentication configuration since 1.31, and the list of admission plugins.

use super::super::{Gap, Reading, Reason, Value};
use super::branch::Branch;
use super::flags::{self, Dialect};
use super::program::{Derived, File, Program, Setting, flag};
use super::running::Running;
use super::settings::{Default, Kind, Minor, Versions};
use std::collections::BTreeSet;

/// kube-apiserver.
pub(super) static APISERVER: Program = Program {
    key: "kube_apiserver",
    versions: Versions { program: "kube-apiserver", major: 1, minors: 24..=36 },
    dialect: Dialect::Pflag,
    settings: &SETTINGS,
    booleans: &BOOLEANS,
    file: File::None,
    environment: "",
    elsewhere: "openshift-config",
    derived: &[
        ("admissionPlugins", Derived::List),
        ("encryptionProviders", Derived::List),
        ("featureGates", Derived::Free),
    ],
};

#[rustfmt::skip]
static SETTINGS: [Setting; 41] = [
    flag("admissionControlConfigFile", Kind::Path, "admission-control-config-file", Default::Unset),
    flag("anonymousAuth", Kind::Bool, "anonymous-auth", Default::Bool(true)),
    flag("auditLogMaxage", Kind::Int, "audit-log-maxage", Default::Since(36, 0, 366)),
    flag("auditLogMaxbackup", Kind::Int, "audit-log-maxbackup", Default::Since(36, 0, 100)),
    // Up to 1.35 the flag's own default is 0, which the log's writer takes for 100 MB.
    flag("auditLogMaxsize", Kind::Int, "audit-log-maxsize", Default::Int(100)),
    flag("auditLogPath", Kind::Path, "audit-log-path", Default::Unset),
    flag("auditPolicyFile", Kind::Path, "audit-policy-file", Default::Unset),
    flag("auditWebhookConfigFile", Kind::Path, "audit-webhook-config-file", Default::Unset),
    flag("authenticationConfig", Kind::Path, "authentication-config", Default::Unset),
    flag("authorizationConfig", Kind::Path, "authorization-config", Default::Unset),
    flag("authorizationMode", Kind::List, "authorization-mode", Default::One("AlwaysAllow")),
    flag("bindAddress", Kind::Text, "bind-address", Default::Text("0.0.0.0")),
    flag("clientCaFile", Kind::Path, "client-ca-file", Default::Unset),
    flag("disableAdmissionPlugins", Kind::List, "disable-admission-plugins", Default::Unset),
    flag("enableAdmissionPlugins", Kind::List, "enable-admission-plugins", Default::Unset),
    flag("enableBootstrapTokenAuth", Kind::Bool, "enable-bootstrap-token-auth", Default::Bool(false)),
    flag("encryptionProviderConfig", Kind::Path, "encryption-provider-config", Default::Unset),
    flag("etcdCafile", Kind::Path, "etcd-cafile", Default::Unset),
    flag("etcdCertfile", Kind::Path, "etcd-certfile", Default::Unset),
    flag("etcdKeyfile", Kind::Path, "etcd-keyfile", Default::Unset),
    flag("etcdServers", Kind::List, "etcd-servers", Default::Unset),
    flag("kubeletCertificateAuthority", Kind::Path, "kubelet-certificate-authority", Default::Unset),
    flag("kubeletClientCertificate", Kind::Path, "kubelet-client-certificate", Default::Unset),
    flag("kubeletClientKey", Kind::Path, "kubelet-client-key", Default::Unset),
    flag("profiling", Kind::Bool, "profiling", Default::Bool(true)),
    flag("proxyClientCertFile", Kind::Path, "proxy-client-cert-file", Default::Unset),
    flag("requestTimeout", Kind::Duration, "request-timeout", Default::Duration(60)),
    flag("requestheaderAllowedNames", Kind::List, "requestheader-allowed-names", Default::Unset),
    flag("requestheaderClientCaFile", Kind::Path, "requestheader-client-ca-file", Default::Unset),
    flag("securePort", Kind::Int, "secure-port", Default::Int(6443)),
    flag("serviceAccountExtendTokenExpiration", Kind::Bool, "service-account-extend-token-expiration", Default::Bool(true)),
    flag("serviceAccountIssuer", Kind::List, "service-account-issuer", Default::Unset),
    flag("serviceAccountKeyFile", Kind::List, "service-account-key-file", Default::Unset),
    flag("serviceAccountLookup", Kind::Bool, "service-account-lookup", Default::Bool(true)),
    flag("serviceAccountSigningEndpoint", Kind::Path, "service-account-signing-endpoint", Default::Unset),
    flag("serviceAccountSigningKeyFile", Kind::Path, "service-account-signing-key-file", Default::Unset),
    flag("tlsCertFile", Kind::Path, "tls-cert-file", Default::Unset),
    flag("tlsCipherSuites", Kind::List, "tls-cipher-suites", Default::Unset),
    // Empty, which is read as TLS 1.2 (component-base, DefaultTLSVersion).
    flag("tlsMinVersion", Kind::Text, "tls-min-version", Default::Text("VersionTLS12")),
    flag("tlsPrivateKeyFile", Kind::Path, "tls-private-key-file", Default::Unset),
    flag("tokenAuthFile", Kind::Path, "token-auth-file", Default::Unset),
];

static BOOLEANS: [&str; 20] = [
    "aggregator-reject-forwarding-redirect",
    "allow-privileged",
    "audit-log-batch-throttle-enable",
    "audit-log-compress",
    "audit-log-truncate-enabled",
    "audit-webhook-batch-throttle-enable",
    "audit-webhook-truncate-enabled",
    "contention-profiling",
    "disable-http2-serving",
    "emulation-forward-compatible",
    "enable-aggregator-routing",
    "enable-garbage-collector",
    "enable-logs-handler",
    "enable-priority-and-fairness",
    "encryption-provider-config-automatic-reload",
    "kubelet-https",
    "permit-address-sharing",
    "permit-port-sharing",
    "shutdown-send-retry-after",
    "watch-cache",
];

/// Admission plugins that are on by default, each with the minor version that first had it so; 0 is before all that are
/// known here.
const ON: [(&str, u32); 27] = [
    ("CertificateApproval", 0),
    ("CertificateSigning", 0),
    ("CertificateSubjectRestriction", 0),
    ("ClusterTrustBundleAttest", 27),
    ("DefaultIngressClass", 0),
    ("DefaultStorageClass", 0),
    ("DefaultTolerationSeconds", 0),
    ("JobValidation", 36),
    ("LimitRanger", 0),
    ("MutatingAdmissionPolicy", 32),
    ("MutatingAdmissionWebhook", 0),
    ("NamespaceLifecycle", 0),
    ("NodeDeclaredFeatureValidator", 35),
    ("PersistentVolumeClaimResize", 0),
    ("PodGroupProtection", 36),
    ("PodGroupWorkloadExists", 36),
    ("PodResizeValidator", 36),
    ("PodSecurity", 0),
    ("PodTopologyLabels", 33),
    ("Priority", 0),
    ("ResourceQuota", 0),
    ("RuntimeClass", 0),
    ("ServiceAccount", 0),
    ("StorageObjectInUseProtection", 0),
    ("TaintNodesByCondition", 0),
    ("ValidatingAdmissionPolicy", 26),
    ("ValidatingAdmissionWebhook", 0),
];

/// First minor version whose authentication configuration may hold the settings of anonymous requests.
const ANONYMOUS_IN_FILE: u32 = 31;

/// k3s hands its API server an encryption configuration of its own from `k3s secrets-encrypt enable` on, before there is a key
/// (k3s-io/k3s pull request 13370), and still after `disable`.
pub(super) const K3S_ENCRYPTION: &str = "k3s names its encryption configuration too where nothing is encrypted yet, or no more; the \
     file holds keys and is never read: `k3s secrets-encrypt status` on a server tells";

/// Whether an encryption configuration is that of k3s.
pub(super) fn is_k3s_own(path: &str) -> bool {
    path.ends_with("/k3s/server/cred/encryption-config.json")
}

/// Adds what follows from several settings together.
pub(super) fn derive(running: &Running<'_>, effective: &mut Branch) {
    let value = |effective: &Branch, name: &str| effective.get(name).map(|reading| reading.value.clone());
    // The file has an order of authorizers of its own, and is not read.
    if let Some(Value::Text(_)) = value(effective, "authorizationConfig") {
        let why = "--authorization-config names a file that sets it, which is not read";
        effective.put(&["authorizationMode"], Reading::unread(Reason::NotVisible, why));
    }
    if let Some(anonymous) = anonymous(running, effective) {
        effective.put(&["anonymousAuth"], anonymous);
    }
    effective.put(&["admissionPlugins"], admission_plugins(running));
    let providers = match value(effective, "encryptionProviderConfig") {
        Some(Value::Absent) | None => Value::Absent,
        Some(Value::Unread(gap)) => Value::Unread(gap),
        Some(Value::Text(path)) if is_k3s_own(&path) => Value::Unread(Gap::new(Reason::NotVisible, K3S_ENCRYPTION)),
        Some(_) => Value::Unread(Gap::new(
            Reason::NotVisible,
            "the encryption configuration holds keys, so that it is never read",
        )),
    };
    effective.put(&["encryptionProviders"], Reading::new(providers));
    effective.put(&["featureGates"], running.feature_gates(&[]));
}

/// Whether anonymous requests are let in, where that is not what the flag or its default says.
fn anonymous(running: &Running<'_>, effective: &Branch) -> Option<Reading> {
    let flagged = effective.get("anonymousAuth")?;
    if flagged.value == Value::Bool(false) {
        return None;
    }
    let given = running.flags.last("anonymous-auth").is_some();
    match effective.get("authenticationConfig").map(|reading| &reading.value) {
        // With the flag beside it the file may not set it too: the server would not start.
        Some(Value::Text(_)) if !given => match running.program.versions.of(running.version.as_deref()) {
            Minor::Known(minor) if minor < ANONYMOUS_IN_FILE => {}
            _ => {
                let why = "--authentication-config names a file that may set it, which is not read";
                return Some(Reading::unread(Reason::NotVisible, why));
            }
        },
        Some(Value::Unread(gap)) if !given => return Some(Reading::new(Value::Unread(gap.clone()))),
        _ => {}
    }
    match effective.get("authorizationMode").map(|reading| &reading.value) {
        Some(Value::List { items, .. }) => {
            let open = items.iter().any(|item| matches!(&item.value, Value::Text(mode) if &**mode == "AlwaysAllow"));
            let why = "kube-apiserver turns it off beside the authorization mode AlwaysAllow";
            open.then(|| Reading::with_origin(Value::Bool(false), why))
        }
        _ => None,
    }
}

/// The admission plugins that are on: those of this version, those that a flag adds, without those that a flag takes away.
fn admission_plugins(running: &Running<'_>) -> Reading {
    let (enable, disable) = ("enable-admission-plugins", "disable-admission-plugins");
    let hidden = |flag: &str| !running.is_process() && running.flags.all(flag).iter().any(|text| text.contains("$("));
    if hidden(enable) || hidden(disable) {
        return Reading::unread(Reason::NotVisible, "the pod takes the admission plugins from a variable");
    }
    let enabled: BTreeSet<&str> = flags::list(running.flags.all(enable)).into_iter().collect();
    let disabled: BTreeSet<&str> = flags::list(running.flags.all(disable)).into_iter().collect();
    let default = running.default(Default::Bool(true));
    let (minor, gap) = match (&default.value, running.program.versions.of(running.version.as_deref())) {
        (Value::Unread(gap), _) => (None, Some(gap.clone())),
        (_, Minor::Known(minor)) => (Some(minor), None),
        // What every version has on is on; what only later ones have may be.
        _ => (Some(0), Some(running.version_gap.clone())),
    };
    let on = ON.iter().filter(|(name, since)| {
        minor.is_some_and(|minor| *since <= minor) && !disabled.contains(name) && !enabled.contains(name)
    });
    let of_default = on.map(|(name, _)| Reading { value: Value::Text((*name).into()), origin: default.origin.clone() });
    let origin = running.origin(enable);
    let of_flag = enabled.iter().map(|name| Reading::with_origin(Value::Text((*name).into()), origin.as_str()));
    // Those that somebody asked for first: they tell more.
    let list = Reading::list(of_flag.chain(of_default).collect(), gap);
    let default = default.origin.as_deref().unwrap_or("the defaults");
    Reading::with_origin(list.value, format!("{origin}, over the {default}"))
}
