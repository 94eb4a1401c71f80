//! A made-up site for the tests of the screens: three nodes, a handful of controls.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::app::App;
use super::keys::Key;
use super::msg::{Effect, Msg};
use super::theme::Theme;
use super::work::Remembered;
use super::{Start, update};
use crate::assess::{Assessment, Finding, ItemVerdict, SCHEMA, Shown, Summary, Target, TargetKind, Verdict};
use crate::catalog::{Catalog, Control};
use crate::channel::{Limits, NobodyToAsk, ssh::SshOptions};
use crate::evidence::cluster::{Denied, KubeNode};
use crate::evidence::{
    Caller, ChannelKind, ClusterEvidence, EndpointEvidence, Evidence, Fact, Lifecycle, Listing, NodeEvidence, Policy,
    Profile, Reason, Seat, SiteFacts, Unread,
};
use crate::kubeapi::ContextInfo;
use crate::remedy::{Choices, Found, Memory, Open, Prepared, Refusal, Risk};
use crate::site::ClusterTarget;
use crate::store::{Entry, Event, EventKind, Outcome};
use crate::visit::{ClusterVisit, Progress, Visit, tool};
use serde_json::json;
use std::sync::Arc;

pub(super) const NODES: [&str; 3] = ["edge1", "edge2", "edge3"];

fn control(id: &str, section: &str, title: &str, severity: &str) -> Control {
    serde_json::from_value(json!({
        "id": id, "section": section, "title": title, "severity": severity, "scope": "node",
        "who": "administrator", "minutes": 5, "why": "An intruder uses it to walk in.",
        "fix": "Set authentication.anonymous.enabled to false in the file that --config names:\n  sudo systemctl restart kubelet",
        "references": {"cis": ["4.2.1"], "attack": ["T1609"]}
    }))
    .unwrap()
}

pub(super) fn catalog() -> Catalog {
    let controls = vec![
        control("os-supported", "patches", "The operating system still gets security updates", "high"),
        control("secure-boot", "node-protection", "The node starts only signed software", "medium"),
        control("doors-locked", "node-protection", "Only named people can reach the machines", "high"),
        control("apiserver-cert", "control-plane-communication", "The API server's certificate is valid", "high"),
        control("sshd-root-login", "node-access", "Root cannot log in with a password", "high"),
        control("kubelet-anonymous-auth", "node-access", "The kubelet refuses anonymous requests", "critical"),
        control("sshd-ciphers", "node-access", "SSH uses strong ciphers alone", "medium"),
        control("ssh-off", "node-access", "SSH is off until it is needed", "low"),
    ];
    Catalog::sample(controls)
}

fn verdict(control: &str, node: &str) -> Verdict {
    match (control, node) {
        ("kubelet-anonymous-auth", "edge2") => Verdict::Pass,
        ("kubelet-anonymous-auth", _) | ("sshd-root-login", "edge1") => Verdict::Fail,
        ("sshd-ciphers", "edge3") => Verdict::Unknown,
        ("doors-locked", _) => Verdict::Manual,
        ("apiserver-cert", _) => Verdict::NotApplicable,
        _ => Verdict::Pass,
    }
}

