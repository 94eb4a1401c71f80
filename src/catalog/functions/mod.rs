//! The functions that conditions may call: one table for the check at load, for the documentation and for evaluation.

mod compare;
mod lists;
mod network;
mod text;
mod time;
mod version;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::functions::Function;
use cel::common::types::{CelBool, CelString, DYN_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{Context, Env, ExecutionError, Value};
use std::sync::{Arc, LazyLock};

use super::paths::near;

/// Name under which the time of the assessment is bound, in seconds since 1970. No condition can spell it.
pub(crate) const NOW: &str = "@now";
/// Name of the function that gives back a list of which everything was read, and raises for any other.
pub(crate) const WHOLE: &str = "@whole";
/// Name of the function that goes down from a value by all names of a path at once: `node.kubelet.version` is it, of
/// `node` and the bytes `kubelet.version`.
pub(crate) const AT: &str = "@at";
/// Name of the function that stands for `==`.
pub(crate) const SAME: &str = "@same";
/// Name of the function that stands for `in`.
pub(crate) const AMONG: &str = "@among";
/// Name of the function that stands for `in ["a", "b"]`: its second argument is one text of them all.
pub(crate) const ONE_OF: &str = "@one_of";
/// What stands between the texts of [`ONE_OF`].
pub(crate) const BETWEEN: char = '\u{1f}';
/// `function` of an [`ExecutionError::FunctionError`] for a value of a wrong type or form.
pub(crate) const MALFORMED: &str = "@malformed";

/// One function, as `sitewarden controls --functions` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called, and what it gives.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// An example.
    pub example: &'static str,
}

const fn doc(name: &'static str, signature: &'static str, doc: &'static str, example: &'static str) -> FunctionDoc {
    FunctionDoc { name, signature, doc, example }
}

/// Every function and macro that a condition may use, with its documentation: ours first, then those of CEL.
pub fn functions() -> &'static [FunctionDoc] {
    &DOCS
}

static DOCS: [FunctionDoc; 22] = [
    doc(
        "mode_within",
        "mode_within(mode, max) -> bool",
        "Whether a file mode (octal text) has no bit that `max` has not; setuid, setgid and sticky bits count.",
        "mode_within(item.mode, \"600\")",
    ),
    doc(
        "version_at_least",
        "version_at_least(version, min) -> bool",
        "Whether a version is `min` or newer. A leading `v` and a vendor's suffix are ignored; alpha, beta and rc are older than their release.",
        "version_at_least(node.kubelet.version, \"1.34\")",
    ),
    doc(
        "minor_of",
        "minor_of(version) -> text",
        "The first two numbers of a version: \"1.36\" of \"v1.36.2\".",
        "minor_of(item.name) == minor_of(cluster.version.git)",
    ),
    doc(
        "days_until",
        "days_until(time) -> int",
        "Whole days from the time of the assessment until a time (RFC 3339); negative when it is past. A date alone means its end in UTC.",
        "days_until(item.not_after) >= policy.certificate_days",
    ),
    doc(
        "cidr_within",
        "cidr_within(address, networks) -> bool",
        "Whether an address or network (CIDR) lies wholly in one of a list of networks.",
        "cidr_within(item.address, site.management_networks)",
    ),
    doc(
        "subset_of",
        "subset_of(list, allowed) -> bool",
        "Whether everything in the first list is in the second. True for an empty first list: ask size() too where that matters.",
        "subset_of(split(item.ciphers, \",\"), [\"aes256-gcm@openssh.com\"])",
    ),
    doc(
        "intersects",
        "intersects(list, other) -> bool",
        "Whether the lists have anything in common. `!intersects(a, b)`: none of a is in b.",
        "!intersects(node.lsm.active, [\"none\"])",
    ),
    doc("lower", "lower(text) -> text", "The text in lower case.", "lower(item.kind) == \"rsa\""),
    doc(
        "split",
        "split(text, separator) -> list",
        "The parts of a text, without spaces around them; empty parts are left out.",
        "split(item.macs, \",\").all(x, x.endsWith(\"-etm@openssh.com\"))",
    ),
    doc(
        "has",
        "has(path) -> bool",
        "Whether the last name of a path was read (true) or read as not existing (false). What was not read stays unknown.",
        "!has(node.kubelet.static_pod)",
    ),
    doc(
        "all",
        "list.all(x, condition) -> bool",
        "Whether it holds for every item. True for an empty list.",
        "node.kubelet.process.args.all(x, x != \"--read-only-port=10255\")",
    ),
    doc(
        "exists",
        "list.exists(x, condition) -> bool",
        "Whether it holds for an item.",
        "node.ssh_units.exists(x, x.active == \"active\")",
    ),
    doc(
        "exists_one",
        "list.exists_one(x, condition) -> bool",
        "Whether it holds for exactly one item.",
        "node.kernel.installed.exists_one(x, x == node.kernel.running)",
    ),
    doc(
        "filter",
        "list.filter(x, condition) -> list",
        "The items for which it holds.",
        "size(node.users.filter(x, x.uid == 0)) == 1",
    ),
    doc(
        "map",
        "list.map(x, value) -> list",
        "A value of every item.",
        "subset_of(node.users.map(x, x.shell), [\"/bin/bash\"])",
    ),
    doc(
        "size",
        "size(text or list) -> int",
        "Characters of a text, items of a complete list. Also `value.size()`.",
        "size(node.users) > 0",
    ),
    doc(
        "startsWith",
        "text.startsWith(text) -> bool",
        "Whether a text begins with another.",
        "item.path.startsWith(\"/etc/\")",
    ),
    doc("endsWith", "text.endsWith(text) -> bool", "Whether a text ends with another.", "item.path.endsWith(\".key\")"),
    doc(
        "contains",
        "text.contains(text) -> bool",
        "Whether a text holds another.",
        "item.subject.contains(\"O=system:masters\")",
    ),
    doc(
        "matches",
        "text.matches(pattern) -> bool",
        "Whether a regular expression (RE2) is found in a text; slow, prefer the three above.",
        "item.name.matches(\"^eth[0-9]+$\")",
    ),
    doc("int", "int(text or number) -> int", "A number from its text.", "int(item.maxauthtries) <= 4"),
    doc("string", "string(value) -> text", "The text of a number or truth value.", "string(item.port) == \"22\""),
];

