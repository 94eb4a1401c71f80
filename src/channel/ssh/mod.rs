//! SSH by libssh2: one session and one thread a node.

use super::{Ask, Channel, ChannelError, Limits, Output, Script};
use crate::evidence::{ChannelKind, Reason};
use std::path::PathBuf;

/// What all SSH connections of a scan share.
#[derive(Debug, Clone, Default)]
pub struct SshOptions {
    /// Key files to try, in this order, after the agent. Empty: the usual files of `~/.ssh`.
    pub identities: Vec<PathBuf>,
    /// known_hosts files to read. Empty: `~/.ssh/known_hosts`, `~/.ssh/known_hosts2` and `/etc/ssh/ssh_known_hosts`.
    pub known_hosts: Vec<PathBuf>,
    /// Our own file, read as well, to which accepted keys are added.
    pub accepted: Option<PathBuf>,
    /// Fingerprints (`SHA256:...`) accepted beforehand by name.
    pub accept: Vec<String>,
}

/// A connection to a node by SSH.
pub struct Ssh {}

impl Ssh {
    /// Connects, proves the host key, logs in. `node` is the target's name, for questions and messages.
    pub fn connect(
        _node: &str,
        _host: &str,
        _port: u16,
        _user: Option<&str>,
        _identity: Option<&std::path::Path>,
        _options: &SshOptions,
        _limits: &Limits,
        _ask: &dyn Ask,
    ) -> Result<Self, ChannelError> {
        Err(ChannelError::new(Reason::Unsupported, "not there yet"))
    }
}

impl Channel for Ssh {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ssh
    }

    fn run(&mut self, _script: &Script, _limits: &Limits) -> Result<Output, ChannelError> {
        Err(ChannelError::new(Reason::Unsupported, "not there yet"))
    }
}
