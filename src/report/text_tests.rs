#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::assess::{SCHEMA, Summary, TargetKind};
use crate::catalog::{References, Scope, Severity};
use crate::evidence::{ChannelKind, ProbeError, Profile, Reason, Seat, SiteFacts, Tool};
use serde_json::json;

fn finding(control: &str, verdict: Verdict, severity: Severity) -> Finding {
    Finding {
        control: control.to_owned(),
        title: format!("Title of {control}"),
        section: Section::NodeAccess,
        severity,
        scope: Scope::Node,
        target: "node/n1".to_owned(),
        verdict,
        reason: None,
        message: format!("Message of {control}."),
        evidence: Vec::new(),
        items: Vec::new(),
        items_asked: None,
        references: References::default().into(),
        attestation: None,
        waiver: None,
        remedy: None,
    }
}

fn assessment(findings: Vec<Finding>) -> Assessment {
    let time = "2026-08-22T10:00:00Z".parse().unwrap();
    Assessment {
        schema: SCHEMA,
        tool: Tool { name: "sitewarden".to_owned(), version: "0".to_owned() },
        site: SiteFacts::default(),
        identity: None,
        cluster: None,
        seat: Seat { host: "laptop".to_owned(), user: "ana".to_owned() },
        operator: "ana".to_owned(),
        profile: Profile::Guide,
        catalog_digest: "0123456789abcdef".to_owned(),
        lifecycle_date: "2026-08-22".to_owned(),
        platform: None,
        as_of: time,
        started: time,
        finished: time,
        targets: vec![Target {
            id: "node/n1".to_owned(),
            kind: TargetKind::Node,
            channel: Some(ChannelKind::Ssh),
            kubernetes: None,
            reached: true,
            complete: false,
            errors: vec![ProbeError { reason: Reason::Timeout, message: "Cut \x1b[31moff.".to_owned() }],
        }],
        findings,
        summary: Summary { fail: 1, incomplete: true, ..Summary::default() },
    }
}

fn at(page: &str, needle: &str) -> usize {
    page.find(needle).unwrap_or_else(|| panic!("{needle:?} is not in:\n{page}"))
}

#[test]
fn what_fails_comes_first_then_unknown_and_the_worst_before_the_rest() {
    let page = text(
        &assessment(vec![
            finding("passes", Verdict::Pass, Severity::Critical),
            finding("unread", Verdict::Unknown, Severity::Critical),
            finding("fails-a-little", Verdict::Fail, Severity::Low),
            finding("fails-badly", Verdict::Fail, Severity::High),
            finding("is-not-here", Verdict::NotApplicable, Severity::High),
        ]),
        TextOptions::default(),
    );
    let order = ["fails-badly", "fails-a-little", "unread", "passes", "is-not-here"];
    assert!(order.windows(2).all(|pair| at(&page, pair[0]) < at(&page, pair[1])), "{page}");
    assert!(page.contains("Message of is-not-here."), "not applicable says why:\n{page}");
    assert!(!page.contains("Message of passes."), "what passes takes one line:\n{page}");
    assert!(page.contains("sitewarden explain fails-badly"));
    assert!(page.contains("INCOMPLETE"));
    assert!(page.contains("READ IN PART"));
}

#[test]
fn evidence_is_shown_with_its_origin_and_what_was_not_read_with_why() {
    let mut bad = finding("bad", Verdict::Fail, Severity::High);
    bad.evidence = vec![
        Shown { path: "node.a".into(), value: json!(10255), origin: "flag of the kubelet".into(), unread: None },
        Shown { path: "node.b".into(), value: json!(null), origin: "".into(), unread: None },
        Shown {
            path: "node.c".into(),
            value: json!(null),
            origin: "the login may not read it".into(),
            unread: Some(Reason::Forbidden),
        },
    ];
    let page = text(&assessment(vec![bad]), TextOptions::default());
    assert!(page.contains("node.a = 10255\n"));
    assert!(page.contains("from: flag of the kubelet\n"));
    assert!(page.contains("node.b: does not exist\n"));
    assert!(page.contains("node.c: not read (forbidden): the login may not read it\n"));
}

#[test]
fn items_are_counted_and_a_long_list_is_cut_unless_everything_is_asked_for() {
    let mut bad = finding("bad", Verdict::Fail, Severity::High);
    bad.items_asked = Some(40);
    bad.items = (0..25)
        .map(|n| ItemVerdict {
            name: format!("/etc/key-{n}"),
            verdict: Verdict::Fail,
            reason: None,
            evidence: Vec::new(),
        })
        .collect();
    let page = assessment(vec![bad]);
    let short = text(&page, TextOptions::default());
    assert!(short.contains("of 40 looked at, 25 fail and 0 are unknown:"));
    assert!(short.contains("... and 15 more; -v lists them all"));
    assert!(!short.contains("/etc/key-24"));
    let long = text(&page, TextOptions { everything: true, ..TextOptions::default() });
    assert!(long.contains("fail: /etc/key-24"));
}

#[test]
fn no_control_byte_of_the_evidence_reaches_the_page_and_no_line_is_too_long() {
    let nasty = "\x1b]0;owned\x07\u{9b}2J\u{202e}\r\n".repeat(20);
    let mut bad = finding("bad", Verdict::Fail, Severity::High);
    bad.target = format!("node/{nasty}");
    bad.message = nasty.clone();
    bad.evidence =
        vec![Shown { path: nasty.as_str().into(), value: json!(nasty), origin: nasty.clone().into(), unread: None }];
    bad.items =
        vec![ItemVerdict { name: nasty.clone(), verdict: Verdict::Unknown, reason: None, evidence: Vec::new() }];
    let mut whole = assessment(vec![bad]);
    whole.site.name = Some(nasty.clone());
    whole.targets[0].id = nasty;
    for everything in [false, true] {
        let page = text(&whole, TextOptions { colour: false, everything });
        for line in page.lines() {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(columns(line) <= WIDTH, "{line}");
        }
    }
}

