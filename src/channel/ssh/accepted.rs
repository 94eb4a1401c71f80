//! Our own file of accepted host keys, in OpenSSH's format.

use jiff::{Timestamp, Unit};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

/// Nodes are connected to at the same time; the file is changed by one at a time.
static CHANGING: Mutex<()> = Mutex::new(());

/// The word of a line's comment before the time at which its key was accepted.
pub(super) const COMMENT: &str = "accepted";

/// Adds a key of a host (named as in known_hosts). The file is replaced in one step; it and its folder are the user's
/// alone.
pub(super) fn remember(file: &Path, name: &str, kind: &str, key: &[u8]) -> io::Result<()> {
    let now = Timestamp::now();
    let now = now.round(Unit::Second).unwrap_or(now);
    let line = format!("{name} {kind} {} {COMMENT} {now}\n", openssl::base64::encode_block(key));
    change(file, |mut text| {
        if text.last().is_some_and(|byte| *byte != b'\n') {
            text.push(b'\n');
        }
        text.extend_from_slice(line.as_bytes());
        text
    })
}

/// Changes the text of the file, which may not exist yet.
pub(super) fn change(file: &Path, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> io::Result<()> {
    let _guard = CHANGING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let text = edit(text);
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = write_new(beside, &text).and_then(|()| fs::rename(beside, file));
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written
}

fn write_new(file: &Path, text: &[u8]) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_added_and_the_file_is_the_users_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("sitewarden/known_hosts");
        remember(&file, "[10.0.0.4]:2222", "ssh-ed25519", b"one").unwrap();
        fs::write(&file, fs::read_to_string(&file).unwrap().trim_end()).unwrap();
        remember(&file, "edge1", "ssh-ed25519", b"two").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(" accepted 20")?.0)).collect();
        assert_eq!(lines, ["[10.0.0.4]:2222 ssh-ed25519 b25l", "edge1 ssh-ed25519 dHdv"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn keys_accepted_at_the_same_time_are_all_kept() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("known_hosts");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || remember(file, &format!("node{number}"), "ssh-ed25519", b"key").unwrap());
            }
        });
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 8);
    }
}
