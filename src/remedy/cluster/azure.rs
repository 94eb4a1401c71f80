//! Runs of `az` that change the cluster's Azure resource: where it is installed, bounded, never with a login of ours.

use super::kept::{Kept, Work};
use crate::kubeapi::block_on;
use crate::kubeapi::program::{NotRun, Program, run as run_program};
use crate::probe::azure::{AzTrouble, az_line, az_trouble, environment};
use crate::remedy::Done;
use crate::remedy::log::{Log, Ran};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::prepare::Prepared;
use crate::remedy::recipe::AzRun;
use crate::remedy::run::{Told, Who};
use crate::site::ClusterTarget;
use crate::store::{Outcome, Store};
use serde::{Deserialize, Serialize};
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of one answer.
const STDOUT: usize = 4 << 20;

/// The runs of a plan, with everything filled in.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::remedy) struct AzureChange {
    /// In their order.
    pub(in crate::remedy) runs: Vec<AzRun>,
    /// Whether `az` is installed here.
    pub(in crate::remedy) installed: bool,
    /// Name of the Azure resource, to be typed.
    pub(in crate::remedy) name: String,
}

/// How a run is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Back {
    pub(super) what: String,
    pub(super) args: Vec<String>,
    pub(super) back: Vec<String>,
    pub(super) minutes: u32,
}

impl AzureChange {
    pub(in crate::remedy) fn risk(&self) -> Risk {
        self.runs.iter().map(|run| run.risk).max().unwrap_or_default()
    }

    /// Each run: what it does, and the command.
    pub(in crate::remedy) fn steps(&self) -> Vec<(String, String)> {
        self.runs.iter().map(|run| (run.what.clone(), az_line(&run.args))).collect()
    }

    /// What there is to know about it. Sentences.
    pub(in crate::remedy) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.installed {
            remarks.push("`az` is not installed here: copy the commands and run them where it is".to_owned());
        }
        let without: Vec<&str> =
            self.runs.iter().filter(|run| run.back.is_none()).map(|run| run.what.as_str()).collect();
        if !without.is_empty() {
            remarks.push(format!("There is no way back of: {}", without.join("; ")));
        }
        remarks
    }
}

/// Fills in what is known of the kubeconfig, which some commands of `az` read too.
pub(super) fn prepare(runs: &[AzRun], target: &ClusterTarget) -> AzureChange {
    let mut more = Vec::new();
    if let [file] = target.kubeconfig.as_slice()
        && let Some(file) = file.to_str()
    {
        more.extend(["--kube-config".to_owned(), file.to_owned()]);
    }
    if let Some(context) = &target.context {
        more.extend(["--kube-context".to_owned(), context.clone()]);
    }
    let filled = |run: &AzRun| {
        let mut run = run.clone();
        if run.by_kubeconfig {
            run.args.extend(more.clone());
            run.back.iter_mut().for_each(|back| back.extend(more.clone()));
        }
        run
    };
    let named = |run: &AzRun| {
        let at = run
            .args
            .iter()
            .position(|arg| arg == "--cluster-name")
            .or_else(|| run.args.iter().position(|arg| arg == "--name"));
        at.and_then(|at| run.args.get(at + 1)).cloned()
    };
    let runs: Vec<AzRun> = runs.iter().map(filled).collect();
    let name = runs.first().and_then(named).unwrap_or_default();
    AzureChange { runs, installed: installed().is_some(), name }
}

/// `az` as our own `PATH` has it.
fn installed() -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["az.cmd", "az.exe"] } else { &["az"] };
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    found.into_iter().find(|file| runs(file))
}