pub(super) fn assessment() -> Assessment {
    let evidence = evidence();
    let mut findings = Vec::new();
    for control in catalog().controls.iter() {
        for node in NODES {
            let verdict = verdict(&control.id, node);
            let mut finding = Finding::of(control, &format!("node/{node}"), verdict, format!("Seen on {node}."));
            finding.evidence.push(Shown {
                path: "node.kubelet.effective.authentication.anonymous.enabled".into(),
                value: json!(verdict == Verdict::Fail),
                origin: "file /var/lib/kubelet/config.yaml".into(),
                unread: None,
            });
            if verdict == Verdict::Unknown {
                finding.reason = Some(Reason::Forbidden);
            }
            if control.id == "sshd-root-login" {
                finding.items_asked = Some(3);
                finding.items.push(ItemVerdict {
                    name: "Match Address \u{1b}[31m10.0.0.9".to_owned(),
                    verdict: Verdict::Fail,
                    reason: None,
                    evidence: Vec::new(),
                });
            }
            findings.push(finding);
        }
    }
    let targets = NODES.map(|name| Target {
        id: format!("node/{name}"),
        kind: TargetKind::Node,
        channel: Some(ChannelKind::Ssh),
        kubernetes: None,
        reached: true,
        complete: true,
        errors: Vec::new(),
    });
    Assessment {
        schema: SCHEMA,
        tool: tool(),
        site: evidence.site.clone(),
        identity: None,
        cluster: None,
        seat: evidence.seat.clone(),
        operator: "tech".to_owned(),
        profile: Profile::Guide,
        catalog_digest: "00".to_owned(),
        lifecycle_date: "2026-11-01".to_owned(),
        platform: None,
        as_of: evidence.finished,
        started: evidence.started,
        finished: evidence.finished,
        targets: targets.to_vec(),
        findings,
        summary: Summary::default(),
    }
}

pub(super) fn node(name: &str) -> NodeEvidence {
    let mut node = NodeEvidence::unread(name, Some("10.0.0.4"), ChannelKind::Ssh, Reason::NotVisible, "");
    node.reached = true;
    node.complete = true;
    node.errors.clear();
    node
}

pub(super) fn dead(name: &str) -> NodeEvidence {
    let why = "10.0.0.4 port 22 refused the connection. Check that SSH runs on the node.";
    NodeEvidence::unread(name, Some("10.0.0.4"), ChannelKind::Ssh, Reason::Unreachable, why)
}

pub(super) fn evidence() -> Evidence {
    Evidence {
        schema: crate::evidence::SCHEMA.to_owned(),
        tool: tool(),
        started: "2026-11-20T08:00:00Z".parse().unwrap(),
        finished: "2026-11-20T08:01:00Z".parse().unwrap(),
        seat: seat(),
        site: SiteFacts { name: Some("Harbour 7".to_owned()), management_networks: None },
        cluster: None,
        endpoints: None,
        nodes: NODES.map(node).to_vec(),
    }
}

/// A context as the first screen offers it.
pub(super) fn context(name: &str) -> ContextInfo {
    ContextInfo {
        name: name.to_owned(),
        current: name == "edge",
        cluster: name.to_owned(),
        server: Some(format!("https://{name}.site.example:6443")),
        user: "ana".to_owned(),
        proxy: None,
        file: None,
    }
}

