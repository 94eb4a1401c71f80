//! A real sshd for tests: its own configuration, keys and port, in a temporary folder, ended with the test.
#![allow(unreachable_pub, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use tempfile::TempDir;

/// Where sshd is, or None with a loud word. In CI that is a failure.
pub fn sshd_program() -> Option<&'static str> {
    let found =
        ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no sshd: run tests/run, which installs openssh-server");
        // Past the test runner, which keeps what a passing test prints to itself.
        let _ = writeln!(
            std::io::stderr(),
            "#### LEFT OUT: no sshd on this machine; install openssh-server to run the tests of the SSH channel"
        );
    }
    found
}

/// Runs a program that must succeed.
pub fn must(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The user who runs the tests, and as whom they log in.
pub fn user() -> String {
    must("id", &["-un"]).trim().to_owned()
}

/// A new key pair; its private file.
pub fn new_key(folder: &Path, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = folder.join(name);
    must("ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path.to_str().unwrap()]);
    path
}

/// `TYPE BASE64` of a key's public half.
pub fn public(private: &Path) -> String {
    let text = std::fs::read_to_string(private.with_extension("pub")).unwrap();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    words.join(" ")
}

/// A key's fingerprint, as ssh-keygen prints it.
pub fn fingerprint(private: &Path) -> String {
    let line = must("ssh-keygen", &["-l", "-f", private.with_extension("pub").to_str().unwrap()]);
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// Lines that a program wrote, for waiting.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    fn follow(&self, stream: impl std::io::Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.0.0.lock().unwrap().lines.push(String::from_utf8_lossy(&line).into_owned());
                log.0.1.notify_all();
            }
            log.0.0.lock().unwrap().ended = true;
            log.0.1.notify_all();
        });
    }

    /// Waits for a line that contains a text.
    pub fn wait_for(&self, text: &str) -> String {
        let mut state = self.0.0.lock().unwrap();
        loop {
            if let Some(line) = state.lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(!state.ended, "ended without {text:?}: {:#?}", state.lines);
            state = self.0.1.wait(state).unwrap();
        }
    }
}

/// A daemon that is ended with this value.
pub struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An sshd of one's own.
pub struct Sshd {
    /// Where its files are; tests put theirs there too.
    pub folder: TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// What it logs, at level VERBOSE.
    pub log: Log,
    /// The key that may log in, without a passphrase.
    pub key: PathBuf,
    _daemon: Daemon,
}

impl Sshd {
    /// Starts one with an Ed25519 host key `host_ed25519` and further lines of configuration. `%D` stands for its
    /// folder.
    pub fn start(more: &str) -> Option<Self> {
        Self::start_in(tempfile::tempdir().unwrap(), more)
    }

    /// The same in a folder that was prepared, which may hold host keys already.
    pub fn start_in(folder: TempDir, more: &str) -> Option<Self> {
        let program = sshd_program()?;
        let at = folder.path().display().to_string();
        if !folder.path().join("host_ed25519").exists() {
            new_key(folder.path(), "host_ed25519", "ed25519", "");
        }
        let key = new_key(folder.path(), "user_key", "ed25519", "");
        std::fs::write(folder.path().join("authorized_keys"), public(&key)).unwrap();
        if user() == "root" {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = free_port();
        let config = format!(
            "{more}\nListenAddress 127.0.0.1\nPort {port}\nHostKey %D/host_ed25519\nPidFile none\nUsePAM no\nStrictModes no\n\
             PermitRootLogin prohibit-password\nAuthorizedKeysFile %D/authorized_keys\nLogLevel VERBOSE\n"
        );
        let file = folder.path().join("sshd_config");
        std::fs::write(&file, config.replace("%D", &at)).unwrap();
        let mut child = Command::new(program)
            .args(["-D", "-e", "-f", file.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stderr.take().unwrap());
        log.wait_for("Server listening");
        Some(Sshd { folder, port, log, key, _daemon: Daemon(child) })
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets a key log in as well.
    pub fn authorize(&self, key: &Path) {
        let file = self.path("authorized_keys");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{}\n{}\n", text.trim_end(), public(key))).unwrap();
    }

    /// A known_hosts line of this server: its name there and a key's public half.
    pub fn known_line(&self, host_key: &str) -> String {
        format!("[127.0.0.1]:{} {}\n", self.port, public(&self.path(host_key)))
    }
}

/// A port of 127.0.0.1 where nothing listens.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// An agent of one's own, with these keys (without passphrases).
pub fn agent(folder: &Path, keys: &[&Path]) -> (Daemon, PathBuf) {
    let socket = folder.join("agent.sock");
    let mut child = Command::new("ssh-agent")
        .args(["-D", "-a", socket.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Log::default();
    log.follow(child.stdout.take().unwrap());
    log.wait_for("SSH_AUTH_SOCK");
    let daemon = Daemon(child);
    for key in keys {
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status().unwrap();
        assert!(added.success());
    }
    (daemon, socket)
}
