//! The evidence while it grows: many requests write into it, and what stands in it when the time is up is kept.

use super::slim::Item;
use super::wants::Want;
use crate::evidence::cluster::Denied;
use crate::evidence::{ClusterEvidence, Listing, ProbeError, Reason, Unread};
use crate::kubeapi::{ApiError, Listed};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes that one list may take in the document: as many as some hundred thousand bindings.
const LIST_BYTES: usize = 96 << 20;

/// Characters of a detail in which the reasons of several requests stand together.
const DETAIL: usize = 600;

/// Why a part was not read whole.
#[derive(Debug, Clone)]
struct Gap {
    reason: Reason,
    detail: String,
}

/// How a single fact came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is there.
    Yes,
    /// It was asked for and does not exist.
    No,
    /// It was not read.
    Unread,
}

/// The evidence, what is missing in it, and what is still being asked.
pub(super) struct Draft {
    pub(super) evidence: RefCell<ClusterEvidence>,
    gaps: RefCell<BTreeMap<&'static str, Vec<Gap>>>,
    /// Requests that have not ended, by their path.
    open: RefCell<Vec<&'static str>>,
    denied: RefCell<BTreeMap<&'static str, &'static str>>,
    /// Whether any request for what the cluster holds was answered.
    answered: Cell<bool>,
    /// The ConfigMap of the Arc agents.
    pub(super) arc_config: Cell<Found>,
    /// The API groups of the Arc agents.
    pub(super) arc_group: Cell<Found>,
}

impl Draft {
    pub(super) fn new(evidence: ClusterEvidence) -> Self {
        Draft {
            evidence: RefCell::new(evidence),
            gaps: RefCell::default(),
            open: RefCell::default(),
            denied: RefCell::default(),
            answered: Cell::new(false),
            arc_config: Cell::new(Found::Unread),
            arc_group: Cell::new(Found::Unread),
        }
    }

    /// Lets `change` write into the evidence.
    pub(super) fn write(&self, change: impl FnOnce(&mut ClusterEvidence)) {
        change(&mut self.evidence.borrow_mut());
    }

    /// Notes that something at this path will be asked.
    pub(super) fn begin(&self, path: &'static str) {
        self.open.borrow_mut().push(path);
    }

    /// Notes that it was asked to its end.
    pub(super) fn end(&self, path: &'static str) {
        let mut open = self.open.borrow_mut();
        if let Some(place) = open.iter().position(|one| *one == path) {
            open.swap_remove(place);
        }
    }

    /// Notes that the API answered a request for what the cluster holds.
    pub(super) fn answered(&self) {
        self.answered.set(true);
    }

    /// Notes why something is missing.
    pub(super) fn note(&self, path: &'static str, reason: Reason, detail: impl Into<String>) {
        self.gaps.borrow_mut().entry(path).or_default().push(Gap { reason, detail: detail.into() });
    }

    /// Whether everything that was asked for at this path came.
    pub(super) fn whole(&self, path: &str) -> bool {
        !self.gaps.borrow().contains_key(path) && !self.open.borrow().contains(&path)
    }

    /// Why something is missing at exactly this path. None: everything came.
    pub(super) fn why(&self, path: &str) -> Option<Reason> {
        let noted = self.gaps.borrow().get(path).and_then(|gaps| gaps.first().map(|gap| gap.reason));
        noted.or_else(|| (!self.whole(path)).then_some(Reason::Timeout))
    }

    /// Takes back what was noted at a path: it came by another way.
    pub(super) fn found(&self, path: &str) {
        self.gaps.borrow_mut().remove(path);
    }

    /// Notes that the caller may not read something, without a gap of its own.
    pub(super) fn deny(&self, want: &Want) {
        self.denied.borrow_mut().entry(want.words).or_insert(want.path);
    }

    /// Notes that the caller may not read something, and that it is missing therefore.
    pub(super) fn refused(&self, want: &Want) {
        self.deny(want);
        self.note(want.path, Reason::Forbidden, format!("this account may not {}", want.words));
    }

    /// Notes that a request failed.
    pub(super) fn failed(&self, want: &Want, error: &ApiError) {
        if is_forbidden(error) {
            self.refused(want);
        } else {
            self.note(want.path, error.reason, error.message.clone());
        }
    }

