#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;
use serde_json::json;

const KUBEADM: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kubelet-config.yaml");
const COMMENTED: &str = include_str!("../../../tests/samples/kubelet/config.yaml");

/// The lines that are only before, and those that are only after.
fn changed<'a>(before: &'a str, after: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    (old[head..old.len() - tail].to_vec(), new[head..new.len() - tail].to_vec())
}

fn set(text: &str, path: &[&str], value: serde_json::Value) -> String {
    let after = set_path(text, path, &value).unwrap();
    assert_eq!(get_path(&after, path).unwrap(), Some(value.clone()));
    assert_eq!(set_path(&after, path, &value).unwrap(), after, "the same again changes nothing");
    after
}

#[test]
fn one_line_of_kubeadms_file_changes() {
    for (path, value, old, new) in [
        (
            vec!["authentication", "anonymous", "enabled"],
            json!(true),
            vec!["    enabled: false"],
            vec!["    enabled: true"],
        ),
        (vec!["readOnlyPort"], json!(0), vec![], vec!["readOnlyPort: 0"]),
        (
            vec!["streamingConnectionIdleTimeout"],
            json!("4h0m0s"),
            vec!["streamingConnectionIdleTimeout: 0s"],
            vec!["streamingConnectionIdleTimeout: 4h0m0s"],
        ),
        (vec!["authentication", "x509", "extra"], json!("on"), vec![], vec!["    extra: \"on\""]),
        (vec!["tlsCipherSuites"], json!(["TLS_A", "TLS_B"]), vec![], vec!["tlsCipherSuites:", "- TLS_A", "- TLS_B"]),
        (vec!["clusterDNS"], json!(["10.96.0.11"]), vec!["- 10.96.0.10"], vec!["- \"10.96.0.11\""]),
        (vec!["clusterDNS"], json!([]), vec!["clusterDNS:", "- 10.96.0.10"], vec!["clusterDNS: []"]),
        (
            vec!["evictionHard", "memory.available"],
            json!("100Mi"),
            vec![],
            vec!["evictionHard:", "  memory.available: \"100Mi\""],
        ),
        (
            vec!["memorySwap", "swapBehavior"],
            json!("NoSwap"),
            vec!["memorySwap: {}"],
            vec!["memorySwap: {swapBehavior: NoSwap}"],
        ),
        (
            vec!["logging", "options", "json", "infoBufferSize"],
            json!("1"),
            vec!["      infoBufferSize: \"0\""],
            vec!["      infoBufferSize: \"1\""],
        ),
    ] {
        let after = set(KUBEADM, &path, value);
        assert_eq!(changed(KUBEADM, &after), (old, new), "{path:?}");
    }
    assert_eq!(set_path(KUBEADM, &["healthzPort"], &json!(10248)).unwrap(), KUBEADM);
    let after = set(COMMENTED, &["tlsCipherSuites"], json!(["TLS_X", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]));
    assert!(after.contains("tlsCipherSuites: [TLS_X, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"), "{after}");
}

#[test]
fn comments_quotes_line_ends_and_a_missing_last_line_feed_stay() {
    let before = "# top\r\nkind: K\r\nauthentication: # why\r\n    # inside\r\n    anonymous:\r\n        enabled: 'yes'   # old\r\n\r\n    # end\r\nlast: 1";
    let after = set(before, &["authentication", "anonymous", "enabled"], json!("no"));
    assert_eq!(after, before.replace("'yes'", "'no'"));
    let after = set(before, &["authentication", "webhook", "enabled"], json!(true));
    let new = "old\r\n    webhook:\r\n        enabled: true";
    assert_eq!(after, before.replace("old", new));
    assert_eq!(set(before, &["list"], json!(["a"])), format!("{before}\r\nlist:\r\n- a"));
    let gone = remove_path(before, &["last"]).unwrap();
    assert_eq!(gone, before.strip_suffix("\r\nlast: 1").unwrap());
    assert_eq!(remove_path(before, &["nothing", "here"]).unwrap(), before);
    let gone = remove_path(before, &["authentication", "anonymous", "enabled"]).unwrap();
    assert!(gone.contains("    anonymous: {}\r\n\r\n    # end"), "{gone}");
}

