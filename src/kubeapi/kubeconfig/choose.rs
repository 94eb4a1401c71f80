//! Which context is meant, and what it leads to.

use super::super::error::{ApiError, shown};
use super::merge::{Merged, Placed};
use super::secret::set;
use super::server::Server;
use super::surroundings::Surroundings;
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use kube::config::{AuthInfo, Cluster};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names that a sentence holds at most.
const NAMES: usize = 8;

/// A cluster to connect to, and as whom.
#[derive(Debug, Clone)]
pub(in crate::kubeapi) struct Chosen {
    /// Name of the context, or `in-cluster`.
    pub(in crate::kubeapi) context: String,
    /// Where the API server is.
    pub(in crate::kubeapi) server: Server,
    /// Where that is written.
    pub(in crate::kubeapi) source: Source,
}

/// Where a cluster is described.
#[derive(Debug, Clone)]
pub(in crate::kubeapi) enum Source {
    /// In kubeconfig files.
    File {
        cluster: Box<Placed<Cluster>>,
        /// Name and entry of the user; an empty one where the context names none.
        user: Box<(String, Placed<AuthInfo>)>,
    },
    /// In the pod that this process runs in: folder of its service account.
    Pod(PathBuf),
}

impl Source {
    /// The file that the person may correct, for sentences.
    pub(in crate::kubeapi) fn place(&self) -> String {
        match self {
            Source::File { cluster, .. } => cluster.place(),
            Source::Pod(_) => "the pod's service account".to_owned(),
        }
    }
}

/// Finds what a target means. Fails with what to do where that is not clear; nothing is connected to.
pub(in crate::kubeapi) fn choose(target: &ClusterTarget, around: &Surroundings) -> Result<Chosen, ApiError> {
    match Merged::read(target, around)? {
        Some(config) => config.choose(target.context.as_deref()),
        None => in_pod(target, around),
    }
}

impl Merged {
    pub(super) fn choose(&self, wanted: Option<&str>) -> Result<Chosen, ApiError> {
        let wanted = wanted.filter(|name| !name.is_empty());
        let Some(name) = wanted.or(self.current.as_deref()) else {
            return Err(unreachable(match self.contexts.as_slice() {
                [] => format!("kubeconfig {}: it has no context. Fetch the cluster's kubeconfig again", self.places()),
                _ => format!(
                    "kubeconfig {}: no context is the current one. Name one with --context: {}",
                    self.places(),
                    self.names_near("")
                ),
            }));
        };
        let Some((_, context)) = self.contexts.iter().find(|(known, _)| known == name) else {
            return Err(unreachable(match (self.contexts.as_slice(), wanted) {
                ([], _) => format!(
                    "kubeconfig {}: there is no context {:?}, nor any other. Fetch the cluster's kubeconfig again",
                    self.places(),
                    shown(name)
                ),
                (_, Some(_)) => format!(
                    "kubeconfig {}: there is no context {:?}. There are: {}. Name one of these with --context",
                    self.places(),
                    shown(name),
                    self.names_near(name)
                ),
                (_, None) => format!(
                    "kubeconfig {}: its current-context {:?} does not exist. Name one of these with --context: {}",
                    self.places(),
                    shown(name),
                    self.names_near(name)
                ),
            }));
        };
        let lacks = |what: String| {
            let text = format!("kubeconfig {}: the context {:?} {what}", context.place(), shown(name));
            unreachable(format!("{text}. Correct the context, or fetch the cluster's kubeconfig again"))
        };
        let cluster_name = set(Some(&context.value.cluster)).ok_or_else(|| lacks("names no cluster".to_owned()))?;
        let cluster = self.clusters.get(cluster_name);
        let cluster = cluster
            .ok_or_else(|| lacks(format!("names the cluster {:?}, which does not exist", shown(cluster_name))))?;
        let user = match set(context.value.user.as_ref()) {
            // As kubectl: without a user one speaks as nobody.
            None => (String::new(), Placed { value: AuthInfo::default(), file: Arc::<Path>::clone(&context.file) }),
            Some(user_name) => {
                let user = self.users.get(user_name).cloned();
                let user =
                    user.ok_or_else(|| lacks(format!("names the user {:?}, which does not exist", shown(user_name))))?;
                (user_name.to_owned(), user)
            }
        };
        let server = Server::of(cluster_name, cluster, &user.1.value)?;
        let source = Source::File { cluster: Box::new(cluster.clone()), user: Box::new(user) };
        Ok(Chosen { context: name.to_owned(), server, source })
    }

    /// The files, for sentences.
    pub(super) fn places(&self) -> String {
        let places: Vec<String> = self.files.iter().map(|path| shown(&path.display().to_string())).collect();
        places.join(", ")
    }

    /// Names of contexts for a sentence, those most like `wanted` first.
    fn names_near(&self, wanted: &str) -> String {
        let mut names: Vec<&str> = self.contexts.iter().map(|(name, _)| name.as_str()).collect();
        if !wanted.is_empty() {
            let wanted = wanted.to_lowercase();
            let likeness = |name: &str| {
                let name = name.to_lowercase();
                let contained = name.contains(&wanted) || wanted.contains(&name);
                if contained { 2.0 } else { strsim::jaro_winkler(&wanted, &name) }
            };
            names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        }
        let more = names.len().saturating_sub(NAMES);
        let listed: Vec<String> = names.into_iter().take(NAMES).map(shown).collect();
        match more {
            0 => listed.join(", "),
            more => format!("{} and {more} more", listed.join(", ")),
        }
    }
}

/// The cluster of the pod that this process runs in.
fn in_pod(target: &ClusterTarget, around: &Surroundings) -> Result<Chosen, ApiError> {
    let Some((host, port)) = around.pod() else {
        return Err(unreachable(
            "no kubeconfig was found: neither ~/.kube/config nor the variable KUBECONFIG. Name one with --kubeconfig"
                .to_owned(),
        ));
    };
    if let Some(wanted) = target.context.as_deref().filter(|name| !name.is_empty() && *name != IN_CLUSTER) {
        return Err(unreachable(format!(
            "there is no context {:?}: no kubeconfig was found, only this pod's own cluster. Leave --context away, or name a file with --kubeconfig",
            shown(wanted)
        )));
    }
    let server = Server::in_pod(&host, &port)?;
    Ok(Chosen { context: IN_CLUSTER.to_owned(), server, source: Source::Pod(around.service_account.clone()) })
}

/// Name of the context of a process that runs in a pod.
pub(super) const IN_CLUSTER: &str = "in-cluster";

fn unreachable(text: String) -> ApiError {
    ApiError::new(Reason::Unreachable, text)
}
