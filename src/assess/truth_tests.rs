//! The truth table: what a condition says of evidence of which something was read, something was read as not existing,
//! and something was not read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::binding::Log;
use super::evaluate::{Answer, Scope};
use crate::catalog::Expression;
use crate::catalog::shape::Shape;
use crate::evidence::{Gap, Missing, Reading, Reason, Value};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node of which sshd timed out and one kubelet setting was forbidden.
fn node() -> Reading {
    let mut node = Reading::from_json(&json!({
        "kubelet": {
            "port": 5, "on": true, "off": false, "name": "worker", "ratio": 0.5, "version": "v1.34.2",
            "args": ["--a", "--b"], "mixed": ["a", 1], "numbers": [1, 2, 3], "items": [{"n": 1}, {"n": 2}],
            "empty": [], "gone": null, "holey": ["a", null], "big": 9_007_199_254_740_993_i64
        }
    }));
    node.insert("sshd", Reading::unread(Reason::Timeout, "sshd -T did not answer"));
    node.change("kubelet", |kubelet| {
        kubelet.insert("anon", Reading::unread(Reason::Forbidden, ""));
        let gap = Gap::new(Reason::TooLarge, "");
        kubelet.insert("partial", Reading::list(vec![Reading::text("a"), Reading::text("b")], Some(gap.clone())));
        let rest = vec![Reading::text("a"), Reading::new(Value::Unread(gap.clone()))];
        kubelet.insert("torn", Reading::list(rest, None));
        let entries = BTreeMap::from([("known".into(), Reading::text("x"))]);
        let missing = Missing::Unread(Gap::new(Reason::NotVisible, ""));
        kubelet.insert("half", Reading::new(Value::Map { entries: Arc::new(entries), missing }));
    });
    node
}

fn compile(source: &str) -> Result<Expression, Vec<String>> {
    let names = BTreeMap::from([("node", Shape::Free), ("item", Shape::Free)]);
    crate::catalog::with_stack(|| Expression::compile(source, &names)).unwrap()
}

fn ask_of(node: &Reading, source: &str) -> Answer {
    let expression = compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let log = Log::default();
    let scope = Scope::new(&[("node", node)], &log, "2026-08-01T00:00:00Z".parse().unwrap());
    scope.ask(&expression)
}

fn ask(source: &str) -> Answer {
    ask_of(&node(), source)
}

fn says(source: &str, expected: bool) {
    assert_eq!(ask(source).holds, Ok(expected), "{source}");
}

fn doubts(source: &str, reason: Reason) -> String {
    match ask(source).holds {
        Err(doubt) => {
            assert_eq!(doubt.reason, reason, "{source}: {}", doubt.why);
            doubt.why
        }
        Ok(truth) => panic!("{source} says {truth}"),
    }
}

#[test]
fn touching_what_was_not_read_is_an_error_with_path_and_reason() {
    for source in [
        "has(node.sshd)",
        "!has(node.sshd)",
        "has(node.sshd.x)",
        "node.sshd.x == 1",
        "node.sshd.x != 1",
        "node.sshd.all(x, x.a)",
        "node.sshd.exists(x, x.a)",
        "!has(node.sshd) || node.sshd.x == 1",
        "node.sshd == node.sshd",
        "size(node.sshd) == 0",
        "node.sshd ? true : true",
        "1 in node.sshd",
        "string(node.sshd.x) == \"\"",
    ] {
        let why = doubts(source, Reason::Timeout);
        assert!(why.contains("node.sshd was not read (timeout: sshd -T did not answer)"), "{source}: {why}");
    }
}

#[test]
fn what_was_read_as_not_existing_is_false_for_has_and_no_value_for_anything_else() {
    says("has(node.nope)", false);
    says("!has(node.nope)", true);
    says("has(node.kubelet.gone)", false);
    says("has(node.kubelet.port)", true);
    says("has(node.kubelet.gone) && node.kubelet.gone == 1", false);
    for source in
        ["node.kubelet.gone == 1", "node.kubelet.gone != 1", "!node.nope", "node.nope.x != 1", "size(node.nope) == 0"]
    {
        assert!(doubts(source, Reason::Unsupported).contains("does not exist here"), "{source}");
    }
}

