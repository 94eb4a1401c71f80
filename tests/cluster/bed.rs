//! The bed's cluster in a test's hands: its users, its nodes, its faults, and what a scan says of it.
#![allow(dead_code, unreachable_pub)]

use crate::support::{Findings, command};
use serde_json::Value;
use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;

/// Tests of one bed take turns: some of them break it for a while.
static TURN: Mutex<Prepared> = Mutex::new(Prepared { ready: false, whole: None });

/// What is made once for all tests of a run.
struct Prepared {
    /// Whether users and Azure Arc are in the cluster.
    ready: bool,
    /// The whole look at the bed as it is when no test has changed it.
    whole: Option<Arc<Findings>>,
}

/// The running cluster, or API server alone, for one test.
pub struct Bed {
    /// `NAME`, `ADDRESS` of each node; none of an API server alone.
    pub nodes: Vec<(String, String)>,
    /// Kubeconfig of the administrator.
    pub admin: PathBuf,
    /// A folder for the test's files, with the site file `site.toml` that names the nodes.
    pub folder: TempDir,
    tools: PathBuf,
    turn: RefCell<MutexGuard<'static, Prepared>>,
}

impl Bed {
    /// A kubeadm cluster with users and Azure Arc.
    pub fn cluster(test: &str) -> Option<Bed> {
        Bed::of("cluster", test)
    }

    /// An API server without nodes, with users and Azure Arc.
    pub fn control_plane(test: &str) -> Option<Bed> {
        Bed::of("control-plane", test)
    }

    fn of(mode: &str, test: &str) -> Option<Bed> {
        let up = std::env::var("BED_MODE").unwrap_or_default();
        if up != mode {
            assert!(std::env::var_os("CI").is_none(), "{test}: needs the bed in mode {mode}; run tests/run");
            // Past the test runner, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "#### LEFT OUT: {test} needs tests/bed/up {mode}. Run tests/run, or bring it up and source target/bed/env"
            );
            return None;
        }
        let mut turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let var = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
        let tools = var("BED_EXEC").parent().unwrap().to_owned();
        let nodes = std::env::var("BED_NODES").unwrap_or_default();
        let nodes = nodes.split_whitespace().map(|node| node.split_once('=').expect("BED_NODES"));
        let nodes: Vec<_> = nodes.map(|(name, address)| (name.to_owned(), address.to_owned())).collect();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.toml"), site_file(&nodes)).unwrap();
        let prepared = std::mem::replace(&mut turn.ready, true);
        let bed = Bed { nodes, admin: var("BED_KUBECONFIG"), folder, tools, turn: RefCell::new(turn) };
        if !prepared {
            bed.tool(&["kubeconfigs"]);
            bed.tool(&["arc/apply"]);
        }
        Some(bed)
    }

    /// Runs one of the bed's commands, which must succeed.
    pub fn tool(&self, words: &[&str]) -> String {
        must(Command::new(self.tools.join(words[0])).args(&words[1..]), "")
    }

    /// Runs a shell script on a node as root, behind the program's back.
    pub fn on_node(&self, node: &str, script: &str) -> String {
        must(Command::new(self.tools.join("exec")).args([node, "sh", "-se"]), script)
    }

    /// Runs kubectl as the administrator; `input` is its standard input.
    pub fn kubectl(&self, words: &[&str], input: &str) -> String {
        must(Command::new("kubectl").arg("--kubeconfig").arg(&self.admin).args(words), input)
    }

    /// Applies objects; taken away again when the returned value is dropped.
    pub fn objects(&self, yaml: &str) -> Objects<'_> {
        // First the promise to take them away, then the objects: a failure half-way leaves nothing.
        let objects = Objects { bed: self, yaml: yaml.to_owned() };
        self.kubectl(&["apply", "-f", "-"], yaml);
        objects
    }

    /// Changes an object (`-n NAMESPACE KIND/NAME`) by a merge patch; `undo` is applied when the returned value is dropped.
    pub fn patched(&self, object: &[&str], patch: &str, undo: &str) -> Patched<'_> {
        let object: Vec<String> = object.iter().map(|word| (*word).to_owned()).collect();
        let patched = Patched { bed: self, object, undo: undo.to_owned() };
        patched.apply(patch);
        patched
    }

    /// Breaks something (`node node2`); mended when the returned value is dropped.
    pub fn stop(&self, what: &[&str]) -> Broken<'_> {
        let what: Vec<String> = what.iter().map(|word| (*word).to_owned()).collect();
        let broken = Broken { bed: self, what };
        broken.act("stop");
        broken
    }

    /// Kubeconfig of one of the users that `tests/bed/kubeconfigs` makes.
    pub fn user(&self, name: &str) -> PathBuf {
        self.admin.with_file_name("kubeconfigs").join(name)
    }

    /// A path in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Address of a node.
    pub fn address(&self, node: &str) -> &str {
        &self.nodes.iter().find(|(name, _)| name == node).expect("a node of the bed").1
    }

    /// Options that name the cluster as a user sees it.
    pub fn as_user(&self, name: &str) -> Vec<String> {
        let file = if name == "admin" { self.admin.clone() } else { self.user(name) };
        vec!["--kubeconfig".into(), file.display().to_string()]
    }

    /// Options that name both nodes by SSH, by the names that they have in the cluster.
    pub fn by_ssh(&self) -> Vec<String> {
        let mut options = vec!["--site".to_owned(), self.path("site.toml").display().to_string()];
        options.extend(self.nodes.iter().flat_map(|(name, _)| ["--node".to_owned(), name.clone()]));
        options
    }

    /// What `collect` saw with these options, as it writes it.
    pub fn collect(&self, options: &[Vec<String>]) -> Value {
        let file = self.path("evidence.json");
        let mut args = vec!["collect".to_owned(), "-o".into(), file.display().to_string()];
        args.extend(options.iter().flatten().cloned());
        let done = run(&args);
        serde_json::from_slice(&std::fs::read(&file).unwrap_or_else(|_| panic!("{}", said(&done)))).unwrap()
    }

    /// A scan by the profile that asks everything.
    pub fn scan(&self, options: &[Vec<String>]) -> Findings {
        let mut args = vec!["scan".to_owned(), "--profile".into(), "cis".into(), "--format".into(), "json".into()];
        args.extend(options.iter().flatten().cloned());
        Findings::read(&command(&args).stdin(Stdio::null()).output().unwrap())
    }

    /// The whole: cluster as administrator, both nodes by SSH, their ports.
    pub fn scan_all(&self) -> Findings {
        self.scan(&[self.as_user("admin"), self.by_ssh()])
    }

    /// The whole of the bed as it is when no test has changed anything: read by the first who asks.
    pub fn whole(&self) -> Arc<Findings> {
        let mut turn = self.turn.borrow_mut();
        turn.whole.get_or_insert_with(|| Arc::new(self.scan_all())).clone()
    }
}

