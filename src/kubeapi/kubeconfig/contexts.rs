//! The contexts that a person can choose from.

use super::super::error::ApiError;
use super::choose::{IN_CLUSTER, choose};
use super::merge::Merged;
use super::server::Server;
use super::surroundings::Surroundings;
use crate::site::ClusterTarget;
use std::path::PathBuf;

/// One context, as files say it; nothing was connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextInfo {
    /// Its name, as written: not yet fit for a screen.
    pub name: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Name of its cluster; empty where it names none.
    pub cluster: String,
    /// URL of the API server, without credentials. None: the context leads to none; connecting says why.
    pub server: Option<String>,
    /// Name of its user; empty where it names none.
    pub user: String,
    /// What stands between and ends the TLS, as [`Api::proxy`](super::super::Api::proxy) has it.
    pub proxy: Option<&'static str>,
    /// The file that holds it. None: the pod that this process runs in.
    pub file: Option<PathBuf>,
}

/// Lists the contexts that a target's kubeconfig files hold, in their order; `target.context` does not narrow them.
/// Empty: no kubeconfig was named and none was found, and this is no pod. Fails where a named file does not exist, and
/// where one cannot be read: with the file, the line and what to do. Reads files only.
pub fn contexts(target: &ClusterTarget) -> Result<Vec<ContextInfo>, ApiError> {
    contexts_in(target, &Surroundings::real())
}

/// The context that [`Api::connect`](super::super::Api::connect) would take. None: nothing was named, and there is no
/// current context, so there is no cluster to speak of. Fails as connecting would: no such context (names those there
/// are), no such cluster or user, no server. Reads files only; certificates and keys are read when connecting.
pub fn chosen(target: &ClusterTarget) -> Result<Option<ContextInfo>, ApiError> {
    chosen_in(target, &Surroundings::real())
}

pub(super) fn contexts_in(target: &ClusterTarget, around: &Surroundings) -> Result<Vec<ContextInfo>, ApiError> {
    let Some(config) = Merged::read(target, around)? else {
        return Ok(around.pod().map(|(host, port)| pod(&host, &port)).into_iter().collect());
    };
    let infos = config.contexts.iter().map(|(name, context)| {
        let cluster = context.value.cluster.clone();
        let user = context.value.user.clone().unwrap_or_default();
        let server = config.clusters.get(&cluster).and_then(|placed| {
            let login = config.users.get(&user).map(|user| user.value.clone()).unwrap_or_default();
            Server::of(&cluster, placed, &login).ok()
        });
        ContextInfo {
            name: name.clone(),
            current: config.current.as_deref() == Some(name),
            proxy: server.as_ref().and_then(Server::proxy),
            server: server.map(|server| server.shown),
            cluster,
            user,
            file: Some(context.file.to_path_buf()),
        }
    });
    Ok(infos.collect())
}

pub(super) fn chosen_in(target: &ClusterTarget, around: &Surroundings) -> Result<Option<ContextInfo>, ApiError> {
    if target.context.as_deref().is_none_or(str::is_empty) {
        let nothing = match Merged::read(target, around)? {
            Some(config) => !config.named && config.current.is_none(),
            None => around.pod().is_none(),
        };
        if nothing {
            return Ok(None);
        }
    }
    let chosen = choose(target, around)?;
    let mut all = contexts_in(target, around)?.into_iter();
    Ok(all.find(|info| info.name == chosen.context))
}

fn pod(host: &str, port: &str) -> ContextInfo {
    ContextInfo {
        name: IN_CLUSTER.to_owned(),
        current: true,
        cluster: IN_CLUSTER.to_owned(),
        server: Server::in_pod(host, port).ok().map(|server| server.shown),
        user: "service account".to_owned(),
        proxy: None,
        file: None,
    }
}