#[test]
fn the_known_side_of_a_connective_decides() {
    says("node.kubelet.port == 6 && node.sshd.x", false);
    says("node.sshd.x && node.kubelet.port == 6", false);
    says("node.sshd.x || node.kubelet.port == 5", true);
    says("node.kubelet.port == 5 || node.sshd.x", true);
    doubts("node.sshd.x && node.kubelet.on", Reason::Timeout);
    doubts("node.sshd.x || node.kubelet.off", Reason::Timeout);
}

#[test]
fn both_unread_sides_are_told() {
    let why = doubts("node.sshd.x && node.kubelet.anon", Reason::Timeout);
    assert!(
        why.contains("node.sshd was not read (timeout") && why.contains("node.kubelet.anon was not read (forbidden)"),
        "{why}"
    );
    let why = doubts("node.kubelet.anon || node.sshd.x", Reason::Forbidden);
    assert!(why.contains("node.sshd") && why.contains("node.kubelet.anon"), "{why}");
}

#[test]
fn minors_of_versions() {
    says("minor_of(node.kubelet.version) == \"1.34\"", true);
    says("minor_of(\"1.36.4+k3s1\") == minor_of(\"v1.36\")", true);
    doubts("minor_of(node.sshd.version) == \"1.34\"", Reason::Timeout);
}

#[test]
fn a_value_of_a_wrong_type_never_compares() {
    for source in [
        "node.kubelet.name != 1",
        "1 != node.kubelet.name",
        "node.kubelet.name == 1",
        "node.kubelet.port != \"5\"",
        "node.kubelet.port == true",
        "node.kubelet.on != \"false\"",
        "node.kubelet.on != 0",
        "!(node.kubelet.port in [\"5\"])",
        "!(\"x\" in node.kubelet.port)",
        "!(5 in node.kubelet.args)",
        "node.kubelet.args != \"--a\"",
        "node.kubelet.args != [1, 2]",
        "node.kubelet.name < 7",
        "node.kubelet.name < \"z\"",
        "node.kubelet.on > false",
        "node.kubelet != 1",
        "node.kubelet == node.kubelet",
        "!node.kubelet.name",
        "!node.kubelet.port",
        "node.kubelet.port && true",
        "node.kubelet.port || false",
        "node.kubelet.name ? true : true",
        "!node.kubelet.port.startsWith(\"x\")",
        "node.kubelet.port.x != 1",
        "!has(node.kubelet.port.x)",
        "node.kubelet.mixed.exists(x, x == 2)",
        "node.kubelet.name",
        "node.kubelet.port + \"1\" != \"\"",
        "node.kubelet.mixed.all(x, x != 7)",
        "mode_within(node.kubelet.port, \"600\")",
        "!mode_within(node.kubelet.name, \"600\")",
        "!version_at_least(node.kubelet.name, \"1\")",
        "minor_of(node.kubelet.name) != \"1.34\"",
        "minor_of(node.kubelet.port) != \"1.34\"",
        "days_until(node.kubelet.name) > 0",
        "days_until(node.kubelet.port) > 0",
        "!cidr_within(node.kubelet.name, [\"10.0.0.0/8\"])",
        "!intersects(node.kubelet.name, [\"a\"])",
        "subset_of(node.kubelet.port, [1])",
        "int(node.kubelet.name) != 3",
        "node.kubelet.ratio % 2 == 0",
    ] {
        doubts(source, Reason::Malformed);
    }
    // A wrong type beside what decides does not matter.
    says("node.kubelet.name == 1 && node.kubelet.off", false);
    says("node.kubelet.name == 1 || node.kubelet.on", true);
}

