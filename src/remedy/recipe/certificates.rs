//! Certificates of a kubeadm control plane, renewed: copies first, `kubeadm certs renew all`, then each static pod made anew,
//! one after the other. What the lines call is in `assets/remedy/certificates.sh`.

use super::About;
use super::etcd::{self, Members};
use super::rancher::Which;
use super::rancher_certificates::{self, RancherCertificatesOp};
use super::static_pod::{of, serves};
use crate::assess::Verdict;
use crate::evidence::NodeEvidence;
use crate::remedy::change::{NodeChange, Validate};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::node::STATE;
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;

/// The renewal on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificatesOp {
    node: String,
    /// Component and manifest, in the order in which they are made anew.
    pods: Vec<(String, String)>,
    /// How etcd's members are asked after. None where there is no etcd here, or where its certificates have ended.
    members: Option<Members>,
}

/// What is done for `certificate-renew`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Renewal {
    /// By kubeadm, and what to know about it.
    Kubeadm(CertificatesOp, Vec<String>),
    /// By k3s or RKE2, and what to know about it.
    Rancher(RancherCertificatesOp, Vec<String>),
}

const COMPONENTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const PKI: &str = "/etc/kubernetes/pki/";
const KUBEADM: &str = "command -v kubeadm && [ -d /etc/kubernetes/pki ]";
const TIME: &str = "date -u +%Y%m%dT%H%M%SZ";

/// Seconds that one step may take: to end a pod and to have the new one serve.
const WITHIN: u32 = 300;

/// Seconds for which a new pod is waited for.
const SERVES: u32 = 120;

/// What is done for `certificate-renew`.
pub(super) fn plan(about: &About<'_>) -> Result<Renewal, Refusal> {
    let node = about.node()?;
    if let Some(which) = Which::of(node).or_else(|| rancher_certificates::by_folder(about, node)) {
        let (op, notes) = rancher_certificates::plan(which, about)?;
        return Ok(Renewal::Rancher(op, notes));
    }
    let name = &node.name;
    let api = node.kube_apiserver.static_pod.known();
    let Some(api) = api.filter(|pod| pod.path.starts_with("/etc/kubernetes/manifests/")) else {
        return Err(Refusal::new(format!(
            "{name}: no API server of kubeadm runs there, so there is nothing that kubeadm would renew. A kubelet's own certificate \
             renews by itself where rotateCertificates is on; where it has ended, join the node anew (`kubeadm join`)"
        )));
    };
    let given =
        api.command.known().and_then(|words| words.iter().find_map(|word| word.strip_prefix("--tls-cert-file=")));
    if given.is_some_and(|path| !path.starts_with(PKI)) {
        return Err(Refusal::new(format!(
            "{name}: the API server's certificate is not in {PKI}, where kubeadm renews. Renew it where it was made"
        )));
    }
    let failing: Vec<&str> = about
        .finding
        .items
        .iter()
        .filter(|item| item.verdict == Verdict::Fail)
        .map(|item| item.name.split('#').next().unwrap_or_default())
        .collect();
    let (renewed, others): (Vec<&str>, Vec<&str>) = failing.iter().partition(|path| is_renewed(node, path));
    if renewed.is_empty() && !others.is_empty() {
        return Err(Refusal::new(format!(
            "{name}: kubeadm does not renew {}. A kubelet's certificate renews by itself where rotateCertificates is on \
             (`systemctl restart kubelet`); a CA is replaced by a plan of its own (the Kubernetes guide on manual rotation of CA \
             certificates)",
            others.join(", ")
        )));
    }
    let mut pods = Vec::new();
    for component in COMPONENTS {
        if let Some(pod) = of(node, component).and_then(|found| found.static_pod.known()) {
            pods.push((component.to_owned(), pod.path.clone()));
        }
    }
    let mut notes = vec![
        "kubeadm renews the certificates of this node alone: do the same on every other control-plane node, one after the other"
            .to_owned(),
        "Copies of admin.conf that people have (~/.kube/config) end when they would have: give them the new /etc/kubernetes/admin.conf"
            .to_owned(),
        "An undo brings the old certificates back, with the day on which they end".to_owned(),
    ];
    if !others.is_empty() {
        notes.push(format!("These are not renewed by it: {}", others.join(", ")));
    }
    let local = node.etcd.static_pod.known();
    let members = match local {
        Some(_) if ended(about, node) => {
            notes.push(
                "A certificate of etcd has ended already, so no snapshot can be asked of it and its members cannot be asked after"
                    .to_owned(),
            );
            None
        }
        Some(pod) => Some(Members::of(name, pod)?),
        None => None,
    };
    Ok(Renewal::Kubeadm(CertificatesOp { node: name.clone(), pods, members }, notes))
}

/// Whether `kubeadm certs renew` makes this one anew: no CA, and nothing of the kubelet's.
fn is_renewed(node: &NodeEvidence, path: &str) -> bool {
    let is_ca = node.certificates.items.iter().any(|found| found.path == path && found.is_ca.known() == Some(&true));
    let conf = path.starts_with("/etc/kubernetes/") && path.ends_with(".conf") && !path.ends_with("kubelet.conf");
    (path.starts_with(PKI) && !is_ca) || conf
}

