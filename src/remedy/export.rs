//! A plan on paper: as Markdown to be read, and as a shell script for somebody who has a node and not this program.

use super::change::{FileChange, NodeChange, Proof, State, Validate};
use super::plan::Risk;
use super::prepare::{Body, Prepared};
use super::words::{octal, quoted, sha256};
use openssl::base64::encode_block;
use std::fmt::Write as _;

const CHECKS: &str = include_str!("../../assets/remedy/checks.sh");
const SECRETS: &str = include_str!("../../assets/remedy/secrets.sh");
const CERTIFICATES: &str = include_str!("../../assets/remedy/certificates.sh");
const RANCHER: &str = include_str!("../../assets/remedy/rancher.sh");

/// Columns of a line of prose in a script.
const COLUMNS: usize = 100;

/// Text from anywhere, fit to stand in a document: on one line, without control characters.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

/// A fence that the text inside cannot end.
fn fenced(text: &mut String, kind: &str, body: &str) {
    let mut longest = 0;
    let mut run = 0;
    for c in body.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let _ = writeln!(text, "{fence}{kind}\n{}\n{fence}\n", body.trim_end_matches('\n'));
}

/// The plan as Markdown, for somebody who decides about it or does it by hand.
pub fn markdown(prepared: &Prepared) -> String {
    let plan = prepared.plan();
    let mut text = format!("# {}\n\n", line(&plan.title));
    let _ = writeln!(text, "- Target: {}", line(&plan.target));
    let _ = writeln!(text, "- Controls: {}", line(&plan.controls.join(", ")));
    if prepared.can_run() {
        let _ = writeln!(text, "- Risk: {}", prepared.risk().in_words());
        let _ = writeln!(text, "- By hand: {}", prepared.risk().by_hand());
        let _ = writeln!(text, "- Digest of this plan: {}", prepared.digest());
    }
    if let Some(entry) = prepared.undoes() {
        let _ = writeln!(text, "- Takes back: entry {}", line(entry));
    }
    text.push('\n');
    let notes = prepared.remarks();
    if !notes.is_empty() {
        text.push_str("## What to know\n\n");
        for note in notes {
            let _ = writeln!(text, "- {}", line(&note));
        }
        text.push('\n');
    }
    text.push_str("## Steps\n\n");
    for (number, step) in prepared.steps().iter().enumerate() {
        let _ = writeln!(text, "{}. {}\n", number + 1, line(&step.what));
        if !step.commands.is_empty() {
            fenced(&mut text, "sh", &step.commands.join("\n"));
        }
        if let Some(diff) = &step.diff {
            fenced(&mut text, "diff", diff);
        }
    }
    text.push_str("## The way back\n\n");
    if prepared.can_run() {
        let _ = writeln!(text, "{}", prepared.way_back());
        if script(prepared).is_some() {
            text.push_str("By hand: as the last lines of the script of this plan say.\n");
        }
    } else {
        text.push_str("These are steps for a person: this program runs none of them and keeps no copy.\n");
    }
    text
}

