//! This machine: `sh -c COMMAND` with the script on its standard input.

use super::{Channel, ChannelError, Limits, Output, Talk};
use crate::evidence::{ChannelKind, Reason};

/// A shell on this machine.
#[derive(Debug, Default)]
pub struct Local;

impl Channel for Local {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Local
    }

    #[cfg(unix)]
    fn converse(&mut self, command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError> {
        unix::run(command, talk, limits)
    }

    #[cfg(not(unix))]
    fn converse(&mut self, _command: &str, _talk: &mut dyn Talk, _limits: &Limits) -> Result<Output, ChannelError> {
        Err(ChannelError::new(
            Reason::Unsupported,
            "This machine has no POSIX shell, so it cannot be read as a node. Name the node with --node instead.",
        ))
    }
}

#[cfg(unix)]
mod unix {
    use super::{ChannelError, Limits, Output, Reason, Talk};
    use crate::channel::{Heard as Piece, Say};
    use std::io::{Read, Write};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, ChildStdin, Command, Stdio};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
    use std::thread;
    use std::time::{Duration, Instant};
    use zeroize::Zeroizing;

    /// How long an ended group may take to let go of its pipes.
    const GRACE: Duration = Duration::from_millis(500);

    /// What a reading thread tells.
    enum Heard {
        Out(Vec<u8>),
        Err(Vec<u8>),
        End,
    }

    /// Ends the group and takes the child's status when it goes out of scope, so that nothing is left behind.
    struct Group {
        child: Child,
        ended: bool,
    }

    impl Group {
        /// Ends every process of the group. Its leader is not waited for yet, so that its id cannot be another's.
        fn kill(&mut self) {
            if !self.ended {
                self.ended = true;
                if let Some(group) = i32::try_from(self.child.id()).ok().filter(|id| *id > 1) {
                    let _ = end_group(group);
                }
                let _ = self.child.kill();
            }
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            self.kill();
            let _ = self.child.wait();
        }
    }

    /// The standard library has no `killpg`, and this crate no unsafe code: the shell's own `kill` does it.
    fn end_group(group: i32) -> std::io::Result<()> {
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s KILL -- \"-$1\"", "sh", &group.to_string()]);
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(|_| ())
    }

    /// The child's input. Written by a thread of its own, since a child that does not read would hold a write up.
    struct Input(Option<Sender<Zeroizing<Vec<u8>>>>);

    impl Input {
        fn of(mut stdin: ChildStdin) -> Self {
            let (sender, pieces) = channel::<Zeroizing<Vec<u8>>>();
            // Ends by itself: nothing more is to be said, or the pipe breaks with the group.
            thread::spawn(move || {
                for piece in pieces {
                    if stdin.write_all(&piece).is_err() {
                        break;
                    }
                }
            });
            Input(Some(sender))
        }

        fn say(&mut self, say: Say) {
            let (bytes, last) = match say {
                Say::Nothing => return,
                Say::Send(bytes) => (bytes, false),
                Say::Last(bytes) => (bytes, true),
            };
            if let Some(sender) = &self.0 {
                let _ = sender.send(bytes);
            }
            if last {
                self.0 = None;
            }
        }
    }

    pub(super) fn run(command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError> {
        let deadline = Instant::now() + limits.run;
        let line = command;
        let mut command = Command::new("sh");
        command.args(["-c", line]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A seat that is itself logged in by SSH must not pass as the way by which the node is reached.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SSH_")) {
            command.env_remove(name);
        }
        let child = command.spawn().map_err(|_| {
            ChannelError::new(
                Reason::Unsupported,
                "No `sh` could be started on this machine. Check that /bin/sh is there and that processes may be started.",
            )
        })?;
        let mut group = Group { child, ended: false };
        let (sender, heard) = channel();
        let mut input = group.child.stdin.take().map_or(Input(None), Input::of);
        input.say(talk.begin());
        if let Some(stdout) = group.child.stdout.take() {
            listen(stdout, sender.clone(), Heard::Out);
        }
        if let Some(stderr) = group.child.stderr.take() {
            listen(stderr, sender.clone(), Heard::Err);
        }
        drop(sender);
        let mut hear = |piece: Piece<'_>| input.say(talk.hear(piece));
        let mut output = gather(&heard, deadline, limits, &mut group, &mut hear);
        drop(input);
        if output.cut.is_none() {
            output.status = finish(&mut group, deadline);
        }
        Ok(output)
    }

    fn listen<R: Read + Send + 'static>(mut from: R, to: Sender<Heard>, wrap: fn(Vec<u8>) -> Heard) {
        thread::spawn(move || {
            let mut buffer = vec![0u8; 32 << 10];
            loop {
                match from.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        let part = buffer.get(..count).unwrap_or_default().to_vec();
                        if to.send(wrap(part)).is_err() {
                            return;
                        }
                    }
                }
            }
            let _ = to.send(Heard::End);
        });
    }

    /// Takes what comes until both streams have ended, the bound is reached or the deadline has passed.
    fn gather(
        heard: &Receiver<Heard>,
        deadline: Instant,
        limits: &Limits,
        group: &mut Group,
        hear: &mut dyn FnMut(Piece<'_>),
    ) -> Output {
        let mut output = Output::default();
        let mut open = 2;
        let mut until = deadline;
        while open > 0 {
            match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Heard::Out(part)) => {
                    hear(Piece::Out(&part));
                    let room = limits.stdout.saturating_sub(output.stdout.len());
                    output.stdout.extend(part.iter().take(room));
                    if part.len() > room && output.cut.is_none() {
                        output.cut = Some(Reason::TooLarge);
                        group.kill();
                        until = Instant::now() + GRACE;
                    }
                }
                Ok(Heard::Err(part)) => {
                    hear(Piece::Err(&part));
                    let room = limits.stderr.saturating_sub(output.stderr.len());
                    output.stderr.extend(part.iter().take(room));
                }
                Ok(Heard::End) => open -= 1,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if output.cut.is_some() => break,
                Err(RecvTimeoutError::Timeout) => {
                    output.cut = Some(Reason::Timeout);
                    group.kill();
                    // What was already in the pipes still counts.
                    until = Instant::now() + GRACE;
                }
            }
        }
        output
    }

    /// The status of a program that has closed both streams; it has until the deadline to end.
    fn finish(group: &mut Group, deadline: Instant) -> Option<i32> {
        loop {
            match group.child.try_wait() {
                Ok(Some(status)) => {
                    // Whoever else is in the group is no concern of ours once its leader is gone.
                    group.ended = true;
                    return if status.signal().is_some() { None } else { status.code() };
                }
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::channel::Script;
    use std::time::Duration;

    fn run(command: &str, stdin: &[u8], change: impl FnOnce(&mut Limits)) -> Output {
        let mut limits = Limits::default();
        change(&mut limits);
        Local.run(&Script { command: command.to_owned(), stdin: stdin.to_vec() }, &limits).unwrap()
    }

    #[test]
    fn gives_both_streams_and_the_status() {
        let output = run("cat; echo trouble >&2; exit 3", b"hello", |_| ());
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"hello"[..], &b"trouble\n"[..]));
        assert_eq!((output.status, output.cut), (Some(3), None));
    }

    #[test]
    fn more_than_the_pipes_hold_passes_both_ways() {
        let much = vec![b'x'; 3 << 20];
        let output = run("tee /dev/stderr", &much, |_| ());
        assert_eq!(output.stdout.len(), much.len());
        assert_eq!(output.stderr.len(), Limits::default().stderr);
    }

    #[test]
    fn the_deadline_ends_the_whole_group() {
        let output = run("echo $$; sleep 1000 & sleep 1000", b"", |limits| limits.run = Duration::from_millis(300));
        assert_eq!((output.cut, output.status), (Some(Reason::Timeout), None));
        let group = String::from_utf8(output.stdout).unwrap();
        let left = format!("kill -0 -- -{}", group.trim());
        let mut still = 50;
        while std::process::Command::new("sh")
            .args(["-c", &left])
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            still -= 1;
            assert!(still > 0, "the group still runs");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_flood_is_cut_at_its_bound() {
        let output = run("yes", b"", |limits| limits.stdout = 100_000);
        assert_eq!((output.stdout.len(), output.cut), (100_000, Some(Reason::TooLarge)));
    }

    #[test]
    fn the_seats_own_ssh_login_is_not_passed_on() {
        let output = run("env | grep -c ^SSH_", b"", |_| ());
        assert_eq!(output.stdout, b"0\n");
    }
}
