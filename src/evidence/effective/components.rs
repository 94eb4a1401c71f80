//! What the control plane's components, etcd and kube-proxy really run with.

use super::super::listed::Listed;
use super::super::{Component, Gap, NodeEvidence, Reading, Value};
use super::branch::Branch;
use super::program::Program;
use super::running::Running;
use super::{apiserver, etcd, gap_at, kube_proxy, managers};

/// The components of a node, in the order of the evidence.
pub(super) fn programs(node: &NodeEvidence) -> [(&'static Program, &Component); 5] {
    [
        (&kube_proxy::KUBE_PROXY, &node.kube_proxy),
        (&apiserver::APISERVER, &node.kube_apiserver),
        (&managers::CONTROLLER_MANAGER, &node.kube_controller_manager),
        (&managers::SCHEDULER, &node.kube_scheduler),
        (&etcd::ETCD, &node.etcd),
    ]
}

/// Adds `effective` to each component of the tree, and `listen_urls` to etcd. Where a component does not run they are
/// absent, and nothing is derived.
pub(super) fn attach(node: &NodeEvidence, listed: Option<&Listed<'_>>, root: &mut Reading) {
    for (program, component) in programs(node) {
        let exists = root.at(&format!("{}.exists", program.key));
        let branch = match exists.value {
            Value::Bool(true) => Running::of(program, component, listed, root).map(|running| {
                let mut effective = running.settings();
                derive(&running, &mut effective);
                effective
            }),
            Value::Unread(gap) => Err(gap),
            Value::Bool(false) | Value::Absent => {
                put(root, program.key, Reading::new(Value::Absent), || Reading::list(Vec::new(), None));
                continue;
            }
            _ => Err(gap_at(root, &format!("{}.exists", program.key))),
        };
        match branch {
            Ok(effective) => {
                let urls = etcd::listen_urls(&effective);
                put(root, program.key, effective.reading(), || urls);
            }
            Err(gap) => put(root, program.key, unread(&gap), || unread(&gap)),
        }
    }
}

fn unread(gap: &Gap) -> Reading {
    Reading::new(Value::Unread(gap.clone()))
}

fn put(root: &mut Reading, key: &'static str, effective: Reading, urls: impl FnOnce() -> Reading) {
    root.change(key, |component| {
        component.insert("effective", effective);
        if key == etcd::ETCD.key {
            component.insert("listen_urls", urls());
        }
    });
}

fn derive(running: &Running<'_>, effective: &mut Branch) {
    match running.program.key {
        "kube_apiserver" => apiserver::derive(running, effective),
        "kube_controller_manager" => managers::derive_controller_manager(running, effective),
        "kube_scheduler" => managers::derive_scheduler(running, effective),
        "kube_proxy" => kube_proxy::derive(running, effective),
        _ => {}
    }
}

#[cfg(test)]
#[path = "components_tests.rs"]
mod tests;
