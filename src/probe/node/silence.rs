//! Why a node that let a login in answered nothing of what was asked. Its own words decide, and are never repeated.

use super::gate::Marks;
use crate::channel::{Channel, Limits, Output, Script};
use crate::evidence::Reason;

/// Why, and what to do.
pub(super) type Why = (Reason, &'static str);

/// What is said where the node's words tell nothing.
const OTHER_WORDS: Why = (
    Reason::Malformed,
    "The login worked, but what the node answered is not the collector's. Does its login script print or end too much? Log in as another user.",
);

/// Why, from what came. Where that tells nothing, the node is given one trivial command more.
pub(super) fn why(output: &Output, channel: &mut dyn Channel, limits: &Limits, marks: &Marks) -> Why {
    heard(output).unwrap_or_else(|| {
        let Marks { one, other } = marks;
        let trivial = Script { command: format!("sh -c 'echo \"$2.$1\"' sh {one} {other}"), stdin: Vec::new() };
        match channel.run(&trivial, limits) {
            Ok(again) if again.cut.is_none() => compared(output, &again, &format!("{other}.{one}")),
            _ => OTHER_WORDS,
        }
    })
}

/// What the same silence to a trivial command means.
fn compared(first: &Output, again: &Output, wanted: &str) -> Why {
    let obeys = again.stdout.windows(wanted.len()).any(|window| window == wanted.as_bytes());
    let mute = [first, again].iter().all(|output| output.stdout.is_empty() && output.stderr.is_empty());
    match (obeys, mute && again.status != Some(0)) {
        (true, _) => OTHER_WORDS,
        (false, true) => (
            Reason::Forbidden,
            "The login worked, but this account's shell runs nothing (such as /bin/false). Log in as a user who has a shell.",
        ),
        (false, false) => (
            Reason::Forbidden,
            "The login worked, but the node runs a command of its own instead of what it is asked to (ForceCommand in its sshd settings, or command= at this key in authorized_keys). Log in as another user or with another key.",
        ),
    }
}

/// Why, where the words that came tell it.
fn heard(output: &Output) -> Option<Why> {
    let mut heard = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let start = output.stdout.get(..output.stdout.len().min(4096)).unwrap_or_default();
    heard.push_str(&String::from_utf8_lossy(start).to_lowercase());
    let says = |words: &[&str]| words.iter().any(|word| heard.contains(word));
    if output.cut == Some(Reason::Timeout) {
        return Some((
            Reason::Timeout,
            "The login worked, but the node did not answer in time. Is it very busy? Try again with a longer --timeout.",
        ));
    }
    if output.cut == Some(Reason::TooLarge) {
        return Some((
            Reason::Malformed,
            "The node sent a flood of text instead of an answer. Look at what its login scripts print, or log in as another user.",
        ));
    }
    if says(&["account is currently not available", "nologin", "this account is", "not permitted to log"]) {
        return Some((
            Reason::Forbidden,
            "The login worked, but this account may not run commands on the node. Log in as a user who has a shell.",
        ));
    }
    if says(&["password has expired", "password change required", "required to change your password"]) {
        return Some((
            Reason::Forbidden,
            "The login worked, but the account's password has expired, and until it is changed the node runs nothing. Log in there with ssh and change it.",
        ));
    }
    if says(&["restricted", "rbash", "rssh", "not allowed", "only allows", "sftp", "forced command"]) {
        return Some((
            Reason::Forbidden,
            "The login worked, but the node lets this account run only certain commands. Log in as a user with an ordinary shell.",
        ));
    }
    if is_windows_shell(&heard) {
        return Some(WINDOWS_WORDS);
    }
    // With the tool's name: an echo of the script says the rest as well.
    if ["awk", "head", "tr", "sort", "wc"].iter().any(|tool| says(&[&format!("collector: no {tool}")])) {
        return Some((
            Reason::Unsupported,
            "The node lacks a basic tool (awk, head, tr, sort or wc) that reading it needs. Install it, or look at the node through the cluster instead.",
        ));
    }
    let no_shell =
        ["not recognized", "command not found", "sh: not found", "no such file", "unknown command", "invalid input"];
    if matches!(output.status, Some(126 | 127)) || says(&no_shell) || says(&["unknown verb", "syntax error"]) {
        return Some((
            Reason::Unsupported,
            "The node has no POSIX shell (`sh`) that this login can start, so it cannot be read this way. If it is an appliance, look at it through the cluster instead.",
        ));
    }
    if output.cut.is_some() {
        return Some((
            Reason::Unreachable,
            "The connection ended before the node answered. Check the link, then try again.",
        ));
    }
    None
}

/// What is said of a node whose shell speaks like one of Windows.
pub(super) const WINDOWS_WORDS: Why = (
    Reason::Unsupported,
    "This is a Windows node: its shell is cmd or PowerShell. This program reads Linux nodes; look at this one through the cluster and with the tools of Windows.",
);

/// What cmd.exe and PowerShell say of a program that they do not find.
fn is_windows_shell(heard: &str) -> bool {
    let words = [
        "is not recognized as an internal or external command",
        "is not recognized as the name of a cmdlet",
        "is not recognized as a name of a cmdlet",
        "commandnotfoundexception",
    ];
    words.iter().any(|word| heard.contains(word))
}

/// What to say of a node whose SSH server is that of Windows. Its shell is not asked: a `sh` there would be that of a
/// Linux inside of it, or of a tool, and tell nothing of the node.
pub(super) fn windows(software: &str) -> Option<String> {
    let version = software.strip_prefix("OpenSSH_for_Windows")?;
    let version: String = version
        .trim_start_matches('_')
        .chars()
        .take(20)
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '.')
        .collect();
    Some(format!(
        "This is a Windows node (OpenSSH for Windows {version}). This program reads Linux nodes; look at this one through the cluster and with the tools of Windows."
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn output(stdout: &str, stderr: &str, status: i32) -> Output {
        Output {
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.as_bytes().to_vec(),
            status: Some(status),
            cut: None,
        }
    }

    fn said(stderr: &str, status: i32) -> Option<Reason> {
        heard(&output("", stderr, status)).map(|(reason, _)| reason)
    }

    #[test]
    fn what_a_node_without_a_shell_says_is_understood() {
        assert!(heard(&output("collector: no awk\n", "", 127)).unwrap().1.contains("awk"));
        assert_eq!(said("bash: sh: command not found", 127), Some(Reason::Unsupported));
        assert_eq!(said("rbash: sh: restricted: cannot specify `/' in command names", 1), Some(Reason::Forbidden));
        assert_eq!(said("This account is currently not available.", 1), Some(Reason::Forbidden));
        assert_eq!(
            said("WARNING: Your password has expired.\nPassword change required but no TTY available.", 1),
            Some(Reason::Forbidden)
        );
        assert_eq!(said("", 0), None);
    }

    /// As recorded in public issue threads, the name of the program exchanged: PowerShell/Win32-OpenSSH#1373 (cmd),
    /// PowerShell/Win32-OpenSSH#1566 (Windows PowerShell), PowerShell/PowerShell#18544 (PowerShell 7.3).
    #[test]
    fn windows_is_known_by_its_shells_words_and_by_its_servers_name() {
        for words in [
            "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
            "sh : The term 'sh' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the\r\nspelling of the name, or if a path was included, verify that the path is correct and try again.\r\n",
            "sh: The term 'sh' is not recognized as a name of a cmdlet, function, script file, or executable program.\r\n",
        ] {
            assert_eq!(heard(&output("", words, 1)).unwrap(), WINDOWS_WORDS);
        }
        assert!(windows("OpenSSH_for_Windows_9.5").unwrap().contains("OpenSSH for Windows 9.5)"));
        assert!(!windows("OpenSSH_for_Windows_\x1b[2J").unwrap().contains('\x1b'));
        assert_eq!(windows("OpenSSH_9.2p1 Debian-2"), None);
    }

    #[test]
    fn a_forced_command_a_mute_shell_and_a_noisy_one_are_told_apart() {
        let backup = output("backup done\n", "", 0);
        assert_eq!(compared(&backup, &backup, "b.a").0, Reason::Forbidden);
        assert!(compared(&backup, &backup, "b.a").1.contains("ForceCommand"));
        let mute = output("", "", 1);
        assert!(compared(&mute, &mute, "b.a").1.contains("/bin/false"));
        assert_eq!(compared(&mute, &output("b.a\n", "", 0), "b.a"), OTHER_WORDS);
    }
}