fn site_file(nodes: &[(String, String)]) -> String {
    let (key, hosts) = (std::env::var("BED_SSH_KEY").unwrap(), std::env::var("BED_KNOWN_HOSTS").unwrap());
    let node = |(name, address): &(String, String)| {
        format!("[[node]]\nname = \"{name}\"\naddress = \"{address}\"\nuser = \"ops\"\nidentity = \"{key}\"\n")
    };
    format!("known_hosts = \"{hosts}\"\n{}", nodes.iter().map(node).collect::<String>())
}

fn must(command: &mut Command, input: &str) -> String {
    // Passwords are looked for in the nodes' processes, of which this may become one.
    for user in ["OPS", "ASKS", "GUEST"] {
        command.env_remove(format!("BED_PASSWORD_{user}"));
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let fed = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let done = child.wait_with_output().unwrap();
    let _ = fed.join();
    assert!(done.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Objects that go away with this value.
pub struct Objects<'b> {
    bed: &'b Bed,
    yaml: String,
}

impl Drop for Objects<'_> {
    fn drop(&mut self) {
        self.bed.kubectl(&["delete", "--ignore-not-found", "-f", "-"], &self.yaml);
    }
}

/// A changed object that is changed back with this value.
pub struct Patched<'b> {
    bed: &'b Bed,
    object: Vec<String>,
    undo: String,
}

impl Patched<'_> {
    fn apply(&self, patch: &str) {
        let mut words = vec!["patch", "--type", "merge", "-p", patch];
        words.extend(self.object.iter().map(String::as_str));
        self.bed.kubectl(&words, "");
    }
}

impl Drop for Patched<'_> {
    fn drop(&mut self) {
        self.apply(&self.undo);
    }
}

/// Something broken that is mended with this value.
pub struct Broken<'b> {
    bed: &'b Bed,
    what: Vec<String>,
}

