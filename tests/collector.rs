//! The collector, run for real on this machine by the shells that nodes have.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

use sitewarden::channel::{Limits, local::Local};
use sitewarden::evidence::Privilege;
use sitewarden::probe::node::collector::{script, script_with};
use sitewarden::probe::node::frames::{Frames, Problem, State};
use sitewarden::probe::node::layouts::Layouts;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{am_root, left_out, there};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const SHELLS: [&[&str]; 3] = [&["dash"], &["busybox", "sh"], &["bash", "--posix"]];
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Feeds the script to a shell; gives its standard output and standard error.
fn feed(words: &[&str], privilege: &str, stdin: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["-s", "--", NONCE, privilege, "somebody", "7", ""]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (output.stdout, output.stderr)
}

fn answer(words: &[&str], privilege: &str, stdin: &[u8]) -> Frames {
    Frames::parse(&feed(words, privilege, stdin).0, NONCE)
}

/// Keys that do not depend on what happens to run on the machine.
fn steady_keys(frames: &Frames) -> BTreeSet<String> {
    let passing = |key: &str| {
        key.starts_with("proc.")
            || key.strip_prefix("sshd.").is_some()
            || key.starts_with("version.")
            || key.starts_with("file.")
    };
    frames.records.iter().map(|record| record.key.clone()).filter(|key| !passing(key)).collect()
}

fn shells() -> Vec<&'static [&'static str]> {
    let (have, lack): (Vec<_>, Vec<_>) = SHELLS.into_iter().partition(|words| there(words[0]));
    for words in lack {
        left_out(&format!("the collector under {}", words.join(" ")), "it is not installed");
    }
    assert!(!have.is_empty());
    have
}

#[test]
fn every_shell_gives_the_same_whole_answer() {
    let script = script(NONCE).unwrap();
    let privilege = if am_root() { "root" } else { "none" };
    let mut seen: Option<BTreeSet<String>> = None;
    for words in shells() {
        let frames = answer(words, privilege, &script.stdin);
        assert!(frames.complete, "{words:?}: {:?}", frames.problem);
        assert_eq!(frames.begin.as_ref().unwrap().user, "somebody");
        let keys = steady_keys(&frames);
        for key in ["login", "host", "proc", "users", "sshd", "keys", "listen", "paths", "stat", "certs", "files"] {
            assert!(keys.contains(key), "{words:?} lacks {key}");
        }
        assert!(frames.get("host").unwrap().pairs().value("kernel").is_some());
        assert_eq!(*seen.get_or_insert_with(|| keys.clone()), keys, "{words:?}");
    }
}

#[test]
fn an_ordinary_user_gets_a_whole_answer_that_says_what_is_forbidden() {
    if !am_root() || !there("setpriv") {
        return left_out("the collector as nobody", "this test does not run as root, or there is no setpriv");
    }
    let room = Room::new();
    let script = script_with(NONCE, &room.layouts()).unwrap();
    for words in shells() {
        let words: Vec<&str> = NOBODY.iter().chain(words).copied().collect();
        let frames = answer(&words, "none", &script.stdin);
        assert!(frames.complete, "{words:?}: {:?}", frames.problem);
        let begin = frames.begin.clone().unwrap();
        assert_eq!((begin.privilege, begin.uid), (Privilege::None, Some(65534)));
        let paths = frames.get("paths").unwrap().table();
        let pki = room.path("pki").to_string_lossy().into_owned();
        assert!(paths.iter().any(|row| row[0] == "forbidden" && row[3].starts_with(&pki)), "{words:?}: {paths:?}");
        assert!(!paths.iter().any(|row| row[0] == "absent" && row[3].starts_with(&pki)), "{words:?}: {paths:?}");
        let root = frames.get("keys").unwrap().table();
        if !root.is_empty() {
            assert!(root.iter().all(|row| row[0] != "key" || row[1] != "root"), "{words:?}");
        }
    }
}

