//! The overview: the four sections with their counts, then the nodes with their state.

use super::pen::Pen;
use crate::assess::Verdict;
use crate::catalog::Section;
use crate::tui::app::{App, Node, NodeState, Source};
use crate::tui::doc::{time, way};
use crate::tui::list::Cursor;
use crate::tui::rows::{self, Counts};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// From this width on, counts stand in columns under words.
const WIDE: u16 = 72;

/// What the columns of counts take.
const COUNTS: u16 = 29;

/// Where the parts stand.
struct Layout {
    source: Option<u16>,
    sections: u16,
    nodes: u16,
    rows: usize,
}

/// Whether there is no room for headings: sections and nodes are then one list.
fn compact(body: Rect) -> bool {
    body.height < 8
}

fn layout(body: Rect) -> Layout {
    let source = (body.height >= 10).then_some(body.y);
    let gap = u16::from(body.height >= 14);
    let sections = body.y + if source.is_some() { 1 + gap } else { 0 };
    let nodes = sections + 1 + 4 + gap;
    Layout { source, sections, nodes, rows: usize::from(body.bottom().saturating_sub(nodes + 1)) }
}

/// How many nodes are seen at once.
pub(super) fn nodes_seen(body: Rect) -> usize {
    if compact(body) { usize::from(body.height) } else { layout(body).rows }
}

pub(super) fn draw(pen: &mut Pen<'_>, app: &App, cursor: Cursor, body: Rect) {
    let sections = Section::ALL.len();
    if compact(body) {
        let seen = usize::from(body.height);
        let all = sections + app.nodes.len();
        let top = cursor.at.saturating_sub(seen / 2).min(all.saturating_sub(seen));
        for (index, y) in (top..all).zip(body.y..body.bottom()) {
            let area = Rect { y, height: 1, ..body };
            match Section::ALL.get(index) {
                Some(section) => draw_section(pen, app, *section, index, index == cursor.at, area),
                None => {
                    if let Some(node) = app.nodes.get(index - sections) {
                        draw_node(pen, node, index == cursor.at, area);
                    }
                }
            }
        }
        return;
    }
    let layout = layout(body);
    let row = |y| Rect { y, height: 1, ..body };
    if let Some(y) = layout.source {
        pen.text(body.x, y, body.width, &source(app), Style::new());
    }
    pen.heading(row(layout.sections), "Sections");
    let columns = if body.width >= WIDE { " fail unkn  man pass  checked" } else { " F fail U unknown P pass" };
    pen.right(row(layout.sections), columns, Style::new());
    for (index, section) in Section::ALL.into_iter().enumerate() {
        let y = layout.sections + 1 + u16::try_from(index).unwrap_or(0);
        draw_section(pen, app, section, index, index == cursor.at, row(y));
    }
    let (reading, waiting) = app.under_way();
    let done = app.nodes.len().saturating_sub(reading + waiting);
    pen.heading(row(layout.nodes), &format!("Nodes: {done} of {} done", app.nodes.len()));
    let nodes = app.nodes.iter().enumerate().skip(cursor.top).take(layout.rows);
    for ((index, node), y) in nodes.zip(layout.nodes + 1..body.bottom()) {
        draw_node(pen, node, index + sections == cursor.at, row(y));
    }
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

fn draw_node(pen: &mut Pen<'_>, node: &Node, selected: bool, area: Rect) {
    let base = if selected { pen.theme.selected() } else { Style::new() };
    let mark = if selected { ">" } else { " " };
    let name = if area.width >= WIDE { 24 } else { 13 };
    pen.text(area.x, area.y, name + 2, &format!("{mark} {}", node.name), base);
    let style = if matches!(node.state, NodeState::Failed(_)) { pen.theme.trouble() } else { Style::new() };
    pen.text(area.x + name + 3, area.y, 10, node.state.word(), style);
    let more = match (&node.state, &node.target) {
        (NodeState::Failed(why) | NodeState::Partly(why), _) => why.clone(),
        (_, Some(target)) => way(&target.way),
        (_, None) => String::new(),
    };
    let x = area.x + name + 14;
    pen.text(x, area.y, area.width.saturating_sub(x), &more, Style::new());
    pen.style(area, base);
}