impl Broken<'_> {
    fn act(&self, act: &str) {
        let words: Vec<&str> = std::iter::once(act).chain(self.what.iter().map(String::as_str)).collect();
        self.bed.tool(&words);
    }
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        self.act("start");
    }
}

/// Something to be run on a node when this value is dropped.
pub struct Undo<'b> {
    bed: &'b Bed,
    node: &'b str,
    script: &'b str,
}

impl<'b> Undo<'b> {
    /// Runs `script` on `node` at the end.
    pub fn new(bed: &'b Bed, node: &'b str, script: &'b str) -> Self {
        Undo { bed, node, script }
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.bed.on_node(self.node, self.script);
    }
}

/// Runs the program; what it printed and how it ended.
pub fn run<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    command(args).stdin(Stdio::null()).output().unwrap()
}

/// Both outputs of a run as text.
pub fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// Writes a file and gives its path as text.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Findings of `partial` that pass where those of `full` do not: a partial scan may know less, never better.
pub fn false_passes(full: &Findings, partial: &Findings) -> Vec<String> {
    let passes: Vec<_> = full.every().into_iter().filter(|(_, _, verdict)| *verdict == "pass").collect();
    let better = partial.every().into_iter().filter(|found| found.2 == "pass" && !passes.contains(found));
    better.map(|(target, control, _)| format!("{control} of {target}: {}", partial.on(target, control))).collect()
}

/// Controls of a target that have a verdict for a reason.
pub fn because<'f>(findings: &'f Findings, target: &str, verdict: &str, reason: &str) -> Vec<&'f str> {
    let all = list(&findings.json["findings"]).filter(|f| f["target"] == target);
    let those = all.filter(|f| f["verdict"] == verdict && f["reason"] == reason);
    those.map(|f| f["control"].as_str().unwrap()).collect()
}

/// Questions to findings about many targets.
pub trait Told {
    /// The finding of a control for a target.
    fn on(&self, target: &str, control: &str) -> &Value;
    /// Its verdict.
    fn judged(&self, target: &str, control: &str) -> &str;
    /// Target, control and verdict of every finding.
    fn every(&self) -> Vec<(&str, &str, &str)>;
    /// A target.
    fn target(&self, id: &str) -> &Value;
    /// Ids of the targets of a kind.
    fn targets(&self, kind: &str) -> Vec<&str>;
    /// Verdicts of all findings that refer to an item of the CIS benchmark, for a target.
    fn cis(&self, target: &str, item: &str) -> Vec<&str>;
}

impl Told for Findings {
    fn on(&self, target: &str, control: &str) -> &Value {
        let mut found = list(&self.json["findings"]).filter(|f| f["control"] == control && f["target"] == target);
        let first = found.next().unwrap_or_else(|| panic!("no finding of {control} for {target}"));
        assert!(found.next().is_none(), "more than one finding of {control} for {target}");
        first
    }

    fn judged(&self, target: &str, control: &str) -> &str {
        self.on(target, control)["verdict"].as_str().unwrap()
    }

    fn every(&self) -> Vec<(&str, &str, &str)> {
        fn text<'f>(finding: &'f Value, key: &str) -> &'f str {
            finding[key].as_str().unwrap()
        }
        list(&self.json["findings"]).map(|f| (text(f, "target"), text(f, "control"), text(f, "verdict"))).collect()
    }

    fn target(&self, id: &str) -> &Value {
        list(&self.json["targets"]).find(|target| target["id"] == id).unwrap_or_else(|| panic!("no target {id}"))
    }

    fn targets(&self, kind: &str) -> Vec<&str> {
        list(&self.json["targets"]).filter(|target| target["kind"] == kind).map(|t| t["id"].as_str().unwrap()).collect()
    }

    fn cis(&self, target: &str, item: &str) -> Vec<&str> {
        let refers =
            |f: &&Value| f["references"]["cis"].as_array().is_some_and(|items| items.iter().any(|i| i == item));
        let mine = list(&self.json["findings"]).filter(|f| f["target"] == target).filter(refers);
        mine.map(|f| f["verdict"].as_str().unwrap()).collect()
    }
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().expect("a list").iter()
}

/// Writes a program and gives its path as text. Another process writes it: a file that this one still has open for writing
/// in a child of some other test could not be run.
pub fn program(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name).display().to_string();
    must(Command::new("install").args(["-m", "755", "/dev/stdin", &path]), text);
    path
}
