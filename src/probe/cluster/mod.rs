//! The cluster, asked through its API. `wants` says what is asked, `read` asks, `slim/` understands the answers, `draft`
//! gathers them so that what was read when the time is up is kept.

mod access;
mod arc;
mod components;
mod draft;
mod kubelets;
mod read;
mod ready;
mod slim;
mod together;
mod wants;

use crate::evidence::{ClusterEvidence, Fact, ProbeError, Reason, Unread};
use crate::kubeapi::{Api, ApiError, ApiLimits};
use crate::probe::azure;
use crate::site::ClusterTarget;
use draft::Draft;
use read::Reader;
use std::time::Duration;

/// What the person hears while a cluster is read: `connecting`, `reading pods`.
pub type Tell<'t> = dyn Fn(&str) + Send + Sync + 't;

/// For reading the whole cluster: so many times the time that one request has.
const OVERALL: u32 = 20;

/// Reads a cluster. Never fails: what could not be read is in the evidence, with its reason. Ends within the time to
/// connect and twenty times the time of one request; see [`collect_within`].
pub async fn collect(target: &ClusterTarget, limits: ApiLimits, tell: &Tell<'_>) -> ClusterEvidence {
    collect_within(target, limits, limits.request.saturating_mul(OVERALL), tell).await
}

/// Reads a cluster within a time, which begins when the API is connected. What was read until it is up is kept, the
/// evidence says that it is not complete, and what was not read has the reason `timeout`.
pub async fn collect_within(
    target: &ClusterTarget,
    limits: ApiLimits,
    whole: Duration,
    tell: &Tell<'_>,
) -> ClusterEvidence {
    tell("connecting");
    let api = match Api::connect(target, limits).await {
        Ok(api) => api,
        Err(error) => return lost(target.context.as_deref().unwrap_or_default(), &error, target),
    };
    let draft = Draft::new(begun(&api, target));
    let reading = async {
        let rules = read::greet(&api, &draft).await?;
        draft.write(|evidence| evidence.reached = true);
        let denied = access::denied(&rules);
        if !denied.is_empty() {
            let words: Vec<&str> = denied.iter().map(|want| want.words).collect();
            tell(&format!("this account may not {}: what they would show is unknown", words.join(", ")));
            denied.into_iter().for_each(|want| draft.deny(want));
        }
        Reader { api: &api, draft: &draft, tell, rules }.read().await;
        Ok(())
    };
    let outcome = tokio::time::timeout(whole, reading).await;
    match outcome {
        Ok(Err(error)) => {
            let mut evidence = lost(api.context(), &error, target);
            let begun = begun(&api, target);
            (evidence.server, evidence.proxy, evidence.clock) = (begun.server, begun.proxy, begun.clock);
            evidence
        }
        Ok(Ok(())) => finish(&api, draft, false),
        Err(_) if !draft.evidence.borrow().reached => {
            let message = "The API server did not answer in time: look whether it is up, or allow more with --timeout.";
            let error = ApiError { reason: Reason::Timeout, message: message.to_owned(), status: None };
            lost(api.context(), &error, target)
        }
        Err(_) => finish(&api, draft, true),
    }
}

/// What is known before anything was read.
fn begun(api: &Api, target: &ClusterTarget) -> ClusterEvidence {
    // Nobody stands between this program and this machine; how what is there checks the API server is not seen.
    let hidden = api.is_unverified() && api.is_on_this_machine();
    let why = "what answers is on this machine, a proxy or a tunnel, and how it checks the API server is not seen";
    let unread = hidden.then(|| Unread { path: "verified".into(), reason: Reason::NotVisible, detail: why.into() });
    ClusterEvidence {
        context: api.context().to_owned(),
        server: Fact::Known(api.server().to_owned()),
        clock: api.clock().map_or(Fact::Unread, Fact::Known),
        verified: if hidden { Fact::Unread } else { Fact::Known(!api.is_unverified()) },
        unread: unread.into_iter().collect(),
        proxy: api.proxy().map_or(Fact::Absent, |name| Fact::Known(name.to_owned())),
        platform_said: target.platform.clone(),
        ..ClusterEvidence::default()
    }
}

/// A cluster that did not answer us as somebody whom it knows.
fn lost(context: &str, error: &ApiError, target: &ClusterTarget) -> ClusterEvidence {
    let mut evidence = ClusterEvidence::unread(context, error.reason, &error.message);
    evidence.platform_said.clone_from(&target.platform);
    azure::not_asked(&mut evidence);
    evidence
}

/// Draws what follows from all answers together.
fn finish(api: &Api, draft: Draft, late: bool) -> ClusterEvidence {
    arc::conclude(&draft);
    let nodes_complete = draft.whole("nodes");
    if late {
        let message = "The time for reading the cluster was up before everything was read: allow more with --timeout.";
        let error = ProbeError { reason: Reason::Timeout, message: message.to_owned() };
        draft.write(|evidence| evidence.errors.push(error));
    }
    let mut evidence = draft.finish(late);
    if evidence.clock.is_unread()
        && let Some(clock) = api.clock()
    {
        evidence.clock = Fact::Known(clock);
    }
    components::settle(&mut evidence, nodes_complete);
    azure::not_asked(&mut evidence);
    evidence
}
