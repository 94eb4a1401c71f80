//! A node of the bed's cluster in a test's hands: a way to it by SSH as the program goes, and one behind its back.

use crate::api_server;
use jiff::Timestamp;
use sitewarden::assess::{Assessment, Finding, Verdict};
use sitewarden::catalog::{Catalog, Control, RemedySpec};
use sitewarden::channel::ssh::{Login, Ssh, SshOptions};
use sitewarden::channel::{Ask, Channel, ChannelError, Limits, NobodyToAsk};
use sitewarden::evidence::{Evidence, Policy, Profile, Seat, SiteFacts};
use sitewarden::remedy::{
    self, Answer, Choices, ClusterReach, Memory, NodeChange, Plan, Prepared, Ran, Reach, Refusal, Told, Who, confirm,
    finish, prepare,
};
use sitewarden::store::{Outcome, Store};
use sitewarden::visit::{assess_embedded, failing, offer};
use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Tests of one cluster take turns: some of them take its API away for a while.
static TURN: Mutex<()> = Mutex::new(());

/// Whether every component of the control plane runs and the API server is ready.
const ALL_RUN: &str = "for one in etcd kube-apiserver kube-controller-manager kube-scheduler; do pidof $one; done
KUBECONFIG=/etc/kubernetes/admin.conf kubectl get --raw /readyz";

/// Whether both nodes are ready and kube-proxy runs on them, as the API has it: a test may have taken that away for long.
const ALL_READY: &str = "export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl wait node --all --for=condition=Ready --timeout=5s
kubectl -n kube-system rollout status daemonset/kube-proxy --timeout=5s";

/// The running cluster, for one test.
pub(super) struct Cluster {
    nodes: Vec<(String, String)>,
    exec: PathBuf,
    journal: TempDir,
    store: RefCell<Store>,
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// A bed in mode `cluster`. Without one says loudly that the test is left out; in CI that is a failure.
    pub(super) fn up(test: &str) -> Option<Cluster> {
        if std::env::var("BED_MODE").unwrap_or_default() != "cluster" {
            assert!(std::env::var_os("CI").is_none(), "{test}: needs the bed in mode cluster; run tests/run");
            // Past the test runner, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "#### LEFT OUT: {test} needs tests/bed/up cluster. Run tests/run, or bring it up and source target/bed/env"
            );
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let nodes = std::env::var("BED_NODES").unwrap();
        let nodes = nodes.split_whitespace().map(|node| node.split_once('=').unwrap());
        let journal = tempfile::tempdir().unwrap();
        let cluster = Cluster {
            nodes: nodes.map(|(name, address)| (name.to_owned(), address.to_owned())).collect(),
            exec: var("BED_EXEC"),
            store: RefCell::new(Store::open(journal.path()).unwrap()),
            journal,
            _turn: turn,
        };
        cluster.settle();
        Some(cluster)
    }

    /// Waits until the control plane runs whole. What lost its API server in the test before waits for minutes in the
    /// kubelet's back-off, which a kubelet that starts anew does not know of.
    pub(super) fn settle(&self) {
        let node = self.node("node1");
        if !node.try_sh(ALL_RUN).0 {
            node.sh("systemctl restart kubelet");
            node.wait_for(ALL_RUN);
        }
        node.wait_for(ALL_READY);
    }

    /// A node by its name.
    pub(super) fn node(&self, name: &str) -> Node<'_> {
        let address = &self.nodes.iter().find(|(node, _)| node == name).unwrap().1;
        Node { cluster: self, name: name.to_owned(), address: address.clone() }
    }

    /// Every byte of this test's journal, as far as it is text.
    pub(super) fn journal(&self) -> String {
        let files = std::fs::read_dir(self.journal.path()).unwrap();
        let bytes = files.filter_map(|file| std::fs::read(file.unwrap().path()).ok());
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// A plan for the cluster, made with what its API and a node show.
    pub(super) fn plan(&self, node: &Node<'_>, spec: RemedySpec) -> Plan {
        let evidence = Evidence { cluster: api_server::seen(&var("BED_KUBECONFIG")).cluster, ..node.evidence() };
        made_up(spec, &node.name, &evidence).unwrap()
    }

    /// Makes a plan for the cluster exact, confirms it as a person would, and runs it.
    pub(super) fn run(&self, prepare: impl FnOnce(&ClusterReach, &Store) -> Result<Prepared, Refusal>) -> Ran {
        let ran = self.ended(prepare);
        assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
        ran
    }

    /// The way to the cluster's API.
    pub(super) fn reach(&self) -> ClusterReach {
        api_server::reach(&var("BED_KUBECONFIG"))
    }

    /// The same as [`Cluster::run`], however it ends.
    pub(super) fn ended(&self, prepare: impl FnOnce(&ClusterReach, &Store) -> Result<Prepared, Refusal>) -> Ran {
        let reach = api_server::reach(&var("BED_KUBECONFIG"));
        let prepared = prepare(&reach, &self.store.borrow()).unwrap();
        let confirmed = confirm(prepared.clone(), &answer(&prepared)).unwrap();
        let mut store = self.store.borrow_mut();
        let ran = remedy::run_cluster(confirmed, &reach, &mut store, &who(), &|_| ()).unwrap();
        finish(&mut store, &ran, None, None).unwrap();
        ran
    }

    /// Takes an entry of the cluster back.
    pub(super) fn undo(&self, entry: &str) -> Ran {
        self.run(|reach, store| {
            let entry = store.entry(entry).unwrap().unwrap();
            remedy::prepare_undo_cluster(&entry, reach, store)
        })
    }

    /// Whether the journal of this test is whole.
    pub(super) fn journal_is_whole(&self) {
        assert!(self.store.borrow().verify(None).unwrap().problems.is_empty(), "{}", self.journal.path().display());
    }
}

