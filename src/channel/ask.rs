//! Questions that a channel has for a person, and who answers them.

use super::Purpose;
use zeroize::Zeroizing;

/// A secret that a person typed; overwritten when dropped, never printed.
pub type Secret = Zeroizing<String>;

/// What a channel wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The host's key is in no file that is known. May it be accepted and remembered?
    HostKey {
        /// The node's target name.
        node: String,
        /// Host and port as in known_hosts: `10.0.0.4` or `[10.0.0.4]:2222`.
        host: String,
        /// `ssh-ed25519`.
        kind: String,
        /// `SHA256:...`
        fingerprint: String,
        /// Types of other keys that this host is known by, and that it did not present now. Where there are any, the
        /// person should be told: somebody in between would look like that.
        others: Vec<String>,
    },
    /// The key file is encrypted. What is its passphrase?
    Passphrase {
        /// The node's target name.
        node: String,
        /// The key's file.
        file: String,
        /// Whether a passphrase was given before and was wrong.
        again: bool,
    },
    /// What is the user's password for logging in?
    Password {
        /// The node's target name.
        node: String,
        /// The user on the node.
        user: String,
        /// Whether one was given before and was refused.
        again: bool,
    },
    /// The node asks something by itself (keyboard-interactive).
    Prompt {
        /// The node's target name.
        node: String,
        /// The user on the node.
        user: String,
        /// The node's own words, on one line, bounded and without control characters. Not to be believed.
        text: String,
        /// Whether what is typed may be seen.
        echo: bool,
        /// Whether an answer was given before and was refused.
        again: bool,
    },
    /// The node shows a code at its console. What is it?
    Code {
        /// The node's target name.
        node: String,
        /// The devices that it is shown at: the node's word, without control characters.
        at: Vec<String>,
        /// Seconds until the node no longer waits for it.
        seconds: u64,
        /// Whether one was given before and was wrong.
        again: bool,
    },
    /// What is the user's password for `sudo` on the node?
    SudoPassword {
        /// The node's target name.
        node: String,
        /// The user on the node.
        user: String,
        /// Whether one was given before and was refused.
        again: bool,
    },
    /// The password was right. May it be used for the other nodes of this run too?
    Reuse {
        /// What the password is for.
        purpose: Purpose,
        /// The user on the nodes.
        user: String,
        /// The jump host that it is for: there alone it is used, on the way to the other nodes.
        at: Option<String>,
        /// How many other nodes there are.
        others: usize,
    },
}

/// What a person answered.
#[derive(Clone)]
pub enum Answer {
    /// Yes, to [`Question::HostKey`] or [`Question::Reuse`].
    Yes,
    /// What was asked for to be typed.
    Secret(Secret),
    /// No, or cancelled.
    No,
    /// There is nobody who could answer.
    Nobody,
}

/// Somebody who answers. Called on a worker's thread; may block for as long as the person thinks.
pub trait Ask: Send + Sync {
    /// Puts one question.
    fn ask(&self, question: &Question) -> Answer;
}

/// For runs without a terminal: everything is answered with [`Answer::Nobody`].
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

impl Ask for NobodyToAsk {
    fn ask(&self, _question: &Question) -> Answer {
        Answer::Nobody
    }
}
