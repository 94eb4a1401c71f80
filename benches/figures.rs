//! The figures that matter at a site, each as a ratio against a yardstick measured in the same run.
//!
//! `cargo bench` prints them; nothing is asserted. The node figures need the test bed (`tests/bed/up ssh`, then
//! `. target/bed/env`), those of the cluster an API server (`tests/bed/up control-plane`, then the same); each prints what it
//! leaves out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use sitewarden::assess::assess;
use sitewarden::catalog::Catalog;
use sitewarden::evidence::{Evidence, Lifecycle, Policy, Profile};
use sitewarden::probe::node::collector;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[path = "figures/cluster.rs"]
mod cluster;

const BINARY: &str = env!("CARGO_BIN_EXE_sitewarden");
const ROUNDS: usize = 15;

fn main() {
    println!("figure                                              ours     yardstick   ratio   goal");
    over_ssh();
    fifty_nodes();
    cluster::figures();
    locally();
    thousand_nodes();
    bytes_of_the_screen();
}

fn row(figure: &str, ours: Duration, yardstick: Duration, goal: &str) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let ratio = ours.as_secs_f64() / yardstick.as_secs_f64();
    println!("{figure:<48} {:>8.1}ms {:>9.1}ms {ratio:>7.2}   {goal}", ms(ours), ms(yardstick));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Medians of two things, measured in turns so that both see the same machine.
fn in_turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    one();
    other();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        one();
        ours.push(start.elapsed());
        let start = Instant::now();
        other();
        theirs.push(start.elapsed());
    }
    (median(ours), median(theirs))
}

fn feed(command: &mut Command, input: &[u8]) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success());
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

/// A whole node scan, process start to exit, against the OpenSSH client that pipes the same collector to `sh -s`.
fn over_ssh() {
    let Ok(nodes) = std::env::var("BED_NODES") else {
        println!("node scan over SSH                               LEFT OUT: no test bed (tests/bed/up ssh)");
        return;
    };
    let address = nodes.split_whitespace().next().unwrap().split_once('=').unwrap().1.to_owned();
    let key = std::env::var("BED_SSH_KEY").unwrap();
    let known = std::env::var("BED_KNOWN_HOSTS").unwrap();
    let script = collector::script(&collector::nonce().unwrap()).unwrap();
    for user in ["root", "ops"] {
        let target = format!("{user}@{address}");
        let (ours, theirs) = in_turns(
            || {
                let args = ["--node", &target, "--identity", &key, "--known-hosts", &known];
                run(Command::new(BINARY)
                    .args(["collect", "-o", "/dev/null", "--no-packages"])
                    .args(args)
                    .env_remove("SSH_AUTH_SOCK"));
            },
            || {
                let mut ssh = Command::new("ssh");
                ssh.args([
                    "-F",
                    "none",
                    "-i",
                    &key,
                    "-o",
                    &format!("UserKnownHostsFile={known}"),
                    "-o",
                    "BatchMode=yes",
                ]);
                feed(ssh.args([&target, &script.command]).env_remove("SSH_AUTH_SOCK"), &script.stdin);
            },
        );
        row(&format!("node scan over SSH as {user}, vs ssh | sh -s"), ours, theirs, "<= 1.0");
    }
}

