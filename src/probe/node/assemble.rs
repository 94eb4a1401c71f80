//! The collector's answer as evidence: every field from its record, every gap with its reason.

use super::answer::Answer;
use super::component::{self, KINDS, Sources};
use super::document::Table;
use super::frames::Frames;
use super::manifest::Manifests;
use super::process::Procs;
use super::{certs, defences, files, firewall, host, keys, listeners, mdatp, sshd, units, volumes};
use crate::evidence::{Fact, NodeEvidence};

/// Fills `node`, of which name, address, channel and errors are set and nothing else is read yet.
///
/// Nothing is guessed: what a record does not tell stays unread, with an entry in `unread` that says why. What is missing
/// because the answer was cut has no entry; the caller covers it with one at the root.
pub(super) fn assemble(frames: &Frames, mut node: NodeEvidence) -> NodeEvidence {
    let mut answer = Answer::new(frames);
    let answer = &mut answer;
    let clock = host::fill(answer, &mut node);
    let procs = Procs::read(answer, &clock);
    node.volumes = volumes::read(answer);
    node.ssh_units = units::ssh(answer);
    defences::fill(answer, &mut node);
    node.sshd = sshd::read(answer, &procs);
    node.users = keys::users(answer);
    node.authorized_keys = keys::authorized(answer);
    node.listeners = listeners::read(answer, &clock);
    node.firewall = firewall::read(answer, &node);
    let table = Table::read(answer);
    let manifests = Manifests::read(answer, &table);
    let sources = Sources { procs: &procs, table: &table, manifests: &manifests };
    for kind in &KINDS {
        let component = component::read(answer, kind, &sources);
        let place = match kind.path {
            "kubelet" => &mut node.kubelet,
            "kube_proxy" => &mut node.kube_proxy,
            "kube_apiserver" => &mut node.kube_apiserver,
            "kube_controller_manager" => &mut node.kube_controller_manager,
            "kube_scheduler" => &mut node.kube_scheduler,
            _ => &mut node.etcd,
        };
        *place = component;
    }
    let (files, roles) = files::read(answer);
    node.files = files;
    node.certificates = certs::read(answer, &roles);
    if node.mdatp.present == Fact::Known(false) {
        mdatp::absent(&mut node.mdatp);
    }
    node.unread.append(&mut answer.unread);
    node
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "samples_tests.rs"]
mod samples;
