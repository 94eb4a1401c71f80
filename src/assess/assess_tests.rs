//! From evidence to findings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::evidence::{
    Certificate, ChannelKind, Fact, FileFact, FileKind, Listing, NodeEvidence, OsRelease, Profile, SiteFacts,
    Thresholds, Tool, Unread,
};
use proptest::prelude::*;
use std::path::PathBuf;

const NOW: &str = "2026-08-01T00:00:00Z";

fn file(path: &str, mode: Fact<String>) -> FileFact {
    FileFact {
        path: path.to_owned(),
        role: "pki".to_owned(),
        named_by: String::new(),
        kind: Fact::Known(FileKind::Regular),
        unread: mode.is_unread().then_some(Reason::Forbidden),
        mode,
        owner: Fact::Known("root".to_owned()),
        group: Fact::Known("root".to_owned()),
        uid: Fact::Known(0),
        gid: Fact::Known(0),
        modified: Fact::Unread,
    }
}

fn known(mode: &str) -> Fact<String> {
    Fact::Known(mode.to_owned())
}

/// A node that answered wholly; everything that is not set is unread as "the evidence does not hold it".
fn node(name: &str) -> NodeEvidence {
    let mut node = NodeEvidence::unread(name, None, ChannelKind::Ssh, Reason::Unreachable, "");
    (node.reached, node.complete) = (true, true);
    node.errors.clear();
    node.unread.clear();
    node
}

fn evidence(nodes: Vec<NodeEvidence>) -> Evidence {
    Evidence {
        schema: crate::evidence::SCHEMA.to_owned(),
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        started: NOW.parse().unwrap(),
        finished: NOW.parse().unwrap(),
        seat: Default::default(),
        site: SiteFacts::default(),
        cluster: None,
        endpoints: None,
        nodes,
    }
}

/// A catalog of one control, whose keys after the usual ones are `keys`.
fn control(keys: &str) -> Catalog {
    let keys: String = keys.trim().lines().map(|line| format!("  {}\n", line.trim())).collect();
    let text = format!(
        "- id: it\n  section: patches\n  title: It\n  severity: high\n  who: vendor\n  minutes: 1\n  why: w\n  fix: f\n{}{keys}",
        if keys.contains("scope:") { "" } else { "  scope: node\n" }
    );
    catalog(&text)
}