/// Fifty nodes at once against `xargs -P 50 ssh` with the same collector. All fifty are the bed's one node, whose own work
/// counts on both sides; its sshd is told to take so many at once (MaxStartups).
fn fifty_nodes() {
    let (Ok(nodes), Ok(exec)) = (std::env::var("BED_NODES"), std::env::var("BED_EXEC")) else { return };
    let (name, address) = nodes.split_whitespace().next().unwrap().split_once('=').unwrap();
    let key = std::env::var("BED_SSH_KEY").unwrap();
    let known = std::env::var("BED_KNOWN_HOSTS").unwrap();
    let node = |script: &str| run(Command::new(&exec).args([name, "sh", "-c", script]));
    node("echo MaxStartups 200 > /etc/ssh/sshd_config.d/00-bench.conf; systemctl restart ssh");
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    let each = |number| format!("[[node]]\nname = \"node{number}\"\naddress = \"{address}\"\nuser = \"root\"\n");
    std::fs::write(&site, (0..50).map(each).collect::<String>()).unwrap();
    let script = collector::script(&collector::nonce().unwrap()).unwrap();
    let input = folder.path().join("collector");
    std::fs::write(&input, &script.stdin).unwrap();
    let ssh = format!("ssh -F none -i {key} -o UserKnownHostsFile={known} -o BatchMode=yes root@{address}");
    let client = format!("seq 50 | xargs -P 50 -I N sh -c 'exec {ssh} \"$0\" < {}' \"$0\"", input.display());
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let mut scan = Command::new(BINARY);
        scan.args(["collect", "-o", "/dev/null", "--jobs", "50", "--no-packages", "--site"]).arg(&site);
        run(scan.args(["--identity", &key, "--known-hosts", &known]).env_remove("SSH_AUTH_SOCK"));
        ours.push(start.elapsed());
        let start = Instant::now();
        run(Command::new("sh").args(["-c", &client, &script.command]));
        theirs.push(start.elapsed());
    }
    node("rm /etc/ssh/sshd_config.d/00-bench.conf; systemctl restart ssh");
    row("fifty nodes at once, vs xargs -P 50 ssh", median(ours), median(theirs), "<= 0.5");
}

/// A scan of this machine against the bare collector.
fn locally() {
    let script = collector::script(&collector::nonce().unwrap()).unwrap();
    let (ours, theirs) = in_turns(
        || run(Command::new(BINARY).args(["collect", "--local", "-o", "/dev/null", "--no-packages"])),
        || feed(Command::new("sh").args(["-c", &script.command]), &script.stdin),
    );
    row("scan of this machine, vs the bare collector", ours, theirs, "");
}

/// Assessing 1,000 nodes, against a quarter of a second.
fn thousand_nodes() {
    let demo = Evidence::from_json(include_str!("../assets/demo/evidence.json")).unwrap();
    let mut evidence = demo.clone();
    evidence.nodes = (0..1000)
        .map(|number| {
            let mut node = demo.nodes[number % demo.nodes.len()].clone();
            node.name = format!("node{number}");
            node
        })
        .collect();
    let catalog = Catalog::embedded().unwrap();
    let lifecycle = Lifecycle::embedded().unwrap();
    let policy = Policy { profile: Profile::Cis, ..Policy::default() };
    let start = Instant::now();
    let assessment = assess(&evidence, &catalog, &lifecycle, &policy, evidence.finished);
    let took = start.elapsed();
    assert!(assessment.findings.len() > 1000);
    row("1,000 nodes assessed, vs a quarter of a second", took, Duration::from_millis(250), "<= 1.0");
}

/// Bytes that go over the wire to a terminal of 80 columns and 24 rows.
fn bytes_of_the_screen() {
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(BINARY);
    command.args(["--demo"]);
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut writer = pair.master.take_writer().unwrap();
    let (send, bytes) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if send.send(count).is_err() {
                break;
            }
        }
    });
    let first = until_quiet(&bytes);
    writer.write_all(b"j").unwrap();
    let moved = until_quiet(&bytes);
    let idle: usize = until_quiet(&bytes);
    writer.write_all(b"qq").unwrap();
    let _ = child.wait();
    let at = |count: usize| count as f64 / 960.0;
    println!("first frame, 80x24                               {first:>8} bytes, {:.2} s at 9600 baud", at(first));
    println!("cursor move                                      {moved:>8} bytes, {:.3} s at 9600 baud", at(moved));
    println!("idle for two seconds                             {idle:>8} bytes");
}

/// Bytes until nothing came for two seconds.
fn until_quiet(bytes: &Receiver<usize>) -> usize {
    let mut sum = 0;
    while let Ok(count) = bytes.recv_timeout(Duration::from_secs(2)) {
        sum += count;
    }
    sum
}
