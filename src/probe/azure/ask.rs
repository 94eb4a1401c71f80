//! Runs `az`: read-only, never with a login, with nothing to read and no terminal.

use super::command::{AzCommand, AzFact, commands};
use super::shape::{self, Answer, Said};
use super::trouble::{Trouble, of_stderr};
use super::{conclude, is_of, note, put};
use crate::evidence::{ClusterEvidence, Fact, Reason};
use crate::kubeapi::program::{Program, run};
use crate::probe::json::Document;
use std::ffi::OsString;
use std::time::Duration;

/// The program, and how long each of its runs may take.
#[derive(Debug, Clone)]
pub struct Az {
    /// Name or path: `az`.
    pub program: OsString,
    /// `PATH` of the child; None: ours.
    pub path: Option<OsString>,
    /// For each run. `az` takes seconds to start.
    pub time: Duration,
}

impl Default for Az {
    /// `az` as our own `PATH` has it, a minute a run.
    fn default() -> Self {
        Az { program: "az".into(), path: None, time: Duration::from_secs(60) }
    }
}

/// Bytes of one answer.
const STDOUT: usize = 4 << 20;

/// Asks Azure about a cluster and puts what it says into the evidence, in the place of what stood there. What it does not
/// tell is unread with the reason. `tell` hears each command before it runs. Runs exactly the commands of [`commands`],
/// those of AKS on Azure Local only where the resource is such a cluster.
pub async fn ask(cluster: &mut ClusterEvidence, az: &Az, tell: &(dyn Fn(&AzCommand) + Sync)) {
    let all = commands(&cluster.arc.identity);
    if all.is_empty() {
        for fact in AzFact::ALL {
            let why =
                "the cluster does not tell its name and resource group in Azure, so that `az` cannot be asked about it";
            note(cluster, fact, Reason::NotVisible, why.to_owned());
        }
        return;
    }
    let mut same = None;
    for command in all {
        let aksarc = matches!(command.fact, AzFact::ProvisionedCluster | AzFact::Upgrades);
        if aksarc && matches!(cluster.azure.provisioned_cluster, Fact::Absent) {
            continue;
        }
        let answer = match same {
            Some(trouble) => Err(trouble),
            None => {
                tell(&command);
                one(cluster, az, &command).await
            }
        };
        match answer {
            Ok(said) => put(cluster, said),
            Err(Trouble::NotFound) if command.fact == AzFact::ProvisionedCluster && known(cluster) => {
                cluster.azure.provisioned_cluster = Fact::Absent;
            }
            Err(trouble) => {
                same = same.or(trouble.is_of_all().then_some(trouble));
                note(cluster, command.fact, trouble.reason(), trouble.words(command.fact));
            }
        }
        if command.fact == AzFact::ConnectedCluster {
            conclude(cluster);
        }
    }
}

/// Whether Azure knows the Arc resource: only then does it mean something that it knows no other.
fn known(cluster: &ClusterEvidence) -> bool {
    cluster.azure.connected_cluster.known().is_some()
}

/// What every run of `az` finds in its environment beside ours: it asks nothing, installs nothing, shows no progress.
pub fn environment() -> Vec<(String, OsString)> {
    let all = [
        // Else it asks whether to install a missing extension, or installs it unasked.
        ("AZURE_EXTENSION_USE_DYNAMIC_INSTALL", "no"),
        ("AZURE_CORE_COLLECT_TELEMETRY", "no"),
        ("AZURE_CORE_NO_COLOR", "yes"),
        ("AZURE_CORE_DISABLE_PROGRESS_BAR", "yes"),
        ("AZURE_CORE_SURVEY_MESSAGE", "no"),
        ("PYTHONIOENCODING", "utf-8"),
    ];
    all.map(|(name, value)| (name.to_owned(), value.into())).into()
}

async fn one(cluster: &ClusterEvidence, az: &Az, command: &AzCommand) -> Result<Said, Trouble> {
    let mut env = environment();
    if let Some(path) = &az.path {
        env.push(("PATH".to_owned(), path.clone()));
    }
    let program = Program { name: az.program.clone(), args: command.args.clone(), env, time: az.time, stdout: STDOUT };
    let ran = run(program).await;
    if !ran.end.map_err(Trouble::NotRun)?.success() {
        return Err(of_stderr(&ran.stderr));
    }
    let document: Document = serde_json::from_slice(&ran.stdout).map_err(|_| Trouble::Malformed)?;
    let answer: Answer = shape::answers(&document.0)
        .into_iter()
        .find(|answer| answer.said.fact() == command.fact)
        .ok_or(Trouble::Malformed)?;
    if !is_of(cluster, &answer) {
        return Err(Trouble::Another);
    }
    Ok(answer.said)
}

#[cfg(all(test, unix))]
#[path = "ask_tests.rs"]
mod tests;
