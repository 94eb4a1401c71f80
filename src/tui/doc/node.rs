//! One node as a whole: how it was reached, as whom, what went wrong, what could not be read.

use super::{Line, Page, Tone, time};
use crate::evidence::{Fact, NodeEvidence, Privilege};
use crate::site::Way;
use crate::tui::app::{App, NodeState};

/// The page of a node.
pub(in crate::tui) fn node(app: &App, name: &str, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let Some(node) = app.node(name) else {
        page.say(Tone::Plain, "There is no such node any more. Go back with Esc.");
        return page.lines;
    };
    page.say(Tone::Heading, &node.name);
    let tone = if matches!(node.state, NodeState::Failed(_)) { Tone::Trouble } else { Tone::Plain };
    page.say(tone, &format!("State: {}", node.state.word()));
    if let NodeState::Failed(why) | NodeState::Partly(why) = &node.state {
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
        gaps(&mut page, seen);
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

/// What went wrong beyond what its state says, and what could not be read.
fn gaps(page: &mut Page, node: &NodeEvidence) {
    if node.errors.len() > 1 {
        page.heading("What else went wrong");
        for error in node.errors.iter().skip(1) {
            page.indented(Tone::Plain, &format!("{}: {}", error.reason, error.message));
        }
    }
    let unread: Vec<_> = node.unread.iter().filter(|gap| !gap.path.is_empty()).collect();
    if !unread.is_empty() {
        page.heading(&format!("What could not be read ({})", unread.len()));
        for gap in unread.iter().take(500) {
            let detail = if gap.detail.is_empty() { String::new() } else { format!(": {}", gap.detail) };
            page.indented(Tone::Plain, &format!("{} ({}){detail}", gap.path, gap.reason));
        }
    }
}
