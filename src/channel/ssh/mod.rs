//! SSH by libssh2: one session and one thread a node.

mod accepted;
mod again;
mod asker;
mod auth;
mod blob;
mod certificate;
mod config;
mod config_file;
mod errors;
mod exec;
mod greet;
mod host_key;
pub mod kept;
mod kexinit;
mod key_file;
mod known_hosts;
mod link;
mod offers;
mod password;
mod peer;
mod pump;
mod reach;
mod route;
mod user_cert;
mod wait;
mod wire;

pub use asker::Passphrases;
pub use config::SshConfig;
pub use peer::Login;
pub use route::{Destination, by_way_of, dialled, hops};

use super::{Ask, Channel, ChannelError, Limits, Output, Passwords, Talk};
use crate::evidence::{ChannelKind, Reason, ServerOffer};
use crate::site::JumpHost;
use again::Waits;
use asker::Asker;
use auth::Refusal;
use greet::Greeting;
use kexinit::Hello;
use route::Hop;
use ssh2::MethodType;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;
use wire::Wire;

/// What all SSH connections of a scan share.
#[derive(Debug, Clone, Default)]
pub struct SshOptions {
    /// Key files to try, in this order; no other key is then offered, and of the agent's only these. Empty: the agent's
    /// keys and the usual files of `~/.ssh`.
    pub identities: Vec<PathBuf>,
    /// Key files to try after the agent's where none is named, in place of the usual files of `~/.ssh`. Empty: those.
    pub usual: Vec<PathBuf>,
    /// Certificates of the user's keys, besides those that lie beside the keys (`KEY-cert.pub`).
    pub certificates: Vec<PathBuf>,
    /// The SSH configuration, for what was not said. By default none.
    pub config: SshConfig,
    /// Jump hosts on the way to nodes for which none were said; none where it is empty. None: as configured.
    pub jump: Option<Vec<JumpHost>>,
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
    offer: Option<ServerOffer>,
    /// Where it was connected to.
    address: Option<IpAddr>,
    /// Whether a run was cut, which closes the connection.
    closed: bool,
}

/// Why a connection did not come about, and whether another try may do better.
struct Failed {
    error: ChannelError,
    retry: Retry,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    No,
    /// The node ended the connection, which it also does when a person thinks for long.
    Dropped,
    /// The server turns this address away for a while.
    TurnedAway,
}

impl From<ChannelError> for Failed {
    fn from(error: ChannelError) -> Self {
        Failed { error, retry: Retry::No }
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Failed { error: refusal.error, retry: if refusal.dropped { Retry::Dropped } else { Retry::No } }
    }
}

impl Ssh {
    /// Connects to a node of which everything is known. See [`Ssh::reach`].
    pub fn connect(
        login: &Login<'_>,
        options: &SshOptions,
        limits: &Limits,
        ask: &dyn Ask,
    ) -> Result<Self, ChannelError> {
        let Login { node, host, port, user, identity } = *login;
        let destination = Destination { node, host, port: Some(port), user, identity, jump: None };
        Self::reach(&destination, options, limits, ask, &|_| {})
    }

    /// Connects, proves the host key, logs in; first to the jump hosts on the way, where there are any. For each host,
    /// connecting, the handshake and logging in have [`Limits::connect`] each, not counting the time that a person needs
    /// to answer. A server that turns this address away for a while is tried again for as long as that allows; `tell`
    /// hears of it.
    pub fn reach(
        destination: &Destination<'_>,
        options: &SshOptions,
        limits: &Limits,
        ask: &dyn Ask,
        tell: &dyn Fn(&str),
    ) -> Result<Self, ChannelError> {
        let asker = Asker::new(ask);
        let hops = route::route(destination, options)?;
        let mut started = Instant::now();
        let in_all = limits.connect.saturating_mul(3).saturating_mul(u32::try_from(hops.len()).unwrap_or(1));
        let (mut waits, mut dropped) = (Waits::default(), false);
        loop {
            let failed = match Self::along(&hops, limits, &asker) {
                Ok(ssh) => return Ok(ssh),
                Err(failed) => failed,
            };
            match failed.retry {
                // A node ends a connection whose login takes too long. A person's answers are remembered by now.
                Retry::Dropped if !dropped && asker.take_asked() => {
                    dropped = true;
                    started = Instant::now();
                }
                Retry::TurnedAway => {
                    let Some(wait) = waits.next(in_all.saturating_sub(started.elapsed())) else {
                        return Err(errors::turned_away(failed.error, waits.tries(), started.elapsed()));
                    };
                    if waits.tries() == 2 {
                        tell("the SSH server turns this address away for now: waiting, to try again");
                    }
                    std::thread::sleep(wait);
                }
                Retry::No | Retry::Dropped => return Err(failed.error),
            }
        }
    }

