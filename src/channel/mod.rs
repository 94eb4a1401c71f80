//! Ways to reach a node: run one script on it, bounded in time and size. `local` and `ssh`.

mod ask;
pub mod local;
mod passwords;
pub mod ssh;
mod talk;

pub use ask::{Answer, Ask, NobodyToAsk, Question, Secret};
pub use passwords::{Passwords, Purpose, Turn};
pub use talk::{Heard, Overheard, Say, Talk, Whole};

use crate::evidence::{ChannelKind, Reason};
use std::net::IpAddr;
use std::time::Duration;

/// What to run on a node: a command line for its login shell, and what that command reads.
#[derive(Debug, Clone)]
pub struct Script {
    /// The command line.
    pub command: String,
    /// Standard input, whole.
    pub stdin: Vec<u8>,
}

/// Bounds of one run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For each of: connect, handshake, authentication.
    pub connect: Duration,
    /// From the start of the script to its last byte.
    pub run: Duration,
    /// Bytes of standard output that are kept; at the first byte beyond, the run ends as too large.
    pub stdout: usize,
    /// Bytes of standard error that are kept; more is read and dropped.
    pub stderr: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connect: Duration::from_secs(10), run: Duration::from_secs(60), stdout: 16 << 20, stderr: 64 << 10 }
    }
}

/// What a run gave.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Standard output, as far as it came.
    pub stdout: Vec<u8>,
    /// Standard error, cut at its bound. Untrusted; for classifying only.
    pub stderr: Vec<u8>,
    /// Exit status; None where the program was ended by a signal or the stream was cut.
    pub status: Option<i32>,
    /// Why the output is not whole, where it is not: `timeout`, `too-large`, `unreachable` (the link dropped).
    pub cut: Option<Reason>,
}

/// Why a node could not be reached or a script not be run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ChannelError {
    /// The kind of trouble.
    pub reason: Reason,
    /// A sentence for the person that ends in what to do.
    pub message: String,
}

impl ChannelError {
    /// An error of a kind, with its sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        ChannelError { reason, message: message.into() }
    }
}

/// A way to run scripts on one node. It blocks: give each its own thread, and never join that thread on quit.
pub trait Channel: Send {
    /// Which way it is.
    fn kind(&self) -> ChannelKind;

    /// Runs a script within the limits. An output that was cut is an `Ok` with [`Output::cut`] set, since what came
    /// may still say much; `Err` means that nothing ran.
    fn run(&mut self, script: &Script, limits: &Limits) -> Result<Output, ChannelError> {
        self.converse(&script.command, &mut talk::Whole(&script.stdin), limits)
    }

    /// Runs a command whose input depends on what it says, within the limits. Ends like [`Channel::run`].
    fn converse(&mut self, command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError>;

    /// What the other side calls itself before any login, such as `OpenSSH_9.2p1`. Untrusted; for classifying only.
    fn software(&self) -> Option<String> {
        None
    }

    /// Address of the other side. None for a channel that has none, and where it is not known here: a jump host resolved
    /// the name.
    fn peer(&self) -> Option<IpAddr> {
        None
    }
}
