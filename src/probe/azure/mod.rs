//! What Azure says of the cluster: by `az`, which runs where a person agreed and only reads, or by its JSON out of a file.
//! `command` says what would run, `shape` understands the answers.

mod ask;
mod command;
mod file;
pub(super) mod names;
mod shape;
mod trouble;

pub use ask::{Az, ask, environment};
pub use command::{AzCommand, AzFact, AzNames, az_line, commands, hint, is_extension_name, own_names};
pub use file::{AzureFileError, read};
pub use trouble::{Trouble as AzTrouble, of_stderr as az_trouble};

use crate::evidence::cluster::Azure;
use crate::evidence::{ClusterEvidence, Fact, Reason, Unread};
use shape::{Answer, Said};

/// Writes down that nobody asked Azure, with the command that would tell, filled with the cluster's names where it tells
/// them. Whatever Azure said before is taken out.
pub fn not_asked(cluster: &mut ClusterEvidence) {
    cluster.azure = Azure::default();
    for fact in AzFact::ALL {
        let hint = hint(fact, &cluster.arc.identity);
        note(cluster, fact, Reason::NotVisible, format!("Azure was not asked. To see it, run: {hint}"));
    }
}

/// Writes down why a fact is missing, in the place of what was said of it before.
fn note(cluster: &mut ClusterEvidence, fact: AzFact, reason: Reason, detail: String) {
    forget(cluster, fact);
    cluster.unread.push(Unread { path: fact.path().to_owned(), reason, detail });
}

/// Takes out what was said of a fact.
fn forget(cluster: &mut ClusterEvidence, fact: AzFact) {
    cluster.unread.retain(|gap| gap.path != fact.path());
    match fact {
        AzFact::ConnectedCluster => cluster.azure.connected_cluster = Fact::Unread,
        AzFact::ProvisionedCluster => cluster.azure.provisioned_cluster = Fact::Unread,
        AzFact::Upgrades => cluster.azure.upgrades = Default::default(),
        AzFact::Extensions => cluster.azure.extensions = Default::default(),
    }
}

/// Puts an answer in its place.
fn put(cluster: &mut ClusterEvidence, said: Said) {
    let fact = said.fact();
    forget(cluster, fact);
    let partial = match &said {
        Said::Upgrades(list) => !list.complete,
        Said::Extensions(list) => !list.complete,
        Said::Connected(_) | Said::Provisioned(_) => false,
    };
    match said {
        Said::Connected(connected) => cluster.azure.connected_cluster = Fact::Known(*connected),
        Said::Provisioned(provisioned) => cluster.azure.provisioned_cluster = Fact::Known(*provisioned),
        Said::Upgrades(list) => cluster.azure.upgrades = list,
        Said::Extensions(list) => cluster.azure.extensions = list,
    }
    if partial {
        let detail = "some of what Azure listed could not be understood".to_owned();
        cluster.unread.push(Unread { path: fact.path().to_owned(), reason: Reason::Malformed, detail });
    }
}

/// What follows from the Arc resource where it is no AKS cluster on Azure Local: there is none, and Azure upgrades none.
fn conclude(cluster: &mut ClusterEvidence) {
    let Fact::Known(connected) = &cluster.azure.connected_cluster else { return };
    let other = match &connected.kind {
        Fact::Known(kind) => !kind.eq_ignore_ascii_case("ProvisionedCluster"),
        Fact::Absent => true,
        Fact::Unread => false,
    };
    if other && cluster.azure.provisioned_cluster.known().is_none() {
        forget(cluster, AzFact::ProvisionedCluster);
        cluster.azure.provisioned_cluster = Fact::Absent;
        let why = "Azure does not upgrade this cluster: it is no AKS cluster on Azure Local".to_owned();
        note(cluster, AzFact::Upgrades, Reason::NotVisible, why);
    }
}

/// Whether an answer is about this cluster, as far as both tell. Azure's ids differ in their capitals.
fn is_of(cluster: &ClusterEvidence, answer: &Answer) -> bool {
    let Some(own) = cluster.arc.identity.resource_id.known() else { return true };
    let own = own.to_ascii_lowercase();
    answer.ids.iter().all(|id| {
        let id = id.to_ascii_lowercase();
        id.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