#[test]
fn items_of_a_list_keep_their_comments() {
    let before = "a:\n  # first\n  - x # why x\n  - y\n  # z\n  - \"z\"\nb: 1\n";
    let after = set(before, &["a"], json!(["x", "w", "z", "v"]));
    assert_eq!(after, "a:\n  # first\n  - x # why x\n  - w\n  # z\n  - \"z\"\n  - v\nb: 1\n");
    let after = set(before, &["a"], json!(["u", "x"]));
    assert_eq!(after, "a:\n  # first\n  - u\n  - x # why x\n  # z\nb: 1\n");
    assert_eq!(set(before, &["b"], json!(["q"])), "a:\n  # first\n  - x # why x\n  - y\n  # z\n  - \"z\"\nb:\n  - q\n");
}

#[test]
fn empty_files_and_empty_values_are_filled() {
    assert_eq!(set("", &["a", "b"], json!(1)), "a:\n  b: 1\n");
    assert_eq!(set("# note", &["a"], json!(["x"])), "# note\na:\n- x");
    assert_eq!(set("a:\nb: 1\n", &["a", "c"], json!(1)), "a:\n  c: 1\nb: 1\n");
    assert_eq!(set("a: null # n\n", &["a", "c"], json!(1)), "a: # n\n  c: 1\n");
    assert_eq!(set("a: # n\n", &["a"], json!(1)), "a: 1 # n\n");
    assert_eq!(set("---\na: ~\n", &["a"], json!(["x"])), "---\na:\n- x\n");
    assert_eq!(remove_path("a: 1\n", &["a"]).unwrap(), "{}\n");
    assert_eq!(get_path("# nothing\n", &["a"]).unwrap(), None);
}

#[test]
fn json_stays_json() {
    let before = "{\n\t\"kind\": \"K\",\n\t\"authentication\": {\n\t\t\"anonymous\": {\"enabled\": true}\n\t},\n\t\"tls\": [\n\t\t\"A\",\n\t\t\"B\"\n\t]\n}\n";
    for (path, value) in [
        (vec!["authentication", "anonymous", "enabled"], json!(false)),
        (vec!["readOnlyPort"], json!(0)),
        (vec!["authorization", "webhook", "cacheTTL"], json!("0s")),
        (vec!["tls"], json!(["A", "C", "D"])),
        (vec!["kind"], json!("L")),
    ] {
        let after = set(before, &path, value.clone());
        let mut want: serde_json::Value = serde_json::from_str(before).unwrap();
        let mut place = &mut want;
        for key in &path {
            place = &mut place[*key];
        }
        *place = value;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&after).unwrap(), want);
    }
    assert!(set(before, &["readOnlyPort"], json!(0)).ends_with("\t],\n\t\"readOnlyPort\": 0\n}\n"));
    assert!(set(before, &["tls"], json!(["A", "C", "D"])).contains("[\n\t\t\"A\",\n\t\t\"C\",\n\t\t\"D\"\n\t]"));
    let gone = remove_path(before, &["kind"]).unwrap();
    assert!(gone.starts_with("{\n\t\"authentication\""), "{gone}");
    assert_eq!(set("{}", &["a"], json!(1)), "{\"a\": 1}");
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    for (text, line, word) in [
        ("a: 1\n---\nb: 1\n", 2, "more than one document"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: !!str 1\n", 1, "tag"),
        ("a:\n\tb: 1\n", 2, ""),
        ("a: 1\nb: 2\na: 3\n", 3, ""),
        ("x: 1\na: {b: 1, # note\n  c: 2}\n", 2, "comment"),
        ("x: 1\na: one\n  two\n", 3, "deeper"),
        ("a: b: c\n", 1, ""),
        ("a: \"open\n", 1, ""),
        ("x: 1\n? a\n: b\n", 2, ""),
        ("- a\n", 1, ""),
    ] {
        let error = set_path(text, &["key"], &json!(true)).unwrap_err();
        assert!(error.line().is_none_or(|found| found.abs_diff(line) <= 1), "{text}: {error}");
        let said = error.to_string();
        assert!(said.contains(word) && said.contains("set key to true in it by hand"), "{text}: {said}");
    }
    let wrong_place = set_path("a: text\n", &["a", "b"], &json!(1)).unwrap_err().to_string();
    assert!(wrong_place.contains("no map"), "{wrong_place}");
    assert!(set_path("a:\n  b: 1\n", &["a"], &json!(1)).is_err());
    assert!(set_path("a: |\n  text\n", &["a"], &json!("x")).is_err());
    assert!(set_path("a: 1\n", &["a"], &json!({"b": 1})).is_err());
    let beside = set("a: |\n  key: no\n  # no comment\nb: 1\n", &["key"], json!(1));
    assert_eq!(beside, "a: |\n  key: no\n  # no comment\nb: 1\nkey: 1\n");
}