fn catalog(text: &str) -> Catalog {
    Catalog::of_files(&[(PathBuf::from("test.yaml"), text.to_owned())]).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn run(catalog: &Catalog, nodes: Vec<NodeEvidence>) -> Assessment {
    let lifecycle = Lifecycle::embedded().unwrap();
    assess(&evidence(nodes), catalog, &lifecycle, &Policy::default(), NOW.parse().unwrap())
}

fn one(keys: &str, node: NodeEvidence) -> Finding {
    let mut findings = run(&control(keys), vec![node]).findings;
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

fn keys_of(files: Vec<FileFact>, complete: bool) -> Finding {
    let mut subject = node("n");
    subject.files = Listing { items: files, complete };
    if !complete {
        let gap = Unread { path: "files".to_owned(), reason: Reason::Timeout, detail: "stat took too long".to_owned() };
        subject.unread.push(gap);
    }
    one(
        "each: node.files\nwhere: item.path.endsWith(\".key\")\nexpect: mode_within(item.mode, \"600\")\nshows: [item.mode, item.owner]",
        subject,
    )
}

#[test]
fn failing_items_come_first_and_unread_ones_after_them() {
    let finding = keys_of(
        vec![
            file("/pki/a.key", Fact::Unread),
            file("/pki/b.key", known("600")),
            file("/pki/c.key", known("644")),
            file("/pki/ca.crt", known("644")),
        ],
        true,
    );
    assert_eq!((finding.verdict, finding.items_asked), (Verdict::Fail, Some(3)));
    assert_eq!(finding.message, "1 of 3 files does not hold: /pki/c.key; 1 could not be told.");
    let items: Vec<_> = finding.items.iter().map(|item| (item.name.as_str(), item.verdict, item.reason)).collect();
    assert_eq!(items, [("/pki/c.key", Verdict::Fail, None), ("/pki/a.key", Verdict::Unknown, Some(Reason::Forbidden))]);
    let mode = &finding.items[0].evidence[0];
    assert_eq!((&*mode.path, &mode.value), ("item.mode", &serde_json::json!("644")));
    assert_eq!(mode.origin, "read on the node by ssh");
    assert_eq!(finding.items[1].evidence[0].unread, Some(Reason::Forbidden));
}

#[test]
fn an_unread_item_or_an_incomplete_list_never_passes() {
    let unread = keys_of(vec![file("/pki/a.key", Fact::Unread), file("/pki/b.key", known("600"))], true);
    assert_eq!((unread.verdict, unread.reason), (Verdict::Unknown, Some(Reason::Forbidden)));
    assert!(
        unread.message.starts_with("1 of 2 files could not be told: /pki/a.key: item.mode was not read"),
        "{}",
        unread.message
    );

    let partial = keys_of(vec![file("/pki/b.key", known("600"))], false);
    assert_eq!((partial.verdict, partial.reason), (Verdict::Unknown, Some(Reason::Timeout)));
    assert_eq!(
        partial.message,
        "The list of files may be incomplete (timeout: stat took too long); the one that was seen holds."
    );
    assert_eq!(keys_of(Vec::new(), false).verdict, Verdict::Unknown);
    assert_eq!(keys_of(vec![file("/pki/c.key", known("777"))], false).verdict, Verdict::Fail, "a failing item decides");

    let wrong = keys_of(vec![file("/pki/a.key", known("rw-r--r--"))], true);
    assert_eq!((wrong.verdict, wrong.reason), (Verdict::Unknown, Some(Reason::Malformed)));
}

#[test]
fn an_unread_where_never_passes() {
    let mut subject = node("n");
    subject.files = Listing::whole(vec![file("/a", Fact::Unread), file("/b", known("600"))]);
    let finding = one("each: node.files\nwhere: item.mode == \"600\"\nexpect: item.uid == 0", subject);
    assert_eq!((finding.verdict, finding.reason, finding.items.len()), (Verdict::Unknown, Some(Reason::Forbidden), 1));
}

#[test]
fn an_empty_complete_list_is_not_applicable_or_what_the_control_says() {
    assert_eq!(keys_of(vec![file("/pki/ca.crt", known("644"))], true).verdict, Verdict::NotApplicable);
    let mut subject = node("n");
    subject.files = Listing::whole(Vec::new());
    let finding = one("each: node.files\nexpect: \"false\"\nempty: pass", subject);
    assert_eq!((finding.verdict, finding.items_asked), (Verdict::Pass, Some(0)));
}

#[test]
fn all_items_that_hold_pass() {
    let finding = keys_of(vec![file("/a.key", known("600")), file("/b.key", known("400"))], true);
    assert_eq!((finding.verdict, finding.message.as_str()), (Verdict::Pass, "All 2 files that it is about hold."));
}

#[test]
fn when_decides_whether_it_applies() {
    let mut subject = node("n");
    subject.kubelet.exists = Fact::Known(false);
    let keys = "when: node.kubelet.exists\notherwise: No kubelet runs here.\nexpect: node.kubelet.version == \"1\"";
    let finding = one(keys, subject);
    assert_eq!((finding.verdict, finding.message.as_str()), (Verdict::NotApplicable, "No kubelet runs here."));
    assert_eq!(&*finding.evidence[0].path, "node.kubelet.exists");

    let mut subject = node("n");
    let gap = Unread { path: "kubelet".to_owned(), reason: Reason::Forbidden, detail: String::new() };
    subject.unread.push(gap);
    let finding = one(keys, subject);
    assert_eq!((finding.verdict, finding.reason), (Verdict::Unknown, Some(Reason::Forbidden)));
}

#[test]
fn a_plain_control_tells_values_and_origins() {
    let mut subject = node("n");
    subject.reboot.required = Fact::Known(true);
    subject.reboot.signs = Fact::Known(vec!["/run/reboot-required".to_owned()]);
    let keys = "expect: \"!node.reboot.required\"\nshows: [node.reboot.signs]";
    let finding = one(keys, subject);
    assert_eq!(
        (finding.verdict, finding.message.as_str()),
        (Verdict::Fail, "It does not hold: reboot.required is true.")
    );
    assert_eq!(finding.evidence[0].value, serde_json::json!(["/run/reboot-required"]));
    let finding = one(keys, node("n"));
    assert_eq!((finding.verdict, finding.reason), (Verdict::Unknown, Some(Reason::NotVisible)));
    assert!(finding.evidence.iter().all(|shown| shown.unread.is_some()));
}

#[test]
fn what_a_node_says_cannot_drive_the_terminal() {
    let mut subject = node("n");
    subject.files = Listing::whole(vec![file("/\u{1b}[2Jx\u{202e}\n.key", known("777"))]);
    subject.os.pretty_name = Fact::Known("\u{9b}31m evil".to_owned());
    let keys = "each: node.files\nexpect: mode_within(item.mode, \"600\")\nshows: [item.path, node.os.pretty_name]";
    let json = serde_json::to_string(&one(keys, subject)).unwrap();
    assert!(!json.contains("\\u001b") && !json.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{json}");
}

#[test]
fn a_node_that_was_not_reached_is_unknown_in_everything_and_the_scan_incomplete() {
    let lost = NodeEvidence::unread("lost", None, ChannelKind::Ssh, Reason::Timeout, "It did not answer: try again.");
    let text = "
- {id: a, section: patches, title: A, severity: high, scope: node, who: vendor, minutes: 1, why: w, fix: f, expect: 'true'}
- {id: b, section: patches, title: B, severity: high, scope: node, who: vendor, minutes: 1, why: w, fix: f, ask: Look at it.}
- {id: c, section: patches, title: C, severity: high, scope: site, who: vendor, minutes: 1, why: w, fix: f, ask: Look at it.}
- {id: d, section: patches, title: D, severity: high, scope: cluster, who: vendor, minutes: 1, why: w, fix: f, expect: cluster.reached}";
    let assessment = run(&catalog(text), vec![lost, node("here")]);
    let seen: Vec<_> =
        assessment.findings.iter().map(|f| (f.control.as_str(), f.target.as_str(), f.verdict, f.reason)).collect();
    assert_eq!(
        seen,
        [
            ("a", "node/lost", Verdict::Unknown, Some(Reason::Timeout)),
            ("a", "node/here", Verdict::Pass, None),
            ("b", "node/lost", Verdict::Manual, None),
            ("b", "node/here", Verdict::Manual, None),
            ("c", "site", Verdict::Manual, None),
        ]
    );
    assert_eq!(assessment.findings[0].message, "It did not answer: try again.");
    assert!(assessment.summary.incomplete);
    assert_eq!((assessment.summary.pass, assessment.summary.unknown, assessment.summary.manual), (1, 1, 3));
    assert_eq!(assessment.exit_code(Severity::Low), 3);
}

#[test]
fn exit_codes() {
    let failing = run(&control("expect: 'false'"), vec![node("n")]);
    assert_eq!((failing.exit_code(Severity::High), failing.exit_code(Severity::Critical)), (1, 0));
    let mut cut = node("n");
    cut.complete = false;
    assert_eq!(run(&control("expect: 'false'"), vec![cut.clone()]).exit_code(Severity::Critical), 3);
    assert_eq!(run(&control("expect: 'false'"), vec![cut]).exit_code(Severity::High), 1);
    let mut refused = node("n");
    refused.unread.push(Unread { path: String::new(), reason: Reason::Forbidden, detail: String::new() });
    assert!(run(&control("expect: 'true'"), vec![refused]).summary.incomplete);
    let mut single = node("n");
    single.unread.push(Unread { path: "files".to_owned(), reason: Reason::Forbidden, detail: String::new() });
    assert!(!run(&control("expect: 'true'"), vec![single]).summary.incomplete, "single facts do not count");
}

#[test]
fn the_policy_filters_and_gives_numbers() {
    let text = "
- {id: a, section: patches, title: A, severity: high, scope: node, who: vendor, minutes: 1, why: w, fix: f, expect: 'policy.certificate_days == 7'}
- {id: b, section: node-access, profile: cis, title: B, severity: high, scope: node, who: vendor, minutes: 1, why: w, fix: f, expect: 'true'}";
    let catalog = catalog(text);
    let lifecycle = Lifecycle::embedded().unwrap();
    let ids = |policy: &Policy| {
        let found = assess(&evidence(vec![node("n")]), &catalog, &lifecycle, policy, NOW.parse().unwrap()).findings;
        found.iter().map(|f| (f.control.clone(), f.verdict)).collect::<Vec<_>>()
    };
    let thresholds = Thresholds { certificate_days: 7, support_days: 0 };
    let guide = Policy { thresholds, ..Policy::default() };
    assert_eq!(ids(&guide), [("a".to_owned(), Verdict::Pass)]);
    let cis = Policy { profile: Profile::Cis, ..Policy::default() };
    assert_eq!(ids(&cis), [("a".to_owned(), Verdict::Fail), ("b".to_owned(), Verdict::Pass)]);
    let section = Policy { profile: Profile::Cis, sections: vec!["node-access".to_owned()], ..Policy::default() };
    assert_eq!(ids(&section), [("b".to_owned(), Verdict::Pass)]);
    let named = Policy { controls: vec!["b".to_owned()], ..Policy::default() };
    assert_eq!(ids(&named), [("b".to_owned(), Verdict::Pass)]);
}

#[test]
fn support_of_the_operating_system_is_bound() {
    let os = |id: &str, version: &str| {
        let mut subject = node("n");
        subject.os = OsRelease {
            id: Fact::Known(id.to_owned()),
            version_id: Fact::Known(version.to_owned()),
            id_like: Fact::Absent,
            pretty_name: Fact::Absent,
        };
        one("expect: \"!node.os.lifecycle.ended\"\nshows: [node.os.lifecycle.eol]", subject)
    };
    assert_eq!(os("debian", "13").verdict, Verdict::Pass);
    assert_eq!(os("debian", "11").verdict, Verdict::Pass);
    assert_eq!(os("debian", "10").verdict, Verdict::Fail);
    let azure = os("azurelinux", "3.0");
    assert_eq!((azure.verdict, azure.reason), (Verdict::Unknown, Some(Reason::NotVisible)));
    assert!(azure.message.contains("Azure Linux"), "{}", azure.message);
}

#[test]
fn certificates_end_by_the_time_of_the_assessment() {
    let certificate = |end: &str| Certificate {
        name: "/pki/ca.crt".to_owned(),
        path: "/pki/ca.crt".to_owned(),
        role: "pki".to_owned(),
        subject: Fact::Unread,
        issuer: Fact::Unread,
        not_before: Fact::Unread,
        not_after: Fact::Known(end.parse().unwrap()),
        is_ca: Fact::Unread,
        key: Fact::Unread,
        signature: Fact::Unread,
        sha256: Fact::Unread,
        unread: None,
    };
    for (end, verdict) in [("2026-08-31T00:00:00Z", Verdict::Pass), ("2026-08-30T23:59:59Z", Verdict::Fail)] {
        let mut subject = node("n");
        subject.certificates = Listing::whole(vec![certificate(end)]);
        let keys = "each: node.certificates\nexpect: days_until(item.not_after) >= policy.certificate_days";
        assert_eq!(one(keys, subject).verdict, verdict, "{end}");
    }
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    let catalog = Catalog::embedded().unwrap();
    let nodes = vec![node("b"), node("a"), NodeEvidence::unread("x", None, ChannelKind::Local, Reason::Timeout, "m")];
    let first = serde_json::to_string(&run(&catalog, nodes.clone())).unwrap();
    assert_eq!(first, serde_json::to_string(&run(&catalog.clone(), nodes)).unwrap());
}

#[test]
fn nothing_passes_on_a_node_of_which_nothing_was_read() {
    let assessment = run(&Catalog::embedded().unwrap(), vec![node("n")]);
    let passed: Vec<_> =
        assessment.findings.iter().filter(|f| f.verdict == Verdict::Pass).map(|f| &f.control).collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert!(assessment.findings.iter().all(|f| f.verdict != Verdict::Fail && !f.message.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_mode_that_is_wrong_or_unread_passes(modes in prop::collection::vec(prop::option::of("[0-9a-z]{0,5}"), 0..5), complete: bool) {
        let right = |mode: &Option<String>| mode.as_deref().and_then(|mode| u32::from_str_radix(mode, 8).ok()).is_some_and(|bits| bits & !0o600 == 0);
        let all_right = modes.iter().all(right);
        let files = modes.iter().enumerate().map(|(n, mode)| file(&format!("/{n}.key"), mode.clone().map_or(Fact::Unread, Fact::Known)));
        let finding = keys_of(files.collect(), complete);
        if finding.verdict == Verdict::Pass {
            prop_assert!(complete && all_right && !modes.is_empty());
        }
    }
}

#[test]
fn texts_of_several_lines_become_one() {
    let text = "
- id: a
  section: patches
  title: A
  severity: high
  scope: site
  who: vendor
  minutes: 1
  why: w
  fix: f
  ask: |
    Look at it.

    Then ask.
";
    assert_eq!(run(&catalog(text), Vec::new()).findings[0].message, "Look at it. Then ask.");
}

#[test]
fn a_control_without_conditions_is_for_a_person() {
    let asked = control("ask: Look at it.");
    let bare = Catalog::sample(asked.controls.to_vec());
    assert_eq!(run(&bare, vec![node("n")]).findings, run(&asked, vec![node("n")]).findings);
}

#[test]
fn a_list_of_what_is_wrong_says_how_many_there_are_and_not_that_they_do_not_hold() {
    let faults = |paths: &[&str], more: &str| {
        let mut subject = node("n");
        subject.files = Listing::whole(paths.iter().map(|path| file(path, known("600"))).collect());
        one(&format!("each: node.files\nempty: pass\nexpect: 'false'{more}"), subject)
    };
    let two = faults(&["/a", "/b"], "");
    assert_eq!((two.verdict, two.message.as_str()), (Verdict::Fail, "2 files: /a, /b."));
    assert_eq!(faults(&["/a"], "").message, "1 file: /a.");
    let none = faults(&[], "");
    assert_eq!((none.verdict, none.message.as_str()), (Verdict::Pass, "It holds: there are no files."));
    let narrowed = "\nwhere: item.path == \"/a\"";
    assert_eq!(faults(&["/a", "/b"], narrowed).message, "1 file of this kind: /a.");
    assert_eq!(faults(&["/b"], narrowed).message, "It holds: there are no files of this kind.");
}
