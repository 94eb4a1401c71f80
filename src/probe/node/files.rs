//! Files whose mode and owner matter: what was looked for, joined with what `stat` says.

use super::answer::{self, Answer, Got};
use super::frames::State;
use crate::evidence::{Fact, FileFact, FileKind, Listing, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// What a path is to the platform.
pub(super) struct Roles {
    of: BTreeMap<String, String>,
}

impl Roles {
    /// The role of a path; empty for one that was not looked for.
    pub(super) fn of(&self, path: &str) -> String {
        self.of.get(path).cloned().unwrap_or_default()
    }
}

/// Reads the files, and gives their roles back for those who speak of the same paths.
pub(super) fn read(answer: &mut Answer<'_>) -> (Listing<FileFact>, Roles) {
    let paths = answer.table("paths", 4, "files", "the files that matter");
    let stats = answer.table("stat", 8, "files", "the modes and owners of files");
    let mut complete = paths.complete && stats.complete;
    if matches!(answer.got("paths"), Got::Absent) {
        complete = false;
        answer.gap("files", Reason::NotVisible, "no file was looked for");
    }
    let by_path: BTreeMap<&str, &Vec<String>> =
        stats.items.iter().filter_map(|row| Some((row.get(7)?.as_str(), row))).collect();
    let mut of = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for row in &paths.items {
        let [state, role, named_by, path] = row.as_slice() else { continue };
        let state = State::from_word(state);
        if named_by == "listing" {
            complete = false;
            answer.missing(state, "files", "what a directory holds");
            continue;
        }
        // A CA that the kubelet names is still one of the cluster's own files.
        let known = of.entry(path.clone()).or_insert_with(|| role.clone());
        if role == "pki" {
            known.clone_from(role);
        }
        if state == State::Absent || !seen.insert((path.clone(), role.clone())) {
            continue;
        }
        let named_by = answer::column(named_by).unwrap_or_default();
        let row = if state == State::Here { by_path.get(path.as_str()).copied() } else { None };
        items.push(fact(path, role, named_by, state, row));
    }
    (Listing { items, complete }, Roles { of })
}

fn fact(path: &str, role: &str, named_by: &str, state: State, row: Option<&Vec<String>>) -> FileFact {
    let mut found = FileFact {
        path: path.to_owned(),
        role: role.to_owned(),
        named_by: named_by.to_owned(),
        kind: Fact::Unread,
        mode: Fact::Unread,
        owner: Fact::Unread,
        group: Fact::Unread,
        uid: Fact::Unread,
        gid: Fact::Unread,
        modified: Fact::Unread,
        unread: None,
    };
    let Some([kind, mode, uid, gid, owner, group, mtime, _path]) = row.map(Vec::as_slice) else {
        found.unread = Some(state.reason().unwrap_or(Reason::NotVisible));
        return found;
    };
    let name = |name: &str, number: &str| match (answer::column(name), answer::column(number)) {
        (Some(name), _) if name != "UNKNOWN" => Fact::Known(name.to_owned()),
        (_, Some(number)) => Fact::Known(number.to_owned()),
        _ => Fact::Unread,
    };
    found.kind = match kind.as_str() {
        "regular file" | "regular empty file" => Fact::Known(FileKind::Regular),
        "directory" => Fact::Known(FileKind::Directory),
        "symbolic link" => Fact::Known(FileKind::Symlink),
        "" | "-" | "?" => Fact::Unread,
        _ => Fact::Known(FileKind::Other),
    };
    found.mode = octal(mode);
    found.owner = name(owner, uid);
    found.group = name(group, gid);
    found.uid = answer::number(uid);
    found.gid = answer::number(gid);
    found.modified = answer::time(mtime);
    let missing = found.kind.is_unread() || found.mode.is_unread() || found.uid.is_unread() || found.gid.is_unread();
    found.unread = missing.then_some(Reason::Malformed);
    found
}

/// Permission bits without leading zeros.
fn octal(mode: &str) -> Fact<String> {
    match u32::from_str_radix(mode, 8) {
        Ok(bits) if bits <= 0o7777 && mode.chars().all(|c| c.is_digit(8)) => Fact::Known(format!("{bits:o}")),
        _ => Fact::Unread,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    const PATHS: &str = "here\tpki\t-\t/etc/kubernetes/pki/ca.key\nabsent\tetcd-data\t-\t/var/lib/etcd\nforbidden\tpki\t-\t/root/x\nhere\tkubelet-config\t--config of kubelet\t/var/lib/kubelet/my config.yaml\n";
    const STAT: &str = "regular file\t0600\t0\t0\troot\troot\t1700000000\t/etc/kubernetes/pki/ca.key\nsymbolic link\t777\t997\t0\tUNKNOWN\troot\t1700000000\t/var/lib/kubelet/my config.yaml\n";

    #[test]
    fn what_is_there_has_mode_and_owner_and_what_is_closed_has_a_reason() {
        let files = assembled(&[record("paths", "-", PATHS), record("stat", "-", STAT)]).files;
        assert!(files.complete);
        assert_eq!(files.items.len(), 3);
        let key = &files.items[0];
        assert_eq!((key.mode.known().unwrap().as_str(), &key.kind), ("600", &Fact::Known(FileKind::Regular)));
        assert_eq!((files.items[1].unread, &files.items[1].mode), (Some(Reason::Forbidden), &Fact::Unread));
        let config = &files.items[2];
        assert_eq!((config.owner.known().unwrap().as_str(), config.named_by.as_str()), ("997", "--config of kubelet"));
    }

    #[test]
    fn a_directory_that_cannot_be_listed_leaves_the_list_open() {
        let paths = format!("{PATHS}forbidden\tpki\tlisting\t/etc/kubernetes/pki\n");
        let node = assembled(&[record("paths", "-", &paths), record("stat", "-", STAT)]);
        assert!(!node.files.complete);
        assert!(node.unread.iter().any(|gap| gap.path == "files" && gap.reason == Reason::Forbidden));
    }

    #[test]
    fn modes_are_octal_or_unread() {
        assert_eq!(octal("4755"), Fact::Known("4755".into()));
        assert_eq!(octal("0"), Fact::Known("0".into()));
        for bad in ["", "789", "-1", "+7", "77777", "rw-"] {
            assert_eq!(octal(bad), Fact::Unread, "{bad}");
        }
    }
}
