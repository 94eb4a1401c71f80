//! What is changed on a node, exactly: files with their states before and after, the lines that run, how it is known that
//! it worked, and the way back. Everything that a person confirms is in here, and nothing else is run.

use super::Risk;
use super::words::{octal, sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A file or folder as it lies on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum State {
    /// Nothing is there.
    Absent,
    /// A regular file.
    File {
        /// Hash of its bytes, lower-case hex. Empty where they were not looked at: they may be secret.
        sha256: String,
        /// Permission bits.
        mode: u32,
        /// Owner's number.
        uid: u32,
        /// Group's number.
        gid: u32,
    },
    /// A folder.
    Folder {
        /// Permission bits.
        mode: u32,
        /// Owner's number.
        uid: u32,
        /// Group's number.
        gid: u32,
    },
}

impl State {
    /// In a few words: `sha256:... 0600 0:0`. None where nothing is there.
    pub fn in_words(&self) -> Option<String> {
        match self {
            State::Absent => None,
            State::File { sha256, mode, uid, gid } => {
                let hash = if sha256.is_empty() { String::new() } else { format!("sha256:{sha256} ") };
                Some(format!("{hash}{mode:04o} {uid}:{gid}"))
            }
            State::Folder { mode, uid, gid } => Some(format!("folder {mode:04o} {uid}:{gid}")),
        }
    }

    /// Mode, owner and group. None where nothing is there.
    pub fn attributes(&self) -> Option<(u32, u32, u32)> {
        match *self {
            State::Absent => None,
            State::File { mode, uid, gid, .. } | State::Folder { mode, uid, gid } => Some((mode, uid, gid)),
        }
    }
}

/// One file or folder that is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Absolute path without symbolic links.
    pub path: String,
    /// As it was when the person saw the plan. Anything else at the moment of the change stops it.
    pub before: State,
    /// As it will be.
    pub after: State,
    /// User and group with whose rights it is touched, where it lies in that user's own folders. None: root's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<(u32, u32)>,
    /// The new bytes, where they change. Not kept in manifests.
    #[serde(skip)]
    pub contents: Option<Vec<u8>>,
    /// The old bytes, for the preview, where they were read.
    #[serde(skip)]
    pub was: Option<Vec<u8>>,
}

impl FileChange {
    /// New contents for a file, with its mode and owner as they are; a new file gets 0600 of root unless `mode` says more.
    pub fn contents(path: &str, before: State, was: Option<Vec<u8>>, contents: Vec<u8>, mode: Option<u32>) -> Self {
        let (old, uid, gid) = before.attributes().unwrap_or((0o600, 0, 0));
        let after = State::File { sha256: sha256(&contents), mode: mode.unwrap_or(old), uid, gid };
        FileChange { path: path.to_owned(), before, after, owner: None, contents: Some(contents), was }
    }

    /// Another mode or owner alone.
    pub fn attributes(path: &str, before: State, mode: u32, uid: u32, gid: u32) -> Self {
        let after = match &before {
            State::File { sha256, .. } => State::File { sha256: sha256.clone(), mode, uid, gid },
            _ => State::Folder { mode, uid, gid },
        };
        FileChange { path: path.to_owned(), before, after, owner: None, contents: None, was: None }
    }

    /// Whether only mode and owner change.
    pub fn is_attributes(&self) -> bool {
        self.contents.is_none() && self.after != State::Absent
    }

    /// What happens, for the person.
    pub fn in_words(&self) -> String {
        let path = &self.path;
        match (&self.before, &self.after) {
            (_, State::Absent) => format!("Remove {path}"),
            (State::Absent, State::File { mode, .. }) => format!("Create {path} (mode {})", octal(*mode)),
            (before, after) if self.is_attributes() => {
                let words = |state: &State| {
                    state.attributes().map_or(String::new(), |(mode, uid, gid)| format!("{} {uid}:{gid}", octal(mode)))
                };
                format!("Change mode and owner of {path} from {} to {}", words(before), words(after))
            }
            (before, after) => match (before.attributes(), after.attributes()) {
                (Some(old), Some((mode, uid, gid))) if old != (mode, uid, gid) => {
                    format!("Change {path}, which gets the mode {} and the owner {uid}:{gid}", octal(mode))
                }
                _ => format!("Change {path}"),
            },
        }
    }