/// The plan as a script that a person can read, and run as root on the node; for the cluster, where `kubectl` or `az` is. None for
/// steps that only a person can take, where a text of the cluster is to be edited, and where a file of it holds a secret, which
/// the script would carry.
pub fn script(prepared: &Prepared) -> Option<String> {
    let change = match prepared.body() {
        Body::Node(change) => change,
        Body::Cluster(change) => return of_cluster(prepared, change.script()?),
        Body::Azure(change) => return of_cluster(prepared, change.script()),
        Body::End(_) | Body::Manual => return None,
    };
    if change.private || prepared.is_emptied() {
        return None;
    }
    let mut text = String::from("#!/bin/sh\n");
    head(&mut text, prepared, OF_NODE);
    let new: Vec<String> = change.files.iter().filter(|file| file.contents.is_some()).map(staged).collect();
    let _ = writeln!(
        text,
        "tidy() {{ {}; }}",
        if new.is_empty() { ":".to_owned() } else { format!("rm -f -- {}", new.join(" ")) }
    );
    text.push_str(PREPARE);
    if change.proof == Proof::Console {
        text.push_str(AT_CONSOLE);
    }
    if needs_checks(change) {
        text.push_str("\n# Questions that the checks below ask of this node.\n");
        let (more, rancher) = if change.needs_tools() { (CERTIFICATES, RANCHER) } else { ("", "") };
        let secrets = if change.before_change.is_empty() { "" } else { SECRETS };
        let ours = CHECKS
            .lines()
            .chain(more.lines())
            .chain(rancher.lines())
            .chain(secrets.lines())
            .skip_while(|line| line.starts_with('#'));
        text.push_str("set -f\nwithin() { timeout \"$@\"; }\n");
        for line in ours.filter(|line| !line.starts_with("# shellcheck shell=")) {
            let _ = writeln!(text, "{line}");
        }
    }
    for folder in &change.folders {
        let make = NodeChange::make_folder(folder);
        let path = quoted(folder);
        let _ = writeln!(text, "[ -d {path} ] || (umask 022; {make}) || stop 'A folder cannot be made'");
    }
    for (number, file) in change.files.iter().enumerate() {
        look(&mut text, number, file);
    }
    for (number, file) in change.files.iter().enumerate() {
        stage(&mut text, number, file);
    }
    validate(&mut text, change);
    text.push_str("\n# The change.\n");
    for command in &change.before_change {
        let _ = writeln!(text, "{{ {command}; }} || failed");
    }
    for (number, file) in change.files.iter().enumerate() {
        put(&mut text, number, file);
    }
    try_sshd(&mut text, change);
    for command in &change.activate {
        let _ = writeln!(text, "{{ {command}; }} || failed");
    }
    check(&mut text, change);
    let then = match (change.risk, change.proof) {
        (Risk::CanLockOut, Proof::Login) => "Try a second login from elsewhere BEFORE you close this one. ",
        _ => "",
    };
    let kept = if change.files.is_empty() { "" } else { "The old files: $KEEP" };
    let _ = writeln!(text, "echo \"Done. {then}{kept}\"");
    back(&mut text, change);
    Some(text)
}

/// A comment, broken to lines.
pub(super) fn comment(text: &mut String, words: &str) {
    let mut row = String::from("#");
    for word in line(words).split(' ') {
        if row.len() + 1 + word.len() > COLUMNS && row.len() > 1 {
            let _ = writeln!(text, "{row}");
            row = String::from("#");
        }
        let _ = write!(row, " {word}");
    }
    let _ = writeln!(text, "{row}");
}

/// A script of the cluster with what to know before it.
fn of_cluster(prepared: &Prepared, body: String) -> Option<String> {
    let mut text = String::from("#!/bin/sh\n");
    head(&mut text, prepared, OF_CLUSTER);
    Some(text + &body)
}

const OF_NODE: [&str; 2] = [
    "Read it, then run it as root on the node. It stops where a file is not as it was when this plan was made, keeps \
     copies of what it changes, and puts them back where a step fails.",
    "What it does NOT do, and sitewarden does: it arms no switch on the node that puts the old state back by itself \
     if the way in closes; it proves no second login; it writes no journal. Keep a second session open, best at the \
     node's console.",
];

const OF_CLUSTER: [&str; 2] = [
    "Read it, then run it where you reach the cluster. It stops where an object is not as it was when this plan was made, and \
     at the first step that fails.",
    "What it does NOT do, and sitewarden does: it does not read back what became of each change; it writes no journal.",
];

fn head(text: &mut String, prepared: &Prepared, about: [&str; 2]) {
    let plan = prepared.plan();
    comment(text, &format!("{}, on {}", plan.title, plan.target));
    comment(text, &format!("Controls: {}", plan.controls.join(", ")));
    comment(text, &format!("Risk: {}", prepared.risk().by_hand()));
    for note in prepared.remarks_by_hand() {
        comment(text, &format!("- {note}"));
    }
    for words in about {
        text.push_str("#\n");
        comment(text, words);
    }
    text.push_str("# shellcheck disable=SC2015,SC2016,SC2174,SC2317,SC2329\n");
}

const PREPARE: &str = r#"set -u
umask 077
trap '' HUP
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export PATH
stop() { tidy; echo "$1. Nothing was changed." >&2; exit 1; }
[ "$(id -u)" = 0 ] || stop 'This must run as root'
KEEP=$(mktemp -d /root/sitewarden-by-hand.XXXXXX) || stop 'There is no room in /root'
hash_of() { if [ -e "$1" ] || [ -L "$1" ]; then sha256sum <"$1" | cut -d' ' -f1; else echo absent; fi; }
"#;

