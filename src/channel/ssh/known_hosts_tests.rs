#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

const NODE: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAICBlPYMkqzUrAiISJvtWg9RJSZW9aVRkrnNDNTEHuogU";

const HASHED_NAME: &str = "|1|NUs3q8yBQ/jQvbRmRobsQUb0fFs=|ODXXqpFjmRkVPtxADBRb8A7EmHU=";
const HASHED_PORT: &str = "|1|S4FXitUZw+Qc8shNyyYN3mheVYQ=|SJ10erLyoTJuSOU12k1W+jhIbSQ=";

fn key(base64: &str) -> Vec<u8> {
    blob::from_base64(base64).unwrap()
}

fn rsa() -> Vec<u8> {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    [string(b"ssh-rsa"), string(&[1, 0, 1]), string(&[7; 257])].concat()
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("known_hosts"), text.as_bytes());
    known
}

fn place(line: usize) -> Place {
    Place { file: "known_hosts".into(), line }
}

fn is_known(hosts: &str, name: &str) -> bool {
    match known(&format!("{hosts} ssh-ed25519 {NODE} comment\n")).check(name, &key(NODE)) {
        Verdict::Known(_) => true,
        Verdict::Unknown(others) => {
            assert!(others.is_empty());
            false
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn names_addresses_lists_and_ports() {
    assert!(is_known("edge1", "edge1"));
    assert!(is_known("EDGE1.Example", &host_name("edge1.EXAMPLE", 22)));
    assert!(is_known("edge1,10.0.0.4", "10.0.0.4"));
    assert!(is_known("fe80::1", &host_name("fe80::1", 22)));
    assert!(is_known("[10.0.0.4]:2222", &host_name("10.0.0.4", 2222)));
    assert!(!is_known("10.0.0.4", &host_name("10.0.0.4", 2222)), "an entry without a port is for port 22");
    assert!(!is_known("[10.0.0.4]:2222", &host_name("10.0.0.4", 22)));
    assert!(!is_known("edge", "edge1"));
}

#[test]
fn patterns_and_negation() {
    assert!(is_known("*.site.example", "node3.site.example"));
    assert!(!is_known("*.site.example", "site.example"));
    assert!(is_known("10.0.0.?", "10.0.0.4"));
    assert!(!is_known("10.0.0.?", "10.0.0.44"));
    assert!(is_known("[*]:2222", &host_name("10.0.0.4", 2222)));
    assert!(!is_known("*.site.example,!node3.site.example", "node3.site.example"));
    assert!(is_known("*.site.example,!node3.site.example", "node4.site.example"));
    assert!(!is_known("!node3", "node4"), "a negation alone means nobody");
    assert!(!is_known("a*a*a*a*a*a*a*a*a*a*b", &"a".repeat(5000)));
}

#[test]
fn hashed_names_are_those_of_ssh_keygen() {
    // Made with `ssh-keygen -H` from `node3.site.example` and `[10.0.0.4]:2222`.
    assert!(is_known(HASHED_NAME, "node3.site.example"));
    assert!(!is_known(HASHED_NAME, "node4.site.example"));
    assert!(is_known(HASHED_PORT, &host_name("10.0.0.4", 2222)));
    assert!(!is_known(HASHED_PORT, &host_name("10.0.0.4", 22)));
}

#[test]
fn a_changed_key_says_where_and_what_was_known() {
    let known = known(&format!("# nodes\n\nedge1 ssh-ed25519 {OTHER}\n"));
    let fingerprint = blob::fingerprint(&key(OTHER));
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Changed { place: place(3), fingerprint });
}

#[test]
fn a_match_further_down_counts_before_a_difference() {
    let known = known(&format!("edge1 ssh-ed25519 {OTHER}\nedge1 ssh-ed25519 {NODE}\n"));
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Known(place(2)));
}

#[test]
fn a_revoked_key_is_revoked_though_another_line_knows_it() {
    let known = known(&format!("edge1 ssh-ed25519 {NODE}\n@revoked * ssh-ed25519 {NODE}\n"));
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Revoked(place(2)));
    assert_eq!(known.kinds("edge2"), Vec::<&str>::new(), "a revoked key is no reason to ask for its type");
}

