//! One node of the bed in a test's hands: a way to it by SSH as the program goes, and one behind its back.
#![allow(dead_code, unreachable_pub)]

use jiff::Timestamp;
use sitewarden::assess::{Finding, ItemVerdict, Verdict};
use sitewarden::catalog::{Catalog, Control, RemedySpec};
use sitewarden::channel::local::Local;
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Ask, Channel, ChannelError, Limits, NobodyToAsk, Output, Passwords, Talk};
use sitewarden::evidence::{ChannelKind, Evidence, NodeEvidence, Seat, SiteFacts};
use sitewarden::probe::node::{Aid, collect_packages, collect_with};
use sitewarden::remedy::{
    self, Answer, Choices, Memory, Plan, Prepared, Ran, Reach, Refusal, Told, Who, confirm, finish, prepare,
};
use sitewarden::store::Store;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tests of one node take turns.
static TURNS: [Mutex<()>; 3] = [Mutex::new(()), Mutex::new(()), Mutex::new(())];

/// A node of the bed.
pub struct Node {
    pub name: String,
    pub address: String,
    user: &'static str,
    key: PathBuf,
    known_hosts: PathBuf,
    exec: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Node {
    /// The first (0) or second (1) node of a bed in mode `ssh`, or the one with dnf and zypper (2). Without one says loudly that the test is left out; in CI
    /// that is a failure.
    pub fn up(test: &str, number: usize) -> Option<Node> {
        let mode = std::env::var("BED_MODE").unwrap_or_default();
        let nodes = std::env::var("BED_NODES").unwrap_or_default();
        if mode != "ssh" || nodes.is_empty() {
            assert!(std::env::var_os("CI").is_none(), "{test}: no test bed in CI; run tests/run");
            // Past the test runner, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "#### LEFT OUT: {test} needs real nodes. Run tests/run, or tests/bed/up ssh and source target/bed/env"
            );
            return None;
        }
        Some(Node::of_bed(number, "ops", TURNS[number].lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn of_bed(number: usize, user: &'static str, turn: MutexGuard<'static, ()>) -> Node {
        let nodes = std::env::var("BED_NODES").unwrap();
        let (name, address) = nodes.split_whitespace().nth(number).unwrap().split_once('=').unwrap();
        let var = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
        Node {
            name: name.to_owned(),
            address: address.to_owned(),
            user,
            key: var("BED_SSH_KEY"),
            known_hosts: var("BED_KNOWN_HOSTS"),
            exec: var("BED_EXEC"),
            _turn: turn,
        }
    }

    /// A node of a cluster that is up, in the hands of a test that has it to itself.
    pub fn of_cluster(number: usize) -> Node {
        Node::of_bed(number, "ops", TURNS[number].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The way to it, as the program has it.
    pub fn way(&self) -> Way {
        Way {
            name: self.name.clone(),
            address: self.address.clone(),
            user: self.user,
            key: self.key.clone(),
            known_hosts: self.known_hosts.clone(),
        }
    }

    /// The way to it of somebody who sits at the node itself.
    pub fn inside(&self) -> Inside {
        Inside { name: self.name.clone(), exec: self.exec.clone() }
    }

    /// The file that gets what the node's console shows.
    pub fn console_log(&self) -> PathBuf {
        self.key.parent().unwrap().join("logs").join(format!("{}.console.log", self.name))
    }

    /// Runs a shell script on the node as root, behind the program's back. Panics where it fails.
    pub fn sh(&self, script: &str) -> String {
        let (status, said) = self.try_sh(script);
        assert!(status, "on {}: {script}\n{said}", self.name);
        said
    }

    /// The same, and tells whether it ended well.
    pub fn try_sh(&self, script: &str) -> (bool, String) {
        let mut child = Command::new(&self.exec)
            .args([self.name.as_str(), "sh", "-se"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = if done.status.success() { &done.stdout } else { &done.stderr };
        (done.status.success(), String::from_utf8_lossy(said).into_owned())
    }

    /// One of the bed's commands for this node: `stop`, `start`.
    pub fn power(&self, what: &str) {
        let tool = self.exec.parent().unwrap().join(what);
        let done = Command::new(tool).args(["node", &self.name]).output().unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// From now on by this user's login.
    pub fn log_in_as(&mut self, user: &'static str) {
        self.user = user;
    }

    /// What the program sees of it.
    pub fn evidence(&self) -> Evidence {
        self.evidence_by(&self.way(), &NobodyToAsk)
    }

    /// The same, with somebody who answers.
    pub fn evidence_asking(&self, ask: &dyn Ask) -> Evidence {
        self.evidence_by(&self.way(), ask)
    }

    /// What the program sees of it, its packages too.
    pub fn evidence_with_packages(&self) -> Evidence {
        let mut evidence = self.evidence();
        let mut channel = self.way().login(&NobodyToAsk).unwrap();
        collect_packages(channel.as_mut(), &mut evidence.nodes[0], &Limits::default(), true);
        evidence
    }

    /// What the program sees of it by some way.
    pub fn evidence_by(&self, way: &dyn Reach, ask: &dyn Ask) -> Evidence {
        let mut channel = way.login(ask).unwrap();
        let aid = Aid { ask, passwords: &Passwords::default(), tell: &|_| () };
        let limits = Limits::default();
        let node = collect_with(channel.as_mut(), &self.name, Some(&self.address), &limits, &aid);
        assert!(node.reached && node.complete, "{:?}", node.errors);
        evidence_of(node)
    }

    /// A plan for a remedy as a catalog would say it.
    pub fn plan(&self, spec: RemedySpec, items: &[&str]) -> Result<Plan, Refusal> {
        plan(&self.name, spec, items, &self.evidence())
    }

    /// Prepares, confirms and runs a remedy; the switch has `delay` seconds.
    pub fn fix(&self, spec: RemedySpec, items: &[&str], delay: u32, store: &mut Store) -> Result<Ran, Refusal> {
        let way = self.way();
        let prepared = prepare(self.plan(spec, items)?, Some(&way), &NobodyToAsk, choices(delay))?;
        run(prepared, &way, store, &|_| ())
    }

    /// Takes an entry back.
    pub fn undo(&self, entry: &str, store: &mut Store) -> Result<Ran, Refusal> {
        let way = self.way();
        let target = format!("node/{}", self.name);
        let prepared = remedy::prepare_undo(entry, &target, &way, &NobodyToAsk, choices(30))?;
        run(prepared, &way, store, &|_| ())
    }

    /// The same, with somebody who answers.
    pub fn undo_asking(&self, entry: &str, store: &mut Store, memory: &Memory) -> Ran {
        let way = self.way();
        let target = format!("node/{}", self.name);
        let prepared = remedy::prepare_undo(entry, &target, &way, memory, choices(30)).unwrap();
        run_asking(prepared, &way, store, memory, &|_| ()).unwrap()
    }

    /// The verdict of a control, by a scan of its own.
    pub fn verdict(&self, control: &str) -> Verdict {
        self.verdict_in(control, &self.evidence())
    }

    /// The verdict of a control, from what was seen.
    pub fn verdict_in(&self, control: &str, evidence: &Evidence) -> Verdict {
        let catalog = Catalog::embedded().unwrap();
        let policy = sitewarden::evidence::Policy {
            profile: sitewarden::evidence::Profile::Cis,
            controls: vec![control.to_owned()],
            ..Default::default()
        };
        let assessed = sitewarden::visit::assess_embedded(evidence, &catalog, &policy, Timestamp::now()).unwrap();
        let target = format!("node/{}", self.name);
        assessed.findings.iter().find(|finding| finding.target == target).unwrap().verdict
    }

    /// The files under some folders, with their bytes, modes and owners, as one text; without the
    /// copies that are kept on a file system of its own.
    pub fn picture(&self, folders: &str) -> String {
        self.sh(&format!(
            "find {folders} -type f -not -path '*/.sitewarden/*' | sort | while read -r f; do echo \"$f $(stat -c '%a %u %g' \"$f\") $(sha256sum <\"$f\")\"; done"
        ))
    }

    /// Has sshd read its files again, and waits until it takes connections: for a moment it listens nowhere.
    pub fn reload_sshd(&self) {
        self.sh("systemctl reload ssh");
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while !self.lets_in() {
            assert!(std::time::Instant::now() < until, "sshd of {} does not come back", self.name);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether a fresh login works.
    pub fn lets_in(&self) -> bool {
        self.way().login(&NobodyToAsk).is_ok()
    }
}

pub fn evidence_of(node: NodeEvidence) -> Evidence {
    let now = Timestamp::now();
    Evidence {
        schema: sitewarden::evidence::SCHEMA.to_owned(),
        tool: sitewarden::visit::tool(),
        started: now,
        finished: now,
        seat: Seat::default(),
        site: SiteFacts::default(),
        cluster: None,
        nodes: vec![node],
        endpoints: None,
    }
}

pub fn choices(delay: u32) -> Choices {
    Choices { delay: Some(delay) }
}

/// A plan for a remedy as a catalog would say it, for items that fail.
pub fn plan(node: &str, spec: RemedySpec, items: &[&str], evidence: &Evidence) -> Result<Plan, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let control = Control { id: "made-up".to_owned(), remedy: Some(spec), ..catalog.controls[0].clone() };
    let mut finding = Finding::of(&control, &format!("node/{node}"), Verdict::Fail, "");
    let item = |name: &&str| ItemVerdict {
        name: (*name).to_owned(),
        verdict: Verdict::Fail,
        reason: None,
        evidence: Vec::new(),
    };
    finding.items = items.iter().map(item).collect();
    remedy::plan(&control, &finding, evidence)
}

/// Confirms as a person would, and runs.
pub fn run(prepared: Prepared, way: &dyn Reach, store: &mut Store, tell: &dyn Fn(Told)) -> Result<Ran, Refusal> {
    run_asking(prepared, way, store, &Memory::new(Arc::new(NobodyToAsk)), tell)
}

/// The same, with somebody who answers.
pub fn run_asking(
    prepared: Prepared,
    way: &dyn Reach,
    store: &mut Store,
    memory: &Memory,
    tell: &dyn Fn(Told),
) -> Result<Ran, Refusal> {
    let answer = Answer {
        shown: prepared.digest().to_owned(),
        armed: true,
        yes: true,
        typed: prepared.to_be_typed().unwrap_or_default().to_owned(),
    };
    let who = Who { operator: "ana".to_owned(), seat: "bench".to_owned(), site: None };
    let ran = remedy::run(confirm(prepared, &answer)?, way, memory, store, &who, tell)?;
    finish(store, &ran, Some("fail"), None)?;
    Ok(ran)
}

/// The way to a node.
#[derive(Clone)]
pub struct Way {
    pub name: String,
    pub address: String,
    pub user: &'static str,
    pub key: PathBuf,
    pub known_hosts: PathBuf,
}

impl Reach for Way {
    fn node(&self) -> &str {
        &self.name
    }

    fn login(&self, ask: &dyn Ask) -> Result<Box<dyn Channel>, ChannelError> {
        let options = SshOptions {
            identities: vec![self.key.clone()],
            known_hosts: vec![self.known_hosts.clone()],
            ..SshOptions::default()
        };
        let login = Login { node: &self.name, host: &self.address, port: 22, user: Some(self.user), identity: None };
        Ok(Box::new(Ssh::connect(&login, &options, &self.limits(), ask)?))
    }

    fn limits(&self) -> Limits {
        Limits { connect: Duration::from_secs(4), run: Duration::from_secs(30), ..Limits::default() }
    }
}

/// The way to a node of somebody who sits at it: the program's own local channel, in the node.
#[derive(Clone)]
pub struct Inside {
    pub name: String,
    pub exec: PathBuf,
}

impl Reach for Inside {
    fn node(&self) -> &str {
        &self.name
    }

    fn login(&self, _ask: &dyn Ask) -> Result<Box<dyn Channel>, ChannelError> {
        let before = format!("exec {} {} sh -c", self.exec.display(), self.name);
        Ok(Box::new(InNode { before, local: Local }))
    }

    fn limits(&self) -> Limits {
        Limits { run: Duration::from_secs(30), ..Limits::default() }
    }
}

struct InNode {
    before: String,
    local: Local,
}

impl Channel for InNode {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Local
    }

    fn converse(&mut self, command: &str, talk: &mut dyn Talk, limits: &Limits) -> Result<Output, ChannelError> {
        let quoted = shlex::try_quote(command).unwrap();
        self.local.converse(&format!("{} {quoted}", self.before), talk, limits)
    }
}
