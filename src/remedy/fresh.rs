//! What a plan is about to change, read fresh from the node just before the preview.

use super::change::State;
use std::collections::BTreeMap;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    /// A file with its bytes.
    File(String),
    /// What a path is, without its bytes: for files that may hold secrets.
    Stat(String),
    /// A file with its bytes that may lie in the own folders of the user with this number. Then it is read and changed with
    /// that user's rights.
    Own(String, u32),
    /// Every file that a shell pattern names, with its bytes.
    Pattern(String),
    /// What a line of shell says that only reads.
    Tell(String),
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FreshFile {
    /// Its path without symbolic links: the one to change.
    pub path: String,
    /// What is there. None where it may not be touched.
    pub state: Option<State>,
    /// Why it may not be touched: a clause.
    pub trouble: Option<&'static str>,
    /// Its bytes, where they were asked for.
    pub contents: Option<Vec<u8>>,
    /// User and group in whose own folders it lies. None where they are root's.
    pub owner: Option<(u32, u32)>,
}

impl FreshFile {
    /// Its bytes as text. None where it is no UTF-8, has zero bytes, or was not read.
    pub(super) fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.contents.as_deref()?).ok()?;
        (!text.contains('\0')).then_some(text)
    }
}

/// What was read of everything that was wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fresh {
    /// By what was wanted.
    files: BTreeMap<Want, Vec<FreshFile>>,
    /// Lines that were asked: exit status and what they said.
    told: BTreeMap<String, (i32, String)>,
}

impl Fresh {
    /// Adds what was found.
    pub(super) fn found(&mut self, want: &Want, file: FreshFile) {
        self.files.entry(want.clone()).or_default().push(file);
    }

    /// Adds what a line said.
    pub(super) fn said(&mut self, line: &str, status: i32, said: String) {
        self.told.insert(line.to_owned(), (status, said));
    }

    /// A file that was wanted by its path.
    pub(super) fn file(&self, path: &str) -> Option<&FreshFile> {
        let of = |want: Want| self.files.get(&want).and_then(|found| found.first());
        let own = || {
            let mut own = self.files.iter().filter(|(want, _)| matches!(want, Want::Own(of, _) if of == path));
            own.next().and_then(|(_, found)| found.first())
        };
        of(Want::File(path.to_owned())).or_else(|| of(Want::Stat(path.to_owned()))).or_else(own)
    }

    /// The files of a pattern, in the order in which the shell lists them.
    pub(super) fn pattern(&self, pattern: &str) -> &[FreshFile] {
        self.files.get(&Want::Pattern(pattern.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// What a line said, where it ended with 0.
    pub(super) fn told(&self, line: &str) -> Option<&str> {
        self.told.get(line).filter(|(status, _)| *status == 0).map(|(_, said)| said.as_str())
    }
}