/// Ours: name, number of arguments as it is written, what runs.
static OWN: [(&str, usize, Function); 9] = [
    ("mode_within", 2, text::mode_within),
    ("version_at_least", 2, version::version_at_least),
    ("minor_of", 1, version::minor_of),
    ("days_until", 1, time::days_until),
    ("cidr_within", 2, network::cidr_within),
    ("subset_of", 2, lists::subset_of),
    ("intersects", 2, lists::intersects),
    ("lower", 1, text::lower),
    ("split", 2, text::split),
];

/// Operators of CEL that are replaced by ours, since theirs take values of different types for unequal.
static REPLACED: [(&str, &str, Function); 7] = [
    (operators::EQUALS, SAME, compare::same),
    (operators::NOT_EQUALS, "@differ", compare::differ),
    (operators::LESS, "@less", compare::less),
    (operators::LESS_EQUALS, "@less_or_same", compare::less_or_same),
    (operators::GREATER, "@more", compare::more),
    (operators::GREATER_EQUALS, "@more_or_same", compare::more_or_same),
    (operators::IN, AMONG, compare::among),
];

/// CEL's own that may be called: name, whether as a function, whether on a target, arguments besides the target.
static STANDARD: [(&str, bool, bool, usize); 7] = [
    ("size", true, true, 1),
    ("startsWith", false, true, 1),
    ("endsWith", false, true, 1),
    ("contains", false, true, 1),
    ("matches", false, true, 1),
    ("int", true, false, 1),
    ("string", true, false, 1),
];

/// What runs instead of an operator.
pub(crate) fn replacement(operator: &str) -> Option<&'static str> {
    REPLACED.iter().find(|(name, ..)| *name == operator).map(|(_, ours, _)| *ours)
}

/// Whether a function gets the time of the assessment as a further argument.
pub(crate) fn wants_now(name: &str) -> bool {
    name == "days_until"
}

/// Whether a call may stand in a condition: a known function, called the way it is meant.
pub(crate) fn accepts(name: &str, on_target: bool, args: usize) -> Result<(), String> {
    let right = if let Some((_, count, _)) = OWN.iter().find(|(known, ..)| *known == name) {
        !on_target && args == *count
    } else if let Some((_, plain, member, count)) = STANDARD.iter().find(|(known, ..)| *known == name) {
        (!on_target && *plain && args == *count) || (on_target && *member && args + usize::from(*plain) == *count)
    } else if DOCS.iter().any(|known| known.name == name) {
        false
    } else {
        return Err(format!(
            "there is no function `{name}`{}; `sitewarden controls --functions` lists them",
            near(name, DOCS.iter().map(|known| known.name))
        ));
    };
    let how = DOCS.iter().find(|known| known.name == name).map_or("", |known| known.signature);
    right.then_some(()).ok_or_else(|| format!("`{name}` is called in another way: write `{how}`"))
}

/// What a function whose second argument is written out in the condition is tried with when it is loaded: a pattern, a
/// mode or a version that no text could ever meet is found then, not at a site.
static SAMPLES: [(&str, &str); 3] = [("matches", ""), ("mode_within", "600"), ("version_at_least", "1.0")];

/// Whether the text in a call can be used by the function at all.
pub(crate) fn usable(name: &str, literal: &CelString<'static>) -> Result<(), String> {
    let Some((_, sample)) = SAMPLES.iter().find(|(known, _)| *known == name) else {
        return Ok(());
    };
    let text = |text: CelString<'static>| IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::String(text)) };
    let args = vec![text(CelString::from((*sample).to_owned())), text(literal.clone())];
    let call = IdedExpr { id: 0, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) };
    let context = Context::with_env(Arc::clone(&ENVIRONMENT));
    let tried = Value::resolve_val(&call, &context).map(|_| ());
    let how = DOCS.iter().find(|known| known.name == name).map_or("", |known| known.example);
    tried.map_err(|_| format!("`{name}` cannot use the text it is given: write for example `{how}`"))
}