    /// Two changes of one file in one: the contents of one, mode and owner of the other. None where that is not what they are.
    fn with(&self, other: &FileChange) -> Option<FileChange> {
        let (contents, attributes) = if self.is_attributes() { (other, self) } else { (self, other) };
        let same = contents.path == attributes.path
            && contents.before == attributes.before
            && contents.owner == attributes.owner;
        let (State::File { sha256, .. }, State::File { mode, uid, gid, .. }) = (&contents.after, &attributes.after)
        else {
            return None;
        };
        let after = State::File { sha256: sha256.clone(), mode: *mode, uid: *uid, gid: *gid };
        let kinds = contents.contents.is_some() && attributes.is_attributes();
        (same && kinds).then(|| FileChange { after, ..contents.clone() })
    }

    /// The command that does the same by hand, for mode and owner.
    pub fn command(&self) -> Option<String> {
        let path = super::words::quoted(&self.path);
        match (self.is_attributes(), self.before.attributes(), self.after.attributes()) {
            (true, Some((mode, uid, gid)), Some((new, new_uid, new_gid))) => {
                let owner = (uid != new_uid || gid != new_gid).then(|| format!("chown {new_uid}:{new_gid} {path}"));
                // With four digits a folder keeps its setuid and setgid, which is not what is done here.
                let digits = if mode & !new & 0o6000 == 0 { octal(new) } else { format!("0{}", octal(new)) };
                let mode = (mode != new).then(|| format!("chmod {digits} {path}"));
                Some(owner.into_iter().chain(mode).collect::<Vec<_>>().join(" && "))
            }
            (false, Some(_), None) => Some(format!("rm {path}")),
            _ => None,
        }
    }
}

/// What must hold before anything is renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Validate {
    /// sshd takes a copy of its configuration with the changes in it, and then says of these connections what is wanted.
    Sshd {
        /// Path of the executable.
        sshd: String,
        /// Path of the configuration file.
        main: String,
        /// Lines that `sshd -T` must print, for every connection: `permitrootlogin no`.
        wants: Vec<String>,
        /// Connections as for `sshd -T -C`; the empty one is the global one.
        connections: Vec<String>,
    },
    /// A line of shell that must end with 0.
    Line {
        /// The line.
        line: String,
    },
    /// A line of shell that keeps something on the node before anything changes, and must end with 0. The way back keeps it
    /// as well. `$KEPT` is the path that it writes to.
    Keep {
        /// What it keeps, as the end of a sentence: `a snapshot of etcd`.
        what: String,
        /// Where: a name in the entry's folder, or an absolute path.
        at: String,
        /// The line.
        line: String,
    },
}

impl Validate {
    /// The command, as a person would type it.
    pub fn in_words(&self) -> String {
        match self {
            Validate::Sshd { sshd, main, .. } => {
                format!("{sshd} -t -f (a copy of {main} and of all that it includes, with the change in it)")
            }
            Validate::Line { line } => line.clone(),
            Validate::Keep { at, line, .. } => format!("KEPT={}; {line}", kept_at(at)),
        }
    }
}

/// Where something is kept on the node, as it is told before the entry has its number.
pub(super) fn kept_at(at: &str) -> String {
    if at.starts_with('/') { at.to_owned() } else { format!("{}/ENTRY/{at}", super::node::STATE) }
}

/// How the person's way in is proved before the switch is disarmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A second, fresh login by the way that this program came.
    #[default]
    Login,
    /// A code that the node shows at its console and the person types here: by this way nobody gets in any more.
    Console,
}

/// One change of one node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeChange {
    /// Folders that are made for root alone where they are not there yet, before anything else. They stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// The files, in the order in which they are renamed into place.
    pub files: Vec<FileChange>,
    /// What must hold before that.
    pub validate: Vec<Validate>,
    /// Lines of shell that run before the files are renamed, with the switch armed; each must end with 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_change: Vec<String>,
    /// The same before the old files come back. Where one fails they do not: what was done since needs the new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_back: Vec<String>,
    /// Lines of shell that make it effective, in order; each must end with 0.
    pub activate: Vec<String>,
    /// A file that one of those lines sends everything to (`exec >FILE `): what comes into it is shown while that one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// Conditions in shell: it works when all end with 0 at once.
    pub holds: Vec<String>,
    /// Seconds that this may take.
    pub within: u32,
    /// Lines of shell that follow when the old files are back.
    pub deactivate: Vec<String>,
    /// Conditions in shell: the old state works.
    pub restored: Vec<String>,
    /// How bad it is if something goes wrong.
    pub risk: Risk,
    /// What is interrupted, and for how long. Sentences.
    pub interrupts: Vec<String>,
    /// Why it is done in this way. Sentences.
    pub why: Vec<String>,
    /// Whether a file of it holds a secret beside what is changed: no script carries it then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether it can not be taken back, by nobody here: what it did before it failed stays, too.
    #[serde(default)]
    pub one_way: bool,
    /// Whether an undo later would bring nothing back, since the node does the same by itself again. A step that fails does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_undo: bool,
    /// The node's name in the cluster, where its kubelet is restarted: it must report there again. None: that is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports_as: Option<String>,
    /// How the way in is proved.
    pub proof: Proof,
    /// Seconds after which the node puts the old state back unless it is confirmed. 0: there is no switch.
    pub delay: u32,
}

