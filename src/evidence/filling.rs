//! What a channel did not see of a node and the API shows: it is filled in, each value with where it comes from.

use super::listed::{Instance, Listed, Told};
use super::{ChannelKind, Fact, Gap, NodeEvidence, Reading, Reason, Value, os_image};

/// Origin of what the Node object says.
const NODE_OBJECT: &str = "the Node object";

/// Components of the control plane: where they stand in the evidence, and their names.
pub(super) const CONTROL_PLANE: [(&str, &str); 4] = [
    ("kube_apiserver", "kube-apiserver"),
    ("kube_controller_manager", "kube-controller-manager"),
    ("kube_scheduler", "kube-scheduler"),
    ("etcd", "etcd"),
];

/// Fills in what `node` lacks.
pub(super) fn fill(node: &NodeEvidence, listed: &Listed<'_>, root: &mut Reading) {
    let object = listed.node;
    if let Some(gap) = object.silence() {
        return silent(node, listed, &gap, root);
    }
    let text = |fact: &Fact<String>| fact.known().map(|text| Value::Text(text.as_str().into()));
    let machine = machine_id(listed);
    let version = object.kubelet_version.known().map(|version| version.strip_prefix('v').unwrap_or(version));
    let system = object.os_image.known().and_then(|image| os_image::read(image));
    let os_version = system.as_ref().and_then(|system| system.version.as_deref());
    let of_object: [(&[&'static str], Option<Value>); 8] = [
        (&["os", "pretty_name"], text(&object.os_image)),
        (&["os", "id"], system.as_ref().map(|system| Value::Text(system.id.into()))),
        (&["os", "version_id"], os_version.map(|version| Value::Text(version.into()))),
        (&["kernel", "running"], text(&object.kernel)),
        (&["architecture"], object.architecture.known().map(|name| Value::Text(machine_name(name).into()))),
        (&["identity", "machine_id"], machine.map(|id| Value::Text(id.into()))),
        (&["kubelet", "exists"], Some(Value::Bool(true))),
        (&["kubelet", "version"], version.map(|version| Value::Text(version.into()))),
    ];
    for (path, value) in of_object {
        if let Some(value) = value {
            root.supply(path, Reading::with_origin(value, NODE_OBJECT));
        }
    }
    for (key, name) in CONTROL_PLANE {
        match listed.component(name) {
            Told::Pod(instance) => of_pod(key, name, &instance, root),
            Told::NoPod => no_pod(node, key, name, listed, root),
            Told::Unread(gap) => say(node, key, gap, root),
        }
    }
    match listed.component("kube-proxy") {
        Told::Pod(instance) => of_pod("kube_proxy", "kube-proxy", &instance, root),
        Told::NoPod => say(
            node,
            "kube_proxy",
            Gap::new(
                Reason::NotVisible,
                "the API lists no pod of it here; it may run outside of any pod, or not at all",
            ),
            root,
        ),
        Told::Unread(gap) => say(node, "kube_proxy", gap, root),
    }
}

/// The machine id that the Node object has.
fn machine_id(listed: &Listed<'_>) -> Option<String> {
    listed.node.machine_id.known().and_then(|id| super::matching::machine(id))
}

/// The cluster no longer hears from the node: what its kubelet said is old, and what runs there nobody knows. Which machine
/// it is does not change with time.
fn silent(node: &NodeEvidence, listed: &Listed<'_>, gap: &Gap, root: &mut Reading) {
    if let Some(id) = machine_id(listed) {
        root.supply(&["identity", "machine_id"], Reading::with_origin(Value::Text(id.into()), NODE_OBJECT));
    }
    if node.channel != ChannelKind::Api {
        return; // what the channel did not see has a reason of its own
    }
    let of_object: [&[&'static str]; 7] = [
        &["os", "pretty_name"],
        &["os", "id"],
        &["os", "version_id"],
        &["kernel", "running"],
        &["architecture"],
        &["kubelet", "exists"],
        &["kubelet", "version"],
    ];
    for path in of_object {
        root.supply(path, Reading::new(Value::Unread(gap.clone())));
    }
    for key in CONTROL_PLANE.iter().map(|(key, _)| *key).chain(["kube_proxy"]) {
        say(node, key, gap.clone(), root);
    }
}

/// A pod of the component is here.
fn of_pod(key: &'static str, name: &str, instance: &Instance<'_>, root: &mut Reading) {
    let origin = format!("{} through the API", instance.named());
    root.supply(&[key, "exists"], Reading::with_origin(Value::Bool(true), origin.as_str()));
    if let Some(version) = instance.version() {
        root.supply(&[key, "version"], Reading::with_origin(Value::Text(version.into()), origin.as_str()));
    }
    let hidden = || Reading::unread(Reason::NotVisible, "the API shows the pod, and not where its manifest lies");
    let list = |texts: &[String]| Reading::list(texts.iter().map(|text| Reading::text(text.as_str())).collect(), None);
    let told = |value: Option<Reading>| {
        let value = value.map(|value| Reading::with_origin(value.value, origin.as_str()));
        value.unwrap_or_else(|| Reading::unread(Reason::NotVisible, "the API did not show it"))
    };
    let container = instance.container;
    let image = container.and_then(|container| container.image.known());
    let environment = container.and_then(|container| container.environment_names.known());
    if instance.pod.mirror {
        let pod = Reading::map([
            ("path", hidden()),
            ("image", told(image.map(|image| Reading::text(image.as_str())))),
            ("command", told(instance.command(name).map(list))),
            ("environment_names", told(environment.map(|names| list(names)))),
            ("host_network", told(Some(Reading::new(Value::Bool(instance.pod.host_network))))),
        ]);
        root.supply(&[key, "static_pod"], pod);
    }
}

/// No pod of the component is here, and all pods were read.
fn no_pod(node: &NodeEvidence, key: &'static str, name: &str, listed: &Listed<'_>, root: &mut Reading) {
    if listed.is_windows() {
        let nothing = Reading::with_origin(Value::Bool(false), "a Windows node runs no control plane");
        return root.supply(&[key, "exists"], nothing);
    }
    match listed.has_role(if name == "etcd" { "etcd" } else { "control-plane" }) {
        Some(false) => {
            let origin = "the API lists no pod of it here, and the node has no role in the control plane";
            root.supply(&[key, "exists"], Reading::with_origin(Value::Bool(false), origin));
        }
        Some(true) => {
            let why = "the node has a role in the control plane, and the API lists no pod of this component: it may run within another program, such as k3s";
            say(node, key, Gap::new(Reason::NotVisible, why), root);
        }
        None => say(node, key, listed.why_own("labels"), root),
    }
}

/// Says why the API does not tell either, where no channel has a reason of its own.
fn say(node: &NodeEvidence, key: &'static str, gap: Gap, root: &mut Reading) {
    if node.channel == ChannelKind::Api {
        root.supply(&[key, "exists"], Reading::new(Value::Unread(gap)));
    }
}

/// The kernel's name of an architecture that Go names `name`.
pub(super) fn machine_name(name: &str) -> &str {
    match name {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i686",
        "arm" => "armv7l",
        "loong64" => "loongarch64",
        other => other,
    }
}
