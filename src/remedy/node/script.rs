//! The scripts that go to a node: the parts of `assets/remedy/` with the calls for one change. Everything that comes from
//! outside is quoted for the shell here, and nowhere else.

use crate::remedy::change::{NodeChange, State, Validate};
use crate::remedy::fresh::Want;
use crate::remedy::words::quoted;
use openssl::base64::encode_block;
use std::fmt::Write as _;

const LIB: &str = include_str!("../../../assets/remedy/lib.sh");
const CHECKS: &str = include_str!("../../../assets/remedy/checks.sh");
const REVERT: &str = include_str!("../../../assets/remedy/revert.sh");
const APPLY: &str = include_str!("../../../assets/remedy/apply.sh");
const CERTIFICATES: &str = include_str!("../../../assets/remedy/certificates.sh");
const RANCHER: &str = include_str!("../../../assets/remedy/rancher.sh");
const SECRETS: &str = include_str!("../../../assets/remedy/secrets.sh");
const SETTLE: &str = include_str!("../../../assets/remedy/settle.sh");
const READ: &str = include_str!("../../../assets/remedy/read.sh");
const SSHD: &str = include_str!("../../../assets/remedy/sshd.sh");

/// Where entries and backups lie on a node.
pub(crate) const STATE: &str = "/var/lib/sitewarden";

/// The beginning of every script: one group, so that a cut stream runs nothing.
fn head(entry: &str, seat: bool) -> String {
    // A link that drops must not end the script half-way: what is begun is finished or taken back.
    let seat = if seat {
        "N=$1\ntrap '' HUP PIPE\n[ \"$(id -u)\" = 0 ] || { printf '@ %s fail needs-root\\n' \"$N\"; exit 0; }\n"
    } else {
        ""
    };
    format!("{{\nSTATE={STATE} E={}\n{seat}", quoted(entry))
}

