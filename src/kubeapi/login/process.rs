//! Runs a program for credentials: nothing to read, no terminal, bounded output, a deadline; ended with all that it
//! started. What it says on standard error is classified and forgotten.

use super::super::error::{ApiError, seconds};
use super::super::http::Deadline;
use super::super::kubeconfig::Secret;
use super::plugin::Plugin;
use crate::evidence::Reason;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Most bytes of an answer: tokens and certificates have some kilobytes.
pub(super) const ANSWER: usize = 1 << 20;

/// Bytes of standard error that are looked at; the rest is read and dropped.
const STDERR: usize = 64 << 10;

/// How long helpers of a program that has ended may keep its output open.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the program and gives what it printed.
pub(super) async fn run(plugin: &Plugin, request: String, deadline: Deadline) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let mut command = detached(&find(plugin)?);
    command.args(plugin.args.iter().map(Secret::expose));
    command.envs(plugin.env.iter().map(|(name, value)| (name, value.expose())));
    command.env("KUBERNETES_EXEC_INFO", request);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut group = Group(command.spawn().map_err(|_| plugin.missing())?);
    let out = Heard::of(group.0.stdout.take(), ANSWER, true);
    let err = Heard::of(group.0.stderr.take(), STDERR, false);
    let ended = deadline.hold(group.0.wait()).await;
    if ended.is_err() {
        group.kill();
    }
    let (answer, over) = out.take().await;
    let (said, _) = err.take().await;
    if over {
        let text = format!(
            "{}: {} printed more than 1 MiB, which is no answer. Run it by hand to see what is wrong",
            plugin.place, plugin.name
        );
        return Err(ApiError::new(Reason::TooLarge, text));
    }
    match ended {
        Ok(Ok(status)) if status.success() => Ok(answer),
        Ok(status) => Err(failed(plugin, status.ok(), Said::of(&said))),
        Err(_) if Said::of(&said) == Said::WantsLogin => Err(plugin.wants_person()),
        Err(_) => Err(late(plugin, deadline.limit)),
    }
}

/// It did not end in time.
pub(super) fn late(plugin: &Plugin, limit: Duration) -> ApiError {
    let Plugin { name, place, .. } = plugin;
    let text = format!(
        "{place}: {name} gave no credentials within {}. It may wait for a login: log in by it before (az login, kubelogin ...), or give more time with --timeout",
        seconds(limit)
    );
    ApiError::new(Reason::Timeout, text)
}

/// It ended with a failure.
pub(super) fn failed(plugin: &Plugin, status: Option<ExitStatus>, said: Said) -> ApiError {
    let Plugin { name, place, .. } = plugin;
    let how = status.and_then(|status| status.code()).map_or_else(String::new, |code| format!(" (exit status {code})"));
    let (reason, text) = match said {
        Said::WantsLogin => (
            Reason::Forbidden,
            format!("{name} wants a login{how}. Log in by it before (az login, kubelogin ...), then try again"),
        ),
        Said::NoNetwork => (
            Reason::Unreachable,
            format!(
                "{name} cannot reach the service that it gets credentials from{how}. Check this machine's network, name service and proxy, or fetch a kubeconfig that needs no login service"
            ),
        ),
        Said::Other => (
            Reason::Forbidden,
            format!(
                "{name} failed{how}. Run a kubectl command with the same context to see what it says, and log in by it"
            ),
        ),
    };
    ApiError::new(reason, format!("{place}: {text}"))
}

/// What a program's standard error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    WantsLogin,
    NoNetwork,
    Other,
}

impl Said {
    /// Looks for the words of az, kubelogin, aws, gcloud, tsh and Go's and Python's network errors.
    pub(super) fn of(text: &[u8]) -> Self {
        const LOGIN: [&str; 11] = [
            "aadsts",
            "az login",
            "devicelogin",
            "to sign in",
            "sign in",
            "not logged in",
            "please log in",
            "please run",
            "reauth",
            "refresh token",
            "interaction",
        ];
        const NETWORK: [&str; 9] = [
            "no such host",
            "dial tcp",
            "connection refused",
            "max retries",
            "timed out",
            "i/o timeout",
            "name resolution",
            "network is unreachable",
            "failed to resolve",
        ];
        const MAYBE: [&str; 8] =
            ["login", "log in", "expired", "credential", "authenticat", "/dev/tty", "terminal", "browser"];
        let text = String::from_utf8_lossy(text).to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match (has(&LOGIN), has(&NETWORK), has(&MAYBE)) {
            (_, true, _) => Said::NoNetwork,
            (true, ..) | (.., true) => Said::WantsLogin,
            _ => Said::Other,
        }
    }
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
        if let Some(setsid) = setsid.or_else(|| in_path(Path::new("setsid"))) {
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

/// The program's file.
pub(super) fn find(plugin: &Plugin) -> Result<PathBuf, ApiError> {
    let named = &plugin.command;
    if cfg!(not(unix)) {
        return Ok(named.clone());
    }
    let found = if named.components().count() > 1 {
        Some(named.clone()).filter(|path| is_program(path))
    } else {
        in_path(named)
    };
    found.ok_or_else(|| plugin.missing())
}

/// Looks through `PATH`, as Go's `exec.LookPath`: never in the working folder.
fn in_path(name: &Path) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_is_told_apart() {
        let of = |text: &str| Said::of(text.as_bytes());
        assert_eq!(of("ERROR: Please run 'az login' to setup account."), Said::WantsLogin);
        assert_eq!(of("To sign in, use a web browser to open https://microsoft.com/devicelogin"), Said::WantsLogin);
        assert_eq!(of("AADSTS700082: The refresh token has expired due to inactivity."), Said::WantsLogin);
        assert_eq!(of("login failed: dial tcp: lookup login.microsoftonline.com: no such host"), Said::NoNetwork);
        assert_eq!(of("panic: runtime error"), Said::Other);
        assert_eq!(of(""), Said::Other);
    }
}