fn var(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")))
}

/// One node.
pub(super) struct Node<'c> {
    cluster: &'c Cluster,
    pub(super) name: String,
    pub(super) address: String,
}

impl Node<'_> {
    fn way(&self) -> Way {
        Way {
            name: self.name.clone(),
            address: self.address.clone(),
            key: var("BED_SSH_KEY"),
            known_hosts: var("BED_KNOWN_HOSTS"),
        }
    }

    /// Runs a shell script on the node as root, behind the program's back. Panics where it fails.
    pub(super) fn sh(&self, script: &str) -> String {
        let (well, said) = self.try_sh(script);
        assert!(well, "on {}: {script}\n{said}", self.name);
        said
    }

    fn try_sh(&self, script: &str) -> (bool, String) {
        let mut child = Command::new(&self.cluster.exec)
            .args([self.name.as_str(), "sh", "-se"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Waits until a shell script ends well on the node.
    pub(super) fn wait_for(&self, script: &str) {
        let until = Instant::now() + Duration::from_secs(240);
        loop {
            let (well, said) = self.try_sh(script);
            if well {
                return;
            }
            assert!(Instant::now() < until, "on {}: {script}\n{said}", self.name);
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// What the program sees of it.
    pub(super) fn evidence(&self) -> Evidence {
        let mut channel = self.way().login(&NobodyToAsk).unwrap();
        let address = Some(self.address.as_str());
        let node = sitewarden::probe::node::collect(channel.as_mut(), &self.name, address, &Limits::default());
        assert!(node.reached && node.complete, "{:?}", node.errors);
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

    fn judged(&self, controls: &[&str]) -> (Evidence, Assessment, Catalog) {
        let catalog = Catalog::embedded().unwrap();
        let controls = controls.iter().map(|control| (*control).to_owned()).collect();
        let policy = Policy { profile: Profile::Cis, controls, ..Policy::default() };
        let evidence = self.evidence();
        let assessment = assess_embedded(&evidence, &catalog, &policy, Timestamp::now()).unwrap();
        (evidence, assessment, catalog)
    }

    /// The verdicts of some controls, by a scan of its own.
    pub(super) fn verdicts(&self, controls: &[&str]) -> Vec<Verdict> {
        let (_, assessment, _) = self.judged(controls);
        let target = format!("node/{}", self.name);
        let of = |control: &&str| {
            let found = |finding: &&Finding| finding.target == target && finding.control == **control;
            assessment.findings.iter().find(found).unwrap().verdict
        };
        controls.iter().map(of).collect()
    }

    /// The one plan that puts these failing controls right, or why there is none.
    pub(super) fn offered(&self, controls: &[&str]) -> Result<Plan, String> {
        let (evidence, assessment, catalog) = self.judged(controls);
        let names: Vec<String> = controls.iter().map(|control| (*control).to_owned()).collect();
        let findings = failing(&assessment, &names);
        assert_eq!(findings.len(), controls.len(), "all of {controls:?} fail");
        let (mut plans, refused) = offer(&findings, &evidence, &catalog);
        if let Some((_, refusal)) = refused.first() {
            return Err(refusal.to_string());
        }
        assert_eq!(plans.len(), 1, "one plan for one node");
        Ok(plans.remove(0))
    }

    /// The plan by which an upgrade keeps what these findings' plan changes.
    pub(super) fn kept(&self, controls: &[&str]) -> Plan {
        let (evidence, assessment, catalog) = self.judged(controls);
        let names: Vec<String> = controls.iter().map(|control| (*control).to_owned()).collect();
        let evidence = Evidence { cluster: api_server::seen(&var("BED_KUBECONFIG")).cluster, ..evidence };
        offer(&failing(&assessment, &names), &evidence, &catalog).0.pop().unwrap()
    }

    /// A plan for a remedy as a catalog would say it.
    pub(super) fn plan(&self, spec: RemedySpec) -> Result<Plan, Refusal> {
        made_up(spec, &self.name, &self.evidence())
    }

    /// Makes a plan exact. `delay`: seconds of the switch, where they are not the usual ones.
    pub(super) fn prepare(&self, plan: Plan, delay: Option<u32>) -> Result<Prepared, Refusal> {
        prepare(plan, Some(&self.way()), &NobodyToAsk, Choices { delay })
    }

    /// Confirms as a person would, and runs.
    pub(super) fn run(&self, prepared: Prepared, tell: &dyn Fn(Told)) -> Ran {
        let answer = answer(&prepared);
        let memory = Memory::new(Arc::new(NobodyToAsk));
        let who = who();
        let mut store = self.cluster.store.borrow_mut();
        let confirmed = confirm(prepared, &answer).unwrap();
        let ran = remedy::run(confirmed, &self.way(), &memory, &mut store, &who, tell).unwrap();
        finish(&mut store, &ran, Some("fail"), None).unwrap();
        ran
    }

    /// Takes an entry back.
    pub(super) fn undo(&self, entry: &str) -> Ran {
        self.run(self.prepare_undo(entry), &|_| ())
    }

    /// The way back of an entry, exact.
    pub(super) fn prepare_undo(&self, entry: &str) -> Prepared {
        let target = format!("node/{}", self.name);
        remedy::prepare_undo(entry, &target, &self.way(), &NobodyToAsk, Choices::default()).unwrap()
    }

    /// The files under some folders: hash, mode and owner of each, hidden ones too.
    pub(super) fn picture(&self, folders: &str) -> String {
        self.sh(&format!(
            "find {folders} -type f | sort | while read -r f; do echo \"$f $(stat -c '%a %u %g' \"$f\") $(sha256sum <\"$f\")\"; done"
        ))
    }

    /// Whether something takes connections at one of its ports, from outside.
    pub(super) fn answers(&self, port: u16) -> bool {
        let address = format!("{}:{port}", self.address).parse().unwrap();
        std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_ok()
    }

    /// Waits until something takes connections at one of its ports, from outside.
    pub(super) fn wait_until_it_answers(&self, port: u16) {
        self.wait_for(&format!("bash -c 'exec 3<>/dev/tcp/{}/{port}'", self.address));
    }

    /// Waits until nothing does.
    pub(super) fn wait_until_it_answers_no_more(&self, port: u16) {
        self.wait_for(&format!("! bash -c 'exec 3<>/dev/tcp/{}/{port}' 2>/dev/null", self.address));
    }

    /// The certificate that one of its ports shows.
    pub(super) fn shown_at(&self, port: u16) -> String {
        let line = format!("openssl s_client -connect {}:{port} </dev/null 2>/dev/null | openssl x509", self.address);
        String::from_utf8(Command::new("sh").args(["-c", &line]).output().unwrap().stdout).unwrap()
    }

    /// Mode and owner of a snapshot of etcd, which etcdctl finds whole and with something in it.
    pub(super) fn snapshot(&self, path: &str) -> String {
        let keys = self.sh(&format!(
            "D=$(mktemp -d); cp -L /proc/$(pidof etcd)/root/usr/local/bin/etcdctl $D/etcdctl
$D/etcdctl -w simple snapshot status {path} | cut -d, -f3; rm -r $D"
        ));
        assert!(keys.trim().parse::<u32>().unwrap() > 100, "{keys}");
        self.sh(&format!("stat -c '%a %u %g' {path}")).trim().to_owned()
    }

    /// The command line of a process, one argument a line.
    pub(super) fn arguments(&self, process: &str) -> String {
        self.sh(&format!("tr '\\0' '\\n' </proc/$(pidof {process})/cmdline"))
    }
}

/// What a person says who agrees to what was shown.
fn answer(prepared: &Prepared) -> Answer {
    let typed = prepared.to_be_typed().unwrap_or_default().to_owned();
    Answer { shown: prepared.digest().to_owned(), armed: true, yes: true, typed }
}

fn who() -> Who {
    Who { operator: "ana".to_owned(), seat: "bench".to_owned(), site: None }
}

/// The plan of a remedy as a catalog would say it, for a finding of a node.
fn made_up(spec: RemedySpec, node: &str, evidence: &Evidence) -> Result<Plan, Refusal> {
    let catalog = Catalog::embedded().unwrap();
    let control = Control { id: "made-up".to_owned(), remedy: Some(spec), ..catalog.controls[0].clone() };
    let finding = Finding::of(&control, &format!("node/{node}"), Verdict::Fail, "");
    remedy::plan(&control, &finding, evidence)
}

/// The exact change of a plan.
pub(super) fn change(prepared: &Prepared) -> &NodeChange {
    prepared.change().unwrap()
}

/// The way to a node.
struct Way {
    name: String,
    pub(super) address: String,
    key: PathBuf,
    known_hosts: PathBuf,
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
        let login = Login { node: &self.name, host: &self.address, port: 22, user: Some("ops"), identity: None };
        Ok(Box::new(Ssh::connect(&login, &options, &self.limits(), ask)?))
    }

    fn limits(&self) -> Limits {
        Limits { connect: Duration::from_secs(4), run: Duration::from_secs(30), ..Limits::default() }
    }
}
