//! SSH by libssh2: one session and one thread a node.

mod accepted;
mod asker;
mod auth;
mod blob;
mod errors;
mod exec;
mod host_key;
pub mod kept;
mod key_file;
mod known_hosts;
mod offers;
mod password;
mod peer;
mod reach;
mod wait;
mod wire;

pub use asker::Passphrases;
pub use peer::Login;

use super::{Ask, Channel, ChannelError, Limits, Output, Passwords, Talk};
use crate::evidence::{ChannelKind, Reason};
use asker::Asker;
use auth::Refusal;
use ssh2::MethodType;
use std::path::PathBuf;
use wire::Wire;

/// What all SSH connections of a scan share.
#[derive(Debug, Clone, Default)]
pub struct SshOptions {
    /// Key files to try, in this order; no other key is then offered, and of the agent's only these. Empty: the agent's
    /// keys and the usual files of `~/.ssh`.
    pub identities: Vec<PathBuf>,
    /// known_hosts files to read. Empty: `~/.ssh/known_hosts`, `~/.ssh/known_hosts2` and those of `/etc/ssh`.
    pub known_hosts: Vec<PathBuf>,
    /// Our own file, read as well, to which accepted keys are added.
    pub accepted: Option<PathBuf>,
    /// Fingerprints (`SHA256:...`) accepted beforehand by name.
    pub accept: Vec<String>,
    /// Socket of the agent. None: the one that `SSH_AUTH_SOCK` names.
    pub agent: Option<PathBuf>,
    /// Passphrases learnt in this run. Clones of these options share them.
    pub passphrases: Passphrases,
    /// Login passwords that may be used for several nodes of this run.
    pub passwords: Passwords,
}

/// A connection to a node by SSH.
pub struct Ssh {
    wire: Wire,
    peer: String,
    warnings: Vec<String>,
    /// Whether a run was cut, which closes the connection.
    closed: bool,
}

impl Ssh {
    /// Connects, proves the host key, logs in. Connecting, the handshake and logging in have [`Limits::connect`] each,
    /// not counting the time that a person needs to answer.
    pub fn connect(
        login: &Login<'_>,
        options: &SshOptions,
        limits: &Limits,
        ask: &dyn Ask,
    ) -> Result<Self, ChannelError> {
        let asker = Asker::new(ask);
        match Self::attempt(login, options, limits, &asker) {
            // A node ends a connection whose login takes too long. A person's answers are remembered by now.
            Err(refusal) if refusal.dropped && asker.take_asked() => Self::attempt(login, options, limits, &asker),
            other => other,
        }
        .map_err(|refusal| refusal.error)
    }

    fn attempt(login: &Login<'_>, options: &SshOptions, limits: &Limits, asker: &Asker<'_>) -> Result<Self, Refusal> {
        let Some(user) = login.user.map(str::to_owned).or_else(peer::own_user) else {
            return Err(ChannelError::new(
                Reason::Forbidden,
                format!("{login}: it is not known as whom to log in. Name the user: USER@{}", login.host),
            )
            .into());
        };
        let known = host_key::read_files(options);
        let stream = reach::connect(login, limits.connect)?;
        let wire = Wire::new(stream, limits.connect).map_err(|error| errors::connect(login, &error, limits.connect))?;
        let preference = host_key::preference(&known.kinds(&login.known_name()));
        let shaken = wire
            .drive(|session| session.method_pref(MethodType::HostKey, &preference))
            .and_then(|()| wire.drive(|session| session.handshake()));
        if let Err(stop) = shaken {
            return Err(errors::handshake(login, &stop, wire.session().banner_bytes(), limits.connect).into());
        }
        let mut warnings = known.warnings().to_vec();
        warnings.extend(host_key::prove(&wire, login, &known, options, asker)?);
        wire.allow(limits.connect);
        auth::log_in(&wire, login, &user, options, asker, limits.connect)?;
        Ok(Ssh { wire, peer: login.to_string(), warnings, closed: false })
    }

    /// What the person may want to know about the connection, for example lines of known_hosts that were skipped.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Channel for Ssh {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ssh
    }

    /// Runs a command. After an output that was cut the connection is closed, and nothing more can be run.
    fn converse(&mut self, command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError> {
        if self.closed {
            return Err(ChannelError::new(
                Reason::Unreachable,
                format!("{}: the connection was closed when the output before was cut. Connect again", self.peer),
            ));
        }
        let output = exec::run(&self.wire, &self.peer, command, talk, limits)?;
        self.closed = output.cut.is_some();
        Ok(output)
    }

    fn software(&self) -> Option<String> {
        let banner = self.wire.session().banner_bytes()?;
        let text = String::from_utf8_lossy(banner.get(..banner.len().min(255))?).into_owned();
        Some(text.strip_prefix("SSH-2.0-").unwrap_or(&text).to_owned())
    }
}

/// A connection may be handed to another thread; `Wire` has interior mutability, so only to one at a time.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Ssh>();
};
