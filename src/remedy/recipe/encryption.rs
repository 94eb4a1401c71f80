//! Secrets encrypted before they go to etcd: a key that is made on the node and never leaves it, the flag and the mount, one
//! restart of the API server, and every Secret written anew. What the lines call is in `assets/remedy/secrets.sh`.

use super::About;
use super::config_map::{Held, set_there};
use super::etcd;
use super::static_flag::Flag;
use super::static_pod::{Mount, StaticPodOp, of, of_pod};
use crate::remedy::change::{NodeChange, State};
use crate::remedy::edit::manifest_flag::{HostPathKind, flag_values, runs_as};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;

/// Encryption on the one control-plane node of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptionOp {
    node: String,
    pod: StaticPodOp,
    manifest: String,
    etcd: String,
}

const API_SERVER: &str = "kube-apiserver";
const FLAG: &str = "encryption-provider-config";
const FOLDER: &str = "/etc/kubernetes/enc";
const CONFIG: &str = "/etc/kubernetes/enc/encryption.yaml";

/// Seconds that one step may take: all Secrets are written anew.
const WITHIN: u32 = 600;

/// Seconds for which a new API server is waited for.
const SERVES: u32 = 120;

/// How many nodes of the control plane and how many API servers the cluster knows, one word each.
const SERVERS: &str = "K='kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 10s'; \
    N=$($K get nodes -l node-role.kubernetes.io/control-plane -o name) && \
    A=$($K -n default get endpointslices kubernetes -o jsonpath='{.endpoints[*].addresses[*]}') && \
    echo \"$(echo $N | wc -w) $(echo $A | wc -w)\"";

/// What is done for `encryption-at-rest`, and what else it means.
pub(super) fn plan(about: &About<'_>) -> Result<(EncryptionOp, Vec<String>), Refusal> {
    let pod = of_pod(API_SERVER, about)?;
    let node = about.node()?;
    let path =
        |component: &str| of(node, component).and_then(|found| found.static_pod.known()).map(|pod| pod.path.clone());
    let (Some(manifest), Some(etcd)) = (path(API_SERVER), path("etcd")) else {
        return Err(Refusal::new(format!(
            "{}: etcd is no static pod of this node, so neither can a snapshot of it be kept nor can it be seen what is encrypted. \
             Take a snapshot there, then follow https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/ by hand",
            node.name
        )));
    };
    if pod.control_planes().is_some_and(|count| count > 1) {
        return Err(several(&node.name));
    }
    let mount = Mount { name: "encryption", path: CONFIG, read_only: true, kind: HostPathKind::File };
    let pod = pod.with(FLAG, Flag::Value(CONFIG.to_owned()), mount);
    let notes = vec![
        format!(
            "{CONFIG} on this node is the only key there is: who loses it loses every Secret, snapshots of etcd included. Copy it to \
             a safe place that is not where the snapshots lie, as soon as this is done"
        ),
        format!(
            "An API server without --{FLAG} cannot read the Secrets any more, and kubeadm writes its manifest anew at an upgrade, from the \
             {}. Take the key along to every control-plane node before it joins",
            set_there(Held::Cluster, ", in apiServer.extraArgs and apiServer.extraVolumes", about.evidence)
        ),
        "Snapshots of etcd from before, that of this plan too, hold the Secrets in plain text: keep them as such, or delete them"
            .to_owned(),
        format!(
            "An undo writes every Secret back in plain text first, and is refused where that fails; the key stays on the node as \
             {CONFIG}.away, since snapshots from the meantime need it. It restarts the API server twice"
        ),
    ];
    Ok((EncryptionOp { node: node.name.clone(), pod, manifest, etcd }, notes))
}

/// The steps where all API servers need the same key.
fn several(node: &str) -> Refusal {
    Refusal::new(format!(
        "{node}: the cluster has several API servers, and all need the same key before one of them writes with it, which is not done \
         from here. By hand: write {CONFIG} (identity first, secretbox with a key of 32 random bytes second; root alone) and copy it \
         to every control-plane node; put --{FLAG} and its mount into each API server's manifest, one node after the other; when all \
         run with it put secretbox first in every copy and restart them again; then `kubectl get secrets -A -o json | kubectl \
         replace -f -`"
    ))
}