#[test]
fn another_type_of_key_is_told() {
    let rsa = openssl::base64::encode_block(&rsa());
    let known = known(&format!("edge1 ssh-rsa {rsa}\nedge1 ssh-rsa {rsa}\n"));
    assert_eq!(known.kinds("edge1"), ["ssh-rsa"]);
    let Verdict::Unknown(others) = known.check("edge1", &key(NODE)) else { unreachable!() };
    assert_eq!(others.first(), Some(&("ssh-rsa".to_owned(), place(1))));
}

#[test]
fn certificate_authorities_are_kept_apart_from_keys() {
    let known = known(&format!("@cert-authority * ssh-ed25519 {NODE}\n"));
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Unknown(Vec::new()));
    assert_eq!(known.authorities(&["edge1"]), [(key(NODE).as_slice(), place(1))]);
    assert_eq!(known.revoked(&["edge1"], &key(NODE)), None);
}

#[test]
fn bad_lines_are_skipped_with_file_and_line() {
    let bad = format!(
        "edge1\nedge1 ssh-ed25519\nedge1 ssh-ed25519 !!!\nedge1 ssh-rsa {NODE}\n@marker edge1 ssh-ed25519 {NODE}\n\
         |2|abc ssh-ed25519 {NODE}\n@revoked\nedge1 ssh-ed25519 {NODE}\n"
    );
    let known = known(&bad);
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Known(place(8)));
    assert_eq!(known.warnings().len(), 4);
    assert!(known.warnings().iter().any(|warning| warning.starts_with("known_hosts:1: line skipped")));
    assert!(known.warnings().iter().any(|warning| warning.contains("4 more lines")));
}

#[test]
fn broken_utf8_and_windows_line_ends() {
    let mut known = KnownHosts::default();
    let text = [b"\xff\xfe\nedge1 ssh-ed25519 ".as_slice(), NODE.as_bytes(), b"\r\n"].concat();
    known.add(Path::new("known_hosts"), &text);
    assert_eq!(known.check("edge1", &key(NODE)), Verdict::Known(place(2)));
}

#[test]
fn ten_thousand_hashed_lines_are_read() {
    let line = format!("{HASHED_PORT} ssh-ed25519 {OTHER}\n");
    let text = format!("{}edge1 ssh-ed25519 {NODE}\n", line.repeat(10_000));
    assert_eq!(known(&text).check("edge1", &key(NODE)), Verdict::Known(place(10_001)));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..400), name in ".{0,40}") {
        let mut known = KnownHosts::default();
        known.add(Path::new("known_hosts"), &text);
        let _ = known.check(&name, &text);
        let _ = known.kinds(&name);
    }

    #[test]
    fn a_good_line_is_found_among_any_others(before in "[ -~]{0,60}(\n[ -~]{0,60}){0,4}") {
        prop_assume!(!before.contains("@revoked"));
        let known = known(&format!("{before}\nedge1 ssh-ed25519 {NODE}\n"));
        prop_assert!(matches!(known.check("edge1", &key(NODE)), Verdict::Known(_)));
    }

    #[test]
    fn wildcards_agree_with_a_plain_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
        fn plain(pattern: &[u8], name: &[u8]) -> bool {
            match (pattern.split_first(), name.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => plain(rest, name) || name.split_first().is_some_and(|(_, n)| plain(pattern, n)),
                (Some((p, rest)), Some((n, left))) => (*p == b'?' || p == n) && plain(rest, left),
                _ => false,
            }
        }
        prop_assert_eq!(fits(&pattern, &name), plain(pattern.as_bytes(), name.as_bytes()));
    }
}
