//! The node probe: runs the collector over a channel and reads its answer.
//! `collector` and `layouts` make the script, `frames` cuts the answer into records, `assemble` makes evidence of them.

mod answer;
mod assemble;
mod auto_updates;
mod certs;
pub mod collector;
mod component;
mod defences;
mod document;
mod environment;
mod files;
mod firewall;
pub mod frames;
mod gate;
mod host;
mod keys;
pub mod layouts;
mod listeners;
mod manifest;
mod matching;
mod mdatp;
mod process;
mod reboot;
mod root;
mod silence;
mod sshd;
mod sshd_dump;
mod sudo;
#[cfg(test)]
mod testing;
mod units;
mod updates;
mod volumes;
mod within;

pub(in crate::probe) use document::hex;
pub use root::as_root;
pub use within::arguments as k3s_arguments;

use super::{redact, text, yaml};
use crate::channel::{Ask, Channel, ChannelError, Limits, NobodyToAsk, Output, Passwords};
use crate::evidence::{Fact, NodeEvidence, ProbeError, Reason, Unread};
use frames::{Frames, Problem};
use gate::Marks;
use layouts::Layouts;

/// Who stands by while a node is read.
pub struct Aid<'a> {
    /// Who is asked where sudo wants a password.
    pub ask: &'a dyn Ask,
    /// Passwords that a person let be used for several nodes.
    pub passwords: &'a Passwords,
    /// Hears how far it is.
    pub tell: &'a dyn Fn(Step),
}

/// How far the reading of a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The collector runs.
    Reading,
    /// sudo wants a password, and a person is asked or waited for.
    Asking,
    /// Something that the person should know; reading goes on.
    Warning(String),
}

/// Collects one node with nobody to ask; see [`collect_with`].
pub fn collect(channel: &mut dyn Channel, name: &str, address: Option<&str>, limits: &Limits) -> NodeEvidence {
    let aid = Aid { ask: &NobodyToAsk, passwords: &Passwords::default(), tell: &|_| () };
    collect_with(channel, name, address, limits, &aid)
}

/// Collects one node. Never fails: what could not be read stands in the evidence with its reason.
///
/// `name` and `address` are the target's, for the document.
pub fn collect_with(
    channel: &mut dyn Channel,
    name: &str,
    address: Option<&str>,
    limits: &Limits,
    aid: &Aid<'_>,
) -> NodeEvidence {
    let kind = channel.kind();
    let peer = channel.peer().map_or(Fact::Unread, |peer| Fact::Known(peer.to_canonical().to_string()));
    let nothing = |reason, message: &str| {
        let node = NodeEvidence::unread(name, address, kind, reason, message);
        NodeEvidence { peer: peer.clone(), ..node }
    };
    if let Some(message) = channel.software().as_deref().and_then(silence::windows) {
        return other_system(nothing(Reason::Unsupported, &message));
    }
    let (output, nonce) = match run(channel, name, limits, aid) {
        Ok(ran) => ran,
        Err(error) => return nothing(error.reason, &error.message),
    };
    let frames = Frames::parse(&output.stdout, &nonce);
    if frames.problem == Some(Problem::NoBegin) || frames.records.is_empty() {
        let Ok(marks) = marks() else { return nothing(Reason::Unsupported, NO_RANDOM) };
        let (reason, message) = silence::why(&output, channel, limits, &marks);
        let node = nothing(reason, message);
        return if (reason, message) == silence::WINDOWS_WORDS { other_system(node) } else { node };
    }
    let mut node = nothing(Reason::NotVisible, "");
    node.reached = true;
    node.complete = frames.complete && output.cut.is_none();
    node.errors.clear();
    node.unread.clear();
    let mut node = assemble::assemble(&frames, node);
    if !node.complete {
        let (reason, message) = partial(frames.problem, output.cut);
        node.errors.push(ProbeError { reason, message: message.to_owned() });
        node.unread.push(Unread { path: String::new(), reason, detail: message.to_owned() });
    }
    node
}

/// What [`collect_packages`] notes where the second script is left out.
const NOT_ASKED: &str = "not asked: the scan was started without it";

/// Adds pending updates and Defender's health to a node that was collected by the first script. They take seconds, so they
/// come by a run of their own on the same channel; what goes wrong there concerns these facts alone. `asked` false: nothing
/// is run, and the facts say so. Does nothing for a node whose first answer never began.
pub fn collect_packages(channel: &mut dyn Channel, node: &mut NodeEvidence, limits: &Limits, asked: bool) {
    if !node.reached || node.login.is_unread() {
        return;
    }
    if !asked {
        return updates::missing(node, Reason::NotVisible, NOT_ASKED);
    }
    let Ok(nonce) = collector::nonce() else {
        return updates::missing(node, Reason::Unsupported, "this machine gives no random numbers");
    };
    let output = match collector::packages(&nonce).map(|script| channel.run(&script, limits)) {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return updates::missing(node, error.reason, "the second run on the node did not start"),
        Err(_) => return updates::missing(node, Reason::Malformed, "the second script is damaged"),
    };
    let frames = Frames::parse(&output.stdout, &nonce);
    if !frames.complete || output.cut.is_some() {
        let (reason, _) = partial(frames.problem, output.cut);
        updates::missing(node, reason, "the second answer of the node did not come whole");
    }
    updates::fill(&frames, node);
}

