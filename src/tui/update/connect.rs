//! Coming to evidence: the start, the first screen, its forms, a document that was loaded.

use super::super::app::{App, Choice, Form, Screen, Source};
use super::super::keys::{Action, Key, Place};
use super::super::list::Cursor;
use super::super::msg::Effect;
use super::super::target::{self, Cluster, Node, State};
use super::super::theme::Theme;
use super::super::{Start, demo, views};
use super::reading::{self, Wanted};
use super::remedy;
use crate::evidence::Evidence;
use crate::site::{ClusterTarget, NodeTarget, Way};
use crate::visit::ClusterVisit;
use crossterm::event::KeyCode;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// The screens at the start, and what is to be done once the first of them is drawn.
pub fn open(mut start: Start, size: (u16, u16), theme: Theme) -> (App, Vec<Effect>) {
    let mut choices = match start.contexts {
        Ok(contexts) => contexts.into_iter().map(Choice::Context).collect(),
        Err(why) => vec![Choice::Broken(why)],
    };
    if cfg!(unix) {
        choices.push(Choice::Local);
    }
    choices.extend([Choice::Ssh, Choice::File, Choice::Demo]);
    let targets = std::mem::take(&mut start.visit.targets);
    let cluster = start.visit.cluster.take();
    let mut app = App {
        size,
        theme,
        visit: start.visit,
        usual: start.usual,
        catalog: Arc::new(start.catalog),
        source: Source::Nothing,
        choices,
        cluster: None,
        nodes: Vec::new(),
        listed: Vec::new(),
        ports: None,
        evidence: None,
        assessment: None,
        groups: Vec::new(),
        screens: vec![Screen::Overview(Cursor::default())],
        asked: VecDeque::new(),
        consent: None,
        armed: start.allow_changes,
        allowed: start.allow_changes,
        chosen: start.choices,
        marks: BTreeSet::new(),
        work: None,
        works: 0,
        confirm: None,
        arming: None,
        leaving: None,
        journal: None,
        trouble: None,
        notice: None,
        run: 0,
        serial: 0,
        assessing: false,
        stale: false,
        changed: true,
    };
    let effects = match start.evidence {
        Some(evidence) => show(&mut app, evidence, if start.demo { Source::Demo } else { Source::Saved(None) }),
        None if start.named || cluster.is_some() || !targets.is_empty() => add(&mut app, cluster, targets),
        None => {
            app.screens = vec![Screen::Connect(Cursor::default())];
            Vec::new()
        }
    };
    (app, effects)
}

/// A key on the first screen or in a form.
pub(super) fn act(app: &mut App, place: Place, action: Action, pressed: Key) -> Vec<Effect> {
    match (place, action) {
        (Place::Connect, Action::Move(step)) => {
            let rows = app.choices.len();
            let seen = views::connect_rows(app);
            if let Some(Screen::Connect(cursor)) = app.screens.last_mut() {
                cursor.step(step, rows, seen);
            }
            Vec::new()
        }
        (Place::Connect, Action::Number) => match pressed.code {
            KeyCode::Char(digit) => {
                let index = digit.to_digit(10).and_then(|digit| (digit as usize).checked_sub(1));
                choose(app, index.and_then(|index| app.choices.get(index)).cloned())
            }
            _ => Vec::new(),
        },
        (Place::Connect, Action::Open) => {
            let chosen = match app.screen() {
                Some(Screen::Connect(cursor)) => app.choices.get(cursor.at).cloned(),
                _ => None,
            };
            choose(app, chosen)
        }
        (Place::Form, Action::Next) => go(app, 1),
        (Place::Form, Action::Previous) => go(app, -1),
        (Place::Form, Action::Open) => submit(app),
        (Place::Form, Action::Back) => {
            app.screens.pop();
            Vec::new()
        }
        _ => {
            app.changed = false;
            Vec::new()
        }
    }
}

fn choose(app: &mut App, choice: Option<Choice>) -> Vec<Effect> {
    match choice {
        Some(Choice::Context(context)) => {
            let target = ClusterTarget { context: Some(context.name), ..app.usual.target.clone() };
            add(app, Some(ClusterVisit { target, ..app.usual.clone() }), Vec::new())
        }
        Some(Choice::Broken(why)) => {
            app.trouble = Some(why);
            Vec::new()
        }
        Some(Choice::Local) => {
            let host = app.visit.seat.host.clone();
            let name = if host.is_empty() || host == "unknown" { "local".to_owned() } else { host };
            add(app, None, vec![NodeTarget::new(name, Way::Local)])
        }
        Some(Choice::Ssh) => {
            app.screens.push(Screen::Form(Form { fields: vec![String::new(); 2], ..Form::default() }));
            Vec::new()
        }
        Some(Choice::File) => {
            app.screens.push(Screen::Form(Form { file: true, fields: vec![String::new()], ..Form::default() }));
            Vec::new()
        }
        Some(Choice::Demo) => match demo::evidence() {
            Ok(evidence) => show(app, evidence, Source::Demo),
            Err(error) => {
                app.trouble = Some(format!("The demo site in this program cannot be read: {error}."));
                Vec::new()
            }
        },
        None => {
            app.changed = false;
            Vec::new()
        }
    }
}