    /// Puts an item into a list as long as there is room for it.
    pub(super) fn keep<T: Item>(
        &self,
        item: T,
        count: &Count,
        into: fn(&mut ClusterEvidence) -> &mut Vec<T::Evidence>,
    ) {
        if !item.wanted() {
            return;
        }
        let Some(kept) = item.evidence() else {
            count.odd.set(count.odd.get() + 1);
            return;
        };
        let bytes = count.bytes.get() + weight(&kept);
        if bytes > LIST_BYTES {
            count.over.set(true);
            return;
        }
        count.bytes.set(bytes);
        into(&mut self.evidence.borrow_mut()).push(kept);
    }

    /// Notes how a list came out.
    pub(super) fn listed(&self, want: &Want, count: &Count, outcome: Result<Listed, ApiError>) {
        match outcome {
            // What the API server does not know at all there is none of. Where services lead stands elsewhere on one older
            // than 1.21, and is not read there.
            Err(error) if error.status == Some(404) && !["", "discovery.k8s.io"].contains(&want.group) => {}
            Err(error) => self.failed(want, &error),
            Ok(listed) => {
                self.answered();
                if let Some(gap) = listed.gap {
                    self.failed(want, &gap);
                }
            }
        }
        if count.odd.get() > 0 {
            let detail =
                format!("{} of the answers to `{}` lack what every such object has", count.odd.get(), want.words);
            self.note(want.path, Reason::Malformed, detail);
        }
        if count.over.get() {
            let detail = format!("the answers to `{}` take more room than this program gives them", want.words);
            self.note(want.path, Reason::TooLarge, detail);
        }
    }

    /// The evidence, with every list that was read whole marked so and a reason for everything else. `late`: the time was
    /// up before everything was asked.
    pub(super) fn finish(self, late: bool) -> ClusterEvidence {
        let mut evidence = self.evidence.into_inner();
        let mut gaps = self.gaps.into_inner();
        let open: BTreeSet<&'static str> = self.open.into_inner().into_iter().collect();
        for path in open.iter().filter(|path| !path.is_empty()) {
            let detail = "the time for reading the cluster was up: allow more with --timeout".to_owned();
            gaps.entry(path).or_default().push(Gap { reason: Reason::Timeout, detail });
        }
        evidence.complete = !late;
        let denied: Vec<Denied> = self
            .denied
            .into_inner()
            .into_iter()
            .map(|(name, path)| Denied { name: name.to_owned(), path: path.to_owned() })
            .collect();
        if !self.answered.get() {
            nothing_read(&mut evidence, &gaps, !denied.is_empty());
        }
        // What timed out or broke may have been refused in the end.
        let sure = |gap: &Gap| !matches!(gap.reason, Reason::Timeout | Reason::Unreachable);
        evidence.denied = Listing { items: denied, complete: gaps.values().flatten().all(sure) };
        if !evidence.denied.complete {
            let detail = "some requests came to no end, and may have been refused".to_owned();
            gaps.entry("denied").or_default().push(Gap { reason: Reason::Timeout, detail });
        }
        for (path, complete) in lists(&mut evidence) {
            *complete = !gaps.contains_key(path);
        }
        lists_not_read(&mut evidence, &gaps);
        sort(&mut evidence);
        for (path, gaps) in gaps {
            evidence.unread.push(together(path, &gaps));
        }
        evidence
    }
}

/// What was met while a list was read.
#[derive(Debug, Default)]
pub(super) struct Count {
    odd: Cell<usize>,
    bytes: Cell<usize>,
    over: Cell<bool>,
}

/// Whether the API server refused, rather than failed.
pub(super) fn is_forbidden(error: &ApiError) -> bool {
    error.status == Some(403)
}

/// Nothing of the cluster was read but its version and who we are: that is said of the cluster as a whole.
fn nothing_read(evidence: &mut ClusterEvidence, gaps: &BTreeMap<&'static str, Vec<Gap>>, refused: bool) {
    let (reason, message) = if refused {
        let why = "This account may read nothing of the cluster. Use one that may read nodes, pods and roles.";
        (Reason::Forbidden, why.to_owned())
    } else {
        let first = gaps.values().flatten().next().cloned();
        first.map_or((Reason::Malformed, "The API server answered nothing that could be read.".to_owned()), |gap| {
            (gap.reason, gap.detail)
        })
    };
    evidence.errors.push(ProbeError { reason, message: message.clone() });
    evidence.unread.push(Unread { path: String::new(), reason, detail: message });
}

