//! Our own file of accepted host keys, in OpenSSH's format.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

/// Nodes are connected to at the same time; the file is changed by one at a time.
static CHANGING: Mutex<()> = Mutex::new(());

/// Adds a key of a host (named as in known_hosts). The file is replaced in one step; it and its folder are the user's
/// alone.
pub(super) fn remember(file: &Path, name: &str, kind: &str, key: &[u8]) -> io::Result<()> {
    let _guard = CHANGING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if text.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
    text.extend_from_slice(format!("{name} {kind} {}\n", openssl::base64::encode_block(key)).as_bytes());

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
        assert_eq!(fs::read_to_string(&file).unwrap(), "[10.0.0.4]:2222 ssh-ed25519 b25l\nedge1 ssh-ed25519 dHdv\n");
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
