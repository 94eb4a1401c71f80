//! Nodes to look at, as a person names them.

use super::jump::{JumpHost, split_port};
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// How a node is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A shell on this machine.
    Local,
    /// SSH.
    Ssh {
        /// Name or address, without brackets.
        host: String,
        /// Port. None: the one of the SSH configuration, else 22.
        port: Option<u16>,
        /// User. None: the one of the SSH configuration, else the seat's own user name.
        user: Option<String>,
        /// Key file for this node alone.
        identity: Option<PathBuf>,
        /// Jump hosts on the way, in their order; none where it is empty. None: those of the SSH configuration.
        jump: Option<Vec<JumpHost>>,
    },
}

/// One node to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTarget {
    /// Name of the target, unique in a scan: `node/NAME` in findings.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// Name of the node in the cluster, where the person says which one it is.
    pub kubernetes: Option<String>,
}

impl NodeTarget {
    /// A target of which no more is known.
    pub fn new(name: impl Into<String>, way: Way) -> Self {
        NodeTarget { name: name.into(), way, kubernetes: None }
    }
}

/// Why `--node` was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--node {given:?}: {why}. Write it as [USER@]HOST[:PORT]; an IPv6 address with a port in brackets: [fe80::1]:22"
)]
pub struct TargetError {
    /// What was given.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What is wrong with a host name or address (without brackets, without a port), if anything.
pub(super) fn host_problem(host: &str) -> Option<&'static str> {
    if host.is_empty() {
        return Some("there is no host");
    }
    let strange = |c: char| c.is_whitespace() || c.is_control() || "@[]/\\,'\"".contains(c);
    if host.starts_with('-') || host.contains(strange) {
        return Some("that is no host name or address");
    }
    let address = host.split('%').next().unwrap_or(host);
    if host.contains(':') && address.parse::<Ipv6Addr>().is_err() {
        return Some("it has colons and is no IPv6 address");
    }
    None
}

/// What is wrong with a user's name, if anything.
pub(super) fn user_problem(user: &str) -> Option<&'static str> {
    if user.is_empty() {
        return Some("the user is empty");
    }
    let strange = |c: char| c.is_whitespace() || c.is_control();
    (user.starts_with('-') || user.contains(strange)).then_some("that is no user name")
}

impl FromStr for NodeTarget {
    type Err = TargetError;

    /// Reads `[USER@]HOST[:PORT]`. The target's name is the host, with the port where it is not 22.
    fn from_str(given: &str) -> Result<Self, TargetError> {
        let wrong = |why| TargetError { given: given.to_owned(), why };
        let (user, rest) = match given.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, given),
        };
        if let Some(why) = user.as_deref().and_then(user_problem) {
            return Err(wrong(why));
        }
        let (host, port) = split_port(rest).map_err(wrong)?;
        if let Some(why) = host_problem(host) {
            return Err(wrong(why));
        }
        let name = match (port, host.contains(':')) {
            (None | Some(22), _) => host.to_owned(),
            (Some(port), true) => format!("[{host}]:{port}"),
            (Some(port), false) => format!("{host}:{port}"),
        };
        Ok(NodeTarget::new(name, Way::Ssh { host: host.to_owned(), port, user, identity: None, jump: None }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn read(given: &str) -> (String, String, Option<u16>, Option<String>) {
        let target: NodeTarget = given.parse().unwrap();
        match target.way {
            Way::Ssh { host, port, user, identity: None, jump: None } => (target.name, host, port, user),
            other => panic!("{given}: {other:?}"),
        }
    }

    #[test]
    fn every_form_is_read() {
        let admin = Some("admin".to_owned());
        assert_eq!(read("edge1"), ("edge1".into(), "edge1".into(), None, None));
        assert_eq!(read("admin@edge1:2222"), ("edge1:2222".into(), "edge1".into(), Some(2222), admin.clone()));
        assert_eq!(read("10.0.0.4:22"), ("10.0.0.4".into(), "10.0.0.4".into(), Some(22), None));
        assert_eq!(read("fd00::4"), ("fd00::4".into(), "fd00::4".into(), None, None));
        assert_eq!(read("admin@[fd00::4]:2222"), ("[fd00::4]:2222".into(), "fd00::4".into(), Some(2222), admin));
        assert_eq!(read("[fe80::4%eth0]"), ("fe80::4%eth0".into(), "fe80::4%eth0".into(), None, None));
        assert_eq!(read("me@example.org@edge1").3, Some("me@example.org".into()), "a directory's user");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let cases = [
            ("", "no host"),
            ("admin@", "no host"),
            ("@edge1", "user is empty"),
            ("-oProxyCommand=x@edge1", "no user name"),
            ("-edge1", "no host name"),
            ("edge 1", "no host name"),
            ("edge1\u{1b}[2J", "no host name"),
            ("edge1:", "port"),
            ("edge1:0", "port"),
            ("edge1:65536", "port"),
            ("edge1:ssh", "port"),
            ("10.0.0.4:22:33", "no IPv6 address"),
            ("[fd00::4", "bracket"),
            ("[fd00::4]22", "port"),
            ("[]:22", "no host"),
        ];
        for (given, words) in cases {
            let error = given.parse::<NodeTarget>().unwrap_err();
            assert!(error.why.contains(words), "{given:?}: {}", error.why);
            assert!(!error.to_string().contains('\u{1b}'));
        }
    }
}
