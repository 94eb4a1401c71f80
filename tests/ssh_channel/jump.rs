//! By way of jump hosts, named or configured.

use super::bed_support::{Sshd, free_port, must, user};
use super::run::run;
use super::{limits, options, pattern, refused};
use sitewarden::channel::ssh::{Destination, Ssh, SshConfig, SshOptions};
use sitewarden::channel::{ChannelError, Limits, NobodyToAsk};
use sitewarden::evidence::Reason;
use sitewarden::site::JumpHost;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How sshd says that a connection is over; a hang-up may overtake the goodbye.
const ENDED: [&str; 3] = ["Disconnected from", "Connection reset", "Connection closed"];

/// Options that know the servers' keys and log in to all of them with the first one's key.
fn options_for(servers: &[&Sshd]) -> SshOptions {
    let options = options(servers[0]);
    let lines: String = servers.iter().map(|sshd| sshd.known_line("host_ed25519")).collect();
    std::fs::write(servers[0].path("known_hosts"), lines).unwrap();
    servers.iter().skip(1).for_each(|sshd| sshd.authorize(&servers[0].key));
    options
}

fn jump_to(port: u16) -> JumpHost {
    JumpHost { host: "127.0.0.1".into(), port: Some(port), user: Some(user()) }
}

fn reach(port: u16, jumps: &[JumpHost], options: &SshOptions, limits: &Limits) -> Result<Ssh, ChannelError> {
    let user = user();
    let destination = Destination {
        node: "edge1",
        host: "127.0.0.1",
        port: Some(port),
        user: Some(&user),
        identity: None,
        jump: Some(jumps),
    };
    Ssh::reach(&destination, options, limits, &NobodyToAsk, &|_| {})
}

#[test]
fn a_node_is_reached_by_way_of_two_hosts_and_much_passes_through() {
    let (Some(outer), Some(inner)) = (Sshd::start(""), Sshd::start("")) else { return };
    let Some(node) = Sshd::start("") else { return };
    let options = options_for(&[&node, &outer, &inner]);
    let jumps = [jump_to(outer.port), jump_to(inner.port)];
    let mut ssh = reach(node.port, &jumps, &options, &limits()).unwrap();
    for sshd in [&outer, &inner, &node] {
        sshd.log.wait_for("Accepted publickey");
    }
    let input = pattern(4 << 20);
    let output = run(&mut ssh, "cat", &input, &limits());
    assert_eq!((output.status, output.cut), (Some(0), None));
    assert!(output.stdout == input, "{} of {} bytes", output.stdout.len(), input.len());
    assert!(ssh.server_offer().is_some_and(|offer| offer.strict_kex || !offer.kex.is_empty()));
    drop(ssh);
    inner.log.wait_for_any(&ENDED);
    outer.log.wait_for_any(&ENDED);
}

#[test]
fn what_is_configured_for_each_host_is_used() {
    let (Some(gate), Some(node)) = (Sshd::start(""), Sshd::start("")) else { return };
    let known = SshOptions { identities: Vec::new(), ..options_for(&[&node, &gate]) };
    let config = format!(
        "Host edge1\n HostName 127.0.0.1\n Port {}\n ProxyJump gate\nHost gate\n HostName 127.0.0.1\n Port {}\n\
         Host *\n Colour blue\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n",
        node.port,
        gate.port,
        user(),
        node.key.display()
    );
    std::fs::write(node.path("config"), config).unwrap();
    let options = SshOptions { config: SshConfig::file(&node.path("config")), ..known };
    let destination = Destination { node: "edge1", host: "edge1", port: None, user: None, identity: None, jump: None };
    let ssh = Ssh::reach(&destination, &options, &limits(), &NobodyToAsk, &|_| {}).unwrap();
    gate.log.wait_for("Accepted publickey");
    assert!(ssh.warnings().iter().any(|warning| warning.contains("config:9: line skipped")), "{:?}", ssh.warnings());
    // What is said wins over what is configured.
    let error = refused(Ssh::reach(
        &Destination { port: Some(free_port()), jump: Some(&[]), ..destination },
        &options,
        &limits(),
        &NobodyToAsk,
        &|_| {},
    ));
    assert!(error.message.contains("connection refused"), "{error}");
}

