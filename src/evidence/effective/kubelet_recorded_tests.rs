#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Every field against what a real kubelet said that it runs with (`tests/samples/kubelet/`).

use super::super::super::{ChannelKind, Listing, Process};
use super::*;
use serde_json::Value as Json;

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../tests/samples/kubelet/", $name))
    };
}

const FOLDER: &str = "/var/lib/kubelet";

fn file(name: &str, text: &str) -> ConfigFile {
    ConfigFile {
        path: format!("{FOLDER}/{name}"),
        sha256: Fact::Unread,
        modified: Fact::Unread,
        document: Fact::Known(serde_saphyr::from_str(text).unwrap()),
        unread: None,
    }
}

/// The tree for a kubelet with the sample's files, of which it names those in its arguments.
fn effective(args: &str) -> Reading {
    let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
    node.unread.clear();
    node.kubelet.exists = Fact::Known(true);
    node.kubelet.version = Fact::Known("1.36.2".to_owned());
    node.kubelet.config_file = Fact::Known(file("config.yaml", sample!("config.yaml")));
    node.kubelet.drop_ins = Listing::whole(vec![
        file("config.d/30-ignored.yaml", sample!("config.d/30-ignored.yaml")),
        file("config.d/20-second.conf", sample!("config.d/20-second.conf")),
        file("config.d/10-first.conf", sample!("config.d/10-first.conf")),
    ]);
    node.kubelet.process = Fact::Known(Process {
        pid: 1,
        uid: Fact::Unread,
        exe: Fact::Unread,
        args: Fact::Known(format!("kubelet {args}").split_whitespace().map(str::to_owned).collect()),
        unit: Fact::Unread,
        started: Fact::Unread,
        container: Fact::Unread,
        rejected: String::new(),
    });
    Reading::of_node(&node).at("kubelet.effective")
}

/// The log writes Go's names of the fields, which differ in case alone.
fn recorded<'a>(mut json: &'a Json, path: &str) -> &'a Json {
    for name in path.split('.') {
        let entries = json.as_object().unwrap();
        json = entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap_or_else(|| panic!("{path}")).1;
    }
    json
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Absent => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(int) => Json::from(*int),
        Value::Text(text) => Json::from(text.as_ref()),
        Value::List { items, gap: None } => items.iter().map(|item| as_json(&item.value)).collect(),
        other => panic!("{other:?}"),
    }
}

fn compare(args: &str, log: &str) {
    let log: Json = serde_json::from_str(log).unwrap();
    let tree = effective(args);
    for field in &FIELDS {
        let said = recorded(&log, field.path);
        let want = match (field.path, said) {
            // The pair that it made for itself is not a setting.
            ("tlsCertFile" | "tlsPrivateKeyFile", _) => Json::Null,
            // Empty is read as TLS 1.2.
            ("tlsMinVersion", Json::String(text)) if text.is_empty() => Json::from("VersionTLS12"),
            (_, Json::String(text)) if text.is_empty() => Json::Null,
            (_, Json::Array(items)) if items.is_empty() => Json::Null,
            (_, said) => said.clone(),
        };
        let reading = tree.at(field.path);
        assert_eq!(as_json(&reading.value), want, "{} with {args:?} ({:?})", field.path, reading.origin);
    }
    if let Json::Object(gates) = recorded(&log, "featureGates") {
        for (gate, on) in gates {
            assert_eq!(as_json(&tree.at(&format!("featureGates.{gate}")).value), *on, "{gate}");
        }
    }
}

#[test]
fn a_bare_kubelet() {
    compare("", sample!("bare.json"));
}

#[test]
fn a_config_file() {
    compare("--config /var/lib/kubelet/config.yaml", sample!("file.json"));
}

#[test]
fn a_config_file_with_drop_ins_and_flags() {
    compare(
        "--config=/var/lib/kubelet/config.yaml --config-dir /var/lib/kubelet/config.d --feature-gates=MemoryQoS=true \
         --event-qps=7 --seccomp-default=false --anonymous-auth=false --streaming-connection-idle-timeout=0 \
         --tls-min-version=VersionTLS13",
        sample!("layers.json"),
    );
}

#[test]
fn drop_ins_without_a_config_file() {
    compare(
        "--config-dir=/var/lib/kubelet/config.d --make-iptables-util-chains=false --protect-kernel-defaults \
         --tls-cipher-suites=TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384 --read-only-port 10256",
        sample!("drop-ins-alone.json"),
    );
}