/// Scripts without what is for people.
fn bare(parts: &[&str]) -> String {
    let mut text = String::new();
    for line in parts.iter().flat_map(|part| part.lines()) {
        let line = line.trim_start();
        if !line.is_empty() && !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn whole(parts: &[&str]) -> Vec<u8> {
    let mut text = bare(parts);
    text.push_str("exit 0\n}\n");
    text.into_bytes()
}

/// Reads what is wanted, in its order.
pub(crate) fn read(wants: &[Want]) -> Vec<u8> {
    let mut calls = String::new();
    for (number, want) in wants.iter().enumerate() {
        let _ = match want {
            Want::File(path) => writeln!(calls, "look {number} contents {}", quoted(path)),
            Want::Stat(path) => writeln!(calls, "look {number} stat {}", quoted(path)),
            Want::Own(path, uid) => writeln!(calls, "look_own {number} {} {uid}", quoted(path)),
            Want::Pattern(pattern) => writeln!(calls, "look_all {number} {}", quoted(pattern)),
            Want::Tell(line) => writeln!(calls, "tell {number} {}", quoted(line)),
        };
    }
    calls.push_str("say end told\n");
    whole(&[&head("-", true), LIB, READ, &calls])
}

/// Tries sshd's configuration with the change in it, in a folder of its own, and tells what sshd says.
pub(crate) fn try_sshd(change: &NodeChange, sshd: &str, main: &str, connections: &[String]) -> Vec<u8> {
    let mut calls = String::from("HERE=$(mktemp -d /run/sitewarden.XXXXXX) || quit no-room /run\nSTAGED=\n");
    for (number, file) in change.files.iter().enumerate() {
        match (&file.contents, &file.after) {
            (Some(bytes), _) => {
                let _ = writeln!(calls, "printf %s {} | unb64 >\"$HERE/{number}\"", encode_block(bytes));
                let _ = writeln!(calls, "STAGED=\"$STAGED\n$HERE/{number} \"{}", quoted(&file.path));
            }
            (None, State::Absent) => {
                let _ = writeln!(calls, "STAGED=\"$STAGED\ngone \"{}", quoted(&file.path));
            }
            _ => {}
        }
    }
    let (sshd, main) = (quoted(sshd), quoted(main));
    let _ = writeln!(
        calls,
        "V=not-understood OUT=\nif sshd_tree {main}; then V=refused; if sshd_valid {sshd} {main}; then V=valid; fi; fi"
    );
    let _ = writeln!(calls, "say valid $V \"$(printf '%s' \"$OUT\" | head -c 4000 | b64)\"");
    for (number, connection) in connections.iter().enumerate() {
        let connection = quoted(connection);
        let _ = writeln!(calls, "say dump {number} \"$(sshd_dump {sshd} {main} {connection} | head -c 65536 | b64)\"");
    }
    calls.push_str("sshd_tree_away\ncase $HERE in /run/sitewarden.??????) rm -rf \"$HERE\" ;; esac\nsay end told\n");
    // The heredocs of the staged list must keep their line feeds as they are.
    whole(&[&head("-", true), LIB, SSHD, &calls])
}

/// The functions that are the change's own: `validate`, `activate`, `holds`, `deactivate`, `restored`.
fn functions(change: &NodeChange) -> String {
    let mut text = String::new();
    // Where others see the change and act on it (the kubelet on a manifest), nothing is run and yet something is waited for.
    let acts = !change.activate.is_empty() || !change.holds.is_empty();
    let _ = writeln!(text, "ACTIVATES={}", if acts { "yes" } else { "" });
    let _ = writeln!(text, "WITHIN={} RESTORED_WITHIN={}", change.within.max(1), change.within.max(1));
    let _ = writeln!(text, "BOUND={}", change.within.max(120));
    if change.needs_tools() {
        // Bare before it is quoted: a comment that goes afterwards would take a quotation mark along.
        let tools = bare(&["within() { timeout \"$@\"; }", CHECKS, CERTIFICATES, RANCHER, SECRETS]);
        let _ = writeln!(text, "TOOLS={}", quoted(&tools));
    }
    let lines = |name: &str, lines: &[String]| {
        let body = lines.iter().fold(String::new(), |mut body, line| {
            let log =
                change.follows.as_deref().filter(|log| line.contains(&format!("exec >{log} "))).unwrap_or_default();
            let _ = writeln!(body, "FOLLOWS={log}\nran {} || return 1", quoted(line));
            body
        });
        format!("{name}() {{\n:\n{body}}}\n")
    };
    let conditions = |name: &str, lines: &[String]| {
        let body = lines.iter().fold(String::new(), |mut body, line| {
            let _ = writeln!(body, "( {line}\n) || return 1");
            body
        });
        format!("{name}() {{\n:\n{body}}}\n")
    };
    let prepares = !change.before_change.is_empty() || !change.before_back.is_empty();
    let _ = writeln!(text, "PREPARES={}", if prepares { "yes" } else { "" });
    text.push_str(&lines("before_change", &change.before_change));
    text.push_str(&lines("before_back", &change.before_back));
    text.push_str(&lines("activate", &change.activate));
    text.push_str(&lines("deactivate", &change.deactivate));
    text.push_str(&conditions("holds", &change.holds));
    text.push_str(&conditions("restored", &change.restored));
    text
}

fn validate(change: &NodeChange) -> String {
    let mut body = String::from("validate() {\n:\n");
    for validate in &change.validate {
        match validate {
            Validate::Line { line } => {
                let _ = writeln!(
                    body,
                    "ran {} || {{ printf '%s' \"$OUT\" | head -c 4000 >\"$DIR/refusal\"; return 1; }}",
                    quoted(line)
                );
            }
            Validate::Keep { what, at, line } => {
                let inside = if at.starts_with('/') { "" } else { "$DIR/" };
                // The path stands in the line as it is told, so that the journal has it.
                let _ = writeln!(
                    body,
                    "ran \"KEPT={inside}\"{}\"; \"{} || {{ {{ printf '%s could not be kept: ' {}; printf '%s' \"$OUT\" | head -c 4000; }} >\"$DIR/refusal\"; return 1; }}",
                    quoted(at),
                    quoted(line),
                    quoted(what)
                );
            }
            Validate::Sshd { sshd, main, wants, connections } => {
                let (sshd, main) = (quoted(sshd), quoted(main));
                body.push_str("STAGED=\nI=0\nwhile [ \"$I\" -lt \"$COUNT\" ]; do\nI=$((I + 1))\n[ ! -f \"$DIR/attributes.$I\" ] || continue\nP=$(cat \"$DIR/path.$I\")\nT=${P%/*}/.sitewarden-$E.$I\n[ -f \"$T\" ] || T=gone\nSTAGED=\"$STAGED\n$T $P\"\ndone\n");
                let _ = writeln!(
                    body,
                    "sshd_tree {main} || {{ echo 'an Include of sshd is not understood' >\"$DIR/refusal\"; return 1; }}"
                );
                let _ = writeln!(
                    body,
                    "sshd_valid {sshd} {main} || {{ printf '%s' \"$OUT\" | head -c 4000 >\"$DIR/refusal\"; return 1; }}"
                );
                for connection in connections {
                    for want in wants {
                        let (connection, want) = (quoted(connection), quoted(want));
                        let _ = writeln!(
                            body,
                            "sshd_dump {sshd} {main} {connection} | grep -qixF -- {want} || {{ echo {want} is not what sshd would do >\"$DIR/refusal\"; return 1; }}"
                        );
                    }
                }
                body.push_str("sshd_tree_away\n");
            }
        }
    }
    body.push_str("}\n");
    body
}

/// What the switch runs on the node, alone.
fn switch(entry: &str, change: &NodeChange) -> Vec<u8> {
    let tail = "case ${1:-} in boot) BOOTING=1 ;; timer) SWITCH_KEPT=1 ;; esac\nrevert \"${1:-timer}\"\n";
    let delay = format!("DELAY={}\n", change.delay);
    whole(&[&head(entry, false), LIB, CHECKS, REVERT, &functions(change), &delay, tail])
}

fn word(state: &State) -> String {
    match state {
        State::Absent => "absent - - -".to_owned(),
        State::File { sha256, mode, uid, gid } => {
            let hash = if sha256.is_empty() { "regular" } else { sha256 };
            format!("{} {mode:o} {uid} {gid}", quoted(hash))
        }
        State::Folder { mode, uid, gid } => format!("directory {mode:o} {uid} {gid}"),
    }
}

/// Carries a change out. `manifest`: what is kept on the node beside the backups.
pub(crate) fn apply(entry: &str, change: &NodeChange, manifest: &[u8]) -> Vec<u8> {
    let mut calls = format!("begin {}\n", change.delay);
    for folder in &change.folders {
        let _ = writeln!(calls, "folder {}", quoted(folder));
    }
    for file in &change.files {
        let path = quoted(&file.path);
        let before = word(&file.before);
        if file.is_attributes() {
            let (mode, uid, gid) = file.after.attributes().unwrap_or_default();
            let _ = writeln!(calls, "attrs {path} {before} {mode:o} {uid} {gid}");
        } else {
            let after = word(&file.after);
            let bytes = encode_block(file.contents.as_deref().unwrap_or_default());
            let owner = file.owner.map_or(String::new(), |(uid, gid)| format!("{uid}:{gid}"));
            let _ = writeln!(calls, "AS={owner}");
            let _ = writeln!(calls, "file {path} {before} {after} <<'END'\n{bytes}\nEND");
        }
    }
    calls.push_str("AS=\n");
    for (name, bytes) in [("entry.json", manifest), ("revert.sh", &switch(entry, change))] {
        let _ = writeln!(calls, "keep {name} <<'END'\n{}\nEND", encode_block(bytes));
    }
    calls.push_str("do_all\n");
    whole(&[&head(entry, true), LIB, CHECKS, SSHD, REVERT, APPLY, &functions(change), &validate(change), &calls])
}

/// What is said to an entry that waits, or asked of the entries on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// It holds.
    Confirm,
    /// How it stands.
    Look,
    /// Its manifest and backups.
    Kept,
    /// Every entry of the node.
    List,
}

/// The script of one word to an entry.
pub(crate) fn settle(entry: &str, what: Settle) -> Vec<u8> {
    let call = match what {
        Settle::Confirm => "confirm\n",
        Settle::Look => "how_it_stands\n",
        Settle::Kept => "kept_files\n",
        Settle::List => "list_entries\n",
    };
    whole(&[&head(entry, true), LIB, REVERT, SETTLE, call])
}

/// Shows a code at the node's console.
pub(crate) fn show_code(entry: &str, code: &str) -> Vec<u8> {
    whole(&[&head(entry, true), LIB, REVERT, SETTLE, &format!("show_code {}\n", quoted(code))])
}

/// Puts the state before an entry back, now.
pub(crate) fn take_back(entry: &str, change: &NodeChange) -> Vec<u8> {
    // `report` is how an apply tells it too.
    whole(&[&head(entry, true), LIB, CHECKS, REVERT, APPLY, SETTLE, &functions(change), "take_back\n"])
}