/// Seconds that the switch leaves beyond the check of the change.
pub(super) const DELAY: u32 = 120;

/// The same where somebody has to walk to the node's console.
pub(super) const WALK: u32 = 600;

impl NodeChange {
    /// Takes another change into this one. Both must be about different files, or one of them about the mode and owner alone.
    pub fn add(&mut self, other: NodeChange) {
        for file in other.files {
            match self.files.iter_mut().find_map(|known| known.with(&file).map(|both| (known, both))) {
                Some((known, both)) => *known = both,
                None => self.files.push(file),
            }
        }
        fn join<T: PartialEq>(ours: &mut Vec<T>, theirs: Vec<T>) {
            for item in theirs {
                if !ours.contains(&item) {
                    ours.push(item);
                }
            }
        }
        join(&mut self.folders, other.folders);
        join(&mut self.validate, other.validate);
        join(&mut self.before_change, other.before_change);
        join(&mut self.before_back, other.before_back);
        join(&mut self.activate, other.activate);
        join(&mut self.holds, other.holds);
        join(&mut self.deactivate, other.deactivate);
        join(&mut self.restored, other.restored);
        join(&mut self.interrupts, other.interrupts);
        join(&mut self.why, other.why);
        self.within = self.within.max(other.within);
        self.follows = self.follows.take().or(other.follows);
        self.private |= other.private;
        self.reports_as = self.reports_as.take().or(other.reports_as);
        self.risk = self.risk.max(other.risk);
        self.one_way |= other.one_way;
        self.no_undo |= other.no_undo;
        if other.proof == Proof::Console {
            self.proof = Proof::Console;
        }
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.activate.is_empty()
    }

    /// The command that makes a folder of [`NodeChange::folders`].
    pub(super) fn make_folder(path: &str) -> String {
        format!("mkdir -p -m 700 {}", super::words::quoted(path))
    }

    /// Whether its lines call functions of `assets/remedy/certificates.sh`, `rancher.sh` or `secrets.sh`.
    pub(super) fn needs_tools(&self) -> bool {
        let mut lines = self.activate.iter().chain(&self.deactivate).chain(&self.before_change);
        lines.any(|line| {
            ["certificates_from ", "rancher_from ", "key_there ", "secrets_by "].iter().any(|tool| line.contains(tool))
        })
    }

    /// The first path that is changed twice, which no change may do.
    pub fn repeated(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.files.iter().map(|file| file.path.as_str()).find(|path| !seen.insert(*path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn contents_and_mode_of_one_file_are_one_change() {
        let before = State::File { sha256: "a".repeat(64), mode: 0o644, uid: 0, gid: 7 };
        let contents = || FileChange::contents("/etc/a", before.clone(), None, b"new".to_vec(), None);
        let mode = || FileChange::attributes("/etc/a", before.clone(), 0o600, 0, 0);
        for (first, second) in [(contents(), mode()), (mode(), contents())] {
            let mut change = NodeChange { files: vec![first], ..NodeChange::default() };
            change.add(NodeChange { files: vec![second], ..NodeChange::default() });
            assert_eq!(change.repeated(), None);
            let [file] = change.files.as_slice() else { panic!("{change:?}") };
            assert_eq!(file.after.attributes(), Some((0o600, 0, 0)));
            assert_eq!((file.contents.as_deref(), file.is_attributes()), (Some(&b"new"[..]), false));
            assert!(file.in_words().contains("0600"), "{}", file.in_words());
        }
        // Two contents are none, nor what was seen in two states.
        let mut change = NodeChange { files: vec![contents()], ..NodeChange::default() };
        change.add(NodeChange { files: vec![contents()], ..NodeChange::default() });
        assert_eq!(change.repeated(), Some("/etc/a"));
        let other = FileChange::attributes("/etc/a", State::Absent, 0o600, 0, 0);
        assert!(contents().with(&other).is_none());
    }
}
