//! The settings of kube-proxy.
//!
//! Flags, file and defaults as in `cmd/kube-proxy/app/options.go` and `pkg/proxy/apis/config/v1alpha1/defaults.go` of
//! Kubernetes 1.36.2. With `--config` the flags are ignored, apart from `--hostname-override` and those of the log.

use super::super::{Reading, Value};
use super::branch::Branch;
use super::flags::Dialect;
use super::program::{Derived, File, Program, Setting, filed};
use super::running::Running;
use super::settings::{Default, Kind, Versions};

/// kube-proxy.
pub(super) static KUBE_PROXY: Program = Program {
    key: "kube_proxy",
    versions: Versions { program: "kube-proxy", major: 1, minors: 24..=36 },
    dialect: Dialect::Pflag,
    settings: &SETTINGS,
    booleans: &[
        "bind-address-hard-fail",
        "cleanup",
        "conntrack-tcp-be-liberal",
        "init-only",
        "iptables-localhost-nodeports",
        "ipvs-strict-arp",
        "masquerade-all",
    ],
    file: File::ForItsOwn("config"),
    environment: "",
    elsewhere: "",
    derived: &[("metricsLoopback", Derived::Leaf)],
};

#[rustfmt::skip]
static SETTINGS: [Setting; 6] = [
    filed("bindAddress", Kind::Text, "bind-address", "bindAddress", Default::Text("0.0.0.0")),
    filed("enableProfiling", Kind::Bool, "profiling", "enableProfiling", Default::Bool(false)),
    filed("healthzBindAddress", Kind::Text, "healthz-bind-address", "healthzBindAddress", Default::Text("0.0.0.0:10256")),
    filed("metricsBindAddress", Kind::Text, "metrics-bind-address", "metricsBindAddress", Default::Text("127.0.0.1:10249")),
    filed("mode", Kind::Text, "proxy-mode", "mode", Default::Unset),
    filed("nodePortAddresses", Kind::List, "nodeport-addresses", "nodePortAddresses", Default::Unset),
];

/// Adds whether the metrics are for this machine alone. Absent where they are off.
pub(super) fn derive(running: &Running<'_>, effective: &mut Branch) {
    let off = running.layer.is_none()
        && (running.flags.last("metrics-bind-address") == Some("") || running.flags.last("metrics-port") == Some("0"));
    if off {
        let origin = running.origin("metrics-bind-address");
        effective.put(&["metricsBindAddress"], Reading::with_origin(Value::Absent, origin.as_str()));
        effective.put(&["metricsLoopback"], Reading::with_origin(Value::Absent, origin));
        return;
    }
    let Some(Reading { value, origin }) = effective.get("metricsBindAddress").cloned() else { return };
    let value = match value {
        Value::Text(address) => Value::Bool(is_loopback(&address)),
        other => other,
    };
    effective.put(&["metricsLoopback"], Reading { value, origin });
}

/// Whether `ADDRESS:PORT`, or an address alone, is this machine's own.
fn is_loopback(address: &str) -> bool {
    let host = match address.parse::<std::net::SocketAddr>() {
        Ok(socket) => return socket.ip().to_canonical().is_loopback(),
        Err(_) => address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}
