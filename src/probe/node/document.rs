//! Configuration files that a node's components name.

use super::answer::{self, Answer, Got};
use super::frames::{Record, State};
use super::{redact, yaml};
use crate::evidence::{ConfigFile, Fact, Reason};
use serde_json::Value as Json;

/// Files that the collector sends at most; with as many there may be more.
const MAX_FILES: usize = 128;

/// A line of the table of configuration files: `I STATE COMPONENT PURPOSE PID MTIME PATH`.
#[derive(Debug, Clone)]
pub(super) struct Named {
    number: String,
    pub(super) state: State,
    pub(super) component: String,
    pub(super) purpose: String,
    pub(super) pid: Option<i64>,
    pub(super) mtime: String,
    pub(super) path: String,
}

/// The table of configuration files.
pub(super) struct Table {
    pub(super) items: Vec<Named>,
    /// Whether every file is in it.
    pub(super) complete: bool,
}

impl Table {
    /// Reads the table. `path` of the gaps is empty: every component asks for itself.
    pub(super) fn read(answer: &Answer<'_>) -> Table {
        let got = answer.got("files");
        let Some(record) = got.record() else {
            return Table { items: Vec::new(), complete: matches!(got, Got::Absent) };
        };
        let (mut items, mut complete) = (Vec::new(), matches!(got, Got::Here(_)));
        for row in record.table() {
            let row: Vec<String> = row.iter().map(|field| super::text::whole(field)).collect();
            let [number, state, component, purpose, pid, mtime, path] = row.as_slice() else {
                complete = false;
                continue;
            };
            items.push(Named {
                number: number.clone(),
                state: State::from_word(state),
                component: component.clone(),
                purpose: purpose.clone(),
                pid: pid.parse().ok(),
                mtime: mtime.clone(),
                path: path.clone(),
            });
        }
        Table { complete: complete && items.len() < MAX_FILES, items }
    }

    /// The files of a component with a purpose, in order.
    pub(super) fn of<'a>(&'a self, component: &'a str, purpose: &'a str) -> impl Iterator<Item = &'a Named> {
        self.items.iter().filter(move |file| file.component == component && file.purpose == purpose)
    }
}

impl Named {
    /// What it holds.
    pub(super) fn got<'a>(&self, answer: &Answer<'a>) -> Got<'a> {
        match self.state {
            State::Here => answer.got(&format!("file.{}", self.number)),
            State::Absent => Got::Absent,
            state => Got::Missing(state),
        }
    }

    /// The file as a structured configuration.
    pub(super) fn config(&self, answer: &Answer<'_>) -> ConfigFile {
        let mut file = ConfigFile {
            path: self.path.clone(),
            sha256: Fact::Unread,
            modified: answer::time(&self.mtime),
            document: Fact::Unread,
            unread: None,
        };
        match self.got(answer) {
            Got::Here(record) => {
                file.sha256 = Fact::Known(sha256(record));
                match yaml::parse(&record.payload) {
                    // An empty file sets nothing.
                    Ok(Json::Null) => file.document = Fact::Known(Json::Object(Default::default())),
                    Ok(mut document) => {
                        redact::document(&mut document);
                        file.document = Fact::Known(document);
                    }
                    Err(reason) => file.unread = Some(reason),
                }
            }
            Got::Cut(_) => file.unread = Some(Reason::TooLarge),
            Got::Absent => file.document = Fact::Absent,
            Got::Missing(state) => file.unread = Some(state.reason().unwrap_or(Reason::Malformed)),
            Got::Nothing => file.unread = Some(Reason::NotVisible),
        }
        file
    }
}

fn sha256(record: &Record) -> String {
    hex(&openssl::sha::sha256(&record.payload))
}

/// Bytes as lower-case hex.
pub(in crate::probe) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