/// The environment in which every condition is evaluated: CEL's own functions and those above.
pub(crate) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    let ours = OWN.iter().map(|(name, args, run)| (*name, args + usize::from(wants_now(name)), *run));
    let replaced = REPLACED.iter().map(|(_, name, run)| (*name, 2, *run));
    let inner: [(&str, usize, Function); 3] =
        [(AT, 2, lists::at), (WHOLE, 1, compare::whole), (ONE_OF, 2, compare::one_of)];
    for (name, args, run) in ours.chain(replaced).chain(inner) {
        // It fails only for a name that is taken; a function that is missing then fails the test of this table.
        let _ = env.add_overload(name, name, (0..args).map(|_| DYN_TYPE).collect(), run);
    }
    Arc::new(env)
});

/// What a function answers.
pub(crate) type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn truth<'b, 'v>(answer: bool) -> Answer<'b, 'v> {
    Ok(CowVal::Borrowed(if answer { &CelBool::TRUE } else { &CelBool::FALSE }))
}

/// A value of a wrong type or form. The message is in our own words, it never holds what a node sent.
fn malformed(message: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError { function: MALFORMED.to_owned(), message: message.into() }
}

/// Lets an item that stands for something unread raise its error: such a value can do nothing else.
fn raise(value: &dyn Val) -> Result<(), ExecutionError> {
    if value.get_type().name() == GAP {
        value
            .as_comparer()
            .map_or_else(|| Err(malformed("something was not read")), |gap| gap.compare(value).map(|_| ()))
    } else {
        Ok(())
    }
}

/// CEL type name of a value that stands for an item that was not read.
pub(crate) const GAP: &str = "sitewarden.unread";

/// The text of a value; anything else is an error that names `what`.
fn text_of<'a>(value: &'a (dyn Val + '_), what: &str) -> Result<&'a str, ExecutionError> {
    raise(value)?;
    match value.downcast_ref::<CelString>() {
        Some(text) => Ok(text.inner()),
        None => {
            Err(malformed(format!("{what} wants a text and was given a value of type {}", value.get_type().name())))
        }
    }
}

/// Two arguments; the environment never calls with another number.
fn two<'b, 'v, 'a>(args: &'a [CowVal<'b, 'v>]) -> Result<(&'a (dyn Val + 'v), &'a (dyn Val + 'v)), ExecutionError> {
    match args {
        [first, second] => Ok((first.as_ref(), second.as_ref())),
        _ => Err(malformed("a function was called with another number of values than it takes")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_function_is_documented_and_registered() {
        for (name, args, _) in OWN {
            assert!(DOCS.iter().any(|doc| doc.name == name), "{name}");
            let any: Vec<CowVal<'_, '_>> =
                (0..args + usize::from(wants_now(name))).map(|_| CowVal::Borrowed(&CelBool::TRUE)).collect();
            assert!(ENVIRONMENT.find_overload(name, &any).is_some(), "{name}");
        }
        for (_, name, _) in REPLACED {
            let any = [CowVal::Borrowed(&CelBool::TRUE as &dyn Val), CowVal::Borrowed(&CelBool::TRUE)];
            assert!(ENVIRONMENT.find_overload(name, &any).is_some(), "{name}");
        }
        for (name, ..) in STANDARD {
            assert!(DOCS.iter().any(|doc| doc.name == name), "{name}");
        }
    }

    #[test]
    fn every_example_compiles() {
        use crate::catalog::expression::{Expression, Names, with_stack};
        use crate::catalog::shape::{ROOTS, Shape};
        let mut names: Names<'_> = ROOTS.iter().map(|(name, shape)| (*name, shape.clone())).collect();
        names.insert("item", Shape::Free);
        for doc in functions() {
            let compiled = with_stack(|| Expression::compile(doc.example, &names)).unwrap();
            assert!(compiled.is_ok(), "{}: {:?}", doc.name, compiled.unwrap_err());
        }
    }

    #[test]
    fn a_call_is_checked_by_name_and_number() {
        assert!(accepts("size", true, 0).is_ok() && accepts("size", false, 1).is_ok());
        assert!(accepts("startsWith", true, 1).is_ok() && accepts("days_until", false, 1).is_ok());
        assert!(accepts("mode_witin", false, 2).unwrap_err().contains("did you mean `mode_within`?"));
        assert!(accepts("mode_within", false, 1).unwrap_err().contains("mode_within(mode, max)"));
        assert!(accepts("startsWith", false, 2).is_err() && accepts("type", false, 1).is_err());
        assert!(accepts("all", true, 1).is_err());
    }
}
