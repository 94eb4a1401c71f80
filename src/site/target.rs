//! Nodes to look at, as a person names them.

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
        /// Port; 22 where nothing was said.
        port: u16,
        /// User; the seat's own user name where nothing was said.
        user: Option<String>,
        /// Key file for this node alone.
        identity: Option<PathBuf>,
    },
}

/// One node to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTarget {
    /// Name of the target, unique in a scan: `node/NAME` in findings.
    pub name: String,
    /// How it is reached.
    pub way: Way,
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

impl FromStr for NodeTarget {
    type Err = TargetError;

    /// Reads `[USER@]HOST[:PORT]`. The target's name is the host, with the port where it is not 22.
    fn from_str(given: &str) -> Result<Self, TargetError> {
        let wrong = |why| TargetError { given: given.to_owned(), why };
        let (user, rest) = match given.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, given),
        };
        if user.as_deref().is_some_and(str::is_empty) {
            return Err(wrong("the user before @ is empty"));
        }
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            let (host, after) = inner.split_once(']').ok_or_else(|| wrong("the bracket is not closed"))?;
            (host, after.strip_prefix(':').or(if after.is_empty() { None } else { Some("?") }))
        } else if rest.matches(':').count() > 1 {
            (rest, None)
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        if host.is_empty() {
            return Err(wrong("there is no host"));
        }
        if host.starts_with('-') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong("that is no host name or address"));
        }
        let port = match port {
            Some(text) => text
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| wrong("the port is not a number from 1 to 65535"))?,
            None => 22,
        };
        let name = match (port, host.contains(':')) {
            (22, _) => host.to_owned(),
            (_, true) => format!("[{host}]:{port}"),
            (_, false) => format!("{host}:{port}"),
        };
        Ok(NodeTarget { name, way: Way::Ssh { host: host.to_owned(), port, user, identity: None } })
    }
}
