//! Configuration files in YAML or JSON, parsed within bounds.

use super::answer::{self, Answer, Got};
use super::frames::{Record, State};
use super::redact;
use crate::evidence::{ConfigFile, Fact, Reason};
use serde_json::Value as Json;

/// Bytes of a document that is parsed; the collector sends less.
const MAX_BYTES: usize = 256 << 10;

/// Files that the collector sends at most; with as many there may be more.
const MAX_FILES: usize = 128;

/// Parses a document: one, without aliases that blow it up, without doubled keys, of bounded depth.
pub(super) fn parse(bytes: &[u8]) -> Result<Json, Reason> {
    if bytes.len() > MAX_BYTES {
        return Err(Reason::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::Malformed)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_events: 50_000,
            max_aliases: 64,
            max_anchors: 64,
            max_recorded_anchor_events: 10_000,
            max_depth: 48,
            max_documents: 1,
            max_nodes: 25_000,
            max_total_scalar_bytes: MAX_BYTES,
            max_merge_keys: 16,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
            max_alias_expansions_per_anchor: 32,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        legacy_octal_numbers: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Json>(text, options).map(clean).map_err(|_| Reason::Malformed)
}

/// Takes control characters out of every text of a document.
fn clean(json: Json) -> Json {
    match json {
        Json::String(text) => Json::String(super::text::lines(&text)),
        Json::Array(items) => Json::Array(items.into_iter().map(clean).collect()),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (super::text::whole(&key), clean(value))).collect())
        }
        other => other,
    }
}

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
                match parse(&record.payload) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn kubelet_configurations_come_through() {
        let yaml = b"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nauthentication:\n  anonymous: {enabled: false}\n  webhook: {cacheTTL: 0s}\nevictionHard:\n  memory.available: \"100Mi\"\nmaxPods: 110\ntlsCipherSuites: [A, B]\n";
        let json = parse(yaml).unwrap();
        assert_eq!(json["authentication"]["anonymous"]["enabled"], Json::Bool(false));
        assert_eq!(json["authentication"]["webhook"]["cacheTTL"], "0s");
        assert_eq!(json["maxPods"], 110);
        let json = parse(b"{\"readOnlyPort\": 0, \"a\": [true, null, \"x\"]}").unwrap();
        assert_eq!(json["readOnlyPort"], 0);
        assert_eq!(
            parse(b"{\n\t\"readOnlyPort\": 0,\n\t\"authentication\": {\n\t\t\"x\": 1\n\t}\n}\n").unwrap()["readOnlyPort"],
            0
        );
    }

    #[test]
    fn bombs_doubled_keys_and_nonsense_are_refused() {
        let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for n in 1..10 {
            let before = format!("*a{}, ", n - 1).repeat(9);
            laughs.push_str(&format!("a{n}: &a{n} [{before}x]\n"));
        }
        let deep = "[".repeat(5000);
        let deep_map: String = (0..200).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
        for bad in [
            laughs.as_str(),
            "a: 1\na: 2\n",
            "{\"a\": 1, \"a\": 2}",
            "a: [",
            "a: .inf",
            "a: 1\n---\nb: 2\n",
            &deep,
            &deep_map,
            "a: &x [*x]",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Reason::Malformed), "{}", bad.chars().take(60).collect::<String>());
        }
        assert_eq!(parse(&[0xff, 0xfe, 0x00]), Err(Reason::Malformed));
        assert_eq!(parse(&vec![b'a'; MAX_BYTES + 1]), Err(Reason::TooLarge));
    }

    #[test]
    fn control_characters_do_not_come_out_of_escapes() {
        assert_eq!(parse(b"{\"a\\u001b\": \"x\\u001b[2Jy\\n\"}").unwrap(), serde_json::json!({"a": "x[2Jy\n"}));
    }
}