    /// One try, host by host.
    fn along(hops: &[Hop], limits: &Limits, asker: &Asker<'_>) -> Result<Self, Failed> {
        let node = hops.last().map_or("", |hop| hop.name.as_str());
        let mut warnings: Vec<String> = Vec::new();
        let mut before: Option<(Wire, &Hop)> = None;
        let (mut said, mut address) = (Hello::default(), None);
        for (index, hop) in hops.iter().enumerate() {
            let connected = Self::one_hop(before.take(), hop, limits, asker, &mut warnings).map_err(|mut failed| {
                if index + 1 < hops.len() {
                    failed.error.message = format!("{node}: its jump host {}", failed.error.message);
                }
                failed
            })?;
            let (hello, wire, met) = connected;
            said = hello;
            address = met;
            before = Some((wire, hop));
        }
        match before {
            Some((wire, hop)) => {
                warnings.extend(hop.options.config.warnings().iter().cloned());
                Ok(Ssh { wire, peer: hop.login().to_string(), warnings, offer: said.offer(), address, closed: false })
            }
            None => Err(ChannelError::new(Reason::Unsupported, "there is no host to connect to".to_owned()).into()),
        }
    }

    /// Connects to one host, by way of the one before it where there is one, and logs in. Gives its address, where that is
    /// known on this side of the jump host.
    fn one_hop(
        before: Option<(Wire, &Hop)>,
        hop: &Hop,
        limits: &Limits,
        asker: &Asker<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(Hello, Wire, Option<IpAddr>), Failed> {
        let (login, options) = (hop.login(), &hop.options);
        let Some(user) = login.user.map(str::to_owned).or_else(peer::own_user) else {
            return Err(ChannelError::new(
                Reason::Forbidden,
                format!("{login}: it is not known as whom to log in. Name the user: USER@{}", login.host),
            )
            .into());
        };
        let known = host_key::read_files(options);
        let limit = limits.connect;
        let not_made = |error| errors::connect(&login, &error, limit);
        let (stream, met) = match before {
            None => {
                let socket = reach::connect(&login, limit)?;
                let met = socket.peer_addr().ok().map(|peer| peer.ip());
                (link::of_socket(socket).map_err(not_made)?, met)
            }
            Some((wire, jump)) => (pump::through(wire, &jump.login(), &login, limit)?, login.host.parse().ok()),
        };
        let greeting = Greeting::new(stream, limit).map_err(not_made)?;
        let preference = host_key::preference(&known, &hop.known_as, &hop.principal);
        let (hello, shaken) =
            match greeting.wire().drive(|session| session.method_pref(MethodType::HostKey, &preference)) {
                Ok(()) => {
                    let ours = host_key::ours(greeting.wire(), &preference);
                    let (hello, shaken) = greeting.shake();
                    (hello, shaken.map_err(|stop| (stop, ours)))
                }
                Err(stop) => (Hello::default(), Err((stop, kexinit::Ours::default()))),
            };
        let wire = shaken.map_err(|(stop, ours)| {
            let turned_away = errors::is_turned_away(&stop, hello.greeting.as_deref());
            let error = errors::handshake(&login, &stop, &hello, &ours, limit);
            Failed { error, retry: if turned_away { Retry::TurnedAway } else { Retry::No } }
        })?;
        for warning in known.warnings().iter().chain(&hop.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        warnings.extend(host_key::prove(&wire, hop, &known, asker)?);
        wire.allow(limit);
        auth::log_in(&wire, &login, &user, options, asker, limit)?;
        Ok((hello, wire, met))
    }

    /// What the server offered before anything was encrypted. None where it could not be heard, as on Windows.
    pub fn server_offer(&self) -> Option<&ServerOffer> {
        self.offer.as_ref()
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

    fn peer(&self) -> Option<IpAddr> {
        self.address
    }
}

/// The algorithms that this program speaks for a keyword of sshd_config: `KexAlgorithms`, `Ciphers`, `MACs` or
/// `HostKeyAlgorithms`, in any case. Empty for any other keyword.
pub fn supported(keyword: &str) -> Vec<String> {
    let kind = match keyword.to_ascii_lowercase().as_str() {
        "kexalgorithms" => MethodType::Kex,
        "ciphers" => MethodType::CryptCs,
        "macs" => MethodType::MacCs,
        "hostkeyalgorithms" => MethodType::HostKey,
        _ => return Vec::new(),
    };
    let names = ssh2::Session::new()
        .and_then(|session| session.supported_algs(kind).map(|names| names.into_iter().map(str::to_owned).collect()));
    names.unwrap_or_default()
}

/// A connection may be handed to another thread; `Wire` has interior mutability, so only to one at a time.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Ssh>();
};