/// A file of a small grammar: blocks, lists, braces, comments, blank lines, all kinds of scalars.
fn block(indent: usize, depth: u32) -> BoxedStrategy<String> {
    let blanks = " ".repeat(indent);
    let scalar = proptest::sample::select(vec![
        "1",
        "0s",
        "true",
        "text",
        "'it''s'",
        "\"q # q\"",
        "null",
        "",
        "{}",
        "[]",
        "[a, 'b', \"c\"]",
        "{x: 1, y: {z: q}}",
        "a#b",
        "http://x:1",
        "# only",
        "|\n          text\n\n          # text",
        ">-\n          folded",
        "&anchor x",
        "- 1",
    ]);
    let tail = proptest::sample::select(vec!["", "  # why", "\n# left", "\n"]);
    let leaf = (scalar, tail).prop_map(|(scalar, tail)| format!(" {scalar}{tail}\n"));
    let value = if depth == 0 {
        leaf.boxed()
    } else {
        let list = blanks.clone();
        prop_oneof![
            3 => leaf,
            2 => (1usize..4).prop_flat_map(move |step| block(indent + step, depth - 1)).prop_map(|inner| format!("\n{inner}")),
            1 => proptest::collection::vec("[a-c]{1,2}", 1..4).prop_map(move |items| {
                items.iter().fold("\n".to_owned(), |text, item| format!("{text}{list}- {item}\n"))
            }),
        ]
        .boxed()
    };
    proptest::collection::vec((proptest::sample::select(vec!["a", "b", "c", "'d'", "\"e\""]), value), 1..4)
        .prop_map(move |entries| {
            let mut seen = Vec::new();
            let mut text = String::new();
            for (key, value) in entries {
                if !seen.contains(&key) {
                    text.push_str(&format!("{blanks}{key}:{value}"));
                    seen.push(key);
                }
            }
            text
        })
        .boxed()
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        any::<bool>().prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
        "\\PC{0,8}".prop_map(|value| json!(value)),
        "[a-z0-9:# -]{0,8}".prop_map(|value| json!(value)),
        proptest::collection::vec("[a-c]{1,2}|\\PC{0,4}", 0..4).prop_map(|value| json!(value)),
    ]
}

proptest! {
    #[test]
    fn an_edit_does_what_was_asked_or_nothing(
        text in block(0, 3),
        path in proptest::collection::vec("[a-f]", 1..4),
        value in values(),
        windows in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let mut text = if windows { text.replace('\n', "\r\n") } else { text };
        if cut {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if let Ok(after) = set_path(&text, &path, &value) {
            prop_assert_eq!(get_path(&after, &path).unwrap(), Some(value.clone()));
            prop_assert_eq!(&set_path(&after, &path, &value).unwrap(), &after);
            prop_assert_eq!(after.ends_with('\n'), text.ends_with('\n'));
            prop_assert!(after.matches('#').count() >= text.matches("# why").count() + text.matches("# left").count());
            prop_assert_eq!(after.matches("\r\n").count() == after.matches('\n').count(), (windows && text.contains('\n')) || !after.contains('\n'));
        }
        if let Ok(after) = remove_path(&text, &path) {
            prop_assert_eq!(get_path(&after, &path).unwrap(), None);
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in "(\\PC|[\n\t:{}\\[\\], #'\"-]){0,60}", value in values()) {
        if let Ok(after) = set_path(&text, &["a", "b"], &value) {
            prop_assert_eq!(get_path(&after, &["a", "b"]).unwrap(), Some(value));
        }
    }
}
