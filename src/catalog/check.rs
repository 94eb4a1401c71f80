//! What must hold of a control before it may judge anything.

use super::expression::{Expression, Names};
use super::paths::shape_at;
use super::shape::{ROOTS, Shape};
use super::{Control, EmptyMeans, Scope};

/// A control's conditions, compiled.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// `when`.
    pub when: Option<Expression>,
    /// `where`.
    pub where_: Option<Expression>,
    /// `expect`.
    pub expect: Option<Expression>,
}

/// One thing that is wrong: the key at which it stands, and what to write.
type Wrong = (&'static str, String);

/// Checks a control and compiles its conditions; must run under [`super::expression::with_stack`].
pub(super) fn check(control: &Control) -> Result<Conditions, Vec<Wrong>> {
    let mut wrong = words(control);
    wrong.extend(control.remedy.as_ref().and_then(|remedy| remedy.problem()).map(|what| ("remedy", what)));
    let mut names: Names<'_> = Names::new();
    for root in roots(control.scope) {
        names.insert(root, ROOTS.get(root).cloned().unwrap_or(Shape::Free));
    }
    let compile = |key: &'static str, source: &Option<String>, names: &Names<'_>, wrong: &mut Vec<Wrong>| {
        let source = source.as_ref()?;
        match Expression::compile(source, names) {
            Ok(expression) => Some(expression),
            Err(errors) => {
                let mut told: Vec<String> = Vec::new();
                for error in errors {
                    if !told.contains(&error) {
                        told.push(error);
                    }
                }
                wrong.extend(told.into_iter().map(|error| (key, format!("`{key}`: {error}"))));
                None
            }
        }
    };
    let when = compile("when", &control.when, &names, &mut wrong);
    match &control.each {
        Some(path) => match shape_at(path, &names) {
            Ok(Shape::List(item)) => {
                names.insert("item", (*item).clone());
            }
            Ok(Shape::Free) => {
                names.insert("item", Shape::Free);
            }
            Ok(_) => {
                wrong.push(("each", format!("`each`: `{path}` is not a list: name one")));
                names.insert("item", Shape::Free);
            }
            Err(error) => {
                wrong.push(("each", format!("`each`: {error}")));
                names.insert("item", Shape::Free);
            }
        },
        None if control.where_.is_some() => {
            wrong.push(("where", "`where` narrows `each`: write `each: <path of a list>`, or use `when`".to_owned()));
            names.insert("item", Shape::Free);
        }
        None => {}
    }
    let where_ = compile("where", &control.where_, &names, &mut wrong);
    let expect = compile("expect", &control.expect, &names, &mut wrong);
    for path in &control.shows {
        if let Err(error) = shape_at(path, &names) {
            wrong.push(("shows", format!("`shows`: {error}")));
        }
    }
    if wrong.is_empty() { Ok(Conditions { when, where_, expect }) } else { Err(wrong) }
}

/// What conditions of a scope may start from.
fn roots(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Site => &["site", "policy"],
        Scope::Node => &["node", "cluster", "site", "policy"],
        Scope::Cluster => &["cluster", "site", "policy"],
        Scope::Endpoint => &["endpoint", "cluster", "site", "policy"],
    }
}

/// The words of a control, and which keys go together.
fn words(control: &Control) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let id = &control.id;
    let kebab = !id.is_empty()
        && id.len() <= 80
        && id
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if !kebab {
        wrong.push((
            "id",
            "`id` is lower-case words joined by single hyphens: write for example `kubelet-read-only-port`".into(),
        ));
    }
    for (key, text) in [("title", &control.title), ("why", &control.why), ("fix", &control.fix)] {
        if text.trim().is_empty() {
            wrong.push((key, format!("`{key}` is empty: write it for the person at the console")));
        }
    }
    if control.title.contains('\n') {
        wrong.push(("title", "`title` is one line".to_owned()));
    }
    for (key, text) in [("ask", &control.ask), ("otherwise", &control.otherwise)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            wrong.push((key, format!("`{key}` is empty: write it, or leave the key out")));
        }
    }
    match (&control.expect, &control.ask) {
        (Some(_), Some(_)) => {
            wrong.push(("ask", "`ask` is for what no probe can tell: leave out either `ask` or `expect`".to_owned()));
        }
        (None, None) => {
            wrong.push(("id", "write `expect` (a condition), or `ask` (what a person is to look at)".to_owned()));
        }
        _ => {}
    }
    if control.expect.is_none() {
        for (key, there) in [("each", control.each.is_some()), ("where", control.where_.is_some())] {
            if there {
                wrong.push((key, format!("`{key}` needs `expect`: write one, or leave `{key}` out")));
            }
        }
    }
    if control.otherwise.is_some() && control.when.is_none() && control.each.is_none() {
        wrong.push(("otherwise", "`otherwise` says why `when` is false: write `when`, or leave it out".to_owned()));
    }
    if control.empty == EmptyMeans::Pass && control.each.is_none() {
        wrong.push(("empty", "`empty` is about the list of `each`: write `each`, or leave it out".to_owned()));
    }
    wrong
}
