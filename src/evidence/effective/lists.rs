//! What conditions ask and no record holds as such: impostors, encryption below the node.

use super::super::{NodeEvidence, Process, Reading, Reason, Value};
use super::gap_at;

/// Adds `rejected_processes` and `encrypted_below` to a node's tree.
pub(super) fn attach(node: &NodeEvidence, root: &mut Reading) {
    let rejected = rejected_processes(node, root);
    root.insert("rejected_processes", rejected);
    let below = encrypted_below(root);
    root.insert("encrypted_below", below);
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
    // The API may tell of a kubelet; that the processes were looked at it does not.
    let gap = node.kubelet.exists.is_unread().then(|| gap_at(root, "kubelet.process"));
    Reading::list(items, gap)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn encryption_by_the_host_of_a_guest_is_not_known() {
        let on = |kind: Reading| encrypted_below(&Reading::map([("virtualization", kind)])).value;
        assert_eq!(on(Reading::text("none")), Value::Bool(false));
        assert!(matches!(on(Reading::text("microsoft")), Value::Unread(gap) if gap.reason == Reason::NotVisible));
        assert!(
            matches!(on(Reading::unread(Reason::Timeout, "")), Value::Unread(gap) if gap.reason == Reason::Timeout)
        );
    }
}
