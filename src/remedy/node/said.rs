//! What a node's lines mean, and the sentences for a person that are made of them.

use super::answer::Line;
use super::{Done, Reverted, STATE, Word};
use crate::evidence::Reason;
use crate::probe::without_secrets;
use crate::remedy::change::State;
use crate::remedy::fresh::FreshFile;

/// What is told while a change is carried out. None for a line that is about something else.
pub(super) fn word(line: &Line) -> Option<Word> {
    Some(match line.about() {
        "runs" => Word::Runs(line.text(1)),
        "says" => Word::Says(Some(without_secrets(line.word(1))).filter(|said| !said.trim().is_empty())?),
        "ran" => {
            let said: Vec<String> = line.text(3).split('\n').map(without_secrets).collect();
            Word::Done(Done::Ran { status: line.number(1)?, line: line.text(2), said: said.join("\n") })
        }
        "armed" => Word::Done(Done::Armed { seconds: line.number(1)? }),
        "changed" => Word::Done(Done::Changed { file: line.number::<usize>(1)?.checked_sub(1)? }),
        _ => return None,
    })
}

/// One file as the node tells of it. Words: number, kind, path, mode, uid, gid, hash, bytes.
pub(super) fn file(line: &Line, stat: bool) -> FreshFile {
    let path = line.path(3).unwrap_or_default();
    let unfit =
        |trouble| FreshFile { path: path.clone(), state: None, trouble: Some(trouble), contents: None, owner: None };
    let attributes = || Some((line.octal(4)?, line.number(5)?, line.number(6)?));
    match (line.word(2), attributes()) {
        ("absent", _) => FreshFile { path, state: Some(State::Absent), trouble: None, contents: None, owner: None },
        ("regular", Some((mode, uid, gid))) if stat => {
            let state = State::File { sha256: String::new(), mode, uid, gid };
            FreshFile { path, state: Some(state), trouble: None, contents: None, owner: None }
        }
        ("regular", Some((mode, uid, gid))) => {
            let contents = line.bytes(8);
            let hash = contents.as_deref().map(crate::remedy::words::sha256);
            match hash {
                Some(sha256) if sha256 == line.word(7) => {
                    let owner =
                        line.word(9).split_once(':').and_then(|(u, g)| Some((u.parse().ok()?, g.parse().ok()?)));
                    let state = Some(State::File { sha256, mode, uid, gid });
                    FreshFile { path, state, trouble: None, contents, owner }
                }
                _ => unfit("it changed while it was read, or its bytes did not come whole"),
            }
        }
        ("directory", Some((mode, uid, gid))) => FreshFile {
            path,
            state: Some(State::Folder { mode, uid, gid }),
            trouble: None,
            contents: None,
            owner: None,
        },
        ("too-large", _) => unfit("it is larger than 1 MiB"),
        ("unsound", _) => unfit(match line.word(4) {
            "owner" => {
                "a folder on the way to it does not belong to root, who would then write where another may redirect"
            }
            "link" => "it is a symbolic link in a user's folder, or one leads to it",
            "writable" => "a folder on the way to it can be written by others than root",
            "dangling" => "it is a symbolic link that leads nowhere",
            _ => "its path is not plain",
        }),
        _ => unfit("it is neither a file nor a folder"),
    }
}

pub(super) fn reverted(end: &Line) -> Reverted {
    let said = end.text(3);
    let said = said.trim().replace('\n', "; ");
    let why = match end.word(1) {
        "changed" => format!("{said} was changed by somebody else at the same time"),
        "not-written" => format!("{said} could not be written"),
        "activate" => format!("a command failed: {said}"),
        "check" if said.is_empty() => "the check that it works did not hold in time".to_owned(),
        "check" => format!("the check that it works did not hold in time: {said}"),
        _ => "it was asked for".to_owned(),
    };
    let left = end.text(4).lines().map(str::to_owned).collect();
    Reverted { why, left, unsound: end.word(2) == "unsound" }
}

pub(super) const NO_ENTRY: &str = "there is no entry";

/// Why a script did nothing, as a sentence.
pub(super) fn failure(node: &str, line: &Line) -> String {
    let text = line.text(2);
    let text = text.trim().replace('\n', "; ");
    match line.word(1) {
        "needs-root" => format!(
            "{node}: this login is not root and there is no sudo, so nothing can be changed. Log in as root or as a user who may use sudo"
        ),
        "locked" => format!(
            "{node}: another change is under way there (entry {text}). Wait until it has ended, or look at it: sitewarden undo --list, with this node named"
        ),
        "changed" => {
            format!("{node}: {text} has changed since the plan was shown. Nothing was changed; make the plan again")
        }
        "no-room" => format!("{node}: {text} could not be written: is the disk full or read-only? Nothing was changed"),
        "refused" => format!("{node}: the check before the change failed: {text}. Nothing was changed"),
        "not-armed" => format!(
            "{node}: the switch that would put the old state back could not be armed (systemd-run or setsid). Nothing was changed"
        ),
        "no-entry" => format!("{node}: {NO_ENTRY} {text} there"),
        "state-folder" | "unsound" => format!(
            "{node}: the folder {STATE} cannot be used ({text}): root alone must be able to write there. Nothing was changed"
        ),
        "overtaken" => format!("{node}: the time was over, and the node put the old state back by itself"),
        other => format!(
            "{node}: the node could not do it ({}). Nothing was changed",
            other.chars().take(40).collect::<String>()
        ),
    }
}

pub(super) fn not_whole(node: &str, cut: Option<Reason>) -> String {
    match cut {
        Some(Reason::Timeout) => format!("{node}: it did not answer in time"),
        Some(_) => format!("{node}: the connection was lost"),
        None => format!("{node}: its answer was not whole"),
    }
}