#[test]
fn each_host_on_the_way_proves_its_own_key() {
    let (Some(gate), Some(node)) = (Sshd::start(""), Sshd::start("")) else { return };
    let options = options_for(&[&node, &gate]);
    std::fs::write(node.path("known_hosts"), node.known_line("host_ed25519")).unwrap();
    let error = refused(reach(node.port, &[jump_to(gate.port)], &options, &limits()));
    assert!(
        error.message.starts_with(&format!("edge1: its jump host 127.0.0.1 port {}: its host key", gate.port)),
        "{error}"
    );
    std::fs::write(node.path("known_hosts"), gate.known_line("host_ed25519")).unwrap();
    let error = refused(reach(node.port, &[jump_to(gate.port)], &options, &limits()));
    assert!(error.message.starts_with("edge1 (127.0.0.1 port") && error.message.contains("is not known"), "{error}");
}

#[test]
fn a_jump_host_that_forbids_forwarding_or_cannot_connect_is_told() {
    let (Some(shut), Some(open)) = (Sshd::start("AllowTcpForwarding no"), Sshd::start("")) else { return };
    let Some(node) = Sshd::start("") else { return };
    let options = options_for(&[&node, &shut, &open]);
    let error = refused(reach(node.port, &[jump_to(shut.port)], &options, &limits()));
    assert_eq!(error.reason, Reason::Forbidden);
    for part in ["forbids forwarding", "AllowTcpForwarding", &format!("jump host 127.0.0.1 port {}", shut.port)] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    let error = refused(reach(free_port(), &[jump_to(open.port)], &options, &limits()));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("cannot connect to it"), "{error}");
    let error = refused(reach(node.port, &[jump_to(free_port())], &options, &limits()));
    assert!(error.message.contains("its jump host") && error.message.contains("connection refused"), "{error}");
}

#[test]
fn a_jump_host_or_a_node_behind_one_that_hangs_ends_at_the_deadline() {
    let (Some(gate), Some(node)) = (Sshd::start(""), Sshd::start("")) else { return };
    let options = options_for(&[&node, &gate]);
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let short = Limits { connect: Duration::from_millis(600), ..limits() };
    let error = refused(reach(node.port, &[jump_to(port)], &options, &short));
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.starts_with("edge1: its jump host"), "{error}");
    let longer = Limits { connect: Duration::from_secs(4), ..limits() };
    let error = refused(reach(port, &[jump_to(gate.port)], &options, &longer));
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("does not greet"), "{error}");
    // And nothing stays behind at the jump host.
    gate.log.wait_for_any(&ENDED);
}

#[test]
fn a_jump_host_that_dies_during_a_run_ends_it() {
    let (Some(gate), Some(node)) = (Sshd::start(""), Sshd::start("")) else { return };
    let options = options_for(&[&node, &gate]);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, there) = (listener.local_addr().unwrap().port(), gate.port);
    let line = gate.known_line("host_ed25519").replace(&there.to_string(), &port.to_string());
    let known = std::fs::read_to_string(node.path("known_hosts")).unwrap() + &line;
    std::fs::write(node.path("known_hosts"), known).unwrap();
    let open = Arc::new(Mutex::new(Vec::new()));
    let streams = Arc::clone(&open);
    std::thread::spawn(move || {
        let here = listener.accept().unwrap().0;
        let there = TcpStream::connect(("127.0.0.1", there)).unwrap();
        *streams.lock().unwrap() = vec![here.try_clone().unwrap(), there.try_clone().unwrap()];
        for (mut from, mut to) in [(here.try_clone().unwrap(), there.try_clone().unwrap()), (there, here)] {
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let mut ssh = reach(node.port, &[jump_to(port)], &options, &limits()).unwrap();
    let pipe = node.path("started");
    must("mkfifo", &[pipe.to_str().unwrap()]);
    let waiting = pipe.clone();
    let cutter = std::thread::spawn(move || {
        // Ends once the command has opened and closed the pipe.
        let _ = std::fs::read(waiting);
        open.lock().unwrap().iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    });
    let output = run(&mut ssh, &format!(": > {}; exec sleep 600", pipe.display()), b"", &limits());
    assert_eq!((output.cut, output.status), (Some(Reason::Unreachable), None));
    cutter.join().unwrap();
}