/// A cluster that was read, by somebody who may not list pods.
pub(super) fn cluster(context: &str) -> ClusterEvidence {
    let node = |name: &str| KubeNode { name: name.to_owned(), ..KubeNode::default() };
    ClusterEvidence {
        context: context.to_owned(),
        server: Fact::Known("https://10.0.0.4:6443".to_owned()),
        reached: true,
        complete: true,
        uid: Fact::Known("1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned()),
        caller: Fact::Known(Caller {
            user: "ana".to_owned(),
            groups: vec!["viewers".to_owned()],
            how: "client certificate".to_owned(),
        }),
        denied: Listing::whole(vec![Denied { name: "list pods \u{1b}[31m".to_owned(), path: "pods".to_owned() }]),
        nodes: Listing::whole(vec![node("cp-1"), node("worker-9")]),
        unread: vec![Unread { path: "pods".to_owned(), reason: Reason::Forbidden, detail: String::new() }],
        ..ClusterEvidence::default()
    }
}

pub(super) fn dead_cluster(context: &str) -> ClusterEvidence {
    let why = "10.0.0.4 port 6443 does not answer. Check the way to the API server.";
    ClusterEvidence::unread(context, Reason::Timeout, why)
}

/// Two ports.
pub(super) fn ports() -> Vec<EndpointEvidence> {
    let port = |port: i64, service: &str, state| {
        let text = json!({
            "name": format!("10.0.0.4:{port}"), "host": "10.0.0.4", "port": port, "service": service, "state": state,
            "tls": {"spoken": true, "versions": {"complete": true, "items": [
                {"name": "TLSv1.2", "accepted": true}, {"name": "TLSv1.3", "accepted": true}]},
                "chain": {"complete": true, "items": [
                    {"name": "a", "path": "", "role": "", "not_after": "2027-05-01T00:00:00Z"}]}}
        });
        serde_json::from_value(text).unwrap()
    };
    vec![port(10250, "kubelet", "open"), port(6443, "kube-apiserver", "filtered")]
}

/// Screens with a cluster, nodes of both ways, and ports.
pub(super) fn site(width: u16, height: u16) -> App {
    let saved = Evidence { cluster: Some(cluster("edge")), endpoints: Some(ports()), ..evidence() };
    let (mut app, effects) = super::open(start(&[], Some(saved)), (width, height), Theme::PLAIN);
    let Some(Effect::Assess { serial, .. }) = effects.into_iter().next() else { panic!("nothing is assessed") };
    let mut assessment = assessment();
    let target = |id: &str, kind, channel, kubernetes: Option<&str>| Target {
        id: id.to_owned(),
        kind,
        channel,
        kubernetes: kubernetes.map(str::to_owned),
        reached: true,
        complete: true,
        errors: Vec::new(),
    };
    let api = Some(ChannelKind::Api);
    assessment.targets[0].kubernetes = Some("cp-1".to_owned());
    assessment.targets.push(target("cluster", TargetKind::Cluster, api, None));
    assessment.targets.push(target("node/worker-9", TargetKind::Node, api, Some("worker-9")));
    assessment.platform = Some("kubeadm".to_owned());
    let mut asked = |id: &str, scope: &str, at: &str, verdict| {
        let mut control = control(id, "control-plane-communication", "Something of the cluster", "high");
        control.scope = serde_json::from_value(json!(scope)).unwrap();
        assessment.findings.push(Finding::of(&control, at, verdict, "Seen."));
    };
    asked("few-cluster-admins", "cluster", "cluster", Verdict::Fail);
    asked("old-tls", "endpoint", "endpoint/10.0.0.4:10250", Verdict::Fail);
    asked("old-tls", "endpoint", "endpoint/10.0.0.4:6443", Verdict::Pass);
    update::update(&mut app, Msg::Assessed { serial, assessment: Box::new(assessment) });
    app
}

fn seat() -> Seat {
    Seat { host: "laptop".to_owned(), user: "tech".to_owned() }
}

/// A start with targets as `--node` gives them, and evidence or none.
pub(super) fn start(targets: &[&str], evidence: Option<Evidence>) -> Start {
    let named = !targets.is_empty() || evidence.is_some();
    Start {
        visit: Visit {
            others: Vec::new(),
            packages: true,
            site: SiteFacts::default(),
            cluster: None,
            endpoints: true,
            before: None,
            targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
            ssh: SshOptions::default(),
            limits: Limits::default(),
            jobs: 4,
            given: Vec::new(),
            seat: seat(),
        },
        usual: ClusterVisit::new(ClusterTarget::default()),
        contexts: Ok(Vec::new()),
        evidence,
        catalog: catalog(),
        lifecycle: Lifecycle { snapshot_date: "2026-11-01".to_owned(), products: Default::default() },
        policy: Policy::default(),
        as_of: None,
        size: None,
        demo: false,
        named,
        allow_changes: false,
        choices: Choices::default(),
        journal: None,
    }
}

/// Screens with the sample's evidence and findings, at the overview.
pub(super) fn app(width: u16, height: u16) -> App {
    let (mut app, effects) = super::open(start(&[], Some(evidence())), (width, height), Theme::PLAIN);
    let Some(Effect::Assess { serial, .. }) = effects.into_iter().next() else { panic!("nothing is assessed") };
    update::update(&mut app, Msg::Assessed { serial, assessment: Box::new(assessment()) });
    app
}

/// Screens of a live site whose three nodes were read and assessed, at the overview.
pub(super) fn live(width: u16, height: u16) -> App {
    let mut start = start(&NODES, None);
    start.visit.site.name = Some("Harbour 7".to_owned());
    start.visit.endpoints = false;
    let (mut app, _) = super::open(start, (width, height), Theme::PLAIN);
    for name in NODES {
        let progress = Progress::Done(Box::new(node(name)));
        update::update(&mut app, Msg::Progress { run: 1, at: evidence().finished, progress });
    }
    for _ in 0..2 {
        let serial = app.serial;
        update::update(&mut app, Msg::Assessed { serial, assessment: Box::new(assessment()) });
    }
    app
}

/// What workers remember of nobody's answers.
pub(super) fn memory() -> Remembered {
    Remembered(Arc::new(Memory::new(Arc::new(NobodyToAsk))))
}

/// A worker's word that a plan is ready.
pub(super) fn prepared(serial: u64, plan: Prepared) -> Msg {
    Msg::Prepared { serial, result: Ok(Box::new(plan)), memory: memory() }
}

/// Screens of a live site with a plan for edge1 on them, and changes allowed or not.
pub(super) fn planned(width: u16, height: u16, plan: Prepared, armed: bool) -> App {
    let mut app = live(width, height);
    app.armed = armed;
    press(&mut app, "0↓\nf");
    let serial = app.works;
    update::update(&mut app, prepared(serial, plan));
    app
}

/// A worker's word of how an entry without an end stands.
pub(super) fn found(serial: u64, found: Result<Found, Refusal>) -> Msg {
    let at = evidence().finished;
    Msg::Found { serial, at, result: found.map(Box::new), trouble: None, memory: memory() }
}

/// Screens of a live site with an entry of edge1 that waits for its end, and changes allowed or not.
pub(super) fn waiting(width: u16, height: u16, risk: Risk, armed: bool) -> App {
    let mut app = live(width, height);
    app.armed = armed;
    let entry = entry("20261126T074501-3fa9c2", "edge1", false);
    let open = Open::sample(&entry, risk, Some(75));
    update::update(&mut app, Msg::Journal(Ok(vec![entry])));
    press(&mut app, "Ju");
    let serial = app.works;
    update::update(&mut app, found(serial, Ok(Found::Open(open))));
    app
}

/// An entry of the journal that was done at a node, or has no end.
pub(super) fn entry(id: &str, node: &str, done: bool) -> Entry {
    let at = evidence().finished;
    let event = |kind| Event { entry: id.to_owned(), at, operator: "ana".into(), seat: "laptop".into(), kind };
    let begun = EventKind::Begun {
        site: None,
        target: format!("node/{node}"),
        controls: vec!["sshd-root-login".to_owned()],
        title: "Root cannot log in with a password".to_owned(),
        risk: "can-lock-out".to_owned(),
        plan_digest: "00".to_owned(),
        commands: vec!["systemctl reload ssh.service".to_owned()],
        paths: vec!["/etc/ssh/sshd_config".to_owned()],
        undo: None,
    };
    let ended = EventKind::Ended {
        outcome: Outcome::Done,
        before: Some("fail".to_owned()),
        after: Some("pass".to_owned()),
        files: Vec::new(),
        note: "It is done \u{1b}[31m".to_owned(),
    };
    Entry {
        id: id.to_owned(),
        begun: event(begun),
        steps: Vec::new(),
        ended: done.then(|| event(ended)),
        undone_by: None,
    }
}

/// A key as a character: `\n` for Enter, `\x1b` for Escape, `\x18` for Ctrl-X.
pub(super) fn pressed(c: char) -> Key {
    use crossterm::event::KeyCode;
    let code = match c {
        '\n' => KeyCode::Enter,
        '\u{1b}' => KeyCode::Esc,
        '\t' => KeyCode::Tab,
        '\u{8}' => KeyCode::Backspace,
        '↓' => KeyCode::Down,
        '\u{18}' => return Key { code: KeyCode::Char('x'), ctrl: true },
        c => KeyCode::Char(c),
    };
    super::keys::key(code)
}

/// Presses keys written as a text.
pub(super) fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.chars().flat_map(|c| update::update(app, Msg::Key(pressed(c)))).collect()
}
