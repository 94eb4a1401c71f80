//! What a component really runs with: command line, the configuration file that it names, drop-ins, environment,
//! then the defaults of that very version; every value with its origin.

mod apiserver;
mod branch;
mod cluster;
mod components;
mod differences;
mod duration;
mod endpoint;
mod etcd;
mod flags;
mod kube_proxy;
mod kubelet;
mod kubelet_configz;
mod kubelet_fields;
mod kubelet_resolve;
mod layers;
mod lists;
mod managers;
mod program;
mod resolve;
mod running;
mod settings;
mod shape;
mod sshd;
mod sshd_config;
mod sshd_keywords;
mod sshd_lines;
mod sshd_match;
mod sshd_origin;

pub(super) use cluster::attach as attach_cluster;
pub(crate) use cluster::is_moc_name;
pub use cluster::{Published, derived_shapes as derived_cluster_shapes, platform_ids, platform_of};
pub(super) use endpoint::attach as attach_endpoint;
pub use endpoint::derived_shapes as derived_endpoint_shapes;
pub(crate) use kubelet_fields::flag_of as kubelet_flag;
pub use shape::{Shape, derived_shapes};
pub(crate) use sshd::options_of as sshd_options;
pub use sshd_config::{Directive, MatchBlock, Place, SshdConfig};
pub(crate) use sshd_keywords::{accumulates as sshd_accumulates, canonical as sshd_canonical};
pub(crate) use sshd_lines::{
    glob as sshd_glob, glob_path as sshd_glob_path, words as sshd_words, written as sshd_line,
};
pub use sshd_match::{Applies, Criterion};

use super::listed::Listed;
use super::{Gap, NodeEvidence, Reading, Reason, Value};
use differences::Differences;
use jiff::{SignedDuration, Timestamp};

/// Adds to a node's tree what is derived from it: `kubelet.effective`, `kubelet.flags`, `kubelet.config_stale`, `effective`
/// of the control plane's components, etcd and kube-proxy, `sshd.contexts`, `rejected_processes`, `etcd.listen_urls`,
/// `encrypted_below`, `unloaded_manifests`; and with what the API shows of the node (`listed`) `disagreements`. Pure: reads nothing
/// but the evidence.
pub(super) fn attach(node: &NodeEvidence, listed: Option<&Listed<'_>>, root: &mut Reading) {
    let mut differences = Differences::default();
    kubelet::attach(node, listed, root, &mut differences);
    components::attach(node, listed, root);
    sshd::attach(node, root);
    lists::attach(node, root);
    let programs = components::programs(node);
    differences::attach_unloaded(&programs, root);
    if let Some(listed) = listed {
        differences::attach_disagreements(node, listed, &programs, differences, root);
    }
}

/// Whether a file changed so much later than a process read it that it counts: `/proc` tells starts by the tick, counted
/// from a boot time in whole seconds.
fn changed_after(modified: Timestamp, loaded: Timestamp) -> bool {
    modified.duration_since(loaded) > SignedDuration::from_secs(2)
}

/// Why the reading at `path` is missing, as the tree tells it; for a list, why it may be incomplete.
fn gap_at(root: &Reading, path: &str) -> Gap {
    match root.at(path).value {
        Value::Unread(gap) | Value::List { gap: Some(gap), .. } => gap,
        _ => Gap::new(Reason::NotVisible, "the evidence does not hold it"),
    }
}
