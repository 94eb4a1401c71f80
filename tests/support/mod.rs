//! What tests on real nodes share: the bed of `tests/bed/up`, the program, and its JSON.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};

/// Tests that change a node's settings take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Restarts sshd, however often that was done just before.
const RESTART: &str = "systemctl reset-failed ssh; systemctl restart ssh";

/// The running test bed.
pub struct Bed {
    pub address: String,
    pub key: PathBuf,
    pub known_hosts: PathBuf,
    exec: PathBuf,
    node: String,
    _turn: MutexGuard<'static, ()>,
}

impl Bed {
    /// The bed, where one is up. Without one says loudly that the test is left out; in CI that is a failure.
    pub fn up(test: &str) -> Option<Bed> {
        let Ok(nodes) = std::env::var("BED_NODES") else {
            assert!(std::env::var_os("CI").is_none(), "{test}: no test bed in CI; run tests/run");
            // Past the test runner, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "#### LEFT OUT: {test} needs a real node. Run tests/run, or tests/bed/up ssh and source target/bed/env"
            );
            return None;
        };
        let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let var = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
        let (node, address) =
            nodes.split_whitespace().next().and_then(|first| first.split_once('=')).expect("BED_NODES");
        Some(Bed {
            address: address.to_owned(),
            node: node.to_owned(),
            key: var("BED_SSH_KEY"),
            known_hosts: var("BED_KNOWN_HOSTS"),
            exec: var("BED_EXEC"),
            _turn: turn,
        })
    }

    /// Runs a shell script on the node as root, behind the program's back. Panics where it fails.
    pub fn sh(&self, script: &str) -> String {
        let mut command = Command::new(&self.exec);
        // The passwords are looked for in the node's processes, of which this becomes one.
        for user in ["OPS", "ASKS", "GUEST"] {
            command.env_remove(format!("BED_PASSWORD_{user}"));
        }
        let mut child = command
            .args([self.node.as_str(), "sh", "-se"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "on the node: {script}\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Copies an executable file to the node.
    pub fn put(&self, from: &str, to: &str) {
        let file = std::fs::File::open(from).unwrap();
        let script = format!("cat > {to}; chmod 755 {to}");
        let done =
            Command::new(&self.exec).args([self.node.as_str(), "sh", "-c", &script]).stdin(file).status().unwrap();
        assert!(done.success(), "{from} was not copied");
    }

    /// Puts a drop-in for sshd in place; taken away again when the returned value is dropped. sshd is restarted, not
    /// reloaded: systemd then waits until it listens.
    pub fn sshd_drop_in(&self, name: &str, text: &str) -> DropIn<'_> {
        let path = format!("/etc/ssh/sshd_config.d/{name}");
        self.sh(&format!("cat > {path} <<'END'\n{text}\nEND\nsshd -t\n{RESTART}\n"));
        DropIn { bed: self, path }
    }

    /// Arguments that name the node, for a user.
    pub fn node_as(&self, user: &str) -> Vec<String> {
        vec![
            "--node".into(),
            format!("{user}@{}", self.address),
            "--identity".into(),
            self.key.display().to_string(),
            "--known-hosts".into(),
            self.known_hosts.display().to_string(),
        ]
    }

    /// A scan of the node in JSON, by the profile that asks everything.
    pub fn scan(&self, user: &str) -> Findings {
        let mut args = vec!["scan".to_owned(), "--profile".into(), "cis".into(), "--format".into(), "json".into()];
        args.extend(self.node_as(user));
        let done = sitewarden(&args);
        Findings::read(&done)
    }
}

/// A drop-in of sshd that goes away with this value.
pub struct DropIn<'a> {
    bed: &'a Bed,
    path: String,
}

impl Drop for DropIn<'_> {
    fn drop(&mut self) {
        self.bed.sh(&format!("rm -f {}\n{RESTART}\n", self.path));
    }
}

/// Runs the program without a terminal, in a home of its own.
pub fn sitewarden<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    command(args).stdin(Stdio::null()).output().unwrap()
}

/// The program's command with a home of its own and no agent.
pub fn command<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Command {
    let home = std::env::temp_dir().join(format!("sitewarden-home-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    command.args(args).env("HOME", home);
    for name in ["SSH_AUTH_SOCK", "XDG_DATA_HOME", "KUBECONFIG", "KUBERNETES_SERVICE_HOST"] {
        command.env_remove(name);
    }
    command
}

/// Findings of one run.
pub struct Findings {
    pub json: Value,
    pub status: i32,
}

impl Findings {
    /// Reads the JSON of a run, with its standard error in the message where there is none.
    pub fn read(done: &Output) -> Findings {
        let json = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
        Findings { json, status: done.status.code().unwrap() }
    }

    /// The one finding of a control.
    pub fn of(&self, control: &str) -> &Value {
        let all = self.json["findings"].as_array().unwrap();
        let mut found = all.iter().filter(|finding| finding["control"] == control);
        let first = found.next().unwrap_or_else(|| panic!("no finding of {control}"));
        assert!(found.next().is_none(), "more than one finding of {control}");
        first
    }

    /// The verdict of a control.
    pub fn verdict(&self, control: &str) -> &str {
        self.of(control)["verdict"].as_str().unwrap()
    }

    /// Names of the items of a control that have a verdict.
    pub fn items(&self, control: &str, verdict: &str) -> Vec<String> {
        let items = self.of(control)["items"].as_array().unwrap();
        items
            .iter()
            .filter(|item| item["verdict"] == verdict)
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Controls with a verdict.
    pub fn with(&self, verdict: &str) -> Vec<String> {
        let all = self.json["findings"].as_array().unwrap();
        all.iter()
            .filter(|finding| finding["verdict"] == verdict)
            .map(|finding| finding["control"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Says loudly what a test leaves out, and why; past the test runner, which keeps what a passing test prints to itself. In
/// CI that is a failure.
pub fn left_out(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}: {why}; run tests/run, which installs what is needed");
    let _ = writeln!(std::io::stderr(), "#### LEFT OUT: {what}: {why}");
}

/// Whether a program is installed.
pub fn there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v -- \"$1\"", "sh", program]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Whether this process is root.
pub fn am_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}
