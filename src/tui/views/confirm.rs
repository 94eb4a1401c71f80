//! The questions before a change, drawn over the screens.

use super::dialog::{paint, width};
use super::pen::Pen;
use super::question_fits;
use crate::tui::app::{App, Typing};
use crate::tui::text::{fit, wrap};
use crate::tui::update::left_behind;
use ratatui::layout::Rect;

/// A box with what must be read, and the line that is typed in. Nobody answers what could not be read whole.
fn ask(pen: &mut Pen<'_>, app: &App, title: &str, told: &[String], input: &str, body: Rect) {
    let room = usize::from(width(body).saturating_sub(4));
    if !question_fits(app.size) {
        let lines = wrap(&format!("{title} Make the terminal at least 40x12 to answer. Esc: no."), room);
        paint(pen, title, &lines, None, body);
        return;
    }
    let most = usize::from(body.height).saturating_sub(3);
    let mut lines: Vec<String> = told.iter().flat_map(|text| wrap(text, room)).collect();
    lines.truncate(most);
    paint(pen, title, &lines, Some(input), body);
}

/// The line that is typed in; the end of a long text is seen.
fn input(typing: &Typing, otherwise: &str, body: Rect) -> String {
    let ask = typing.hint.unwrap_or(otherwise);
    let room = usize::from(width(body).saturating_sub(6)).saturating_sub(ask.len());
    format!("{ask} {}_", super::chrome::tail(&typing.typed, room))
}

/// May this plan be run?
pub(super) fn confirm(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let (Some(asked), Some(plan)) = (&app.confirm, app.shown_plan()) else { return };
    let room = usize::from(width(body).saturating_sub(4));
    let name = fit(&format!("{}: {}", plan.plan().target, plan.plan().title), room).into_owned();
    let cancel = "[ Cancel ] has the focus: Esc, Enter.".to_owned();
    let how = format!("To change it: type {}, then press Ctrl-X.", asked.typing.wanted);
    let mut told = vec![name.clone(), format!("Risk: {}", plan.risk_in_words())];
    if let Some(change) = plan.change().filter(|change| change.delay > 0) {
        told.push(format!("Without a proof within {} seconds the old state comes back.", change.delay));
    }
    told.extend([String::new(), cancel.clone(), how.clone()]);
    // Where there is no room for all of it, how to answer is never what is missing.
    if told.iter().map(|text| wrap(text, room).len()).sum::<usize>() + 3 > usize::from(body.height) {
        told = vec![name, format!("Risk: {}", plan.risk().as_str()), cancel, how];
    }
    ask(pen, app, "Change it?", &told, &input(&asked.typing, "Type it:", body), body);
}

/// May changes be made?
pub(super) fn arming(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let Some(typing) = &app.arming else { return };
    let told = [
        "Until now this program only reads. If changes are allowed, each is still shown first and asked for by itself."
            .to_owned(),
        String::new(),
        "To allow them, type this name:".to_owned(),
        format!("  {}", typing.wanted),
    ];
    ask(pen, app, "Allow changes?", &told, &input(typing, "Name, or Esc for no:", body), body);
}

/// Is the program to be left in the middle of a change?
pub(super) fn leaving(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let (Some(typing), Some(work)) = (&app.leaving, &app.work) else { return };
    let told = [left_behind(work)];
    ask(pen, app, "Quit now?", &told, &input(typing, "Type yes to quit, or press Esc to stay:", body), body);
}