fn go(app: &mut App, by: isize) -> Vec<Effect> {
    if let Some(Screen::Form(form)) = app.screens.last_mut() {
        form.at = form.at.saturating_add_signed(by).min(form.fields.len().saturating_sub(1));
    }
    Vec::new()
}

fn submit(app: &mut App) -> Vec<Effect> {
    let Some(Screen::Form(form)) = app.screens.last_mut() else { return Vec::new() };
    if form.busy {
        return Vec::new();
    }
    if form.at + 1 < form.fields.len() {
        form.at += 1;
        return Vec::new();
    }
    let field = |index: usize| form.fields.get(index).map_or("", |text| text.trim()).to_owned();
    if form.file {
        let path = field(0);
        if path.is_empty() {
            form.wrong = Some("Give the path of a file that `sitewarden collect -o FILE` wrote.".to_owned());
            return Vec::new();
        }
        form.busy = true;
        return vec![Effect::Load(PathBuf::from(path))];
    }
    match field(0).parse::<NodeTarget>() {
        Ok(mut target) => {
            let key = field(1);
            if let (Way::Ssh { identity, .. }, false) = (&mut target.way, key.is_empty()) {
                *identity = Some(PathBuf::from(key));
            }
            app.screens.pop();
            add(app, None, vec![target])
        }
        Err(error) => {
            let why = error.why;
            form.at = 0;
            form.wrong = Some(format!("That is no node: {why}. Write [USER@]HOST[:PORT], like root@10.0.0.4:22."));
            Vec::new()
        }
    }
}

/// A document was loaded, or not.
pub(super) fn loaded(app: &mut App, path: PathBuf, result: Result<Box<Evidence>, String>) -> Vec<Effect> {
    let Some(Screen::Form(form)) = app.screens.last_mut() else {
        app.changed = false;
        return Vec::new();
    };
    if !form.busy {
        app.changed = false;
        return Vec::new();
    }
    form.busy = false;
    match result {
        Ok(evidence) => {
            app.screens.pop();
            show(app, *evidence, Source::Saved(Some(path)))
        }
        Err(sentence) => {
            form.wrong = Some(sentence);
            Vec::new()
        }
    }
}

/// Shows a document instead of what was shown before.
pub(super) fn show(app: &mut App, evidence: Evidence, source: Source) -> Vec<Effect> {
    forget(app, source);
    app.nodes = evidence
        .nodes
        .iter()
        .map(|node| Node {
            name: node.name.clone(),
            target: None,
            state: reading::state(node),
            run: 0,
            warnings: Vec::new(),
            listed: None,
        })
        .collect();
    (app.cluster, app.ports) = target::of_document(&evidence);
    app.evidence = Some(Arc::new(evidence));
    to_overview(app);
    reading::assess(app)
}

/// Adds a cluster or nodes to the site and reads them. A site has one cluster: another one is another site.
fn add(app: &mut App, cluster: Option<ClusterVisit>, targets: Vec<NodeTarget>) -> Vec<Effect> {
    let known = app.cluster.as_ref().and_then(|known| known.visit.as_ref());
    let another = matches!((known, &cluster), (Some(known), Some(new)) if known.target != new.target);
    if app.source != Source::Live || another {
        forget(app, Source::Live);
    }
    let wanted = Wanted {
        nodes: targets.iter().map(|target| target.name.clone()).collect(),
        cluster: cluster.is_some(),
        ports: true,
    };
    let unread = || State::Failed("It has not been read yet.".to_owned());
    if let (Some(visit), None) = (cluster, &app.cluster) {
        app.cluster = Some(Cluster { visit: Some(visit), state: unread(), step: String::new(), run: 0 });
    }
    for target in targets {
        match app.nodes.iter_mut().find(|node| node.name == target.name) {
            Some(node) => node.target = Some(target),
            None => app.nodes.push(Node {
                name: target.name.clone(),
                target: Some(target),
                state: unread(),
                run: 0,
                warnings: Vec::new(),
                listed: None,
            }),
        }
    }
    to_overview(app);
    reading::read(app, &wanted)
}

fn forget(app: &mut App, source: Source) {
    app.source = source;
    app.cluster = None;
    app.nodes.clear();
    app.listed.clear();
    app.ports = None;
    app.evidence = None;
    app.assessment = None;
    app.groups.clear();
    // What is still being assessed is of another site.
    app.serial += u64::from(std::mem::take(&mut app.assessing));
    app.stale = false;
    remedy::forget(app);
}

fn to_overview(app: &mut App) {
    app.screens.retain(|screen| matches!(screen, Screen::Connect(_)));
    app.screens.push(Screen::Overview(Cursor::default()));
}
