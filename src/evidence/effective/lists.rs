//! What conditions ask and no record holds as such: impostors, the addresses of etcd, encryption below the node.

use super::super::{Component, Fact, Gap, NodeEvidence, Process, Reading, Reason, Value};

/// Adds `rejected_processes`, `etcd.listen_urls` and `encrypted_below` to a node's tree.
pub(super) fn attach(node: &NodeEvidence, root: &mut Reading) {
    let rejected = rejected_processes(node, root);
    root.insert("rejected_processes", rejected);
    let below = encrypted_below(root);
    root.insert("encrypted_below", below);
    let exists = root.at("etcd.exists");
    let urls = match exists.value {
        Value::Unread(_) => exists,
        Value::Bool(true) => listen_urls(&node.etcd),
        _ => Reading::list(Vec::new(), None),
    };
    root.change("etcd", |etcd| etcd.insert("listen_urls", urls));
}

/// Whether something beneath the node encrypts its disks: nothing does on bare metal. What the host of a virtual machine
/// or a container does cannot be seen from inside.
fn encrypted_below(root: &Reading) -> Reading {
    let virtualization = root.at("virtualization");
    match &virtualization.value {
        Value::Text(kind) if &**kind == "none" => Reading::with_origin(Value::Bool(false), "the node is no guest"),
        Value::Unread(_) => virtualization,
        _ => Reading::unread(
            Reason::NotVisible,
            "the node is a guest, and whether its host encrypts the disks cannot be seen from inside: ask who runs the host",
        ),
    }
}