/// Runs the collector with as many rights as this login can have. Gives its output and the nonce of its frames.
fn run(
    channel: &mut dyn Channel,
    name: &str,
    limits: &Limits,
    aid: &Aid<'_>,
) -> Result<(Output, String), ChannelError> {
    let layouts = Layouts::embedded().map_err(|error| ChannelError::new(Reason::Malformed, error.to_string()))?;
    let stdin = collector::stdin(&layouts);
    root::run(channel, name, &stdin, limits, aid, root::Otherwise::AsTheLoginIs, &|_, _| ())
}

const NO_RANDOM: &str = "This machine gives no random numbers. Start the program on another one.";

fn random() -> Result<String, ChannelError> {
    collector::nonce().map_err(|_| ChannelError::new(Reason::Unsupported, NO_RANDOM))
}

fn marks() -> Result<Marks, ChannelError> {
    Ok(Marks { one: random()?, other: random()? })
}

/// A node that was reached, and of which nothing can be read since it is of another kind.
fn other_system(mut node: NodeEvidence) -> NodeEvidence {
    node.reached = true;
    node
}

/// Why the collector's answer is not whole.
fn partial(problem: Option<Problem>, cut: Option<Reason>) -> (Reason, &'static str) {
    match (cut, problem) {
        (Some(Reason::Timeout), _) => (
            Reason::Timeout,
            "The node did not finish its answer in time; what it sent until then is shown. Try again with a longer --timeout.",
        ),
        (Some(Reason::TooLarge), _) | (None, Some(Problem::TooMany)) => (
            Reason::TooLarge,
            "The node's answer was longer than this program takes; its beginning is shown. Look on the node itself for what is missing.",
        ),
        (Some(_), _) | (None, Some(Problem::Cut)) => (
            Reason::Unreachable,
            "The connection ended in the middle of the node's answer; what came is shown. Check the link, then try again.",
        ),
        (None, Some(Problem::OtherProtocol)) => (
            Reason::Malformed,
            "The node answered in a way that this version does not know. Try again; if it stays so, report it.",
        ),
        (None, _) => (
            Reason::Malformed,
            "Part of the node's answer was damaged and is left out. Try again; if it stays so, look at what else writes to the login's output.",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::channel::{Heard, Talk};
    use crate::evidence::ChannelKind;

    /// A node that gives recorded answers: there is no Windows here to ask.
    struct Recorded {
        software: &'static str,
        stderr: Option<&'static str>,
    }

    impl Channel for Recorded {
        fn kind(&self) -> ChannelKind {
            ChannelKind::Ssh
        }

        fn converse(&mut self, _: &str, talk: &mut dyn Talk, _: &Limits) -> Result<Output, ChannelError> {
            let stderr = self.stderr.expect("its shell is asked").as_bytes().to_vec();
            talk.hear(Heard::Err(&stderr));
            Ok(Output { stderr, status: Some(1), ..Output::default() })
        }

        fn software(&self) -> Option<String> {
            Some(self.software.to_owned())
        }
    }

    #[test]
    fn a_windows_node_says_what_it_is_and_nothing_of_it_is_judged() {
        let cmd = "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n";
        for (software, stderr) in [("OpenSSH_for_Windows_9.5", None), ("8.48 FlowSsh: Bitvise SSH Server", Some(cmd))] {
            let node = collect(&mut Recorded { software, stderr }, "win1", None, &Limits::default());
            assert!(node.reached && !node.complete);
            assert_eq!(node.errors[0].reason, Reason::Unsupported);
            assert!(node.errors[0].message.contains("Windows node"), "{:?}", node.errors);
            assert_eq!((node.unread.len(), node.unread[0].path.as_str()), (1, ""));
            assert_eq!(node.unread[0].reason, Reason::Unsupported);
        }
    }

    #[test]
    fn a_cut_answer_says_why() {
        assert_eq!(partial(Some(Problem::Cut), Some(Reason::Timeout)).0, Reason::Timeout);
        assert_eq!(partial(Some(Problem::Cut), None).0, Reason::Unreachable);
        assert_eq!(partial(Some(Problem::Duplicate), None).0, Reason::Malformed);
    }
}
