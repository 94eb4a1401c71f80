//! The ports, one line each: what is open from this seat, how it speaks TLS, until when its certificate counts.

use super::{Line, Page, Tone};
use crate::evidence::{EndpointEvidence, Fact, PortState};
use crate::tui::app::App;
use crate::tui::target::State;
use crate::tui::text::{columns, fit};

/// From this width on, a port takes one line.
const WIDE: usize = 72;

/// The page of the ports.
pub(in crate::tui) fn ports(app: &App, width: u16) -> Vec<Line> {
    let mut page = Page::new(width);
    let Some(known) = &app.ports else {
        page.say(Tone::Plain, "No port was looked at. Go back with Esc.");
        return page.lines;
    };
    let tone = if matches!(known.state, State::Failed(_)) { Tone::Trouble } else { Tone::Plain };
    page.say(tone, &format!("State: {}", known.state.word()));
    if let Some(why) = known.state.why() {
        page.say(tone, why);
    }
    let seat = app.evidence.as_ref().map_or(&app.visit.seat, |evidence| &evidence.seat);
    page.say(Tone::Plain, &format!("As they look from {}; from elsewhere they may look otherwise.", seat.host));
    let seen = app.evidence.as_ref().and_then(|evidence| evidence.endpoints.as_deref()).unwrap_or_default();
    if !seen.is_empty() {
        page.heading(&format!("Ports ({})", seen.len()));
        table(&mut page, seen);
    }
    let answered: Vec<_> = seen.iter().filter(|port| served(port).is_some()).collect();
    if !answered.is_empty() {
        page.heading("What answered without credentials");
        for port in answered {
            page.indented(Tone::Plain, &format!("{}: {}", port.name, served(port).unwrap_or_default()));
        }
    }
    let unread = seen.iter().filter_map(|port| port.unread.first().map(|gap| (port, gap)));
    let unread: Vec<_> = unread.filter(|(_, gap)| !gap.detail.is_empty()).collect();
    if !unread.is_empty() {
        page.heading("What could not be told, and why");
        for (port, gap) in unread {
            page.indented(Tone::Plain, &format!("{} ({}): {}", port.name, gap.reason, gap.detail));
        }
    }
    page.lines
}

fn table(page: &mut Page, seen: &[EndpointEvidence]) {
    if page.width < WIDE {
        for port in seen {
            page.say(Tone::Plain, &format!("{} {}", port.name, port.service));
            page.indented(Tone::Plain, &format!("{} {} {}", state(port), tls(port), expiry(port)));
        }
        return;
    }
    let room = seen.iter().map(|port| columns(&port.name)).max().unwrap_or(0).clamp(9, page.width - 53);
    let row = |name: &str, service: &str, state: &str, tls: &str, until: &str| {
        let name = fit(name, room);
        let gap = " ".repeat(room - columns(&name));
        let text = format!("{name}{gap} {service:<23} {state:<8} {tls:<8} {until}");
        Line { text: text.trim_end().to_owned(), tone: Tone::Plain }
    };
    page.lines.push(row("HOST:PORT", "SERVICE", "STATE", "TLS", "UNTIL"));
    for port in seen {
        page.lines.push(row(&port.name, &port.service, state(port), &tls(port), &expiry(port)));
    }
}

fn state(port: &EndpointEvidence) -> &'static str {
    match port.state {
        Fact::Known(PortState::Open) => "open",
        Fact::Known(PortState::Closed) => "closed",
        Fact::Known(PortState::Filtered) => "filtered",
        Fact::Absent | Fact::Unread => "unknown",
    }
}

/// The versions that are accepted: `1.2 1.3`.
fn tls(port: &EndpointEvidence) -> String {
    if port.tls.spoken == Fact::Known(false) {
        return "none".to_owned();
    }
    let accepted = port.tls.versions.items.iter().filter(|offer| offer.accepted == Fact::Known(true));
    let versions: Vec<&str> =
        accepted.map(|offer| offer.name.strip_prefix("TLSv").unwrap_or(offer.name.as_str())).collect();
    versions.join(" ")
}

/// The day on which the server's certificate ends.
fn expiry(port: &EndpointEvidence) -> String {
    let own = port.tls.chain.items.first();
    let ends = own.and_then(|certificate| certificate.not_after.known());
    ends.map(|end| end.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// What was served to nobody in particular.
fn served(port: &EndpointEvidence) -> Option<String> {
    let asked = port.anonymous.known().filter(|asked| asked.served == Fact::Known(true))?;
    let status = asked.status.known().map(|status| format!(" ({status})")).unwrap_or_default();
    Some(format!("{} was answered{status}", asked.request))
}