#[test]
fn numbers_are_ints_and_arithmetic_works() {
    says("node.kubelet.port - 1 == 4 && node.kubelet.port + 1 == 6 && -node.kubelet.port == -5", true);
    says("node.kubelet.port % 2 == 1 && node.kubelet.port < 6 && node.kubelet.port >= 5", true);
    says("node.kubelet.ratio < 1 && node.kubelet.ratio == 0.5", true);
    says("node.kubelet.big == 9007199254740993", true);
    doubts("node.kubelet.port / 0 == 1", Reason::Malformed);
    doubts("node.kubelet.big * node.kubelet.big > 0", Reason::Malformed);
}

#[test]
fn complete_lists_are_lists() {
    says("\"--a\" in node.kubelet.args && !(\"--c\" in node.kubelet.args)", true);
    says("node.kubelet.args == [\"--a\", \"--b\"] && node.kubelet.args != [\"--a\"]", true);
    says("size(node.kubelet.args) == 2 && node.kubelet.empty.size() == 0", true);
    says("node.kubelet.args[1] == \"--b\" && node.kubelet.items[0].n == 1", true);
    says("node.kubelet.numbers.exists_one(x, x > 2) && node.kubelet.numbers.filter(x, x > 1) == [2, 3]", true);
    says("node.kubelet.items.map(x, x.n) == [1, 2] && node.kubelet.items.all(x, x.n > 0)", true);
    says("node.kubelet.empty.all(x, x == 1) && !node.kubelet.empty.exists(x, x == 1)", true);
    says("\"known\" in node.kubelet.half", true);
    doubts("node.kubelet.args[7] == \"x\"", Reason::Unsupported);
    doubts("node.kubelet.items.all(x, x.m > 0)", Reason::Unsupported);
    doubts("\"other\" in node.kubelet.half", Reason::NotVisible);
}

#[test]
fn an_incomplete_list_answers_only_where_the_rest_cannot_matter() {
    says("node.kubelet.partial.exists(x, x == \"a\")", true);
    says("node.kubelet.partial.all(x, x == \"a\")", false);
    says("\"b\" in node.kubelet.partial", true);
    says("!subset_of(node.kubelet.partial, [\"a\"])", true);
    says("intersects(node.kubelet.partial, [\"a\"])", true);
    for source in [
        "node.kubelet.partial.all(x, x != \"c\")",
        "!node.kubelet.partial.exists(x, x == \"c\")",
        "!node.kubelet.partial.exists(x, x.startsWith(\"c\"))",
        "!(\"c\" in node.kubelet.partial)",
        "subset_of(node.kubelet.partial, [\"a\", \"b\"])",
        "!intersects(node.kubelet.partial, [\"c\"])",
        "size(node.kubelet.partial) == 2",
        "node.kubelet.partial.size() == 2",
        "node.kubelet.partial == [\"a\", \"b\"]",
        "node.kubelet.partial != [\"a\", \"b\"]",
        "node.kubelet.partial.filter(x, x == \"a\") == [\"a\"]",
        "node.kubelet.partial.exists_one(x, x == \"a\")",
        "node.kubelet.partial.map(x, 1) == [1, 1]",
        "size(node.kubelet.partial.filter(x, node.kubelet.on || x == \"a\")) == 3",
        "node.kubelet.partial[5] == \"c\"",
        "node.kubelet.torn.all(x, x == \"a\")",
        "node.kubelet.torn[1] == \"a\"",
    ] {
        doubts(source, Reason::TooLarge);
    }
    doubts("node.kubelet.holey.all(x, x == \"a\")", Reason::Unsupported);
}

#[test]
fn functions_answer() {
    says("version_at_least(node.kubelet.version, \"1.34\") && !version_at_least(node.kubelet.version, \"1.35\")", true);
    says("days_until(\"2026-08-31T00:00:00Z\") == 30 && days_until(\"2026-07-31\") == 0", true);
    says("mode_within(\"600\", \"644\") && !mode_within(\"4600\", \"644\") && !mode_within(\"660\", \"644\")", true);
    says("cidr_within(\"10.1.1.1\", [\"192.168.0.0/16\", \"10.0.0.0/8\"]) && !cidr_within(\"1.1.1.1\", [])", true);
    says("subset_of(split(\"a, b,\", \",\"), [\"a\", \"b\", \"c\"]) && lower(\"AbC\") == \"abc\"", true);
    says("int(\"4\") <= 4 && string(4) == \"4\" && \"abc\".matches(\"^a.c$\")", true);
}

