//! The way to a node: itself and the jump hosts before it, each with what was said and what is configured for it.

use super::config::Configured;
use super::known_hosts;
use super::{Login, SshOptions};
use crate::channel::ChannelError;
use crate::evidence::Reason;
use crate::site::{JumpHost, MOST_JUMPS, jump_hosts};
use std::path::{Path, PathBuf};

/// A node to reach, as far as a person said how. What they did not say is taken from [`SshOptions::config`].
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The target's name, for questions and messages.
    pub node: &'a str,
    /// Name or address, without brackets; may be a name of the configuration.
    pub host: &'a str,
    /// Port.
    pub port: Option<u16>,
    /// User on the node.
    pub user: Option<&'a str>,
    /// Key file for this node alone; tried before [`SshOptions::identities`].
    pub identity: Option<&'a Path>,
    /// Jump hosts on the way; none where it is empty.
    pub jump: Option<&'a [JumpHost]>,
}

/// One connection on the way.
#[derive(Debug)]
pub(super) struct Hop {
    /// For messages: the node's name; of a jump host the name as it was written.
    pub(super) name: String,
    host: String,
    port: u16,
    user: Option<String>,
    identity: Option<PathBuf>,
    /// The host as known_hosts files name it.
    pub(super) known_as: String,
    /// Names that a host certificate may be for.
    pub(super) principal: String,
    /// With what is configured for this host.
    pub(super) options: SshOptions,
    /// What the person should know.
    pub(super) warnings: Vec<String>,
}

impl Hop {
    /// As the login is spoken of.
    pub(super) fn login(&self) -> Login<'_> {
        Login {
            node: &self.name,
            host: &self.host,
            port: self.port,
            user: self.user.as_deref(),
            identity: self.identity.as_deref(),
        }
    }
}

/// How many connections the way to a node takes: one, and one for each jump host.
pub fn hops(destination: &Destination<'_>, options: &SshOptions) -> usize {
    route(destination, options).map_or(1, |hops| hops.len())
}

/// What is dialled for a node, as the SSH configuration has it: host and port, and whether jump hosts stand before it (or
/// should: a way that cannot be found counts as one that this seat does not see).
pub fn dialled(destination: &Destination<'_>, options: &SshOptions) -> (String, u16, bool) {
    match route(destination, options).map(|mut hops| (hops.len() > 1, hops.pop())) {
        Ok((jump, Some(last))) => (last.host, last.port, jump),
        _ => (destination.host.to_owned(), destination.port.unwrap_or(22), true),
    }
}

/// The jump hosts on the way to a node, as they are dialled: host and port.
pub fn by_way_of(destination: &Destination<'_>, options: &SshOptions) -> Vec<(String, u16)> {
    let mut hops = route(destination, options).unwrap_or_default();
    hops.pop();
    hops.into_iter().map(|hop| (hop.host, hop.port)).collect()
}

/// The connections on the way to a node, in their order; the last one is the node itself.
pub(super) fn route(destination: &Destination<'_>, options: &SshOptions) -> Result<Vec<Hop>, ChannelError> {
    let Destination { node, host, port, user, identity, jump } = *destination;
    let configured = options.config.of_host(host, user, port);
    let mut before = match (jump.or(options.jump.as_deref()), &configured.jump) {
        (Some(said), _) => said.to_vec(),
        (None, Some(text)) => jumps_of(node, host, text)?,
        (None, None) => Vec::new(),
    };
    let command = configured.command.clone().filter(|_| jump.is_none() && options.jump.is_none());
    let mut last = hop(node, host, port, user, configured, options);
    last.identity = identity.map(Path::to_owned);
    if let Some(place) = command {
        last.warnings.push(format!("{place}: `ProxyCommand` is not supported here: the node is reached without it"));
    }
    let mut hops = vec![last];
    let mut by_name: Vec<String> = vec![host.to_ascii_lowercase()];
    while let Some(jump) = before.pop() {
        if hops.len() > MOST_JUMPS {
            return Err(ChannelError::new(
                Reason::Unsupported,
                format!("{node}: the way there goes by more than {MOST_JUMPS} jump hosts. Name fewer"),
            ));
        }
        let configured = options.config.of_host(&jump.host, jump.user.as_deref(), jump.port);
        // A jump host may itself be behind others; only the first of a list is asked, as ssh does it.
        let further = configured.jump.clone().filter(|_| before.is_empty());
        let mut hop = hop(&jump.host, &jump.host, jump.port, jump.user.as_deref(), configured, options);
        // No node is ever sent a jump host's password, nor the other way round.
        hop.options.passwords = options.passwords.at(&hop.known_as);
        let name = jump.host.to_ascii_lowercase();
        if let Some(text) = further {
            let further = jumps_of(node, &jump.host, &text)?;
            // `Host *` with a jump host means everything but that jump host.
            let round = further.iter().any(|one| {
                let one = one.host.to_ascii_lowercase();
                one == name || by_name.contains(&one)
            });
            if !round {
                before = further;
            }
        }
        by_name.push(name);
        hops.insert(0, hop);
    }
    Ok(hops)
}

