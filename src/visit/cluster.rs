//! Reading the cluster: its API, on a thread beside those of the nodes.

use super::Progress;
use super::aside::{Lost, aside};
use crate::evidence::{ClusterEvidence, Fact, ProbeError, Reason};
use crate::kubeapi::{ApiLimits, block_on, chosen};
use crate::probe;
use crate::probe::azure::{self, Az, AzCommand};
use crate::remedy::ClusterReach;
use crate::site::ClusterTarget;
use std::path::PathBuf;
use std::time::Duration;

/// Where what Azure says of a cluster comes from. Nowhere, unless a person said so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzureSaid {
    /// Whether the `az` that is installed may be run, for reading only.
    pub run: bool,
    /// Files with what `az` printed earlier, and their bytes.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// The cluster to read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterVisit {
    /// Which.
    pub target: ClusterTarget,
    /// What Azure says of it.
    pub azure: AzureSaid,
    /// Longest time that its API may take once it is connected.
    pub time: Duration,
}

/// Longest time that a cluster's API may take where nobody said: several lists of many pages.
pub const CLUSTER_TIME: Duration = Duration::from_secs(180);

/// What the cluster may take beyond its bounds: starting the thread, credential plugins, `az`.
const SLACK: Duration = Duration::from_secs(15);

/// What running `az` may take: four commands.
const AZ: Duration = Duration::from_secs(240);

impl ClusterVisit {
    /// A cluster with the usual bounds, without Azure.
    pub fn new(target: ClusterTarget) -> Self {
        ClusterVisit { target, azure: AzureSaid::default(), time: CLUSTER_TIME }
    }

    /// The way to this cluster for changing it. `connect`: the longest time that connecting may take, where it is longer than
    /// the usual.
    pub fn reach(&self, connect: Duration) -> ClusterReach {
        ClusterReach { target: self.target.clone(), limits: self.limits(connect) }
    }

    fn limits(&self, connect: Duration) -> ApiLimits {
        let usual = ApiLimits::default();
        ApiLimits { connect: usual.connect.max(connect), request: self.time.min(usual.request), ..usual }
    }
}

/// Reads the cluster within its time. Tells `progress` every step, and [`Progress::ClusterDone`] last.
pub(super) fn read(visit: &ClusterVisit, connect: Duration, progress: &dyn Fn(Progress)) -> ClusterEvidence {
    let limits = visit.limits(connect);
    let budget = limits.connect.saturating_mul(2).saturating_add(visit.time).saturating_add(SLACK);
    let target = visit.target.clone();
    let (whole, said) = (visit.time, visit.azure.clone());
    let work = move |tell: &(dyn Fn(&str) + Send + Sync)| {
        block_on(async {
            let mut seen = probe::cluster::collect_within(&target, limits, whole, tell).await;
            if seen.reached {
                azure(&mut seen, &said, whole, tell).await;
            }
            seen
        })
    };
    let budget = if visit.azure.run { budget.saturating_add(AZ) } else { budget };
    let read = aside("cluster", budget, &|step| progress(Progress::Cluster { step }), work);
    let mut seen = match read {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => {
            ClusterEvidence::unread(visit.target.context.as_deref().unwrap_or_default(), error.reason, &error.message)
        }
        Err(lost) => unread(&visit.target, lost, budget),
    };
    // Of a cluster that was not reached the files still say which it is.
    if (seen.context.is_empty() || seen.server.is_unread())
        && let Ok(Some(chosen)) = chosen(&visit.target)
    {
        seen.context = chosen.name;
        if let (Fact::Unread, Some(server)) = (&seen.server, chosen.server) {
            seen.server = Fact::Known(server);
        }
    }
    if seen.platform_said.is_none() {
        seen.platform_said.clone_from(&visit.target.platform);
    }
    progress(Progress::ClusterDone(Box::new(seen.clone())));
    seen
}

/// Adds what Azure says, where somebody brought it or wants it asked. `within`: the time of one run of `az`, where it is shorter
/// than the usual.
async fn azure(seen: &mut ClusterEvidence, said: &AzureSaid, within: Duration, tell: &(dyn Fn(&str) + Send + Sync)) {
    if said.run {
        let command = |command: &AzCommand| tell(&format!("running {command}"));
        let usual = Az::default();
        azure::ask(seen, &Az { time: usual.time.min(within), ..usual }, &command).await;
    }
    for (file, bytes) in &said.files {
        if let Err(error) = azure::read(seen, bytes) {
            let message = format!("{}: {error}", file.display());
            seen.errors.push(ProbeError { reason: Reason::Malformed, message });
        }
    }
}

/// The commands, as a shell takes them, that tell what Azure says of a cluster and is not known. Empty where nothing is
/// missing, and where the cluster does not say which Azure resource it is.
pub fn azure_commands(cluster: &ClusterEvidence) -> Vec<String> {
    let missing = |command: &AzCommand| cluster.unread.iter().any(|gap| gap.path == command.fact.path());
    azure::commands(&cluster.arc.identity).iter().filter(|command| missing(command)).map(ToString::to_string).collect()
}

fn unread(target: &ClusterTarget, lost: Lost, budget: Duration) -> ClusterEvidence {
    let (reason, message) = match lost {
        Lost::Late => (
            Reason::Timeout,
            format!(
                "The cluster's API gave no whole answer within {} seconds and was left alone. See whether the API server \
                 is overloaded or the link is slow, then try again with a longer --timeout.",
                budget.as_secs()
            ),
        ),
        Lost::Broke => (
            Reason::Malformed,
            "This program failed while it read the cluster, which is a defect of the program. Nothing is known of the \
             cluster; read it again, and report what was printed if it happens again."
                .to_owned(),
        ),
        Lost::NoThread => (
            Reason::Unsupported,
            "This machine could not start another thread, so the cluster was not read. Try again with fewer --jobs."
                .to_owned(),
        ),
    };
    ClusterEvidence::unread(target.context.as_deref().unwrap_or_default(), reason, &message)
}

/// A cluster of which nothing is known by a defect of this program.
pub(super) fn broke(visit: Option<&ClusterVisit>) -> ClusterEvidence {
    unread(&visit.map(|visit| visit.target.clone()).unwrap_or_default(), Lost::Broke, Duration::ZERO)
}
