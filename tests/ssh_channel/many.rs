//! Many logins at once.

use super::bed_support::Sshd;
use super::run::run;
use super::{connect, limits, options};
use sitewarden::channel::NobodyToAsk;

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