/// A list of which a request was refused, came to no end or was cut: each list is a probe of its own, so that the reading as a whole
/// is not complete.
fn lists_not_read(evidence: &mut ClusterEvidence, gaps: &BTreeMap<&'static str, Vec<Gap>>) {
    let paths = lists(evidence).map(|(path, _)| path);
    let all = paths.iter().filter(|path| **path != "ready_checks").filter_map(|path| gaps.get(path)).flatten();
    let lost =
        |gap: &&Gap| matches!(gap.reason, Reason::Forbidden | Reason::Unreachable | Reason::Timeout | Reason::TooLarge);
    let lost: Vec<&Gap> = all.filter(lost).collect();
    let Some(first) = lost.first() else { return };
    evidence.complete = false;
    if !evidence.errors.is_empty() {
        return; // why has been said of the whole
    }
    let refused: Vec<&str> =
        evidence.denied.items.iter().filter_map(|denied| denied.name.strip_prefix("list ")).collect();
    let message = match first.reason {
        Reason::Forbidden => format!(
            "This account may not list {}: what these would show is unknown. Use one that may; README names a role that \
             is enough.",
            refused.join(", ")
        ),
        Reason::TooLarge => {
            format!(
                "Not every list came whole: {}. What the rest would show is unknown.",
                first.detail.trim_end_matches('.')
            )
        }
        _ => format!("Not every list came: {}. Scan again.", first.detail.trim_end_matches('.')),
    };
    evidence.errors.push(ProbeError { reason: first.reason, message });
}

/// Every list with its path.
fn lists(evidence: &mut ClusterEvidence) -> [(&'static str, &mut bool); 16] {
    [
        ("ready_checks", &mut evidence.ready_checks.complete),
        ("nodes", &mut evidence.nodes.complete),
        ("namespaces", &mut evidence.namespaces.complete),
        ("pods", &mut evidence.pods.complete),
        ("workloads", &mut evidence.workloads.complete),
        ("services", &mut evidence.services.complete),
        ("endpoint_slices", &mut evidence.endpoint_slices.complete),
        ("service_accounts", &mut evidence.service_accounts.complete),
        ("roles", &mut evidence.roles.complete),
        ("bindings", &mut evidence.bindings.complete),
        ("network_policies", &mut evidence.network_policies.complete),
        ("signing_requests", &mut evidence.signing_requests.complete),
        ("admission", &mut evidence.admission.complete),
        ("custom_resources", &mut evidence.custom_resources.complete),
        ("csi_drivers", &mut evidence.csi_drivers.complete),
        ("arc.extensions", &mut evidence.arc.extensions.complete),
    ]
}

/// Requests end in any order: lists that several of them fill are put into one.
fn sort(evidence: &mut ClusterEvidence) {
    evidence.workloads.items.sort_by(|a, b| a.name.cmp(&b.name));
    evidence.roles.items.sort_by(|a, b| a.name.cmp(&b.name));
    evidence.bindings.items.sort_by(|a, b| a.name.cmp(&b.name));
    evidence.admission.items.sort_by(|a, b| a.name.cmp(&b.name));
}

/// One gap of all that were noted at a path.
fn together(path: &str, gaps: &[Gap]) -> Unread {
    let mut said = BTreeSet::new();
    let details: Vec<&str> = gaps
        .iter()
        .map(|gap| gap.detail.as_str())
        .filter(|detail| !detail.is_empty() && said.insert(*detail))
        .collect();
    let mut detail = details.join("; ");
    if detail.chars().count() > DETAIL {
        detail = detail.chars().take(DETAIL).collect();
    }
    let reason = gaps.first().map_or(Reason::NotVisible, |gap| gap.reason);
    Unread { path: path.to_owned(), reason, detail }
}

/// Bytes of a value in the document.
fn weight(value: &impl serde::Serialize) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX / 2,
    }
}
