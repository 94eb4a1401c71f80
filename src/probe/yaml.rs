//! Documents in YAML or JSON, parsed within bounds.

use super::text;
use crate::evidence::Reason;
use serde_json::Value as Json;

/// Bytes of a document that is parsed.
const MAX_BYTES: usize = 256 << 10;

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
        Json::String(text) => Json::String(text::lines(&text)),
        Json::Array(items) => Json::Array(items.into_iter().map(clean).collect()),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (text::whole(&key), clean(value))).collect())
        }
        other => other,
    }
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
