//! The requests, all of them: what is asked, and where each answer goes.

use super::access::{self, Rules};
use super::draft::{Count, Draft};
use super::slim::Item;
use super::slim::admission::{Mutating, Policy as AdmissionPolicy, Validating};
use super::slim::basic::{Account, Exists};
use super::slim::binding::SlimBinding;
use super::slim::configz::ProxyConfigMap;
use super::slim::csr::Request;
use super::slim::endpoint_slice::Slice;
use super::slim::names::Named;
use super::slim::namespace::{SlimNamespace, WithUid};
use super::slim::network_policy::Policy as NetworkPolicy;
use super::slim::node::Node;
use super::slim::pod::SlimPod;
use super::slim::role::SlimRole;
use super::slim::service::SlimService;
use super::slim::version::Version;
use super::slim::workload::{DaemonSet, Deployment, StatefulSet};
use super::together::{Job, together};
use super::wants::{self, Want};
use super::{Tell, arc, kubelets, ready};
use crate::evidence::cluster::ConfigMapText;
use crate::evidence::{ClusterEvidence, Fact, Reason};
use crate::kubeapi::{Api, ApiError};
use crate::probe::{redact, yaml};
use std::cell::RefCell;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// Everything that a request needs.
pub(super) struct Reader<'r> {
    pub(super) api: &'r Api,
    pub(super) draft: &'r Draft,
    pub(super) tell: &'r Tell<'r>,
    /// What we may read, as the API server says.
    pub(super) rules: Rules,
}

/// Where the items of a list stand in the evidence.
type Place<E> = fn(&mut ClusterEvidence) -> &mut Vec<E>;

/// Asks for the version and for who we are. Gives what we may, or the error with which the API server did not know us.
pub(super) async fn greet(api: &Api, draft: &Draft) -> Result<Rules, ApiError> {
    let (version, who, rules) = (RefCell::new(None), RefCell::new(None), RefCell::new(None));
    let jobs: Vec<Job<'_>> = vec![
        Box::pin(async { *version.borrow_mut() = Some(api.get::<Version>("/version").await) }),
        Box::pin(async { *who.borrow_mut() = Some(access::who(api, draft).await) }),
        Box::pin(async { *rules.borrow_mut() = Some(access::rules(api).await) }),
    ];
    together(jobs, 3).await;
    let (version, who, rules) = (version.into_inner(), who.into_inner(), rules.into_inner());
    let (Some(version), Some(who), Some(rules)) = (version, who, rules) else { return Ok(Rules::default()) };
    let errors = || [version.as_ref().err(), who.as_ref().err(), rules.as_ref().err()].into_iter().flatten();
    if let Some(unknown) = errors().find(|error| error.status == Some(401)) {
        return Err(unknown.clone());
    }
    // Whoever is refused is known; whoever gets no answer at all, or none of an API server, has not reached one.
    let refused = |error: &ApiError| error.status == Some(403);
    let heard = version.is_ok() || who.is_ok() && rules.is_ok() || errors().any(refused);
    if !heard && let Some(error) = errors().next() {
        return Err(error.clone());
    }
    match version.as_ref().map(Version::evidence) {
        Ok(Some(version)) => draft.write(|evidence| evidence.version = Fact::Known(version)),
        Ok(None) => draft.note("version", Reason::Malformed, "the answer of /version names no version"),
        Err(error) => draft.note("version", error.reason, error.message.clone()),
    }
    Ok(rules.unwrap_or_default())
}

