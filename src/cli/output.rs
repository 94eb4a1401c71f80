//! Where a result goes: standard output, or a file that is either the old one or the whole new one.

use super::error::CliError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where a result goes.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard output.
    Stdout,
    /// A file.
    File {
        /// Where to.
        path: PathBuf,
        /// Whether only its owner may read it.
        private: bool,
    },
}

impl Output {
    /// Finds out, before any work is done, whether the place can be written to.
    pub(super) fn open(path: Option<&Path>, private: bool) -> Result<Self, CliError> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else { return Ok(Output::Stdout) };
        let tried = match Place::of(path) {
            Ok(Place::Beside(target)) => beside(&target, private).map(|(_, file)| {
                let _ = fs::remove_file(file);
            }),
            // Opening a pipe would wait for its reader, and closing it would tell the reader that all is said.
            Ok(Place::Straight) if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(Place::Straight) => Ok(()),
            Err(error) => Err(error),
        };
        match tried {
            Ok(()) => Ok(Output::File { path: path.to_owned(), private }),
            Err(error) => Err(CliError::Write { file: path.to_owned(), error }),
        }
    }

    /// Writes the result. On an error, a file that was there before is still as it was.
    pub(super) fn write(&self, bytes: &[u8], out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Output::Stdout => {
                out.write_all(bytes)?;
                Ok(out.flush()?)
            }
            Output::File { path, private } => {
                replace(path, bytes, *private).map_err(|error| CliError::Write { file: path.clone(), error })
            }
        }
    }

    /// Whether it is standard output.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Output::Stdout)
    }
}

/// How a path is written.
enum Place {
    /// A regular file, or none yet: write beside it (links followed) and rename.
    Beside(PathBuf),
    /// A device or a pipe: write into it. A directory fails.
    Straight,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(meta) if meta.is_file() => Ok(Place::Beside(fs::canonicalize(path)?)),
            Ok(_) => Ok(Place::Straight),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::Beside(path.to_owned())),
            Err(error) => Err(error),
        }
    }
}

fn replace(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    match Place::of(path)? {
        Place::Straight => OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Place::Beside(target) => {
            let (mut file, name) = beside(&target, private)?;
            let written =
                file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&name, &target));
            if written.is_err() {
                let _ = fs::remove_file(&name);
            }
            written
        }
    }
}

/// A new file in the folder of `target`.
fn beside(target: &Path, private: bool) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut number = 0_u32;
    loop {
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}-{number}.new", std::process::id()));
        let path = target.with_file_name(beside);
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.json");
        fs::write(&path, "old").unwrap();
        let output = Output::open(Some(&path), true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        output.write(b"new", &mut Vec::new()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn evidence_is_for_its_owner_alone_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.json");
        let link = folder.path().join("link");
        Output::open(Some(&path), true).unwrap().write(b"{}", &mut Vec::new()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        symlink(&path, &link).unwrap();
        Output::open(Some(&link), true).unwrap().write(b"[]", &mut Vec::new()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[]");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("no/such/folder/x"), folder.path().to_owned()] {
            match Output::open(Some(&path), false) {
                Err(CliError::Write { file, .. }) => assert_eq!(file, path),
                other => panic!("{other:?}"),
            }
        }
    }
}
