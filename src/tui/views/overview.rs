//! The overview: the four sections with their counts, then the targets with their state.

use super::pen::Pen;
use crate::assess::Verdict;
use crate::catalog::Section;
use crate::evidence::PortState;
use crate::tui::app::{App, Source};
use crate::tui::doc::{time, way};
use crate::tui::list::Cursor;
use crate::tui::rows::{self, Counts};
use crate::tui::target::{Entry, State};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// From this width on, counts stand in columns under words.
const WIDE: u16 = 72;

/// What the columns of counts take.
const COUNTS: u16 = 29;

/// Where the parts stand.
struct Layout {
    source: Option<u16>,
    site: Option<u16>,
    unfinished: Option<u16>,
    sections: u16,
    targets: u16,
    rows: usize,
}

/// Whether there is no room for headings: sections and targets are then one list.
fn compact(body: Rect) -> bool {
    body.height < 8
}

fn layout(app: &App, body: Rect) -> Layout {
    let source = (body.height >= 10).then_some(body.y);
    let gap = u16::from(body.height >= 14);
    let site = (gap > 0 && app.cluster.is_some()).then_some(body.y + 1);
    let mut above = u16::from(source.is_some()) + u16::from(site.is_some());
    let unfinished = (source.is_some() && !app.unfinished().is_empty()).then_some(body.y + above);
    above += u16::from(unfinished.is_some());
    let sections = body.y + above + if above > 0 { gap } else { 0 };
    let targets = sections + 1 + 4 + gap;
    Layout { source, site, unfinished, sections, targets, rows: usize::from(body.bottom().saturating_sub(targets + 1)) }
}

/// How many targets are seen at once.
pub(super) fn targets_seen(app: &App, body: Rect) -> usize {
    if compact(body) { usize::from(body.height) } else { layout(app, body).rows }
}

pub(super) fn draw(pen: &mut Pen<'_>, app: &App, cursor: Cursor, body: Rect) {
    let sections = Section::ALL.len();
    if compact(body) {
        let seen = usize::from(body.height);
        let all = sections + app.entries();
        let top = cursor.at.saturating_sub(seen / 2).min(all.saturating_sub(seen));
        for (index, y) in (top..all).zip(body.y..body.bottom()) {
            let area = Rect { y, height: 1, ..body };
            match Section::ALL.get(index) {
                Some(section) => draw_section(pen, app, *section, index, index == cursor.at, area),
                None => draw_entry(pen, app, index - sections, index == cursor.at, area),
            }
        }
        return;
    }
    let layout = layout(app, body);
    let row = |y| Rect { y, height: 1, ..body };
    if let Some(y) = layout.source {
        pen.text(body.x, y, body.width, &source(app), Style::new());
    }
    if let Some(y) = layout.site {
        pen.text(body.x, y, body.width, &site(app), Style::new());
    }
    if let (Some(y), Some(told)) = (layout.unfinished, super::journal::unfinished(app)) {
        pen.text(body.x, y, body.width, &told, pen.theme.trouble());
    }
    pen.heading(row(layout.sections), "Sections");
    let columns = if body.width >= WIDE { " fail unkn  man pass  checked" } else { " F fail U unknown P pass" };
    pen.right(row(layout.sections), columns, Style::new());
    for (index, section) in Section::ALL.into_iter().enumerate() {
        let y = layout.sections + 1 + u16::try_from(index).unwrap_or(0);
        draw_section(pen, app, section, index, index == cursor.at, row(y));
    }
    let all = app.entries();
    let what = if all == app.nodes.len() { "Nodes" } else { "Targets" };
    pen.heading(row(layout.targets), &format!("{what}: {} of {all} done", app.done()));
    for (index, y) in (cursor.top..all).zip(layout.targets + 1..body.bottom()) {
        draw_entry(pen, app, index, index + sections == cursor.at, row(y));
    }
}

/// Which site this is, and on which platform.
fn site(app: &App) -> String {
    let identity = match app.identity() {
        Some(identity) => identity.in_words(),
        None => "not known yet; its cluster's API tells".to_owned(),
    };
    let platform = app.assessment.as_ref().and_then(|assessment| assessment.platform.as_deref());
    let platform = platform.map(|id| format!(", platform {id}")).unwrap_or_default();
    format!("Site: {identity}{platform}")
}

/// Where what is shown comes from, and for when it was assessed.
fn source(app: &App) -> String {
    let assessed = app.assessment.as_ref().map(|assessment| format!(", assessed as of {}", time(assessment.as_of)));
    let assessed = assessed.unwrap_or_default();
    let collected = app
        .evidence
        .as_ref()
        .map_or(String::new(), |evidence| format!("Collected {} by {}", time(evidence.finished), evidence.seat.user));
    match &app.source {
        Source::Nothing => String::new(),
        Source::Live => format!("Read from {} as {}{assessed}", app.visit.seat.host, app.visit.seat.user),
        Source::Saved(Some(path)) => format!("{collected}{assessed}, {}", path.display()),
        Source::Saved(None) => format!("{collected}{assessed}"),
        Source::Demo => format!("A made-up site to learn with{assessed}"),
    }
}