fn jumps_of(node: &str, host: &str, text: &str) -> Result<Vec<JumpHost>, ChannelError> {
    jump_hosts(text).map_err(|why| {
        ChannelError::new(
            Reason::Unsupported,
            format!(
                "{node}: the ProxyJump that is configured for {host} cannot be used: {why}. Correct the SSH configuration, or name the jump host with --jump"
            ),
        )
    })
}

fn hop(
    name: &str,
    host: &str,
    port: Option<u16>,
    user: Option<&str>,
    configured: Configured,
    options: &SshOptions,
) -> Hop {
    let port = port.or(configured.port).unwrap_or(22);
    let host = configured.host_name.unwrap_or_else(|| host.to_owned());
    let mut options = options.clone();
    if options.identities.is_empty() {
        if configured.only {
            options.identities = configured.identities;
            if options.identities.is_empty() {
                // As with ssh: its usual files, and of the agent nothing else.
                let usual = super::auth::usual_files();
                let here: Vec<PathBuf> = usual.iter().filter(|file| file.exists()).cloned().collect();
                options.identities = if here.is_empty() { usual } else { here };
            }
        } else {
            // As with ssh: files that are not there are no reason to stop.
            options.usual = configured.identities.into_iter().filter(|file| file.exists()).collect();
        }
    }
    options.certificates.extend(configured.certificates);
    Hop {
        name: name.to_owned(),
        known_as: configured.alias.clone().unwrap_or_else(|| known_hosts::host_name(&host, port)),
        principal: configured.alias.unwrap_or_else(|| host.clone()),
        port,
        user: user.map(str::to_owned).or(configured.user),
        identity: None,
        host,
        options,
        warnings: configured.warnings,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::SshConfig;
    use super::*;

    fn way(config: &str, jump: Option<&str>) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, config).unwrap();
        let options = SshOptions { config: SshConfig::file(file.path()), ..SshOptions::default() };
        let jump = jump.map(|text| jump_hosts(text).unwrap());
        let destination =
            Destination { node: "edge1", host: "e1", port: None, user: None, identity: None, jump: jump.as_deref() };
        let hops = route(&destination, &options).unwrap();
        let show = |hop: &Hop| {
            let login = hop.login();
            format!("{}@{}:{} {}", login.user.unwrap_or("-"), login.host, login.port, hop.known_as)
        };
        hops.iter().map(show).collect()
    }

    #[test]
    fn what_is_dialled_is_what_the_configuration_makes_of_a_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "Host e1\n HostName 10.0.0.4\n Port 2222\nHost e2\n ProxyJump gate\n").unwrap();
        let options = SshOptions { config: SshConfig::file(file.path()), ..SshOptions::default() };
        let of = |host| {
            let destination = Destination { node: host, host, port: None, user: None, identity: None, jump: None };
            dialled(&destination, &options)
        };
        assert_eq!(of("e1"), ("10.0.0.4".to_owned(), 2222, false));
        assert_eq!(of("e2"), ("e2".to_owned(), 22, true));
    }

    #[test]
    fn each_host_on_the_way_has_its_own_entry() {
        let config = "Host e1\n HostName 10.0.0.4\n Port 2222\n User ana\n ProxyJump gate,bea@inner:23\n\
                      Host gate\n HostName gate.site\n HostKeyAlias thegate\nHost inner\n User x\n";
        assert_eq!(
            way(config, None),
            ["-@gate.site:22 thegate", "bea@inner:23 [inner]:23", "ana@10.0.0.4:2222 [10.0.0.4]:2222"]
        );
        assert_eq!(way(config, Some("other"))[0], "-@other:22 other", "what was said wins");
        assert_eq!(way(config, Some("none")).len(), 1);
        // as `ssh -G` says
        assert_eq!(way("Host e1\n ProxyCommand none\nHost *\n ProxyJump gate\n", None).len(), 1);
    }

    #[test]
    fn identities_only_without_a_file_keeps_the_agents_other_keys_at_home() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "Host e1\n IdentitiesOnly yes\n").unwrap();
        let options = SshOptions { config: SshConfig::file(file.path()), ..SshOptions::default() };
        let destination = Destination { node: "n", host: "e1", port: None, user: None, identity: None, jump: None };
        let hops = route(&destination, &options).unwrap();
        assert!(!hops[0].options.identities.is_empty(), "named files: no other key is offered");
    }

    #[test]
    fn a_jump_host_may_be_behind_another_and_not_behind_itself() {
        assert_eq!(way("Host e1\n ProxyJump gate\nHost gate\n ProxyJump outer\n", None).len(), 3);
        assert_eq!(way("Host *\n ProxyJump gate\n", None).len(), 2);
        assert_eq!(way("Host e1\n ProxyJump gate\nHost gate\n ProxyJump e1\n", None).len(), 2);
    }
}
