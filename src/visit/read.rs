//! Reading one node: connect by its way, run the collector, tell what came.

use super::Progress;
use crate::channel::ssh::{Login, Ssh, SshOptions};
use crate::channel::{Ask, Channel, Limits, local::Local};
use crate::evidence::{ChannelKind, NodeEvidence};
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
    // Both scripts, one after the other on the same channel.
    let collect = |channel: &mut dyn Channel, name, address| {
        let mut found = collect_with(channel, name, address, limits, &aid);
        collect_packages(channel, &mut found, limits, packages);
        found
    };
    match &target.way {
        Way::Local => {
            tell(Progress::Done(Box::new(collect(&mut Local, node, None))));
        }
        Way::Ssh { host, port, user, identity } => {
            let login = Login { node, host, port: *port, user: user.as_deref(), identity: identity.as_deref() };
            match Ssh::connect(&login, ssh, limits, ask) {
                Ok(mut channel) => {
                    for message in channel.warnings() {
                        tell(Progress::Warning { node: node.to_owned(), message: message.clone() });
                    }
                    tell(Progress::Done(Box::new(collect(&mut channel, node, Some(host)))));
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
