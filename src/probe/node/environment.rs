//! Environment files and assignments of a component's service unit: where its flags come from.

use super::answer::{Answer, Got};
use super::component::Kind;
use super::document::Table;
use super::frames::State;
use super::sshd::config_text;
use super::{redact, text};
use crate::evidence::{ConfigText, Fact, Listing, Reason};

/// Reads them, secrets redacted.
pub(super) fn read(answer: &mut Answer<'_>, kind: &Kind, table: &Table) -> Listing<ConfigText> {
    let path = format!("{}.environment", kind.path);
    let mut complete = table.complete;
    if !complete {
        let got = answer.got("files");
        let got = if matches!(got, Got::Here(_)) { Got::Missing(State::Malformed) } else { got };
        answer.note(&got, &path, "the environment files of its unit");
    }
    let mut items: Vec<ConfigText> = table
        .of(kind.name, "environment")
        .map(|file| config_text(&file.path, &file.mtime, &file.got(answer), |body| redact::text(&body)))
        .collect();
    if kind.name == "kubelet" {
        let got = answer.got("kubelet.environment");
        answer.note(&got, &path, "the assignments in the kubelet's unit");
        complete &= matches!(got, Got::Here(_) | Got::Absent);
        if let Got::Here(record) = got {
            match assignments(&record.text()) {
                Some(body) if body.is_empty() => {}
                Some(body) => items.push(ConfigText {
                    path: "Environment= of kubelet.service".to_owned(),
                    text: Fact::Known(body),
                    modified: Fact::Unread,
                    unread: None,
                }),
                None => {
                    complete = false;
                    answer.gap(
                        &path,
                        Reason::Malformed,
                        "the assignments in the kubelet's unit could not be understood",
                    );
                }
            }
        }
    }
    Listing { items, complete }
}

/// One `NAME=VALUE` a line of what `systemctl show -p Environment` prints.
fn assignments(shown: &str) -> Option<String> {
    let mut lines = Vec::new();
    for one in shown.lines() {
        let values = one.strip_prefix("Environment=").unwrap_or(one);
        for word in shlex::split(values)? {
            lines.push(redact::text(&text::whole(&word)));
        }
    }
    Some(lines.join("\n"))
}