#[test]
fn what_decided_is_written_down() {
    let paths = |answer: Answer| answer.touches.iter().map(|touch| touch.path.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(ask("node.kubelet.port == 5 && has(node.nope)")), ["node.kubelet.port", "node.nope"]);
    assert_eq!(paths(ask("node.sshd.x || node.kubelet.on")), ["node.kubelet.on"], "an unread side that did not matter");
    assert_eq!(paths(ask("node.kubelet.items.all(x, x.n > 0)")).last().unwrap(), "node.kubelet.items.1.n");
}

#[test]
fn what_cannot_be_bounded_is_refused_before_it_is_parsed() {
    let refused = |source: &str, part: &str| {
        let errors = compile(source).expect_err(source);
        assert!(errors.iter().any(|error| error.contains(part)), "{errors:?}");
    };
    refused(&format!("{}true{}", "(".repeat(21), ")".repeat(21)), "deeper than 20");
    refused(&format!("\"{}\" == \"\"", "x".repeat(1_000)), "limit is 1000");
    refused(&format!("{}true", "!".repeat(900)), "in a row");
    refused(&format!("true{}", "?true:true".repeat(50)), "`?`");
    refused(&format!("true{}", "+1".repeat(300)), "levels");
    refused("node.a.all(x, x.b.all(y, y.c.all(z, z)))", "more than 2");
    refused("  ", "empty");
    refused("node.kubelet.gone == null", "has(path)");
    assert!(compile(&format!("{}true{}", "(".repeat(20), ")".repeat(20))).is_ok());
    assert!(compile("\"((((((((((((((((((((((((\" == \"\\\"((\"").is_ok(), "brackets in texts do not count");
}

#[test]
fn the_deepest_expressions_that_load_are_evaluated_on_a_small_stack() {
    let source = format!("node.kubelet.on{}", " == true".repeat(36));
    let expression = compile(&source).unwrap();
    let node = node();
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let log = Log::default();
        Scope::new(&[("node", &node)], &log, jiff::Timestamp::UNIX_EPOCH).ask(&expression).holds
    });
    assert_eq!(thread.unwrap().join().unwrap(), Ok(true));
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let leaf = prop_oneof![
        Just(Reading::new(Value::Absent)),
        Just(Reading::unread(Reason::Forbidden, "")),
        any::<bool>().prop_map(|truth| Reading::new(Value::Bool(truth))),
        any::<i64>().prop_map(|int| Reading::new(Value::Int(int))),
        any::<f64>().prop_map(|float| Reading::new(Value::Float(float))),
        "\\PC{0,12}".prop_map(Reading::text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), any::<bool>())
                .prop_map(|(items, whole)| { Reading::list(items, (!whole).then(|| Gap::new(Reason::TooLarge, ""))) }),
            prop::collection::btree_map("[abxn]", inner, 0..4).prop_map(Reading::map),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_never_panics_and_nothing_unread_passes(node in any_reading()) {
        for source in [
            "node.a == 1", "node.a.b != \"x\"", "has(node.a.b) && node.a.b.all(x, x.n > 1)", "node.a[0].b in node.b",
            "node.a.filter(x, x.a == x.b).map(x, x.n).exists_one(x, x == 2)", "size(node.a) > 0 || node.b",
            "node.a + node.b == node.n", "node.a ? node.b : !node.x", "-node.a < node.b % 3", "subset_of(node.a, node.b)",
            "cidr_within(node.a, node.b)", "mode_within(node.a, node.b)", "days_until(node.a) >= node.b", "node.a == node.b",
            "version_at_least(node.a, node.b)", "split(node.a, node.b) == [lower(node.n)]", "intersects(node.a, node.b)",
            "node.a[node.b] != node.n[\"x\"]", "int(node.a) == 1", "string(node.a) == \"\"", "node.a - node.b > node.a * node.b",
        ] {
            let _ = ask_of(&node, source);
        }
        if matches!(node.child("a").value, Value::Unread(_) | Value::Absent) {
            for source in ["node.a == 1", "node.a != 1", "!(node.a in [1])", "node.a.all(x, true)", "size(node.a) >= 0"] {
                prop_assert!(ask_of(&node, source).holds.is_err());
            }
        }
    }

    #[test]
    fn compiling_never_panics(source in "\\PC{0,60}", parts in prop::collection::vec(prop::sample::select(vec![
        "node", ".a", "(", ")", "[", "]", "{", "}", "!", "-", "?", ":", "&&", "||", "==", "in", "has(", ".all(x,", "1", "\"", ",", "x", "null", "1u", "b\"a\"", " ",
    ]), 0..40)) {
        let _ = compile(&source);
        let _ = compile(&parts.concat());
    }
}

