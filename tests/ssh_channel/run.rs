//! Commands: what comes back, and what ends them.

use super::bed_support::{Sshd, must};
use super::{connect, limits, options, pattern};
use sitewarden::channel::ssh::Ssh;
use sitewarden::channel::{Channel, Limits, NobodyToAsk, Output, Script};
use sitewarden::evidence::Reason;
use std::path::Path;
use std::time::Duration;

pub(super) fn run(ssh: &mut Ssh, command: &str, stdin: &[u8], limits: &Limits) -> Output {
    ssh.run(&Script { command: command.to_owned(), stdin: stdin.to_vec() }, limits).unwrap()
}

#[test]
fn a_command_runs_and_the_session_can_be_used_again() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let output = run(&mut ssh, "cat; echo oops >&2; exit 7", b"hello", &limits());
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (b"hello".as_slice(), b"oops\n".as_slice()));
    assert_eq!((output.status, output.cut), (Some(7), None));
    let output = run(&mut ssh, "sh -s", b"echo again; kill -9 $$", &limits());
    assert_eq!((output.stdout.as_slice(), output.status, output.cut), (b"again\n".as_slice(), None, None));
    let output = run(&mut ssh, "true", &pattern(8 << 20), &limits());
    assert_eq!((output.status, output.cut), (Some(0), None), "input that nobody reads");
}

#[test]
fn eight_megabytes_go_in_and_come_back_whole() {
    // With a new key exchange every megabyte, in the middle of the stream.
    let Some(sshd) = Sshd::start("RekeyLimit 1M") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let input = pattern(8 << 20);
    let output = run(&mut ssh, "cat", &input, &limits());
    assert_eq!((output.status, output.cut), (Some(0), None));
    assert!(output.stdout == input, "{} of {} bytes", output.stdout.len(), input.len());
}

#[test]
fn much_on_both_outputs_is_read_and_kept_within_the_bounds() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { stderr: 1000, ..limits() };
    let both = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero";
    let output = run(&mut ssh, both, b"", &bounds);
    assert_eq!((output.stderr.len(), output.stdout.len(), output.cut), (1000, 3_000_000, None));
    assert_eq!(output.status, Some(0));

    let bounds = Limits { stdout: 3_000_000, ..bounds };
    let output = run(&mut ssh, both, b"", &bounds);
    assert_eq!((output.stdout.len(), output.cut), (3_000_000, None), "as much as the bound is not too much");

    let output = run(&mut ssh, "head -c 3000000 /dev/zero >&2; head -c 20000000 /dev/zero", b"", &bounds);
    assert_eq!((output.stdout.len(), output.cut), (3_000_000, Some(Reason::TooLarge)));
    assert_eq!(output.status, None);
    let again = ssh.run(&Script { command: "true".into(), stdin: Vec::new() }, &limits()).unwrap_err();
    assert!(again.message.contains("Connect again"), "{again}");
}

#[test]
fn a_run_ends_at_its_deadline_and_nothing_waits_for_the_command() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { run: Duration::from_secs(2), ..limits() };
    let output = run(&mut ssh, "echo $$; exec sleep 600", b"", &bounds);
    drop(ssh);
    assert_eq!((output.cut, output.status), (Some(Reason::Timeout), None));
    let pid: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().expect("what came before the deadline");
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "the command had not ended when the channel was gone");
    must("kill", &[&pid.to_string()]);
}

#[test]
fn a_command_that_trickles_ends_at_the_deadline() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let bounds = Limits { run: Duration::from_secs(2), ..limits() };
    let output = run(&mut ssh, "for i in $(seq 2000); do echo $i; sleep 0.05; done", b"", &bounds);
    assert_eq!(output.cut, Some(Reason::Timeout));
    assert!(output.stdout.starts_with(b"1\n2\n"));
}

#[test]
fn a_link_that_drops_is_told() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let output = run(&mut ssh, "kill -9 $PPID; sleep 1", b"", &limits());
    assert_eq!((output.cut, output.status), (Some(Reason::Unreachable), None));
}

#[test]
fn a_server_without_sessions_is_told() {
    let Some(sshd) = Sshd::start("MaxSessions 0") else { return };
    let mut ssh = connect(&sshd, &options(&sshd), &NobodyToAsk).unwrap();
    let error = ssh.run(&Script { command: "true".into(), stdin: Vec::new() }, &limits()).unwrap_err();
    assert_eq!(error.reason, Reason::Forbidden);
    assert!(error.message.contains("opens no session"), "{error}");
}
