//! The cluster as a whole: which it is, as whom its API was asked, what may not be read and what could not.

use super::{Line, Page, Tone, gaps, time};
use crate::evidence::cluster::{ArcIdentity, ClusterVersion};
use crate::evidence::{ClusterEvidence, Fact, Listing, Reason, Unread};
use crate::tui::app::App;
use crate::tui::target::State;
use crate::visit::azure_commands;

/// The page of the cluster.
pub(in crate::tui) fn cluster(app: &App, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let Some(known) = &app.cluster else {
        page.say(Tone::Plain, "There is no cluster any more. Go back with Esc.");
        return page.lines;
    };
    page.say(Tone::Heading, &format!("Cluster {}", app.cluster_name().unwrap_or("")));
    let tone = if matches!(known.state, State::Failed(_)) { Tone::Trouble } else { Tone::Plain };
    let step = if known.step.is_empty() { String::new() } else { format!(", {}", known.step) };
    page.say(tone, &format!("State: {}{step}", known.state.word()));
    if let Some(why) = known.state.why() {
        page.say(tone, why);
    }
    let Some(seen) = app.evidence.as_deref().and_then(|evidence| evidence.cluster.as_ref()) else {
        return page.lines;
    };
    way(&mut page, seen);
    identity(&mut page, app, seen);
    if seen.reached {
        counts(&mut page, seen);
        denied(&mut page, seen);
        azure(&mut page, app, seen);
    }
    // What nobody asked Azure has a heading of its own, where there is an Azure resource at all.
    let of_azure = |gap: &&Unread| gap.path.starts_with("azure.") && gap.reason == Reason::NotVisible;
    let unread: Vec<Unread> = seen.unread.iter().filter(|gap| !of_azure(gap)).cloned().collect();
    gaps(&mut page, &seen.errors, &unread);
    page.lines
}

/// A fact in one line.
fn line(page: &mut Page, name: &str, fact: &Fact<String>) {
    match fact {
        Fact::Known(value) => page.indented(Tone::Plain, &format!("{name}: {value}")),
        Fact::Absent => page.indented(Tone::Plain, &format!("{name}: does not exist")),
        Fact::Unread => page.indented(Tone::Plain, &format!("{name}: not read")),
    }
}

fn way(page: &mut Page, seen: &ClusterEvidence) {
    page.heading("The way there");
    line(page, "API server", &seen.server);
    if seen.verified == Fact::Known(false) {
        let told =
            "whoever answers there is believed: the kubeconfig has its certificate not checked, or speaks plain HTTP";
        page.say(Tone::Trouble, told);
    }
    if let Fact::Known(proxy) = &seen.proxy {
        let told = format!("through: {proxy}, which ends the TLS: its certificate is the one that is seen");
        page.indented(Tone::Plain, &told);
    }
    if let Fact::Known(ClusterVersion { git, platform }) = &seen.version {
        let platform = platform.known().map(|platform| format!(", {platform}")).unwrap_or_default();
        page.indented(Tone::Plain, &format!("version: {git}{platform}"));
    }
    match &seen.caller {
        Fact::Known(caller) => {
            let how = if caller.how.is_empty() { String::new() } else { format!(", by {}", caller.how) };
            page.indented(Tone::Plain, &format!("as: {}{how}", caller.user));
            if !caller.groups.is_empty() {
                page.indented(Tone::Plain, &format!("of the groups: {}", caller.groups.join(", ")));
            }
        }
        Fact::Absent | Fact::Unread => page.indented(Tone::Plain, "as: not known; the API does not tell"),
    }
    if let Fact::Known(clock) = &seen.clock {
        page.indented(Tone::Plain, &format!("its clock then: {}", time(*clock)));
    }
}

fn identity(page: &mut Page, app: &App, seen: &ClusterEvidence) {
    page.heading("Which site it is");
    line(page, "uid of kube-system", &seen.uid);
    let assessed = app.assessment.as_deref();
    let platform = match (&seen.platform_said, assessed.and_then(|assessment| assessment.platform.as_deref())) {
        (Some(said), _) => format!("{said}, as the site file says"),
        (None, Some(id)) => id.to_owned(),
        (None, None) => "not recognised".to_owned(),
    };
    page.indented(Tone::Plain, &format!("platform: {platform}"));
    let reasons = assessed.and_then(|assessment| assessment.cluster.as_ref()).map(|cluster| &cluster.platform_reasons);
    for reason in reasons.into_iter().flatten().filter(|_| seen.platform_said.is_none()) {
        page.indented(Tone::Plain, &format!("  by: {reason}"));
    }
    match seen.arc.connected {
        Fact::Known(true) => page.indented(Tone::Plain, "Azure Arc: connected"),
        Fact::Known(false) | Fact::Absent => page.indented(Tone::Plain, "Azure Arc: not connected"),
        Fact::Unread => page.indented(Tone::Plain, "Azure Arc: not read"),
    }
    if seen.arc.connected == Fact::Known(true) {
        let ArcIdentity { resource_id, subscription, resource_group, name, region } = &seen.arc.identity;
        for (word, fact) in [
            ("Arc resource", resource_id),
            ("name", name),
            ("resource group", resource_group),
            ("subscription", subscription),
            ("region", region),
            ("agents' version", &seen.arc.agent_version),
        ] {
            line(page, word, fact);
        }
    }
}

fn counts(page: &mut Page, seen: &ClusterEvidence) {
    fn count<T>(listing: &Listing<T>) -> (usize, bool) {
        (listing.items.len(), listing.complete)
    }
    page.heading("What was counted");
    let counted = [
        ("nodes", count(&seen.nodes)),
        ("namespaces", count(&seen.namespaces)),
        ("pods", count(&seen.pods)),
        ("workloads", count(&seen.workloads)),
        ("services that nodes open", count(&seen.services)),
        ("service accounts", count(&seen.service_accounts)),
        ("roles", count(&seen.roles)),
        ("bindings", count(&seen.bindings)),
        ("network policies", count(&seen.network_policies)),
        ("signing requests", count(&seen.signing_requests)),
        ("admission configurations", count(&seen.admission)),
        ("Arc extensions", count(&seen.arc.extensions)),
    ];
    for (name, (items, complete)) in counted {
        let told = match (items, complete) {
            (0, false) => format!("{name}: not read"),
            (items, false) => format!("{name}: {items}, not all of them"),
            (items, true) => format!("{name}: {items}"),
        };
        page.indented(Tone::Plain, &told);
    }
}

fn denied(page: &mut Page, seen: &ClusterEvidence) {
    let denied = &seen.denied;
    if denied.items.is_empty() {
        if denied.complete {
            page.heading("Nothing that is asked for is refused to this user");
        }
        return;
    }
    page.heading(&format!("What this user may not read ({})", denied.items.len()));
    for refused in &denied.items {
        page.indented(Tone::Plain, &refused.name);
    }
    page.say(Tone::Plain, "What rests on these is unknown. A role that may read them is in README.");
}

/// What Azure would say, and how to ask it.
fn azure(page: &mut Page, app: &App, seen: &ClusterEvidence) {
    let commands = azure_commands(seen);
    if commands.is_empty() {
        return;
    }
    page.heading("What Azure itself says is not known");
    let here = if app.live() { "Press a to run these here, or run" } else { "Run" };
    page.say(
        Tone::Plain,
        &format!("{here} them where you are logged in to az and give what they print with --azure-json FILE:"),
    );
    commands.iter().for_each(|command| page.indented(Tone::Plain, command));
}
