//! The walk-through as a person meets it: the real program on a pseudo-terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod terminal;

use portable_pty::{Child, CommandBuilder};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use terminal::{LEAVE_SCREEN, PATIENCE, SHOW_CURSOR, Terminal};

/// All numbers of all `ESC [ ... m` sequences.
fn styles(raw: &str) -> Vec<u16> {
    let sequences = raw.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    sequences.flat_map(|sequence| sequence.split(';').filter_map(|n| n.parse().ok()).collect::<Vec<_>>()).collect()
}

fn colours(raw: &str) -> Vec<u16> {
    styles(raw).into_iter().filter(|n| matches!(n, 30..=38 | 40..=48 | 58 | 90..=107)).collect()
}

#[test]
fn the_demo_is_walked_with_the_keyboard_and_q_gives_the_terminal_back() {
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[]);
    terminal.shows("Security patches");
    terminal.shows("Direct access to nodes");
    terminal.shows("read-only");
    terminal.shows("fail unkn  man pass  checked");
    terminal.press("?");
    terminal.shows("Keys here");
    terminal.press("q0");
    terminal.shows("All sections");
    terminal.press("q");
    terminal.shows("Sections");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    assert!(!terminal.raw().contains("\u{1b}[6n"), "the terminal was asked for its cursor");
}

#[test]
fn the_modes_of_the_terminal_are_as_before() {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "read before; \"$0\" --demo; echo \"status $?\"; read after"]);
    command.arg(env!("CARGO_BIN_EXE_sitewarden"));
    let mut terminal = Terminal::spawn(command, (80, 24), &[]);
    let before = terminal.modes();
    terminal.press("\n");
    terminal.shows("read-only");
    assert_ne!(terminal.modes(), before, "the screens take the terminal");
    terminal.press("q");
    terminal.until("the shell", |terminal| terminal.raw().contains("status 0"));
    assert_eq!(terminal.modes(), before);
    terminal.press("\n");
    terminal.end();
}

#[test]
fn a_terminal_that_reports_no_size_is_drawn_on_as_eighty_by_twenty_four() {
    let mut terminal = Terminal::start(&["--demo"], (0, 0), &[]);
    terminal.shows("Security patches");
    terminal.until("the footer on row 24", |terminal| {
        terminal.screen.screen().rows(0, 80).nth(23).is_some_and(|row| row.contains("q back/quit"))
    });
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn forty_by_twelve_is_usable_and_a_larger_window_is_filled() {
    let mut terminal = Terminal::start(&["--demo"], (40, 12), &[]);
    terminal.shows("1 Security patches");
    terminal.shows("q back/quit");
    terminal.resize(80, 24);
    terminal.shows("fail unkn  man pass  checked");
    terminal.resize(15, 4);
    terminal.until("a clear page", |terminal| terminal.text().replace('\n', " ").contains("too small: 20x6. q quits."));
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn colours_are_used_where_they_are_known_and_never_with_no_color() {
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[]);
    terminal.until("colours", |terminal| !colours(&terminal.raw()).is_empty());
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[("NO_COLOR", "1")]);
    terminal.shows("assessed as of");
    terminal.press("0");
    terminal.shows("All sections");
    terminal.press("q");
    terminal.shows("Sections");
    assert_eq!(colours(&terminal.raw()), [0u16; 0]);
    assert!(styles(&terminal.raw()).contains(&7), "the cursor is not marked");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_vt100_gets_ascii_and_attributes_alone() {
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[("TERM", "vt100")]);
    terminal.shows("assessed as of");
    terminal.shows("Sections ---");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    assert!(terminal.raw.is_ascii());
    assert_eq!(colours(&terminal.raw()), [0u16; 0]);
}

#[test]
fn signals_give_the_terminal_back() {
    for (name, status) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130)] {
        let mut terminal = Terminal::start(&["--demo"], (80, 24), &[]);
        terminal.shows("Security patches");
        terminal.signal(name);
        assert_eq!(terminal.end(), status, "{name}");
        terminal.assert_restored();
    }
}

#[test]
fn ctrl_c_ends_it_as_a_key() {
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[]);
    terminal.shows("Security patches");
    terminal.press("0/abc\u{3}");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn when_its_terminal_goes_away_the_program_ends() {
    let mut terminal = Terminal::start(&["--demo"], (80, 24), &[]);
    terminal.shows("Security patches");
    drop(terminal.keys.take());
    drop(terminal.master.take());
    // The reading end that is left is the test's own; the program's end is awaited by its process.
    let (send, ended) = channel();
    let mut child = std::mem::replace(&mut terminal.child, Box::new(Gone));
    let process = child.process_id().unwrap();
    thread::spawn(move || send.send(child.wait().is_ok()));
    Command::new("kill").args(["-HUP", &process.to_string()]).status().unwrap();
    assert!(ended.recv_timeout(PATIENCE).expect("the program goes on without a terminal"));
}