/// Whether a certificate by which etcd is spoken to has ended.
fn ended(about: &About<'_>, node: &NodeEvidence) -> bool {
    let of_etcd = node.certificates.items.iter().filter(|found| found.path.starts_with("/etc/kubernetes/pki/etcd/"));
    of_etcd.filter_map(|found| found.not_after.known()).any(|end| *end < about.evidence.finished)
}

impl CertificatesOp {
    /// Keys without which nothing can be signed here.
    fn signers(&self) -> impl Iterator<Item = String> {
        let etcd = self.pods.iter().any(|(component, _)| component == "etcd").then_some("etcd/ca.key");
        ["ca.key", "front-proxy-ca.key"].into_iter().chain(etcd).map(|key| format!("{PKI}{key}"))
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = vec![Want::Tell(KUBEADM.to_owned()), Want::Tell(TIME.to_owned())];
        wants.extend(self.signers().map(Want::Stat));
        wants.extend(self.pods.iter().map(|(_, manifest)| Want::File(manifest.clone())));
        if let Some(members) = &self.members {
            wants.extend([Want::Tell(members.line().to_owned()), Want::Tell(etcd::CAN_KEEP.to_owned())]);
        }
        wants
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let node = &self.node;
        if fresh.told(KUBEADM).is_none() {
            return Err(Refusal::new(format!(
                "{node}: kubeadm is not there, or /etc/kubernetes/pki is not. Install the kubeadm of the cluster's version, then make \
                 the plan again"
            )));
        }
        let there = |path: &String| {
            fresh.file(path).is_some_and(|file| matches!(file.state, Some(crate::remedy::State::File { .. })))
        };
        if let Some(missing) = self.signers().find(|path| !there(path)) {
            return Err(Refusal::new(format!(
                "{node}: {missing} is not there, so the certificates are signed elsewhere. Have them renewed by who holds the key of \
                 that CA, put them into {PKI}, and restart the static pods one after the other"
            )));
        }
        let time = fresh
            .told(TIME)
            .map(str::trim)
            .filter(|time| time.len() == 16 && time.bytes().all(|b| b.is_ascii_alphanumeric()));
        let Some(time) = time else {
            return Err(Refusal::new(format!("{node}: its clock could not be read. Set it first")));
        };
        let copies = format!("{STATE}/certificates-{time}");
        let mut change = NodeChange { risk: Risk::Disruptive, within: WITHIN, ..NodeChange::default() };
        let manifests: Vec<String> = self.pods.iter().map(|(_, manifest)| quoted(manifest)).collect();
        change.activate.push(format!(
            "if [ -d {copies}/new ]; then certificates_from {copies}/new; else kubeadm certs renew all && certificates_to {copies}/new; fi"
        ));
        change.deactivate.push(format!("manifests_in {}", manifests.join(" ")));
        change.deactivate.push(format!("certificates_from {copies}/old"));
        let mut back = Vec::new();
        for (component, manifest) in &self.pods {
            let file = fresh.file(manifest).filter(|file| file.trouble.is_none() && file.path == *manifest);
            let Some(text) = file.and_then(|file| file.text()) else {
                return Err(Refusal::new(format!("{manifest} is not there as a plain file. Scan again")));
            };
            if let (Some(members), "etcd") = (&self.members, component.as_str()) {
                change.interrupts.push(members.well(fresh)?);
                change.validate.push(etcd::snapshot(manifest, text, fresh)?);
            }
            let conditions = serves(component, text);
            let name: String = component.chars().take(15).collect();
            let words: String = conditions.iter().map(|line| format!(" {}", quoted(line))).collect();
            let again = format!("pod_again {name} {} {SERVES}{words}", quoted(manifest));
            back.push(format!("{again} || true"));
            change.activate.push(again);
            if component == "kube-apiserver" {
                // Soon after the renewal each of them would be made to wait.
                change.deactivate.push(format!("no_back_off{words}"));
            }
            change.holds.extend(conditions.clone());
            change.restored.extend(conditions);
        }
        change.deactivate.extend(back);
        change.validate.push(Validate::Keep {
            what: "copies of /etc/kubernetes/pki and /etc/kubernetes/*.conf".to_owned(),
            at: copies,
            line: "if [ -d \"$KEPT\" ]; then certificates_are \"$KEPT/new\"; else mkdir -m 700 \"$KEPT\" && certificates_to \
                   \"$KEPT/old\"; fi"
                .to_owned(),
        });
        change.interrupts.push(
            "etcd, the API server, the controller manager and the scheduler of this node restart one after the other: for some minutes \
             its API does not answer now and then; running pods keep running"
                .to_owned(),
        );
        change.why.push(
            "pod_again stops a component's container (crictl stop), which the kubelet starts anew at once, and waits until the new one \
             serves: only then does a component read its new certificate. Where no container runs that could be stopped, its manifest \
             leaves the kubelet's folder until the old process has ended, and comes back by a rename. On the way back no_back_off \
             restarts the kubelet first, where the API server works: it forgets for how long it makes a component wait that ended before"
                .to_owned(),
        );
        Ok(change)
    }
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
