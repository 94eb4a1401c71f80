//! Whether the person is at the node itself. The local channel alone does not say so: somebody who came by SSH and called
//! this program with sudo looks the same, and a fresh local channel would prove nothing for them.

use crate::evidence::{ChannelKind, NodeEvidence};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;
use std::collections::BTreeSet;

/// Whether the node was read by the local channel, from no address.
pub(super) fn is_local(node: &NodeEvidence) -> bool {
    node.channel == ChannelKind::Local && node.login.known().is_some_and(|login| login.from.known().is_none())
}

/// The ports of every sshd: as it is set, and as it listens.
pub(super) fn ports(node: &NodeEvidence) -> BTreeSet<u16> {
    let dumps = node.sshd.daemons.items.iter().flat_map(|daemon| &daemon.dumps.items);
    let set = dumps.filter_map(|dump| dump.settings.known()?.get("port")).flatten();
    let mut ports: BTreeSet<u16> = set.filter_map(|port| port.parse().ok()).collect();
    let bound = node.listeners.items.iter().filter(|one| one.process.known().is_some_and(|name| name == "sshd"));
    ports.extend(bound.filter(|one| one.exposed).filter_map(|one| u16::try_from(one.port).ok()));
    ports
}

/// A line of shell that ends with 0 where nobody is connected to these ports.
fn nobody(ports: &BTreeSet<u16>) -> String {
    let ports: Vec<String> = ports.iter().map(|port| format!("{port:04X}")).collect();
    format!(
        "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p=' {} ' '$4 == \"01\" {{ n = split($2, a, \":\"); \
         if (index(p, \" \" a[n] \" \")) f = 1 }} END {{ exit f }}'",
        ports.join(" ")
    )
}

/// What is to be read for [`is_alone`].
pub(super) fn want(ports: &BTreeSet<u16>) -> Want {
    Want::Tell(nobody(ports))
}

/// Whether nobody is connected by SSH, so that a person at the local channel came by something else.
pub(super) fn is_alone(ports: &BTreeSet<u16>, fresh: &Fresh) -> bool {
    fresh.told(&nobody(ports)).is_some()
}

/// Refuses where somebody who came by SSH could shut themselves out by a change that the local channel cannot prove.
pub(super) fn refuse_unless_alone(ports: &BTreeSet<u16>, fresh: &Fresh) -> Result<(), Refusal> {
    if is_alone(ports, fresh) {
        return Ok(());
    }
    Err(Refusal::new(
        "somebody is connected to this node by SSH, maybe you, and from here it is not seen whether they could come again. Run \
         this program on your own machine with --node, so that a second login proves it, or end those connections",
    ))
}
