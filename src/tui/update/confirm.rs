//! The questions before a change: are changes allowed, may this plan run, may the program be left meanwhile. Nothing but
//! what is typed in full answers them, and Enter alone changes nothing.

use super::super::app::{App, Confirming, Source, Typing};
use super::super::keys::Action;
use super::super::msg::Effect;
use super::super::views;
use super::super::work::{Phase, Work};
use super::remedy;
use crate::remedy::{Answer, confirm};

/// Allows changes, after a question; or no more.
pub(super) fn arm(app: &mut App) -> Vec<Effect> {
    let why = match app.source {
        Source::Live => None,
        Source::Nothing => Some("Choose first what to look at."),
        Source::Saved(_) => {
            Some("This is saved evidence: there is nothing here that could be changed. Start with --node.")
        }
        Source::Demo => Some("The demo site is made up: there is nothing that could be changed."),
    };
    if let Some(why) = why {
        app.notice = Some(why.to_owned());
    } else if std::mem::take(&mut app.armed) {
        // What runs already goes on.
        app.notice = Some("Read-only again: nothing more is changed.".to_owned());
    } else {
        match app.to_arm().map(str::to_owned) {
            Some(wanted) => app.arming = Some(Typing { wanted, ..Typing::default() }),
            None => app.notice = Some("Choose first what to look at.".to_owned()),
        }
    }
    Vec::new()
}

/// A key in the question whether changes are allowed.
pub(super) fn arming(app: &mut App, action: Action) -> Vec<Effect> {
    let readable = views::question_fits(app.size);
    let Some(typing) = &mut app.arming else { return Vec::new() };
    match action {
        Action::Back => app.arming = None,
        Action::Open if readable && typing.typed == typing.wanted => {
            app.arming = None;
            app.armed = true;
            app.notice = Some("Changes are allowed. Each is shown and asked for. A: read-only again.".to_owned());
        }
        Action::Open if readable => typing.hint = Some("That is not the name. Type it, or Esc:"),
        _ => {}
    }
    Vec::new()
}

/// Asks whether the plan that is shown may be run.
pub(super) fn propose(app: &mut App) -> Vec<Effect> {
    let why = match (app.shown_plan(), app.armed) {
        (None, _) => Some("There is no plan here that waits to be run."),
        (Some(plan), _) if !plan.can_run() => Some("These are steps for a person: this program does not run them."),
        (Some(_), false) => Some("Only reading now. Press A to allow changes."),
        (Some(_), true) => None,
    };
    if let Some(why) = why {
        app.notice = Some(why.to_owned());
        return Vec::new();
    }
    if let Some(plan) = app.shown_plan() {
        let wanted = plan.to_be_typed().unwrap_or("yes").to_owned();
        let digest = plan.digest().to_owned();
        app.confirm = Some(Confirming { digest, typing: Typing { wanted, ..Typing::default() } });
    }
    Vec::new()
}

/// A key in that question.
pub(super) fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let readable = views::question_fits(app.size);
    let Some(asked) = &mut app.confirm else { return Vec::new() };
    match action {
        Action::Back => app.confirm = None,
        // Cancel has the focus; what was typed is not thrown away by a habit.
        Action::Open if asked.typing.typed.is_empty() => {
            app.confirm = None;
            app.notice = Some("Cancelled: nothing was changed.".to_owned());
        }
        Action::Open => asked.typing.hint = Some("Enter changes nothing. Ctrl-X does it:"),
        Action::Confirm if readable => return confirmed(app),
        _ => {}
    }
    Vec::new()
}

/// Every way in is shut but this one: the plan that is shown, the digest that was asked about, the exact words.
fn confirmed(app: &mut App) -> Vec<Effect> {
    let armed = app.armed && app.live();
    let (Some(asked), Some(plan)) = (&app.confirm, app.shown_plan()) else { return Vec::new() };
    let Typing { wanted, typed, .. } = &asked.typing;
    let answer = Answer { shown: asked.digest.clone(), armed, yes: typed == wanted, typed: typed.clone() };
    let right = answer.yes;
    match (right, confirm(plan.clone(), &answer)) {
        (true, Ok(confirmed)) => {
            app.confirm = None;
            remedy::run(app, confirmed)
        }
        (false, _) => {
            if let Some(asked) = &mut app.confirm {
                asked.typing.hint = Some("That is not it. Type it, then Ctrl-X:");
            }
            Vec::new()
        }
        (true, Err(refusal)) => {
            app.confirm = None;
            app.notice = Some(refusal.0);
            Vec::new()
        }
    }
}

/// A key that came together with others, in a place where one alone may change something.
pub(super) fn together(app: &mut App, action: Action) -> bool {
    match action {
        Action::Confirm => {
            if let Some(asked) = &mut app.confirm {
                asked.typing.hint = Some("It came with other keys. Ctrl-X again:");
            }
            true
        }
        Action::Run => {
            app.notice = Some("It came together with other keys and was left out. Press x again.".to_owned());
            true
        }
        _ => false,
    }
}

/// Whether the program may be left at once. While something is changed it asks first; asked twice, it goes.
pub(super) fn may_leave(app: &mut App) -> bool {
    let running = app.work.as_ref().is_some_and(|work| matches!(work.phase, Phase::Running(_)));
    if !running || app.leaving.is_some() {
        return true;
    }
    app.leaving = Some(Typing { wanted: "yes".to_owned(), ..Typing::default() });
    false
}

/// A key in the question whether to leave.
pub(super) fn leaving(app: &mut App, action: Action) -> Vec<Effect> {
    let Some(typing) = &mut app.leaving else { return Vec::new() };
    match action {
        Action::Back => app.leaving = None,
        Action::Open if typing.typed.trim() == typing.wanted => return vec![Effect::Quit(0)],
        Action::Open => typing.hint = Some("Type yes to quit, or Esc:"),
        _ => {}
    }
    Vec::new()
}

/// Whether a change runs that the person is leaving behind: what becomes of it, for the question.
pub(in crate::tui) fn left_behind(work: &Work) -> String {
    let Phase::Running(change) = &work.phase else { return String::new() };
    let node = work.node().unwrap_or(&work.target);
    if change.prepared.change().is_some_and(|change| change.delay > 0) {
        format!(
            "{node} is being changed. If you quit before a second login has proved that you can still get in, the node \
             puts the old state back by itself. The journal stays without an end then: start again as now, and press J and u"
        )
    } else {
        format!(
            "{node} is being changed. If you quit now, the node finishes it without this program, and the journal stays \
             without an end: start again as now, and press J and u"
        )
    }
}