fn draw_section(pen: &mut Pen<'_>, app: &App, section: Section, index: usize, selected: bool, area: Rect) {
    let counts = rows::count(&app.groups, section);
    let base = if selected { pen.theme.selected() } else { Style::new() };
    let mark = if selected { ">" } else { " " };
    let name = format!("{mark} {} {}", index + 1, section.title());
    let wide = area.width >= WIDE;
    let text = match (app.assessment.is_some(), wide) {
        (false, true) => " nothing assessed yet".to_owned(),
        (false, false) => " not yet".to_owned(),
        (true, true) => String::new(),
        (true, false) => format!(" F{} U{} M{} P{}", counts.fail, counts.unknown, counts.manual, counts.pass),
    };
    let counted = if text.is_empty() { COUNTS } else { u16::try_from(text.len()).unwrap_or(COUNTS) };
    pen.text(area.x, area.y, area.width.saturating_sub(counted), &name, base);
    let right = Rect { x: area.right().saturating_sub(counted), width: counted.min(area.width), ..area };
    if text.is_empty() {
        columns(pen, counts, right);
    } else {
        let failing = !wide && counts.fail > 0;
        pen.right(right, &text, if failing { pen.theme.trouble() } else { Style::new() });
    }
    pen.style(area, base);
}

/// The counts under their words.
fn columns(pen: &mut Pen<'_>, counts: Counts, right: Rect) {
    let columns = [
        (counts.fail, Verdict::Fail),
        (counts.unknown, Verdict::Unknown),
        (counts.manual, Verdict::Manual),
        (counts.pass, Verdict::Pass),
    ];
    for (at, (count, verdict)) in (0u16..).zip(columns) {
        let style = if count > 0 { pen.theme.verdict(verdict) } else { Style::new() };
        pen.right(Rect { x: right.x + at * 5, width: 5, ..right }, &count.to_string(), style);
    }
    pen.right(right, &format!("{}/{}", counts.checked(), counts.applicable()), Style::new());
}

/// One target: its name, its state, and the way to it or why it is not read.
fn draw_entry(pen: &mut Pen<'_>, app: &App, index: usize, selected: bool, area: Rect) {
    let Some(entry) = app.entry(index) else { return };
    let (name, state, more) = match entry {
        Entry::Cluster(cluster) => {
            let name = app.cluster_name().unwrap_or("").to_owned();
            let more = if cluster.step.is_empty() { name } else { format!("{name}: {}", cluster.step) };
            ("cluster", Some(&cluster.state), more)
        }
        Entry::Node(node) => {
            let way = node.target.as_ref().map(|target| way(&target.way)).unwrap_or_default();
            let api = if node.listed.is_some() { if way.is_empty() { "api" } else { ", api" } } else { "" };
            (node.name.as_str(), Some(&node.state), format!("{way}{api}"))
        }
        Entry::Listed(listed) => (listed.name.as_str(), None, "api alone".to_owned()),
        Entry::Ports(ports) => ("endpoints", Some(&ports.state), ports_in_words(app, ports.asked)),
    };
    let more = state.and_then(State::why).unwrap_or(&more);
    let base = if selected { pen.theme.selected() } else { Style::new() };
    let mark = if selected { ">" } else { " " };
    let room = if area.width >= WIDE { 24 } else { 13 };
    pen.text(area.x, area.y, room + 2, &format!("{mark} {name}"), base);
    let failed = matches!(state, Some(State::Failed(_)));
    let style = if failed { pen.theme.trouble() } else { Style::new() };
    pen.text(area.x + room + 3, area.y, 10, state.map_or("read", State::word), style);
    let x = area.x + room + 14;
    pen.text(x, area.y, area.width.saturating_sub(x), more, Style::new());
    pen.style(area, base);
}

/// How many ports, and how they stand.
fn ports_in_words(app: &App, asked: usize) -> String {
    let Some(seen) = app.evidence.as_ref().and_then(|evidence| evidence.endpoints.as_ref()) else {
        return if asked == 0 { "once the others are read".to_owned() } else { format!("{asked} ports") };
    };
    let count = |state| seen.iter().filter(|port| port.state.known() == Some(&state)).count();
    let (open, closed) = (count(PortState::Open), count(PortState::Closed));
    format!("{} ports: {open} open, {closed} closed, {} unclear", seen.len(), seen.len() - open - closed)
}
