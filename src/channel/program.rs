//! Another program on this machine: nothing to read, a deadline, bounded output, and ended with all that it started.

use crate::evidence::Reason;
use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What to run, and within which bounds.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name, looked for in `PATH`, or path.
    pub name: OsString,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables that are set beside those of this program.
    pub env: Vec<(&'static str, OsString)>,
    /// From its start to its end.
    pub time: Duration,
    /// Bytes of standard output; at the first byte beyond, the run ends as too large.
    pub stdout: usize,
}

/// Bytes of standard error that are kept, for classifying; more is read and dropped.
const STDERR: usize = 64 << 10;

/// How long helpers of a program that was ended may keep its output open.
const GRACE: Duration = Duration::from_secs(1);

/// What a run gave.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// Whether it ended by itself and well.
    pub success: bool,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error. Untrusted; for classifying only.
    pub stderr: Vec<u8>,
}

/// Why a run gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRun {
    /// There is no such program.
    Missing,
    /// It could not be started.
    NotStarted,
    /// It did not end in time.
    Late,
    /// It wrote more than its bound.
    TooLarge,
}

impl NotRun {
    /// The kind of reason, for the evidence.
    pub fn reason(self) -> Reason {
        match self {
            NotRun::Missing | NotRun::NotStarted => Reason::Unsupported,
            NotRun::Late => Reason::Timeout,
            NotRun::TooLarge => Reason::TooLarge,
        }
    }
}

/// A program with all that it started; ended when it goes out of scope before it was waited for.
struct Group(Child);

impl Group {
    fn kill(&mut self) {
        // No id: it was waited for, and its id may be another's.
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.start_kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a program to its end. Needs a runtime with I/O and time.
pub async fn run(program: Program) -> Result<Ran, NotRun> {
    let mut command = Command::new(&program.name);
    command.args(&program.args).envs(program.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that it ends with all that it started, and no key on our terminal reaches it.
    #[cfg(unix)]
    command.process_group(0);
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotRun::Missing,
        _ => NotRun::NotStarted,
    })?;
    let mut group = Group(child);
    let stdout = group.0.stdout.take();
    let stderr = tokio::spawn(keep(group.0.stderr.take(), STDERR, false));
    let work = async {
        let (stdout, over) = keep(stdout, program.stdout, true).await;
        if over {
            return Err(NotRun::TooLarge);
        }
        let status = group.0.wait().await.map_err(|_| NotRun::NotStarted)?;
        Ok((stdout, status.success()))
    };
    let ended = timeout(program.time, work).await.unwrap_or(Err(NotRun::Late));
    if ended.is_err() {
        group.kill();
    }
    let stderr = timeout(GRACE, stderr).await.ok().and_then(Result::ok).unwrap_or_default().0;
    ended.map(|(stdout, success)| Ran { success, stdout, stderr })
}

/// What comes over a pipe, at most `most` bytes of it, and whether there was more. `stop`: more is not read.
async fn keep<R: AsyncRead + Unpin>(pipe: Option<R>, most: usize, stop: bool) -> (Vec<u8>, bool) {
    let (mut kept, mut over) = (Vec::new(), false);
    let Some(mut pipe) = pipe else { return (kept, over) };
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(buffer.get(..count.min(room)).unwrap_or_default());
        over |= count > room;
        if over && stop {
            break;
        }
    }
    (kept, over)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn sh(script: &str, time: Duration, stdout: usize) -> Result<Ran, NotRun> {
        let args = vec!["-c".to_owned(), script.to_owned()];
        let program = Program { name: "sh".into(), args, env: vec![("GREETING", "hello".into())], time, stdout };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(program))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_writes_and_how_it_ends() {
        let ran = sh("echo $GREETING; echo no >&2; exit 3", LONG, 100).unwrap();
        assert_eq!((ran.success, &ran.stdout[..], &ran.stderr[..]), (false, &b"hello\n"[..], &b"no\n"[..]));
        assert!(sh("read x && exit 1; exit 0", LONG, 100).unwrap().success, "there is nothing to read");
    }

    #[test]
    fn a_flood_a_sleeper_and_one_that_is_not_there() {
        assert_eq!(sh("yes", LONG, 10_000).unwrap_err(), NotRun::TooLarge);
        assert_eq!(sh("yes >&2", Duration::from_millis(100), 100).unwrap_err(), NotRun::Late);
        // Its helper would keep the pipes open for an hour.
        assert_eq!(sh("sleep 3600 & sleep 3600", Duration::from_millis(100), 100).unwrap_err(), NotRun::Late);
        let program = Program { name: "/nowhere/az".into(), args: Vec::new(), env: Vec::new(), time: LONG, stdout: 1 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(run(program)).unwrap_err(), NotRun::Missing);
    }
}
