//! One node as a whole: how it was reached, as whom, what went wrong, what could not be read.

use super::{Line, Page, Tone, gaps, time};
use crate::evidence::cluster::KubeNode;
use crate::evidence::{Fact, NodeEvidence, Privilege};
use crate::site::Way;
use crate::tui::app::App;
use crate::tui::target::State;

/// The page of a node.
pub(in crate::tui) fn node(app: &App, name: &str, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let cluster = app.evidence.as_deref().and_then(|evidence| evidence.cluster.as_ref());
    let listed = |kubernetes: &str| cluster?.nodes.items.iter().find(|node| node.name == kubernetes);
    let Some(node) = app.node(name) else {
        match app.listed.iter().find(|listed| listed.name == name) {
            Some(known) => {
                page.say(Tone::Heading, &known.name);
                page.say(Tone::Plain, "The API alone shows it. Name it with --node, or add it on the first screen by SSH, to see what the API does not show.");
                if let Some(node) = listed(&known.kubernetes) {
                    api(&mut page, node);
                }
            }
            None => page.say(Tone::Plain, "There is no such node any more. Go back with Esc."),
        }
        return page.lines;
    };
    page.say(Tone::Heading, &node.name);
    let tone = if matches!(node.state, State::Failed(_)) { Tone::Trouble } else { Tone::Plain };
    page.say(tone, &format!("State: {}", node.state.word()));
    if let Some(why) = node.state.why() {
        page.say(tone, why);
    }
    if let Some(target) = &node.target {
        page.say(Tone::Plain, &format!("Way: {}", way(&target.way)));
    }
    if !node.warnings.is_empty() {
        page.heading("What to know about the way there");
        node.warnings.iter().for_each(|warning| page.indented(Tone::Plain, warning));
    }
    let document = app.evidence.as_ref();
    if let Some(seen) = document.and_then(|document| document.nodes.iter().find(|seen| seen.name == name)) {
        if seen.reached {
            evidence(&mut page, seen);
        }
        if let Some(node) = node.listed.as_deref().and_then(listed) {
            api(&mut page, node);
        }
        gaps(&mut page, &seen.errors, &seen.unread);
    } else if let Some(node) = node.listed.as_deref().and_then(listed) {
        api(&mut page, node);
    }
    page.lines
}

/// A way to a node, as a person writes it.
pub(in crate::tui) fn way(way: &Way) -> String {
    match way {
        Way::Local => "this machine".to_owned(),
        Way::Ssh { host, port, user, .. } => {
            let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("ssh {user}{host}{port}")
        }
    }
}

fn evidence(page: &mut Page, node: &NodeEvidence) {
    page.heading("What was seen");
    let line = |page: &mut Page, name: &str, value: &Fact<String>| match value {
        Fact::Known(value) => page.indented(Tone::Plain, &format!("{name}: {value}")),
        Fact::Absent => page.indented(Tone::Plain, &format!("{name}: does not exist")),
        Fact::Unread => page.indented(Tone::Plain, &format!("{name}: not read")),
    };
    page.indented(Tone::Plain, &format!("read by: {}", node.channel.as_str()));
    if let Some(login) = node.login.known() {
        let rights = match login.privilege {
            Privilege::Root => "with root's rights",
            Privilege::Sudo => "with sudo",
            Privilege::None => "without root's rights: what only root may read is unknown",
        };
        page.indented(Tone::Plain, &format!("as: {}, {rights}", login.user));
    }
    line(page, "host name", &node.identity.hostname);
    line(page, "system", &node.os.pretty_name);
    line(page, "kernel", &node.kernel.running);
    if let Some(clock) = node.clock.known() {
        page.indented(Tone::Plain, &format!("its clock then: {}", time(*clock)));
    }
}

/// What the API shows of a node.
fn api(page: &mut Page, node: &KubeNode) {
    page.heading("What the API shows");
    let line = |page: &mut Page, name: &str, value: &Fact<String>| {
        if let Fact::Known(value) = value {
            page.indented(Tone::Plain, &format!("{name}: {value}"));
        }
    };
    page.indented(Tone::Plain, &format!("name: {}", node.name));
    let addresses: Vec<String> =
        node.addresses.iter().take(20).map(|of| format!("{} ({})", of.address, of.kind)).collect();
    if !addresses.is_empty() {
        page.indented(Tone::Plain, &format!("addresses: {}", addresses.join(", ")));
    }
    line(page, "system", &node.os_image);
    line(page, "kernel", &node.kernel);
    line(page, "kubelet", &node.kubelet_version);
    line(page, "runtime", &node.container_runtime);
    if node.control_plane == Fact::Known(true) {
        page.indented(Tone::Plain, "part of the control plane");
    }
    if node.unschedulable == Fact::Known(true) {
        page.indented(Tone::Plain, "cordoned: takes no new pods");
    }
    for condition in node.conditions.iter().take(20) {
        page.indented(Tone::Plain, &format!("{}: {}", condition.kind, condition.status));
    }
}