impl Reader<'_> {
    /// Reads everything that the caller may read.
    pub(super) async fn read(&self) {
        // The longest come first, so that the short ones pass beside them.
        let jobs: Vec<Job<'_>> = vec![
            self.task(&["pods"], self.list::<SlimPod>(&wants::PODS, |e| &mut e.pods.items)),
            self.task(&["nodes"], self.nodes()),
            self.task(&["bindings"], self.list::<SlimBinding>(&wants::BINDINGS, |e| &mut e.bindings.items)),
            self.task(&["bindings"], self.list::<SlimBinding>(&wants::CLUSTER_BINDINGS, |e| &mut e.bindings.items)),
            self.task(&["roles"], self.list::<SlimRole>(&wants::CLUSTER_ROLES, |e| &mut e.roles.items)),
            self.task(&["roles"], self.list::<SlimRole>(&wants::ROLES, |e| &mut e.roles.items)),
            self.task(&["custom_resources"], self.crds()),
            self.task(&["service_accounts"], self.list::<Account>(&wants::ACCOUNTS, |e| &mut e.service_accounts.items)),
            self.task(&["namespaces", "uid"], self.namespaces()),
            self.task(&["arc.identity", "arc.auto_upgrade", "arc.agent_version"], arc::config(self.api, self.draft)),
            self.task(&["arc.extensions"], arc::extensions(self.api, self.draft, &self.rules)),
            self.task(&["arc.identity.resource_id"], arc::connected(self.api, self.draft)),
            self.task(&["workloads"], self.list::<Deployment>(&wants::DEPLOYMENTS, |e| &mut e.workloads.items)),
            self.task(&["workloads"], self.list::<DaemonSet>(&wants::DAEMON_SETS, |e| &mut e.workloads.items)),
            self.task(&["workloads"], self.list::<StatefulSet>(&wants::STATEFUL_SETS, |e| &mut e.workloads.items)),
            self.task(&["services"], self.list::<SlimService>(&wants::SERVICES, |e| &mut e.services.items)),
            self.task(&["endpoint_slices"], self.list::<Slice>(&wants::SLICES, |e| &mut e.endpoint_slices.items)),
            self.task(
                &["network_policies"],
                self.list::<NetworkPolicy>(&wants::NETWORK_POLICIES, |e| &mut e.network_policies.items),
            ),
            self.task(
                &["signing_requests"],
                self.list::<Request>(&wants::SIGNING_REQUESTS, |e| &mut e.signing_requests.items),
            ),
            self.task(&["admission"], self.list::<Validating>(&wants::VALIDATING, |e| &mut e.admission.items)),
            self.task(&["admission"], self.list::<Mutating>(&wants::MUTATING, |e| &mut e.admission.items)),
            self.task(&["admission"], self.list::<AdmissionPolicy>(&wants::POLICIES, |e| &mut e.admission.items)),
            self.task(&["csi_drivers"], self.list::<Named>(&wants::CSI_DRIVERS, |e| &mut e.csi_drivers.items)),
            self.task(&["ready_checks"], ready::read(self.api, self.draft)),
            self.task(&["kube_proxy_config"], self.kube_proxy()),
            self.task(&["kubeadm_config"], self.exists(&wants::KUBEADM, |e| &mut e.kubeadm_config)),
            self.task(&["aksedge_config"], self.exists(&wants::AKSEDGE, |e| &mut e.aksedge_config)),
        ];
        together(jobs, AT_ONCE).await;
    }

    /// A job whose paths count as being asked until it ends.
    fn task<'t>(&'t self, paths: &'static [&'static str], job: impl Future<Output = ()> + 't) -> Job<'t> {
        paths.iter().for_each(|path| self.draft.begin(path));
        Box::pin(async move {
            job.await;
            paths.iter().for_each(|path| self.draft.end(path));
        })
    }

    /// Reads a list into its place, unless it is known that we may not.
    async fn list<T: Item>(&self, want: &Want, into: Place<T::Evidence>) {
        if self.rules.denies(want) {
            self.draft.refused(want);
            return;
        }
        self.say(want);
        let count = Count::default();
        let mut each = |item: T| self.draft.keep(item, &count, into);
        let outcome = self.api.list(want.url, &mut each).await;
        self.draft.listed(want, &count, outcome);
    }

    /// `reading pods`.
    fn say(&self, want: &Want) {
        let what = want.words.strip_prefix("list ").unwrap_or(want.words);
        (self.tell)(&format!("reading {what}"));
    }

    async fn nodes(&self) {
        self.list::<Node>(&wants::NODES, |evidence| &mut evidence.nodes.items).await;
        kubelets::read(self.api, self.draft, self.rules.denies(&wants::CONFIGZ)).await;
    }

    /// CustomResourceDefinitions are large and asked for by their metadata alone.
    async fn crds(&self) {
        let want = &wants::CRDS;
        if self.rules.denies(want) {
            self.draft.refused(want);
            return;
        }
        self.say(want);
        let count = Count::default();
        let mut each = |item: Named| self.draft.keep(item, &count, |evidence| &mut evidence.custom_resources.items);
        let outcome = self.api.list_metadata(want.url, &mut each).await;
        self.draft.listed(want, &count, outcome);
    }

    /// Namespaces; the uid of `kube-system` is the cluster's identity.
    async fn namespaces(&self) {
        self.list::<SlimNamespace>(&wants::NAMESPACES, |evidence| &mut evidence.namespaces.items).await;
        match self.api.get::<WithUid>(wants::KUBE_SYSTEM.url).await {
            Ok(namespace) => {
                self.draft.answered();
                match namespace.uid() {
                    Some(uid) => self.draft.write(|evidence| evidence.uid = Fact::Known(uid)),
                    None => self.draft.note("uid", Reason::Malformed, "the namespace kube-system has no uid"),
                }
            }
            Err(error) => self.draft.failed(&wants::KUBE_SYSTEM, &error),
        }
    }

    async fn exists(&self, want: &Want, into: fn(&mut ClusterEvidence) -> &mut Fact<bool>) {
        match self.api.get::<Exists>(want.url).await {
            Ok(_) => {
                self.draft.answered();
                self.draft.write(|evidence| *into(evidence) = Fact::Known(true));
            }
            Err(error) if error.status == Some(404) => {
                self.draft.write(|evidence| *into(evidence) = Fact::Known(false));
            }
            Err(error) => self.draft.failed(want, &error),
        }
    }

    async fn kube_proxy(&self) {
        match self.api.get::<ProxyConfigMap>(wants::KUBE_PROXY.url).await {
            Ok(map) => {
                self.draft.answered();
                self.draft.write(|evidence| evidence.kube_proxy_config = Fact::Known(proxy_config(map)));
            }
            Err(error) if error.status == Some(404) => {
                self.draft.write(|evidence| evidence.kube_proxy_config = Fact::Absent);
            }
            Err(error) => self.draft.failed(&wants::KUBE_PROXY, &error),
        }
    }
}

/// kube-proxy's configuration out of its ConfigMap.
pub(super) fn proxy_config(map: ProxyConfigMap) -> ConfigMapText {
    let name = "ConfigMap kube-system/kube-proxy, key config.conf".to_owned();
    let changed = map.changed();
    let (document, unread) = match map.config().map(|text| yaml::parse(text.as_bytes())) {
        // kube-proxy may be started with flags alone.
        None => (Fact::Absent, None),
        Some(Ok(mut document)) if document.is_object() => {
            redact::document(&mut document);
            (Fact::Known(document), None)
        }
        Some(Ok(_)) => (Fact::Unread, Some(Reason::Malformed)),
        Some(Err(reason)) => (Fact::Unread, Some(reason)),
    };
    ConfigMapText { name, document, changed, unread }
}