/// Where the script ends the way by which it came, which is looked for among what started it.
const AT_CONSOLE: &str = r#"
# This ends SSH, so it must not come by SSH.
P=$$
while [ "$P" -gt 1 ] 2>/dev/null; do
    case $(cat "/proc/$P/comm") in sshd*) stop 'This switches SSH off and you came by SSH: run it at the console of the node' ;; esac
    P=$(sed 's/.*) [A-Za-z] \([0-9]*\) .*/\1/' "/proc/$P/stat") || break
done
"#;

fn needs_checks(change: &NodeChange) -> bool {
    let ours = ["listens ", "runs ", "said ", "answers ", "unit_up "];
    change.holds.iter().chain(&change.restored).any(|line| ours.iter().any(|word| line.contains(word)))
}

/// Whether the hash of the file was taken; of what may be secret it is not.
fn hash(state: &State) -> Option<&str> {
    match state {
        State::Absent => Some("absent"),
        State::File { sha256, .. } if !sha256.is_empty() => Some(sha256),
        State::File { .. } | State::Folder { .. } => None,
    }
}

/// The file is as it was when the plan was made, and a copy is kept.
fn look(text: &mut String, number: usize, file: &FileChange) {
    let path = quoted(&file.path);
    text.push('\n');
    comment(text, &format!("Look: {}", file.in_words()));
    if let Some(hash) = hash(&file.before) {
        let _ = writeln!(text, "[ \"$(hash_of {path})\" = {hash} ] || stop {}", quoted(&changed(file)));
    }
    if let Some((mode, uid, gid)) = file.before.attributes() {
        let words = quoted(&format!("{mode:o} {uid} {gid}"));
        let _ = writeln!(text, "[ \"$(stat -c '%a %u %g' {path})\" = {words} ] || stop {}", quoted(&changed(file)));
    }
    if file.before != State::Absent && !file.is_attributes() {
        let _ = writeln!(text, "cp -p {path} \"$KEEP/{number}\" || stop 'The copy cannot be kept'");
    }
}

fn changed(file: &FileChange) -> String {
    format!("{} is not as it was when this plan was made", file.path)
}

/// Where the new contents of a file lie until they are renamed into place.
///
/// Its name begins with a dot: what reads whole folders (sshd, the kubelet) leaves such files out.
fn staged(file: &FileChange) -> String {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    quoted(&format!("{folder}/.sitewarden-new.{name}"))
}

fn stage(text: &mut String, number: usize, file: &FileChange) {
    let Some(bytes) = &file.contents else { return };
    let (path, State::File { mode, uid, gid, .. }) = (staged(file), &file.after) else { return };
    text.push('\n');
    comment(text, &format!("New contents of {} ({number})", file.path));
    if file.before != State::Absent {
        let _ = writeln!(text, "cp -a {} {path} || stop 'The new file cannot be written'", quoted(&file.path));
    }
    match std::str::from_utf8(bytes) {
        Ok(words) if words.ends_with('\n') && words.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()) => {
            let mut end = String::from("END");
            while words.lines().any(|line| line == end) {
                end.push('_');
            }
            let _ = writeln!(text, "cat >{path} <<'{end}' || stop 'The new file cannot be written'\n{words}{end}");
        }
        _ => {
            let body = encode_block(bytes);
            let _ = writeln!(text, "base64 -d >{path} <<'END' || stop 'The new file cannot be written'\n{body}\nEND");
        }
    }
    let _ =
        writeln!(text, "[ \"$(hash_of {path})\" = {} ] || stop 'The new file was not written whole'", sha256(bytes));
    let _ = writeln!(
        text,
        "{{ chown {uid}:{gid} {path} && chmod {} {path}; }} || stop 'Its owner cannot be set'",
        octal(*mode)
    );
}