#[test]
fn a_script_that_was_cut_on_its_way_runs_nothing() {
    let whole = script(NONCE).unwrap().stdin;
    for words in shells() {
        for length in [1, 100, 4000, whole.len() / 2, whole.len() - 2] {
            let (stdout, _) = feed(words, "none", &whole[..length]);
            assert!(stdout.is_empty(), "{words:?} cut at {length}: {}", String::from_utf8_lossy(&stdout));
        }
    }
}

#[test]
fn an_answer_that_was_cut_on_its_way_is_partial() {
    let (whole, _) = feed(shells()[0], "none", &script(NONCE).unwrap().stdin);
    // In the middle of a record, of a mark, and between them.
    for end in (whole.len() / 2..whole.len() - 1).step_by(97) {
        let frames = Frames::parse(&whole[..end], NONCE);
        let rest = String::from_utf8_lossy(&whole[end.saturating_sub(200)..end]);
        assert_eq!((frames.complete, frames.problem), (false, Some(Problem::Cut)), "{rest}");
        assert!(frames.get("host").is_some());
    }
}

#[test]
fn a_node_may_lack_base64_and_timeout() {
    // A PATH of our own is put after the system's, so the tools are hidden by taking the system's away.
    let room = Room::new();
    let bin = room.path("bin");
    fs::create_dir(&bin).unwrap();
    for tool in ["id", "od", "uname", "date", "head", "awk", "stat", "readlink", "find", "tr", "wc", "sort", "ls"] {
        let found = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", tool]).output().unwrap();
        symlink(String::from_utf8(found.stdout).unwrap().trim(), bin.join(tool)).unwrap();
    }
    let text = String::from_utf8(script_with(NONCE, &room.layouts()).unwrap().stdin).unwrap();
    let path = text.lines().find(|line| line.starts_with("PATH=")).unwrap().to_owned();
    let text = text.replace(&path, &format!("PATH={}", bin.display()));
    let frames = answer(&["dash"], "none", text.as_bytes());
    assert!(frames.complete, "{:?}", frames.problem);
    assert_eq!(frames.get("host").unwrap().pairs().value("timeout_tool"), Some("none"));
    assert!(frames.get("host.os-release").unwrap().text().contains("ID="));
}

#[test]
fn the_local_channel_collects_this_machine() {
    let node = sitewarden::probe::node::collect(&mut Local, "here", None, &Limits::default());
    assert!(node.reached && node.complete, "{:?}", node.errors);
}

/// A folder with what must never leave the node, and with an sshd of its own.
struct Room {
    folder: tempfile::TempDir,
    helpers: Vec<Child>,
    daemon: Option<String>,
}

const SECRET: &str = "PLANTED-SECRET";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nUFVCTElD\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nUExBTlRFRC1TRUNSRVQ=\n-----END PRIVATE KEY-----\n";

