//! Reading one node: connect by its way, run the collector, tell what came.

use super::Progress;
use crate::channel::ssh::{Destination, Ssh, SshOptions};
use crate::channel::{Ask, Channel, Limits, local::Local};
use crate::evidence::{ChannelKind, Fact, NodeEvidence, Reason, ServerOffer, Unread};
use crate::probe::node::{Aid, Step, collect_packages, collect_with};
use crate::site::{NodeTarget, Way};

/// By which channel a target is read.
pub(super) fn channel_kind(target: &NodeTarget) -> ChannelKind {
    match target.way {
        Way::Local => ChannelKind::Local,
        Way::Ssh { .. } => ChannelKind::Ssh,
    }
}

/// The target's address, for the document. None for this machine.
pub(super) fn address(target: &NodeTarget) -> Option<&str> {
    match &target.way {
        Way::Local => None,
        Way::Ssh { host, .. } => Some(host),
    }
}

/// Where an SSH target is to be found. None for this machine.
pub(super) fn destination(target: &NodeTarget) -> Option<Destination<'_>> {
    let Way::Ssh { host, port, user, identity, jump } = &target.way else { return None };
    Some(Destination {
        node: &target.name,
        host,
        port: *port,
        user: user.as_deref(),
        identity: identity.as_deref(),
        jump: jump.as_deref(),
    })
}

/// Adds what the SSH server offers, or why that was not seen.
fn with_offer(mut node: NodeEvidence, offer: Result<ServerOffer, (Reason, &str)>) -> NodeEvidence {
    match offer {
        Ok(offer) => node.ssh_offer = Fact::Known(offer),
        Err((reason, why)) => {
            node.unread.push(Unread { path: "ssh_offer".to_owned(), reason, detail: why.to_owned() });
        }
    }
    node
}

/// A node that was just reached by SSH lets somebody in: rules that say nobody were not understood.
fn came_in(mut node: NodeEvidence) -> NodeEvidence {
    if node.firewall.ssh_sources.known().is_some_and(Vec::is_empty) {
        node.firewall.ssh_sources = Fact::Unread;
        let detail = "by the node's rules nobody could reach SSH, and yet this program did: they are not understood";
        let path = "firewall.ssh_sources".to_owned();
        node.unread.push(Unread { path, reason: Reason::Unsupported, detail: detail.to_owned() });
    }
    node
}

/// Why a server's offer was not heard, although there was one.
const NOT_HEARD: (Reason, &str) = if cfg!(unix) {
    (Reason::Malformed, "the first packet of the SSH server could not be understood")
} else {
    (Reason::NotVisible, "this system does not let the first packet of an SSH server be seen")
};

/// Reads one node. `tell` hears `Done` before the channel is closed, since closing an SSH session can block.
pub(super) fn read(
    target: &NodeTarget,
    ssh: &SshOptions,
    limits: &Limits,
    packages: bool,
    ask: &dyn Ask,
    tell: &dyn Fn(Progress),
) {
    let node = target.name.as_str();
    tell(Progress::Connecting { node: node.to_owned() });
    let step = |step| {
        let node = node.to_owned();
        tell(match step {
            Step::Reading => Progress::Collecting { node },
            Step::Asking => Progress::Asking { node },
            Step::Warning(message) => Progress::Warning { node, message },
        });
    };
    let aid = Aid { ask, passwords: &ssh.passwords, tell: &step };
    let collect = |channel: &mut dyn Channel, name, address| {
        let mut read = collect_with(channel, name, address, limits, &aid);
        collect_packages(channel, &mut read, limits, packages);
        read
    };
    match &target.way {
        Way::Local => {
            let read = collect(&mut Local, node, None);
            tell(Progress::Done(Box::new(with_offer(
                read,
                Err((Reason::NotVisible, "this machine was read without SSH")),
            ))));
        }
        Way::Ssh { host, .. } => {
            let Some(destination) = destination(target) else { return };
            let warn = |message: &str| {
                tell(Progress::Warning { node: node.to_owned(), message: message.to_owned() });
            };
            match Ssh::reach(&destination, ssh, limits, ask, &warn) {
                Ok(mut channel) => {
                    channel.warnings().iter().for_each(|message| warn(message));
                    let read = came_in(collect(&mut channel, node, Some(host)));
                    let offer = channel.server_offer().cloned().ok_or(NOT_HEARD);
                    tell(Progress::Done(Box::new(with_offer(read, offer))));
                }
                Err(error) => tell(Progress::Done(Box::new(NodeEvidence::unread(
                    node,
                    Some(host),
                    ChannelKind::Ssh,
                    error.reason,
                    &error.message,
                )))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_was_reached_is_not_one_that_nobody_reaches() {
        let mut node = NodeEvidence::unread("n", None, ChannelKind::Ssh, Reason::Unreachable, "");
        for (sources, after) in [
            (Fact::Known(Vec::new()), Fact::Unread),
            (Fact::Known(vec!["10.0.0.0/8".to_owned()]), Fact::Known(vec!["10.0.0.0/8".to_owned()])),
        ] {
            node.firewall.ssh_sources = sources;
            node.unread.clear();
            node = came_in(node);
            assert_eq!(node.firewall.ssh_sources, after);
            assert_eq!(node.unread.iter().any(|gap| gap.path == "firewall.ssh_sources"), after == Fact::Unread);
        }
    }
}