/// Stands for a child that somebody else waits for.
#[derive(Debug)]
struct Gone;

impl portable_pty::ChildKiller for Gone {
    fn kill(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn clone_killer(&self) -> Box<dyn portable_pty::ChildKiller + Send + Sync> {
        Box::new(Gone)
    }
}

impl Child for Gone {
    fn try_wait(&mut self) -> std::io::Result<Option<portable_pty::ExitStatus>> {
        Ok(None)
    }
    fn wait(&mut self) -> std::io::Result<portable_pty::ExitStatus> {
        Ok(portable_pty::ExitStatus::with_exit_code(0))
    }
    fn process_id(&self) -> Option<u32> {
        None
    }
}

#[test]
fn a_node_that_accepts_and_never_speaks_freezes_no_key() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let node = format!("root@{}", silent.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let mut terminal = Terminal::start(&["--node", &node], (80, 24), &[("HOME", home)]);
    terminal.shows("Security patches");
    terminal.shows("connecting");
    terminal.press("?");
    terminal.shows("Keys here");
    terminal.press("q0");
    terminal.shows("All sections");
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

/// A kubeconfig of a server at a port of this machine, and how its user logs in.
fn kubeconfig(home: &Path, port: u16, user: &str) -> PathBuf {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: edge\n\
         clusters: [{{name: site, cluster: {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: ana, user: {{{user}}}}}]\n\
         contexts: [{{name: edge, context: {{cluster: site, user: ana}}}}]\n"
    );
    let file = home.join("kubeconfig");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_login_that_wants_a_person_is_offered_before_the_screens() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("plugin");
    std::fs::write(&program, "#!/bin/sh\necho 'please log in' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: IfAvailable}";
    // Port 1 of this machine: nothing listens there.
    let file = kubeconfig(home.path(), 1, exec);
    let vars = [("HOME", home.path().to_str().unwrap())];
    let mut terminal = Terminal::start(&["--kubeconfig", file.to_str().unwrap()], (80, 24), &vars);
    terminal.shows("Type yes to log in now");
    assert!(!terminal.raw().contains("\u{1b}[?1049h"), "the screens are not up yet");
    terminal.press("no\r");
    terminal.shows("read-only");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn an_api_server_that_never_answers_freezes_no_key() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = kubeconfig(home.path(), silent.local_addr().unwrap().port(), "token: not-a-real-token");
    let vars = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", file.to_str().unwrap())];
    let mut terminal = Terminal::start(&[], (80, 24), &vars);
    terminal.shows("> 1 Cluster edge (current)");
    terminal.shows("Kubernetes API at 127.0.0.1:");
    terminal.press("1");
    terminal.shows("connecting");
    terminal.press("?");
    terminal.shows("Keys here");
    terminal.press("q\t\r");
    terminal.shows("Cluster edge");
    terminal.press("q0");
    terminal.shows("All sections");
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn without_a_target_the_first_screen_asks() {
    let home = tempfile::tempdir().unwrap();
    let vars = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", "")];
    let mut terminal = Terminal::start(&[], (80, 24), &vars);
    terminal.shows("What do you want to look at?");
    terminal.shows("This machine as a node");
    terminal.press("2nonsense@\r\r");
    terminal.shows("That is no node");
    // A lone Escape is one only when nothing follows it.
    terminal.press("\u{1b}");
    terminal.shows("What do you want to look at?");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    let output = command.arg("--demo").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("terminal") && said.contains("sitewarden scan"), "{said}");
    assert!(output.stdout.is_empty());
}

/// Not a test of its own: what the next one runs on a terminal.
#[test]
#[ignore = "run by a_panic_gives_the_terminal_back_before_its_message"]
fn panics_while_the_terminal_is_taken() {
    let _guard = sitewarden::tui::guard::Guard::take().unwrap();
    let worker = thread::spawn(|| panic!("in a worker"));
    assert!(worker.join().is_err());
    panic!("in the screens");
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_message() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "panics_while_the_terminal_is_taken", "--nocapture", "--test-threads=1"]);
    let mut terminal = Terminal::spawn(command, (80, 24), &[]);
    terminal.end();
    terminal.assert_restored();
    let raw = terminal.raw();
    let message = raw.find("in the screens").expect("the message is lost");
    assert!(raw.find(LEAVE_SCREEN).unwrap() < message && raw.find(SHOW_CURSOR).unwrap() < message);
    assert!(!raw.contains("in a worker"), "a worker's panic is printed over the screens");
}
