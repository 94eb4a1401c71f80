//! The node probe: runs the collector over a channel and reads its answer.
//! `collector` and `layouts` make the script, `frames` cuts the answer into records, `assemble` makes evidence of them.

mod answer;
mod assemble;
mod certs;
pub mod collector;
mod component;
mod der;
mod document;
mod environment;
mod files;
pub mod frames;
mod host;
mod keys;
pub mod layouts;
mod listeners;
mod manifest;
mod matching;
mod process;
mod reboot;
mod redact;
mod sshd;
mod sshd_dump;
#[cfg(test)]
mod testing;
mod text;
mod units;

use crate::channel::{Channel, Limits, Output};
use crate::evidence::{NodeEvidence, ProbeError, Reason, Unread};
use frames::{Frames, Problem};

/// Collects one node. Never fails: what could not be read stands in the evidence with its reason.
///
/// `name` and `address` are the target's, for the document.
pub fn collect(channel: &mut dyn Channel, name: &str, address: Option<&str>, limits: &Limits) -> NodeEvidence {
    let kind = channel.kind();
    let nothing = |reason, message: &str| NodeEvidence::unread(name, address, kind, reason, message);
    let Ok(nonce) = collector::nonce() else {
        return nothing(Reason::Unsupported, "This machine gives no random numbers. Start the program on another one.");
    };
    let script = match collector::script(&nonce) {
        Ok(script) => script,
        Err(error) => return nothing(Reason::Malformed, &error.to_string()),
    };
    let output = match channel.run(&script, limits) {
        Ok(output) => output,
        Err(error) => return nothing(error.reason, &error.message),
    };
    let frames = Frames::parse(&output.stdout, &nonce);
    if frames.problem == Some(Problem::NoBegin) || frames.records.is_empty() {
        let (reason, message) = silence(&output);
        return nothing(reason, message);
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

/// Why a node that was reached said nothing of what was asked. Its own words decide, and are never repeated.
fn silence(output: &Output) -> (Reason, &'static str) {
    let mut heard = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let start = output.stdout.get(..output.stdout.len().min(4096)).unwrap_or_default();
    heard.push_str(&String::from_utf8_lossy(start).to_lowercase());
    let says = |words: &[&str]| words.iter().any(|word| heard.contains(word));
    if output.cut == Some(Reason::Timeout) {
        return (
            Reason::Timeout,
            "The login worked, but the node did not answer in time. Is it very busy? Try again with a longer --timeout.",
        );
    }
    if output.cut == Some(Reason::TooLarge) {
        return (
            Reason::Malformed,
            "The node sent a flood of text instead of an answer. Look at what its login scripts print, or log in as another user.",
        );
    }
    if says(&["account is currently not available", "nologin", "this account is", "not permitted to log"]) {
        return (
            Reason::Forbidden,
            "The login worked, but this account may not run commands on the node. Log in as a user who has a shell.",
        );
    }
    if says(&["restricted", "rbash", "rssh", "not allowed", "only allows", "sftp", "forced command"]) {
        return (
            Reason::Forbidden,
            "The login worked, but the node lets this account run only certain commands. Log in as a user with an ordinary shell.",
        );
    }
    if says(&["collector: no "]) {
        return (
            Reason::Unsupported,
            "The node lacks a basic tool (awk, head, tr, sort or wc) that reading it needs. Install it, or look at the node through the cluster instead.",
        );
    }
    let no_shell =
        ["not recognized", "command not found", "sh: not found", "no such file", "unknown command", "invalid input"];
    if matches!(output.status, Some(126 | 127)) || says(&no_shell) || says(&["unknown verb", "syntax error"]) {
        return (
            Reason::Unsupported,
            "The node has no POSIX shell (`sh`) that this login can start, so it cannot be read this way. If it is a Windows node or an appliance, look at it through the cluster instead.",
        );
    }
    if output.cut.is_some() {
        return (Reason::Unreachable, "The connection ended before the node answered. Check the link, then try again.");
    }
    (
        Reason::Malformed,
        "The login worked, but what the node answered is not the collector's. Does its login script or a forced command replace the command? Log in as another user.",
    )
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

    fn said(stderr: &str, status: Option<i32>) -> Reason {
        silence(&Output { stderr: stderr.as_bytes().to_vec(), status, ..Output::default() }).0
    }

    #[test]
    fn what_a_node_without_a_shell_says_is_understood() {
        assert_eq!(said("'sh' is not recognized as an internal or external command", Some(1)), Reason::Unsupported);
        let bare = Output { stdout: b"collector: no awk\n".to_vec(), status: Some(127), ..Output::default() };
        assert!(silence(&bare).1.contains("awk"));
        assert_eq!(said("bash: sh: command not found", Some(127)), Reason::Unsupported);
        assert_eq!(said("rbash: sh: restricted: cannot specify `/' in command names", Some(1)), Reason::Forbidden);
        assert_eq!(said("This account is currently not available.", Some(1)), Reason::Forbidden);
        assert_eq!(said("", Some(0)), Reason::Malformed);
    }

    #[test]
    fn a_cut_answer_says_why() {
        assert_eq!(partial(Some(Problem::Cut), Some(Reason::Timeout)).0, Reason::Timeout);
        assert_eq!(partial(Some(Problem::Cut), None).0, Reason::Unreachable);
        assert_eq!(partial(Some(Problem::Duplicate), None).0, Reason::Malformed);
    }
}