/// What can be asked before anything is in its place: a line; of sshd, the copy alone where it is its main file.
fn validate(text: &mut String, change: &NodeChange) {
    for validate in &change.validate {
        match validate {
            Validate::Line { line } => {
                text.push_str("\n# Before anything changes: it must be accepted.\n");
                let _ = writeln!(text, "{{ {line}\n}} || stop 'It would not be accepted'");
            }
            Validate::Keep { what, at, line } => {
                text.push('\n');
                comment(text, &format!("Before anything changes: {what} is kept."));
                let _ = match at.rsplit_once('/') {
                    Some((folder, _)) => writeln!(text, "KEPT={}; mkdir -p {}", quoted(at), quoted(folder)),
                    None => writeln!(text, "KEPT=$KEEP/{}", quoted(at)),
                };
                let _ = writeln!(text, "{{ {line}\n}} || stop {}", quoted(&format!("It could not be kept: {what}")));
            }
            Validate::Sshd { .. } => {
                text.push('\n');
                comment(
                    text,
                    "sshd takes its files together, so they are tried in their places, before it reads them again: see below.",
                );
            }
        }
    }
    text.push_str("\n# The way back, where a step fails.\nput_back() {\n:\n");
    for command in &change.before_back {
        let _ = writeln!(text, "{command} || {{ echo 'The new state is still needed, so it stays.' >&2; return 1; }}");
    }
    for (number, file) in change.files.iter().enumerate().rev() {
        restore(text, number, file);
    }
    for command in &change.deactivate {
        let _ = writeln!(text, "{command}");
    }
    text.push_str("}\nfailed() { tidy; echo 'It failed; the old state is put back.' >&2; put_back; exit 1; }\n");
}

/// The line that brings one file back as it was.
fn restore(text: &mut String, number: usize, file: &FileChange) {
    let path = quoted(&file.path);
    let _ = match (&file.before, file.is_attributes(), file.before.attributes()) {
        (State::Absent, ..) => writeln!(text, "rm -f {path}"),
        (_, true, Some((mode, uid, gid))) => writeln!(text, "chown {uid}:{gid} {path}; chmod {} {path}", octal(mode)),
        _ => writeln!(text, "cp -p \"$KEEP/{number}\" {path}"),
    };
}

fn put(text: &mut String, number: usize, file: &FileChange) {
    comment(text, &format!("{} ({number})", file.in_words()));
    let path = quoted(&file.path);
    match (&file.contents, file.command()) {
        (Some(_), _) => {
            let staged = staged(file);
            if file.before != State::Absent {
                let _ = writeln!(text, "chcon --reference={path} {staged} 2>/dev/null");
            }
            let _ = writeln!(text, "mv -f {staged} {path} || failed");
        }
        (None, Some(command)) => _ = writeln!(text, "{{ {command}; }} || failed"),
        (None, None) => {}
    }
}

/// What sshd says of its files in their places, before it reads them.
fn try_sshd(text: &mut String, change: &NodeChange) {
    for validate in &change.validate {
        let Validate::Sshd { sshd, main, wants, connections } = validate else { continue };
        let (sshd, main) = (quoted(sshd), quoted(main));
        let _ = writeln!(text, "{sshd} -t -f {main} || failed");
        for connection in connections {
            let of = if connection.is_empty() { String::new() } else { format!(" -C {}", quoted(connection)) };
            for want in wants {
                // sshd may print this value by its old name.
                let names = match want.as_str() {
                    "permitrootlogin prohibit-password" => " -e 'permitrootlogin without-password'",
                    _ => "",
                };
                let _ = writeln!(text, "{sshd} -T -f {main}{of} | grep -qixF -e {}{names} || failed", quoted(want));
            }
        }
    }
}

/// After it: what must hold.
fn check(text: &mut String, change: &NodeChange) {
    if !change.holds.is_empty() {
        let _ = writeln!(text, "\n# Wait until it works, {} seconds at most.", change.within.max(1));
        text.push_str("holds() {\n:\n");
        for line in &change.holds {
            let _ = writeln!(text, "{{ {line}\n}} || return 1");
        }
        text.push_str("}\nTRIES=0\nuntil holds; do\n    TRIES=$((TRIES + 1))\n");
        let _ = writeln!(text, "    [ \"$TRIES\" -lt {} ] || failed\n    sleep 1\ndone", change.within.max(1));
    }
}

/// The way back by hand, as comments.
fn back(text: &mut String, change: &NodeChange) {
    if change.no_undo {
        return text
            .push_str("\n# Once it is done there is no way back: the service does the same again when it starts.\n");
    }
    text.push_str("\n# The way back by hand, later; KEEP is the folder that was named at the end:\n");
    if change.needs_tools() {
        text.push_str("# paste the functions of this script first, those from within() on.\n");
    }
    let mut lines = String::new();
    for command in &change.before_back {
        let _ = writeln!(lines, "{command} || exit 1");
    }
    for (number, file) in change.files.iter().enumerate().rev() {
        restore(&mut lines, number, file);
    }
    for command in &change.deactivate {
        let _ = writeln!(lines, "{command}");
    }
    for line in lines.lines() {
        let _ = writeln!(text, "#   {line}");
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