impl EncryptionOp {
    /// The change of the API server's manifest.
    pub(super) fn pod(&self) -> &StaticPodOp {
        &self.pod
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = self.pod.wants();
        wants.extend([Want::File(self.etcd.clone()), Want::Stat(CONFIG.to_owned())]);
        wants.extend([Want::Tell(etcd::CAN_KEEP.to_owned()), Want::Tell(SERVERS.to_owned())]);
        wants
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let (node, manifest) = (&self.node, &self.manifest);
        let text = |path: &str| {
            let file = fresh.file(path).filter(|file| file.trouble.is_none() && file.path == path);
            let gone = || Refusal::new(format!("{path} is not there as a plain file. Scan again"));
            file.and_then(|file| file.text()).ok_or_else(gone)
        };
        let (api, etcd) = (text(manifest)?, text(&self.etcd)?);
        let refuse = |error: crate::remedy::edit::EditError| Refusal::new(format!("{manifest}: {error}"));
        if !flag_values(api, API_SERVER, FLAG).map_err(refuse)?.is_empty() {
            return Err(Refusal::new(format!("{manifest}: --{FLAG} is given already. Scan again")));
        }
        if runs_as(api, API_SERVER).map_err(refuse)?.is_some_and(|user| user != 0) {
            return Err(Refusal::new(format!(
                "{manifest}: the API server does not run as root (runAsUser), and could not read a key that is root's alone. Do it by hand"
            )));
        }
        match fresh.told(SERVERS).map(str::trim) {
            Some("1 1") => {}
            Some(said) if said.split(' ').any(|count| count.parse().is_ok_and(|count: u32| count > 1)) => {
                return Err(several(node));
            }
            _ => {
                return Err(Refusal::new(format!(
                    "{node}: how many API servers the cluster has could not be asked there (kubectl with \
                     /etc/kubernetes/admin.conf), and one without the key could not read the Secrets. See that it works, then make \
                     the plan again"
                )));
            }
        }
        if fresh.file(CONFIG).and_then(|file| file.state.as_ref()) != Some(&State::Absent) {
            return Err(Refusal::new(format!(
                "{CONFIG} is there already, and the API server does not use it. It may hold a key that something needs: look at it, and \
                 move it away if nothing does"
            )));
        }
        let snapshot = etcd::snapshot(&self.etcd, etcd, fresh)?;
        let mut change = self.pod.change(fresh)?;
        change.validate.push(snapshot);
        change.within = WITHIN;
        change.folders.push(FOLDER.to_owned());
        let prefix = flag_values(api, API_SERVER, "etcd-prefix").map_err(refuse)?.into_iter().flatten().next();
        let prefix = quoted(prefix.as_deref().unwrap_or("/registry").trim_end_matches('/'));
        let by = quoted(&etcd::options(etcd).map_err(Refusal::new)?);
        let conditions: String = change.holds.iter().map(|line| format!(" {}", quoted(line))).collect();
        let words = format!("{CONFIG} {} {SERVES} {by} {prefix}{conditions}", quoted(manifest));
        change.before_change = vec![format!("manifests_in {}", quoted(manifest)), format!("key_there {CONFIG}")];
        change.before_back = vec![format!("secrets_plain {words}")];
        change.activate = vec![format!("secrets_by secretbox {words}")];
        change.deactivate = vec![format!("key_away {CONFIG} {by} {prefix}")];
        change.why.push(format!(
            "key_there writes {CONFIG} (root alone, 0600): for secrets the provider secretbox with the key <32 random bytes, made on \
             the node and shown to nobody>, then identity, by which what is not encrypted yet is read. Where an undo has left \
             {CONFIG}.away, that one is taken"
        ));
        change.why.push(
            "secrets_by waits until the API server serves with it; then it reads every Secret and writes it as it is, on the node, and \
             counts in etcd that all are encrypted. Nothing of a Secret is shown or kept"
                .to_owned(),
        );
        change.interrupts.push(
            "Every Secret is written anew, and can be read all the time. The flag and the key go only after secrets_plain has written \
             all of them back in plain text, for which the API server restarts once more; where that fails they stay"
                .to_owned(),
        );
        Ok(change)
    }
}

#[cfg(test)]
#[path = "encryption_tests.rs"]
mod tests;
