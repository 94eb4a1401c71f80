//! Many logins at once.

use super::bed_support::{Sshd, user};
use super::run::run;
use super::{connect, limits, options};
use sitewarden::channel::NobodyToAsk;
use sitewarden::channel::ssh::{Destination, Ssh};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

#[test]
fn fifty_logins_at_once_all_come_through_a_server_that_takes_ten() {
    let Some(sshd) = Sshd::start("MaxStartups 10:30:100") else { return };
    let options = options(&sshd);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            let mut ssh = connect(&sshd, &options, &NobodyToAsk).map_err(|error| error.to_string())?;
            Ok::<_, String>(run(&mut ssh, "echo here", b"", &limits()).stdout)
        };
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let wrong: Vec<_> = answers.iter().filter(|answer| answer.as_deref() != Ok(b"here\n")).collect();
    assert!(wrong.is_empty(), "{} of 50: {:?}", wrong.len(), wrong.first());
}

#[test]
fn a_penalty_is_waited_out_and_told_once() {
    let Some(sshd) = Sshd::start("") else { return };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, node) = (listener.local_addr().unwrap().port(), sshd.port);
    // As sshd of OpenSSH 9.8 and later speaks to an address that it penalizes.
    std::thread::spawn(move || {
        for words in ["Not allowed at this time\r\n", "Exceeded MaxStartups\r\n", ""] {
            listener.accept().unwrap().0.write_all(words.as_bytes()).unwrap();
        }
        let here = listener.accept().unwrap().0;
        let there = TcpStream::connect(("127.0.0.1", node)).unwrap();
        for (mut from, mut to) in [(here.try_clone().unwrap(), there.try_clone().unwrap()), (there, here)] {
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let known = sshd.known_line("host_ed25519").replace(&node.to_string(), &port.to_string());
    let options = options(&sshd);
    std::fs::write(sshd.path("known_hosts"), known).unwrap();
    let (user, told) = (user(), Mutex::new(Vec::new()));
    let destination = Destination {
        node: "edge1",
        host: "127.0.0.1",
        port: Some(port),
        user: Some(&user),
        identity: None,
        jump: Some(&[]),
    };
    let tell = |message: &str| told.lock().unwrap().push(message.to_owned());
    Ssh::reach(&destination, &options, &limits(), &NobodyToAsk, &tell).unwrap();
    assert_eq!(told.lock().unwrap().len(), 1, "{told:?}");
}
