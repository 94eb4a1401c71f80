//! Runs a program for credentials. What it says on standard error is classified and forgotten.

use super::super::error::{ApiError, seconds};
use super::super::http::Deadline;
use super::super::program::{NotRun, Program, find as find_program, run as run_program};
use super::plugin::Plugin;
use crate::evidence::Reason;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use zeroize::Zeroizing;

/// Most bytes of an answer: tokens and certificates have some kilobytes.
pub(super) const ANSWER: usize = 1 << 20;

/// Runs the program and gives what it printed.
pub(super) async fn run(plugin: &Plugin, request: String, deadline: Deadline) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let env = plugin.env.iter().map(|(name, value)| (name.clone(), value.expose().into()));
    let program = Program {
        name: find(plugin)?.into(),
        args: plugin.args.iter().map(|arg| arg.expose().to_owned()).collect(),
        env: env.chain([("KUBERNETES_EXEC_INFO".to_owned(), request.into())]).collect(),
        time: deadline.left(),
        stdout: ANSWER,
    };
    let ran = run_program(program).await;
    let said = Said::of(&ran.stderr);
    match ran.end {
        Ok(status) if status.success() => Ok(ran.stdout),
        Ok(status) => Err(failed(plugin, Some(status), said)),
        Err(NotRun::Missing | NotRun::NotStarted) => Err(plugin.missing()),
        Err(NotRun::Late) if said == Said::WantsLogin => Err(plugin.wants_person()),
        Err(NotRun::Late) => Err(late(plugin, deadline.limit)),
        Err(NotRun::TooLarge) => {
            let text = format!(
                "{}: {} printed more than 1 MiB, which is no answer. Run it by hand to see what is wrong",
                plugin.place, plugin.name
            );
            Err(ApiError::new(Reason::TooLarge, text))
        }
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

/// The program's file.
pub(super) fn find(plugin: &Plugin) -> Result<PathBuf, ApiError> {
    find_program(&plugin.command, std::env::var_os("PATH").as_deref()).ok_or_else(|| plugin.missing())
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