#[test]
fn colour_only_where_asked_for() {
    let page = assessment(vec![finding("bad", Verdict::Fail, Severity::High)]);
    assert!(!text(&page, TextOptions::default()).contains('\x1b'));
    assert!(text(&page, TextOptions { colour: true, everything: false }).contains("\x1b[1;31mFAIL"));
}

#[test]
fn why_a_node_was_not_reached_is_told_once() {
    let mut whole = assessment(vec![
        finding("one", Verdict::Unknown, Severity::High),
        finding("two", Verdict::Unknown, Severity::High),
    ]);
    whole.targets[0].reached = false;
    let page = text(&whole, TextOptions::default());
    assert_eq!(page.matches("Message of").count(), 0, "{page}");
    assert!(page.contains("one") && page.contains("two") && page.contains("NOT REACHED"), "{page}");
    let all = text(&whole, TextOptions { everything: true, ..TextOptions::default() });
    assert!(all.contains("Message of one."));
}

fn at_port(control: &str, port: u16, verdict: Verdict, message: &str) -> Finding {
    let mut finding = finding(control, verdict, Severity::High);
    finding.scope = Scope::Endpoint;
    finding.target = format!("endpoint/10.0.0.4:{port}");
    finding.message = message.to_owned();
    finding
}

#[test]
fn many_ports_take_one_line_a_control_and_say_what_differs() {
    let mut findings: Vec<Finding> = (1..=30).map(|port| at_port("tls", port, Verdict::Fail, "TLS 1.0.")).collect();
    findings.push(at_port("tls", 31, Verdict::Fail, "TLS 1.1."));
    findings.extend((1..=30).map(|port| at_port("closed", port, Verdict::Pass, "")));
    let mut whole = assessment(findings);
    whole.targets = (1..=30)
        .map(|port| Target {
            id: format!("endpoint/10.0.0.4:{port}"),
            kind: TargetKind::Endpoint,
            channel: None,
            kubernetes: None,
            reached: true,
            complete: true,
            errors: Vec::new(),
        })
        .collect();
    let page = text(&whole, TextOptions::default());
    assert!(page.lines().count() < 40, "{page}");
    assert_eq!(page.matches("Title of tls").count(), 1, "{page}");
    assert!(page.contains("31 endpoints") && page.contains("30 endpoints"), "{page}");
    assert!(page.contains("TLS 1.1.\n            at 10.0.0.4:31\n"), "{page}");
    assert!(page.contains("10.0.0.4:10 and 20\n"), "{page}");
    assert!(page.contains("30 ports, as they look from here; -v"), "{page}");
    for target in whole.targets.iter_mut().take(2) {
        target.reached = false;
    }
    let silent = text(&whole, TextOptions::default());
    assert!(silent.contains("30 ports, as they look from here; 2 at addresses where NOTHING ANSWERED; -v"), "{silent}");
    let all = text(&whole, TextOptions { everything: true, ..TextOptions::default() });
    assert!(all.matches("endpoint/10.0.0.4:7\n").count() == 2, "{all}");
}

#[test]
fn what_nobody_can_know_of_nodes_that_the_api_alone_shows_is_told_once() {
    let mut findings = Vec::new();
    for node in 1..=3 {
        let mut unseen = finding("os", Verdict::Unknown, Severity::High);
        (unseen.target, unseen.reason) = (format!("node/n{node}"), Some(Reason::NotVisible));
        findings.push(unseen);
        let mut failing = finding("kubelet", Verdict::Fail, Severity::High);
        failing.target = format!("node/n{node}");
        findings.push(failing);
    }
    let mut whole = assessment(findings);
    let page = text(&whole, TextOptions::default());
    assert!(page.contains("3 nodes") && page.contains("at n1, n2, n3"), "{page}");
    let node = |n| Target { id: format!("node/n{n}"), channel: Some(ChannelKind::Api), ..whole.targets[0].clone() };
    whole.targets = (1..=3).map(node).collect();
    let page = text(&whole, TextOptions::default());
    assert!(page.contains("3 nodes are shown by the API alone") && page.contains("  3 nodes\n"), "{page}");
    assert_eq!(page.matches("Title of os").count(), 0, "{page}");
    assert_eq!(page.matches("Title of kubelet").count(), 3, "what fails is told at each node:\n{page}");
}

#[test]
fn it_says_which_cluster_as_whom_it_was_asked_and_what_was_refused() {
    let mut whole = assessment(Vec::new());
    whole.cluster = Some(crate::assess::ClusterSummary {
        context: "edge-042".to_owned(),
        server: Some("https://10.0.0.4:6443".to_owned()),
        version: Some("v1.36.2".to_owned()),
        proxy: None,
        caller: Some(crate::evidence::Caller {
            user: "ana".to_owned(),
            groups: vec!["viewers".to_owned()],
            how: "client certificate".to_owned(),
        }),
        denied: vec!["list pods".to_owned(), "list secrets \u{1b}[2J".to_owned()],
        platform_reasons: Vec::new(),
    });
    let page = text(&whole, TextOptions::default());
    assert!(page.contains("cluster   edge-042 at https://10.0.0.4:6443, v1.36.2\n"), "{page}");
    assert!(page.contains("asked as  ana by client certificate, of the groups viewers\n"), "{page}");
    assert!(page.contains("refused   list pods, list secrets") && !page.contains('\u{1b}'), "{page}");
}
