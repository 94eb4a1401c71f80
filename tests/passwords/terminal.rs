//! The same at terminals, as a person sits there.

use super::password_of;
use super::support::Bed;

/// Types at a terminal what answers its prompts, one after the other, and gives what the terminal showed.
fn at_a_terminal(mut command: portable_pty::CommandBuilder, prompt: &str, typed: &[&str]) -> String {
    use std::io::{Read as _, Write as _};
    let size = portable_pty::PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = portable_pty::native_pty_system().openpty(size).unwrap();
    command.env("TERM", "vt100");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut shown, mut answered, mut buffer) = (Vec::new(), 0, [0; 4096]);
    // The pty ends with an error (EIO) when nobody holds its other side.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
        while String::from_utf8_lossy(&shown).matches(prompt).count() > answered {
            writer.write_all(typed.get(answered).expect("asked too often").as_bytes()).unwrap();
            answered += 1;
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn at_a_nodes_own_terminal_sudo_asks_too() {
    let Some(bed) = Bed::up("at_a_nodes_own_terminal_sudo_asks_too") else { return };
    let there = "/var/tmp/sitewarden-under-test";
    bed.put(env!("CARGO_BIN_EXE_sitewarden"), there);
    let mut ssh = portable_pty::CommandBuilder::new("ssh");
    ssh.args(["-tt", "-i", bed.key.to_str().unwrap(), "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR", "-o"]);
    ssh.arg(format!("UserKnownHostsFile={}", bed.known_hosts.display()));
    ssh.args([&format!("asks@{}", bed.address), &format!("{there} collect --local -o out.json; echo status $?")]);
    let right = format!("{}\r", password_of("asks"));
    let shown = at_a_terminal(ssh, "(Esc gives up): ", &["wrong\r", &right]);
    let evidence = bed.sh(&format!("cat ~asks/out.json; rm -f ~asks/out.json {there}"));
    assert!(shown.contains("status 0") && shown.contains("sudo refused that password"), "{shown}");
    assert!(!shown.contains("bed-password") && !evidence.contains("bed-password"));
    assert!(evidence.contains("\"privilege\": \"sudo\""), "{shown}");
}

#[test]
fn at_a_laptops_terminal_a_node_without_keys_asks() {
    let Some(bed) = Bed::up("at_a_laptops_terminal_a_node_without_keys_asks") else { return };
    let home = tempfile::tempdir().unwrap();
    let mut program = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
    program.args(["collect", "--node", &format!("asks@{}", bed.address), "-o", "/dev/null", "-v", "--known-hosts"]);
    program.arg(&bed.known_hosts);
    program.env("HOME", home.path());
    program.env_remove("SSH_AUTH_SOCK");
    let right = format!("{}\r", password_of("asks"));
    let shown = at_a_terminal(program, "(Esc gives up): ", &[&right, &right]);
    assert!(shown.contains("Password to log in to node") && shown.contains("Password of asks for sudo"), "{shown}");
    assert!(shown.contains(": read\r\n") && !shown.contains("bed-password"), "{shown}");
}