#[cfg(unix)]
fn runs(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runs(file: &Path) -> bool {
    file.is_file()
}

/// Runs the commands, one after the other; at the first failure it stops.
pub(super) fn run(
    prepared: &Prepared,
    change: &AzureChange,
    store: &mut Store,
    who: &Who,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    let Some(az) = installed() else {
        return Err(Refusal::new("`az` is not installed here. Copy the commands and run them where it is"));
    };
    let journal = store.file().to_owned();
    let mut log = Log::begin(store, who, prepared, Vec::new())?;
    tell(Told::Begun(log.entry.clone()));
    let back = |run: &AzRun| {
        let (what, args, minutes) = (run.what.clone(), run.args.clone(), run.minutes);
        run.back.clone().map(|back| Back { what, args, back, minutes })
    };
    let plan = prepared.plan();
    let back: Vec<Back> = change.runs.iter().filter_map(back).collect();
    if !back.is_empty() {
        match Kept::new(&log.entry, &plan.controls, &plan.title, Work::Azure { back }).write(&journal) {
            Ok(step) => log.step(step, None, ""),
            Err(error) => {
                let why =
                    format!("The way back could not be kept beside the journal ({error}), so nothing was changed");
                return Ok(log.end(Outcome::Refused, why, Vec::new()));
            }
        }
    }
    for (done, run) in change.runs.iter().enumerate() {
        let line = az_line(&run.args);
        tell(Told::Runs(line.clone()));
        // What it writes may hold anything, and is not told.
        tell(Told::Says(format!("it may take minutes; it is ended after {}", run.minutes)));
        let ended = one(&az, run);
        let (status, said) = match &ended {
            Ok(()) => (0, String::new()),
            Err((_, words)) => (1, words.clone()),
        };
        log.step(line.clone(), Some(status), said.clone());
        tell(Told::Done(Done::Ran { line, status, said }));
        if let Err((known, words)) = ended {
            let outcome = match (known, done) {
                (false, _) => Outcome::Unknown,
                (true, 0) => Outcome::Refused,
                (true, _) => Outcome::Failed,
            };
            let before: Vec<&str> = change.runs.iter().take(done).map(|run| run.what.as_str()).collect();
            let before =
                if before.is_empty() { String::new() } else { format!(". Done before: {}", before.join("; ")) };
            return Ok(log.end(outcome, format!("{}: {words}{before}", run.what), Vec::new()));
        }
    }
    let note = "Azure took it. It may be some minutes until the cluster shows it".to_owned();
    Ok(log.end(Outcome::Done, note, Vec::new()))
}

/// One run. `Err`: whether it is known that nothing was changed, and why it failed.
fn one(az: &Path, run: &AzRun) -> Result<(), (bool, String)> {
    let program = Program {
        name: az.as_os_str().to_owned(),
        args: run.args.clone(),
        env: environment(),
        time: Duration::from_secs(u64::from(run.minutes) * 60),
        stdout: STDOUT,
    };
    let ran = block_on(run_program(program)).map_err(|error| (true, error.message))?;
    match ran.end {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            let text = String::from_utf8_lossy(&ran.stderr).to_lowercase();
            if text.contains("unable to prompt") || text.contains("no tty") {
                let words = "`az` wants an answer at a terminal before it does this: run the command by hand";
                return Err((true, words.to_owned()));
            }
            let trouble = az_trouble(&ran.stderr);
            Err((is_before(trouble), words(trouble, run)))
        }
        Err(not_run) => {
            Err((matches!(not_run, NotRun::Missing | NotRun::NotStarted), words(AzTrouble::NotRun(not_run), run)))
        }
    }
}

/// Whether such a trouble comes before anything is changed.
fn is_before(trouble: AzTrouble) -> bool {
    matches!(
        trouble,
        AzTrouble::NoLogin
            | AzTrouble::NoExtension
            | AzTrouble::NoSubscription
            | AzTrouble::Refused
            | AzTrouble::NotFound
    )
}

/// A sentence for the person, ending in what to do. What `az` wrote is not told: it may hold anything.
fn words(trouble: AzTrouble, run: &AzRun) -> String {
    let extension = run.args.first().map_or("", String::as_str);
    match trouble {
        AzTrouble::NotRun(NotRun::Missing | NotRun::NotStarted) => {
            "`az` could not be started: run the command by hand".to_owned()
        }
        AzTrouble::NotRun(NotRun::Late) => {
            format!(
                "`az` had not ended after {} minutes and was stopped; Azure may go on with it. Look in the portal",
                run.minutes
            )
        }
        AzTrouble::NotRun(NotRun::TooLarge) => {
            "`az` wrote more than this program reads. Look in the portal what came of it".to_owned()
        }
        AzTrouble::NoLogin => {
            "`az` is not logged in, or its login is too old: run `az login`, then try again".to_owned()
        }
        AzTrouble::NoExtension => {
            format!("`az` lacks the extension {extension}: run `az extension add --name {extension}`, then try again")
        }
        AzTrouble::NoSubscription => {
            "the account of `az` does not see the cluster's subscription: log in to its tenant with `az login --tenant`"
                .to_owned()
        }
        AzTrouble::Refused => {
            "the account of `az` may not change it: it needs a role that may write the cluster's resource".to_owned()
        }
        AzTrouble::NotFound => "Azure has no such resource: look whether the cluster is still connected".to_owned(),
        AzTrouble::NoNetwork => {
            "`az` lost Azure or the cluster on the way: look at the network, then scan again".to_owned()
        }
        AzTrouble::Unknown | AzTrouble::Malformed | AzTrouble::Another => {
            "`az` failed for a reason that is not known here: run the command by hand and read what it says".to_owned()
        }
    }
}

#[cfg(test)]
#[path = "azure_tests.rs"]
mod tests;