/// Who may come to sshd, by the embedded catalog, of a node without a firewall.
fn restricted(users: serde_json::Value, options: serde_json::Value, more: &[(&str, &str)]) -> Result<bool, String> {
    let catalog = crate::catalog::Catalog::embedded().unwrap();
    let control = catalog.controls.iter().find(|control| control.id == "ssh-restricted-to-networks").unwrap();
    let mut settings = json!({
        "allowusers": users, "passwordauthentication": "no", "kbdinteractiveauthentication": "no",
        "hostbasedauthentication": "no", "gssapiauthentication": "no", "authorizedkeyscommand": "none"
    });
    for (name, value) in more {
        settings[*name] = json!(value);
    }
    let node = Reading::from_json(&json!({
        "firewall": {"ssh_sources": ["0.0.0.0/0"]}, "authorized_keys": [{"options": options}],
        "sshd": {"contexts": [{"settings": settings}]}
    }));
    ask_of(&node, control.expect.as_deref().unwrap()).holds.map_err(|doubt| doubt.why)
}

#[test]
fn a_pattern_that_lets_everybody_in_restricts_nobody() {
    for users in ["ops@10.0.8.0/24", "ops@10.0.8.*", "*@2001:db8::/32", "ops@10.0.8.0/24,10.0.9.1", "ops@*.site"] {
        assert_eq!(restricted(json!([users]), json!([]), &[]), Ok(true), "{users}");
    }
    for users in ["ops", "ops@*", "ops@", "ops@*.*", "ops@?*", "ops@!10.0.0.1,*", "ops@0.0.0.0/0", "*@::/0"] {
        assert_eq!(restricted(json!(["ana@10.0.8.1", users]), json!([]), &[]), Ok(false), "{users}");
    }
    for from in ["10.0.8.0/24", "10.0.8.*,fd00::/8", "!10.0.8.1,10.0.8.0/24", "*.site"] {
        let options = json!(["no-pty", format!("from=\"{from}\"")]);
        assert_eq!(restricted(json!(null), options.clone(), &[]), Ok(true), "{from}");
        for other in ["gssapiauthentication", "hostbasedauthentication"] {
            assert_eq!(restricted(json!(null), options.clone(), &[(other, "yes")]), Ok(false), "{from}, {other}");
        }
    }
    for from in ["*", "!10.0.0.1,*", "0.0.0.0/0", "10.0.8.1,::/0,fd00::1", "*.*.*.*", "?*"] {
        let options = json!([format!("from=\"{from}\"")]);
        assert_eq!(restricted(json!(null), options, &[]), Ok(false), "{from}");
    }
}

#[test]
fn an_empty_list_of_ciphers_is_the_default_and_holds_nobody_to_anything() {
    let catalog = crate::catalog::Catalog::embedded().unwrap();
    let control = catalog.controls.iter().find(|control| control.id == "kubelet-tls-ciphers").unwrap();
    for (ciphers, expected) in [(json!([]), false), (json!(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]), true)] {
        let effective = json!({"tlsMinVersion": "VersionTLS12", "tlsCipherSuites": ciphers});
        let node = Reading::from_json(&json!({"kubelet": {"effective": effective}}));
        assert_eq!(ask_of(&node, control.expect.as_deref().unwrap()).holds.map_err(|doubt| doubt.why), Ok(expected));
    }
}
