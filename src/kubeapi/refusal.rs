//! Why an API server does not make a change: who owns what, which right is missing, which field is wrong. Of its text only
//! names are told, each made harmless.

use super::answer::{About, Answer};
use super::error::{ApiError, shown};
use crate::evidence::Reason;
use kube::core::Status;
use kube::core::response::StatusCause;
use std::collections::BTreeMap;

/// Fields or managers that a sentence holds at most.
const NAMES: usize = 8;

/// Rights that RBAC knows for objects.
const VERBS: [&str; 11] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "bind",
    "escalate",
    "impersonate",
];

/// The error of a change that was refused. None: the status alone says it.
pub(super) fn of(answer: &Answer, about: &About<'_>) -> Option<ApiError> {
    let status: Status = serde_json::from_slice(&answer.body).unwrap_or_default();
    let About { context, login, what, .. } = about;
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let (reason, text) = match answer.status {
        403 => {
            let why = match right(&status.message) {
                Some(right) => format!("the right to {right} is missing. Ask an administrator for it"),
                None => "a rule of admission, a quota or the rule against giving more rights than one has forbids it. Ask an administrator".to_owned(),
            };
            let text = format!("the API server does not let the context {:?} ({login}) {what}: {why}", shown(context));
            (Reason::Forbidden, text)
        }
        409 => match owners(causes) {
            Some(owners) => {
                let text = format!(
                    "the API server does not {what}: {owners}. Who owns a field would set it back: change it there, where it comes from"
                );
                (Reason::Unsupported, text)
            }
            None if status.is_already_exists() => (
                Reason::Unsupported,
                format!("the API server does not {what}: there is one of that name. Look at it, or take another name"),
            ),
            None => {
                let text =
                    format!("the API server does not {what}: it was changed or made anew meanwhile. Look at it again");
                (Reason::Unsupported, text)
            }
        },
        400 | 422 => {
            let fields = some(causes.iter().map(|cause| field(&cause.field)).filter(|field| !field.is_empty()));
            let place = if fields.is_empty() { String::new() } else { format!(" ({fields})") };
            (
                Reason::Unsupported,
                format!("the API server does not {what}: it finds the object wrong{place}. Correct it"),
            )
        }
        _ => return None,
    };
    Some(ApiError::new(reason, text))
}

/// Which manager owns which fields, where that is why.
fn owners(causes: &[StatusCause]) -> Option<String> {
    let mut owned: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cause in causes.iter().filter(|cause| cause.reason == "FieldManagerConflict") {
        // `conflict with "NAME" using v1`; the name is quoted as Go quotes.
        let name = cause.message.split('"').nth(1).map(shown).filter(|name| !name.is_empty());
        owned.entry(name.unwrap_or_else(|| "another manager".to_owned())).or_default().push(field(&cause.field));
    }
    let told: Vec<String> = owned
        .iter()
        .take(NAMES)
        .map(|(name, fields)| format!("{name:?} owns {}", some(fields.iter().cloned())))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// A few of several names.
fn some(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    // A server may have several objections to one field.
    names.dedup();
    let more = names.len().saturating_sub(NAMES);
    let listed = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}

/// The name of a field. In what names an element of a list a value may stand; it is told, as it is in the object.
fn field(name: &str) -> String {
    shown(name)
}

/// The right that is missing, from the API server's own sentence: `... cannot VERB resource "RESOURCE" in API group "GROUP"`.
fn right(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let verb = VERBS.into_iter().find(|known| *known == verb)?;
    let plain = |name: &&str| {
        (1..=253).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b))
    };
    let (resource, rest) = rest.split_once('"')?;
    let resource = Some(resource).filter(plain)?;
    let group = rest.split_once("API group \"").and_then(|(_, rest)| rest.split_once('"')).map(|(group, _)| group);
    Some(match group.filter(plain) {
        Some(group) => format!("{verb} {resource}.{group}"),
        None => format!("{verb} {resource}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    fn says(code: u16, status: &Value) -> Option<String> {
        let answer = Answer::of(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), status.to_string().into());
        let what = "patch configmaps b in the namespace a";
        of(&answer, &About { url: "https://a", file: "/k", context: "c", login: "token", what })
            .map(|error| error.message)
    }

    #[test]
    fn a_conflict_names_the_managers_and_their_fields() {
        let cause = |name: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {name:?} using v1"), "field": field});
        let status = json!({"kind": "Status", "reason": "Conflict", "message": "geheim", "details": {"causes": [
            cause("helm", ".data.a"), cause("kubectl\u{1b}[2J", ".data.b"), cause("helm", ".data.c\u{1b}]0;x\u{7}")]}});
        let text = says(409, &status).unwrap();
        assert!(text.contains(r#""helm" owns .data.a, .data.c]0;x"#), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("geheim"), "{text}");
        let changed = says(409, &json!({"reason": "Conflict", "message": "geheim"})).unwrap();
        assert!(changed.contains("changed or made anew meanwhile") && !changed.contains("geheim"), "{changed}");
        assert!(says(409, &json!({"reason": "AlreadyExists"})).unwrap().contains("one of that name"));
    }

    #[test]
    fn the_right_that_is_missing_is_named() {
        let of = |message: &str| says(403, &json!({"reason": "Forbidden", "message": message})).unwrap();
        let text = of(
            r#"configmaps "x" is forbidden: User "u" cannot create resource "configmaps" in API group "" in the namespace "d""#,
        );
        assert!(text.contains("the right to create configmaps is missing"), "{text}");
        let text =
            of(r#"x is forbidden: User "u" cannot patch resource "roles" in API group "rbac.authorization.k8s.io""#);
        assert!(text.contains("the right to patch roles.rbac.authorization.k8s.io is missing"), "{text}");
        for other in ["", "geheim", "u cannot geheim resource \"x\"", "u cannot get resource \"GEHEIM geheim\""] {
            let text = of(other);
            assert!(text.contains("a rule of admission") && !text.to_lowercase().contains("geheim"), "{text}");
        }
    }

    #[test]
    fn fields_that_are_wrong_are_named_and_other_statuses_left() {
        let status =
            json!({"details": {"causes": [{"field": "spec.x", "message": "geheim"}, {"field": "metadata.name"}]}});
        assert!(says(422, &status).unwrap().contains("wrong (spec.x, metadata.name)"));
        assert!(says(400, &json!([])).unwrap().contains("wrong. Correct it"));
        assert_eq!(says(500, &json!({})), None);
        assert_eq!(says(404, &json!({})), None);
    }
}
