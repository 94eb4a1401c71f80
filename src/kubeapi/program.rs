//! Another program on this machine: nothing to read, no terminal, a deadline, bounded output, and ended with all that it
//! started.

use crate::evidence::Reason;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// What to run, and within which bounds.
pub struct Program {
    /// Name, looked for in `PATH`, or path.
    pub name: OsString,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables that are set beside those of this program. A `PATH` among them is where `name` is looked for.
    pub env: Vec<(String, OsString)>,
    /// From its start to its end.
    pub time: Duration,
    /// Bytes of standard output; one that writes more has failed.
    pub stdout: usize,
}

/// Bytes of standard error that are kept, for classifying; more is read and dropped.
const STDERR: usize = 64 << 10;

/// How long helpers of a program that has ended may keep its output open.
const GRACE: Duration = Duration::from_secs(1);

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// How it ended by itself, or why it did not.
    pub end: Result<ExitStatus, NotRun>,
    /// Standard output.
    pub stdout: Zeroizing<Vec<u8>>,
    /// Standard error. Untrusted; for classifying only.
    pub stderr: Zeroizing<Vec<u8>>,
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

    fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { NotRun::Missing } else { NotRun::NotStarted }
    }
}

/// Runs a program to its end. Needs a runtime with I/O and time.
pub async fn run(program: Program) -> Ran {
    let nothing = |why| Ran { end: Err(why), stdout: Zeroizing::default(), stderr: Zeroizing::default() };
    let path = program.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let Some(file) = find(Path::new(&program.name), path.or_else(|| std::env::var_os("PATH")).as_deref()) else {
        return nothing(NotRun::Missing);
    };
    let mut command = detached(&file);
    command.args(&program.args).envs(program.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut group = match command.spawn() {
        Ok(child) => Group(child),
        Err(error) => return nothing(NotRun::of(&error)),
    };
    let out = Heard::of(group.0.stdout.take(), program.stdout, true);
    let err = Heard::of(group.0.stderr.take(), STDERR, false);
    let ended = timeout(program.time, group.0.wait()).await;
    if ended.is_err() {
        group.kill();
    }
    let (stdout, over) = out.take().await;
    let (stderr, _) = err.take().await;
    let end = match ended {
        _ if over => Err(NotRun::TooLarge),
        Ok(status) => status.map_err(|_| NotRun::NotStarted),
        Err(_) => Err(NotRun::Late),
    };
    Ran { end, stdout, stderr }
}

/// What came over a pipe, read beside everything else.
struct Heard {
    kept: Arc<Mutex<(Zeroizing<Vec<u8>>, bool)>>,
    task: Option<JoinHandle<()>>,
}

impl Heard {
    /// Keeps at most `most` bytes. `stop`: what is longer is no good, and the writer hears of it by its closed pipe.
    fn of<R: AsyncRead + Unpin + Send + 'static>(pipe: Option<R>, most: usize, stop: bool) -> Self {
        // Never grown, so that no copy of a secret is left behind.
        let kept = Arc::new(Mutex::new((Zeroizing::new(Vec::with_capacity(most)), false)));
        let to = Arc::clone(&kept);
        let task = pipe.map(|mut pipe| {
            tokio::spawn(async move {
                let mut buffer = Zeroizing::new(vec![0; 16 << 10]);
                while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                    let mut kept = to.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = most.saturating_sub(kept.0.len());
                    kept.0.extend_from_slice(buffer.get(..count.min(room)).unwrap_or_default());
                    kept.1 |= count > room;
                    if kept.1 && stop {
                        break;
                    }
                }
            })
        });
        Heard { kept, task }
    }

    /// What came, and whether it was more than is kept.
    async fn take(self) -> (Zeroizing<Vec<u8>>, bool) {
        if let Some(mut task) = self.task
            && timeout(GRACE, &mut task).await.is_err()
        {
            task.abort();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut kept.0), kept.1)
    }
}

/// A program with all that it started; ended when it goes out of scope.
struct Group(Child);

impl Group {
    fn kill(&mut self) {
        // None: it has ended and was waited for, so that its id may be another's.
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

/// A command in a session of its own, which has no terminal: opening /dev/tty fails there, so that the program can
/// neither draw on our screen nor read our keys. The standard library has no safe way to that; util-linux's and busybox's
/// `setsid` does it and becomes the program. Without it (macOS) a group of its own must do: its reading from the terminal
/// is stopped by the kernel, its writing is not.
fn detached(program: &Path) -> Command {
    #[cfg(unix)]
    {
        let setsid = ["/usr/bin/setsid", "/bin/setsid"].into_iter().map(PathBuf::from).find(|path| is_program(path));
        if let Some(setsid) = setsid.or_else(|| find(Path::new("setsid"), std::env::var_os("PATH").as_deref())) {
            let mut command = Command::new(setsid);
            command.arg(program);
            return command;
        }
        let mut command = Command::new(program);
        command.process_group(0);
        command
    }
    #[cfg(not(unix))]
    Command::new(program)
}

/// The file of a program: a name is looked for through `path`, as Go's `exec.LookPath` does, never in the working folder.
/// None where there is none. Where a file does not tell whether it is a program, it is left to the system.
pub(super) fn find(name: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if cfg!(not(unix)) {
        return Some(name.to_owned());
    }
    if name.components().count() > 1 {
        return Some(name.to_owned()).filter(|file| is_program(file));
    }
    std::env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(path: &Path) -> bool {
    let Ok(about) = path.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        about.is_file() && about.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    about.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn sh(script: &str, time: Duration, stdout: usize) -> Ran {
        let args = vec!["-c".to_owned(), script.to_owned()];
        let env = vec![("GREETING".to_owned(), "hello".into())];
        ran(Program { name: "sh".into(), args, env, time, stdout })
    }

    fn ran(program: Program) -> Ran {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(program))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_writes_and_how_it_ends() {
        let ran = sh("echo $GREETING; echo no >&2; exit 3", LONG, 100);
        assert_eq!(
            (ran.end.unwrap().code(), &ran.stdout[..], &ran.stderr[..]),
            (Some(3), &b"hello\n"[..], &b"no\n"[..])
        );
        assert!(sh("read x && exit 1; exit 0", LONG, 100).end.unwrap().success(), "there is nothing to read");
        assert!(sh("(: </dev/tty) && exit 1; exit 0", LONG, 100).end.unwrap().success(), "there is no terminal");
        // A helper that stays and holds the output open is not waited for.
        assert_eq!(sh("echo yes; sleep 3 &", LONG, 100).stdout[..], b"yes\n"[..]);
    }

    #[test]
    fn a_flood_a_sleeper_and_one_that_is_not_there() {
        assert_eq!(sh("yes", LONG, 10_000).end.unwrap_err(), NotRun::TooLarge);
        assert_eq!(sh("yes >&2", Duration::from_millis(100), 100).end.unwrap_err(), NotRun::Late);
        // Its helper would keep the pipes open for an hour.
        assert_eq!(sh("sleep 3600 & sleep 3600", Duration::from_millis(100), 100).end.unwrap_err(), NotRun::Late);
        let program = Program { name: "/nowhere/az".into(), args: Vec::new(), env: Vec::new(), time: LONG, stdout: 1 };
        assert_eq!(ran(program).end.unwrap_err(), NotRun::Missing);
    }
}