impl Room {
    fn new() -> Room {
        let room = Room { folder: tempfile::tempdir().unwrap(), helpers: Vec::new(), daemon: None };
        fs::set_permissions(room.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::DirBuilder::new().mode(0o700).create(room.path("pki")).unwrap();
        fs::create_dir(room.path("pki/etcd")).unwrap();
        room.write("pki/ca.crt", &format!("{CERTIFICATE}{KEY}"), 0o644);
        room.write("pki/ca.key", KEY, 0o640);
        room.write("pki/etcd/both.pem", &format!("{KEY}{CERTIFICATE}{CERTIFICATE}"), 0o600);
        symlink(room.path("pki/ca.crt"), room.path("pki/link.crt")).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn layouts(&self) -> Layouts {
        let at = self.folder.path().display();
        Layouts::parse(&format!(
            "version: 1\nroles:\n  pki: {{here: {{trees: ['{at}/pki']}}}}\n  admin-kubeconfig: {{here: {{files: ['{at}/none.conf']}}}}\n"
        ))
        .unwrap()
    }

    /// An sshd with includes, Match blocks and an authorized_keys file with an option of every kind.
    fn with_sshd(mut self) -> Room {
        let at = self.folder.path().display().to_string();
        for key in ["host", "user"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.path(key)).status();
            assert!(made.unwrap().success());
        }
        fs::create_dir(self.path("inc")).unwrap();
        fs::create_dir(self.path("keys")).unwrap();
        let public = fs::read_to_string(self.path("user.pub")).unwrap();
        let body: Vec<&str> = public.split(' ').collect();
        let line = format!("{} {} {SECRET}-comment", body[0], body[1]);
        let options = format!("from=\"10.0.0.0/8,!10.1.0.0/16\",command=\"echo \\\"{SECRET}\\\", ok\",no-pty");
        self.write("keys/root", &format!("# {SECRET}\n{line}\n\n{options} {line}\nnonsense {SECRET}\n"), 0o600);
        self.write("inc/10-first.conf", "MaxAuthTries 3\n", 0o600);
        self.write("inc/20-second.conf", "MaxAuthTries 5\nInclude deeper-that-is-not-there.conf\n", 0o600);
        let config = format!(
            "Port 1\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile {at}/pid\nUsePAM no\nAuthorizedKeysFile {at}/keys/%u\n\
             Include {at}/inc/*.conf\nPermitRootLogin no\nX11Forwarding no\n\
             Match Address 10.66.0.0/16,!10.66.1.0/24\n  PermitRootLogin yes\n\
             Match Group root\n  X11Forwarding yes\n\
             Match Group no-such-group\n  X11Forwarding yes\n"
        );
        // A port of the kernel's choosing, free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.write("sshd_config", &config.replace("Port 1\n", &format!("Port {port}\n")), 0o600);
        fs::create_dir_all("/run/sshd").unwrap();
        let sshd = Command::new("sh").args(["-c", "command -v sshd || echo /usr/sbin/sshd"]).output().unwrap();
        let sshd = String::from_utf8(sshd.stdout).unwrap();
        let started = Command::new(sshd.trim()).arg("-f").arg(self.path("sshd_config")).status().unwrap();
        assert!(started.success());
        for _ in 0..500 {
            if let Ok(pid) = fs::read_to_string(self.path("pid")) {
                self.daemon = Some(pid.trim().to_owned());
                return self;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("sshd does not start");
    }

    /// A process that calls itself sshd and names a file that only root may read.
    fn with_impostor(mut self, before: &[&str]) -> Room {
        self.write("secret", SECRET, 0o600);
        self.write("public", "nothing\n", 0o644);
        let call = format!("exec -a sshd tail -f {} {}", self.path("secret").display(), self.path("public").display());
        let words: Vec<&str> = before.iter().copied().chain(["bash", "-c", &call]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        let child = command.spawn().unwrap();
        let line = format!("/proc/{}/cmdline", child.id());
        self.helpers.push(child);
        for _ in 0..500 {
            if fs::read(&line).is_ok_and(|args| args.starts_with(b"sshd\0")) {
                return self;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the impostor does not start");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for helper in &mut self.helpers {
            let _ = helper.kill();
            let _ = helper.wait();
        }
        if let Some(pid) = &self.daemon {
            let _ = Command::new("kill").arg(pid).status();
        }
    }
}

/// The number of the daemon whose configuration is this file.
fn daemon_of(frames: &Frames, config: &Path) -> Option<usize> {
    (0..8).find(|number| {
        frames.get(&format!("sshd.{number}")).is_some_and(|record| record.pairs().value("config") == config.to_str())
    })
}

#[test]
fn nothing_secret_leaves_the_node() {
    let room = Room::new();
    let script = script_with(NONCE, &room.layouts()).unwrap();
    for words in shells() {
        let frames = answer(words, "none", &script.stdin);
        assert!(frames.complete);
        for record in &frames.records {
            let text = record.text();
            assert!(!text.contains("PRIVATE KEY") && !text.contains("UExBTlRFRC1TRUNSRVQ"), "{}", record.key);
        }
        let certificates = frames.get("certs").unwrap().text();
        // ca.crt, link.crt (which is ca.crt) and two in both.pem; a machine may run components with certificates of their own
        let of_room = |part: &&str| part.starts_with(&format!("here {}", room.path("pki").display()));
        let certificates: String = certificates.split("= ").filter(of_room).collect();
        assert_eq!(certificates.matches("BEGIN CERTIFICATE").count(), 4, "{certificates}");
        let stat = frames.get("stat").unwrap().table();
        let of = |name: &str| {
            let path = room.path(name).to_string_lossy().into_owned();
            stat.iter().find(|row| row[7] == path).unwrap_or_else(|| panic!("{words:?}: no {name}")).clone()
        };
        assert_eq!((of("pki/ca.key")[0].as_str(), of("pki/ca.key")[1].as_str()), ("regular file", "640"));
        assert_eq!(of("pki/link.crt")[0], "symbolic link");
        assert_eq!(of("pki/etcd")[0], "directory");
    }
}

#[test]
fn a_second_sshd_is_read_by_its_own_file_with_every_match() {
    if !am_root() || !there("ssh-keygen") || !Path::new("/usr/sbin/sshd").exists() {
        return left_out("the collector on a running sshd", "this test does not run as root, or there is no sshd");
    }
    let room = Room::new().with_sshd().with_impostor(&[]).with_impostor(&NOBODY);
    let script = script_with(NONCE, &room.layouts()).unwrap();
    for words in shells() {
        let frames = answer(words, "root", &script.stdin);
        assert!(frames.complete, "{words:?}: {:?}", frames.problem);
        let number =
            daemon_of(&frames, &room.path("sshd_config")).unwrap_or_else(|| panic!("{words:?}: the daemon is missing"));
        let files: Vec<String> =
            frames.get(&format!("sshd.{number}.files")).unwrap().table().iter().map(|row| row[5].clone()).collect();
        let expected = ["sshd_config", "inc/10-first.conf", "inc/20-second.conf"];
        assert_eq!(files, expected.map(|name| room.path(name).to_string_lossy().into_owned()), "{words:?}");
        let dumps = frames.under(&format!("sshd.{number}.dump."));
        let of = |kind: &str, criterion: &str| {
            let found = dumps.iter().map(|(_, record)| record).find(|record| {
                let first = record.table()[0].clone();
                first[0] == kind && first[2].starts_with(criterion)
            });
            found.unwrap_or_else(|| panic!("{words:?}: no dump {kind} {criterion}"))
        };
        assert!(of("global", "-").text().contains("permitrootlogin no\n"));
        assert!(of("global", "-").text().contains("maxauthtries 3\n"));
        assert!(of("match", "Address").text().contains("permitrootlogin yes\n"), "{words:?}");
        assert!(of("root", "-").text().contains("x11forwarding yes\n"));
        assert!(of("match", "Group root").text().contains("x11forwarding yes\n"));
        assert_eq!(of("match", "Group no-such-group").state(), State::NotVisible);
        assert_eq!(frames.get(&format!("sshd.{number}.test")).unwrap().lines(), ["ok"]);
        let host_keys = frames.get(&format!("sshd.{number}.hostkeys")).unwrap().table();
        assert_eq!(
            (host_keys[0][0].as_str(), host_keys[0][1].as_str(), host_keys[0][3].as_str()),
            ("here", "256", "ED25519")
        );

        let own = room.path("keys/root").to_string_lossy().into_owned();
        let keys: Vec<Vec<String>> =
            frames.get("keys").unwrap().table().into_iter().filter(|row| row[0] == "key" && row[7] == own).collect();
        let lines: Vec<&str> = keys.iter().map(|row| row[2].as_str()).collect();
        assert_eq!(lines, ["2", "4", "5"], "{words:?}: {keys:?}");
        assert_eq!((keys[0][3].as_str(), keys[0][4].as_str(), keys[0][6].as_str()), ("ssh-ed25519", "256", "-"));
        assert_eq!(keys[1][6], "from=\"10.0.0.0/8,!10.1.0.0/16\",command,no-pty");
        assert_eq!(keys[1][5], keys[0][5]);
        assert_eq!((keys[2][3].as_str(), keys[2][4].as_str()), ("?", "?"));
        let public = fs::read_to_string(room.path("user.pub")).unwrap();
        let body = public.split(' ').nth(1).unwrap().to_owned();
        for record in &frames.records {
            let text = record.text();
            assert!(!text.contains(SECRET) && !text.contains(&body), "{words:?}: {}", record.key);
        }

        let proc = frames.get("proc").unwrap().table();
        let ids: Vec<String> = room.helpers.iter().map(|child| child.id().to_string()).collect();
        let verdict = |pid: &str| proc.iter().find(|row| row[0] == pid).map(|row| row[9].clone());
        assert_eq!(verdict(&ids[0]).as_deref(), Some("rejected-exe-name"), "{words:?}");
        assert_eq!(verdict(&ids[1]).as_deref(), Some("rejected-uid"), "{words:?}");
        let listen = frames.get("listen").unwrap().table();
        assert!(
            listen.iter().any(|row| Some(&row[4]) == room.daemon.as_ref() && row[5] == "sshd"),
            "{words:?}: {listen:?}"
        );
    }
}

#[test]
fn a_configuration_that_others_may_write_is_refused() {
    if !am_root() || !there("ssh-keygen") || !Path::new("/usr/sbin/sshd").exists() {
        return left_out(
            "the collector on a writable configuration",
            "this test does not run as root, or there is no sshd",
        );
    }
    let room = Room::new().with_sshd();
    fs::set_permissions(room.path("sshd_config"), fs::Permissions::from_mode(0o666)).unwrap();
    for words in shells() {
        let frames = answer(words, "root", &script_with(NONCE, &room.layouts()).unwrap().stdin);
        let number = daemon_of(&frames, &room.path("sshd_config")).unwrap();
        assert_eq!(frames.get(&format!("sshd.{number}")).unwrap().pairs().value("config_state"), Some("refused"));
        assert!(frames.get(&format!("sshd.{number}.dump.0")).is_none());
        assert!(frames.get(&format!("sshd.{number}.file.0")).is_none());
    }
}

#[test]
fn a_daemon_that_names_a_relative_file_is_refused_and_does_not_hold_the_run_up() {
    if !am_root() || !there("ssh-keygen") || !Path::new("/usr/sbin/sshd").exists() {
        return left_out("the collector on a relative -f", "this test does not run as root, or there is no sshd");
    }
    let mut room = Room::new().with_sshd();
    let _ = Command::new("kill").arg(room.daemon.take().unwrap()).status();
    fs::remove_file(room.path("pid")).ok();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut config = fs::read_to_string(room.path("sshd_config")).unwrap();
    config = config.lines().filter(|line| !line.starts_with("Port ")).collect::<Vec<_>>().join("\n");
    room.write("own", &format!("Port {port}\n{config}\n").replace("/pid\n", "/own-pid\n"), 0o600);
    let started = Command::new("/usr/sbin/sshd").args(["-f", "own"]).current_dir(room.folder.path()).status().unwrap();
    assert!(started.success());
    for _ in 0..500 {
        if let Ok(pid) = fs::read_to_string(room.path("own-pid")) {
            room.daemon = Some(pid.trim().to_owned());
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for words in shells() {
        let words: Vec<&str> = ["timeout", "60"].iter().chain(words).copied().collect();
        let frames = answer(&words, "root", &script_with(NONCE, &room.layouts()).unwrap().stdin);
        assert!(frames.complete, "{words:?}: {:?}", frames.problem);
        let number = daemon_of(&frames, Path::new("own")).unwrap();
        assert_eq!(frames.get(&format!("sshd.{number}")).unwrap().pairs().value("config_state"), Some("refused"));
    }
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if !there("shellcheck") {
        return left_out("shellcheck", "it is not installed");
    }
    // The parts stand on each other, so they are checked as what goes to a node.
    let text = sitewarden::probe::node::collector::text(&Layouts::embedded().unwrap());
    let mut child = Command::new("shellcheck")
        .args(["-s", "sh", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = child.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
