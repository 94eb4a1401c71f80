//! A login that wants a person: found out before the screens start, and done with the terminal.

use super::super::error::{ApiError, shown};
use super::super::http::Deadline;
use super::super::kubeconfig::{Surroundings, choose};
use super::super::runtime::block_on;
use super::Login;
use super::plugin::{Mode, Plugin};
use super::process::{self, Said};
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a program may take to give credentials without a person: az, in Python, takes seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A login that a person may have to do before the screens start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginHint {
    /// Name of the program: `kubelogin`.
    pub program: String,
    /// Name of the context.
    pub context: String,
    /// Why it is wanted, as a sentence that ends in what to do.
    pub message: String,
}

/// The program by which a target's user logs in, and which [`login`] runs. None: it logs in without one, or what the
/// kubeconfig says cannot be used. Reads files only.
pub fn login_program(target: &ClusterTarget) -> Option<String> {
    let chosen = choose(target, &Surroundings::real()).ok()?;
    Login::of(&chosen).ok()?.plugin().map(|plugin| plugin.name.clone())
}

/// Whether a person must log in before a target can be connected to.
///
/// Where the target's user logs in by a program, that program is run as [`Api::connect`](super::super::Api::connect) would
/// run it: without a terminal, for at most 20 seconds. What it gives is kept, so that connecting does not run it again. A
/// hint comes back where it failed or did not end in a way that a login may help. None: nobody need do anything, or
/// connecting will fail for a reason that no login helps against, and say so.
///
/// Blocks; call it where no asynchronous code runs, before the screens start. Then ask the person, and if they want it
/// call [`interactive_login`].
pub fn login(target: &ClusterTarget) -> Option<LoginHint> {
    let chosen = choose(target, &Surroundings::real()).ok()?;
    let login = Login::of(&chosen).ok()?;
    let plugin = login.plugin()?;
    let asked = block_on(async { plugin.credentials(None, Deadline::after(PATIENCE)).await }).ok()?;
    let error = asked.err()?;
    let helps = plugin.mode != Mode::Never && matches!(error.reason, Reason::Forbidden | Reason::Timeout);
    helps.then(|| LoginHint { program: plugin.name.clone(), context: chosen.context.clone(), message: error.message })
}

/// Runs the program of a target's user with the terminal, so that a person can log in by it, and keeps what it gives for
/// [`Api::connect`](super::super::Api::connect).
///
/// It reads from this process's standard input and writes what it likes to standard error; so no screen may be up. Blocks
/// without a deadline: the person ends it. Fails where there is no such program, where standard input is no terminal, and
/// where no credentials came.
pub fn interactive_login(target: &ClusterTarget) -> Result<(), ApiError> {
    use std::io::IsTerminal as _;
    let chosen = choose(target, &Surroundings::real())?;
    let login = Login::of(&chosen)?;
    let Some(plugin) = login.plugin() else {
        let text = format!(
            "the context {:?} logs in without a program, so there is nobody to ask. Connect to it",
            shown(&chosen.context)
        );
        return Err(ApiError::new(Reason::Unsupported, text));
    };
    if plugin.mode == Mode::Never || !std::io::stdin().is_terminal() {
        return Err(plugin.wants_person());
    }
    let answer = run(plugin)?;
    plugin.take(&answer).map(|_| ())
}

fn run(plugin: &Plugin) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let mut command = Command::new(process::find(plugin)?);
    command.args(plugin.args.iter().map(super::Secret::expose));
    command.envs(plugin.env.iter().map(|(name, value)| (name, value.expose())));
    command.env("KUBERNETES_EXEC_INFO", plugin.request(true)?);
    command.stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(|_| plugin.missing())?;
    let mut answer = Zeroizing::new(Vec::with_capacity(process::ANSWER));
    if let Some(stdout) = child.stdout.take() {
        let most = u64::try_from(process::ANSWER).unwrap_or(u64::MAX);
        let _ = stdout.take(most).read_to_end(&mut answer);
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(answer),
        // What it said stands on the terminal, where the person saw it.
        status => Err(process::failed(plugin, status.ok(), Said::WantsLogin)),
    }
}