fn components(node: &NodeEvidence) -> [(&'static str, &[Process]); 7] {
    [
        ("sshd", &node.sshd.rejected),
        ("kubelet", &node.kubelet.rejected),
        ("kube-proxy", &node.kube_proxy.rejected),
        ("kube-apiserver", &node.kube_apiserver.rejected),
        ("kube-controller-manager", &node.kube_controller_manager.rejected),
        ("kube-scheduler", &node.kube_scheduler.rejected),
        ("etcd", &node.etcd.rejected),
    ]
}

/// Every process that calls itself like a component and does not count. Complete only where the processes were read.
fn rejected_processes(node: &NodeEvidence, root: &Reading) -> Reading {
    let items = components(node)
        .into_iter()
        .flat_map(|(component, rejected)| rejected.iter().map(move |process| (component, process)))
        .map(|(component, process)| {
            let mut item = Reading::whole(process);
            item.insert("name", Reading::text(format!("{component}, pid {}", process.pid)));
            item.insert("component", Reading::text(component));
            item
        })
        .collect();
    let gap = match root.at("kubelet.exists").value {
        Value::Unread(gap) => Some(gap),
        _ => None,
    };
    Reading::list(items, gap)
}

/// The addresses that etcd was told to listen on, from its command line.
fn listen_urls(etcd: &Component) -> Reading {
    let Some(args) = etcd.process.known().and_then(|process| process.args.known()) else {
        return Reading::unread(Reason::Forbidden, "the command line of etcd was not read");
    };
    if value_of(args, "--config-file").is_some() {
        return Reading::unread(Reason::NotVisible, "etcd reads a configuration file, which this version does not");
    }
    let environment = etcd.static_pod.known().map(|pod| &pod.environment_names);
    let mut items = Vec::new();
    for (flag, variable) in [
        ("--listen-client-urls", "ETCD_LISTEN_CLIENT_URLS"),
        ("--listen-peer-urls", "ETCD_LISTEN_PEER_URLS"),
        ("--listen-metrics-urls", "ETCD_LISTEN_METRICS_URLS"),
    ] {
        match value_of(args, flag) {
            Some(urls) => items.extend(urls.split(',').map(|url| listen_url(flag, url.trim()))),
            None => match environment {
                // Without flag and variable etcd listens on loopback, or (metrics) nowhere.
                Some(Fact::Known(names)) if !names.iter().any(|name| name == variable) => {}
                _ => {
                    let gap = Gap::new(Reason::NotVisible, "the environment of etcd was not read");
                    return Reading::list(items, Some(gap));
                }
            },
        }
    }
    Reading::list(items, None)
}

fn listen_url(flag: &str, url: &str) -> Reading {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let loopback = host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
    let local = loopback || url.starts_with("unix://") || url.starts_with("unixs://");
    Reading::map([
        ("name", Reading::text(format!("{flag} {url}"))),
        ("flag", Reading::text(flag)),
        ("url", Reading::text(url)),
        ("loopback", Reading::new(Value::Bool(local))),
    ])
}

/// The value of a flag, `--flag=value` or `--flag value`; the last one counts, as Go's flag package has it.
fn value_of<'a>(args: &'a [String], flag: &str) -> Option<&'a str> {
    let mut found = None;
    for (position, arg) in args.iter().enumerate() {
        if let Some(value) = arg.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            found = Some(value);
        } else if arg == flag {
            found = args.get(position + 1).map(String::as_str);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::super::StaticPod;
    use super::*;

    fn etcd(args: &[&str], environment: Fact<Vec<String>>) -> Component {
        let process = Process {
            pid: 7,
            uid: Fact::Known(0),
            exe: Fact::Unread,
            args: Fact::Known(args.iter().map(|arg| (*arg).to_owned()).collect()),
            unit: Fact::Unread,
            started: Fact::Unread,
            container: Fact::Known(true),
            rejected: String::new(),
        };
        let pod = StaticPod {
            path: "/etc/kubernetes/manifests/etcd.yaml".into(),
            image: Fact::Unread,
            command: Fact::Unread,
            environment_names: environment,
            host_network: Fact::Unread,
            unread: None,
        };
        Component { process: Fact::Known(process), static_pod: Fact::Known(pod), ..Component::default() }
    }

    fn urls(reading: &Reading) -> Vec<(String, bool)> {
        let Value::List { items, .. } = &reading.value else { panic!("{reading:?}") };
        items
            .iter()
            .map(|item| match (item.child("url").value, item.child("loopback").value) {
                (Value::Text(url), Value::Bool(local)) => (url.to_string(), local),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn encryption_by_the_host_of_a_guest_is_not_known() {
        let on = |kind: Reading| encrypted_below(&Reading::map([("virtualization", kind)])).value;
        assert_eq!(on(Reading::text("none")), Value::Bool(false));
        assert!(matches!(on(Reading::text("microsoft")), Value::Unread(gap) if gap.reason == Reason::NotVisible));
        assert!(
            matches!(on(Reading::unread(Reason::Timeout, "")), Value::Unread(gap) if gap.reason == Reason::Timeout)
        );
    }

    #[test]
    fn addresses_of_a_kubeadm_etcd() {
        let args = [
            "etcd",
            "--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.4:2379",
            "--listen-peer-urls=https://10.0.0.4:2380",
            "--listen-metrics-urls=http://127.0.0.1:2381",
        ];
        let reading = listen_urls(&etcd(&args, Fact::Known(Vec::new())));
        assert_eq!(urls(&reading).len(), 4);
        assert!(urls(&reading).contains(&("http://127.0.0.1:2381".into(), true)));
        assert!(matches!(reading.value, Value::List { gap: None, .. }));
    }

    #[test]
    fn a_missing_flag_is_a_default_only_where_the_environment_was_read() {
        let args = ["etcd", "--listen-client-urls=http://0.0.0.0:2379"];
        let told = listen_urls(&etcd(&args, Fact::Known(Vec::new())));
        assert!(matches!(told.value, Value::List { gap: None, .. }));
        assert_eq!(urls(&told), [("http://0.0.0.0:2379".into(), false)]);
        let untold = listen_urls(&etcd(&args, Fact::Unread));
        assert!(matches!(untold.value, Value::List { gap: Some(_), .. }));
    }
}
